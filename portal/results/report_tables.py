"""A report as tables for machines: one tidy CSV with a row for each figure, and a spreadsheet with typed cells.

Kept back is `c` in the CSV and `[c]` in the spreadsheet. Texts that a spreadsheet could take for formulas are marked
or typed, as in the exports of answers.
"""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

from portal.results.report_parts import SHORTHAND, Grid, Report, Section, Share, Value, tidy, words
from privacy.clock import london
from privacy.later import Later
from surveys.export_files import csv_cell, for_paper, height

if TYPE_CHECKING:
    import xlsxwriter
else:
    xlsxwriter = Later("xlsxwriter")

LONGEST_DAY = len("30 September 2022")
NAMES_OF_A_ROW = ("section", "table", "row", "measure", "value")


def tidy_csv(report: Report) -> bytes:
    """A row for each figure, in UTF-8 with a signature: the report, where the figure stands, the figure."""
    leads = list(
        dict.fromkeys(name for section in report.sections for grid in section.grids for name in grid.lead)
    )
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*report.tidy_facts, *(_column(name) for name in leads), *NAMES_OF_A_ROW])
    for section, grid, row, name, value in report.figures():
        cells = [
            *report.tidy_facts.values(),
            *(tidy(grid.lead[lead]) if lead in grid.lead else "z" for lead in leads),
            *(section.title, grid.caption, tidy(row[0]), name, tidy(value)),
        ]
        writer.writerow([csv_cell(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _column(name: str) -> str:
    return name.lower().replace(" ", "_")


def workbook(report: Report) -> bytes:
    """A spreadsheet: a sheet of notes, then one for each section with figures, a table from the first row on and no
    cell merged."""
    out = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        made = london(report.made_at).replace(tzinfo=None)
        book.set_properties(
            {"title": report.title, "author": report.service, "comments": report.copyright, "created": made}
        )
        _notes(book, report)
        for section in report.sections:
            if section.grids:
                _Sheet(book, section.title, report).table(section)
    return out.getvalue()


def _notes(book: Any, report: Report) -> None:
    sheet = _Sheet(book, "Notes", report)
    sheet.width(0, 30)
    sheet.width(1, 100)
    sheet.write(0, 0, report.title, sheet.bold)
    said = (
        *report.facts,
        *SHORTHAND,
        *(("Note", note) for note in report.notes),
        *((one.title, note) for one in report.sections for note in one.words),
    )
    for number, pair in enumerate(said, 1):
        sheet.row(number, pair)


class _Sheet:
    """A sheet whose cells have types."""

    def __init__(self, book: Any, name: str, report: Report) -> None:
        self._sheet = book.add_worksheet(name[:31])
        self._widths: dict[int, int] = {}
        for_paper(self._sheet, f"{report.title}, {report.contract}")
        self.bold = book.add_format({"bold": True})
        self._wrap = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "indent": 1})
        self.prose = book.add_format({"text_wrap": True, "valign": "top", "indent": 1})
        self._number = book.add_format({"num_format": "#,##0", "valign": "top"})
        self._share = book.add_format({"num_format": "0.0%", "valign": "top"})
        self._day = book.add_format(
            {"num_format": "d mmmm yyyy", "align": "left", "valign": "top", "indent": 1}
        )
        self._mark = book.add_format({"align": "right", "valign": "top"})

    def table(self, section: Section) -> None:
        """All grids of a section below each other: what is the same for a grid, then its rows, then their notes."""
        first = section.grids[0]
        noted = any(grid.notes for grid in section.grids)
        head = [*first.lead, *first.head, *(["Notes"] if noted else [])]
        self._sheet.freeze_panes(1, 0)
        self._sheet.repeat_rows(0)
        lines = [line for grid in section.grids for line in _lines(grid, noted=noted)]
        for column, name in enumerate(head):
            shown = [len(words(line[column])) for line in lines]
            head_words = [len(word) for word in name.split()]
            least = LONGEST_DAY if any(isinstance(line[column], date) for line in lines) else 12
            self.width(column, min(60, max([least, len(name) // 2, *head_words, *shown]) + 2))
        self.row(0, head, self._wrap)
        for number, line in enumerate(lines, 1):
            self.row(number, line)
        self._sheet.autofilter(0, 0, max(len(lines), 1), len(head) - 1)

    def row(self, number: int, cells: Sequence[Value], style: Any = None) -> None:
        """A row as high as what wraps in it."""
        texts = [(cell, self._widths[column]) for column, cell in enumerate(cells) if isinstance(cell, str)]
        self._sheet.set_row(number, height(texts))
        for column, cell in enumerate(cells):
            self.write(number, column, cell, style)

    def write(self, row: int, column: int, value: Value, style: Any = None) -> None:
        match value:
            case Share():
                self._sheet.write_number(row, column, round(value.value, 6), self._share)
            case int():
                self._sheet.write_number(row, column, value, style or self._number)
            case date():
                self._sheet.write_datetime(
                    row, column, datetime.combine(value, datetime.min.time()), self._day
                )
            case str():
                mark = self._mark if value in (shown for shown, _ in SHORTHAND) and column else None
                self._sheet.write_string(row, column, value, style or mark or self.prose)

    def width(self, column: int, characters: int) -> None:
        self._widths[column] = characters
        self._sheet.set_column(column, column, characters)


def _lines(grid: Grid, *, noted: bool) -> list[Sequence[Value]]:
    notes = ["\n".join(grid.notes)] if noted else []
    return [[*grid.lead.values(), *row, *notes] for row in grid.rows]
