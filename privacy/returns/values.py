"""A batch of values as it is written down: as JSON text, and as cells for people.

It is taken column by column, so that each step is one pass in C. Instants are UTC. Sealed values are opened, and files
stand as the digest under which they lie in `data/files/`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from privacy.columns import unseal
from privacy.errors import HolderErased
from privacy.keystore import DataKeys
from privacy.person_file import TAKEN_FOR_FORMULAS
from privacy.returns.forms import Form, TableForm

NULL = "null"

Raw = Sequence[Any]
FileSink = Callable[[bytes], None]
"""Takes a file that a value holds."""


@dataclass(frozen=True)
class Said:
    """A column of a batch: as JSON text, and as cells for people."""

    json: Sequence[str]
    cells: Sequence[Any]


@dataclass
class Opener:
    """Opens the sealed values of a batch. `lost` counts those whose key was destroyed, by table and column."""

    keys: Callable[[], DataKeys]
    file: FileSink
    lost: dict[str, int] = field(default_factory=dict)

    def column(self, form: Form, batch: Mapping[str, Raw], keys: DataKeys) -> Said:
        """Raises SealBroken where a value was altered."""
        opened = [self._opened(form, *one, keys) for one in _sealed_values(form, batch)]
        if form.kind == "file":
            return _quoted(opened)
        if form.kind == "text":
            return _text(opened)
        return Said(_filled(opened, str), _blank(opened))

    def _opened(
        self, form: Form, row: str, raw: bytes | None, holder: str | None, keys: DataKeys
    ) -> str | None:
        if raw is None or holder is None:
            return None
        table = form.column.table.name
        try:
            data = unseal(keys, raw, table=table, column=form.column.name, row=UUID(row), holder=UUID(holder))
        except HolderErased:
            place = f"{table}.{form.name}"
            self.lost[place] = self.lost.get(place, 0) + 1
            return None
        if form.kind == "file":
            self.file(data)
            return hashlib.sha256(data).hexdigest()
        return data.decode()


def _sealed_values(form: Form, batch: Mapping[str, Raw]) -> Iterator[tuple[str, bytes | None, str | None]]:
    """Row, sealed value and holder of each value of a column."""
    columns = [batch[name] for name in form.holders]
    whose = (
        columns[0]
        if len(columns) == 1
        else (next(filter(None, row), None) for row in zip(*columns, strict=True))
    )
    return zip(batch["id"], batch[form.name], whose, strict=True)


def said(form: TableForm, rows: Sequence[Raw], opener: Opener) -> list[Said]:
    """A batch of rows, column by column. Raises SealBroken."""
    columns = [
        list(map(_dashed, column)) if one.kind == "id" else column
        for one, column in zip(form.forms, zip(*rows, strict=True), strict=True)
    ]
    batch = {one.name: column for one, column in zip(form.forms, columns, strict=True)}
    sealed = [one for one in form.forms if one.sealed]
    keys = opener.keys()
    keys.fetch(
        UUID(holder)
        for one in sealed
        for _, raw, holder in _sealed_values(one, batch)
        if raw is not None and holder is not None
    )
    return [
        opener.column(one, batch, keys) if one.sealed else _in_clear(one.kind, column)
        for one, column in zip(form.forms, columns, strict=True)
    ]


def _dashed(value: str | None) -> str | None:
    """An id with its dashes, which SQLite keeps without."""
    if value is None or len(value) != 32:
        return value
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _in_clear(kind: str, column: Raw) -> Said:
    match kind:
        case "text":
            return _text(column)
        case "integer":
            return Said(_filled(column, str), _blank(column))
        case "boolean":
            words = _filled(column, lambda value: "true" if value else "false")
            return Said(words, ["" if word == NULL else word for word in words])
        case "instant":
            return Said(_filled(column, _instant), ["" if value is None else value[:19] for value in column])
        case "json":
            # JSON's own null and a missing value are the same to whoever reads them.
            tidy = [None if value in (None, NULL) else compact(json.loads(value)) for value in column]
            return Said(_filled(tidy, str), _blank(tidy))
    return _quoted(column)


def _filled(column: Raw, form: Callable[[Any], str]) -> Sequence[str]:
    """Each value in a form, and null where there is none; the loop is in C where none is missing."""
    if None in column:
        return [NULL if value is None else form(value) for value in column]
    return list(map(form, column))


def _blank(column: Raw) -> Sequence[Any]:
    return ["" if value is None else value for value in column] if None in column else column


def _text(column: Raw) -> Said:
    return Said(_filled(column, encode_basestring), _blank(column))


def _quoted(column: Raw) -> Said:
    return Said(_filled(column, '"{}"'.format), _blank(column))


def _instant(value: str) -> str:
    """`2023-03-01 09:00:00.000000` as ISO 8601 writes it, in UTC."""
    end = 19 if value.endswith(".000000") else 26
    return f'"{value[:10]}T{value[11:end]}+00:00"'


def compact(document: object) -> str:
    """JSON without a space, letters as they are: the one form in which it is written."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def marked(column: Sequence[str]) -> tuple[Sequence[str], list[int]]:
    """Cells of text as CSV has them: an apostrophe before what a spreadsheet would take for a formula, and quotes
    where they are needed; and the places of the apostrophes. Most columns need neither, which one look shows."""
    whole = _BETWEEN.join(column)
    places = []
    if _FORMULA.search(whole):
        places = [place for place, cell in enumerate(column) if cell.startswith(TAKEN_FOR_FORMULAS)]
        column = list(column)
        for place in places:
            column[place] = f"'{column[place]}"
    if _QUOTED.search(whole):
        column = [quoted(cell) if _QUOTED.search(cell) else cell for cell in column]
    return column, places


def quoted(cell: str) -> str:
    """A cell of CSV that holds a comma, a quote or the end of a line."""
    return '"' + cell.replace('"', '""') + '"'


_BETWEEN = "\x1f"
_FORMULA = re.compile(f"(?:^|{_BETWEEN})[{re.escape(''.join(TAKEN_FOR_FORMULAS))}]")
_QUOTED = re.compile('[",\r\n]')
