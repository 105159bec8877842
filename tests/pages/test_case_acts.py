"""What is done from a case with somebody's data: cites an instruction, and is written down in the case."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import data_acts as case_acts
from portal.cases import holds as case_holds
from portal.models import Person, Role, SecondAct
from privacy import ledger
from privacy.audit import Action, AuditEntry
from privacy.cases import acts
from privacy.cases.tables import Case, CaseEvent, CaseFile, CaseKind, Channel, Event
from privacy.records import new_id
from privacy.registers import Register, enter
from privacy.rights import Erasure, ErasureState, Rectification
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.seconding import agreed, second_agrees

LETTER = "DfE/77"


@pytest.fixture
def dpo(client: PageClient, make: Factory) -> PageClient:
    return client.sign_in(make.person("Dee Officer", role=Role.DPO).id)


@pytest.fixture
def ada(make: Factory) -> tuple[UUID, str]:
    made = make.person("Ada Lead", email="ada@council.example")
    make.package(made)
    found = made.id, made.ref
    make.db.rollback()
    return found


@pytest.fixture
def entry(db: DbSession, clock: SetClock) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        return enter(
            work, register=Register.INSTRUCTION, letter=LETTER, from_on=date(2023, 1, 1), body="Do so."
        ).id


Open = Callable[..., UUID]


@pytest.fixture
def opened(db: DbSession, clock: SetClock, ada: tuple[UUID, str], entry: UUID) -> Open:
    """Opens a case about the person, decided unless it is said otherwise."""

    def do(kind: CaseKind, *, decided: bool = True, subject: bool = True, exercise: bool = False) -> UUID:
        with unit_of_work(db, clock, "person:desk") as work:
            case_id = acts.open_case(
                work,
                kind=kind,
                channel=Channel.EMAIL,
                received_at=clock.now,
                asked="Zyqx words",
                contact={"name": "Ada Lead", "email": "ada@council.example"},
                subject_id=ada[0] if subject else None,
                exercise=exercise,
            ).id
            if decided:
                for event, body, cited in (
                    (Event.CONTROLLER_NOTIFIED, {"evidence": "Message 1"}, None),
                    (Event.CONTROLLER_DECIDED, {"decision": "Yes"}, entry),
                ):
                    acts.happen(work, case_id=case_id, kind=event, body=body, entry_id=cited)
        return case_id

    return do


def acted(db: DbSession, case_id: UUID) -> CaseEvent:
    db.rollback()
    return db.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id, CaseEvent.kind == Event.ACTED)
    ).one()


def at(case_id: UUID, act: str = "") -> str:
    return f"/desk/cases/{case_id}/act{act}"


def test_something_is_put_right(
    dpo: PageClient, db: DbSession, opened: Open, ada: tuple[UUID, str], entry: UUID
) -> None:
    case_id = opened(CaseKind.RECTIFICATION)
    page = dpo.get(at(case_id))
    assert "Put something right" in page.words()
    assert ada[1] in page.words()
    assert "Ada" not in page.text
    typed = {"item": f"person:{ada[0]}:name", "value": "Ada Leed", "reason": "A typing mistake", "told": ""}
    page = dpo.post(at(case_id, "/rectify"), {**typed, "entry": str(entry)})
    assert page.response.headers["Location"] == f"/desk/cases/{case_id}"
    assert (acted(db, case_id).entry_id, acted(db, case_id).body) == (entry, {"what": "Put right: Name"})
    assert db.scalars(select(Rectification.item_column)).one() == "name"
    assert db.get_one(Person, ada[0]).name == "Ada Leed"


def test_what_is_put_right_is_sent_again_only_from_its_own_case_and_with_the_same_in_it(
    dpo: PageClient, db: DbSession, opened: Open, ada: tuple[UUID, str], entry: UUID
) -> None:
    case_id, other_id = opened(CaseKind.RECTIFICATION), opened(CaseKind.RECTIFICATION)
    typed = {"item": f"person:{ada[0]}:name", "value": "Ada Leed", "reason": "A typing mistake", "told": ""}
    typed |= {"entry": str(entry), "rectification_id": str(new_id())}
    for _ in range(2):
        dpo.post(at(case_id, "/rectify"), typed)
    assert acted(db, case_id).body == {"what": "Put right: Name"}
    for act, changed in (
        (at(case_id, "/rectify"), {"value": "Ada Lood"}),
        (at(case_id, "/rectify"), {"told": "The council"}),
        (at(case_id, "/rectify"), {"item": f"person:{ada[0]}:phone"}),
        (at(other_id, "/rectify"), {}),
        (f"/privacy-desk/people/{ada[0]}/rectify", {"reason": "Another"}),
    ):
        page = dpo.post(act, {**typed, **changed}, status=409)
        assert "This page was sent before with something else in it" in page.words()
    db.rollback()
    assert db.get_one(Person, ada[0]).name == "Ada Leed"
    assert db.scalars(select(Rectification.item_column)).one() == "name"


def test_nothing_is_done_before_the_decision_and_what_was_typed_stays(
    dpo: PageClient, db: DbSession, opened: Open, ada: tuple[UUID, str], entry: UUID
) -> None:
    case_id = opened(CaseKind.RECTIFICATION, decided=False)
    assert "First comes: the Controller decided." in dpo.get(at(case_id)).words()
    typed = {"item": f"person:{ada[0]}:name", "value": "Ada Leed", "reason": "A long story"}
    page = dpo.post(at(case_id, "/rectify"), {**typed, "entry": str(entry)}, status=409)
    assert "First comes: The Controller decided" in page.words()
    assert "A long story" in page.text
    db.rollback()
    assert db.get_one(Person, ada[0]).name == "Ada Lead"


@pytest.mark.parametrize("kind", [CaseKind.RESTRICTION, CaseKind.OBJECTION])
def test_data_is_restricted_and_freed(
    dpo: PageClient, db: DbSession, opened: Open, ada: tuple[UUID, str], entry: UUID, kind: CaseKind
) -> None:
    case_id = opened(kind)
    dpo.post(at(case_id, "/restrict"), {"entry": str(entry)})
    assert acted(db, case_id).body == {"what": "Their data was restricted"}
    assert db.get_one(Person, ada[0]).restricted_at is not None
    db.rollback()
    assert "Lift the restriction" in dpo.get(at(case_id)).words()
    dpo.post(at(case_id, "/restrict"), {"entry": str(entry)})
    db.rollback()
    assert db.get_one(Person, ada[0]).restricted_at is None


def test_an_instruction_that_is_not_in_force_is_none(
    dpo: PageClient, db: DbSession, clock: SetClock, opened: Open
) -> None:
    case_id = opened(CaseKind.RESTRICTION)
    with unit_of_work(db, clock, "system:test") as work:
        later = enter(
            work, register=Register.INSTRUCTION, letter="LATER", from_on=date(2024, 1, 1), body="Later."
        ).id
    page = dpo.post(at(case_id, "/restrict"), {"entry": str(later)}, status=422)
    assert "Choose the instruction that this rests on" in page.words()
    with unit_of_work(db, clock, "system:test") as work, pytest.raises(case_acts.NotInForce):
        case_acts.restrict(work, case_id=case_id, entry_id=later, lift=False)


def test_somebody_is_erased_and_their_case_goes_on_to_its_end(
    dpo: PageClient,
    db: DbSession,
    clock: SetClock,
    opened: Open,
    ada: tuple[UUID, str],
    entry: UUID,
    stack: Stack,
) -> None:
    case_id = opened(CaseKind.ERASURE)
    page = dpo.get(at(case_id, "/erase"))
    assert "This is what would happen now" in page.words()
    assert "Person 1 0 0" in page.words()
    page = dpo.post(at(case_id, "/erase"), {"entry": str(entry), "confirm": "P-222222"}, status=422)
    assert "This is not the person's reference" in page.words()
    confirmed = {"entry": str(entry), "confirm": ada[1].lower()}
    page = dpo.follow(dpo.post(at(case_id, "/erase"), confirmed))
    assert "A second person has to agree first" in page.words()
    assert db.scalars(select(Erasure)).all() == []
    second_agrees(db, clock)
    dpo.post(at(case_id, "/erase"), confirmed)
    assert acted(db, case_id).body == {"what": "Their data was erased"}
    assert db.get(Person, ada[0]) is None
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED
    assert ledger.is_erased(stack.instance.vault.engine, ada[0])
    # The answer can still be written, and the case closed.
    case = db.get_one(Case, case_id)
    assert (case.subject_id, (case.contact or {})["email"]) == (None, "ada@council.example")
    sessions = lambda: DbSession(stack.engine, info={"vault": stack.instance.vault})  # noqa: E731 - a name for one line
    db.rollback()
    assert case_acts.forget_done(sessions, clock) == 0
    with unit_of_work(db, clock, "person:desk") as work:
        work.db.add(_file(work.db.get_one(Case, case_id), clock))
        acts.happen(work, case_id=case_id, kind=Event.ANSWERED, body={"how": "By letter"})
        acts.happen(
            work,
            case_id=case_id,
            kind=Event.CLOSED,
            body={"outcome": "Erased", "evidence": "Letter", "left_out": "Told by phone"},
        )
    assert case_acts.forget_done(sessions, clock) == 1
    assert case_acts.forget_done(sessions, clock) == 0
    db.rollback()
    case = db.get_one(Case, case_id)
    assert (case.contact, case.asked, case.files) == (None, None, [])
    assert acts.read(db, case_id).closed is not None
    assert Action.CASE_EMPTIED.word in db.scalars(select(AuditEntry.action)).all()


def _file(case: Case, clock: SetClock) -> CaseFile:
    row = CaseFile(
        id=new_id(), case_id=case.id, added_at=clock.now, by="person:desk", media_type="text/plain", size=3
    )
    row.name, row.content = "a.txt", b"abc"
    return row


def test_a_request_for_access_that_is_open_holds_what_it_asks_for(
    client: PageClient,
    make: Factory,
    db: DbSession,
    clock: SetClock,
    opened: Open,
    ada: tuple[UUID, str],
    entry: UUID,
) -> None:
    officer = make.person("Dee Officer", role=Role.DPO).id
    dpo = client.sign_in(officer)
    access_id = opened(CaseKind.ACCESS)
    with unit_of_work(db, clock, "person:desk") as work:
        case_holds.place(work, work.db.get_one(Case, access_id))
    case_id = opened(CaseKind.ERASURE)
    assert "All of it is under a legal hold" in dpo.get(at(case_id, "/erase")).words()
    thing = f"person:{ada[0]}"
    agreed(db, clock, act=SecondAct.ERASURE, thing=thing, letter=LETTER, by=f"person:{officer}")
    dpo.post(at(case_id, "/erase"), {"entry": str(entry), "confirm": ada[1]})
    assert acted(db, case_id).body == {"what": "The erasure was begun; it waits for a hold to be lifted"}
    assert db.get(Person, ada[0]) is not None
    assert db.scalars(select(Erasure.state)).one() is ErasureState.HELD


def test_a_case_about_nobody_known_says_what_comes_first(dpo: PageClient, opened: Open, entry: UUID) -> None:
    case_id = opened(CaseKind.ERASURE, subject=False)
    assert "Say first whom the case is about." in dpo.get(at(case_id)).words()
    dpo.get(at(case_id, "/erase"))
    page = dpo.post(
        at(opened(CaseKind.RESTRICTION, subject=False), "/restrict"), {"entry": str(entry)}, status=422
    )
    assert "Say first whom the case is about" in page.words()


def test_nobodys_data_is_touched_in_a_drill(
    dpo: PageClient, db: DbSession, opened: Open, ada: tuple[UUID, str], entry: UUID
) -> None:
    case_id = opened(CaseKind.RESTRICTION, exercise=True)
    assert "This is an exercise" in dpo.get(at(case_id)).words()
    dpo.post(at(case_id, "/restrict"), {"entry": str(entry)}, status=409)
    db.rollback()
    assert db.get_one(Person, ada[0]).restricted_at is None


def test_a_case_of_another_kind_leads_to_nothing(dpo: PageClient, opened: Open, entry: UUID) -> None:
    case_id = opened(CaseKind.ACCESS)
    assert "Nothing is done with somebody's data" in dpo.get(at(case_id)).words()
    dpo.post(at(case_id, "/restrict"), {"entry": str(entry)}, status=409)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DPO])
def test_nobody_else_gets_near_it(client: PageClient, make: Factory, opened: Open, role: Role) -> None:
    case_id = opened(CaseKind.ERASURE)
    client.sign_in(make.person(role=role).id)
    for act in ("", "/erase", "/restrict", "/rectify"):
        client.get(at(case_id, act), status=404)


def test_the_officer_does_nothing_about_themselves(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock
) -> None:
    officer = make.person(role=Role.DPO)
    client.sign_in(officer.id)
    with unit_of_work(db, clock, "person:desk") as work:
        case_id = acts.open_case(
            work,
            kind=CaseKind.ERASURE,
            channel=Channel.EMAIL,
            received_at=clock.now,
            asked="All",
            subject_id=officer.id,
        ).id
    client.get(at(case_id), status=404)
