"""`tadbot-server models`: shows and pulls weights for a person; it does not know files."""

import sys
from pathlib import Path

from server import models
from server.safety import NOT_REVIEWED


def list_models(models_dir: Path | None) -> int:
    """Prints a table of all weights that are known, and where they would lie.

    models_dir: None for the default folder. Returns the exit code.
    """
    head = ("NAME", "SETS", "SIZE", "STATE", "LICENCE", "SOURCE")
    rows = [
        (
            each.name,
            ", ".join(each.sets),
            f"{each.size / 1e6:.1f} MB",
            each.state,
            each.licence,
            each.source,
        )
        for each in models.listing(models_dir)
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        cells = zip(row, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    print(f"\nThe weights are kept in {models_dir or models.models_dir()}.")
    return 0


def pull_models(set_name: str, models_dir: Path | None) -> int:
    """Pulls a set or one model and prints a line for each model; says on stderr what TADBot is not.

    models_dir: None for the default folder. Returns the exit code.
    Raises ConfigError or TadbotError, whose message says what to do.
    """
    for model in models.load_manifest().named(set_name):
        for line in models.pull(model.name, models_dir):
            print(line, flush=True)
    print(NOT_REVIEWED, file=sys.stderr)
    return 0
