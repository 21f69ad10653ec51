"""One case of the benchmark: the real client in a simulated room, with a real server.

It does not know what is looked for in a case; it keeps what happened.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import psutil
from tadbot.v1 import companion_pb2 as pb

from pi_client import link
from pi_client.client import Conversation
from pi_client.config import Options
from pi_client.equipment import Devices
from pi_client.events import as_fields
from pi_client.link import Keys
from pi_client.playout import Playout
from pi_client.reply import Heard, Key
from pi_client.rights import Rights
from pi_client.sight import Sight
from tests.acceptance.house import House, served
from tests.benchmarks.room import Audible, Placed, Room, RoomMicrophone, RoomSpeaker, Sound

POLL_S = 0.03
BETWEEN_S = 0.25
"""After a case, until the server has let go of it and rests; its work then still counts."""
LONGEST_S = 45.0
MIB = 2**20


@dataclass
class Take:
    """What came of a case, up to now. Times in seconds of the microphone's clock."""

    room: Room
    events: list[dict[str, Any]] = field(default_factory=list)
    """As the client's event file has them, `t` on this clock."""
    played: list[Heard] = field(default_factory=list)
    """What the client told the server of its replies."""
    clock: Callable[[], float] = lambda: 0.0

    @property
    def now_s(self) -> float:
        """How far the microphone has come."""
        return self.room.now_s

    @property
    def placed(self) -> list[Placed]:
        """What was said, in its place."""
        return self.room.placed

    @property
    def audible(self) -> list[Audible]:
        """What was heard of the replies, in pulls of a block or less."""
        return self.room.audible

    def of(self, event: str, since_s: float = 0.0) -> list[dict[str, Any]]:
        """The events of one kind from some time on, in order."""
        return [one for one in self.events if one["event"] == event and one["t"] >= since_s]

    @property
    def words(self) -> str:
        """All that was understood: of each turn its newest words."""
        newest = {one["turn"]: one["text"] for one in self.of("transcript") if one["final"]}
        return " ".join(newest.values()).strip()

    def complete(self, key: Key) -> bool:
        """Whether a reply was played to its end."""
        return any(one.key == key and one.complete for one in self.played)

    # What the client asks of its record: see `pi_client.record.Record`.

    def elapsed_s(self) -> float:
        """The clock."""
        return self.clock()

    def at_s(self, monotonic: float) -> float:
        """There are no pictures to date."""
        return 0.0

    def began(self) -> None:
        """Nothing begins here but the microphone's clock."""

    def saw(self, response: pb.ConverseResponse) -> None:
        """Notes a response."""
        name = response.WhichOneof("event")
        if name is not None:
            fields = as_fields(getattr(response, name))
            self._note(name, turn=response.turn, revision=response.revision, **fields)

    def heard(self, heard: Heard, sample_rate_hertz: int) -> None:
        """Notes how much of a reply was heard, and when one had been heard to its end."""
        self.played.append(heard)
        if heard.complete and heard.sample_count:
            self.room.quiet_since_s = self.room.now_s

    def barge_in(self, action: str, sample: int) -> None:
        """Notes what the client did by itself."""
        self._note("barge_in", action=action, sample=sample)

    def ended(self) -> None:
        """Nothing is shown."""

    def server_lost(self, level: pb.RiskLevel.ValueType) -> None:
        """Notes that the server went."""
        self._note("server_lost", level=level)

    def help_line(self, text: str, cause: str, seconds: float) -> None:
        """Notes that the help line is played."""
        self._note("help_line_played", cause=cause, seconds=seconds)

    def say(self, line: str) -> None:
        """Nothing is shown."""

    def _note(self, event: str, **fields: Any) -> None:
        self.events.append({"t": round(self.clock(), 4), "event": event, **fields})


@dataclass
class Stage:
    """A running server, and what the cases on it have cost."""

    house: House
    process: psutil.Process
    peak_mib: float = 0.0
    """Largest memory (PSS) of the server and its database, looked at after each case."""

    async def play(
        self, sounds: Sequence[Sound], over: Callable[[Take], bool], echo_db: float | None = None
    ) -> tuple[Take, float]:
        """Plays a case until it is decided; gives what happened, and the server's CPU seconds.

        over: looks now and then whether the case is decided. Raises ClientError if the talk
        fails, TimeoutError if it takes over LONGEST_S.
        """
        before = self._cpu_s()
        room, playout = Room(sounds, echo_db), Playout()
        speaker = RoomSpeaker(room, playout)
        microphone = RoomMicrophone(room, speaker)
        speaker.late_s = microphone.late_s
        take = Take(room, clock=microphone.elapsed_s)
        devices = Devices(microphone, playout, speaker, Sight("none"))
        options = Options(server=self.house.address)
        async with asyncio.timeout(LONGEST_S), link.connect(options.server, Keys()) as stub:
            talk = Conversation(options, devices, take, Rights(()))  # type: ignore[arg-type]
            running = asyncio.create_task(talk.run(stub, options.server, asyncio.Event()))
            try:
                while not running.done() and not over(take):
                    await asyncio.sleep(POLL_S)
                kept = replace(take, events=[*take.events], played=[*take.played])
                kept.room = replace(room, audible=[*room.audible])
                if running.done():
                    running.result()
            finally:
                running.cancel()
                await asyncio.wait([running])
        await asyncio.sleep(BETWEEN_S)
        self._look()
        return kept, self._cpu_s() - before

    def log(self) -> str:
        """All that the server wrote so far."""
        return (self.house.data.parent / "server.log").read_text(encoding="utf-8")

    def _cpu_s(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def _look(self) -> None:
        total = 0
        for one in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_full_info().pss
        self.peak_mib = max(self.peak_mib, total / MIB)


SETTINGS = """\
[conversation]
greeting = false
silence_s = 0
answer_ahead = {ahead}
[llm]
temperature = 0.0
"""
"""No greeting and no prompt in silence: only answers; always the same words to the same words."""


@contextmanager
def stage(folder: Path, *, ahead: bool) -> Iterator[Stage]:
    """Runs a server. ahead: whether it begins to answer before it is sure of the end."""
    folder.mkdir()
    settings = folder / "tadbot.toml"
    settings.write_text(SETTINGS.format(ahead=str(ahead).lower()))
    with served(folder / "data", "--config", str(settings)) as house:
        yield Stage(house, psutil.Process(house.process.pid))


def told_today(state_home: Path) -> None:
    """Has the client know that it was said today already that this is a machine.

    It counts from midnight UTC, for 20 hours; later the answers end with that sentence.
    """
    folder = state_home / "tadbot"
    folder.mkdir(parents=True)
    told = {"last_disclosure": date.today().isoformat()}
    (folder / "client.json").write_text(json.dumps(told))
