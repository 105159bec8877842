"""Rounds of redaction: proposals, reasons, copies, a second person, and what is handed over."""

import io
import json
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import package as case_package
from portal.cases import redaction as case_redaction
from portal.cases import redaction_places
from portal.cases.intake import Attachment, attach
from portal.cases.package import NobodyKnown
from portal.cases.redaction import NotReleased, SamePerson, Settled, StillThere
from portal.desk import housekeeping
from portal.models import Person
from privacy import person_exports
from privacy.audit import AuditEntry
from privacy.cases import acts, documents
from privacy.cases.folding import TAKEN_OUT
from privacy.cases.redactions import Ground, Redaction, RedactionMark, Round
from privacy.cases.rules import CaseClosed, Incomplete, NotPossible
from privacy.cases.tables import CaseFile, CaseKind, Channel, Event
from privacy.person_data import OTHERS
from privacy.person_exports import Desk
from privacy.work import Work, unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory

OFFICER, DEPUTY = "person:officer", "person:deputy"
LETTER = (
    "Ada Lead sat beside Cllr Berta Quillfeather, who spoke. BERTA QUILLFEATHER’s number is 07700 900123,\n"
    "her address b.quill@council.example. Ada's own is ada@council.example. Sleep well, Lee."
)


class Case:
    """A case about somebody who stands beside somebody else, and acts on it in few words."""

    def __init__(self, stack: Stack, make: Factory, db: DbSession) -> None:
        self.stack, self.db, self.clock = stack, db, stack.clock
        self.programme = stack.instance.programme
        make.person("Berta Quillfeather")
        person = make.person("Ada Lead", email="ada@council.example")
        self.person_id = person.id
        make.package(person, mentor=make.mentor("Lee Archer"))
        make.db.rollback()
        contact = {"name": "Ada Lead", "email": "ada@council.example"}
        with self.work() as work:
            work.db.get_one(Person, self.person_id).adjustments = "Not beside Berta Quillfeather"
            self.id = acts.open_case(
                work,
                kind=CaseKind.ACCESS,
                channel=Channel.EMAIL,
                received_at=work.now,
                asked="Send me all that you hold",
                contact=contact,
                subject_id=self.person_id,
            ).id
            self.letter = self.file(work, "a letter.txt", "text/plain; charset=utf-8", LETTER.encode())
            self.scan = self.file(work, "scan.pdf", "application/pdf", b"%PDF-1.7 Berta")

    def work(self, actor: str = OFFICER) -> Any:
        return unit_of_work(self.db, self.clock, actor)

    def file(self, work: Work, name: str, media_type: str, content: bytes) -> UUID:
        row = attach(work, case_id=self.id, file=Attachment(name, media_type, content))
        work.db.flush()
        return row.id

    def begin(self, *file_ids: UUID) -> None:
        with self.work() as work:
            case_redaction.begin(work, self.programme, case_id=self.id, file_ids=file_ids)

    def do(self, act: Any, *, actor: str = OFFICER, **more: Any) -> None:
        with self.work(actor) as work:
            act(work, case_id=self.id, **more)

    @property
    def round(self) -> Redaction:
        self.db.rollback()
        found = case_redaction.current(self.db, self.id)
        assert found is not None
        return found

    @property
    def marks(self) -> dict[str, RedactionMark]:
        return {mark.text or "": mark for mark in self.round.marks}

    def events(self) -> list[Event]:
        self.db.rollback()
        return [event.kind for event in acts.read(self.db, self.id).events]

    def content(self, file_id: UUID | None) -> bytes:
        return self.db.get_one(CaseFile, file_id).content or b""


@pytest.fixture
def case(stack: Stack, make: Factory, db: DbSession) -> Case:
    return Case(stack, make, db)


def test_others_are_proposed_each_with_a_reason_and_nothing_of_the_requester(case: Case) -> None:
    case.begin(case.letter)
    assert list(case.marks) == [
        "Berta Quillfeather",
        "Quillfeather",
        "Berta",
        "Lee",
        "b.quill@council.example",
        "07700 900123",
    ]
    assert case.marks["Lee"].who == f"Mentor, {ref_of(case.db, 'Lee Archer')}"
    assert {mark.ground for mark in case.round.marks} == {Ground.OTHER_PERSON}
    found = redaction_places.find(case.db, case.round, case.round.marks)
    whole = found[case.marks["Berta Quillfeather"].id]
    assert whole.count == 2
    assert whole.places[0].text == "Berta Quillfeather"
    assert whole.places[0].before.endswith("sat beside Cllr ")


def ref_of(db: DbSession, name: str) -> str:
    return next(person.ref for person in db.scalars(select(Person)) if person.name == name)


def test_a_copy_is_built_from_what_remains_and_both_are_kept_sealed(case: Case) -> None:
    case.begin(case.letter)
    case.do(case_redaction.make)
    (file,) = case.round.files
    copy = case.content(file.copy_id).decode()
    assert copy == (
        f"Ada Lead sat beside Cllr {TAKEN_OUT}, who spoke. {TAKEN_OUT}’s number is {TAKEN_OUT},\n"
        f"her address {TAKEN_OUT}. Ada's own is ada@council.example. Sleep well, {TAKEN_OUT}."
    )
    assert case.content(file.source_id).decode() == LETTER
    raw = case.db.execute(select(CaseFile.__table__)).mappings().all()
    assert not [
        value for row in raw for value in row.values() if isinstance(value, bytes) and b"Ada" in value
    ]
    marks = case.db.execute(select(RedactionMark.__table__)).mappings().all()
    assert "Quillfeather" not in str([dict(row) for row in marks])
    assert case.events() == [Event.REDACTED]


def test_what_is_unticked_stays_and_what_was_added_goes(case: Case) -> None:
    case.begin(case.letter)
    case.do(case_redaction.add, text="sleep well", ground=Ground.OTHER, reason="It is nobody's business")
    marks = case.marks
    out = {mark.id: Settled(text != "Lee", mark.ground, mark.reason or "") for text, mark in marks.items()}
    case.do(case_redaction.settle, settled=out)
    assert not case.marks["Lee"].taken_out
    case.do(case_redaction.make)
    assert case.content(case.round.files[0].copy_id).decode().endswith(f"{TAKEN_OUT}, Lee.")


def test_an_added_mark_can_be_dropped_and_a_proposed_one_stays_in_the_list(case: Case) -> None:
    case.begin(case.letter)
    case.do(case_redaction.add, text="Sleep", ground=Ground.CONFIDENCE)
    left = {mark.id: Settled(taken_out=False, ground=mark.ground) for mark in case.round.marks}
    case.do(case_redaction.settle, settled=left)
    assert "Sleep" not in case.marks
    assert not any(mark.taken_out for mark in case.round.marks)


@pytest.mark.parametrize(
    "text, ground, said",
    [
        ("—", Ground.OTHER_PERSON, "at least two letters"),
        ("Sleep", Ground.OTHER, "Enter the reason"),
        ("berta  QUILLFEATHER", Ground.OTHER_PERSON, "in the list already"),
    ],
)
def test_a_mark_without_sense_is_refused(case: Case, text: str, ground: Ground, said: str) -> None:
    case.begin(case.letter)
    with pytest.raises(Incomplete, match=said):
        case.do(case_redaction.add, text=text, ground=ground)


def test_a_pdf_is_withheld_and_says_so(case: Case) -> None:
    case.begin(case.letter, case.scan)
    case.do(case_redaction.make)
    withheld = next(file for file in case.round.files if file.withheld)
    assert withheld.copy_id is None
    assert withheld.why == "It cannot be redacted here: a PDF can keep words where nobody sees them"
    event = acts.read(case.db, case.id).last(Event.REDACTED)
    assert event is not None
    assert event.body is not None
    assert event.body["withheld"].startswith("1 file: It cannot be redacted here")


def test_a_second_person_approves_and_only_then_it_is_handed_over(case: Case) -> None:
    case.begin(case.letter)
    with pytest.raises(NotPossible, match="No copies wait"):
        case.do(case_redaction.approve, actor=DEPUTY)
    case.do(case_redaction.make)
    file_id = case.round.files[0].copy_id
    with pytest.raises(NotReleased):
        case.do(case_redaction.release, file_id=file_id)
    with pytest.raises(SamePerson, match="Somebody else"):
        case.do(case_redaction.approve)
    assert case_redaction.released(case.db, case.id) == []
    case.do(case_redaction.approve, actor=DEPUTY)
    assert case.round.settled_by == DEPUTY
    with pytest.raises(NotReleased):
        case.do(case_redaction.release, file_id=case.letter)
    case.do(case_redaction.release, file_id=file_id)
    assert case.events() == [Event.REDACTED, Event.REDACTION_APPROVED]
    line = case.db.scalars(select(AuditEntry).where(AuditEntry.action == "copy.released")).one()
    assert (line.actor, line.object) == (OFFICER, f"case_file:{file_id}")


def test_what_is_sent_back_is_open_again_with_all_its_marks(case: Case) -> None:
    case.begin(case.letter)
    case.do(case_redaction.make)
    first = case.round
    texts = list(case.marks)
    case.do(case_redaction.send_back, actor=DEPUTY, reason="The children are named too")
    assert case.round.id != first.id
    assert case.round.state is Round.OPEN
    assert list(case.marks) == texts
    case.do(case_redaction.make)
    case.do(case_redaction.approve, actor=DEPUTY)
    assert case.events() == [
        Event.REDACTED,
        Event.REDACTION_RETURNED,
        Event.REDACTED,
        Event.REDACTION_APPROVED,
    ]
    with pytest.raises(NotPossible):
        case.do(case_redaction.send_back, actor=DEPUTY, reason="Too late")
    case.do(case_redaction.again)
    assert case.round.state is Round.OPEN


def test_one_round_at_a_time_and_it_can_be_given_up(case: Case) -> None:
    case.begin(case.letter)
    with pytest.raises(NotPossible, match="A redaction of this case is open"):
        case.begin(case.letter)
    case.do(case_redaction.drop)
    with pytest.raises(Incomplete, match="Choose at least one file"):
        case.begin()
    case.begin(case.letter)


def test_an_altered_copy_is_neither_approved_nor_handed_over(case: Case) -> None:
    case.begin(case.letter)
    case.do(case_redaction.make)
    file_id = case.round.files[0].copy_id

    def put(content: bytes) -> None:
        with case.work() as work:
            work.db.get_one(CaseFile, file_id).content = content

    put(b"It was B e r t a Quill-Feather")
    with pytest.raises(StillThere, match="The scan found something"):
        case.do(case_redaction.approve, actor=DEPUTY)
    put(b"Nobody")
    case.do(case_redaction.approve, actor=DEPUTY)
    put("b.quill@council\u200b.example".encode())
    with pytest.raises(StillThere):
        case.do(case_redaction.release, file_id=file_id)


@pytest.fixture
def desk(stack: Stack) -> Desk:
    vault = stack.instance.vault
    return housekeeping.desk(stack.instance, lambda: DbSession(stack.engine, info={"vault": vault}))


def keep_package(case: Case, desk: Desk) -> None:
    found = acts.read(case.db, case.id).case
    archive, stores = case_package.put_together(desk, case.db, found)
    with case.work() as work:
        case_package.keep(work, case_id=case.id, archive=archive, stores=stores)


def test_the_package_of_a_case_loses_every_other_name(case: Case, desk: Desk) -> None:
    keep_package(case, desk)
    story = acts.read(case.db, case.id)
    package = case_redaction.choices(case.db, story)[0]
    assert package.package
    whole = case.content(package.file.id)
    with ZipFile(io.BytesIO(whole)) as archive:
        assert "Berta Quillfeather" in archive.read("index.html").decode()
    case.begin(package.file.id)
    case.do(case_redaction.make)
    copy = case.content(case.round.files[0].copy_id)
    with ZipFile(io.BytesIO(copy)) as archive, ZipFile(io.BytesIO(whole)) as before:
        assert archive.namelist() == before.namelist()
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert not [name for name, text in texts.items() if "quillfeather" in text.lower()]
    assert f"Not beside {TAKEN_OUT}" in texts["index.html"]
    assert "Ada Lead" in texts["index.html"]
    for name, text in texts.items():
        if name.endswith(".json"):
            json.loads(text)
    assert documents.still_there("application/zip", copy, case_redaction.phrases(case.round)) == []


def test_neither_our_own_ids_nor_names_of_fields_are_taken_for_people(
    case: Case, desk: Desk, make: Factory
) -> None:
    make.person("Jo Person")
    make.person("Jo Email")
    make.db.rollback()
    keep_package(case, desk)
    package = case_redaction.choices(case.db, acts.read(case.db, case.id))[0]
    with case.work() as work:
        uid = b"2945a0ba-8d0c-4f0e-9d3a-0242ac120002@con9887.leadership-support, Al Email"
        calendar = case.file(work, "calendar.txt", "text/plain; charset=utf-8", uid)
    case.begin(package.file.id, calendar)
    assert not {"Person", "Jo"} & set(case.marks)
    assert not case.marks["Email"].taken_out, "it stands in a sentence too: somebody has to look"
    assert not [text for text in case.marks if "leadership-support" in text]


def test_without_somebody_known_there_is_no_package(case: Case, desk: Desk) -> None:
    found = acts.read(case.db, case.id).case
    found.subject_id = None
    with pytest.raises(NobodyKnown):
        case_package.put_together(desk, case.db, found)
    case.db.rollback()


def test_what_was_taken_out_comes_with_nobodys_export(case: Case, desk: Desk) -> None:
    case.begin(case.letter)
    case.do(case_redaction.make)
    case.db.rollback()
    with ZipFile(io.BytesIO(person_exports.whole(desk, case.db, case.person_id))) as archive:
        name = next(one for one in archive.namelist() if one.endswith("casefile_redaction_mark.json"))
        rows = json.loads(archive.read(name))["rows"]
        kept = next(one for one in archive.namelist() if one.endswith("casefile_file.json"))
        files = json.loads(archive.read(kept))["rows"]
    assert {row["text"] for row in rows} == {OTHERS}
    assert all(row["content"].startswith("a file of ") for row in files)


def test_a_closed_case_takes_no_redaction(case: Case, clock: SetClock) -> None:
    case.begin(case.letter)
    with case.work() as work:
        acts.happen(
            work,
            case_id=case.id,
            kind=Event.CLOSED,
            body={"outcome": "Withdrawn", "evidence": "A mail", "left_out": "Withdrawn"},
        )
    with pytest.raises(CaseClosed, match="closed"):
        case.do(case_redaction.make)
