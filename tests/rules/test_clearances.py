"""Clearance, undertaking and training: what is missing, what is told when, and whom it keeps from delivering."""

from datetime import date, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DbSession

from portal.attention import attention
from portal.booking import acts as bookings
from portal.booking.acts import NotServing
from portal.mailing import post
from portal.mailing import queue as mail
from portal.mentors import clearance_mails, clearances
from portal.mentors.clearances import PAGES, Gap, OwnRecord, WrongExpiry
from portal.mentors.stops import NotCleared, NotReady
from portal.models import Clearance, ClearanceKind, Mail, Package, Person, Place, Role
from portal.packages import members as matching
from portal.programme import Programme
from privacy.audit import Action, AuditEntry
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory

TODAY = date(2023, 3, 1)
BPSS, DBS, TRAINING = ClearanceKind.BPSS, ClearanceKind.DBS, ClearanceKind.TRAINING


def held(kind: ClearanceKind, from_on: date, expires_on: date, *, ended_on: date | None = None) -> Clearance:
    return Clearance(kind=kind, from_on=from_on, expires_on=expires_on, ended_on=ended_on)


def test_it_holds_until_the_day_before_it_expires() -> None:
    row = held(BPSS, date(2023, 1, 1), date(2023, 3, 1))
    assert clearances.gaps_in([row], [BPSS], on=date(2023, 2, 28)) == ()
    assert clearances.gaps_in([row], [BPSS], on=TODAY) == (Gap(BPSS, TODAY),)
    assert Gap(BPSS, TODAY).words == "BPSS clearance lapsed on 1 March 2023"
    assert clearances.gaps_in([], [BPSS], on=TODAY)[0].words == "BPSS clearance is not recorded"


def test_vetting_stands_in_for_bpss_and_renewals_join() -> None:
    vetting = held(ClearanceKind.VETTING, date(2022, 1, 1), date(2023, 6, 1))
    assert clearances.held_until([vetting], BPSS, on=TODAY) == date(2023, 6, 1)
    renewed = held(BPSS, date(2023, 5, 1), date(2024, 5, 1))
    assert clearances.held_until([vetting, renewed], BPSS, on=TODAY) == date(2024, 5, 1)
    assert clearances.held_until([vetting], TRAINING, on=TODAY) is None


def test_what_is_taken_back_holds_no_more() -> None:
    row = held(BPSS, date(2022, 1, 1), date(2024, 1, 1), ended_on=TODAY)
    assert clearances.gaps_in([row], [BPSS], on=TODAY) == (Gap(BPSS, TODAY),)
    assert clearances.gaps_in([row], [BPSS], on=TODAY - timedelta(days=1)) == ()


def test_contact_with_children_needs_a_dbs_check_and_pages_do_not(make: Factory, db: DbSession) -> None:
    mentor = make.mentor()
    with unit_of_work(db, make.clock, "system:test") as work:
        clearances.set_contact(work, person_id=mentor.id, meets_children=True)
    person = db.get_one(Person, mentor.id)
    assert clearances.gaps(db, [mentor.id], on=TODAY) == {mentor.id: [Gap(DBS, None)]}
    assert clearances.page_gaps(person, on=TODAY) == ()


def test_records_are_kept_and_nobody_clears_themselves(make: Factory, db: DbSession) -> None:
    person = make.person(role=Role.TEAM, cleared=False)
    person_id = person.id
    asked: dict[str, Any] = {"kind": BPSS, "from_on": date(2023, 2, 1), "expires_on": date(2024, 2, 1)}
    with unit_of_work(db, make.clock, "system:test") as work:
        row_id = clearances.record(work, person_id=person_id, **asked, note="Letter 7").id
        clearances.record(work, person_id=person_id, **(asked | {"expires_on": date(2025, 2, 1)}))
    assert [row.note for row in clearances.history(db, person_id)] != []
    assert {row.expires_on.year for row in clearances.history(db, person_id)} == {2024, 2025}
    with unit_of_work(db, make.clock, "system:test") as work:
        clearances.take_back(work, clearance_id=row_id)
        clearances.take_back(work, clearance_id=row_id)
    words = db.scalars(select(AuditEntry.action).where(AuditEntry.object == f"person:{person_id}")).all()
    assert [Action.CLEARANCE_RECORDED.word] * 2 + [Action.CLEARANCE_ENDED.word] == list(words)
    wrong: list[dict[str, Any]] = [
        {"expires_on": date(2023, 2, 1)},
        {"from_on": date(2023, 3, 2)},
        {"expires_on": date(2033, 3, 2)},
        {"expires_on": date(2099, 2, 1)},
    ]
    for changed in wrong:
        with pytest.raises(WrongExpiry), unit_of_work(db, make.clock, "system:test") as work:
            clearances.record(work, person_id=person_id, **(asked | changed))
    with unit_of_work(db, make.clock, "system:test") as work:
        clearances.record(work, person_id=person_id, **(asked | {"expires_on": date(2033, 3, 1)}))
    with pytest.raises(OwnRecord), unit_of_work(db, make.clock, f"person:{person_id}") as work:
        clearances.record(work, person_id=person_id, **asked)


def test_who_is_not_cleared_is_neither_matched_nor_booked(
    make: Factory, db: DbSession, programme: Programme
) -> None:
    mentor, leader = make.mentor(), make.person()
    package = make.package(leader, mentor=mentor, council=make.council(), starts_on=date(2023, 2, 1))
    ids: dict[str, Any] = {"package_id": package.id, "mentor_id": mentor.id}
    with unit_of_work(db, make.clock, "system:test") as work:
        work.db.execute(update(Package).values(baseline_waived_at=work.now))
    times = partial(bookings.times, db, programme, now=make.clock(), limit=5)
    first = times(db.get_one(Package, ids["package_id"]))[0]
    with unit_of_work(db, make.clock, "system:test") as work:
        work.db.execute(delete(Clearance).where(Clearance.kind == TRAINING))
    assert times(db.get_one(Package, ids["package_id"])) == []
    book: dict[str, Any] = {"session_id": new_id(), "starts_at": first.starts_at, "place": Place.REMOTE}
    with pytest.raises(NotServing), unit_of_work(db, make.clock, "system:test") as work:
        bookings.book(work, programme, **ids, **book, free_time=True)
    other = make.package(make.person(), council=make.council()).id
    refused = pytest.raises(NotCleared, match="Data protection training")
    with refused, unit_of_work(db, make.clock, "system:test") as work:
        matching.assign_mentor(work, package_id=other, person_id=ids["mentor_id"])


def test_experience_and_mentor_training_come_before_a_match(make: Factory, db: DbSession) -> None:
    mentor = make.person(role=Role.MENTOR, cleared=False)
    with unit_of_work(db, make.clock, "system:test") as work:
        for kind in PAGES:
            day = date(2023, 1, 1)
            clearances.record(work, person_id=mentor.id, kind=kind, from_on=day, expires_on=date(2024, 1, 1))
    mentor_id, package_id = mentor.id, make.package(make.person(), council=make.council()).id
    with pytest.raises(NotReady), unit_of_work(db, make.clock, "system:test") as work:
        matching.assign_mentor(work, package_id=package_id, person_id=mentor_id)


# ---- mails


class Desk:
    """Somebody whose training expires in 61 days, and one of the team; the worker's pass of a minute."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory) -> None:
        self.stack, self.db, self.bag = stack, db, MailBag()
        self.mentor, self.team = make.mentor("Ada Byron").id, make.person("Tea Tor", role=Role.TEAM).id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.execute(
                update(Clearance)
                .where(Clearance.person_id == self.mentor, Clearance.kind == TRAINING)
                .values(expires_on=TODAY + timedelta(days=61))
            )

    def on_day(self, number: int) -> list[EmailMessage]:
        """What is sent that many days from today at 10, with two passes."""
        self.stack.clock.now = self.stack.clock().replace(hour=10) + timedelta(days=number)
        sessions = partial(DbSession, self.stack.engine, info={"vault": self.stack.instance.vault})
        before = len(self.bag.messages)
        for _ in range(2):
            clearance_mails.run(self.stack.instance, sessions)
            while post.deliver(self.stack.instance, sessions, self.bag):
                pass
        self.stack.clock.now -= timedelta(days=number)
        return self.bag.messages[before:]


@pytest.fixture
def desk(stack: Stack, db: DbSession, make: Factory) -> Desk:
    return Desk(stack, db, make)


def test_both_are_told_60_and_14_days_before_once_each(desk: Desk) -> None:
    sent = {day: desk.on_day(day) for day in (0, 1, 2, 46, 47, 48, 61, 62)}
    assert {day: len(mails) for day, mails in sent.items() if mails} == {1: 2, 47: 2}
    subjects = sorted(str(one["Subject"]) for one in sent[47])
    assert subjects == [
        "Ada Byron: data protection training expires on 1 May 2023",
        "Your data protection training expires on 1 May 2023",
    ]
    own = next(one for one in sent[1] if "Your" in one["Subject"])
    assert "http://localhost/your-clearance" in str(own.get_body(("plain",)))


def test_a_step_that_was_passed_over_is_not_made_up_for(desk: Desk) -> None:
    assert len(desk.on_day(50)) == 2
    steps = desk.db.scalars(select(Mail.step).where(Mail.template == "clearance")).all()
    assert set(steps) == {"14"}


def test_what_was_renewed_is_not_told(desk: Desk) -> None:
    with unit_of_work(desk.db, desk.stack.clock, "system:test") as work:
        row = work.db.scalars(
            select(Clearance).where(Clearance.kind == TRAINING).order_by(Clearance.expires_on)
        )
        mail.queue(work, template="clearance", about=row.first().id, to=desk.mentor, step="60")
        day = date(2023, 2, 1)
        clearances.record(
            work, person_id=desk.mentor, kind=TRAINING, from_on=day, expires_on=date(2025, 1, 1)
        )
    assert desk.on_day(1) == []
    assert desk.on_day(47) == []


def test_the_team_sees_what_is_missing_or_expires(desk: Desk, make: Factory, programme: Programme) -> None:
    make.person("New Comer", role=Role.DPO, cleared=False)
    make.person("Ob Server", role=Role.OBSERVER, cleared=False)
    desk.stack.clock.now += timedelta(days=10)
    found = attention(desk.db, programme, now=desk.stack.clock()).clearances
    named = [(one.person.name, one.kind, one.on) for one in found.first]
    assert named[:3] == [("New Comer", kind, None) for kind in PAGES]
    assert named[3:] == [("Ada Byron", TRAINING, date(2023, 5, 1))]


def test_mails_wait_for_the_morning(stack: Stack, desk: Desk, clock: SetClock) -> None:
    clock.now = clock.now.replace(hour=8) + timedelta(days=1)
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    assert clearance_mails.run(stack.instance, sessions) == 0
