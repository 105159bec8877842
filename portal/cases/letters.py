"""Letters of a case: written from a template, looked at, and sent by e-mail, or posted or handed over by somebody.

A letter is an event of its case once it has gone. Sent by e-mail that is when the mail server takes it; one that is
refused says so, and can be sent again or posted. An exercise sends nothing (cl 13.4, 17.6; Article 12).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.cases import intake as desk_cases
from portal.cases import letter_templates, letter_words
from portal.cases import redaction as case_redaction
from portal.cases.intake import Attachment
from portal.mailing import queue as mail
from portal.mailing.letters import AddressUnusable, usable_address
from portal.models import Person
from portal.programme import Programme
from privacy import papers, sent_before
from privacy.cases import acts
from privacy.cases import letters as kept
from privacy.cases.letters import PURPOSES, CaseLetter, LetterKind, LetterState
from privacy.cases.redactions import Round
from privacy.cases.rules import CaseRefused, Incomplete, NotPossible
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseFile, Event, Way
from privacy.clock import london_date
from privacy.papers import PaperFailed
from privacy.records import new_id
from privacy.work import Work

TEMPLATE = "case_letter"
WORD_AT_MOST = 4000
KINDS: Mapping[LetterKind, str] = {
    LetterKind.ACKNOWLEDGE: "Acknowledge the request",
    LetterKind.EXTEND: "Say that it takes longer",
    LetterKind.CLARIFY: "Ask what is meant",
    LetterKind.REFUSE: "Refuse, with reasons",
    LetterKind.ANSWER: "Answer",
}
WAYS: Mapping[Way, str] = {Way.EMAIL: "By e-mail", Way.POST: "By post", Way.HAND: "By hand"}
EDITED = (LetterState.DRAFT, LetterState.FAILED)
WORDS = ("title", "text", "word", "to")
"""What is written of a letter, by the names of its row."""


@dataclass(frozen=True)
class To:
    """Whom a letter goes to; `lines` is a postal address."""

    name: str
    email: str = ""
    lines: Sequence[str] = ()


@dataclass(frozen=True)
class Written:
    """A letter as a form gives it. `word` is the reason or the question, where the kind of letter has one."""

    title: str
    text: str
    to: To
    word: str = ""


@dataclass(frozen=True)
class Offer:
    """A kind of letter; `why_not`: why it cannot be written now."""

    kind: LetterKind
    label: str
    why_not: str | None


def offers(story: Story) -> list[Offer]:
    """Every kind of letter, with what stands against it."""
    found = []
    for kind, label in KINDS.items():
        refusal = kept.refusal(story, kind)
        found.append(Offer(kind, label, str(refusal) if refusal is not None else None))
    return found


def prefilled(
    db: DbSession, programme: Programme, *, case_id: UUID, kind: LetterKind, now: datetime
) -> Written:
    """A letter as its template and the case make it; the writer's own words are still in braces.

    Raises LookupError without the case, and NotPossible where there is no such letter.
    """
    story = acts.read(db, case_id)
    if (refusal := kept.refusal(story, kind)) is not None:
        raise refusal
    template = letter_templates.current(db, kind)
    values = letter_words.values(db, programme, story, now=now)
    return Written(
        title=letter_templates.filled(template.title, values),
        text=letter_templates.filled(template.text, values),
        to=_addressee(db, story.case),
    )


def _addressee(db: DbSession, case: Case) -> To:
    """Whoever asked, as they can be reached; the address of an account where they gave none."""
    contact = case.contact or {}
    name, email = str(contact.get("name") or ""), str(contact.get("email") or "")
    lines = [line.strip() for line in str(contact.get("address") or "").splitlines() if line.strip()]
    person = db.get(Person, case.subject_id) if case.subject_id is not None else None
    if person is not None and not (name or email or lines):
        name, email = person.name or "", person.email or ""
    return To(name, email, lines)


def draft(
    work: Work, *, case_id: UUID, kind: LetterKind, written: Written, letter_id: UUID | None = None
) -> CaseLetter:
    """Keep a letter as a draft. `letter_id` is its own id, where a form carries one: the same form again gives the
    first. Raises what stands against it, Incomplete or SentBefore."""
    story = acts.read(work.db, case_id, lock=True)
    first = sent_before.found(work, CaseLetter, letter_id, case_id=case_id, kind=kind)
    if first is not None:
        again = CaseLetter(kind=kind)
        _write(again, written)
        sent_before.require(all(getattr(first, name) == getattr(again, name) for name in WORDS))
        return first
    if (refusal := kept.refusal(story, kind)) is not None:
        raise refusal
    letter = CaseLetter(
        id=letter_id or new_id(),
        case_id=case_id,
        number=kept.next_number(work.db, case_id),
        kind=kind,
        state=LetterState.DRAFT,
        template_id=letter_templates.current(work.db, kind).id,
        made_at=work.now,
        by=work.actor,
    )
    _write(letter, written)
    work.db.add(letter)
    return letter


def change(work: Work, *, letter_id: UUID, written: Written) -> CaseLetter:
    """Write a draft anew, or a letter that did not go. Raises NotPossible once it has gone, or Incomplete."""
    letter = _locked(work, letter_id)
    _write(letter, written)
    return letter


def _write(letter: CaseLetter, written: Written) -> None:
    word = PURPOSES[letter.kind].word
    if word is not None and not written.word.strip():
        raise Incomplete(f"Enter the {word}", name="word")
    filled = letter_templates.filled(written.text, {word: written.word.strip()} if word is not None else {})
    if loose := letter_templates.left(filled):
        raise Incomplete(f"Write what stands for {{{loose[0]}}}", name="text")
    letter.title, letter.text, letter.word = written.title, filled, written.word.strip() or None
    to = written.to
    letter.to = {"name": to.name, "email": to.email, "lines": list(to.lines)}
    if to.email:
        _require_usable(to.email)


def _require_usable(address: str) -> None:
    try:
        usable_address(address)
    except AddressUnusable as problem:
        raise Incomplete("Enter an e-mail address like name@example.com", name="email") from problem


def discard(work: Work, *, letter_id: UUID) -> None:
    """Throw a draft away. Raises NotPossible once it has gone."""
    letter = _locked(work, letter_id)
    if letter.file_id is not None:
        raise NotPossible("This letter was sent once and is kept")
    work.db.delete(letter)


def load(db: DbSession, letter_id: UUID) -> CaseLetter | None:
    """A letter with its case."""
    return db.get(CaseLetter, letter_id, options=[joinedload(CaseLetter.case)], populate_existing=True)


def _locked(work: Work, letter_id: UUID) -> CaseLetter:
    """A letter that has not gone, under the lock of its case. Raises LookupError or NotPossible."""
    known = work.db.get(CaseLetter, letter_id)
    if known is None:
        raise LookupError("no such letter")
    acts.read(work.db, known.case_id, lock=True)
    letter = load(work.db, letter_id)
    if letter is None:
        raise LookupError("no such letter")
    if letter.state not in EDITED:
        raise NotPossible("This letter has gone already. Write another one")
    return letter


# ---- sending


def send(work: Work, programme: Programme, *, letter_id: UUID) -> CaseLetter:
    """Send a letter by e-mail, with its PDF. Raises what stands against it, or Incomplete without an address."""
    letter = _ready(work, letter_id, at=work.now)
    address = str((letter.to or {}).get("email") or "")
    if not letter.case.exercise and not address:
        raise Incomplete("There is no e-mail address. Add one, or post the letter", name="email")
    letter.way, letter.state, letter.evidence = Way.EMAIL, LetterState.QUEUED, None
    _keep_paper(work, programme, letter)
    if letter.case.exercise:
        _gone(work, letter, at=work.now, evidence="An exercise: nothing left the house")
    else:
        mail.queue(work, template=TEMPLATE, about=letter.id, to=None, step=f"{work.now:%Y%m%dT%H%M%S.%f}")
    return letter


def carried(
    work: Work, programme: Programme, *, letter_id: UUID, way: Way, at: datetime, evidence: str
) -> CaseLetter:
    """Record that somebody posted a letter or handed it over; `at` is an aware instant.

    Raises what stands against it, InFuture and OutOfOrder among it, or Incomplete without evidence.
    """
    letter = _ready(work, letter_id, at=at)
    if not evidence.strip():
        raise Incomplete("Enter what shows it", name="evidence")
    letter.way = way
    _keep_paper(work, programme, letter)
    _gone(work, letter, at=at, evidence=evidence.strip())
    return letter


def _ready(work: Work, letter_id: UUID, *, at: datetime) -> CaseLetter:
    letter = _locked(work, letter_id)
    story = acts.read(work.db, letter.case_id)
    if (refusal := kept.refusal(story, letter.kind)) is not None:
        raise refusal
    kept.require_ready(story, letter.kind)
    redaction = case_redaction.current(work.db, letter.case_id)
    if letter.kind is LetterKind.ANSWER and redaction is not None and redaction.state is Round.OPEN:
        raise NotPossible("A redaction of this case is open. Finish it first, or give it up")
    acts.require_possible(story, PURPOSES[letter.kind].event, at=at, now=work.now)
    return letter


def _keep_paper(work: Work, programme: Programme, letter: CaseLetter) -> None:
    """The PDF as it goes, sealed with the files of the case. Raises NotPossible where it cannot be set."""
    try:
        content = pdf(letter, programme, now=work.now)
    except PaperFailed as problem:
        raise NotPossible("The PDF of this letter cannot be made. Change its text") from problem
    row = desk_cases.attach(
        work,
        case_id=letter.case_id,
        file=Attachment(name=file_name(letter), media_type="application/pdf", content=content),
    )
    work.db.flush()
    letter.file_id = row.id


def pdf(letter: CaseLetter, programme: Programme, *, now: datetime) -> bytes:
    """The letter as PDF/UA. Raises PaperFailed."""
    on = london_date(letter.sent_at or now)
    return papers.render(letter_words.paper(letter, programme, on=on))


def file_name(letter: CaseLetter) -> str:
    """The name of its PDF; all of it ours."""
    return f"{letter.case.ref}-letter-{letter.number}.pdf"


def _gone(work: Work, letter: CaseLetter, *, at: datetime, evidence: str) -> None:
    """It went: an event of its case, so that the clock stops."""
    way = WAYS[letter.way or Way.EMAIL]
    purpose = PURPOSES[letter.kind]
    body = {
        "how": f"{way}, letter {letter.number}",
        "evidence": evidence,
        "letter": str(letter.id),
        "text": f"Letter {letter.number}, {KINDS[letter.kind].lower()}: {way.lower()}. {evidence}",
        **({purpose.word: letter.word or ""} if purpose.word is not None else {}),
    }
    try:
        event = acts.happen(work, case_id=letter.case_id, kind=purpose.event, at=at, body=body)
    except CaseRefused:
        # The case was closed, or went on, before its letter went: that it went is noted all the same.
        event = acts.happen(work, case_id=letter.case_id, kind=Event.NOTE, at=at, body=body)
    work.db.flush()
    letter.state, letter.sent_at, letter.event_id, letter.evidence = LetterState.SENT, at, event.id, evidence
    if letter.file_id is not None:
        work.db.get_one(CaseFile, letter.file_id).event_id = event.id


def went(work: Work, letter_id: UUID, *, evidence: str) -> None:
    """The mail server took the letter. Again changes nothing."""
    letter = load(work.db, letter_id)
    if letter is not None and letter.state is LetterState.QUEUED:
        _gone(work, letter, at=work.now, evidence=evidence)


def given_up(work: Work, letter_id: UUID, *, why: str) -> None:
    """The letter did not go: a note in its case says so, and it can be sent again or posted."""
    letter = load(work.db, letter_id)
    if letter is None or letter.state is not LetterState.QUEUED:
        return
    letter.state, letter.evidence = LetterState.FAILED, why
    said = f"Letter {letter.number} did not go. {why}. Send it again, or post it"
    acts.happen(work, case_id=letter.case_id, kind=Event.NOTE, body={"text": said, "letter": str(letter.id)})
