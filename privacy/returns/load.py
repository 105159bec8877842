"""Loading a package into an empty instance, as a successor does (cl 15): the same rows, sealed with keys of its own.

What rests on keys is made anew: seals, keyed indexes, the MACs of the audit trail, secrets of sign-ins (which then open
nothing). Everything is loaded in one transaction, read back in it, and only then kept: each table must have the digest
that it came with.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.audit import AuditEntry, AuditHead, Chaining
from privacy.columns import Sealed, SealedBytes, seal, sealed_columns
from privacy.keystore import SUBJECT_KEY, DataKeys, Vault
from privacy.ledger import NO_KEY
from privacy.progress import Progress
from privacy.returns.forms import Form, TableForm, form_of
from privacy.returns.selection import Selection
from privacy.returns.table_files import LEDGER, Escapes, Facts, Known, entries
from privacy.returns.volumes import Squeezer
from privacy.transactions import writing

BATCH = 250
SECRET_BYTES = 32

Row = Mapping[str, Any]
Made = Mapping[str, Callable[[Row], bytes | None]]
"""What makes the keyed value of a column, by `table.column`, from the other values of the row."""


class LoadRefused(Exception):
    """The package cannot be loaded here; nothing was. The message says why."""


@dataclass(frozen=True)
class Target:
    """Where to load to. `keyed` makes what rests on keys; `settle` does what is left to do before it is kept."""

    engine: Engine
    vault: Vault
    keyed: Callable[[DbSession], Made]
    settle: Callable[[DbSession], None]
    apart: frozenset[str]


def load(bag: Path, package: Mapping[str, Any], target: Target, *, progress: Progress) -> int:
    """Load an opened and verified bag; returns how many rows. `package` is what its `package.json` says.

    Raises LoadRefused: then the database is as it was.
    """
    tables = [table for table in reach.tables() if table.name not in target.apart]
    _require_known(bag, package, tables)
    _load_ledger(bag, target.vault)
    wanted = sum(package["tables"][table.name]["rows"] for table in tables)
    with writing(target.engine) as connection:
        db = DbSession(bind=connection, info={"vault": target.vault})
        loading = _Loading(bag, connection, target.vault, target.keyed(db))
        for table in tables:
            for _ in loading.table(table):
                progress(loading.rows, wanted)
        target.settle(db)
        db.flush()
        _require_same(connection, package, target.vault, tables)
    return loading.rows


def _require_known(bag: Path, package: Mapping[str, Any], tables: Sequence[Table]) -> None:
    if package["scope"] != "all":
        raise LoadRefused("this package holds a part: only a whole one can be loaded")
    names = {table.name for table in tables}
    if odd := sorted(names ^ (set(package["tables"]) - {LEDGER})):
        raise LoadRefused(
            f"this release has other tables: {', '.join(odd)}. Use the one that built the package"
        )
    for table in tables:
        schema = json.loads((bag / "data" / "tables" / f"{table.name}.schema.json").read_bytes())
        theirs = [(column["name"], column["kind"]) for column in schema["columns"]]
        if theirs != [(form.name, form.kind) for form in form_of(table).forms]:
            raise LoadRefused(
                f"this release has other columns in {table.name}. Use the one that built the package"
            )


def _lines(bag: Path, table: str) -> Iterator[dict[str, Any]]:
    folder = bag / "data" / "tables"
    for path in (folder / f"{table}.jsonl", *sorted(folder.glob(f"{table}-[0-9][0-9][0-9][0-9].jsonl"))):
        with path.open("rb") as file:
            yield from map(json.loads, file)


def _load_ledger(bag: Path, vault: Vault) -> None:
    """Who was erased, first of all: no key is ever made for them."""
    with writing(vault.engine) as connection:
        known = set(connection.scalars(select(SUBJECT_KEY.c.holder_id)))
        rows = [
            {
                "holder_id": UUID(line["holder_id"]),
                "version": line["version"],
                "kek_id": NO_KEY,
                "created_at": datetime.fromisoformat(line["created_at"]),
                "destroyed_on": date.fromisoformat(line["destroyed_on"]),
                "instruction": line["instruction"] or None,
            }
            for line in _lines(bag, LEDGER)
        ]
        fresh = [row for row in rows if row["holder_id"] not in known]
        if fresh:
            connection.execute(insert(SUBJECT_KEY), fresh)


@dataclass
class _Loading:
    """One transaction that fills the tables."""

    bag: Path
    connection: Connection
    vault: Vault
    keyed: Made
    rows: int = 0
    chain: Chaining = field(init=False)

    def __post_init__(self) -> None:
        self.chain = Chaining(self.vault.ring)

    def table(self, table: Table) -> Iterator[None]:
        """Fill a table, some rows at a time."""
        form = form_of(table)
        own = [one.name for one in form.forms if _refers_to_own(one, table)]
        later: dict[str, list[dict[str, Any]]] = {name: [] for name in own}
        sealed = {one.column: one for one in sealed_columns(reach.mapper_of(table).class_)}
        lines = _lines(self.bag, table.name)
        size = 1 if form.holds_files else BATCH
        while batch := list(islice(lines, size)):
            keys = self._keys(form, batch)
            rows = [self._row(form, line, sealed, keys) for line in batch]
            for name in own:
                # A row may point at a later one of its own table: that is filled in when all are there.
                later[name] += [
                    {"own_key": row["id"], "own_value": value}
                    for row in rows
                    if (value := row.pop(name, None)) is not None
                ]
            for like in _alike(rows):
                self.connection.execute(insert(table), like)
            self.rows += len(rows)
            yield
        for name, found in later.items():
            if found:
                fill = update(table).where(table.c.id == bindparam("own_key"))
                self.connection.execute(fill.values({name: bindparam("own_value")}), found)

    def _keys(self, form: TableForm, batch: Sequence[Row]) -> DataKeys:
        keys = DataKeys(self.vault)
        keys.ensure(
            _holder(one, line)
            for one in form.forms
            if one.sealed
            for line in batch
            if line[one.name] is not None
        )
        return keys

    def _row(
        self, form: TableForm, line: Row, sealed: Mapping[str, Sealed[Any]], keys: DataKeys
    ) -> dict[str, Any]:
        row: dict[str, Any] = {}
        for one in form.forms:
            value = line[one.name]
            if one.sealed:
                row[one.column.name] = None if value is None else self._sealed(one, line, sealed, keys)
            elif value is not None or one.kind != "json":
                # JSON's own null is another thing than no value: such a column is left out.
                row[one.column.name] = _opened(one.kind, value)
        for name in form.left_out:
            row[name] = self._made(form.table, name, row, line)
        return row

    def _sealed(self, form: Form, line: Row, sealed: Mapping[str, Sealed[Any]], keys: DataKeys) -> bytes:
        column, descriptor, value = form.column, sealed[form.column.name], line[form.name]
        if isinstance(descriptor, SealedBytes):
            value = (self.bag / "data" / "files" / value).read_bytes()
        return seal(
            keys,
            descriptor.encode(value),
            table=column.table.name,
            column=column.name,
            row=UUID(line["id"]),
            holder=_holder(form, line),
            at_least=column.info["at_least"],
        )

    def _made(self, table: Table, column: str, row: Mapping[str, Any], line: Row) -> bytes | None:
        """What rests on keys: bound to the chain, keyed anew, or a secret that nobody has."""
        if table is AuditEntry.__table__:
            return self.chain.line(AuditEntry(**{name: row[name] for name in row if name != column}))
        if table is AuditHead.__table__:
            return self.chain.head()
        if (make := self.keyed.get(f"{table.name}.{column}")) is not None:
            return make(line)
        return None if table.c[column].nullable else os.urandom(SECRET_BYTES)


def _refers_to_own(form: Form, table: Table) -> bool:
    return any(key.column.table is table for key in form.column.foreign_keys)


def _holder(form: Form, line: Row) -> UUID:
    return UUID(next(line[name] for name in form.holders if line[name] is not None))


def _opened(kind: str, value: Any) -> Any:
    if value is None:
        return None
    match kind:
        case "id":
            return UUID(value)
        case "instant":
            return datetime.fromisoformat(value)
        case "date":
            return date.fromisoformat(value)
    return value


def _alike(rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows that name the same columns, together."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    yield from groups.values()


def _require_same(
    connection: Connection, package: Mapping[str, Any], vault: Vault, tables: Sequence[Table]
) -> None:
    """Read back what was loaded: the digests must be those that were signed."""
    with Squeezer() as squeezer:
        escapes = Escapes(squeezer.file("escapes"))
        for table in tables:
            facts, said = Facts(table.name, 0), package["tables"][table.name]
            for _ in entries(
                connection,
                form_of(table),
                facts,
                vault=vault,
                selection=Selection(),
                squeezer=squeezer,
                known=Known(),
                escapes=escapes,
                tell=lambda rows: None,
            ):
                """Only the digest counts."""
            if (facts.rows, facts.digest) != (said["rows"], said["sha256"]):
                raise LoadRefused(f"{table.name} reads otherwise than it came; nothing was kept")
