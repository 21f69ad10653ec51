"""Help lines by country: the table beside it and the house's own; it does not know who asks."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any

from server.errors import ConfigError

OLDEST_DAYS = 540
"""A number that was last compared with its source longer ago counts as unverified: lines move
every few years, and nobody tells."""
RELEASED = date(2026, 11, 24)
"""Day of the newest date in the table. A clock that stands before it is wrong, as on a Pi that
starts without a network; it makes no date one of the future."""


@dataclass(frozen=True)
class HelpLines:
    """Whom to call in one country."""

    country: str
    """ISO 3166-1 alpha-2; "" where no country is known."""
    emergency: str
    emergency_spoken: str
    name: str
    number: str
    """"" only in ANYWHERE, which can name but an international directory."""
    spoken: str
    source: str
    verified: str
    """ISO date on which `number` was compared with `source`, or ""."""
    children_name: str
    """A line for children and young people; "" with the rest of it where none is known."""
    children_number: str
    children_spoken: str
    children_source: str
    children_verified: str
    """ISO date on which `children_number` was compared with `children_source`, or ""."""

    @property
    def line_spoken(self) -> str:
        """The line and its number, as a voice says them."""
        return f"{self.name}, on {self.spoken}" if self.number else self.name

    @property
    def for_a_minor(self) -> "HelpLines":
        """The same with the line for children in the place of the line, where one is known."""
        if not self.children_number:
            return self
        return replace(
            self, name=self.children_name, number=self.children_number, spoken=self.children_spoken
        )


ANYWHERE = HelpLines(
    country="",
    emergency="",
    emergency_spoken="your emergency number, 1 1 2 in most countries",
    name="a crisis line, which you find at find a helpline dot com",
    number="",
    spoken="",
    source="https://findahelpline.com",
    verified="",
    children_name="",
    children_number="",
    children_spoken="",
    children_source="",
    children_verified="",
)
"""Where the country is unknown: 112 works from mobile phones in most countries."""
_FIELDS = frozenset(one.name for one in fields(HelpLines)) - {"country"}
_REQUIRED = ("emergency", "emergency_spoken", "name", "number", "spoken", "source")
_CHILDREN = ("children_name", "children_number", "children_spoken", "children_source")
_DIALLED = (
    ("emergency", "emergency_spoken"),
    ("number", "spoken"),
    ("children_number", "children_spoken"),
)
_DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def help_lines(country: str, table: Mapping[str, HelpLines] | None = None) -> HelpLines:
    """Finds the help of a country; ANYWHERE for "" and for one that the table lacks.

    table: of `help_table`; None: the one that is shipped.
    """
    return (_shipped() if table is None else table).get(country.upper(), ANYWHERE)


def help_table(own: str = "") -> Mapping[str, HelpLines]:
    """Gives the help of every country: what is shipped, and over it the house's own.

    own: TOML like the table that is shipped; "": the house has none. Raises ConfigError where
    an entry is wrong.
    """
    return {**_shipped(), **parse(own)}


@cache
def _shipped() -> dict[str, HelpLines]:
    text = resources.files("server.safety").joinpath("help_lines.toml").read_text(encoding="utf-8")
    return parse(text)


def unverified(
    table: Mapping[str, HelpLines], today: date | None = None
) -> tuple[list[str], list[str]]:
    """Lists the countries whose number nobody has compared with its source, or not lately.

    Returns those of the lines for everyone, and those of the lines for children.
    """
    oldest = ((today or date.today()) - timedelta(days=OLDEST_DAYS)).isoformat()
    return (
        [one.country for one in table.values() if one.verified < oldest],
        [
            one.country
            for one in table.values()
            if one.children_number and one.children_verified < oldest
        ],
    )


def parse(text: str, today: date | None = None) -> dict[str, HelpLines]:
    """Reads a table of help lines. Raises ConfigError with what is wrong in which country."""
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The help lines are not TOML: {error}.") from error
    newest = max(today or date.today(), RELEASED)
    return {country: _entry(country, entry, newest) for country, entry in entries.items()}


def _entry(country: str, entry: Any, newest: date) -> HelpLines:
    of = f"The help lines of {country}"
    if not re.fullmatch(r"[A-Z]{2}", country):
        raise ConfigError(f"{of} stand under no country code, which is two capital letters.")
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        given = set(entry) if isinstance(entry, dict) else set()
        wrong = ", ".join(sorted(given ^ _FIELDS))
        raise ConfigError(f"{of} have wrong or missing fields: {wrong}.")
    for name, value in entry.items():
        if not isinstance(value, str):
            raise ConfigError(f"{of} have a field that is no text in quotes: {name}.")
    children = _CHILDREN if any(entry[name] for name in _CHILDREN) else ()
    if empty := [name for name in (*_REQUIRED, *children) if not entry[name].strip()]:
        raise ConfigError(f"{of} have an empty field: {', '.join(empty)}.")
    for number, spoken in _DIALLED:
        if _digits(entry[number]) != _digits(entry[spoken]):
            raise ConfigError(f"{of} say other digits in {spoken} than in {number}.")
    for name in ("verified", "children_verified"):
        _check_date(f"{of} have a date in {name} that", entry[name], newest)
    return HelpLines(country=country, **entry)


def _digits(text: str) -> str:
    """The digits of a number, written or spoken: "zero 2 4" gives "024"."""
    text = text.casefold()
    for digit, word in enumerate(_DIGIT_WORDS):
        text = re.sub(rf"\b{word}\b", str(digit), text)
    return re.sub(r"\D", "", text)


def _check_date(which: str, text: str, newest: date) -> None:
    if not text:
        return
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{which} is not like 2026-11-24: {text!r}.") from error
    if day.isoformat() != text:
        raise ConfigError(f"{which} is not like 2026-11-24: {text!r}.")
    if day > newest:
        raise ConfigError(f"{which} lies in the future: {text}.")
