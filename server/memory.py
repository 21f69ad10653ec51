"""Remembers what a person said and finds it again by meaning; it knows no consent or model.

What it makes goes through the Keeper, which keeps it only where that was agreed to.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

from server.engines import Embedder
from server.errors import EngineError, StoreError
from server.store import Memory as Record
from server.store import Recalled, Vector

log = logging.getLogger("tadbot.memory")

FEWEST_WORDS = 5
"""Shorter utterances ("yes, I think so") say nothing without what was before them."""
AFTER_S = 5.0
"""An utterance is embedded this much later: at once, it would keep the embedder from recalling
for the answer, and the person may go on with it."""
NEAREST = 2
"""Memories told to the model at a time: each costs some 40 tokens of its prompt."""
CANDIDATES = 12
SIMILAR_FROM = 0.81
"""Cosine from which a memory belongs to the words. multilingual-e5 packs all sentences into
0.7 to 1: on seven memories and seven remarks the right ones lay at 0.81 to 0.85, others at
0.72 to 0.83, so a stranger slips in now and then, and the prompt calls it earlier words."""


class Kept(Protocol):
    """What memory needs of the Keeper."""

    async def remember(self, memories: Sequence[Record]) -> None:
        """Keeps memories where that was agreed to."""
        ...

    async def recall(self, vector: Vector, model: str, limit: int) -> list[Recalled]:
        """Finds the person's own memories, the nearest first."""
        ...


class Memory:
    """What is remembered of one person."""

    def __init__(self, embedder: Embedder | None, kept: Kept, session_id: UUID) -> None:
        self._embedder = embedder
        self._kept = kept
        self._session_id = session_id
        self._noted: dict[int, str] = {}
        self._something = asyncio.Event()

    def note(self, turn: int, words: str) -> None:
        """Takes what was said in a turn; a later revision takes the place of one that waits."""
        self._noted[turn] = words
        self._something.set()

    async def run(self) -> None:
        """Remembers what was noted until it is cancelled; `flush` remembers the rest."""
        while True:
            await self._something.wait()
            await asyncio.sleep(AFTER_S)
            await self.flush()

    async def flush(self) -> None:
        """Remembers all that was noted."""
        self._something.clear()
        while self._noted:
            turn = next(iter(self._noted))
            await self.remember(turn, self._noted.pop(turn))

    async def recall(
        self, vector: Vector | None, newest_turn: int, turns_in_sight: int
    ) -> list[str]:
        """Finds what the person said before that is near to some words, the nearest first.

        vector: the meaning of the words; None: nothing is recalled. Turns of this session that
        the model sees anyway are left out. Returns [] where nothing is near, or where recalling
        fails: a talk goes on without it.
        """
        if self._embedder is None or vector is None:
            return []
        try:
            found = await self._kept.recall(vector, self._model(), CANDIDATES)
        except (EngineError, StoreError) as error:
            log.warning("recall failed: %s", error)
            return []
        texts = []
        for one in found:
            in_sight = (
                one.session_id == self._session_id and one.turn > newest_turn - turns_in_sight
            )
            if one.similarity >= SIMILAR_FROM and not in_sight and one.text not in texts:
                texts.append(one.text)
        return texts[:NEAREST]

    async def remember(self, turn: int, words: str) -> None:
        """Remembers an utterance, unless it is too short to mean anything alone."""
        if self._embedder is None or len(words.split()) < FEWEST_WORDS:
            return
        try:
            vector = (await self._embedder.embed([words], "passage"))[0]
            record = Record(
                id=uuid4(),
                session_id=self._session_id,
                turn=turn,
                created_at=datetime.now(UTC),
                text=words,
                vector=vector,
                model=self._model(),
            )
            await self._kept.remember([record])
        except (EngineError, StoreError) as error:
            log.warning("remembering failed: %s", error)

    def _model(self) -> str:
        assert self._embedder is not None
        return self._embedder.describe().model
