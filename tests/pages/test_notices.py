"""Notices to the Controller as the desk sees them: how each went, other ways, more phases, and the rota."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import duty
from portal.cases import intake as desk_cases
from portal.models import Mail, Mailbox, MailState, Person, Role
from privacy.cases import acts, notices
from privacy.cases.story import ClockName
from privacy.cases.tables import CaseKind, Channel, Event, Notice, NoticeKind, Sending
from privacy.clock import london
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def officer(make: Factory) -> UUID:
    person_id = make.person("Dee Officer", role=Role.DPO).id
    make.db.rollback()
    return person_id


@pytest.fixture
def dpo(client: PageClient, officer: UUID) -> PageClient:
    return client.sign_in(officer)


class Filed:
    """A case with its first notice."""

    def __init__(self, stack: Stack, db: DbSession, clock: SetClock) -> None:
        self.stack, self.db, self.clock = stack, db, clock

    def take_in(self, kind: CaseKind = CaseKind.INCIDENT, **more: Any) -> UUID:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            self.case_id = desk_cases.take_in(
                work,
                self.stack.instance.programme,
                kind=kind,
                channel=Channel.PHONE,
                received_at=self.clock(),
                asked="A letter was lost",
                contact={"name": "Ada Quill"},
                **more,
            ).id
        return self.notice_id

    @property
    def notice_id(self) -> UUID:
        self.db.rollback()
        asked = select(Notice.id).where(Notice.case_id == self.case_id).order_by(Notice.number.desc())
        return self.db.scalars(asked).first()

    def refuse(self, to: Mailbox) -> None:
        with unit_of_work(self.db, self.clock, "system:post") as work:
            sending = work.db.scalars(select(Sending).where(Sending.to == to)).one()
            notices.failed(work, sending, why="The mail server refused the address (550)")

    def happened(self, kind: Event) -> int:
        self.db.rollback()
        self.db.expire_all()
        return len(acts.read(self.db, self.case_id).of(kind))


@pytest.fixture
def filed(stack: Stack, db: DbSession, clock: SetClock) -> Filed:
    return Filed(stack, db, clock)


def carried(dpo: PageClient, notice_id: UUID, **changes: Any) -> Page:
    form = {
        "way": "post",
        "to": "department",
        "on-day": "1",
        "on-month": "3",
        "on-year": "2023",
        "at": "9:00am",
        "evidence": "Receipt RN 4411",
    }
    status = 422 if changes.pop("refused", "") else 303
    return dpo.post(f"/desk/notices/{notice_id}/carried", {**form, **changes}, status=status)


def test_the_page_says_what_went_how_and_what_it_said(dpo: PageClient, filed: Filed) -> None:
    notice_id = filed.take_in()
    page = dpo.get(f"/desk/notices/{notice_id}")
    words = page.words()
    for said in (
        "On its way",
        "Department for Education, contract manager",
        "A letter was lost",
        "Ada Quill",
    ):
        assert said in words
    assert "Has not arrived" not in words
    paper = dpo.http.get(f"/desk/notices/{notice_id}/paper?to=department")
    assert paper.mimetype == "application/pdf"
    assert paper.data.startswith(b"%PDF")
    assert "notice-1.pdf" in paper.headers["Content-Disposition"]


def test_what_was_refused_says_whom_to_ring_and_goes_again(dpo: PageClient, filed: Filed) -> None:
    notice_id = filed.take_in()
    filed.refuse(Mailbox.DEPARTMENT)
    page = dpo.get(f"/desk/notices/{notice_id}")
    assert "01632 960110" in page.words()
    assert "refused the address (550)" in page.words()
    assert "01632 960110" in dpo.get("/desk").words()
    assert "failed" in dpo.get(f"/desk/cases/{filed.case_id}").words()
    again = f"/desk/notices/{notice_id}/again"
    assert page.all("a", href=f"{again}?to=department")
    asked = dpo.get(f"{again}?to=department")
    assert "Nobody can call it back" in asked.words()
    assert asked.all("input", name="to")[0].get("value") == "department"
    filed.db.rollback()
    assert len(filed.db.scalars(select(Mail).where(Mail.mailbox == Mailbox.DEPARTMENT)).all()) == 1
    dpo.post(again, {"to": "department"}, page="/desk/duty", status=303)
    page = dpo.post(again, {"to": "department"}, page="/desk/duty", status=409)
    assert "still on its way" in page.words()
    for wrong in ("team", "", "controller_dpo"):
        dpo.post(again, {"to": wrong}, page="/desk/duty", status=409)
    filed.db.rollback()
    waiting = filed.db.scalars(select(Mail).where(Mail.mailbox == Mailbox.DEPARTMENT)).all()
    assert [mail.state for mail in waiting] == [MailState.WAITING] * 2


def test_that_the_controller_was_told_by_phone_is_recorded_from_a_notice_that_has_not_arrived(
    client: PageClient, officer: UUID, filed: Filed, clock: SetClock
) -> None:
    notice_id = filed.take_in()
    at, case = f"/desk/notices/{notice_id}", f"/desk/cases/{filed.case_id}"
    clock.now = NOW + timedelta(minutes=20)
    dpo = client.sign_in(officer)
    page = dpo.get(at)
    assert "Ring " in page.words()
    assert page.all("a", href=f"{case}#next")
    shown = dpo.get(case)
    assert "nothing shows yet that the Controller knows" in shown.words()
    assert "Who told whom, and how: by phone, by hand or otherwise" in shown.words()
    moment = london(NOW + timedelta(minutes=17))
    form = {
        "event": "controller_notified",
        "event_id": str(uuid4()),
        "evidence": "Dee rang the contract manager, who wrote it down",
        "on-day": str(moment.day),
        "on-month": str(moment.month),
        "on-year": str(moment.year),
        "at": f"{moment:%H:%M}",
    }
    told = dpo.follow(dpo.post(f"{case}/events", form, page=case))
    assert "Dee rang the contract manager" in told.words()
    assert "nothing shows yet that the Controller knows" not in told.words()
    filed.db.rollback()
    story = acts.read(filed.db, filed.case_id)
    met = {one.name: one.met_at for one in story.clocks(now=clock.now)}
    assert met[ClockName.NOTIFY] == NOW + timedelta(minutes=17), "judged by when they were told"
    filed.db.rollback()
    for page in (dpo.get(at), dpo.get("/desk")):
        assert "The Controller was told another way" in page.words()
        assert "The notice itself still has to be served" in page.words()
        assert "Ring " not in page.words()


def test_by_post_and_by_hand(dpo: PageClient, filed: Filed, clock: SetClock) -> None:
    notice_id = filed.take_in()
    clock.now = NOW + timedelta(minutes=10)
    page = dpo.follow(carried(dpo, notice_id))
    assert "Friday 3 March 2023, 9am" in page.words()
    assert "Receipt RN 4411" in page.words()
    carried(dpo, notice_id, way="hand", to="controller_dpo")
    assert filed.happened(Event.CONTROLLER_NOTIFIED) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"at": "11:59pm"},
        {"on-year": "2022"},
        {"on-day": "31", "on-month": "2"},
        {"at": "soon"},
        {"evidence": " "},
        {"to": "dpo"},
        {"way": "email"},
        # The clocks go forward: this time there was none.
        {"on-day": "27", "on-month": "3", "on-year": "2022", "at": "1:30am"},
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(
    dpo: PageClient, filed: Filed, changes: dict[str, str]
) -> None:
    notice_id = filed.take_in()
    page = carried(dpo, notice_id, refused="yes", **changes)
    assert page.all("div", **{"class": "govuk-error-summary"})
    assert "Receipt RN 4411" in page.text or "evidence" in changes
    assert filed.happened(Event.CONTROLLER_NOTIFIED) == 0


def test_more_is_told_in_phases_and_a_form_sent_twice_counts_once(dpo: PageClient, filed: Filed) -> None:
    filed.take_in()
    at = f"/desk/cases/{filed.case_id}/notices/new"
    page = dpo.get(at)
    assert "The outcome of this incident" not in page.words()
    form = {"kind": "further", "text": "Two people are affected", "phase": "2"}
    assert "Notice 2" in dpo.follow(dpo.post(at, form, status=303)).heading
    page = dpo.post(at, form, status=409)
    assert "Notice 2 of this case has gone meanwhile" in page.words()
    assert page.all("input", name="phase")[0].get("value") == "3"
    assert "Two people are affected" in page.text
    for wrong in ({"text": " "}, {"kind": "first"}, {"text": "a" * 8001}):
        dpo.post(at, {**form, "phase": "3", **wrong}, status=422)
    filed.db.rollback()
    assert len(filed.db.scalars(select(Notice)).all()) == 2


def test_a_closed_case_and_a_suspicion_have_nothing_to_send(dpo: PageClient, filed: Filed) -> None:
    filed.take_in(draft=True)
    page = dpo.get(f"/desk/cases/{filed.case_id}/notices/new")
    assert "Nothing can be sent in this case now" in page.words()
    form = {"kind": "further", "text": "More"}
    dpo.post(f"/desk/cases/{filed.case_id}/notices/new", form, status=422)


def test_an_exercise_goes_to_the_desk(dpo: PageClient, filed: Filed) -> None:
    notice_id = filed.take_in(exercise=True)
    page = dpo.get(f"/desk/notices/{notice_id}")
    assert "This is an exercise" in page.words()
    assert "Department for Education" not in page.words(page.all("main")[0])
    carried(dpo, notice_id, refused="yes")


def test_nobody_sees_notices_of_a_case_about_themselves(dpo: PageClient, officer: UUID, filed: Filed) -> None:
    notice_id = filed.take_in(CaseKind.ACCESS, subject_id=officer)
    dpo.get(f"/desk/notices/{notice_id}", status=404)
    dpo.get(f"/desk/cases/{filed.case_id}/notices/new", status=404)


def test_the_rota(dpo: PageClient, make: Factory, db: DbSession) -> None:
    make.person("Will Weekend", role=Role.TEAM)
    make.db.rollback()
    assert "Nobody is on duty yet" in dpo.get("/desk/duty").words()
    will = db.scalars(
        select(Person.id).join(Person.offices).where(Person.offices.any(role=Role.TEAM))
    ).first()
    days = {"from_on-day": "4", "from_on-month": "3", "from_on-year": "2023"}
    until = {"to_on-day": "5", "to_on-month": "3", "to_on-year": "2023"}
    page = dpo.follow(dpo.post("/desk/duty", {"person_id": str(will), **days, **until}, status=303))
    assert "Sunday 5 March 2023" in page.words()
    assert "Will Weekend" in page.words()
    page = dpo.post("/desk/duty", {"person_id": str(will), **days, **until, "to_on-day": "3"}, status=422)
    assert "The last day is earlier than the first" in page.words()
    dpo.post("/desk/duty", {"person_id": str(NoticeKind.FIRST), **days, **until}, status=422)
    db.rollback()
    (row,) = duty.coming(db, on=date(2023, 3, 1))
    duty_id = row.id
    db.rollback()
    for _ in range(2):
        dpo.post(f"/desk/duty/{duty_id}/remove", {}, page="/desk/duty", status=303)
    assert "Nobody is on duty yet" in dpo.get("/desk/duty").words()
