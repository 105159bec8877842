"""Results: responses opened in bulk, every revision that was sent; nothing of it is stored.

What was sent, reopened and sent again has several revisions. Each stands with its own moment, so that a figure of
an earlier day, or of an open window, takes what had been said by then. What was withdrawn is never read.

Rows are read without their objects and all keys at once, so that the time goes into opening alone. Somebody
whose key was destroyed has no answers any more and is left out; whose data is restricted too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from privacy.clock import start_of_day
from privacy.columns import keys_of, unseal_column
from privacy.errors import HolderErased
from surveys.models import Mode, Respondent, Response, ResponsePast, ResponseState, Wave
from surveys.questions import Question, Value, display
from surveys.restriction import usable
from surveys.routing import path
from surveys.versions import Published, compiled

HAS_EXAMPLE = "impact_have"
EXAMPLE_SECTION = "impact"


class Verdict(StrEnum):
    """What a reviewer says of an example of impact. Only ACCEPTED counts as demonstrated impact (sch 4 KPIs)."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    NOT_YET = "not_yet"


def gives_example(answers: Mapping[str, Value | None]) -> bool:
    """Whether these answers hold an example of impact, which then waits for a verdict."""
    return answers.get(HAS_EXAMPLE) == "yes"


class Row(NamedTuple):
    """A revision that was sent, as the database has it. `row_id` is that of the row which holds the answers:
    the response's own, or its past's."""

    row_id: UUID
    id: UUID
    ref: str
    respondent_id: UUID
    audience: str
    wave: Wave
    occasion: str
    version_id: UUID
    mode: Mode
    answered_on: date | None
    submitted_at: datetime
    answers_sealed: bytes
    judgement_sealed: bytes | None

    @property
    def said_at(self) -> datetime:
        """When it was said, to hold against a window: paper was filled in before somebody typed it in."""
        return self.submitted_at if self.answered_on is None else start_of_day(self.answered_on)


@dataclass(frozen=True)
class Read:
    """A revision that was sent, opened: the answers that count, the codes of what was asked, the judgement on its
    example, and by question the themes of what was written."""

    row: Row
    published: Published
    answers: Mapping[str, Value]
    asked: frozenset[str]
    judgement: Sequence[Mapping[str, Any]]
    themes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def has_example(self) -> bool:
        return gives_example(self.answers)

    def score(self, measure: str) -> int | float | None:
        """The score on a measure; None without a scored answer."""
        measured = self.published.questionnaire.measured()
        question = next((question for name, _, question in measured if name == measure), None)
        return question.score(self.answers.get(question.code)) if question else None

    def verdict(self, *, until: datetime) -> Verdict | None:
        """The newest verdict given before an instant."""
        given = [one for one in self.judgement if datetime.fromisoformat(one["at"]) < until]
        return Verdict(given[-1]["verdict"]) if given else None

    def example(self) -> list[tuple[Question, list[str]]]:
        """The example of impact: its questions, each with the answer in words; none without one."""
        if not self.has_example:
            return []
        # Answers that count give the same path as all answers: what lies off it decides nothing.
        stops = path(self.published.questionnaire, self.answers, role=self.row.audience).pages
        pages = {
            page.code
            for section in self.published.questionnaire.sections
            if section.code == EXAMPLE_SECTION
            for page in section.pages
        }
        return [
            (question, display(question, self.answers))
            for stop in stops
            if stop.code in pages
            for question in stop.questions
            if question.asks and question.code != HAS_EXAMPLE and question.code in self.answers
        ]


def read(db: Session, *, waves: Iterable[Wave]) -> list[Read]:
    """All submitted responses of these waves, opened: one query, and one for each 2,000 keys."""
    asked = _submitted().where(Response.wave.in_(list(waves))).order_by(Response.submitted_at)
    return _open(db, [Row(*row) for row in db.execute(asked)])


def revisions(db: Session, *, waves: Iterable[Wave], until: datetime) -> list[Read]:
    """Every revision of these waves that was sent before an instant, oldest first: two queries, and keys."""
    listed = list(waves)
    now = _submitted().where(Response.wave.in_(listed), Response.submitted_at < until)
    past = _past().where(Response.wave.in_(listed), ResponsePast.submitted_at < until)
    rows = [Row(*row) for asked in (now, past) for row in db.execute(asked)]
    return _open(db, sorted(rows, key=lambda row: row.submitted_at))


def read_one(db: Session, *, response_id: UUID) -> Read | None:
    """One submitted response, opened; None if there is none, or its key was destroyed."""
    return next(
        iter(_open(db, [Row(*row) for row in db.execute(_submitted().where(Response.id == response_id))])),
        None,
    )


def _submitted() -> Any:
    return (
        _columns(Response)
        .join(Respondent, Respondent.id == Response.respondent_id)
        .where(Response.state == ResponseState.SUBMITTED, usable())
    )


def _past() -> Any:
    return (
        _columns(ResponsePast)
        .join(Response, Response.id == ResponsePast.response_id)
        .join(Respondent, Respondent.id == Response.respondent_id)
        .where(Response.state == ResponseState.SUBMITTED, usable())
    )


def _columns(held: type[Response] | type[ResponsePast]) -> Any:
    return select(
        held.id,
        Response.id,
        Response.ref,
        Response.respondent_id,
        Respondent.audience,
        Response.wave,
        Response.occasion,
        Response.version_id,
        Response.mode,
        held.answered_on,
        held.submitted_at,
        held.answers_sealed,
        held.judgement_sealed,
    )


def _open(db: Session, rows: list[Row]) -> list[Read]:
    keys_of(db).fetch(row.respondent_id for row in rows)
    published = compiled(db, {row.version_id for row in rows})
    opened = []
    for row in rows:
        try:
            holds = Response if row.row_id == row.id else ResponsePast
            answers = _unsealed(db, holds.answers_sealed, row.answers_sealed, row.row_id, row)
            judgement = _unsealed(db, holds.judgement_sealed, row.judgement_sealed, row.row_id, row)
        except HolderErased:
            continue
        version = published[row.version_id].as_of(row.submitted_at)
        way = path(version.questionnaire, answers, role=row.audience)
        asked = frozenset(question.code for stop in way.pages for question in stop.questions if question.asks)
        judged = judgement or {}
        verdicts, themes = judged.get("verdicts", []), judged.get("themes", {})
        opened.append(Read(row, version, way.counting, asked, verdicts, themes))
    return opened


def _unsealed(
    db: Session, attribute: InstrumentedAttribute[Any], value: bytes | None, row_id: UUID, row: Row
) -> Any:
    if value is None:
        return None
    return unseal_column(keys_of(db), attribute, value, row=row_id, holder=row.respondent_id)
