"""Conducts what goes word for word in one talk: scripts, the age, reminders; danger comes first.

It does what the person wished for before it says so. It does not know when to speak.
"""

from copy import deepcopy
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from server.outbox import whole
from server.reply import Reply
from server.rights import Rights
from server.safety import HelpLines
from server.scripts import Age, Line, Now
from server.scripts.choosing import Scripts
from server.scripts.reminders import Moment, Reminder, Reminders
from server.scripts.telling_age import told_age
from server.turns import Guest, Said

ASKS_AGE_FROM = 3
"""Answers after which the age is asked: who comes in need is heard first."""


class Asides:
    """The scripts of one talk, and what it reminds the person of.

    emotions: whether this server recognises any.
    """

    def __init__(self, guest: Guest, rights: Rights, lines: HelpLines, *, emotions: bool) -> None:
        self._guest = guest
        self._rights = rights
        self._lines = lines
        self._emotions = emotions
        self._scripts = Scripts()
        self._turn = 0
        """The newest turn that they were asked about: it may go on."""
        self._reminders = Reminders()
        self.unsafe_at_home = False
        """Whether somebody near the person was the danger in this session."""
        self._answers = 0
        self._behind: Line | None = None
        try:
            self._zone = ZoneInfo(guest.time_zone) if guest.time_zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self._zone = None

    def takes(self, said: Said, level: str) -> bool:
        """Whether a script answers these words; changes nothing."""
        scripts = deepcopy(self._scripts)
        if said.turn == self._turn:
            scripts.take_back()
        return scripts.answer(said.words, self._now(level)) is not None

    @property
    def minor(self) -> bool:
        """Whether the person said that they are a minor."""
        return self._rights.minor is True

    @property
    def busy(self) -> bool:
        """Whether a script waits for the person's next words."""
        return self._scripts.busy

    @property
    def covered(self) -> bool:
        """Whether somebody else may be listening: nothing but the weather is spoken of."""
        return self._scripts.covered

    async def hear_age(self, said: Said) -> None:
        """Takes the age that is told in words which are answered as danger."""
        minor = told_age(said.words)
        if minor is not None and minor != self._rights.minor:
            await whole(self._rights.fulfil(said.turn, Age(minor)))

    def drop(self) -> None:
        """Gives up what is going on: danger came in between."""
        self._scripts.drop()
        self._behind = None

    async def answer(self, reply: Reply, said: Said, level: str) -> bool:
        """Speaks what a script answers; returns whether one did."""
        if said.turn == self._turn:
            self._scripts.take_back()
        self._turn = said.turn
        self._behind = None
        line = self._scripts.answer(said.words, self._now(level))
        if line is None:
            return False
        if line.behind:
            self._behind = line
            return False
        await self._speak(line, reply, said)
        return True

    def follows(self, moment: Moment) -> bool:
        """Whether something would be said behind the next answer, as far as is known before it."""
        due = self._reminders.choose(moment) is not None
        asks = self._asks_age(moment, self._answers + 1)
        return due or (asks and deepcopy(self._scripts).ask_age() is not None)

    async def follow(self, reply: Reply, said: Said, moment: Moment) -> None:
        """Speaks what belongs behind an answer, one thing at most."""
        self._answers += 1
        if (line := self._behind) is not None:
            self._behind = None
            await self._speak(line, reply, said)
        elif (reminder := self._reminders.choose(moment)) is not None:
            await self._remind(reminder, reply, said, moment)
        elif self._asks_age(moment, self._answers) and (line := self._scripts.ask_age()):
            await self._speak(line, reply, said)

    def moment(self, now: datetime, level: str, disclosed_at: datetime | None) -> Moment:
        """Gathers what the reminders may know. now, disclosed_at: aware."""
        return Moment(
            now=now,
            talked_s=(now - self._guest.started_at) / timedelta(seconds=1),
            disclosed_at=disclosed_at,
            local=self._local(now),
            minor=self._rights.minor,
            level=level,
            days_talked=self._guest.talk_days or None,
        )

    def _asks_age(self, moment: Moment, answers: int) -> bool:
        unknown = self._rights.minor is None
        return unknown and moment.level == "none" and answers >= ASKS_AGE_FROM

    async def _remind(self, reminder: Reminder, reply: Reply, said: Said, moment: Moment) -> None:
        if reminder.discloses and said.saying is not None:
            said.saying.discloses = True
        await reply.say(reminder.say)
        self._reminders.told(reminder, moment)

    async def _speak(self, line: Line, reply: Reply, said: Said) -> None:
        if said.saying is not None:
            said.saying.written = True
            said.saying.discloses = said.saying.discloses or line.discloses
        text = line.say
        if line.wish is not None:
            # Once it is begun it is done, even if the person speaks meanwhile.
            rows = await whole(self._rights.fulfil(said.turn, line.wish))
            text = line.failed if rows is None else line.told(rows)
        if text:
            await reply.say(text)

    def _local(self, now: datetime) -> datetime | None:
        return now.astimezone(self._zone) if self._zone is not None else None

    def _now(self, level: str) -> Now:
        return Now(
            level=level,
            consents=self._rights.consents,
            emotions=self._emotions,
            minor=self._rights.minor,
            plan=self._rights.plan,
            lines=self._lines,
            unsafe_at_home=self.unsafe_at_home,
        )
