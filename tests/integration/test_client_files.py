"""The whole client, as a program, against a small server that listens and answers with a tone."""

import asyncio
import json
import math
import os
import signal
import struct
import sys
import time
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import psutil
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc, emotion_recognition_pb2, sound_pb2

from pi_client.help import BUILT_IN

RATE = 16000
REPLY_RATE = 22050
# A burst is over after this much silence.
END_SAMPLES = RATE // 2


def tone(seconds: float, rate: int = REPLY_RATE, hertz: float = 440.0) -> bytes:
    samples = np.arange(round(seconds * rate))
    return (8000 * np.sin(2 * math.pi * hertz * samples / rate)).astype("<i2").tobytes()


@dataclass
class Script:
    """How the server behaves, and what it was sent."""

    disclosure_s: float = 0.0
    open_delay_s: float = 0.0
    reply_s: float = 0.4
    reply_delay_s: float = 0.0
    answers: bool = True
    barge_in_at_s: float | None = None
    abort: tuple[grpc.StatusCode, str] | None = None
    requests: list[pb.ConverseRequest] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    half_closed: bool = False
    metadata: dict[str, str] = field(default_factory=dict)

    def sent(self, name: str) -> list[Any]:
        return [getattr(r, name) for r in self.requests if r.WhichOneof("event") == name]


class Listener(companion_pb2_grpc.CompanionServicer):
    """A server that hears loudness, and answers each burst of it with a tone."""

    def __init__(self, script: Script) -> None:
        self.script = script

    async def Converse(self, request_iterator: Any, context: Any) -> None:
        talk = _Talk(self.script, context)
        self.script.metadata = {str(k): str(v) for k, v in context.invocation_metadata()}
        if self.script.abort is not None:
            await context.abort(*self.script.abort)
        async for request in request_iterator:
            self.script.requests.append(request)
            self.script.arrivals.append(time.monotonic())
            await talk.take(request)
        self.script.half_closed = True
        await talk.send(closed=pb.Closed())

    async def Describe(self, request: Any, context: Any) -> Any:
        return pb.DescribeResponse()

    def Forget(self, request: Any, context: Any) -> Any:
        raise NotImplementedError


class _Talk:
    def __init__(self, script: Script, context: Any) -> None:
        self.script = script
        self.context = context
        self.sequence = 0
        self.turn = 0
        self.quiet = 0
        self.hearing = False
        self.began = 0
        self.heard = 0
        self.interrupted = False

    async def send(self, **event: Any) -> None:
        self.sequence += 1
        response = pb.ConverseResponse(sequence=self.sequence, turn=self.turn, **event)
        await self.context.write(response)

    async def take(self, request: pb.ConverseRequest) -> None:
        match request.WhichOneof("event"):
            case "open":
                await asyncio.sleep(self.script.open_delay_s)
                opened = pb.Opened(session_id="s", max_frame_bytes=262144, max_frames_per_second=2)
                opened.reply_format.sample_rate_hertz = REPLY_RATE
                await self.send(opened=opened)
                if self.script.disclosure_s:
                    await self.reply("I am a machine. ", self.script.disclosure_s)
            case "audio":
                await self.hear(request.audio)
            case "frame":
                score = emotion_recognition_pb2.Emotion.Score(label=3, probability=0.62)
                emotion = emotion_recognition_pb2.Emotion(scores=[score], face_condition=1)
                emotion.capture_offset.CopyFrom(request.frame.capture_offset)
                await self.send(emotion=emotion)

    async def hear(self, audio: sound_pb2.AudioChunk) -> None:
        assert audio.first_sample == self.heard
        samples = np.frombuffer(audio.pcm, dtype="<i2")
        self.heard += len(samples)
        barge = self.script.barge_in_at_s
        if barge is not None and self.heard > barge * RATE and not self.interrupted:
            self.interrupted = True
            done = pb.ReplyDone(reason=pb.ReplyDone.INTERRUPTED)
            await self.send(reply_done=done)
            self.turn += 1
            await self.send(speaker=pb.SpeakerControl(action=pb.SpeakerControl.STOP))
            await self.reply("As you like. ", self.script.reply_s)
        if np.abs(samples.astype(int)).max(initial=0) > 500:
            if not self.hearing:
                self.hearing, self.began = True, int(audio.first_sample)
                await self.send(state=pb.State(activity=pb.State.HEARING))
            self.quiet = 0
        elif self.hearing:
            self.quiet += len(samples)
            if self.quiet >= END_SAMPLES:
                self.hearing = False
                await self.answer()

    async def answer(self) -> None:
        self.turn += 1
        transcript = pb.ConverseResponse().transcript
        transcript.text, transcript.final = "can you hear me", True
        transcript.start_offset.FromMilliseconds(self.began * 1000 // RATE)
        transcript.end_offset.FromMilliseconds((self.heard - self.quiet) * 1000 // RATE)
        await self.send(transcript=transcript)
        await self.send(state=pb.State(activity=pb.State.THINKING))
        if self.script.answers:
            await asyncio.sleep(self.script.reply_delay_s)
            interrupted_later = self.script.barge_in_at_s is not None
            await self.reply("I hear you well. ", self.script.reply_s, not interrupted_later)
            await self.send(turn_saved=pb.TurnSaved())
        await self.send(state=pb.State(activity=pb.State.LISTENING))

    async def reply(self, text: str, seconds: float, done: bool = True) -> None:
        await self.send(reply_text=pb.ReplyText(text=text))
        pcm = tone(seconds)
        for begin in range(0, len(pcm), 8192):
            part = sound_pb2.AudioChunk(first_sample=begin // 2, pcm=pcm[begin : begin + 8192])
            await self.send(reply_audio=part)
        await self.send(reply_text=pb.ReplyText(text="Go on.", first_sample=len(pcm) // 4))
        if done:
            complete = pb.ReplyDone(reason=pb.ReplyDone.COMPLETE, sample_count=len(pcm) // 2)
            await self.send(reply_done=complete)


@asynccontextmanager
async def serving(script: Script, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    server = grpc.aio.server()
    companion_pb2_grpc.add_CompanionServicer_to_server(Listener(script), server)  # type: ignore[no-untyped-call, unused-ignore]
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


@dataclass
class Ended:
    status: int
    out: str
    err: str
    seconds: float


class Program:
    """Starts `tadbot-pi` in a folder of its own, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state")}
        environment["TMPDIR"] = str(self.folder)
        environment.pop("XDG_RUNTIME_DIR", None)
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pi_client",
            *arguments,
            cwd=self.folder,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            **options,
        )
        return self.process

    async def run(
        self,
        *arguments: str,
        meanwhile: Callable[[asyncio.subprocess.Process], Awaitable[None]] | None = None,
    ) -> Ended:
        began = time.monotonic()
        process = await self.start(*arguments)
        waiting = asyncio.create_task(process.communicate())
        if meanwhile is not None:
            await meanwhile(process)
        out, err = await waiting
        assert process.returncode is not None
        seconds = time.monotonic() - began
        return Ended(process.returncode, out.decode(), err.decode(), seconds)

    def events(self, name: str = "") -> list[dict[str, Any]]:
        lines = (self.folder / "e.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [event for event in found if name in ("", event["event"])]


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    program = Program(tmp_path)
    yield program
    if program.process is not None and program.process.returncode is None:
        program.process.kill()
        await program.process.wait()


def write_wav(path: Path, pcm: bytes, rate: int = RATE, channels: int = 1, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


@pytest.fixture
def question(tmp_path: Path) -> str:
    """Half a second of silence, and half a second of sound."""
    pcm = bytes(RATE) + tone(0.5, RATE)
    return str(write_wav(tmp_path / "question.wav", pcm))


FILES = ("--speaker", "out.wav", "--events", "e.jsonl", "--log-dir", "log")


async def test_a_recording_is_answered_and_said_goodbye_to(program: Program, question: str) -> None:
    script = Script(disclosure_s=0.3)
    async with serving(script) as address:
        ended = await program.run("--server", address, "--microphone", question, *FILES)
    assert (ended.status, ended.err) == (0, "")
    assert script.half_closed
    assert 3.0 < ended.seconds < 8.0
    assert ended.out.splitlines() == [
        "TADBot: I am a machine. Go on.",
        "You: can you hear me",
        "TADBot: I hear you well. Go on.",
    ]
    finished = [p for p in script.sent("played") if p.finished]
    assert [(p.turn, p.sample_count) for p in finished] == [(0, 6615), (1, 8820)]


async def test_sound_goes_out_in_real_time_in_blocks_of_32_ms(
    program: Program, question: str
) -> None:
    script = Script()
    async with serving(script) as address:
        await program.run("--server", address, "--microphone", question, "--speaker", "none")
    opening = script.sent("open")[0]
    assert opening.audio_format.sample_rate_hertz == RATE
    assert not opening.HasField("last_disclosure")
    audio = script.sent("audio")
    assert {len(chunk.pcm) for chunk in audio} == {1024}
    first, last = script.arrivals[1], script.arrivals[-1]
    assert (last - first) == pytest.approx((len(audio) - 1) * 0.032, abs=0.25)
    recorded = Path(question).read_bytes()[44:]
    assert b"".join(chunk.pcm for chunk in audio).startswith(recorded)


async def test_the_speakers_file_runs_on_the_microphones_clock(
    program: Program, question: str
) -> None:
    script = Script(reply_s=0.5)
    async with serving(script) as address:
        await program.run("--server", address, "--microphone", question, *FILES)
    with wave.open(str(program.folder / "out.wav")) as file:
        assert file.getframerate() == REPLY_RATE
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    blocks = len(script.sent("audio"))
    assert len(samples) / REPLY_RATE == pytest.approx((blocks + 1) * 0.032, abs=0.01)
    sounding = np.flatnonzero(samples)
    begins, lasts = sounding[0] / REPLY_RATE, (sounding[-1] - sounding[0]) / REPLY_RATE
    came = program.events("reply_audio")[0]["t"]
    # The speech ends at 1 s; half a second later the server answers.
    assert came == pytest.approx(1.5, abs=0.3)
    assert came - 0.05 <= begins <= came + 0.2
    assert lasts == pytest.approx(0.5, abs=0.01)


async def test_what_is_said_while_the_server_opens_is_not_lost(
    program: Program, question: str
) -> None:
    script = Script(open_delay_s=0.7, disclosure_s=0.3)
    async with serving(script) as address:
        ended = await program.run("--server", address, "--microphone", question, *FILES)
    assert ended.status == 0
    recorded = Path(question).read_bytes()[44:]
    assert b"".join(chunk.pcm for chunk in script.sent("audio")).startswith(recorded)
    with wave.open(str(program.folder / "out.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    # It came while the person was speaking, until 1 s, and waited for them.
    assert 1.0 <= np.flatnonzero(samples)[0] / REPLY_RATE < 1.35


async def test_events_have_the_contracts_names_and_snake_case_fields(
    program: Program, question: str
) -> None:
    async with serving(Script()) as address:
        await program.run("--server", address, "--microphone", question, *FILES)
    names = [event["event"] for event in program.events()]
    assert names[0] == "opened"
    assert names[-1] == "closed"
    assert {"transcript", "reply_text", "reply_audio", "reply_done", "state", "played"} <= set(
        names
    )
    transcript = program.events("transcript")[0]
    assert transcript["text"] == "can you hear me"
    assert transcript["final"] is True
    assert transcript["start_offset"] == pytest.approx(0.5, abs=0.07)
    assert (transcript["turn"], transcript["revision"]) == (1, 0)
    audio = program.events("reply_audio")[0]
    assert (audio["first_sample"], audio["bytes"]) == (0, 8192)
    assert audio["seconds"] == pytest.approx(4096 / REPLY_RATE, abs=1e-3)
    assert program.events("reply_done")[0]["reason"] == "complete"
    times = [event["t"] for event in program.events()]
    assert times == sorted(times)


async def test_the_talk_is_kept_where_the_person_wants_it(program: Program, question: str) -> None:
    async with serving(Script()) as address:
        await program.run("--server", address, "--microphone", question, *FILES)
    (talk,) = (program.folder / "log").glob("talk-*.md")
    words = talk.read_text()
    assert "You:** can you hear me" in words
    assert words.index("You:**") < words.index("TADBot:** I hear you well. Go on.")
    assert talk.stat().st_mode & 0o077 == 0


async def test_without_a_folder_nothing_of_the_talk_remains(
    program: Program, question: str
) -> None:
    seen: list[str] = []

    async def look(process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(3.5)
        seen.extend(path.read_text() for path in program.folder.glob("tadbot-*/talk-*.md"))

    async with serving(Script(reply_s=1.5)) as address:
        ended = await program.run(
            "--server", address, "--microphone", question, "--speaker", "none", meanwhile=look
        )
    assert "can you hear me" in seen[0]
    assert str(program.folder) in ended.err
    assert list(program.folder.glob("tadbot-*")) == []


async def test_an_interrupted_reply_is_counted_as_far_as_it_was_heard(
    program: Program, question: str
) -> None:
    # The reply begins at about 1.6 s, lasts 3 s, and is stopped at 2.6 s.
    script = Script(reply_s=3.0, barge_in_at_s=2.6)
    async with serving(script) as address:
        ended = await program.run("--server", address, "--microphone", question, *FILES)
    assert ended.status == 0
    finished = {p.turn: p.sample_count for p in script.sent("played") if p.finished}
    assert finished[1] / REPLY_RATE == pytest.approx(1.0, abs=0.3)
    assert finished[2] == 3 * REPLY_RATE
    progress = [p for p in script.sent("played") if p.turn == 2 and not p.finished]
    assert 4 <= len(progress) <= 7
    (talk,) = (program.folder / "log").glob("talk-*.md")
    assert "*(interrupted)*" in talk.read_text()
    assert "As you like." in talk.read_text()


async def test_the_day_of_the_disclosure_is_kept_when_it_was_heard(
    program: Program, question: str
) -> None:
    script = Script(disclosure_s=0.3)
    async with serving(script) as address:
        for _ in range(2):
            await program.run("--server", address, "--microphone", question, "--speaker", "none")
    first, second = script.sent("open")
    assert not first.HasField("last_disclosure")
    assert second.last_disclosure.ToJsonString() == time.strftime("%Y-%m-%dT00:00:00Z")


async def test_a_picture_is_sent_twice_a_second_as_it_is(program: Program, question: str) -> None:
    picture = _jpeg(program.folder / "face.jpg")
    script = Script()
    async with serving(script) as address:
        ended = await program.run(
            *("--server", address, "--microphone", question, "--camera", "face.jpg"),
            *("--consent", "camera,memory", *FILES),
        )
    assert ended.status == 0
    assert list(script.sent("open")[0].consents) == [pb.CAMERA, pb.MEMORY]
    frames = script.sent("frame")
    assert {frame.jpeg for frame in frames} == {picture}
    seconds = len(script.sent("audio")) * 0.032
    assert 1.5 * seconds <= len(frames) <= 2 * seconds + 1
    assert ended.out.count("[feeling: sadness 0.62]") == 1
    assert program.events("emotion")[0]["scores"] == [{"label": "sadness", "probability": 0.62}]
    (log,) = (program.folder / "log").glob("emotions-*.txt")
    assert log.read_text().splitlines()[1].endswith("  sadness 0.62")


async def test_without_consent_the_camera_stays_closed(program: Program, question: str) -> None:
    script = Script()
    async with serving(script) as address:
        ended = await program.run(
            *("--server", address, "--microphone", question, "--speaker", "none"),
            *("--camera", "there-is-no-such-file"),
        )
    assert ended.status == 0
    assert "--consent camera" in ended.err
    assert script.sent("frame") == []


def _jpeg(path: Path) -> bytes:
    cv2 = pytest.importorskip("cv2")
    picture = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(path), picture)
    return path.read_bytes()


async def test_without_a_reply_it_ends_after_fifteen_seconds(
    program: Program, question: str
) -> None:
    async with serving(Script(answers=False)) as address:
        ended = await program.run(
            "--server", address, "--microphone", question, "--speaker", "none"
        )
    assert ended.status == 0
    assert 16.0 <= ended.seconds < 20.0


async def test_a_server_that_goes_away_ends_the_talk_in_a_sentence(
    program: Program, question: str
) -> None:
    async with serving(Script()) as address:
        process = await program.start("--server", address, "--microphone", question, *FILES)
        await asyncio.sleep(2.0)
    left = time.monotonic()
    _, err = await process.communicate()
    assert process.returncode == 1
    assert time.monotonic() - left < 2.0
    assert err.decode().count("\n") == 1
    assert "went away" in err.decode()


async def test_a_server_that_is_not_there_is_named(program: Program, question: str) -> None:
    ended = await program.run("--server", "127.0.0.1:9", "--microphone", question)
    assert ended.status == 1
    assert ended.seconds < 5.0
    # The speaker `default` is looked for first, and there may be none on this machine.
    ended = await program.run(
        "--server", "127.0.0.1:9", "--microphone", question, "--speaker", "none"
    )
    assert (ended.status, ended.out) == (1, f"{BUILT_IN}\n")
    assert "No server answers at 127.0.0.1:9" in ended.err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "same version"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "is full"),
        (grpc.StatusCode.UNAUTHENTICATED, "--token-file"),
        (grpc.StatusCode.INTERNAL, "look at its log"),
        (grpc.StatusCode.UNIMPLEMENTED, "no TADBot server"),
    ],
)
async def test_a_status_becomes_a_sentence(
    program: Program, question: str, code: grpc.StatusCode, words: str
) -> None:
    async with serving(Script(abort=(code, "Why it did."))) as address:
        ended = await program.run(
            "--server", address, "--microphone", question, "--speaker", "none"
        )
    assert ended.status == 1
    assert words in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_says_goodbye(program: Program, question: str, number: int) -> None:
    script = Script()

    async def interrupt(process: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(2.0)
        process.send_signal(number)

    async with serving(script) as address:
        ended = await program.run(
            "--server", address, "--microphone", question, *FILES, meanwhile=interrupt
        )
    assert (ended.status, ended.err) == (0, "")
    assert script.half_closed
    assert ended.seconds < 4.0
    with wave.open(str(program.folder / "out.wav")) as file:
        assert file.getnframes() / REPLY_RATE > 0.5
    size, claimed = _sizes(program.folder / "out.wav")
    assert size == claimed


def _sizes(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    return len(data), struct.unpack("<I", data[4:8])[0] + 8


async def test_a_killed_client_leaves_a_sound_file_that_can_be_heard(
    program: Program, question: str
) -> None:
    async with serving(Script()) as address:
        process = await program.start("--server", address, "--microphone", question, *FILES)
        await asyncio.sleep(2.5)
        process.kill()
        await process.communicate()
    size, claimed = _sizes(program.folder / "out.wav")
    assert size == claimed > 10000


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"RIFF\x24\x00\x00\x00WAVEfmt ", "truncated"), (b"no sound", "not a WAV")],
)
async def test_a_bad_recording_is_refused_before_the_server_is_asked(
    program: Program, content: bytes, words: str
) -> None:
    (program.folder / "bad.wav").write_bytes(content)
    script = Script()
    async with serving(script) as address:
        ended = await program.run("--server", address, "--microphone", "bad.wav", *FILES)
    assert ended.status == 1
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert script.requests == []
    assert not (program.folder / "out.wav").exists()


async def test_a_unix_socket_is_reached(program: Program, question: str) -> None:
    address = f"unix:{program.folder}/s"
    async with serving(Script(), address):
        ended = await program.run("--server", address, "--microphone", question, *FILES)
    assert ended.status == 0


async def test_a_token_travels_as_a_bearer(program: Program, question: str) -> None:
    (program.folder / "token").write_text("abc\n")
    script = Script()
    async with serving(script) as address:
        await program.run(
            *("--server", address, "--microphone", question, "--speaker", "none"),
            *("--token-file", "token"),
        )
    assert script.metadata["authorization"] == "Bearer abc"


async def test_a_talk_fits_in_80_mib(program: Program, question: str) -> None:
    _jpeg(program.folder / "face.jpg")
    largest = 0

    async def watch(process: asyncio.subprocess.Process) -> None:
        nonlocal largest
        with suppress(psutil.NoSuchProcess):
            watched = psutil.Process(process.pid)
            while process.returncode is None:
                largest = max(largest, watched.memory_info().rss)
                await asyncio.sleep(0.1)

    async with serving(Script(disclosure_s=0.5)) as address:
        ended = await program.run(
            *("--server", address, "--microphone", question, "--camera", "face.jpg"),
            *("--consent", "camera", *FILES),
            meanwhile=watch,
        )
    assert ended.status == 0
    assert 0 < largest < 80 * 2**20
