"""What the client knows of itself between two talks, and of the machine it runs on."""

import json
import os
import re
import socket
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def state_dir() -> Path:
    """Returns the folder where the client keeps its own few files."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "tadbot"


def read_last_disclosure() -> date | None:
    """Returns the day on which the person last heard that this is a machine.

    None: never, or not known.
    """
    try:
        kept = json.loads((state_dir() / "client.json").read_text())
        return date.fromisoformat(kept["last_disclosure"])
    except (OSError, ValueError, KeyError, TypeError):
        # Unknown means that it is said again, which is never wrong.
        return None


def write_last_disclosure(day: date) -> None:
    """Keeps the day; no time, no person. Raises OSError if it cannot be written."""
    state_dir().mkdir(parents=True, exist_ok=True, mode=0o700)
    file = state_dir() / "client.json"
    unfinished = file.with_suffix(".new")
    unfinished.write_text(json.dumps({"last_disclosure": day.isoformat()}) + "\n")
    unfinished.replace(file)


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
