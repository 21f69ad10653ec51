"""From pictures to feelings, the newest picture only; it does not know who asks why."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from tadbot.v1 import emotion_recognition_pb2 as pb

from server.engines import EmotionRecognizer, Score
from server.errors import EngineError, PictureError, RequestError
from server.pictures import decode_jpeg

REMEMBERED = 240
"""Pictures whose feeling is kept: two minutes at two a second, longer than an utterance."""
FRESH_S = 5.0
"""A feeling seen this long before an utterance still belongs to it, if none was seen in it."""
FARTHEST_S = 1e9
"""Offset beyond which a picture's time is nonsense: some 30 years."""


@dataclass(frozen=True)
class Sight:
    """What one picture showed; no scores: no face."""

    at_s: float
    """When it was taken, in seconds since `open`."""
    scores: tuple[Score, ...]


class Seeing:
    """One person's face. At most one picture is judged at a time; older ones are dropped.

    saw: called with what each judged picture showed. unreadable: called with the sentence
    that says why one could not be.
    """

    def __init__(
        self,
        engine: EmotionRecognizer | None,
        most_per_second: float,
        saw: Callable[[Sight], Awaitable[None]],
        unreadable: Callable[[str], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._pause_s = 1 / most_per_second
        self._saw = saw
        self._unreadable = unreadable
        self._newest: tuple[float, bytes] | None = None
        self._arrived = asyncio.Event()
        self._sights: deque[Sight] = deque(maxlen=REMEMBERED)

    def show(self, at_s: float, jpeg: bytes) -> None:
        """Takes a picture; one that still waits is dropped for it."""
        if self._engine is not None:
            self._newest = (at_s, jpeg)
            self._arrived.set()

    def feeling(self, start_s: float, end_s: float) -> Score | None:
        """Gives the feeling seen in a span: the label with the highest mean probability.

        Without a face in the span the last one at most FRESH_S before it counts; None if
        there is none either.
        """
        inside = [one for one in self._sights if one.scores and start_s <= one.at_s <= end_s]
        if not inside:
            before = [
                one for one in self._sights if one.scores and 0 <= start_s - one.at_s <= FRESH_S
            ]
            inside = before[-1:]
        totals: dict[str, float] = {}
        for sight in inside:
            for score in sight.scores:
                totals[score.label] = totals.get(score.label, 0.0) + score.probability
        if not totals:
            return None
        label = max(totals, key=totals.__getitem__)
        return Score(label, totals[label] / len(inside))

    async def run(self) -> None:
        """Judges pictures until it is cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._newest is None or self._engine is None:
                continue
            (at_s, jpeg), self._newest = self._newest, None
            await self._judge(self._engine, at_s, jpeg)
            await asyncio.sleep(self._pause_s / 2)

    async def _judge(self, engine: EmotionRecognizer, at_s: float, jpeg: bytes) -> None:
        try:
            picture = await asyncio.to_thread(decode_jpeg, jpeg)
            scores = await engine.recognize(picture)
        except (PictureError, EngineError) as error:
            await self._unreadable(str(error))
            return
        sight = Sight(at_s, tuple(scores))
        self._sights.append(sight)
        await self._saw(sight)


def captured_at_s(frame: pb.VideoFrame) -> float:
    """Reads when a picture was taken. Raises RequestError for a time of no talk."""
    at_s = frame.capture_offset.ToMicroseconds() / 1e6
    if abs(at_s) > FARTHEST_S:
        raise RequestError("CAPTURE_OFFSET", "The `capture_offset` of a frame is out of range.")
    return at_s


def emotion_message(sight: Sight) -> pb.Emotion:
    """Turns what a picture showed into the contract's words."""
    scores = [
        pb.Emotion.Score(
            label=pb.Emotion.Label.Value(one.label.upper()), probability=one.probability
        )
        for one in sight.scores
    ]
    condition = pb.Emotion.FACE_CONDITION_UNSPECIFIED if scores else pb.Emotion.NO_FACE
    emotion = pb.Emotion(scores=scores, face_condition=condition)
    emotion.capture_offset.FromTimedelta(timedelta(seconds=sight.at_s))
    return emotion
