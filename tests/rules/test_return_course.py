"""The course of a return: no step is left out, two people answer, what was done again, freezing, and the countdown."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.desk import housekeeping
from portal.mailing import post
from portal.mailing import queue as mail
from portal.mailing.senders import FolderSender
from portal.models import Council, Mail, MailState, Person, Role
from portal.programme import Programme, contract_period
from portal.registers import contract
from portal.returning import countdown, opening, steps, withdrawing
from portal.returning.opening import Direction, DirectionRefused
from portal.returning.steps import Said, SaidWrong, TakesTheMachine
from privacy.audit import AuditEntry
from privacy.envelopes import open_stream
from privacy.errors import Frozen
from privacy.records import new_id
from privacy.returns import acts, standstill
from privacy.returns.acts import AlreadyOpen, AnotherPackage, InFuture
from privacy.returns.course import (
    HANDING_OVER,
    TWO_PEOPLE,
    Course,
    Ended,
    ReturnKind,
    SamePerson,
    Scope,
    Step,
    StepsMissing,
    Wanted,
)
from privacy.returns.signing import receipt_lines
from privacy.returns.tables import Act, DataReturn, DataReturnEvent
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.readers import Reader, make_reader, signed

PACKAGE = hashlib.sha256(b"package").hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()
ORDER = tuple(Step)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return make_reader(tmp_path_factory.mktemp("department"), "department")


# ---- pure


def a_return(*, wanted: Wanted = Wanted.BOTH, rehearsal: bool = False) -> DataReturn:
    return DataReturn(id=uuid4(), kind=ReturnKind.FULL, wanted=wanted, scope="all", rehearsal=rehearsal)


class Told:
    """A course that grows event by event, refused where the course refuses."""

    def __init__(self, of: DataReturn) -> None:
        self.course = Course(of, [])
        self.moment = datetime(2024, 4, 1, tzinfo=UTC)

    def tell(self, step: Step, act: Act = Act.DONE, by: str = "person:a") -> None:
        self.course.require(step, act, by=by)
        self.moment += timedelta(hours=1)
        event = DataReturnEvent(
            id=uuid4(),
            number=len(self.course.events) + 1,
            step=step,
            act=act,
            at=self.moment,
            entered_at=self.moment,
            by=by,
            digests=[PACKAGE],
        )
        self.course = Course(self.course.of, [*self.course.events, event])

    def do(self, step: Step) -> None:
        """Do a step as it is done: with two people where it takes two."""
        if step in TWO_PEOPLE:
            self.tell(step, Act.CONFIRMED, "person:a")
            if not self.course.of.rehearsal:
                self.tell(step, Act.CONFIRMED, "person:b")
        if step is Step.DESTROY or step not in TWO_PEOPLE:
            self.tell(step)

    def until(self, last: Step) -> "Told":
        for step in self.course.steps[: self.course.steps.index(last) + 1]:
            self.do(step)
        return self


def test_the_steps_come_in_their_order_and_end() -> None:
    told = Told(a_return())
    seen = []
    while (step := told.course.next) is not None:
        seen.append(step)
        told.do(step)
    assert tuple(seen) == ORDER
    assert told.course.ended


@pytest.mark.parametrize("step", ORDER)
def test_no_step_can_be_left_out(step: Step) -> None:
    told = Told(a_return())
    for done in ORDER[: ORDER.index(step)]:
        later = ORDER[ORDER.index(done) + 1 :]
        for one in later:
            for act in (Act.DONE, Act.BEGUN, Act.CONFIRMED):
                assert not told.course.may(one, act), (done, one, act)
        told.do(done)


def test_what_is_missing_is_named_in_order() -> None:
    told = Told(a_return()).until(Step.BUILD)
    with pytest.raises(StepsMissing) as refused:
        told.course.require(Step.DESTROY)
    assert refused.value.missing == (
        Step.VERIFY,
        Step.HAND_OVER,
        Step.RECEIPT,
        Step.AUTHORITY,
        Step.DESTROY,
    )
    assert str(refused.value) == "First comes: the package verified here"


@pytest.mark.parametrize("step", sorted(TWO_PEOPLE))
def test_one_person_is_not_two(step: Step) -> None:
    told = Told(a_return())
    if step is not Step.DIRECTION:
        told.until(ORDER[ORDER.index(step) - 1])
    told.tell(step, Act.CONFIRMED, "person:a")
    with pytest.raises(SamePerson):
        told.tell(step, Act.CONFIRMED, "person:a")
    with pytest.raises(StepsMissing):
        told.tell(step)
    assert not told.course.done(step)
    told.tell(step, Act.CONFIRMED, "person:b")
    assert told.course.answered(step)
    with pytest.raises(Ended):
        told.tell(step, Act.CONFIRMED, "person:c")


def test_a_package_that_is_built_again_takes_back_what_followed_the_first() -> None:
    told = Told(a_return()).until(Step.AUTHORITY)
    told.tell(Step.DESTROY, Act.CONFIRMED, "person:a")
    told.do(Step.BUILD)
    assert told.course.next is Step.VERIFY
    assert not told.course.of_step(Step.DESTROY)
    assert told.course.done(Step.FREEZE)


def test_once_destroying_has_begun_nothing_is_taken_back() -> None:
    told = Told(a_return()).until(Step.AUTHORITY)
    for person in ("person:a", "person:b"):
        told.tell(Step.DESTROY, Act.CONFIRMED, person)
    told.tell(Step.DESTROY, Act.BEGUN)
    for step, act in ((Step.BUILD, Act.DONE), (Step.DIRECTION, Act.WITHDRAWN)):
        with pytest.raises(Ended):
            told.tell(step, act)


def test_to_delete_alone_hands_nothing_over_and_still_takes_authority() -> None:
    told = Told(a_return(wanted=Wanted.DELETE)).until(Step.FREEZE)
    assert not HANDING_OVER & set(told.course.steps)
    assert told.course.next is Step.AUTHORITY
    with pytest.raises(Ended):
        told.tell(Step.BUILD)


def test_a_rehearsal_builds_and_verifies_without_the_steps_before_and_one_person_answers() -> None:
    told = Told(a_return(rehearsal=True))
    assert told.course.may(Step.BUILD)
    assert told.course.may(Step.VERIFY)
    assert not told.course.may(Step.DESTROY)
    told.until(Step.LAST_BACKUP)
    assert told.course.ended


@given(st.lists(st.tuples(st.sampled_from(ORDER), st.sampled_from(Act), st.sampled_from("abc"))))
def test_whatever_is_tried_in_whatever_order_nothing_is_destroyed_without_all_that_comes_first(
    tried: list[tuple[Step, Act, str]],
) -> None:
    told = Told(a_return())
    for step, act, person in tried:
        if told.course.may(step, act) and not (
            act is Act.CONFIRMED and f"person:{person}" in told.course.answered_by(step)
        ):
            told.tell(step, act, f"person:{person}")
        done = [told.course.done(one) for one in ORDER]
        assert done == sorted(done, reverse=True), "a step is done and one before it is not"
        if told.course.begun and told.course.withdrawn is None:
            assert all(told.course.done(one) for one in ORDER[: ORDER.index(Step.DESTROY)])
            assert len(set(told.course.answered_by(Step.DESTROY))) == 2


# ---- as people take it


class Walk:
    """A return on a real instance, step by step; the machine's own steps are written down for it."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, department: Reader) -> None:
        self.stack, self.db, self.department = stack, db, department
        self.programme = stack.instance.programme
        self.root = stack.instance.settings.instance
        self.officer = make.person("Ona", role=Role.DPO).id
        self.second = make.person("Ike", role=Role.ADMINISTRATOR).id
        self.id = uuid4()

    def work(self, by: UUID | None = None):
        return unit_of_work(self.db, self.stack.clock, f"person:{by or self.officer}", frozen_too=True)

    def direct(self, **changed: Any) -> UUID:
        facts: dict[str, Any] = {
            "kind": ReturnKind.FULL,
            "wanted": Wanted.BOTH,
            "letter": "DFE 31",
            "on": date(2023, 3, 1),
            "wording": "Return everything, then delete it.",
            "certificates": [self.department.certificate.read_bytes()],
            "return_id": self.id,
            **changed,
        }
        with self.work() as work:
            return opening.direct(
                work,
                self.programme,
                Direction(**facts),
                folder=self.root / "scratch",
            ).id

    def take(self, step: Step, by: UUID | None = None, **said: Any) -> None:
        with self.work(by) as work:
            steps.take(work, return_id=self.id, step=step, said=Said(**said), root=self.root)

    def machine(self, step: Step, digest: str = PACKAGE) -> None:
        with self.work() as work:
            acts.happen(work, return_id=self.id, step=step, digests=[digest])

    @property
    def course(self) -> Course:
        self.db.rollback()
        return acts.read(self.db, self.id)

    @property
    def fingerprint(self) -> str:
        return self.course.fingerprints[0]

    def code(self) -> str:
        path = steps.folder_of(self.root, self.course) / steps.TEST_VOLUME
        text = b"".join(open_stream(path, self.department.key)).decode()
        return text.split("code in it is ")[1].split()[0]

    def until(self, last: Step) -> None:
        self.direct()
        for step in ORDER[1 : ORDER.index(last) + 1]:
            self._do(step)

    def _do(self, step: Step) -> None:
        both = (self.officer, self.second)
        each: dict[Step, Callable[[], object]] = {
            Step.FINGERPRINT: lambda: [
                self.take(step, by, fingerprint=self.fingerprint, words="Rang 020 7946 0000") for by in both
            ],
            Step.TEST_READ_BACK: lambda: self.take(step, code=self.code(), words="By telephone"),
            Step.BUILD: lambda: self.machine(step),
            Step.VERIFY: lambda: self.machine(step),
            Step.HAND_OVER: lambda: self.take(step, how="media", words="Signed for at the front desk"),
            Step.RECEIPT: lambda: self.take(step, file=signed(receipt_lines(PACKAGE)[0], self.department)),
            Step.AUTHORITY: lambda: [self.take(step, by, letter="DFE 40", words="Delete it") for by in both],
            Step.DESTROY: lambda: [self.take(step, by) for by in both],
        }
        each.get(step, lambda: self.take(step))()


@pytest.fixture
def walk(stack: Stack, db: DbSession, make: Factory, department: Reader) -> Walk:
    return Walk(stack, db, make, department)


def test_the_whole_way_to_two_people_who_answer_for_destroying(walk: Walk) -> None:
    walk.until(Step.DESTROY)
    course = walk.course
    assert course.next is Step.DESTROY
    assert course.may(Step.DESTROY)
    assert acts.require(walk.db, Step.DESTROY).of.id == walk.id
    assert course.package == PACKAGE
    receipt = course.event(Step.RECEIPT)
    assert receipt is not None
    assert receipt.digests is not None
    assert receipt.digests[0] == PACKAGE
    lines = walk.db.scalars(select(AuditEntry.details).where(AuditEntry.action == "return.went_on")).all()
    assert len(lines) == len(course.events)


def test_a_fingerprint_that_was_heard_otherwise_stops_it(walk: Walk) -> None:
    walk.direct()
    with pytest.raises(SaidWrong, match="do not go on"):
        walk.take(Step.FINGERPRINT, fingerprint=OTHER, words="Rang them")
    with pytest.raises(SaidWrong, match="64 digits"):
        walk.take(Step.FINGERPRINT, fingerprint="ab:cd", words="Rang them")
    colons = ":".join(walk.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    walk.take(Step.FINGERPRINT, fingerprint=f"sha256 Fingerprint={colons}", words="Rang them")
    with pytest.raises(SamePerson):
        walk.take(Step.FINGERPRINT, fingerprint=walk.fingerprint, words="Rang them twice")


def test_the_code_of_an_earlier_test_volume_counts_no_more(walk: Walk) -> None:
    walk.until(Step.TEST_VOLUME)
    first = walk.code()
    walk.take(Step.TEST_VOLUME)
    with pytest.raises(SaidWrong, match="not the code"):
        walk.take(Step.TEST_READ_BACK, code=first, words="By telephone")
    walk.take(Step.TEST_READ_BACK, code=walk.code().lower().replace("-", " "), words="By telephone")
    assert walk.course.next is Step.FREEZE


def test_only_the_departments_signature_over_this_package_is_a_receipt(
    walk: Walk, tmp_path: Path, department: Reader
) -> None:
    walk.until(Step.HAND_OVER)
    stranger = make_reader(tmp_path, "stranger")
    of_another, by_another = (
        signed(receipt_lines(OTHER)[0], department),
        signed(receipt_lines(PACKAGE)[0], stranger),
    )
    for file in (b"nothing", of_another, by_another):
        with pytest.raises(SaidWrong, match="not the signature"):
            walk.take(Step.RECEIPT, file=file)
    with pytest.raises(SaidWrong, match="in which letter"):
        walk.take(Step.RECEIPT, file=by_another, certificate=stranger.certificate.read_bytes())
    walk.take(
        Step.RECEIPT,
        file=by_another,
        certificate=stranger.certificate.read_bytes(),
        words="Named in DFE 39",
    )
    assert walk.course.next is Step.AUTHORITY


def test_a_step_about_another_package_is_refused(walk: Walk) -> None:
    walk.until(Step.BUILD)
    with pytest.raises(AnotherPackage):
        walk.machine(Step.VERIFY, OTHER)
    with pytest.raises(TakesTheMachine):
        walk.take(Step.VERIFY)


def test_a_second_letter_of_authority_is_not_the_first(walk: Walk) -> None:
    walk.until(Step.RECEIPT)
    walk.take(Step.AUTHORITY, letter="DFE 40", words="Delete it")
    with pytest.raises(SaidWrong, match="DFE 40"):
        walk.take(Step.AUTHORITY, walk.second, letter="DFE 41")


def test_no_letter_that_is_kept_names_anybody(walk: Walk, make: Factory) -> None:
    """A name could never be taken back, and nothing could be certified."""
    name = make.person("Ottilie Brackenbury", email="ottilie@northshire.example").name or ""
    for letter in (f"From {name}", "ottilie@northshire.example"):
        with pytest.raises(DirectionRefused, match="names somebody"):
            walk.direct(letter=letter)
    walk.until(Step.RECEIPT)
    with pytest.raises(DirectionRefused, match="names somebody"):
        walk.take(Step.AUTHORITY, letter=f"To {name}", words="Delete it")
    with pytest.raises(DirectionRefused, match="names somebody"), walk.work() as work:
        withdrawing.withdraw(
            work, walk.programme, return_id=walk.id, reason="So", letter=name[:30], ends_on=None
        )


def test_one_return_of_everything_at_a_time_and_the_same_form_makes_it_once(walk: Walk) -> None:
    assert walk.direct() == walk.direct()
    assert len(walk.course.events) == 1
    with pytest.raises(AlreadyOpen):
        walk.direct(return_id=uuid4())


def test_a_return_is_the_one_that_is_named_or_the_only_one_under_way(walk: Walk, make: Factory) -> None:
    assert acts.named(walk.db, None) is None
    walk.direct()
    ref = walk.course.of.ref
    assert all(
        found and found.of.id == walk.id for found in map(partial(acts.named, walk.db), (None, ref.lower()))
    )
    with pytest.raises(LookupError, match="there is no return DR-99"):
        acts.named(walk.db, "DR-99")
    walk.direct(return_id=uuid4(), kind=ReturnKind.PARTIAL, about=make.council("Ashdown").code.lower())
    with pytest.raises(LookupError, match="several returns are under way"):
        acts.named(walk.db, None)
    found = acts.named(walk.db, ref)
    assert found is not None
    assert found.of.id == walk.id


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"on": date(2023, 3, 2)}, "on"),
        ({"certificates": []}, "certificates"),
        ({"certificates": [b"-----BEGIN PRIVATE KEY-----"]}, "certificates"),
        ({"wanted": Wanted.DELETE}, "certificates"),
        ({"kind": ReturnKind.PARTIAL, "about": "nobody@council.example"}, "about"),
        ({"kind": ReturnKind.EARLY, "ended": "notice", "ends_on": date(2023, 5, 31)}, "ends_on"),
        ({"kind": ReturnKind.EARLY, "ended": "notice"}, "ends_on"),
    ],
)
def test_a_direction_that_cannot_be(walk: Walk, changed: dict[str, Any], field: str) -> None:
    with pytest.raises(DirectionRefused) as refused:
        walk.direct(**changed)
    assert refused.value.field == field
    assert acts.courses(walk.db) == []


def test_nothing_happens_in_the_future(walk: Walk) -> None:
    walk.direct()
    with pytest.raises(InFuture):
        walk.take(Step.FINGERPRINT, fingerprint=walk.fingerprint, words="So", on=date(2023, 3, 2))


@pytest.mark.parametrize(
    "ended, ends_on, then",
    [("at_once", None, date(2023, 3, 1)), ("notice", date(2023, 6, 1), date(2023, 6, 1))],
)
def test_ending_early_sets_the_last_day(
    walk: Walk, programme: Programme, ended: str, ends_on: date | None, then: date
) -> None:
    walk.direct(kind=ReturnKind.EARLY, ended=ended, ends_on=ends_on)
    assert contract_period(walk.db, programme, on=date(2023, 3, 1)).ends_on == then
    found = countdown.near(walk.db, programme, now=walk.stack.clock())
    assert found is not None
    assert not found.late, "nothing is late on the day it is directed"


def test_an_extension_withdraws_what_was_directed(walk: Walk, programme: Programme) -> None:
    walk.until(Step.FREEZE)
    assert standstill.is_frozen(walk.db)
    with pytest.raises(DirectionRefused), walk.work() as work:
        withdrawing.withdraw(
            work, programme, return_id=walk.id, reason="So", letter="", ends_on=date(2024, 9, 30)
        )
    with walk.work() as work:
        withdrawing.withdraw(
            work,
            programme,
            return_id=walk.id,
            reason="Extended by six months",
            letter="DFE 32",
            ends_on=date(2024, 9, 30),
        )
    assert not standstill.is_frozen(walk.db)
    assert contract_period(walk.db, programme, on=date(2023, 3, 1)).ends_on == date(2024, 9, 30)
    assert walk.course.ended
    with pytest.raises(Ended):
        walk.take(Step.FREEZE)


# ---- frozen


def touch(walk: Walk, person_id: UUID) -> None:
    with unit_of_work(walk.db, walk.stack.clock, "system:test") as work:
        work.db.get_one(Person, person_id).phone = "020 7946 0999"


def test_frozen_nothing_is_written_but_what_goes_on(walk: Walk, make: Factory) -> None:
    leader = make.person("Lea").id
    walk.until(Step.TEST_READ_BACK)
    touch(walk, leader)
    walk.take(Step.FREEZE)
    with pytest.raises(Frozen):
        touch(walk, leader)
    with walk.work() as work:
        contract.record_end(
            work, walk.programme, ends_on=date(2024, 3, 31), letter="DFE 33", wording="As it was"
        )


def test_a_part_freezes_those_whom_it_is_about_alone(walk: Walk, make: Factory) -> None:
    council, elsewhere = make.council("Ashdown"), make.council("Birchwood")
    inside, outside = make.person(council=council).id, make.person(council=elsewhere).id
    supported = make.person(council=elsewhere)
    make.package(supported, council=council)
    supported_id = supported.id
    walk.direct(kind=ReturnKind.PARTIAL, about=council.code.lower())
    for step in ORDER[1:5]:
        walk._do(step)
    assert set(walk.course.of.people or ()) == {str(inside), str(supported_id)}
    for person_id in (inside, supported_id):
        with pytest.raises(Frozen):
            touch(walk, person_id)
    touch(walk, outside)
    with pytest.raises(Frozen), unit_of_work(walk.db, walk.stack.clock, "system:test") as work:
        mail.queue(work, template="session", about=new_id(), to=inside)
    assert not standstill.is_frozen(walk.db)
    assert walk.course.scope == Scope.parse(f"council:{council_id(walk.db, 'Ashdown')}")


def council_id(db: DbSession, name: str) -> UUID:
    return db.scalars(select(Council.id).where(Council.short_name == name)).one()


def test_who_writes_while_it_is_frozen_is_waited_for(walk: Walk, make: Factory) -> None:
    """A work that has begun ends before the freeze does, so that the package misses nothing."""
    leader = make.person("Lea").id
    walk.until(Step.TEST_READ_BACK)
    order: list[str] = []
    with DbSession(walk.stack.engine, info={"vault": walk.stack.instance.vault}) as other:
        with unit_of_work(other, walk.stack.clock, "system:test") as work:
            work.db.execute(update(Person).where(Person.id == leader).values(created_at=walk.stack.clock()))

            def freeze() -> None:
                walk.take(Step.FREEZE)
                order.append("frozen")

            thread = Thread(target=freeze)
            thread.start()
            thread.join(0.3)
            order.append("written")
        thread.join(20)
    assert order == ["written", "frozen"]


def test_frozen_the_post_carries_what_the_law_does_not_stop(
    walk: Walk, make: Factory, tmp_path: Path
) -> None:
    leader, session_id = make.person("Lea").id, new_id()
    with unit_of_work(walk.db, walk.stack.clock, "system:test") as work:
        for template in ("session", "sign_in"):
            mail.queue(work, template=template, about=session_id, to=leader)
    walk.until(Step.FREEZE)
    sessions = partial(DbSession, walk.stack.engine, info={"vault": walk.stack.instance.vault})
    post.deliver(walk.stack.instance, sessions, FolderSender(tmp_path / "outbox"))
    walk.db.rollback()
    states = dict(walk.db.execute(select(Mail.template, Mail.state)).all())
    assert states["session"] is MailState.WAITING
    assert states["sign_in"] is not MailState.WAITING


def test_frozen_nothing_goes_by_its_age(walk: Walk, make: Factory) -> None:
    """What goes back is what was there when it was frozen."""
    instance, engine = walk.stack.instance, walk.stack.engine
    sessions = partial(DbSession, engine, info={"vault": instance.vault})
    leader = make.person().id
    with sessions() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        mail.queue(work, template="session", about=new_id(), to=leader)
        work.db.flush()
        long_ago = walk.stack.clock() - timedelta(days=200)
        work.db.execute(update(Mail).values(state=MailState.SENT, sent_at=long_ago, due_at=long_ago))
    walk.until(Step.FREEZE)
    assert housekeeping.tidy(instance, sessions, engine) == []
    with walk.work() as work:
        acts.withdraw(work, return_id=walk.id, letter=None, reason="Not yet")
    assert [one.table for one in housekeeping.tidy(instance, sessions, engine)] == ["mail"]


# ---- the countdown


def test_the_countdown_is_silent_until_half_a_year_before_the_end(
    walk: Walk, programme: Programme, clock: SetClock
) -> None:
    assert countdown.near(walk.db, programme, now=clock()) is None
    clock.now = datetime(2023, 10, 3, 12, tzinfo=UTC)
    found = countdown.near(walk.db, programme, now=clock())
    assert found is not None
    assert found.words == "The contract ends on 31 March 2024, in 180 days"
    assert found.extend_by == date(2023, 12, 31)
    assert found.next is not None
    assert (found.next.step, found.next.due_on) == (Step.DIRECTION, date(2024, 1, 31))
    assert not found.late


def test_what_is_forgotten_is_late_and_nothing_outlives_the_contract_unseen(
    walk: Walk, programme: Programme, clock: SetClock
) -> None:
    clock.now = datetime(2024, 4, 20, 12, tzinfo=UTC)
    found = countdown.countdown(walk.db, programme, now=clock())
    assert found.days_left == -20
    assert found.words.startswith("The contract ended on 31 March 2024.")
    assert [due.step for due in found.late] == [step for step in ORDER if step is not Step.LAST_BACKUP]
    document = countdown.document(found)
    assert (document["ends_on"], document["days_left"], document["return"]) == ("2024-03-31", -20, None)
    assert sum(step["late"] for step in document["steps"]) == len(ORDER) - 1


def test_what_is_done_is_due_no_more(walk: Walk, programme: Programme, clock: SetClock) -> None:
    clock.now = datetime(2024, 3, 1, 12, tzinfo=UTC)
    walk.until(Step.TEST_READ_BACK)
    found = countdown.countdown(walk.db, programme, now=clock())
    assert found.next is not None
    assert found.next.step is Step.FREEZE
    assert found.next.due_on == date(2024, 4, 1)
    assert not found.late
