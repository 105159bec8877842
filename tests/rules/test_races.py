"""Races for one time and for the last place: what counts is which rows are there afterwards."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import blackouts
from portal.booking.blackouts import NoSessionsThen
from portal.booking.clashes import SessionsInTheWay
from portal.booking.diary import TimeTaken
from portal.booking.standing import MentorChanged
from portal.groups import sessions
from portal.groups.plans import Plan
from portal.groups.sessions import SessionFull
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    Occupied,
    Package,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    Strand,
)
from portal.packages import acts as packages
from portal.packages.acts import PlacesAhead
from portal.packages.members import SupportedAlready
from privacy.engines import open_engine
from privacy.work import Work, unit_of_work
from tests.at_once import Booking, Moving, clients, in_processes, patiently
from tests.conftest import Stack
from tests.counts import count
from tests.factories import Factory
from tests.rules.group_world import GroupWorld

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
ROUNDS = pytest.mark.parametrize("turn", range(count(1, 20)))
REFUSALS = (
    TimeTaken,
    SessionFull,
    SupportedAlready,
    NoSessionsThen,
    SessionsInTheWay,
    PlacesAhead,
    MentorChanged,
)


def run_at_once(stack: Stack, acts: Sequence[Callable[[Work], UUID]]) -> list[UUID | type[Exception]]:
    """Each act in a thread with an engine of its own, all let go together; what each got, in order.

    Only the database stands between them then, as it does between processes.
    """
    start = threading.Barrier(len(acts), timeout=120)
    got: list[UUID | type[Exception]] = [RuntimeError] * len(acts)
    url = stack.engine.url.render_as_string(hide_password=False)

    def run(number: int) -> None:
        engine = open_engine(url)
        with DbSession(engine, info={"vault": stack.instance.vault}) as db:
            db.execute(select(1))
            db.rollback()
            start.wait()
            try:
                got[number] = patiently(db, stack.clock, f"person:{number}", acts[number])
            except REFUSALS as problem:
                got[number] = type(problem)
        engine.dispose()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def one_behind_the_other(
    stack: Stack, first: Callable[[Work], object], second: Callable[[Work], UUID]
) -> UUID | type[Exception]:
    """The second act begins once the first has done everything but commit; what the second got."""
    got: list[UUID | type[Exception]] = []

    def run() -> None:
        got.extend(run_at_once(stack, [second]))

    engine = open_engine(stack.engine.url.render_as_string(hide_password=False))
    behind = threading.Thread(target=run)
    with (
        DbSession(engine, info={"vault": stack.instance.vault}) as db,
        unit_of_work(db, stack.clock, "person:first") as work,
    ):
        first(work)
        work.db.flush()
        behind.start()
        behind.join(timeout=0.5)
    behind.join()
    engine.dispose()
    return got[0]


def waive_all(db: DbSession, stack: Stack) -> None:
    with unit_of_work(db, stack.clock, "system:test") as work:
        work.db.execute(update(Package).values(baseline_waived_at=stack.clock()))
    db.rollback()


def booking(
    stack: Stack, package_id: UUID, mentor_id: UUID, starts_at: datetime, form: UUID
) -> Callable[[Work], UUID]:
    def act(work: Work) -> UUID:
        return bookings.book(
            work,
            stack.instance.programme,
            package_id=package_id,
            session_id=form,
            mentor_id=mentor_id,
            starts_at=starts_at,
            place=Place.REMOTE,
            free_time=True,
        ).id

    return act


@ROUNDS
def test_one_leader_gets_one_package_from_many_who_make_it_at_once(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    council = make.council()
    council_id, leader_id = council.id, make.person(council=council).id

    def act(work: Work) -> UUID:
        return packages.create(
            work,
            stack.instance.programme,
            strand=Strand.ONE_TO_ONE,
            council_id=council_id,
            members=[(leader_id, Role.LEAD_MEMBER)],
            mentor_ids=[],
            goals=["Know what good looks like"],
            planned_minutes=stack.instance.programme.minimum_minutes,
            starts_on=date(2023, 3, 1),
        ).id

    got = run_at_once(stack, [act] * 6)
    assert Counter(got)[SupportedAlready] == 5, Counter(map(str, got))
    db.rollback()
    assert len(db.scalars(select(Package.id)).all()) == 1


@ROUNDS
def test_many_book_one_mentor_at_once_half_of_them_later(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    """Each from a process of its own; the half that is late overlaps the others and starts at no equal time."""
    mentor = make.mentor()
    package_ids = [make.package(make.person(), mentor=mentor).id for _ in range(clients(stack))]
    mentor_id = mentor.id
    waive_all(db, stack)
    late = timedelta(minutes=15)
    acts = [
        Booking(package_id, mentor_id, TEN + late * (number % 2), uuid4())
        for number, package_id in enumerate(package_ids)
    ]
    got = in_processes(stack, acts)
    winners = [one for one in got if isinstance(one, UUID)]
    assert Counter(got)[TimeTaken] == len(acts) - 1, Counter(map(str, got))
    assert db.scalars(select(Session.id)).all() == winners
    assert len(winners) == 1
    assert len(db.scalars(select(Attendance.id)).all()) == 1
    assert db.scalar(select(func.count()).where(Occupied.person_id == mentor_id)) == 6
    assert db.scalar(select(func.count()).select_from(Occupied)) == 10, "nothing is left of those refused"
    assert db.scalar(select(func.count()).where(Mail.template == "session")) == 2


@ROUNDS
def test_one_form_sent_many_times_at_once_books_once(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    mentor = make.mentor()
    package_id, mentor_id, form = make.package(make.person(), mentor=mentor).id, mentor.id, uuid4()
    waive_all(db, stack)
    got = in_processes(stack, [Booking(package_id, mentor_id, TEN, form)] * 8)
    assert got == [form] * 8
    assert db.scalars(select(Session.id)).all() == [form]


@ROUNDS
def test_one_leader_is_booked_once_by_many_mentors(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    leader = make.person()
    leader_id = leader.id
    pairs = []
    for _ in range(8):
        mentor = make.mentor()
        package = make.package(db.get_one(Person, leader_id), mentor=mentor)
        pairs.append((package.id, mentor.id))
    waive_all(db, stack)
    got = run_at_once(stack, [booking(stack, package, mentor, TEN, uuid4()) for package, mentor in pairs])
    assert Counter(got)[TimeTaken] == 7
    assert db.scalar(select(func.count()).where(Occupied.person_id == leader_id)) == 4


@ROUNDS
def test_row_26_the_last_places_of_a_group_session_go_to_as_many_as_there_are(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    people = [make.person() for _ in range(clients(stack))]
    ids = [person.id for person in people]
    mentor = make.mentor()
    group, mentor_id, session_id = (
        make.package(*people, mentor=mentor, strand=Strand.GROUP).id,
        mentor.id,
        uuid4(),
    )
    waive_all(db, stack)
    with unit_of_work(db, stack.clock, "system:test") as work:
        sessions.schedule(
            work,
            stack.instance.programme,
            package_id=group,
            session_id=session_id,
            mentor_id=mentor_id,
            kind=SessionKind.WORKSHOP,
            title="Reading the data",
            starts_at=TEN,
            minutes=60,
            capacity=3,
            place=Place.REMOTE,
        )

    def place(person_id: UUID) -> Callable[[Work], UUID]:
        return lambda work: (
            sessions.take_place(work, stack.instance.programme, session_id=session_id, person_id=person_id).id
        )

    got = run_at_once(stack, [place(person_id) for person_id in ids])
    assert Counter(got)[SessionFull] == len(ids) - 3
    seats = db.scalars(select(Attendance).where(Attendance.state == AttendanceState.BOOKED)).all()
    assert len(seats) == 3
    for person_id in ids:
        taken = db.scalar(select(func.count()).where(Occupied.person_id == person_id))
        assert taken == (4 if person_id in {seat.person_id for seat in seats} else 0)


@ROUNDS
def test_moves_to_one_time_while_others_book_what_they_free(
    turn: int, stack: Stack, db: DbSession, make: Factory
) -> None:
    """Four sessions of one mentor want the same new time; four others want the times that may become free."""
    mentor = make.mentor()
    own, other = ([make.package(make.person(), mentor=mentor).id for _ in range(4)] for _ in range(2))
    mentor_id, target = mentor.id, TEN + timedelta(days=1)
    starts = [TEN + timedelta(hours=2 * number) for number in range(4)]
    moved = [uuid4() for _ in own]
    waive_all(db, stack)
    for package_id, starts_at, form in zip(own, starts, moved, strict=True):
        with unit_of_work(db, stack.clock, "system:test") as work:
            Booking(package_id, mentor_id, starts_at, form)(work, stack.instance.programme)
    moves = [Moving(form, target) for form in moved]
    wants = [Booking(package, mentor_id, at, uuid4()) for package, at in zip(other, starts, strict=True)]
    acts: list[Moving | Booking] = [*moves, *wants]
    got = in_processes(stack, acts)
    winners = [one for one in got[:4] if isinstance(one, UUID)]
    assert len(winners) == 1, "one of them has the new time, and the others keep their own"
    at = {one.id: one.starts_at for one in db.scalars(select(Session))}
    for form, starts_at in zip(moved, starts, strict=True):
        assert at[form] == (target if form in winners else starts_at)
    booked = [one for one in got[4:] if isinstance(one, UUID)]
    assert all(at[one] == starts[moved.index(winners[0])] for one in booked), "only what was freed is taken"
    assert len(set(at.values())) == len(at) == 4 + len(booked)
    assert set(got) <= {TimeTaken, *at}
    assert db.scalar(select(func.count()).where(Occupied.person_id == mentor_id)) == 6 * len(at)


def test_days_are_not_closed_while_a_session_is_booked_on_them(
    stack: Stack, db: DbSession, make: Factory
) -> None:
    council = make.council()
    leader, mentor = make.person(council=council), make.mentor()
    council_id, mentor_id = council.id, mentor.id
    package_id = make.package(leader, mentor=mentor, council=council).id
    waive_all(db, stack)

    def close(work: Work) -> UUID:
        on = TEN.date()
        return blackouts.add(work, council_id=council_id, name="Full council", from_on=on, to_on=on).id

    book = booking(stack, package_id, mentor_id, TEN, uuid4())
    assert one_behind_the_other(stack, book, close) is SessionsInTheWay
    with unit_of_work(db, stack.clock, "system:test") as work:
        bookings.cancel(work, session_id=work.db.scalars(select(Session.id)).one())
    assert one_behind_the_other(stack, close, booking(stack, package_id, mentor_id, TEN, uuid4())) is (
        NoSessionsThen
    )


def test_nobody_leaves_while_they_take_a_place(stack: Stack, db: DbSession, make: Factory) -> None:
    world = GroupWorld(stack, db, make)
    session_id, leaver = world.schedule(), world.members[0]
    part = db.scalars(select(Participation.id).where(Participation.person_id == leaver)).one()
    db.rollback()

    def take(work: Work) -> object:
        return sessions.take_place(work, world.programme, session_id=session_id, person_id=leaver)

    def leave(work: Work) -> UUID:
        on = date(2023, 3, 1)
        gone = packages.leave(work, world.programme, package_id=world.group, participation_id=part, on=on)
        return gone.id

    assert one_behind_the_other(stack, take, leave) is PlacesAhead
    assert world.seated(session_id) == {leaver}
    assert db.get_one(Participation, part).to_on is None


def test_support_does_not_end_while_a_place_in_a_joint_workshop_is_taken(
    stack: Stack, db: DbSession, make: Factory
) -> None:
    world = GroupWorld(stack, db, make)
    council = db.get_one(Package, world.group).council
    chief = make.person("Chief", role=Role.CHIEF_EXECUTIVE, council=council)
    chief_id = chief.id
    package = make.package(chief, mentor=make.mentor(), council=council).id
    world.waive(package)
    session_id = world.schedule(kind=SessionKind.JOINT_WORKSHOP, plan=Plan(package_ids=[package]))

    def take(work: Work) -> object:
        return sessions.take_place(work, world.programme, session_id=session_id, person_id=chief_id)

    def end(work: Work) -> UUID:
        packages.end(work, world.programme, package_id=package, on=date(2023, 3, 1), reason="Lost the seat")
        return package

    assert one_behind_the_other(stack, take, end) is PlacesAhead
    assert world.seated(session_id) == {chief_id}
