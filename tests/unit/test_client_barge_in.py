"""Who has the word while a reply plays: scripted rooms, heard and played block by block."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from tadbot.v1 import companion_pb2 as pb
from tadbot.v1 import sound_pb2
from tadbot.v1.speech_to_text_pb2 import Transcript

from pi_client.barge_in import BargeIn
from pi_client.playout import Playout
from pi_client.reply import Heard

RATE = 16000
BLOCK = 512
BLOCK_S = BLOCK / RATE
DUCK, RESUME, STOP = pb.SpeakerControl.DUCK, pb.SpeakerControl.RESUME, pb.SpeakerControl.STOP
Done = pb.ReplyDone
Sound = np.ndarray


def at_dbfs(samples: Sound, dbfs: float) -> Sound:
    return samples * (32768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(samples**2)))


@cache
def speech(seconds: float, dbfs: float = -20.0, seed: int = 1) -> Sound:
    """Syllables of 0.1 to 0.25 s of a gliding voice, and 20 to 50 ms between them."""
    random = np.random.default_rng(seed)
    pieces: list[Sound] = []
    while sum(map(len, pieces)) < seconds * RATE:
        count = int(random.uniform(0.1, 0.25) * RATE)
        pitch = random.uniform(110, 220) * np.linspace(1, random.uniform(0.85, 1.15), count)
        phase = 2 * np.pi * np.cumsum(pitch) / RATE
        voice = sum(np.sin(n * phase + n) / n for n in range(1, 12))
        edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.01 * RATE)
        pieces += [voice * edge.clip(0, 1), np.zeros(int(random.uniform(0.02, 0.05) * RATE))]
    return at_dbfs(np.concatenate(pieces)[: round(seconds * RATE)], dbfs)


def words(count: int, word_s: float = 0.4, gap_s: float = 0.1) -> Sound:
    """Words of a steady voice that begin every half second, with silence after each."""
    way = np.arange(round(word_s * RATE)) / RATE
    word = at_dbfs(np.sign(np.sin(2 * np.pi * 200 * way)), -20.0)
    return np.tile(np.concatenate([word, np.zeros(round(gap_s * RATE))]), count)


def noise(seconds: float, dbfs: float, seed: int = 2) -> Sound:
    return at_dbfs(np.random.default_rng(seed).standard_normal(round(seconds * RATE)), dbfs)


def as_pcm(samples: Sound) -> bytes:
    return np.clip(np.rint(samples), -32768, 32767).astype("<i2").tobytes()


class Room:
    """A microphone, a speaker on its clock, and what the server says.

    echo_db: how much of the speaker the microphone hears, 50 ms later; None: nothing.
    """

    def __init__(self, echo_db: float | None = None) -> None:
        self.now = 0.0
        self.actions: list[tuple[str, float]] = []
        self.told: list[Heard] = []
        # The speaker is a block behind the microphone.
        self._blocks = [np.zeros(BLOCK)]
        self.playout = Playout(lambda: self.now)
        self._barge_in = BargeIn(self.playout, self._act)
        self._echo_db = echo_db
        self._quiet = np.random.default_rng(9)
        self._said: dict[int, Sound] = {}
        self.saw(opened=pb.Opened(reply_format=sound_pb2.AudioFormat(sample_rate_hertz=RATE)))

    def saw(self, turn: int = 1, revision: int = 0, **event: object) -> None:
        response = pb.ConverseResponse(turn=turn, revision=revision, **event)  # type: ignore[arg-type]
        self.playout.saw(response)
        self._barge_in.saw(response)

    def reply(self, samples: Sound, turn: int = 1, protected: bool = False) -> None:
        self.saw(turn, reply_text=pb.ReplyText(text="Words.", protected=protected))
        self.saw(turn, reply_audio=sound_pb2.AudioChunk(pcm=as_pcm(samples)))
        self.saw(turn, reply_done=Done(reason=Done.COMPLETE, sample_count=len(samples)))

    def control(self, action: int, turn: int = 1) -> None:
        self.saw(turn, speaker=pb.SpeakerControl(action=action))  # type: ignore[arg-type]

    def say(self, samples: Sound, at: float) -> None:
        """Lets the person, or the room, sound from a time on."""
        whole = round(at * RATE) + len(samples)
        for begin in range(0, whole, BLOCK):
            self._said.setdefault(begin, np.zeros(BLOCK))
        placed = np.zeros(-(-whole // BLOCK) * BLOCK)
        placed[whole - len(samples) : whole] = samples
        for index, block in enumerate(placed.reshape(-1, BLOCK)):
            self._said[index * BLOCK] += block

    def until(self, seconds: float) -> None:
        """Hears and plays until a time: judges a block, then gives out the next."""
        while self.now < seconds - 1e-9:
            first = round(self.now * RATE)
            self.now += BLOCK_S
            heard = self._said.get(first, np.zeros(BLOCK)) + self._quiet.normal(0, 8, BLOCK)
            if self._echo_db is not None:
                back = np.concatenate([np.zeros(800), *self._blocks[-3:]])
                heard += back[-BLOCK - 800 : -800] * 10 ** (self._echo_db / 20)
            block = np.clip(heard, -32768, 32767).astype(np.int16)
            self._barge_in.hear(first, block)
            self._blocks.append(self.playout.pull(BLOCK).astype(float))
            self.told += self.playout.reports()

    def until_action(self, action: str, within: float = 2.0) -> None:
        """Goes on until the client does something by itself."""
        end = self.now + within
        while not self.actions or self.actions[-1][0] != action:
            assert self.now < end, f"no {action}: {self.actions}"
            self.until(self.now + BLOCK_S)

    def silent_s(self) -> float:
        """For how long replies were held, as far as the client did it by itself."""
        ends = [*self.actions[1:], ("end", self.now)]
        pairs = zip(self.actions, ends[: len(self.actions)], strict=True)
        return sum(after - at for (action, at), (_, after) in pairs if action == "hold")

    def dbfs(self, begin_s: float, end_s: float) -> float:
        part = self.played[round(begin_s * RATE) : round(end_s * RATE)]
        return float(10 * np.log10(np.mean(part**2) / 32768**2 + 1e-10))

    @property
    def played(self) -> Sound:
        return np.concatenate(self._blocks)

    @property
    def names(self) -> list[str]:
        return [action for action, _ in self.actions]

    @property
    def finished(self) -> list[tuple[int, int, bool]]:
        done = [heard for heard in self.told if heard.finished]
        return [(heard.key[0], heard.sample_count, heard.complete) for heard in done]

    def _act(self, action: str, sample: int) -> None:
        assert sample == round(self.now * RATE)
        self.actions.append((action, sample / RATE))


PHASES = [place / RATE for place in range(0, BLOCK, 128)]
"""Places in a block at which something can begin."""


# A person speaks.


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("dbfs", [-30.0, -20.0, -10.0])
def test_the_reply_is_quieter_within_100_ms(phase: float, dbfs: float) -> None:
    room, begins = Room(), 20 * BLOCK_S + phase
    room.reply(at_dbfs(words(10, 0.5, 0.0), -26.0))
    room.say(speech(2.0, dbfs), begins)
    room.until(begins + 0.15)
    assert room.names == ["duck"]
    assert room.actions[0][1] - begins <= 0.1
    # The voice takes 10 ms to swell, and the reply 20 ms to become quieter without a click.
    assert room.dbfs(begins + 0.11, begins + 0.12) < -26.0 - 17.0


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_who_really_speaks_meets_silence_within_350_ms(phase: float, seed: int) -> None:
    room, begins = Room(), 20 * BLOCK_S + phase
    room.reply(speech(10.0, -26.0))
    room.say(speech(2.0, -20.0, seed), begins)
    room.until(begins + 1.0)
    assert room.names[:2] == ["duck", "hold"]
    assert not room.played[round((begins + 0.35) * RATE) : round((begins + 0.9) * RATE)].any()


@pytest.mark.parametrize("place", PHASES[::2])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_person_as_loud_as_the_playback_ducks_it_over_its_echo(place: float, seed: int) -> None:
    room = Room(echo_db=-12.0)
    room.reply(speech(10.0, -20.0, seed=5))
    room.say(speech(2.0, -20.0, seed), 2.0 + place)
    room.until(1.9)
    assert room.names == []
    room.until(2.0 + place + 0.2)
    assert room.names[0] == "duck"


@pytest.mark.parametrize("echo_db", [-12.0, -18.0, -24.0, -30.0])
@pytest.mark.parametrize("dbfs", [-26.0, -14.0])
def test_the_own_echo_never_ducks(echo_db: float, dbfs: float) -> None:
    room = Room(echo_db)
    room.reply(speech(10.0, dbfs, seed=3))
    room.until(11.0)
    assert room.names == []
    assert room.finished == [(1, 10 * RATE, True)]


# Something else sounds.


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("dbfs", [-26.0, -8.0])
def test_a_cough_of_150_ms_only_dips_and_the_reply_plays_on(phase: float, dbfs: float) -> None:
    room = Room()
    room.reply(words(6))
    room.say(noise(0.15, dbfs), 1.0 + phase)
    room.until(4.0)
    assert room.names == ["duck", "resume"]
    assert room.actions[1][1] - room.actions[0][1] < 0.5
    assert room.finished == [(1, 3 * RATE, True)]
    # Nothing came twice: the end comes as soon as without it.
    assert np.flatnonzero(room.played)[-1] < 3.1 * RATE


def test_after_a_cough_a_quieter_person_still_ducks() -> None:
    room = Room()
    room.reply(words(10))
    room.say(noise(0.15, -8.0), 1.0)
    room.say(speech(1.0, -22.0), 3.0)
    room.until(3.4)
    assert room.names == ["duck", "resume", "duck", "hold"]


@pytest.mark.parametrize("phase", PHASES[::2])
def test_a_click_is_not_noticed(phase: float) -> None:
    room = Room()
    room.reply(words(6))
    for number in range(4):
        room.say(noise(0.004, 0.0, seed=number), 0.5 + phase + number * 0.15)
    room.until(3.0)
    assert room.names == []


def clipped(seconds: float) -> Sound:
    return np.clip(noise(seconds, 10.0), -32768, 32767)


def steady(hertz: float, dbfs: float) -> Callable[[float], Sound]:
    def make(seconds: float) -> Sound:
        return at_dbfs(np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE), dbfs)

    return make


def music(beats_hertz: float, dbfs: float, depth: float = 1.0) -> Callable[[float], Sound]:
    """A chord that swells and dies with its beat."""

    def make(seconds: float) -> Sound:
        t = np.arange(round(seconds * RATE)) / RATE
        chord = sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 277.2, 329.6, 440.0))
        swell: Sound = chord * (1 - depth * (0.5 + 0.5 * np.cos(2 * np.pi * beats_hertz * t)))
        return at_dbfs(swell, dbfs)

    return make


def barking(on_s: float, off_s: float, dbfs: float) -> Callable[[float], Sound]:
    def make(seconds: float) -> Sound:
        sounding = np.arange(round(seconds * RATE)) % round((on_s + off_s) * RATE) < on_s * RATE
        barks: Sound = noise(seconds, dbfs) * sounding
        return barks

    return make


ROOMS = {
    "fan": lambda seconds: noise(seconds, -40.0),
    "vacuum cleaner": lambda seconds: noise(seconds, -15.0),
    "hum": steady(50.0, -20.0),
    "tone": steady(440.0, -30.0),
    "whistle": steady(2000.0, -10.0),
    "DC offset": lambda seconds: noise(seconds, -60.0) + 9000.0,
    "clipping": clipped,
    "slow music": music(0.5, -25.0),
    "music": music(1.0, -20.0),
    "music that never stops": music(2.0, -25.0, depth=0.8),
    "fast music": music(4.0, -15.0),
    "vibration": music(8.0, -30.0),
    "hammering": barking(0.15, 0.45, -10.0),
    "barking": barking(0.4, 0.8, -15.0),
    "howling": barking(0.8, 1.5, -15.0),
    "a bark now and then": barking(0.4, 6.0, -15.0),
}


@pytest.mark.parametrize("begins", [0.0, 3.0])
@pytest.mark.parametrize("kind", ROOMS)
def test_a_noisy_room_costs_two_seconds_of_thirty_at_most(kind: str, begins: float) -> None:
    room = Room()
    room.reply(words(70))
    room.say(ROOMS[kind](30.0 - begins), begins)
    room.until(30.0)
    assert room.silent_s() <= 2.0
    assert room.dbfs(20.0, 30.0) > -22.0


def test_noise_before_every_reply_holds_back_only_the_first_ones() -> None:
    room = Room()
    for turn in range(1, 13):
        room.say(noise(0.5, -15.0), room.now)
        room.until(room.now + 0.15)
        room.reply(words(2), turn=turn)
        room.until(room.now + 2.35)
    assert room.names[:2] == ["hold", "resume"]
    assert room.silent_s() <= 2.0
    assert room.finished == [(turn, RATE, True) for turn in range(1, 13)]


def test_a_person_is_heard_over_music_that_was_learnt() -> None:
    room = Room()
    room.reply(words(40))
    room.say(music(1.0, -35.0)(15.0), 0.0)
    room.say(speech(2.0, -18.0), 10.0)
    room.until(9.9)
    learnt = len(room.actions)
    room.until(10.6)
    assert room.names[learnt:] == ["duck", "hold"]


def test_a_person_who_is_understood_is_not_learnt_as_noise() -> None:
    room = Room()
    room.reply(words(50))
    for number in range(5):
        room.say(speech(0.5, -24.0, seed=number), 2.0 + 6 * number)
        room.say(noise(0.15, -8.0), 5.0 + 6 * number)
        room.until(4.0 + 6 * number)
        room.saw(transcript=Transcript(text="Well."))
        room.until(7.0 + 6 * number)
    assert room.names == ["duck", "hold", "resume", "duck", "resume"] * 5


# The client decides alone.


@pytest.mark.parametrize("speaks_s", [0.3, 0.5])
def test_without_the_servers_word_it_goes_on_when_the_voice_has_ended(speaks_s: float) -> None:
    room = Room()
    room.reply(words(10))
    room.say(speech(speaks_s), 1.0)
    room.until(3.0)
    assert room.names == ["duck", "hold", "resume"]
    ducked, _, resumed = (at for _, at in room.actions)
    assert 0.7 <= resumed - ducked <= 0.9


def test_without_the_servers_word_it_goes_on_after_1_2_s_and_stays_so() -> None:
    room = Room()
    room.reply(words(10))
    room.say(speech(5.0), 1.0)
    room.until(5.0)
    assert room.names == ["duck", "hold", "resume"]
    assert room.actions[2][1] - room.actions[0][1] <= 1.2


# The server's word.


def held_room(reply: Sound, speaks_s: float = 3.0, begins: float = 1.3) -> Room:
    """A person speaks from 1.3 s on, the reply is held, and the server has noticed."""
    room = Room()
    room.reply(reply)
    room.say(speech(speaks_s), begins)
    room.until(begins)
    room.until_action("hold")
    room.control(DUCK)
    return room


@pytest.mark.parametrize("begins", [0.1, 0.25, 0.45, 0.75, 1.2, 1.45, 1.7, 2.3])
def test_resume_plays_on_from_the_start_of_the_word(begins: float) -> None:
    reply = words(10)
    room = held_room(reply, 1.0, begins)
    room.until(room.now + 0.5)
    at = len(room.played)
    room.control(RESUME)
    room.until(room.now + 1.0)
    again = room.played[at:]
    # In the gap of 0.1 s the next word is the one.
    mark = round((room.actions[0][1] - BLOCK_S) * RATE)
    word = (mark + RATE // 10) // (RATE // 2) * (RATE // 2)
    # The first sample of a word is 0.
    begin = int(np.flatnonzero(again)[0]) - 1
    # The way up of 20 ms lies in the gap before it, whose end is found in windows of 10 ms.
    assert begin <= max(word - mark, 0) + 0.03 * RATE
    whole = reply[word : word + RATE // 2]
    assert np.abs(again[begin : begin + len(whole)] - whole).max() <= 1


def test_after_resume_the_same_speech_does_not_duck_and_new_speech_does() -> None:
    room = held_room(words(20), speaks_s=2.0)
    room.control(RESUME)
    room.say(speech(1.0), 4.0)
    room.until(3.9)
    assert room.names == ["duck", "hold"]
    room.until(4.4)
    assert room.names == ["duck", "hold", "duck", "hold"]


def test_the_server_is_waited_for_as_long_as_the_person_speaks_but_6_s() -> None:
    room = held_room(words(40), speaks_s=20.0)
    asked = room.now
    room.until(asked + 5.8)
    assert not room.played[-round(5.0 * RATE) :].any()
    room.until(asked + 6.5)
    assert room.names == ["duck", "hold", "resume"]
    assert room.actions[-1][1] - asked <= 6.0
    assert room.dbfs(room.now - 0.4, room.now) > -23.0


@pytest.mark.parametrize("speaks_s", [0.5, 1.0, 2.5])
def test_the_server_is_waited_for_1_5_s_after_the_voice(speaks_s: float) -> None:
    room = held_room(words(40), speaks_s)
    room.until(8.0)
    assert room.names == ["duck", "hold", "resume"]
    assert 1.3 <= room.actions[-1][1] - (1.3 + speaks_s) <= 1.5


def test_a_voice_that_only_the_server_hears_ducks_until_it_says_resume() -> None:
    room = Room()
    room.reply(words(10, 0.5, 0.0))
    room.until(1.0)
    room.control(DUCK)
    room.until(2.0)
    assert room.dbfs(1.2, 2.0) == pytest.approx(-38.0, abs=0.2)
    room.control(RESUME)
    room.until(3.0)
    assert room.dbfs(2.2, 3.0) == pytest.approx(-20.0, abs=0.2)
    assert room.names == []


def test_a_server_that_forgets_its_duck_is_not_waited_for() -> None:
    room = Room()
    room.reply(words(10))
    room.until(1.0)
    room.control(DUCK)
    room.until(4.0)
    assert room.names == ["resume"]
    assert room.actions[0][1] - 1.0 <= 1.6


def test_stop_while_held_drops_the_reply_and_the_next_one_is_at_full_gain() -> None:
    room = held_room(words(10), speaks_s=1.0)
    heard = round(room.actions[1][1] * RATE)
    room.until(2.2)
    room.control(STOP, turn=2)
    room.until(3.5)
    room.reply(words(4), turn=2)
    room.until(6.0)
    (first, second) = room.finished
    assert first[0] == 1
    assert first[1] == pytest.approx(heard - BLOCK, abs=2 * BLOCK)
    assert second == (2, 2 * RATE, True)
    assert room.dbfs(3.6, 3.9) == pytest.approx(-20.0, abs=0.3)
    assert room.names == ["duck", "hold"]


@pytest.mark.parametrize("action", [DUCK, RESUME, STOP])
def test_the_servers_word_without_a_reply_changes_nothing(action: int) -> None:
    room = Room()
    room.until(0.5)
    room.control(action, turn=0)
    room.until(1.0)
    room.reply(words(2))
    room.until(3.0)
    assert room.names == []
    assert room.finished == [(1, RATE, True)]
    assert np.flatnonzero(room.played)[-1] < 2.2 * RATE


def test_resume_of_a_reply_that_was_not_ducked_changes_nothing() -> None:
    room = Room()
    room.reply(words(10))
    room.until(1.0)
    room.control(RESUME)
    room.say(speech(1.0), 1.2)
    room.until(1.7)
    assert room.names == ["duck", "hold"]


def test_a_newer_revision_takes_the_place_of_a_held_reply() -> None:
    room = held_room(words(10), speaks_s=1.0)
    room.until(3.0)
    room.saw(1, revision=1, transcript=pb.ConverseResponse().transcript)
    room.saw(1, 1, reply_audio=sound_pb2.AudioChunk(pcm=as_pcm(words(2))))
    room.saw(1, 1, reply_done=Done(reason=Done.COMPLETE))
    room.until(4.5)
    assert room.finished[1] == (1, RATE, True)
    assert room.dbfs(3.1, 3.4) == pytest.approx(-20.0, abs=0.3)


# A reply that is about to begin.


@pytest.mark.parametrize("phase", PHASES[::2])
def test_a_reply_does_not_begin_while_the_person_speaks(phase: float) -> None:
    room = Room()
    room.say(speech(1.0), phase)
    room.until(0.5)
    room.reply(words(4))
    room.until(4.0)
    assert room.names == ["hold", "resume"]
    begin = np.flatnonzero(room.played)[0] / RATE
    assert 1.0 + phase + 0.1 <= begin <= 1.0 + phase + 0.3
    assert room.finished == [(1, 2 * RATE, True)]


def test_a_barge_in_before_the_first_sound_leaves_nothing_of_the_reply() -> None:
    room = Room()
    room.say(speech(2.0), 0.3)
    room.until(0.5)
    room.reply(words(4))
    room.until(0.8)
    room.control(DUCK)
    room.until(1.3)
    room.saw(1, reply_done=Done(reason=Done.INTERRUPTED))
    room.control(STOP, turn=2)
    room.until(3.0)
    assert not room.played.any()
    assert room.names == ["hold"]
    assert room.finished == [(1, 0, False)]


def test_a_reply_that_is_gated_waits_for_a_server_that_has_noticed() -> None:
    room = Room()
    room.say(speech(1.0), 0.0)
    room.until(0.5)
    room.reply(words(4))
    room.until(0.7)
    room.control(DUCK)
    room.until(2.0)
    assert not room.played.any()
    room.control(RESUME)
    room.until(4.5)
    assert room.names == ["hold"]
    assert np.flatnonzero(room.played)[0] / RATE < 2.0 + 2 * BLOCK_S
    assert room.finished == [(1, 2 * RATE, True)]


def test_a_voice_without_end_holds_a_reply_back_for_1_2_s_at_most() -> None:
    room = Room()
    room.say(speech(6.0), 0.0)
    room.until(2.0)
    room.reply(words(4))
    room.until(6.0)
    assert room.names == ["hold", "resume"]
    assert np.flatnonzero(room.played)[0] / RATE <= 2.0 + 1.2 + BLOCK_S


# A sentence that noise must not stop.


@pytest.mark.parametrize("noticed", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_protected_sentence_is_lowered_by_6_db_and_never_held(noticed: bool, seed: int) -> None:
    room = Room()
    room.reply(words(10, 0.5, 0.0), protected=True)
    room.say(speech(4.0, seed=seed), 1.0)
    room.until(1.3)
    if noticed:
        room.control(DUCK)
    room.until(6.0)
    assert "hold" not in room.names
    windows = room.played[BLOCK : 5 * RATE // BLOCK * BLOCK].reshape(-1, 256)
    loudness = 10 * np.log10(np.mean(windows**2, axis=1) / 32768**2)
    assert loudness.min() == pytest.approx(-26.0, abs=0.3)
    assert room.finished == [(1, 5 * RATE, True)]


def test_a_protected_sentence_begins_after_a_second_at_most() -> None:
    for noticed in (False, True):
        room = Room()
        room.say(speech(8.0), 0.0)
        room.until(1.0)
        room.reply(words(4), protected=True)
        if noticed:
            room.control(DUCK)
        room.until(4.5)
        assert np.flatnonzero(room.played)[0] / RATE <= 1.0 + 1.0 + BLOCK_S
        assert room.finished == [(1, 2 * RATE, True)]


def test_stop_ends_a_protected_sentence() -> None:
    room = Room()
    room.reply(words(10), protected=True)
    room.until(1.0)
    at = len(room.played)
    room.control(STOP, turn=2)
    room.until(2.0)
    assert room.played[at - BLOCK : at].any()
    assert not room.played[at:].any()


# Many times.


@pytest.mark.parametrize("ending", [RESUME, STOP])
def test_twenty_interruptions_in_a_row_are_all_the_same(ending: int) -> None:
    room = Room()
    for turn in range(1, 21):
        begins = room.now + 0.6
        room.reply(words(3), turn=turn)
        room.say(speech(0.6, seed=turn), begins)
        seen = len(room.actions)
        room.until(begins + 0.35)
        assert room.names[seen:] == ["duck", "hold"]
        assert not room.played[-BLOCK:].any()
        room.control(DUCK)
        room.until(begins + 0.9)
        room.control(ending, turn=turn)
        room.until(begins + 3.0)
        assert room.names[seen:] == ["duck", "hold"]
    assert [turn for turn, _, _ in room.finished] == list(range(1, 21))
    assert {complete for _, _, complete in room.finished} == {ending == RESUME}
    assert room.playout.playing() is None


def test_twenty_sounds_in_a_row_that_no_server_notices_lose_nothing() -> None:
    room = Room()
    for turn in range(1, 21):
        room.reply(words(3), turn=turn)
        room.say(speech(0.6, seed=turn), room.now + 0.6)
        room.until(room.now + 3.6)
    assert room.finished == [(turn, 3 * RATE // 2, True) for turn in range(1, 21)]
    assert room.silent_s() <= 2.0


@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_a_reply_ends_once_and_counts_no_more_than_came(seed: int) -> None:
    random = np.random.default_rng(seed)
    room = Room(echo_db=float(random.choice([-14.0, -30.0])))
    sizes = {}
    for turn in range(1, 5):
        reply = speech(float(random.uniform(0.3, 3.0)), -22.0, seed=seed * 10 + turn)
        sizes[turn] = len(reply)
        room.reply(reply, turn=turn, protected=bool(random.random() < 0.2))
        for _ in range(6):
            if random.random() < 0.6:
                said = speech(float(random.uniform(0.05, 1.0)), seed=turn)
                room.say(said, room.now + float(random.uniform(0.0, 0.3)))
            if random.random() < 0.5:
                action = int(random.choice([DUCK, RESUME, STOP], p=[0.5, 0.4, 0.1]))
                room.control(action, turn)
            room.until(room.now + float(random.uniform(0.1, 0.7)))
    room.until(room.now + 40.0)
    assert [turn for turn, _, _ in room.finished] == [1, 2, 3, 4]
    assert all(0 <= count <= sizes[turn] for turn, count, _ in room.finished)
    assert all(count == sizes[turn] for turn, count, complete in room.finished if complete)
    assert not room.playout.waiting
