"""The key store: one data key per holder, wrapped, in a database of its own, apart from the data.

It has its own engine and commits by itself: a data key is committed here *before* the row that needs it, so
that a crash can leave a key without a row (harmless) and never a row without its key. A destroyed key leaves
its row: that row is the erasure ledger (cl 17.4(e)).

It also knows which keys of the ring are in force, by fingerprint: the key that wraps new data keys is the newest
one entered here, not the newest file that a process happens to have read. A process that meets a key it does not
know reads its keys again, so that a rotation needs no restart.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import (
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Uuid,
    bindparam,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from privacy.clock import Clock
from privacy.errors import HolderErased, KeyFault
from privacy.keys import KEY_BYTES, KeyRing, file_of, number_of
from privacy.records import Instant, plain, reference
from privacy.transactions import reading, writing

METADATA = MetaData()

SUBJECT_KEY = Table(
    "subject_key",
    METADATA,
    Column("holder_id", Uuid, primary_key=True, info=reference("whose data key this is")),
    Column("version", Integer, primary_key=True, info=plain()),
    Column("kek_id", String(20), nullable=False, index=True, info=plain(holds="Key that locks it")),
    Column("wrapped", LargeBinary, info=plain("blank once the holder was erased")),
    Column("created_at", Instant, nullable=False, info=plain()),
    Column("destroyed_on", Date, info=plain()),
    Column("instruction", String(60), info=plain("the Controller's instruction that the erasure rests on")),
)

RING_KEY = Table(
    "ring_key",
    METADATA,
    Column(
        "id", String(20), primary_key=True, info=plain("K1, K2: key-encryption keys; I1: the index master")
    ),
    Column(
        "fingerprint", String(16), nullable=False, info=plain("to tell a wrong key file from the right one")
    ),
    Column("made_at", Instant, nullable=False, info=plain()),
    Column("settled_at", Instant, info=plain("when nothing was left that older ones wrap or index")),
    Column("reached", Uuid, info=reference("whose address was indexed last, while that goes on")),
    Column("retired_at", Instant, info=plain()),
    Column(
        "instruction", String(60), info=plain("the Controller's instruction that the retirement rests on")
    ),
)

_READ_AT_ONCE = 2000

# Made once: every page reads keys, and making a statement costs more than running it.
_KEYS = select(SUBJECT_KEY.c.holder_id, SUBJECT_KEY.c.version, SUBJECT_KEY.c.kek_id, SUBJECT_KEY.c.wrapped)
_INDEXES = select(RING_KEY.c.id).where(RING_KEY.c.id.like("I%"), RING_KEY.c.retired_at.is_(None))
_KEYS_OF_ONE = _KEYS.where(SUBJECT_KEY.c.holder_id == bindparam("holder"))
_KEYS_OF_MANY = _KEYS.where(SUBJECT_KEY.c.holder_id.in_(bindparam("holders", expanding=True)))


def _in_groups(holders: Iterable[UUID]) -> Iterator[list[UUID]]:
    wanted = list(holders)
    for start in range(0, len(wanted), _READ_AT_ONCE):
        yield wanted[start : start + _READ_AT_ONCE]


class Vault:
    """The ring and the key store together: makes and opens data keys. `reload` reads the keys anew."""

    def __init__(
        self, ring: KeyRing, engine: Engine, clock: Clock, *, reload: Callable[[], KeyRing] | None = None
    ) -> None:
        self.ring = ring
        self.engine = engine
        self._clock = clock
        self._reload = reload
        self._reading = threading.Lock()

    def elsewhere(self, engine: Engine) -> "Vault":
        """The same keys over another engine, such as that of a child process: connections are not shared."""
        return Vault(self.ring, engine, self._clock, reload=self._reload)

    def ring_with(self, *key_ids: str) -> KeyRing:
        """The ring with these keys of K1, I1 and so on; read anew if one is not on it. Raises KeyFault."""
        if all(_on(self.ring, key_id) for key_id in key_ids):
            return self.ring
        with self._reading:
            if self._reload is not None and not all(_on(self.ring, key_id) for key_id in key_ids):
                self.ring = self._reload()
        missing = [key_id for key_id in key_ids if not _on(self.ring, key_id)]
        if missing:
            raise KeyFault(f"{', '.join(map(file_of, missing))} is needed by the data and is missing")
        return self.ring

    def keys(self, holders: Iterable[UUID]) -> dict[UUID, dict[int, AESGCM]]:
        """The data keys of these holders by version; holders without a key are left out.

        An erased holder is there with no version. Raises KeyFault if a key-encryption key is absent.
        """
        found: dict[UUID, dict[int, AESGCM]] = {}
        with reading(self.engine) as connection:
            for group in _in_groups(holders):
                for holder, version, kek_id, wrapped in self._read(connection, group):
                    versions = found.setdefault(holder, {})
                    if wrapped is not None:
                        ring = self.ring_with(kek_id)
                        key = ring.unwrap(wrapped, kek_id=kek_id, holder=holder, version=version)
                        versions[version] = AESGCM(key)
        return found

    @staticmethod
    def _read(connection: Connection, holders: list[UUID]) -> Iterable[Row[UUID, int, str, bytes | None]]:
        if len(holders) > 1:
            return connection.execute(_KEYS_OF_MANY, {"holders": holders})
        return connection.execute(_KEYS_OF_ONE, {"holder": holders[0]})

    def create(self, holders: Iterable[UUID]) -> None:
        """Make the first data key of each holder, committed at once. A holder that has one keeps it."""
        wanted = list(holders)
        if not wanted:
            return
        try:
            self._insert(wanted)
        except IntegrityError:
            # Another transaction made some of them in the meantime: make the rest one by one.
            for holder in wanted:
                self._insert_one(holder)

    def _insert_one(self, holder: UUID) -> None:
        try:
            self._insert([holder])
        except IntegrityError:
            return

    def _insert(self, holders: list[UUID]) -> None:
        with writing(self.engine) as connection:
            current = self.current(connection)
            ring = self.ring_with(current)
            now = self._clock()
            rows = []
            for holder in holders:
                kek_id, wrapped = ring.wrap(os.urandom(KEY_BYTES), holder=holder, version=1, kek_id=current)
                rows.append(
                    {
                        "holder_id": holder,
                        "version": 1,
                        "kek_id": kek_id,
                        "wrapped": wrapped,
                        "created_at": now,
                    }
                )
            connection.execute(insert(SUBJECT_KEY), rows)

    # ---- the keys in force

    def current(self, connection: Connection) -> str:
        """The id of the key that wraps new data keys; no rotation retires it before this transaction ends.

        The first call on a new key store enters the whole ring.
        """
        names: Sequence[str] = connection.scalars(
            select(RING_KEY.c.id)
            .where(RING_KEY.c.id.like("K%"), RING_KEY.c.retired_at.is_(None))
            .with_for_update(read=True, key_share=True)
        ).all()
        if not names:
            self._enter_ring(connection)
            return self.ring.current
        return max(names, key=number_of)

    def _enter_ring(self, connection: Connection) -> None:
        now = self._clock()
        for key_id, shown in self.ring.fingerprints().items():
            enter(
                connection,
                key_id,
                fingerprint=shown,
                made_at=self.ring.made_at.get(key_id, now),
                settled_at=now,
            )

    def index_numbers(self) -> list[int]:
        """The numbers of the index masters by which people may be found now, newest first."""
        names = self._indexes()
        try:
            self.ring_with(*names)
        except KeyFault:
            # One of them may have been retired, and its file destroyed, since they were read.
            names = self._indexes()
            self.ring_with(*names)
        return sorted(map(number_of, names), reverse=True) or [max(self.ring.indexes)]

    def _indexes(self) -> Sequence[str]:
        with self.engine.connect() as connection:
            return connection.scalars(_INDEXES).all()

    def require_ring(self) -> None:
        """Raises KeyFault naming every key that the store needs and the ring lacks, and every wrong one."""
        with self.engine.connect() as connection:
            used = connection.scalars(
                select(SUBJECT_KEY.c.kek_id).where(SUBJECT_KEY.c.wrapped.is_not(None)).distinct()
            ).all()
            entered = connection.execute(
                select(RING_KEY.c.id, RING_KEY.c.fingerprint).where(RING_KEY.c.retired_at.is_(None))
            ).all()
        shown = self.ring.fingerprints()
        # An older key-encryption key that wraps nothing is not missed, an index master that people are found by is.
        names = [row.id for row in entered]
        newest = max((name for name in names if name[0] == "K"), key=number_of, default=None)
        unused = {name for name in names if name[0] == "K" and name not in (newest, *used)}
        missing = sorted({*used, *names} - unused - set(shown))
        faults = [f"the data needs {file_of(name)} ({name}), which is missing" for name in missing]
        faults += [
            f"{file_of(row.id)} is another key than the data's {row.id}: these are not the keys of this data"
            for row in entered
            if shown.get(row.id, row.fingerprint) != row.fingerprint
        ]
        if faults:
            raise KeyFault("; ".join(faults))

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


def enter(
    connection: Connection, key_id: str, *, fingerprint: str, made_at: datetime, settled_at: datetime | None
) -> None:
    """Enter a key of the ring as in force, once; whoever comes second leaves the first's entry."""
    values = {"id": key_id, "fingerprint": fingerprint, "made_at": made_at, "settled_at": settled_at}
    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(kind.insert(RING_KEY).values(values).on_conflict_do_nothing())


def _on(ring: KeyRing, key_id: str) -> bool:
    return key_id in ring.keks or (key_id[0] == "I" and number_of(key_id) in ring.indexes)


class DataKeys:
    """The data keys that one database session has needed so far. Lives and dies with that session."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._known: dict[UUID, dict[int, AESGCM]] = {}
        self._expected: set[UUID] = set()

    def expect(self, holder: UUID) -> None:
        """Read this holder's keys with the next that are read."""
        self._expected.add(holder)

    def fetch(self, holders: Iterable[UUID]) -> None:
        """Read the keys of all these holders at once."""
        # Not a difference of sets: that would walk every key known so far for each value opened.
        wanted = {holder for holder in holders if holder not in self._known}
        if wanted:
            self._known.update(self.vault.keys(wanted | self._expected))
            self._expected.clear()

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
