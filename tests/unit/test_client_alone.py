"""What is said and shown where no server is there."""

import asyncio
import json
import os
import signal
import wave
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2

from pi_client.alone import Alone
from pi_client.config import Options
from pi_client.errors import ClientError
from pi_client.help import BUILT_IN, Help
from pi_client.help_key import HOW, HelpKey
from pi_client.playout import Playout
from pi_client.record import Record
from pi_client.sound import BLOCK_SAMPLES, Samples, silence
from pi_client.speaker import ClockedSpeaker

TEXT = "You can call Samaritans on 116 123."
NUMBERS = "Whom to call: Samaritans 116 123."
LOUD = 1000
LOST_SAMPLES = 800
"""Of the 4000 that are loud, those that say that the server is gone."""


class QuickMicrophone:
    """Silence, as fast as it is asked for, or until it is unplugged."""

    ended = False
    behind = False

    def __init__(self) -> None:
        self.read_samples = 0
        self.unplugged = False

    def start(self) -> None:
        pass

    async def read(self) -> tuple[int, Samples]:
        await asyncio.sleep(0)
        if self.unplugged:
            raise ClientError("The microphone gives no sound any more.")
        self.read_samples += BLOCK_SAMPLES
        return self.read_samples - BLOCK_SAMPLES, silence(BLOCK_SAMPLES)

    def close(self) -> None:
        pass


class Room:
    """A talk that has been opened, with files for its devices."""

    def __init__(self, folder: Path, stack: ExitStack, stays: bool = False) -> None:
        self.folder = folder
        self.key = stack.enter_context(closing(HelpKey()))
        self.microphone = QuickMicrophone()
        self.playout = Playout()
        self.speaker = stack.enter_context(
            closing(ClockedSpeaker(self.playout, folder / "out.wav"))
        )
        options = Options(log_dir=folder, events=folder / "e.jsonl")
        self.record = Record(options, stack)
        self.alone = Alone(
            self.microphone, self.playout, self.speaker, self.key, self.record, stays
        )

    def saw(self, **event: Any) -> None:
        response = pb.ConverseResponse(turn=1, **event)
        self.playout.saw(response)
        if "opened" in event:
            self.speaker.start()
        self.record.saw(response)
        self.alone.saw(response)

    def open(self) -> None:
        self.saw(opened=pb.Opened(reply_format=sound_pb2.AudioFormat(sample_rate_hertz=16000)))

    def events(self) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in (self.folder / "e.jsonl").read_text().splitlines()]
        return [one for one in found if one["event"] in ("server_lost", "help_line_played")]

    def heard(self) -> int:
        """How many samples of the help line the file holds."""
        with wave.open(str(self.folder / "out.wav")) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return int(np.count_nonzero(samples == LOUD))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def lines(version: str = "1") -> pb.HelpLines:
    pcm = np.full(4000, LOUD, dtype="<i2").tobytes()
    audio_format = sound_pb2.AudioFormat(sample_rate_hertz=16000)
    made = pb.HelpLines(text=TEXT, pcm=pcm, audio_format=audio_format, version=version)
    made.lines.add(name="Samaritans", number="116 123")
    made.numbers_first_sample = LOST_SAMPLES
    return made


def risk(level: pb.RiskLevel.ValueType) -> pb.Risk:
    return pb.Risk(level=level)


@pytest.mark.parametrize("level", [pb.CONCERN, pb.HIGH, pb.IMMINENT])
async def test_after_danger_the_help_line_is_said_and_shown(
    tmp_path: Path, stack: ExitStack, level: pb.RiskLevel.ValueType, capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(level))
    await room.alone.server_went(asyncio.Event())
    assert room.heard() == 4000
    assert capsys.readouterr().out.splitlines() == [
        "The connection to the server is lost.",
        f"TADBot: {TEXT}",
        f"TADBot: {NUMBERS}",
    ]
    lost, played = room.events()
    assert lost["level"] == pb.RiskLevel.Name(level).lower()
    assert (played["cause"], played["seconds"]) == ("server_lost", 0.25)


@pytest.mark.parametrize("levels", [[], [pb.NONE], [pb.HIGH, pb.NONE]])
async def test_without_danger_the_key_is_named_and_nothing_is_said(
    tmp_path: Path, stack: ExitStack, levels: list[pb.RiskLevel.ValueType], capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    room.open()
    for level in levels:
        room.saw(risk=risk(level))
    await room.alone.server_went(asyncio.Event())
    room.speaker.advance(BLOCK_SAMPLES)
    assert room.heard() == 0
    assert capsys.readouterr().out.splitlines() == [
        "The connection to the server is lost.",
        f"For the help line, {HOW}; or start `tadbot-pi help-line`.",
    ]
    assert [event["event"] for event in room.events()] == ["server_lost"]


async def test_where_no_help_line_is_kept_the_words_for_most_countries_are_shown(
    tmp_path: Path, stack: ExitStack, capsys: Any
) -> None:
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(pb.HIGH))
    await room.alone.server_went(asyncio.Event())
    assert capsys.readouterr().out.splitlines()[-1] == f"TADBot: {BUILT_IN}"
    assert room.events()[-1]["seconds"] == 0.0


async def test_help_lines_that_come_in_the_talk_are_the_ones_that_are_said(
    tmp_path: Path, stack: ExitStack
) -> None:
    room = Room(tmp_path, stack)
    assert room.alone.help_version == ""
    room.open()
    room.saw(help_lines=lines("7"))
    room.saw(risk=risk(pb.HIGH))
    await room.alone.server_went(asyncio.Event())
    assert room.heard() == 4000
    assert (room.alone.help_version, Help().version) == ("7", "7")


async def test_a_talk_that_had_ended_loses_nothing(
    tmp_path: Path, stack: ExitStack, capsys: Any
) -> None:
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(pb.HIGH))
    room.saw(closed=pb.Closed())
    await room.alone.server_went(asyncio.Event())
    room.alone.talk_failed()
    assert capsys.readouterr().out == ""
    assert room.events() == []


@pytest.mark.parametrize("known", [True, False])
async def test_where_no_talk_can_begin_it_is_shown_whom_to_call(
    tmp_path: Path, stack: ExitStack, known: bool, capsys: Any
) -> None:
    if known:
        Help().keep(lines())
    room = Room(tmp_path, stack)
    await room.alone.server_went(asyncio.Event())
    assert capsys.readouterr().out.splitlines() == [NUMBERS if known else BUILT_IN]
    assert room.events() == []


@pytest.mark.parametrize(("level", "shown"), [(pb.NONE, []), (pb.CONCERN, [NUMBERS])])
async def test_a_talk_that_ends_here_after_danger_shows_whom_to_call(
    tmp_path: Path, stack: ExitStack, level: pb.RiskLevel.ValueType, shown: list[str], capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(level))
    room.alone.talk_failed()
    assert capsys.readouterr().out.splitlines() == shown


async def test_the_key_speaks_over_a_reply_and_tells_the_server_once(
    tmp_path: Path, stack: ExitStack, capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    following = asyncio.create_task(room.alone.follow_key())
    room.open()
    room.saw(reply_text=pb.ReplyText(text="Let us"))
    room.saw(reply_audio=sound_pb2.AudioChunk(pcm=np.ones(9000, "<i2").tobytes()))
    assert room.playout.pull(100).tolist() == [1] * 100
    # A second press while it speaks does not begin it anew.
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGUSR1)
        await asyncio.sleep(0.02)
    following.cancel()
    # The server is there, so nothing is said of it.
    left = 4000 - LOST_SAMPLES
    assert room.playout.pull(left).tolist() == [LOUD] * left
    assert room.playout.pull(8000).tolist() == [0] * 8000
    assert (room.alone.interrupts(), room.alone.interrupts()) == (True, False)
    assert capsys.readouterr().out.splitlines() == ["TADBot: Let us —", f"TADBot: {NUMBERS}"]
    (played,) = room.events()
    assert (played["cause"], played["seconds"]) == ("key", 0.2)


async def test_a_press_before_the_talk_is_open_is_shown_at_once_and_said_when_it_is(
    tmp_path: Path, stack: ExitStack, capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    os.kill(os.getpid(), signal.SIGUSR1)
    following = asyncio.create_task(room.alone.follow_key())
    await asyncio.sleep(0.02)
    assert not room.playout.saying
    assert capsys.readouterr().out.splitlines() == [NUMBERS]
    room.open()
    await asyncio.sleep(0.02)
    assert room.playout.saying
    following.cancel()


async def test_a_help_line_that_is_being_said_goes_on_when_the_server_goes(
    tmp_path: Path, stack: ExitStack
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(pb.HIGH))
    following = asyncio.create_task(room.alone.follow_key())
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.02)
    following.cancel()
    room.playout.drop()
    await room.alone.server_went(asyncio.Event())
    assert room.heard() == 4000 - LOST_SAMPLES
    assert [event["event"] for event in room.events()] == ["help_line_played", "server_lost"]


async def test_where_somebody_is_there_the_key_works_after_the_server_went(
    tmp_path: Path, stack: ExitStack, capsys: Any
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack, stays=True)
    room.open()
    stop = asyncio.Event()
    staying = asyncio.create_task(room.alone.server_went(stop))
    await asyncio.sleep(0.05)
    assert not staying.done()
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.3)
    assert room.heard() == 4000
    assert not staying.done()
    stop.set()
    await asyncio.wait_for(staying, 1)
    assert [event["event"] for event in room.events()] == ["server_lost", "help_line_played"]
    assert "Ctrl-C ends it now" in capsys.readouterr().out


async def test_a_microphone_that_is_gone_too_does_not_stop_the_help_line(
    tmp_path: Path, stack: ExitStack
) -> None:
    Help().keep(lines())
    room = Room(tmp_path, stack)
    room.open()
    room.saw(risk=risk(pb.HIGH))
    room.microphone.unplugged = True
    await room.alone.server_went(asyncio.Event())
    assert room.heard() == 4000
