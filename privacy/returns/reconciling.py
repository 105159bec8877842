"""The count of everything: rows in the database, rows written, and why anything is not in the package."""

import csv
import io
from collections.abc import Mapping, Sequence

from privacy import holdings, reach
from privacy.records import Record
from privacy.returns.forms import KEYED, OF_EACH_INSTANCE, TableForm
from privacy.returns.readable import Exclusion
from privacy.returns.table_files import BOM, LEDGER, Facts

HEADINGS = ("what", "in the database", "written", "left out", "why", "SHA-256 of the JSON lines")
KEYS = "data keys: what they open is here in clear"
LOST = "nobody can open it any more: its key was destroyed by an erasure"
OUTSIDE = "outside the scope of this return"


class DoesNotAddUp(Exception):
    """A table has other rows than were written."""


def exclusions(
    facts: Sequence[Facts], forms: Mapping[str, TableForm], *, apart: frozenset[str], keys: int
) -> list[Exclusion]:
    """What is not in the package by its nature, or because nobody can open it."""
    found = [Exclusion(name, 1, OF_EACH_INSTANCE) for name in sorted(apart)]
    for one in facts:
        if one.name in forms:
            found += [
                Exclusion(f"{one.name}.{column}", one.rows, KEYED) for column in forms[one.name].left_out
            ]
        found += [Exclusion(place, count, LOST) for place, count in sorted(one.lost.items())]
    return [*found, Exclusion("subject_key", keys, KEYS)]


def sheet(facts: Sequence[Facts], left: Sequence[Exclusion], *, everything: bool) -> bytes:
    """`reconcile.csv`. Raises DoesNotAddUp where a table has rows that were neither written nor left out."""
    out = io.StringIO()
    out.write(BOM)
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(HEADINGS)
    for one in facts:
        missing = one.total - one.rows
        if missing < 0 or (everything and missing):
            raise DoesNotAddUp(f"{one.name} has {one.total} rows, and {one.rows} were written")
        rows.writerow([one.name, one.total, one.rows, missing, OUTSIDE if missing else "", one.digest])
    for gone in left:
        rows.writerow([gone.what, gone.count, 0, gone.count, gone.why, ""])
    return out.getvalue().encode()


def purpose(table: str) -> str:
    """What a table is for."""
    if table == LEDGER:
        return "to show who was erased, and on which instruction: ids, and nothing of theirs"
    return (
        holdings.purpose_of(table)
        if table not in Record.metadata.tables
        else reach.holding(Record.metadata.tables[table]).purpose
    )
