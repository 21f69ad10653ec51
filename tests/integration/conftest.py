"""Fixtures of the integration tests."""

from tests.integration.postgres_fixture import database, embedded_postgres, empty_database

__all__ = ["database", "embedded_postgres", "empty_database"]
