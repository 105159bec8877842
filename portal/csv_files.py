"""Lists that the team takes out as CSV: small, whole in memory, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from privacy.clock import london
from surveys.export_files import csv_cell

Cell = str | int | float | date | datetime | None


def csv_of(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """RFC 4180 in UTF-8 with a signature; a text that a spreadsheet could take for a formula gets an apostrophe, and a
    moment is London time, as a spreadsheet reads it. Words and names are those of the page."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([_shown(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode("utf-8-sig")


def yes_no(is_so: bool) -> str:
    """A fact as lists have it."""
    return "Yes" if is_so else "No"


def _shown(cell: Cell) -> str | int | float | None:
    if isinstance(cell, datetime):
        return london(cell).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
    return csv_cell(cell)
