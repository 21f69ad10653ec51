"""What all talks of a server share; it does not know gRPC."""

from dataclasses import dataclass
from importlib.metadata import version

from server.config import Settings
from server.engines import Engines
from server.store import Store


@dataclass(frozen=True)
class House:
    """What all talks share."""

    engines: Engines
    store: Store
    settings: Settings

    @property
    def version(self) -> str:
        """Of the server."""
        return version("tadbot")
