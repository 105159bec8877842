"""Notes on sessions and goals that are revisited: who reads what, and what becomes of it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts as bookings
from portal.models import Goal, GoalEvent, Package, PackageState, Person, Place, Role, SessionNote
from portal.packages import goals
from portal.programme import Programme
from privacy.audit import AuditEntry
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.rules.group_world import GroupWorld

TEN = datetime(2023, 3, 9, 10, 0, tzinfo=UTC)


class World:
    """One-to-one support with a session and a goal; two mentors serve it."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, programme: Programme) -> None:
        self.stack, self.db, self.make = stack, db, make
        self.mentor, self.second = make.mentor("Ada Merriweather").id, make.mentor("Sec Ond").id
        self.leader = make.person("Niamh Shea").id
        self.team = make.person("Tess Team", role=Role.TEAM).id
        mentor, leader = db.get_one(Person, self.mentor), db.get_one(Person, self.leader)
        package = make.package(leader, mentor=mentor, council=make.council())
        self.package, part = package.id, package.participations[0].id
        with unit_of_work(db, stack.clock, "system:test") as work:
            work.db.get_one(Package, self.package).baseline_waived_at = work.now
            self.goal = goals.write(work, package_id=self.package, leader=part, text="Ask better").id
        with unit_of_work(db, stack.clock, "system:test") as work:
            self.session = bookings.book(
                work,
                programme,
                package_id=self.package,
                session_id=uuid4(),
                mentor_id=self.mentor,
                starts_at=TEN,
                place=Place.REMOTE,
            ).id
        self.path = f"/sessions/{self.session}"

    def as_(self, person_id: UUID) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance).sign_in(person_id)

    def note(self, who: UUID, text: str, kind: str = "shared") -> None:
        self.as_(who).post(
            f"{self.path}/notes", {"text": text, "kind": kind, "note_id": str(uuid4())}, page=self.path
        )

    def reads(self, who: UUID) -> str:
        return self.as_(who).get(self.path).words()


@pytest.fixture
def world(stack: Stack, db: DbSession, make: Factory, programme: Programme) -> World:
    return World(stack, db, make, programme)


def test_a_shared_note_is_read_by_both_and_by_nobody_else(world: World) -> None:
    world.note(world.leader, "Bring the board papers")
    assert "Bring the board papers" in world.reads(world.leader)
    assert "Bring the board papers" in world.reads(world.mentor)
    team = world.as_(world.team).get(world.path)
    assert "Bring the board papers" not in team.words()
    assert not team.all("textarea"), "the team writes none either"


def test_a_private_note_is_its_authors(world: World) -> None:
    world.note(world.mentor, "Sounded tired", "private")
    assert "Sounded tired" in world.reads(world.mentor)
    assert "Sounded tired" not in world.reads(world.leader)
    assert "Sounded tired" not in world.reads(world.team)
    note = world.db.scalars(select(SessionNote)).one()
    for other in (world.leader, world.team, world.second):
        assert world.as_(other).http.get(f"/notes/{note.id}").status_code == 404


def test_a_leader_writes_no_private_note_whatever_is_posted(world: World) -> None:
    leader = world.as_(world.leader)
    form = {"text": "Mine", "kind": "private", "note_id": str(uuid4())}
    page = leader.post(f"{world.path}/notes", form, page=world.path, status=422)
    assert "Mine" in page.all("textarea")[0].text, "what was typed stays"


def test_a_note_is_changed_and_deleted_by_its_author(world: World) -> None:
    world.note(world.leader, "First words")
    note = world.db.scalars(select(SessionNote)).one().id
    leader, mentor = world.as_(world.leader), world.as_(world.mentor)
    assert mentor.http.get(f"/notes/{note}").status_code == 404
    leader.post(f"/notes/{note}", {"text": ""}, status=422)
    leader.post(f"/notes/{note}", {"text": "Better words"})
    assert "Better words" in world.reads(world.mentor)
    assert "changed " in world.reads(world.mentor)
    leader.post(f"/notes/{note}/delete", page=f"/notes/{note}")
    world.db.rollback()
    assert world.db.scalars(select(SessionNote)).all() == []
    written = select(AuditEntry.action).where(AuditEntry.action.like("note.%")).order_by(AuditEntry.seq)
    trail = world.db.scalars(written).all()
    assert list(trail) == ["note.written", "note.changed", "note.deleted"]


def test_the_same_note_sent_twice_is_one_note(world: World) -> None:
    leader = world.as_(world.leader)
    (hidden,) = leader.get(world.path).all("input", name="note_id")
    form = {"text": "Bring the papers", "kind": "shared", "note_id": hidden.get("value")}
    for _ in range(2):
        done = leader.follow(leader.post(f"{world.path}/notes", form, page=world.path))
        assert "The note is saved" in done.words()
    world.db.rollback()
    assert len(world.db.scalars(select(SessionNote)).all()) == 1
    other = leader.post(f"{world.path}/notes", form | {"text": "More"}, page=world.path, status=422)
    assert "This page has saved a note already" in other.words()
    assert "More" in other.all("textarea")[0].text
    (renewed,) = other.all("input", name="note_id")
    leader.post(
        f"{world.path}/notes", form | {"text": "More", "note_id": renewed.get("value")}, page=world.path
    )
    mentor = world.as_(world.mentor)
    taken = mentor.post(f"{world.path}/notes", form, page=world.path, status=422)
    assert "This page has saved a note already" in taken.words(), "nor does anybody overwrite another's"
    world.db.rollback()
    assert len(world.db.scalars(select(SessionNote)).all()) == 2


def test_in_a_group_there_are_only_private_notes(stack: Stack, db: DbSession, make: Factory) -> None:
    group = GroupWorld(stack, db, make, members=2)
    path = f"/sessions/{group.schedule(capacity=2)}"
    mentor = PageClient(stack.app, stack.instance).sign_in(group.mentor)
    form = {"text": "Ann leads", "kind": "private", "note_id": str(uuid4())}
    mentor.post(f"{path}/notes", form, page=path)
    assert "Ann leads" in mentor.get(path).words()
    member = PageClient(stack.app, stack.instance).sign_in(group.members[0])
    assert not member.get(path).all("textarea")


# ---- goals


def test_a_goal_is_looked_back_at_reworded_and_met(world: World) -> None:
    path = f"/goals/{world.goal}"
    leader, mentor, team = world.as_(world.leader), world.as_(world.mentor), world.as_(world.team)
    assert leader.get("/your-support").all("a", href=path)
    assert mentor.get(f"/mentor/packages/{world.package}").all("a", href=path)
    assert team.get(f"/team/packages/{world.package}").all("a", href=path)
    leader.post(path, {"remark": "I asked about the waiting list", "event_id": str(uuid4())})
    mentor.post(f"{path}/reword", {"goals": "Ask better questions in public"})
    team.post(f"{path}/state", {"state": "met"}, page=path)
    page = leader.get(path).words()
    for words in (
        "1 March 2023, Niamh Shea: looked back I asked about the waiting list",
        "Ada Merriweather: reworded it. It was Ask better",
        "Tess Team: marked it as met",
        "Ask better questions in public",
    ):
        assert words in page
    shown = leader.get("/your-support").words()
    assert "Ask better questions in public" in shown
    assert "Looked back at on 1 March 2023" in shown
    world.db.rollback()
    assert {event.text for event in world.db.scalars(select(GoalEvent))} == {
        "I asked about the waiting list",
        "Ask better",
        None,
    }


def test_the_same_word_about_a_goal_sent_twice_is_said_once(world: World) -> None:
    leader, path = world.as_(world.leader), f"/goals/{world.goal}"
    (hidden,) = leader.get(path).all("input", name="event_id")
    form = {"remark": "It goes well", "event_id": hidden.get("value")}
    for _ in range(2):
        assert "It is saved" in leader.follow(leader.post(path, form)).words()
    other = leader.post(path, form | {"remark": "It goes better"}, status=422)
    assert "This page was sent before with something else in it" in other.words()
    world.db.rollback()
    assert [event.text for event in world.db.scalars(select(GoalEvent))] == ["It goes well"]


def test_a_leader_says_how_it_goes_and_changes_no_goal(world: World) -> None:
    leader, path = world.as_(world.leader), f"/goals/{world.goal}"
    assert leader.http.get(f"{path}/reword").status_code == 404
    leader.post(f"{path}/state", {"state": "met"}, page=path, status=404)
    page = leader.post(path, {"remark": "", "event_id": str(uuid4())}, status=422)
    assert "Enter what you want to say" in page.words()
    assert world.as_(world.make.person().id).http.get(path).status_code == 404


def test_after_support_has_ended_goals_stay_as_they_are(world: World) -> None:
    with unit_of_work(world.db, world.stack.clock, "system:test") as work:
        package = work.db.get_one(Package, world.package)
        package.state, package.ends_on = PackageState.ENDED, work.now.date()
    path = f"/goals/{world.goal}"
    mentor = world.as_(world.mentor)
    assert not mentor.get(path).all("textarea")
    form = {"remark": "Late words", "event_id": str(uuid4())}
    page = mentor.post(path, form, page="/mentor/about", status=409)
    assert "That cannot be done any more" in page.words()
    world.db.rollback()
    assert world.db.get_one(Goal, world.goal).revisited_on is None
