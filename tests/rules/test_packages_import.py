"""A file of running support: whole or not at all, every fault by its line, and the same file again does nothing."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.councils import allocations
from portal.councils.facts import Agreement
from portal.imports import FileFaults
from portal.models import (
    Attendance,
    AttendanceState,
    Council,
    Goal,
    Ground,
    Mail,
    Package,
    PackageState,
    Role,
    Session,
    SessionState,
    Strand,
)
from portal.packages import file as packages_file
from portal.packages import ledger
from portal.packages.file import Taken
from portal.packages.rows import COLUMNS
from portal.programme import Programme
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

HEAD = ",".join(COLUMNS)
FILE = f"""{HEAD}
A1,package,Northshire,one_to_one,,,,2022-09-01,,5,,,,,,
A1,goal,,,,,,,,,,,,,,Read the data well
A1,member,,,,lea@council.example,lead_member,,,,,,,,,
A1,mentor,,,,men@mentors.example,,,,,,,,,,
A1,session,,,,men@mentors.example,,2022-09-10,,,10:00,120,one_to_one,remote,,
A1,session,,,,men@mentors.example,,17/09/2022,,,14:30,90,one_to_one,in_person,,
B2,package,Northshire,group,Scrutiny,,,2022-05-10,2022-12-20,2,,,,,,
B2,goal,,,,,,,,,,,,,,Ask better questions
B2,member,,,,lea@council.example,lead_member,,,,,,,,,
B2,member,,,,sue@council.example,Chair of scrutiny,,2022-10-01,,,,,,,
B2,mentor,,,,men@mentors.example,,,,,,,,,,
B2,session,,,Workshop one,men@mentors.example,,2022-06-01,,,09:00,180,workshop,hybrid,sue@council.example,
B2,session,,,Workshop two,men@mentors.example,,2022-11-01,,,09:00,180,workshop,remote,,
"""
TAKEN = Taken(packages=2, members=3, mentors=2, sessions=4, notes=[])


@pytest.fixture(autouse=True)
def council(make: Factory, db: DbSession, clock: SetClock) -> Council:
    """An agreed council with people in office."""
    made = make.council("Northshire")
    make.person("Lea Der", council=made, email="lea@council.example")
    make.person("Sue Chair", council=made, role=Role.SCRUTINY_CHAIR, email="sue@council.example")
    mentor = make.person("Men Tor", role=Role.MENTOR, email="men@mentors.example")
    assert mentor.email
    agreed = Agreement(date(2022, 1, 1), "Dee Partment", Ground.DECLINE, "Report")
    with unit_of_work(db, clock, "system:test") as work:
        allocations.agree(work, council_id=made.id, agreed=agreed)
    return made


def take(db: DbSession, clock: SetClock, programme: Programme, text: str) -> Taken:
    with unit_of_work(db, clock, "person:team") as work:
        return packages_file.import_file(work, programme, text.encode())


def faults(db: DbSession, clock: SetClock, programme: Programme, text: str) -> list[str]:
    with pytest.raises(FileFaults) as refused:
        take(db, clock, programme, text)
    return [str(fault) for fault in refused.value.faults]


def rows(db: DbSession) -> dict[str, int]:
    db.rollback()
    return {
        table.__tablename__: db.scalar(select(func.count()).select_from(table)) or 0
        for table in (Package, Session, Attendance, Goal, Mail)
    }


def test_running_support_is_taken_and_the_same_file_again_does_nothing(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    checked = packages_file.check_file(db, programme, FILE.encode(), now=clock())
    assert checked == TAKEN
    assert rows(db)["package"] == 0, "a dry run writes nothing"
    assert take(db, clock, programme, FILE) == TAKEN
    one, group = (
        db.scalars(select(Package).where(Package.strand == strand)).one()
        for strand in (Strand.ONE_TO_ONE, Strand.GROUP)
    )
    assert (one.state, one.starts_on, one.planned_minutes) == (PackageState.ACTIVE, date(2022, 9, 1), 2100)
    assert (group.state, group.ends_on, group.title) == (PackageState.ENDED, date(2022, 12, 20), "Scrutiny")
    assert ledger.ledger(db, programme, one.id).delivered == 210
    assert [goal.text for goal in one.goals] == ["Read the data well"]
    assert {(part.person.name, part.to_on) for part in group.participations if part.person} == {
        ("Lea Der", None),
        ("Sue Chair", date(2022, 10, 1)),
    }
    came = {
        (seat.session.title, seat.person.name)
        for seat in db.scalars(select(Attendance).join(Session).where(Session.package_id == group.id))
    }
    assert came == {("Workshop one", "Sue Chair"), ("Workshop two", "Lea Der")}, "who had left came no more"
    assert set(db.scalars(select(Session.state))) == {SessionState.HELD}
    assert set(db.scalars(select(Attendance.state))) == {AttendanceState.ATTENDED}
    before = rows(db)
    assert before["mail"] == 0
    assert take(db, clock, programme, FILE) == Taken(0, 0, 0, 0, [])
    assert rows(db) == before
    longer = FILE + "A1,session,,,,men@mentors.example,,2022-10-01,,,10:00,60,one_to_one,remote,,\n"
    assert take(db, clock, programme, longer) == Taken(0, 0, 0, 1, [])


def test_every_fault_is_told_by_its_line_and_nothing_is_taken(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    wrong = f"""{HEAD}
A1,package,Northshore,one_to_one,,,,2022-09-01,,5,,,,,,
A1,member,,,,nobody@council.example,lead_member,,,,,,,,,
A1,mentor,,,,lea@council.example,,,,,,,,,,
A1,session,,,,men@mentors.example,,2022-09-10,,,25:00,120,one_to_one,remote,,
A1,session,,,,men@mentors.example,,2023-09-10,,,10:00,120,one_to_one,remote,,
A1,session,,,,men@mentors.example,,2022-09-10,,,10:00,121,one_to_one,remote,,
A1,meeting,,,,,,,,,,,,,,
,goal,,,,,,,,,,,,,,Text
C3,goal,,,,,,,,,,,,,,Alone
B2,package,Northshire,group,,,,2020-01-01,,2,,,,,,
B2,goal,,,,,,,,,,,,,,Ask
B2,member,,,,lea@council.example,council_leader,,,,,,,,,
D4,package,Northshire,one_to_one,,,,2022-02-01,2022-03-01,5,,,,,,
D4,goal,,,,,,,,,,,,,,Ask
D4,member,,,,lea@council.example,lead_member,,,,,,,,,
"""
    told = faults(db, clock, programme, wrong)
    for begins in (
        "line 2: “Northshore” is not a council we know. Is it Northshire",
        "line 2: There is no goal",
        "line 2: Package A1 needs one leader",
        "line 3: “nobody@council.example” is nobody we know",
        "line 4: They are not a mentor on 1 September 2022",
        "line 5: “25:00” is not a time",
        "line 6: The session is still to come",
        "line 7: A session lasts from 5 minutes to 8 hours",
        "line 8: The line is one of package, goal, member, mentor and session",
        "line 9: The package needs a short word",
        "line 10: Package C3 has no row",
        "line 11: The package starts outside the contract",
        "line 13: They do not hold this role here",
        "line 14: It ended with less than 5 days. Say why",
        "line 16: They do not hold this role here on 1 February 2022",
    ):
        assert any(line.startswith(begins) for line in told), (begins, told)
    assert rows(db)["package"] == 0


def test_what_stands_otherwise_in_the_portal_is_told(
    db: DbSession, clock: SetClock, programme: Programme, make: Factory
) -> None:
    take(db, clock, programme, FILE)
    other = FILE.replace(
        "A1,package,Northshire,one_to_one,,,,2022-09-01", "A1,package,Northshire,one_to_one,,,,2022-09-02"
    )
    assert "was taken before, as K-" in faults(db, clock, programme, other)[0]
    clash = FILE.replace("2022-06-01,,,09:00", "2022-09-10,,,11:00")
    assert any(
        "The mentor has another session at that time" in line for line in faults(db, clock, programme, clash)
    )
    make.council("Eastshire")
    proposed = FILE.replace("A1,package,Northshire", "Z9,package,Eastshire").split("\n")[:2]
    told = faults(db, clock, programme, "\n".join(proposed))
    assert any("Support of Eastshire Council is not agreed" in line for line in told)


def test_the_command_says_what_it_did(stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "packages.csv"
    path.write_text(FILE)
    run = stack.app.test_cli_runner().invoke
    told = run(args=["packages", "import", str(path), "--dry-run"])
    assert told.stdout == "would be taken: 2 new packages, 3 new members, 2 new mentors, 4 sessions\n"
    told = run(args=["packages", "import", str(path)])
    assert told.stdout == "taken: 2 new packages, 3 new members, 2 new mentors, 4 sessions\n"
    path.write_text(FILE.replace("120,one_to_one", "x,one_to_one"))
    refused = run(args=["packages", "import", str(path)])
    assert refused.exit_code == 1
    assert "line 6: minutes must be a whole number" in refused.output
