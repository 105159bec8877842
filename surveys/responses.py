"""Responses: started by the first save, saved page by page, sent once.

A draft becomes SUBMITTED by one conditional update; surveys/revisions.py holds what comes after. A draft is the
row of one respondent, wave and occasion; that key, not a cookie, says which one a form belongs to. What a person
may see or must answer is computed by routing each time; answers off the path stay and come back with it.

A form carries a mark of what it showed: the revision, and a digest of its page's answers. A save that meets
another revision goes on where the page itself is as the form showed it, and raises Stale where it is not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.work import Work
from surveys.drafts import met_its_row, start, write
from surveys.models import SENT, Mode, Response, ResponseState, Wave
from surveys.questions import Answers, Cleaned, Posted, Value, clean
from surveys.revisions import send_again
from surveys.routing import UNFINISHED, Stop, missing, path, unfinished
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

    def given(sitting: Sitting) -> dict[str, Value | None]:
        stop, cleaned = _cleaned(sitting, page=page, posted=posted)
        errors = [found for found in cleaned if found.error]
        if errors and stop in sitting.path.pages:
            raise Rejected(errors)
        sent = {key: value for found in cleaned for key, value in found.stored.items()}
        _meet(sitting, stop, mark=mark, ours=sent)
        return {**sent, UNFINISHED: [code for code in unfinished(sitting.answers) if code != page]}

    return _save(work, asking, given, mode=mode)


def keep_writing(
    work: Work, asking: Asking, *, page: str, posted: Posted, mark: str, mode: Mode = Mode.SELF
) -> tuple[Sitting, list[Cleaned]]:
    """Save what somebody has written on a page so far. The page isn't done by that, and nothing is required yet.

    Returns where the person stands, and what can't be saved as it is: of those questions, what was saved before
    stays. Raises Stale, AlreadySent or UnknownPage; then nothing was saved.
    """
    unclear: list[Cleaned] = []

    def given(sitting: Sitting) -> dict[str, Value | None]:
        stop, cleaned = _cleaned(sitting, page=page, posted=posted, lenient=True)
        unclear[:] = [found for found in cleaned if found.error]
        sent = {
            key: value
            for found in cleaned
            for key, value in found.stored.items()
            # A question that was not reached yet is not one that was left empty.
            if value is not None or key in sitting.answers
        }
        _meet(sitting, stop, mark=mark, ours=sent)
        return {**sent, UNFINISHED: sorted({*unfinished(sitting.answers), page})}

    return _save(work, asking, given, mode=mode), unclear


def _save(
    work: Work, asking: Asking, given: Callable[[Sitting], Mapping[str, Value | None]], *, mode: Mode
) -> Sitting:
    for number in range(_TRIES):
        sitting = _sit_again(work.db, asking) if number else sit(work.db, asking)
        if sitting.response is not None and sitting.response.sent:
            raise AlreadySent(sitting.response.ref)
        answers = {**sitting.answers, **given(sitting)}
        if not answers[UNFINISHED]:
            del answers[UNFINISHED]
        saved = write(work, sitting, answers, mode=mode)
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


def _cleaned(
    sitting: Sitting, *, page: str, posted: Posted, lenient: bool = False
) -> tuple[Stop, list[Cleaned]]:
    stop, _ = sitting.stop(page)
    questions = (replace(one, required=False) if lenient else one for one in stop.questions)
    return stop, [clean(question, posted) for question in questions]


def _meet(sitting: Sitting, stop: Stop, *, mark: str, ours: Mapping[str, Value | None]) -> None:
    """Raises Stale where the page is not as the form showed it, nor as the form would leave it."""
    keys = set(keys_on(stop.questions))
    theirs = {key: value for key, value in sitting.answers.items() if key in keys}
    same = sitting.unchanged(stop, mark) or theirs == {**theirs, **ours}
    if not same or stop not in sitting.path.pages:
        raise Stale(stop=stop, theirs=theirs, ours=ours)


def submit(work: Work, asking: Asking, *, from_paper: bool = False) -> Receipt:
    """Send a draft or a correction, once: whoever sends it again gets the same receipt.

    `from_paper`: whoever sends it only types in what somebody else wrote. Raises NothingSaved, or Incomplete with the
    first page that lacks a required answer.
    """
    for number in range(_TRIES):
        sitting = _sit_again(work.db, asking) if number else sit(work.db, asking)
        response = sitting.response
        if response is None:
            raise NothingSaved
        if response.sent and response.submitted_at is not None:
            return Receipt(
                id=response.id, ref=response.ref, submitted_at=response.submitted_at, repeated=True
            )
        lacking = missing(sitting.path, sitting.answers)
        if lacking:
            raise Incomplete(lacking[0][0])
        if response.reopened_at is None:
            sent = _send(work, response)
        else:
            sent = send_again(work, asking, response, from_paper=from_paper)
        if sent:
            _record_sent(work, asking, response.id, mode=response.mode)
            return Receipt(id=response.id, ref=response.ref, submitted_at=work.now, repeated=False)
    raise KeepsChanging


def _send(work: Work, response: Opened) -> bool:
    """What was checked is what is sent: the update holds only for the revision that was read."""
    return met_its_row(
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


def submit_answers(
    work: Work,
    asking: Asking,
    *,
    answers: Answers,
    mode: Mode,
    answered_on: date | None = None,
    source: str | None = None,
) -> Receipt:
    """Write a whole set of answers at once and send it, as from a form that was filled in on paper.

    Raises AlreadySent where there is a response, or Incomplete.
    """
    sitting = Sitting(asking, current(work.db, code=asking.code), None)
    lacking = missing(path(sitting.published.questionnaire, answers, role=asking.role), answers)
    if lacking:
        raise Incomplete(lacking[0][0])
    response = start(work, sitting, answers, mode=mode, answered_on=answered_on, source=source)
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
    """Which of these respondents have sent the wave, also if they took it back since; nothing is opened."""
    return set(
        db.scalars(
            select(Response.respondent_id).where(
                Response.respondent_id.in_(list(respondent_ids)),
                Response.wave == wave,
                Response.occasion == occasion,
                Response.state.in_(SENT),
            )
        )
    )
