"""Files of councils and people: every fault by line, all or nothing, whatever a spreadsheet did to the file."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal import imports
from portal.councils import file as council_file
from portal.councils import register as councils
from portal.imports import Fault, FileFaults
from portal.models import Council, Office, Person, Role
from portal.people import file as people_file
from portal.programme import Programme
from privacy.columns import address_index, keys_of
from privacy.work import unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

COUNCILS = """\
local-authority-code,official-name,nice-name,gss-code,start-date,end-date,replaced-by,nation,region,local-authority-type
NOR,Northshire County Council,Northshire,E10000901,,,,England,North West,CTY
OLD,Oldshire County Council,Oldshire,E10000902,,2023-04-01,"NEA,NEB",England,South West,CTY
NEA,East Oldshire Council,East Oldshire,E06000903,2023-04-01,,,England,South West,UA
NEB,West Oldshire Council,West Oldshire,E06000904,2023-04-01,,,England,South West,UA
PST,Pastshire County Council,Pastshire,E10000905,,2019-03-31,NOR,England,,CTY
DIS,Smalltown District Council,Smalltown,E07000906,,,,England,South East,NMD
CYM,Cwm Council,Cwm,W06000907,,,,Wales,Wales,WPA
EQU,=Equalshire Council,=Equalshire,E08000908,,,,England,North East,MD
"""
NOW = datetime(2023, 3, 1, 9, 0, tzinfo=UTC)
PEOPLE = "name,email,role,council,starts_on,ends_on"


def take_councils(
    db: DbSession, clock: SetClock, programme: Programme, text: str = COUNCILS
) -> council_file.Taken:
    with unit_of_work(db, clock, "system:test") as work:
        return council_file.import_file(work, programme, text.encode())


def take_people(db: DbSession, clock: SetClock, programme: Programme, data: str | bytes) -> people_file.Taken:
    with unit_of_work(db, clock, "system:test") as work:
        return people_file.import_file(work, programme, data if isinstance(data, bytes) else data.encode())


def faults_of(db: DbSession, clock: SetClock, programme: Programme, *rows: str) -> list[Fault]:
    """The faults of a file with these rows; nothing is written, and a dry run finds the same."""
    data = "\n".join([PEOPLE, *rows]).encode()
    before = db.scalar(select(func.count()).select_from(Office))
    with pytest.raises(FileFaults) as checked:
        people_file.check_file(db, programme, data, actor="system:test", now=NOW)
    with pytest.raises(FileFaults) as raised:
        take_people(db, clock, programme, data)
    assert raised.value.faults == checked.value.faults
    assert db.scalar(select(func.count()).select_from(Office)) == before
    return raised.value.faults


@pytest.fixture
def northshire(db: DbSession, clock: SetClock, programme: Programme) -> Council:
    take_councils(db, clock, programme)
    return db.scalars(select(Council).where(Council.code == "NOR")).one()


def test_councils_that_run_childrens_services_are_kept(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    taken = take_councils(db, clock, programme)
    assert (taken.added, taken.changed, taken.kept) == (5, 0, 5)
    old = db.scalars(select(Council).where(Council.code == "OLD")).one()
    assert old.ends_on == date(2023, 4, 1)
    assert old.replaced_by == ["NEA", "NEB"]
    assert db.scalars(select(Council.short_name).where(Council.code == "EQU")).one() == "=Equalshire"


def test_a_newer_council_file_updates_what_changed(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    take_councils(db, clock, programme)
    assert take_councils(db, clock, programme).changed == 0
    newer = COUNCILS.replace("Northshire County Council", "Northshire Council")
    taken = take_councils(db, clock, programme, newer)
    assert (taken.added, taken.changed) == (0, 1)
    assert db.scalars(select(Council.name).where(Council.code == "NOR")).one() == "Northshire Council"


def test_faults_of_a_council_file_are_told_together(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    broken = COUNCILS.replace("E10000901", "10000901").replace('2023-04-01,"NEA', '2023-02-30,"QQQ')
    with pytest.raises(FileFaults) as raised:
        take_councils(db, clock, programme, broken)
    assert [fault.line for fault in raised.value.faults] == [2, 3]
    assert "does not exist" in raised.value.faults[1].message
    assert db.scalar(select(func.count()).select_from(Council)) == 0


def test_a_council_file_without_a_column_is_refused(
    db: DbSession, clock: SetClock, programme: Programme
) -> None:
    with pytest.raises(FileFaults) as raised:
        take_councils(db, clock, programme, COUNCILS.replace("gss-code", "gss"))
    assert raised.value.faults == [Fault(1, "The column “gss-code” is missing")]


def test_people_and_offices_are_taken(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council
) -> None:
    taken = take_people(
        db,
        clock,
        programme,
        f"{PEOPLE}\n"
        "Siân Ŵyn-Žák,sian@northshire.example,lead_member,northshire,2022-05-10,\n"
        "Siân Ŵyn-Žák,SIAN@northshire.example,Chair of scrutiny,NOR,01/05/2021,09/05/2022\n"
        "“Cllr Niamh O’Shea-D'Arcy & Team”,niamh@northshire.example,Leader of the Council,E10000901,2021-05-01,\n"
        "Bea Mentor,bea@mentors.example,mentor,,2021-06-01,\n",
    )
    assert (taken.people, taken.offices) == (3, 4)
    sian = db.scalars(
        select(Person).where(
            Person.email_index == address_index(keys_of(db).vault.ring, "sian@northshire.example")
        )
    ).one()
    assert sian.name == "Siân Ŵyn-Žák"
    assert [(office.role, office.to_on) for office in sian.offices] == [
        (Role.SCRUTINY_CHAIR, date(2022, 5, 9)),
        (Role.LEAD_MEMBER, None),
    ]


def test_known_people_get_the_new_office_and_the_same_file_again_changes_nothing(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council
) -> None:
    row = "Ann Able,ann@northshire.example,lead_member,Northshire,2021-06-01,"
    take_people(db, clock, programme, f"{PEOPLE}\n{row}\n")
    again = take_people(db, clock, programme, f"{PEOPLE}\n{row}\n")
    assert (again.people, again.offices, again.ended) == (0, 0, 0)
    moved = take_people(
        db,
        clock,
        programme,
        f"{PEOPLE}\n{row}2022-05-01\nann able,Ann@Northshire.example,council_leader,Northshire,2022-05-02,\n",
    )
    assert (moved.people, moved.offices, moved.ended) == (0, 1, 1)
    ann = db.scalars(select(Person)).one()
    assert [(office.role, office.to_on) for office in ann.offices] == [
        (Role.LEAD_MEMBER, date(2022, 5, 1)),
        (Role.COUNCIL_LEADER, None),
    ]


@pytest.mark.parametrize(
    "row, said",
    [
        (",a@x.example,mentor,,2022-01-01,", "Enter a name"),
        ('"A\nB",a@x.example,mentor,,2022-01-01,', "line break"),
        (f"{'A' * 201},a@x.example,mentor,,2022-01-01,", "longer than 200"),
        ("Ann,nowhere,mentor,,2022-01-01,", "is not an e-mail address"),
        ("Ann,,mentor,,2022-01-01,", "address is missing"),
        ("Ann,a@x.example,wizard,,2022-01-01,", "is not a role"),
        ("Ann,a@x.example,administrator,,2022-01-01,", "is not a role"),
        ("Ann,a@x.example,lead_member,Northshrie,2022-01-01,", "Is it Northshire County Council?"),
        ("Ann,a@x.example,lead_member,,2022-01-01,", "Name the council"),
        ("Ann,a@x.example,mentor,Northshire,2022-01-01,", "Leave the council empty"),
        (
            "Ann,a@x.example,lead_member,Oldshire,2023-05-01,",
            "East Oldshire Council and West Oldshire Council",
        ),
        ("Ann,a@x.example,lead_member,East Oldshire,2022-01-01,", "began on 1 April 2023"),
        ("Ann,a@x.example,mentor,,31/02/2022,", "a date that does not exist"),
        ("Ann,a@x.example,mentor,,1.2.2022,", "is not a date"),
        ("Ann,a@x.example,mentor,,,", "starts_on is missing"),
        ("Ann,a@x.example,mentor,,2022-02-01,2022-01-01", "before the first"),
        ("Ann,a@x.example,mentor,,2022-01-01", "5 cells"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_its_line(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council, row: str, said: str
) -> None:
    good = "Bea,bea@x.example,mentor,,2022-01-01,"
    faults = faults_of(db, clock, programme, good, "", "", row)
    assert [fault.line for fault in faults] == [5]
    assert said in faults[0].message


def test_rows_that_are_at_odds_are_told(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council
) -> None:
    faults = faults_of(
        db,
        clock,
        programme,
        "Ann,ann@x.example,mentor,,2022-01-01,",
        "Ann,ANN@x.example,mentor,,2022-06-01,",
        "Bob,ann@x.example,team,,2022-01-01,",
    )
    assert [fault.line for fault in faults] == [3, 4]
    assert "line 2" in faults[0].message
    assert "another name" in faults[1].message


def test_an_address_that_belongs_to_somebody_else_is_told(
    db: DbSession, clock: SetClock, programme: Programme, make: Factory
) -> None:
    known = make.person("Ann Able", role=Role.MENTOR, email="ann@x.example")
    faults = faults_of(db, clock, programme, "Bob Baker,ann@x.example,team,,2022-01-01,")
    assert known.ref in faults[0].message


def test_a_role_that_runs_already_is_told(
    db: DbSession, clock: SetClock, programme: Programme, make: Factory
) -> None:
    make.person("Ann Able", role=Role.MENTOR, email="ann@x.example")
    faults = faults_of(db, clock, programme, "Ann Able,ann@x.example,mentor,,2023-01-01,")
    assert "holds this role already" in faults[0].message


def test_every_fault_of_a_file_is_told_at_once(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council
) -> None:
    faults = faults_of(
        db, clock, programme, ",nowhere,wizard,,30/02/2022,", "Bea,bea@x.example,mentor,,2022-01-01,", "x"
    )
    assert [fault.line for fault in faults] == [2, 2, 2, 2, 4]


@pytest.mark.parametrize(
    "first, said",
    [
        ("name,mail,role,council,starts_on,ends_on", ["“email” is missing", "“mail” is not known"]),
        (f"{PEOPLE},email", ["“email” stands there twice"]),
        ("name;email;role;council;starts_on;ends_on", ["set apart by semicolons"]),
    ],
)
def test_wrong_columns_are_named(programme: Programme, db: DbSession, first: str, said: list[str]) -> None:
    with pytest.raises(FileFaults) as raised:
        people_file.check_file(
            db,
            programme,
            f"{first}\nAnn,a@x.example,mentor,,2022-01-01,\n".encode(),
            actor="system:test",
            now=NOW,
        )
    assert [fault.line for fault in raised.value.faults] == [1] * len(said)
    assert all(words in fault.message for words, fault in zip(said, raised.value.faults, strict=True))


ROW = "Zoë O’Shea,zoe@x.example,mentor,,2022-01-01,"


@pytest.mark.parametrize(
    "data, noted",
    [
        (f"{PEOPLE}\n{ROW}\n".encode(), False),
        (f"\ufeff{PEOPLE}\n{ROW}\n".encode(), False),
        (f"{PEOPLE}\r\n\r\n{ROW}\r\n".encode(), False),
        (f"{PEOPLE}\r{ROW}\r".encode(), False),
        (f"\n\n{PEOPLE},,\n,,,,,\n{ROW},,".encode(), False),
        (f"Ends_On,NAME, email ,role,council,starts_on\n,{ROW[:-1]}".encode(), False),
        (f"{PEOPLE}\r\n{ROW}\r\n".encode("cp1252"), True),
    ],
    ids=["utf-8", "bom", "crlf", "cr", "empty lines", "other order", "windows-1252"],
)
def test_names_arrive_right_however_the_file_was_saved(
    db: DbSession, clock: SetClock, programme: Programme, data: bytes, noted: bool
) -> None:
    taken = take_people(db, clock, programme, data)
    assert bool(taken.notes) is noted
    assert db.scalars(select(Person)).one().name == "Zoë O’Shea"


@pytest.mark.parametrize(
    "data, line, said",
    [
        (b"", 1, "empty"),
        (PEOPLE.encode(), 1, "no rows"),
        (b"PK\x03\x04 and so on", 1, "workbook"),
        (f"{PEOPLE}\n{ROW}".encode("utf-16"), 1, "Unicode text"),
        (f"{PEOPLE}\n".encode() + ROW.encode() + b"\n" + ROW.encode("cp1252"), 3, "two ways"),
        (f"{PEOPLE}\n".encode() + b"A\x81,a@x.example,mentor,,2022-01-01,", 2, "cannot be read"),
        (f'{PEOPLE}\n{ROW}\n"Ann,a@x.example\n'.encode(), 3, "quotation mark"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    db: DbSession, programme: Programme, data: bytes, line: int, said: str
) -> None:
    with pytest.raises(FileFaults) as raised:
        people_file.check_file(db, programme, data, actor="system:test", now=NOW)
    assert raised.value.faults[0].line == line
    assert said in raised.value.faults[0].message


def test_one_row_too_many_is_refused() -> None:
    rows = b"a\n" + b"x\n" * imports.ROWS_AT_MOST
    assert len(imports.read(rows, columns=["a"]).rows) == imports.ROWS_AT_MOST
    with pytest.raises(FileFaults, match="more than 100,000 rows"):
        imports.read(rows + b"x\n", columns=["a"])


def test_many_thousand_rows_are_taken_in_one_go(
    db: DbSession, clock: SetClock, programme: Programme, northshire: Council
) -> None:
    count = 2_000
    rows = [
        f"Person {n},p{n}@northshire.example,committee_member,Northshire,2022-01-01," for n in range(count)
    ]
    taken = take_people(db, clock, programme, "\n".join([PEOPLE, *rows]))
    assert taken.people == count
    assert db.scalar(select(func.count()).select_from(Person)) == count


def test_a_council_is_found_by_any_of_its_names_on_a_day(db: DbSession, northshire: Council) -> None:
    finder = councils.Finder(db.scalars(select(Council)).all())
    for text in ("northshire", "NORTHSHIRE  county council", "nor", "e10000901"):
        assert finder.find(text, on=date(2022, 1, 1)) is northshire
    assert finder.find("=equalshire", on=date(2022, 1, 1)).code == "EQU"


def test_rows_that_are_marked_read_as_they_were_typed() -> None:
    """Whatever a spreadsheet would run, and whatever looks as if it had been kept from that."""
    typed = ["=1+1", "'=1+1", "''-5", "'plain", "+44 7700 900123", "it's"]
    rows = "\n".join(f'"{cell}",x' for cell in typed)
    marked = imports.marked(f'name,other,\n{rows}\n\nshort\n"a",b,c,d\n'.encode(), [Fault(2, "Wrong")])
    assert marked is not None
    again = imports.marked(marked, [Fault(3, "Wrong too"), Fault(3, "and more")])
    assert again is not None
    lines = again.decode("utf-8-sig").splitlines()
    assert lines[0] == "name,other,reason"
    assert [line for line in lines if "rong" in line] == ["''=1+1,x,Wrong too; and more"]
    read = imports.read(again, columns=("name", "other"))
    assert [row["name"] for row in read.rows] == [*typed, "short"]
    assert [fault.message for fault in read.faults] == ["The row has 5 cells, the first line has 3"]
    assert imports.marked(b"name\nAnn\n", [Fault(1, "The first line")]) is None
    assert imports.marked(b'name\n"Ann\n', [Fault(2, "Not closed")]) is None
