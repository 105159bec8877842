"""One table as files of a bag: JSON lines, which are the faithful copy, CSV for people, and a schema.

It is read once, by a cursor that streams, in the order of its key; a big one comes in parts, so that no file grows
beyond what programs open. `data/tables/NAME.jsonl`, then `NAME-0002.jsonl` and so on, and the same as CSV.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from privacy import reach
from privacy.keystore import DataKeys, Vault
from privacy.returns.forms import TableForm
from privacy.returns.selection import Selection
from privacy.returns.values import Opener, Said, compact, marked, said
from privacy.returns.volumes import Entry, Squeezer, Writer

FOLDER = "data/tables"
FILES = "data/files"
PART_BYTES = 16 * 1024 * 1024
PART_ROWS = 1_000_000
"""A spreadsheet has room for 1,048,576 rows."""
BOM = "\ufeff"

Tell = Callable[[int], None]
"""Hears how many rows more were written."""


class RowFailed(Exception):
    """A row could not be written; nothing of the package counts."""


@dataclass
class Facts:
    """What was written of a table: rows, the SHA-256 over all its JSON lines, and in how many parts. `total` is how
    many rows the database has, `lost` how many values nobody opens any more, by column."""

    name: str
    total: int
    rows: int = 0
    digest: str = ""
    parts: int = 0
    lost: dict[str, int] = field(default_factory=dict)


@dataclass
class Escapes:
    """Where a cell of a CSV file got an apostrophe, so that no spreadsheet takes it for a formula."""

    writer: Writer
    count: int = 0

    def note(self, table: str, column: str, rows: Sequence[int]) -> None:
        for row in rows:
            self.writer.write(f"{table},{row},{column}\r\n".encode())
        self.count += len(rows)


class Known:
    """The digests of the files that are in the bag already: the same content lies there once."""

    def __init__(self) -> None:
        self.digests: set[bytes] = set()
        self.waiting: list[tuple[str, bytes]] = []

    def take(self, data: bytes) -> None:
        digest = hashlib.sha256(data)
        if digest.digest() not in self.digests:
            self.digests.add(digest.digest())
            self.waiting.append((digest.hexdigest(), data))

    def entries(self, squeezer: Squeezer) -> Iterator[Entry]:
        while self.waiting:
            name, data = self.waiting.pop()
            yield squeezer.whole(f"{FILES}/{name}", data)


def part_name(table: str, part: int, end: str) -> str:
    return f"{FOLDER}/{table}{f'-{part:04}' if part > 1 else ''}.{end}"


def entries(
    connection: Connection,
    form: TableForm,
    facts: Facts,
    *,
    vault: Vault,
    selection: Selection,
    squeezer: Squeezer,
    known: Known,
    escapes: Escapes,
    tell: Tell,
) -> Iterator[Entry]:
    """The files of a table, and those that its values hold; `facts` is filled in on the way. Raises RowFailed."""
    table = form.table
    digest = hashlib.sha256()
    # Keys of one batch at a time: those of all people would fill the memory.
    opener = Opener(lambda: DataKeys(vault), known.take)
    part = _Part(form, 1, squeezer, digest)
    for rows in _batches(connection, form, selection):
        try:
            columns = said(form, rows, opener)
        except Exception as error:
            raise RowFailed(f"{table.name}, after row {facts.rows}: {error}") from error
        if part.is_full:
            yield from part.close()
            part = _Part(form, part.number + 1, squeezer, digest)
        part.add(columns, escapes, before=facts.rows)
        facts.rows += len(rows)
        tell(len(rows))
        yield from known.entries(squeezer)
    yield from part.close()
    facts.parts = part.number
    facts.digest = digest.hexdigest()
    facts.lost = opener.lost
    yield squeezer.whole(f"{FOLDER}/{table.name}.schema.json", _schema(form, facts))


def _batches(
    connection: Connection, form: TableForm, selection: Selection
) -> Iterator[Sequence[Sequence[Any]]]:
    """The rows in the order of their key, some at a time."""
    asked = select(*form.selected(connection.dialect.name)).order_by(*reach.key(form.table))
    size = _at_once(form)
    for where in selection.slices(form.table):
        if connection.dialect.name == "sqlite":
            # Its driver streams by itself. What was asked for is plain, so its own rows do, and save a tenth.
            with connection.execute(asked.where(*where)) as found:
                while rows := found.cursor.fetchmany(size):
                    yield rows
        else:
            with connection.execute(asked.where(*where).execution_options(yield_per=size)) as found:
                yield from found.partitions()


def _at_once(form: TableForm) -> int:
    """How many rows are held at a time: files are big, and what is sealed is padded."""
    if form.holds_files:
        return 1
    return 250 if form.is_sealed else 2000


class _Part:
    """The two files of a stretch of rows."""

    def __init__(self, form: TableForm, number: int, squeezer: Squeezer, digest: "hashlib._Hash") -> None:
        self.form = form
        self.number = number
        self.rows = 0
        self._lines = squeezer.file(part_name(form.name, number, "jsonl"), also=digest)
        self._cells = squeezer.file(part_name(form.name, number, "csv"))
        names = ",".join(one.name for one in form.forms)
        self._cells.write(f"{BOM}{names}\r\n".encode())

    def add(self, columns: Sequence[Said], escapes: Escapes, *, before: int) -> None:
        form = self.form
        lines = map(form.template.__mod__, zip(*(one.json for one in columns), strict=True))
        self._lines.write("".join(lines).encode())
        shown = []
        for one, column in zip(form.forms, columns, strict=True):
            cells = column.cells
            if one.kind in ("text", "json"):
                cells, places = marked(cells)
                escapes.note(form.name, one.name, [before + place + 1 for place in places])
            shown.append(cells)
        self._cells.write("".join(map(form.row.__mod__, zip(*shown, strict=True))).encode())
        self.rows += len(shown[0])

    @property
    def is_full(self) -> bool:
        return self._lines.size >= PART_BYTES or self.rows >= PART_ROWS

    def close(self) -> Iterator[Entry]:
        yield self._lines.close()
        yield self._cells.close()


def _schema(form: TableForm, facts: Facts) -> bytes:
    holding = reach.holding(form.table)
    document = {
        "table": form.name,
        "purpose": holding.purpose,
        "keep": holding.keep.words,
        "key": [column.name for column in reach.key(form.table)],
        "columns": [one.document() for one in form.forms],
        "left_out": list(form.left_out),
        "about_a_person": list(reach.path(form.table)),
        "rows": facts.rows,
        "files": [part_name(form.name, number + 1, "jsonl") for number in range(facts.parts)],
        "times": "UTC",
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def ledger_entries(
    rows: Sequence[tuple[str, int, str, str, str]], squeezer: Squeezer
) -> tuple[Facts, list[Entry]]:
    """The erasure ledger as files like a table's: who was erased, as ids; none of their data is anywhere."""
    names = ("holder_id", "version", "created_at", "destroyed_on", "instruction")
    lines = "".join(compact(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()
    text = io.StringIO()
    text.write(BOM)
    csv.writer(text, lineterminator="\r\n").writerows([names, *rows])
    made = [
        squeezer.whole(part_name(LEDGER, 1, "jsonl"), lines),
        squeezer.whole(part_name(LEDGER, 1, "csv"), text.getvalue().encode()),
    ]
    return Facts(LEDGER, len(rows), len(rows), hashlib.sha256(lines).hexdigest(), 1), made


LEDGER = "erasure_ledger"
