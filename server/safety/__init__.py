"""Danger in words: how near it is and what is said then; no model decides here.

It takes words and gives a level, a reason and a wording. It does no I/O after import and
knows neither the conversation nor the language model, whose clauses it also screens.
"""

from server.safety.guard import Guarded, guard
from server.safety.help_lines import HelpLines, help_lines, help_table, unverified
from server.safety.noticing import LEVELS, Assessment, assess, understands, what_is_missing
from server.safety.state import RiskState
from server.safety.wording import DISCLOSURE, STAYING, wording

__all__ = [
    "DISCLOSURE",
    "LEVELS",
    "STAYING",
    "Assessment",
    "Guarded",
    "HelpLines",
    "RiskState",
    "assess",
    "guard",
    "help_lines",
    "help_table",
    "understands",
    "unverified",
    "what_is_missing",
    "wording",
]
