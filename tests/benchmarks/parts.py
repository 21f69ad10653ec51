"""The parts of the benchmark of turn-taking that its bounds are about: which cases are played,
and what is noted of each. It does not know how they are told."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from pi_client.errors import ClientError
from server.engines import SAMPLE_RATE_HERTZ
from tests.benchmarks import judging, noises
from tests.benchmarks.floor import PLAIN_WAIT_S
from tests.benchmarks.judging import Outcome
from tests.benchmarks.marks import KINDS, Place
from tests.benchmarks.room import After, Sound
from tests.benchmarks.scenes import Clip, paused, spoken
from tests.benchmarks.talking import Stage, Take

PAUSES_S = (0.7, 1.5, 3.0)
PAUSES_EACH = 20
"""Of each length, after words of each kind."""
PAUSES_RECORDED = 6
"""Of these in recordings, as far as there are so many; the others in sentences of the voice."""
PROMPTS = (
    "Tell me something about the sea.",
    "Tell me a story about a garden.",
    "Why do people feel lonely?",
    "How do I become a calmer person?",
    "Tell me about the forest.",
)
"""What gets long replies."""
INTERRUPTIONS = (
    "Wait, that is not what I meant.",
    "Stop, please.",
    "No, listen to me for a second.",
    "Hold on, I want to say something.",
    "Please stop talking.",
    "Actually, can I ask you something else?",
    "No, that is wrong.",
    "Sorry, I need to tell you about my brother.",
    "Excuse me, I did not finish.",
    "I do not want to hear that.",
)
BACKCHANNELS = ("Mm-hm.", "Yeah.", "Okay.", "Uh-huh.", "Right.", "I see.")
PACES = (0.94, 0.98, 1.02, 1.06)
COUGHS = 6
"""And as many throats that are cleared."""
VOICES = ("deep", "heart")
OVER_S = (0.7, 2.5)
"""How far into a reply it is spoken over."""

T = TypeVar("T")


@dataclass
class Turn:
    """What is noted of an utterance that is simply answered."""

    clip: Clip
    """What was said last."""
    first_s: float | None
    """First sound after the last voiced sample; None: no answer, or it came before the end."""
    cut_off: bool
    turns: int
    """Turns of which a reply was heard."""
    cpu_s: float
    words: str = ""
    pause_s: float = 0.0
    """Length of the pause in it."""
    rest_s: float = 0.0
    """From where the pause begins to the last word."""
    kind: str = ""
    """What the words before the pause are: see `KINDS`."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds by field of `TurnLatency`."""


@dataclass
class Over:
    """What is noted of a sound that is made over a reply."""

    name: str
    outcome: Outcome
    silence_s: float | None = None
    """From its first voiced sample to the last audible one of the reply."""
    duck_s: float | None = None
    """From the same until the client gave way."""
    answered: bool = False
    words: str = ""


def say(part: str, number: int, of: int, words: str) -> None:
    """Tells of a case that is done."""
    print(f"  {part} {number}/{of} {words}", flush=True)


async def tried(part: str, playing: Awaitable[T]) -> T | None:
    """Plays a case; one that fails is told, and is None."""
    try:
        return await playing
    except (ClientError, TimeoutError) as error:
        print(f"  {part}: FAILED: {type(error).__name__} {error}", flush=True)
        return None


def noted(take: Take, cpu_s: float, **more: Any) -> Turn:
    """Judges an utterance that was answered."""
    latencies = take.of("turn_latency")
    skipped = ("t", "event", "turn", "revision", "sequence")
    stages = {k: v for k, v in latencies[-1].items() if k not in skipped} if latencies else {}
    return Turn(
        take.placed[-1].clip,
        judging.first_sound_s(take),
        judging.cut_off(take),
        len(judging.turns_heard(take)),
        cpu_s,
        take.words,
        stages=stages,
        **more,
    )


def shown(turn: Turn) -> str:
    """One line of what came of an utterance."""
    first = "no answer" if turn.first_s is None else f"{turn.first_s:.2f} s"
    cut = ", CUT OFF" if turn.cut_off else ""
    twice = f", {turn.turns} TURNS" if turn.turns > 1 else ""
    return f"{first}{cut}{twice}, {turn.cpu_s:.2f} CPU-s; {turn.clip.name!r} heard {turn.words!r}"


async def clean(stage: Stage, clips: Sequence[Clip], part: str = "clean") -> list[Turn]:
    """Says each clip once, in a talk of its own, and waits until its answer is sent."""
    turns = []
    for number, one in enumerate(clips, 1):
        done = await tried(part, stage.play([Sound(one)], judging.is_sent))
        if done is not None:
            turns.append(noted(*done))
            say(part, number, len(clips), shown(turns[-1]))
    return turns


def chosen(places: Sequence[Place], most: int | None) -> list[Place]:
    """Chooses places for pauses, as many of each kind; always the same ones."""
    picked: list[Place] = []
    for seed, kind in enumerate(KINDS.values()):
        rng = np.random.default_rng(seed)
        of_kind = [one for one in places if one.kind == kind]
        recorded = [one for one in of_kind if not one.clip.name.startswith(VOICES)]
        voiced = [one for one in of_kind if one.clip.name.startswith(VOICES)]
        # The shortest recordings: a case takes as long as it is.
        some = sorted(recorded, key=lambda one: len(one.clip.samples))[:PAUSES_RECORDED]
        rest = rng.permutation(len(voiced))[: PAUSES_EACH - len(some)]
        some += [voiced[i] for i in rest]
        picked += [some[i] for i in rng.permutation(len(some))[:most]]
    return picked


async def pauses(stage: Stage, places: Sequence[Place], most: int | None) -> list[Turn]:
    """Cuts pauses into sentences and sees who is answered in them."""
    turns = []
    cases = [(pause_s, place) for pause_s in PAUSES_S for place in chosen(places, most)]
    for number, (pause_s, place) in enumerate(cases, 1):
        sound = Sound(paused(place.clip, place.at, pause_s))
        done = await tried("pauses", stage.play([sound], judging.is_answered))
        if done is not None:
            rest_s = pause_s + (place.clip.last_voiced - place.at) / SAMPLE_RATE_HERTZ
            pause = {"pause_s": pause_s, "rest_s": rest_s, "kind": place.kind}
            turns.append(noted(*done, **pause))
            words = f"{pause_s} s, {place.kind}: {shown(turns[-1])}"
            say("pauses", number, len(cases), words)
    return turns


async def barge_in(stage: Stage, most: int | None) -> list[Over]:
    """Interrupts replies."""
    rng = np.random.default_rng(2)
    prompts = await spoken(PROMPTS)
    sounds = [one for voice in VOICES for one in await spoken(INTERRUPTIONS, voice)]
    sounds = [sounds[i] for i in rng.permutation(len(sounds))][:most]
    results = []
    for number, one in enumerate(sounds, 1):
        scene = [
            Sound(prompts[number % len(prompts)]),
            Sound(one, float(rng.uniform(*OVER_S)), After.REPLY),
        ]
        done = await tried("barge_in", stage.play(scene, is_answered_at_last))
        if done is not None:
            results.append(_spoken_over(one, done[0]))
            say("barge_in", number, len(sounds), _shown_over(results[-1]))
    return results


def is_answered_at_last(take: Take) -> bool:
    """Whether the last sound was made and has been answered, or waited in vain."""
    waiting = judging.is_waiting(take)
    return waiting is None or (not waiting and judging.is_answered(take))


async def backchannels(stage: Stage, most: int | None) -> list[Over]:
    """Makes the sounds of a listener over replies, and coughs."""
    rng = np.random.default_rng(3)
    prompts = await spoken(PROMPTS)
    sounds = [one for voice in VOICES for one in await spoken(BACKCHANNELS, voice, PACES)]
    for seed in range(COUGHS):
        sounds += [noises.cough(seed), noises.throat_clearing(seed)]
    sounds = [sounds[i] for i in rng.permutation(len(sounds))][:most]
    results = []
    for number, one in enumerate(sounds, 1):
        scene = [
            Sound(prompts[number % len(prompts)]),
            Sound(one, float(rng.uniform(*OVER_S)), After.REPLY),
        ]
        done = await tried("backchannels", stage.play(scene, judging.is_over))
        if done is not None:
            results.append(_spoken_over(one, done[0]))
            say("backchannels", number, len(sounds), _shown_over(results[-1]))
    return results


def _spoken_over(one: Clip, take: Take) -> Over:
    if len(take.placed) < len(take.room.sounds):
        return Over(one.name, Outcome.NO_REPLY)
    since_s = take.placed[-1].first_voiced_s
    words = " ".join(str(event["text"]) for event in take.of("transcript", since_s))
    return Over(
        one.name,
        judging.outcome(take),
        judging.time_to_silence_s(take),
        judging.time_to_duck_s(take),
        judging.answer(take) is not None,
        words,
    )


def _shown_over(one: Over) -> str:
    def seconds(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f} s"

    answered = "answered" if one.answered else "not answered"
    return (
        f"{one.outcome.value}, ducked after {seconds(one.duck_s)}, last audible sample after "
        f"{seconds(one.silence_s)}, {answered}; {one.name!r} heard {one.words!r}"
    )


def first_sounds(turns: Sequence[Turn]) -> list[float]:
    """The times to the first sound of the turns that were answered, and after their end."""
    return [one.first_s for one in turns if one.first_s is not None and not one.cut_off]


def plain_cuts(turns: Sequence[Turn], plain_s: float) -> list[Turn]:
    """Computes who would be cut off by the plain design: it answers every pause over 0.8 s,
    `plain_s` after the pause began."""
    return [
        replace(one, cut_off=one.pause_s > PLAIN_WAIT_S and plain_s < one.rest_s) for one in turns
    ]
