"""Responses: started by the first save, saved page by page, sent once.

The state is one of two: DRAFT -> SUBMITTED, by one conditional update. A draft is the row of one respondent,
wave and occasion; that key, not a cookie, says which one a form belongs to. What a person may see or must
answer is computed by routing each time; answers off the path stay in the draft and come back with it.

A form carries a mark of what it showed: the revision, and a digest of its page's answers. A save that meets
another revision goes on where the page itself is as the form showed it, and raises Stale where it is not.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.columns import keys_of, seal
from privacy.records import new_id
from privacy.references import new_reference
from privacy.work import Work
from surveys.models import ANSWERS_AT_LEAST, Mode, Response, ResponseState, Wave
from surveys.questions import Answers, Cleaned, Posted, Value, clean
from surveys.routing import Stop, missing, path
from surveys.sittings import ONCE, Asking, Opened, Sitting, keys_on, sit
from surveys.versions import current

_TRIES = 4


class Rejected(Exception):
    """Something on the page can't be taken as it is; `errors` are in the order of the page."""

    def __init__(self, errors: list[Cleaned]) -> None:
        super().__init__(f"{len(errors)} answers can't be taken")
        self.errors = errors


class Stale(Exception):
    """The page was changed elsewhere since the form was shown, or is not asked any more.

    Nothing was saved. `theirs` is what is stored now, `ours` what was sent; both belong on the page.
    """

    def __init__(
        self, *, stop: Stop, theirs: Mapping[str, Value | None], ours: Mapping[str, Value | None]
    ) -> None:
        super().__init__(stop.code)
        self.stop = stop
        self.theirs = theirs
        self.ours = ours


class KeepsChanging(Exception):
    """Others saved the same response each time this was tried; the same form can be sent again."""


class AlreadySent(Exception):
    """The response was sent: it isn't changed any more."""


class NothingSaved(Exception):
    """There is no draft to send."""


class Incomplete(Exception):
    """Something required is missing; `page` is the index of the first page at fault."""

    def __init__(self, page: int) -> None:
        super().__init__(f"page {page + 1}")
        self.page = page


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a person gets for sending; the same however often they send."""

    id: UUID
    ref: str
    submitted_at: datetime
    repeated: bool


def save_page(
    work: Work, asking: Asking, *, page: str, posted: Posted, mark: str, mode: Mode = Mode.SELF
) -> Sitting:
    """Save one page of a draft, or start the draft with it; returns where the person stands then.

    Raises Rejected, Stale, AlreadySent or UnknownPage; then nothing was saved.
    """
    for number in range(_TRIES):
        sitting = _sit_again(work.db, asking) if number else sit(work.db, asking)
        if sitting.response is not None and sitting.response.sent:
            raise AlreadySent(sitting.response.ref)
        given = _given(sitting, page=page, posted=posted, mark=mark)
        answers = {**sitting.answers, **given}
        saved = _write(work, sitting, answers, mode=mode)
        if saved is not None:
            return Sitting(asking, sitting.published, saved)
    raise KeepsChanging


def _sit_again(db: Session, asking: Asking) -> Sitting:
    """Read again under the row's lock, so that one more try is enough however many save at once."""
    db.execute(
        select(Response.id)
        .where(
            Response.respondent_id == asking.respondent_id,
            Response.wave == asking.wave,
            Response.occasion == asking.occasion,
        )
        .with_for_update()
    )
    return sit(db, asking)


def _given(sitting: Sitting, *, page: str, posted: Posted, mark: str) -> dict[str, Value | None]:
    stop, on_path = sitting.stop(page)
    cleaned = [clean(question, posted) for question in stop.questions]
    errors = [found for found in cleaned if found.error]
    if errors and on_path:
        raise Rejected(errors)
    given = {key: value for found in cleaned for key, value in found.stored.items()}
    theirs = {key: value for key, value in sitting.answers.items() if key in keys_on(stop.questions)}
    if not on_path or (not sitting.unchanged(stop, mark) and theirs != given):
        raise Stale(stop=stop, theirs=theirs, ours=given)
    return given


def _write(work: Work, sitting: Sitting, answers: dict[str, Value | None], *, mode: Mode) -> Opened | None:
    """Write the draft if it is still as it was read; None if another save was quicker."""
    before = sitting.response
    if before is None:
        return _start(work, sitting, answers, mode=mode)
    revision = _new_revision()
    # Once it was an interview it stays one: the data shows that somebody else held the pen.
    mode = Mode.INTERVIEW if Mode.INTERVIEW in (mode, before.mode) else Mode.SELF
    changed = work.db.execute(
        update(Response)
        .where(
            Response.id == before.id,
            Response.state == ResponseState.DRAFT,
            Response.revision == before.revision,
        )
        .values(
            answers_sealed=_sealed(work.db, before.id, sitting.asking.respondent_id, answers),
            revision=revision,
            mode=mode,
            saved_at=work.now,
        )
        .execution_options(synchronize_session=False)
    )
    if not _one(changed):
        return None
    return Opened(
        id=before.id,
        ref=before.ref,
        version_id=before.version_id,
        state=ResponseState.DRAFT,
        mode=mode,
        revision=revision,
        saved_at=work.now,
        submitted_at=None,
        answers=answers,
    )


def _start(work: Work, sitting: Sitting, answers: dict[str, Value | None], *, mode: Mode) -> Opened | None:
    asking = sitting.asking
    response = Response(
        id=new_id(),
        ref=new_reference(),
        respondent_id=asking.respondent_id,
        version_id=sitting.published.id,
        wave=asking.wave,
        occasion=asking.occasion,
        state=ResponseState.DRAFT,
        mode=mode,
        revision=_new_revision(),
        started_at=work.now,
        saved_at=work.now,
    )
    response.answers = answers
    try:
        with work.db.begin_nested():
            work.db.add(response)
    except IntegrityError:
        # Two first saves met (respondent, wave, occasion): the other one made the row.
        return None
    return Opened(
        id=response.id,
        ref=response.ref,
        version_id=response.version_id,
        state=response.state,
        mode=response.mode,
        revision=response.revision,
        saved_at=response.saved_at,
        submitted_at=None,
        answers=answers,
    )


def _sealed(db: Session, response_id: UUID, respondent_id: UUID, answers: Mapping[str, Any]) -> bytes:
    keys = keys_of(db)
    keys.ensure([respondent_id])
    return seal(
        keys,
        Response.answers.encode(answers),
        table=Response.__tablename__,
        column=Response.answers.column,
        row=response_id,
        holder=respondent_id,
        at_least=ANSWERS_AT_LEAST,
    )


def _new_revision() -> int:
    """A revision that says only that it is another one."""
    return secrets.randbits(62)


def _one(result: Any) -> bool:
    return isinstance(result, CursorResult) and result.rowcount == 1


def submit(work: Work, asking: Asking) -> Receipt:
    """Send a draft, once: whoever sends it again gets the same receipt.

    Raises NothingSaved, or Incomplete with the first page that lacks a required answer.
    """
    for number in range(_TRIES):
        sitting = _sit_again(work.db, asking) if number else sit(work.db, asking)
        response = sitting.response
        if response is None:
            raise NothingSaved
        if response.submitted_at is not None:
            return Receipt(
                id=response.id, ref=response.ref, submitted_at=response.submitted_at, repeated=True
            )
        lacking = missing(sitting.path, sitting.answers)
        if lacking:
            raise Incomplete(lacking[0][0])
        if _send(work, response):
            _record_sent(work, asking, response.id, mode=response.mode)
            return Receipt(id=response.id, ref=response.ref, submitted_at=work.now, repeated=False)
    raise KeepsChanging


def _send(work: Work, response: Opened) -> bool:
    """What was checked is what is sent: the update holds only for the revision that was read."""
    return _one(
        work.db.execute(
            update(Response)
            .where(
                Response.id == response.id,
                Response.state == ResponseState.DRAFT,
                Response.revision == response.revision,
            )
            .values(state=ResponseState.SUBMITTED, submitted_at=work.now)
            .execution_options(synchronize_session=False)
        )
    )


def submit_answers(work: Work, asking: Asking, *, answers: Answers, mode: Mode) -> Receipt:
    """Write a whole set of answers at once and send it, as from a form that was filled in on paper.

    Raises AlreadySent where there is a response, or Incomplete.
    """
    sitting = Sitting(asking, current(work.db, code=asking.wave), None)
    lacking = missing(path(sitting.published.questionnaire, answers, role=asking.role), answers)
    if lacking:
        raise Incomplete(lacking[0][0])
    response = _start(work, sitting, dict(answers), mode=mode)
    if response is None or not _send(work, response):
        raise AlreadySent
    _record_sent(work, asking, response.id, mode=mode)
    return Receipt(id=response.id, ref=response.ref, submitted_at=work.now, repeated=False)


def _record_sent(work: Work, asking: Asking, response_id: UUID, *, mode: Mode) -> None:
    work.record(
        Action.RESPONSE_SUBMITTED,
        object=f"response:{response_id}",
        holder=asking.respondent_id,
        wave=asking.wave,
        mode=mode,
    )


def submitted(db: Session, respondent_ids: Iterable[UUID], wave: Wave, occasion: str = ONCE) -> set[UUID]:
    """Which of these respondents have sent the wave; one query, nothing opened."""
    return set(
        db.scalars(
            select(Response.respondent_id).where(
                Response.respondent_id.in_(list(respondent_ids)),
                Response.wave == wave,
                Response.occasion == occasion,
                Response.state == ResponseState.SUBMITTED,
            )
        )
    )
