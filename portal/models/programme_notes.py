"""Tables: the risks and lessons of the programme, which its reports carry on until they are closed (sch 5)."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class ProgrammeNoteKind(StrEnum):
    """What the team notes for its reports."""

    RISK = "risk"
    LESSON = "lesson"


class ProgrammeNote(Record):
    """A risk or a lesson, until it is closed with what came of it. It names nobody; sealed all the same."""

    __tablename__ = "programme_note"
    __holding__ = Holding("to report risks and lessons to the Department (sch 4, sch 5)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    kind: Mapped[ProgrammeNoteKind] = mapped_column(Word(ProgrammeNoteKind), info=plain())
    noted_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who noted it"))
    closed_on: Mapped[date | None] = mapped_column(info=plain())
    closed_by: Mapped[str | None] = mapped_column(String(80), info=reference("who closed it"))
    text_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Risk, or what was learned", at_least=256)
    outcome_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What came of the risk or the lesson", at_least=256
    )
    text = SealedText("text_sealed")
    outcome = SealedText("outcome_sealed")
