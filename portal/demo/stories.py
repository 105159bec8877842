"""What happens to the demo's leaders and groups, stage by stage, up to today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle
from random import Random

from portal.demo import data
from portal.demo.agenda import Diary
from portal.demo.answers import Outcome
from portal.demo.cast import LEADERS, Somebody, Stage, Support
from portal.demo.sessions import Steps
from portal.models import Place, Strand
from privacy.clock import london_date
from surveys.models import Mode

# Minutes of the sessions of a whole one-to-one package: a little more than 5 days of 7 hours.
WHOLE = (420, 180, 300, 360, 240, 300, 360)
PARTIAL = (420, 240, 180)
SHORT = (420, 360, 420)

STAGES = [stage for _, stage, _ in LEADERS]
FIRST_ENDED = STAGES.index(Stage.POST_OPEN)
FIRST_BOOKED = STAGES.index(Stage.BOOKED)


@dataclass
class Teller:
    """Puts the story of each package on the agenda, by its stage."""

    steps: Steps
    diary: Diary
    rng: Random

    def __post_init__(self) -> None:
        self.rooms: Iterator[str] = cycle(data.ROOMS)

    @property
    def now(self) -> datetime:
        return self.steps.agenda.now

    def tell(self, support: Support) -> None:
        """Everything that has happened to a package until today."""
        if support.strand is Strand.GROUP:
            self._group(support)
            return
        match support.stage:
            case Stage.PROPOSED:
                self._made(support, starts=self.diary.ahead(25), created=self.diary.ago(5), agreed=False)
            case Stage.AGREED:
                self._made(support, starts=self.diary.ahead(15), created=self.diary.ago(3))
            case Stage.WITHDRAWN:
                self._invited(support, starts=self.diary.ago(60))
                self.steps.withdraw(support, self.diary.moment(self.diary.ago(45)))
            case Stage.INVITED:
                self._made(support, starts=self.diary.ahead(8), created=self.diary.ago(4))
                # The very first was invited a moment ago: their mail still waits.
                first = support.number == 0
                self.steps.invite(
                    support, self._just_now(4) if first else self.diary.moment(self.diary.ago(2))
                )
            case Stage.CLOSED | Stage.SHORT:
                ended = 110 + (support.number * 53) % 290
                self._over(support, ended_ago=ended, minutes=SHORT if support.stage is Stage.SHORT else WHOLE)
            case Stage.POST_OPEN:
                # The first of them ended a moment ago: the mail about the last questionnaire still waits.
                recent = support.number == FIRST_ENDED
                self._over(support, ended_ago=0 if recent else 20 + support.number % 30 * 2, minutes=WHOLE)
            case _:
                self._under_way(support)

    def _under_way(self, support: Support) -> None:
        leader = support.members[0]
        asked_ago = {Stage.ACTIVE: 75, Stage.BOOKED: 24}.get(support.stage, 12)
        self._invited(support, starts=self.diary.ago(asked_ago - 10))
        answered = self.diary.moment(self.diary.ago(asked_ago - 4))
        match support.stage:
            case Stage.DRAFT:
                self.steps.draft(support, leader, self._just_now(60 * 26), pages=3)
            case Stage.CALL:
                self.steps.ask_for_call(support, leader, self._just_now(60 * 3))
            case Stage.READY:
                self.steps.baseline(support, leader, answered)
            case Stage.OFFERED:
                self.steps.baseline(support, leader, answered)
                starts = [
                    self.diary.session([support.mentors[0]], self.diary.ahead(4 + 3 * step), week=True)[1]
                    for step in range(3)
                ]
                self.steps.offer(support, starts, self._just_now(9))
            case Stage.BOOKED:
                self.steps.baseline(support, leader, answered)
                # The first of them is today, so that a mentor has something in the diary.
                today = support.number == FIRST_BOOKED
                self._session(
                    support, self.diary.ahead(0 if today else 3), 120 if today else 60, recorded=False
                )
            case Stage.ACTIVE:
                mode = Mode.INTERVIEW if support.number % 10 == 9 else Mode.SELF
                self.steps.baseline(support, leader, answered, mode=mode)
                self._active(support)

    def _active(self, support: Support) -> None:
        """Sessions held, the last of them not recorded with some leaders, and a next one booked."""
        for number, minutes in enumerate(PARTIAL):
            self._session(support, self.diary.ago(58 - 16 * number), minutes)
        recorded = support.number % 4 != 0
        self._session(support, self.diary.ago(3), 120, recorded=recorded)
        self._session(support, self.diary.ahead(1 + support.number % 4), 60)

    def _over(self, support: Support, *, ended_ago: int, minutes: tuple[int, ...]) -> None:
        leader = support.members[0]
        last = ended_ago + 8
        first = last + 16 * (len(minutes) - 1)
        self._invited(support, starts=self.diary.ago(first + 3))
        mode = Mode.INTERVIEW if support.number % 6 == 5 else Mode.SELF
        answered = self.diary.moment(self.diary.ago(first + 9))
        self.steps.baseline(support, leader, answered, mode=mode)
        for number, length in enumerate(minutes):
            logged = number == 3 and support.number % 3 == 0
            self._session(support, self.diary.ago(first - 16 * number), length, logged=logged)
        short = support.stage is Stage.SHORT
        ended_on = self.diary.ago(ended_ago) if ended_ago else self.diary.today
        self.steps.end(
            support,
            self.diary.moment(ended_on) if ended_ago else self._just_now(6),
            reason=data.SHORT_REASON if short else None,
        )
        if short:
            self.steps.leave_office(leader, self.diary.moment(ended_on) + timedelta(hours=2))
        self._answers(support, leader, ended_on=ended_on)

    def _answers(self, support: Support, member: Somebody, *, ended_on: date) -> None:
        if member.outcome in (None, Outcome.SILENT):
            return
        latest = min(60, (self.diary.today - ended_on).days - 2)
        sent = self.diary.moment(ended_on + timedelta(days=self.rng.randint(min(4, latest), latest)))
        self.steps.post(support, member, sent)
        if member.outcome.verdict is not None:
            given = self.diary.after(london_date(sent) + timedelta(days=self.rng.randint(2, 9)))
            self.steps.judge(member, self.diary.moment(given))

    def _group(self, support: Support) -> None:
        match support.stage:
            case Stage.CLOSED:
                # Some ended first, so that what they said is in the last quarter's release.
                self._group_over(support, ended_ago=230 if support.title in data.GROUPS[4:] else 128)
            case Stage.POST_OPEN:
                self._group_over(support, ended_ago=27)
            case Stage.ACTIVE:
                self._group_invited(support, starts=self.diary.ago(132), skip=())
                self._workshop(support, self.diary.ago(112), number=0, places=support.members[:8])
                self._half_way(support)
                self._workshop(
                    support, self.diary.ago(1), number=1, places=support.members[1:8], recorded=False
                )
                self._workshop(support, self.diary.ahead(9), number=2, places=support.members[2:6])
            case _:
                self._group_invited(support, starts=self.diary.ahead(5), skip=(0, 2, 5, 7))
                self.steps.draft(support, support.members[2], self._just_now(60 * 20), pages=2)
                self._workshop(support, self.diary.ahead(7), number=0, places=support.members[3:5])

    def _half_way(self, support: Support) -> None:
        """Most have answered while support runs, and two assess their scrutiny for themselves."""
        for member in support.members[2:]:
            sent = self.diary.moment(self.diary.ago(self.rng.randint(2, 6)))
            self.steps.interim(support, member, sent, months=4)
        for member in support.members[:2]:
            for turn, ago in enumerate((90, 15)):
                self.steps.scrutiny(support, member, self.diary.moment(self.diary.ago(ago)), turn=turn)

    def _group_over(self, support: Support, *, ended_ago: int) -> None:
        self._group_invited(support, starts=self.diary.ago(ended_ago + 100), skip=())
        for number in range(3):
            absent = support.members[number]
            places = [member for member in support.members if member is not absent]
            self._workshop(
                support, self.diary.ago(ended_ago + 84 - 36 * number), number=number, places=places
            )
        ended_on = self.diary.ago(ended_ago)
        self.steps.end(support, self.diary.moment(ended_on))
        for member in support.members:
            self._answers(support, member, ended_on=ended_on)

    def _group_invited(self, support: Support, *, starts: date, skip: tuple[int, ...]) -> None:
        """Invited, and those who are not skipped have sent their baseline."""
        asked = self._invited(support, starts=starts)
        for number, member in enumerate(support.members):
            if number not in skip:
                day = self.diary.before(asked + timedelta(days=1 + number % 4))
                self.steps.baseline(support, member, self.diary.moment(day) + timedelta(hours=3))

    def _workshop(
        self, support: Support, near: date, *, number: int, places: list[Somebody], recorded: bool = True
    ) -> None:
        _, starts_at = self.diary.session([support.mentors[0], *support.members], near)
        made = self.diary.moment(self.diary.before(london_date(starts_at) - timedelta(days=17)))
        session = self.steps.schedule(
            support,
            made if near < self.diary.today else min(made, self.diary.moment(self.diary.ago(3))),
            starts_at,
            title=data.WORKSHOPS[number],
            capacity=len(support.members) - (1 if support.stage is Stage.ACTIVE else 0),
            where=next(self.rooms),
        )
        self.steps.take_places(support, session, places)
        if recorded:
            self.steps.record(support, session, came=places[: len(places) - number % 2])

    def _made(self, support: Support, *, starts: date, created: date, agreed: bool = True) -> None:
        support.starts_on = starts
        self.steps.create(support, self.diary.moment(created), agreed=agreed)

    def _invited(self, support: Support, *, starts: date) -> date:
        """Made, and invited two days later; returns the day of the invitation."""
        wanted = min(starts - timedelta(days=14), self.diary.ago(8))
        self._made(support, starts=starts, created=self.diary.before(wanted))
        asked = self.diary.after(self.diary.before(wanted) + timedelta(days=1))
        self.steps.invite(support, self.diary.moment(asked))
        return asked

    def _session(
        self, support: Support, near: date, minutes: int, *, recorded: bool = True, logged: bool = False
    ) -> None:
        own_hours = minutes == 60
        _, starts_at = self.diary.session([support.mentors[0], support.members[0]], near, week=own_hours)
        place = Place.IN_PERSON if minutes >= 240 else Place.REMOTE
        where = next(self.rooms) if place is Place.IN_PERSON else None
        if logged:
            self.steps.log(support, starts_at, minutes, place=place, where=where)
            return
        made = self.diary.moment(self.diary.before(london_date(starts_at) - timedelta(days=6)))
        ahead = min(made, self.diary.moment(self.diary.ago(1)))
        session = self.steps.book(
            support, ahead, starts_at, minutes, own_hours=own_hours, place=place, where=where
        )
        if recorded:
            self.steps.record(support, session)

    def _just_now(self, minutes: int) -> datetime:
        return self.now - timedelta(minutes=minutes)
