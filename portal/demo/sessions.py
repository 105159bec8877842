"""Steps of the demo's stories: sessions booked, logged, offered, scheduled and recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from portal.booking import acts as bookings
from portal.booking import delivery, offers
from portal.demo.cast import Somebody, Support
from portal.demo.steps import GAP, PackageSteps
from portal.groups import sessions
from portal.models import Place, SessionKind
from privacy.records import new_id
from privacy.work import Work
from surveys.models import Wave

WORKSHOP_MINUTES = 180


@dataclass(eq=False)
class Booked:
    """A session of a story. `made_at` is when it was booked."""

    id: UUID
    made_at: datetime
    starts_at: datetime
    ends_at: datetime


@dataclass
class Steps(PackageSteps):
    """All steps."""

    def book(
        self,
        support: Support,
        moment: datetime,
        starts_at: datetime,
        minutes: int,
        *,
        own_hours: bool,
        place: Place,
        where: str | None,
    ) -> Booked:
        """The leader books a time from the mentor's hours, or the mentor books a longer one."""
        session = self._new(support, moment, starts_at, minutes)
        mentor, leader = support.mentors[0], support.members[0]

        def act(work: Work) -> None:
            bookings.book(
                work,
                self.programme,
                package_id=support.known,
                session_id=session.id,
                mentor_id=mentor.known,
                starts_at=starts_at,
                place=place,
                where=where or _link(session.id),
                free_time=not own_hours,
                minutes=None if own_hours else minutes,
            )

        self.agenda.at(session.made_at, act, by=leader if own_hours else mentor)
        return session

    def log(
        self, support: Support, starts_at: datetime, minutes: int, *, place: Place, where: str | None
    ) -> None:
        """The mentor logs, the evening after, a session that nobody booked."""
        session = self._new(support, starts_at + timedelta(minutes=minutes, hours=30), starts_at, minutes)
        mentor = support.mentors[0]

        def act(work: Work) -> None:
            delivery.log_past(
                work,
                self.programme,
                package_id=support.known,
                session_id=session.id,
                mentor_id=mentor.known,
                starts_at=starts_at,
                minutes=minutes,
                place=place,
                where=where,
            )

        self.agenda.at(session.made_at, act, by=mentor)

    def offer(self, support: Support, starts: list[datetime], moment: datetime) -> None:
        mentor = support.mentors[0]

        def act(work: Work) -> None:
            offers.offer(
                work,
                self.programme,
                package_id=support.known,
                mentor_id=mentor.known,
                starts=starts,
                place=Place.REMOTE,
                where=_link(support.known),
            )

        self.agenda.at(self.after(support, moment), act, by=mentor)

    def schedule(
        self,
        support: Support,
        moment: datetime,
        starts_at: datetime,
        *,
        title: str,
        capacity: int,
        where: str,
    ) -> Booked:
        """The mentor schedules a workshop for a group."""
        session = self._new(support, moment, starts_at, WORKSHOP_MINUTES)
        mentor = support.mentors[0]

        def act(work: Work) -> None:
            sessions.schedule(
                work,
                self.programme,
                package_id=support.known,
                session_id=session.id,
                mentor_id=mentor.known,
                kind=SessionKind.WORKSHOP,
                title=title,
                starts_at=starts_at,
                minutes=WORKSHOP_MINUTES,
                capacity=capacity,
                place=Place.IN_PERSON,
                where=where,
            )

        self.agenda.at(session.made_at, act, by=mentor)
        return session

    def take_places(self, support: Support, session: Booked, members: list[Somebody]) -> None:
        """Each of these members books a place, over the days that follow."""
        room = (min(session.starts_at, self.agenda.now) - session.made_at) * 0.8
        for number, member in enumerate(members, start=1):

            def act(work: Work, member: Somebody = member) -> None:
                sessions.take_place(work, self.programme, session_id=session.id, person_id=member.known)

            moment = session.made_at + room * number / (len(members) + 1)
            self.agenda.at(max(moment, (member.answered_at or moment) + GAP), act, by=member)

    def record(self, support: Support, session: Booked, *, came: list[Somebody] | None = None) -> None:
        """The mentor records the session within hours, and some who came give feedback. Nothing if it lies ahead."""
        recorded_at = session.ends_at + timedelta(minutes=self.rng.randint(20, 200))
        if recorded_at >= self.agenda.now:
            return
        present = support.members if came is None else came

        def act(work: Work) -> None:
            attended = [member.known for member in present]
            delivery.record(
                work,
                self.programme,
                session_id=session.id,
                outcome=delivery.Outcome.HELD,
                attended=attended,
            )

        self.agenda.at(recorded_at, act, by=support.mentors[0])
        support.floor = max(support.floor or recorded_at, recorded_at)
        for member in present:
            given_at = recorded_at + timedelta(hours=self.rng.randint(2, 100))
            if self.rng.random() < 0.5 and given_at < self.agenda.now:
                self.send(
                    support,
                    member,
                    given_at,
                    Wave.FEEDBACK,
                    member.voice.feedback,
                    occasion=str(session.id),
                    after=recorded_at,
                )

    def _new(self, support: Support, moment: datetime, starts_at: datetime, minutes: int) -> Booked:
        made_at = self.after(support, moment)
        return Booked(new_id(), made_at, starts_at, starts_at + timedelta(minutes=minutes))


def _link(number: UUID) -> str:
    return f"https://meet.example/{str(number)[:8]}"
