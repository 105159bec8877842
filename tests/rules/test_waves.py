"""When waves are open: computed from dates, in London days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session as DbSession

from portal import questionnaires
from portal.models import (
    Attendance,
    AttendanceState,
    PackageState,
    Participation,
    Person,
    Place,
    Session,
    SessionKind,
    SessionState,
)
from portal.programme import Programme
from privacy.clock import Clock, end_of_day, start_of_day
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from surveys.models import Wave
from surveys.waves import Window, baseline_window, feedback_window, post_window
from tests.factories import Factory

CONTRACT_END = date(2024, 3, 31)


@pytest.mark.parametrize(
    "ended_on, last_day",
    [
        (date(2022, 11, 30), date(2023, 2, 28)),
        (date(2023, 11, 30), date(2024, 2, 29)),
        (date(2023, 3, 15), date(2023, 6, 15)),
        (date(2023, 1, 31), date(2023, 4, 30)),
        (date(2024, 2, 10), CONTRACT_END),
        (CONTRACT_END, CONTRACT_END),
    ],
)
def test_post_closes_three_months_later_to_the_day_and_with_the_contract(
    ended_on: date, last_day: date
) -> None:
    window = post_window(ended_on, months=3, contract_ends_on=CONTRACT_END)
    assert window.last_day == last_day
    assert window.opens_at == start_of_day(ended_on)


def test_the_last_day_is_a_london_day() -> None:
    window = post_window(date(2023, 3, 30), months=3, contract_ends_on=CONTRACT_END)
    assert datetime(2023, 6, 30, 22, 30, tzinfo=UTC) in window, "23:30 in London on 30 June"
    assert datetime(2023, 6, 30, 23, 30, tzinfo=UTC) not in window, "00:30 in London on 1 July"


def test_a_window_has_closed_only_once_its_last_day_is_over() -> None:
    window = post_window(date(2022, 11, 30), months=3, contract_ends_on=CONTRACT_END)
    assert not window.closed_before(date(2023, 2, 28))
    assert window.closed_before(date(2023, 3, 1))


def test_baseline_gives_way_to_post() -> None:
    opens_at = datetime(2023, 1, 2, 9, tzinfo=UTC)
    running = baseline_window(opens_at, ended_on=None, contract_ends_on=CONTRACT_END)
    assert running == Window(opens_at, end_of_day(CONTRACT_END))
    over = baseline_window(opens_at, ended_on=date(2023, 2, 3), contract_ends_on=CONTRACT_END)
    assert over.closes_at == post_window(date(2023, 2, 3), months=3, contract_ends_on=CONTRACT_END).opens_at


def test_feedback_is_open_for_a_fortnight_of_whole_days() -> None:
    ended_at = datetime(2023, 3, 1, 15, tzinfo=UTC)
    window = feedback_window(ended_at, days=14)
    assert (window.opens_at, window.last_day) == (ended_at, date(2023, 3, 15))


def held(
    db: DbSession,
    clock: Clock,
    part: Participation,
    mentor: Person,
    starts_at: datetime,
    state: AttendanceState = AttendanceState.ATTENDED,
) -> Session:
    package_id, mentor_id = part.package_id, mentor.id
    person_id, participation_id = part.person_id, part.id
    with unit_of_work(db, clock, "system:test") as work:
        session = Session(
            id=new_id(),
            package_id=package_id,
            mentor_id=mentor_id,
            kind=SessionKind.ONE_TO_ONE,
            state=SessionState.HELD,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            place=Place.REMOTE,
            uid=f"{new_id()}@test",
            sequence=0,
            created_at=work.now,
            by="system:test",
        )
        work.db.add(session)
        work.db.flush()
        work.db.add(
            Attendance(
                id=new_id(),
                session_id=session.id,
                person_id=person_id,
                participation_id=participation_id,
                state=state,
                booked_at=work.now,
                by="system:test",
            )
        )
    return session


def test_what_is_due_follows_the_package(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    mentor, leader = make.mentor(), make.person()
    package = make.package(leader, mentor=mentor)
    part = package.participations[0]
    now = clock()
    assert [one.wave for one in questionnaires.due(db, programme, [part], now=now)] == [Wave.BASELINE]

    held(db, clock, part, mentor, now - timedelta(days=2))
    held(db, clock, part, mentor, now - timedelta(days=40))
    held(db, clock, part, mentor, now - timedelta(days=1), AttendanceState.ABSENT)
    due = questionnaires.due(db, programme, [part], now=now)
    assert [one.wave for one in due].count(Wave.FEEDBACK) == 1, "in its fortnight, and attended"

    with unit_of_work(db, clock, "system:test"):
        package.state, package.ends_on = PackageState.ENDED, date(2023, 2, 20)
    (post,) = (one for one in questionnaires.due(db, programme, [part], now=now) if one.wave is Wave.POST)
    assert post.closes_at == end_of_day(date(2023, 5, 20))
    assert post.state is None


def test_an_early_end_of_the_contract_clips_the_window(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    package = make.package(make.person(), state=PackageState.ENDED, ends_on=date(2023, 2, 20))
    with unit_of_work(db, clock, "system:test") as work:
        enter(
            work,
            register=Register.CONTRACT_END,
            letter="L-1",
            from_on=date(2023, 2, 1),
            value_on=date(2023, 4, 30),
        )
    due = questionnaires.due(db, programme, package.participations, now=clock())
    (post,) = (one for one in due if one.wave is Wave.POST)
    assert post.closes_at == end_of_day(date(2023, 4, 30))


@pytest.mark.parametrize("state", [PackageState.PROPOSED, PackageState.WITHDRAWN])
def test_nobody_is_asked_about_support_that_was_not_agreed(
    db: DbSession, make: Factory, clock: Clock, programme: Programme, state: PackageState
) -> None:
    package = make.package(make.person(), state=state)
    assert questionnaires.due(db, programme, package.participations, now=clock()) == []
