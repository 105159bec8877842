"""Arranges the world for tests, in few words, committed, with plain fictional names."""

from datetime import date, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.models import (
    Council,
    CouncilKind,
    Hours,
    Office,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Role,
    Strand,
)
from portal.programme import Programme
from portal.references import new_reference
from privacy.clock import Clock, london_date
from privacy.columns import AddressKeys
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys.models import Respondent
from tests.cleared import needed

_numbers = count(1)


class Factory:
    """Each method makes one thing and returns it; what is not said is made up."""

    def __init__(self, db: DbSession, clock: Clock, programme: Programme) -> None:
        self.db = db
        self.clock = clock
        self.programme = programme

    @property
    def today(self) -> date:
        return london_date(self.clock())

    def council(self, name: str = "", *, region: str = "North West") -> Council:
        number = next(_numbers)
        council = Council(
            id=new_id(),
            gss=f"E99{number:06d}",
            code=f"X{number}",
            name=f"{name or f'Northshire {number}'} Council",
            short_name=name or f"Northshire {number}",
            kind=CouncilKind.COUNTY,
            region=region,
            replaced_by=[],
        )
        with unit_of_work(self.db, self.clock, "system:test") as work:
            work.db.add(council)
        return council

    def person(
        self,
        name: str = "",
        *,
        role: Role = Role.LEAD_MEMBER,
        council: Council | None = None,
        email: str = "",
        cleared: bool = True,
    ) -> Person:
        """Those who mentor or are staff have what they need for it, unless `cleared` is false."""
        number = next(_numbers)
        address = email or f"person{number}@council.example"
        person = Person(id=new_id(), ref=new_reference("P"), created_at=self.clock())
        # They have signed in before: nothing is asked or offered on the way in.
        person.mailbox_shared, person.passkey_offered_at = False, self.clock()
        council_id: UUID | None = council.id if council is not None else None
        with unit_of_work(self.db, self.clock, "system:test") as work:
            # Not "Person 7": a count of rows, such as `"person":7`, would be taken for somebody's name.
            person.name = name or f"Personage {number}"
            person.email = address
            person.email_index = AddressKeys(work.db).index(address)
            work.db.add(person)
            work.db.add(
                Office(
                    id=new_id(),
                    person_id=person.id,
                    council_id=council_id,
                    role=role,
                    from_on=self.today - timedelta(days=300),
                    # An audit is for a bounded time.
                    to_on=self.today + timedelta(days=300) if role is Role.AUDITOR else None,
                )
            )
            work.db.add_all(needed(work, person.id, role) if cleared else ())
        return person

    def mentor(self, name: str = "", *, open_all_week: bool = True) -> Person:
        person = self.person(name, role=Role.MENTOR)
        if open_all_week:
            with unit_of_work(self.db, self.clock, "system:test") as work:
                for weekday in range(5):
                    work.db.add(
                        Hours(
                            id=new_id(), person_id=person.id, weekday=weekday, spans=[[540, 720], [780, 1020]]
                        )
                    )
        return person

    def package(
        self,
        *people: Person,
        mentor: Person | None = None,
        strand: Strand = Strand.ONE_TO_ONE,
        state: PackageState = PackageState.ACTIVE,
        council: Council | None = None,
        role: Role | None = None,
        starts_on: date | None = None,
        ends_on: date | None = None,
        title: str | None = None,
    ) -> Package:
        """A package with these people in it; their roles are those of their offices."""
        starts = starts_on or self.today
        package = Package(
            id=new_id(),
            ref=new_reference("K"),
            strand=strand,
            state=state,
            council_id=council.id if council is not None else None,
            starts_on=starts,
            ends_on=ends_on,
            planned_minutes=self.programme.minimum_minutes,
            created_at=self.clock(),
        )
        ids = [(person.id, role or person.offices[0].role) for person in people]
        mentor_id = mentor.id if mentor is not None else None
        with unit_of_work(self.db, self.clock, "system:test") as work:
            package.title = title
            work.db.add(package)
            for person_id, held in ids:
                respondent = Respondent(id=new_id(), audience=held.value)
                work.db.add(respondent)
                work.db.flush()
                work.db.add(
                    Participation(
                        id=respondent.id,
                        package_id=package.id,
                        person_id=person_id,
                        role=held,
                        from_on=starts,
                    )
                )
            if mentor_id is not None:
                work.db.add(
                    PackageMentor(id=new_id(), package_id=package.id, person_id=mentor_id, from_on=starts)
                )
        return package
