"""What the law keeps when everything else goes: accounts of delivery, registers, the audit trail; no personal data.

Accounts are keyed to delivery references of their own, made here and written down nowhere else: they lead to nobody.
Registers keep numbers, kinds, dates and outcomes. The trail holds references alone, and comes with its verifier
(cl 17.4(e); schedule 2).
"""

import csv
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Attendance, AttendanceState, Package, Participation, Session, SessionState
from portal.registers import audit_cases
from privacy import chain_checks
from privacy.audit import AuditEntry
from privacy.backup_records import BackupRun
from privacy.clock import add_months, london_date
from privacy.envelopes import sync_folder
from privacy.errors import ChainBroken
from privacy.keys import KeyRing
from privacy.references import new_reference
from privacy.registers import RegisterEntry
from privacy.rights import Erasure
from privacy.safekeeping import KeyEvent

YEARS = 6
TRAIL = "audit-trail.zip"
WHAT = {
    "packages.csv": "Accounts of delivery: each package of support, under a delivery reference",
    "sessions.csv": "Accounts of delivery: each session that was held, under a delivery reference",
    "cases.csv": "Register of requests, complaints and incidents: numbers, kinds, dates, outcomes",
    "registers.csv": "Registers of instructions, sub-processors, risks and stores: codes and dates",
    "erasures.csv": "Register of erasures: dates",
    "keys-and-backups.csv": "What was done with keys and backups: dates and outcomes",
    TRAIL: "The audit trail: references alone, with the program that checks it",
}
"""Every file that is kept, and what it is."""

Row = Iterable[object]


def kept_until(paid_on: date, year_ends: tuple[int, int]) -> date:
    """The last day of keeping: 6 years after the end of the financial year of the last payment (schedule 2)."""
    ends_on = date(paid_on.year, *year_ends)
    if ends_on < paid_on:
        ends_on = date(paid_on.year + 1, *year_ends)
    return add_months(ends_on, 12 * YEARS)


def write(db: DbSession, folder: Path, *, now: datetime) -> dict[str, str]:
    """Write accounts and registers; returns what each file is, by its name. Done again, they are replaced."""
    references = {package_id: new_reference("D") for package_id in db.scalars(select(Package.id))}
    _table(folder / "packages.csv", _PACKAGES, _packages(db, references))
    _table(folder / "sessions.csv", _SESSIONS, _sessions(db, references))
    _table(folder / "cases.csv", _CASES, _cases(db, now=now))
    _table(folder / "registers.csv", _REGISTERS, _registers(db))
    _table(folder / "erasures.csv", ("begun_on", "state", "erased_on"), _erasures(db))
    _table(folder / "keys-and-backups.csv", ("what", "at", "passed", "count"), _tests(db))
    return {name: what for name, what in WHAT.items() if name != TRAIL}


def _table(path: Path, head: Iterable[str], rows: Iterable[Row]) -> None:
    """A CSV file, whole or not there."""
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(head)
        lines.writerows(rows)
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    sync_folder(path.parent)


# ---- accounts of delivery

_PACKAGES = (
    "delivery_reference",
    "strand",
    "state",
    "starts_on",
    "ends_on",
    "planned_minutes",
    "delivered_minutes",
    "people_supported",
)
_SESSIONS = ("delivery_reference", "package", "kind", "place", "held_on", "minutes", "people_present")


def _numbers(db: DbSession, asked: Select[Any, Any]) -> dict[UUID, int]:
    return {key: number or 0 for key, number in db.execute(asked)}


def _packages(db: DbSession, references: dict[UUID, str]) -> Iterator[Row]:
    minutes = _numbers(
        db,
        select(Session.package_id, func.sum(Session.delivered_minutes))
        .where(Session.state == SessionState.HELD)
        .group_by(Session.package_id),
    )
    people = _numbers(db, select(Participation.package_id, func.count()).group_by(Participation.package_id))
    # In the order of the new references, which are random: the old order says nothing any more.
    for one in sorted(db.scalars(select(Package)), key=lambda package: references[package.id]):
        yield (
            references[one.id],
            one.strand,
            one.state,
            one.starts_on,
            one.ends_on,
            one.planned_minutes,
            minutes.get(one.id, 0),
            people.get(one.id, 0),
        )


def _sessions(db: DbSession, references: dict[UUID, str]) -> Iterator[Row]:
    present = _numbers(
        db,
        select(Attendance.session_id, func.count())
        .where(Attendance.state == AttendanceState.ATTENDED)
        .group_by(Attendance.session_id),
    )
    held = select(Session).where(Session.state == SessionState.HELD).order_by(Session.starts_at, Session.id)
    for one in db.scalars(held):
        yield (
            new_reference("D"),
            references[one.package_id],
            one.kind,
            one.place,
            london_date(one.starts_at),
            one.delivered_minutes or 0,
            present.get(one.id, 0),
        )


# ---- registers

_CASES = (
    "number",
    "kind",
    "channel",
    "received_at",
    "entered_at",
    "exercise",
    "state",
    "clocks_met",
    "clocks_missed",
)
_REGISTERS = ("register", "code", "from_on", "value_on", "entered_at")


def _cases(db: DbSession, *, now: datetime) -> Iterator[Row]:
    for one in reversed(audit_cases.cases(db, now=now)):
        yield (
            one.ref,
            one.kind,
            one.channel,
            one.received_at.isoformat(),
            one.entered_at.isoformat(),
            one.exercise,
            one.state,
            one.met,
            one.missed,
        )


def _registers(db: DbSession) -> Iterator[Row]:
    entries = select(RegisterEntry).order_by(RegisterEntry.entered_at, RegisterEntry.id)
    for one in db.scalars(entries):
        yield one.register, one.letter, one.from_on, one.value_on, one.entered_at.isoformat()


def _erasures(db: DbSession) -> Iterator[Row]:
    for one in db.scalars(select(Erasure).order_by(Erasure.begun_at, Erasure.id)):
        yield london_date(one.begun_at), one.state, one.erased_on


def _tests(db: DbSession) -> Iterator[Row]:
    for run in db.scalars(select(BackupRun).order_by(BackupRun.began_at, BackupRun.id)):
        yield run.kind, run.began_at.isoformat(), run.ok, run.rows or 0
    for act in db.scalars(select(KeyEvent).order_by(KeyEvent.at, KeyEvent.id)):
        yield act.act, act.at.isoformat(), act.passed, act.count


# ---- the trail


def write_trail(
    db: DbSession, ring: KeyRing, folder: Path, *, contract: str, now: datetime
) -> dict[str, object]:
    """Write the whole trail with its verifier; returns where it ends: lines and open digest. Raises ChainBroken."""
    part, digest = folder / f"{TRAIL}.part", hashlib.sha256()
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("trail.jsonl", "w", force_zip64=True) as lines:

            def see(entry: AuditEntry) -> None:
                line = json.dumps(chain_checks.document(entry), separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                lines.write(line)

            found = chain_checks.look(db, ring, see=see)
        if found.trouble is not None:
            raise ChainBroken(found.trouble)
        heads = [
            {"at": one.at.isoformat(), "lines": one.lines, "digest": one.digest}
            for one in chain_checks.heads(db)
        ]
        named = {
            "heads.json": json.dumps(heads, indent=1).encode(),
            "verify.py": files("privacy").joinpath("audit_verifier.py").read_bytes(),
        }
        for name, data in named.items():
            archive.writestr(name, data)
        end: dict[str, object] = {"lines": found.lines, "digest": found.digest}
        manifest = {
            "contract": contract,
            "made_at": now.isoformat(timespec="seconds"),
            "trail": end,
            "files": {
                "trail.jsonl": digest.hexdigest(),
                **{name: hashlib.sha256(data).hexdigest() for name, data in named.items()},
            },
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    part.rename(folder / TRAIL)
    sync_folder(folder)
    return end
