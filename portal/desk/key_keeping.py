"""Keeping the keys: rotation, retirement, escrow and its drill, and the canary; each is noted and left in the trail.

What the commands do and the page shows (portal/desk/key_report.py) stands here and below; a command adds words only.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy.orm import Session as DbSession

from portal.access import addresses
from portal.access.addresses import Indexed
from portal.instance import Instance, InstanceFault, open_canary
from privacy import escrow, keys, rotation, safekeeping
from privacy.audit import Action
from privacy.clock import CLOCKS_DIFFER
from privacy.errors import KeyFault, SealBroken
from privacy.keys import KeyRing
from privacy.keystore import Vault
from privacy.rotation import KeyNeeded, Progress
from privacy.safekeeping import KeyAct
from privacy.scratch import scratch
from privacy.work import Work, unit_of_work

ACTOR = "system:command"
WORKER = "system:safekeeping"
CANARY_EVERY = timedelta(days=1)

log = structlog.get_logger("safekeeping")

Sessions = Callable[[], DbSession]
Telling = Callable[[str], Progress]


@dataclass(frozen=True)
class Rotated:
    """What a rotation did: the key in force, how many data keys it took over, and the addresses."""

    key_id: str
    count: int
    indexed: Indexed | None


@dataclass(frozen=True)
class Drilled:
    """What an escrow proved: the keys in it, and who opened it."""

    keys: str
    person: str


class DrillFailed(Exception):
    """The escrow opened, and its keys do not open the data; the message says why. It was noted."""


def rotate(
    instance: Instance,
    sessions: Sessions,
    *,
    kept: Collection[str] = (),
    with_addresses: bool = True,
    tell: Telling = lambda _: lambda _: None,
) -> Rotated:
    """A new key-encryption key and a new index key, everything brought to them, while the site runs.

    One that was begun and killed is gone on with. `kept` are ids of keys that retained backups need. Raises
    KeysFixed where the keys come from outside, RotationStuck.
    """
    vault = instance.vault
    key_id = rotation.begin(vault, instance.settings.key_source, kind="K", now=instance.clock())
    count = rotation.rewrap(vault, key_id, progress=tell("data keys"))
    with sessions() as db, unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        safekeeping.note(work, KeyAct.ROTATION, keys=key_id, count=count)
        work.record(Action.KEYS_ROTATED, object=f"key:{key_id}", key=key_id, count=count)
    rotation.settle(vault, key_id, now=instance.clock())
    indexed = None
    if with_addresses:
        indexed = addresses.index_anew(instance, sessions, actor=ACTOR, kept=kept, progress=tell("addresses"))
    return Rotated(key_id, count, indexed)


def retire(
    instance: Instance, sessions: Sessions, *, key_id: str, instruction: str, kept_in: Sequence[str]
) -> bool:
    """Retire a key-encryption key for good and destroy its file; False where somebody else has to destroy it.

    `kept_in` names the retained backups that need it. Raises NoSuchKey, KeyNeeded or LooseDetail (an instruction
    that is no reference). Done again, it finishes what was killed.
    """
    if not key_id.startswith("K"):
        raise KeyNeeded(f"{key_id} is no key-encryption key: those are K1, K2 and so on")
    vault = instance.vault
    with sessions() as db, unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        work.record(Action.KEY_RETIRED, object=f"key:{key_id}", instruction=instruction)
        safekeeping.note(work, KeyAct.RETIREMENT, keys=key_id)
        # Refused, it leaves no line; killed after this, the line is not written and the command is given again.
        rotation.retire(vault, key_id, kept_in=kept_in, instruction=instruction, now=work.now)
    return instance.settings.key_source.remove(key_id)


def make_escrow(
    instance: Instance, sessions: Sessions, *, certificates: Sequence[Path], folder: Path
) -> Path:
    """Seal all keys to the certificates of two people; returns the file. Raises as privacy.escrow does."""
    to = escrow.readers(certificates, now=instance.clock())
    ring = instance.settings.key_source.load()
    contract = instance.programme.reference
    path = escrow.seal(ring, contract=contract, to=to, folder=folder, now=instance.clock())
    with sessions() as db, unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        people = "; ".join(one.name for one in to)
        safekeeping.note(work, KeyAct.ESCROW, keys=ids_of(ring), people=people)
        work.record(Action.KEYS_ESCROWED, object=f"key:{ring.current}", key=ring.current, readers=len(to))
    return path


def drill(
    instance: Instance,
    sessions: Sessions,
    *,
    path: Path,
    key: Path,
    certificate: Path,
    passphrase: bytes | None = None,
) -> Drilled:
    """Restore the keys from an escrow in a scratch folder, open the canary with them, and note who did and when.

    Raises DrillFailed, or what `privacy.escrow.opened` raises for a file or key that does not open.
    """
    ring, person = escrow.opened(path, key=key, certificate=certificate, passphrase=passphrase)
    needed = [kek_id for kek_id, _ in instance.vault.status()]
    lacking = escrow.lacking(ring, needed=needed)
    trouble = f"the escrow lacks {', '.join(lacking)}: make a new one" if lacking else None
    trouble = trouble or _restored_trouble(instance, sessions, ring)
    with sessions() as db, unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
        safekeeping.note(
            work,
            KeyAct.DRILL,
            keys=ids_of(ring),
            passed=trouble is None,
            people=person,
            trouble="keys_do_not_fit" if trouble else None,
        )
        work.record(
            Action.ESCROW_DRILLED, object=f"key:{ring.current}", key=ring.current, passed=trouble is None
        )
    if trouble is not None:
        raise DrillFailed(trouble)
    return Drilled(ids_of(ring), person)


def _restored_trouble(instance: Instance, sessions: Sessions, ring: KeyRing) -> str | None:
    """Why a key folder made of this ring, as on a new machine, does not open the data; None if it does."""
    try:
        with scratch(instance.settings.instance / "drill") as folder:
            keys.unpack(ring, folder)
            return _trouble_with(Vault(keys.load(folder), instance.vault.engine, instance.clock), sessions)
    except KeyFault as fault:
        return str(fault)


def _trouble_with(vault: Vault, sessions: Sessions) -> str | None:
    try:
        vault.require_ring()
        with sessions() as db:
            db.info["vault"] = vault
            open_canary(db)
    except (KeyFault, InstanceFault) as fault:
        return str(fault)
    return None


def ids_of(ring: KeyRing) -> str:
    """The ids of the keys that wrap and index, newest last."""
    indexes = [f"I{number}" for number in sorted(ring.indexes)]
    return " ".join([*sorted(ring.keks, key=keys.number_of), *indexes])


def note_refused(work: Work, error: SealBroken) -> None:
    """Leave in the trail that a sealed value did not open: somebody altered or moved it, or a disk did."""
    place = f"{error.table}:{error.row}" if error.row else f"{error.table}:unknown"
    work.record(Action.SEAL_REFUSED, object=place, table=error.table, column=error.column)


# ---- the canary


def check_canary(instance: Instance, sessions: Sessions) -> bool:
    """Once a day: read the keys anew and open the canary with them; True if they do or it was not time yet.

    The processes that run hold their keys in memory, and would go on after the key folder was lost: this finds it
    on the same day. A failure is named in the log and left in the trail.
    """
    with sessions() as db:
        looked = safekeeping.last_of_each(db).get(KeyAct.CANARY)
        failed = safekeeping.last_of_each(db, passed=False).get(KeyAct.CANARY)
        times = [event.at for event in (looked, failed) if event is not None]
    if times and max(times) - CLOCKS_DIFFER <= instance.clock() < max(times) + CANARY_EVERY:
        return True
    trouble, why = _canary_trouble(instance, sessions)
    with sessions() as db, unit_of_work(db, instance.clock, WORKER, frozen_too=True) as work:
        names = ids_of(instance.vault.ring)
        safekeeping.note(work, KeyAct.CANARY, keys=names, passed=trouble is None, trouble=why)
        if why is not None:
            work.record(Action.CANARY_FAILED, object="keys:canary", why=why)
    if trouble is not None:
        log.error("canary.failed", trouble=trouble)
    return trouble is None


def _canary_trouble(instance: Instance, sessions: Sessions) -> tuple[str | None, str | None]:
    try:
        fresh = Vault(instance.settings.key_source.load(), instance.vault.engine, instance.clock)
    except (KeyFault, OSError) as fault:
        return str(fault), "keys_unreadable"
    trouble = _trouble_with(fresh, sessions)
    return trouble, "keys_do_not_fit" if trouble else None
