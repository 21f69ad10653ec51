"""`tadbot-server status --risk`, as its user calls it: beside a server, after it, without one."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import grpc.aio
import psycopg
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc

from server.store.embedded import EmbeddedPostgres
from tests.integration.house import Talker, opening
from tests.integration.test_bad_input import (
    FREE,
    await_address,
    command,
    ends_quietly,
    folder,
    running,
    sentence_of,
)
from tests.integration.test_converse import DANGER

__all__ = ["folder"]


@pytest.fixture
def words(folder: Path) -> list[str]:
    """Words that lead a command to a database of its own, which nobody has made yet."""
    toml = folder / "tadbot.toml"
    toml.write_text("[store]\nengine = 'embedded'\n")
    return ["--config", str(toml), "--profile", "fake", "--data-dir", str(folder)]


def lines(*words: str) -> list[list[str]]:
    """Asks, and gives the cells of the answer's lines without the head."""
    ended = command("status", "--risk", *words)
    assert (ended.returncode, ended.stderr) == (0, "")
    head, _, *rest, count = ended.stdout.splitlines()
    assert head.split() == ["month", "|", "what", "|", "level", "|", "count"]
    assert count.startswith(f"({len(rest)} row")
    return [[cell.strip() for cell in line.split("|")] for line in rest]


async def talk(address: str) -> str:
    """Is told of the machine, is in danger, agrees to be kept, and is forgotten; gives the words
    that nobody else may read."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = companion_pb2_grpc.CompanionStub(channel)  # type: ignore[no-untyped-call]
        talker = Talker(stub.Converse(), plays=True)
        await talker.send(open=opening(told=None))
        await talker.first("reply_done")
        await talker.send(consent_change=pb.ConsentChange(granted=[pb.MEMORY]))
        await talker.first("consent_receipt")
        await talker.ask(DANGER["high"])
        await talker.send(erase=pb.Erase(everything=True))
        await talker.first("erasure_receipt")
        await talker.goodbye()
    return DANGER["high"]


async def test_what_was_noted_is_counted_beside_a_server_and_after_it(words: list[str]) -> None:
    with running("serve", "--listen", FREE, *words) as server:
        address = await asyncio.to_thread(await_address, server)
        said = await talk(address)
        beside = await asyncio.to_thread(lines, *words)
        server.send_signal(signal.SIGINT)
        await asyncio.to_thread(ends_quietly, server)
    assert {len(month) for month, *_ in beside} == {len("2026-03")}
    assert [line[1:] for line in beside] == [
        ["a consent was given", "none", "1"],
        ["told that it is a machine", "none", "1"],
        ["something was erased", "none", "1"],
        ["help was named", "high", "1"],
        ["danger was noticed", "high", "1"],
    ]
    assert said not in str(beside)
    assert await asyncio.to_thread(lines, *words) == beside


def test_without_a_database_it_says_so_and_makes_none(folder: Path, words: list[str]) -> None:
    said = sentence_of(command("status", "--risk", *words))
    assert f"There is no database in {folder}" in said
    assert [one.name for one in folder.iterdir()] == ["tadbot.toml"]


@pytest.mark.parametrize("migrated", [False, True])
def test_an_empty_database_is_one_sentence_and_stays_as_it_is(
    folder: Path,
    words: list[str],
    migrated: bool,
) -> None:
    postgres = EmbeddedPostgres(folder / "postgres")
    dsn = postgres.start()
    try:
        if migrated:
            assert command("migrate", *words).returncode == 0
        ended = command("status", "--risk", *words)
        with psycopg.connect(dsn) as connection:
            found = connection.execute("SELECT to_regclass('audit')").fetchone()
    finally:
        postgres.stop()
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "Nothing was noted yet.\n", "")
    assert found == ("audit" if migrated else None,)
