"""Danger in words: how near it is and what is said then; no model decides here.

It takes words and gives a level, a reason and a wording. It does no I/O after import and
knows neither the conversation nor the language model, whose clauses it also screens.
"""

from server.safety.guard import Guarded, guard
from server.safety.help_lines import HelpLines, help_lines, help_table, unverified
from server.safety.noticing import (
    LEVELS,
    Assessment,
    assess,
    readings,
    understands,
    what_is_missing,
)
from server.safety.reading import in_context
from server.safety.state import RiskState
from server.safety.wording import (
    CHECK_IN,
    DISCLOSURE,
    LOST,
    NOT_REVIEWED,
    STAYING,
    STAYING_QUIET,
    UNSAFE_AT_HOME,
    whom_to_call,
    wording,
)

__all__ = [
    "CHECK_IN",
    "DISCLOSURE",
    "LEVELS",
    "LOST",
    "NOT_REVIEWED",
    "STAYING",
    "STAYING_QUIET",
    "UNSAFE_AT_HOME",
    "Assessment",
    "Guarded",
    "HelpLines",
    "RiskState",
    "assess",
    "guard",
    "help_lines",
    "help_table",
    "in_context",
    "readings",
    "understands",
    "unverified",
    "what_is_missing",
    "whom_to_call",
    "wording",
]
