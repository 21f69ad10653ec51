"""What all talks of a server share; it does not know gRPC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version

from server.config import Settings
from server.engines import Engines
from server.safety import HelpLines, help_table
from server.store import Store


@dataclass(frozen=True)
class House:
    """What all talks share."""

    engines: Engines
    store: Store
    settings: Settings
    help: Mapping[str, HelpLines] = field(default_factory=help_table)
    """Whom to call, by country."""

    @property
    def version(self) -> str:
        """Of the server."""
        return version("tadbot")
