"""The rarer scenes of the benchmark of turn-taking: hesitation, whispers, echo, busy cores.

It does not know how they are told.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from server.engines import SAMPLE_RATE_HERTZ
from tests.benchmarks import judging, noises
from tests.benchmarks.marks import KINDS, Place
from tests.benchmarks.parts import (
    Turn,
    chosen,
    clean,
    is_answered_at_last,
    noted,
    say,
    shown,
    tried,
)
from tests.benchmarks.room import After, Sound
from tests.benchmarks.scenes import Clip, joined, paused, spoken
from tests.benchmarks.talking import Stage, Take

HESITANT: tuple[tuple[str | float, ...], ...] = (
    ("I have been, um,", 1.3, "feeling quite low lately,", 1.7, "and, uh,", 1.0, "I am tired."),
    ("My sister, she, um,", 1.5, "she does not call me,", 1.8, "and I, uh,", 1.2, "I miss her."),
    ("So, um,", 1.0, "there was this thing at work,", 2.0, "and, um,", 1.4, "I could not speak."),
    ("Well, it is, uh,", 1.6, "it is hard to explain,", 1.5, "but, um,", 1.8, "I feel so lonely."),
    ("I wanted to, uh,", 1.2, "to tell you about, um,", 1.9, "about my dog.", 1.1, "He died."),
    ("Um,", 1.4, "I do not know,", 1.6, "maybe it is, uh,", 1.3, "it is because of the move."),
)
"""Sentences of people who look for words, with their pauses in seconds."""
PROMPTS = ("I had a really long day.", "Tell me something about the sea.")
ECHO_DB = (-12.0, -18.0, -24.0, -30.0)
ECHO_HEARD_S = 6.0
"""Sound of a reply in which an echo would have done its harm."""
COUGH_PAUSE_S = 1.5
COUGHS = 6
BURNERS = 2
BURNING_S = 2.0
"""Until the server has seen that the cores are busy."""


@dataclass
class Echo:
    """What is noted of a reply that comes back through the microphone."""

    level_db: float
    interrupted: bool
    """Whether it was stopped, or another turn was answered."""
    opened: bool
    """Whether words of it were taken for somebody's."""
    ducked: int
    """How often the client gave way."""


@dataclass
class Others:
    """What came of the rarer scenes."""

    hesitant: list[Turn]
    whispered: list[Turn]
    echoes: list[Echo]
    coughs: list[Turn]


async def others(stage: Stage, places: Sequence[Place], most: int | None) -> Others:
    """Plays the rarer scenes."""
    return Others(
        await hesitant(stage, most),
        await whispered(stage, most),
        await echoes(stage, most),
        await coughs_in_pauses(stage, places, most),
    )


async def hesitant(stage: Stage, most: int | None) -> list[Turn]:
    """Looks for words, and takes time."""
    turns = []
    scenes = HESITANT[:most]
    for number, parts in enumerate(scenes, 1):
        texts = [one for one in parts if isinstance(one, str)]
        clips = dict(zip(texts, await spoken(texts), strict=True))
        one = joined(" ".join(texts), *(clips[p] if isinstance(p, str) else p for p in parts))
        done = await tried("hesitant", stage.play([Sound(one)], judging.is_answered))
        if done is not None:
            turns.append(noted(*done))
            say("hesitant", number, len(scenes), shown(turns[-1]))
    return turns


async def whispered(stage: Stage, most: int | None) -> list[Turn]:
    """Whispers, first as the first thing that is said, then after a sentence in full voice."""
    texts = ("I could not sleep last night.", "My brother left.", "I miss my old friends.")
    aloud = await spoken(texts)
    whispers = [noises.whispered(one) for one in aloud]
    scenes = [[Sound(one)] for one in whispers]
    scenes += [
        [Sound(first), Sound(one, 0.8, After.QUIET)]
        for first, one in zip(aloud[1:], whispers, strict=False)
    ]
    turns = []
    for number, scene in enumerate(scenes[:most], 1):
        done = await tried("whisper", stage.play(scene, is_answered_at_last))
        if done is not None:
            turns.append(noted(*done))
            say("whisper", number, len(scenes), shown(turns[-1]))
    return turns


async def echoes(stage: Stage, most: int | None) -> list[Echo]:
    """Has the microphone hear the replies, without a canceller."""
    prompts = await spoken(PROMPTS)
    cases = [(level, prompt) for level in ECHO_DB for prompt in prompts][:most]
    results = []
    for number, (level, prompt) in enumerate(cases, 1):
        done = await tried("echo", stage.play([Sound(prompt)], _is_echo_over, echo_db=level))
        if done is None:
            continue
        take = done[0]
        key = next(iter(judging.begins(take.audible)), None)
        if key is None:
            print("  echo: there was no reply", flush=True)
            continue
        after_s = take.placed[0].last_voiced_s
        words = [one["text"] for one in take.of("transcript", after_s) if one["turn"] > key[0]]
        ducks = [one for one in take.of("barge_in") if one["action"] in ("duck", "hold")]
        interrupted = judging.stopped(take, key, after_s)
        results.append(Echo(level, interrupted, any(words), len(ducks)))
        told = [one["action"] for one in take.of("speaker", after_s)]
        say("echo", number, len(cases), f"{results[-1]} speaker told {told}, heard {words}")
    return results


def _is_echo_over(take: Take) -> bool:
    if not take.room.said or (one := judging.answer(take)) is None:
        return judging.is_answered(take)
    ended_s = judging.ends(take.audible)[one.key]
    if take.complete(one.key) and take.now_s > ended_s + 1.5:
        return True
    return take.now_s > one.begin_s + ECHO_HEARD_S


async def coughs_in_pauses(stage: Stage, places: Sequence[Place], most: int | None) -> list[Turn]:
    """Coughs in the middle of a pause."""
    open_ends = [one for one in chosen(places, None) if one.kind == KINDS["|"]]
    some = open_ends[:COUGHS][:most]
    turns = []
    for number, place in enumerate(some, 1):
        throat = noises.throat_clearing(number) if number % 2 else noises.cough(number)
        filled = throat.samples[: SAMPLE_RATE_HERTZ * 9 // 10]
        one = paused(place.clip, place.at, COUGH_PAUSE_S, filled)
        done = await tried("cough", stage.play([Sound(one)], judging.is_answered))
        if done is not None:
            turns.append(noted(*done))
            say("cough in a pause", number, len(some), shown(turns[-1]))
    return turns


@dataclass
class Busy:
    """What is noted while all cores are busy."""

    turns: list[Turn]
    noticed: bool
    """Whether the server noticed and said that nothing is begun ahead."""


async def busy(stage: Stage, clips: Sequence[Clip]) -> Busy:
    """Says some clips while other programs take all cores."""
    before = stage.log().count("the cores are busy")
    with burning():
        turns = await clean(stage, clips, "busy")
    return Busy(turns, stage.log().count("the cores are busy") > before)


@contextmanager
def burning() -> Iterator[None]:
    """Keeps all cores busy."""
    command = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(command) for _ in range(BURNERS)]
    try:
        time.sleep(BURNING_S)
        yield
    finally:
        for one in burners:
            one.kill()
            one.wait()
