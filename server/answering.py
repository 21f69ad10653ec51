"""What is said to the person: help before all else, then the model's words, and the truth about
what is speaking. It does not know when to speak or how a reply travels."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from server.asides import Asides
from server.config import LlmSettings
from server.engines import SAMPLE_RATE_HERTZ, Generation, Message
from server.meaning import Meaning
from server.memory import Memory
from server.prompt import CHARACTERS_PER_TOKEN, Exchange, Situation, in_view, messages
from server.reply import Reply
from server.safety import (
    CHECK_IN,
    DISCLOSURE,
    LEVELS,
    STAYING,
    STAYING_QUIET,
    UNSAFE_AT_HOME,
    Assessment,
    HelpLines,
    RiskState,
    wording,
)
from server.screening import Screening
from server.scripts.reminders import Moment, due
from server.speaking import Saying
from server.turns import Guest, Said, exchanges

GREETING = f"Hello, I am TADBot. {DISCLOSURE} What is on your mind?"
GREETING_AGAIN = f"Hello, I am TADBot. {DISCLOSURE} {CHECK_IN}"
"""After a talk that ended in danger."""
NO_HURRY = "Take all the time you need. I am here."
HEARD_FROM = 0.9
"""Share of a disclosure or a help line from which it counts as heard."""
STAYS = (STAYING, STAYING_QUIET)
"""Reasons of turns without danger of their own."""
SCREENED_WITH = 3
"""Earlier turns that the rules see beside the words."""


def _weight(owed: Assessment) -> tuple[int, bool]:
    """Orders what is owed an answer: the level, then what has a reason of its own."""
    return LEVELS.index(owed.level), owed.reason not in STAYS


class Answering:
    """The answers of one talk, and what is still owed to the person."""

    def __init__(
        self,
        guest: Guest,
        memory: Memory,
        meaning: Meaning,
        screening: Screening,
        asides: Asides,
        lines: HelpLines,
        settings: LlmSettings,
    ) -> None:
        self._memory = memory
        self._meaning = meaning
        self._screening = screening
        self._asides = asides
        self._lines = lines
        self._generation = Generation(settings.max_tokens, settings.temperature)
        room = settings.context_tokens - settings.max_tokens
        self._most_characters = CHARACTERS_PER_TOKEN * room
        self._before = exchanges(guest.resumed)
        self._said: list[Said] = []
        self._risk = RiskState(guest.carried_risk)
        self._owed = Assessment()
        """Danger that was noticed, and whose answer was not heard yet."""
        self._times_answered: dict[str, int] = {}
        self._newest_help = ""
        self._disclosed_at = guest.disclosed_at

    def history(self, turn: int) -> list[Exchange]:
        """The talk without a turn, as far as it was heard."""
        return [*self._before, *(one.exchange for one in self._said if one.turn != turn)]

    def beginning(self, turn: int) -> list[Message]:
        """Gives the part of a turn's prompt that is known before its words are."""
        return messages(Situation("", self.history(turn)), self._most_characters)[:-1]

    @property
    def newest(self) -> Said | None:
        """What the person said last, if anything."""
        return self._said[-1] if self._said else None

    @property
    def danger_noticed(self) -> bool:
        """Whether there was danger in anything that was said."""
        return any(one.assessment.level != "none" for one in self._said)

    @property
    def longest_words(self) -> str:
        """The longest thing that the person said, as a plain extract of the talk."""
        return max((one.words for one in self._said), key=len, default="")

    @property
    def unanswered(self) -> Said | None:
        """The newest words, if no answer to them has begun."""
        newest = self.newest
        return newest if newest is not None and newest.saying is None else None

    @property
    def risk_level(self) -> str:
        """How near danger is in this session; it sinks slowly."""
        return self._risk.level

    @property
    def scripted(self) -> bool:
        """Whether the language model has no say now."""
        return self._risk.scripted

    @property
    def greets(self) -> bool:
        """Whether a talk begins with what is speaking, or with asking after danger."""
        return due(datetime.now(UTC), self._disclosed_at) or self._risk.level != "none"

    @property
    def danger(self) -> Assessment | None:
        """What the next answer must be about; None: nothing."""
        return self._owed if self._owed.level != "none" else None

    async def screen(self, words: str) -> Assessment:
        """Judges words before anything else reads them; see `Screening`."""
        lines = []
        for said in self._said[-SCREENED_WITH:]:
            lines += [f"U: {said.words}", f"A: {said.exchange.tadbot}"]
        return await self._screening.judge(words, lines)

    def take(self, said: Said) -> None:
        """Takes what the person said into the talk, and owes an answer to danger in it.

        While danger is near, what has none of its own is owed a written sentence as well.
        """
        self._said.append(said)
        found = said.assessment
        level = self._risk.take(found.level, said.start / SAMPLE_RATE_HERTZ)
        if found.level in ("high", "imminent"):
            self._asides.unsafe_at_home |= found.reason in UNSAFE_AT_HOME
        if self.scripted and LEVELS.index(found.level) < LEVELS.index(level):
            found = Assessment(level, STAYING_QUIET if self._asides.unsafe_at_home else STAYING)
        self._owed = max(self._owed, found, key=_weight)

    def take_back(self, said: Said) -> None:
        """Takes words out of the talk again: the person went on, and they come with the rest.

        Danger in them stays owed an answer.
        """
        self._said = [one for one in self._said if one is not said]

    async def greet(self, reply: Reply) -> None:
        """Says hello, and what is speaking."""
        await reply.say(GREETING if self._risk.level == "none" else GREETING_AGAIN)

    async def encourage(self, reply: Reply) -> None:
        """Says, after a long silence, that there is time."""
        await reply.say(NO_HURRY)

    async def answer(self, reply: Reply, said: Said) -> None:
        """Answers what the person said; `said.saying` is the reply that this speaks."""
        assert said.saying is not None
        danger = said.saying.answers
        if self._asides.covered:
            # What is said now may be somebody else's, and is heard by them; help stays owed.
            said.saying.answers = None
            await self._asides.answer(reply, said, self.risk_level)
            if self._asides.covered:
                return
        elif danger is not None and danger.reason not in STAYS:
            await self._answer_danger(reply, said, danger)
        elif not await self._asides.answer(reply, said, self.risk_level):
            # Rights and goodbye hold in danger as well; all else waits.
            await (self._help(reply, said) if danger else self._answer_freely(reply, said))
        await self._asides.follow(reply, said, self._moment())

    def is_plain(self, said: Said) -> bool:
        """Whether the model alone would answer; else an answer cannot be begun ahead."""
        level = self.risk_level
        return not self._asides.takes(said, level) and not self._asides.follows(self._moment())

    def heard(self, saying: Saying) -> bool:
        """Takes what is known of a reply; returns whether a disclosure was heard in it."""
        if saying.heard_fraction <= HEARD_FROM:
            return False
        if saying.settled and saying.answers == self._owed:
            self._owed = Assessment()
        if saying.discloses:
            self._disclosed_at = datetime.now(UTC)
        return saying.discloses

    def forget(self) -> None:
        """Drops the talk so far; danger that is owed an answer stays."""
        self._before = []
        self._said = []

    def _moment(self) -> Moment:
        return self._asides.moment(datetime.now(UTC), self.risk_level, self._disclosed_at)

    async def _answer_danger(self, reply: Reply, said: Said, danger: Assessment) -> None:
        """Answers danger first; hints in the midst of a plan or an exercise belong to it."""
        hint = danger.level == "concern" and self._asides.busy
        if hint and await self._asides.answer(reply, said, self.risk_level):
            return
        self._asides.drop()
        await self._asides.hear_age(said)
        await self._help(reply, said)

    async def _help(self, reply: Reply, said: Said) -> None:
        assert said.saying is not None
        assert said.saying.answers is not None
        danger, said.saying.written = said.saying.answers, True
        times = self._times_answered.get(danger.level, 0)
        self._times_answered[danger.level] = times + 1
        lines = self._lines.for_a_minor if self._asides.minor else self._lines
        self._newest_help = wording(danger, lines, times, self._newest_help)
        await reply.say(self._newest_help, protected=True)

    async def _answer_freely(self, reply: Reply, said: Said) -> None:
        begin = time.monotonic()
        history = self.history(said.turn)
        memories: Sequence[str] = await self._memory.recall(
            await self._meaning.of(said.words), said.turn, len(in_view(history))
        )
        said.stages["recall"] = 1000 * (time.monotonic() - begin)
        situation = Situation(
            words=said.words,
            history=history,
            feeling=said.feeling.label if said.feeling else "",
            feeling_probability=said.feeling.probability if said.feeling else 0.0,
            memories=memories,
        )
        chat = messages(situation, self._most_characters)
        said.shown = chat[-1].content
        await reply.answer(chat, self._generation)
