"""Steps of the demo's stories: packages and questionnaires. Each puts acts of the product's rules on the agenda."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from random import Random

from sqlalchemy import select

from portal.answers import questionnaires, verdicts, windows
from portal.answers.questionnaires import Asked
from portal.councils import facts as council_facts
from portal.councils.facts import Agreement
from portal.demo import data, words
from portal.demo.agenda import Agenda
from portal.demo.answers import Filled, Outcome
from portal.demo.cast import Somebody, Support
from portal.demo.words import Story
from portal.models import Goal, GoalState, Person, Strand
from portal.packages import acts as packages
from portal.packages import goals
from portal.people import register as people
from portal.programme import Programme
from privacy.clock import london_date, month_words
from privacy.work import Work
from surveys import responses
from surveys.models import Mode, Response, Wave
from surveys.questionnaires import Questionnaire
from surveys.sittings import ONCE, sit
from surveys.versions import current

GROUP_MINUTES = 840
SCRUTINY = "scrutiny_self_assessment"
GAP = timedelta(minutes=20)


@dataclass
class PackageSteps:
    """Packages and questionnaires. Where a step would come before one it rests on, it comes a little after it."""

    agenda: Agenda
    programme: Programme
    team: list[Somebody]
    rng: Random

    def __post_init__(self) -> None:
        self._stories: dict[tuple[Story, ...], Iterator[Story]] = {}

    # ---- packages

    def create(self, support: Support, moment: datetime, *, agreed: bool) -> None:
        """The team makes the package; unless `agreed`, the Department has not agreed the council yet."""
        council = support.council

        def act(work: Work) -> None:
            assert council.id is not None
            known = council_facts.agreement(work.db, council.id, on=london_date(work.now)) is not None
            agreement = Agreement(
                on=london_date(work.now) - timedelta(days=self.rng.randint(2, 9)),
                agreed_with=data.AGREED_WITH,
                ground=council.ground,
                evidence=data.EVIDENCE[council.ground],
            )
            lead = support.members[0].role
            one = support.strand is Strand.ONE_TO_ONE
            package = packages.create(
                work,
                self.programme,
                strand=support.strand,
                council_id=council.id,
                members=[(member.known, member.role) for member in support.members],
                mentor_ids=[mentor.known for mentor in support.mentors],
                goals=self.rng.sample(data.GOALS[lead], 2),
                planned_minutes=self.programme.minimum_minutes if one else GROUP_MINUTES,
                starts_on=support.starts_on,
                title=support.title,
                agreed=agreement if agreed and not known else None,
            )
            support.package_id = package.id
            ids = {part.person_id: part.id for part in package.participations}
            for member in support.members:
                member.participation_id = ids[member.known]

        self._put(support, moment, act, by=self._team(support))

    def invite(self, support: Support, moment: datetime) -> None:
        def act(work: Work) -> None:
            packages.invite(work, package_id=support.known)

        self._put(support, moment, act, by=self._team(support))

    def withdraw(self, support: Support, moment: datetime) -> None:
        def act(work: Work) -> None:
            packages.withdraw(work, package_id=support.known, reason=data.WITHDRAWN_REASON)

        self._put(support, moment, act, by=self._team(support))

    def end(self, support: Support, moment: datetime, *, reason: str | None = None) -> None:
        """The team says which goals were met, and ends the support."""

        def act(work: Work) -> None:
            found = work.db.scalars(select(Goal.id).where(Goal.package_id == support.known)).all()
            for goal_id in found[: 1 if reason else 2]:
                goals.set_goal_state(work, package_id=support.known, goal_id=goal_id, state=GoalState.MET)
            packages.end(
                work, self.programme, package_id=support.known, on=london_date(work.now), reason=reason
            )

        self._put(support, moment, act, by=self._team(support))

    def leave_office(self, leader: Somebody, moment: datetime) -> None:
        """Somebody leaves the council: their office ends."""

        def act(work: Work) -> None:
            for office in work.db.get_one(Person, leader.known).offices:
                people.end_office(work, person_id=leader.known, office_id=office.id, on=london_date(work.now))

        self.agenda.at(moment, act, by=self.team[0])

    # ---- questionnaires

    def baseline(
        self, support: Support, member: Somebody, moment: datetime, *, mode: Mode = Mode.SELF
    ) -> None:
        self.send(support, member, moment, Wave.BASELINE, member.voice.baseline, mode=mode)

    def post(self, support: Support, member: Somebody, moment: datetime) -> None:
        outcome, bank = member.outcome, words.stories_for(member.role)
        assert outcome is not None
        weak = outcome in (Outcome.PARTLY, Outcome.NOT_YET)
        story = words.WEAK_STORY if weak else next(self._stories.setdefault(bank, self._shuffled(bank)))
        month = month_words(london_date(moment - timedelta(days=self.rng.randint(20, 70))), year=True)

        def answers(questionnaire: Questionnaire) -> Filled:
            return member.voice.post(questionnaire, outcome, story=story, month=month)

        self.send(support, member, moment, Wave.POST, answers)

    def interim(self, support: Support, member: Somebody, moment: datetime, *, months: int) -> None:
        occasion = windows.interim_occasion(months)
        self.send(support, member, moment, Wave.INTERIM, member.voice.interim, occasion=occasion)

    def scrutiny(self, support: Support, member: Somebody, moment: datetime, *, turn: int) -> None:
        """A member assesses the scrutiny of their council for themselves; turns are counted from 0."""

        def answers(questionnaire: Questionnaire) -> Filled:
            return member.voice.scrutiny(questionnaire, turn=turn)

        self.send(
            support, member, moment, Wave.TOOL, answers, code=SCRUTINY, occasion=f"{SCRUTINY}-{turn + 1}"
        )

    def draft(self, support: Support, member: Somebody, moment: datetime, *, pages: int) -> None:
        """The first pages of a baseline are saved, and no more."""

        def act(work: Work) -> None:
            asked = self._asked(work, member, Wave.BASELINE, ONCE)
            answers = member.voice.baseline(current(work.db, code=Wave.BASELINE).questionnaire)
            for number in range(pages):
                sitting = sit(work.db, asked.asking)
                stop = sitting.path.pages[number]
                posted = {question.code: [str(answers[question.code])] for question in stop.questions}
                questionnaires.save_page(
                    work, asked, page=stop.code, posted=posted, mark=sitting.mark(stop), mode=Mode.SELF
                )

        self.agenda.at(self.after(support, moment), act, by=member)

    def ask_for_call(self, support: Support, member: Somebody, moment: datetime) -> None:
        def act(work: Work) -> None:
            asked = self._asked(work, member, Wave.BASELINE, ONCE)
            questionnaires.ask_for_call(work, asked, phone="01632 960 417", when="Any morning before 10am")

        self.agenda.at(self.after(support, moment), act, by=member)

    def judge(self, member: Somebody, moment: datetime) -> None:
        """One of the team gives the verdict that the outcome names."""
        outcome = member.outcome
        verdict = outcome.verdict if outcome is not None else None
        assert verdict is not None

        def act(work: Work) -> None:
            response_id = work.db.scalars(
                select(Response.id).where(
                    Response.respondent_id == member.participation_id, Response.wave == Wave.POST
                )
            ).one()
            note = self.rng.choice(words.VERDICT_NOTES[verdict])
            verdicts.give(work, response_id=response_id, verdict=verdict, note=note)

        self.agenda.at(moment, act, by=self.rng.choice(self.team))

    # ---- what they share

    def send(
        self,
        support: Support,
        member: Somebody,
        moment: datetime,
        wave: Wave,
        answers: Callable[[Questionnaire], Filled],
        *,
        mode: Mode = Mode.SELF,
        code: str | None = None,
        occasion: str = ONCE,
        after: datetime | None = None,
    ) -> None:
        """Answers to the questionnaire of that code, the wave's own unless another is named."""

        def act(work: Work) -> None:
            asked = self._asked(work, member, wave, occasion)
            questionnaire = current(work.db, code=code or wave).questionnaire
            responses.submit_answers(work, asked.asking, answers=answers(questionnaire), mode=mode)

        moment = max(moment, after) if after is not None else self.after(support, moment)
        by = self._team(support) if mode is Mode.INTERVIEW else member
        self.agenda.at(moment, act, by=by)
        if wave is Wave.BASELINE:
            member.answered_at = moment
            if support.strand is Strand.ONE_TO_ONE:
                support.floor = moment

    def _asked(self, work: Work, member: Somebody, wave: Wave, occasion: str) -> Asked:
        """What somebody is asked at that moment; a story that answers outside a window is a mistake."""
        assert member.participation_id is not None
        asked = questionnaires.asked(
            work.db,
            self.programme,
            participation_id=member.participation_id,
            wave=wave,
            occasion=occasion,
            now=work.now,
        )
        if asked is None or work.now not in asked.window:
            raise questionnaires.NotOpen(f"{wave} of {member.role} at {work.now}")
        return asked

    def _put(self, support: Support, moment: datetime, act: Callable[[Work], None], *, by: Somebody) -> None:
        support.floor = self.after(support, moment)
        self.agenda.at(support.floor, act, by=by)

    def after(self, support: Support, moment: datetime) -> datetime:
        return moment if support.floor is None else max(moment, support.floor + GAP)

    def _team(self, support: Support) -> Somebody:
        return self.team[support.number % len(self.team)]

    def _shuffled(self, bank: tuple[Story, ...]) -> Iterator[Story]:
        return cycle(self.rng.sample(bank, len(bank)))
