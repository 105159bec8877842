"""Tables of the middle: who was asked what, when, and whether they answered, in clear; what they said, sealed."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedJson, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference

ANSWERS_AT_LEAST = 1024


class Wave(StrEnum):
    """An occasion on which a questionnaire is answered (sch 4 KPIs and SLAs)."""

    BASELINE = "baseline"
    POST = "post"
    FEEDBACK = "feedback"


class ResponseState(StrEnum):
    """DRAFT: some pages are saved. SUBMITTED: sent once, and counted."""

    DRAFT = "draft"
    SUBMITTED = "submitted"


class Mode(StrEnum):
    """How the answers came in."""

    SELF = "self"
    INTERVIEW = "interview"


class Version(Record):
    """A published questionnaire: never changed afterwards. `body` is its canonical JSON, `hash` its SHA-256."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("code", "number"),)
    __holding__ = Holding("to show what was asked, word for word", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    code: Mapped[str] = mapped_column(String(60), info=plain())
    number: Mapped[int] = mapped_column(info=plain())
    hash: Mapped[str] = mapped_column(String(64), info=plain())
    body: Mapped[str] = mapped_column(Text, info=plain())
    published_at: Mapped[datetime] = mapped_column(info=plain())


class Respondent(Record):
    """Somebody who is asked. The middle knows nothing else of them; the roof knows who stands behind."""

    __tablename__ = "respondent"
    __holding__ = Holding(
        "to ask and count without knowing who it is", Keep.CONTRACT, root="respondent", erase=Erase.KEEP
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    audience: Mapped[str] = mapped_column(String(30), info=plain("the role whose wording they are shown"))


class Response(Record):
    """One respondent's answers on one occasion. `ref` is what people see. `revision` is random and
    new at each save: a count would tell how many pages somebody had to answer, and so what they said.

    `occasion` is `once`, or the id of the session that feedback is about.
    `answers` is `{question code: value}`, kept whole: also what lies off the path for now.
    `judgement` is `{verdicts: [{verdict, note, by, at}, ...]}`, newest last.
    """

    __tablename__ = "response"
    __table_args__ = (UniqueConstraint("respondent_id", "wave", "occasion"),)
    __holding__ = Holding(
        "to learn whether support makes leaders more confident and has an effect (sch 4 KPIs)",
        Keep.CONTRACT,
        subject="respondent_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    ref: Mapped[str] = mapped_column(String(12), unique=True, info=reference("what the respondent can quote"))
    respondent_id: Mapped[UUID] = mapped_column(ForeignKey("respondent.id"), index=True, info=reference())
    version_id: Mapped[UUID] = mapped_column(ForeignKey("version.id"), info=plain())
    wave: Mapped[Wave] = mapped_column(Word(Wave), info=plain())
    occasion: Mapped[str] = mapped_column(String(40), info=reference())
    state: Mapped[ResponseState] = mapped_column(Word(ResponseState), info=plain())
    mode: Mapped[Mode] = mapped_column(Word(Mode), info=plain())
    revision: Mapped[int] = mapped_column(BigInteger, info=plain("random, new at each save"))
    started_at: Mapped[datetime] = mapped_column(info=plain())
    saved_at: Mapped[datetime] = mapped_column(info=plain())
    submitted_at: Mapped[datetime | None] = mapped_column(info=plain())
    answers_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", purpose="what they said, scores included", at_least=ANSWERS_AT_LEAST
    )
    judgement_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", purpose="verdicts on the example of impact", at_least=ANSWERS_AT_LEAST
    )
    answers = SealedJson("answers_sealed")
    judgement = SealedJson("judgement_sealed")

    respondent: Mapped[Respondent] = relationship()
    version: Mapped[Version] = relationship()


class ResponsePast(Record):
    """What a response said before a correction after it was sent; it stands beside the newer one."""

    __tablename__ = "response_past"
    __table_args__ = (UniqueConstraint("response_id", "revision"),)
    __holding__ = Holding(
        "to trace corrections of answers that were sent",
        Keep.CONTRACT,
        subject="response_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    response_id: Mapped[UUID] = mapped_column(ForeignKey("response.id"), info=reference())
    respondent_id: Mapped[UUID] = mapped_column(ForeignKey("respondent.id"), info=reference())
    revision: Mapped[int] = mapped_column(BigInteger, info=plain())
    submitted_at: Mapped[datetime] = mapped_column(info=plain())
    answers_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", purpose="what they said", at_least=ANSWERS_AT_LEAST
    )
    answers = SealedJson("answers_sealed")
