"""The key store: one data key per holder, wrapped, in a database of its own, apart from the data.

It has its own engine and commits by itself: a data key is committed here *before* the row that needs it, so
that a crash can leave a key without a row (harmless) and never a row without its key. A destroyed key leaves
its row: that row is the erasure ledger (cl 17.4(e)).
"""

import os
from collections.abc import Iterable, Iterator
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Date,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from privacy.clock import Clock
from privacy.errors import HolderErased, KeyFault
from privacy.keys import KEY_BYTES, KeyRing
from privacy.records import Instant, plain, reference

METADATA = MetaData()

SUBJECT_KEY = Table(
    "subject_key",
    METADATA,
    Column("holder_id", Uuid, primary_key=True, info=reference("whose data key this is")),
    Column("version", Integer, primary_key=True, info=plain()),
    Column("kek_id", String(20), nullable=False, index=True, info=plain()),
    Column("wrapped", LargeBinary, info=plain("blank once the holder was erased")),
    Column("created_at", Instant, nullable=False, info=plain()),
    Column("destroyed_on", Date, info=plain()),
    Column("instruction", String(60), info=plain("the Controller's instruction that the erasure rests on")),
)

_READ_AT_ONCE = 500


def _in_groups(holders: Iterable[UUID]) -> Iterator[list[UUID]]:
    wanted = list(holders)
    for start in range(0, len(wanted), _READ_AT_ONCE):
        yield wanted[start : start + _READ_AT_ONCE]


class Vault:
    """The ring and the key store together: makes and opens data keys."""

    def __init__(self, ring: KeyRing, engine: Engine, clock: Clock) -> None:
        self.ring = ring
        self.engine = engine
        self._clock = clock

    def keys(self, holders: Iterable[UUID]) -> dict[UUID, dict[int, AESGCM]]:
        """The data keys of these holders by version; holders without a key are left out.

        An erased holder is there with no version. Raises KeyFault if a key-encryption key is absent.
        """
        found: dict[UUID, dict[int, AESGCM]] = {}
        with self.engine.connect() as connection:
            for group in _in_groups(holders):
                rows = connection.execute(
                    select(
                        SUBJECT_KEY.c.holder_id,
                        SUBJECT_KEY.c.version,
                        SUBJECT_KEY.c.kek_id,
                        SUBJECT_KEY.c.wrapped,
                    ).where(SUBJECT_KEY.c.holder_id.in_(group))
                )
                for holder, version, kek_id, wrapped in rows:
                    versions = found.setdefault(holder, {})
                    if wrapped is not None:
                        key = self.ring.unwrap(wrapped, kek_id=kek_id, holder=holder, version=version)
                        versions[version] = AESGCM(key)
        return found

    def create(self, holders: Iterable[UUID]) -> None:
        """Make the first data key of each holder, committed at once. A holder that has one keeps it."""
        rows = []
        for holder in holders:
            kek_id, wrapped = self.ring.wrap(os.urandom(KEY_BYTES), holder=holder, version=1)
            rows.append(
                {
                    "holder_id": holder,
                    "version": 1,
                    "kek_id": kek_id,
                    "wrapped": wrapped,
                    "created_at": self._clock(),
                }
            )
        if not rows:
            return
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(SUBJECT_KEY), rows)
        except IntegrityError:
            # Another transaction made some of them in the meantime: make the rest one by one.
            for row in rows:
                self._create_one(row)

    def _create_one(self, row: dict[str, object]) -> None:
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(SUBJECT_KEY), [row])
        except IntegrityError:
            return

    def require_ring(self) -> None:
        """Raises KeyFault naming every key-encryption key that the store needs and the ring lacks."""
        with self.engine.connect() as connection:
            used = connection.scalars(
                select(SUBJECT_KEY.c.kek_id).where(SUBJECT_KEY.c.wrapped.is_not(None)).distinct()
            ).all()
        missing = sorted(set(used) - set(self.ring.keks))
        if missing:
            raise KeyFault(f"the data needs {', '.join(missing)}, which the key folder lacks")

    def status(self) -> list[tuple[str, int]]:
        """Each key-encryption key in use and how many data keys it wraps."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(SUBJECT_KEY.c.kek_id, func.count())
                .where(SUBJECT_KEY.c.wrapped.is_not(None))
                .group_by(SUBJECT_KEY.c.kek_id)
                .order_by(SUBJECT_KEY.c.kek_id)
            )
            return [(kek_id, count) for kek_id, count in rows]


class DataKeys:
    """The data keys that one database session has needed so far. Lives and dies with that session."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._known: dict[UUID, dict[int, AESGCM]] = {}

    def fetch(self, holders: Iterable[UUID]) -> None:
        """Read the keys of all these holders at once."""
        # Not a difference of sets: that would walk every key known so far for each value opened.
        wanted = {holder for holder in holders if holder not in self._known}
        if wanted:
            self._known.update(self.vault.keys(wanted))

    def ensure(self, holders: Iterable[UUID]) -> None:
        """Read the keys of these holders, and make those that have none yet."""
        wanted = set(holders)
        self.fetch(wanted)
        fresh = {holder for holder in wanted if holder not in self._known}
        if fresh:
            self.vault.create(fresh)
            self.fetch(fresh)

    def knows(self, holder: UUID) -> bool:
        return holder in self._known

    def sealing(self, holder: UUID) -> tuple[int, AESGCM]:
        """The newest version of a holder's key. Raises HolderErased if it was destroyed."""
        versions = self._known[holder]
        if not versions:
            raise HolderErased(str(holder))
        newest = max(versions)
        return newest, versions[newest]

    def opening(self, holder: UUID, version: int) -> AESGCM:
        """Raises HolderErased if the key was destroyed, KeyFault if there never was one of that version."""
        self.fetch([holder])
        versions = self._known.get(holder)
        if versions is not None and not versions:
            raise HolderErased(str(holder))
        if versions is None or version not in versions:
            raise KeyFault(f"holder {holder} has no data key of version {version}")
        return versions[version]
