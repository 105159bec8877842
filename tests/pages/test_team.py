"""The team's pages: councils and people from files and forms, packages from proposal to end, what needs a hand."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    PARTICIPANT,
    CallRequest,
    Council,
    Mail,
    MailState,
    Office,
    Package,
    PackageState,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from privacy.records import new_id
from privacy.registers import Register, in_force
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.rules.test_imports import COUNCILS, PEOPLE

FIRST_OF_MARCH = {"starts_on-day": "1", "starts_on-month": "3", "starts_on-year": "2023"}
AGREED = {
    "agreed": "yes",
    "agreed_on-day": "1",
    "agreed_on-month": "2",
    "agreed_on-year": "2023",
    "agreed_with": "Dee Partment",
    "ground": "inadequate",
    "evidence": "Report of May 2022",
}


@pytest.fixture
def team(client: PageClient, make: Factory) -> PageClient:
    """A browser in which somebody of the team is signed in."""
    return client.sign_in(make.person("Tea Member", role=Role.TEAM).id)


def sent_file(text: str | bytes) -> dict[str, Any]:
    return {"file": (io.BytesIO(text if isinstance(text, bytes) else text.encode()), "sent.csv")}


# ---- files


@pytest.mark.parametrize("kind", ["people", "packages"])
def test_the_first_line_of_a_file_need_not_be_typed(team: PageClient, kind: str) -> None:
    page = team.get(f"/team/{kind}/import")
    assert "Download a file with this line, to fill in (CSV)" in page.words()
    answer = team.http.get(f"/team/{kind}/import/first-line.csv")
    assert f'filename="{kind}-to-fill-in.csv"' in answer.headers["Content-Disposition"]
    (line,) = answer.get_data(as_text=True).removeprefix("\ufeff").splitlines()
    assert line in page.words()
    sent = team.post(f"/team/{kind}/import", sent_file(answer.data), status=422)
    assert "The file has column names and no rows" in sent.words()


def test_councils_are_taken_from_a_file(team: PageClient, db: DbSession) -> None:
    page = team.follow(team.post("/team/councils/import", sent_file(COUNCILS)))
    assert "5 councils in the file: 5 new, 0 changed." in page.words()
    assert "=Equalshire Council" in page.words()
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Council)) == 5
    found = team.search("/team/councils", "oldshire")
    assert "3 councils" in found.words()
    old = db.scalars(select(Council).where(Council.code == "OLD")).one()
    shown = team.get(f"/team/councils/{old.id}")
    assert "Replaced on 1 April 2023" in shown.words()
    assert "East Oldshire Council" in shown.words()


def test_councils_are_checked_and_not_taken(
    team: PageClient, db: DbSession, stack: Stack, tmp_path: Path
) -> None:
    checked = team.post("/team/councils/import", {**sent_file(COUNCILS), "check": "yes"}, status=200)
    assert "It holds 5 councils: 5 new, 0 changed. Nothing was written." in checked.words()
    wrong = sent_file(COUNCILS.replace("E10000901", "X"))
    assert (
        "not a gss code" in team.post("/team/councils/import", {**wrong, "check": "yes"}, status=422).words()
    )
    path = tmp_path / "councils.csv"
    path.write_text(COUNCILS, encoding="utf-8")
    run = stack.app.test_cli_runner().invoke
    told = run(args=["councils", "import", str(path), "--dry-run"])
    assert told.stdout == "5 councils in the file: 5 would be new, 0 would be changed\n"
    assert db.scalar(select(func.count()).select_from(Council)) == 0
    assert run(args=["councils", "import", str(path)]).stdout == "5 councils in the file: 5 new, 0 changed\n"
    path.write_text(COUNCILS.replace("Northshire,E", "Norshire,E"), encoding="utf-8")
    told = run(args=["councils", "import", str(path), "--dry-run"])
    assert told.stdout == "5 councils in the file: 0 would be new, 1 would be changed\n"
    db.rollback()
    assert db.scalars(select(Council.short_name).where(Council.code == "NOR")).one() == "Northshire"


def test_people_are_checked_then_taken_from_a_file(team: PageClient, make: Factory, db: DbSession) -> None:
    make.council("Northshire")
    text = f"{PEOPLE}\r\nSiân O’Shea,sian@x.example,lead_member,Northshire,2022-01-01,\r\n".encode("cp1252")
    before = db.scalar(select(func.count()).select_from(Person))
    checked = team.post("/team/people/import", {**sent_file(text), "check": "yes"}, status=200)
    assert "1 new person, 1 new role and 0 last days" in checked.words()
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Person)) == before
    page = team.follow(team.post("/team/people/import", sent_file(text)))
    assert "Siân O’Shea" in page.words()


def test_faults_of_a_file_stand_by_line(team: PageClient) -> None:
    page = team.post(
        "/team/people/import", sent_file(f"{PEOPLE}\n\nAnn,nowhere,mentor,,2022-02-30,\n"), status=422
    )
    assert "Line 3: “nowhere” is not an e-mail address" in page.words()
    assert "“2022-02-30” is a date that does not exist" in page.words()
    assert page.words(page.all("title")[0]).startswith("Error: ")


def test_the_lines_of_a_refused_file_come_back_with_what_is_wrong_to_be_sent_again(
    team: PageClient, make: Factory, db: DbSession
) -> None:
    text = f"{PEOPLE}\n\nAda -,ada@x.example,mentor,,2022-01-01,\n-Ann,nowhere,mentor,,2022-02-30,\n"
    for more in ({}, {"check": "yes"}):
        page = team.post("/team/people/import", {**sent_file(text), **more}, status=422)
    (link,) = [one for one in page.all("a") if "Download the lines to correct" in page.words(one)]
    address = str(link.get("href"))
    answer = team.http.get(address)
    assert "people-to-correct" in answer.headers["Content-Disposition"]
    wrong = "starts_on: “2022-02-30” is a date that does not exist; “nowhere” is not an e-mail address"
    assert answer.get_data(as_text=True).lstrip("\ufeff").splitlines() == [
        f"{PEOPLE},reason",
        "",
        "Ada -,ada@x.example,mentor,,2022-01-01,,",
        f"'-Ann,nowhere,mentor,,2022-02-30,,{wrong}",
    ]
    colleague = make.person(role=Role.TEAM)
    mended = answer.get_data(as_text=True).replace("nowhere,", "ann@x.example,")
    again = team.post("/team/people/import", sent_file(mended), status=422)
    assert "not an e-mail address" not in again.words()
    (link,) = [one for one in again.all("a") if "Download the lines to correct" in again.words(one)]
    half = team.http.get(str(link.get("href"))).get_data(as_text=True)
    assert half.count("reason") == 1
    assert "'-Ann,ann@x.example,mentor,,2022-02-30,,starts_on" in half
    page = team.follow(
        team.post("/team/people/import", sent_file(half.replace("2022-02-30,", "2022-02-28,")))
    )
    assert "2 new people" in page.words()
    assert {"Ada -", "-Ann"} <= {one.name for one in db.scalars(select(Person))}
    db.rollback()
    page = team.post("/team/people/import", sent_file("name,mail\nAnn,x\n"), status=422)
    assert "Download the lines" not in page.words(), "nothing is wrong with a line"
    team.sign_in(colleague.id).get(address, status=404)


def test_a_large_file_is_read_where_files_are_sent_and_nowhere_else(team: PageClient) -> None:
    # Put together by hand: the test client would leave a file of this size open.
    token = team.get("/team/people/import").token()
    parts = (
        ("csrf_token", "", token),
        ("file", '; filename="sent.csv"', PEOPLE + "\n" + "x" * (2 * 1024 * 1024)),
    )
    body = "".join(
        f'--cut\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, more, value in parts
    )
    answer = team.http.post(
        "/team/people/import", data=f"{body}--cut--\r\n", content_type="multipart/form-data; boundary=cut"
    )
    assert answer.status_code == 422
    page = Page(answer)
    assert "Nothing was taken" in page.words()
    team.post("/team/people/new", {"name": "x" * (2 * 1024 * 1024)}, status=413)


def test_no_file_is_told(team: PageClient) -> None:
    assert "Choose a file" in team.post("/team/councils/import", {}, status=422).words()


# ---- people


def test_a_person_is_added_changed_and_closed(team: PageClient, make: Factory, db: DbSession) -> None:
    council = make.council("Northshire")
    typed = {
        "name": "Niamh O’Shea-D'Arcy & Team",
        "email": "niamh@x.example",
        "phone": "+44 7700 900123",
        "role": "lead_member",
        "council": str(council.id),
        "adjustments": "Large print",
        **FIRST_OF_MARCH,
    }
    refused = team.post("/team/people/new", {**typed, "phone": "abc"}, status=422)
    assert "The phone number must have 6 to 15 digits" in refused.words()
    page = team.follow(team.post("/team/people/new", typed))
    assert "Niamh O’Shea-D'Arcy & Team" in page.words()
    assert "+44 7700 900123" in page.words()
    db.rollback()
    person = db.scalars(select(Person).join(Office).where(Office.role == Role.LEAD_MEMBER)).one()
    path = f"/team/people/{person.id}"
    team.post(f"{path}/edit", {"name": "Niamh", "email": "n@x.example", "phone": "", "adjustments": ""})
    assert "n@x.example" in team.get(path).words()
    office = db.scalars(select(Office).where(Office.person_id == person.id)).one()
    day = {"on-day": "5", "on-month": "3", "on-year": "2023"}
    assert "5 March 2023" in team.follow(team.post(f"{path}/offices/{office.id}/end", day)).words()
    team.post(f"{path}/offices", {"role": "council_leader", "council": str(council.id), **FIRST_OF_MARCH})
    assert "Leader of the Council" in team.get(path).words()
    assert "This account was closed" in team.follow(team.post(f"{path}/disable", page=path)).words()
    assert "Close account" in team.follow(team.post(f"{path}/enable", page=path)).words()


def test_a_second_lead_member_of_a_council_is_asked_about(
    team: PageClient, make: Factory, db: DbSession
) -> None:
    council = make.council("Kent")
    first = make.person("Ada Early", council=council).id
    kept = {"role": "lead_member", "council": str(council.id), **FIRST_OF_MARCH}
    typed = {"name": "Ben Late", "email": "ben@kent.example", **kept}
    page = team.post("/team/people/new", typed, status=422)
    assert "Kent has a Lead Member for children's services already: Ada Early, from" in page.words()
    assert page.all("input", name="sure")
    assert page.all("input", name="name")[0].get("value") == "Ben Late"
    assert db.scalars(select(Office.person_id).where(Office.council_id == council.id)).all() == [first]
    meant = {**typed, "sure": page.value("sure")}
    assert "Ben Late" in team.follow(team.post("/team/people/new", meant)).words()
    third = f"/team/people/{make.person('Cy Third', role=Role.SCRUTINY_CHAIR, council=council).id}"
    page = team.post(f"{third}/offices", {**kept, "sure": page.value("sure")}, status=422)
    assert "already: Ada Early, from 5 May 2022, and Ben Late, from 1 March 2023" in page.words()
    team.post(f"{third}/offices", {**kept, "sure": page.value("sure")})
    # A role that several people hold asks nothing.
    team.post(f"/team/people/{first}/offices", {**kept, "role": "committee_member"})


def test_a_last_day_that_moves_over_the_next_holder_is_asked_about(
    team: PageClient, make: Factory, db: DbSession
) -> None:
    council = make.council("Kent")
    office = make.person("Ada Early", council=council).offices[0]
    path = f"/team/people/{office.person_id}/offices/{office.id}/end"
    team.post(path, {"on-day": "28", "on-month": "2", "on-year": "2023"})
    typed = {"name": "Ben Late", "email": "ben@kent.example", "role": "lead_member", **FIRST_OF_MARCH}
    team.post("/team/people/new", {**typed, "council": str(council.id)})
    later = {"on-day": "5", "on-month": "3", "on-year": "2023"}
    page = team.post(path, later, status=422)
    assert "already: Ben Late, from 1 March 2023" in page.words()
    team.post(path, {**later, "sure": page.value("sure")})


def test_a_file_warns_of_a_second_lead_member(team: PageClient, make: Factory) -> None:
    held = make.person("Ada Early", council=make.council("Kent"))
    rows = [
        "Ben Late,ben@kent.example,lead_member,Kent,2023-03-01,",
        "Cy Chief,cy@kent.example,chief_executive,Kent,2023-03-01,",
        "Di Chief,di@kent.example,chief_executive,Kent,2023-04-01,2023-04-30",
        "Ed Member,ed@kent.example,committee_member,Kent,2023-03-01,",
        "Flo Chief,flo@kent.example,chief_executive,Kent,2023-06-01,",
    ]
    text, ref = "\r\n".join([PEOPLE, *rows, ""]).encode(), held.ref
    checked = team.post("/team/people/import", {**sent_file(text), "check": "yes"}, status=200).words()
    assert f"line 2: Kent has a Lead Member for children's services already ({ref}, from" in checked
    assert "line 4: line 3 gives the same council a Chief Executive in the same days" in checked
    assert "line 6: line 3 gives the same council a Chief Executive in the same days" in checked
    assert "line 5" not in checked
    taken = team.follow(team.post("/team/people/import", sent_file(text))).words()
    assert "line 2: Kent has a Lead Member" in taken


def test_what_was_typed_stays_when_a_person_is_refused(team: PageClient, make: Factory) -> None:
    make.person(email="taken@x.example")
    typed = {"name": "Ann Able", "email": "taken@x.example", "role": "lead_member", **FIRST_OF_MARCH}
    page = team.post("/team/people/new", typed, status=422)
    assert "This role is held in a council. Choose the council" in page.words()
    assert page.all("input", name="name")[0].get("value") == "Ann Able"
    page = team.post("/team/people/new", {**typed, "role": "mentor"}, status=422)
    assert "Somebody else has this address" in page.words()
    page = team.post(
        "/team/people/new",
        {"role": "administrator", "starts_on-day": "31", "starts_on-month": "2"},
        status=422,
    )
    for said in (
        "Enter a name",
        "Enter an e-mail address",
        "Choose a role",
        "The first day must include a year",
    ):
        assert said in page.words()


def test_an_administrator_is_left_to_administrators(team: PageClient, make: Factory) -> None:
    admin = make.person(role=Role.ADMINISTRATOR)
    path = f"/team/people/{admin.id}"
    page = team.post(f"{path}/disable", page="/team/people/new", status=422)
    assert "Only an administrator can change it" in page.words()


def test_an_administrator_runs_accounts_of_staff_and_sees_no_others(
    client: PageClient, make: Factory, db: DbSession
) -> None:
    dpo = make.person("Dee Pio", role=Role.DPO)
    mentor, leader = make.mentor("Men Tor"), make.person("Lea Der")
    client.sign_in(make.person("Ad Min", role=Role.ADMINISTRATOR).id)
    accounts = client.get("/accounts")
    assert [accounts.words(one) for one in accounts.all("a", href=f"/team/people/{dpo.id}")] == ["Dee Pio"]
    page = client.get(f"/team/people/{dpo.id}")
    assert "Close account" in page.words()
    assert "Needs in a session" not in page.words()
    typed = {"name": "Dee Pio", "email": "dee@x.example", "phone": "", "adjustments": "Never mind"}
    assert "dee@x.example" in client.follow(client.post(f"/team/people/{dpo.id}/edit", typed)).words()
    db.refresh(dpo)
    assert dpo.adjustments is None
    office = {"role": "auditor", **FIRST_OF_MARCH}
    endless = client.post(f"/team/people/{dpo.id}/offices", office, status=422)
    assert "An audit is for a bounded time" in endless.words()
    until = {"ends_on-day": "31", "ends_on-month": "5", "ends_on-year": "2023"}
    client.post(f"/team/people/{dpo.id}/offices", office | until)
    new = {"name": "Ob Server", "email": "ob@x.example", "role": "observer", **FIRST_OF_MARCH}
    assert "Ob Server" in client.follow(client.post("/team/people/new", new)).words()
    page = client.post("/team/people/new", new | {"role": "lead_member", "email": "l@x.example"}, status=422)
    assert "Choose a role" in page.words()
    for person in (mentor, leader):
        for path in ("", "/edit", "/offices"):
            client.get(f"/team/people/{person.id}{path}", status=404)
    client.get("/team/people", status=404)


def test_the_team_sees_staff_and_changes_nothing_of_them(team: PageClient, make: Factory) -> None:
    dpo = make.person("Dee Pio", role=Role.DPO)
    page = team.get(f"/team/people/{dpo.id}")
    assert "Only an administrator can change it" in page.words()
    assert "Close account" not in page.words()
    typed = {"name": "Mine Now", "email": "mine@x.example", "phone": "", "adjustments": ""}
    page = team.post(f"/team/people/{dpo.id}/edit", typed, status=422)
    assert "Only an administrator can change it" in page.words()
    offered = team.get("/team/people/new").all("select", name="role")[0]
    roles = {option.get("value") for option in offered.iter("option")} - {""}
    assert roles == {role.value for role in PARTICIPANT | {Role.MENTOR}}
    data = f"{PEOPLE}\nNew Body,new@x.example,auditor,,2023-01-01,\n"
    for more in ({}, {"check": "yes"}):
        page = team.post("/team/people/import", {**sent_file(data), **more}, status=422)
        assert "“auditor” is not a role that a file can give" in page.words()


def test_closing_an_account_names_the_sessions_ahead(team: PageClient, make: Factory, db: DbSession) -> None:
    mentor = make.mentor("Men Tor")
    package = make.package(make.person("Lea Der"), mentor=mentor)
    session(db, make, package, mentor.id, days=2)
    path = f"/team/people/{mentor.id}"
    assert "They have sessions ahead" in team.get(path).words()
    page = team.follow(team.post(f"{path}/disable", page=path))
    assert "Sessions stay booked: Friday 3 March 2023, 10am" in page.words()
    assert package.ref in page.words()
    assert "Open account again" in page.words()


def session(db: DbSession, make: Factory, package: Package, mentor_id: UUID, *, days: int) -> UUID:
    """A session of an hour at 10am, so many days from now; booked."""
    starts_at = make.clock() + timedelta(days=days, hours=1)
    made = Session(
        id=new_id(),
        package_id=package.id,
        mentor_id=mentor_id,
        kind=SessionKind.ONE_TO_ONE,
        state=SessionState.BOOKED,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        place=Place.REMOTE,
        uid=f"{new_id()}@portal",
        sequence=0,
        created_at=make.clock(),
        by="system:test",
    )
    made_id = made.id
    with unit_of_work(db, make.clock, "system:test") as work:
        work.db.add(made)
    return made_id


def test_people_are_found_by_name_and_role(team: PageClient, make: Factory) -> None:
    make.person("Ann Able", role=Role.MENTOR)
    make.person("Bea Baker")
    assert "Bea Baker" not in team.search("/team/people", "aBLE").words()
    assert "Ann Able" not in team.get("/team/people?role=lead_member").words()
    assert "Nobody fits" in team.search("/team/people", "zzz").words()


# ---- packages


def test_a_package_from_the_first_step_to_the_end(team: PageClient, make: Factory, db: DbSession) -> None:
    council = make.council("Northshire")
    leader = make.person("Lea Der", council=council)
    mentor = make.mentor("Men Tor")
    path = f"/team/packages/new?strand=one_to_one&council={council.id}"
    assert "New package" in team.get("/team/packages/new").heading
    assert "Lea Der" in team.get(path).words()
    made = team.post(
        path,
        {
            **AGREED,
            **FIRST_OF_MARCH,
            "package_id": str(new_id()),
            "leader": f"{leader.id}:lead_member",
            "goal_1": "Read the data well",
            "planned_days": "5.5",
        },
    )
    assert team.follow(made).heading == "Choose a mentor"
    chosen = {"mentors": str(mentor.id), "why": "Knows the role"}
    page = team.follow(team.post(made.response.headers["Location"], chosen))
    assert page.heading == "Lea Der"
    assert "5.5 days" in page.words()
    assert "Men Tor" in page.words()
    db.rollback()
    package = db.scalars(select(Package)).one()
    path = f"/team/packages/{package.id}"
    assert "Lea Der" in team.get(f"{path}/invite").words()
    assert "The invitation goes to 1 person." in team.follow(team.post(f"{path}/invite")).words()
    assert "Everybody is invited already." in team.get(f"{path}/invite").words()
    assert "They have the invitation already." in team.follow(team.post(f"{path}/invite")).words()
    goal = {"goal_id": str(new_id()), "goals": "Ask better questions"}
    for _ in range(2):
        team.post(f"{path}/goals", goal)
    assert team.get(path).words().count("Ask better questions") == 1
    page = team.post(f"{path}/goals", {**goal, "goals": "Ask fewer"}, status=422)
    assert "This page was sent before with something else in it" in page.words()
    team.post(f"{path}/waive", {"reason": "The leader is ill"})
    with unit_of_work(db, make.clock, "system:test") as work:
        work.db.get_one(Package, package.id).state = PackageState.ACTIVE
    day = {"on-day": "1", "on-month": "3", "on-year": "2023"}
    page = team.post(f"{path}/end", day, status=422)
    assert "Say why this one ends with less" in page.words()
    page = team.follow(team.post(f"{path}/end", {**day, "reason": "Lost the seat"}))
    assert "Support has ended." in page.words()
    assert "Lost the seat" in page.words()
    db.rollback()
    assert db.scalar(select(func.count()).select_from(Mail).where(Mail.template == "post_open")) == 1
    team.post(f"{path}/end", {**day, "reason": "Lost the seat"}, status=409)


def test_what_was_typed_stays_when_a_package_is_refused(team: PageClient, make: Factory) -> None:
    council = make.council("Northshire")
    leader = make.person("Lea Der", council=council)
    path = f"/team/packages/new?strand=one_to_one&council={council.id}"
    page = team.post(path, {"goal_1": "Read the data well", "planned_days": "four"}, status=422)
    for said in (
        "Say whether the Department has agreed",
        "Choose who is supported",
        "Enter a number of days, such as 5 or 7.5",
        "Enter the start date",
    ):
        assert said in page.words()
    assert page.all("input", name="goal_1")[0].get("value") == "Read the data well"
    typed = {
        "package_id": str(new_id()),
        "agreed": "no",
        "agreed_on-day": "x",
        "leader": f"{leader.id}:lead_member",
        "goal_1": "Read the data well",
        "planned_days": "4",
        **FIRST_OF_MARCH,
    }
    assert "Plan at least 5 days" in team.post(path, typed, status=422).words()
    page = team.post(
        path, {**typed, "planned_days": "5", "starts_on-year": "2024", "starts_on-month": "4"}, status=422
    )
    assert "1 June 2021 to 31 March 2024" in page.words()
    made = team.post(path, {**typed, "planned_days": "5"})
    page = team.get(made.response.headers["Location"].removesuffix("/mentors"))
    assert "Record the agreement" in page.words()


def test_a_group_gets_members_and_mentors(team: PageClient, make: Factory, db: DbSession) -> None:
    council = make.council("Northshire")
    first, second, third = (
        make.person(f"Member {name}", role=Role.COMMITTEE_MEMBER, council=council) for name in ("A", "B", "C")
    )
    mentor = make.mentor("Men Tor")
    path = f"/team/packages/new?strand=group&council={council.id}"
    members = [f"{person.id}:committee_member" for person in (first, second)]
    typed = {
        **AGREED,
        **FIRST_OF_MARCH,
        "package_id": team.get(path).all("input", name="package_id")[0].get("value"),
        "members": members,
        "title": "Children's scrutiny",
        "goal_1": "Scrutinise well",
        "planned_days": "2",
    }
    made = team.post(path, typed)
    again = team.post(path, typed)
    assert made.response.headers["Location"] == again.response.headers["Location"], "a double click"
    page = team.post(path, {**typed, "title": "Another group"}, status=422)
    assert "This page was sent before with something else in it" in page.words()
    assert page.all("input", name="package_id")[0].get("value") != typed["package_id"], "it makes another now"
    db.rollback()
    package = db.scalars(select(Package)).one()
    path = f"/team/packages/{package.id}"
    page = team.get(path)
    assert page.heading == "Children's scrutiny"
    assert "Member A" in page.words()
    assert "Member B" in page.words()
    day = {"from_on-day": "1", "from_on-month": "3", "from_on-year": "2023"}
    team.post(f"{path}/members", {"members": f"{third.id}:committee_member", **day})
    page = team.post(f"{path}/members", {"members": f"{third.id}:committee_member", **day}, status=422)
    assert "They are in this group already" in page.words()
    team.post(f"{path}/mentors", {"mentors": str(mentor.id), "why": "Good with groups"})
    page = team.get(path)
    assert "Member C" in page.words()
    assert "Men Tor" in page.words()
    asked = team.get(f"{path}/mentors/{mentor.id}/end")
    assert "Nobody else mentors this package" in asked.words()
    team.post(f"{path}/mentors/{mentor.id}/end")
    assert "Support without a mentor" in team.get("/team").words(), "today is the last day of the only one"
    team.get(f"{path}/mentors/{mentor.id}/end", status=404)
    goal = package.goals[0]
    assert (
        "Met 1 March 2023"
        in team.follow(team.post(f"{path}/goals/{goal.id}", {"state": "met"}, page=path)).words()
    )
    assert "Everybody" not in team.get(f"{path}/invite").words()
    assert "Enter the reason" in team.post(f"{path}/withdraw", status=422).words()
    team.post(f"{path}/withdraw", {"reason": "They have no time before the election"})
    assert "They have no time before the election" in team.get(path).words()
    assert "Withdrawn" in team.get(path).words()


def test_one_to_one_support_needs_a_council(team: PageClient) -> None:
    page = team.get("/team/packages/new?strand=one_to_one&council=national", status=422)
    assert "One-to-one support is in a council" in page.words()


def test_nobody_else_sees_the_teams_pages(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.MENTOR).id)
    package = make.package(make.person())
    for path in (
        "/team",
        "/team/people",
        "/team/councils",
        "/team/packages",
        "/team/programme",
        f"/team/packages/{package.id}",
    ):
        client.get(path, status=404)


def test_the_end_page_lists_what_is_not_recorded_and_asks_about_a_day_long_ago(
    team: PageClient, make: Factory, db: DbSession, clock: SetClock
) -> None:
    mentor, leader = make.mentor(), make.person("Lea Der")
    package = make.package(leader, mentor=mentor, starts_on=date(2022, 6, 1))
    held = session(db, make, package, mentor.id, days=-100)
    path = f"/team/packages/{package.id}"
    assert team.get(f"{path}/end").all("a", href=f"/sessions/{held}/record")
    team.post(f"/sessions/{held}/record", {"outcome": "no_show"})
    page = team.get(path)
    assert "Nobody came" in page.words()
    assert "1 session to which nobody came" in page.words()
    assert page.all("a", href=f"/sessions/{held}/record")
    ended = {"on-day": "30", "on-month": "11", "on-year": "2022", "reason": "Lost the seat"}
    page = team.post(f"{path}/end", ended, status=422)
    assert "would have closed on 28 February 2023" in page.words()
    assert page.all("input", name="sure")
    page = team.follow(team.post(f"{path}/end", ended | {"sure": page.value("sure")}))
    assert "Nobody is asked the last questionnaire" in page.words()
    row = page.words(next(row for row in page.all("tr") if "Lea Der" in page.words(row)))
    assert row.endswith("Not answered"), row
    assert "Interview" not in page.words()


def test_a_group_can_log_a_past_session_from_its_page(team: PageClient, make: Factory) -> None:
    group = make.package(make.person(), mentor=make.mentor(), strand=Strand.GROUP, title="Scrutiny")
    assert team.get(f"/team/packages/{group.id}").all("a", href=f"/packages/{group.id}/log")


# ---- today and facts


def test_what_needs_a_hand(team: PageClient, make: Factory, db: DbSession, clock: SetClock) -> None:
    council = make.council("Northshire")
    caller, silent, ended = (make.person(name, council=council) for name in ("Cal Ler", "Si Lent", "En Ded"))
    make.package(caller, council=council, state=PackageState.AGREED)
    waiting = make.package(silent, council=council, state=PackageState.BASELINE, mentor=make.mentor())
    make.package(ended, council=council, state=PackageState.ENDED, ends_on=make.today - timedelta(days=3))
    with unit_of_work(db, clock, "system:test") as work:
        part = work.db.get_one(Package, waiting.id).participations[0]
        part.invited_at = work.now
        call = CallRequest(id=new_id(), participation_id=part.id, wave="baseline", asked_at=work.now)
        call.phone, call.when = "+44 7700 900123", "Friday"
        work.db.add(call)
        work.db.add(
            Mail(
                id=new_id(),
                person_id=ended.id,
                template="invitation",
                about=new_id(),
                step="once",
                state=MailState.FAILED,
                queued_at=work.now,
                due_at=work.now,
                tries=9,
            )
        )
    words = team.get("/team").words()
    for said in (
        "+44 7700 900123",
        "Friday",
        "Support without a mentor",
        "Packages where nobody is invited",
        "First questionnaire missing",
        "26 May 2023",
        "Mail that could not be sent",
    ):
        assert said in words
    assert "1 call to make" in words
    team.post(f"/team/calls/{call.id}/done", page="/team")
    assert "+44 7700 900123" not in team.get("/team").words()
    team.post(f"/team/calls/{new_id()}/done", page="/team", status=404)


def test_a_quiet_day_says_so(team: PageClient) -> None:
    words = team.get("/team").words()
    assert "Nothing waits for you" in words
    assert "0 calls to make" in words


def test_a_letter_moves_the_end_of_the_contract(team: PageClient, db: DbSession) -> None:
    assert "1 June 2021 to 31 March 2024" in team.get("/team/programme").words()
    typed = {
        "ends_on-day": "30",
        "ends_on-month": "9",
        "ends_on-year": "2025",
        "letter": "VAR 1",
        "wording": "Six months",
    }
    page = team.post("/team/programme", typed, status=422)
    assert "to 31 March 2025 at the latest" in page.words()
    page = team.follow(team.post("/team/programme", {**typed, "ends_on-year": "2024"}))
    assert "1 June 2021 to 30 September 2024" in page.words()
    db.rollback()
    entry = in_force(db, Register.CONTRACT_END, on=date(2023, 3, 1))
    assert entry is not None
    assert (entry.letter, entry.body) == ("VAR 1", "Six months")


# ---- the same number of queries for few and for many


def counted(stack: Stack, act: Callable[[], object]) -> int:
    """How many statements reach the data and the key store."""
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    engines = (stack.engine, stack.instance.vault.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def fill(make: Factory, count: int) -> UUID:
    council = make.council()
    for _ in range(count):
        leader = make.person(council=council)
        make.package(leader, council=council, state=PackageState.BASELINE)
        make.package(
            leader, council=council, strand=Strand.GROUP, state=PackageState.ENDED, ends_on=make.today
        )
    with unit_of_work(make.db, make.clock, "system:test") as work:
        for package in work.db.scalars(select(Package)):
            for part in package.participations:
                part.invited_at = work.now
    return council.id


def test_lists_run_as_many_queries_for_few_as_for_many(team: PageClient, make: Factory, stack: Stack) -> None:
    paths = ("/team", "/team/people", "/team/packages", "/team/councils")
    few = fill(make, 5)
    before = {path: counted(stack, lambda path=path: team.get(path)) for path in paths}  # type: ignore[misc]
    council_before = counted(stack, lambda: team.get(f"/team/councils/{few}"))
    many = fill(make, 50)
    after = {path: counted(stack, lambda path=path: team.get(path)) for path in paths}  # type: ignore[misc]
    assert after == before
    assert counted(stack, lambda: team.get(f"/team/councils/{many}")) == council_before
