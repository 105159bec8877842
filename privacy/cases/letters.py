"""Tables and rules of the letters of a case: acknowledge, extend, ask to clarify, refuse, answer.

A letter is a draft until it goes. That it went is an event of the case, written when the mail server took it, or with
the day on which it was posted or handed over; so a clock stops by what happened and not by what was meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid, func, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm import Session as DbSession

from privacy.cases.rules import RULES, CaseRefused, NotPossible
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseKind, Event, Way
from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class LetterKind(StrEnum):
    """What a letter is for."""

    ACKNOWLEDGE = "acknowledge"
    EXTEND = "extend"
    CLARIFY = "clarify"
    REFUSE = "refuse"
    ANSWER = "answer"


@dataclass(frozen=True)
class Purpose:
    """The event that a letter is, and the word of that event which its writer has to give; None: it follows from how
    the letter goes."""

    event: Event
    word: str | None = None


PURPOSES: Mapping[LetterKind, Purpose] = {
    LetterKind.ACKNOWLEDGE: Purpose(Event.ACKNOWLEDGED),
    LetterKind.EXTEND: Purpose(Event.EXTENDED, "reason"),
    LetterKind.CLARIFY: Purpose(Event.CLARIFICATION_ASKED, "question"),
    LetterKind.REFUSE: Purpose(Event.REFUSED, "reason"),
    LetterKind.ANSWER: Purpose(Event.ANSWERED),
}


class LetterState(StrEnum):
    """QUEUED: a mail waits to be sent. FAILED: it was refused or given up, so that the letter has not gone."""

    DRAFT = "draft"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class CaseLetter(Record):
    """A letter to whoever asks. `template_id` is the version of the template it began with; None: the shipped one.

    `to` is `{"name": ..., "email": ..., "lines": [...]}`. `file_id` is its PDF, sealed with the files of the case.
    """

    __tablename__ = "casefile_letter"
    __table_args__ = (UniqueConstraint("case_id", "number"),)
    __holding__ = Holding(
        "to answer requests, and show what was said and when (Article 12)", Keep.CONTRACT, subject="case_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(info=plain("its place among the letters of the case"))
    kind: Mapped[LetterKind] = mapped_column(Word(LetterKind), info=plain())
    state: Mapped[LetterState] = mapped_column(Word(LetterState), info=plain())
    template_id: Mapped[UUID | None] = mapped_column(ForeignKey("register_entry.id"), info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who wrote it"))
    way: Mapped[Way | None] = mapped_column(Word(Way), info=plain())
    sent_at: Mapped[datetime | None] = mapped_column(info=plain())
    event_id: Mapped[UUID | None] = mapped_column(ForeignKey("casefile_event.id"), info=plain())
    file_id: Mapped[UUID | None] = mapped_column(ForeignKey("casefile_file.id"), info=plain())
    title_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Heading of the letter", at_least=256)
    text_sealed: Mapped[bytes | None] = sealed(holder="id", holds="What the letter says", at_least=1024)
    word_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Reason or question in the letter", at_least=256
    )
    to_sealed: Mapped[bytes | None] = sealed(holder="id", holds="To whom the letter goes", at_least=256)
    evidence_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What shows that the letter went, or why it did not", at_least=256
    )
    title = SealedText("title_sealed")
    text = SealedText("text_sealed")
    word = SealedText("word_sealed")
    to = SealedJson("to_sealed")
    evidence = SealedText("evidence_sealed")

    case: Mapped[Case] = relationship()


def refusal(story: Story, kind: LetterKind) -> CaseRefused | None:
    """Why a letter cannot even be drafted; None if it can. Whether it can go is asked when it goes.

    In a freedom-of-information case there is none without the Department's recorded authority (cl 13.4).
    """
    event = PURPOSES[kind].event
    if story.case.kind is CaseKind.FOI and not story.of(Event.REPLY_AUTHORISED):
        return NotPossible(
            "The Department answers. We write nothing before it has authorised a reply (clause 13.4)"
        )
    if story.case.kind not in RULES[event].kinds:
        return NotPossible("This kind of case has no such letter")
    if story.closed is not None:
        return NotPossible("This case is closed. Open it again first")
    if RULES[event].once and story.first(event) is not None:
        return NotPossible(f"That has happened already: {RULES[event].label}")
    return None


def require_ready(story: Story, kind: LetterKind) -> None:
    """An answer waits for what is taken out of its enclosures to be approved. Raises NotPossible."""
    if kind is not LetterKind.ANSWER:
        return
    if story.unanswered(Event.REDACTED):
        raise NotPossible("First a second person approves what was taken out")
    given = story.case.kind is CaseKind.ACCESS and any(
        (event.body or {}).get("file") for event in story.of(Event.PACKAGE_MADE)
    )
    if given and story.first(Event.REDACTION_APPROVED) is None:
        raise NotPossible(
            "First other people's data is taken out of what is handed over, and a second person approves"
        )


def of_case(db: DbSession, case_id: UUID) -> Sequence[CaseLetter]:
    """The letters of a case, oldest first."""
    return db.scalars(
        select(CaseLetter).where(CaseLetter.case_id == case_id).order_by(CaseLetter.number)
    ).all()


def next_number(db: DbSession, case_id: UUID) -> int:
    return 1 + (db.scalar(select(func.max(CaseLetter.number)).where(CaseLetter.case_id == case_id)) or 0)
