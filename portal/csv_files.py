"""Lists that the team takes out as CSV: small, whole in memory, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from surveys.export_files import csv_cell

Cell = str | int | float | date | None


def csv_of(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """RFC 4180 in UTF-8 with a signature; a text that a spreadsheet could take for a formula gets an apostrophe."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return sheet.getvalue().encode("utf-8-sig")
