"""Letters of cases: what fills them, when they may go, and how they come to be events of the case."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import letter_templates, letter_words
from portal.cases import letters as case_letters
from portal.cases import redaction as case_redaction
from portal.cases.intake import Attachment, attach
from portal.cases.letters import To, Written
from portal.mailing import post
from portal.mailing.senders import AddressRefused
from portal.models import Mail, MailState
from privacy.cases import acts
from privacy.cases import letters as kept
from privacy.cases.letters import CaseLetter, LetterKind, LetterState
from privacy.cases.redactions import Ground
from privacy.cases.rules import CaseRefused, Incomplete, InFuture, NotPossible, OutOfOrder
from privacy.cases.tables import CaseFile, CaseKind, Channel, Event, Way
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack

RECEIVED = datetime(2027, 2, 1, 10, tzinfo=UTC)
ADA = {"name": "Ada Quill", "email": "ada@example.org", "address": "1 High Street\nNorthtown"}


class Server:
    """A mail server that keeps what it takes, or refuses every address."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.taken: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> str:
        if self.refuses:
            raise AddressRefused(550)
        self.taken.append(message)
        return "250 taken as 4711"


@pytest.fixture(autouse=True)
def _today(clock: SetClock) -> None:
    clock.now = RECEIVED


class Desk:
    """Somebody at the desk who works on one case."""

    def __init__(self, stack: Stack, db: DbSession) -> None:
        self.stack, self.db, self.clock = stack, db, stack.clock
        self.programme = stack.instance.programme

    def work(self, actor: str = "person:desk") -> Any:
        return unit_of_work(self.db, self.clock, actor)

    def open(self, kind: CaseKind = CaseKind.ACCESS, **more: Any) -> UUID:
        with self.work() as work:
            case = acts.open_case(
                work,
                kind=kind,
                channel=Channel.EMAIL,
                received_at=RECEIVED,
                asked="All of it",
                contact=ADA,
                **more,
            )
            self.case_id: UUID = case.id
        return self.case_id

    def happen(self, *kinds: Event) -> None:
        words = ("reason", "what", "question", "answer", "evidence", "decision", "who", "outcome", "how")
        for kind in kinds:
            with self.work() as work:
                entry = enter(work, register=Register.INSTRUCTION, letter="DfE/7", from_on=date(2027, 2, 1))
                body = {word: f"The {word}" for word in words}
                acts.happen(work, case_id=self.case_id, kind=kind, body=body, entry_id=entry.id)

    def prefilled(self, kind: LetterKind) -> Written:
        self.db.rollback()
        return case_letters.prefilled(
            self.db, self.programme, case_id=self.case_id, kind=kind, now=self.clock()
        )

    def draft(self, kind: LetterKind, *, word: str = "", to: To | None = None) -> UUID:
        begun = self.prefilled(kind)
        written = Written(begun.title, begun.text, to or begun.to, word)
        with self.work() as work:
            return case_letters.draft(work, case_id=self.case_id, kind=kind, written=written).id

    def send(self, letter_id: UUID) -> None:
        with self.work() as work:
            case_letters.send(work, self.programme, letter_id=letter_id)

    def post(self, letter_id: UUID, *, at: datetime, evidence: str = "Receipt 4711") -> None:
        with self.work() as work:
            case_letters.carried(
                work, self.programme, letter_id=letter_id, way=Way.POST, at=at, evidence=evidence
            )

    def deliver(self, server: Server) -> None:
        vault = self.stack.instance.vault
        sessions = lambda: DbSession(self.stack.engine, info={"vault": vault})  # noqa: E731 - a name for one line
        while post.deliver(self.stack.instance, sessions, server):
            pass

    def letter(self, letter_id: UUID) -> CaseLetter:
        self.db.rollback()
        found = case_letters.load(self.db, letter_id)
        assert found is not None
        return found

    def events(self) -> list[Event]:
        self.db.rollback()
        return [event.kind for event in acts.read(self.db, self.case_id).events]


@pytest.fixture
def desk(stack: Stack, db: DbSession) -> Desk:
    return Desk(stack, db)


def decided(desk: Desk) -> None:
    desk.happen(Event.CONTROLLER_NOTIFIED, Event.CONTROLLER_DECIDED)


def test_every_shipped_template_is_filled_whole(desk: Desk) -> None:
    desk.open()
    decided(desk)
    for kind in LetterKind:
        begun = desk.prefilled(kind)
        word = kept.PURPOSES[kind].word
        assert letter_templates.left(begun.text) == ([word] if word else [])
        assert letter_templates.left(begun.title) == []
        assert begun.to == To("Ada Quill", "ada@example.org", ["1 High Street", "Northtown"])
        assert "Article 77" not in begun.text
    answer = desk.prefilled(LetterKind.ANSWER).text
    assert "section 164A of the Data Protection Act 2018" in answer
    assert "Information Commissioner's Office" in answer
    assert "by 1 March 2027" in desk.prefilled(LetterKind.ACKNOWLEDGE).text
    assert "The Department for Education decides" in desk.prefilled(LetterKind.ACKNOWLEDGE).text
    assert "by 4 May 2027" in desk.prefilled(LetterKind.EXTEND).text, "1 May is a Saturday, 3 May a holiday"
    assert "do not count" in desk.prefilled(LetterKind.CLARIFY).text


def test_the_route_of_complaint_follows_the_law_of_the_day(desk: Desk) -> None:
    said = letter_words.routes(desk.programme, CaseKind.ACCESS, on=date(2026, 6, 18))
    assert "164A" not in said
    assert "164A" in letter_words.routes(desk.programme, CaseKind.ACCESS, on=date(2026, 6, 19))
    assert "section 50 of the Freedom" in letter_words.routes(
        desk.programme, CaseKind.FOI, on=date(2027, 1, 1)
    )


def test_a_letter_by_e_mail_is_an_event_once_the_server_took_it(desk: Desk) -> None:
    desk.open()
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    desk.send(letter_id)
    assert desk.letter(letter_id).state is LetterState.QUEUED
    assert desk.events() == []
    server = Server()
    desk.clock.pass_time(minutes=3)
    desk.deliver(server)
    (message,) = server.taken
    assert message["To"] == "Ada Quill <ada@example.org>"
    assert message["Reply-To"] == desk.programme.contacts["dpo"]
    attached = next(part for part in message.iter_attachments())
    assert attached.get_content_type() == "application/pdf"
    text = PdfReader(BytesIO(attached.get_content())).pages[0].extract_text()
    assert "con_9887" in text
    assert "Northtown" in text
    letter = desk.letter(letter_id)
    assert letter.state is LetterState.SENT
    assert letter.evidence is not None
    assert "250 taken as 4711" in letter.evidence
    assert desk.events() == [Event.ACKNOWLEDGED]
    assert letter.file_id is not None
    assert desk.db.get_one(CaseFile, letter.file_id).event_id == letter.event_id
    # The row of the mail names nobody.
    row = desk.db.scalars(select(Mail).where(Mail.template == case_letters.TEMPLATE)).one()
    assert (row.person_id, row.mailbox, row.about) == (None, None, letter_id)


def test_a_refused_address_is_said_and_the_letter_can_be_posted(desk: Desk) -> None:
    desk.open()
    decided(desk)
    letter_id = desk.draft(LetterKind.EXTEND, word="There are many files")
    desk.send(letter_id)
    desk.deliver(Server(refuses=True))
    assert desk.letter(letter_id).state is LetterState.FAILED
    story = acts.read(desk.db, desk.case_id)
    assert story.first(Event.EXTENDED) is None, "the time is not extended by a letter that nobody got"
    note = story.last(Event.NOTE)
    assert note is not None
    assert note.body is not None
    assert "did not go" in note.body["text"]
    desk.clock.pass_time(days=2)
    desk.post(letter_id, at=desk.clock.now)
    extended = acts.read(desk.db, desk.case_id).first(Event.EXTENDED)
    assert extended is not None
    assert extended.body is not None
    assert extended.body["reason"] == "There are many files"
    assert extended.body["evidence"] == "Receipt 4711"


def test_a_failed_letter_can_be_sent_again(desk: Desk) -> None:
    desk.open()
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    desk.send(letter_id)
    desk.deliver(Server(refuses=True))
    desk.clock.pass_time(minutes=1)
    desk.send(letter_id)
    server = Server()
    desk.deliver(server)
    assert len(server.taken) == 1
    assert desk.events() == [Event.NOTE, Event.ACKNOWLEDGED]


def test_what_is_posted_has_a_day_and_something_that_shows_it(desk: Desk) -> None:
    desk.open()
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    desk.clock.pass_time(days=3)
    with pytest.raises(InFuture):
        desk.post(letter_id, at=desk.clock.now + timedelta(days=1))
    with pytest.raises(OutOfOrder):
        desk.post(letter_id, at=RECEIVED - timedelta(days=1))
    with pytest.raises(Incomplete):
        desk.post(letter_id, at=desk.clock.now, evidence=" ")
    assert desk.letter(letter_id).file_id is None, "what was refused left nothing"
    desk.post(letter_id, at=RECEIVED + timedelta(days=1))
    event = acts.read(desk.db, desk.case_id).events[0]
    assert (event.kind, event.at) == (Event.ACKNOWLEDGED, RECEIVED + timedelta(days=1))
    with pytest.raises(NotPossible, match="has gone already"):
        desk.send(letter_id)


def test_no_foi_letter_without_the_departments_authority(desk: Desk) -> None:
    desk.open(CaseKind.FOI)
    decided(desk)
    for kind in LetterKind:
        with pytest.raises(CaseRefused):
            desk.prefilled(kind)
    story = acts.read(desk.db, desk.case_id)
    assert all(offer.why_not for offer in case_letters.offers(story))
    written = Written("Title", "Text", To("Ada", "ada@example.org"))
    with desk.work() as work, pytest.raises(NotPossible, match=r"clause 13\.4"):
        case_letters.draft(work, case_id=desk.case_id, kind=LetterKind.ANSWER, written=written)
    desk.happen(Event.REPLY_AUTHORISED)
    letter_id = desk.draft(LetterKind.ANSWER)
    assert "authorised us to answer" in (desk.letter(letter_id).text or "")
    desk.send(letter_id)
    desk.deliver(Server())
    assert desk.events()[-1] is Event.ANSWERED


@pytest.mark.parametrize("kind", [LetterKind.EXTEND, LetterKind.REFUSE, LetterKind.ANSWER])
def test_the_controller_decides_before_it_goes(desk: Desk, kind: LetterKind) -> None:
    desk.open()
    letter_id = desk.draft(kind, word="Why")
    with pytest.raises(NotPossible, match="First comes"):
        desk.send(letter_id)


def test_an_answer_waits_for_what_is_taken_out(desk: Desk) -> None:
    desk.open()
    decided(desk)
    with desk.work() as work:
        file = Attachment("a.txt", "text/plain", b"Berta Quillfeather was there")
        file_id = attach(work, case_id=desk.case_id, file=file).id
        case_redaction.begin(work, desk.programme, case_id=desk.case_id, file_ids=[file_id])
        work.db.flush()
        case_redaction.add(
            work,
            case_id=desk.case_id,
            text="Berta Quillfeather",
            ground=Ground.OTHER,
            reason="She is a child",
        )
    letter_id = desk.draft(LetterKind.ANSWER)
    with pytest.raises(NotPossible, match="A redaction of this case is open"):
        desk.send(letter_id)
    with desk.work() as work:
        case_redaction.make(work, case_id=desk.case_id)
    with pytest.raises(NotPossible, match="First a second person approves"):
        desk.send(letter_id)
    with desk.work("person:deputy") as work:
        case_redaction.approve(work, case_id=desk.case_id)
    text = desk.prefilled(LetterKind.ANSWER).text
    assert "We left something out of the copy. The reasons:\n- She is a child" in text
    assert "Quillfeather" not in text
    desk.send(letter_id)


def test_an_exercise_sends_nothing(desk: Desk) -> None:
    desk.open(exercise=True)
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    desk.send(letter_id)
    server = Server()
    desk.deliver(server)
    assert server.taken == []
    assert desk.db.scalars(select(Mail)).all() == []
    assert desk.events() == [Event.ACKNOWLEDGED]
    text = PdfReader(BytesIO(case_letters.pdf(desk.letter(letter_id), desk.programme, now=desk.clock())))
    assert "EXERCISE" in text.pages[0].extract_text()


def test_words_that_are_missing_are_asked_for(desk: Desk) -> None:
    desk.open()
    with pytest.raises(Incomplete, match="Enter the question"):
        desk.draft(LetterKind.CLARIFY)
    with pytest.raises(Incomplete, match="e-mail address"):
        desk.draft(LetterKind.ACKNOWLEDGE, to=To("Ada", "no address"))
    letter_id = desk.draft(LetterKind.CLARIFY, word="Which year?")
    assert "Which year?" in (desk.letter(letter_id).text or "")
    written = Written("A title", "See {routes}", To("Ada"), "Which?")
    with desk.work() as work, pytest.raises(Incomplete, match=r"stands for \{routes\}"):
        case_letters.change(work, letter_id=letter_id, written=written)


def test_a_draft_can_be_changed_and_thrown_away(desk: Desk) -> None:
    desk.open()
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    with desk.work() as work:
        case_letters.change(work, letter_id=letter_id, written=Written("New", "Text 😀", To("Ada")))
    assert desk.letter(letter_id).title == "New"
    with pytest.raises(Incomplete, match="no e-mail address"):
        desk.send(letter_id)
    with desk.work() as work:
        case_letters.discard(work, letter_id=letter_id)
    assert kept.of_case(desk.db, desk.case_id) == []


def test_templates_have_versions_and_unknown_names_are_refused(desk: Desk) -> None:
    desk.open()
    kind = LetterKind.ACKNOWLEDGE
    with desk.work() as work, pytest.raises(Incomplete, match=r"Nothing is called \{nmae\}"):
        letter_templates.change(work, kind=kind, title="A", text="Dear {nmae}")
    for number in (1, 2):
        with desk.work() as work:
            letter_templates.change(
                work, kind=kind, title=f"Version {number}", text="Dear {name},\n\n- One\n- Two"
            )
        desk.clock.pass_time(minutes=1)
    found = letter_templates.versions(desk.db, kind)
    assert [one.number for one in found] == [2, 1, 0]
    assert desk.prefilled(kind).title == "Version 2"
    letter_id = desk.draft(kind)
    assert desk.letter(letter_id).template_id == found[0].id
    assert [one.number for one in letter_templates.all_current(desk.db)] == [2, 0, 0, 0, 0]


def test_the_text_becomes_blocks() -> None:
    found = letter_templates.blocks("Dear Ada,\n\n# Why\nBecause\nof it\n- one\n- two\n\nBye")
    assert [(one.kind, one.text or [row[0] for row in one.rows]) for one in found] == [
        ("paragraph", "Dear Ada,"),
        ("heading", "Why"),
        ("paragraph", "Because\nof it"),
        ("list", ["one", "two"]),
        ("paragraph", "Bye"),
    ]


def test_a_mail_whose_letter_was_posted_meanwhile_does_not_go(desk: Desk) -> None:
    desk.open()
    letter_id = desk.draft(LetterKind.ACKNOWLEDGE)
    desk.send(letter_id)
    with desk.work() as work:
        case_letters.given_up(work, letter_id, why="Stopped by hand")
    desk.post(letter_id, at=desk.clock.now)
    server = Server()
    desk.deliver(server)
    assert server.taken == []
    row = desk.db.scalars(select(Mail)).one()
    assert row.state is MailState.DROPPED
