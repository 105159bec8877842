"""The row of a response while somebody writes: made once, written only as it was read."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import CursorResult, Table, bindparam, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from privacy.columns import SealedJson, keys_of, seal
from privacy.records import new_id
from privacy.references import new_reference
from privacy.statements import run
from privacy.work import Work
from surveys.models import ANSWERS_AT_LEAST, Mode, Response, ResponseState
from surveys.questions import Value
from surveys.sittings import Asking, Opened, Sitting

STILL_OPEN = or_(Response.state == ResponseState.DRAFT, Response.reopened_at.is_not(None))


_ROW = cast(Table, Response.__table__)
_WRITE = {
    column: update(_ROW)
    .where(
        _ROW.c.id == bindparam("row"),
        or_(_ROW.c.state == ResponseState.DRAFT, _ROW.c.reopened_at.is_not(None)),
        _ROW.c.revision == bindparam("met"),
    )
    .values(
        {
            _ROW.c[column]: bindparam("sealed"),
            _ROW.c.revision: bindparam("revised"),
            _ROW.c.mode: bindparam("held_by"),
            _ROW.c.saved_at: bindparam("at"),
        }
    )
    for column in (Response.answers.column, Response.draft.column)
}
"""Made once, for each column that is written to while somebody answers."""


def write(work: Work, sitting: Sitting, answers: dict[str, Value | None], *, mode: Mode) -> Opened | None:
    """Write a draft or a correction if it is still as it was read; None if another save was quicker."""
    before = sitting.response
    if before is None:
        return start(work, sitting, answers, mode=mode)
    # Once it was an interview it stays one: the data shows that somebody else held the pen.
    mode = before.mode if before.mode is not Mode.SELF else mode
    saved = replace(before, revision=new_revision(), mode=mode, saved_at=work.now, answers=answers)
    attribute = Response.answers if before.reopened_at is None else Response.draft
    changed = run(
        work.db,
        _WRITE[attribute.column],
        {
            "row": before.id,
            "met": before.revision,
            "sealed": sealed_answers(work.db, attribute, before.id, sitting.asking, answers),
            "revised": saved.revision,
            "held_by": saved.mode,
            "at": saved.saved_at,
        },
    )
    return saved if met_its_row(changed) else None


def start(
    work: Work,
    sitting: Sitting,
    answers: Mapping[str, Value | None],
    *,
    mode: Mode,
    answered_on: date | None = None,
    source: str | None = None,
) -> Opened | None:
    """Make the row of a draft; None where somebody else made it at the same moment."""
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
        revision=new_revision(),
        started_at=work.now,
        saved_at=work.now,
        answered_on=answered_on,
    )
    response.answers, response.source = answers, source
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
        answered_on=answered_on,
        answers=dict(answers),
    )


def sealed_answers(
    db: Session, attribute: SealedJson, response_id: UUID, asking: Asking, answers: Mapping[str, Any]
) -> bytes:
    """Answers sealed for one of the columns of a response's row."""
    keys = keys_of(db)
    keys.ensure([asking.respondent_id])
    return seal(
        keys,
        attribute.encode(answers),
        table=Response.__tablename__,
        column=attribute.column,
        row=response_id,
        holder=asking.respondent_id,
        at_least=ANSWERS_AT_LEAST,
    )


def new_revision() -> int:
    """A revision that says only that it is another one."""
    return secrets.randbits(62)


def met_its_row(result: Any) -> bool:
    """Whether an update met its one row."""
    return isinstance(result, CursorResult) and result.rowcount == 1
