"""Steps of the machine that make, change and record sessions, and give and take places."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from portal import policies
from portal.booking import acts as bookings
from portal.booking import delivery
from portal.booking.delivery import Outcome
from portal.booking.diary import Refused
from portal.booking.standing import SessionClosed
from portal.groups import sessions, waiting
from portal.groups.sessions import SessionFull
from portal.models import Package, Place, Session, SessionKind
from tests.faults import what_holds
from tests.faults.knowing_machine import KnowingMachine
from tests.faults.known import Meeting
from tests.faults.trail_of_changes import rows_of


class SessionSteps(KnowingMachine):
    """By whoever may: leaders, their assistants, mentors, members of the group."""

    # ---- one-to-one sessions

    def book(self, which: int, by: int, days: int, time: tuple[int, int], place: Place, again: bool) -> None:
        leader = self.cast.leaders[which]
        package_id = self.cast.packages[leader]
        mentor = self.cast.mentor_of[package_id]
        aide = self.known.assistants.get(leader)
        people = [*self.present, *([aide[1]] if aide else [])]
        # Mostly those who may.
        actor = [leader, mentor, people[by % len(people)], *([aide[1]] if aide else [])][
            by % (4 if aide else 3)
        ]
        if actor in self.gone or not self.allowed(actor, leader, package_id):
            return
        wanted = Meeting(package_id, mentor, self.at(days, time), place, {leader})
        form = uuid4()

        def work(unit: Any) -> Session:
            return bookings.book(
                unit,
                self.programme,
                package_id=package_id,
                session_id=form,
                mentor_id=mentor,
                starts_at=wanted.starts_at,
                place=place,
                free_time=actor == mentor,
            )

        got = self.act("book", actor, work)
        self.justify(got, wanted, leader=leader)
        if got == form:
            self.known.meetings[form] = wanted
            if again:
                # The same form once more: the first result, and nothing else.
                assert self.act("book again", actor, work) == form

    def allowed(self, actor: UUID, leader: UUID, package_id: UUID) -> bool:
        """Whether somebody may book for a leader: the rule says what the machine knows."""
        aide = self.known.assistants.get(leader)
        expected = actor in {leader, self.cast.mentor_of[package_id]} or (
            aide is not None and aide[1] == actor
        )
        expected = expected and not (leader in self.gone and actor != self.cast.mentor_of[package_id])
        with self.running.sessions() as db:
            may = policies.may_book(self.running.actor(db, actor), db.get_one(Package, package_id))
        assert may == expected, "who may book"
        return may

    def move(self, which: int, days: int, time: tuple[int, int], place: Place, free: bool) -> None:
        found = self.upcoming()
        if not found:
            return
        session_id = found[which % len(found)]
        one = self.known.meetings[session_id]
        wanted = Meeting(
            one.package, one.mentor, self.at(days, time), place, set(one.people), one.capacity, one.length
        )
        got = self.act(
            "move",
            one.mentor if free else next(iter(one.people), one.mentor),
            lambda unit: bookings.move(
                unit,
                self.programme,
                session_id=session_id,
                starts_at=wanted.starts_at,
                place=place,
                free_time=free,
            ),
        )
        leader = next(iter(one.people), one.mentor)
        self.justify(got, wanted, leader=leader, but=session_id)
        if got == session_id:
            self.known.meetings[session_id] = wanted

    def cancel(self, which: int, own: bool) -> None:
        found = self.upcoming()
        if not found:
            return
        session_id = found[which % len(found)]
        one = self.known.meetings[session_id]
        got = self.act(
            "cancel",
            one.mentor,
            lambda unit: (
                bookings.cancel_own(unit, self.programme, session_id=session_id)
                if own
                else bookings.cancel(unit, session_id=session_id)
            ),
        )
        late = one.starts_at - self.running.now < timedelta(hours=24)
        if got == session_id:
            assert one.starts_at > self.running.now
            assert not (own and late)
            one.over = True
        else:
            assert (own and late) or one.starts_at <= self.running.now

    # ---- group sessions

    def schedule(self, days: int, time: tuple[int, int], capacity: int) -> None:
        mentor = self.cast.mentor_of[self.cast.group]
        wanted = Meeting(self.cast.group, mentor, self.at(days, time), Place.REMOTE, set(), capacity)
        form = uuid4()
        got = self.act(
            "schedule",
            mentor,
            lambda unit: sessions.schedule(
                unit,
                self.programme,
                package_id=self.cast.group,
                session_id=form,
                mentor_id=mentor,
                kind=SessionKind.WORKSHOP,
                title="Reading the data",
                starts_at=wanted.starts_at,
                minutes=60,
                capacity=capacity,
                place=Place.REMOTE,
            ),
        )
        self.justify(got, wanted, leader=mentor)
        if got == form:
            self.known.meetings[form] = wanted

    def place(self, which: int, who: int, act: str) -> None:
        found, people = self.upcoming(group=True), self.group_of()
        if not found or not people:
            return
        session_id, person_id = found[which % len(found)], people[who % len(people)]
        one = self.known.meetings[session_id]
        given = {"session_id": session_id, "person_id": person_id}
        rules: dict[str, Callable[[Any], Any]] = {
            "take": lambda unit: sessions.take_place(unit, self.programme, **given),
            "give up": lambda unit: sessions.give_up_place(unit, self.programme, **given),
            "wait": lambda unit: waiting.join(unit, self.programme, **given),
            "leave": lambda unit: waiting.leave(unit, **given),
        }
        before = set(one.people)
        got = self.act(act, person_id, rules[act])
        self.read_places()
        if one.starts_at <= self.running.now:
            assert isinstance(got, SessionClosed) or act == "leave"
        elif isinstance(got, SessionFull):
            assert len(before) == one.capacity
        elif act == "take" and not isinstance(got, Refused):
            assert person_id in one.people
        elif act == "give up" and not isinstance(got, Refused):
            assert person_id not in one.people

    def read_places(self) -> None:
        """The list gives places by itself: whoever got one is read back; that it was right is for the rows to show."""
        with self.running.sessions() as db:
            sitting = what_holds.seats(rows_of(db))
        for session_id, one in self.known.meetings.items():
            if one.capacity is not None:
                one.people = set(sitting.get(session_id, []))

    def record(self, which: int, outcome: Outcome) -> None:
        past = [one for one in self.upcoming() if self.known.meetings[one].starts_at <= self.running.now]
        if not past:
            return
        session_id = past[which % len(past)]
        one = self.known.meetings[session_id]
        # What is recorded again is recorded at another moment, however alike it is.
        self.running.clock.pass_time(minutes=1)
        got = self.act(
            "record",
            one.mentor,
            lambda unit: delivery.record(unit, self.programme, session_id=session_id, outcome=outcome),
        )
        if got == session_id and outcome is not Outcome.HELD:
            one.over = True
