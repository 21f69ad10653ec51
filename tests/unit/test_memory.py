"""What is remembered of a talk, and what is found of it again."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from server.consent import Keeper
from server.engines import Vectors
from server.engines.fake import FakeEmbedder
from server.errors import EngineError, StoreError
from server.meaning import Meaning
from server.memory import FEWEST_WORDS, NEAREST, SIMILAR_FROM, Memory
from server.store import MEMORY, Recalled, Session, Vector
from server.store import Memory as Record
from server.store.in_memory import InMemoryStore

WORDS = "My dog Rex died last winter"


class Kept:
    """Keeps everything, and recalls what it is told to."""

    def __init__(self, recalled: Sequence[Recalled] = ()) -> None:
        self.records: list[Record] = []
        self._recalled = list(recalled)

    async def remember(self, memories: Sequence[Record]) -> None:
        self.records += memories

    async def recall(self, vector: Vector, model: str, limit: int) -> list[Recalled]:
        return self._recalled[:limit]


class Lost(Kept):
    """A store that is away."""

    async def remember(self, memories: Sequence[Record]) -> None:
        raise StoreError

    async def recall(self, vector: Vector, model: str, limit: int) -> list[Recalled]:
        raise StoreError


class Broken(FakeEmbedder):
    """A model that fails."""

    async def embed(self, texts: Sequence[str], kind: str) -> Vectors:  # type: ignore[override]
        raise EngineError


def recalled(
    text: str, similarity: float = 0.9, session: UUID | None = None, turn: int = 1
) -> Recalled:
    return Recalled(text, datetime.now(UTC), similarity, session or uuid4(), turn, "turn")


async def test_words_are_found_again_in_a_later_talk() -> None:
    store = InMemoryStore()
    for _ in range(2):
        session = Session(uuid4(), datetime.now(UTC))
        keeper = Keeper(store, session, [MEMORY])
        await keeper.open()
        memory = Memory(FakeEmbedder(), keeper, session.id)
        found = await memory.recall(await meaning("my dog Rex died last winter"), 1, 6)
        await memory.remember(1, WORDS)
    assert found == [WORDS]


async def meaning(words: str) -> Vector | None:
    return await Meaning(FakeEmbedder()).of(words)


async def test_what_has_nothing_to_do_with_the_words_is_not_recalled() -> None:
    store, session = InMemoryStore(), Session(uuid4(), datetime.now(UTC))
    keeper = Keeper(store, session, [MEMORY])
    await keeper.open()
    memory = Memory(FakeEmbedder(), keeper, session.id)
    await memory.remember(1, WORDS)
    assert await memory.recall(await meaning("Exams begin on Monday morning"), 20, 6) == []


async def test_a_memory_carries_its_turn_and_its_meaning() -> None:
    kept = Kept()
    session = uuid4()
    await Memory(FakeEmbedder(), kept, session).remember(7, WORDS)
    (record,) = kept.records
    assert (record.session_id, record.turn, record.text) == (session, 7, WORDS)
    assert record.vector.shape == (384,)


async def test_a_few_words_alone_are_not_remembered() -> None:
    kept = Kept()
    memory = Memory(FakeEmbedder(), kept, uuid4())
    await memory.remember(1, "word " * (FEWEST_WORDS - 1))
    assert kept.records == []
    await memory.remember(1, "word " * FEWEST_WORDS)
    assert len(kept.records) == 1


async def test_only_the_nearest_are_told_and_none_twice() -> None:
    found = [recalled("One."), recalled("One."), recalled("Two."), recalled("Three.")]
    texts = await Memory(FakeEmbedder(), Kept(found), uuid4()).recall(await meaning(WORDS), 1, 6)
    assert texts == ["One.", "Two.", "Three."][:NEAREST]


async def test_what_is_far_is_left_out() -> None:
    found = [recalled("Near.", SIMILAR_FROM), recalled("Far.", SIMILAR_FROM - 0.001)]
    assert await Memory(FakeEmbedder(), Kept(found), uuid4()).recall(
        await meaning(WORDS), 1, 6
    ) == ["Near."]


async def test_turns_that_the_model_sees_anyway_are_left_out() -> None:
    here = uuid4()
    found = [recalled(f"Turn {turn}.", 0.9, here, turn) for turn in (10, 5, 4)]
    assert await Memory(FakeEmbedder(), Kept(found), here).recall(await meaning(WORDS), 10, 6) == [
        "Turn 4."
    ]
    assert await Memory(FakeEmbedder(), Kept(found), uuid4()).recall(
        await meaning(WORDS), 10, 6
    ) == [
        "Turn 10.",
        "Turn 5.",
    ]


@pytest.mark.parametrize("words", ["", "  \n"])
async def test_no_words_recall_nothing(words: str) -> None:
    memory = Memory(FakeEmbedder(), Kept([recalled("One.")]), uuid4())
    assert await memory.recall(await meaning(words), 1, 6) == []


async def test_without_an_embedder_nothing_is_remembered_or_recalled() -> None:
    kept = Kept([recalled("One.")])
    memory = Memory(None, kept, uuid4())
    await memory.remember(1, WORDS)
    assert await memory.recall(await meaning(WORDS), 1, 6) == []
    assert kept.records == []


async def test_a_talk_goes_on_where_remembering_or_recalling_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await Memory(Broken(), Kept(), uuid4()).remember(1, WORDS)
    assert len(caplog.records) == 1
    memory = Memory(FakeEmbedder(), Lost(), uuid4())
    await memory.remember(1, WORDS)
    assert await memory.recall(await meaning(WORDS), 1, 6) == []
    assert len(caplog.records) == 3
    assert "Rex" not in caplog.text
