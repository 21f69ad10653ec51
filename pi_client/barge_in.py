"""Gives way to a person who speaks over a reply; it does not know what they say.

By level alone the reply becomes quiet at once and silent soon after; what becomes of it the
server says, which knows speech. Where the server says nothing it was noise. Its clock is the
count of the microphone's samples.
"""

from collections.abc import Callable

from tadbot.v1 import companion_pb2 as pb

from pi_client.playout import Manner, Playing, Playout
from pi_client.reply import Key
from pi_client.sound import BLOCK_SAMPLES, SAMPLE_RATE_HERTZ, Samples
from pi_client.voice_level import STRETCH_ENDS_SAMPLES, VoiceLevel


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HERTZ)


# A reply does not begin when there was voice as short a time ago: between two syllables.
_GATE_SAMPLES = _samples(0.13)
# But a safety sentence waits only so long.
_PROTECTED_GATE_SAMPLES = _samples(1.0)
# A reply that gives way stays audible for so long, so that a word can be heard to break off.
_DUCKED_SAMPLES = _samples(0.128)
# The server's voice activity needs about 300 ms, and the network some. If it has noticed no
# speech by then, the client decides; at the latest after 1.2 s.
_SERVER_NOTICES_SAMPLES = _samples(0.7)
_ALONE_SAMPLES = _samples(1.2)
# A server that has noticed speech is waited for, so long after its word, and after the voice.
_SERVER_DECIDES_SAMPLES = _samples(6.0)
_AFTER_VOICE_SAMPLES = _samples(1.5)
# Sounds that were nothing and made a reply give way for so long, all together, are a noise of this
# room. The last one comes on top, so a noisy room costs 2 s at most: 0.9 s and 1.1 s of silence.
_NOISE_SAMPLES = _samples(1.0)


class BargeIn:
    """Judges each block of the microphone and tells the playout how to play.

    playout: what it drives. tell: is told what the client does by itself ("duck", "hold",
    "resume"), and the microphone's sample.
    """

    def __init__(self, playout: Playout, tell: Callable[[str, int], None]) -> None:
        self._playout = playout
        self._tell = tell
        self._voice = VoiceLevel()
        self._now = 0
        # What plays, how, since when it gives way, and when the server noticed speech.
        self._key: Key | None = None
        self._manner = Manner.FULL
        self._since = 0
        self._noticed_at: int | None = None
        # Whether the stretch of speech that goes on is known to be nothing.
        self._waived = False
        # For how long it gave way to nothing since speech was heard.
        self._for_nothing = 0

    def hear(self, first_sample: int, block: Samples) -> None:
        """Takes the microphone's next block, before the speaker pulls its own."""
        self._now = first_sample + len(block)
        self._voice.hear(first_sample, block, self._playout.loudest_dbfs())
        if self._voice.absent_samples >= STRETCH_ENDS_SAMPLES:
            self._waived = False
        if (playing := self._look()) is not None:
            self._judge(playing)
        self._drive()

    def saw(self, response: pb.ConverseResponse) -> None:
        """Takes the server's word, after the playout did."""
        match response.WhichOneof("event"):
            case "transcript" if response.transcript.text:
                self._mind_speech()
            case "speaker":
                self._obey(response.speaker.action)

    def _obey(self, action: pb.SpeakerControl.Action.ValueType) -> None:
        match action:
            case pb.SpeakerControl.DUCK:
                self._mind_speech()
                if (playing := self._look()) is not None:
                    self._heed(playing)
                    self._drive()
            case pb.SpeakerControl.RESUME if self._manner is not Manner.FULL:
                self._go_on()
                self._drive()
            case pb.SpeakerControl.STOP:
                self._mind_speech()

    def _heed(self, playing: Playing) -> None:
        self._waived = False
        if self._noticed_at is None:
            self._noticed_at = self._now
        if self._manner is Manner.FULL:
            gated = not playing.begun and self._voice.absent_samples < _GATE_SAMPLES
            self._manner = Manner.HELD if gated else Manner.DUCKED
            self._since = self._now

    def _mind_speech(self) -> None:
        """The server hears speech, so what was learnt may be this person's voice."""
        self._voice.forget()
        self._for_nothing = 0

    def _look(self) -> Playing | None:
        """Returns what plays; another reply than before knows nothing of what went before."""
        playing = self._playout.playing()
        key = None if playing is None else playing.key
        if key != self._key:
            self._key, self._manner, self._noticed_at = key, Manner.FULL, None
        return playing

    def _drive(self) -> None:
        there = self._voice.absent_samples < _GATE_SAMPLES
        self._playout.play(self._manner, may_begin=self._waived or not there)

    def _judge(self, playing: Playing) -> None:
        if self._manner is Manner.FULL:
            self._give_way(playing)
        elif self._manner is Manner.HELD and not playing.begun and self._may_begin():
            self._note_nothing()
            self._do(Manner.FULL, "resume")
        elif self._waited_enough(playing):
            self._note_nothing()
            self._go_on()
            self._tell("resume", self._now)
        elif self._must_hold(playing):
            self._do(Manner.HELD, "hold")

    def _give_way(self, playing: Playing) -> None:
        if self._waived:
            return
        if playing.begun and self._voice.speaking:
            self._since = self._now
            self._do(Manner.DUCKED, "duck")
        elif not playing.begun and self._voice.absent_samples < _GATE_SAMPLES:
            # It may have come a block ago.
            self._since = self._now - BLOCK_SAMPLES
            self._do(Manner.HELD, "hold")

    def _must_hold(self, playing: Playing) -> bool:
        if self._manner is not Manner.DUCKED or playing.protected:
            return False
        return self._voice.lasting and self._now - self._since >= _DUCKED_SAMPLES

    def _may_begin(self) -> bool:
        return self._noticed_at is None and self._voice.absent_samples >= _GATE_SAMPLES

    def _waited_enough(self, playing: Playing) -> bool:
        """Whether the client goes on by itself; a limit is kept to the block before it."""
        waited, absent = self._now - self._since, self._voice.absent_samples
        if playing.protected and not playing.begun and _reached(waited, _PROTECTED_GATE_SAMPLES):
            return True
        if self._noticed_at is not None:
            noticed = self._now - self._noticed_at
            return _reached(noticed, _SERVER_DECIDES_SAMPLES) or _reached(
                min(absent, waited), _AFTER_VOICE_SAMPLES
            )
        if absent >= STRETCH_ENDS_SAMPLES:
            # What was only ducked lost nothing, and can be ducked again.
            return self._manner is Manner.DUCKED or waited >= _SERVER_NOTICES_SAMPLES
        return _reached(waited, _ALONE_SAMPLES)

    def _note_nothing(self) -> None:
        """Counts what no server noticed; too much of it is learnt as the room's noise."""
        if self._noticed_at is None:
            self._for_nothing += self._now - self._since
            if self._for_nothing >= _NOISE_SAMPLES:
                self._voice.learn()

    def _go_on(self) -> None:
        self._manner, self._noticed_at, self._waived = Manner.FULL, None, True

    def _do(self, manner: Manner, action: str) -> None:
        self._manner = manner
        self._tell(action, self._now)


def _reached(samples: int, limit: int) -> bool:
    """Whether a limit would be passed before the next block is judged."""
    return samples + BLOCK_SAMPLES > limit
