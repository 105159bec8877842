"""Booking, moving and cancelling, group places, and what took place: the rules, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import delivery, diary, hours
from portal.booking.acts import NotOffered, OutsideContract
from portal.booking.availability import Interval, Span
from portal.booking.delivery import EndedWithLess, NobodyCame, NoSuchLength, NotYet, Outcome
from portal.booking.diary import TimeTaken
from portal.booking.standing import BaselineMissing, FormUsed, SessionClosed, SupportClosed
from portal.groups import sessions
from portal.groups.sessions import SessionFull
from portal.mentors.serving import NotServing
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    Occupied,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import acts as packages
from portal.programme import Programme
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys.models import Mode, Response, ResponseState, Version, Wave
from tests.conftest import SetClock
from tests.factories import Factory

# Thursday 2 March 2023, inside the factory's hours (9am to midday, 1pm to 5pm) and past the day's notice.
TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
STARTED = date(2023, 2, 1)


class World:
    """One leader with one mentor, and the rules called as a view would."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.make, self.clock, self.programme = db, make, clock, programme
        self.mentor = make.mentor("Ada Merriweather").id
        self.leader = make.person("Sam Okoro").id
        self.package = self.support(self.leader, self.mentor)

    def support(self, leader: UUID, mentor: UUID, *, waived: bool = True) -> UUID:
        people = self.db.get_one(Person, leader), self.db.get_one(Person, mentor)
        package_id = self.make.package(
            people[0], mentor=people[1], state=PackageState.BASELINE, starts_on=STARTED
        ).id
        if waived:
            self.waive(package_id)
        return package_id

    def waive(self, package_id: UUID) -> None:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            work.db.execute(
                update(Package).where(Package.id == package_id).values(baseline_waived_at=self.clock())
            )

    def book(self, starts_at: datetime = TEN, **more: Any) -> Session:
        asked = {
            "package_id": self.package,
            "session_id": uuid4(),
            "mentor_id": self.mentor,
            "starts_at": starts_at,
            "place": Place.REMOTE,
            **more,
        }
        with unit_of_work(self.db, self.clock, "person:test") as work:
            return bookings.book(work, self.programme, **asked)

    def move(self, session_id: UUID, starts_at: datetime, **more: Any) -> Session:
        with unit_of_work(self.db, self.clock, "person:test") as work:
            asked = {"place": Place.REMOTE, **more}
            return bookings.move(work, self.programme, session_id=session_id, starts_at=starts_at, **asked)

    def cancel(self, session_id: UUID) -> Session:
        with unit_of_work(self.db, self.clock, "person:test") as work:
            return bookings.cancel(work, session_id=session_id)

    def times(self, package_id: UUID | None = None, limit: int = 500, **more: Any) -> list[datetime]:
        package = self.db.get_one(Package, package_id or self.package)
        found = bookings.times(self.db, self.programme, package, now=self.clock(), limit=limit, **more)
        return [choice.starts_at for choice in found]

    def cells(self, person_id: UUID) -> int:
        self.db.rollback()
        asked = select(func.count()).select_from(Occupied).where(Occupied.person_id == person_id)
        return self.db.scalar(asked) or 0

    def steps(self, person_id: UUID, about: UUID) -> list[str]:
        self.db.rollback()
        asked = select(Mail.step).where(Mail.person_id == person_id, Mail.about == about)
        return sorted(self.db.scalars(asked.where(Mail.template == "session")))


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


def test_the_list_shows_the_mentors_hours_after_the_notice(world: World) -> None:
    nine, one = TEN - timedelta(hours=1), TEN + timedelta(hours=3)
    morning = [nine + timedelta(minutes=30 * step) for step in range(5)]
    assert world.times()[:6] == [*morning, one]


def test_a_booking_takes_the_time_of_both_and_writes_to_both(world: World) -> None:
    booked = world.book(where="https://meet.example/1")
    assert (booked.starts_at, booked.ends_at) == (TEN, TEN + timedelta(hours=1))
    assert booked.state is SessionState.BOOKED
    assert booked.sequence == 0
    assert booked.uid.startswith(f"{booked.id}@")
    assert world.cells(world.leader) == 4
    assert world.cells(world.mentor) == 6
    assert world.steps(world.mentor, booked.id) == world.steps(world.leader, booked.id) == ["0"]
    assert world.db.get_one(Package, world.package).state is PackageState.ACTIVE


def test_a_booked_time_leaves_the_list_with_its_buffers(world: World) -> None:
    world.book()
    left = world.times()
    assert not [time for time in left if time < TEN + timedelta(hours=3)]
    with pytest.raises(TimeTaken):
        world.book(TEN + timedelta(minutes=30))


def test_the_same_form_twice_gives_the_first_result(world: World) -> None:
    form = uuid4()
    first = world.book(session_id=form).id
    assert world.book(session_id=form).id == first
    assert world.db.scalar(select(func.count()).select_from(Session)) == 1
    with pytest.raises(FormUsed):
        world.book(TEN + timedelta(hours=4), session_id=form)


def test_a_form_id_of_another_package_is_refused(world: World) -> None:
    other = world.support(world.make.person().id, world.make.mentor().id)
    form = world.book().id
    mentor = world.db.scalars(select(Person.id).where(Person.id.not_in([world.mentor, world.leader]))).first()
    with pytest.raises(FormUsed):
        world.book(package_id=other, session_id=form, mentor_id=mentor)


def test_the_leader_is_not_booked_twice_by_two_mentors(world: World) -> None:
    second = world.make.mentor().id
    other = world.support(world.leader, second)
    world.book()
    with pytest.raises(TimeTaken):
        world.book(package_id=other, mentor_id=second, starts_at=TEN)
    assert TEN not in world.times(other)


@pytest.mark.parametrize(
    "starts_at",
    [
        datetime(2023, 3, 1, 15, 0, tzinfo=UTC),  # too soon: notice is a day
        datetime(2023, 3, 2, 12, 0, tzinfo=UTC),  # between the hours
        datetime(2023, 3, 2, 10, 15, tzinfo=UTC),  # off the half hour
        datetime(2023, 5, 31, 10, 0, tzinfo=UTC),  # too far ahead
        datetime(2023, 4, 7, 10, 0, tzinfo=UTC),  # Good Friday
        datetime(2023, 2, 28, 10, 0, tzinfo=UTC),  # past
    ],
)
def test_times_that_are_not_offered_are_refused(world: World, starts_at: datetime) -> None:
    with pytest.raises(NotOffered):
        world.book(starts_at)
    assert world.cells(world.mentor) == 0


def test_those_who_serve_book_any_free_time_ahead(world: World) -> None:
    evening = datetime(2023, 3, 1, 19, 15, tzinfo=UTC)
    booked = world.book(evening, free_time=True, minutes=90)
    assert booked.ends_at - booked.starts_at == timedelta(minutes=90)
    with pytest.raises(TimeTaken):
        world.book(evening + timedelta(minutes=75), free_time=True)
    with pytest.raises(NotOffered):
        world.book(datetime(2023, 3, 1, 8, 0, tzinfo=UTC), free_time=True)


def test_a_session_lies_inside_the_contract(world: World) -> None:
    world.clock.now = datetime(2024, 3, 28, 9, 0, tzinfo=UTC)
    with pytest.raises(OutsideContract, match=r"31 March 2024.*programme\.toml"):
        world.book(datetime(2024, 4, 2, 10, 0, tzinfo=UTC))
    assert all(time < datetime(2024, 4, 1, tzinfo=UTC) for time in world.times())


def test_no_first_session_without_the_baseline(world: World) -> None:
    package = world.support(world.make.person().id, world.mentor, waived=False)
    with pytest.raises(BaselineMissing):
        world.book(package_id=package)
    _answer_baseline(world, package)
    assert world.book(package_id=package).state is SessionState.BOOKED


def test_the_team_can_waive_the_baseline(world: World) -> None:
    package = world.support(world.make.person().id, world.mentor, waived=False)
    with pytest.raises(BaselineMissing):
        world.book(package_id=package)
    with unit_of_work(world.db, world.clock, "person:team") as work:
        packages.waive_baseline(work, package_id=package, reason="An inspection is under way")
    assert world.book(package_id=package)


def test_only_a_serving_mentor_and_open_support_can_be_booked(world: World) -> None:
    with pytest.raises(NotServing):
        world.book(mentor_id=world.make.mentor().id)
    with unit_of_work(world.db, world.clock, "system:test") as work:
        work.db.get_one(Package, world.package).state = PackageState.ENDED
    with pytest.raises(SupportClosed):
        world.book()
    assert world.times() == []


def test_moving_three_times_and_cancelling_counts_the_sequence(world: World) -> None:
    booked = world.book().id
    for hour in (13, 14, 15):
        world.move(booked, TEN.replace(hour=hour))
    changed = world.move(booked, TEN.replace(hour=15), place=Place.IN_PERSON, where="Town hall, room 2")
    assert (changed.sequence, changed.where) == (4, "Town hall, room 2")
    uid = changed.uid
    gone = world.cancel(booked)
    assert (gone.sequence, gone.uid, gone.state) == (5, uid, SessionState.CANCELLED)
    assert world.steps(world.leader, booked) == ["0", "1", "2", "3", "4", "5"]
    assert world.cells(world.mentor) == world.cells(world.leader) == 0


def test_the_same_change_twice_is_one_change(world: World) -> None:
    booked = world.book().id
    assert world.move(booked, TEN.replace(hour=14)).sequence == 1
    assert world.move(booked, TEN.replace(hour=14)).sequence == 1
    assert world.cancel(booked).sequence == 2
    assert world.cancel(booked).sequence == 2


def test_a_session_moves_over_its_own_old_time(world: World) -> None:
    booked = world.book().id
    assert TEN + timedelta(minutes=30) in world.times(moving=booked)
    moved = world.move(booked, TEN + timedelta(minutes=30))
    assert moved.starts_at == TEN + timedelta(minutes=30)
    assert world.cells(world.leader) == 4
    assert world.cells(world.mentor) == 6


def test_a_move_that_fails_leaves_the_old_time_taken(world: World) -> None:
    booked = world.book().id
    world.book(TEN + timedelta(hours=4))
    with pytest.raises(TimeTaken):
        world.move(booked, TEN + timedelta(hours=4))
    assert world.db.get_one(Session, booked).starts_at == TEN
    assert world.cells(world.leader) == 8
    assert world.steps(world.leader, booked) == ["0"]


def test_what_has_begun_is_not_moved_or_cancelled(world: World) -> None:
    booked = world.book().id
    world.clock.now = TEN + timedelta(minutes=5)
    with pytest.raises(SessionClosed):
        world.move(booked, TEN + timedelta(days=4))
    with pytest.raises(SessionClosed):
        world.cancel(booked)


def test_a_logged_session_counts_and_takes_no_time(world: World) -> None:
    logged = _log(world, datetime(2023, 2, 27, 14, 0, tzinfo=UTC), 95)
    assert (logged.state, logged.delivered_minutes) == (SessionState.HELD, 95)
    assert packages.ledger(world.db, world.programme, world.package).delivered == 95
    assert world.cells(world.mentor) == 0
    with pytest.raises(TimeTaken):
        _log(world, datetime(2023, 2, 27, 15, 0, tzinfo=UTC), 60)
    with pytest.raises(NotYet):
        _log(world, datetime(2023, 3, 1, 8, 30, tzinfo=UTC), 60)
    with pytest.raises(NoSuchLength):
        _log(world, datetime(2023, 2, 24, 14, 0, tzinfo=UTC), 52)
    with pytest.raises(OutsideContract):
        _log(world, datetime(2021, 5, 24, 14, 0, tzinfo=UTC), 60)


def test_a_log_needs_the_baseline_too(world: World) -> None:
    package = world.support(world.make.person().id, world.mentor, waived=False)
    with pytest.raises(BaselineMissing):
        _log(world, datetime(2023, 2, 27, 14, 0, tzinfo=UTC), 60, package_id=package)


def test_the_mentor_records_what_became_of_a_session(world: World) -> None:
    booked = world.book().id
    with pytest.raises(NotYet):
        _record(world, booked, Outcome.HELD)
    world.clock.now = TEN + timedelta(hours=2)
    assert _record(world, booked, Outcome.HELD, minutes=70).delivered_minutes == 70
    assert _seat_states(world, booked) == {world.leader: AttendanceState.ATTENDED}
    assert packages.ledger(world.db, world.programme, world.package).delivered == 70
    corrected = _record(world, booked, Outcome.NO_SHOW)
    assert (corrected.state, corrected.delivered_minutes) == (SessionState.CANCELLED, None)
    assert _seat_states(world, booked) == {world.leader: AttendanceState.ABSENT}
    time = packages.ledger(world.db, world.programme, world.package)
    assert (time.delivered, time.missed, time.missed_minutes) == (0, 1, 60)
    _record(world, booked, Outcome.CANCELLED)
    assert _seat_states(world, booked) == {world.leader: AttendanceState.BOOKED}, "nobody stayed away"
    assert packages.ledger(world.db, world.programme, world.package).missed == 0
    assert world.steps(world.leader, booked) == ["0"]


def test_called_off_nobody_has_a_place_who_was_absent_or_came_without_one(world: World) -> None:
    group, members = _group(world, 4)
    session_id = _schedule(world, group)
    for member in members[:3]:
        _take(world, session_id, member)
    _give_up(world, session_id, members[2])
    world.clock.now = TEN + timedelta(hours=3)
    came = {members[0], members[2], members[3]}
    _record(world, session_id, Outcome.HELD, attended=came)
    called_off = {
        members[0]: AttendanceState.BOOKED,
        **dict.fromkeys(members[1:], AttendanceState.ABSENT),
    }
    for _ in range(2):
        _record(world, session_id, Outcome.CANCELLED)
        assert _seat_states(world, session_id) == called_off
    for _ in range(2):
        _record(world, session_id, Outcome.NO_SHOW)
        assert set(_seat_states(world, session_id).values()) == {AttendanceState.ABSENT}
        _record(world, session_id, Outcome.CANCELLED)
        assert _seat_states(world, session_id) == called_off, "who was absent by name is not forgotten"
    _record(world, session_id, Outcome.HELD, attended={members[0], members[1]})
    _record(world, session_id, Outcome.NO_SHOW)
    _record(world, session_id, Outcome.CANCELLED)
    assert _seat_states(world, session_id) == {
        **dict.fromkeys(members[:2], AttendanceState.BOOKED),
        **dict.fromkeys(members[2:], AttendanceState.ABSENT),
    }, "what was recorded last of one counts"


def test_a_group_session_is_held_with_somebody_in_it(world: World) -> None:
    group, members = _group(world, 3)
    session_id = _schedule(world, group)
    _take(world, session_id, members[0])
    _take(world, session_id, members[1])
    _give_up(world, session_id, members[1])
    world.clock.now = TEN + timedelta(hours=3)
    for attended in (set(), {world.leader}):
        with pytest.raises(NobodyCame):
            _record(world, session_id, Outcome.HELD, attended=attended)
    assert packages.ledger(world.db, world.programme, group).delivered == 0
    with pytest.raises(NobodyCame):
        _log(world, TEN - timedelta(days=2), 60, package_id=group, kind=SessionKind.VISIT, attended=set())
    # Also those who gave their place up, or never had one.
    _record(world, session_id, Outcome.HELD, attended=set(members[1:]))
    assert _seat_states(world, session_id) == {
        members[0]: AttendanceState.ABSENT,
        members[1]: AttendanceState.ATTENDED,
        members[2]: AttendanceState.ATTENDED,
    }
    assert packages.ledger(world.db, world.programme, group).delivered == 120


def test_ended_support_keeps_its_minimum_or_has_a_reason(world: World) -> None:
    minimum = world.programme.minimum_minutes
    booked = world.book().id
    world.clock.now = TEN + timedelta(hours=2)
    for number in range(minimum // 420):
        _log(world, datetime(2023, 2, 6, 9, tzinfo=UTC) + timedelta(days=number), 420)
    _record(world, booked, Outcome.HELD, minutes=60)
    with unit_of_work(world.db, world.clock, "person:test") as work:
        packages.end(work, world.programme, package_id=world.package, on=date(2023, 3, 2))
    assert _record(world, booked, Outcome.NO_SHOW).delivered_minutes is None
    long = world.db.scalars(select(Session.id).where(Session.delivered_minutes == 420)).first()
    assert long is not None
    with pytest.raises(EndedWithLess, match="at least 5 days"):
        _record(world, long, Outcome.HELD, minutes=60)
    world.db.rollback()
    assert packages.ledger(world.db, world.programme, world.package).delivered == minimum
    assert _record(world, booked, Outcome.HELD, minutes=60).state is SessionState.HELD
    assert _record(world, long, Outcome.HELD, minutes=360).delivered_minutes == 360


def test_a_session_cancelled_beforehand_is_not_recorded(world: World) -> None:
    booked = world.book().id
    world.cancel(booked)
    world.clock.now = TEN + timedelta(hours=2)
    with pytest.raises(SessionClosed):
        _record(world, booked, Outcome.HELD)


def test_members_book_the_places_of_a_group_session(world: World) -> None:
    group, members = _group(world, 3)
    session_id = _schedule(world, group, capacity=2)
    invited = world.db.scalars(select(Mail.person_id).where(Mail.template == "group_session")).all()
    assert set(invited) == set(members)
    for member in members[:2]:
        _take(world, session_id, member)
    _take(world, session_id, members[0])
    with pytest.raises(SessionFull):
        _take(world, session_id, members[2])
    _give_up(world, session_id, members[0])
    _take(world, session_id, members[2])
    with pytest.raises(SessionFull):
        _take(world, session_id, members[0])
    assert world.cells(members[0]) == 0
    assert world.cells(members[2]) == 8
    assert world.steps(members[0], session_id) == ["0", "1"]


def test_a_place_that_is_taken_again_has_a_higher_number(world: World) -> None:
    group, members = _group(world, 1)
    session_id = _schedule(world, group)
    _take(world, session_id, members[0])
    _give_up(world, session_id, members[0])
    _take(world, session_id, members[0])
    assert world.steps(members[0], session_id) == ["0", "1", "2"]
    assert _seat_states(world, session_id) == {members[0]: AttendanceState.BOOKED}


def test_a_place_is_refused_to_the_busy_to_strangers_and_before_the_baseline(world: World) -> None:
    world.book()
    people = [world.db.get_one(Person, world.leader), world.make.person()]
    mentor = world.db.get_one(Person, world.make.mentor().id)
    mentor_id = mentor.id
    group = world.make.package(*people, mentor=mentor, strand=Strand.GROUP).id
    session_id = _schedule(world, group, mentor_id=mentor_id)
    with pytest.raises(BaselineMissing):
        _take(world, session_id, world.leader)
    world.waive(group)
    with pytest.raises(TimeTaken):
        _take(world, session_id, world.leader)
    with pytest.raises(SupportClosed):
        _take(world, session_id, world.make.person().id)
    assert _seat_states(world, session_id) == {}


def test_a_group_session_takes_the_mentors_time(world: World) -> None:
    group, _ = _group(world, 1)
    _schedule(world, group)
    with pytest.raises(TimeTaken):
        world.book()
    assert TEN not in world.times()


def test_moving_a_group_session_moves_everybody_in_it(world: World) -> None:
    group, members = _group(world, 2)
    session_id = _schedule(world, group)
    _take(world, session_id, members[0])
    world.move(session_id, TEN + timedelta(days=1))
    taken = diary.taken(world.db, members, within=Interval(TEN, TEN + timedelta(days=3)))
    assert taken[members[0]] == [(TEN + timedelta(days=1), TEN + timedelta(days=1, hours=2))]
    assert world.steps(members[0], session_id) == ["0", "1"]
    assert world.steps(members[1], session_id) == []
    with pytest.raises(NotOffered):
        world.move(session_id, TEN - timedelta(days=9))


def test_single_days_open_and_close_the_week(world: World) -> None:
    thursday, good_friday = date(2023, 3, 2), date(2023, 4, 7)
    with unit_of_work(world.db, world.clock, "person:test") as work:
        hours.set_day(work, mentor_id=world.mentor, on=thursday, spans=[])
        hours.set_day(work, mentor_id=world.mentor, on=good_friday, spans=[Span(540, 600)])
    found = world.times()
    assert TEN not in found
    assert datetime(2023, 4, 7, 8, 0, tzinfo=UTC) in found
    with unit_of_work(world.db, world.clock, "person:test") as work:
        hours.forget_day(work, mentor_id=world.mentor, on=thursday)
    assert TEN in world.times()


def test_the_week_is_replaced_as_a_whole(world: World) -> None:
    with unit_of_work(world.db, world.clock, "person:test") as work:
        hours.publish_week(work, mentor_id=world.mentor, weekly={0: [Span(540, 600)], 1: []})
    assert {(time.weekday(), time.hour) for time in world.times()} <= {(0, 9), (0, 8)}
    with pytest.raises(hours.SpansOverlap), unit_of_work(world.db, world.clock, "person:test") as work:
        hours.publish_week(work, mentor_id=world.mentor, weekly={0: [Span(540, 660), Span(600, 720)]})


def test_wall_time_stays_when_the_clocks_change(world: World) -> None:
    found = [time for time in world.times() if time.date() in {date(2023, 3, 24), date(2023, 3, 27)}]
    assert found[0].hour == 9
    assert next(time for time in found if time.date() == date(2023, 3, 27)).hour == 8


def test_the_list_costs_the_same_for_many_mentors(world: World) -> None:
    few = _queries(world)
    people = [world.make.mentor().id for _ in range(8)]
    with unit_of_work(world.db, world.clock, "system:test") as work:
        for person_id in people:
            work.db.add(
                PackageMentor(
                    id=new_id(), package_id=world.package, person_id=person_id, from_on=date(2023, 3, 1)
                )
            )
    world.book()
    assert _queries(world) == few


def _queries(world: World) -> int:
    world.db.rollback()
    package = world.db.get_one(Package, world.package)
    seen: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    engine = world.db.get_bind()
    event.listen(engine, "before_cursor_execute", count)
    bookings.times(world.db, world.programme, package, now=world.clock(), limit=30)
    event.remove(engine, "before_cursor_execute", count)
    return len(seen)


def _answer_baseline(world: World, package_id: UUID) -> None:
    with unit_of_work(world.db, world.clock, "system:test") as work:
        version = Version(
            id=new_id(), code="baseline", number=1, hash="0" * 64, body="{}", published_at=world.clock()
        )
        work.db.add(version)
        work.db.flush()
        for part in work.db.scalars(select(Participation).where(Participation.package_id == package_id)):
            work.db.add(
                Response(
                    id=new_id(),
                    ref=str(new_id())[:8],
                    respondent_id=part.id,
                    version_id=version.id,
                    wave=Wave.BASELINE,
                    occasion="once",
                    state=ResponseState.SUBMITTED,
                    mode=Mode.SELF,
                    revision=1,
                    started_at=world.clock(),
                    saved_at=world.clock(),
                    submitted_at=world.clock(),
                )
            )


def _log(
    world: World, starts_at: datetime, minutes: int, *, package_id: UUID | None = None, **more: Any
) -> Session:
    with unit_of_work(world.db, world.clock, "person:test") as work:
        return delivery.log_past(
            work,
            world.programme,
            package_id=package_id or world.package,
            session_id=uuid4(),
            mentor_id=world.mentor,
            starts_at=starts_at,
            minutes=minutes,
            place=Place.REMOTE,
            **more,
        )


def _record(world: World, session_id: UUID, outcome: Outcome, **more: Any) -> Session:
    with unit_of_work(world.db, world.clock, "person:test") as work:
        return delivery.record(work, world.programme, session_id=session_id, outcome=outcome, **more)


def _group(world: World, size: int) -> tuple[UUID, list[UUID]]:
    people = [world.make.person() for _ in range(size)]
    ids = [person.id for person in people]
    mentor = world.db.get_one(Person, world.mentor)
    group = world.make.package(
        *people, mentor=mentor, strand=Strand.GROUP, title="Scrutiny", starts_on=STARTED
    ).id
    world.waive(group)
    return group, ids


def _schedule(world: World, group: UUID, *, capacity: int = 5, mentor_id: UUID | None = None) -> UUID:
    with unit_of_work(world.db, world.clock, "person:test") as work:
        return sessions.schedule(
            work,
            world.programme,
            package_id=group,
            session_id=uuid4(),
            mentor_id=mentor_id or world.mentor,
            kind=SessionKind.WORKSHOP,
            title="Asking the right questions",
            starts_at=TEN,
            minutes=120,
            capacity=capacity,
            place=Place.IN_PERSON,
            where="Council chamber",
        ).id


def _take(world: World, session_id: UUID, person_id: UUID) -> None:
    with unit_of_work(world.db, world.clock, f"person:{person_id}") as work:
        sessions.take_place(work, world.programme, session_id=session_id, person_id=person_id)


def _give_up(world: World, session_id: UUID, person_id: UUID) -> None:
    with unit_of_work(world.db, world.clock, f"person:{person_id}") as work:
        sessions.give_up_place(work, world.programme, session_id=session_id, person_id=person_id)


def _seat_states(world: World, session_id: UUID) -> dict[UUID, AttendanceState]:
    world.db.rollback()
    rows = world.db.scalars(select(Attendance).where(Attendance.session_id == session_id))
    return {row.person_id: row.state for row in rows}
