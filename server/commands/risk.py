"""`tadbot-server status --risk`: what the audit noted, counted by month; it knows no person."""

import asyncio
import sys
from collections.abc import Iterable
from typing import TextIO

from server.commands.database import Database, database, is_there
from server.commands.sql_command import write_table
from server.config import Settings
from server.errors import StoreError
from server.store import (
    CLAUSE_REPLACED,
    CONSENT_GIVEN,
    CONSENT_TAKEN_BACK,
    DISCLOSED,
    ERASED,
    HELPED,
    RISK,
    AuditCount,
)
from server.store.migrate import status

WORDS = {
    RISK: "danger was noticed",
    HELPED: "help was named",
    CLAUSE_REPLACED: "a clause was replaced",
    DISCLOSED: "told that it is a machine",
    CONSENT_GIVEN: "a consent was given",
    CONSENT_TAKEN_BACK: "a consent was taken back",
    ERASED: "something was erased",
}
"""The codes of the audit in plain words; a code of another version stands for itself."""


def risk(settings: Settings) -> int:
    """Prints the counts of the store of the settings, whether or not a server runs. Returns 0.

    Makes and migrates nothing. Raises StoreError where there is no database to ask.
    """
    if settings.store.engine == "memory":
        raise StoreError("The settings keep everything in memory; there is nothing to count.")
    if not is_there(settings):
        raise StoreError(
            f"There is no database in {settings.data_dir} yet; the first start of "
            "`tadbot-server serve` makes it, or name another folder with --data-dir."
        )
    with database(settings) as base:
        counts = asyncio.run(_counts(base)) if status(base.owner).applied else []
    tell(counts, sys.stdout)
    return 0


def tell(counts: Iterable[AuditCount], out: TextIO) -> None:
    """Writes counts as a table; where there are none, one sentence."""
    rows = [(one.month, WORDS.get(one.code, one.code), one.level, one.count) for one in counts]
    if rows:
        write_table(["month", "what", "level", "count"], iter(rows), out)
    else:
        out.write("Nothing was noted yet.\n")


async def _counts(base: Database) -> list[AuditCount]:
    store = base.store()
    try:
        await store.open()
        return await store.audit_counts()
    finally:
        await store.close()
