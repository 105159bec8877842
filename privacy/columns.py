"""Sealed columns: what people say, and who they are, is ciphertext in the database.

A value is sealed with its holder's own data key (AES-256-GCM) and bound to format, table, column, row, holder
and key version, so that it cannot be moved anywhere else. A column type never sees the row it belongs to;
therefore a sealed column is two things: a binary column, and a descriptor that opens on reading. Sealing waits
for the flush, where row and holder are known and all keys are read at once. Lengths are padded in steps, so
that the length of a value tells next to nothing.

    name_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Name")
    name = SealedText("name_sealed")
"""

import json
import os
import unicodedata
from abc import ABC, abstractmethod
from typing import Any, Generic, Self, TypeVar, cast, overload
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import LargeBinary, event, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, mapped_column, object_session

from privacy.errors import SealBroken
from privacy.keys import NONCE_BYTES, KeyRing, packed
from privacy.keystore import DataKeys, Vault
from privacy.records import Erase, Held, Kind, Record, new_id

FORMAT = 1
PADDED_TO = (64, 256, 1024, 4096, 16384, 65536)
ADDRESSES = "address index"
"""The subject whose turn a change of index keys waits for (Work.wait_turn)."""
_HEAD_BYTES = 5
# Stands in the binary attribute between setting and sealing. Compared by identity: no stored value is it.
_WAITING = bytes(bytearray(b"waiting to be sealed"))

T = TypeVar("T")


def sealed(
    *,
    holder: str,
    holds: str,
    purpose: str | None = None,
    kind: Kind = Kind.PERSONAL,
    erase: Erase = Erase.BLANK,
    at_least: int = PADDED_TO[0],
    others: bool = False,
) -> Any:
    """A binary column for a sealed value. `holder` names the attribute with the id of the holder.

    `holds` and `others` are those of Held. `at_least` is the smallest padded length in bytes.
    """
    held = Held(kind, erase, sealed=True, purpose=purpose, holder=holder, others=others, holds=holds)
    return mapped_column(LargeBinary, nullable=True, info={"held": held, "at_least": at_least})


def _padded(data: bytes, at_least: int) -> bytes:
    body = len(data).to_bytes(4, "big") + data
    step = next((size for size in PADDED_TO if size >= max(len(body), at_least)), None)
    if step is None:
        step = -(-len(body) // PADDED_TO[-1]) * PADDED_TO[-1]
    return body.ljust(step, b"\0")


def _bound(table: str, column: str, row: UUID, holder: UUID, version: int) -> bytes:
    return packed(
        bytes([FORMAT]), table.encode(), column.encode(), row.bytes, holder.bytes, version.to_bytes(4, "big")
    )


def seal(
    keys: DataKeys, data: bytes, *, table: str, column: str, row: UUID, holder: UUID, at_least: int = 0
) -> bytes:
    """Seal bytes for one place: format (1), key version (4), nonce (12), ciphertext, tag (16)."""
    version, cipher = keys.sealing(holder)
    nonce = os.urandom(NONCE_BYTES)
    body = cipher.encrypt(nonce, _padded(data, at_least), _bound(table, column, row, holder, version))
    return bytes([FORMAT]) + version.to_bytes(4, "big") + nonce + body


def unseal(keys: DataKeys, value: bytes, *, table: str, column: str, row: UUID, holder: UUID) -> bytes:
    """Open what `seal` made for the same place.

    Raises SealBroken if it was altered or moved, HolderErased if the holder's key was destroyed.
    """
    if len(value) < _HEAD_BYTES + NONCE_BYTES or value[0] != FORMAT:
        raise SealBroken(
            f"{table}.{column} of row {row} is not a sealed value", table=table, column=column, row=row
        )
    version = int.from_bytes(value[1:_HEAD_BYTES], "big")
    nonce = value[_HEAD_BYTES : _HEAD_BYTES + NONCE_BYTES]
    cipher = keys.opening(holder, version)
    try:
        body = cipher.decrypt(
            nonce, value[_HEAD_BYTES + NONCE_BYTES :], _bound(table, column, row, holder, version)
        )
    except InvalidTag as error:
        raise SealBroken(
            f"{table}.{column} of row {row} does not open", table=table, column=column, row=row
        ) from error
    length = int.from_bytes(body[:4], "big")
    return body[4 : 4 + length]


class Sealed(ABC, Generic[T]):
    """Reads and writes a sealed column as a plain value. None stays None."""

    def __init__(self, column: str) -> None:
        self.column = column

    @abstractmethod
    def encode(self, value: T) -> bytes:
        """The bytes that are sealed."""

    @abstractmethod
    def decode(self, data: bytes) -> T:
        """The value that the bytes stand for."""

    def holder(self, row: Any) -> UUID:
        info: Held = type(row).__table__.columns[self.column].info["held"]
        holder: UUID = getattr(row, str(info.holder))
        return holder

    @overload
    def __get__(self, row: None, owner: type) -> Self: ...
    @overload
    def __get__(self, row: Record, owner: type) -> T | None: ...
    def __get__(self, row: Record | None, owner: type) -> Self | T | None:
        if row is None:
            return self
        raw: bytes | None = getattr(row, self.column)
        if raw is None:
            return None
        if raw is _WAITING:
            waiting: T = row.__dict__["_waiting"][self.column]
            return waiting
        holder = self.holder(row)
        data = unseal(
            _keys_for(row, holder),
            raw,
            table=type(row).__tablename__,
            column=self.column,
            row=row.id,  # type: ignore[attr-defined]  # every table with sealed columns has an id
            holder=holder,
        )
        return self.decode(data)

    def __set__(self, row: Record, value: T | None) -> None:
        if value is None:
            setattr(row, self.column, None)
            return
        row.__dict__.setdefault("_waiting", {})[self.column] = value
        setattr(row, self.column, _WAITING)


class SealedText(Sealed[str]):
    """Text, kept as it was typed."""

    def encode(self, value: str) -> bytes:
        return value.encode()

    def decode(self, data: bytes) -> str:
        return data.decode()


class SealedBytes(Sealed[bytes]):
    """Bytes as they are, such as a file."""

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, data: bytes) -> bytes:
        return data


class SealedJson(Sealed[Any]):
    """A JSON value. Assign a new value to change it: a change inside the old one is not noticed."""

    def encode(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def decode(self, data: bytes) -> Any:
        return json.loads(data)


def keys_of(db: Session) -> DataKeys:
    """The data keys of a database session, which was made with `info={"vault": ...}`."""
    if "data_keys" not in db.info:
        vault: Vault = db.info["vault"]
        db.info["data_keys"] = DataKeys(vault)
    keys: DataKeys = db.info["data_keys"]
    return keys


_DESCRIPTORS: dict[type, tuple[Sealed[Any], ...]] = {}


def _descriptors(kind: type) -> tuple[Sealed[Any], ...]:
    """The sealed columns of a class; read off the class once."""
    if kind not in _DESCRIPTORS:
        _DESCRIPTORS[kind] = tuple(
            value for cls in kind.__mro__ for value in vars(cls).values() if isinstance(value, Sealed)
        )
    return _DESCRIPTORS[kind]


def sealed_columns(kind: type) -> tuple[Sealed[Any], ...]:
    """The sealed columns of a table's class."""
    return _descriptors(kind)


def _holders(row: Any) -> set[UUID]:
    return {descriptor.holder(row) for descriptor in _descriptors(type(row))}


def _keys_for(row: Record, holder: UUID) -> DataKeys:
    """The session's keys; on a miss, those of every row the session holds are read in the same query."""
    db = object_session(row)
    if db is None:
        raise SealBroken(f"{type(row).__tablename__} row is not in a session: its keys cannot be read")
    keys = keys_of(db)
    if not keys.knows(holder):
        near = {
            found
            for other in list(db.identity_map.values())
            if _descriptors(type(other)) and "id" in other.__dict__
            for found in _holders(other)
        }
        keys.fetch(near | {holder})
    return keys


@event.listens_for(Session, "before_flush")
def _seal_what_waits(db: Session, flush_context: Any, instances: Any) -> None:
    waiting = [
        (row, descriptor)
        for row in (*db.new, *db.dirty)
        for descriptor in _descriptors(type(row))
        if row.__dict__.get(descriptor.column) is _WAITING
    ]
    if not waiting:
        return
    for row, _ in waiting:
        # A new row gets its id here: the seal is bound to it, and the insert would give it one too late.
        row.id = row.id or new_id()
    keys = keys_of(db)
    keys.ensure(descriptor.holder(row) for row, descriptor in waiting)
    for row, descriptor in waiting:
        value = row.__dict__["_waiting"].pop(descriptor.column)
        table = type(row).__table__
        setattr(
            row,
            descriptor.column,
            seal(
                keys,
                descriptor.encode(value),
                table=table.name,
                column=descriptor.column,
                row=row.id,
                holder=descriptor.holder(row),
                at_least=table.columns[descriptor.column].info["at_least"],
            ),
        )


def unseal_column(
    keys: DataKeys, attribute: InstrumentedAttribute[Any], value: bytes, *, row: UUID, holder: UUID
) -> Any:
    """Open a value that was read without its object, such as a row of a report; returns the decoded value."""
    owner = cast(type[Any], attribute.class_)
    descriptor = next(found for found in _descriptors(owner) if found.column == attribute.key)
    data = unseal(keys, value, table=owner.__tablename__, column=attribute.key, row=row, holder=holder)
    return descriptor.decode(data)


def normal_address(address: str) -> str:
    """One form of an e-mail address for comparing: NFC, trimmed, lower case. Dots and tags are kept."""
    return unicodedata.normalize("NFC", address).strip().lower()


def address_index(ring: KeyRing, address: str, *, number: int | None = None) -> bytes:
    """A keyed index by which a person is found from an e-mail address that is itself sealed.

    By the newest index master, or that of a number; which are in force is for AddressKeys to say.
    """
    return ring.digest("index", "person.email|v1", normal_address(address).encode(), number=number)


class AddressKeys:
    """The index keys in force, for the rest of a transaction: none is added or retired before it ends.

    While addresses are indexed anew there are two; people are found by either, and written with the newest.
    """

    def __init__(self, db: Session) -> None:
        if db.get_bind().dialect.name == "postgresql":
            db.execute(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(ADDRESSES, 0))))
        vault = keys_of(db).vault
        self._numbers = vault.index_numbers()
        self._ring = vault.ring

    def index(self, address: str) -> bytes:
        """What is written beside a sealed address."""
        return address_index(self._ring, address, number=self._numbers[0])

    def indexes(self, address: str) -> list[bytes]:
        """What a person with this address may be found by; the one that is written first."""
        return [address_index(self._ring, address, number=number) for number in self._numbers]
