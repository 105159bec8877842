"""Traces: what is taken down before the data goes, so that afterwards it can be looked for where it must not be.

    planted   words of chance put into every kind of store; none may be left in any byte of any file
    marks     the beginnings of sealed values and wrapped keys as they lay in the database; the same
    samples   sealed values kept whole, with the place that they are bound to; none may open any more
    known     a keyed set of every e-mail address, phone number and full name; nothing that is kept may hold one

All of it lies in one file (0600) beside the journal while it is needed, and is wiped with its key (cl 17.4(e)).
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.backup_manifest import write_whole
from privacy.columns import Sealed, sealed_columns, unseal
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.keys import KEY_BYTES, KeyRing
from privacy.keystore import SUBJECT_KEY, DataKeys, Vault
from privacy.returns.wiping import wipe

FILE = "traces.json"
MARK_BYTES = 24
"""What is kept of a value to look for: version, nonce and some ciphertext, all of it by chance but five bytes."""
MARKS_A_COLUMN = 3
SAMPLES = 20
SAMPLE_AT_MOST = 70_000
WORDS_AT_MOST = 6
LETTERS_ALONE = 8
"""A name of a single word counts from this length: shorter ones are words of every text."""
DIGITS_AT_LEAST = 7

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"\+?\(?\d(?:[ ().-]{0,2}\d){6,14}")
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True)
class Sample:
    """A sealed value as it lay in its place."""

    table: str
    column: str
    row: UUID
    holder: UUID
    value: bytes


@dataclass
class KeyedSet:
    """Digests of what people are known by, under a key that goes with them: nobody can try guesses against it."""

    key: bytes
    digests: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "KeyedSet":
        """The set of these addresses, numbers and full names; each is known by its kind."""
        made = cls(os.urandom(KEY_BYTES))
        made.digests = {made._digest(form) for text in texts for form in _stored(text)}
        return made

    def hits(self, text: str) -> int:
        """How many places of a text hold one of them."""
        return sum(self._digest(form) in self.digests for form in _candidates(text))

    def _digest(self, form: str) -> str:
        return hashlib.blake2b(form.encode(), key=self.key, digest_size=16).hexdigest()


@dataclass(frozen=True)
class Traces:
    """Everything that was taken down. `planted` are words; `marks` bytes."""

    planted: tuple[str, ...]
    marks: tuple[bytes, ...]
    samples: tuple[Sample, ...]
    known: KeyedSet

    def write(self, folder: Path) -> None:
        document = {
            "planted": list(self.planted),
            "marks": [mark.hex() for mark in self.marks],
            "samples": [
                [one.table, one.column, str(one.row), str(one.holder), one.value.hex()]
                for one in self.samples
            ],
            "key": self.known.key.hex(),
            "known": sorted(self.known.digests),
        }
        write_whole(folder / FILE, document)

    @classmethod
    def read(cls, folder: Path) -> "Traces":
        """What was written. Raises OSError, or ValueError where it is not whole."""
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return cls(
            tuple(found["planted"]),
            tuple(bytes.fromhex(mark) for mark in found["marks"]),
            tuple(
                Sample(table, column, UUID(row), UUID(holder), bytes.fromhex(value))
                for table, column, row, holder, value in found["samples"]
            ),
            KeyedSet(bytes.fromhex(found["key"]), set(found["known"])),
        )

    @staticmethod
    def forget(folder: Path) -> None:
        """Wipe what was written, and what a killed process wrote of it."""
        for name in (FILE, f"{FILE}.part"):
            wipe(folder / name)


# ---- taking down


def take(
    db: DbSession, vault: Vault, *, planted: Iterable[str], known: Iterable[str], but: Collection[UUID] = ()
) -> Traces:
    """Take down what is there now, but for what is sealed for holders who are spared. `known` are all addresses,
    numbers and full names."""
    row = SUBJECT_KEY.c
    with vault.engine.connect() as connection:
        asked = select(row.holder_id, row.wrapped).where(row.wrapped.is_not(None)).limit(SAMPLES + len(but))
        wrapped = [key for holder, key in connection.execute(asked) if holder not in but]
    found = [one for one in _sealed(db) if one.holder not in but]
    return made_of(found, wrapped, planted=planted, known=known)


def take_part(
    db: DbSession,
    vault: Vault,
    *,
    people: Collection[UUID],
    known: Iterable[str],
    but: Collection[UUID] = (),
) -> Traces:
    """The same of what is about some people alone; nothing is planted."""
    found = [
        one
        for person_id in people
        for one in islice((sample for sample in _about(db, person_id) if sample.holder not in but), SAMPLES)
    ]
    row = SUBJECT_KEY.c
    with vault.engine.connect() as connection:
        mine = [one for one in people if one not in but]
        asked = select(row.wrapped).where(row.holder_id.in_(mine), row.wrapped.is_not(None))
        wrapped = connection.scalars(asked).all()
    return made_of(found, [key for key in wrapped if key is not None], planted=(), known=known)


def made_of(
    found: Sequence[Sample], wrapped: Iterable[bytes], *, planted: Iterable[str], known: Iterable[str]
) -> Traces:
    """Traces of sealed values and wrapped keys."""
    marks = [value[:MARK_BYTES] for value in (*(one.value for one in found), *wrapped)]
    samples = [one for one in found if len(one.value) <= SAMPLE_AT_MOST][:SAMPLES]
    return Traces(tuple(planted), tuple(marks), tuple(samples), KeyedSet.of(known))


def _about(db: DbSession, person_id: UUID) -> Iterator[Sample]:
    """The sealed values in rows about somebody that go with them."""
    for table in reach.personal_tables():
        kind: Any = reach.mapper_of(table).class_
        if descriptors := sealed_columns(kind):
            for row in db.scalars(select(kind).where(reach.about(table, person_id))):
                for one in descriptors:
                    if getattr(row, one.column) is not None:
                        yield _sample(kind, one, row)


def _sealed(db: DbSession) -> Iterator[Sample]:
    """A few values of each sealed column, table by table in turn, so that the first ones are of many tables."""
    columns: list[tuple[Any, Sealed[Any]]] = [
        (reach.mapper_of(table).class_, descriptor)
        for table in reach.tables()
        for descriptor in sealed_columns(reach.mapper_of(table).class_)
    ]
    for turn in range(MARKS_A_COLUMN):
        for kind, descriptor in columns:
            column = getattr(kind, descriptor.column)
            asked = select(kind).where(column.is_not(None)).order_by(kind.id).offset(turn).limit(1)
            if (row := db.scalars(asked).first()) is not None:
                yield _sample(kind, descriptor, row)


def _sample(kind: Any, descriptor: Sealed[Any], row: Any) -> Sample:
    value: bytes = getattr(row, descriptor.column)
    return Sample(kind.__tablename__, descriptor.column, row.id, descriptor.holder(row), value)


# ---- looking


def still_open(samples: Sequence[Sample], vault: Vault) -> int:
    """How many samples still open with the keys that are left."""
    keys = DataKeys(vault)
    opened = 0
    for one in samples:
        try:
            unseal(keys, one.value, table=one.table, column=one.column, row=one.row, holder=one.holder)
        except (HolderErased, KeyFault, SealBroken):
            continue
        opened += 1
    return opened


def keys_left(ring: KeyRing, destroyed: Iterable[str]) -> list[str]:
    """The ids of destroyed keys, given as fingerprints, that the ring still holds."""
    gone = set(destroyed)
    return [key_id for key_id, shown in ring.fingerprints().items() if shown in gone]


# ---- what people are known by


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _digits(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    # As dialled at home and from abroad it is one number.
    return re.sub(r"^(?:0044|44|0)", "", digits)


def _stored(text: str) -> Iterator[str]:
    text = _plain(text).strip()
    words = _WORD.findall(text)
    if _EMAIL.fullmatch(text):
        yield f"e:{text}"
    elif len(_digits(text)) >= DIGITS_AT_LEAST and not re.search(r"[^\W\d_]", text):
        yield f"p:{_digits(text)}"
    elif 2 <= len(words) <= WORDS_AT_MOST or (len(words) == 1 and len(words[0]) >= LETTERS_ALONE):
        yield f"n:{' '.join(words)}"


def _candidates(text: str) -> Iterator[str]:
    text = _plain(text)
    for match in _EMAIL.finditer(text):
        yield f"e:{match[0]}"
    for match in _PHONE.finditer(text):
        yield f"p:{_digits(match[0])}"
    words = _WORD.findall(text)
    for start in range(len(words)):
        if len(words[start]) >= LETTERS_ALONE:
            yield f"n:{words[start]}"
        for length in range(2, WORDS_AT_MOST + 1):
            if start + length <= len(words):
                yield f"n:{' '.join(words[start : start + length])}"
