"""Pictures become feelings: the newest one only, and never at the cost of the talk."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image
from tadbot.v1 import emotion_recognition_pb2 as pb

from server.engines import LABELS, Picture, Score
from server.engines.fake import FakeEmotionRecognizer
from server.errors import EngineError
from server.seeing import FRESH_S, REMEMBERED, Seeing, Sight, emotion_message

RED, GREEN, BLUE, BLACK = (200, 20, 20), (20, 200, 20), (20, 20, 200), (0, 0, 0)


def jpeg(colour: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "JPEG")
    return out.getvalue()


class Slow(FakeEmotionRecognizer):
    """Judges a picture only when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.began = asyncio.Event()
        self.may = asyncio.Semaphore(0)
        self.at_once = self.most_at_once = 0

    async def recognize(self, picture: Picture, *, cropped: bool = False) -> list[Score]:
        self.begun += 1
        self.began.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.may.acquire()
        self.at_once -= 1
        return await super().recognize(picture, cropped=cropped)


class Blind(FakeEmotionRecognizer):
    """Fails on every picture."""

    async def recognize(self, picture: Picture, *, cropped: bool = False) -> list[Score]:
        raise EngineError


class Eyes:
    """Seeing, with what it told."""

    def __init__(self, engine: FakeEmotionRecognizer | None) -> None:
        self.sights: asyncio.Queue[Sight] = asyncio.Queue()
        self.sentences: asyncio.Queue[str] = asyncio.Queue()
        self.seeing = Seeing(engine, 1000, self.sights.put, self.sentences.put)

    async def see(self, at_s: float, colour: tuple[int, int, int]) -> Sight:
        self.seeing.show(at_s, jpeg(colour))
        return await self.sights.get()


@pytest.fixture
def engine() -> FakeEmotionRecognizer | None:
    return FakeEmotionRecognizer()


@pytest.fixture
async def eyes(engine: FakeEmotionRecognizer | None) -> AsyncIterator[Eyes]:
    made = Eyes(engine)
    task = asyncio.create_task(made.seeing.run())
    yield made
    task.cancel()
    await asyncio.wait([task])


async def test_a_picture_becomes_its_three_best_labels(eyes: Eyes) -> None:
    sight = await eyes.see(1.5, GREEN)
    assert sight.at_s == 1.5
    assert sight.scores[0].label == "happiness"
    assert len(sight.scores) == 3


async def test_of_a_flood_of_pictures_only_the_newest_is_judged(eyes: Eyes) -> None:
    slow = Slow()
    eyes.seeing._engine = slow
    eyes.seeing.show(0, jpeg(RED))
    await slow.began.wait()
    for number in range(1, 100):
        eyes.seeing.show(number, jpeg(BLUE))
    slow.may.release()
    slow.may.release()
    assert [(await eyes.sights.get()).at_s for _ in range(2)] == [0, 99]
    assert slow.begun == 2
    assert slow.most_at_once == 1


async def test_showing_never_waits_for_a_slow_engine(eyes: Eyes) -> None:
    eyes.seeing._engine = Slow()
    picture = jpeg(RED)
    for number in range(1000):
        eyes.seeing.show(number, picture)
    assert eyes.sights.empty()
    assert eyes.seeing.feeling(0, 1000) is None


async def test_a_feeling_is_the_label_that_was_seen_most_over_a_span(eyes: Eyes) -> None:
    for at_s, colour in ((1, RED), (2, BLUE), (3, BLUE), (9, RED), (10, RED)):
        await eyes.see(at_s, colour)
    feeling = eyes.seeing.feeling(1, 4)
    assert feeling is not None
    assert feeling.label == "sadness"
    assert feeling.probability == pytest.approx((0.7 + 0.7) / 3, abs=0.05)
    later = eyes.seeing.feeling(8, 11)
    assert later is not None
    assert (later.label, later.probability) == ("anger", pytest.approx(0.7))


async def test_a_feeling_seen_just_before_counts_where_none_was_seen_within(eyes: Eyes) -> None:
    await eyes.see(10, BLUE)
    near = eyes.seeing.feeling(10 + FRESH_S, 20)
    assert near is not None
    assert near.label == "sadness"
    assert eyes.seeing.feeling(10.1 + FRESH_S, 20) is None
    assert eyes.seeing.feeling(5, 9) is None


async def test_pictures_without_a_face_have_no_feeling(eyes: Eyes) -> None:
    assert (await eyes.see(1, BLACK)).scores == ()
    assert eyes.seeing.feeling(0, 2) is None


async def test_an_unreadable_picture_is_told_of_and_the_next_is_seen(eyes: Eyes) -> None:
    eyes.seeing.show(1, b"this is text")
    assert "not a JPEG" in await eyes.sentences.get()
    assert (await eyes.see(2, RED)).at_s == 2


@pytest.mark.parametrize("engine", [Blind()])
async def test_an_engine_that_fails_is_told_of_and_seeing_goes_on(eyes: Eyes) -> None:
    for number in range(2):
        eyes.seeing.show(number, jpeg(RED))
        assert await eyes.sentences.get() == str(EngineError())


@pytest.mark.parametrize("engine", [None])
async def test_without_an_engine_pictures_are_let_go(eyes: Eyes) -> None:
    eyes.seeing.show(1, jpeg(RED))
    await asyncio.sleep(0.01)
    assert eyes.sights.empty()
    assert eyes.seeing.feeling(0, 2) is None


async def test_old_feelings_are_let_go(eyes: Eyes) -> None:
    eyes.seeing._sights.extend(
        Sight(float(at_s), (Score("fear", 0.9),)) for at_s in range(2 * REMEMBERED)
    )
    assert eyes.seeing.feeling(0, REMEMBERED - 1) is None
    assert eyes.seeing.feeling(REMEMBERED, 2 * REMEMBERED) is not None


def test_a_message_carries_every_label_and_the_time() -> None:
    message = emotion_message(Sight(1.25, tuple(Score(label, 0.1) for label in LABELS)))
    assert [score.label for score in message.scores] == list(range(1, 8))
    assert message.capture_offset.ToMilliseconds() == 1250
    assert emotion_message(Sight(0, ())).face_condition == pb.Emotion.NO_FACE
