"""Whose word it is, from what is heard to what is said, turn by turn; it does not know requests.

A turn that the person goes on with after it was taken for over stays one turn: its next revision
is answered as a whole, in the place of the answer that came too soon.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import speech_to_text_pb2

from server import latency
from server.answering import Answering
from server.barge_in import COMPARED_S, BargeIn
from server.config import ConversationSettings
from server.engines import SAMPLE_RATE_HERTZ, Engines, Heard, Message, Samples, Score
from server.errors import EngineError
from server.hearing import (
    BUSY_WINDOWS,
    FADED_WINDOWS,
    LATE_WINDOWS,
    REMEMBERED,
    Foreseen,
    Hearing,
    Partial,
    SpeechStarted,
    Utterance,
    WentOn,
)
from server.interruption import Verdict, turns_on_reply, went_on
from server.memory import Memory
from server.outbox import Outbox
from server.patience import Patience
from server.reply import Reply
from server.session_log import SessionLog
from server.spare import Spare
from server.speaking import Say, Saying, Speaking
from server.turn_taking import Nearness, level_db
from server.turns import Clock, Guest, Said

log = logging.getLogger("tadbot.dialogue")

UNHEARD = "I could not hear that, I am sorry. Could you say it again?"
MOST_WAITING = 4
"""Utterances that wait for their words; beyond it the client waits, and memory is bounded."""
LONGEST_CHARACTERS = 2000
"""Words of a turn, some two minutes of speech, beyond which more of it is a new turn: the prompt
has room for so much."""
TROUBLING = ("sadness", "fear")
"""Feelings that make it more patient."""
TROUBLING_FROM = 0.5
SEEN_S = 4.0
"""How far back the face is looked at for that."""


@dataclass(frozen=True)
class Surroundings:
    """What a dialogue shares with the rest of its session."""

    outbox: Outbox
    log: SessionLog
    memory: Memory
    answering: Answering
    clock: Clock
    tasks: asyncio.TaskGroup
    feeling: Callable[[float, float], Score | None]
    """Gives what the face showed in a span, in seconds."""


class Dialogue:
    """The turns of one talk."""

    def __init__(
        self, engines: Engines, settings: ConversationSettings, guest: Guest, around: Surroundings
    ) -> None:
        self._settings = settings
        self._outbox, self._log, self._memory = around.outbox, around.log, around.memory
        self._answering, self._clock = around.answering, around.clock
        self._tasks, self._seen = around.tasks, around.feeling
        self._llm = engines.llm
        self._patience = Patience(settings.end_of_turn_s, guest.pace)
        language = guest.language[:2].lower()
        self._hearing = Hearing(
            engines,
            language,
            self._patience,
            settings.max_utterance_s,
            self._foresee,
            self._look_from,
            lambda: self._spare.roomy,
        )
        self.speaking = Speaking(engines, around.outbox, around.tasks, self._note_saying)
        self._barge_in = BargeIn(self._hearing, self.speaking)
        self._nearness = Nearness()
        self._spare = Spare()
        self.turn = max((one.turn for one in guest.resumed), default=0)
        """The newest turn."""
        self._turn_used = True
        """Whether the newest turn came to anything; if not, its number is used again."""
        self._turn_open = False
        """Whether the speech that is heard just now has the word."""
        self._cut_at: int | None = None
        self._prefilling: asyncio.Task[None] | None = None
        self._newest_look: Foreseen | None = None
        self._foreseen: Said | None = None
        """Words that were foreseen, with the reply that is prepared for them."""
        self._quiet_since = 0
        self._encouraged = False
        self._unsettled: list[Utterance] = []
        """Utterances whose words are not known yet, in order."""
        self._settling = asyncio.Lock()
        self._waiting = asyncio.Semaphore(MOST_WAITING)
        self._floor = asyncio.Lock()
        """Held while sound is taken in: who has the word is decided between two pieces."""

    @property
    def sample_count(self) -> int:
        """Samples heard so far."""
        return self._hearing.sample_count

    def greet(self) -> None:
        """Begins the talk by saying what is speaking."""
        self.speaking.begin(self.turn, self._answering.greet, discloses=True)

    async def listen(self, samples: Samples) -> None:
        """Hears the next sound, and does what follows from it."""
        self._spare.look()
        ended: list[Utterance] = []
        async with self._floor:
            async for heard in self._hearing.feed(samples):
                match heard:
                    case SpeechStarted():
                        await self._on_speech(heard.at)
                    case Partial() if self._turn_open:
                        place = (heard.start, heard.end)
                        await self._tell_words(self.turn, Heard(heard.text), place, final=False)
                    case WentOn():
                        self.discard()
                    case Utterance():
                        ended.append(heard)
                        self._over(heard)
        for utterance in ended:
            over_reply, level = self._barge_in.open, self._level_db()
            await self._waiting.acquire()
            settling = self._tasks.create_task(self._settle(utterance, over_reply, level))
            settling.add_done_callback(lambda _: self._waiting.release())
        await self._mind_silence()

    async def end(self) -> None:
        """Hears, screens and answers speech that was open, and lets what is said be sent."""
        if (utterance := await self._hearing.end()) is not None:
            self._over(utterance)
            await self._settle(utterance, self._barge_in.open, self._level_db())
        async with self._settling:
            await self.speaking.wait()

    async def interrupt(self) -> None:
        """Stops what is said: the person pressed the button."""
        self._barge_in.close()
        await self.speaking.stop(self.turn)
        await self._outbox.activity(self.turn, pb.State.LISTENING)

    def close(self) -> None:
        """Drops what is not settled yet; nothing more is played."""
        self._hearing.close()
        self.speaking.end()

    def discard(self) -> None:
        """Drops the answer that was begun ahead: the person went on, or what it rests on goes."""
        self._newest_look = None
        if self._foreseen is not None:
            self._foreseen.saying = None
            self._foreseen = None
            self.speaking.discard()

    # Who has the word.

    async def _on_speech(self, at: int) -> None:
        if self._cut_at is not None and at - self._cut_at < SAMPLE_RATE_HERTZ:
            # They never paused: what answers the part that was cut is not interrupted by it.
            return
        if self._nearness.is_far(level_db(self._hearing.newest(COMPARED_S))):
            self._hearing.drop()
            return
        saying = self.speaking.sounding
        if saying is not None:
            await self._barge_in.begin(saying, at, self.turn)
        else:
            await self._take_floor(at)

    async def _take_floor(self, at: int, words: str = "") -> None:
        """Gives the word to the person, who speaks since a sample.

        words: what they say, as far as that is known.
        """
        self._turn_open = self._hearing.speaking
        self._barge_in.close()
        self._look_at_face()
        if not turns_on_reply(words) and self._goes_on(at):
            self._replace_answer(at)
        else:
            self._advance()
        turn = self.turn
        await self.speaking.stop(turn)
        self._prefill()
        if self._turn_open:
            await self._outbox.activity(turn, pb.State.HEARING)

    def _goes_on(self, at: int) -> bool:
        """Whether speech goes on with the newest turn, rather than beginning another one."""
        if before := [one.end for one in self._unsettled if one.end <= at]:
            return went_on((at - before[-1]) / SAMPLE_RATE_HERTZ, 0.0)
        said = self._unfinished()
        if said is None or said.utterance is None:
            return False
        heard_s = 0.0
        if (saying := said.saying) is not None:
            asked = saying.written or "?" in saying.reply.text
            if saying.settled and (saying.interrupted or asked):
                # They stopped it by hand, or answer what it asked.
                return False
            heard_s = saying.heard_samples / saying.reply.sample_rate_hertz
        return went_on((at - said.utterance.end) / SAMPLE_RATE_HERTZ, heard_s)

    def _unfinished(self) -> Said | None:
        """The words of the newest turn, where more can be added to them."""
        said = self._answering.newest
        if said is None or said.turn != self.turn or not self._turn_used:
            return None
        if len(said.words) > LONGEST_CHARACTERS:
            return None
        return said if said.utterance is not None and not said.utterance.cut else None

    def _replace_answer(self, at: int) -> None:
        """The answer to the newest turn came too soon: another one takes its place."""
        said = self._unfinished()
        if said is None or said.saying is None or said.utterance is None:
            return
        silent_s = (at - said.utterance.end) / SAMPLE_RATE_HERTZ
        self._patience.went_on(silent_s, taken_for_over=True)
        if not said.saying.settled:
            self._outbox.revise(said.turn)
            said.saying.replaced = True
            said.saying = None

    def _advance(self) -> int:
        self.turn += self._turn_used
        self._turn_used = False
        return self.turn

    async def _judge(self, look: Foreseen) -> None:
        """Decides by words that were looked for who has the word over a reply."""
        async with self._floor:
            if not self._barge_in.open:
                return
            danger = await self._answering.screen(look.words.text)
            match self._barge_in.judge_look(look, danger):
                case Verdict.INTERRUPTION:
                    await self._take_floor(self._barge_in.at, look.words.text)
                    if look.paused:
                        self._newest_look = look
                        await self._prepare(look)
                case Verdict.NOTHING if self._hearing.pausing or not look.paused:
                    self._hearing.drop()
                    await self._barge_in.let_go(self.turn)

    async def _mind_silence(self) -> None:
        """Tells somebody who has been silent for long, once, that there is time."""
        said = self.speaking.saying
        quiet = said is None or said.settled
        if self._hearing.speaking or self._unsettled or not quiet:
            self._quiet_since = self.sample_count
        silent_s = (self.sample_count - self._quiet_since) / SAMPLE_RATE_HERTZ
        if self._settings.silence_s and silent_s >= self._settings.silence_s:
            if not self._encouraged:
                self._encouraged = True
                turn = self._advance()
                self._turn_used = True
                self.speaking.begin(turn, self._answering.encourage)
            self._quiet_since = self.sample_count

    # What the person says.

    def _over(self, utterance: Utterance) -> None:
        self._cut_at = utterance.end if utterance.cut else None
        self._turn_open = False
        self._unsettled.append(utterance)

    async def _settle(self, utterance: Utterance, over_reply: bool, level: float) -> None:
        """Turns an utterance into words, screens them, and begins to answer.

        level: how loud the voice was, in decibels.
        """
        async with self._settling:
            try:
                if not over_reply:
                    await self._outbox.activity(self.turn, pb.State.THINKING)
                heard = await self._transcribe(utterance)
                if over_reply and self._barge_in.open and not await self._wins(utterance, heard):
                    return
                settled_at = time.monotonic()
            finally:
                self._unsettled.remove(utterance)
            if heard is None:
                self.speaking.begin(self._advance(), lambda reply: reply.say(UNHEARD))
                self._turn_used = True
                return
            said = self._answering.unanswered
            if heard.text:
                self._nearness.spoke(level)
                said = await self._take_words(heard, utterance, settled_at)
            else:
                await self._tell_words(self.turn, heard, (utterance.start, utterance.end))
            if said is None:
                await self._outbox.activity(self.turn, pb.State.LISTENING)
            elif not self._turn_open:
                await self._outbox.activity(self.turn, pb.State.SPEAKING)
                self._begin_answer(said)
            else:
                # They speak again already; all of it is answered when they pause.
                self.discard()

    async def _wins(self, utterance: Utterance, heard: Heard | None) -> bool:
        """Decides whether speech over a reply, now that it is over, ends the reply."""
        words = heard or Heard("")
        danger = await self._answering.screen(words.text)
        if self._barge_in.judge(words, utterance, danger) is Verdict.INTERRUPTION:
            await self._take_floor(self._barge_in.at, words.text)
            return True
        await self._barge_in.let_go(self.turn)
        return False

    async def _transcribe(self, utterance: Utterance) -> Heard | None:
        try:
            return await utterance.settled
        except EngineError as error:
            log.error("an utterance was not understood: %s", error)
            await self._outbox.notice(self.turn, "STT_FAILED", "Speech to text failed.")
            return None

    async def _take_words(self, heard: Heard, utterance: Utterance, settled_at: float) -> Said:
        said = self._words_in_place(heard.text, utterance.start)
        before = self._unfinished()
        if before is not None:
            self._answering.take_back(before)
            if before.saying is not None:
                # A short answer, heard to its end: this one is to all that was said.
                before.saying.replaced = True
            if self._outbox.revision(said.turn) == before.revision:
                self._outbox.revise(said.turn)
        else:
            self._advance()
            self._patience.was_over()
        foreseen = self._foreseen
        if foreseen is not None and (foreseen.turn, foreseen.words) == (said.turn, said.words):
            said = foreseen
        else:
            self.discard()
            said.feeling = self._feeling(said.start, utterance.end)
        self._turn_used = True
        self._encouraged = False
        said.utterance, said.revision = utterance, self._outbox.revision(said.turn)
        place = (said.start, utterance.end)
        whole = Heard(said.words, heard.language)
        await self._tell_words(said.turn, whole, place)
        screened_at = time.monotonic()
        said.assessment = assessment = await self._answering.screen(said.words)
        said.stages.update(
            end_of_turn=1000 * (utterance.decided_at - utterance.ended_at),
            speech_to_text=1000 * (settled_at - utterance.decided_at),
            safety=1000 * (time.monotonic() - screened_at),
        )
        self._answering.take(said)
        level = pb.RiskLevel.Value(self._answering.risk_level.upper())
        await self._outbox.put(said.turn, risk=pb.Risk(level=level, reason=assessment.reason))
        self._memory.note(said.turn, said.words)
        await self._log.person(said, self._clock.when(said.start))
        return said

    def _words_in_place(self, words: str, start: int) -> Said:
        """Puts words where they belong: into a new turn, or behind those that they go on with."""
        before = self._unfinished()
        if before is not None:
            return before.with_more(words)
        return Said(self.turn + self._turn_used, words, start)

    async def _tell_words(
        self, turn: int, heard: Heard, place: tuple[int, int], *, final: bool = True
    ) -> None:
        transcript = speech_to_text_pb2.Transcript(
            text=heard.text, final=final, language=heard.language
        )
        transcript.start_offset.FromTimedelta(self._clock.offset(place[0]))
        transcript.end_offset.FromTimedelta(self._clock.offset(place[1]))
        await self._outbox.put(turn, transcript=transcript)

    def _level_db(self) -> float:
        return level_db(self._hearing.newest(REMEMBERED / SAMPLE_RATE_HERTZ))

    # What is done ahead.

    def _prefill(self) -> None:
        """Has the model read what of the prompt is known already, while the person speaks."""
        running = self._prefilling is not None and not self._prefilling.done()
        in_vain = self._answering.scripted or not self._settings.answer_ahead
        if running or in_vain or self._spare.busy:
            return
        self._prefilling = self._tasks.create_task(self._read(self._answering.beginning(self.turn)))

    async def _read(self, beginning: Sequence[Message]) -> None:
        try:
            await self._llm.prefill(beginning)
        except EngineError:
            log.warning("the model could not read the beginning of a prompt ahead")

    async def _prefilled(self) -> None:
        """Waits until the model has read what it reads: what follows then finds it there."""
        if self._prefilling is not None:
            await asyncio.wait([self._prefilling])

    def _look_from(self) -> int:
        if not self._settings.answer_ahead:
            return LATE_WINDOWS
        return BUSY_WINDOWS if self._spare.busy else FADED_WINDOWS

    def _foresee(self, look: Foreseen) -> None:
        if self._barge_in.open:
            self._tasks.create_task(self._judge(look))
        elif look.paused:
            self._newest_look = look
            self._tasks.create_task(self._prepare(look))

    async def _prepare(self, look: Foreseen) -> None:
        """Begins to answer words that may be all, without a trace: nothing is sent or kept.

        Danger is left to the moment when the turn is over: its answer needs no model.
        """
        words = look.words.text
        if not (words and self._settings.answer_ahead and self._turn_open) or self._spare.busy:
            return
        said = self._words_in_place(words, look.start)
        danger = await self._answering.screen(said.words)
        if look is not self._newest_look or not self._turn_open:
            return
        waits = self._unsettled or self._answering.unanswered is not self._unfinished()
        waits = waits or not self._answering.is_plain(said)
        if danger.level != "none" or self._answering.danger or self._answering.scripted or waits:
            return
        said.feeling = self._feeling(said.start, look.end)
        said.history = self._answering.history(said.turn)
        self.discard()
        self._foreseen = said
        said.saying = self.speaking.prepare(said.turn, self._answer_to(said))

    # What answers it.

    def _begin_answer(self, said: Said) -> None:
        """Starts the reply to what was said, or lets the prepared one out."""
        turn = self._turn_of(said)
        danger = self._answering.danger
        same = danger is None and said.history == self._answering.history(said.turn)
        if said is self._foreseen and said.saying is not None and same and turn == said.turn:
            self._foreseen = None
            said.saying.id = said.reply_id
            said.saying.revision = self._outbox.revision(turn)
            self.speaking.release(said.saying)
            return
        self.discard()
        said.saying = self.speaking.begin(turn, self._answer_to(said), answers=danger)
        said.saying.id = said.reply_id

    def _turn_of(self, said: Said) -> int:
        """The turn of the answer: a later one than the words' where noise came between."""
        self._turn_used = True
        return max(self.turn, said.turn)

    def _answer_to(self, said: Said) -> Say:
        async def answer(reply: Reply) -> None:
            try:
                await self._prefilled()
                await self._answering.answer(reply, said)
            finally:
                if said.saying is not None and said.saying.reply is reply:
                    await self._tell_latency(reply, said)

        return answer

    async def _tell_latency(self, reply: Reply, said: Said) -> None:
        if said.utterance is not None:
            stages = latency.measure(said, reply)
            when = self._clock.when(said.utterance.end)
            self._log.latency(said.turn, when, stages, reply.usage)
            await self._outbox.put(said.turn, turn_latency=latency.message(stages, reply.usage))

    def _note_saying(self, saying: Saying) -> None:
        if self._answering.heard(saying):
            self._log.disclosed(saying)
        self._log.tadbot(saying)

    # What the face shows.

    def _look_at_face(self) -> None:
        end_s = self._clock.offset(self.sample_count).total_seconds()
        score = self._seen(end_s - SEEN_S, end_s)
        looks = score is not None and score.label in TROUBLING
        looks = looks and score is not None and score.probability >= TROUBLING_FROM
        self._patience.troubled = looks or self._answering.danger_noticed

    def _feeling(self, start: int, end: int) -> Score | None:
        begin, stop = self._clock.offset(start), self._clock.offset(end)
        return self._seen(begin.total_seconds(), stop.total_seconds())
