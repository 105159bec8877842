"""Questionnaires: page by page, checked, sent once; answered by the person, or by the team with them."""

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import bookings, policies, questionnaires
from portal.forms.questionnaires import RingMeForm
from portal.questionnaires import Asked, NotOpen
from portal.views.context import clock_now, programme, session, the_actor, work
from portal.views.guards import guarded
from portal.views.question_fields import anchors, fields, posted, told
from portal.views.readings import note_reading
from surveys.models import Mode
from surveys.questions import Cleaned, Posted, display, fill, worded
from surveys.readings import Reading
from surveys.responses import (
    AlreadySent,
    Incomplete,
    KeepsChanging,
    NothingSaved,
    Rejected,
    Stale,
)
from surveys.routing import Stop, may_visit
from surveys.sittings import Sitting, UnknownPage, sit

bp = Blueprint(
    "questionnaires", __name__, url_prefix="/questionnaires/<uuid:participation_id>/<wave>/<occasion>"
)
TIMES_SHOWN = 6


def load_asked(participation_id: UUID, wave: str, occasion: str) -> Asked | None:
    return questionnaires.asked(
        session(),
        programme(),
        participation_id=participation_id,
        wave=wave,
        occasion=occasion,
        now=clock_now(),
    )


@bp.get("")
@guarded(load_asked, policies.may_answer_or_interview)
def start(asked: Asked) -> ResponseReturnValue:
    """Lead to where the person left off."""
    sitting = sit(session(), asked.asking)
    if sitting.response is None and clock_now() not in asked.window:
        return _closed(asked)
    if sitting.next_page is None:
        return redirect(_address("check", asked), 303)
    return redirect(_address("page", asked, number=sitting.next_page + 1), 303)


@bp.get("/<int:number>")
@guarded(load_asked, policies.may_answer_or_interview)
def page(asked: Asked, number: int) -> ResponseReturnValue:
    sitting = sit(session(), asked.asking)
    if sitting.response is not None and sitting.response.sent:
        return redirect(_address("receipt", asked), 303)
    if clock_now() not in asked.window:
        return _closed(asked)
    if not may_visit(sitting.path, sitting.answers, number - 1):
        return redirect(_address("start", asked), 303)
    return _page(asked, sitting, sitting.path.pages[number - 1])


@bp.post("/<int:number>")
@guarded(load_asked, policies.may_answer_or_interview)
def save(asked: Asked, number: int) -> ResponseReturnValue:
    """Save the page that the form names; its number is only where it stood."""
    code, typed = request.form.get("_page", ""), posted(request.form)
    try:
        with work() as unit:
            sitting = questionnaires.save_page(
                unit,
                asked,
                page=code,
                posted=typed,
                mark=request.form.get("_revision", ""),
                mode=Mode.INTERVIEW if _interviewing(asked) else Mode.SELF,
            )
    except Rejected as rejected:
        sitting = sit(session(), asked.asking)
        return _page(asked, sitting, sitting.stop(code)[0], typed=typed, errors=rejected.errors), 422
    except Stale as stale:
        return _stale(asked, stale, typed), 409
    except NotOpen:
        return _closed(asked, typed=typed), 409
    except AlreadySent:
        return redirect(_address("receipt", asked), 303)
    except (UnknownPage, KeepsChanging):
        abort(409)
    return redirect(_next(asked, sitting, after=code), 303)


@bp.get("/check")
@guarded(load_asked, policies.may_answer_or_interview)
def check(asked: Asked) -> ResponseReturnValue:
    sitting = sit(session(), asked.asking)
    if sitting.response is not None and sitting.response.sent:
        return redirect(_address("receipt", asked), 303)
    if clock_now() not in asked.window:
        return _closed(asked)
    if sitting.next_page is not None:
        return redirect(_address("page", asked, number=sitting.next_page + 1), 303)
    _note_reading(asked, sitting, "interview")
    return render_template(
        "questionnaires/check.html",
        **_around(asked),
        sections=told(sitting, places=asked.places),
        back=_address("page", asked, number=len(sitting.path.pages)),
    )


@bp.post("/submit")
@guarded(load_asked, policies.may_answer_or_interview)
def submit(asked: Asked) -> ResponseReturnValue:
    """Send, once; a repeat shows the same receipt."""
    try:
        with work() as unit:
            questionnaires.submit(unit, asked)
    except Incomplete as incomplete:
        return redirect(_address("page", asked, number=incomplete.page + 1), 303)
    except NothingSaved:
        return redirect(_address("start", asked), 303)
    except NotOpen:
        return _closed(asked), 409
    except KeepsChanging:
        abort(409)
    return redirect(_address("receipt", asked), 303)


@bp.get("/receipt")
@guarded(load_asked, policies.may_answer_or_interview)
def receipt(asked: Asked) -> ResponseReturnValue:
    sitting = sit(session(), asked.asking)
    if sitting.response is None or not sitting.response.sent:
        return redirect(_address("start", asked), 303)
    _note_reading(asked, sitting, "reading")
    package = None if _interviewing(asked) else questionnaires.bookable(session(), asked)
    choices = (
        bookings.times(session(), programme(), package, now=clock_now(), limit=TIMES_SHOWN) if package else []
    )
    return render_template(
        "questionnaires/receipt.html",
        **_around(asked),
        response=sitting.response,
        sections=told(sitting, places=asked.places),
        package=package,
        choices=choices,
        session_id=uuid4(),
    )


@bp.route("/ring-me", methods=["GET", "POST"])
@guarded(load_asked, policies.may_answer)
def ring_me(asked: Asked) -> ResponseReturnValue:
    """Ask to be rung and to fill it in together (sch 4: questionnaire or interview)."""
    sitting = sit(session(), asked.asking)
    if sitting.response is not None and sitting.response.sent:
        return redirect(_address("receipt", asked), 303)
    if clock_now() not in asked.window:
        return _closed(asked)
    form = RingMeForm(phone=questionnaires.phone_of(session(), asked))
    if form.validate_on_submit():
        with work() as unit:
            questionnaires.ask_for_call(unit, asked, phone=form.phone.data, when=form.when.data or "")
        flash("Thank you. Somebody from the programme team will ring you.", "success")
        return redirect(url_for("your_support.index"), 303)
    status = 422 if form.errors else 200
    return render_template("questionnaires/ring_me.html", form=form, **_around(asked)), status


def _address(view: str, asked: Asked, **values: Any) -> str:
    return url_for(
        f"questionnaires.{view}",
        participation_id=asked.participation_id,
        wave=asked.asking.wave.value,
        occasion=asked.asking.occasion,
        **values,
    )


def _interviewing(asked: Asked) -> bool:
    return the_actor().person_id != asked.person_id


def _around(asked: Asked) -> dict[str, Any]:
    """What every page of a questionnaire shows around its content."""
    interviewing = _interviewing(asked)
    home = (
        url_for("packages.show", package_id=asked.package_id)
        if interviewing
        else url_for("your_support.index")
    )
    return {
        "asked": asked,
        "home": home,
        "wave": asked.asking.wave.value,
        "address": lambda view, **values: _address(view, asked, **values),
        "interview_with": questionnaires.name_of(session(), asked) if interviewing else None,
    }


def _page(
    asked: Asked,
    sitting: Sitting,
    stop: Stop,
    *,
    typed: Posted | None = None,
    errors: list[Cleaned] | None = None,
) -> str:
    _note_reading(asked, sitting, "interview")
    number = sitting.path.pages.index(stop) + 1
    return render_template(
        "questionnaires/page.html",
        **_around(asked),
        stop=stop,
        intro=fill(stop.intro, asked.places),
        number=number,
        pages=len(sitting.path.pages),
        mark=sitting.mark(stop),
        then=request.values.get("_then"),
        errors=anchors(errors or []),
        fields=fields(
            stop.questions,
            role=asked.asking.role,
            places=asked.places,
            answers=sitting.answers,
            typed=typed,
            errors=errors or [],
        ),
    )


def _next(asked: Asked, sitting: Sitting, *, after: str) -> str:
    """The page that follows the one just saved; back to checking where somebody came from there."""
    codes = [stop.code for stop in sitting.path.pages]
    to_check = request.form.get("_then") == "check"
    following = sitting.next_page if to_check else codes.index(after) + 1
    if following is None or following >= len(codes):
        return _address("check", asked)
    return _address("page", asked, number=following + 1)


def _stale(asked: Asked, stale: Stale, typed: Posted) -> str:
    sitting = sit(session(), asked.asking)
    stop, on_path = sitting.stop(stale.stop.code)
    told = [worded(question, role=asked.asking.role, places=asked.places) for question in stop.questions]
    return render_template(
        "questionnaires/stale.html",
        **_around(asked),
        stop=stop,
        on_path=on_path,
        number=sitting.path.pages.index(stop) + 1 if on_path else 1,
        mark=sitting.mark(stop),
        typed=[(name.replace(".", "-"), value) for name, values in typed.items() for value in values],
        both=[
            (question.text, display(question, stale.ours), display(question, stale.theirs))
            for question in told
            if question.asks
        ],
    )


def _closed(asked: Asked, *, typed: Posted | None = None) -> str:
    texts = [value for values in (typed or {}).values() for value in values if len(value) > 40]
    return render_template("questionnaires/closed.html", **_around(asked), now=clock_now(), typed=texts)


def _note_reading(asked: Asked, sitting: Sitting, purpose: str) -> None:
    """Staff who open somebody's answers leave a line in the trail."""
    if sitting.response is not None and _interviewing(asked):
        response_id, respondent_id = sitting.response.id, asked.participation_id
        note_reading(Reading(response_id=response_id, respondent_id=respondent_id, purpose=purpose))
