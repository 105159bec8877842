"""Who is not cleared can sign in, and sees one plain page; it opens and closes with the next request."""

from collections import defaultdict
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DbSession

from portal.models import Clearance, ClearanceKind, Office, Role
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import versions
from tests.canary_walk import date_of
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages import test_access as access
from tests.pages_client import PageClient
from tests.two_sides import Side

GATED = (Role.MENTOR, Role.TEAM, Role.DPO, Role.ADMINISTRATOR)


# What a guard says rests on no database: every page is opened once, on the embedded one.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_no_page_with_personal_data_opens_without_clearance(
    stack: Stack, db: DbSession, make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.publish_shipped(db, stack.clock)
    side = Side(make, "first")
    mentor, people = side.mentor, {role: make.person(role=role, cleared=False).id for role in GATED[1:]}
    with unit_of_work(db, stack.clock, "system:test") as work:
        work.db.execute(delete(Clearance).where(Clearance.person_id == mentor))
    things = access.whose
    monkeypatch.setattr(access, "whose", lambda *asked: defaultdict(list, things(*asked)))
    pages = access.addresses(stack, side)
    assert len(pages) > 100
    opened: dict[str, set[int]] = defaultdict(set)
    for person_id in (mentor, *people.values()):
        client = PageClient(stack.app, stack.instance).sign_in(person_id)
        for name, address in pages.items():
            endpoint = name.split(",")[0]
            if vars(stack.app.view_functions[endpoint])["guard"].policy is not None:
                answer = client.http.get(address)
                opened[endpoint].add(answer.status_code)
    # How they sign in, what they lack, their own data; published reviews tell of nobody.
    still_open = {name for name, statuses in opened.items() if statuses != {403}}
    own = ("your_data.", "proofs.", "factors.")
    assert {name for name in still_open if not name.startswith(own)} == {
        "account.devices",
        "clearances.own",
        "releases.reviews",
    }


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.AUDITOR])
def test_the_departments_own_people_are_not_gated(make: Factory, client: PageClient, role: Role) -> None:
    person = make.person(role=role, cleared=False)
    home = client.sign_in(person.id).follow(client.get("/", status=303))
    assert home.status == 200
    assert "cannot open" not in home.words()


def test_the_page_says_what_is_missing_and_whom_to_ask(make: Factory, client: PageClient) -> None:
    person = make.person(role=Role.TEAM, cleared=False)
    client.sign_in(person.id)
    page = client.get("/team", status=403)
    for words in (
        "BPSS clearance is not recorded",
        "Confidentiality undertaking is not recorded",
        "Data protection training is not recorded",
        "leadership-support@programme.example",
    ):
        assert words in page.words()
    own = client.follow(client.get("/", status=303))
    assert own.heading == "Your clearance"
    assert "BPSS clearance is not recorded" in own.words()


def test_what_was_typed_into_a_page_that_closed_is_shown(
    stack: Stack, make: Factory, client: PageClient
) -> None:
    person_id = make.person(role=Role.TEAM).id
    client.sign_in(person_id)
    token = client.get("/team/people/new").token()
    with unit_of_work(make.db, stack.clock, "system:test") as work:
        work.db.execute(delete(Clearance).where(Clearance.person_id == person_id))
    typed = "They need the loop in the room and large print on paper"
    answer = client.http.post("/team/people/new", data={"csrf_token": token, "adjustments": typed})
    assert answer.status_code == 403
    assert typed in answer.get_data(as_text=True)


def test_it_opens_and_lapses_with_the_next_request(stack: Stack, make: Factory) -> None:
    mentor_id, team_id = make.mentor().id, make.person(role=Role.TEAM).id
    mentor, team = (PageClient(stack.app, stack.instance) for _ in range(2))
    mentor.sign_in(mentor_id), team.sign_in(team_id)
    mentor.get("/mentor")
    row = _row(make.db, mentor_id, ClearanceKind.TRAINING)
    team.post(f"/team/people/{mentor_id}/clearance/{row}/take-back")
    assert "Data protection training lapsed on 1 March 2023" in mentor.get("/mentor", status=403).words()
    shown = team.get(f"/team/people/{mentor_id}").words()
    assert "Pages with personal data are closed to them" in shown
    assert "Taken back" in shown
    record = {"kind": "training", **date_of("from_on", 1), **date_of("expires_on", 1, 3, 2024), "note": "E 7"}
    team.post(f"/team/people/{mentor_id}/clearance", record)
    mentor.get("/mentor")
    with unit_of_work(make.db, stack.clock, "system:test") as work:
        theirs = update(Clearance).where(Clearance.person_id == mentor_id)
        work.db.execute(theirs.values(expires_on=date(2023, 3, 2)))
    mentor.get("/mentor")
    stack.clock.pass_time(hours=15)
    mentor.sign_in(mentor_id).get("/mentor", status=403)


def _row(db: DbSession, person_id: UUID, kind: ClearanceKind) -> UUID:
    return db.scalars(
        select(Clearance.id).where(Clearance.person_id == person_id, Clearance.kind == kind)
    ).one()


def test_who_is_supported_too_keeps_what_is_theirs(stack: Stack, make: Factory, client: PageClient) -> None:
    leader = make.person("Sam Okoro", council=make.council())
    leader_id = leader.id
    make.package(leader, mentor=make.mentor(), council=make.council())
    with unit_of_work(make.db, stack.clock, "system:test") as work:
        office = {"role": Role.MENTOR, "from_on": make.today - timedelta(days=9)}
        work.db.add(Office(id=new_id(), person_id=leader_id, **office))
    client.sign_in(leader_id)
    assert client.get("/your-support").heading == "Your support"
    client.get("/mentor", status=403)


def test_wrong_dates_keep_what_was_typed(make: Factory, client: PageClient) -> None:
    mentor_id = make.mentor().id
    client.sign_in(make.person(role=Role.TEAM).id)
    path = f"/team/people/{mentor_id}/clearance"
    typed = {"kind": "bpss", **date_of("from_on", 1), **date_of("expires_on", 28, 2), "note": "Letter 4711"}
    page = client.post(path, typed, status=422)
    assert "must expire after" in page.words()
    page = client.post(path, typed | date_of("expires_on", 28, 2, 2099), status=422)
    assert "The expiry date must be 1 March 2033 or earlier, at most 10 years ahead" in page.words()
    assert page.all("input", name="note")[0].get("value") == "Letter 4711"


def test_nobody_records_their_own_and_the_administrator_those_of_staff(
    make: Factory, client: PageClient
) -> None:
    team, admin = make.person(role=Role.TEAM).id, make.person(role=Role.ADMINISTRATOR).id
    client.sign_in(team).get(f"/team/people/{team}/clearance", status=404)
    assert "Record clearance" not in client.get(f"/team/people/{team}").words()
    client.sign_in(admin).get(f"/team/people/{team}/clearance")
    client.get(f"/team/people/{make.mentor().id}/clearance", status=404)


def test_contact_with_children_asks_for_a_dbs_check(make: Factory, client: PageClient) -> None:
    mentor_id = make.mentor().id
    client.sign_in(make.person(role=Role.TEAM).id)
    person = f"/team/people/{mentor_id}"
    page = client.follow(client.post(f"{person}/contact", {"act": "meets"}, page=person))
    assert "Enhanced DBS check is not recorded" in page.words()
    page = client.follow(client.post(f"{person}/contact", {"act": "none"}, page=person))
    assert "Enhanced DBS check is not recorded" not in page.words()


def test_the_first_of_the_staff_are_cleared_from_the_command_line(stack: Stack, make: Factory) -> None:
    person = make.person(role=Role.ADMINISTRATOR, cleared=False, email="first@programme.example")
    person_id = person.id
    client = PageClient(stack.app, stack.instance).sign_in(person_id)
    client.get("/accounts", status=403)

    def clear(*kinds: str, expires: str = "2024-02-01") -> str:
        words = [word for kind in kinds for word in ("--kind", kind)]
        ended = stack.app.test_cli_runner().invoke(
            args=[
                "people",
                "clear",
                "first@programme.example",
                *words,
                "--on",
                "2023-02-01",
                "--expires",
                expires,
            ]
        )
        return f"{ended.exit_code} {ended.output}"

    assert "Still open: Data protection training is not recorded" in clear("bpss", "undertaking")
    assert clear("training", expires="2023-01-01").startswith("1 ")
    client.get("/accounts", status=403)
    assert clear("training").startswith("0 ")
    client.get("/accounts")
