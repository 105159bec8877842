"""Group sessions: visits and joint workshops, go or no-go, action learning sets and who follows in them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.answers import windows
from portal.booking import acts as bookings
from portal.booking import delivery, diary
from portal.booking.diary import TimeTaken
from portal.booking.standing import BaselineMissing, FormUsed, SupportClosed
from portal.groups import plans as group_plans
from portal.groups import sessions, waiting
from portal.groups import sets as groups
from portal.groups import watch as group_watch
from portal.groups.plans import Plan, WrongPlan
from portal.groups.sets import MembersNotReady, NoReason, NothingToDecide, NotOfTheSet, SetTimeTaken
from portal.groups.waiting import SetIsFixed
from portal.mailing import post
from portal.models import (
    Attendance,
    AttendanceState,
    Decision,
    Mail,
    Package,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
    WaitingState,
)
from portal.packages import acts as packages
from portal.packages import churn, support
from portal.packages.acts import PlacesAhead
from privacy.work import Work, unit_of_work
from surveys.models import Wave
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.group_world import TEN, GroupWorld, later

DECIDE_ON = date(2023, 3, 8)
TODAY = date(2023, 3, 1)


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory) -> GroupWorld:
    return GroupWorld(stack, db, make)


def deliver(world: GroupWorld) -> dict[str, str]:
    """What is sent now: the texts of the mails to each name, one after the other."""
    bag = MailBag()

    def opened() -> DbSession:
        return DbSession(world.stack.engine, info={"vault": world.stack.instance.vault})

    group_watch.run(world.stack.instance, opened)
    while post.deliver(world.stack.instance, opened, bag):
        pass
    found: dict[str, str] = {}
    for message in bag.messages:
        body = message.get_body(("plain",))
        assert body is not None
        name = f"{message['To']}".split(" <")[0]
        found[name] = found.get(name, "") + f"{message['Subject']}\n{body.get_content()}"
    return found


# ---- visits and joint workshops


def test_a_visit_names_the_council_that_is_visited(world: GroupWorld) -> None:
    host = world.make.council("Southshire").id
    visit: dict[str, Any] = {"kind": SessionKind.VISIT, "title": "A day in Southshire"}
    for wrong in (None, world.council):
        with pytest.raises(WrongPlan) as refused:
            world.schedule(plan=Plan(host_council_id=wrong), **visit)
        assert refused.value.field == "host"
    with pytest.raises(WrongPlan):
        world.schedule(plan=Plan(host_council_id=host))
    session_id = world.schedule(plan=Plan(host_council_id=host), **visit)
    planned = group_plans.of(world.db, session_id)
    assert planned is not None
    assert planned.host_council_id == host


def joint(world: GroupWorld) -> tuple[UUID, UUID, UUID]:
    """A joint workshop to which the package of a chief executive was joined; the chief, and their package."""
    council = world.db.scalars(select(Person).where(Person.id == world.members[0])).one().offices[0].council
    chief = world.make.person("Chief", role=Role.CHIEF_EXECUTIVE, council=council)
    chief_id = chief.id
    package = world.make.package(chief, mentor=world.make.mentor(), council=council).id
    session_id = world.schedule(kind=SessionKind.JOINT_WORKSHOP, capacity=4, plan=Plan(package_ids=[package]))
    return session_id, chief_id, package


def test_a_joint_workshop_draws_members_of_several_packages(world: GroupWorld) -> None:
    session_id, chief, package = joint(world)
    assert chief in world.mails("group_session", session_id)
    with pytest.raises(BaselineMissing):
        world.take(session_id, chief)
    world.waive(package)
    world.take(session_id, chief, world.members[0])
    part = world.db.scalars(select(Attendance.participation_id).where(Attendance.person_id == chief)).one()
    assert world.db.get_one(Participation, part).package_id == package, "they come in their own part"
    assert world.cells(chief) == 8


def test_support_ends_only_once_no_place_in_a_joint_workshop_is_kept(world: GroupWorld) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    world.take(session_id, chief)
    end = partial(world.act, packages.end, world.programme, package_id=package, reason="Lost the seat")
    with pytest.raises(PlacesAhead, match="10 March 2023"):
        end(on=TODAY)
    world.give_up(session_id, chief)
    end(on=TODAY)
    for act in (sessions.take_place, waiting.join):
        with pytest.raises(SupportClosed):
            world.act(act, world.programme, session_id=session_id, person_id=chief)
    assert world.seated(session_id) == set()
    assert support.next_step(overview(world, chief)).act != "place"


def test_a_package_with_a_place_in_a_joint_workshop_is_not_given_up(world: GroupWorld) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    world.take(session_id, chief)
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        work.db.get_one(Package, package).state = PackageState.BASELINE
    with pytest.raises(PlacesAhead, match="10 March 2023"):
        world.act(packages.withdraw, package_id=package, reason="Another programme")
    world.give_up(session_id, chief)
    world.act(packages.withdraw, package_id=package, reason="Another programme")


def test_who_waits_is_passed_over_once_their_support_has_ended(world: GroupWorld) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    world.take(session_id, *world.members[:4])
    world.act(waiting.join, world.programme, session_id=session_id, person_id=chief)
    world.act(packages.end, world.programme, package_id=package, on=TODAY, reason="Lost the seat")
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == set(world.members[1:4])


def test_who_came_is_recorded_after_support_has_ended(world: GroupWorld, clock: SetClock) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    clock.now = later(hours=3)
    world.act(packages.end, world.programme, package_id=package, on=TEN.date(), reason="Lost the seat")
    clock.now = later(days=1)
    held = {"session_id": session_id, "outcome": delivery.Outcome.HELD, "attended": [chief]}
    world.act(delivery.record, world.programme, **held)
    assert asked(world, session_id) == {chief}


def overview(world: GroupWorld, person_id: UUID) -> Sequence[support.Support]:
    world.db.rollback()
    now = world.stack.clock.now
    return support.overview(world.db, world.programme, person_id=person_id, now=now).supports


def test_feedback_is_asked_of_everybody_who_came_to_it(world: GroupWorld, clock: SetClock) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    world.take(session_id, chief, world.members[0])
    clock.now = later(hours=3)
    world.act(
        delivery.record,
        world.programme,
        session_id=session_id,
        outcome=delivery.Outcome.HELD,
        attended=[chief, world.members[1]],
    )
    assert asked(world, session_id) == {chief, world.members[1]}


def asked(world: GroupWorld, session_id: UUID) -> set[UUID]:
    """Who is asked for feedback on a session."""
    parts = world.db.scalars(select(Participation)).all()
    now = world.stack.clock.now
    people = {part.id: part.person_id for part in parts}
    return {
        person_id
        for one in windows.openings(world.db, world.programme, parts, now=now)
        if one.wave is Wave.FEEDBACK and one.occasion == str(session_id)
        if (person_id := people[one.participation_id]) is not None
    }


def test_only_a_joint_workshop_joins_packages_and_only_of_its_council(world: GroupWorld) -> None:
    far = world.make.package(world.make.person(), council=world.make.council()).id
    for kind in (SessionKind.WORKSHOP, SessionKind.JOINT_WORKSHOP):
        with pytest.raises(WrongPlan) as refused:
            world.schedule(kind=kind, plan=Plan(package_ids=[far]))
        assert refused.value.field == "packages"


def test_one_to_one_and_workshops_guard_the_same_time(world: GroupWorld) -> None:
    leader = world.db.get_one(Person, world.members[0])
    mentor = world.make.mentor()
    mentor_id, package = mentor.id, world.make.package(leader, mentor=mentor).id
    world.waive(package)
    session_id = world.schedule()
    booking = {
        "package_id": package,
        "mentor_id": mentor_id,
        "place": Place.REMOTE,
        "free_time": True,
        "starts_at": later(hours=1),
    }
    one = world.act(bookings.book, world.programme, session_id=uuid4(), **booking)
    with pytest.raises(TimeTaken):
        world.take(session_id, world.members[0])
    world.act(bookings.cancel, session_id=one.id)
    world.take(session_id, world.members[0])
    with pytest.raises(TimeTaken):
        world.act(bookings.book, world.programme, session_id=uuid4(), **booking)


def test_a_joint_workshop_goes_on_without_who_is_replaced(world: GroupWorld) -> None:
    session_id, chief, package = joint(world)
    world.waive(package)
    world.take(session_id, chief, world.members[0])
    outcome = replace(world, chief, Role.CHIEF_EXECUTIVE)
    assert (outcome.cancelled, outcome.passed_on) == (1, 0)
    assert world.session(session_id).state is SessionState.BOOKED
    assert world.seated(session_id) == {world.members[0]}
    assert world.cells(chief) == 0


def test_everybody_in_all_sessions_that_pass_on_is_locked_at_once(
    world: GroupWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locked session by session, two acts could each hold what the other waits for."""
    first, second = world.schedule(), world.schedule(starts_at=later(days=1), capacity=1)
    leaver, other, waits = world.members[:3]
    world.take(first, leaver, other)
    world.take(second, leaver)
    world.act(waiting.join, world.programme, session_id=second, person_id=waits)
    locked: list[set[UUID]] = []
    lock = diary.lock

    def noted(work: Work, person_ids: Iterable[UUID]) -> None:
        locked.append(set(person_ids))
        lock(work, locked[-1])

    monkeypatch.setattr(diary, "lock", noted)
    replace(world, leaver, Role.LEAD_MEMBER)
    assert locked[0] >= {world.mentor, leaver, other, waits}
    assert all(more <= locked[0] for more in locked[1:])


def replace(world: GroupWorld, leaver: UUID, role: Role) -> churn.Outcome:
    """Somebody else of the council follows in the part of who leaves, and has what passes on."""
    world.db.rollback()
    newcomer = world.make.person("Nell", role=role, council=world.db.get_one(Package, world.group).council).id
    part = world.db.scalars(select(Participation.id).where(Participation.person_id == leaver)).one()
    follows = churn.Successor(newcomer, role, TODAY)
    terms = churn.Terms(on=TODAY, successor=follows, moves=[part], goal="Ask better questions")
    return world.act(churn.replace, world.programme, participation_id=part, terms=terms)


def test_who_left_before_the_mail_went_is_not_told_of_places(world: GroupWorld) -> None:
    session_id = world.schedule(where="https://video.example/room")
    leaver = world.members[0]
    part = world.db.scalars(select(Participation.id).where(Participation.person_id == leaver)).one()
    left = {"package_id": world.group, "participation_id": part, "on": TODAY}
    world.act(packages.leave, world.programme, **left)
    sent = deliver(world)
    assert leaver in world.mails("group_session", session_id), "it was queued while they were in the group"
    assert "https://video.example/room" in sent["Member 2"]
    assert "https://video.example/room" not in sent.get("Member 1", "")


# ---- go or no-go


@pytest.mark.parametrize(
    "plan, field",
    [
        (Plan(minimum=3, decide_on=DECIDE_ON), "minimum"),
        (Plan(minimum=2), "decide_on"),
        (Plan(decide_on=DECIDE_ON), "minimum"),
        (Plan(minimum=2, decide_on=TEN.date()), "decide_on"),
        (Plan(minimum=2, decide_on=date(2023, 2, 28)), "decide_on"),
    ],
)
def test_a_plan_holds_together(world: GroupWorld, plan: Plan, field: str) -> None:
    with pytest.raises(WrongPlan) as refused:
        world.schedule(capacity=2, plan=plan)
    assert refused.value.field == field


def few(world: GroupWorld) -> UUID:
    """A workshop that wants three people and has one."""
    session_id = world.schedule(capacity=4, plan=Plan(minimum=3, decide_on=DECIDE_ON))
    world.take(session_id, world.members[0])
    return session_id


def test_the_team_is_told_once_on_the_day_to_decide(world: GroupWorld, clock: SetClock) -> None:
    team = world.make.person("Tess Team", role=Role.TEAM).id
    session_id = few(world)
    deliver(world)
    clock.now = later(days=-2, hours=-1, minutes=-1)
    assert "Tess Team" not in deliver(world)
    assert group_watch.undecided(world.db, now=clock.now) == []
    clock.now = later(days=-2, hours=-1)
    mail = deliver(world)["Tess Team"]
    assert "1 of the 3 people" in mail
    assert f"/sessions/{session_id}/decide" in mail
    assert [one.id for one in group_watch.undecided(world.db, now=clock.now)] == [session_id]
    assert "Tess Team" not in deliver(world)
    assert world.mails("go_no_go", session_id) == [team]


def test_nobody_is_told_when_there_are_enough(world: GroupWorld, clock: SetClock) -> None:
    world.make.person("Tess Team", role=Role.TEAM)
    session_id = few(world)
    world.take(session_id, *world.members[1:3])
    clock.now = later(days=-1)
    assert "Tess Team" not in deliver(world)


def test_no_go_cancels_with_calendar_mail_and_the_reason(world: GroupWorld, clock: SetClock) -> None:
    session_id = few(world)
    deliver(world)
    clock.now = later(days=-2)
    with pytest.raises(NoReason):
        world.act(groups.decide, session_id=session_id, decision=Decision.NO_GO, reason=" ")
    reason = "Too few people can come on that day"
    world.act(groups.decide, session_id=session_id, decision=Decision.NO_GO, reason=reason)
    assert world.session(session_id).state is SessionState.CANCELLED
    sent = deliver(world)
    for name in ("Member 1", "Mo Mentor"):
        assert sent[name].startswith("Cancelled: Asking the right questions")
        assert f"Why: {reason}" in sent[name]
    assert world.cells(world.members[0]) == 0
    with pytest.raises(Exception, match="cannot be changed"):
        world.act(groups.decide, session_id=session_id, decision=Decision.GO)


def test_go_is_decided_once(world: GroupWorld, clock: SetClock) -> None:
    session_id = few(world)
    clock.now = later(days=-1)
    world.act(groups.decide, session_id=session_id, decision=Decision.GO)
    assert group_watch.undecided(world.db, now=clock.now) == []
    with pytest.raises(NothingToDecide):
        world.act(groups.decide, session_id=session_id, decision=Decision.NO_GO, reason="Late")


def test_who_waits_is_told_when_it_is_called_off(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=1)
    world.take(session_id, world.members[0])
    world.act(waiting.join, world.programme, session_id=session_id, person_id=world.members[1])
    deliver(world)
    world.act(bookings.cancel, session_id=session_id)
    sent = deliver(world)
    assert sent["Member 2"].startswith("Called off: Asking the right questions")
    entry = waiting.entry_of(world.db, session_id, world.members[1])
    assert entry is not None
    assert entry.state is WaitingState.OVER


def test_the_mail_of_a_freed_place_has_the_page_that_declines_it(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=1)
    world.take(session_id, world.members[0])
    world.act(waiting.join, world.programme, session_id=session_id, person_id=world.members[1])
    deliver(world)
    world.give_up(session_id, world.members[0])
    sent = deliver(world)
    assert f"/sessions/{session_id}/freed-place" in sent["Member 2"]
    assert len(world.mails("place_freed", session_id)) == 1


def test_the_pass_gives_a_place_once_a_clash_went_away(world: GroupWorld) -> None:
    session_id = world.schedule(capacity=1)
    world.take(session_id, world.members[0])
    other = world.busy(world.members[1])
    world.act(waiting.join, world.programme, session_id=session_id, person_id=world.members[1])
    world.give_up(session_id, world.members[0])
    assert world.seated(session_id) == set()
    world.give_up(other, world.members[1])
    deliver(world)
    assert world.seated(session_id) == {world.members[1]}


# ---- action learning sets

DATES = [TEN, TEN + timedelta(days=14), TEN + timedelta(days=28)]


def book_set(world: GroupWorld, **more: Any) -> list[UUID]:
    made = world.act(
        groups.book_set,
        world.programme,
        **{
            "package_id": world.group,
            "set_id": uuid4(),
            "mentor_id": world.mentor,
            "title": "Learning from each other",
            "starts": DATES,
            "minutes": 120,
            "member_ids": world.members[:4],
            "place": Place.REMOTE,
            **more,
        },
    )
    return [one.id for one in made]


def test_a_set_books_all_dates_for_all_members_in_one_act(world: GroupWorld) -> None:
    set_id = uuid4()
    dates = book_set(world, set_id=set_id)
    assert len(dates) == 3
    for session_id in dates:
        held = world.session(session_id)
        assert (held.kind, held.capacity) == (SessionKind.ACTION_LEARNING_SET, 4)
        assert world.seated(session_id) == set(world.members[:4])
        assert set(world.mails("session", session_id)) == {world.mentor, *world.members[:4]}
    assert world.cells(world.members[0]) == 24
    assert book_set(world, set_id=set_id) == dates, "the same form again"
    assert world.db.scalar(select(func.count()).select_from(Session)) == 3


def test_a_form_that_was_sent_books_no_other_dates(world: GroupWorld) -> None:
    set_id = uuid4()
    book_set(world, set_id=set_id)
    with pytest.raises(FormUsed):
        book_set(world, set_id=set_id, starts=[*DATES[:2], DATES[2] + timedelta(days=7)])


def test_a_set_is_booked_whole_or_not_at_all(world: GroupWorld) -> None:
    world.busy(world.members[2], starts_at=DATES[1] + timedelta(hours=1))
    before = world.db.scalar(select(func.count()).select_from(Session))
    with pytest.raises(SetTimeTaken) as refused:
        book_set(world)
    assert refused.value.starts_at == DATES[1]
    world.db.rollback()
    assert world.db.scalar(select(func.count()).select_from(Session)) == before
    assert world.cells(world.members[0]) == 0


def test_members_who_are_not_ready_are_named(world: GroupWorld) -> None:
    people = [world.make.person("Ada Early"), world.make.person("Ben Behind")]
    ids = [person.id for person in people]
    mentor = world.make.mentor()
    mentor_id, group = mentor.id, world.make.package(*people, mentor=mentor, strand=Strand.GROUP).id
    with pytest.raises(MembersNotReady, match="Ada Early, Ben Behind"):
        book_set(world, package_id=group, mentor_id=mentor_id, member_ids=ids)


def test_nobody_else_takes_a_place_in_a_set(world: GroupWorld) -> None:
    dates = book_set(world)
    world.give_up(dates[0], world.members[0])
    for act in (sessions.take_place, waiting.join):
        with pytest.raises(SetIsFixed):
            world.act(act, world.programme, session_id=dates[0], person_id=world.members[5])
    world.take(dates[0], world.members[0])
    assert world.members[0] in world.seated(dates[0])


def test_who_leaves_is_replaced_for_all_coming_dates(world: GroupWorld, clock: SetClock) -> None:
    set_id = uuid4()
    dates = book_set(world, set_id=set_id)
    clock.now = later(days=1)
    leaver, newcomer = world.members[0], world.members[5]
    everybody = world.members[:4]
    held = {"session_id": dates[0], "outcome": delivery.Outcome.HELD, "attended": everybody}
    world.act(delivery.record, world.programme, **held)
    changed = world.act(groups.replace, set_id=set_id, leaver_id=leaver, newcomer_id=newcomer)
    assert [one.id for one in changed] == dates[1:]
    world.db.rollback()
    for session_id in dates[1:]:
        assert world.seated(session_id) == {newcomer, *world.members[1:4]}
        assert newcomer in world.mails("session", session_id)
        assert list(world.mails("session", session_id)).count(leaver) == 2, "told, and told again"
    assert (world.cells(leaver), world.cells(newcomer)) == (8, 16)
    assert asked(world, dates[0]) == set(everybody), "feedback stays with who came"
    clock.now = DATES[1] + timedelta(days=1)
    second = {"session_id": dates[1], "outcome": delivery.Outcome.HELD, "attended": None}
    world.act(delivery.record, world.programme, **second)
    assert asked(world, dates[1]) == {newcomer, *world.members[1:4]}


def test_a_newcomer_who_clashes_on_one_date_replaces_on_none(world: GroupWorld) -> None:
    set_id = uuid4()
    dates = book_set(world, set_id=set_id)
    world.busy(world.members[5], starts_at=DATES[2])
    with pytest.raises(SetTimeTaken) as refused:
        world.act(groups.replace, set_id=set_id, leaver_id=world.members[0], newcomer_id=world.members[5])
    assert refused.value.starts_at == DATES[2]
    assert all(world.members[0] in world.seated(session_id) for session_id in dates)


def test_only_a_member_of_the_group_outside_the_set_follows(world: GroupWorld) -> None:
    set_id = uuid4()
    book_set(world, set_id=set_id)
    stranger = world.make.person().id
    for leaver, newcomer in (
        (world.members[5], world.members[4]),
        (world.members[0], world.members[1]),
        (world.members[0], stranger),
    ):
        with pytest.raises(NotOfTheSet):
            world.act(groups.replace, set_id=set_id, leaver_id=leaver, newcomer_id=newcomer)
    seated, others = groups.replaceable(world.db, set_id, now=world.stack.clock.now)
    assert {one.person_id for one in seated} == set(world.members[:4])
    assert {one.person_id for one in others} == set(world.members[4:])


def test_mail_of_a_set_is_dropped_for_nobody(world: GroupWorld) -> None:
    """Every member has one calendar entry for each date, with a number of its own."""
    dates = book_set(world)
    rows = world.db.execute(select(Mail.about, Mail.person_id).where(Mail.template == "session")).all()
    assert len(set(map(tuple, rows))) == len(rows) == len(dates) * 5
    states = world.db.scalars(select(Attendance.state)).all()
    assert set(states) == {AttendanceState.BOOKED}
