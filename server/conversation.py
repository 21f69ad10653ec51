"""One person's session: which turn it is, whose word, and goodbye; it conducts the rest.

It does not know gRPC: requests come as an iterator, responses leave through `send`. Time in
it is the count of samples heard; real time is only measured for the latencies.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

import numpy as np
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import emotion_recognition_pb2, sound_pb2, speech_to_text_pb2

from server.answering import Answering
from server.config import Settings
from server.consent import Keeper
from server.engines import SAMPLE_RATE_HERTZ, Engines, Heard, Samples, Score
from server.errors import EngineError, RequestError, TadbotError
from server.hearing import Foreseen, Hearing, Partial, SpeechStarted, Utterance, WentOn
from server.memory import Memory
from server.outbox import Outbox, Send
from server.reply import Reply
from server.rights import Rights
from server.safety import HelpLines
from server.seeing import Seeing, Sight, captured_at_s, emotion_message
from server.session_log import SessionLog
from server.sound import to_samples
from server.speaking import Say, Saying, Speaking
from server.turns import Guest, Said

log = logging.getLogger("tadbot.conversation")

UNHEARD = "I could not hear that, I am sorry. Could you say it again?"
GAP_FILLED = SAMPLE_RATE_HERTZ
"""Longest gap of lost sound (1 s) that is filled with silence; beyond it the clock jumps."""
FARTHEST = 2**44
"""Sample beyond which a place in a talk is nonsense: some 30 years."""
MOST_WAITING = 4
"""Utterances that wait for their words; beyond it the client waits, and memory is bounded."""
GOODBYE_S = 30.0
"""Longest that a reply may go on after the person has said goodbye."""


class Conversation:
    """One talk. Construct it, then `run` it once."""

    def __init__(
        self, engines: Engines, keeper: Keeper, settings: Settings, guest: Guest, lines: HelpLines
    ) -> None:
        self._engines = engines
        self._keeper = keeper
        self._settings = settings
        self._guest = guest
        talk = settings.conversation
        language = guest.language[:2].lower()
        self._hearing = Hearing(engines, language, talk.end_of_turn_s, talk.max_utterance_s)
        self._memory = Memory(engines.embedder, keeper, guest.session_id)
        self._answering = Answering(guest, self._memory, lines, settings.llm)
        self._turn = max((one.turn for one in guest.resumed), default=0)
        self._turn_used = True
        """Whether the newest turn came to anything; if not, its number is used again."""
        self._turn_open = False
        """Whether the turn of the speech that is heard just now has begun."""
        self._shift = guest.sample_count
        """What the client's sample numbers are ahead of the hearing's."""
        self._cut_at: int | None = None
        self._foreseen: Said | None = None
        """Words that were foreseen, with the reply that is prepared for them."""
        self._settling = asyncio.Lock()
        self._waiting = asyncio.Semaphore(MOST_WAITING)

    # From hello to goodbye.

    async def run(self, requests: AsyncIterator[pb.ConverseRequest], send: Send) -> None:
        """Talks until the requests end, then says goodbye.

        Raises RequestError if the client breaks the contract. Whatever ends it, the session
        is closed and what may be kept is written.
        """
        self._outbox = Outbox(send)
        self._log = SessionLog(self._keeper, self._guest.session_id, self._outbox)
        self._rights = Rights(self._log, self._outbox, self._guest.may_see)
        seeing = self._settings.emotion.max_frames_per_second
        self._seeing = Seeing(self._engines.emotion, seeing, self._saw, self._unreadable)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._speaking = Speaking(self._engines, self._outbox, tasks, self._note_saying)
                helpers = [
                    tasks.create_task(self._log.run()),
                    tasks.create_task(self._seeing.run()),
                    tasks.create_task(self._memory.run()),
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
        if self._guest.may_see and self._engines.emotion is None:
            await self._outbox.notice(0, "EMOTION_OFF", "This server recognises no emotions.")
        await self._outbox.activity(0, pb.State.LISTENING)
        if self._settings.conversation.greeting and not self._answering.disclosed:
            self._speaking.begin(self._turn, self._answering.greet, discloses=True)

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
                self._discard()  # it may have been begun with what is erased now
                await self._rights.change_consents(self._turn, request.consent_change)
            case "erase":
                self._discard()
                if await self._rights.erase(self._turn, request.erase):
                    self._answering.forget()
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
        self._hearing.close()
        if hasattr(self, "_speaking"):
            self._speaking.end()
        await self._memory.flush()
        await self._log.close(self._answering.longest_words)

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
                case Foreseen():
                    self._prepare(heard)
                case WentOn():
                    self._discard()
                case Utterance():
                    self._cut_at = heard.end if heard.cut else None
                    self._turn_open = False
                    await self._waiting.acquire()
                    settling = self._tasks.create_task(self._settle(heard))
                    settling.add_done_callback(lambda _: self._waiting.release())

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
            if heard is None:
                self._turn_used = True
                self._speaking.begin(turn, lambda reply: reply.say(UNHEARD))
                return
            settled_at = time.monotonic()
            await self._send_words(turn, heard, utterance, final=True)
            said = self._answering.unanswered
            if heard.text:
                said = await self._take_words(turn, heard.text, utterance, settled_at)
            if said is None:
                await self._outbox.activity(turn, pb.State.LISTENING)
            elif not self._turn_open:
                await self._outbox.activity(turn, pb.State.SPEAKING)
                self._begin_answer(turn, said)
            elif self._turn_used:
                # They speak again already; all of it is answered when they pause.
                self._discard()
                self._begin_turn()

    async def _take_words(
        self, turn: int, words: str, utterance: Utterance, settled_at: float
    ) -> Said:
        self._turn_used = True
        assessment = self._answering.screen(words)
        stages = {
            "end_of_turn": 1000 * (utterance.decided_at - utterance.ended_at),
            "speech_to_text": 1000 * (settled_at - utterance.decided_at),
            "safety": 1000 * (time.monotonic() - settled_at),
        }
        feeling = self._feeling(utterance)
        said = self._foreseen
        if said is None or said.turn != turn or said.words != words:
            self._discard()
            said = Said(turn, words, feeling)
        said.assessment, said.utterance = assessment, utterance
        said.stages.update(stages)
        level = pb.RiskLevel.Value(assessment.level.upper())
        await self._outbox.put(turn, risk=pb.Risk(level=level, reason=assessment.reason))
        self._answering.take(said)
        self._memory.note(turn, words)
        await self._log.person(turn, words, self._when(utterance.start), feeling, assessment)
        return said

    async def _transcribe(self, utterance: Utterance, turn: int) -> Heard | None:
        try:
            return await utterance.settled
        except EngineError as error:
            log.error("an utterance was not understood: %s", error)
            await self._outbox.notice(turn, "STT_FAILED", "Speech to text failed.")
            return None

    async def _send_words(
        self, turn: int, heard: Heard, place: Partial | Utterance, *, final: bool
    ) -> None:
        transcript = speech_to_text_pb2.Transcript(
            text=heard.text, final=final, language=heard.language
        )
        transcript.start_offset.FromTimedelta(self._offset(place.start))
        transcript.end_offset.FromTimedelta(self._offset(place.end))
        await self._outbox.put(turn, transcript=transcript)

    # What it hears back.

    def _prepare(self, foreseen: Foreseen) -> None:
        """Begins to answer words that may be all, without a trace: nothing is sent or kept.

        Danger is left to the moment when the turn is over: its answer needs no model.
        """
        words = foreseen.words.text
        plain = bool(words) and self._answering.screen(words).level == "none"
        alone = self._turn_open and not self._settling.locked()
        if not plain or not alone or self._answering.danger or self._answering.unanswered:
            return
        said = Said(self._turn, words, self._feeling(foreseen))
        said.history = self._answering.history(said)
        self._foreseen = said
        said.saying = self._speaking.prepare(said.turn, self._answer_to(said))

    def _discard(self) -> None:
        """The person went on: what was prepared is nothing."""
        if self._foreseen is not None:
            self._foreseen.saying = None
            self._foreseen = None
            self._speaking.discard()

    def _begin_answer(self, turn: int, said: Said) -> None:
        """Starts the reply of a turn, or lets the prepared one out.

        turn: later than `said.turn` where noise came between.
        """
        self._turn_used = True
        danger = self._answering.danger
        same = danger is None and said.history == self._answering.history(said)
        if said is self._foreseen and said.saying is not None and same:
            self._foreseen = None
            self._speaking.release(said.saying)
            return
        self._discard()
        said.saying = self._speaking.begin(turn, self._answer_to(said), answers=danger)

    def _answer_to(self, said: Said) -> Say:
        async def answer(reply: Reply) -> None:
            try:
                await self._answering.answer(reply, said)
            finally:
                if said.saying is not None and said.saying.reply is reply:
                    await self._tell_latency(reply, said)

        return answer

    async def _tell_latency(self, reply: Reply, said: Said) -> None:
        if said.utterance is None:
            return
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
        if self._answering.heard(saying):
            self._log.disclosed()
        self._log.tadbot(saying)

    # What it sees.

    async def _take_frame(self, frame: emotion_recognition_pb2.VideoFrame) -> None:
        if self._rights.may_see:
            self._seeing.show(captured_at_s(frame), frame.jpeg)
        else:
            sentence = "A picture was dropped unseen: no consent."
            await self._outbox.notice(self._turn, "CAMERA_NOT_AGREED", sentence)

    async def _saw(self, sight: Sight) -> None:
        await self._outbox.put(self._turn, emotion=emotion_message(sight))
        self._log.emotion(self._guest.started_at + timedelta(seconds=sight.at_s), sight)

    async def _unreadable(self, sentence: str) -> None:
        await self._outbox.notice(self._turn, "FRAME_UNREADABLE", sentence)

    # When it is.

    def _feeling(self, place: Foreseen | Utterance) -> Score | None:
        begin, end = self._offset(place.start), self._offset(place.end)
        return self._seeing.feeling(begin.total_seconds(), end.total_seconds())

    def _offset(self, sample: int) -> timedelta:
        return timedelta(seconds=(sample + self._shift) / SAMPLE_RATE_HERTZ)

    def _when(self, sample: int) -> datetime:
        return self._guest.started_at + self._offset(sample)


def _cause(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Picks the error that ended a talk: the client's own fault before all that followed."""
    ours = group.subgroup(TadbotError)
    first: BaseException = ours if ours is not None else group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
