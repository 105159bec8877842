"""Chapters: what those further up add to a return for people to read, from the same moment of the database.

The floor knows no questionnaire and no register; it writes down what a chapter gives. Everything in a chapter is in
the tables too: nothing is loaded from it again.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session as DbSession

from privacy.person_file import TAKEN_FOR_FORMULAS
from privacy.returns.selection import Selection
from privacy.returns.table_files import BOM
from privacy.returns.volumes import Entry, Squeezer

Cell = str | int | float | bool | None
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Sheet:
    """A CSV file below `data/`, `name` without its end. `of_everything`: it has no place in the return of a part."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Callable[[DbSession, Selection], Iterable[Sequence[Cell]]]
    of_everything: bool = False

    @property
    def path(self) -> str:
        return f"data/{self.name}.csv"


@dataclass(frozen=True)
class Page:
    """A file below `data/`, as it is, piece by piece: a page of HTML, or a document for machines."""

    name: str
    title: str
    text: Callable[[DbSession, Selection], Iterable[str]]
    of_everything: bool = False

    @property
    def path(self) -> str:
        return f"data/{self.name}"


Chapter = Sheet | Page


def entry(chapter: Chapter, db: DbSession, selection: Selection, squeezer: Squeezer) -> Entry:
    """A chapter as a file."""
    writer = squeezer.file(chapter.path)
    pieces = chapter.text(db, selection) if isinstance(chapter, Page) else _pieces(chapter, db, selection)
    for text in pieces:
        writer.write(text.encode())
    return writer.close()


def _pieces(sheet: Sheet, db: DbSession, selection: Selection) -> Iterator[str]:
    out = io.StringIO()
    out.write(BOM)
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(sheet.columns)
    for number, row in enumerate(sheet.rows(db, selection), 1):
        rows.writerow([_cell(one) for one in row])
        if number % _ROWS_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def _cell(value: Cell) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(TAKEN_FOR_FORMULAS) else value
