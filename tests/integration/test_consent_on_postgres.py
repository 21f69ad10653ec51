"""The facts of `tests/unit/test_consent.py` over Postgres."""

from collections.abc import AsyncIterator

import pytest

from server.store import Store
from server.store.postgres import PostgresStore
from tests.integration.postgres_fixture import Database
from tests.unit.test_consent import *  # noqa: F403


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    made = PostgresStore(database.owner_dsn)
    await made.open()
    yield made
    await made.close()
