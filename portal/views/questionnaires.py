"""Questionnaires: page by page, checked, sent once; answered by the person, or by the team with them."""

from collections.abc import Sequence
from functools import partial
from uuid import uuid4

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from portal import filters, policies
from portal.access import parking
from portal.access.parking import Parked
from portal.answers import calls, questionnaires, tools
from portal.answers.questionnaires import Asked, NotOpen
from portal.booking import acts as bookings
from portal.forms.questionnaires import RingMeForm
from portal.models import CallRequest, Package
from portal.views import covers, free_times
from portal.views.asked import (
    address,
    around,
    closed,
    interviewing,
    mode_of,
    note_opened,
    takes,
    texts_of,
)
from portal.views.context import clock_now, programme, session, the_actor, work
from portal.views.drawn_questions import is_list_of_statements, questions, sheet
from portal.views.free_times import FreeTimes
from portal.views.guards import guarded
from portal.views.kept_forms import KEPT, WRITING, kept_fields, kept_here, kept_id
from portal.views.loaders import load_asked
from portal.views.question_fields import anchors, both, can_be_cleared, posted, told, without
from portal.views.shown_answers import sharing
from privacy.work import Work
from surveys.models import ResponseState, Wave
from surveys.questions import Cleaned, Posted, fill
from surveys.responses import (
    AlreadySent,
    Incomplete,
    KeepsChanging,
    NothingSaved,
    Rejected,
    Stale,
)
from surveys.results import gives_example
from surveys.routing import Stop, may_visit
from surveys.sittings import Sitting, UnknownPage, read_back, sit

bp = Blueprint(
    "questionnaires", __name__, url_prefix="/questionnaires/<uuid:participation_id>/<wave>/<occasion>"
)
TIMES_SHOWN = 6
CHANGE_LINK = Markup(' <a class="govuk-notification-banner__link" href="{}">Ask to change your answers</a>.')
CHANGED_ELSEWHERE = (
    "This page was changed in another tab or on another device. Save and continue, and you see both."
)


@bp.get("")
@guarded(load_asked, policies.may_answer_or_interview)
def start(asked: Asked) -> ResponseReturnValue:
    """Lead to where the person left off."""
    sitting = sit(session(), asked.asking)
    if sitting.response is None and not takes(asked, sitting):
        return closed(asked)
    if sitting.next_page is None:
        return redirect(address("check", asked), 303)
    return redirect(address("page", asked, number=sitting.next_page + 1), 303)


@bp.get("/<int:number>")
@guarded(load_asked, policies.may_answer_or_interview)
def page(asked: Asked, number: int) -> ResponseReturnValue:
    sitting, kept = sit(session(), asked.asking), kept_here()
    stop = _visited(asked, sitting, number)
    if kept is not None and (stop is None or kept_fields(kept).get("_page") != stop.code):
        # What was typed doesn't fit here any more: it is shown to be copied.
        return redirect(url_for("parking.show", parked_id=kept.id), 303)
    if sitting.response is not None and sitting.response.sent:
        return redirect(address("receipt", asked), 303)
    if not takes(asked, sitting):
        return closed(asked)
    if stop is None:
        return redirect(address("start", asked), 303)
    return _page(asked, sitting, stop, kept=kept)


def _visited(asked: Asked, sitting: Sitting, number: int) -> Stop | None:
    """The page that can be answered under this number now."""
    sent = sitting.response is not None and sitting.response.sent
    if sent or not takes(asked, sitting) or not may_visit(sitting.path, sitting.answers, number - 1):
        return None
    return sitting.path.pages[number - 1]


@bp.get("/<int:number>/open")
@guarded(load_asked, policies.may_answer_or_interview, reads=policies.may_read)
def uncover(asked: Asked, number: int) -> ResponseReturnValue:
    """Back to a page, or with number 0 to checking, once it may show what was written before."""
    return redirect(address("page", asked, number=number) if number else address("check", asked), 303)


@bp.post("/<int:number>")
@guarded(load_asked, policies.may_answer_or_interview)
def save(asked: Asked, number: int) -> ResponseReturnValue:
    """Save the page that the form names; its number is only where it stood."""
    code, cleared = request.form.get("_page", ""), request.form.get("_clear")
    typed = without(posted(request.form), cleared)
    if WRITING in request.form:
        return _keep_writing(asked, code, typed)
    try:
        with work() as unit:
            sitting = _store(unit, asked, code, typed, advances=cleared is None)
    except Rejected as rejected:
        sitting = sit(session(), asked.asking)
        return _page(asked, sitting, sitting.stop(code)[0], typed=typed, errors=rejected.errors), 422
    except Stale as stale:
        return _stale(asked, stale, typed), 409
    except NotOpen:
        return closed(asked, typed=typed), 409
    except AlreadySent:
        return _sent_before(asked, typed)
    except (UnknownPage, KeepsChanging):
        abort(409)
    return redirect(_next(asked, sitting, after=code, stays=cleared is not None), 303)


def _sent_before(asked: Asked, typed: Posted) -> ResponseReturnValue:
    """Say once that what an older tab held is not in what was sent; what was written there is shown to be copied."""
    response = sit(session(), asked.asking).response
    sent_at = response.submitted_at if response is not None else None
    if texts_of(typed):
        return closed(asked, typed=typed, sent_at=sent_at), 409
    if typed and sent_at is not None:
        said = Markup("These answers were sent on {}. What you have just chosen is not in them.").format(
            filters.day_time(sent_at)
        )
        if asked.asking.wave is not Wave.TOOL and not interviewing(asked):
            said += CHANGE_LINK.format(address("change", asked))
        flash(said, "notice")
    return redirect(address("receipt", asked), 303)


def _store(unit: Work, asked: Asked, code: str, typed: Posted, *, advances: bool) -> Sitting:
    if not advances:
        sitting, unclear = _written(unit, asked, code, typed)
        if unclear:
            raise Rejected(unclear)
        return sitting
    mark, whole = _met(asked, code, typed)
    sitting = questionnaires.save_page(unit, asked, page=code, posted=whole, mark=mark, mode=mode_of(asked))
    covers.note_typed(unit, asked, sitting, sitting.stop(code)[0], typed)
    parked_id = kept_id()
    if parked_id is not None:
        parking.forget(unit, person_id=the_actor().person_id, parked_id=parked_id)
    return sitting


def _written(unit: Work, asked: Asked, code: str, typed: Posted) -> tuple[Sitting, list[Cleaned]]:
    """Save what is written so far; what can't be saved as it is comes back with where the person stands."""
    mark, whole = _met(asked, code, typed)
    sitting, unclear = questionnaires.keep_writing(
        unit, asked, page=code, posted=whole, mark=mark, mode=mode_of(asked)
    )
    covers.note_typed(unit, asked, sitting, sitting.stop(code)[0], typed)
    return sitting, unclear


def _met(asked: Asked, code: str, typed: Posted) -> tuple[str, Posted]:
    """The mark of the form and what was typed, with what the form could not show put in its place."""
    mark = request.form.get("_revision", "")
    if the_actor().reads:
        return mark, typed
    sitting = sit(session(), asked.asking)
    hidden = covers.covered(asked, sitting)
    if not hidden:
        return mark, typed
    stop, _ = sitting.stop(code)
    return covers.met(sitting, stop, mark), covers.filled(stop, typed, sitting.answers, hidden)


def _keep_writing(asked: Asked, code: str, typed: Posted) -> ResponseReturnValue:
    """Save what is written so far, for a page that stays as it is: what to say, and the form's new mark."""
    try:
        with work() as unit:
            sitting, unclear = _written(unit, asked, code, typed)
            hidden = covers.covered(asked, sitting)
    except (Stale, UnknownPage):
        return jsonify(said=CHANGED_ELSEWHERE), 409
    except NotOpen:
        return jsonify(said="These questions have closed. What you write now is not saved."), 409
    except AlreadySent:
        return jsonify(said="These answers were sent already. What you write now is not saved."), 409
    except KeepsChanging:
        return jsonify(said="Not saved yet."), 503
    said = f"Saved at {filters.time(clock_now())}"
    if unclear:
        said = f"{said}, but not this: {unclear[0].error}"
    return jsonify(said=said, mark=covers.mark(sitting, sitting.stop(code)[0], hidden))


@bp.get("/check")
@guarded(load_asked, policies.may_answer_or_interview)
def check(asked: Asked) -> ResponseReturnValue:
    sitting = sit(session(), asked.asking)
    if sitting.response is not None and sitting.response.sent:
        return redirect(address("receipt", asked), 303)
    if not takes(asked, sitting):
        return closed(asked)
    if sitting.next_page is not None:
        return redirect(address("page", asked, number=sitting.next_page + 1), 303)
    note_opened(asked, sitting, "interview")
    hidden = covers.covered(asked, sitting)
    return render_template(
        "questionnaires/check.html",
        **around(asked),
        paper_on=sitting.response.answered_on if sitting.response else None,
        sections=told(sitting, places=asked.places, hidden=hidden),
        covered=bool(hidden),
        back=address("page", asked, number=len(sitting.path.pages)),
    )


@bp.post("/submit")
@guarded(load_asked, policies.may_answer_or_interview)
def submit(asked: Asked) -> ResponseReturnValue:
    """Send, once; a repeat shows the same receipt."""
    try:
        with work() as unit:
            questionnaires.submit(unit, asked)
    except Incomplete as incomplete:
        return redirect(address("page", asked, number=incomplete.page + 1), 303)
    except NothingSaved:
        return redirect(address("start", asked), 303)
    except NotOpen:
        return closed(asked), 409
    except KeepsChanging:
        abort(409)
    return redirect(address("receipt", asked), 303)


@bp.get("/receipt")
@guarded(load_asked, policies.may_answer_or_interview, asks_why=policies.opens_for_others)
def receipt(asked: Asked) -> ResponseReturnValue:
    sitting = read_back(session(), asked.asking)
    if sitting is None or sitting.response is None or not sitting.response.sent:
        return redirect(address("start", asked), 303)
    note_opened(asked, sitting, "reading")
    hidden = covers.covered(asked, sitting)
    package = None if interviewing(asked) else questionnaires.bookable(session(), asked)
    return render_template(
        "questionnaires/receipt.html",
        **around(asked),
        **sharing(asked, sitting),
        response=sitting.response,
        withdrawn=sitting.response.state is ResponseState.WITHDRAWN,
        has_example=gives_example(sitting.answers),
        sections=told(sitting, places=asked.places, hidden=hidden),
        covered=bool(hidden),
        package=package,
        times=_times_of(package) if package else None,
        session_id=uuid4(),
        turns=_turns(asked),
    )


def _times_of(package: Package) -> FreeTimes:
    find = partial(bookings.times, session(), programme(), package, now=clock_now())
    return free_times.shown(find, limit=TIMES_SHOWN)


def _turns(asked: Asked) -> Sequence[tools.Turn]:
    """The other times that somebody answered the same tool."""
    if asked.asking.wave is not Wave.TOOL:
        return []
    return [
        turn
        for turn in tools.turns_of(session(), asked.participation_id, code=asked.asking.code)
        if turn.occasion != asked.asking.occasion
    ]


@bp.route("/ring-me", methods=["GET", "POST"])
@guarded(load_asked, policies.may_answer)
def ring_me(asked: Asked) -> ResponseReturnValue:
    """Ask to be rung and to fill it in together (sch 4: questionnaire or interview)."""
    sitting = sit(session(), asked.asking)
    if sitting.response is not None and sitting.response.sent:
        return redirect(address("receipt", asked), 303)
    if clock_now() not in asked.window:
        return closed(asked)
    call = calls.of(session(), asked)
    form = RingMeForm(**_to_ring(asked, call))
    if form.validate_on_submit():
        with work() as unit:
            questionnaires.ask_for_call(unit, asked, phone=form.phone.data, when=form.when.data or "")
        flash("Thank you. Somebody from the programme team will ring you.", "success")
        return redirect(url_for("your_support.index"), 303)
    status = 422 if form.errors else 200
    return render_template("questionnaires/ring_me.html", form=form, call=call, **around(asked)), status


def _to_ring(asked: Asked, call: CallRequest | None) -> dict[str, str | None]:
    """What the form begins with: what was asked before, else the number that is known; nothing for who may not read."""
    if not the_actor().reads:
        return {}
    if call is not None:
        return {"phone": call.phone, "when": call.when}
    return {"phone": questionnaires.phone_of(session(), asked)}


@bp.post("/ring-me/stop")
@guarded(load_asked, policies.may_answer)
def stop_ringing(asked: Asked) -> ResponseReturnValue:
    """No longer needed: nobody rings."""
    with work() as unit:
        calls.take_back(unit, asked)
    flash("We do not ring you about this any more.", "success")
    return redirect(url_for("your_support.index"), 303)


def _page(
    asked: Asked,
    sitting: Sitting,
    stop: Stop,
    *,
    typed: Posted | None = None,
    errors: list[Cleaned] | None = None,
    kept: Parked | None = None,
) -> str:
    note_opened(asked, sitting, "interview")
    number = sitting.path.pages.index(stop) + 1
    hidden = covers.covered(asked, sitting)
    sent = kept_fields(kept) if kept is not None else request.form
    if kept is not None:
        typed = posted(sent)
    return render_template(
        "questionnaires/page.html",
        **around(asked),
        paper_on=sitting.response.answered_on if sitting.response else None,
        stop=stop,
        intro=fill(stop.intro, asked.places),
        number=number,
        pages=len(sitting.path.pages),
        # What is shown again keeps the mark it was shown with first: what was saved since is not written over.
        mark=covers.mark(sitting, stop, hidden) if kept is None else sent.get("_revision", ""),
        then=request.args.get("_then") or sent.get("_then"),
        kept=kept.id if kept is not None else sent.get(KEPT),
        was_kept=kept is not None,
        errors=anchors(errors or []),
        clears=any(map(can_be_cleared, stop.questions)),
        statements=is_list_of_statements(stop.questions),
        questions=questions(
            sheet(sitting, stop, places=asked.places),
            answers=covers.uncovered(sitting.answers, hidden),
            typed=typed,
            errors=errors or [],
        ),
        covered=covers.on_page(stop, hidden),
    )


def _next(asked: Asked, sitting: Sitting, *, after: str, stays: bool) -> str:
    """The page that follows the one just saved; back to checking where somebody came from there."""
    codes = [stop.code for stop in sitting.path.pages]
    to_check = request.form.get("_then") == "check"
    if stays:
        then = {"_then": "check"} if to_check else {}
        return address("page", asked, number=codes.index(after) + 1, **then)
    following = sitting.next_page if to_check else codes.index(after) + 1
    if following is None or following >= len(codes):
        return address("check", asked)
    return address("page", asked, number=following + 1)


def _stale(asked: Asked, stale: Stale, typed: Posted) -> str:
    sitting = sit(session(), asked.asking)
    stop, on_path = sitting.stop(stale.stop.code)
    hidden = covers.covered(asked, sitting)
    return render_template(
        "questionnaires/stale.html",
        **around(asked),
        stop=stop,
        on_path=on_path,
        number=sitting.path.pages.index(stop) + 1 if on_path else 1,
        mark=covers.mark(sitting, stop, hidden),
        typed=[(name.replace(".", "-"), value) for name, values in typed.items() for value in values],
        both=both(
            stop.questions, covers.without_theirs(stale, hidden), role=asked.asking.role, places=asked.places
        ),
    )
