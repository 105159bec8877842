"""Rotation: a new key-encryption key, every data key wrapped anew, the old one retired when nothing needs it.

    begin     the new key is written, then entered in the key store: from then on it wraps new data keys
    rewrap    in batches, each committed; a reader gets a data key with the id of what wraps it, old or new
    settle    nothing is left that an older key wraps, and that is entered

Each step can be killed and done again: a key that was written is taken up, what was rewrapped is not touched
twice, and a rotation that is not settled is gone on with before another begins (research: 30 microseconds a
holder; cl 17.4).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from privacy.key_sources import KeySource
from privacy.keys import number_of
from privacy.keystore import RING_KEY, SUBJECT_KEY, Vault, enter
from privacy.transactions import writing

BATCH = 1000
# A batch that others hold is waited for, not fought for.
WAIT_SECONDS = 0.05
WAITS_AT_MOST = 600

Progress = Callable[[int], None]


class RotationStuck(Exception):
    """Some data keys were held by others for so long that they could not be wrapped anew. Start it again."""


class KeyNeeded(Exception):
    """A key cannot be retired; the message says what needs it."""


class NoSuchKey(Exception):
    """No key of this id was ever in force here."""


@dataclass(frozen=True)
class RingKey:
    """What the key store knows of one key."""

    id: str
    made_at: datetime
    settled_at: datetime | None
    retired_at: datetime | None
    instruction: str | None


def ring_keys(vault: Vault) -> list[RingKey]:
    """Every key that was ever in force, oldest first within its kind."""
    with vault.engine.connect() as connection:
        rows = connection.execute(
            select(
                RING_KEY.c.id,
                RING_KEY.c.made_at,
                RING_KEY.c.settled_at,
                RING_KEY.c.retired_at,
                RING_KEY.c.instruction,
            )
        ).all()
    found = [RingKey(*row) for row in rows]
    return sorted(found, key=lambda key: (key.id[0], number_of(key.id)) if key.id[0] in "KI" else (key.id, 0))


def begin(vault: Vault, source: KeySource, *, kind: str, now: datetime) -> str:
    """Put the next key of a kind (`K` or `I`) in force, or go on with one that is not settled; returns its id.

    The key is on the disk before the key store says that it wraps anything. Raises KeysFixed.
    """
    known = [key for key in ring_keys(vault) if key.id.startswith(kind)]
    waiting = [key.id for key in known if key.settled_at is None and key.retired_at is None]
    if waiting:
        vault.ring_with(*waiting)
        return max(waiting, key=number_of)
    entered = {number_of(key.id) for key in known}
    there = vault.ring.indexes if kind == "I" else map(number_of, vault.ring.keks)
    # A key that was written and not yet entered, or that came with a new bundle, is the next one.
    next_id = f"{kind}{max({max(entered, default=0) + 1, *(set(there) - entered)})}"
    with writing(vault.engine) as connection:
        # A store that has wrapped nothing yet enters its ring first: the next key must not be taken for its first.
        vault.current(connection)
    source.add(next_id)
    shown = vault.ring_with(next_id).fingerprints()[next_id]
    with writing(vault.engine) as connection:
        enter(connection, next_id, fingerprint=shown, made_at=now, settled_at=None)
    return next_id


def rewrap(vault: Vault, kek_id: str, *, progress: Progress = lambda _: None) -> int:
    """Wrap with `kek_id` what other keys wrap, in batches; returns how many. `progress` gets each batch's count.

    Raises RotationStuck.
    """
    done = waited = 0
    while others := [name for name, _ in vault.status() if name != kek_id]:
        count = 0
        for other in others:
            while some := _rewrap_some(vault, kek_id, other):
                count += some
                progress(some)
        done += count
        waited = 0 if count else waited + 1
        if waited == WAITS_AT_MOST:
            raise RotationStuck(
                f"some data keys under {', '.join(others)} are held by others: start it again"
            )
        if not count:
            time.sleep(WAIT_SECONDS)
    return done


def _rewrap_some(vault: Vault, kek_id: str, other: str) -> int:
    """One batch, committed. Rows that somebody else holds are left for later: a wait could wait for us."""
    row = SUBJECT_KEY.c
    with writing(vault.engine) as connection:
        found = connection.execute(
            select(row.holder_id, row.version, row.wrapped)
            .where(row.kek_id == other, row.wrapped.is_not(None))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        if not found:
            return 0
        ring = vault.ring_with(kek_id, other)
        connection.execute(
            update(SUBJECT_KEY)
            .where(row.holder_id == bindparam("of_holder"), row.version == bindparam("of_version"))
            .values(kek_id=kek_id, wrapped=bindparam("anew")),
            [
                {
                    "of_holder": holder,
                    "of_version": version,
                    "anew": ring.rewrap(
                        wrapped, kek_id=other, holder=holder, version=version, new_kek_id=kek_id
                    ),
                }
                for holder, version, wrapped in found
            ],
        )
    return len(found)


def settle(vault: Vault, key_id: str, *, now: datetime) -> None:
    """Enter that nothing is left to older keys of its kind."""
    _mark(vault, key_id, {"settled_at": now, "reached": None})


def reach(vault: Vault, key_id: str, person_id: UUID) -> None:
    """Note how far the indexing of addresses has come, so that it goes on there after it was killed."""
    _mark(vault, key_id, {"reached": person_id})


def reached(vault: Vault, key_id: str) -> UUID | None:
    """Whose address was indexed last; None at the beginning."""
    with vault.engine.connect() as connection:
        return connection.scalar(select(RING_KEY.c.reached).where(RING_KEY.c.id == key_id))


def _mark(vault: Vault, key_id: str, values: Mapping[str, object]) -> None:
    with writing(vault.engine) as connection:
        connection.execute(update(RING_KEY).where(RING_KEY.c.id == key_id).values(values))


def is_retired(vault: Vault, key_id: str, *, instruction: str) -> bool:
    """Whether a key was taken out of force for good by this instruction; its file may be there yet."""
    row = RING_KEY.c
    asked = select(row.id).where(
        row.id == key_id, row.retired_at.is_not(None), row.instruction == instruction
    )
    with vault.engine.connect() as connection:
        return connection.scalar(asked) is not None


def retire(
    vault: Vault, key_id: str, *, kept_in: Sequence[str], instruction: str | None, now: datetime
) -> None:
    """Take a key out of force for good; its file may be destroyed afterwards. Harmless when it was done before.

    `kept_in` names the retained backups of the key store that need it. Raises NoSuchKey or KeyNeeded.
    """
    row = RING_KEY.c
    with writing(vault.engine) as connection:
        known = connection.execute(
            select(row.id, row.retired_at).where(row.id.like(f"{key_id[:1]}%")).with_for_update()
        ).all()
        mine = next((key for key in known if key.id == key_id), None)
        if mine is None:
            raise NoSuchKey(f"{key_id} was never in force here")
        if key_id == max((key.id for key in known if key.retired_at is None), key=number_of, default=None):
            raise KeyNeeded(f"{key_id} is the key in force: rotate first")
        wraps = connection.scalar(
            select(func.count()).where(SUBJECT_KEY.c.kek_id == key_id, SUBJECT_KEY.c.wrapped.is_not(None))
        )
        if wraps:
            raise KeyNeeded(f"{key_id} still wraps {wraps} data keys: run `flask keys rotate`")
        if kept_in:
            raise KeyNeeded(
                f"{key_id} is needed by {len(kept_in)} backups of the key store: {', '.join(kept_in)}"
            )
        if mine.retired_at is None:
            connection.execute(
                update(RING_KEY).where(row.id == key_id).values(retired_at=now, instruction=instruction)
            )
