"""Results: responses opened in bulk and compared, person by person; nothing of it is stored.

Rows are read without their objects and all keys at once, so that the time goes into opening alone. Somebody
whose key was destroyed has no answers any more and is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from privacy.columns import keys_of, unseal_column
from privacy.errors import HolderErased
from surveys.measures import ROLE_CONFIDENCE
from surveys.models import Respondent, Response, ResponseState, Wave
from surveys.questions import Question, Value, display
from surveys.routing import path
from surveys.versions import Published, compiled

CHANGE = "confidence_change"
"""The post questionnaire's direct question, with the options that mean more confident."""
MORE = frozenset({"much_more", "little_more"})
HAS_EXAMPLE = "impact_have"
EXAMPLE_SECTION = "impact"


class Verdict(StrEnum):
    """What a reviewer says of an example of impact. Only ACCEPTED counts as demonstrated impact (sch 4 KPIs)."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    NOT_YET = "not_yet"


class Row(NamedTuple):
    """A submitted response as the database has it."""

    id: UUID
    ref: str
    respondent_id: UUID
    audience: str
    wave: Wave
    version_id: UUID
    submitted_at: datetime
    answers_sealed: bytes
    judgement_sealed: bytes | None


@dataclass(frozen=True)
class Read:
    """A submitted response, opened: the answers that count, and the judgement on its example."""

    row: Row
    published: Published
    answers: Mapping[str, Value]
    judgement: Sequence[Mapping[str, Any]]

    @property
    def has_example(self) -> bool:
        return self.answers.get(HAS_EXAMPLE) == "yes"

    def score(self, measure: str) -> int | float | None:
        """The score on a measure; None without a scored answer."""
        question = self._carrying(measure)
        return question.score(self.answers.get(question.code)) if question else None

    def at_top(self, measure: str) -> bool:
        """Whether the score is the highest there is, so that no rise can follow."""
        question = self._carrying(measure)
        scored = (
            [option.score for option in question.listed() if option.score is not None] if question else []
        )
        return bool(scored) and self.score(measure) == max(scored)

    def _carrying(self, measure: str) -> Question | None:
        measured = self.published.questionnaire.measured()
        return next((question for name, _, question in measured if name == measure), None)

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


def read(db: Session, *, waves: Iterable[Wave], until: datetime | None = None) -> list[Read]:
    """All submitted responses of these waves, opened: one query, and one for each 500 keys.

    With `until`, those submitted before that instant.
    """
    asked = _submitted().where(Response.wave.in_(list(waves))).order_by(Response.submitted_at)
    if until is not None:
        asked = asked.where(Response.submitted_at < until)
    return _open(db, [Row(*row) for row in db.execute(asked)])


def read_one(db: Session, *, response_id: UUID) -> Read | None:
    """One submitted response, opened; None if there is none, or its key was destroyed."""
    return next(
        iter(_open(db, [Row(*row) for row in db.execute(_submitted().where(Response.id == response_id))])),
        None,
    )


def _submitted() -> Any:
    return (
        select(
            Response.id,
            Response.ref,
            Response.respondent_id,
            Respondent.audience,
            Response.wave,
            Response.version_id,
            Response.submitted_at,
            Response.answers_sealed,
            Response.judgement_sealed,
        )
        .join(Respondent, Respondent.id == Response.respondent_id)
        .where(Response.state == ResponseState.SUBMITTED)
    )


def _open(db: Session, rows: list[Row]) -> list[Read]:
    keys_of(db).fetch(row.respondent_id for row in rows)
    published = compiled(db, {row.version_id for row in rows})
    opened = []
    for row in rows:
        try:
            answers = _unsealed(db, Response.answers_sealed, row.answers_sealed, row)
            judgement = _unsealed(db, Response.judgement_sealed, row.judgement_sealed, row)
        except HolderErased:
            continue
        version = published[row.version_id]
        counting = path(version.questionnaire, answers, role=row.audience).counting
        opened.append(Read(row, version, counting, (judgement or {}).get("verdicts", [])))
    return opened


def _unsealed(db: Session, attribute: InstrumentedAttribute[Any], value: bytes | None, row: Row) -> Any:
    if value is None:
        return None
    return unseal_column(keys_of(db), attribute, value, row=row.id, holder=row.respondent_id)


@dataclass(frozen=True)
class Pair:
    """What one respondent said before and after, as far as the KPIs ask; no wave of it need be there.

    `before` and `after` are the scores on confidence in the role.
    """

    before: float | None
    after: float | None
    at_top_before: bool
    answered_at: datetime | None
    says_more: bool
    example: bool
    verdict: Verdict | None

    @property
    def matched(self) -> bool:
        """Both scores are known, so there is something to compare."""
        return self.before is not None and self.after is not None

    @property
    def confident(self) -> bool:
        """More confident: a matched rise on the role-confidence measure."""
        return self.before is not None and self.after is not None and self.after > self.before

    @property
    def impact(self) -> bool:
        """Demonstrated: an example that a reviewer accepted; a tick alone is none."""
        return self.example and self.verdict is Verdict.ACCEPTED


def pairs(db: Session, *, until: datetime) -> dict[UUID, Pair]:
    """Baseline and post of every respondent who sent one of them before an instant; verdicts as they stood."""
    waves: dict[UUID, dict[Wave, Read]] = {}
    for found in read(db, waves=(Wave.BASELINE, Wave.POST), until=until):
        waves.setdefault(found.row.respondent_id, {})[found.row.wave] = found
    return {
        respondent: _pair(read_waves.get(Wave.BASELINE), read_waves.get(Wave.POST), until=until)
        for respondent, read_waves in waves.items()
    }


def _pair(baseline: Read | None, post: Read | None, *, until: datetime) -> Pair:
    return Pair(
        before=baseline.score(ROLE_CONFIDENCE) if baseline else None,
        after=post.score(ROLE_CONFIDENCE) if post else None,
        at_top_before=baseline is not None and baseline.at_top(ROLE_CONFIDENCE),
        answered_at=post.row.submitted_at if post else None,
        says_more=post is not None and post.answers.get(CHANGE) in MORE,
        example=post is not None and post.has_example,
        verdict=post.verdict(until=until) if post else None,
    )
