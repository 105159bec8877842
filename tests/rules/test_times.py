"""What shuts times beside the hours, who may change a session late, and sessions booked in a series."""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.booking import blackouts, choices, clashes, holidays, hours, leave, offers, series
from portal.booking.acts import Away, Full, InsideNotice, NotOffered, TimeTaken
from portal.booking.availability import Span
from portal.booking.blackouts import NoSessionsThen
from portal.booking.clashes import SessionsInTheWay
from portal.booking.holidays import HolidayKnown, KeptByDesk
from portal.booking.leave import WrongStretch
from portal.booking.offers import OfferShut
from portal.booking.series import Every, SomeRefused
from portal.cases.calendars import calendars
from portal.models import Offer, OfferState, Package, Person, Place, Session, SessionState
from portal.people import file as people_file
from portal.people import register as people
from portal.programme import Programme
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock
from tests.factories import Factory

# Thursday 2 March 2023, inside the factory's hours and past the day's notice.
TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
THURSDAY = date(2023, 3, 2)


class World:
    """One leader of a council with one mentor, and the rules called as a view would."""

    def __init__(self, db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> None:
        self.db, self.make, self.clock, self.programme = db, make, clock, programme
        self.mentor = make.mentor("Ada Merriweather").id
        self.council, self.other_council = make.council().id, make.council().id
        self.package = self.support(self.council)

    def support(self, council_id: UUID) -> UUID:
        package = self.make.package(
            self.make.person(),
            mentor=self.db.get_one(Person, self.mentor),
            starts_on=date(2023, 2, 1),
        )
        with self.work() as work:
            row = work.db.get_one(Package, package.id)
            row.baseline_waived_at, row.council_id = work.now, council_id
        return row.id

    def work(self, actor: str = "person:test") -> AbstractContextManager[Work]:
        return unit_of_work(self.db, self.clock, actor)

    def book(self, starts_at: datetime = TEN, *, package_id: UUID | None = None, **more: Any) -> UUID:
        asked = {
            "package_id": package_id or self.package,
            "session_id": uuid4(),
            "mentor_id": self.mentor,
            "starts_at": starts_at,
            "place": Place.REMOTE,
            **more,
        }
        with self.work() as work:
            return bookings.book(work, self.programme, **asked).id

    def times(self, **more: Any) -> list[datetime]:
        self.db.rollback()
        package = self.db.get_one(Package, self.package)
        found = bookings.times(self.db, self.programme, package, now=self.clock(), limit=900, **more)
        return [choice.starts_at for choice in found]

    def on(self, day: date, **more: Any) -> list[int]:
        """The hours, UTC, at which a time of that day begins."""
        return sorted({time.hour for time in self.times(**more) if time.date() == day})

    def session(self, session_id: UUID) -> Session:
        self.db.rollback()
        return self.db.get_one(Session, session_id)


@pytest.fixture
def world(db: DbSession, make: Factory, clock: SetClock, programme: Programme) -> World:
    return World(db, make, clock, programme)


class TestLeave:
    def test_nobody_books_a_mentor_who_is_away(self, world: World) -> None:
        with world.work() as work:
            leave.add(
                work, mentor_id=world.mentor, from_on=THURSDAY, from_minute=12 * 60, to_on=date(2023, 3, 6)
            )
        assert world.on(THURSDAY) == [9, 10, 11]
        assert world.on(date(2023, 3, 6)) == []
        assert world.on(date(2023, 3, 7)) == [9, 10, 11, 13, 14, 15, 16]
        afternoon = TEN.replace(hour=14)
        for free_time in (False, True):
            with pytest.raises(Away):
                world.book(afternoon, free_time=free_time)
        booked = world.book()
        with pytest.raises(Away), world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=booked,
                starts_at=afternoon,
                place=Place.REMOTE,
                free_time=True,
            )

    def test_leave_over_a_session_asks_first_and_then_keeps_it(self, world: World) -> None:
        booked = world.book()
        asked: dict[str, Any] = {"mentor_id": world.mentor, "from_on": THURSDAY, "to_on": THURSDAY}
        with pytest.raises(SessionsInTheWay) as problem, world.work() as work:
            leave.add(work, **asked)
        assert problem.value.session_ids == [booked]
        assert leave.ahead(world.db, world.mentor, today=THURSDAY) == []
        with world.work() as work:
            leave.add(work, **asked, despite=True)
        assert world.session(booked).state is SessionState.BOOKED
        assert [one.id for one in clashes.while_away(world.db, world.mentor, now=world.clock())] == [booked]

    def test_a_session_beside_the_leave_is_not_in_the_way(self, world: World) -> None:
        world.book()
        with world.work() as work:
            leave.add(work, mentor_id=world.mentor, from_on=THURSDAY, from_minute=660, to_on=THURSDAY)

    def test_leave_goes_again_and_only_ones_own(self, world: World) -> None:
        with world.work() as work:
            row = leave.add(work, mentor_id=world.mentor, from_on=THURSDAY, to_on=THURSDAY).id
        with world.work() as work:
            leave.remove(work, mentor_id=uuid4(), leave_id=row)
        assert world.on(THURSDAY) == []
        for _ in range(2):
            with world.work() as work:
                leave.remove(work, mentor_id=world.mentor, leave_id=row)
        assert TEN in world.times()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"from_on": THURSDAY, "to_on": date(2023, 3, 1)},
            {"from_on": date(2023, 2, 1), "to_on": date(2023, 2, 28)},
            {"from_on": THURSDAY, "from_minute": 600, "to_on": THURSDAY, "to_minute": 600},
            {"from_on": THURSDAY, "to_on": date(2032, 3, 2)},
        ],
    )
    def test_a_stretch_that_cannot_be_is_refused(self, world: World, wrong: dict[str, Any]) -> None:
        with pytest.raises(WrongStretch), world.work() as work:
            leave.add(work, mentor_id=world.mentor, **wrong)

    def test_a_closed_day_asks_only_about_what_lies_outside_its_hours(self, world: World) -> None:
        booked = world.book()
        day: dict[str, Any] = {"mentor_id": world.mentor, "on": THURSDAY}
        with world.work() as work:
            hours.set_day(work, **day, spans=[Span(600, 660)])
        for spans in ([], [Span(630, 720)]):
            with pytest.raises(SessionsInTheWay), world.work() as work:
                hours.set_day(work, **day, spans=spans)
        with world.work() as work:
            hours.set_day(work, **day, spans=[], despite=True)
        assert [one.id for one in clashes.while_away(world.db, world.mentor, now=world.clock())] == [booked]


class TestLimits:
    def test_a_day_fills_up_and_the_mentor_can_lower_it(self, world: World) -> None:
        with world.work() as work:
            leave.set_limits(work, world.programme, mentor_id=world.mentor, per_day=2, per_week=99)
        world.book()
        second = world.book(TEN.replace(hour=14), package_id=world.support(world.other_council))
        assert world.on(THURSDAY) == []
        for free_time in (False, True):
            with pytest.raises(Full, match="that day"):
                world.book(TEN.replace(hour=16), free_time=free_time)
        with world.work() as work:
            # Its own place in the day is free for the session that moves.
            bookings.move(
                work, world.programme, session_id=second, starts_at=TEN.replace(hour=16), place=Place.REMOTE
            )
            bookings.cancel(work, session_id=second)
        assert world.on(THURSDAY) != []

    def test_a_week_fills_up_from_monday_to_sunday(self, world: World) -> None:
        with world.work() as work:
            leave.set_limits(work, world.programme, mentor_id=world.mentor, per_day=4, per_week=2)
        monday = datetime(2023, 3, 6, 10, 0, tzinfo=UTC)
        for starts_at in (monday, monday + timedelta(days=2)):
            world.book(starts_at)
        assert world.on(date(2023, 3, 10)) == []
        assert world.on(THURSDAY) != []
        assert world.on(date(2023, 3, 13)) != []
        with pytest.raises(Full, match="that week"):
            world.book(monday + timedelta(days=4))

    def test_the_programmes_own_numbers_hold_and_cannot_be_raised(self, world: World) -> None:
        most = leave.Limits(world.programme.most_per_day, world.programme.most_per_week)
        for per_day, per_week in ((99, 99), (most.per_day, most.per_week)):
            with world.work() as work:
                leave.set_limits(
                    work, world.programme, mentor_id=world.mentor, per_day=per_day, per_week=per_week
                )
            assert leave.limits(world.db, world.programme, [world.mentor])[world.mentor] == most


class TestClosedTimes:
    def shut(self, world: World, council_id: UUID | None, **more: Any) -> UUID:
        with world.work() as work:
            return blackouts.add(
                work,
                council_id=council_id,
                name="Pre-election period",
                from_on=date(2023, 3, 6),
                to_on=date(2023, 3, 10),
                **more,
            ).id

    def test_a_council_has_no_sessions_then_and_those_who_book_are_told(self, world: World) -> None:
        blackout = self.shut(world, world.council)
        assert world.on(date(2023, 3, 6)) == []
        assert world.on(date(2023, 3, 13)) != []
        for free_time in (False, True):
            with pytest.raises(NoSessionsThen, match="Pre-election period, 6 March 2023 to 10 March 2023"):
                world.book(TEN + timedelta(days=5), free_time=free_time)
        package = world.db.get_one(Package, world.package)
        told = choices.closed(world.db, world.programme, package, now=world.clock())
        assert [blackouts.words(one) for one in told] == [
            "Pre-election period, 6 March 2023 to 10 March 2023"
        ]
        with world.work() as work:
            blackouts.remove(work, blackout_id=blackout)
        assert world.book(TEN + timedelta(days=5))

    def test_other_councils_go_on_unless_it_is_for_all(self, world: World) -> None:
        self.shut(world, world.other_council)
        assert world.on(date(2023, 3, 6)) != []
        self.shut(world, None)
        assert world.on(date(2023, 3, 6)) == []

    def test_a_part_of_a_day_such_as_full_council(self, world: World) -> None:
        with world.work() as work:
            row = blackouts.add(
                work,
                council_id=world.council,
                name="Full council",
                from_on=THURSDAY,
                from_minute=14 * 60,
                to_on=THURSDAY,
                to_minute=17 * 60,
            )
            assert leave.when(row) == "2 March 2023, 2pm to 5pm"
        assert world.on(THURSDAY) == [9, 10, 11, 13]

    def test_sessions_that_are_booked_then_are_asked_about(self, world: World) -> None:
        booked = world.book(TEN + timedelta(days=5))
        world.book(TEN + timedelta(days=6), package_id=world.support(world.other_council))
        with pytest.raises(SessionsInTheWay) as problem:
            self.shut(world, world.council)
        assert problem.value.session_ids == [booked]
        with pytest.raises(SessionsInTheWay) as problem:
            self.shut(world, None)
        assert len(problem.value.session_ids) == 2
        self.shut(world, None, despite=True)
        assert world.session(booked).state is SessionState.BOOKED

    def test_offers_keep_the_same_rules(self, world: World) -> None:
        self.shut(world, world.council)
        evenings = [datetime(2023, 3, day, 19, 0, tzinfo=UTC) for day in (2, 3, 7)]
        asked: dict[str, Any] = {
            "package_id": world.package,
            "mentor_id": world.mentor,
            "place": Place.REMOTE,
        }
        with pytest.raises(OfferShut, match="Pre-election period") as problem, world.work() as work:
            offers.offer(work, world.programme, starts=evenings, **asked)
        assert problem.value.starts_at == evenings[2]
        evenings[2] = datetime(2023, 3, 14, 19, 0, tzinfo=UTC)
        with world.work() as work:
            offers.offer(work, world.programme, starts=evenings, **asked)
            leave.add(work, mentor_id=world.mentor, from_on=THURSDAY, to_on=THURSDAY)
        first = world.db.scalars(select(Offer.id).order_by(Offer.starts_at)).first()
        with pytest.raises(Away), world.work() as work:
            offers.choose(work, world.programme, offer_id=first, session_id=uuid4())


class TestHolidays:
    GOOD_FRIDAY, ORDINARY = date(2023, 4, 7), date(2023, 4, 4)

    def test_the_team_adds_to_the_table_and_takes_from_it(self, world: World) -> None:
        assert world.on(self.GOOD_FRIDAY) == []
        with world.work() as work:
            holidays.take_out(work, on=self.GOOD_FRIDAY)
            holidays.add(work, on=self.ORDINARY, name="Day of the coronation")
        assert world.on(self.GOOD_FRIDAY) != []
        assert world.on(self.ORDINARY) == []
        first, last = date(2023, 4, 1), date(2023, 4, 30)
        assert holidays.named(world.db, first=first, last=last) == {
            self.ORDINARY: "Day of the coronation",
            date(2023, 4, 10): "Easter Monday",
        }
        assert holidays.taken_out(world.db, first=first, last=last) == {self.GOOD_FRIDAY: "Good Friday"}

    def counted(self, world: World) -> dict[date, str]:
        """The holidays of April that the clocks of cases leave out; both ways to them agree."""
        first, last = date(2023, 4, 1), date(2023, 4, 30)
        named = dict(holidays.named(world.db, first=first, last=last, for_clocks=True))
        contract = calendars(world.db).contract
        april = [first + timedelta(days=number) for number in range(30)]
        assert [day for day in april if contract.is_holiday(day)] == list(named)
        return named

    def test_what_the_team_closes_changes_no_clock(self, world: World) -> None:
        """A clock knows public holidays only (cl 1.1)."""
        published = self.counted(world)
        with world.work() as work:
            holidays.take_out(work, on=self.GOOD_FRIDAY)
            holidays.add(work, on=self.ORDINARY, name="Office move")
        assert self.counted(world) == published

    def test_what_the_desk_enters_counts_for_both(self, world: World) -> None:
        with world.work() as work:
            holidays.add(work, on=self.ORDINARY, name="Office move")
            holidays.add(work, on=self.ORDINARY, name="Day of the coronation", for_clocks=True)
            holidays.take_out(work, on=self.GOOD_FRIDAY, for_clocks=True)
        assert self.counted(world) == {
            self.ORDINARY: "Day of the coronation",
            date(2023, 4, 10): "Easter Monday",
        }
        assert (world.on(self.ORDINARY), world.on(self.GOOD_FRIDAY) != []) == ([], True)
        for act in (
            lambda work: holidays.take_out(work, on=self.ORDINARY),
            lambda work: holidays.add(work, on=self.GOOD_FRIDAY, name=""),
        ):
            with pytest.raises(KeptByDesk), world.work() as work:
                act(work)
        with world.work() as work:
            holidays.take_out(work, on=self.ORDINARY, for_clocks=True)
            holidays.add(work, on=self.GOOD_FRIDAY, name="", for_clocks=True)
        assert list(self.counted(world).values()) == ["Good Friday", "Easter Monday"]

    def test_and_back_again(self, world: World) -> None:
        with world.work() as work:
            holidays.take_out(work, on=self.GOOD_FRIDAY)
            holidays.add(work, on=self.GOOD_FRIDAY, name="")
            holidays.add(work, on=self.ORDINARY, name="Extra")
            holidays.take_out(work, on=self.ORDINARY)
            holidays.take_out(work, on=self.ORDINARY)
        assert world.on(self.GOOD_FRIDAY) == []
        assert world.on(self.ORDINARY) != []

    def test_a_day_is_a_holiday_once(self, world: World) -> None:
        with pytest.raises(HolidayKnown), world.work() as work:
            holidays.add(work, on=self.GOOD_FRIDAY, name="Good Friday")
        with world.work() as work:
            holidays.add(work, on=self.ORDINARY, name="Extra")
        with pytest.raises(HolidayKnown), world.work() as work:
            holidays.add(work, on=self.ORDINARY, name="Extra")

    def test_a_mentor_opens_a_day_that_the_team_closed(self, world: World) -> None:
        with world.work() as work:
            holidays.add(work, on=self.ORDINARY, name="Extra")
            hours.set_day(work, mentor_id=world.mentor, on=self.ORDINARY, spans=[Span(600, 660)])
        assert world.on(self.ORDINARY) == [9]


class TestTravel:
    def test_meeting_in_person_keeps_the_way_there_free(self, world: World) -> None:
        world.book(TEN.replace(hour=14))
        # A quarter hour's buffer before 2pm is 1:45pm: an hour of remote session and its own quarter fits before.
        assert TEN.replace(hour=11) in world.times()
        assert TEN.replace(hour=13) not in world.times(place=Place.IN_PERSON)
        late = datetime(2023, 3, 2, 15, 30, tzinfo=UTC)
        assert late in world.times()
        for place in (Place.IN_PERSON, Place.HYBRID):
            assert late not in world.times(place=place)
            with pytest.raises(TimeTaken):
                world.book(late, place=place)
        assert world.book(late, place=Place.REMOTE)

    def test_a_session_that_moves_into_a_room_takes_the_way_there_or_stays(self, world: World) -> None:
        first, second = world.book(), world.book(datetime(2023, 3, 2, 13, 0, tzinfo=UTC))
        alone: dict[str, Any] = {"starts_at": TEN, "place": Place.IN_PERSON, "where": "Town hall"}
        with world.work() as work:
            bookings.move(work, world.programme, session_id=first, **alone)
        assert world.session(first).where == "Town hall"
        with world.work() as work:
            bookings.cancel(work, session_id=second)
        near = world.book(datetime(2023, 3, 2, 14, 0, tzinfo=UTC))
        other = world.book(datetime(2023, 3, 2, 15, 30, tzinfo=UTC))
        with pytest.raises(TimeTaken), world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=other,
                starts_at=world.session(other).starts_at,
                place=Place.HYBRID,
            )
        assert world.session(other).place is Place.REMOTE
        assert world.session(near).state is SessionState.BOOKED


class TestNotice:
    def test_inside_the_notice_period_a_participant_rings(self, world: World) -> None:
        booked = world.book()
        world.clock.now = TEN - timedelta(hours=23, minutes=59)
        with pytest.raises(InsideNotice), world.work() as work:
            bookings.cancel_own(work, world.programme, session_id=booked)
        with pytest.raises(InsideNotice), world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=booked,
                starts_at=TEN + timedelta(days=1),
                place=Place.REMOTE,
            )
        assert world.session(booked).state is SessionState.BOOKED

    def test_those_who_serve_may_and_it_is_known_to_be_late(self, world: World) -> None:
        booked, early = world.book(), world.book(TEN + timedelta(days=4))
        with world.work() as work:
            bookings.cancel_own(work, world.programme, session_id=early)
        world.clock.now = TEN - timedelta(hours=2)
        with world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=booked,
                starts_at=TEN + timedelta(hours=8),
                place=Place.REMOTE,
                free_time=True,
            )
            bookings.cancel(work, session_id=booked)
        late = [
            bookings.inside_notice(world.programme, one, now=one.cancelled_at)
            for one in (world.session(booked), world.session(early))
        ]
        assert late == [True, False]

    def test_a_day_before_to_the_minute_is_in_time(self, world: World) -> None:
        booked = world.book()
        world.clock.now = TEN - timedelta(hours=24)
        with world.work() as work:
            bookings.cancel_own(work, world.programme, session_id=booked)


class TestLength:
    def test_a_longer_session_moves_to_times_of_its_own_length(self, world: World) -> None:
        booked = world.book(TEN, free_time=True, minutes=120)
        with world.work() as work:
            moved = bookings.move(
                work,
                world.programme,
                session_id=booked,
                starts_at=TEN.replace(hour=13),
                place=Place.REMOTE,
            )
            assert moved.ends_at - moved.starts_at == timedelta(hours=2)
        assert TEN.replace(hour=11) not in world.times(moving=booked, minutes=120)
        with pytest.raises(NotOffered), world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=booked,
                starts_at=TEN.replace(hour=16),
                place=Place.REMOTE,
            )


class TestSeries:
    @pytest.mark.parametrize(
        "first, every, expected",
        [
            ((2023, 3, 2), Every.WEEK, ["2 Mar", "9 Mar", "16 Mar", "23 Mar"]),
            ((2023, 3, 2), Every.FORTNIGHT, ["2 Mar", "16 Mar", "30 Mar", "13 Apr"]),
            ((2023, 3, 9), Every.MONTH, ["9 Mar", "13 Apr", "11 May", "8 Jun"]),
            ((2023, 3, 30), Every.MONTH, ["30 Mar", "27 Apr", "25 May", "29 Jun"]),
        ],
    )
    def test_the_days(self, first: tuple[int, int, int], every: Every, expected: list[str]) -> None:
        found = series.days(date(*first), every, count=4)
        assert [f"{day.day} {day:%b}" for day in found] == expected
        assert len({day.weekday() for day in found}) == 1

    def test_the_preview_says_what_speaks_against_a_day(self, world: World) -> None:
        with world.work() as work:
            holidays.add(work, on=date(2023, 3, 23), name="Extra")
            leave.add(work, mentor_id=world.mentor, from_on=date(2023, 3, 16), to_on=date(2023, 3, 16))
        world.book(TEN + timedelta(days=7))
        package = world.db.get_one(Package, world.package)
        found = series.preview(
            world.db,
            world.programme,
            package,
            mentor_id=world.mentor,
            on=series.days(THURSDAY, Every.WEEK, count=5),
            minute=600,
            minutes=60,
            place=Place.REMOTE,
            now=world.clock(),
        )
        assert [one.problem for one in found] == [None, str(TimeTaken()), str(Away()), None, None]
        assert [one.holiday for one in found] == [None, None, None, "Extra", None]
        assert found[4].starts_at == datetime(2023, 3, 30, 9, 0, tzinfo=UTC), (
            "ten o'clock after the clock change"
        )

    def test_what_the_mentor_publishes_is_not_unusual(self, world: World) -> None:
        package = world.db.get_one(Package, world.package)
        asked: dict[str, Any] = {
            "mentor_id": world.mentor,
            "on": [date(2023, 3, 11), date(2023, 3, 18)],
            "minute": 600,
            "minutes": 60,
            "place": Place.REMOTE,
            "now": world.clock(),
        }
        found = series.preview(world.db, world.programme, package, **asked)
        assert [list(one.unusual) for one in found] == [
            ["Saturday 11 March 2023 is at a weekend"],
            ["Saturday 18 March 2023 is at a weekend"],
        ]
        with world.work() as work:
            hours.publish_week(work, mentor_id=world.mentor, weekly={5: [Span(9 * 60, 12 * 60)]})
        found = series.preview(world.db, world.programme, package, **asked)
        assert [list(one.unusual) for one in found] == [[], []]
        found = series.preview(world.db, world.programme, package, **(asked | {"minute": 11 * 60 + 30}))
        assert all(one.unusual for one in found), "it would end after the hours"

    def test_a_time_that_the_clocks_jump_over_is_named(self, world: World) -> None:
        package = world.db.get_one(Package, world.package)
        asked: dict[str, Any] = {
            "mentor_id": world.mentor,
            "minute": 90,
            "minutes": 60,
            "place": Place.REMOTE,
        }
        (found,) = series.preview(
            world.db, world.programme, package, on=[date(2023, 3, 26)], now=world.clock(), **asked
        )
        assert found.starts_at is None
        assert "The clocks go forward" in (found.problem or "")

    def book_all(self, world: World, starts: list[datetime], form: UUID) -> list[Session]:
        with world.work() as work:
            return series.book(
                work,
                world.programme,
                package_id=world.package,
                mentor_id=world.mentor,
                sessions={series.session_id(form, number): at for number, at in enumerate(starts, 1)},
                minutes=90,
                place=Place.HYBRID,
                where="Town hall, https://meet.example/1",
                travel="Ask for Ira",
            )

    def test_all_or_none_are_booked_and_a_form_counts_once(self, world: World) -> None:
        starts = [TEN + timedelta(days=7 * number) for number in range(4)]
        world.book(starts[2], package_id=world.support(world.other_council))
        form = uuid4()
        with pytest.raises(SomeRefused) as problem:
            self.book_all(world, starts, form)
        assert set(problem.value.problems) == {starts[2]}
        assert world.db.scalar(select(func.count()).select_from(Session)) == 1
        starts[2] += timedelta(days=1)
        for _ in range(2):
            booked = self.book_all(world, starts, form)
        assert [one.starts_at for one in booked] == starts
        assert {(one.place, one.travel) for one in booked} == {(Place.HYBRID, "Ask for Ira")}
        assert len({one.uid for one in booked}) == 4
        assert world.db.scalar(select(func.count()).select_from(Session)) == 5

    def test_each_moves_by_itself(self, world: World) -> None:
        starts = [TEN + timedelta(days=7 * number) for number in range(3)]
        ids = [one.id for one in self.book_all(world, starts, uuid4())]
        with world.work() as work:
            bookings.move(
                work,
                world.programme,
                session_id=ids[1],
                starts_at=starts[1] + timedelta(hours=4),
                place=Place.REMOTE,
                free_time=True,
            )
        assert [world.session(one).sequence for one in ids] == [0, 1, 0]
        assert [world.session(one).starts_at for one in (ids[0], ids[2])] == [starts[0], starts[2]]


def test_what_a_mentor_offered_goes_with_them(world: World) -> None:
    evenings = [datetime(2023, 3, day, 19, 0, tzinfo=UTC) for day in (2, 3, 14)]
    with world.work() as work:
        offers.offer(
            work,
            world.programme,
            package_id=world.package,
            mentor_id=world.mentor,
            starts=evenings,
            place=Place.REMOTE,
        )
    office = world.db.get_one(Person, world.mentor).offices[0].id
    with world.work("system:test") as work:
        people.end_office(work, person_id=world.mentor, office_id=office, on=date(2023, 3, 10))
    world.db.rollback()
    states = world.db.scalars(select(Offer.state).order_by(Offer.starts_at)).all()
    assert states == [OfferState.OPEN, OfferState.OPEN, OfferState.WITHDRAWN]
    mentor = world.db.get_one(Person, world.mentor)
    row = f"{mentor.name},{mentor.email},mentor,,{mentor.offices[0].from_on},2023-03-02"
    with world.work("system:test") as work:
        data = f"name,email,role,council,starts_on,ends_on\n{row}\n".encode()
        people_file.import_file(work, world.programme, data)
    world.db.rollback()
    states = world.db.scalars(select(Offer.state).order_by(Offer.starts_at)).all()
    assert states == [OfferState.OPEN, OfferState.WITHDRAWN, OfferState.WITHDRAWN], "a file says so too"
    with world.work("system:test") as work:
        people.disable(work, person_id=world.mentor)
    world.db.rollback()
    assert set(world.db.scalars(select(Offer.state))) == {OfferState.WITHDRAWN}


def test_the_list_costs_the_same_however_much_shuts_it(world: World) -> None:
    def queries() -> int:
        seen: list[str] = []

        def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
            seen.append(statement)

        world.db.rollback()
        package = world.db.get_one(Package, world.package)
        event.listen(world.db.get_bind(), "before_cursor_execute", count)
        bookings.times(world.db, world.programme, package, now=world.clock(), limit=30)
        event.remove(world.db.get_bind(), "before_cursor_execute", count)
        return len(seen)

    few = queries()
    with world.work() as work:
        _shut_much(work, world)
    for day in (2, 3, 6):
        world.book(TEN.replace(day=day))
    assert queries() == few


def _shut_much(work: Work, world: World) -> None:
    for day in range(10, 20):
        on = date(2023, 3, day)
        leave.add(work, mentor_id=world.mentor, from_on=on, to_on=on)
        blackouts.add(work, council_id=world.council, name="Recess", from_on=on, to_on=on)
        holidays.add(work, on=date(2023, 5, day), name="Extra")
    leave.set_limits(work, world.programme, mentor_id=world.mentor, per_day=3, per_week=9)
    work.db.execute(update(Package).values(baseline_waived_at=work.now))
