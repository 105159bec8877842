"""Sealed values of a hundred thousand rows, opened in the order of their holders.

The same keys, the same bounds and the same refusals as one by one (privacy/columns.py), without an object for each
row or key: rows are the driver's own, ids are 16 bytes, and a cipher lives as long as its holder's rows.
`tests/rules/test_bulk.py` holds both ways against each other.
"""

from collections.abc import Callable, Generator, Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Self, cast
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, ColumnElement, Connection, Select, select
from sqlalchemy.orm import InstrumentedAttribute

from privacy.columns import FORMAT
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.keys import NONCE_BYTES, packed
from privacy.keystore import SUBJECT_KEY, Vault

AT_ONCE = 2000
_ID = (16).to_bytes(4, "big")
_VERSION = (4).to_bytes(4, "big")
_VALUE = 5 + NONCE_BYTES
_HEAD = bytes([FORMAT])

Ciphers = dict[bytes, AESGCM]
"""The data keys of one holder, by what a value begins with that was sealed with it: format and version."""


def streamed(
    connection: Connection, statement: Select[*tuple[Any, ...]]
) -> Generator[Sequence[Any], None, None]:
    """Rows, a batch at a time; from SQLite as its driver gives them, for half of what reading many costs there is
    turning values into what a column's type says. `ids`, `moment` and `day` do so for those that are needed.
    Close it when you stop before its end."""
    if connection.dialect.name != "sqlite":
        with connection.execute(statement.execution_options(yield_per=AT_ONCE)) as found:
            for rows in found.partitions():
                yield from rows
        return
    with connection.execute(statement) as found:
        cursor = found.cursor
        assert cursor is not None
        while batch := cursor.fetchmany(AT_ONCE):
            yield from batch


def ids(connection: Connection) -> Callable[[Any], bytes]:
    """What makes the 16 bytes of an id of this database: SQLite has hex digits, PostgreSQL a UUID. Both keep them in
    the order of the bytes."""
    return bytes.fromhex if connection.dialect.name == "sqlite" else attrgetter("bytes")


def moment(raw: Any) -> datetime:
    """An instant, aware UTC: SQLite has the text of a UTC time."""
    return datetime.fromisoformat(raw + "+00:00") if raw.__class__ is str else cast(datetime, raw)


def day(raw: Any) -> date:
    """A date: SQLite has its text."""
    return date.fromisoformat(raw) if raw.__class__ is str else cast(date, raw)


def within(
    column: InstrumentedAttribute[Any] | Column[Any], first: bytes, last: bytes
) -> ColumnElement[bool]:
    """Of a query: ids from one to another, both included."""
    return column.between(UUID(bytes=first), UUID(bytes=last))


class HolderKeys:
    """The data keys of holders who are asked for in rising order of their ids, which lie from `first` to `last`.
    Reads the key store once, in step; to be used in a with statement."""

    def __init__(self, vault: Vault, connection: Connection, *, first: bytes, last: bytes) -> None:
        self._vault = vault
        self._keks: dict[str, tuple[AESGCM, bytes]] = {}
        key = SUBJECT_KEY.c
        asked = select(key.holder_id, key.version, key.kek_id, key.wrapped).where(
            within(key.holder_id, first, last)
        )
        self._rows = streamed(connection, asked.order_by(key.holder_id, key.version))
        self._id_of = ids(connection)
        self._next = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._rows.close()

    def of(self, holder: bytes) -> Ciphers:
        """Raises HolderErased where the key was destroyed, KeyFault where there never was one."""
        at, row = self._next
        while at is not None and at < holder:
            at, row = self._read()
        if at != holder:
            raise KeyFault(f"holder {UUID(bytes=holder)} has no data key")
        found: Ciphers = {}
        while at == holder:
            _, version, kek_id, wrapped = row
            if wrapped is not None:
                found[_HEAD + version.to_bytes(4, "big")] = self._unwrapped(holder, version, kek_id, wrapped)
            at, row = self._read()
        self._next = at, row
        if not found:
            raise HolderErased(str(UUID(bytes=holder)))
        return found

    def _read(self) -> tuple[bytes | None, Sequence[Any]]:
        """The next row with the bytes of its holder's id; None behind the last."""
        row = next(self._rows, None)
        return (None, ()) if row is None else (self._id_of(row[0]), row)

    def _unwrapped(self, holder: bytes, version: int, kek_id: str, wrapped: bytes) -> AESGCM:
        if kek_id not in self._keks:
            ring = self._vault.ring_with(kek_id)
            self._keks[kek_id] = (AESGCM(ring.keks[kek_id]), packed(kek_id.encode()))
        cipher, name = self._keks[kek_id]
        bound = _SUBJECT_KEY + _ID + holder + _VERSION + version.to_bytes(4, "big") + name
        try:
            return AESGCM(cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound))
        except InvalidTag as error:
            raise SealBroken(
                f"the data key of holder {UUID(bytes=holder)} does not open with {kek_id}"
            ) from error


_SUBJECT_KEY = packed(b"subject_key")


def opener(attribute: InstrumentedAttribute[Any]) -> Callable[[Ciphers, bytes, bytes, bytes], bytes]:
    """What opens one sealed column: of a holder's keys, the value, the row's id and the holder's id, the bytes
    that were sealed. Raises SealBroken or KeyFault."""
    table, column = cast(type[Any], attribute.class_).__tablename__, attribute.key
    place = packed(_HEAD, table.encode(), column.encode()) + _ID

    def opened(ciphers: Ciphers, value: bytes, row: bytes, holder: bytes) -> bytes:
        cipher = ciphers.get(value[:5])
        if cipher is None:
            raise KeyFault(f"holder {UUID(bytes=holder)} has no data key for {table}.{column}")
        try:
            body = cipher.decrypt(
                value[5:_VALUE], value[_VALUE:], place + row + _ID + holder + _VERSION + value[1:5]
            )
        except InvalidTag as error:
            at = UUID(bytes=row)
            raise SealBroken(
                f"{table}.{column} of row {at} does not open", table=table, column=column, row=at
            ) from error
        return body[4 : 4 + int.from_bytes(body[:4], "big")]

    return opened
