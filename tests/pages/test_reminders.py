"""Reminders as people meet them: stopped and resumed, in the logs; closing dates, and ends that are moved."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mailing import queue as mail
from portal.models import Mail, MailState, Package, PackageState, Participation, Person, Role, Strand
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.questions import Value
from surveys.sittings import Asking
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages.test_verdicts import EXAMPLE, STATEMENTS
from tests.pages_client import PageClient

POST: dict[str, Value | None] = {
    **dict.fromkeys(STATEMENTS, "fairly"),
    "confidence_change": "much_more",
    **EXAMPLE,
}


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def leader(make: Factory) -> Person:
    return make.person("Ada Lead")


@pytest.fixture
def ended(make: Factory, leader: Person) -> Package:
    """Support that ended on 20 February: the last questionnaire closes on 20 May."""
    return make.package(
        leader, state=PackageState.ENDED, starts_on=date(2022, 12, 1), ends_on=date(2023, 2, 20)
    )


@pytest.fixture
def team(make: Factory) -> Person:
    return make.person(role=Role.TEAM)


def begun(db: DbSession, clock: SetClock, package: Package, *, sent: bool) -> None:
    part = package.participations[0]
    asking = Asking(respondent_id=part.id, wave=Wave.POST, role=part.role.value)
    with unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers=POST, mode=Mode.SELF)
        if not sent:
            row = work.db.scalars(select(Response)).one()
            row.state, row.submitted_at = ResponseState.DRAFT, None


def test_a_participant_stops_reminders_and_has_them_again(
    client: PageClient, db: DbSession, leader: Person, ended: Package
) -> None:
    client.sign_in(leader.id)
    assert "no more than two mails in any seven days" in client.get("/your-support").words()
    page = client.follow(client.post("/your-support/reminders", {"act": "stop"}, page="/your-support"))
    assert "We send you no reminders any more." in page.words()
    assert "You stopped our reminders on 1 March 2023." in page.words()
    page = client.follow(client.post("/your-support/reminders", {"act": "resume"}, page="/your-support"))
    assert "We remind you again." in page.words()
    assert db.get_one(Person, leader.id).reminders_stopped_at is None


def test_the_team_stops_them_for_somebody_and_reads_what_was_sent(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, ended: Package, team: Person
) -> None:
    part_id, leader_id = ended.participations[0].id, leader.id
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="reminder", about=part_id, to=leader_id, step="post:once:week")
        mail.queue(work, template="post_open", about=part_id, to=leader_id)
    with unit_of_work(db, clock, "system:test") as work:
        first, second = work.db.scalars(select(Mail).order_by(Mail.template)).all()
        for row in (first, second):
            row.state, row.sent_at, row.carried_by = MailState.SENT, work.now, first.id
    client.sign_in(team.id)
    address = f"/team/people/{leader_id}"
    shown = client.get(address).words()
    assert "Reminder of the last questionnaire: a week after it opened" in shown
    assert "Mailed Wednesday 1 March 2023, 9am, within another mail" in shown
    page = client.follow(client.post(f"{address}/reminders", {"act": "stop"}, page=address))
    assert "Reminders were stopped on 1 March 2023." in page.words()
    page = client.follow(client.post(f"{address}/reminders", {"act": "resume"}, page=address))
    assert "They are reminded again." in page.words()
    log = client.get(f"/team/packages/{ended.id}").words()
    assert "Last questionnaire opened Ada Lead" in log
    assert "a week after it opened Ada Lead" in log


@pytest.mark.parametrize("role", [Role.LEAD_MEMBER, Role.MENTOR, Role.OBSERVER])
def test_nobody_else_stops_somebodys_reminders(
    client: PageClient, make: Factory, db: DbSession, leader: Person, role: Role
) -> None:
    client.sign_in(make.person(role=role).id)
    client.post(f"/team/people/{leader.id}/reminders", {"act": "stop"}, page="/your-devices", status=404)
    assert db.get_one(Person, leader.id).reminders_stopped_at is None


def test_your_support_says_until_when(client: PageClient, leader: Person, ended: Package) -> None:
    client.sign_in(leader.id)
    page = client.get("/your-support")
    assert "Open until 20 May 2023" in page.words()
    stages = [page.words(item) for item in page.all("li", class_="lp-timeline__item")]
    assert any("Last questionnaire" in stage and "20 May 2023" in stage for stage in stages), stages


def test_a_draft_can_be_finished_in_the_grace_and_is_late(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, ended: Package, team: Person
) -> None:
    begun(db, clock, ended, sent=False)
    part_id, package_id = ended.participations[0].id, ended.id
    clock.now = datetime(2023, 5, 22, 9, tzinfo=UTC)
    client.sign_in(leader.id)
    assert "Late: you can still finish until 23 May 2023" in client.get("/your-support").words()
    address = f"/questionnaires/{part_id}/post/once"
    client.post(f"{address}/submit", page=f"{address}/1")
    assert "Sent late" in client.get("/your-support").words()
    client.sign_in(team.id)
    assert "Answered, Late" in client.get(f"/team/packages/{package_id}").words()


def test_what_was_not_finished_is_marked(
    client: PageClient, db: DbSession, clock: SetClock, leader: Person, ended: Package, team: Person
) -> None:
    begun(db, clock, ended, sent=False)
    package_id = ended.id
    clock.now = datetime(2023, 5, 24, 9, tzinfo=UTC)
    client.sign_in(leader.id)
    assert "Not finished" in client.get("/your-support").words()
    client.sign_in(team.id)
    assert "Partial" in client.get(f"/team/packages/{package_id}").words()


def test_who_left_a_group_still_sees_their_support_and_is_asked(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    member = make.person(role=Role.COMMITTEE_MEMBER)
    package = make.package(member, strand=Strand.GROUP, starts_on=date(2023, 2, 1))
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Participation, package.participations[0].id).to_on = date(2023, 2, 20)
    client.sign_in(member.id)
    page = client.get("/your-support")
    assert "This support ended on 20 February 2023." in page.words()
    assert "Open until 20 May 2023" in page.words()


def test_an_end_that_the_contract_cuts_short_warns_with_the_date(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory, leader: Person, team: Person
) -> None:
    package = make.package(leader, strand=Strand.GROUP, starts_on=date(2022, 12, 1))
    with unit_of_work(db, clock, "system:test") as work:
        enter(
            work,
            register=Register.CONTRACT_END,
            letter="L-1",
            from_on=date(2023, 2, 1),
            value_on=date(2023, 4, 30),
        )
    client.sign_in(team.id)
    address = f"/team/packages/{package.id}/end"
    assert (
        "with this end date the last questionnaire closes on 30 April 2023, when the contract ends"
        in client.get(address).words()
    )
    on = {"on-day": "1", "on-month": "3", "on-year": "2023"}
    page = client.follow(client.post(address, on))
    assert "closes on 30 April 2023, when the contract ends" in page.words()


def test_the_team_changes_the_end_date(client: PageClient, ended: Package, team: Person) -> None:
    client.sign_in(team.id)
    address = f"/team/packages/{ended.id}/end/move"
    assert client.get(f"/team/packages/{ended.id}").all("a", href=address)
    refused = client.post(address, {"on-day": "2", "on-month": "3", "on-year": "2023"}, status=422)
    assert "cannot be a day that is still to come" in refused.words()
    page = client.follow(client.post(address, {"on-day": "28", "on-month": "2", "on-year": "2023"}))
    assert "The end date is changed. The last questionnaire closes on 28 May 2023." in page.words()


def test_a_running_package_has_no_end_to_change(
    client: PageClient, make: Factory, leader: Person, team: Person
) -> None:
    client.sign_in(team.id)
    address = f"/team/packages/{make.package(leader).id}/end/move"
    client.post(address, {"on-day": "1", "on-month": "3", "on-year": "2023"}, status=409)


def test_a_member_leaves_and_is_written_to(
    client: PageClient, db: DbSession, make: Factory, team: Person
) -> None:
    people = [make.person(f"Member {number}", role=Role.COMMITTEE_MEMBER) for number in range(2)]
    package = make.package(*people, strand=Strand.GROUP, starts_on=date(2023, 2, 1))
    part = next(one for one in package.participations if one.person_id == people[0].id)
    client.sign_in(team.id)
    address = f"/team/packages/{package.id}/members/{part.id}/end"
    page = client.follow(client.post(address, {"on-day": "28", "on-month": "2", "on-year": "2023"}))
    assert "Left on 28 February 2023" in page.words()
    db.rollback()
    assert [row.about for row in db.scalars(select(Mail))] == [part.id]
    client.get(f"/team/packages/{new_id()}/members/{part.id}/end", status=404)


def test_every_question_with_its_base(
    client: PageClient, db: DbSession, clock: SetClock, ended: Package, team: Person, make: Factory
) -> None:
    """Q-j: what the page says beside every count."""
    begun(db, clock, ended, sent=True)
    client.sign_in(team.id)
    page = client.get("/reports/answers?wave=post")
    assert "1 answered of 1 asked, of 1 to whom it was open." in page.words()
    assert "Fairly confident 1" in page.words()
    assert "Nobody has sent it yet." in client.get("/reports/answers?wave=feedback").words()
    client.get("/reports/answers?wave=post&as_of=never", status=422)
    assert client.get("/reports/kpi").all("a", href="/reports/answers")
    client.sign_in(make.person(role=Role.OBSERVER).id)
    client.get("/reports/answers", status=404)


def test_the_results_show_late_and_how_answers_came(
    client: PageClient, db: DbSession, clock: SetClock, ended: Package, team: Person
) -> None:
    begun(db, clock, ended, sent=True)
    with unit_of_work(db, clock, "system:test") as work:
        row = work.db.scalars(select(Response)).one()
        row.submitted_at, row.mode = datetime(2023, 5, 21, 9, tzinfo=UTC), Mode.INTERVIEW
    clock.now = datetime(2023, 6, 1, 9, tzinfo=UTC)
    client.sign_in(team.id)
    words = client.get("/reports/kpi").words()
    for said in (
        "did not answer in time, counted as no 1",
        "Of those: answered late 1",
        "Answered, late ones too 1",
        "How it came in: 1 in an interview",
    ):
        assert said in words
