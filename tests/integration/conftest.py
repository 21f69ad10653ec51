"""Fixtures of the integration tests."""

import pytest

from server.spare import Spare
from tests.integration.postgres_fixture import database, embedded_postgres, empty_database

__all__ = ["database", "embedded_postgres", "empty_database"]


@pytest.fixture(autouse=True)
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the cores of the machine that tests are busy must not decide a test."""
    monkeypatch.setattr(Spare, "busy", property(lambda self: False))
