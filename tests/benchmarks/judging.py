"""Verdicts on what came of a case, and the statistics over many; pure, it plays nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from pi_client.reply import Key
from pi_client.sound import BLOCK_S
from tests.benchmarks.room import Audible
from tests.benchmarks.talking import Take

SETTLED_S = 0.3
"""Sound of an answer after which a case is decided."""
NO_ANSWER_S = 7.0
"""Longest wait for an answer."""
TWICE_S = 7.0
"""Longest wait for a second answer where one is on its way."""
BIT_S = 0.7
"""Sound of a reply, after it was released again, that shows that it goes on."""
UNNOTICED_S = 1.2
"""Silence after a sound by which the server would have noticed it."""
LONGEST_REPLY_S = 25.0
"""Longest wait for a reply to begin, and to end where its end is waited for."""
LET_GO_S = 7.5
"""Longest wait for the server to decide what a sound over a reply was."""


def begins(audible: Sequence[Audible]) -> dict[Key, Audible]:
    """The first that was heard of each reply, in order."""
    first: dict[Key, Audible] = {}
    for one in audible:
        first.setdefault(one.key, one)
    return first


def ends(audible: Sequence[Audible]) -> dict[Key, float]:
    """When the last audible sample of each reply was."""
    return {one.key: one.end_s for one in audible}


def answer(take: Take, sound: int = -1) -> Audible | None:
    """The beginning of the first reply that begins after something was said; None: there is none.

    sound: which of the sounds that were said.
    """
    ended_s = take.placed[sound].last_voiced_s
    after = (one for one in begins(take.audible).values() if one.begin_s >= ended_s)
    return next(after, None)


def first_sound_s(take: Take) -> float | None:
    """Seconds from the last voiced sample to the first audible one of the answer, as it was
    pulled; None where there was no answer."""
    one = answer(take)
    return None if one is None else one.begin_s + one.late_s - take.placed[-1].last_voiced_s


def cut_off(take: Take, sound: int = -1) -> bool:
    """Whether a reply was audible while something was being said."""
    said = take.placed[sound]
    return any(
        one.begin_s < said.last_voiced_s and one.end_s > said.first_voiced_s for one in take.audible
    )


def turns_heard(take: Take) -> set[int]:
    """The numbers of the turns of which a reply was audible."""
    return {one.key[0] for one in take.audible}


def is_waiting(take: Take) -> bool | None:
    """Whether a sound still waits for a reply to be made over; None: it waited in vain."""
    if len(take.placed) == len(take.room.sounds):
        return False
    vain = take.placed and take.now_s > take.placed[-1].last_voiced_s + LONGEST_REPLY_S
    return None if vain else True


def is_answered(take: Take) -> bool:
    """Whether the last that was said has been answered, or will not be.

    Where replies to more than one turn are on their way, a second one is waited for.
    """
    if not take.room.said:
        return False
    waited_s = take.now_s - take.placed[-1].last_voiced_s
    if (one := answer(take)) is None:
        return waited_s > NO_ANSWER_S
    sent = {event["turn"] for event in take.of("reply_audio")}
    if len(sent) > 1 and len(turns_heard(take)) == 1 and waited_s < TWICE_S:
        return False
    return take.now_s >= one.begin_s + SETTLED_S


def is_sent(take: Take) -> bool:
    """Whether the answer has begun to sound and the server has done all its work for it."""
    if not is_answered(take) or (one := answer(take)) is None:
        return take.room.said and is_answered(take)
    done = take.of("reply_done", take.placed[-1].last_voiced_s)
    newest = any((event["turn"], event["revision"]) >= one.key for event in done)
    return (newest and bool(take.of("turn_latency"))) or take.now_s > one.begin_s + NO_ANSWER_S


class Outcome(Enum):
    """What a sound did to the reply over which it was made."""

    NO_REPLY = "there was no reply any more"
    UNMOVED = "played on"
    DUCKED = "ducked and played on"
    HELD = "paused and resumed"
    STOPPED = "stopped for good"


def over_reply(take: Take, sound: int = -1) -> Key | None:
    """The reply that was audible when a sound began; None: there was none."""
    if len(take.placed) < 2:
        return None
    begin_s = take.placed[sound].first_voiced_s
    before = [one for one in take.audible if begin_s - 1.0 < one.begin_s < begin_s]
    key = before[-1].key if before else None
    whole = any(one.key == key and one.complete for one in take.played)
    ended = whole and key is not None and ends(take.audible)[key] < begin_s
    return None if ended else key


def is_over(take: Take) -> bool:
    """Whether it is decided what became of the reply over which the last sound was made."""
    if waiting := is_waiting(take):
        return False
    if waiting is None:
        return True
    said = take.placed[-1]
    waited_s = take.now_s - said.last_voiced_s
    if waited_s < 0 or (key := over_reply(take)) is None:
        return waited_s > SETTLED_S
    if stopped(take, key, said.first_voiced_s) or take.complete(key):
        return waited_s > SETTLED_S
    noticed = [one for one in take.of("speaker", said.first_voiced_s) if one["action"] == "duck"]
    released = [one for one in take.of("speaker", said.first_voiced_s) if one["action"] == "resume"]
    since_s = said.last_voiced_s + UNNOTICED_S
    if len(noticed) > len(released):
        return waited_s > LET_GO_S
    if released:
        since_s = max(said.last_voiced_s + SETTLED_S, float(released[-1]["t"]))
    heard = [one for one in take.audible if one.key == key and one.begin_s >= since_s]
    return len(heard) > BIT_S / BLOCK_S or waited_s > LET_GO_S


def stopped(take: Take, key: Key, since_s: float) -> bool:
    """Whether the rest of a reply was dropped, by anything that came after some time."""
    stops = [one for one in take.of("speaker", since_s) if one["action"] == "stop"]
    dropped = any(one.key == key and one.finished and not one.complete for one in take.played)
    later = any(one.key > key and one.begin_s >= since_s for one in take.audible)
    return bool(stops) or dropped or (later and not take.complete(key))


def outcome(take: Take) -> Outcome:
    """Says what the last sound did to the reply."""
    key = over_reply(take)
    if key is None:
        return Outcome.NO_REPLY
    said = take.placed[-1]
    silent_s = take.now_s - ends(take.audible)[key]
    stuck = silent_s > 2.0 and not take.complete(key)
    if stuck or stopped(take, key, said.first_voiced_s):
        return Outcome.STOPPED
    actions = {one["action"] for one in take.of("barge_in", said.first_voiced_s)}
    actions |= {one["action"] for one in take.of("speaker", said.first_voiced_s)}
    if "hold" in actions:
        return Outcome.HELD
    return Outcome.DUCKED if "duck" in actions else Outcome.UNMOVED


def time_to_silence_s(take: Take) -> float | None:
    """Seconds from the first voiced sample of the last sound to the last audible one of the
    reply over which it was made; None where there was no reply."""
    key = over_reply(take)
    return None if key is None else ends(take.audible)[key] - take.placed[-1].first_voiced_s


def time_to_duck_s(take: Take) -> float | None:
    """Seconds from the first voiced sample of the last sound until the client gave way."""
    said = take.placed[-1]
    samples = (one["sample"] for one in take.of("barge_in") if one["action"] in ("duck", "hold"))
    times = (sample / 16_000 - said.first_voiced_s for sample in samples)
    return next((one for one in times if one >= 0), None)


@dataclass(frozen=True)
class Rate:
    """How often something happened."""

    hits: int
    cases: int

    @property
    def share(self) -> float:
        """In [0, 1]; 0 of no cases."""
        return self.hits / self.cases if self.cases else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval (E. B. Wilson, JASA 22, 1927)."""
        if not self.cases:
            return 0.0, 1.0
        z, n, p = 1.96, self.cases, self.share
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.hits} of {self.cases} ({100 * low:.0f} to {100 * high:.0f} %)"


def rate(hits: Sequence[bool]) -> Rate:
    """Counts."""
    return Rate(sum(hits), len(hits))


def mean(values: Sequence[float]) -> float:
    """The average; nan of nothing."""
    return float(np.mean(values)) if len(values) else math.nan


def median(values: Sequence[float]) -> float:
    """The middle; nan of nothing."""
    return float(np.median(values)) if len(values) else math.nan


def p95(values: Sequence[float]) -> float:
    """What 19 of 20 stay below; nan of nothing."""
    return float(np.percentile(values, 95)) if len(values) else math.nan
