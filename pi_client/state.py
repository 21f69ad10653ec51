"""What the client knows of itself between two talks, and of the machine it runs on."""

import json
import os
import re
import socket
from collections.abc import Iterable
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def state_dir() -> Path:
    """Returns the folder where the client keeps its own few files."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "tadbot"


def read_last_disclosure() -> date | None:
    """Returns the day on which the person last heard that this is a machine.

    None: never, or not known.
    """
    try:
        return date.fromisoformat(_read()["last_disclosure"])
    except (ValueError, KeyError, TypeError):
        # Unknown means that it is said again, which is never wrong.
        return None


def write_last_disclosure(day: date) -> None:
    """Keeps the day; no time, no person. Raises OSError if it cannot be written."""
    _write("last_disclosure", day.isoformat())


def read_consents() -> frozenset[str]:
    """Returns what the person agreed to by voice; what is not known is not agreed to."""
    kept = _read().get("consents")
    if not isinstance(kept, list):
        return frozenset()
    return frozenset(name for name in kept if isinstance(name, str))


def write_consents(names: Iterable[str]) -> None:
    """Keeps what was agreed to by voice. Raises OSError if it cannot be written."""
    _write("consents", sorted(names))


def read_minor() -> bool | None:
    """Returns whether the person said that they are a minor; None: not known."""
    kept = _read().get("minor")
    return kept if isinstance(kept, bool) else None


def write_minor(minor: bool) -> None:
    """Keeps what the person said of their age. Raises OSError if it cannot be written."""
    _write("minor", minor)


def write_private(file: Path, text: str) -> None:
    """Replaces a file as a whole; only the owner may read it.

    Raises OSError if it cannot be written; the old one is then as it was.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = file.with_suffix(".new")
    # One that a lost talk left behind may be readable for others.
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, _FLAGS, 0o600), "w", encoding="utf-8") as new:
        new.write(text)
    unfinished.replace(file)


def _read() -> dict[str, Any]:
    """Returns all of client.json; {} where there is none or it makes no sense."""
    try:
        kept = json.loads((state_dir() / "client.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(key: str, value: object) -> None:
    """Changes one key and leaves the others, also those that another version wrote."""
    write_private(state_dir() / "client.json", json.dumps({**_read(), key: value}) + "\n")


def device_id() -> str:
    """Returns the machine's name as the contract wants it: `[a-z0-9-]{1,63}`."""
    name = re.sub(r"[^a-z0-9-]+", "-", socket.gethostname().lower())
    return name.strip("-")[:63].strip("-") or "device"


def time_zone() -> str:
    """Returns the machine's IANA time zone, or "" where it is not known."""
    named = os.environ.get("TZ", "").lstrip(":")
    if re.fullmatch(r"[A-Za-z_+-]+(/[A-Za-z0-9_+-]+)+|UTC", named):
        return named
    linked = os.path.realpath("/etc/localtime")
    _, found, zone = linked.partition("/zoneinfo/")
    return zone if found else ""


def client_version() -> str:
    """Returns this program's version, or "" where it is not installed."""
    try:
        return version("tadbot")
    except PackageNotFoundError:
        return ""
