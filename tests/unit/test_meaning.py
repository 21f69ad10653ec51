"""The meaning of words, where there is one, in time."""

import asyncio
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from server import meaning
from server.engines import Vectors
from server.engines.fake import FakeEmbedder
from server.errors import EngineError
from server.meaning import Meaning

WORDS = "My dog Rex died last winter"


class Counting(FakeEmbedder):
    """Counts what it is asked for; takes its time, or fails."""

    def __init__(self, seconds: float = 0, fails: bool = False) -> None:
        self.asked = 0
        self._seconds, self._fails = seconds, fails

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Vectors:
        self.asked += 1
        await asyncio.sleep(self._seconds)
        if self._fails:
            raise EngineError("no vectors today")
        return await super().embed(texts, kind)


async def test_words_have_the_vector_that_they_are_looked_for_by() -> None:
    found = await Meaning(FakeEmbedder()).of(WORDS)
    assert found is not None
    assert np.array_equal(found, (await FakeEmbedder().embed([WORDS], "query"))[0])


async def test_the_same_words_are_embedded_once() -> None:
    embedder = Counting()
    newest = Meaning(embedder)
    first = await newest.of(WORDS)
    assert await newest.of(WORDS) is first
    assert await newest.of("Something else") is not None
    assert embedder.asked == 2


@pytest.mark.parametrize("words", ["", " \n"])
async def test_no_words_mean_nothing(words: str) -> None:
    embedder = Counting()
    assert await Meaning(embedder).of(words) is None
    assert embedder.asked == 0


async def test_without_an_embedder_there_is_none() -> None:
    assert await Meaning(None).of(WORDS) is None
    assert Meaning(None).model == ""
    assert Meaning(FakeEmbedder()).model == FakeEmbedder().describe().model


@pytest.mark.parametrize("embedder", [Counting(fails=True), Counting(seconds=5)])
async def test_nobody_waits_long_for_it_and_a_failure_names_no_words(
    embedder: Counting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(meaning, "LONGEST_S", 0.05)
    async with asyncio.timeout(1):
        assert await Meaning(embedder).of(WORDS) is None
    assert len(caplog.records) == 1
    assert "Rex" not in caplog.text
