"""What a client, a file, a database or a terminal can do wrong, and what comes of it."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import grpc.aio
import numpy as np
import psutil
import pytest
from PIL import Image
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc, emotion_recognition_pb2, sound_pb2

from server import models
from server.answering import NO_HURRY
from server.engines import Heard, Samples
from server.engines.fake import FakeRecognition, FakeSpeechToText, FakeTextToSpeech, speak_tones
from server.service import companion
from server.sound import LONGEST_CHUNK, to_pcm
from tests.integration.house import (
    PATIENCE_S,
    RATE,
    CountingModel,
    Served,
    Talker,
    opening,
    reason,
    served,
    silence,
)
from tests.integration.test_converse import ANSWER, WORDS, jpeg

INVALID = grpc.StatusCode.INVALID_ARGUMENT
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def house() -> AsyncIterator[Served]:
    async with served(llm=CountingModel(), overrides={"store": {"engine": "memory"}}) as made:
        yield made


async def refused(house: Served, *requests: pb.ConverseRequest) -> tuple[grpc.StatusCode, str]:
    """Sends requests that end the talk; gives the status and its reason."""
    talker = Talker(house.companion.Converse(), plays=False)
    try:
        for request in requests:
            event = request.WhichOneof("event")
            await talker.send(**({event: getattr(request, event)} if event else {}))
        if not requests:
            await talker.goodbye()
        return await talker.end(), reason(talker.error)
    finally:
        await talker.leave()


def opened(**fields: Any) -> pb.ConverseRequest:
    return pb.ConverseRequest(open=opening(**fields))


def sound(pcm: bytes, first_sample: int = 0) -> pb.ConverseRequest:
    return pb.ConverseRequest(audio=sound_pb2.AudioChunk(pcm=pcm, first_sample=first_sample))


def of_rate(rate: int) -> pb.ConverseRequest:
    request = opened()
    request.open.audio_format.sample_rate_hertz = rate
    return request


# What breaks the contract ends the talk, with a reason.


@pytest.mark.parametrize(
    "first",
    [
        [],
        [sound(b"\0\0")],
        [pb.ConverseRequest(interrupt=pb.Interrupt())],
        [pb.ConverseRequest(frame=emotion_recognition_pb2.VideoFrame(jpeg=b"x"))],
    ],
)
async def test_a_talk_begins_with_open(house: Served, first: list[pb.ConverseRequest]) -> None:
    assert await refused(house, *first) == (INVALID, "NOT_OPEN")


@pytest.mark.parametrize(
    ("requests", "why"),
    [
        ([pb.ConverseRequest()], "NOT_OPEN"),
        ([opened(), pb.ConverseRequest()], "EMPTY_REQUEST"),
        ([opened(), opened()], "SECOND_OPEN"),
        ([opened(), sound(b"\0")], "ODD_BYTES"),
        ([opened(), sound(b"\0" * 1025)], "ODD_BYTES"),
        ([opened(), sound(bytes(LONGEST_CHUNK + 2))], "CHUNK_TOO_LONG"),
        ([opened(), sound(b"\0\0", 2**63)], "FIRST_SAMPLE"),
        ([opened(), sound(b"\0\0", 2**64 - 1)], "FIRST_SAMPLE"),
        ([of_rate(0)], "SAMPLE_RATE"),
        ([of_rate(8000)], "SAMPLE_RATE"),
        ([of_rate(44_100)], "SAMPLE_RATE"),
        ([opened(device_id="")], "DEVICE_ID"),
        ([opened(device_id="My Pi!")], "DEVICE_ID"),
        ([opened(device_id="x" * 64)], "DEVICE_ID"),
        ([opened(country="Britain")], "COUNTRY"),
        ([opened(language="english please")], "LANGUAGE"),
        ([opened(time_zone="x" * 65)], "FIELD_TOO_LONG"),
        ([opened(client_version="x" * 65)], "FIELD_TOO_LONG"),
        ([pb.ConverseRequest(open=opening(pb.CONSENT_UNSPECIFIED))], "CONSENT"),
        ([pb.ConverseRequest(open=opening(99))], "CONSENT"),
        ([opened(resume=pb.Open.Resume(sample_count=2**63))], "FIRST_SAMPLE"),
        ([opened(), pb.ConverseRequest(consent_change=pb.ConsentChange(granted=[0]))], "CONSENT"),
        ([opened(), pb.ConverseRequest(consent_change=pb.ConsentChange(revoked=[99]))], "CONSENT"),
        ([opened(), pb.ConverseRequest(erase=pb.Erase())], "ERASE"),
        ([opened(), pb.ConverseRequest(erase=pb.Erase(everything=False))], "ERASE"),
    ],
)
async def test_a_broken_contract_is_told_with_its_reason(
    house: Served, requests: list[pb.ConverseRequest], why: str
) -> None:
    assert await refused(house, *requests) == (INVALID, why)


async def test_times_that_no_calendar_has_are_refused(house: Served) -> None:
    told = opened()
    told.open.last_disclosure.seconds = 2**62
    assert await refused(house, told) == (INVALID, "LAST_DISCLOSURE")
    span = pb.Erase.Span()
    span.end_time.seconds = 2**62
    erase = pb.ConverseRequest(erase=pb.Erase(span=span))
    assert await refused(house, opened(), erase) == (INVALID, "ERASE")
    frame = emotion_recognition_pb2.VideoFrame(jpeg=jpeg())
    frame.capture_offset.seconds = 2**62
    watched = pb.ConverseRequest(open=opening(pb.CAMERA))
    seen = pb.ConverseRequest(frame=frame)
    assert await refused(house, watched, seen) == (INVALID, "CAPTURE_OFFSET")


async def test_a_message_that_is_far_too_large_is_refused(house: Served) -> None:
    async with house.talk(pb.CAMERA) as talker:
        await talker.show(bytes(2 * 1024 * 1024), 0)
        assert await talker.end() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_refused_talk_leaves_its_seat_free() -> None:
    one_seat = {"server": {"max_sessions": 1, "listen": "127.0.0.1:0"}}
    async with served(overrides=one_seat) as house:
        for _ in range(3):
            assert await refused(house, opened(), opened()) == (INVALID, "SECOND_OPEN")
        async with house.talk() as talker:
            assert await talker.ask(WORDS) == ANSWER


async def test_something_that_is_no_grpc_does_not_disturb_the_server(house: Served) -> None:
    host, _, port = house.door.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET / HTTP/1.1\r\n\r\n" + bytes(range(256)) * 100)
    await reader.read()
    writer.close()
    async with house.talk() as talker:
        assert await talker.ask(WORDS) == ANSWER


# What a talk survives.


@pytest.mark.parametrize(("jump", "code"), [
    (RATE // 2, "SOUND_LOST"), (100 * RATE, "SOUND_LOST"), (2**40, "SOUND_LOST"),
    (-RATE // 2, "SOUND_REPEATED"), (-100 * RATE, "SOUND_REPEATED"),
])  # fmt: skip
async def test_a_jump_in_the_sound_is_told_and_survived(
    house: Served, jump: int, code: str
) -> None:
    async with house.talk(pb.MEMORY) as talker:
        await talker.hear(silence(120), message=LONGEST_CHUNK // 2)
        talker.sample_count += jump
        if jump > 0:
            assert await talker.ask(WORDS) == ANSWER
        else:
            await talker.hear(silence(-jump / RATE), message=LONGEST_CHUNK // 2)
            assert await talker.ask(WORDS) == ANSWER
        assert set(talker.notices) == {code}
        said = (await talker.first("transcript")).transcript
        at_s = (120 + max(jump / RATE, 0)) - 1
        assert said.start_offset.ToMilliseconds() / 1000 >= at_s
        await talker.goodbye()
        assert talker.error is None


async def test_a_jump_far_back_is_survived(house: Served) -> None:
    async with house.talk() as talker:
        talker.sample_count = 2**40
        await talker.hear(silence(0.1))
        talker.sample_count = 0
        await talker.hear(silence(0.1))
        talker.sample_count = 2**40 + RATE // 10
        assert await talker.ask(WORDS) == ANSWER
        assert {*talker.notices} == {"SOUND_LOST", "SOUND_REPEATED"}


def wide_jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20_000, 8), (20, 200, 20)).save(out, "JPEG", quality=10)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [b"", b"this is text", jpeg()[:200], wide_jpeg(), jpeg() + bytes(256 * 1024), b"\xff\xd8\xff"],
    ids=["empty", "text", "truncated", "20000 wide", "over the limit", "only the beginning"],
)
async def test_an_unreadable_picture_is_told_and_survived(house: Served, data: bytes) -> None:
    async with house.talk(pb.CAMERA) as talker:
        await talker.show(data, 0.1)
        notice = (await talker.first("notice")).notice
        assert notice.code == "FRAME_UNREADABLE"
        assert notice.message.startswith("The picture")
        await talker.show(jpeg(), 0.2)
        assert (await talker.first("emotion")).emotion.capture_offset.ToMilliseconds() == 200
        assert await talker.ask(WORDS) == ANSWER


async def test_an_hour_of_silence_is_answered_once_and_gently(house: Served) -> None:
    async with house.talk(pb.MEMORY) as talker:
        for _ in range(60):
            await talker.hear(silence(60), message=LONGEST_CHUNK // 2)
        await talker.goodbye()
        assert talker.reply(1) == NO_HURRY
        assert len(talker.all("reply_done")) == 1
    assert (await house.store.counts())["turns"] == 1


async def test_noise_is_survived(house: Served) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 10 * RATE).astype(np.float32)
    async with house.talk() as talker:
        await talker.hear(np.concatenate([noise, silence(1)]))
        await talker.first("reply_done", turn=1)
        assert (await talker.ask(WORDS)).startswith("You said")
        await talker.goodbye()
        assert talker.error is None


class Counted(FakeRecognition):
    """A recognition that tells how much it was fed."""

    def __init__(self, lengths: list[int]) -> None:
        super().__init__()
        self._lengths = lengths
        self._place = len(lengths)
        lengths.append(0)

    async def feed(self, samples: Samples) -> str:
        self._lengths[self._place] += len(samples)
        return ""

    async def settle(self) -> Heard:
        return Heard(f"part {self._place}", "en")


class CountingSpeechToText(FakeSpeechToText):
    """Gives each utterance its number for words."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def open(self, language: str = "") -> Counted:
        return Counted(self.lengths)


async def test_ten_minutes_without_a_pause_are_cut_and_answered() -> None:
    ears, model = CountingSpeechToText(), CountingModel()
    tones = speak_tones("and then " * 400)
    async with served(stt=ears, llm=model) as house, house.talk(pb.MEMORY) as talker:
        minute = tones[: 60 * RATE]
        for _ in range(10):
            await talker.hear(minute, message=LONGEST_CHUNK // 2)
        await talker.hear(silence(1))
        await talker.until(lambda: len(talker.transcripts) >= 20)
        await talker.until(lambda: talker.reply(20))
        assert talker.transcripts[:20] == [f"part {number}" for number in range(20)]
        assert max(ears.lengths) < 31 * RATE
        assert sum(ears.lengths) >= 599 * RATE
        await talker.goodbye()
        assert talker.error is None
    assert len(model.chats) >= 15


async def test_a_client_that_vanishes_in_mid_word_leaves_its_session_closed() -> None:
    one_seat = {"server": {"max_sessions": 1, "listen": "127.0.0.1:0"}}
    async with served(overrides=one_seat) as house:
        async with house.talk(pb.MEMORY) as talker:
            await talker.ask(WORDS)
            session = UUID((await talker.first("opened")).opened.session_id)
            await talker.hear(speak_tones("I wanted to say that"))
            talker.call.cancel()
        async with asyncio.timeout(PATIENCE_S):
            while (kept := await house.store.session(session)).ended_at is None:
                await asyncio.sleep(0.01)
        assert kept.summary == WORDS
        assert [row.text for row in await house.store.history(session)] == [WORDS, ANSWER]
        async with house.talk() as talker:
            assert await talker.ask(WORDS) == ANSWER


async def test_a_client_whose_connection_breaks_leaves_its_seat() -> None:
    one_seat = {"server": {"max_sessions": 1, "listen": "127.0.0.1:0"}}
    async with served(overrides=one_seat) as house:
        async with grpc.aio.insecure_channel(house.door.address) as channel:
            stub: Any = companion_pb2_grpc.CompanionStub(channel)  # type: ignore[no-untyped-call]
            talker = Talker(stub.Converse(), plays=False)
            await talker.send(open=opening(pb.MEMORY))
            await talker.hear(speak_tones("I wanted to say that I am not so well today"))
            await talker.first("transcript")
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with house.talk() as again:
                    if (await again.until(lambda: again.events or again.error)) is not again.error:
                        assert await again.ask(WORDS) == ANSWER
                        break
                await asyncio.sleep(0.01)


class Endless(FakeTextToSpeech):
    """Speaks more than any buffer holds."""

    async def stream(self, text: str, voice: str = "") -> AsyncGenerator[Samples, None]:
        for _ in range(100):
            yield np.full(10 * RATE, 0.1, np.float32)


async def test_a_client_that_reads_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companion, "WRITE_TIMEOUT_S", 0.2)
    one_seat = {"server": {"max_sessions": 1, "listen": "127.0.0.1:0"}}
    async with served(tts=Endless(), overrides=one_seat) as house:
        call = house.companion.Converse()
        await call.write(pb.ConverseRequest(open=opening(pb.MEMORY)))
        pcm = np.concatenate([speak_tones(WORDS), silence(1)])
        await call.write(sound(to_pcm(pcm)))
        async with asyncio.timeout(PATIENCE_S):
            while (
                not (sessions := list(house.store._sessions.values())) or not sessions[0].ended_at
            ):
                await asyncio.sleep(0.02)
        async with house.talk() as talker:
            assert (await talker.first("opened")).opened.session_id
        call.cancel()


# The command line.


def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs `tadbot-server` to its end, away from the files of the checkout."""
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [sys.executable, "-m", "server", *words],
        capture_output=True,
        text=True,
        timeout=60,
        **{"cwd": ROOT, **options},
    )


def sentence_of(ended: subprocess.CompletedProcess[str], code: int = 1) -> str:
    """Checks that a command failed with one sentence, and gives it."""
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("tadbot-server: ")]
    assert len(said) == 1, ended.stderr
    assert ended.stderr.strip().splitlines()[-1] == said[0]
    assert "serving" not in ended.stdout
    return said[0].removeprefix("tadbot-server: ")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a socket must be short."""
    with tempfile.TemporaryDirectory(prefix="tadbot-bad-") as made:
        yield Path(made)
        assert users_of(Path(made)) == []


def users_of(folder: Path) -> list[psutil.Process]:
    """Finds processes that name a folder in their command line."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.pid != os.getpid() and str(folder) in " ".join(process.info["cmdline"] or []):
            found.append(process)
    return found


@pytest.fixture
def toml(folder: Path) -> Path:
    return folder / "tadbot.toml"


FREE = "127.0.0.1:0"


def test_an_unknown_key_is_one_sentence(toml: Path) -> None:
    toml.write_text("[llm]\nmodle = 'x'\n")
    said = sentence_of(command("serve", "--config", str(toml)))
    assert "llm.modle is unknown; allowed are" in said


@pytest.mark.parametrize("half", [False, True])
def test_a_model_that_is_missing_or_half_there_is_one_sentence(
    folder: Path, toml: Path, half: bool
) -> None:
    weights = folder / "models"
    weights.mkdir()
    if half:
        file = models.load_manifest().models["whisper-base"].files[0]
        (weights / "whisper-base").mkdir()
        (weights / "whisper-base" / file.name).write_bytes(b"x" * 1000)
    toml.write_text(
        f"[server]\nmodels_dir = '{weights}'\nlisten = '{FREE}'\n[store]\nengine = 'memory'\n"
    )
    said = sentence_of(command("serve", "--config", str(toml), "--profile", "cpu"))
    assert "`tadbot-server models pull" in said
    assert ("incomplete" if half else "missing") in said


def test_a_missing_model_leaves_no_database_behind(folder: Path, toml: Path) -> None:
    toml.write_text(
        f"[server]\nlisten = '{FREE}'\nmodels_dir = '{folder}/models'\n"
        "[store]\nengine = 'embedded'\n[stt]\nengine = 'faster_whisper'\n"
    )
    words = ["serve", "--config", str(toml), "--profile", "fake", "--data-dir", str(folder)]
    assert "models pull" in sentence_of(command(*words))
    assert users_of(folder) == []


@pytest.mark.parametrize(
    "words", [["serve"], ["sql", "select 1"], ["migrate"], ["status", "--risk"]]
)
@pytest.mark.parametrize("how", ["no socket", "nothing listens"])
def test_a_database_that_is_down_is_one_sentence(
    folder: Path, toml: Path, words: list[str], how: str
) -> None:
    toml.write_text(f"[server]\nlisten = '{FREE}'\n[store]\nengine = 'postgres'\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = str(folder) if how == "no socket" else "127.0.0.1"
        environment = {**os.environ, "PGHOST": host, "PGPORT": str(taken.getsockname()[1])}
        ended = command(*words, "--config", str(toml), "--profile", "fake", env=environment)
    if words[0] == "sql":
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        assert "The database cannot be reached" in ended.stderr
    else:
        assert "The database cannot be reached" in sentence_of(ended)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = sentence_of(command("serve", "--profile", "fake", "--listen", address))
    assert address in said
    assert "in use" in said


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.168.1.4:50051"])
def test_the_server_does_not_listen_beyond_this_machine(address: str) -> None:
    said = sentence_of(command("serve", "--profile", "fake", "--listen", address))
    assert "loopback" in said


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1:99999", ":50051", "127.0.0.1:x"])
def test_an_address_that_is_none_is_one_sentence(address: str) -> None:
    said = sentence_of(command("serve", "--profile", "fake", "--listen", address))
    assert "HOST:PORT" in said


@pytest.mark.parametrize(
    "words", [["serve", "--colour"], ["dance"], [], ["try"], ["serve", "--profile", "tpu"]]
)
def test_wrong_usage_ends_with_two(words: list[str]) -> None:
    ended = command(*words)
    assert ended.returncode == 2
    assert "usage:" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture(scope="module")
def database() -> Iterator[list[str]]:
    """Words that lead a command to a database of its own."""
    with tempfile.TemporaryDirectory(prefix="tadbot-bad-") as made:
        toml = Path(made) / "tadbot.toml"
        toml.write_text("[store]\nengine = 'embedded'\n")
        words = ["--config", str(toml), "--profile", "fake", "--data-dir", made]
        ended = command("migrate", *words)
        assert ended.returncode == 0, ended.stderr
        yield words
        assert users_of(Path(made)) == []


def test_sql_answers_what_may_be_read(database: list[str]) -> None:
    ended = command("sql", "--json", "select count(*) as n from session_log", *database)
    assert (ended.returncode, json.loads(ended.stdout), ended.stderr) == (0, [{"n": 0}], "")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec 1", "syntax error"),
        ("select * from nothing", "no such table"),
        ("", "empty"),
        ("select 1; select 2", "one statement"),
        ("delete from session_log", "read-only"),
        ("update turns set text = ''", "read-only"),
        ("drop table turns", "."),
        ("copy turns to '/tmp/x'", "COPY"),
    ],
)
def test_sql_that_is_bad_or_writes_is_one_sentence(
    database: list[str], query: str, said: str
) -> None:
    ended = command("sql", query, *database)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert said in ended.stderr


# Ctrl-C.


@contextmanager
def running(*words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Runs a command in a session of its own; nothing of it may be left at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "server", *words],
        cwd=ROOT,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **{"stdin": subprocess.DEVNULL, **options},
    )
    try:
        yield process
        left = [
            one
            for one in psutil.process_iter()
            if one.pid != process.pid and _session(one.pid) == process.pid
        ]
        assert left == []
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def ends_quietly(process: subprocess.Popen[str]) -> None:
    _, said = process.communicate(timeout=30)
    assert "Traceback" not in said, said
    assert "Exception ignored" not in said, said
    assert process.returncode == 0, said


def await_line(process: subprocess.Popen[str], part: str) -> str:
    """Reads what a command logs until a line holds a text."""
    assert process.stderr is not None
    for line in process.stderr:
        if part in line:
            return line
    raise AssertionError(f"{part!r} was never logged")


def await_address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "serving" in line
    return line.split()[-1]


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_serves_ends_it(sign: signal.Signals) -> None:
    with running("serve", "--profile", "fake", "--listen", FREE) as process:
        await_address(process)
        process.send_signal(sign)
        ends_quietly(process)


def test_ctrl_c_at_the_start_ends_it() -> None:
    with running("serve", "--profile", "fake", "--listen", FREE) as process:
        await_line(process, "profile fake")
        process.send_signal(signal.SIGINT)
        ends_quietly(process)


def test_ctrl_c_while_it_loads_leaves_no_process_behind(folder: Path, toml: Path) -> None:
    toml.write_text("[store]\nengine = 'embedded'\n")
    words = ["--config", str(toml), "--profile", "fake", "--data-dir", str(folder)]
    with running("serve", "--listen", FREE, *words) as process:
        for _ in range(3000):
            if (folder / "postgres" / "cluster.new").exists():
                break
            signal.sigtimedwait([], 0.01)
        process.send_signal(signal.SIGINT)
        ends_quietly(process)
    assert users_of(folder) == []


async def test_ctrl_c_in_mid_talk_ends_it_and_the_talk() -> None:
    with running("serve", "--profile", "fake", "--listen", FREE) as process:
        address = await asyncio.to_thread(await_address, process)
        async with grpc.aio.insecure_channel(address) as channel:
            stub: Any = companion_pb2_grpc.CompanionStub(channel)  # type: ignore[no-untyped-call]
            talker = Talker(stub.Converse(), plays=False)
            await talker.send(open=opening())
            await talker.hear(speak_tones(WORDS))
            await talker.first("transcript")
            process.send_signal(signal.SIGINT)
            assert await talker.end() != grpc.StatusCode.OK
        await asyncio.to_thread(ends_quietly, process)


def test_it_ends_with_its_standard_input_where_it_was_told_to() -> None:
    words = ["serve", "--profile", "fake", "--listen", FREE, "--until-stdin-closes"]
    with running(*words, stdin=subprocess.PIPE) as process:
        await_address(process)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        ends_quietly(process)
