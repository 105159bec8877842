"""The register of holdings: what is held, why, about whom, how long, and what erasure does to it.

It is read off the tables' own declarations, so it cannot drift from them (cl 17.8; UK GDPR Article 30(2)).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper

from privacy.keystore import SUBJECT_KEY
from privacy.records import Held, Holding, Keep, Record


@dataclass(frozen=True)
class ColumnEntry:
    """One column of the register. `subject` is the way to the person, hop by hop; empty: about nobody."""

    table: str
    column: str
    kind: str
    sealed: bool
    purpose: str
    subject: list[str]
    keep: str
    erase: str


@dataclass(frozen=True)
class Store:
    """A place outside the database where personal data lies, and what happens to it there."""

    name: str
    holds: str
    protection: str
    keep: str


STORES = (
    Store(
        "key store",
        "wrapped data keys, and the dates of destroyed ones",
        "wrapped; apart from the data",
        "ledger",
    ),
    Store(
        "key folder", "key-encryption keys and master secrets", "0700, files 0400, in no backup", "contract"
    ),
    Store(
        "scratch folder",
        "answers, while a spreadsheet for a browser is written",
        "0700",
        "until it is sent; what a killed process left goes with the next export",
    ),
    Store("outbox folder", "sent mail, on a demo or development instance only", "0700", "until deleted"),
)


class LostSubject(LookupError):
    """A table's way to its subject ends before it reaches a person."""


def _mappers() -> Iterator[Mapper[Record]]:
    yield from sorted(Record.registry.mappers, key=lambda mapper: str(mapper.local_table))


def holding(table: Table) -> Holding:
    """What a table declares."""
    return next(mapper.class_.__holding__ for mapper in _mappers() if mapper.local_table is table)


def subject_path(table: Table) -> list[str]:
    """The hops `table.column` from a table to the person its rows are about. Empty: about nobody.

    Raises LostSubject if the way breaks.
    """
    hops: list[str] = []
    while True:
        declared = holding(table)
        if declared.root == "person":
            return [*hops, f"{table.name}.id"]
        if declared.root is not None:
            table = _stand_in(declared.root, table)
            hops.append(f"{table.name}.id")
            continue
        if declared.subject is None:
            if hops:
                raise LostSubject(f"{' > '.join(hops)} ends at {table.name}, which leads to nobody")
            return []
        hops.append(f"{table.name}.{declared.subject}")
        table = _target(table, declared.subject)


def _target(table: Table, column: str) -> Table:
    keys = list(table.columns[column].foreign_keys)
    if not keys:
        raise LostSubject(f"{table.name}.{column} is no foreign key")
    return keys[0].column.table


def _stand_in(root: str, asked_by: Table) -> Table:
    for mapper in _mappers():
        if mapper.class_.__holding__.stands_for == root and isinstance(mapper.local_table, Table):
            return mapper.local_table
    raise LostSubject(f"no table stands for {root}, which {asked_by.name} needs")


def columns() -> list[ColumnEntry]:
    """Every column of every table, key store included, in order of table and column."""
    found = []
    for mapper in _mappers():
        table = mapper.local_table
        if isinstance(table, Table):
            path = subject_path(table)
            found += [_entry(table, column, path, mapper.class_.__holding__) for column in table.columns]
    keys = Holding("to open and destroy what is sealed", keep=Keep.LEDGER)
    found += [_entry(SUBJECT_KEY, column, [], keys) for column in SUBJECT_KEY.columns]
    return found


def _entry(table: Table, column: Column[object], path: list[str], declared: Holding) -> ColumnEntry:
    held: Held = column.info["held"]
    return ColumnEntry(
        table=table.name,
        column=column.name,
        kind=held.kind.value,
        sealed=held.sealed,
        purpose=held.purpose or declared.purpose,
        subject=path,
        keep=declared.keep.words,
        erase=(declared.erase if declared.erase.value == "delete row" else held.erase).value,
    )


def data_map() -> dict[str, list[dict[str, object]]]:
    """The register as data: `{columns: [...], stores: [...]}`."""
    return {"columns": [asdict(entry) for entry in columns()], "stores": [asdict(store) for store in STORES]}
