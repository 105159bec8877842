"""Tables: what is taken out of files before they are handed over, why, and who approved it (Article 15(4)).

A redaction is one round over some files of a case: its marks hold in all of them. It is made by one person and
settled by another; one that is sent back is followed by the next round, so that nothing is lost.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.cases.tables import CaseFile
from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference


class Round(StrEnum):
    """Where a round stands. OPEN: marks are being settled. MADE: copies wait for a second person."""

    OPEN = "open"
    MADE = "made"
    APPROVED = "approved"
    SENT_BACK = "sent_back"


class MarkKind(StrEnum):
    """What a mark is, which decides in which spellings it is looked for."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    WORDS = "words"


class Ground(StrEnum):
    """Why something is taken out. The first: it tells about somebody else, who has not agreed and need not be
    told (Data Protection Act 2018, schedule 2, paragraph 16)."""

    OTHER_PERSON = "other_person"
    CONFIDENCE = "confidence"
    LEGAL_ADVICE = "legal_advice"
    OFFENCE = "offence"
    OTHER = "other"


class Redaction(Record):
    """One round. `made_by` put the copies together, `settled_by` approved them or sent them back."""

    __tablename__ = "casefile_redaction"
    __table_args__ = (UniqueConstraint("case_id", "number"),)
    __holding__ = Holding(
        "to keep other people's data out of what is handed over, and show how (Article 15(4))",
        Keep.CONTRACT,
        subject="case_id",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(info=plain("which round of the case"))
    state: Mapped[Round] = mapped_column(Word(Round), info=plain())
    begun_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who began it"))
    made_at: Mapped[datetime | None] = mapped_column(info=plain())
    made_by: Mapped[str | None] = mapped_column(String(80), info=reference("who put the copies together"))
    settled_at: Mapped[datetime | None] = mapped_column(info=plain())
    settled_by: Mapped[str | None] = mapped_column(String(80), info=reference("who approved it, or not"))

    files: Mapped[list["RedactedFile"]] = relationship(
        back_populates="redaction", order_by="RedactedFile.number"
    )
    marks: Mapped[list["RedactionMark"]] = relationship(
        back_populates="redaction", order_by="RedactionMark.number"
    )


class RedactedFile(Record):
    """A file of a round: what it is made from, and the copy; both stay, sealed. Without a copy it is withheld."""

    __tablename__ = "casefile_redacted_file"
    __holding__ = Holding(
        "to keep both what was held and what was handed over (Article 15(4))",
        Keep.CONTRACT,
        subject="case_id",
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    redaction_id: Mapped[UUID] = mapped_column(ForeignKey("casefile_redaction.id"), index=True, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(info=plain("its place in the round"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("casefile_file.id"), info=plain())
    copy_id: Mapped[UUID | None] = mapped_column(ForeignKey("casefile_file.id"), info=plain())
    withheld: Mapped[bool] = mapped_column(
        default=False, info=plain("it cannot be redacted here", holds="Whether the file is withheld")
    )
    why_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Why the file is withheld", at_least=256)
    why = SealedText("why_sealed")

    redaction: Mapped[Redaction] = relationship(back_populates="files")
    source: Mapped[CaseFile] = relationship(foreign_keys=[source_id])
    copy: Mapped[CaseFile | None] = relationship(foreign_keys=[copy_id])


class RedactionMark(Record):
    """Something that is taken out wherever it stands, or was proposed and left in. `inside`: also within longer words.

    Its text is about others: it comes with nobody's export.
    """

    __tablename__ = "casefile_redaction_mark"
    __holding__ = Holding(
        "to say what was taken out of a file, and why (Article 15(4))", Keep.CONTRACT, subject="case_id"
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    redaction_id: Mapped[UUID] = mapped_column(ForeignKey("casefile_redaction.id"), index=True, info=plain())
    case_id: Mapped[UUID] = mapped_column(ForeignKey("casefile.id"), index=True, info=plain())
    number: Mapped[int] = mapped_column(info=plain("its place in the list"))
    kind: Mapped[MarkKind] = mapped_column(Word(MarkKind), info=plain())
    ground: Mapped[Ground] = mapped_column(Word(Ground), info=plain())
    inside: Mapped[bool] = mapped_column(default=False, info=plain("also within longer words"))
    proposed: Mapped[bool] = mapped_column(default=False, info=plain("the product found it"))
    taken_out: Mapped[bool] = mapped_column(default=True, info=plain())
    added_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who added it"))
    text_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What was taken out of a copy", at_least=256, others=True
    )
    who_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Whom the passage that was taken out names", at_least=256, others=True
    )
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Why it was taken out of a copy", at_least=256, others=True
    )
    text = SealedText("text_sealed")
    who = SealedText("who_sealed")
    reason = SealedText("reason_sealed")

    redaction: Mapped[Redaction] = relationship(back_populates="marks")
