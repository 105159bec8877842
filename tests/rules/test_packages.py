"""Packages: made whole or not at all, agreed, begun, ended, and never two ways at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.councils import facts as council_facts
from portal.models import (
    Goal,
    GoalState,
    Ground,
    Mail,
    Office,
    Package,
    PackageState,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.packages import acts as packages
from portal.packages import goals
from portal.packages import members as matching
from portal.packages import states as package_states
from portal.packages.acts import (
    Agreement,
    FormUsed,
    NoReason,
    NotPossible,
    OutsideContract,
    SessionsAhead,
    TooShort,
    UnderMinimum,
    WindowClosed,
    WrongAgreement,
    WrongCouncil,
    WrongEnd,
)
from portal.packages.goals import NoGoal
from portal.packages.members import (
    ConflictOfInterest,
    NotAMentor,
    NotInOffice,
    SupportedAlready,
    WrongMembers,
)
from portal.packages.states import Act
from portal.programme import Programme
from portal.sureness import Sure, unsure
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys.models import Respondent
from tests.conftest import SetClock, Stack
from tests.factories import Factory

TODAY = date(2023, 3, 1)
AGREED = Agreement(
    on=date(2023, 2, 1), agreed_with="Dee Partment", ground=Ground.INADEQUATE, evidence="Report of May 2022"
)


class World:
    """A council with a lead member, a chief executive and a mentor, and the rules of packages."""

    def __init__(self, db: DbSession, clock: SetClock, programme: Programme, make: Factory) -> None:
        self.db, self.clock, self.programme, self.make = db, clock, programme, make
        self.council = make.council("Northshire")
        self.leader = make.person("Lea Der", role=Role.LEAD_MEMBER, council=self.council)
        self.chief = make.person("Chi Eff", role=Role.CHIEF_EXECUTIVE, council=self.council)
        self.mentor = make.mentor("Men Tor")

    def create(self, **changes: Any) -> Package:
        facts: dict[str, Any] = {
            "strand": Strand.ONE_TO_ONE,
            "council_id": self.council.id,
            "members": [(self.leader.id, Role.LEAD_MEMBER)],
            "mentor_ids": [self.mentor.id],
            "goals": ["Read the data well"],
            "planned_minutes": self.programme.minimum_minutes,
            "starts_on": TODAY,
            "agreed": AGREED,
        }
        with unit_of_work(self.db, self.clock, "system:test") as work:
            return packages.create(work, self.programme, **(facts | changes))

    def do(self, rule: Any, *arguments: Any, **facts: Any) -> Any:
        with unit_of_work(self.db, self.clock, "system:test") as work:
            return rule(work, *arguments, **facts)

    def begin(self, package: Package) -> None:
        def rule(work: Any) -> None:
            packages.activate(work, matching.locked(work, package.id))

        self.do(rule)

    def session(
        self, package: Package, *, days: int, state: SessionState, minutes: int | None = None
    ) -> None:
        starts_at = datetime(2023, 3, 1, 10, tzinfo=UTC) + timedelta(days=days)

        def rule(work: Any) -> None:
            work.db.add(
                Session(
                    id=new_id(),
                    package_id=package.id,
                    mentor_id=self.mentor.id,
                    kind=SessionKind.ONE_TO_ONE,
                    state=state,
                    starts_at=starts_at,
                    ends_at=starts_at + timedelta(hours=1),
                    place=Place.REMOTE,
                    delivered_minutes=minutes,
                    uid=f"{new_id()}@portal",
                    sequence=0,
                    created_at=work.now,
                    by="system:test",
                )
            )

        self.do(rule)

    def mails(self, template: str) -> int:
        return self.db.scalar(select(func.count()).select_from(Mail).where(Mail.template == template)) or 0


@pytest.fixture
def world(db: DbSession, clock: SetClock, programme: Programme, make: Factory) -> World:
    return World(db, clock, programme, make)


def test_a_package_has_its_leader_mentor_and_goals(world: World) -> None:
    package = world.create(goals=["Read the data well", "  ", "Ask better questions"])
    assert package.state is PackageState.AGREED
    part = package.participations[0]
    assert (part.person_id, part.role) == (world.leader.id, Role.LEAD_MEMBER)
    assert world.db.get_one(Respondent, part.id).audience == "lead_member"
    assert [serving.person_id for serving in package.mentors] == [world.mentor.id]
    assert {(goal.text, goal.participation_id) for goal in package.goals} == {
        ("Read the data well", part.id),
        ("Ask better questions", part.id),
    }


def test_the_agreement_is_a_dated_fact_of_the_council(world: World) -> None:
    world.create()
    fact = council_facts.history(world.db, world.council.id)[0]
    assert (fact.value, fact.from_on, fact.agreed_with) == ("inadequate", AGREED.on, "Dee Partment")


def test_without_agreement_it_is_proposed_and_nobody_is_invited(world: World) -> None:
    package = world.create(agreed=None)
    assert package.state is PackageState.PROPOSED
    with pytest.raises(NotPossible, match="has not agreed"):
        world.do(packages.invite, package_id=package.id)
    world.do(packages.agree, package_id=package.id, agreed=AGREED)
    assert world.do(packages.invite, package_id=package.id) == 1
    assert world.db.get_one(Package, package.id).state is PackageState.BASELINE


def test_a_council_that_was_agreed_needs_no_second_agreement(world: World) -> None:
    world.create()
    second = world.create(members=[(world.chief.id, Role.CHIEF_EXECUTIVE)], agreed=None)
    assert second.state is PackageState.AGREED


def test_a_group_has_members_and_its_own_goals(world: World) -> None:
    other = world.make.person("Mem Ber", role=Role.COMMITTEE_MEMBER, council=world.council)
    package = world.create(
        strand=Strand.GROUP,
        members=[(world.leader.id, Role.LEAD_MEMBER), (other.id, Role.COMMITTEE_MEMBER)],
        planned_minutes=0,
        title="Scrutiny",
    )
    assert len(package.participations) == 2
    assert [goal.participation_id for goal in package.goals] == [None]
    assert package.title == "Scrutiny"


def test_a_form_that_is_sent_twice_makes_one_package(world: World) -> None:
    members = [(world.leader.id, Role.LEAD_MEMBER), (world.chief.id, Role.CHIEF_EXECUTIVE)]
    group = {"strand": Strand.GROUP, "members": members, "title": "Scrutiny", "package_id": new_id()}
    one_to_one = {"package_id": new_id()}
    for sent in (group, one_to_one):
        assert world.create(**sent).id == world.create(**sent).id == sent["package_id"]
    world.db.rollback()
    assert world.db.scalar(select(func.count()).select_from(Package)) == 2
    for changed in ({"title": "Care"}, {"members": members[:1]}, {"strand": Strand.ONE_TO_ONE}):
        with pytest.raises(FormUsed):
            world.create(**group | changed)


def test_two_clicks_at_the_same_moment_make_one_package(world: World, stack: Stack) -> None:
    sent: dict[str, Any] = {
        "strand": Strand.GROUP,
        "council_id": world.council.id,
        "members": [(world.leader.id, Role.LEAD_MEMBER)],
        "mentor_ids": [],
        "goals": ["Ask better questions"],
        "planned_minutes": 0,
        "starts_on": TODAY,
        "package_id": new_id(),
    }
    world.db.rollback()

    def click(_: int) -> UUID:
        with (
            DbSession(stack.engine, info={"vault": stack.instance.vault}) as own,
            unit_of_work(own, world.clock, "system:test") as work,
        ):
            return packages.create(work, world.programme, **sent).id

    with ThreadPoolExecutor(max_workers=4) as pool:
        assert set(pool.map(click, range(4))) == {sent["package_id"]}


def test_a_national_group_has_no_council_to_agree_on(world: World) -> None:
    elsewhere = world.make.person(role=Role.LEAD_MEMBER, council=world.make.council("Westshire"))
    members = [(world.leader.id, Role.LEAD_MEMBER), (elsewhere.id, Role.LEAD_MEMBER)]
    package = world.create(strand=Strand.GROUP, council_id=None, members=members, agreed=None)
    assert package.state is PackageState.AGREED


def refusals(world: World) -> dict[str, tuple[type[Exception], dict[str, Any]]]:
    away = world.make.person("A Way", role=Role.LEAD_MEMBER, council=world.make.council("Westshire"))
    insider = world.make.person("In Sider", role=Role.COMMITTEE_MEMBER, council=world.council)
    with unit_of_work(world.db, world.clock, "system:test") as work:
        work.db.add(Office(id=new_id(), person_id=insider.id, role=Role.MENTOR, from_on=date(2022, 1, 1)))
    both = [(world.leader.id, Role.LEAD_MEMBER), (world.chief.id, Role.CHIEF_EXECUTIVE)]
    return {
        "two leaders": (WrongMembers, {"members": both}),
        "nobody": (WrongMembers, {"members": [], "strand": Strand.GROUP}),
        "another council's": (NotInOffice, {"members": [(away.id, Role.LEAD_MEMBER)]}),
        "another role": (NotInOffice, {"members": [(world.leader.id, Role.COUNCIL_LEADER)]}),
        "a mentor as leader": (NotInOffice, {"members": [(world.mentor.id, Role.MENTOR)]}),
        "not yet in office": (NotInOffice, {"starts_on": date(2022, 3, 1)}),
        "no goal": (NoGoal, {"goals": [" ", ""]}),
        "too long a goal": (NoGoal, {"goals": ["x" * 1001]}),
        "too short": (TooShort, {"planned_minutes": world.programme.minimum_minutes - 1}),
        "no council": (WrongCouncil, {"council_id": None}),
        "before the contract": (OutsideContract, {"starts_on": date(2021, 5, 31)}),
        "after the contract": (OutsideContract, {"starts_on": date(2024, 4, 1)}),
        "no mentor": (NotAMentor, {"mentor_ids": [world.chief.id]}),
        "conflict": (ConflictOfInterest, {"mentor_ids": [world.mentor.id, insider.id]}),
        "agreed tomorrow": (
            WrongAgreement,
            {"agreed": Agreement(TODAY + timedelta(days=1), "Dee", Ground.DECLINE, "x")},
        ),
        "agreed by nobody": (WrongAgreement, {"agreed": Agreement(TODAY, " ", Ground.DECLINE, "x")}),
    }


REFUSED = [
    "two leaders",
    "nobody",
    "another council's",
    "another role",
    "a mentor as leader",
    "not yet in office",
    "no goal",
    "too long a goal",
    "too short",
    "no council",
    "before the contract",
    "after the contract",
    "no mentor",
    "conflict",
    "agreed tomorrow",
    "agreed by nobody",
]


@pytest.mark.parametrize("case", REFUSED)
def test_a_package_that_breaks_a_rule_is_refused_whole(world: World, case: str) -> None:
    error, changes = refusals(world)[case]
    with pytest.raises(error):
        world.create(**changes)
    assert world.db.scalar(select(func.count()).select_from(Package)) == 0
    assert world.db.scalar(select(func.count()).select_from(Goal)) == 0


def test_outside_the_contract_names_the_dates_and_the_file(world: World) -> None:
    with pytest.raises(OutsideContract) as raised:
        world.create(starts_on=date(2024, 4, 1))
    assert "1 June 2021 to 31 March 2024" in str(raised.value)
    assert "programme.toml" in str(raised.value)


def test_a_leader_has_one_package_in_a_role_at_a_time(world: World) -> None:
    package = world.create()
    with pytest.raises(SupportedAlready, match=package.ref):
        world.create()
    world.do(packages.withdraw, package_id=package.id, reason="They have no time")
    assert world.create().state is PackageState.AGREED


def test_an_invitation_is_queued_once_each(world: World) -> None:
    package = world.create()
    assert world.do(packages.invite, package_id=package.id) == 1
    assert world.do(packages.invite, package_id=package.id) == 0
    assert world.mails("invitation") == 1


def test_who_joins_a_group_later_is_invited_later(world: World) -> None:
    package = world.create(strand=Strand.GROUP)
    world.do(packages.invite, package_id=package.id)
    world.begin(package)
    world.do(
        matching.add_member,
        package_id=package.id,
        person_id=world.chief.id,
        role=Role.CHIEF_EXECUTIVE,
        from_on=TODAY,
    )
    assert world.do(packages.invite, package_id=package.id) == 1
    assert world.db.get_one(Package, package.id).state is PackageState.ACTIVE
    with pytest.raises(SupportedAlready):
        world.do(
            matching.add_member,
            package_id=package.id,
            person_id=world.chief.id,
            role=Role.CHIEF_EXECUTIVE,
            from_on=TODAY,
        )


def test_mentors_come_and_go(world: World) -> None:
    package = world.create(mentor_ids=[])
    for _ in range(2):
        world.do(matching.assign_mentor, package_id=package.id, person_id=world.mentor.id)
    world.do(matching.unassign_mentor, package_id=package.id, person_id=world.mentor.id)
    world.do(matching.assign_mentor, package_id=package.id, person_id=world.mentor.id)
    world.db.expire_all()
    assert [(serving.from_on, serving.to_on) for serving in package.mentors] == [(TODAY, None)]


def test_goals_are_added_and_met(world: World) -> None:
    package = world.create()
    goal = world.do(goals.add_goal, package_id=package.id, text="Know every child in care")
    world.do(goals.set_goal_state, package_id=package.id, goal_id=goal.id, state=GoalState.MET)
    assert world.db.get_one(Goal, goal.id).state is GoalState.MET
    assert goal.participation_id == package.participations[0].id


def test_a_waived_baseline_has_a_reason(world: World) -> None:
    package = world.create()
    with pytest.raises(NoReason):
        world.do(packages.waive_baseline, package_id=package.id, reason="  ")
    world.do(packages.waive_baseline, package_id=package.id, reason="The leader is ill")
    found = world.db.get_one(Package, package.id)
    assert found.waiver == "The leader is ill"
    assert found.baseline_waived_at == world.clock()


def end(
    world: World, package: Package, on: date = TODAY, reason: str | None = None, *, sure: Sure = unsure
) -> Any:
    return world.do(packages.end, world.programme, package_id=package.id, on=on, reason=reason, sure=sure)


def test_the_ledger_counts_planned_booked_and_held(world: World) -> None:
    package = world.create()
    world.session(package, days=-2, state=SessionState.HELD, minutes=90)
    world.session(package, days=1, state=SessionState.BOOKED)
    world.session(package, days=2, state=SessionState.CANCELLED)
    ledger = packages.ledger(world.db, world.programme, package.id)
    assert (ledger.planned, ledger.booked, ledger.delivered, ledger.short) == (2100, 60, 90, 2010)


def test_ending_asks_the_last_questionnaire(world: World) -> None:
    package = world.create()
    world.begin(package)
    world.session(package, days=-1, state=SessionState.HELD, minutes=2100)
    end(world, package)
    found = world.db.get_one(Package, package.id)
    assert (found.state, found.ends_on, found.short_reason) == (PackageState.ENDED, TODAY, None)
    assert world.mails("post_open") == 1
    with pytest.raises(NotPossible):
        end(world, package)


def test_ending_under_the_minimum_needs_a_reason(world: World) -> None:
    package = world.create()
    world.begin(package)
    world.session(package, days=-1, state=SessionState.HELD, minutes=2099)
    with pytest.raises(UnderMinimum):
        end(world, package, reason=" ")
    end(world, package, reason="Lost the seat in May")
    assert world.db.get_one(Package, package.id).short_reason == "Lost the seat in May"


def test_a_group_ends_without_a_minimum(world: World) -> None:
    package = world.create(strand=Strand.GROUP)
    world.begin(package)
    end(world, package)
    assert world.db.get_one(Package, package.id).state is PackageState.ENDED


def test_support_does_not_end_before_its_sessions(world: World) -> None:
    package = world.create()
    world.begin(package)
    world.session(package, days=3, state=SessionState.BOOKED)
    with pytest.raises(SessionsAhead, match="4 March 2023") as raised:
        end(world, package, reason="No time")
    assert len(raised.value.sessions) == 1


def test_support_ends_on_a_day_that_has_come(world: World) -> None:
    package = world.create()
    world.begin(package)
    for day in (TODAY + timedelta(days=1), TODAY - timedelta(days=1)):
        with pytest.raises(WrongEnd):
            end(world, package, on=day, reason="No time")


def test_ending_after_the_window_has_closed_has_to_be_meant(world: World, clock: SetClock) -> None:
    in_time, late = (world.create(strand=Strand.GROUP) for _ in range(2))
    world.begin(in_time)
    world.begin(late)
    clock.pass_time(days=92)
    assert end(world, in_time) == 1, "open to 1 June, which is today"
    clock.pass_time(days=1)
    with pytest.raises(WindowClosed, match="closed on 1 June 2023"):
        end(world, late)
    assert world.db.get_one(Package, late.id).state is PackageState.ACTIVE
    assert end(world, late, sure=lambda question: "would have closed on" in question) == 0
    assert world.mails("post_open") == 1


ALLOWED = {
    (PackageState.PROPOSED, Act.AGREE): PackageState.AGREED,
    (PackageState.PROPOSED, Act.WITHDRAW): PackageState.WITHDRAWN,
    (PackageState.PROPOSED, Act.CHANGE): PackageState.PROPOSED,
    (PackageState.AGREED, Act.DISAGREE): PackageState.PROPOSED,
    (PackageState.BASELINE, Act.DISAGREE): PackageState.PROPOSED,
    (PackageState.AGREED, Act.INVITE): PackageState.BASELINE,
    (PackageState.AGREED, Act.ACTIVATE): PackageState.ACTIVE,
    (PackageState.AGREED, Act.WITHDRAW): PackageState.WITHDRAWN,
    (PackageState.AGREED, Act.CHANGE): PackageState.AGREED,
    (PackageState.BASELINE, Act.INVITE): PackageState.BASELINE,
    (PackageState.BASELINE, Act.ACTIVATE): PackageState.ACTIVE,
    (PackageState.BASELINE, Act.WITHDRAW): PackageState.WITHDRAWN,
    (PackageState.BASELINE, Act.CHANGE): PackageState.BASELINE,
    (PackageState.ACTIVE, Act.INVITE): PackageState.ACTIVE,
    (PackageState.ACTIVE, Act.ACTIVATE): PackageState.ACTIVE,
    (PackageState.ACTIVE, Act.CHANGE): PackageState.ACTIVE,
    (PackageState.ACTIVE, Act.END): PackageState.ENDED,
    (PackageState.ENDED, Act.MOVE_END): PackageState.ENDED,
}


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("state", list(PackageState))
def test_every_act_in_every_state(state: PackageState, act: Act) -> None:
    if (state, act) in ALLOWED:
        assert package_states.after(state, act) is ALLOWED[state, act]
    else:
        with pytest.raises(NotPossible):
            package_states.after(state, act)
