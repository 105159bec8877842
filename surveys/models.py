"""Tables of the middle: who was asked what, when, and whether they answered, in clear; what they said, sealed."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference

ANSWERS_AT_LEAST = 1024
FIGURES_AT_LEAST = 16384
"""More than figures take: their length says nothing of them."""


class Wave(StrEnum):
    """An occasion on which a questionnaire is answered (sch 4 KPIs and SLAs). TOOL: none of the programme's;
    somebody answers a self-assessment tool for themselves (sch 5 Tools)."""

    BASELINE = "baseline"
    INTERIM = "interim"
    POST = "post"
    FEEDBACK = "feedback"
    TOOL = "tool"


class ResponseState(StrEnum):
    """DRAFT: some pages are saved. SUBMITTED: sent once, and counted. WITHDRAWN: sent, and taken back by the
    respondent: in no figure from then on."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


SENT = frozenset({ResponseState.SUBMITTED, ResponseState.WITHDRAWN})
"""Whoever stands there has answered and is not asked again; only SUBMITTED counts in figures."""


class Mode(StrEnum):
    """How the answers came in. PAPER: typed in from paper or from answers given before, by the team."""

    SELF = "self"
    INTERVIEW = "interview"
    PAPER = "paper"


class Version(Record):
    """A published questionnaire: never changed afterwards. `body` is its canonical JSON, `hash` its SHA-256."""

    __tablename__ = "version"
    __table_args__ = (UniqueConstraint("code", "number"),)
    __holding__ = Holding("to show what was asked, word for word", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    code: Mapped[str] = mapped_column(String(60), info=plain(holds="Which questionnaire"))
    number: Mapped[int] = mapped_column(info=plain(holds="Version"))
    hash: Mapped[str] = mapped_column(String(64), info=plain())
    body: Mapped[str] = mapped_column(Text, info=plain())
    published_at: Mapped[datetime] = mapped_column(info=plain())


class Correction(Record):
    """A change of words in a published version that leaves its meaning as it was; the version's own body keeps
    the words from before. `number` counts those of one version from 1.

    `body` is `{key: [before, after]}` as JSON, with the keys of surveys/wordings.py.
    """

    __tablename__ = "correction"
    __table_args__ = (UniqueConstraint("version_id", "number"),)
    __holding__ = Holding("to show in which words something was asked, and why they changed", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    version_id: Mapped[UUID] = mapped_column(ForeignKey("version.id"), info=plain())
    number: Mapped[int] = mapped_column(info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who corrected it"))
    body: Mapped[str] = mapped_column(Text, info=plain())
    # Typed by people, so nobody knows what is in it; a questionnaire's words in `body` are read by everybody.
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="version_id", holds="Why the words of a question were changed"
    )
    reason = SealedText("reason_sealed")


class Respondent(Record):
    """Somebody who is asked. The middle knows nothing else of them; the roof knows who stands behind."""

    __tablename__ = "respondent"
    __holding__ = Holding(
        "to ask and count without knowing who it is", Keep.CONTRACT, root="respondent", erase=Erase.KEEP
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    audience: Mapped[str] = mapped_column(String(30), info=plain(holds="Role whose wording is shown"))
    restricted_at: Mapped[datetime | None] = mapped_column(
        info=plain(
            "from then on their answers are kept and not used (Article 18)", holds="Kept and not used since"
        )
    )


class Response(Record):
    """One respondent's answers on one occasion. `ref` is what people see. `revision` is random and
    new at each save: a count would tell how many pages somebody had to answer, and so what they said.

    `occasion` is `once`, the id of the session that feedback is about, `month-6` of an interim wave, or a tool's
    code with a running number.
    `answers` is `{question code: value}`, kept whole: also what lies off the path for now. Once it was sent it
    is what counts; while it is open for a correction (`reopened_at`), what is being written is `draft`.
    `judgement` is `{verdicts: [{verdict, note, by, at}, ...], themes: {question: {codes, ...}}}`, newest last; the
    themes are those of surveys/themes.py.
    `answered_on` and `source` say when and where answers that were typed in later were given.
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
    wave: Mapped[Wave] = mapped_column(Word(Wave), info=plain(holds="Which questionnaire"))
    occasion: Mapped[str] = mapped_column(String(60), info=reference())
    state: Mapped[ResponseState] = mapped_column(Word(ResponseState), info=plain())
    mode: Mapped[Mode] = mapped_column(Word(Mode), info=plain(holds="How it was answered"))
    revision: Mapped[int] = mapped_column(
        BigInteger, info=plain("random, new at each save", holds="Mark of the last save")
    )
    started_at: Mapped[datetime] = mapped_column(info=plain())
    saved_at: Mapped[datetime] = mapped_column(info=plain())
    submitted_at: Mapped[datetime | None] = mapped_column(info=plain())
    reopened_at: Mapped[datetime | None] = mapped_column(info=plain("open for a correction since then"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(info=plain())
    answered_on: Mapped[date | None] = mapped_column(info=plain("when paper or earlier answers were given"))
    answers_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", holds="Answers to the questionnaire", at_least=ANSWERS_AT_LEAST
    )
    draft_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", holds="Correction of answers that is not sent yet", at_least=ANSWERS_AT_LEAST
    )
    source_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", holds="Where answers that were typed in come from", at_least=256
    )
    judgement_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", holds="Verdicts on the example of impact", at_least=ANSWERS_AT_LEAST
    )
    answers = SealedJson("answers_sealed")
    draft = SealedJson("draft_sealed")
    source = SealedText("source_sealed")
    judgement = SealedJson("judgement_sealed")

    respondent: Mapped[Respondent] = relationship()
    version: Mapped[Version] = relationship()


class ResponsePast(Record):
    """What a response said before a correction after it was sent, with the judgement on it; it stands beside the
    newer one, which is the one that counts."""

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
    revision: Mapped[int] = mapped_column(BigInteger, info=plain(holds="Mark of that save"))
    submitted_at: Mapped[datetime] = mapped_column(info=plain())
    answered_on: Mapped[date | None] = mapped_column(info=plain("when paper or earlier answers were given"))
    answers_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id", holds="Answers before they were changed", at_least=ANSWERS_AT_LEAST
    )
    judgement_sealed: Mapped[bytes | None] = sealed(
        holder="respondent_id",
        holds="Verdicts on the example before it was changed",
        at_least=ANSWERS_AT_LEAST,
    )
    answers = SealedJson("answers_sealed")
    judgement = SealedJson("judgement_sealed")


class Codebook(Record):
    """A version of the codebook that texts are sorted by; never changed. `number` counts from 1. `body` is a list of
    themes as JSON (surveys/themes.py): people type it, so it is sealed."""

    __tablename__ = "codebook"
    __holding__ = Holding("to sort what people wrote, and show by what it was sorted", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    number: Mapped[int] = mapped_column(unique=True, info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who changed it"))
    body_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Themes and their definitions", at_least=ANSWERS_AT_LEAST
    )
    body = SealedText("body_sealed")


class Release(Record):
    """What left the team, frozen: `body` is protected tables and figures as canonical JSON, `hash` its SHA-256.

    `kind` is monthly, quarterly or annual, `period` as it is written (`2022-Q4`). Nobody can be found from it, so it
    outlives every erasure. An annual review is passed on only once `approved_letter` is there (sch 4 Publicity).
    """

    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("kind", "period"),)
    __holding__ = Holding("to show what the Department was told, and make it again", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    kind: Mapped[str] = mapped_column(String(20), info=plain())
    period: Mapped[str] = mapped_column(String(10), info=plain())
    as_of: Mapped[date] = mapped_column(info=plain())
    made_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who released it"))
    hash: Mapped[str] = mapped_column(String(64), info=plain())
    approved_on: Mapped[date | None] = mapped_column(info=plain("the day of the approval"))
    approved_letter: Mapped[str | None] = mapped_column(String(30), info=plain("the letter that approves it"))
    approved_by: Mapped[str | None] = mapped_column(String(80), info=reference("who recorded the approval"))
    body_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Released figures, protected", at_least=ANSWERS_AT_LEAST
    )
    body = SealedText("body_sealed")


class Figure(Record):
    """Figures that were counted and are kept to be looked at; one row for each kind, counted anew each night.

    `body` is plain data as canonical JSON with its own digest in it. The digest is sealed too: it would tell the few
    small numbers that it is made from to whoever tries them out.
    """

    __tablename__ = "figure"
    __holding__ = Holding("to look at figures without counting them each time", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    kind: Mapped[str] = mapped_column(String(20), unique=True, info=plain())
    as_of: Mapped[date] = mapped_column(info=plain("the day at whose end, or until when, it is counted"))
    made_at: Mapped[datetime] = mapped_column(info=plain())
    body_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Figures, small numbers included", at_least=FIGURES_AT_LEAST
    )
    body = SealedText("body_sealed")
