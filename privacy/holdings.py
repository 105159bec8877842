"""The register of holdings: what is held, why, about whom, how long, and what erasure does to it.

It is read off the tables' own declarations, so it cannot drift from them (cl 17.8; UK GDPR Article 30(2)).
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.orm import Mapper

from privacy.keystore import METADATA as KEY_STORE
from privacy.records import Held, Holding, Keep, Record


@dataclass(frozen=True)
class ColumnEntry:
    """One column of the register. `holds` is what people call it; `subject` is the way to the person, hop by hop;
    empty: about nobody."""

    table: str
    column: str
    holds: str
    kind: str
    sealed: bool
    purpose: str
    subject: list[str]
    keep: str
    erase: str
    export: str


@dataclass(frozen=True)
class Store:
    """A place outside the database where personal data lies, and what happens to it there. `outside` the software
    too: then people see to it, and the register of stores says how."""

    name: str
    holds: str
    protection: str
    keep: str
    export: str = "no: nothing in it is not in the database too"
    erase: str = "not needed: it names nobody"
    outside: bool = False


STORES = (
    Store(
        "key store",
        "wrapped data keys, and the dates of destroyed ones",
        "wrapped; apart from the data",
        Keep.LEDGER.words,
        "how many keys are theirs; never a key",
        "the keys are destroyed; the blanked rows are the erasure ledger",
    ),
    Store(
        "key folder",
        "key-encryption keys and master secrets",
        "0700, files 0400, in no backup",
        Keep.CONTRACT.words,
    ),
    Store(
        "backups",
        "the database and, apart from it, the key store",
        "sealed to the operator's certificate",
        "as long as the operator's settings say; the key store shorter",
        erase="unreadable once no retained key-store backup holds the key; gone with the last backup; "
        "a restore erases again whoever the ledger names",
    ),
    Store(
        "export folder",
        "exports of one person until they are fetched",
        "0700; sealed with the person's own key",
        Keep.RELEASED.words,
        erase="the key is destroyed and the file removed",
    ),
    Store(
        "drill folder", "all keys, while an escrow is tried out", "0700, files 0400", "until the drill ends"
    ),
    Store(
        "escrow",
        "all keys, in a file kept in another place",
        "sealed to the certificates of two people; in no backup",
        "until the next escrow was drilled",
    ),
    Store(
        "scratch folder",
        "answers, while a spreadsheet for a browser is written",
        "0700",
        "until it is sent; what a killed process left goes with the next export",
        erase="nothing stays in it",
    ),
    Store(
        "outbox folder",
        "sent mail, on a demo or development instance only",
        "0700",
        "until deleted",
        "no: the mail was sent to them",
        "removed with the mail's row",
    ),
    Store(
        "log",
        "references, templates and kinds of trouble; no name, no word",
        "the system's",
        "as the system keeps it",
    ),
    Store(
        "calendar feeds",
        "the sessions of whoever follows them, in a calendar of their own choice",
        "by a secret address that they can end; the portal keeps its digest alone",
        "until they end it, or nobody reads it any more",
        erase="the address opens nothing from then on; what a calendar copied stays theirs",
    ),
    Store(
        "calendar mails",
        "date, place and people of a session, in the calendars of those who take part",
        "as their own calendar",
        "as long as they like",
        erase="a cancellation is sent for sessions to come; what is theirs stays theirs",
    ),
)


KEYS = Holding("to open and destroy what is sealed", keep=Keep.LEDGER)
"""What the tables of the key store are for."""


NAMES = {
    "at": "When",
    "by": "By whom",
    "from_on": "From",
    "on": "Day",
    "ref": "Reference",
    "seq": "Line",
    "to_on": "To",
}
"""Plain columns that stand in many tables, and whose name alone says too little."""


def said(name: str) -> str:
    """A name of ours as a heading."""
    words = name.replace("_", " ").replace("-", ", ")
    return words[:1].upper() + words[1:]


def called(column: Column[Any]) -> str:
    """What a column is called where people read it: what it says it holds, else its own name."""
    held: Held = column.info["held"]
    return held.holds or head(column.name)


def head(name: str) -> str:
    """A name of ours at the head of a value: whether that is a day or a moment is seen."""
    return NAMES.get(name) or said(name.removesuffix("_at").removesuffix("_on"))


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
            table = stand_in(declared.root, table)
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


def stand_in(root: str, asked_by: Table) -> Table:
    """The table through which the people behind a root are reached. Raises LostSubject."""
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
    found += [
        _entry(table, column, [], KEYS) for table in KEY_STORE.sorted_tables for column in table.columns
    ]
    return found


def _entry(table: Table, column: Column[object], path: list[str], declared: Holding) -> ColumnEntry:
    held: Held = column.info["held"]
    return ColumnEntry(
        table=table.name,
        column=column.name,
        holds=called(column),
        kind=held.kind.value,
        sealed=held.sealed,
        purpose=held.purpose or declared.purpose,
        subject=path,
        keep=declared.keep.words,
        erase=(declared.erase if declared.erase.value == "delete row" else held.erase).value,
        export=_export(column, path, declared),
    )


def _export(column: Column[object], path: list[str], declared: Holding) -> str:
    """How a column comes into the export of one person."""
    held: Held = column.info["held"]
    if held.others:
        return "no: it is about other people"
    if path or declared.shared_by is not None:
        return "with the person's data"
    named = any(holding(key.column.table).root == "person" for key in column.foreign_keys)
    return "rows that name the person" if named else "where the person's rows stand in it"


def data_map(outside: Iterable[Store] = ()) -> dict[str, list[dict[str, object]]]:
    """The register as data: `{columns: [...], stores: [...]}`, with the stores that the team has entered."""
    return {
        "columns": [asdict(entry) for entry in columns()],
        "stores": [asdict(store) for store in (*STORES, *outside)],
    }


def purpose_of(table: str) -> str:
    """Why a table is held, by its name."""
    if table in Record.metadata.tables:
        return holding(Record.metadata.tables[table]).purpose
    return KEYS.purpose
