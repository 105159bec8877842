"""Who may do what with whose account, and offices that would be a conflict of interest."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.imports import FileFaults
from portal.models import PARTICIPANT, Council, Office, Person, Role, Strand
from portal.packages import members as matching
from portal.packages.members import ConflictOfInterest
from portal.people import file as people_file
from portal.people import register as people
from portal.people.register import AdministratorsOnly, OfficeConflicts, RoleHeldAlready, RoleNotGiven
from portal.programme import Programme
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

TODAY = date(2023, 3, 1)
STAFF = (Role.TEAM, Role.DPO, Role.OBSERVER, Role.AUDITOR, Role.ADMINISTRATOR)
OTHERS = (Role.LEAD_MEMBER, Role.CHIEF_EXECUTIVE, Role.MENTOR)


def change(work: Work, person: Person) -> None:
    people.change(work, person_id=person.id, name="Taken Over", email=f"{person.id}@x.example", phone=None)


def add_office(work: Work, person: Person) -> None:
    people.add_office(
        work,
        person_id=person.id,
        role=Role.MENTOR,
        council_id=None,
        starts_on=date(2020, 1, 1),
        ends_on=date(2020, 2, 1),
    )


def end_office(work: Work, person: Person) -> None:
    people.end_office(work, person_id=person.id, office_id=person.offices[0].id, on=TODAY)


def close(work: Work, person: Person) -> None:
    people.disable(work, person_id=person.id)


def open_again(work: Work, person: Person) -> None:
    people.enable(work, person_id=person.id)


ACTS = (change, add_office, end_office, close, open_again)
Do = Callable[..., Any]


@pytest.fixture
def do(db: DbSession, clock: SetClock, make: Factory) -> Do:
    """Does something as the command line or as a person of a role."""

    def run(who: Role | None, rule: Callable[..., Any], *arguments: Any, **facts: Any) -> Any:
        actor = "system:command" if who is None else f"person:{make.person(role=who).id}"
        with unit_of_work(db, clock, actor) as work:
            return rule(work, *arguments, **facts)

    return run


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("held", STAFF)
def test_accounts_of_staff_are_left_to_administrators(make: Factory, do: Do, held: Role, act: Do) -> None:
    person = make.person(role=held)
    before = person.email
    for who in (Role.TEAM, Role.DPO, Role.MENTOR):
        with pytest.raises(AdministratorsOnly):
            do(who, act, person)
    assert person.email == before
    do(Role.ADMINISTRATOR, act, person)
    do(None, act, make.person(role=held))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("held", OTHERS)
def test_accounts_of_participants_and_mentors_are_the_teams(
    make: Factory, do: Do, held: Role, act: Do
) -> None:
    do(Role.TEAM, act, make.person(role=held, council=make.council()))


@pytest.mark.parametrize("from_on, to_on, theirs", [(30, None, False), (-30, -1, True), (-30, 0, False)])
def test_staff_is_who_is_or_will_be(
    db: DbSession, make: Factory, do: Do, from_on: int, to_on: int | None, theirs: bool
) -> None:
    person = make.person(role=Role.MENTOR)
    office = Office(
        id=new_id(),
        person_id=person.id,
        role=Role.DPO,
        from_on=TODAY + timedelta(days=from_on),
        to_on=None if to_on is None else TODAY + timedelta(days=to_on),
    )
    do(None, lambda work: work.db.add(office))
    db.refresh(person)
    if theirs:
        do(Role.TEAM, change, person)
    else:
        with pytest.raises(AdministratorsOnly):
            do(Role.TEAM, change, person)
    with pytest.raises(AdministratorsOnly):
        # A past office made to run again would be a new one.
        do(Role.TEAM, people.end_office, person_id=person.id, office_id=office.id, on=date(2024, 1, 1))


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ASSISTANT])
def test_each_gives_the_roles_that_are_theirs_to_give(make: Factory, do: Do, role: Role) -> None:
    council = make.council().id if role in PARTICIPANT else None
    facts = {"name": "New Body", "role": role, "council_id": council, "starts_on": TODAY}
    facts |= {"ends_on": TODAY + timedelta(days=90)} if role is Role.AUDITOR else {}
    given = {
        Role.TEAM: role in OTHERS or role in PARTICIPANT,
        Role.ADMINISTRATOR: role in {*STAFF, Role.MENTOR} - {Role.ADMINISTRATOR},
        Role.DPO: False,
        None: role is not Role.ADMINISTRATOR,
    }
    for number, (who, allowed) in enumerate(given.items()):
        if allowed:
            assert do(who, people.add, email=f"n{number}@x.example", **facts)
        else:
            with pytest.raises(RoleNotGiven):
                do(who, people.add, email=f"n{number}@x.example", **facts)


@pytest.mark.parametrize("who, taken", [(Role.TEAM, False), (None, True)])
def test_a_file_gives_no_more_than_its_sender_may(
    make: Factory, do: Do, programme: Programme, who: Role | None, taken: bool
) -> None:
    council = make.council("Northshire")
    make.person("Dee Pio", role=Role.DPO, email="dpo@x.example")
    for row, said in (
        ("New Body,new@x.example,auditor,,2023-01-01,2023-06-30", "is not a role"),
        ("Dee Pio,dpo@x.example,mentor,,2023-01-01,", "Only an administrator"),
        (f"Dee Pio,dpo@x.example,lead_member,{council.name},2023-01-01,", "Only an administrator"),
    ):
        data = f"name,email,role,council,starts_on,ends_on\n{row}\n".encode()
        if taken:
            assert do(who, people_file.import_file, programme, data).offices == 1
        else:
            with pytest.raises(FileFaults) as raised:
                do(who, people_file.import_file, programme, data)
            assert said in raised.value.faults[0].message


def test_one_does_not_close_ones_own_account(db: DbSession, clock: SetClock, make: Factory) -> None:
    person = make.person(role=Role.ADMINISTRATOR)
    with pytest.raises(AdministratorsOnly), unit_of_work(db, clock, f"person:{person.id}") as work:
        people.disable(work, person_id=person.id)


# ---- offices that would be a conflict of interest (annex 2)


class Support:
    """A mentor, a council and a package there; a national group with a member from another council."""

    def __init__(self, make: Factory) -> None:
        self.council, self.other, self.third = (make.council() for _ in range(3))
        self.mentor = make.mentor("Men Tor")
        make.package(make.person(council=self.council), mentor=self.mentor, council=self.council)
        self.guide = make.mentor("Gui De")
        self.member = make.person("Mem Ber", council=self.other)
        self.group = make.package(self.member, mentor=self.guide, strand=Strand.GROUP).id


def office(do: Do, person: Person, council: Any) -> None:
    facts = {"role": Role.SCRUTINY_CHAIR, "council_id": council.id, "starts_on": date(2022, 1, 1)}
    do(None, people.add_office, person_id=person.id, **facts)


def test_a_mentor_gets_no_office_in_a_council_they_support(make: Factory, do: Do) -> None:
    support = Support(make)
    with pytest.raises(OfficeConflicts, match="annex 2"):
        office(do, support.mentor, support.council)
    with pytest.raises(OfficeConflicts):
        office(do, support.guide, support.other)
    office(do, support.mentor, support.other)
    office(do, support.guide, support.third)
    with pytest.raises(OfficeConflicts):
        # The other way round: the member of a national group, where the mentor has an office.
        office(do, support.member, support.third)


def test_nor_by_a_file(make: Factory, do: Do, programme: Programme) -> None:
    support = Support(make)
    row = f"Men Tor,{support.mentor.email},lead_member,{{}},2022-01-01,"
    head = "name,email,role,council,starts_on,ends_on\n"
    with pytest.raises(FileFaults) as raised:
        do(Role.TEAM, people_file.import_file, programme, (head + row.format(support.council.name)).encode())
    assert (raised.value.faults[0].line, "annex 2" in raised.value.faults[0].message) == (2, True)
    assert do(Role.TEAM, people_file.import_file, programme, (head + row.format(support.other.name)).encode())


def test_nor_does_an_office_that_ended_get_longer(make: Factory, do: Do, programme: Programme) -> None:
    support = Support(make)
    past = past_office(make, support.mentor, support.council)
    ending = {"person_id": support.mentor.id, "office_id": past.id}
    with pytest.raises(OfficeConflicts, match="annex 2"):
        do(Role.TEAM, people.end_office, **ending, on=date(2030, 1, 1))
    with pytest.raises(FileFaults) as raised:
        do(Role.TEAM, people_file.import_file, programme, until(past, date(2030, 1, 1)))
    assert (raised.value.faults[0].line, "annex 2" in raised.value.faults[0].message) == (2, True)
    do(Role.TEAM, people.end_office, **ending, on=date(2010, 6, 1))
    do(Role.TEAM, people_file.import_file, programme, until(past, date(2010, 5, 1)))
    make.db.rollback()
    assert make.db.get_one(Office, past.id).to_on == date(2010, 5, 1), "it can get shorter"


def test_an_office_gets_no_longer_than_to_the_next_one_of_the_same_kind(
    make: Factory, do: Do, programme: Programme
) -> None:
    council = make.council()
    person = make.person("Ada Lead", council=council)
    begins = person.offices[0].from_on
    past = past_office(make, person, council)
    ending = {"person_id": person.id, "office_id": past.id}
    with pytest.raises(RoleHeldAlready):
        do(Role.TEAM, people.end_office, **ending, on=begins)
    with pytest.raises(FileFaults, match="hold this role"):
        do(Role.TEAM, people_file.import_file, programme, until(past, begins))
    do(Role.TEAM, people.end_office, **ending, on=begins - timedelta(days=1))


def past_office(make: Factory, person: Person, council: Council) -> Office:
    """Somebody led a council for a year, long ago."""
    with unit_of_work(make.db, make.clock, "system:test") as work:
        office = Office(
            id=new_id(),
            person_id=person.id,
            council_id=council.id,
            role=Role.LEAD_MEMBER,
            from_on=date(2010, 1, 1),
            to_on=date(2010, 12, 31),
        )
        work.db.add(office)
    return office


def until(office: Office, last_day: date) -> bytes:
    """A file that gives an office in a council its last day."""
    assert office.council is not None
    facts = (office.person.name, office.person.email, office.role, office.council.name, office.from_on)
    head = "name,email,role,council,starts_on,ends_on"
    return f"{head}\n{','.join(map(str, facts))},{last_day}\n".encode()


def test_the_day_after_they_are_taken_off_they_can(make: Factory, do: Do, clock: SetClock) -> None:
    support = Support(make)
    do(None, matching.unassign_mentor, package_id=support.group, person_id=support.guide.id)
    with pytest.raises(OfficeConflicts):
        office(do, support.guide, support.other)
    clock.pass_time(days=1)
    office(do, support.guide, support.other)


def test_nobody_joins_a_group_whose_mentor_has_an_office_in_their_council(make: Factory, do: Do) -> None:
    support = Support(make)
    office(do, support.guide, support.third)
    joins = make.person(council=support.third)
    with pytest.raises(ConflictOfInterest, match="annex 2"):
        do(
            None,
            matching.add_member,
            package_id=support.group,
            person_id=joins.id,
            role=Role.LEAD_MEMBER,
            from_on=TODAY,
        )
