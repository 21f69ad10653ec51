"""One server with the real small models for all acceptance tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.house import House, served


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running server on a database of its own."""
    folder: Path = tmp_path_factory.mktemp("house")
    with served(folder / "data") as running:
        yield running


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client is a new one: it has not heard the disclosure yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
