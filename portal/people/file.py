"""A file of people and their offices: `name,email,role,council,starts_on,ends_on`, one office a row.

Taken whole or not at all. Somebody who is known by their address gets the new office; a row that is known
changes nothing, or sets the last day where the file says one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal import imports
from portal.councils.register import Finder, UnknownCouncil
from portal.filters import count
from portal.imports import Fault, FileFaults, Row
from portal.models import PARTICIPANT, Council, Office, Person, Role
from portal.packages import members as matching
from portal.people import alone
from portal.people import register as people
from portal.people.register import Authority, PersonRefused, audit_fault, is_address, name_fault, overlap
from portal.programme import Programme
from portal.references import new_reference
from privacy.audit import Action
from privacy.clock import day_words, london_date
from privacy.columns import AddressKeys, normal_address
from privacy.constraints import violated
from privacy.progress import Progress, untold
from privacy.records import Record, new_id
from privacy.work import Work

COLUMNS = ("name", "email", "role", "council", "starts_on", "ends_on")
AT_ONCE = 5000
NOTES_AT_MOST = 5
"""How many lines are named that give a role beside somebody else."""
T = TypeVar("T")


@dataclass(frozen=True)
class Taken:
    """What an import did, or would do: new people, new offices, offices that got a last day."""

    people: int
    offices: int
    ended: int
    notes: list[str]


@dataclass(frozen=True)
class _Entry:
    line: int
    name: str
    email: str
    role: Role
    council_id: UUID | None
    starts_on: date
    ends_on: date | None

    @property
    def days(self) -> tuple[date, date | None]:
        return self.starts_on, self.ends_on

    @property
    def office(self) -> tuple[Role, UUID | None]:
        return self.role, self.council_id


@dataclass
class _Plan:
    """What is to be written: rows of new people by address index, new offices of known ones, last days."""

    fresh: dict[bytes, list[_Entry]]
    further: list[tuple[UUID, _Entry]]
    ended: list[tuple[Office, date, _Entry]]
    notes: list[str]

    def taken(self) -> Taken:
        offices = len(self.further) + sum(len(entries) for entries in self.fresh.values())
        return Taken(len(self.fresh), offices, len(self.ended), self.notes)


def check_file(db: DbSession, programme: Programme, data: bytes, *, actor: str, now: datetime) -> Taken:
    """What an import by this actor would do. Raises FileFaults with every fault; writes nothing."""
    by = people.authority(db, actor=actor, today=london_date(now))
    return _plan(db, programme, data, by).taken()


def import_file(work: Work, programme: Programme, data: bytes, *, tell: Progress = untold) -> Taken:
    """Add people and offices, as far as they are the actor's to give.

    Raises FileFaults with every fault; then nothing was written.
    """
    by = people.authority(work.db, actor=work.actor, today=london_date(work.now))
    plan = _plan(work.db, programme, data, by)
    for office, on, _ in plan.ended:
        people.set_last_day(work, office, on)
    refs = _free_references(work.db, len(plan.fresh))
    written = 0
    for group in _groups(list(plan.fresh.items())):
        made = [_person(work, index, entries[0], next(refs)) for index, entries in group]
        work.db.add_all(made)
        _flush(work, plan)
        offices = [
            (person.id, entry) for person, (_, entries) in zip(made, group, strict=True) for entry in entries
        ]
        work.db.add_all(_office(person_id, entry) for person_id, entry in offices)
        work.db.flush()
        work.db.expunge_all()
        written += len(group)
        tell(written, len(plan.fresh))
    work.db.add_all(_office(person_id, entry) for person_id, entry in plan.further)
    taken = plan.taken()
    if taken.offices:
        work.record(
            Action.PEOPLE_IMPORTED, object=f"import:{new_id()}", people=taken.people, offices=taken.offices
        )
    return taken


def _flush(work: Work, plan: _Plan) -> None:
    """Write a group; its data keys are made in one go."""
    try:
        work.db.flush()
    except IntegrityError as error:
        if violated(error, Record.metadata) != "uq_person_email_index":
            raise
        message = "Somebody added one of these people at the same moment. Send the file again"
        raise FileFaults([Fault(1, message)], plan.notes) from error


def _person(work: Work, index: bytes, entry: _Entry, ref: str) -> Person:
    person = Person(id=new_id(), ref=ref, email_index=index, created_at=work.now)
    person.name = entry.name
    person.email = entry.email
    return person


def _office(person_id: UUID, entry: _Entry) -> Office:
    return Office(
        id=new_id(),
        person_id=person_id,
        council_id=entry.council_id,
        role=entry.role,
        from_on=entry.starts_on,
        to_on=entry.ends_on,
    )


def _free_references(db: DbSession, count: int) -> Iterator[str]:
    """So many references that nobody has: in 100,000 of them two are the same more often than not."""
    taken = set(db.scalars(select(Person.ref))) if count else set()
    made = 0
    while made < count:
        ref = new_reference("P")
        if ref not in taken:
            taken.add(ref)
            made += 1
            yield ref


def _plan(db: DbSession, programme: Programme, data: bytes, by: Authority) -> _Plan:
    sheet = imports.read(data, columns=COLUMNS)
    finder = Finder(db.scalars(select(Council)).all())
    roles = {_folded(role.value): role for role in by.roles} | {
        _folded(programme.roles[role]): role for role in by.roles
    }
    faults = list(sheet.faults)
    entries: list[_Entry] = []
    for row in sheet.rows:
        entry, found = _entry(row, roles, finder)
        faults += found
        if entry is not None:
            entries.append(entry)
    by_address: dict[str, list[_Entry]] = {}
    for entry in entries:
        by_address.setdefault(normal_address(entry.email), []).append(entry)
    for group in by_address.values():
        faults += _at_odds(group)
    plan = _against_known(db, by_address, faults, sheet.notes, by)
    faults += _conflicts(db, plan, by)
    faults += _last_days(db, plan, by)
    if faults:
        raise FileFaults(faults, sheet.notes)
    plan.notes += _beside_others(db, programme, plan)
    return plan


def _entry(row: Row, roles: dict[str, Role], finder: Finder) -> tuple[_Entry | None, list[Fault]]:
    messages = []
    if fault := name_fault(row["name"]):
        messages.append(fault)
    if not is_address(row["email"]):
        messages.append(
            f"“{imports.shortened(row['email'])}” is not an e-mail address"
            if row["email"]
            else "The e-mail address is missing"
        )
    role = roles.get(_folded(row["role"]))
    if role is None:
        messages.append(f"“{imports.shortened(row['role'])}” is not a role that a file can give")
    starts_on, ends_on, wrong = _days(row)
    messages += wrong
    council_id = None
    if role is not None and starts_on is not None:
        try:
            council_id = _council(row["council"], role, finder, starts_on)
        except UnknownCouncil as problem:
            messages.append(str(problem))
        if fault := audit_fault(role, starts_on, ends_on):
            messages.append(fault)
    if messages or role is None or starts_on is None:
        return None, [Fault(row.line, message) for message in messages]
    return _Entry(row.line, row["name"], row["email"], role, council_id, starts_on, ends_on), []


def _days(row: Row) -> tuple[date | None, date | None, list[str]]:
    days: list[date | None] = []
    messages = []
    for column in ("starts_on", "ends_on"):
        try:
            days.append(imports.read_date(row[column]) if row[column] else None)
        except ValueError as problem:
            days.append(None)
            messages.append(f"{column}: {problem}")
    starts_on, ends_on = days
    if not row["starts_on"]:
        messages.append("starts_on is missing")
    if starts_on and ends_on and ends_on < starts_on:
        messages.append("The last day is before the first")
    return starts_on, ends_on, messages


def _council(text: str, role: Role, finder: Finder, day: date) -> UUID | None:
    if role not in PARTICIPANT:
        if text:
            raise UnknownCouncil("This role is held in the programme. Leave the council empty")
        return None
    if not text:
        raise UnknownCouncil("This role is held in a council. Name the council")
    return finder.find(text, on=day).id


def _at_odds(entries: Sequence[_Entry]) -> list[Fault]:
    """Faults of the rows with one address: another name, or the same office for the same days again."""
    first = entries[0]
    faults = [
        Fault(entry.line, f"The address stands in line {first.line} with another name")
        for entry in entries[1:]
        if _folded(entry.name) != _folded(first.name)
    ]
    for one, another in _in_the_same_days(entries):
        earlier, later = sorted((one.line, another.line))
        faults.append(Fault(later, f"The same role in the same days stands in line {earlier}"))
    return faults


def _against_known(
    db: DbSession, by_address: dict[str, list[_Entry]], faults: list[Fault], notes: list[str], by: Authority
) -> _Plan:
    keys = AddressKeys(db)
    indexed = [(keys.indexes(address), found) for address, found in by_address.items()]
    plan = _Plan({indexes[0]: found for indexes, found in indexed}, [], [], notes)
    # While addresses are indexed anew, somebody may still be found by the key of before.
    written = {index: indexes[0] for indexes, _ in indexed for index in indexes}
    for indexes in _groups(list(written)):
        known = db.scalars(
            select(Person).where(Person.email_index.in_(indexes)).options(selectinload(Person.offices))
        ).all()
        for person in known:
            if person.email_index is None:
                continue
            entries = plan.fresh.pop(written[person.email_index])
            if _folded(person.name or "") != _folded(entries[0].name):
                message = f"The address belongs to {person.ref}, who has another name here: {person.name}"
                faults.append(Fault(entries[0].line, message))
            for entry in entries:
                if _against_offices(person, entry, plan, faults) and not by.may_change(person):
                    message = f"{person.ref} has an account of staff. Only an administrator can change it"
                    faults.append(Fault(entry.line, message))
    return plan


def _conflicts(db: DbSession, plan: _Plan, by: Authority) -> list[Fault]:
    """Offices that would put a mentor into a council whose support they give (annex 2)."""
    if not plan.further:
        return []
    conflicts = matching.conflicts_of_office(db, on=by.today)
    return [
        Fault(entry.line, people.conflict_words(conflicts[person_id, entry.council_id]))
        for person_id, entry in plan.further
        if entry.council_id is not None and (person_id, entry.council_id) in conflicts
    ]


def _beside_others(db: DbSession, programme: Programme, plan: _Plan) -> list[str]:
    """Where a row gives a role that one person holds in a council, and somebody else holds it in these days."""
    people_of = [(None, entry) for entries in plan.fresh.values() for entry in entries]
    wanted = [
        (person_id, entry)
        for person_id, entry in [*people_of, *plan.further]
        if entry.role in alone.ALONE and entry.council_id is not None
    ]
    last_days = {office.id: on for office, on, _ in plan.ended}
    held_in: dict[tuple[Role, UUID | None], list[Office]] = {}
    for held in alone.held_in(db, {entry.council_id for _, entry in wanted if entry.council_id}):
        held_in.setdefault((held.role, held.council_id), []).append(held)
    found = []
    for person_id, entry in sorted(wanted, key=lambda one: one[1].line):
        for held in held_in.get(entry.office, ()):
            days = held.from_on, last_days.get(held.id, held.to_on)
            if held.person_id != person_id and overlap(days, entry.days):
                # Without a name: what is said once a file is taken goes through a cookie.
                who = f"{held.person.ref}, {alone.since(held)}"
                found.append(f"line {entry.line}: {alone.words(programme, held)} ({who})")
    found += _twice_in_the_file([entry for _, entry in wanted], programme)
    more = len(found) - NOTES_AT_MOST
    if more <= 0:
        return found
    rest = count(more, "more line gives a role", "more lines give a role")
    return [*found[:NOTES_AT_MOST], f"{rest} that somebody holds"]


def _twice_in_the_file(entries: Sequence[_Entry], programme: Programme) -> list[str]:
    return [
        f"line {later.line}: line {row.line} gives the same council a {programme.roles[later.role]} "
        "in the same days"
        for row, later in _in_the_same_days(entries, of_another=True)
    ]


def _in_the_same_days(
    entries: Sequence[_Entry], *, of_another: bool = False
) -> Iterator[tuple[_Entry, _Entry]]:
    """Rows that give an office in days in which one before them gives it too: that one, and the row. `of_another`: to
    somebody with another address, instead of the same."""
    last: dict[tuple[Role, UUID | None], dict[str, _Entry]] = {}
    for entry in sorted(entries, key=lambda one: (one.starts_on, one.line)):
        own = normal_address(entry.email)
        # Of each address the row that ends last: they come in the order of their first days.
        before = last.setdefault(entry.office, {})
        given = [row for address, row in before.items() if (address != own) is of_another]
        yield from [(row, entry) for row in given if overlap(row.days, entry.days)][:1]
        if own not in before or (before[own].ends_on or date.max) < (entry.ends_on or date.max):
            before[own] = entry


def _last_days(db: DbSession, plan: _Plan, by: Authority) -> list[Fault]:
    """Last days that an office of somebody known cannot have."""
    faults = []
    for office, on, entry in plan.ended:
        try:
            people.require_last_day(db, office, on, today=by.today)
        except PersonRefused as problem:
            faults.append(Fault(entry.line, str(problem)))
    return faults


def _against_offices(person: Person, entry: _Entry, plan: _Plan, faults: list[Fault]) -> bool:
    """Whether the row would change something of somebody who is known."""
    for held in person.offices:
        if (held.role, held.council_id) != entry.office:
            continue
        if held.from_on == entry.starts_on:
            changes = entry.ends_on is not None and entry.ends_on != held.to_on
            if changes and entry.ends_on is not None:
                plan.ended.append((held, entry.ends_on, entry))
            return changes
        if overlap((held.from_on, held.to_on), entry.days):
            days = f"since {day_words(held.from_on)}"
            faults.append(Fault(entry.line, f"{person.ref} holds this role already, {days}"))
            return False
    plan.further.append((person.id, entry))
    return True


def _groups(items: list[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("_", " ").replace("’", "'").split())
