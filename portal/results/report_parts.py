"""What a report is made of, before it is a page or a file: sections of tables, pictures, words, and places to write.

Every writer takes the same parts, so a figure is the same in each of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from portal.filters import day
from portal.results.drawing import Picture
from portal.results.pictures import percent
from surveys.protected import HIDDEN, HIDDEN_TIDY

NOT_APPLICABLE, UNRELIABLE = "[z]", "[u]"
TIDY = {HIDDEN: HIDDEN_TIDY, NOT_APPLICABLE: "z", UNRELIABLE: "u"}
"""The marks that stand for figures, as people see them and as tidy files have them."""
SHORTHAND = (
    (HIDDEN, "kept back, so that nobody can be found"),
    (UNRELIABLE, "too few people for a share"),
    (NOT_APPLICABLE, "does not apply"),
)


@dataclass(frozen=True)
class Share:
    """A share, 0 to 1, which people read as a percentage."""

    value: float


Value = str | int | Share | date


def words(value: Value) -> str:
    """A value as people read it."""
    match value:
        case Share():
            return percent(value.value)
        case int():
            return f"{value:,}"
        case date():
            return day(value)
    return value


def tidy(value: Value) -> str | int | float | date:
    """A value as a tidy file has it: a number for a share, a letter for a mark."""
    if isinstance(value, Share):
        return round(value.value, 6)
    return TIDY.get(value, value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of figures. `lead` holds what is the same for all its rows, such as the strand: a column each in a
    spreadsheet, where all grids of a section stand below each other. The first of `head` names the rows. `upright`:
    one row of many figures, which people read downwards. `before` is said above it, `notes` below. `silent`: nothing
    of it is shown, so that people read its name in the words of the section and files for machines have it whole."""

    caption: str
    lead: Mapping[str, Value]
    head: Sequence[str]
    rows: Sequence[Sequence[Value]]
    notes: Sequence[str] = ()
    before: Sequence[str] = ()
    picture: Picture | None = None
    upright: bool = False
    silent: bool = False

    @property
    def shown_head(self) -> Sequence[str]:
        """The head as people see it."""
        return ["What", "Figure"] if self.upright else self.head

    @property
    def shown(self) -> list[list[str]]:
        """The rows as people see them, in words."""
        if self.upright:
            return [
                [name, words(value)] for row in self.rows for name, value in zip(self.head, row, strict=True)
            ]
        return [[words(value) for value in row] for row in self.rows]

    @property
    def numeric(self) -> list[int]:
        """The columns, from 0, that hold figures and are set right, as people see them."""
        if self.upright:
            return [1]
        return [
            column
            for column in range(1, len(self.head))
            if all(isinstance(row[column], int | Share) or row[column] in TIDY for row in self.rows)
        ]


class Quotation(NamedTuple):
    """Somebody's own words, and who says them, which is never a name."""

    text: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a report. `words` are ours; `written` are what the team wrote when it released the report; `ask` is
    what it is to write in the Word file, if anything. `quotes` stand below the tables."""

    code: str
    title: str
    words: Sequence[str] = ()
    written: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    quotes: Sequence[Quotation] = ()
    ask: str = ""

    @property
    def read(self) -> Sequence[Grid]:
        """The tables that people read."""
        return [grid for grid in self.grids if not grid.silent]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report that can be written: `facts` stand at its head, `sections` in order.

    `tidy_facts` are the columns that every row of its tidy file begins with.
    """

    name: str
    title: str
    service: str
    on: date
    made_at: datetime
    digest: str
    contract: str
    copyright: str
    facts: Sequence[tuple[str, str]]
    tidy_facts: Mapping[str, str | date]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default=())

    def figures(self) -> Iterator[tuple[Section, Grid, Sequence[Value], str, Value]]:
        """Every figure with where it stands: section, table, row, the name of its column, itself."""
        for section in self.sections:
            for grid in section.grids:
                for row in grid.rows:
                    for name, value in zip(grid.head[1:], row[1:], strict=True):
                        yield section, grid, row, name, value
