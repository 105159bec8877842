"""A file of running support compared with what is known: what it adds, and every fault by line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal import imports
from portal.booking.availability import Interval
from portal.councils import facts as council_facts
from portal.councils.register import Finder, UnknownCouncil
from portal.imports import Fault, FileFaults
from portal.models import Council, Package, Person, Role, Session, SessionKind, SessionState, Strand
from portal.packages import members as matching
from portal.packages.members import OVER
from portal.packages.rows import COLUMNS, Gathered, Head, MemberRow, MentorRow, SessionRow, gather
from portal.packages.states import PackageRefused
from portal.programme import Period, Programme, contract_period
from privacy.clock import day_words, end_of_day, london_date
from privacy.columns import AddressKeys, keys_of, normal_address
from privacy.keys import KeyRing

Days = tuple[date, date | None]


@dataclass(frozen=True)
class Held:
    """A session that was held, with the people it is about."""

    row: SessionRow
    id: UUID
    mentor_id: UUID
    came: frozenset[UUID]

    @property
    def time(self) -> Interval:
        return Interval(self.row.starts_at, self.row.starts_at + timedelta(minutes=self.row.minutes))


@dataclass
class Planned:
    """One package: what is there, and what the file adds."""

    id: UUID
    head: Head
    council_id: UUID | None
    known: Package | None
    goals: list[str]
    members: list[tuple[MemberRow, UUID]] = field(default_factory=list)
    mentors: list[tuple[MentorRow, UUID]] = field(default_factory=list)
    sessions: list[Held] = field(default_factory=list)

    def planned_minutes(self, programme: Programme) -> int:
        return round(self.head.days * Decimal(programme.minutes_in_day))


def _id(ring: KeyRing, *parts: str) -> UUID:
    """An id that the same words always give, and that nobody can guess from the words without the keys.

    The key of the audit trail is the one that is never changed while the data is kept.
    """
    return UUID(bytes=ring.digest("audit", "packages.file|v1", *(part.encode() for part in parts))[:16])


class Reader:
    """Compares the file with what is known. Everything that it reads is read once for the whole file."""

    def __init__(self, db: DbSession, programme: Programme, now: datetime) -> None:
        self.db, self.programme, self.now = db, programme, now
        self.today = london_date(now)
        self.ring = keys_of(db).vault.ring
        self.address_keys = AddressKeys(db)
        self.period: Period = contract_period(db, programme, on=self.today)
        self.faults: list[Fault] = []
        self.people: dict[bytes, Person] = {}
        self.packages: dict[UUID, Package] = {}
        self.agreed: dict[UUID, bool] = {}
        self.sessions: set[UUID] = set()
        self.busy: dict[UUID, list[tuple[Interval, int | None]]] = {}

    def read(self, data: bytes) -> tuple[list[Planned], list[str]]:
        sheet = imports.read(data, columns=COLUMNS)
        gathered, faults = gather(sheet.rows, self.programme)
        self.faults = [*sheet.faults, *faults]
        self._load(gathered)
        finder = Finder(self.db.scalars(select(Council)).all())
        plan = [found for one in gathered if one.head and (found := self._package(one, one.head, finder))]
        if self.faults:
            raise FileFaults(self.faults, sheet.notes)
        return plan, sheet.notes

    def _load(self, gathered: Sequence[Gathered]) -> None:
        addresses = {
            normal_address(address)
            for one in gathered
            for address in (
                *(row.email for rows in (one.members, one.mentors, one.sessions) for row in rows),
                *(address for row in one.sessions for address in row.attended),
            )
        }
        indexes = [index for address in sorted(addresses) for index in self.address_keys.indexes(address)]
        people = self.db.scalars(
            select(Person).where(Person.email_index.in_(indexes)).options(selectinload(Person.offices))
        )
        self.people = {one.email_index: one for one in people if one.email_index is not None}
        ids = [_id(self.ring, "package", one.key.casefold()) for one in gathered]
        packages = self.db.scalars(
            select(Package)
            .where(Package.id.in_(ids))
            .options(
                selectinload(Package.participations),
                selectinload(Package.mentors),
                selectinload(Package.goals),
            )
        )
        self.packages = {one.id: one for one in packages}
        mentors = {person.id for person in self.people.values()}
        rows = self.db.execute(
            select(Session.id, Session.mentor_id, Session.starts_at, Session.ends_at, Session.state).where(
                Session.mentor_id.in_(mentors)
            )
        )
        for session_id, mentor_id, starts_at, ends_at, state in rows:
            self.sessions.add(session_id)
            if state is SessionState.CANCELLED:
                continue
            self.busy.setdefault(mentor_id, []).append((Interval(starts_at, ends_at), None))

    def _fault(self, line: int, message: str) -> None:
        self.faults.append(Fault(line, message))

    def _package(self, rows: Gathered, head: Head, finder: Finder) -> Planned | None:
        council_id = self._council(head, finder)
        package_id = _id(self.ring, "package", rows.key.casefold())
        known = self.packages.get(package_id)
        planned = Planned(package_id, head, council_id, known, list(dict.fromkeys(rows.goals)))
        self._check_head(planned)
        if known is not None:
            self._check_known(planned, known)
            planned.goals = [
                text for text in planned.goals if text not in {goal.text for goal in known.goals}
            ]
        elif not planned.goals:
            self._fault(head.line, "There is no goal. Goals are agreed at the outset of every package")
        everybody = self._members(rows, planned)
        serving = self._mentors(rows, planned, everybody)
        for row in rows.sessions:
            self._session(row, planned, everybody, serving)
        self._check_time(planned, rows)
        return planned

    def _council(self, head: Head, finder: Finder) -> UUID | None:
        if not head.council:
            if head.strand is Strand.ONE_TO_ONE:
                self._fault(head.line, "One-to-one support is in a council. Name the council")
            return None
        try:
            council = finder.find(head.council, on=head.starts_on)
        except UnknownCouncil as problem:
            self._fault(head.line, str(problem))
            return None
        if council.id not in self.agreed:
            agreement = council_facts.agreement(self.db, council.id, on=self.today)
            self.agreed[council.id] = agreement is not None
        if not self.agreed[council.id]:
            self._fault(
                head.line, f"Support of {council.name} is not agreed. Record the agreement first, on its page"
            )
        return council.id

    def _check_head(self, planned: Planned) -> None:
        head = planned.head
        if head.starts_on not in self.period:
            self._fault(head.line, "The package starts outside the contract")
        if head.ends_on is not None and (head.ends_on > self.today or head.ends_on not in self.period):
            self._fault(head.line, "The package ends in the future or outside the contract")
        one_to_one = head.strand is Strand.ONE_TO_ONE
        if one_to_one and planned.planned_minutes(self.programme) < self.programme.minimum_minutes:
            self._fault(head.line, f"One-to-one support has at least {self.programme.minimum_days} days")

    def _check_known(self, planned: Planned, known: Package) -> None:
        head = planned.head
        told = (planned.council_id, head.strand, head.starts_on, planned.planned_minutes(self.programme))
        if told != (known.council_id, known.strand, known.starts_on, known.planned_minutes):
            self._fault(head.line, f"This package was taken before, as {known.ref}, and is another there")
        if head.ends_on != known.ends_on:
            self._fault(
                head.line, f"Package {known.ref} ended on another day, or not yet. Change that on its page"
            )

    def _person(self, line: int, address: str) -> Person | None:
        # While addresses are indexed anew, somebody may still be found by the key of before.
        indexes = self.address_keys.indexes(address)
        person = next((self.people[index] for index in indexes if index in self.people), None)
        if person is None:
            self._fault(line, f"“{imports.shortened(address)}” is nobody we know. Add people first")
        return person

    def _members(self, rows: Gathered, planned: Planned) -> dict[UUID, Days]:
        """Who takes part from when to when, those who are known too; the new ones are planned."""
        head, known = planned.head, planned.known
        everybody: dict[UUID, Days] = {
            part.person_id: (part.from_on, part.to_on)
            for part in (known.participations if known is not None else ())
            if part.person_id is not None
        }
        told: set[UUID] = set()
        for row in rows.members:
            person, from_on = self._person(row.line, row.email), row.from_on or head.starts_on
            if person is None:
                continue
            if person.id in told:
                self._fault(row.line, "They are named as a member before")
            elif (
                from_on < head.starts_on
                or (row.to_on or self.today) < from_on
                or (row.to_on or from_on) > self.today
            ):
                self._fault(row.line, "Their days do not lie within those of the package")
            elif not _holds(person, row.role, planned.council_id, from_on):
                self._fault(
                    row.line, f"They do not hold this role here on {day_words(from_on)}. Add it first"
                )
            elif person.id not in everybody:
                planned.members.append((row, person.id))
                everybody[person.id] = (from_on, row.to_on)
            told.add(person.id)
        now_in = sum(to_on is None for _, to_on in everybody.values())
        if not everybody or (head.strand is Strand.ONE_TO_ONE and (len(everybody) > 1 or not now_in)):
            words = "needs one leader" if head.strand is Strand.ONE_TO_ONE else "has no member"
            self._fault(head.line, f"Package {rows.key} {words}")
        self._check_changes(planned, planned.members)
        return everybody

    def _check_changes(self, planned: Planned, added: Iterable[tuple[MemberRow | MentorRow, UUID]]) -> None:
        if planned.known is not None and planned.known.state in OVER:
            for row, _ in added:
                self._fault(row.line, f"Package {planned.known.ref} is over. Nobody joins it any more")

    def _mentors(self, rows: Gathered, planned: Planned, members: dict[UUID, Days]) -> dict[UUID, list[Days]]:
        """Who serves from when to when, those who are known too; the new ones are planned."""
        head, known = planned.head, planned.known
        serving: dict[UUID, list[Days]] = {}
        for one in known.mentors if known is not None else ():
            serving.setdefault(one.person_id, []).append((one.from_on, one.to_on))
        for row in rows.mentors:
            person, from_on = self._person(row.line, row.email), row.from_on or head.starts_on
            if person is None:
                continue
            days = (from_on, row.to_on or head.ends_on)
            if any(from_on == begun for begun, _ in serving.get(person.id, ())):
                continue
            if days[1] is not None and days[1] < from_on:
                self._fault(row.line, "The last day is before the first")
            elif not _holds(person, Role.MENTOR, None, from_on):
                self._fault(row.line, f"They are not a mentor on {day_words(from_on)}")
            elif message := self._conflict(planned, person.id, members, over=days[1] is not None):
                self._fault(row.line, message)
            else:
                planned.mentors.append((row, person.id))
                serving.setdefault(person.id, []).append(days)
        self._check_changes(planned, planned.mentors)
        return serving

    def _conflict(
        self,
        planned: Planned,
        person_id: UUID,
        members: dict[UUID, Days],
        *,
        over: bool,
    ) -> str | None:
        """What stops a mentor who is to go on from today; what is over is only told."""
        if over:
            return None
        try:
            matching.require_mentors(
                self.db,
                mentor_ids=[person_id],
                council_id=planned.council_id,
                member_ids=list(members),
                on=max(planned.head.starts_on, self.today),
                package_id=planned.id,
            )
        except PackageRefused as problem:
            return str(problem)
        return None

    def _session(
        self,
        row: SessionRow,
        planned: Planned,
        members: dict[UUID, Days],
        serving: dict[UUID, list[Days]],
    ) -> None:
        mentor = self._person(row.line, row.email)
        if mentor is None:
            return
        session_id = _id(self.ring, "session", str(planned.id), str(mentor.id), row.starts_at.isoformat())
        if session_id in self.sessions:
            return
        day = london_date(row.starts_at)
        here = {person_id for person_id, days in members.items() if _within(day, days)}
        came = here
        if row.attended:
            found = [self._person(row.line, address) for address in row.attended]
            came = {person.id for person in found if person is not None}
        held = Held(row, session_id, mentor.id, frozenset(came))
        message = self._wrong(held, planned.head)
        if not any(_within(day, days) for days in serving.get(mentor.id, ())):
            message = message or "The mentor does not serve the package on that day"
        if not came or not came <= here:
            message = message or "Who attended is no member of the package on that day"
        message = message or self._clash(held)
        if message:
            self._fault(row.line, message)
        else:
            self.busy.setdefault(mentor.id, []).append((held.time, row.line))
            planned.sessions.append(held)

    def _wrong(self, held: Held, head: Head) -> str | None:
        """What of a session does not fit the package or the calendar."""
        if held.time.ends_at > self.now:
            return "The session is still to come. Book it in the portal"
        if london_date(held.time.starts_at) < head.starts_on:
            return "The session lies before the package"
        if head.ends_on is not None and held.time.starts_at >= end_of_day(head.ends_on):
            return "The session lies after the end of the package"
        if (head.strand is Strand.ONE_TO_ONE) is not (held.row.kind is SessionKind.ONE_TO_ONE):
            return "The kind of session does not fit the kind of support"
        return None

    def _clash(self, held: Held) -> str | None:
        """The other session that the mentor has then, in the portal or in the file."""
        for other, line in self.busy.get(held.mentor_id, ()):
            if held.time.starts_at < other.ends_at and other.starts_at < held.time.ends_at:
                where = f"in line {line}" if line is not None else "in the portal"
                return f"The mentor has another session at that time, {where}"
        return None

    def _check_time(self, planned: Planned, rows: Gathered) -> None:
        """Support that is over had the minimum, or a reason (sch 4 SLAs)."""
        head = planned.head
        if planned.known is not None or head.ends_on is None or head.strand is not Strand.ONE_TO_ONE:
            return
        delivered = sum(row.minutes for row in rows.sessions)
        if delivered < self.programme.minimum_minutes and not head.reason:
            self._fault(
                head.line, f"It ended with less than {self.programme.minimum_days} days. Say why in the text"
            )


def _holds(person: Person, role: Role, council_id: UUID | None, day: date) -> bool:
    return any(
        office.role is role
        and office.held_on(day)
        and (council_id is None or office.council_id == council_id)
        for office in person.offices
    )


def _within(day: date, days: Days) -> bool:
    return days[0] <= day and (days[1] is None or day <= days[1])
