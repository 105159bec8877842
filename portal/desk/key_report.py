"""What is known of the keys: each with its age, what it opens, and what would be lost with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from privacy import rotation, safekeeping
from privacy.backup_records import Last
from privacy.backup_records import last as last_backups
from privacy.keys import number_of
from privacy.rotation import RingKey
from privacy.safekeeping import KeyAct, KeyEvent

ROTATE_AFTER = timedelta(days=100)
"""A key-encryption key is rotated every quarter; so long after it is made it is overdue."""
DRILL_AFTER = timedelta(days=190)
"""An escrow is drilled twice a year."""
LOST = {
    "I": "Nothing for good: addresses are indexed anew from themselves. Until then nobody signs in.",
    "audit": "The audit trail can be read, and no longer shown to be unaltered.",
    "token": "Links and codes in mails on their way, and forms that stand open.",
    "export": "Later exports give people other pseudonyms than earlier ones.",
}


WORDS = {
    KeyAct.CANARY: "The keys, read anew, opened the data",
    KeyAct.ROTATION: "Key-encryption key rotated",
    KeyAct.INDEXING: "Addresses indexed with a new key",
    KeyAct.RETIREMENT: "Old key destroyed",
    KeyAct.ESCROW: "Escrow made, for these people to open",
    KeyAct.DRILL: "Escrow opened as a drill",
}


@dataclass(frozen=True)
class KeyLine:
    """One key. `state` is current, old, retired or missing; `wraps` how many data keys only it opens."""

    id: str
    state: str
    wraps: int
    created_at: datetime
    age_days: int
    fingerprint: str | None
    lost_with_it: str


@dataclass(frozen=True)
class Safekeeping:
    """What the page "Keys and backups" shows. `warnings` are whole sentences."""

    keys: list[KeyLine]
    masters: list[KeyLine]
    done: dict[KeyAct, KeyEvent]
    failed: list[KeyEvent]
    backups: Last
    warnings: list[str]


def report(instance: Instance, db: DbSession, *, now: datetime) -> Safekeeping:
    """Everything about keys and backups at one moment; reads only."""
    lines = key_lines(instance, now=now)
    done = safekeeping.last_of_each(db)
    failed = [
        event
        for act, event in safekeeping.last_of_each(db, passed=False).items()
        if act not in done or done[act].at < event.at
    ]
    backups = last_backups(db)
    keys = [line for line in lines if line.id[0] == "K"]
    return Safekeeping(
        keys=keys,
        masters=[line for line in lines if line.id[0] != "K"],
        done=done,
        failed=failed,
        backups=backups,
        warnings=_warnings(lines, done, failed, backups, now=now),
    )


def key_lines(instance: Instance, *, now: datetime) -> list[KeyLine]:
    """Every key that is or was in force, key-encryption keys first."""
    wraps = dict(instance.vault.status())
    shown = instance.vault.ring.fingerprints()
    known = {key.id: key for key in rotation.ring_keys(instance.vault)}
    newest = {
        kind: max(
            (name for name, key in known.items() if name[0] == kind and not key.retired_at), key=number_of
        )
        for kind in "KI"
        if any(name[0] == kind and not key.retired_at for name, key in known.items())
    }
    found = [_line(key, wraps.get(key.id, 0), shown, newest, now) for key in known.values()]
    return sorted(found, key=lambda line: line.id[0] != "K")


def can_go(instance: Instance, *, now: datetime) -> list[KeyLine]:
    """The key-encryption keys that can be destroyed: those that another is in force for."""
    return [line for line in key_lines(instance, now=now) if line.id[0] == "K" and line.state == "old"]


def _line(key: RingKey, wraps: int, shown: dict[str, str], newest: dict[str, str], now: datetime) -> KeyLine:
    numbered = key.id[0] in "KI"
    if key.retired_at is not None:
        state = "retired"
    elif key.id not in shown:
        state = "missing"
    elif numbered and newest[key.id[0]] != key.id:
        state = "old"
    else:
        state = "current"
    lost = LOST["I"] if key.id[0] == "I" else LOST.get(key.id) or _lost_with(wraps)
    return KeyLine(
        id=key.id,
        state=state,
        wraps=wraps,
        created_at=key.made_at,
        age_days=(now - key.made_at).days,
        fingerprint=shown.get(key.id),
        lost_with_it="Nothing: it is no longer in force." if state == "retired" else lost,
    )


def _lost_with(wraps: int) -> str:
    if not wraps:
        return "Nothing in the live data; backups of the key store may still need it."
    people = "one holder" if wraps == 1 else f"{wraps} holders"
    return f"Everything that is sealed for {people}: names, addresses, answers, goals and notes."


def _warnings(
    lines: list[KeyLine],
    done: dict[KeyAct, KeyEvent],
    failed: list[KeyEvent],
    backups: Last,
    *,
    now: datetime,
) -> list[str]:
    current = next((line for line in lines if line.id[0] == "K" and line.state == "current"), None)
    escrow, drill = done.get(KeyAct.ESCROW), done.get(KeyAct.DRILL)
    found = [
        f"{line.id} is needed and is missing." for line in lines if line.state == "missing" and line.wraps
    ]
    if any(event.act is KeyAct.CANARY for event in failed):
        found.append(
            "The keys, read anew, did not open the data. Put the key folder back before anything restarts."
        )
    if any(event.act is KeyAct.DRILL for event in failed):
        found.append("The last drill of the escrow failed. Make a new escrow.")
    if current is not None and now - current.created_at > ROTATE_AFTER:
        found.append(f"{current.id} is {current.age_days} days old. Rotate it.")
    if escrow is None:
        found.append("There is no escrow of the keys. If the key folder is lost, everything is lost.")
    elif current is not None and current.id not in escrow.keys.split():
        found.append(f"The last escrow was made before {current.id}. Make a new one.")
    if escrow is not None and (drill is None or drill.at < escrow.at or now - drill.at > DRILL_AFTER):
        found.append("The escrow has not been tried out for too long, or never. Drill it.")
    if backups.backup is None:
        found.append("There is no backup.")
    elif backups.drill is None:
        found.append("No backup has been restored as a drill.")
    if backups.failed is not None:
        found.append(f"The last {backups.failed.kind.value} failed.")
    return found


def status_document(instance: Instance, db: DbSession, *, now: datetime) -> dict[str, Any]:
    """The same for machines: `{keys: [{id, state, wraps, created_at, ...}], masters, acts, warnings}`."""
    found = report(instance, db, now=now)
    return {
        "keys": [_document(line) for line in found.keys],
        "masters": [_document(line) for line in found.masters],
        "acts": {
            act.value: {"at": event.at.isoformat(timespec="seconds"), "keys": event.keys.split()}
            for act, event in found.done.items()
        },
        "warnings": found.warnings,
    }


def _document(line: KeyLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "state": line.state,
        "wraps": line.wraps,
        "created_at": line.created_at.isoformat(timespec="seconds"),
        "age_days": line.age_days,
        "fingerprint": line.fingerprint,
        "lost_with_it": line.lost_with_it,
    }
