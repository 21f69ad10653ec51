"""The help key, and what is no press of it."""

import asyncio
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pi_client.help_key import HelpKey


class Typed:
    """A pipe in the place of standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, self.writing = os.pipe()
        self.input = open(reading)  # noqa: SIM115 (the fixture closes it)
        monkeypatch.setattr(sys, "stdin", self.input)

    async def type(self, words: bytes) -> None:
        os.write(self.writing, words)
        await asyncio.sleep(0.02)

    def end(self) -> None:
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typed]:
    typed = Typed(monkeypatch)
    yield typed
    typed.end()
    typed.input.close()


@pytest.fixture(autouse=True)
async def signals() -> AsyncIterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("words", [b"h\n", b"help\n", b" HELP \r\n", b"what\nh\nnow\n"])
async def test_h_and_help_are_a_press(typed: Typed, words: bytes) -> None:
    with closing(HelpKey()) as key:
        await typed.type(words)
        assert key.taken()
        assert not key.taken()


@pytest.mark.parametrize("words", [b"\n", b"h", b"hello\n", b"q\n", b"\xff\xfe\n", b"h h\n"])
async def test_anything_else_is_none(typed: Typed, words: bytes) -> None:
    with closing(HelpKey()) as key:
        await typed.type(words)
        assert not key.taken()


async def test_a_line_may_come_in_pieces(typed: Typed) -> None:
    with closing(HelpKey()) as key:
        await typed.type(b"he")
        await typed.type(b"lp\n")
        assert key.taken()


async def test_the_end_of_a_long_line_is_no_press(typed: Typed) -> None:
    with closing(HelpKey()) as key:
        await typed.type(b"x" * 5000)
        await typed.type(b"h\n")
        assert not key.taken()
        await typed.type(b"h\n")
        assert key.taken()


async def test_a_press_is_waited_for(typed: Typed) -> None:
    with closing(HelpKey()) as key:
        waiting = asyncio.create_task(key.wait())
        await asyncio.sleep(0.02)
        assert not waiting.done()
        await typed.type(b"h\n")
        await asyncio.wait_for(waiting, 1)


async def test_a_signal_is_a_press_and_none_when_it_is_over() -> None:
    with closing(HelpKey()) as key:
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.02)
        assert key.taken()
    # It would end this process otherwise.
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.02)


async def test_at_the_end_of_input_it_is_left_alone_and_the_button_still_works(
    typed: Typed,
) -> None:
    with closing(HelpKey()) as key:
        await typed.type(b"h\nhe")
        typed.end()
        await asyncio.sleep(0.02)
        assert key.taken()
        assert not asyncio.get_running_loop().remove_reader(typed.input.fileno())
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.02)
        assert key.taken()


@pytest.mark.parametrize("kind", ["closed", "null", "file", "not a file", "shut"])
async def test_where_nobody_can_type_only_the_button_is_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "words").write_text("h\n")
    with (
        open(os.devnull) as null,
        (tmp_path / "words").open() as file,
        (tmp_path / "words").open() as shut,
    ):
        shut.close()
        stdins: dict[str, Any] = {
            "closed": None,
            "null": null,
            "file": file,
            "not a file": io.StringIO("h\n"),
            "shut": shut,
        }
        monkeypatch.setattr(sys, "stdin", stdins[kind])
        with closing(HelpKey()) as key:
            await asyncio.sleep(0.02)
            assert not key.taken()
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(0.02)
            assert key.taken()


async def test_a_terminal_is_typed_into(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with open(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        with closing(HelpKey()) as key:
            os.write(master, b"h\n")
            await asyncio.sleep(0.05)
            assert key.taken()
    os.close(master)


async def test_a_terminal_of_another_program_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    with open(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(os, "tcgetpgrp", lambda number: os.getpgrp() + 1)
        with closing(HelpKey()) as key:
            os.write(master, b"h\n")
            await asyncio.sleep(0.05)
            assert not key.taken()
    assert os.read(master, 16).startswith(b"h")
    os.close(master)
