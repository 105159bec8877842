"""The data of one person, as the data protection officer deals with it: numbers and acts, never a word."""

import io
import re
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import intake
from portal.desk import housekeeping
from portal.mailing import bounces
from portal.models import Office, Person, Role, SecondAct
from privacy import ledger, person_exports
from privacy.audit import AuditEntry
from privacy.cases.tables import CaseKind, Channel
from privacy.columns import AddressKeys
from privacy.records import new_id
from privacy.rights import Erasure, ErasureState, LegalHold, PersonExport, Rectification
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.rules.test_erasure import erase, places_of, replaced
from tests.rules.test_erasure import instruct as instruct_by_rule
from tests.seconding import agreed, second_agrees
from tests.two_sides import Side

DESK = "/privacy-desk/people"
LETTER = "INSTR 12"


@pytest.fixture
def officer(make: Factory) -> UUID:
    return make.person("Dee Officer", role=Role.DPO).id


@pytest.fixture
def dpo(client: PageClient, officer: UUID) -> PageClient:
    return client.sign_in(officer)


@pytest.fixture
def person(make: Factory) -> tuple[UUID, str]:
    made = make.person("Ada Lead", email="ada@council.example")
    make.package(made)
    found = made.id, made.ref
    make.db.rollback()
    return found


def instruct(dpo: PageClient) -> None:
    dpo.post(f"{DESK}/instructions", {"letter": LETTER, "wording": "Erase what they ask for."})


@pytest.fixture
def erasable(officer: UUID, person: tuple[UUID, str], db: DbSession, clock: SetClock) -> None:
    """Two people agreed that the person be erased."""
    thing, by = f"person:{person[0]}", f"person:{officer}"
    agreed(db, clock, act=SecondAct.ERASURE, thing=thing, letter=LETTER, by=by)


def build(stack: Stack) -> None:
    vault = stack.instance.vault
    sessions = lambda: DbSession(stack.engine, info={"vault": vault})  # noqa: E731 - a name for what two lines need
    person_exports.run(housekeeping.desk(stack.instance, sessions))


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda text: f" {text} "])
def test_somebody_is_found_by_reference_or_address(
    dpo: PageClient, person: tuple[UUID, str], change: object
) -> None:
    person_id, ref = person
    for word in (ref, "ada@council.example"):
        page = dpo.post(DESK, {"who": change(word)})  # type: ignore[operator]
        assert page.response.headers["Location"] == f"{DESK}/{person_id}"
    page = dpo.post(DESK, {"who": "P-222222"}, status=422)
    assert "Nobody has this reference or address" in page.words()


def test_the_page_says_what_is_held_and_not_a_word_of_it(dpo: PageClient, person: tuple[UUID, str]) -> None:
    page = dpo.get(f"{DESK}/{person[0]}")
    assert page.heading == f"Data of {person[1]}"
    assert "Who takes part in which package 1" in page.words()
    assert "Ada" not in page.text
    assert "ada@" not in page.text


def test_an_export_is_asked_for_built_and_fetched_once(
    dpo: PageClient, person: tuple[UUID, str], stack: Stack, db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    assert "holds no instruction" in dpo.post(f"{at}/export", {"letter": "X 1"}, page=at, status=422).words()
    instruct(dpo)
    page = dpo.follow(dpo.post(f"{at}/export", {"letter": LETTER}, page=at))
    assert "A second person has to agree first" in page.words()
    assert db.scalars(select(PersonExport.id)).all() == []
    second_agrees(db, stack.clock)
    page = dpo.follow(dpo.post(f"{at}/export", {"letter": LETTER}, page=at))
    assert "Waits" in page.words()
    build(stack)
    page = dpo.get(at)
    assert "stores answered" in page.words()
    export_id = db.scalars(select(PersonExport.id)).one()
    answer = dpo.post(f"{at}/export/{export_id}", page=at, status=200).response
    assert answer.headers["Cache-Control"] == "no-store"
    assert (
        answer.headers["Content-Disposition"] == f'attachment; filename="data-of-{person[1]}-2023-03-01.zip"'
    )
    with ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert "Ada Lead" in archive.read("index.html").decode()
    page = dpo.post(f"{at}/export/{export_id}", page=at, status=409)
    assert "This export is gone" in page.words()
    assert "Fetched on" in page.words()
    assert not list(housekeeping.export_folder(stack.instance).iterdir())


def test_what_was_agreed_under_an_instruction_ends_with_it(
    dpo: PageClient, officer: UUID, person: tuple[UUID, str], stack: Stack, db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    thing, by = f"person:{person[0]}", f"person:{officer}"
    agreed(db, stack.clock, act=SecondAct.EXPORT, thing=thing, letter=LETTER, by=by)
    replaced(stack)
    said = "INSTR 12 was replaced by INSTR 13"
    assert said in dpo.post(f"{at}/export", {"letter": LETTER}, page=at, status=422).words()
    assert said in dpo.post(f"{at}/restrict", {"letter": LETTER}, status=422).words()
    assert said in dpo.post(f"{at}/erase", {"letter": LETTER, "confirm": person[1]}, status=422).words()
    assert db.scalars(select(PersonExport.id)).all() == []


def test_something_is_put_right_and_its_history_is_sealed(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    typed = {
        "item": f"person:{person[0]}:name",
        "reason": "A typing mistake",
        "told": "The council\nThe mentor",
    }
    page = dpo.post(f"{at}/rectify", {**typed, "value": "Ada Leed"})
    page = dpo.follow(page)
    assert "It is put right." in page.words()
    assert "Ada" not in page.text
    found = db.scalars(select(Rectification)).one()
    assert (found.before, found.after, found.reason) == ("Ada Lead", "Ada Leed", "A typing mistake")
    assert [who for who, _ in found.told] == ["The council", "The mentor"]
    assert db.get_one(Person, person[0]).name == "Ada Leed"


def test_an_address_is_put_right_with_what_finds_it(
    dpo: PageClient, person: tuple[UUID, str], make: Factory, db: DbSession
) -> None:
    make.person(email="taken@council.example")
    make.db.rollback()
    at = f"{DESK}/{person[0]}/rectify"
    typed = {"item": f"person:{person[0]}:email", "reason": "It was another's"}
    page = dpo.post(at, {**typed, "value": "taken@council.example"}, status=422)
    assert "Somebody else has this address" in page.words()
    dpo.post(at, {**typed, "value": "new@council.example"})
    page = dpo.post(DESK, {"who": "new@council.example"})
    assert page.response.headers["Location"] == f"{DESK}/{person[0]}"
    assert db.scalars(select(Rectification.item_column)).one() == "email"


def test_an_address_that_is_put_right_is_another_mailbox(
    dpo: PageClient, person: tuple[UUID, str], stack: Stack, db: DbSession
) -> None:
    own = PageClient(stack.app, stack.instance).sign_in(person[0])
    with unit_of_work(db, stack.clock, "system:test") as work:
        bounces.note(work, person_id=person[0], code=550)
    typed = {"item": f"person:{person[0]}:email", "value": "ada@new.example", "reason": "A typing mistake"}
    dpo.post(f"{DESK}/{person[0]}/rectify", typed)
    assert bounces.refusing(db, {person[0]}) == set(), "nothing is known of the new one"
    assert "Sign in" in own.get("/").words(), "their sign-ins have ended"


def test_an_address_that_somebody_takes_at_the_same_moment_is_told(
    dpo: PageClient, person: tuple[UUID, str], make: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.person(email="taken@council.example")
    make.db.rollback()
    # They came between the look and the write.
    monkeypatch.setattr(AddressKeys, "indexes", lambda self, email: [])
    typed = {"item": f"person:{person[0]}:email", "value": "taken@council.example", "reason": "A mistake"}
    page = dpo.post(f"{DESK}/{person[0]}/rectify", typed, status=422)
    assert "Somebody else has this address" in page.words()


def test_another_persons_value_is_not_put_right_here(
    dpo: PageClient, person: tuple[UUID, str], make: Factory
) -> None:
    other = make.person()
    typed = {"item": f"person:{other.id}:name", "value": "X", "reason": "X"}
    page = dpo.post(f"{DESK}/{person[0]}/rectify", typed, status=422)
    assert "Choose what is wrong" in page.words()


def test_data_is_restricted_and_freed_by_an_instruction(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    page = dpo.post(f"{at}/restrict", {"letter": LETTER}, status=422)
    assert "The register holds no instruction with this reference" in page.words()
    instruct(dpo)
    page = dpo.follow(dpo.post(f"{at}/restrict", {"letter": LETTER}))
    assert "Restricted since 1 March 2023" in page.words()
    assert db.get_one(Person, person[0]).restricted_at is not None
    page = dpo.follow(dpo.post(f"{at}/restrict", {"letter": LETTER}))
    assert "Restricted since" not in page.words()


def test_the_team_sees_that_somebody_is_restricted(
    dpo: PageClient, person: tuple[UUID, str], make: Factory, stack: Stack
) -> None:
    instruct(dpo)
    dpo.post(f"{DESK}/{person[0]}/restrict", {"letter": LETTER})
    team = PageClient(stack.app, stack.instance).sign_in(make.person(role=Role.TEAM).id)
    assert "Restricted" in team.get("/team/people").words()
    assert "Restricted since 1 March 2023" in team.get(f"/team/people/{person[0]}").words()


def test_erasing_shows_what_goes_and_takes_the_typed_reference(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession, stack: Stack
) -> None:
    instruct(dpo)
    at = f"{DESK}/{person[0]}/erase"
    page = dpo.get(at)
    assert "Person 1 0 0" in page.words()
    assert "stays and counts, without the person" in page.words().lower()
    page = dpo.post(at, {"letter": LETTER, "confirm": "P-222222"}, status=422)
    assert "This is not the person's reference" in page.words()
    assert db.scalars(select(Erasure)).all() == []
    db.rollback()
    confirmed = {"letter": LETTER, "confirm": f" {person[1].lower()} "}
    assert "A second person has to agree first" in dpo.follow(dpo.post(at, confirmed)).words()
    assert db.scalars(select(Erasure)).all() == []
    second_agrees(db, stack.clock)
    page = dpo.follow(dpo.post(at, confirmed))
    assert f"The data of {person[1]} is erased" in page.words()
    assert db.get(Person, person[0]) is None
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED
    assert ledger.is_erased(stack.instance.vault.engine, person[0])
    dpo.get(f"{DESK}/{person[0]}", status=404)


@pytest.mark.usefixtures("erasable")
def test_a_hold_makes_it_wait_and_lifting_it_goes_on(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    placed = {"hold_id": str(new_id()), "cause": "foi", "reason": "A request of 1 March"}
    dpo.post(f"{at}/hold", placed)
    page = dpo.follow(dpo.post(f"{at}/hold", placed))
    assert len(db.scalars(select(LegalHold.id)).all()) == 1, "sent twice"
    db.rollback()
    assert "Freedom of Information" in page.words()
    assert "A request of" not in page.text
    page = dpo.get(f"{at}/erase")
    assert "All of it is under a legal hold" in page.words()
    dpo.post(f"{at}/erase", {"letter": LETTER, "confirm": person[1]})
    assert "waits for a hold to be lifted" in dpo.get(at).words()
    hold_id = db.scalars(select(LegalHold.id)).one()
    db.rollback()
    lift = f"{at}/hold/{hold_id}/lift"
    assert f"Lifting it erases the data of {person[1]} now" in dpo.get(lift).words()
    assert "Choose why it is lifted" in dpo.post(lift, status=422).words()
    assert db.get(Person, person[0]) is not None
    db.rollback()
    dpo.post(lift, {"why": "over"})
    assert db.get(Person, person[0]) is None
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED


def test_a_hold_of_an_open_case_is_not_lifted_by_hand(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession, make: Factory, clock: SetClock
) -> None:
    with unit_of_work(db, clock, "person:desk") as work:
        case = intake.take_in(
            work,
            make.programme,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=work.now,
            asked="All that you hold",
            contact={"name": "Ada"},
            subject_id=person[0],
        )
        case_id, ref = case.id, case.ref
    hold_id = db.scalars(select(LegalHold.id)).one()
    db.rollback()
    at = f"{DESK}/{person[0]}"
    assert dpo.get(at).all("a", href=f"/desk/cases/{case_id}")
    page = dpo.get(f"{at}/hold/{hold_id}/lift")
    assert f"it ends when case {ref} is closed" in page.words()
    page = dpo.post(f"{at}/hold/{hold_id}/lift", {"why": "over"}, page=at, status=409)
    assert f"Case {ref} is open and keeps the data" in page.words()
    assert db.scalars(select(LegalHold.lifted_at)).one() is None


def test_why_a_hold_was_lifted_stands_in_the_trail(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession
) -> None:
    at = f"{DESK}/{person[0]}"
    dpo.post(f"{at}/hold", {"hold_id": str(new_id()), "cause": "legal", "reason": "A claim"})
    hold_id = db.scalars(select(LegalHold.id)).one()
    db.rollback()
    dpo.post(f"{at}/hold/{hold_id}/lift", {"why": "mistake"})
    lines = db.scalars(select(AuditEntry).where(AuditEntry.action == "hold.lifted")).all()
    assert [line.details for line in lines] == ['{"why":"mistake"}']


@pytest.mark.usefixtures("erasable")
def test_acts_stand_in_the_trail_and_name_no_one(
    dpo: PageClient, person: tuple[UUID, str], db: DbSession
) -> None:
    dpo.post(f"{DESK}/{person[0]}/erase", {"letter": LETTER, "confirm": person[1]})
    lines = db.scalars(select(AuditEntry)).all()
    assert {"register.entered", "erasure.begun", "erasure.done"} <= {line.action for line in lines}
    assert not [line for line in lines if "Ada" in f"{line.details}{line.object}"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DPO])
def test_nobody_else_gets_near_it(
    client: PageClient, make: Factory, person: tuple[UUID, str], role: Role
) -> None:
    client.sign_in(make.person(role=role).id)
    for path in ("", f"/{person[0]}", f"/{person[0]}/erase", f"/{person[0]}/rectify", "/instructions"):
        client.get(f"{DESK}{path}", status=404)
    for path in ("export", "erase", "hold", "restrict", "rectify"):
        client.post(f"{DESK}/{person[0]}/{path}", page="/your-devices", status=404)


def test_the_officer_does_not_deal_with_their_own_data(
    client: PageClient, make: Factory, db: DbSession
) -> None:
    officer = make.person(role=Role.DPO)
    client.sign_in(officer.id)
    client.get(f"{DESK}/{officer.id}", status=404)
    assert db.scalars(select(Office.role).where(Office.person_id == officer.id)).one() is Role.DPO


@pytest.mark.parametrize("who", ["leader", "mentor", "member"])
def test_the_pages_of_those_who_are_left_go_on(
    client: PageClient, make: Factory, stack: Stack, clock: SetClock, who: str
) -> None:
    versions.publish_shipped(make.db, clock)
    side = Side(make, "first")
    team = client.sign_in(make.person(role=Role.TEAM).id)
    make.db.rollback()
    instruct_by_rule(stack)
    erase(places_of(stack), getattr(side, who))
    paths = (
        *("/team", "/team/people", "/team/packages", "/team/verdicts", "/reports/kpi", "/team/councils"),
        *(f"/team/packages/{one}" for one in (side.package, side.group, side.past)),
        *(f"/sessions/{one}" for one in (side.session, side.held, side.workshop)),
        f"/team/people/{side.colleague}",
        f"/team/councils/{side.council}",
    )
    shown = [team.get(path) for path in paths]
    left = {"leader": side.member, "mentor": side.leader, "member": side.leader}[who]
    own = PageClient(stack.app, stack.instance).sign_in(left)
    shown.append(own.get("/your-support"))
    unnamed = re.compile(r".{0,30}(?<!Neighbours )\bNone\b(?! (?:yet|noted|of them))")
    assert [unnamed.findall(page.words()) for page in shown if unnamed.search(page.words())] == []
