"""Indexing every address anew with a new key, while people go on signing in by the old index and the new.

A batch is one unit of work. Whoever is written meanwhile gets the new index, so one walk in the order of ids
reaches everybody; how far it came is kept in the key store, and a walk that was killed goes on there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.models import Person
from privacy import rotation, safekeeping
from privacy.audit import Action
from privacy.columns import ADDRESSES, address_index, keys_of, unseal_column
from privacy.errors import HolderErased, SealBroken
from privacy.keys import number_of
from privacy.rotation import Progress
from privacy.safekeeping import KeyAct
from privacy.work import Work, unit_of_work

BATCH = 500
Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Indexed:
    """What a walk did: the key, how many addresses it changed, and who could not be read (short references)."""

    key_id: str
    count: int
    unread: list[str]


def index_anew(
    instance: Instance,
    sessions: Sessions,
    *,
    actor: str,
    kept: Collection[str] = (),
    progress: Progress = lambda _: None,
) -> Indexed:
    """Put the next index key in force and bring everybody to it, or go on with a walk that was begun.

    `kept` are ids of keys that retained backups need: their files stay. Raises KeysFixed where the key has to
    come from outside.
    """
    vault, source = instance.vault, instance.settings.key_source
    with sessions() as db, unit_of_work(db, instance.clock, actor) as work:
        # Who writes an address holds the other side of this turn: nobody is half-way while a key comes in force.
        work.wait_turn(ADDRESSES)
        key_id = rotation.begin(vault, source, kind="I", now=work.now)
    begun = rotation.reached(vault, key_id)
    found = _walk(instance, sessions, key_id, after=begun, actor=actor, progress=progress)
    with sessions() as db, unit_of_work(db, instance.clock, actor) as work:
        work.wait_turn(ADDRESSES)
        for number in vault.index_numbers()[1:]:
            rotation.retire(vault, f"I{number}", kept_in=[], instruction=None, now=work.now)
        safekeeping.note(work, KeyAct.INDEXING, keys=key_id, count=found.count)
        work.record(Action.ADDRESSES_INDEXED, object="keys:index", key=key_id, count=found.count)
    rotation.settle(vault, key_id, now=instance.clock())
    for key in rotation.ring_keys(vault):
        # Those of earlier rotations too, which a backup needed then.
        if key.id.startswith("I") and key.retired_at is not None and key.id not in kept:
            source.remove(key.id)
    return found


def _walk(
    instance: Instance,
    sessions: Sessions,
    key_id: str,
    *,
    after: UUID | None,
    actor: str,
    progress: Progress,
) -> Indexed:
    changed, unread = 0, list[str]()
    while True:
        with sessions() as db, unit_of_work(db, instance.clock, actor) as work:
            batch = _batch(work, after)
            if not batch:
                return Indexed(key_id, changed, unread)
            changed += _index(work, batch, number_of(key_id), unread)
            after = batch[-1][0]
        rotation.reach(instance.vault, key_id, after)
        progress(len(batch))


def _batch(work: Work, after: UUID | None) -> list[tuple[UUID, str, bytes, bytes]]:
    query = (
        select(Person.id, Person.ref, Person.email_sealed, Person.email_index)
        .where(Person.email_index.is_not(None), Person.email_sealed.is_not(None))
        .order_by(Person.id)
        .limit(BATCH)
        .with_for_update()
    )
    rows = work.db.execute(query if after is None else query.where(Person.id > after))
    return [(row.id, row.ref, bytes(row.email_sealed), bytes(row.email_index)) for row in rows]


def _index(work: Work, batch: list[tuple[UUID, str, bytes, bytes]], number: int, unread: list[str]) -> int:
    keys = keys_of(work.db)
    keys.fetch(person_id for person_id, *_ in batch)
    changes = []
    for person_id, ref, sealed, written in batch:
        try:
            address = unseal_column(keys, Person.email_sealed, sealed, row=person_id, holder=person_id)
        except (SealBroken, HolderErased):
            # Nobody can be written to at an address that does not open, so nobody signs in by it.
            unread.append(ref)
            continue
        index = address_index(work.ring, address, number=number)
        if index != written:
            changes.append({"whose": person_id, "index": index})
    if changes:
        statement = (
            update(Person).where(Person.id == bindparam("whose")).values(email_index=bindparam("index"))
        )
        work.db.connection().execute(statement, changes)
    return len(changes)
