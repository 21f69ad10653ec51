"""One person's session: which turn it is, whose word, and goodbye; it conducts the rest.

It does not know gRPC: requests come as an iterator, responses leave through `send`. Time in
it is the count of samples heard; real time is only measured for the latencies.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2, sound_pb2, speech_to_text_pb2

from server.config import Settings
from server.consent import Keeper
from server.engines import SAMPLE_RATE_HERTZ, Engines, Generation, Heard, Samples, Score
from server.errors import EngineError, RequestError, StoreError, TadbotError
from server.hearing import Hearing, Partial, SpeechStarted, Utterance
from server.memory import Memory
from server.outbox import Outbox, Send
from server.prompt import HISTORY_TURNS, Exchange, Situation, messages
from server.reply import Reply
from server.safety import DISCLOSURE, LEVELS, Assessment, HelpLines, assess, wording
from server.seeing import Seeing, Sight, captured_at_s, emotion_message
from server.session_log import SessionLog
from server.sound import to_samples
from server.speaking import Saying, Speaking
from server.store import Turn

log = logging.getLogger("tadbot.conversation")

GREETING = f"Hello, I am TADBot. {DISCLOSURE} What is on your mind?"
REMINDER = f"So that you know: {DISCLOSURE}"
"""Added to the first answer where the greeting was talked over."""
UNHEARD = "I could not hear that, I am sorry. Could you say it again?"
DISCLOSE_EVERY = timedelta(hours=20)
"""Somewhat under a day, so that a daily talk at the same hour is told each day."""
HEARD_FROM = 0.9
"""Share of a disclosure or a help line from which it counts as heard."""
GAP_FILLED = SAMPLE_RATE_HERTZ
"""Longest gap of lost sound (1 s) that is filled with silence; beyond it the clock jumps."""
FARTHEST = 2**44
"""Sample beyond which a place in a talk is nonsense: some 30 years."""
GOODBYE_S = 30.0
"""Longest that a reply may go on after the person has said goodbye."""
CONSENTS: dict[pb.Consent.ValueType, str] = {
    pb.CAMERA: "camera",
    pb.MEMORY: "memory",
    pb.EMOTION_LOG: "emotion-log",
    pb.SHARE: "share",
}
"""The contract's consents by the names that the Keeper knows."""


@dataclass(frozen=True)
class Guest:
    """Who talks, as far as the server knows."""

    session_id: UUID
    started_at: datetime
    language: str = ""
    """BCP 47; "" unknown."""
    may_see: bool = False
    disclosed_at: datetime | None = None
    """When they last heard that this is a machine; None: never, or unknown."""
    resumed: tuple[Turn, ...] = ()
    """Turns of the session that is taken up again."""
    sample_count: int = 0
    """Samples that the client had sent before it was taken up again."""


@dataclass
class Said:
    """What the person said, and the reply to it once there is one."""

    turn: int
    words: str
    assessment: Assessment
    utterance: Utterance
    stages: dict[str, float]
    """Milliseconds by field of `TurnLatency`."""
    saying: Saying | None = None

    @property
    def exchange(self) -> Exchange:
        """The turn as the language model sees it later: only what was heard."""
        if self.saying is None:
            return Exchange(self.words, "")
        whole = not self.saying.interrupted and not self.saying.settled
        return Exchange(self.words, self.saying.reply.text if whole else self.saying.heard)


class Conversation:
    """One talk. Construct it, then `run` it once."""

    def __init__(
        self, engines: Engines, keeper: Keeper, settings: Settings, guest: Guest, lines: HelpLines
    ) -> None:
        self._engines = engines
        self._keeper = keeper
        self._settings = settings
        self._guest = guest
        self._lines = lines
        talk = settings.conversation
        language = guest.language[:2].lower()
        self._hearing = Hearing(engines, language, talk.end_of_turn_s, talk.max_utterance_s)
        self._memory = Memory(engines.embedder, keeper, guest.session_id)
        self._may_see = guest.may_see
        self._before = _exchanges(guest.resumed)
        self._said: list[Said] = []
        self._turn = max((one.turn for one in guest.resumed), default=0)
        self._turn_used = True
        """Whether the newest turn came to anything; if not, its number is used again."""
        self._turn_open = False
        """Whether the turn of the speech that is heard just now has begun."""
        self._shift = guest.sample_count
        """What the client's sample numbers are ahead of the hearing's."""
        self._cut_at: int | None = None
        self._owed = Assessment()
        """Danger that was noticed, and whose answer was not heard yet."""
        self._times_answered: dict[str, int] = {}
        told = guest.disclosed_at
        self._disclosed = told is not None and guest.started_at - told < DISCLOSE_EVERY
        self._settling = asyncio.Lock()

    # From hello to goodbye.

    async def run(self, requests: AsyncIterator[pb.ConverseRequest], send: Send) -> None:
        """Talks until the requests end, then says goodbye.

        Raises RequestError if the client breaks the contract. Whatever ends it, the session
        is closed and what may be kept is written.
        """
        self._outbox = Outbox(send)
        self._log = SessionLog(self._keeper, self._guest.session_id, self._outbox)
        seeing = self._settings.emotion.max_frames_per_second
        self._seeing = Seeing(self._engines.emotion, seeing, self._saw, self._unreadable)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._speaking = Speaking(self._engines, self._outbox, tasks, self._note_saying)
                helpers = [
                    tasks.create_task(self._log.run()),
                    tasks.create_task(self._seeing.run()),
                ]
                await self._open()
                async for request in requests:
                    await self._take(request)
                await self._say_goodbye()
                for helper in helpers:
                    helper.cancel()
        except BaseException as error:
            self._outbox.close()
            if isinstance(error, BaseExceptionGroup):
                raise _cause(error) from error
            raise
        finally:
            await asyncio.shield(self._close())
        await self._outbox.put(self._turn, closed=pb.Closed())

    async def _open(self) -> None:
        rate = self._engines.tts.sample_rate_hertz
        opened = pb.Opened(
            session_id=str(self._guest.session_id),
            reply_format=sound_pb2.AudioFormat(sample_rate_hertz=rate),
            resumed=bool(self._guest.resumed),
            max_frame_bytes=256 * 1024,
            max_frames_per_second=self._settings.emotion.max_frames_per_second,
        )
        opened.start_time.FromDatetime(self._guest.started_at)
        await self._outbox.put(0, opened=opened)
        if self._may_see and self._engines.emotion is None:
            await self._outbox.notice(0, "EMOTION_OFF", "This server recognises no emotions.")
        await self._outbox.activity(0, pb.State.LISTENING)
        if self._settings.conversation.greeting and not self._disclosed:
            self._speaking.begin(self._turn, lambda reply: reply.say(GREETING), discloses=True)

    async def _take(self, request: pb.ConverseRequest) -> None:
        match request.WhichOneof("event"):
            case "audio":
                await self._take_sound(request.audio)
            case "frame":
                await self._take_frame(request.frame)
            case "interrupt":
                await self._speaking.stop(self._turn)
                await self._outbox.activity(self._turn, pb.State.LISTENING)
            case "played":
                played = request.played
                self._speaking.played(played.turn, played.sample_count, played.finished)
            case "consent_change":
                await self._change_consents(request.consent_change)
            case "erase":
                await self._erase(request.erase)
            case "open":
                raise RequestError("SECOND_OPEN", "`open` came a second time.")
            case _:
                raise RequestError("EMPTY_REQUEST", "A request names no event.")

    async def _say_goodbye(self) -> None:
        """Lets what is being said end; speech that was open is heard, screened and answered."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                if (utterance := await self._hearing.end()) is not None:
                    self._turn_open = False
                    await self._settle(utterance)
                async with self._settling:
                    await self._speaking.wait()
        self._speaking.cancel()

    async def _close(self) -> None:
        if hasattr(self, "_speaking"):
            self._speaking.end()
        summary = max((one.words for one in self._said), key=len, default="")
        await self._log.close(summary)

    # What the person says.

    async def _take_sound(self, audio: sound_pb2.AudioChunk) -> None:
        samples = to_samples(audio.pcm)
        if audio.first_sample > FARTHEST:
            raise RequestError("FIRST_SAMPLE", "The `first_sample` of a chunk is out of range.")
        gap = audio.first_sample - (self._hearing.sample_count + self._shift)
        if gap < 0:
            samples = samples[-gap:]
            await self._outbox.notice(self._turn, "SOUND_REPEATED", "Sound came twice.")
        elif gap > 0:
            await self._outbox.notice(self._turn, "SOUND_LOST", "Sound is missing.")
            filled = min(gap, GAP_FILLED)
            await self._listen(np.zeros(filled, np.float32))
            self._shift += gap - filled
        if len(samples):
            await self._listen(samples)

    async def _listen(self, samples: Samples) -> None:
        async for heard in self._hearing.feed(samples):
            match heard:
                case SpeechStarted():
                    await self._on_speech(heard)
                case Partial() if self._turn_open:
                    await self._send_words(self._turn, Heard(heard.text), heard, final=False)
                case Utterance():
                    self._cut_at = heard.end if heard.cut else None
                    self._turn_open = False
                    self._tasks.create_task(self._settle(heard))

    async def _on_speech(self, started: SpeechStarted) -> None:
        if self._cut_at is not None and started.at - self._cut_at < SAMPLE_RATE_HERTZ:
            # They never paused: what answers the part that was cut is not interrupted by it.
            return
        turn = self._begin_turn()
        self._turn_open = True
        await self._speaking.stop(turn)
        await self._outbox.activity(turn, pb.State.HEARING)

    def _begin_turn(self) -> int:
        self._turn += self._turn_used
        self._turn_used = False
        return self._turn

    async def _settle(self, utterance: Utterance) -> None:
        """Turns an utterance into words, screens them, and begins to answer."""
        async with self._settling:
            # Not before: whether the utterance before it came to anything is known only now.
            turn = self._begin_turn()
            await self._outbox.activity(turn, pb.State.THINKING)
            heard = await self._transcribe(utterance, turn)
            settled_at = time.monotonic()
            if heard is None:
                self._turn_used = True
                self._speaking.begin(turn, lambda reply: reply.say(UNHEARD))
                return
            await self._send_words(turn, heard, utterance, final=True)
            if not heard.text:
                await self._outbox.activity(turn, pb.State.LISTENING)
                return
            self._turn_used = True
            assessment = self._screen(heard.text)
            stages = {
                "end_of_turn": 1000 * (utterance.decided_at - utterance.ended_at),
                "speech_to_text": 1000 * (settled_at - utterance.decided_at),
                "safety": 1000 * (time.monotonic() - settled_at),
            }
            said = Said(turn, heard.text, assessment, utterance, stages)
            level = pb.RiskLevel.Value(assessment.level.upper())
            risk = pb.Risk(level=level, reason=assessment.reason)
            await self._outbox.put(turn, risk=risk)
            await self._note_person(said)
            self._said.append(said)
            if assessment.level != "none":
                self._owed = max(self._owed, assessment, key=lambda one: LEVELS.index(one.level))
            if self._turn_open:
                # They speak again already; all of it is answered when they pause.
                self._begin_turn()
                return
            danger = self._owed if self._owed.level != "none" else None
            said.saying = self._speaking.begin(
                turn, lambda reply: self._answer(reply, said), answers=danger
            )

    async def _transcribe(self, utterance: Utterance, turn: int) -> Heard | None:
        try:
            return await utterance.recognition.settle()
        except EngineError as error:
            log.error("an utterance was not understood: %s", error)
            await self._outbox.notice(turn, "STT_FAILED", "Speech to text failed.")
            return None

    def _screen(self, words: str) -> Assessment:
        lines = []
        for said in self._said[-3:]:
            lines += [f"U: {said.words}", f"A: {said.exchange.tadbot}"]
        try:
            return assess(words, lines)
        except Exception:
            # Fails towards help: words that cannot be judged are asked about.
            log.error("an utterance could not be screened")
            return Assessment("concern", "unscreened")

    # What it hears back.

    async def _answer(self, reply: Reply, said: Said) -> None:
        assert said.saying is not None
        await self._outbox.activity(said.turn, pb.State.SPEAKING)
        try:
            if (danger := said.saying.answers) is not None:
                times = self._times_answered.get(danger.level, 0)
                self._times_answered[danger.level] = times + 1
                await reply.say(wording(danger, self._lines, times), protected=True)
            else:
                await self._answer_freely(reply, said)
            if not self._disclosed:
                said.saying.discloses = True
                await reply.say(REMINDER)
        finally:
            await self._tell_latency(reply, said)

    async def _answer_freely(self, reply: Reply, said: Said) -> None:
        begin = time.monotonic()
        memories = await self._memory.recall(said.words, said.turn, HISTORY_TURNS)
        said.stages["recall"] = 1000 * (time.monotonic() - begin)
        feeling = self._feeling(said.utterance)
        situation = Situation(
            words=said.words,
            history=[*self._before, *(one.exchange for one in self._said if one is not said)],
            feeling=feeling.label if feeling else "",
            feeling_probability=feeling.probability if feeling else 0.0,
            memories=memories,
        )
        llm = self._settings.llm
        await reply.answer(messages(situation), Generation(llm.max_tokens, llm.temperature))

    async def _tell_latency(self, reply: Reply, said: Said) -> None:
        timing, stages = reply.timing, said.stages
        spans = {
            "first_token": (timing.prompt_at, timing.first_piece_at),
            "first_clause": (timing.prompt_at, timing.first_clause_at),
            "text_to_speech": (timing.first_text_at, timing.first_sound_at),
            "first_sound": (said.utterance.ended_at, timing.first_sound_at),
        }
        for name, (begin, end) in spans.items():
            if begin is not None and end is not None:
                stages[name] = 1000 * (end - begin)
        latency = pb.TurnLatency()
        for name, milliseconds in stages.items():
            getattr(latency, name).FromMicroseconds(int(1000 * milliseconds))
        self._log.latency(said.turn, self._when(said.utterance.end), stages)
        await self._outbox.put(said.turn, turn_latency=latency)

    def _note_saying(self, saying: Saying) -> None:
        if saying.discloses and saying.heard_fraction > HEARD_FROM:
            self._disclosed = True
            self._log.disclosed()
        if saying.settled and saying.answers == self._owed and saying.heard_fraction > HEARD_FROM:
            self._owed = Assessment()
        self._log.tadbot(saying)

    # What it sees, keeps and forgets.

    async def _take_frame(self, frame: emotion_recognition_pb2.VideoFrame) -> None:
        if self._may_see:
            self._seeing.show(captured_at_s(frame), frame.jpeg)
        else:
            await self._outbox.notice(
                self._turn, "CAMERA_NOT_AGREED", "A picture was dropped unseen: no consent."
            )

    async def _saw(self, sight: Sight) -> None:
        emotion = emotion_message(sight)
        await self._outbox.put(self._turn, emotion=emotion)
        self._log.emotion(self._guest.started_at + timedelta(seconds=sight.at_s), sight)

    async def _unreadable(self, sentence: str) -> None:
        await self._outbox.notice(self._turn, "FRAME_UNREADABLE", sentence)

    def _feeling(self, utterance: Utterance) -> Score | None:
        start, end = utterance.start + self._shift, utterance.end + self._shift
        return self._seeing.feeling(start / SAMPLE_RATE_HERTZ, end / SAMPLE_RATE_HERTZ)

    def _offset(self, sample: int) -> timedelta:
        return timedelta(seconds=(sample + self._shift) / SAMPLE_RATE_HERTZ)

    def _when(self, sample: int) -> datetime:
        return self._guest.started_at + self._offset(sample)

    async def _note_person(self, said: Said) -> None:
        at = self._when(said.utterance.start)
        self._log.person(said.turn, said.words, at, self._feeling(said.utterance), said.assessment)
        if said.assessment.level != "none":
            await self._log.audit(said.assessment.level)
        self._tasks.create_task(self._memory.remember(said.turn, said.words))

    async def _send_words(
        self, turn: int, heard: Heard, place: Partial | Utterance, *, final: bool
    ) -> None:
        transcript = speech_to_text_pb2.Transcript(
            text=heard.text, final=final, language=heard.language
        )
        transcript.start_offset.FromTimedelta(self._offset(place.start))
        transcript.end_offset.FromTimedelta(self._offset(place.end))
        await self._outbox.put(turn, transcript=transcript)

    async def _change_consents(self, change: pb.ConsentChange) -> None:
        if not CONSENTS.keys() >= {*change.granted, *change.revoked}:
            raise RequestError("CONSENT", "A consent is not set, or unknown.")
        erased = 0
        try:
            for consent in change.revoked:
                erased += await self._log.consent(CONSENTS[consent], granted=False)
            for consent in change.granted:
                await self._log.consent(CONSENTS[consent], granted=True)
        except StoreError:
            await self._outbox.notice(self._turn, "STORE_FAILED", "A consent was not written.")
        if pb.CAMERA in change.revoked:
            self._may_see = False
        if pb.CAMERA in change.granted:
            self._may_see = True
        held = [key for key, name in CONSENTS.items() if name in self._keeper.consents]
        if self._may_see:
            held.append(pb.CAMERA)
        receipt = pb.ConsentReceipt(consents=sorted(held), erased_rows=erased)
        await self._outbox.put(self._turn, consent_receipt=receipt)

    async def _erase(self, erase: pb.Erase) -> None:
        match erase.WhichOneof("target"):
            case "span":
                receipt = await self._log.forget_span(*_bounds(erase.span))
            case "everything" if erase.everything:
                receipt = await self._log.forget_person()
            case "topic":
                await self._outbox.notice(
                    self._turn, "ERASE_UNSUPPORTED", "Erasing by topic is not offered yet."
                )
                return
            case _:
                raise RequestError("ERASE", "`erase` names nothing to erase.")
        await self._outbox.put(self._turn, erasure_receipt=receipt)


def _bounds(span: pb.Erase.Span) -> tuple[datetime | None, datetime | None]:
    try:
        begin = span.start_time.ToDatetime(UTC) if span.HasField("start_time") else None
        end = span.end_time.ToDatetime(UTC) if span.HasField("end_time") else None
    except (ValueError, OverflowError) as error:
        raise RequestError("ERASE", "A time of the span to erase is out of range.") from error
    return begin, end


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Picks the error that ended a talk: the client's own fault before all that followed."""
    ours = group.subgroup(TadbotError)
    first: BaseException = ours if ours is not None else group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def _exchanges(turns: tuple[Turn, ...]) -> list[Exchange]:
    """Pairs the two sides of earlier turns."""
    pairs: dict[int, dict[str, str]] = {}
    for one in turns:
        pairs.setdefault(one.turn, {})[one.speaker] = one.text if one.heard is None else one.heard
    return [
        Exchange(pair["person"], pair.get("tadbot", ""))
        for _, pair in sorted(pairs.items())
        if "person" in pair
    ]
