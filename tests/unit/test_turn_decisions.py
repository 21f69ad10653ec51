"""Scripted cases of turn-taking, from windows of voice and words to what is decided; seeded.

What is expected stands in tables written by hand, from what a person may expect: never cut off
in a short pause, never in mid-sentence, never stopped from stopping.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest

from server.engines import SAMPLE_RATE_HERTZ, VOICE_WINDOW, Heard
from server.hearing import PAUSE_WINDOWS
from server.interruption import Over, Verdict, verdict, went_on
from server.patience import Patience, Pause
from server.turn_taking import ONSET_SPAN, ONSET_WINDOWS, Nearness, TurnTaking

WINDOW_S = VOICE_WINDOW / SAMPLE_RATE_HERTZ
NOT_YET, NOTHING, INTERRUPTION = Verdict.NOT_YET, Verdict.NOTHING, Verdict.INTERRUPTION
COUGH_WINDOWS = 5
"""Voiced windows of the longest cough that Silero takes for speech: 160 ms."""
SILENCE_S = 12.0
"""Silence at the end of a script: longer than anybody is waited for."""


def heard(text: str, ends: float | None, goes_on: float, fade: float) -> Pause:
    return Pause(Heard(text, "en", ends, goes_on, 0.7), fade)


# What was said before a pause: its words, the probabilities of an end mark and of a comma after
# them, and the fading of the voice in decibels.
SAID: dict[str, list[Pause]] = {
    "sure": [
        heard("I slept badly last night.", 0.95, 0.02, 21),
        heard("My brother left in March.", 0.9, 0.05, 17),
        heard("I don't want to talk about it.", 0.97, 0.01, 24),
        heard("What do you think I should do?", 0.93, 0.02, 16),
        heard("Who was that for?", 0.9, 0.03, 18),
        heard("Do you know what it is like?", 0.96, 0.01, 17),
        heard("No.", 0.8, 0.1, 19),
        heard("Yes, I am.", 0.95, 0.02, 20),
        heard("I think so.", 0.9, 0.04, 22),
        heard("I can't go on.", 0.97, 0.01, 20),
        heard("It was in 1955.", 0.85, 0.05, 18),
        heard("Thank you, that helps.", 0.98, 0.0, 25),
    ],
    "likely": [
        heard("I went home.", 0.6, 0.2, 12),
        heard("We used to talk.", 0.5, 0.1, 13),
        heard("I do not sleep.", 0.35, 0.25, 15),
        heard("They moved away", 0.2, 0.1, 16),
        heard("It feels", 0.02, 0.02, 22),
        heard("I wanted to call her,", 0.1, 0.7, 12),
        heard("It was by the sea,", 0.05, 0.5, 15),
    ],
    "unsure": [
        heard("My mother is ill.", 0.7, 0.15, 10),
        heard("I feel better.", 0.9, 0.05, 9),
        heard("I stayed in bed.", 0.5, 0.05, 11),
        heard("I keep thinking", 0.5, 0.01, 11),
    ],
    "phrase": [
        heard("When my brother left,", 0.03, 0.9, 8),
        heard("Last week,", 0.02, 0.8, 6),
        heard("After the funeral,", 0.05, 0.7, 11),
        heard("I stayed in bed all day.", 0.3, 0.5, 11),
    ],
    # A recogniser writes a full stop after anything, and may be sure of it.
    "open": [
        heard("I have been feeling low because.", 0.9, 0.02, 22),
        heard("My sister and.", 0.8, 0.05, 20),
        heard("I feel like.", 0.9, 0.02, 21),
        heard("I went to the.", 0.6, 0.01, 18),
        heard("It is about my.", 0.7, 0.02, 25),
        heard("I wanted to call her but I.", 0.9, 0.01, 19),
        heard("And then he's.", 0.85, 0.05, 20),
        heard("I don't know if they're.", 0.8, 0.02, 20),
        heard("I won't go unless.", 0.75, 0.03, 22),
        heard("I was walking with.", 0.9, 0.02, 21),
        heard("She told me that she was.", 0.9, 0.02, 23),
        heard("He is older than.", 0.85, 0.02, 20),
        heard("I don't know whether.", 0.9, 0.02, 24),
        heard("I think that…", 0.4, 0.1, 20),
        heard("It was –", 0.4, 0.1, 20),
        heard("There was a", 0.05, 0.0, 3),
        heard("Well,", 0.05, 0.85, 14),
        heard("You know.", 0.8, 0.1, 20),
        heard("I am not.", 0.8, 0.1, 20),
        heard("I am tired of being.", 0.8, 0.1, 20),
        heard("We used to talk every night after.", 0.5, 0.02, 17),
        heard("I want to get better, but it.", 0.8, 0.03, 20),
    ],
    "hesitation": [
        heard("I, um.", 0.9, 0.05, 20),
        heard("So, uh, I was, um,", 0.3, 0.4, 18),
        heard("It's, you know, um...", 0.7, 0.1, 20),
        heard("And, erm.", 0.8, 0.1, 20),
        heard("Uhh.", 0.8, 0.1, 22),
    ],
    "broken off": [
        heard("I have a headache most.", 0.08, 0.05, 6),
        heard("They moved away to another.", 0.02, 0.01, 4),
        heard("I am tired of being.", 0.1, 0.03, 8),
        heard("I keep thinking.", 0.15, 0.1, 5),
        heard("I lost my job when the shop", 0.01, 0.0, 7),
    ],
}
PAUSES_S = (0.3, 0.7, 1.5, 3.0, 4.0)
WAITS, OVER, FREE = "waits", "over", "free"
EXPECTED = {
    "sure": (WAITS, FREE, OVER, OVER, OVER),
    "likely": (WAITS, WAITS, FREE, OVER, OVER),
    "unsure": (WAITS, WAITS, WAITS, OVER, OVER),
    "phrase": (WAITS, WAITS, WAITS, OVER, OVER),
    "open": (WAITS, WAITS, WAITS, WAITS, OVER),
    "hesitation": (WAITS, WAITS, WAITS, WAITS, OVER),
    "broken off": (WAITS, WAITS, WAITS, WAITS, OVER),
}
"""What a pause is taken for at the normal pace, by its length."""
ANSWERED_BY_S = {
    "sure": 0.6,
    "likely": 1.4,
    "unsure": 2.3,
    "phrase": 2.3,
    "open": 4.0,
    "hesitation": 4.0,
    "broken off": 4.0,
}
EVERY_SAID = [(kind, pause) for kind, every in SAID.items() for pause in every]
PEOPLE = [("normal", False), ("quick", False), ("slow", False), ("normal", True), ("slow", True)]


def named(value: object) -> str | None:
    return value.heard.text if isinstance(value, Pause) else None


def person(pace: str = "normal", troubled: bool = False) -> Patience:
    patience = Patience(0.8, pace)
    patience.troubled = troubled
    return patience


def voice(random: Random, seconds: float) -> list[float]:
    """Probabilities of speech, now and then in doubt."""
    count = round(seconds / WINDOW_S)
    inside = [random.choice((0.4, 0.6, 0.8, 0.95, 0.99)) for _ in range(count)]
    return [0.9] * ONSET_WINDOWS + inside[2 * ONSET_WINDOWS :] + [0.9] * ONSET_WINDOWS


def quiet(random: Random, seconds: float, clicks: bool = False) -> list[float]:
    """Probabilities of speech in a pause, with doubts, and with clicks if asked for."""
    count = round(seconds / WINDOW_S)
    found = [random.choice((0.0, 0.05, 0.2, 0.3)) for _ in range(count)]
    for place in range(2, count - 2, 5):
        found[place] = 0.95 if clicks else 0.45
    return found


def pauses_taken_for_over(
    patience: Patience, pause: Pause, script: list[float]
) -> list[tuple[int, float]]:
    """Feeds windows as hearing does, and lists the pauses that were taken for the end.

    Each pause is judged by the same words. Returns the window that ended a turn, and the silence
    before it in seconds.
    """
    turns = TurnTaking(patience.first_s(), 60)
    found = []
    for place, probability in enumerate(script):
        judged = turns.silent_windows >= PAUSE_WINDOWS
        change = turns.feed(probability)
        if change is not None and change.kind == "over":
            found.append((place, (turns.position - change.at) / SAMPLE_RATE_HERTZ))
        elif turns.silent_windows == PAUSE_WINDOWS:
            turns.wait_for(patience.seconds(pause))
        elif judged and turns.speaking and not turns.silent_windows:
            patience.went_on(turns.bridged_s, taken_for_over=False)
            turns.wait_for(patience.first_s())
    return found


def cut_off(patience: Patience, pause: Pause, pause_s: float, seed: int = 0) -> bool:
    """Whether a person who goes on after a pause was taken to be done in it."""
    random = Random(seed)
    before = voice(random, 1.5) + quiet(random, pause_s)
    script = before + voice(random, 1.5) + quiet(random, SILENCE_S)
    over = pauses_taken_for_over(patience, pause, script)
    assert over[-1][0] > len(before), "the end of all was not noticed"
    return len(over) > 1


def answered_after_s(patience: Patience, pause: Pause, clicks: bool = False) -> float:
    """Silence after which a person is taken to be done, in seconds."""
    random = Random(len(pause.heard.text))
    script = voice(random, 1.5) + quiet(random, SILENCE_S, clicks)
    ((_, silent_s),) = pauses_taken_for_over(patience, pause, script)
    return silent_s


def by_table() -> Iterator[tuple[str, Pause, float, bool]]:
    for kind, pause in EVERY_SAID:
        for pause_s, expected in zip(PAUSES_S, EXPECTED[kind], strict=True):
            if expected != FREE:
                yield kind, pause, pause_s, expected == OVER


@pytest.mark.parametrize(("kind", "pause", "pause_s", "over"), [*by_table()], ids=named)
def test_a_pause_is_taken_for_what_it_is(
    kind: str, pause: Pause, pause_s: float, over: bool
) -> None:
    seed = len(pause.heard.text)
    assert cut_off(person(), pause, pause_s, seed) is over


@pytest.mark.parametrize(("kind", "pause"), EVERY_SAID, ids=named)
def test_nobody_is_cut_off_for_being_quick(kind: str, pause: Pause) -> None:
    for pause_s, expected in zip(PAUSES_S, EXPECTED[kind], strict=True):
        if expected == WAITS and pause_s <= 1.5:
            assert not cut_off(person("quick"), pause, pause_s)


@pytest.mark.parametrize(("kind", "pause"), EVERY_SAID, ids=named)
def test_an_answer_comes_as_soon_as_it_may(kind: str, pause: Pause) -> None:
    assert answered_after_s(person(), pause) <= ANSWERED_BY_S[kind]


@pytest.mark.parametrize(("kind", "pause"), EVERY_SAID, ids=named)
def test_who_is_slow_or_troubled_is_given_more_time_and_who_is_quick_less(
    kind: str, pause: Pause
) -> None:
    waits = {who: answered_after_s(person(*who), pause) for who in PEOPLE}
    assert waits["quick", False] < waits["normal", False] < waits["slow", False]
    assert waits["normal", False] < waits["normal", True] < waits["slow", True] < 10


@pytest.mark.parametrize(("kind", "pause"), EVERY_SAID, ids=named)
def test_clicks_in_a_pause_neither_shorten_nor_lengthen_it(kind: str, pause: Pause) -> None:
    clean, clicking = (answered_after_s(person(), pause, clicks) for clicks in (False, True))
    assert clicking == pytest.approx(clean, abs=1.5 * WINDOW_S)


@pytest.mark.parametrize("pause_s", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("text", ["I slept badly", "I was there", "um", "Well,", "I feel like"])
def test_a_recogniser_that_does_not_judge_cuts_nobody_off_in_a_short_pause(
    text: str, pause_s: float
) -> None:
    assert not cut_off(person(), heard(text, None, 0.0, 12), pause_s)


@pytest.mark.parametrize("seed", range(12))
def test_who_pauses_long_is_waited_for_the_next_time(seed: int) -> None:
    random = Random(seed)
    pause_s = random.uniform(1.0, 2.0)
    patience = person()
    opening, likely = SAID["open"][seed], SAID["likely"][seed % len(SAID["likely"])]
    script = voice(random, 1)
    for _ in range(4):
        script += quiet(random, pause_s * random.uniform(0.9, 1.1)) + voice(random, 1)
    assert pauses_taken_for_over(patience, opening, script) == []
    assert not cut_off(patience, likely, pause_s, seed)


@pytest.mark.parametrize("pause", SAID["sure"], ids=named)
def test_who_was_answered_too_soon_is_not_the_next_time(pause: Pause) -> None:
    patience = person()
    assert cut_off(patience, pause, 0.8)
    patience.went_on(0.8, taken_for_over=True)
    assert not cut_off(patience, pause, 0.8)


# Sounds that are no speech.


@pytest.mark.parametrize("seed", range(30))
def test_coughs_begin_no_utterance(seed: int) -> None:
    random = Random(seed)
    script = []
    for _ in range(40):
        script += [random.uniform(0.5, 1)] * random.randint(1, COUGH_WINDOWS)
        script += [random.uniform(0, 0.45) for _ in range(random.randint(ONSET_SPAN, 60))]
    turns = TurnTaking(0.8, 30)
    assert [turns.feed(probability) for probability in script] == [None] * len(script)


@pytest.mark.parametrize("seed", range(10))
def test_a_cough_in_a_pause_makes_no_second_turn(seed: int) -> None:
    random = Random(seed)
    turns = TurnTaking(0.8, 30)
    cough = [0.9] * random.randint(2, COUGH_WINDOWS)
    script = voice(random, 1) + quiet(random, random.uniform(0.2, 2)) + cough + quiet(random, 3)
    kinds = [change.kind for change in map(turns.feed, script) if change]
    assert kinds == ["started", "over"]


@pytest.mark.parametrize("seed", range(10))
def test_endless_sound_is_cut_into_turns_of_bounded_length(seed: int) -> None:
    random = Random(seed)
    longest_s = random.uniform(5, 30)
    turns = TurnTaking(3.4, longest_s)
    changes = [turns.feed(random.uniform(0.36, 1)) for _ in range(10_000)]
    cuts = [change.at for change in changes if change and change.kind == "cut"]
    lengths = [(b - a) / SAMPLE_RATE_HERTZ for a, b in pairwise(cuts)]
    assert len(cuts) >= 10_000 * WINDOW_S // (longest_s + 1)
    assert max(lengths) <= longest_s + ONSET_SPAN * WINDOW_S + 1


@pytest.mark.parametrize("seed", range(10))
def test_a_television_opens_no_turn_and_a_whisper_does(seed: int) -> None:
    random = Random(seed)
    own_db = random.uniform(-45, -15)
    nearness = Nearness()
    for _ in range(30):
        assert not nearness.is_far(own_db + random.uniform(-6, 6))
        nearness.spoke(own_db + random.uniform(-3, 3))
        assert nearness.is_far(own_db - random.uniform(30, 50))
        assert not nearness.is_far(own_db - random.uniform(15, 20))


# Speech over a reply.

REPLIES = [
    "That sounds really hard. You have been carrying this for a long time. What do you think"
    " would help you a little tonight?",
    "I hear you. It is not easy to talk about your mother. Do you want to tell me what happened"
    " next?",
    "It makes sense that you are tired. Sleep is hard when the mind does not rest. How long has"
    " it been like this?",
    "You can call the Samaritans at 116 123, at any time of the day or the night. They are free,"
    " and they listen. Are you safe right now?",
    "Maybe we can breathe together for a moment. Breathe in slowly, and then let it go. Do you"
    " feel your feet on the floor?",
]
LISTENING = [
    *["Mm-hm.", "Mm.", "Hmm.", "Mmm-hmm.", "Uh-huh.", "Yeah.", "Yeah, yeah.", "Yes.", "Okay."],
    *["OK.", "Right.", "Sure.", "I see.", "Oh.", "Ah, okay.", "Oh, I see.", "Oh, wow.", "Really?"],
    *["All right.", "Alright.", "Of course.", "Got it.", "Go on.", "I know.", "That's right."],
    *["That's true.", "Makes sense.", "Yep.", "Exactly.", "True.", "Haha.", "Mm, yeah.", "Aha."],
]
NOISES = [
    *["", ".", "You", "you", "Thank you.", "Thank you very much.", "Thanks for watching!", "Bye."],
    *["Thank you for watching.", "Bye-bye.", "The", "...", "(coughs)", "[cough]", "*coughs*", "♪♪"],
    *["Oh.", "Uh", "Hmm."],
]
STOPPING = [
    *["Stop.", "Stop it!", "Please stop.", "Wait.", "Wait, wait.", "Hold on.", "No.", "No, no."],
    *["No, that is not what I mean.", "No, I can't.", "Hang on a second.", "Excuse me.", "Listen."],
    *["But I tried that.", "Be quiet.", "Shut up.", "Help.", "Help me.", "What?", "Sorry?"],
    *["Okay, stop.", "Yeah, but it's not.", "Mm, no.", "Oh no, wait."],
]
SAYING = [
    *["I don't want to talk about it.", "Can I say something?", "My brother died yesterday."],
    *["I feel so alone.", "What do you mean?", "That is not it.", "Yeah, I tried that last year."],
    *["Let me tell you something.", "It is not like that.", "I can't sleep.", "How do you know?"],
    *["I want to die.", "Who are you?", "Could you repeat that?", "Two years.", "He hit me."],
]
ANSWERING = [
    *["Yes.", "Yeah.", "No.", "Not really.", "Okay.", "Sure.", "Maybe.", "I do.", "Yes, I do."],
    *["Yes, I am.", "Of course.", "Right.", "Fine.", "No, I don't.", "Good.", "Yes, please."],
]


@dataclass(frozen=True)
class Case:
    """Speech over one of REPLIES, and what it is."""

    text: str
    expected: Verdict
    paused: bool = True
    voiced_s: float = 0.5
    certainty: float | None = 0.6
    asked: bool = False

    def __str__(self) -> str:
        return f"{self.text} {'.' if self.paused else '~'} {self.voiced_s}"


def over_replies() -> Iterator[Case]:
    for text in LISTENING:
        yield Case(text, NOTHING)
        yield Case(text, NOTHING, certainty=None, voiced_s=1.2)
        yield Case(text, NOT_YET, paused=False)
    for text in NOISES:
        yield Case(text, NOTHING, voiced_s=0.3, certainty=0.2)
        yield Case(text, NOTHING, voiced_s=1.0, certainty=0.5)
        yield Case(text, NOT_YET, paused=False, voiced_s=0.3, certainty=0.3)
    for text in ["So.", "Huff.", "Tough.", "Ugh.", "Could.", "I'm going to.", "Nope."]:
        yield Case(text, NOTHING, voiced_s=0.3, certainty=0.2)
    for text in STOPPING:
        yield Case(text, INTERRUPTION, voiced_s=0.3)
        yield Case(text, INTERRUPTION, voiced_s=0.6, paused=False)
        yield Case(text, INTERRUPTION, voiced_s=0.2, certainty=0.1)
        yield Case(text, INTERRUPTION, certainty=None, asked=True)
    for text in SAYING:
        yield Case(text, INTERRUPTION, voiced_s=0.9)
        yield Case(text, INTERRUPTION, voiced_s=1.5, paused=False, certainty=0.3)
        yield Case(text, INTERRUPTION, voiced_s=2.5, certainty=None, asked=True)
    for text in ANSWERING:
        yield Case(text, INTERRUPTION, asked=True)


@pytest.mark.parametrize("case", [*over_replies()], ids=str)
def test_speech_over_a_reply_is_what_its_words_say(case: Case) -> None:
    said = Heard(case.text, certainty=case.certainty)
    for reply in REPLIES:
        over = Over(said, case.voiced_s, case.paused, reply, case.asked)
        assert verdict(over) is case.expected


def misheard(random: Random, words: list[str]) -> list[str]:
    """Replaces, drops or adds one word in six."""
    words = list(words)
    for place in sorted(random.sample(range(len(words)), len(words) // 6), reverse=True):
        other = random.choice(["a", "the", "you", "here", "now", "in", "there", "mother"])
        match random.randrange(3):
            case 0:
                words[place] = other
            case 1:
                del words[place]
            case 2:
                words.insert(place, other)
    return words


@pytest.mark.parametrize("seed", range(30))
def test_the_reply_come_back_stops_nothing(seed: int) -> None:
    random = Random(seed)
    reply = random.choice(REPLIES)
    every = reply.split()
    count = random.randint(3, 14)
    first = random.randrange(len(every) - count + 1)
    text = " ".join(misheard(random, every[first : first + count]))
    for paused in (True, False):
        over = Over(Heard(text, certainty=random.random()), count / 3, paused, reply)
        assert verdict(over) is NOTHING, text


@pytest.mark.parametrize("seed", range(20))
def test_what_a_person_says_over_its_echo_stops_it(seed: int) -> None:
    random = Random(seed)
    reply = random.choice(REPLIES)
    stop = random.choice(["stop", "no no", "wait wait", "shut up", "hold on"])
    text = " ".join([*reply.split()[: random.randint(3, 12)], stop])
    assert verdict(Over(Heard(text, certainty=0.5), 3, True, reply)) is INTERRUPTION, text


@pytest.mark.parametrize(
    ("silent_s", "answer_s", "same_turn"),
    [
        (0.7, 0.6, True),
        (1.5, 0.6, True),
        (1.5, 1.4, True),
        (3.0, 0.6, True),
        (3.0, 1.4, True),
        (3.9, 3.4, True),
        (3.0, 3.0, True),
        (4.0, 0.9, False),
        (6.0, 0.6, False),
        (8.0, 7.9, False),
        (30.0, 29.0, False),
    ],
)
def test_who_goes_on_after_a_pause_goes_on_with_the_same_turn(
    silent_s: float, answer_s: float, same_turn: bool
) -> None:
    """answer_s: when the answer began, after the last word."""
    assert went_on(silent_s, max(silent_s - answer_s, 0)) is same_turn
