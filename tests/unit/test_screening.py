"""Words are judged whatever happens, soon, and never show in a log."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import pytest

from server import screening
from server.engines import Vectors
from server.engines.fake import FakeEmbedder
from server.errors import EngineError
from server.safety import classifier as room
from server.screening import UNSCREENED, Screening

PLAIN = "I want to kill myself"


class Encoder(FakeEmbedder):
    """Bears the name that the classifier knows; takes its time, or fails."""

    def __init__(self, seconds: float = 0, fails: bool = False) -> None:
        self.asked: list[Sequence[str]] = []
        self._seconds, self._fails = seconds, fails

    def describe(self):  # type: ignore[no-untyped-def]
        return super().describe().__class__("fake", room.classifier().model, "cpu")

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        self.asked.append(texts)
        await asyncio.sleep(self._seconds)
        if self._fails:
            raise EngineError("no vectors today")
        return await super().embed(texts, kind)


async def test_the_words_are_read_alone_and_in_their_place() -> None:
    encoder = Encoder()
    await Screening(encoder).judge("Not really", ["A: Are you safe?"])
    assert [len(texts) for texts in encoder.asked] == [2]


async def test_the_same_words_in_the_same_place_are_judged_once() -> None:
    encoder = Encoder()
    judge = Screening(encoder)
    first = await judge.judge(PLAIN, [])
    assert await judge.judge(PLAIN, []) == first
    assert len(encoder.asked) == 1
    await judge.judge(PLAIN, ["A: Are you safe?"])
    assert len(encoder.asked) == 2


@pytest.mark.parametrize("encoder", [None, FakeEmbedder(), Encoder(fails=True), Encoder(5)])
async def test_without_vectors_the_patterns_judge_soon(
    encoder: FakeEmbedder | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(screening, "LONGEST_S", 0.05)
    async with asyncio.timeout(1):
        assert (await Screening(encoder).judge(PLAIN, [])).level == "high"
    assert "kill" not in caplog.text


async def test_an_encoder_that_the_classifier_does_not_know_is_not_asked() -> None:
    class Stranger(Encoder):
        def describe(self):  # type: ignore[no-untyped-def]
            return FakeEmbedder.describe(self)

    stranger = Stranger()
    await Screening(stranger).judge(PLAIN, [])
    assert stranger.asked == []


async def test_words_that_cannot_be_judged_are_asked_about(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError(PLAIN)

    monkeypatch.setattr(screening, "assess", broken)
    assert await Screening(None).judge(PLAIN, []) == UNSCREENED
    assert UNSCREENED.level == "concern"
    assert "kill" not in caplog.text
