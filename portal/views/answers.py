"""Answers that were sent: read back, printed, taken along, shared with a mentor, changed, withdrawn."""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, abort, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.answers import reopenings, shares
from portal.answers.questionnaires import Asked
from portal.answers.shares import Shared
from portal.forms.answers import ReasonForm, WishForm
from portal.forms.programme import ConfirmForm
from portal.views.asked import address, around, note_opened
from portal.views.context import session, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_asked
from portal.views.question_fields import told
from portal.views.shown_answers import as_text, set_share
from privacy.clock import london_date
from surveys import revisions
from surveys.models import ResponseState
from surveys.revisions import NotSent
from surveys.sittings import Sitting, read_back

bp = Blueprint("answers", __name__, url_prefix="/questionnaires/<uuid:participation_id>/<wave>/<occasion>")


def _sent(asked: Asked) -> Sitting:
    """What was sent last; there is nothing here before that."""
    sitting = read_back(session(), asked.asking)
    if sitting is None:
        abort(404)
    return sitting


@bp.get("/copy")
@guarded(
    load_asked,
    policies.may_answer_or_interview,
    reads=policies.may_read,
    asks_why=policies.opens_for_others,
)
def copy(asked: Asked) -> ResponseReturnValue:
    """To read and to print: what counts now, and what was sent before it was corrected."""
    sitting = _sent(asked)
    note_opened(asked, sitting, "reading")
    earlier = [
        (past.submitted_at, told(sitting.as_if(past.answers), places=asked.places))
        for past in revisions.earlier(session(), asked.asking)
    ]
    return render_template(
        "answers/copy.html",
        **around(asked),
        response=sitting.response,
        sections=told(sitting, places=asked.places),
        earlier=earlier,
    )


@bp.get("/download")
@guarded(load_asked, policies.may_answer, reads=policies.may_read)
def download(asked: Asked) -> ResponseReturnValue:
    sitting = _sent(asked)
    if sitting.response is None:
        abort(404)
    text = as_text(asked, sitting.response, told(sitting, places=asked.places))
    response = make_response(text)
    response.mimetype = "text/plain"
    sent = sitting.response.submitted_at
    on = f"{london_date(sent).isoformat()}-" if sent is not None else ""
    attach(response, f"answers-{on}{sitting.response.ref}.txt")
    return response


# ---- changing and withdrawing


@bp.route("/change", methods=["GET", "POST"])
@guarded(load_asked, policies.may_ask_to_change)
def change(asked: Asked) -> ResponseReturnValue:
    """Ask the team to open what was sent."""
    _sent(asked)
    form = WishForm()
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("answers/change.html", form=form, **around(asked)), status
    try:
        with work() as unit:
            reopenings.ask(unit, asked, wish=form.wish.data or "")
    except NotSent:
        return redirect(address("start", asked), 303)
    flash("We have asked the team. They open your answers, or ring you first.", "success")
    return redirect(address("receipt", asked), 303)


@bp.route("/reopen", methods=["GET", "POST"])
@guarded(load_asked, policies.may_interview)
def reopen(asked: Asked) -> ResponseReturnValue:
    """The team opens what was sent, with a reason."""
    _sent(asked)
    form = ReasonForm()
    if not form.validate_on_submit():
        waits = reopenings.waiting(session(), asked)
        page = render_template("answers/reopen.html", form=form, waits=waits, **around(asked))
        return page, 422 if form.errors else 200
    with work() as unit:
        reopenings.open_again(unit, asked, reason=form.reason.data)
    flash("The answers are open. What was sent counts until the correction is sent.", "success")
    return redirect(url_for("packages.show", package_id=asked.package_id), 303)


@bp.route("/withdraw", methods=["GET", "POST"])
@guarded(load_asked, policies.may_answer, reads=policies.may_read)
def withdraw(asked: Asked) -> ResponseReturnValue:
    """Take one's own answers back, after saying so twice."""
    sitting, form = _sent(asked), ConfirmForm()
    if not form.validate_on_submit():
        return render_template(
            "answers/withdraw.html", form=form, response=sitting.response, **around(asked)
        ), 422 if form.errors else 200
    try:
        with work() as unit:
            reopenings.withdraw(unit, asked)
    except NotSent:
        return redirect(address("receipt", asked), 303)
    flash("Your answers are withdrawn. They count in no figure from now on.", "success")
    return redirect(address("receipt", asked), 303)


# ---- sharing with a mentor


@bp.post("/share")
@guarded(load_asked, policies.may_answer, reads=policies.may_read)
def share(asked: Asked) -> ResponseReturnValue:
    return set_share(asked.participation_id, _response_id(asked), address("receipt", asked), on=True)


@bp.post("/unshare")
@guarded(load_asked, policies.may_answer, reads=policies.may_read)
def unshare(asked: Asked) -> ResponseReturnValue:
    return set_share(asked.participation_id, _response_id(asked), address("receipt", asked), on=False)


def _response_id(asked: Asked) -> UUID:
    response = _sent(asked).response
    if response is None:
        abort(404)
    return response.id


@dataclass(frozen=True, kw_only=True)
class SharedAnswers(Shared):
    """Answers of one wave, and who may read them."""

    asked: Asked


def load_shared(participation_id: UUID, wave: str, occasion: str) -> SharedAnswers | None:
    """Answers as far as they are shared. Nothing is opened to know it."""
    asked = load_asked(participation_id, wave, occasion)
    response_id = shares.response_of(session(), asked.asking) if asked is not None else None
    if asked is None or response_id is None:
        return None
    found = shares.reading_of(session(), participation_id=participation_id, response_id=response_id)
    return SharedAnswers(**vars(found), asked=asked) if found is not None else None


@bp.get("/shared")
@guarded(load_shared, policies.may_read_shared)
def shared(shown: SharedAnswers) -> ResponseReturnValue:
    """What a participant shares, for their mentor."""
    asked, sitting = shown.asked, _sent(shown.asked)
    if sitting.response is None or sitting.response.state is not ResponseState.SUBMITTED:
        abort(404)
    note_opened(asked, sitting, "shared")
    return render_template(
        "answers/shared.html",
        **around(asked),
        response=sitting.response,
        sections=told(sitting, places=asked.places),
        package_id=shown.package.id,
    )
