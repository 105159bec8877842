"""The files of an export: CSV, JSON lines, or one XLSX workbook; all stream.

CSV is RFC 4180 in UTF-8 with a signature. A text that a spreadsheet could take for a formula has an apostrophe put
before it; numbers and dates stay what they are, and nothing is taken away. XLSX cells have types, so texts stay as
they are; JSON lines hold every answer as it was saved.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from privacy.clock import london_date
from privacy.later import Later
from surveys import codebook
from surveys.export_columns import Cell, Missing, Part
from surveys.exports import LEAD, Bases, Row, Source

if TYPE_CHECKING:
    import xlsxwriter
else:
    xlsxwriter = Later("xlsxwriter")

TAKEN_FOR_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""A text that begins with one of these gets an apostrophe before it: also one that begins with an apostrophe, so
that taking one off always gives the text back."""


class Format(StrEnum):
    """The formats of an export."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


NARROW, WIDE, WIDEST = 12, 40, 100
"""Widths of columns, in characters: a date is whole in the narrowest, a sentence wraps in the others."""
_SENTENCES = frozenset({"holds", "wording", "options", "scores", "shown_if", "differs", "corrections"})


class DoesNotFit(Exception):
    """A sheet has no room for so many rows or columns, or a cell for so long a text."""


def documents(source: Source, format: Format) -> list[tuple[str, Iterator[str]]]:
    """The text files of an export in CSV or JSON lines, each by the end of its name, such as `.labels.csv`.

    They are to be read in this order: the codebook counts what the answers held.
    """
    bases = Bases()
    notes = _notes(source, bases)
    if format is Format.JSONL:
        return [
            (".jsonl", _json_lines(source, bases)),
            (".codebook.jsonl", _json_codebook(source, bases)),
            (".notes.txt", notes),
        ]
    return [
        (".csv", _csv(_codes(source, bases))),
        (".labels.csv", _csv(_labels(source))),
        (".codebook.csv", _csv(_codebook(source, bases))),
        (".notes.txt", notes),
    ]


def _codes(source: Source, bases: Bases) -> Iterator[Sequence[Cell]]:
    yield [*source.selection.named, *LEAD, *(column.heading for column in source.columns)]
    for row in source.rows():
        bases.add(row)
        yield [*_front(source, row), *(row.cell(column) for column in source.columns)]


def _labels(source: Source) -> Iterator[Sequence[Cell]]:
    """The same rows in words, under the wordings of the newest version."""
    yield _wordings(source)
    for row in source.rows():
        yield _labelled(source, row)


def _labelled(source: Source, row: Row) -> Sequence[Cell]:
    return [*_front(source, row), *(row.label(column) for column in source.columns)]


def _front(source: Source, row: Row) -> list[Cell]:
    return [*(row.named.get(heading, "") for heading in source.selection.named), *row.lead().values()]


def _wordings(source: Source) -> list[Cell]:
    told: list[Cell] = [*source.selection.named, *LEAD]
    for column in source.columns:
        question = next(
            placed[1]
            for version in source.versions
            if (placed := version.questionnaire.placed.get(column.question)) is not None
        )
        options = [one.label for one in question.listed() if one.code == column.option]
        extra = {Part.DETAIL: "what", Part.QUOTE: "may be quoted", Part.SCORE: "score"}.get(column.part)
        told.append(": ".join([question.text, *(options or ([extra] if extra else []))]))
    return told


def _codebook(source: Source, bases: Bases) -> Iterator[Sequence[Cell]]:
    yield codebook.HEADINGS
    yield from codebook.lines(source, bases)


def _notes(source: Source, bases: Bases) -> Iterator[str]:
    for note in codebook.notes(source, bases):
        yield f"{note}\r\n\r\n"


class _Pass:
    """Gives back what a csv writer writes."""

    def write(self, text: str) -> str:
        return text


def _csv(rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Pass(), lineterminator="\r\n")
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([csv_cell(cell) for cell in row])


def csv_cell(cell: Cell) -> str | int | float | None:
    """A cell as CSV holds it; what is no text is never changed."""
    match cell:
        case date():
            return cell.isoformat()
        case str() if cell.startswith(TAKEN_FOR_FORMULAS):
            return f"'{cell}"
    return cell


def _json_lines(source: Source, bases: Bases) -> Iterator[str]:
    """A line for each response: `answers` by the keys under which they were saved, `scores` and `missing` by
    question; `missing` has no code that an answer could be taken for."""
    for row in source.rows():
        bases.add(row)
        lead = row.lead() | {"late": row.late}
        missing, scores = {}, {}
        for column in source.columns:
            found = row.cell(column)
            if column.part in (Part.ANSWER, Part.OPTION) and isinstance(found, Missing):
                missing[column.question] = found.word
            elif column.part is Part.SCORE and isinstance(found, int | float):
                scores[column.question] = found
        yield _json({**row.named, **lead, "answers": row.answers, "scores": scores, "missing": missing})


def _json_codebook(source: Source, bases: Bases) -> Iterator[str]:
    for line in codebook.lines(source, bases):
        yield _json(dict(zip(codebook.HEADINGS, line, strict=True)))


def _json(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, default=date.isoformat) + "\n"


def write_xlsx(source: Source, path: Path, *, scratch: Path) -> None:
    """Write one workbook: answers, labels, codebook, notes. Raises DoesNotFit.

    While it is written its parts lie in clear in `scratch`, a folder that its owner alone can open.
    """
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "use_zip64": True,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        names = ", with names" if source.selection.named else ""
        title = f"Answers to {', '.join(source.selection.codes)}{names}"
        created = datetime.combine(london_date(source.now), datetime.min.time())
        book.set_properties({"title": title, "created": created})
        sheets = {name: _Sheet(book, name, title) for name in ("Answers", "Labels", "Codebook", "Notes")}
        bases = Bases()
        front = len(source.selection.named) + 1
        heads = [*source.selection.named, *LEAD, *(one.heading for one in source.columns)]
        sheets["Answers"].head(heads, stay=front, widths=[max(NARROW, len(head) + 5) for head in heads])
        wordings = _wordings(source)
        named = len(source.selection.named) + len(LEAD)
        widths = [max(NARROW, len(head) + 5) for head in heads[:named]]
        sheets["Labels"].head(wordings, stay=front, widths=[*widths, *[WIDE // 2] * (len(heads) - named)])
        for row in source.rows():
            bases.add(row)
            sheets["Answers"].add([*_front(source, row), *(row.cell(column) for column in source.columns)])
            sheets["Labels"].add(_labelled(source, row))
        widths = [WIDE if head in _SENTENCES else max(NARROW, len(head) + 3) for head in codebook.HEADINGS]
        widths[0] = WIDE // 2
        sheets["Codebook"].head(codebook.HEADINGS, stay=1, widths=widths)
        for line in codebook.lines(source, bases):
            sheets["Codebook"].add(line, style=sheets["Codebook"].prose)
        sheets["Notes"].wide([WIDEST])
        for note in codebook.notes(source, bases):
            sheets["Notes"].add([note], style=sheets["Notes"].prose)
        for sheet in sheets.values():
            sheet.close()


def height(texts: Iterable[tuple[str, int]]) -> int:
    """The height of a row, in points, in which texts wrap within columns of these widths: not every program finds it
    itself."""
    lines = max(
        (
            sum(max(len(wrap(line, max(width - 2, 1))), 1) for line in text.split("\n"))
            for text, width in texts
        ),
        default=1,
    )
    return min(15 * max(lines, 1), 400)


def for_paper(sheet: Any, title: str, *, one_wide: bool = True) -> None:
    """How a sheet is printed: A4 across, below its title, with the number of the page; as wide as the paper, unless it
    has too many columns for that."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
    # An ampersand begins a code there.
    sheet.set_header(f"&L{title.replace('&', '&&')}&R&A")
    sheet.set_footer("&RPage &P of &N")
    if one_wide:
        sheet.fit_to_pages(1, 0)


class _Sheet:
    """A sheet that is written from the top, row after row; none can be changed afterwards."""

    def __init__(self, book: "xlsxwriter.Workbook", name: str, title: str) -> None:
        self._sheet = book.add_worksheet(name)
        self._next = 0
        self._columns = 0
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.prose = book.add_format({"text_wrap": True, "valign": "top", "quote_prefix": True})
        self._widths: Sequence[int] = ()
        for_paper(self._sheet, title, one_wide=name in ("Codebook", "Notes"))
        # A text that is edited in place is read again as if typed: with this mark it stays a text.
        self._text = book.add_format({"quote_prefix": True})

    def head(self, cells: Sequence[Cell], *, stay: int, widths: Sequence[int]) -> None:
        """The first row, and how many columns stay in sight beside it."""
        self._sheet.freeze_panes(1, stay)
        self._sheet.repeat_rows(0)
        self._sheet.repeat_columns(0, stay - 1)
        self._columns = len(cells)
        self.wide(widths)
        self.add(cells, style=self._bold)

    def wide(self, widths: Sequence[int]) -> None:
        self._widths = widths
        for column, width in enumerate(widths):
            self._sheet.set_column(column, column, width)

    def close(self) -> None:
        """What can be said once all its rows are there."""
        if self._columns:
            self._sheet.autofilter(0, 0, max(self._next - 1, 1), self._columns - 1)

    def add(self, cells: Sequence[Cell], *, style: Any = None) -> None:
        if style is not None:
            pairs = zip(cells, self._widths, strict=False)
            self._sheet.set_row(
                self._next, height((cell, wide) for cell, wide in pairs if isinstance(cell, str))
            )
        for number, found in enumerate(cells):
            if found is not None and self._write(number, found, style) != 0:
                raise DoesNotFit(f"row {self._next + 1}, column {number + 1}")
        self._next += 1

    def _write(self, number: int, found: str | int | float | date, style: Any) -> int:
        match found:
            case int() | float():
                return int(self._sheet.write_number(self._next, number, found))
            case date():
                day = datetime.combine(found, datetime.min.time())
                return int(self._sheet.write_datetime(self._next, number, day, self._day))
        if found.startswith("<r>") and found.endswith("</r>"):
            # The writer takes such a text for its own markup, unless it makes that markup itself.
            parts = [found[:1], self._text, found[1:]]
            return int(self._sheet.write_rich_string(self._next, number, *parts))
        if found.startswith(TAKEN_FOR_FORMULAS):
            style = style or self._text
        return int(self._sheet.write_string(self._next, number, found, style))
