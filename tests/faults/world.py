"""A programme that is written straight into an instance: leaders with held sessions to give feedback on, mentors with
hours, a group; all signed in already."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.orm import Session as DbSession

from portal.groups import sessions
from portal.models import (
    Attendance,
    AttendanceState,
    Hours,
    Level,
    Office,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.references import new_reference
from privacy.columns import AddressKeys
from privacy.records import Record, new_id
from privacy.work import unit_of_work
from surveys.models import Respondent
from surveys.versions import publish_shipped
from tests.cleared import needed
from tests.conftest import Stack
from tests.pages_client import signed_in

WORKING_HOURS = [[540, 720], [780, 1020]]
SUPPORT_BEGAN = date(2023, 2, 1)
TEN = datetime(2023, 3, 10, 10, 0, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Somebody:
    """A person with the cookie of a browser in which they gave every proof."""

    id: UUID
    cookie: str


@dataclass(frozen=True)
class Leader(Somebody):
    """Somebody with one-to-one support; `held` are the sessions on which they can give feedback."""

    participation_id: UUID
    package_id: UUID
    mentor_id: UUID
    held: list[UUID]

    def feedback(self, session_id: UUID) -> str:
        """Where the questions on a session stand."""
        return f"/questionnaires/{self.participation_id}/feedback/{session_id}"

    @property
    def times(self) -> str:
        return f"/packages/{self.package_id}/times"


@dataclass
class World:
    """What was written, by id."""

    stack: Stack
    leaders: list[Leader] = field(default_factory=list)
    members: list[Somebody] = field(default_factory=list)
    group_id: UUID = field(default_factory=new_id)
    group_mentor_id: UUID = field(default_factory=new_id)

    def db(self) -> DbSession:
        """A session of the database, outside of any server."""
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def signs_in(self, person_id: UUID) -> str:
        """A new browser of somebody; returns its cookie."""
        row, cookie = signed_in(person_id, level=Level.PROOF, now=self.stack.clock())
        with self.db() as db:
            db.add(row)
            db.commit()
        return cookie

    def workshop(self, *, capacity: int, days: int = 0) -> UUID:
        """A session of the group, so many days after the tenth; nobody has a place yet."""
        with self.db() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            return sessions.schedule(
                work,
                self.stack.instance.programme,
                package_id=self.group_id,
                session_id=uuid4(),
                mentor_id=self.group_mentor_id,
                kind=SessionKind.WORKSHOP,
                title="Reading the data",
                starts_at=TEN + timedelta(days=days),
                minutes=60,
                capacity=capacity,
                place=Place.REMOTE,
            ).id


def fill(stack: Stack, *, leaders: int, held: int, members: int = 0, leaders_of_mentor: int = 2) -> World:
    """Write leaders, each with so many held sessions and a mentor for every two or so, and a group of members."""
    world = World(stack)
    with world.db() as db:
        publish_shipped(db, stack.clock)
        _Writer(world, db).write(leaders, held, members, leaders_of_mentor)
    return world


class _Writer:
    """Collects rows and adds them together, so that the holders' keys are made together too."""

    def __init__(self, world: World, db: DbSession) -> None:
        self.world, self.db = world, db
        self.clock = world.stack.clock
        self.rows: list[Record] = []

    def write(self, leaders: int, held: int, members: int, leaders_of_mentor: int) -> None:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            self.work = work
            mentors = [self._mentor() for _ in range(-(-leaders // leaders_of_mentor))]
            for number in range(leaders):
                self.world.leaders.append(self._leader(mentors[number // leaders_of_mentor], held, number))
            if members:
                self._group(members)
            work.db.add_all(self.rows)

    def _add(self, *rows: Record) -> None:
        self.rows.extend(rows)

    def _person(self, role: Role) -> UUID:
        number = next(_numbers)
        address = f"fault{number}@council.example"
        person = Person(
            id=new_id(),
            ref=new_reference("P"),
            created_at=self.work.now,
            mailbox_shared=False,
            passkey_offered_at=self.work.now,
        )
        person.name, person.email = f"Person {number}", address
        person.email_index = AddressKeys(self.db).index(address)
        office = Office(id=new_id(), person_id=person.id, role=role, from_on=SUPPORT_BEGAN)
        self._add(person, office, *needed(self.work, person.id, role))
        return person.id

    def _cookie(self, person_id: UUID) -> str:
        row, cookie = signed_in(person_id, level=Level.PROOF, now=self.work.now)
        self._add(row)
        return cookie

    def _mentor(self) -> UUID:
        mentor_id = self._person(Role.MENTOR)
        self._add(
            *(Hours(id=new_id(), person_id=mentor_id, weekday=day, spans=WORKING_HOURS) for day in range(5))
        )
        return mentor_id

    def _package(self, package_id: UUID, strand: Strand, mentor_id: UUID) -> None:
        package = Package(
            id=package_id,
            ref=new_reference("K"),
            strand=strand,
            state=PackageState.ACTIVE,
            starts_on=SUPPORT_BEGAN,
            planned_minutes=self.world.stack.instance.programme.minimum_minutes,
            created_at=self.work.now,
            baseline_waived_at=self.work.now,
        )
        serving = PackageMentor(
            id=new_id(), package_id=package_id, person_id=mentor_id, from_on=SUPPORT_BEGAN
        )
        self._add(package, serving)

    def _join(self, package_id: UUID, person_id: UUID, role: Role) -> UUID:
        part = Participation(
            id=new_id(), package_id=package_id, person_id=person_id, role=role, from_on=SUPPORT_BEGAN
        )
        self._add(Respondent(id=part.id, audience=role.value), part)
        return part.id

    def _leader(self, mentor_id: UUID, held: int, number: int) -> Leader:
        person_id, package_id = self._person(Role.LEAD_MEMBER), new_id()
        self._package(package_id, Strand.ONE_TO_ONE, mentor_id)
        part_id = self._join(package_id, person_id, Role.LEAD_MEMBER)
        sessions_held = [
            self._held(package_id, mentor_id, part_id, person_id, hours=2 * (one + 1)) for one in range(held)
        ]
        return Leader(person_id, self._cookie(person_id), part_id, package_id, mentor_id, sessions_held)

    def _held(self, package_id: UUID, mentor_id: UUID, part_id: UUID, person_id: UUID, *, hours: int) -> UUID:
        """A session some hours ago that took place: its feedback is open."""
        starts_at = self.work.now - timedelta(hours=hours)
        session = Session(
            id=new_id(),
            package_id=package_id,
            mentor_id=mentor_id,
            kind=SessionKind.ONE_TO_ONE,
            state=SessionState.HELD,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            place=Place.REMOTE,
            delivered_minutes=60,
            uid=str(uuid4()),
            sequence=0,
            created_at=self.work.now,
            by="system:test",
        )
        seat = Attendance(
            id=new_id(),
            session_id=session.id,
            person_id=person_id,
            participation_id=part_id,
            state=AttendanceState.ATTENDED,
            booked_at=self.work.now,
            by="system:test",
        )
        self._add(session, seat)
        return session.id

    def _group(self, members: int) -> None:
        mentor_id = self.world.group_mentor_id = self._mentor()
        self._package(self.world.group_id, Strand.GROUP, mentor_id)
        for _ in range(members):
            person_id = self._person(Role.COMMITTEE_MEMBER)
            self._join(self.world.group_id, person_id, Role.COMMITTEE_MEMBER)
            self.world.members.append(Somebody(person_id, self._cookie(person_id)))
