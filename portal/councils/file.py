"""The published register of local authorities: its file becomes our list of councils.

Only those of England that run children's services are kept: counties, unitaries, metropolitan districts, London
boroughs and the City of London, also where they ended after the contract's start.
"""

import re
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import imports
from portal.imports import Fault, FileFaults, Row
from portal.models import Council, CouncilKind
from portal.programme import Programme
from privacy.audit import Action
from privacy.progress import Progress, untold
from privacy.records import new_id
from privacy.work import Work

COLUMNS = (
    "official-name",
    "nice-name",
    "gss-code",
    "local-authority-code",
    "start-date",
    "end-date",
    "replaced-by",
    "nation",
    "region",
    "local-authority-type",
)
KINDS = {
    "CTY": CouncilKind.COUNTY,
    "UA": CouncilKind.UNITARY,
    "MD": CouncilKind.METROPOLITAN,
    "LBO": CouncilKind.LONDON,
    "CC": CouncilKind.CITY,
}
_GSS = re.compile(r"[A-Z][0-9]{8}")
_TAKEN = ("gss", "code", "name", "short_name", "kind", "region", "starts_on", "ends_on", "replaced_by")


@dataclass(frozen=True)
class Taken:
    """What an import did, in councils; `notes` say how the file was read."""

    added: int
    changed: int
    kept: int
    notes: list[str]


@dataclass(frozen=True)
class _Entry:
    line: int
    gss: str
    code: str
    name: str
    short_name: str
    kind: CouncilKind
    region: str
    starts_on: date | None
    ends_on: date | None
    replaced_by: list[str]


@dataclass(frozen=True)
class _Plan:
    """What a file asks for: entries of councils that are new, those that change, and how many it holds."""

    fresh: list[_Entry]
    changed: list[tuple[Council, _Entry]]
    kept: int
    notes: list[str]

    def taken(self) -> Taken:
        return Taken(len(self.fresh), len(self.changed), self.kept, self.notes)


def check_file(db: DbSession, programme: Programme, data: bytes) -> Taken:
    """What an import would do. Raises FileFaults with every fault; writes nothing."""
    return _plan(db, programme, data).taken()


def import_file(work: Work, programme: Programme, data: bytes, *, tell: Progress = untold) -> Taken:
    """Add the councils of a published file and update those that changed; councils it lacks stay.

    Raises FileFaults with every fault; then nothing was written.
    """
    plan = _plan(work.db, programme, data)
    for entry in plan.fresh:
        work.db.add(Council(id=new_id(), **{name: getattr(entry, name) for name in _TAKEN}))
    for council, entry in plan.changed:
        for name in _TAKEN:
            setattr(council, name, getattr(entry, name))
    work.db.flush()
    tell(plan.kept, plan.kept)
    taken = plan.taken()
    if taken.added or taken.changed:
        work.record(
            Action.COUNCILS_IMPORTED, object=f"import:{new_id()}", added=taken.added, changed=taken.changed
        )
    return taken


def _plan(db: DbSession, programme: Programme, data: bytes) -> _Plan:
    entries, notes = _entries(data, programme)
    known = db.scalars(select(Council)).all()
    by_gss = {council.gss: council for council in known}
    by_code = {council.code: council for council in known}
    faults = []
    plan = _Plan([], [], len(entries), notes)
    for entry in entries:
        council = by_gss.get(entry.gss)
        namesake = by_code.get(entry.code)
        if council is not None and namesake is not None and namesake is not council:
            faults.append(
                Fault(
                    entry.line,
                    f"The code “{entry.code}” belongs to {namesake.name}, the gss code to another",
                )
            )
            continue
        council = council or namesake
        if council is None:
            plan.fresh.append(entry)
        elif any(getattr(council, name) != getattr(entry, name) for name in _TAKEN):
            plan.changed.append((council, entry))
    if faults:
        raise FileFaults(faults, notes)
    return plan


def _entries(data: bytes, programme: Programme) -> tuple[list[_Entry], list[str]]:
    sheet = imports.read(data, columns=COLUMNS, others=True)
    faults = list(sheet.faults)
    entries: list[_Entry] = []
    for row in sheet.rows:
        if row["nation"] != "England" or row["local-authority-type"] not in KINDS:
            continue
        if _ended_before(row, programme.contract.starts_on):
            continue
        entry, found = _entry(row)
        faults += found
        if entry is not None:
            entries.append(entry)
    faults += _doubles(entries)
    codes = {row["local-authority-code"] for row in sheet.rows}
    faults += [
        Fault(entry.line, f"The successor “{imports.shortened(code)}” is not in the file")
        for entry in entries
        for code in entry.replaced_by
        if code not in codes
    ]
    if not entries and not faults:
        faults = [Fault(1, "The file holds no council of England that runs children's services")]
    if faults:
        raise FileFaults(faults, sheet.notes)
    return entries, sheet.notes


def _ended_before(row: Row, day: date) -> bool:
    """Councils that went long ago are passed over first: the register leaves cells of theirs empty."""
    try:
        return bool(row["end-date"]) and imports.read_date(row["end-date"]) < day
    except ValueError:
        return False


def _entry(row: Row) -> tuple[_Entry | None, list[Fault]]:
    faults = [
        Fault(row.line, message)
        for wrong, message in (
            (
                not _GSS.fullmatch(row["gss-code"]),
                f"“{imports.shortened(row['gss-code'])}” is not a gss code",
            ),
            (not 0 < len(row["local-authority-code"]) <= 10, "The short code is missing or too long"),
            (not 0 < len(row["official-name"]) <= 120, "The name is missing or longer than 120 characters"),
            (not 0 < len(row["nice-name"]) <= 80, "The short name is missing or longer than 80 characters"),
            (not 0 < len(row["region"]) <= 40, "The region is missing or longer than 40 characters"),
            (
                any(imports.has_control_characters(cell) for cell in row.cells.values()),
                "A cell holds a line break",
            ),
        )
        if wrong
    ]
    days: list[date | None] = []
    for column in ("start-date", "end-date"):
        try:
            days.append(imports.read_date(row[column]) if row[column] else None)
        except ValueError as problem:
            faults.append(Fault(row.line, f"{column}: {problem}"))
            days.append(None)
    starts_on, ends_on = days
    if starts_on and ends_on and ends_on < starts_on:
        faults.append(Fault(row.line, "The council ends before it starts"))
    if faults:
        return None, faults
    entry = _Entry(
        line=row.line,
        gss=row["gss-code"],
        code=row["local-authority-code"],
        name=row["official-name"],
        short_name=row["nice-name"],
        kind=KINDS[row["local-authority-type"]],
        region=row["region"],
        starts_on=starts_on,
        ends_on=ends_on,
        replaced_by=[code.strip() for code in row["replaced-by"].split(",") if code.strip()],
    )
    return entry, []


def _doubles(entries: list[_Entry]) -> list[Fault]:
    faults = []
    for attribute, words in (("gss", "gss code"), ("code", "short code")):
        first: dict[str, int] = {}
        for entry in entries:
            value = getattr(entry, attribute)
            if value in first:
                faults.append(
                    Fault(entry.line, f"The {words} “{value}” stands in line {first[value]} already")
                )
            first.setdefault(value, entry.line)
    return faults
