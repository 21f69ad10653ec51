"""What is special to Postgres: the embedded server, the schema, its roles and its SQL."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from server.commands.sql_command import Format, run_sql
from server.errors import StoreError
from server.store import EMOTION_LOG, TABLES, Batch, EmotionFrame, Turn
from server.store.embedded import EmbeddedPostgres
from server.store.migrate import folder, migrate, status
from server.store.postgres import QUERIES, PostgresStore
from tests.integration.postgres_fixture import Database
from tests.integration.test_store_contract import NOON, PLAN, a_session, a_turn, filled, planned

VIEWS = {
    "session_log": "session_id person turn speaker said_at text heard_fraction emotion "
    "emotion_probability risk_level",
    "emotion_timeline": "session_id person at label probability",
    "session_summary": "session_id person started_at ended_at turns top_emotion highest_risk "
    "summary",
    "mood_by_day": "person day label share",
    "latency_log": "session_id turn end_of_turn_ms stt_ms safety_ms recall_ms "
    "llm_first_token_ms llm_first_clause_ms tts_first_sound_ms first_sound_ms",
    "risk_events": "session_id person at level reason said",
}


@pytest.fixture
async def store(database: Database) -> AsyncIterator[PostgresStore]:
    made = PostgresStore(database.owner_dsn)
    await made.open()
    yield made
    await made.close()


def ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


# The schema


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_has_the_promised_columns_first(database: Database, view: str) -> None:
    with psycopg.connect(database.reader_dsn) as connection:
        columns = connection.execute(f"SELECT * FROM {view}".encode()).description or []
    promised = VIEWS[view].split()
    assert [column.name for column in columns][: len(promised)] == promised


def test_every_table_view_and_column_has_a_comment(database: Database) -> None:
    bare = ask(
        database.owner_dsn,
        """
        SELECT c.relname, a.attname FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
            AND col_description(c.oid, a.attnum) IS NULL
        UNION ALL
        SELECT c.relname, '' FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')
            AND obj_description(c.oid, 'pg_class') IS NULL
        """,
    )
    assert bare == []


async def test_migrations_go_up_down_and_up_with_data_in_the_tables(database: Database) -> None:
    for _ in range(2):
        store = PostgresStore(database.owner_dsn)
        await store.open()
        await planned(store)
        await store.close()
        while status(database.owner_dsn).applied:
            migrate(database.owner_dsn, "down")
        left = ask(database.owner_dsn, "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') "
                   "AND relnamespace = 'public'::regnamespace")  # fmt: skip
        assert left == [("schema_migrations",)]
        assert not migrate(database.owner_dsn).pending
    assert ask(database.reader_dsn, "SELECT count(*) FROM session_log") == [(0,)]


async def test_a_database_from_before_the_plans_takes_them(database: Database) -> None:
    while status(database.owner_dsn).applied[-1] != "0004":
        migrate(database.owner_dsn, "down")
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("INSERT INTO people (name) VALUES ('local')")
        connection.execute(
            "INSERT INTO sessions (id, person_id, started_at, keeps) "
            "SELECT gen_random_uuid(), id, now(), '{memory}' FROM people"
        )
    migrate(database.owner_dsn)
    store = PostgresStore(database.owner_dsn)
    await store.open()
    assert await store.minor("local") is None
    await store.set_plan("local", PLAN, NOON)
    assert await store.plan("local") == PLAN
    await store.close()


def test_two_servers_that_start_at_once_migrate_once(empty_database: Database) -> None:
    program = "import sys; from server.store.migrate import migrate; migrate(sys.argv[1])"
    command = [sys.executable, "-c", program, empty_database.owner_dsn]
    together = [subprocess.Popen(command) for _ in range(3)]
    assert [one.wait() for one in together] == [0, 0, 0]
    assert len(status(empty_database.owner_dsn).applied) == len(list(folder().glob("*.sql")))


def test_a_newer_database_is_refused_with_a_sentence(database: Database) -> None:
    with psycopg.connect(database.owner_dsn) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES ('9999')")
    with pytest.raises(StoreError, match="newer than this program"):
        migrate(database.owner_dsn)


def test_a_database_that_is_down_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        migrate(make_conninfo(host=str(tmp_path), dbname="tadbot"))


async def test_a_store_over_a_database_that_is_down_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store.postgres.CONNECT_TIMEOUT_S", 0.3)
    store = PostgresStore(make_conninfo(host=str(tmp_path), dbname="tadbot"))
    with pytest.raises(StoreError):
        await store.open()
    await store.close()


# The views


async def test_the_log_shows_of_a_reply_what_was_heard(
    store: PostgresStore, database: Database
) -> None:
    session = a_session()
    await store.open_session(session)
    said = a_turn(session)
    reply = a_turn(session, text="That sounds hard.", speaker="tadbot", heard="That",
                   heard_fraction=0.25)  # fmt: skip
    await store.write(Batch(turns=[reply, said]))
    query = "SELECT speaker, text, heard_fraction FROM session_log"
    assert ask(database.reader_dsn, query) == [
        ("person", "I slept badly", None),
        ("tadbot", "That", 0.25),
    ]


async def test_the_summary_counts_turns_and_takes_the_gravest(
    store: PostgresStore, database: Database
) -> None:
    session = await filled(store)
    await store.write(Batch(turns=[a_turn(session, 2, risk_level="concern")]))
    query = "SELECT turns, top_emotion, highest_risk, summary FROM session_summary"
    assert ask(database.reader_dsn, query) == [(2, "fear", "high", "Slept badly")]


async def test_mood_by_day_shares_add_up_to_one(store: PostgresStore, database: Database) -> None:
    session = a_session()
    await store.open_session(session)
    labels = ["fear", "fear", "fear", "anger"]
    frames = [
        EmotionFrame(session.id, NOON + timedelta(seconds=place), ((label, 0.9),))
        for place, label in enumerate(labels)
    ]
    await store.write(Batch(emotions=frames))
    query = "SELECT person, label, share FROM mood_by_day"
    assert ask(database.reader_dsn, query) == [("local", "fear", 0.75), ("local", "anger", 0.25)]


# The roles


@pytest.mark.parametrize("table", [*TABLES, "schema_migrations"])
async def test_the_reader_reads_no_table(database: Database, table: str) -> None:
    with psycopg.connect(database.reader_dsn) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"SELECT * FROM {table}".encode())
        connection.rollback()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"DELETE FROM {table}".encode())


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine ()", "CREATE TEMPORARY TABLE mine ()", "SET ROLE tadbot", "CREATE ROLE x"],
)
async def test_the_reader_makes_and_becomes_nothing(
    empty_database: Database, statement: str
) -> None:
    migrate(empty_database.owner_dsn)  # what a database allows is not copied with a template
    with (
        psycopg.connect(empty_database.reader_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


async def test_the_owner_is_no_superuser(database: Database) -> None:
    query = "SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = 'tadbot'"
    assert ask(database.owner_dsn, query) == [(False, False, False)]


AUDIT = "SELECT id, code, level, day, key FROM audit"


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM audit", "TRUNCATE audit", "TRUNCATE people, audit CASCADE",
     "UPDATE audit SET day = day - 1", "UPDATE audit SET code = 'erased'",
     "UPDATE audit SET level = 'none', key = NULL", "UPDATE audit SET id = gen_random_uuid()",
     "UPDATE audit SET key = gen_random_uuid()",
     "INSERT INTO audit SELECT * FROM audit ON CONFLICT (id) DO UPDATE SET level = 'none'"],
)  # fmt: skip
async def test_the_audit_cannot_be_changed_by_the_program(
    store: PostgresStore, database: Database, statement: str
) -> None:
    session = await filled(store)
    await store.audit("risk", "high", NOON, session.id)
    before = ask(database.owner_dsn, AUDIT)
    with (
        psycopg.connect(database.owner_dsn) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="append-only"),
    ):
        connection.execute(statement.encode())
    assert ask(database.owner_dsn, AUDIT) == before


async def test_the_program_cannot_silence_the_triggers_of_the_audit(database: Database) -> None:
    with (
        psycopg.connect(database.owner_dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SET session_replication_role = replica")


async def test_forgetting_takes_of_the_audit_the_key_and_nothing_else(
    store: PostgresStore, database: Database
) -> None:
    await filled(store)
    [before] = ask(database.owner_dsn, AUDIT)
    assert before[-1] is not None
    await store.forget_person("local")
    assert ask(database.owner_dsn, AUDIT) == [(*before[:-1], None)]


# The store


async def test_nul_and_broken_surrogates_do_not_stop_a_turn(store: PostgresStore) -> None:
    session = a_session("an\0na")
    await store.open_session(session)
    await store.write(Batch(turns=[a_turn(session, text="slept\0 \ud83d badly")]))
    assert [turn.text for turn in await store.history(session.id)] == ["slept ? badly"]


async def test_the_store_goes_on_after_its_connections_were_cut(
    store: PostgresStore, database: Database
) -> None:
    session = await filled(store)
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert ask(database.superuser_dsn, query)
    assert await store.write(Batch(turns=[a_turn(session, 5)]))


async def test_a_plan_waits_for_an_erasure_that_has_begun(
    store: PostgresStore, database: Database
) -> None:
    await filled(store)
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as erasing:
        for query in ("lock_person", "lock_sessions", "erase_memory"):
            await erasing.execute(QUERIES[query], {"person": "local"})
        keeping = [
            asyncio.create_task(store.set_plan("local", PLAN, NOON)),
            asyncio.create_task(store.set_minor("local", True)),
        ]
        name = erasing.info.dbname
        async with asyncio.timeout(10):
            while not all(one.done() for one in keeping):
                with psycopg.connect(database.superuser_dsn) as asking:
                    if asking.execute(waiting, [name]).rowcount == len(keeping):
                        break
                await asyncio.sleep(0.02)
    await asyncio.gather(*keeping)
    assert (await store.plan("local"), await store.minor("local")) == (("",) * 6, None)


async def test_a_step_of_nothing_but_nul_is_left_out(store: PostgresStore) -> None:
    await store.open_session(a_session())
    await store.set_plan("local", ("\0", "Walk\0", "", "", "", ""), NOON)
    assert await store.plan("local") == ("", "Walk", "", "", "", "")


async def test_a_plan_of_too_many_steps_fails_without_its_words_and_leaves_the_old_one(
    store: PostgresStore,
) -> None:
    await planned(store)
    secret = "nobody may read this"
    with pytest.raises(StoreError) as caught:
        await store.set_plan("local", [secret] * 7, NOON)
    cause = caught.value.__cause__
    assert secret not in f"{caught.value!r} {cause!r} {cause}"
    assert await store.plan("local") == PLAN


async def test_an_error_holds_no_words(store: PostgresStore) -> None:
    session = a_session()
    await store.open_session(session)
    secret = "nobody may read this"
    with pytest.raises(StoreError) as caught:
        await store.write(Batch(turns=[a_turn(session, text=secret, risk_level=secret)]))
    cause = caught.value.__cause__
    assert secret not in f"{caught.value!r} {cause!r} {cause}"
    assert "23514" in str(caught.value)


async def test_a_failed_batch_leaves_no_row(store: PostgresStore) -> None:
    session = a_session()
    await store.open_session(session)
    good = a_turn(session)
    bad = EmotionFrame(session.id, NOON, (("fear", 7.0),))
    with pytest.raises(StoreError):
        await store.write(Batch(turns=[good], emotions=[bad]))
    assert await store.history(session.id) == []


async def test_a_turn_is_not_taken_over_by_another_session(store: PostgresStore) -> None:
    mine, other = a_session("anna"), a_session("ben")
    await store.open_session(mine)
    await store.open_session(other)
    turn: Turn = a_turn(mine)
    await store.write(Batch(turns=[turn]))
    forged = replace(turn, session_id=other.id, text="forged")
    assert await store.write(Batch(turns=[forged])) == frozenset()
    assert await store.history(mine.id) == [turn]


async def test_a_second_of_pictures_goes_in_as_one_batch(store: PostgresStore) -> None:
    session = a_session(keeps=frozenset({EMOTION_LOG}))
    await store.open_session(session)
    scores = (("fear", 0.5), ("sadness", 0.3), ("anger", 0.1))
    frames = [
        EmotionFrame(session.id, NOON + timedelta(milliseconds=place), scores)
        for place in range(12_000)
    ]
    await store.write(Batch(emotions=frames))
    assert (await store.counts())["emotions"] == 12_000


# The command `sql`


@pytest.mark.parametrize(
    ("fmt", "answer"),
    [
        ("table", " a | b | c\n---+---+-----\n 1 | x | 1.5\n 2 |   |   2\n(2 rows)\n"),
        ("csv", "a,b,c\r\n1,x,1.5\r\n2,,2\r\n"),
        ("json", '[{"a": 1, "b": "x", "c": 1.5},\n {"a": 2, "b": null, "c": 2}]\n'),
    ],
)
def test_sql_answers_in_three_formats(
    database: Database, capfd: pytest.CaptureFixture[str], fmt: Format, answer: str
) -> None:
    query = "SELECT * FROM (VALUES (1, 'x', 1.5), (2, null, 2)) v (a, b, c)"
    assert run_sql(database.reader_dsn, query, fmt) == 0
    assert capfd.readouterr().out == answer


async def test_sql_writes_times_ids_and_lists_plainly(
    store: PostgresStore, database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    session = await filled(store)
    query = "SELECT session_id, said_at AT TIME ZONE 'UTC' AS at, ARRAY[1] AS l FROM session_log"
    assert run_sql(database.reader_dsn, query, "json") == 0
    at = "2026-03-01T12:00:10"
    assert json.loads(capfd.readouterr().out) == [
        {"session_id": str(session.id), "at": at, "l": [1]}
    ]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("select * from nowhere", "no such table or view; the views are session_log"),
        ("select * from turns", "Only the views may be read"),
        ("delete from turns", "read-only"),
        ("delete from session_log", "read-only"),
        ("create table mine ()", "read-only"),
        ("with gone as (delete from turns returning *) select * from gone", "read-only"),
        ("select 1; delete from turns", "one statement"),
        ("set role tadbot", "Only the views"),
        ("select set_config('role', 'tadbot', false)", "Only the views"),
        ("select set_config('transaction_read_only', 'off', false)", "read-only"),
        ("copy turns to stdout", "COPY"),
        ("", "empty"),
    ],
)
def test_sql_that_cannot_be_answered_is_one_sentence(
    database: Database, capfd: pytest.CaptureFixture[str], query: str, sentence: str
) -> None:
    assert run_sql(database.reader_dsn, query) == 1
    said = capfd.readouterr()
    assert sentence in said.err.replace("read-write", "read-only")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_sql_that_runs_too_long_is_stopped(
    database: Database, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    short = "-c role=tadbot_reader -c statement_timeout=200ms"
    monkeypatch.setattr("server.commands.sql_command.OPTIONS", short)
    assert run_sql(database.reader_dsn, "select pg_sleep(60)") == 1
    assert "was stopped" in capfd.readouterr().err


def test_sql_keeps_percent_signs_and_a_final_semicolon(
    database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_sql(database.reader_dsn, "select '%s %% %(x)s' as a ; ", "csv") == 0
    assert capfd.readouterr().out == "a\r\n%s %% %(x)s\r\n"


def test_sql_as_the_owner_reads_as_the_reader(
    database: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_sql(database.owner_dsn, "select * from turns") == 1
    assert "Only the views" in capfd.readouterr().err


def test_a_large_answer_that_is_cut_off_is_quiet(database: Database) -> None:
    program = (
        "import sys; from server.commands.sql_command import run_sql; "
        "sys.exit(run_sql(sys.argv[1], 'select g from generate_series(1, 1000000) g', 'csv'))"
    )
    asking = subprocess.Popen(
        [sys.executable, "-c", program, database.reader_dsn],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert asking.stdout is not None
    assert asking.stderr is not None
    assert [asking.stdout.readline() for _ in range(2)] == [b"g\r\n", b"1\r\n"]
    asking.stdout.close()
    assert asking.stderr.read() == b""
    assert asking.wait() == 0
    asking.stderr.close()


def test_without_a_query_psql_reads_its_standard_input(database: Database) -> None:
    program = (
        "import sys; from server.commands.sql_command import run_sql; "
        "sys.exit(run_sql(sys.argv[1], None, 'csv'))"
    )
    command = [sys.executable, "-c", program, database.reader_dsn]
    asked = subprocess.run(
        command, input="select current_user;", capture_output=True, text=True, check=True
    )
    assert asked.stdout == "current_user\ntadbot_reader\n"
    refused = subprocess.run(
        command, input="delete from turns;", capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1


# The embedded server


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tadbot-test-") as made:
        yield Path(made) / "a data folder" / ("long" * 20)


def postmaster(data: Path) -> int | None:
    file = data / "cluster" / "postmaster.pid"
    return int(file.read_text().split("\n")[0]) if file.exists() else None


USER = """
import signal, sys, time
from pathlib import Path
from server.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
try:
    print(server.start(), flush=True)
    sys.stdin.read()
except KeyboardInterrupt:
    pass
finally:
    server.stop()
"""


def a_user(data: Path) -> "subprocess.Popen[str]":
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(data)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert user.stdout is not None
    assert "user=tadbot" in user.stdout.readline()
    return user


def leaves(user: "subprocess.Popen[str]", by: signal.Signals | None = None) -> None:
    if by:
        os.killpg(user.pid, by)
    user.communicate(timeout=60)


def test_the_embedded_server_lives_as_long_as_its_users(data: Path) -> None:
    first = a_user(data)
    dsn = EmbeddedPostgres(data).dsn
    socket = conninfo_to_dict(dsn)["host"]
    assert len(f"{socket}/.s.PGSQL.5432") <= 107
    assert ask(dsn, "SELECT current_user::text, current_setting('listen_addresses')") == [
        ("tadbot", "")
    ]

    second = a_user(data)
    pid = postmaster(data)
    leaves(first)
    assert ask(dsn, "SELECT 1") == [(1,)]  # the second still holds it
    leaves(second, signal.SIGINT)
    assert postmaster(data) is None

    killed = a_user(data)
    orphan = postmaster(data)
    assert orphan not in (pid, None)
    leaves(killed, signal.SIGKILL)
    assert postmaster(data) == orphan  # nobody was left to stop it
    heir = a_user(data)
    assert postmaster(data) == orphan
    leaves(heir)
    assert postmaster(data) is None


def test_users_that_come_at_once_start_one_server(data: Path) -> None:
    async def together() -> list[str]:
        servers = [EmbeddedPostgres(data) for _ in range(3)]
        found = await asyncio.gather(*(asyncio.to_thread(one.start) for one in servers))
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in servers))
        return found

    assert len(set(asyncio.run(together()))) == 1
    assert postmaster(data) is None


def test_a_pid_file_left_by_a_power_cut_is_no_obstacle(data: Path) -> None:
    server = EmbeddedPostgres(data)
    server.start()
    pid = postmaster(data)
    assert pid is not None
    lines = (data / "cluster" / "postmaster.pid").read_text()
    server.stop()
    # The number now belongs to another program: this one.
    stale = lines.replace(str(pid), str(os.getpid()), 1)
    (data / "cluster" / "postmaster.pid").write_text(stale)
    server.start()
    assert ask(server.dsn, "SELECT 1") == [(1,)]
    server.stop()
    server.stop()


def test_a_data_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="data folder"):
        EmbeddedPostgres(tmp_path / "file").start()


def test_a_broken_cluster_is_one_sentence_and_leaves_no_lock(data: Path) -> None:
    (data / "cluster").mkdir(parents=True)
    (data / "cluster" / "PG_VERSION").write_text("18\n")
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(StoreError, match="failed at `pg_ctl start`"):
            EmbeddedPostgres(data).start()
    assert time.monotonic() - started < 60
