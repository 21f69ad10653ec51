"""What a person asks for by voice reaches their own machine: a real server, and the real client.

Between the two stands a relay that changes nothing, to see what the client really sends.
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import grpc.aio
import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import companion_pb2_grpc

from server.engines import SAMPLE_RATE_HERTZ
from server.engines.fake import speak_tones
from server.sound import to_pcm
from tests.integration.test_client_files import Ended, Program, write_wav

ROOT = Path(__file__).resolve().parents[2]
BETWEEN_S = 5.0
"""After each utterance, for the server's patience and a reply in tones."""
IN_FLIGHT_S = 0.25
"""What was on its way when the receipt passed may still come."""
PLAN = ("I stop eating", "walking the dog", "skip this", "my sister Jo", "my doctor", "skip this")


class Relay(companion_pb2_grpc.CompanionServicer):
    """Hands every message on, and keeps it with the time at which it passed."""

    def __init__(self, server: str) -> None:
        self._channel = grpc.aio.insecure_channel(server)
        self._companion: Any = companion_pb2_grpc.CompanionStub(self._channel)
        self.requests: list[tuple[float, pb.ConverseRequest]] = []
        self.responses: list[tuple[float, pb.ConverseResponse]] = []

    async def Converse(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        async def handed_on() -> AsyncIterator[pb.ConverseRequest]:
            async for request in request_iterator:
                self.requests.append((time.monotonic(), request))
                yield request

        async for response in self._companion.Converse(handed_on()):
            self.responses.append((time.monotonic(), response))
            yield response

    async def Describe(self, request: Any, context: Any) -> Any:
        return await self._companion.Describe(request)

    def Forget(self, request: Any, context: Any) -> Any:
        raise NotImplementedError

    def sent(self, name: str) -> list[tuple[float, Any]]:
        return [(at, getattr(r, name)) for at, r in self.requests if r.WhichOneof("event") == name]

    def came(self, name: str) -> list[tuple[float, Any]]:
        return [(at, getattr(r, name)) for at, r in self.responses if r.WhichOneof("event") == name]

    async def close(self) -> None:
        await self._channel.close()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[Relay, str]]:
    """Runs the server as a program, with engines that hear and speak tones."""
    with (folder / "server.log").open("w") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "serve", "--profile", "fake"),
            *("--listen", "127.0.0.1:0", "--data-dir", str(folder / "data")),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert "serving" in line, (folder / "server.log").read_text()
    relay = Relay(line.split()[-1])
    front = grpc.aio.server()
    companion_pb2_grpc.add_CompanionServicer_to_server(relay, front)  # type: ignore[no-untyped-call, unused-ignore]
    port = front.add_insecure_port("127.0.0.1:0")
    await front.start()
    try:
        yield relay, f"127.0.0.1:{port}"
    finally:
        await front.stop(None)
        await relay.close()
        process.terminate()
        await process.wait()


class Person:
    """Somebody with a client of their own, who was told of the machine today."""

    def __init__(self, folder: Path) -> None:
        self.program = Program(folder)
        self.state = folder / "state" / "tadbot"
        self.state.mkdir(parents=True)
        self.today = date.today().isoformat()
        (self.state / "client.json").write_text(json.dumps({"last_disclosure": self.today}))

    @property
    def kept(self) -> Any:
        return json.loads((self.state / "client.json").read_text())

    @property
    def plan(self) -> Any:
        return json.loads((self.state / "plan.json").read_text())

    async def talk(self, address: str, words: tuple[str, ...], *flags: str) -> Ended:
        """Says one thing after the other, with time for an answer to each."""
        pause = np.zeros(round(BETWEEN_S * SAMPLE_RATE_HERTZ), np.float32)
        first = pause[: SAMPLE_RATE_HERTZ * 2]
        sounds = [first, *(part for text in words for part in (speak_tones(text), pause))]
        recording = self.program.folder / "said.wav"
        write_wav(recording, to_pcm(np.concatenate(sounds)))
        flags = (*flags, "--speaker", "none", "--events", "e.jsonl", "--log-dir", "log")
        ended = await self.program.run(
            "--server", address, "--microphone", str(recording), "--pace", "quick", *flags
        )
        assert ended.status == 0, ended.err
        return ended


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    one = Person(tmp_path)
    yield one
    process = one.program.process
    if process is not None and process.returncode is None:
        process.kill()


@pytest.fixture
def face(tmp_path: Path) -> str:
    cv2 = pytest.importorskip("cv2")
    path = tmp_path / "face.jpg"
    cv2.imwrite(str(path), np.full((120, 160, 3), (255, 0, 0), dtype=np.uint8))
    return str(path)


async def test_stop_watching_me_ends_the_pictures_at_once(person: Person, face: str) -> None:
    async with serving(person.program.folder) as (relay, address):
        await person.talk(address, ("Stop watching me",), "--camera", face, "--consent", "camera")
    ((taken_back, receipt),) = relay.came("consent_receipt")
    assert list(receipt.consents) == []
    frames = [at - taken_back for at, _ in relay.sent("frame")]
    assert len([at for at in frames if at < 0]) >= 4
    assert [at for at in frames if at > IN_FLIGHT_S] == []
    assert relay.sent("audio")[-1][0] - taken_back > 3
    assert person.kept == {"last_disclosure": person.today}


async def test_the_camera_opens_when_it_is_agreed_to_by_voice(person: Person, face: str) -> None:
    async with serving(person.program.folder) as (relay, address):
        first = await person.talk(
            address, ("You may watch me now", "Yes please do"), "--camera", face
        )
        ((given, receipt),) = relay.came("consent_receipt")
        assert "stays closed" in first.err
        assert list(receipt.consents) == [pb.CAMERA]
        assert person.kept["consents"] == ["camera"]
        frames = relay.sent("frame")
        assert len(frames) >= 4
        assert all(at > given for at, _ in frames)
        assert all(frame.jpeg == Path(face).read_bytes() for _, frame in frames)
        ended = await person.talk(address, ("Stop watching me",), "--camera", face)
    assert "by voice" in ended.err
    assert list(relay.sent("open")[1][1].consents) == [pb.CAMERA]
    assert person.kept["consents"] == []


async def test_a_camera_that_cannot_be_opened_is_told_and_the_talk_goes_on(person: Person) -> None:
    words = ("You may watch me now", "Yes please do", "I walked to the sea")
    async with serving(person.program.folder) as (relay, address):
        ended = await person.talk(address, words, "--camera", "nothing.jpg")
    assert ended.err.count("There is no picture") == 1
    assert relay.sent("frame") == []
    assert "You said: I walked to the sea" in ended.out


async def test_memory_and_age_told_by_voice_are_sent_next_time(person: Person) -> None:
    words = ("Please remember our talk", "Yes please do", "I am fifteen")
    async with serving(person.program.folder) as (relay, address):
        await person.talk(address, words)
        kept = person.kept
        await person.talk(address, ("Stop remembering me", "Yes please do"), "--consent", "memory")
        after = person.kept
        await person.talk(address, ("Hello there",))
    first, second, third = (opening for _, opening in relay.sent("open"))
    assert kept == {"last_disclosure": person.today, "consents": ["memory"], "minor": True}
    assert (list(first.consents), first.HasField("minor")) == ([], False)
    assert (list(second.consents), second.minor) == ([pb.MEMORY], True)
    assert after["consents"] == []
    assert (list(third.consents), third.minor) == ([], True)


async def test_a_plan_made_by_voice_is_on_the_persons_machine_until_all_is_erased(
    person: Person,
) -> None:
    memory = ("--consent", "memory")
    async with serving(person.program.folder) as (_, address):
        await person.talk(address, ("Let's make a safety plan", *PLAN), *memory)
        texts = [step["text"] for step in person.plan["steps"]]
        assert texts == ["I stop eating", "walking the dog", "", "my sister Jo", "my doctor", ""]
        assert (person.state / "plan.json").stat().st_mode & 0o077 == 0
        made = person.plan
        shown = await person.program.run("plan")
        (person.state / "plan.json").unlink()
        await person.talk(address, ("Hello there",), *memory)
        assert person.plan == made
        await person.talk(address, ("Delete everything about me", "Yes please do"), *memory)
        assert not (person.state / "plan.json").exists()
    assert (shown.status, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == "Your safety plan"
    assert [line.strip() for line in lines[3::3]] == [text or "-" for text in texts]
    gone = await person.program.run("plan")
    assert (gone.status, gone.out, gone.err.count("\n")) == (1, "", 1)
