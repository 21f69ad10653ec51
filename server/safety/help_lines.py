"""Help lines by country, from the table beside it; it does not know who asks."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

from server.errors import ConfigError


@dataclass(frozen=True)
class HelpLines:
    """Whom to call in one country."""

    country: str
    """ISO 3166-1 alpha-2; "" where no country is known."""
    emergency: str
    emergency_spoken: str
    name: str
    number: str
    """"" where only an international directory can be named."""
    spoken: str
    source: str
    verified: str
    """Date on which the entry was checked with its source, or ""."""

    @property
    def line_spoken(self) -> str:
        """The line and its number, as a voice says them."""
        return f"{self.name}, on {self.spoken}" if self.number else self.name


ANYWHERE = HelpLines(
    country="",
    emergency="",
    emergency_spoken="your emergency number, 1 1 2 in most countries",
    name="a crisis line, which you find at find a helpline dot com",
    number="",
    spoken="",
    source="https://findahelpline.com",
    verified="",
)
"""Where the country is unknown: 112 works from mobile phones in most countries."""


def help_lines(country: str) -> HelpLines:
    """Finds the help of a country; ANYWHERE for "" and for one that the table lacks."""
    return _table().get(country.upper(), ANYWHERE)


@cache
def _table() -> dict[str, HelpLines]:
    text = resources.files("server.safety").joinpath("help_lines.toml").read_text(encoding="utf-8")
    return parse(text)


def parse(text: str) -> dict[str, HelpLines]:
    """Reads a table of help lines. Raises ConfigError if an entry lacks or adds a field."""
    wanted = {one.name for one in fields(HelpLines)} - {"country"}
    table = {}
    for country, entry in tomllib.loads(text).items():
        if set(entry) != wanted:
            wrong = ", ".join(sorted(set(entry) ^ wanted))
            raise ConfigError(f"The help lines of {country} have wrong or missing fields: {wrong}.")
        table[country] = HelpLines(country=country, **entry)
    return table
