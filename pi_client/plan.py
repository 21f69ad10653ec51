"""The person's safety plan on this machine, there also without a server; it makes none."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tadbot.v1 import companion_pb2 as pb

from pi_client.errors import ClientError
from pi_client.state import state_dir, write_private

_TITLE = "Your safety plan"
# What stands where a step was left out.
_LEFT_OUT = "-"


@dataclass(frozen=True)
class Step:
    """One step, as the contract has it; its text is "" where it was left out."""

    title: str
    text: str


def plan_file() -> Path:
    """Returns where the plan is kept."""
    return state_dir() / "plan.json"


def keep(plan: pb.SafetyPlan) -> None:
    """Keeps a plan in the place of the last; one without steps removes it.

    Raises OSError if it cannot be written or removed.
    """
    if not plan.steps:
        plan_file().unlink(missing_ok=True)
        return
    steps = [asdict(Step(step.title, step.text)) for step in plan.steps]
    text = json.dumps({"steps": steps}, ensure_ascii=False, indent=1)
    write_private(plan_file(), text + "\n")


def read() -> list[Step]:
    """Returns the steps in their order.

    Raises ClientError if there is no plan or it cannot be read.
    """
    try:
        kept = json.loads(plan_file().read_text(encoding="utf-8"))
        return _steps(kept["steps"])
    except FileNotFoundError:
        raise ClientError(
            'No safety plan is kept here; say "Let us make a safety plan" in a talk with '
            "`--consent memory`."
        ) from None
    except OSError as error:
        raise ClientError(
            f"The safety plan in {plan_file()} cannot be read ({error.strerror})."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError):
        # What the file holds are the person's words, so the fault does not quote it.
        raise ClientError(
            f"The safety plan in {plan_file()} cannot be read; a talk with `--consent memory` "
            "brings it back."
        ) from None


def _steps(kept: list[dict[str, str]]) -> list[Step]:
    """Checks what the file holds, which somebody may have changed."""
    steps = [Step(step["title"], step["text"]) for step in kept]
    if not steps:
        raise ValueError
    if not all(isinstance(part, str) for step in steps for part in (step.title, step.text)):
        raise TypeError
    return steps


def shown() -> str:
    """Returns the plan as a person reads it. Raises as `read` does."""
    lines = [_TITLE]
    for number, step in enumerate(read(), 1):
        lines += ["", f"{number}. {_line(step.title)}", f"   {_line(step.text) or _LEFT_OUT}"]
    return "\n".join(lines)


def _line(text: str) -> str:
    """Makes one line of a text, without what would move the terminal's cursor."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
