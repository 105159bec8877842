"""Files that people send: bytes to rows with line numbers, every fault by line, all or nothing.

A file is UTF-8, with or without a mark at its start; one that is not is read as Windows-1252, as spreadsheets
write it, and a note says so. Line numbers are those that an editor shows, empty lines counted.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from portal.csv_files import csv_of
from surveys.export_files import csv_cell

ROWS_AT_MOST = 100_000
REASON = "reason"
"""The column in which `marked` says what is wrong with a row; passed over when the file is read again."""
SEPARATORS = {";": "semicolons", "\t": "tabs"}
CHANGED_ENCODING = (
    "The file is not UTF-8. It was read as Windows-1252: look at names with accents before you rely on them"
)
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_BRITISH = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_YEARS = range(1900, 2100)


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong on a line, counted from 1, in words for the person who made the file."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class FileFaults(Exception):
    """The file was not taken: `faults` holds every fault in order of lines, `notes` how it was read."""

    def __init__(self, faults: Sequence[Fault], notes: Sequence[str] = ()) -> None:
        self.faults = sorted(faults)
        self.notes = list(notes)
        super().__init__("; ".join(str(fault) for fault in self.faults[:10]))


@dataclass(frozen=True)
class Row:
    """The cells of one row by column name, white space around them gone, and the line where it begins."""

    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass(frozen=True)
class Sheet:
    """A file that could be read. `faults` are rows that do not fit the first line."""

    rows: list[Row]
    faults: list[Fault]
    notes: list[str]


def read(data: bytes, *, columns: Sequence[str], others: bool = False) -> Sheet:
    """Read comma-separated rows whose first line names these columns, in any order.

    `others` allows further columns, which are passed over, as REASON always is. Raises FileFaults where the whole
    cannot be read.
    """
    text, notes = _decoded(data)
    records = _records(text, notes)
    heading = next(records, None)
    if heading is None:
        raise FileFaults([Fault(1, "The file is empty")], notes)
    names = _names(*heading, columns=columns, others=others, notes=notes)
    rows: list[Row] = []
    faults: list[Fault] = []
    for line, cells in records:
        if len(rows) + len(faults) >= ROWS_AT_MOST:
            message = f"The file has more than {ROWS_AT_MOST:,} rows. Split it into smaller files"
            raise FileFaults([Fault(line, message)], notes)
        # Spreadsheets write commas for columns that were used once and are empty now.
        cells = cells[: len(names)] if not any(cells[len(names) :]) else cells
        if len(cells) != len(names):
            faults.append(Fault(line, f"The row has {_cells(len(cells))}, the first line has {len(names)}"))
        else:
            cells = [_as_typed(cell) for cell in cells] if REASON in names else cells
            rows.append(Row(line, dict(zip(names, cells, strict=True))))
    if not rows and not faults:
        raise FileFaults([Fault(1, "The file has column names and no rows")], notes)
    return Sheet(rows, faults, notes)


def marked(data: bytes, faults: Iterable[Fault]) -> bytes | None:
    """The whole file again, with what is wrong with each row in a last column, to be corrected and sent: for a file is
    taken whole or not at all. None where nothing is wrong with a single row, or the rows cannot be told apart."""
    said: dict[int, list[str]] = {}
    for fault in faults:
        said.setdefault(fault.line, []).append(fault.message)
    try:
        (begins, head), *rows = _records(_decoded(data)[0], [])
    except (FileFaults, ValueError):
        return None
    if not any(line in said for line, _ in rows):
        return None
    while not head[-1]:
        head.pop()
    names, width = [name.casefold() for name in head], len(head)
    # The reasons of a file that was marked before go.
    before = names.index(REASON) if REASON in names else None
    own = [at for at in range(width) if at != before]
    table: list[list[str]] = []
    ends = begins
    for line, cells in rows:
        # Empty lines stay: reasons name other lines by their numbers.
        table += [[] for _ in range(line - ends - 1)]
        ends = line + sum(cell.count("\n") for cell in cells)
        if before is not None:
            cells = [_as_typed(cell) for cell in cells]
        cells = [*cells, *[""] * (width - len(cells))]
        table.append([*(cells[at] for at in own), "; ".join(said.get(line, ())), *cells[width:]])
    return csv_of([*(head[at] for at in own), REASON], table)


def _as_typed(cell: str) -> str:
    """A cell of a marked file without the apostrophe that keeps a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and csv_cell(cell[1:]) == cell else cell


def read_date(text: str) -> date:
    """A date written 2023-03-31 or 31/03/2023. Raises ValueError with a plain message."""
    if found := _ISO.fullmatch(text):
        year, month, day = (int(part) for part in found.groups())
    elif found := _BRITISH.fullmatch(text):
        day, month, year = (int(part) for part in found.groups())
    else:
        raise ValueError(f"“{shortened(text)}” is not a date. Write it like 2023-03-31 or 31/03/2023")
    try:
        read = date(year, month, day)
    except ValueError as error:
        raise ValueError(f"“{text}” is a date that does not exist") from error
    if read.year not in _YEARS:
        raise ValueError(f"“{text}” is too far from today")
    return read


def shortened(text: str, *, at_most: int = 60) -> str:
    """Text to quote in a message: one line, not too long."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= at_most else f"{line[: at_most - 1]}…"


def has_control_characters(text: str) -> bool:
    """Line breaks, tabs, U+0000 and their kind: nothing that a name, an address or a title holds."""
    return any(unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} for letter in text)


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if data.startswith(b"PK\x03\x04"):
        raise FileFaults([Fault(1, "This is a workbook. Save the sheet as “CSV UTF-8” and send that file")])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileFaults(
            [Fault(1, "This is “Unicode text”. Save the sheet as “CSV UTF-8” and send that file")]
        )
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        return _as_windows(data, error), [CHANGED_ENCODING]


def _as_windows(data: bytes, error: UnicodeDecodeError) -> str:
    lines = data.splitlines()
    for line in lines:
        # A line with accents that is UTF-8 stands in a file that is not: two files were put together, and
        # reading all of it as Windows-1252 would spoil that line silently.
        if not line.isascii() and _is_utf8(line):
            number = data[: error.start].count(b"\n") + 1
            raise FileFaults(
                [
                    Fault(
                        number,
                        "The file mixes two ways of writing accents. Save it as “CSV UTF-8” and send that",
                    )
                ]
            )
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as problem:
        number = data[: problem.start].count(b"\n") + 1
        raise FileFaults(
            [Fault(number, "A character cannot be read. Save the file as “CSV UTF-8” and send that")]
        ) from problem


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _records(text: str, notes: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line where it begins; lines without any text are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # Nothing after a broken quotation can be read: where the next row begins is not known.
            message = (
                'A quotation mark is opened here and not closed, or stands inside a cell. Write it twice: "".'
                if "limit" not in str(error)
                else "A cell is far too long. Look for a quotation mark that is not closed"
            )
            raise FileFaults([Fault(line, message)], notes) from error
        if cells is None:
            return
        cells = [cell.strip() for cell in cells]
        if any(cells):
            yield line, cells


def _names(
    line: int, cells: list[str], *, columns: Sequence[str], others: bool, notes: list[str]
) -> list[str]:
    names = [cell.casefold() for cell in cells]
    while not names[-1]:
        names.pop()
    if len(names) == 1 and (found := next((mark for mark in SEPARATORS if mark in names[0]), None)):
        message = f"The columns are set apart by {SEPARATORS[found]}. Save the file with commas"
        raise FileFaults([Fault(line, message)], notes)
    faults = [f"The column “{column}” is missing" for column in columns if column not in names]
    faults += [
        f"The column “{shortened(name)}” stands there twice"
        for name in dict.fromkeys(names)
        if name in columns and names.count(name) > 1
    ]
    if not others:
        known = ", ".join(columns)
        faults += [
            f"The column “{shortened(name)}” is not known. The columns are {known}"
            for name in dict.fromkeys(names)
            if name not in columns and name != REASON
        ]
    if faults:
        raise FileFaults([Fault(line, message) for message in faults], notes)
    return names


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"
