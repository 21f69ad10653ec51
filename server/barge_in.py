"""Speech over a reply, from its first sound until it is known what it is; it knows no turns."""

from server.engines import Heard
from server.hearing import Foreseen, Hearing, Utterance
from server.interruption import Over, Verdict, is_echo, verdict
from server.safety import Assessment
from server.speaking import Saying, Speaking

COMPARED_S = 0.4
"""Newest sound that is compared with the reply's own: what made speech begin."""
COMPARED_LONG_S = 2.0
"""The same once there are words."""
ASKED_AHEAD = 0.8
"""Share of a reply heard from which the question at its end counts as asked."""


class BargeIn:
    """Decides who has the word while a reply sounds."""

    def __init__(self, hearing: Hearing, speaking: Speaking) -> None:
        self._hearing = hearing
        self._speaking = speaking
        self._over: Saying | None = None
        self.at = 0
        """Sample at which the speech began."""

    @property
    def open(self) -> bool:
        """Whether somebody speaks over a reply, and it is not known yet what that is."""
        return self._over is not None

    async def begin(self, saying: Saying, at: int, turn: int) -> None:
        """Takes speech that begins while a reply sounds."""
        if self._speaking.comes_back(self._hearing.newest(COMPARED_S)):
            self._hearing.drop()
            return
        self._over, self.at = saying, at
        self._hearing.closely = True
        await self._speaking.duck(turn)

    def judge_look(self, look: Foreseen, danger: Assessment) -> Verdict:
        """Decides by words that were looked for, in mid-speech or in a pause."""
        if look.paused and self._speaking.comes_back(self._hearing.newest(COMPARED_LONG_S)):
            return Verdict.NOTHING
        return self._judge(look.words, look.voiced_s, danger, paused=look.paused)

    def judge(self, words: Heard, utterance: Utterance, danger: Assessment) -> Verdict:
        """Decides by all words, once the speech is over."""
        return self._judge(words, utterance.voiced_s, danger, paused=True)

    def _judge(self, words: Heard, voiced_s: float, danger: Assessment, *, paused: bool) -> Verdict:
        saying = self._over
        if saying is None:
            return Verdict.INTERRUPTION
        spoken = saying.reply.text
        ended = saying.settled and not saying.interrupted
        mine = bool(words.text) and not is_echo(words.text, spoken)
        if paused and mine and (ended or danger.level != "none"):
            # Danger takes the floor, and so does what outlasts the reply: it is waited for now.
            return Verdict.INTERRUPTION
        asked = spoken.endswith("?") and (saying.heard_fraction >= ASKED_AHEAD or ended)
        asked = asked or "?" in saying.heard
        return verdict(Over(words, voiced_s, paused, spoken, asked))

    async def let_go(self, turn: int) -> None:
        """It was nothing: the reply goes on."""
        self.close()
        await self._speaking.resume(turn)

    def close(self) -> None:
        """It is known what it was."""
        self._over = None
        self._hearing.closely = False
