"""When waves are open: computed from dates, in London days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.answers import questionnaires, windows
from portal.models import (
    Attendance,
    AttendanceState,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import acts as packages
from portal.programme import Programme
from privacy.clock import Clock, end_of_day, start_of_day
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from surveys.models import Wave
from surveys.waves import (
    Stand,
    Terms,
    baseline_window,
    feedback_window,
    interim_windows,
    post_is_clipped,
    post_window,
    stand,
)
from tests.conftest import SetClock
from tests.factories import Factory

CONTRACT_END = date(2024, 3, 31)
TERMS = Terms(
    post_months=3,
    feedback_days=14,
    interim_months=(4, 8),
    interim_days=14,
    grace_days=3,
    contract_ends_on=CONTRACT_END,
)
INVITED_AT = datetime(2023, 1, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "ended_on, last_day",
    [
        (date(2022, 11, 30), date(2023, 2, 28)),
        (date(2023, 11, 30), date(2024, 2, 29)),
        (date(2023, 3, 15), date(2023, 6, 15)),
        (date(2023, 1, 31), date(2023, 4, 30)),
        (date(2023, 12, 31), CONTRACT_END),
        (date(2024, 2, 10), CONTRACT_END),
        (CONTRACT_END, CONTRACT_END),
    ],
)
def test_post_closes_three_months_later_to_the_day_and_with_the_contract(
    ended_on: date, last_day: date
) -> None:
    window = post_window(ended_on, terms=TERMS)
    assert window.last_day == last_day
    assert window.opens_at == start_of_day(ended_on)


@pytest.mark.parametrize(
    "ended_on, clipped", [(date(2023, 12, 31), False), (date(2024, 1, 1), True), (CONTRACT_END, True)]
)
def test_an_end_that_the_contract_cuts_short_is_known(ended_on: date, clipped: bool) -> None:
    assert post_is_clipped(ended_on, terms=TERMS) is clipped


def test_the_last_day_is_a_london_day() -> None:
    """Q-i: a window that closes on 30 June."""
    window = post_window(date(2023, 3, 30), terms=TERMS)
    in_time, late = datetime(2023, 6, 30, 22, 30, tzinfo=UTC), datetime(2023, 6, 30, 23, 30, tzinfo=UTC)
    assert in_time in window, "23:30 in London on 30 June"
    assert not window.late(in_time)
    assert late not in window, "00:30 in London on 1 July"
    assert window.late(late)


def test_a_window_has_closed_only_once_its_last_day_is_over() -> None:
    window = post_window(date(2022, 11, 30), terms=TERMS)
    assert not window.closed_before(date(2023, 2, 28))
    assert window.closed_before(date(2023, 3, 1))


@pytest.mark.parametrize(
    "first_session_at, ended_on, closes_at",
    [
        (None, None, end_of_day(CONTRACT_END)),
        (datetime(2023, 2, 1, 10, tzinfo=UTC), None, datetime(2023, 2, 1, 10, tzinfo=UTC)),
        (datetime(2023, 2, 1, 10, tzinfo=UTC), date(2023, 5, 1), datetime(2023, 2, 1, 10, tzinfo=UTC)),
        (None, date(2023, 2, 3), datetime(2023, 2, 3, tzinfo=UTC)),
    ],
)
def test_baseline_closes_when_the_first_session_starts(
    first_session_at: datetime | None, ended_on: date | None, closes_at: datetime
) -> None:
    window = baseline_window(INVITED_AT, first_session_at=first_session_at, ended_on=ended_on, terms=TERMS)
    assert (window.opens_at, window.closes_at) == (INVITED_AT, closes_at)


def test_interim_waves_come_at_intervals_while_support_runs() -> None:
    months = [
        (months, window.opens_at, window.last_day)
        for months, window in interim_windows(date(2022, 10, 31), ended_on=None, terms=TERMS)
    ]
    assert months == [
        (4, start_of_day(date(2023, 2, 28)), date(2023, 3, 14)),
        (8, start_of_day(date(2023, 6, 30)), date(2023, 7, 14)),
    ]
    ended = interim_windows(date(2022, 10, 31), ended_on=date(2023, 7, 4), terms=TERMS)
    assert [window.closes_at for _, window in ended] == [
        end_of_day(date(2023, 3, 14)),
        start_of_day(date(2023, 7, 4)),
    ]
    assert len(interim_windows(date(2022, 10, 31), ended_on=date(2023, 6, 30), terms=TERMS)) == 1
    none = replace(TERMS, interim_months=())
    assert interim_windows(date(2022, 10, 31), ended_on=None, terms=none) == []


def test_feedback_is_open_for_a_fortnight_of_whole_days() -> None:
    ended_at = datetime(2023, 3, 1, 15, tzinfo=UTC)
    window = feedback_window(ended_at, terms=TERMS)
    assert (window.opens_at, window.last_day) == (ended_at, date(2023, 3, 15))


def test_a_draft_has_three_days_of_grace_and_none_past_the_contract() -> None:
    window = post_window(date(2022, 11, 30), terms=TERMS)
    assert window.grace_day == date(2023, 3, 3)
    first_day, last = datetime(2023, 3, 1, 9, tzinfo=UTC), datetime(2023, 3, 3, 23, 59, tzinfo=UTC)
    assert window.takes(first_day, started=True)
    assert window.takes(last, started=True)
    assert not window.takes(last, started=False), "who had not begun is too late"
    assert not window.takes(last + timedelta(minutes=1), started=True)
    assert post_window(CONTRACT_END, terms=TERMS).finish_by == end_of_day(CONTRACT_END)
    session_at = datetime(2023, 2, 1, 10, tzinfo=UTC)
    baseline = baseline_window(INVITED_AT, first_session_at=session_at, ended_on=None, terms=TERMS)
    assert baseline.grace_day == date(2023, 2, 4)


@pytest.mark.parametrize(
    "now, started, submitted_at, expected",
    [
        (datetime(2022, 11, 29, tzinfo=UTC), False, None, Stand.COMING),
        (datetime(2022, 12, 1, tzinfo=UTC), False, None, Stand.OPEN),
        (datetime(2022, 12, 1, tzinfo=UTC), True, None, Stand.STARTED),
        (datetime(2023, 3, 1, tzinfo=UTC), True, None, Stand.GRACE),
        (datetime(2023, 3, 4, tzinfo=UTC), True, None, Stand.PARTIAL),
        (datetime(2023, 3, 1, tzinfo=UTC), False, None, Stand.MISSED),
        (datetime(2023, 3, 4, tzinfo=UTC), True, datetime(2023, 2, 28, 23, 59, tzinfo=UTC), Stand.SENT),
        (datetime(2023, 3, 4, tzinfo=UTC), True, datetime(2023, 3, 1, tzinfo=UTC), Stand.LATE),
        (datetime(2023, 3, 4, tzinfo=UTC), True, datetime(2022, 11, 1, tzinfo=UTC), Stand.SENT),
    ],
)
def test_how_somebody_stands(
    now: datetime, started: bool, submitted_at: datetime | None, expected: Stand
) -> None:
    window = post_window(date(2022, 11, 30), terms=TERMS)
    assert stand(window, now=now, started=started, submitted_at=submitted_at) is expected


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


def test_a_first_session_closes_the_baseline_and_moving_it_moves_the_window(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    package = make.package(make.person())
    part, now = package.participations[0], clock()

    def closes_at() -> datetime:
        (one,) = (
            found for found in windows.openings(db, programme, [part], now=now) if found.wave is Wave.BASELINE
        )
        return one.window.closes_at

    assert closes_at() == end_of_day(CONTRACT_END)
    held(db, clock, part, make.mentor(), now + timedelta(days=1), AttendanceState.CANCELLED)
    assert closes_at() == end_of_day(CONTRACT_END), "who gave the place up has had no session"
    first = held(db, clock, part, make.mentor(), now + timedelta(days=9), AttendanceState.BOOKED)
    assert closes_at() == now + timedelta(days=9)
    with unit_of_work(db, clock, "system:test"):
        first.starts_at, first.ends_at = now + timedelta(days=12), now + timedelta(days=12, hours=1)
    assert closes_at() == now + timedelta(days=12)
    with unit_of_work(db, clock, "system:test"):
        first.state = SessionState.CANCELLED
    assert closes_at() == end_of_day(CONTRACT_END)


def test_who_leaves_a_group_is_asked_from_their_own_last_day(
    db: DbSession, make: Factory, clock: SetClock, programme: Programme
) -> None:
    people = [make.person(role=Role.COMMITTEE_MEMBER) for _ in range(2)]
    package = make.package(*people, strand=Strand.GROUP, starts_on=date(2022, 12, 1))
    leaver = next(part.id for part in package.participations if part.person_id == people[0].id)
    with unit_of_work(db, clock, "system:test") as work:
        packages.leave(work, programme, package_id=package.id, participation_id=leaver, on=date(2023, 2, 28))
    found = windows.openings(db, programme, package.participations, now=clock())
    posts = {one.participation_id: one.window.last_day for one in found if one.wave is Wave.POST}
    assert posts == {leaver: date(2023, 5, 28)}


def test_moving_the_end_moves_the_window(
    db: DbSession, make: Factory, clock: SetClock, programme: Programme
) -> None:
    package = make.package(
        make.person(), state=PackageState.ENDED, starts_on=date(2022, 9, 1), ends_on=date(2022, 11, 30)
    )
    part = package.participations[0]

    def last_day() -> date:
        found = windows.openings(db, programme, [part], now=clock())
        return next(one.window.last_day for one in found if one.wave is Wave.POST)

    assert last_day() == date(2023, 2, 28)
    with unit_of_work(db, clock, "system:test") as work:
        packages.move_end(work, programme, package_id=package.id, on=date(2023, 1, 20))
    assert last_day() == date(2023, 4, 20)
    with unit_of_work(db, clock, "system:test") as work, pytest.raises(packages.WrongEnd):
        packages.move_end(work, programme, package_id=package.id, on=date(2023, 3, 2))
