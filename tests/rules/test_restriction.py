"""Somebody whose data is restricted: it is kept and not used, until the restriction is lifted."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import attention
from portal.desk import restriction
from portal.mailing import bounces, post, reminders
from portal.mailing import queue as mail
from portal.mentors import clearances
from portal.models import Mail, MailState, PackageState, Person, Role, Strand
from portal.packages import members as matching
from portal.packages.members import NotAMentor, NotInOffice
from portal.people import directory
from portal.results import exports, tallies
from portal.results import kpi as reports
from portal.results.exports import Order
from privacy.audit import Action, AuditEntry
from privacy.erasure import NoInstruction
from privacy.work import unit_of_work
from surveys import results, versions
from surveys.export_files import Format
from surveys.models import Wave
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_erasure import LETTER, instruct
from tests.two_sides import Side


@pytest.fixture
def side(stack: Stack, make: Factory) -> Side:
    versions.publish_shipped(make.db, stack.clock)
    instruct(stack)
    made = Side(make, "first")
    make.db.rollback()
    return made


def restrict(db: DbSession, clock: SetClock, person_id: UUID, *, lift: bool = False) -> None:
    with unit_of_work(db, clock, "person:dpo") as work:
        (restriction.lift if lift else restriction.restrict)(work, person_id=person_id, letter=LETTER)


def test_it_takes_an_instruction_and_leaves_a_line(db: DbSession, clock: SetClock, side: Side) -> None:
    with pytest.raises(NoInstruction), unit_of_work(db, clock, "person:dpo") as work:
        restriction.restrict(work, person_id=side.leader, letter="none")
    restrict(db, clock, side.leader)
    restrict(db, clock, side.leader)
    restrict(db, clock, side.leader, lift=True)
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.holder == side.leader)).all()
    assert [one for one in actions if one.startswith("person.re")] == [
        Action.PERSON_RESTRICTED.word,
        Action.PERSON_RELEASED.word,
    ]


def test_no_mail_goes_but_the_one_they_sign_in_with(
    stack: Stack, db: DbSession, clock: SetClock, side: Side
) -> None:
    restrict(db, clock, side.member)
    with unit_of_work(db, clock, "system:test") as work:
        mail.queue(work, template="invitation", about=side.member_part, to=side.member, step="first")
    bag = MailBag()
    vault = stack.instance.vault
    post.deliver(stack.instance, lambda: DbSession(stack.engine, info={"vault": vault}), bag)
    theirs = {message["To"] for message in bag.messages} & {db.get_one(Person, side.member).email}
    assert theirs == set()
    assert db.scalars(select(Mail.state).where(Mail.person_id == side.member)).all() == [MailState.DROPPED]
    assert restriction.may_write(db.get_one(Person, side.member), "sign_in")


def test_nobody_reminds_them(stack: Stack, db: DbSession, clock: SetClock, make: Factory) -> None:
    instruct(stack)
    today = clock().date()
    person = make.person()
    make.package(
        person,
        state=PackageState.ENDED,
        starts_on=today - timedelta(days=100),
        ends_on=today - timedelta(days=10),
    )
    person_id = person.id

    def reminded() -> set[UUID]:
        db.rollback()
        return {one.person_id for one in reminders.find(db, stack.instance.programme, now=clock())}

    assert reminded() == {person_id}
    restrict(db, clock, person_id)
    assert reminded() == set()


def test_they_cannot_be_chosen(db: DbSession, clock: SetClock, side: Side) -> None:
    today = clock().date()
    restrict(db, clock, side.leader)
    restrict(db, clock, side.mentor)
    assert side.leader not in {office.person_id for office in directory.office_holders(db, None, on=today)}
    assert side.mentor not in {person.id for person in directory.mentors(db, on=today)}
    with pytest.raises(NotAMentor, match="restricted"):
        matching.require_mentors(db, mentor_ids=[side.mentor], council_id=None, member_ids=[], on=today)
    with pytest.raises(NotInOffice, match="restricted"):
        matching.require_members(
            db,
            strand=Strand.GROUP,
            council_id=side.council,
            members=[(side.leader, Role.LEAD_MEMBER)],
            on=today,
        )


def test_they_stand_in_no_list_of_work(stack: Stack, db: DbSession, clock: SetClock, side: Side) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        bounces.note(work, person_id=side.member, code=550)
    shown = attention.attention(db, stack.instance.programme, now=clock())
    assert [call.participation_id for call in shown.calls.first] == [side.member_part]
    assert [wish.participation_id for wish in shown.wishes.first] == [side.member_part]
    assert [refusal.person_id for refusal in shown.refused.first] == [side.member]
    restrict(db, clock, side.member)
    shown = attention.attention(db, stack.instance.programme, now=clock())
    assert (shown.calls.first, shown.refused.first) == ([], [])
    assert shown.wishes.first == []
    entries = {entry.id: entry for entry in directory.listing(db).entries}
    assert entries[side.member].restricted, "the team sees that they are"


def test_nobody_counts_the_days_of_a_restricted_mentors_clearance(
    db: DbSession, clock: SetClock, side: Side, make: Factory
) -> None:
    today = clock().date()
    make.person(role=Role.MENTOR, cleared=False)
    lapsing = {one.person.id for one in clearances.watch(db, on=today)}
    (uncleared,) = lapsing - {side.mentor}
    restrict(db, clock, uncleared)
    assert uncleared not in {one.person.id for one in clearances.watch(db, on=today)}


def test_what_they_said_is_in_no_figure_and_no_export(
    stack: Stack, db: DbSession, clock: SetClock, side: Side
) -> None:
    programme = stack.instance.programme
    as_of = clock().date()

    def figures() -> tuple[int, int, int, int, int]:
        db.rollback()
        one = next(one for one in reports.kpi(db, programme, as_of=as_of) if one.strand is Strand.ONE_TO_ONE)
        said = len(results.read(db, waves=[Wave.POST]))
        sent = tallies.of_wave(db, programme, wave=Wave.POST, as_of=as_of).sent
        order = Order(codes=("post",), format=Format.CSV)
        rows = len(list(exports.source(db, programme, order, now=clock()).rows()))
        assert exports.source(db, programme, order, now=clock()).count().total() == rows
        return one.supported, one.restricted, said, sent, rows

    supported, apart, said, sent, rows = figures()
    assert (apart, said) == (0, 1)
    restrict(db, clock, side.former)
    assert figures() == (supported, 1, said - 1, sent - 1, rows - 1)
    restrict(db, clock, side.former, lift=True)
    assert figures() == (supported, 0, said, sent, rows)
