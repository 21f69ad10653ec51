"""What `status --risk` prints of the counts that it is given."""

import io
from collections.abc import Sequence

import pytest

from server.commands.risk import WORDS, risk, tell
from server.config import Settings, StoreSettings
from server.errors import StoreError
from server.store import CODES, ERASED, RISK, AuditCount


def told(counts: Sequence[AuditCount]) -> str:
    out = io.StringIO()
    tell(counts, out)
    return out.getvalue()


def test_counts_are_a_plain_table_in_the_order_they_come() -> None:
    counts = [
        AuditCount("2026-03", RISK, "concern", 12),
        AuditCount("2026-03", RISK, "imminent", 1),
        AuditCount("2026-04", ERASED, "none", 3),
    ]
    assert told(counts) == (
        " month   | what                 | level    | count\n"
        "---------+----------------------+----------+-------\n"
        " 2026-03 | danger was noticed   | concern  |    12\n"
        " 2026-03 | danger was noticed   | imminent |     1\n"
        " 2026-04 | something was erased | none     |     3\n"
        "(3 rows)\n"
    )


def test_every_code_has_words_and_another_one_stands_for_itself() -> None:
    assert set(WORDS) == set(CODES)
    assert "| older_code |" in told([AuditCount("2025-01", "older_code", "none", 1)])


def test_where_nothing_was_noted_it_says_so() -> None:
    assert told([]) == "Nothing was noted yet.\n"


def test_a_store_in_memory_has_nothing_to_count() -> None:
    with pytest.raises(StoreError, match="in memory"):
        risk(Settings(store=StoreSettings(engine="memory")))
