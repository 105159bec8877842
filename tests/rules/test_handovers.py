"""A mentor who cannot go on hands everything over in one act; what clashes is left and listed."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import blackouts, leave, moves
from portal.booking.acts import Away, Full, NoSessionsThen, TimeTaken
from portal.booking.standing import MentorChanged, SessionClosed
from portal.mailing import post
from portal.mentors import handovers, interests
from portal.mentors.handovers import SameMentor
from portal.models import Mail, Occupied, Office, Package, PackageMentor, Person, Place, Session, Strand
from portal.programme import Programme
from privacy.audit import Action, AuditEntry
from privacy.work import Work, unit_of_work
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_races import one_behind_the_other

TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
TODAY = date(2023, 3, 1)


class World:
    """Ada with two packages and three sessions; Bo, who is to take over."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, programme: Programme) -> None:
        self.stack, self.db, self.make, self.programme = stack, db, make, programme
        ada, self.bo = make.mentor("Ada"), make.mentor("Bo").id
        self.ada = ada.id
        leaders = [make.person(name) for name in ("Sam", "Kim")]
        self.sam, self.kim = [one.id for one in leaders]
        councils = [make.council(name) for name in ("Here", "There")]
        self.here, self.there = [one.id for one in councils]
        self.packages = []
        for leader, council in zip((self.sam, self.kim), councils, strict=True):
            package = make.package(
                db.get_one(Person, leader),
                mentor=db.get_one(Person, self.ada),
                council=council,
                starts_on=date(2023, 2, 1),
            )
            self.packages.append(package.id)
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(baseline_waived_at=work.now))
        self.sessions = [
            self.book(self.packages[0], self.ada, TEN),
            self.book(self.packages[1], self.ada, TEN + timedelta(hours=3)),
            self.book(self.packages[0], self.ada, TEN + timedelta(days=7)),
        ]

    def book(self, package_id: UUID, mentor_id: UUID, starts_at: datetime) -> UUID:
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return bookings.book(
                work,
                self.programme,
                package_id=package_id,
                session_id=uuid4(),
                mentor_id=mentor_id,
                starts_at=starts_at,
                place=Place.REMOTE,
                free_time=True,
            ).id

    def move(self, *, by: UUID, minutes: int) -> None:
        """The first session, to so many minutes after ten."""
        with unit_of_work(self.db, self.stack.clock, f"person:{by}") as work:
            bookings.move(
                work,
                self.programme,
                session_id=self.sessions[0],
                starts_at=TEN + timedelta(minutes=minutes),
                place=Place.REMOTE,
                free_time=True,
            )

    def hand_over(self) -> handovers.Preview:
        with unit_of_work(self.db, self.stack.clock, "person:test") as work:
            return handovers.hand_over(work, self.programme, from_id=self.ada, to_id=self.bo)

    def preview(self) -> handovers.Preview:
        return handovers.preview(
            self.db, self.programme, from_id=self.ada, to_id=self.bo, now=self.stack.clock()
        )

    def mentors(self) -> list[UUID]:
        self.db.expire_all()
        return [self.db.get_one(Session, one).mentor_id for one in self.sessions]

    def told(self, number: int) -> dict[UUID, datetime | None]:
        """From when a session was moved last, as each of them is told it."""
        held = self.db.get_one(Session, self.sessions[number])
        found = {}
        for reader in (self.sam, self.ada, self.bo):
            was_in = moves.was_in(self.db, held, reader)
            last = moves.last(self.db, held, reader) if was_in else None
            found[reader] = last.from_at if last is not None else None
        self.db.rollback()
        return found

    def cells(self, session_id: UUID) -> dict[UUID, int]:
        rows = self.db.scalars(select(Occupied.person_id).where(Occupied.session_id == session_id)).all()
        return {person_id: rows.count(person_id) for person_id in set(rows)}

    def serving(self) -> set[tuple[UUID, UUID]]:
        rows = self.db.scalars(select(PackageMentor).where(PackageMentor.to_on.is_(None)))
        return {(row.package_id, row.person_id) for row in rows}

    def busy_bo(self, starts_at: datetime) -> None:
        leader = self.make.person()
        bo, council = self.db.get_one(Person, self.bo), self.make.council()
        package = self.make.package(leader, mentor=bo, council=council, starts_on=date(2023, 2, 1)).id
        with unit_of_work(self.db, self.stack.clock, "system:test") as work:
            work.db.execute(update(Package).values(baseline_waived_at=work.now))
        self.book(package, self.bo, starts_at)

    def sent(self) -> list[EmailMessage]:
        bag = MailBag()
        sessions = partial(DbSession, self.stack.engine, info={"vault": self.stack.instance.vault})
        while post.deliver(self.stack.instance, sessions, bag):
            pass
        return bag.messages


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, programme: Programme) -> World:
    return World(stack, db, make, programme)


def test_everything_goes_over_in_one_act(world: World) -> None:
    before = [world.db.get_one(Session, one).sequence for one in world.sessions]
    assert [one.stop for one in world.preview().sessions] == [None, None, None]
    done = world.hand_over()
    assert (len(done.going), len(done.left)) == (3, 0)
    assert world.mentors() == [world.bo] * 3
    assert world.serving() == {(one, world.bo) for one in world.packages}
    ended = world.db.scalars(select(PackageMentor.to_on).where(PackageMentor.person_id == world.ada)).all()
    assert list(ended) == [TODAY, TODAY]
    assert not world.preview().packages, "nothing is left to hand over"
    # An hour of the leader's time, and with the buffer of a quarter on both sides of the mentor's.
    assert world.cells(world.sessions[0]) == {world.bo: 6, world.sam: 4}
    after = [world.db.get_one(Session, one).sequence for one in world.sessions]
    assert after == [number + 1 for number in before]
    words = world.db.scalars(select(AuditEntry.action)).all()
    assert words.count(Action.SESSION_HANDED_OVER.word) == 3
    assert words.count(Action.MENTORING_HANDED_OVER.word) == 1


def test_everybody_gets_a_calendar_mail_and_the_one_who_hands_over_a_cancellation(world: World) -> None:
    world.sent()
    world.hand_over()
    sent = world.sent()
    addresses = {
        person_id: world.db.get_one(Person, person_id).email
        for person_id in (world.ada, world.bo, world.sam, world.kim)
    }
    methods: dict[str, list[str]] = {}
    for one in sent:
        part = next(part for part in one.walk() if part.get_content_type() == "text/calendar")
        methods.setdefault(str(one["To"]).split("<")[-1].rstrip(">"), []).append(
            str(part.get_param("method"))
        )
    assert methods == {
        addresses[world.ada]: ["CANCEL"] * 3,
        addresses[world.bo]: ["REQUEST"] * 3,
        addresses[world.sam]: ["REQUEST"] * 2,
        addresses[world.kim]: ["REQUEST"],
    }


def test_what_clashes_is_left_and_the_rest_goes(world: World) -> None:
    world.busy_bo(TEN + timedelta(minutes=60))
    plan = world.preview()
    assert [one.stop is None for one in plan.sessions] == [False, True, True]
    done = world.hand_over()
    assert [one.session.id for one in done.left] == [world.sessions[0]]
    assert "something else" in str(done.left[0].stop)
    assert world.mentors() == [world.ada, world.bo, world.bo]
    assert world.cells(world.sessions[0]) == {world.ada: 6, world.sam: 4}
    again = world.hand_over()
    assert (len(again.going), len(again.left)) == (0, 1)


def test_what_was_left_goes_at_another_time(world: World) -> None:
    world.busy_bo(TEN)
    world.hand_over()
    give = partial(handovers.give, session_id=world.sessions[0], mentor_id=world.bo)
    with pytest.raises(TimeTaken), unit_of_work(world.db, world.stack.clock, "person:test") as work:
        give(work, world.programme)
    later = TEN + timedelta(days=1)
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        give(work, world.programme, starts_at=later)
    assert world.mentors()[0] == world.bo
    assert world.db.get_one(Session, world.sessions[0]).starts_at == later
    assert world.cells(world.sessions[0]) == {world.bo: 6, world.sam: 4}
    assert world.hand_over().sessions == []


def test_a_session_that_goes_to_another_mentor_at_another_time_is_not_only_moved(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.add(PackageMentor(package_id=world.packages[0], person_id=world.bo, from_on=date(2023, 2, 1)))
    world.sent()
    world.stack.clock.pass_time(minutes=10)
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        later = TEN + timedelta(days=1)
        handovers.give(
            work, world.programme, session_id=world.sessions[0], mentor_id=world.bo, starts_at=later
        )
    said = {
        f"{one['To']}".split(" <")[0]: body.get_content()
        for one in world.sent()
        if (body := one.get_body(("plain",))) is not None
    }
    assert "The time, the place or the people have changed" in said["Sam"]
    assert "With Bo" in said["Sam"]
    assert "moved this session from" not in "".join(said.values())
    assert "was moved from" not in "".join(said.values())
    assert world.told(0) == {world.sam: TEN, world.ada: None, world.bo: None}


def test_a_session_that_is_handed_over_keeps_its_last_move_for_who_was_in_it(world: World) -> None:
    world.move(by=world.ada, minutes=30)
    assert world.told(0) == {world.sam: TEN, world.ada: TEN, world.bo: None}
    world.sent()
    world.stack.clock.pass_time(minutes=10)
    world.hand_over()
    assert world.mentors()[0] == world.bo
    assert world.told(0) == {world.sam: TEN, world.ada: None, world.bo: None}
    last = moves.last(world.db, world.db.get_one(Session, world.sessions[0]), world.sam)
    assert last is not None
    assert last.by == "Ada", "who moved it is known by name still"
    assert all("moved" not in str(one.get_body(("plain",))) for one in world.sent())
    world.db.rollback()
    world.move(by=world.bo, minutes=60)
    later = TEN + timedelta(minutes=30)
    assert world.told(0) == {world.sam: later, world.ada: None, world.bo: later}


def test_what_was_moved_under_the_release_before_is_not_shown_to_a_mentor_who_comes_later(
    world: World,
) -> None:
    with unit_of_work(world.db, world.stack.clock, f"person:{world.ada}") as work:
        held = work.db.get_one(Session, world.sessions[0])
        moves.keep(work, held)
        held.moved_from_at, held.moved_mentor_id = TEN - timedelta(days=1), None
    assert world.told(0)[world.ada] == TEN - timedelta(days=1)
    world.hand_over()
    assert world.told(0) == {world.sam: TEN - timedelta(days=1), world.ada: None, world.bo: None}


def test_another_time_keeps_the_rules_of_a_booking(world: World) -> None:
    world.busy_bo(TEN)
    world.hand_over()
    give = partial(handovers.give, session_id=world.sessions[0], mentor_id=world.bo)
    first, last = date(2023, 3, 6), date(2023, 3, 8)
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        blackouts.add(work, council_id=world.here, name="Pre-election", from_on=first, to_on=last)
        leave.add(work, mentor_id=world.bo, from_on=date(2023, 3, 15), to_on=date(2023, 3, 15))
        leave.set_limits(work, world.programme, mentor_id=world.bo, per_day=1, per_week=5)
    for starts_at, refusal in (
        (TEN + timedelta(days=5), NoSessionsThen),
        (TEN + timedelta(days=13), Away),
        (TEN + timedelta(hours=5), Full),
    ):
        with pytest.raises(refusal), unit_of_work(world.db, world.stack.clock, "person:test") as work:
            give(work, world.programme, starts_at=starts_at)
    assert world.mentors()[0] == world.ada
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        give(work, world.programme, starts_at=TEN + timedelta(days=14))
    assert world.mentors()[0] == world.bo


def test_a_session_keeps_its_time_in_a_period_that_came_over_it(world: World) -> None:
    """Whoever entered the period decided about the session: it stays, and who gives it does not matter."""
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        blackouts.add(
            work, council_id=world.here, name="Budget", from_on=TEN.date(), to_on=TEN.date(), despite=True
        )
    assert [one.stop for one in world.preview().sessions] == [None, None, None]
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.add(PackageMentor(package_id=world.packages[0], person_id=world.bo, from_on=date(2023, 2, 1)))
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        handovers.give(work, world.programme, session_id=world.sessions[0], mentor_id=world.bo)
    assert world.mentors()[0] == world.bo


def test_no_more_goes_over_than_the_other_takes_on(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        leave.set_limits(work, world.programme, mentor_id=world.bo, per_day=1, per_week=5)
    assert [one.stop for one in world.preview().sessions] == [
        None,
        "The other mentor has as many sessions that day as they take on",
        None,
    ]
    world.hand_over()
    assert world.mentors() == [world.bo, world.ada, world.bo]


def test_what_lies_in_the_leave_of_the_other_is_left(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        leave.add(work, mentor_id=world.bo, from_on=date(2023, 3, 9), to_on=date(2023, 3, 9))
    assert [one.stop for one in world.preview().sessions] == [None, None, "The other mentor is away then"]


def test_what_lies_after_the_office_of_the_other_is_left(world: World) -> None:
    """A mentor whose office ends in March gets none of April's sessions."""
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        office = work.db.scalars(select(Office).where(Office.person_id == world.bo)).one()
        office.to_on = date(2023, 3, 8)
    assert [one.stop for one in world.preview().sessions] == [
        None,
        None,
        "The other mentor cannot give this support on that day any more",
    ]
    done = world.hand_over()
    assert [one.session.id for one in done.left] == [world.sessions[2]]
    assert world.mentors() == [world.bo, world.bo, world.ada]


def test_who_changes_a_session_that_is_being_given_looks_at_it_again(world: World) -> None:
    """They would hold the locks of the mentor before; on SQLite they begin once it is given."""
    session_id = world.sessions[0]
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        for_bo = PackageMentor(package_id=world.packages[0], person_id=world.bo, from_on=date(2023, 2, 1))
        work.db.add(for_bo)

    def give(work: Work) -> object:
        return handovers.give(work, world.programme, session_id=session_id, mentor_id=world.bo)

    def cancel(work: Work) -> UUID:
        return bookings.cancel(work, session_id=session_id).id

    got = one_behind_the_other(world.stack, give, cancel)
    on_sqlite = world.stack.engine.dialect.name == "sqlite"
    assert got == (session_id if on_sqlite else MentorChanged)
    assert world.mentors()[0] == world.bo
    assert world.cells(session_id) == ({} if on_sqlite else {world.bo: 6, world.sam: 4})


def test_two_sessions_of_one_act_do_not_clash_with_each_other(world: World) -> None:
    """Where the hand-over itself would fill the time, the first in order goes."""
    third = world.make.mentor("Cy").id
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        # Two mentors' sessions at one time can't both go to Bo: the second hand-over finds the time taken.
        work.db.add(PackageMentor(package_id=world.packages[1], person_id=third, from_on=date(2023, 2, 1)))
    same = world.book(world.packages[1], third, TEN)
    world.hand_over()
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        left = handovers.hand_over(work, world.programme, from_id=third, to_id=world.bo).left
    assert [one.session.id for one in left] == [same]


def test_a_package_that_the_other_may_not_serve_stays(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "person:test") as work:
        interests.declare(
            work, person_id=world.bo, council_id=world.there, nature="Family", from_on=date(2022, 1, 1)
        )
    done = world.hand_over()
    assert [one.stop is None for one in done.packages].count(False) == 1
    assert world.mentors() == [world.bo, world.ada, world.bo]
    assert world.serving() == {(world.packages[0], world.bo), (world.packages[1], world.ada)}


def test_a_group_session_goes_too(world: World) -> None:
    group = world.make.package(
        world.make.person(), mentor=world.db.get_one(Person, world.ada), strand=Strand.GROUP, title="Panel"
    )
    assert group.id in {one.package.id for one in world.preview().packages}
    world.hand_over()
    assert (group.id, world.bo) in world.serving()


def test_nobody_hands_over_to_themselves_nor_what_has_begun(world: World, clock: SetClock) -> None:
    with pytest.raises(SameMentor):
        handovers.preview(world.db, world.programme, from_id=world.ada, to_id=world.ada, now=clock())
    clock.now = TEN
    give = partial(handovers.give, session_id=world.sessions[0], mentor_id=world.bo)
    with pytest.raises(SessionClosed), unit_of_work(world.db, clock, "person:test") as work:
        give(work, world.programme)
    assert world.sessions[0] not in {one.id for one in handovers.coming(world.db, world.ada, now=clock())}
    assert world.db.scalars(select(Mail).where(Mail.person_id == world.bo)).all() == []
