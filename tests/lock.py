"""`make lock`: resolves base and tests once, for all platforms and Pythons.

`requirements.lock` serves pip, pip-sync and `uv pip sync`, with hashes. `uv sync` resolves by
itself; the same versions stand in `[tool.uv] constraint-dependencies` so that it finds them,
because a `uv.lock` would pin torch by hash, which differs between its CPU and CUDA builds.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
BLOCK = re.compile(r"constraint-dependencies = \[\n.*?\]\n", re.DOTALL)
FREE = ("setuptools",)
"""Not handed to uv: some extras need another one to build."""


def pins(lock: str) -> list[str]:
    """Lists the requirements of a lock without their hashes."""
    lines = (line.rstrip("\\ ") for line in lock.splitlines() if re.match(r"[\w.-]+==", line))
    return [line for line in lines if line.split("==")[0] not in FREE]


def constraints(project: str) -> list[str]:
    """Lists the versions that uv is held to."""
    found = BLOCK.search(project)
    return re.findall(r'^    "(.*)",$', found[0], re.MULTILINE) if found else []


def main() -> None:
    """Writes both files anew. The old constraints must not hold the new ones back."""
    _constrain([])
    command = "uv pip compile pyproject.toml --extra server --extra camera --group dev --universal"
    command += " --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet"
    subprocess.run([*command.split(), "--output-file", str(LOCK)], cwd=ROOT, check=True)
    _constrain(pins(LOCK.read_text()))


def _constrain(pinned: list[str]) -> None:
    lines = "".join(f'    "{pin}",\n' for pin in pinned)
    block = f"constraint-dependencies = [\n{lines}]\n"
    PROJECT.write_text(BLOCK.sub(lambda _: block, PROJECT.read_text()))


if __name__ == "__main__":
    main()
