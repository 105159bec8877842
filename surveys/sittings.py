"""Where one person stands in a questionnaire: who is asked, what they have said so far, and their path."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from privacy.columns import keys_of, unseal_column
from privacy.statements import run
from surveys.models import SENT, Mode, Response, ResponseState, Wave
from surveys.questions import Question, Value
from surveys.routing import Path, Stop, first_unanswered, path
from surveys.versions import Published, corrected, current, pinned

ONCE = "once"
"""The occasion of a wave that is answered once."""


class UnknownPage(LookupError):
    """The form names a page that the questionnaire doesn't have."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who is asked what, and when: the key of a response, and the role whose wording is shown.

    A self-assessment tool has no wave of its own: its occasion is its code with a running number, `review-2`.
    """

    respondent_id: UUID
    wave: Wave
    occasion: str = ONCE
    role: str

    @property
    def code(self) -> str:
        """The code of the questionnaire that is asked."""
        return self.occasion.rpartition("-")[0] if self.wave is Wave.TOOL else self.wave.value


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A response read and opened. `answers` also holds what lies off the path; while the response is open for a
    correction they are those of the correction."""

    id: UUID
    ref: str
    version_id: UUID
    state: ResponseState
    mode: Mode
    revision: int
    saved_at: datetime
    submitted_at: datetime | None
    reopened_at: datetime | None = None
    answered_on: date | None = None
    answers: dict[str, Value | None] = field(repr=False)

    @property
    def sent(self) -> bool:
        """Whether it was sent and isn't open for a correction."""
        return self.state in SENT and self.reopened_at is None


@dataclass(frozen=True)
class Sitting:
    """A questionnaire as one person stands in it: the version they answer, and what they have said so far."""

    asking: Asking
    published: Published
    response: Opened | None

    @property
    def answers(self) -> dict[str, Value | None]:
        return self.response.answers if self.response else {}

    @cached_property
    def path(self) -> Path:
        return path(self.published.questionnaire, self.answers, role=self.asking.role)

    def as_if(self, answers: Mapping[str, Value | None]) -> "Sitting":
        """The same questionnaire with other answers, such as those sent before."""
        response = replace(self.response, answers=dict(answers)) if self.response else None
        return replace(self, response=response)

    @property
    def next_page(self) -> int | None:
        """The index of the first page that isn't done; None when all are."""
        return first_unanswered(self.path, self.answers)

    def mark(self, stop: Stop) -> str:
        """What a form of this page carries to say what it showed."""
        revision = self.response.revision if self.response else 0
        return f"{revision}-{_digest(self._stored(stop))}"

    def unchanged(self, stop: Stop, mark: str) -> bool:
        """Whether the page is as a form with this mark showed it, whatever else was saved since."""
        return mark.partition("-")[2] == _digest(self._stored(stop))

    def stop(self, code: str) -> tuple[Stop, bool]:
        """A page by its code, and whether it is on the path now. Raises UnknownPage."""
        for stop in self.path.pages:
            if stop.code == code:
                return stop, True
        for section in self.published.questionnaire.sections:
            for page in section.pages:
                if page.code == code:
                    shown = tuple(asked for asked in page.questions if asked.asked_of(self.asking.role))
                    return Stop(section.title, page.code, page.title, page.intro, shown), False
        raise UnknownPage(code)

    def _stored(self, stop: Stop) -> dict[str, Value | None]:
        return {key: self.answers[key] for key in keys_on(stop.questions) if key in self.answers}


def keys_on(questions: Iterable[Question]) -> list[str]:
    """The keys under which the answers to these questions are stored."""
    return [key for asked in questions if asked.asks for key in (asked.code, *asked.companion_keys())]


def _digest(answers: Mapping[str, Value | None]) -> str:
    return hashlib.sha256(json.dumps(answers, sort_keys=True).encode()).hexdigest()[:16]


# Made once: each page of a questionnaire asks it, and making a statement costs more than running it.
_STATEMENT = select(
    Response.id,
    Response.ref,
    Response.version_id,
    Response.state,
    Response.mode,
    Response.revision,
    Response.saved_at,
    Response.submitted_at,
    Response.reopened_at,
    Response.answered_on,
    Response.answers_sealed,
    Response.draft_sealed,
    corrected(Response.version_id).label("corrected"),
).where(
    Response.respondent_id == bindparam("respondent"),
    Response.wave == bindparam("wave"),
    Response.occasion == bindparam("occasion"),
)


def find(db: Session, asking: Asking, *, as_sent: bool = False) -> Opened | None:
    """The response of this asking, opened; None before the first save.

    `as_sent` opens what was sent last, whether or not a correction of it is being written.
    """
    found = _found(db, asking, as_sent=as_sent)
    return found[0] if found is not None else None


def _found(db: Session, asking: Asking, *, as_sent: bool = False) -> tuple[Opened, bool] | None:
    """The response, and whether wording of its version was corrected."""
    of_asking = {"respondent": asking.respondent_id, "wave": asking.wave, "occasion": asking.occasion}
    row = run(db, _STATEMENT, of_asking).one_or_none()
    if row is None:
        return None
    column, value = (
        (Response.answers_sealed, row.answers_sealed)
        if as_sent or row.reopened_at is None
        else (Response.draft_sealed, row.draft_sealed)
    )
    opened = Opened(
        id=row.id,
        ref=row.ref,
        version_id=row.version_id,
        state=row.state,
        mode=row.mode,
        revision=row.revision,
        saved_at=row.saved_at,
        submitted_at=row.submitted_at,
        reopened_at=row.reopened_at,
        answered_on=row.answered_on,
        answers=unseal_column(keys_of(db), column, value, row=row.id, holder=asking.respondent_id),
    )
    return opened, row.corrected


def sit(db: Session, asking: Asking) -> Sitting:
    """Where somebody stands: a draft finishes on the version it was started on, a new one gets the newest."""
    found = _found(db, asking)
    if found is None:
        return Sitting(asking, current(db, code=asking.code), None)
    response, is_corrected = found
    return Sitting(asking, pinned(db, version_id=response.version_id, corrected=is_corrected), response)


def read_back(db: Session, asking: Asking) -> Sitting | None:
    """What was sent last, in the words that stood then; None where nothing was sent."""
    response = find(db, asking, as_sent=True)
    if response is None or response.state not in SENT:
        return None
    published = pinned(db, version_id=response.version_id, at=response.submitted_at)
    return Sitting(asking, published, response)
