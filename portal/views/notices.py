"""Notices to the Controller: what each said, the ways it took, and what to do where it has not arrived."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field

from portal import policies
from portal.cases import notice_mails, notice_words, notices
from portal.cases.calendars import calendars
from portal.cases.notices import NumberTaken
from portal.forms.notices import AgainForm, FurtherForm, TakenThereForm
from portal.models import Mailbox
from portal.views.context import clock_now, programme, session, work
from portal.views.files import attach
from portal.views.guards import guarded
from portal.views.loaders import load_case, load_notice
from portal.views.refusals import say_sent_before, status_of
from privacy import papers
from privacy.cases.rules import CaseRefused
from privacy.cases.tables import Case, Notice, Way
from privacy.clock import MissingTime
from privacy.papers import PaperFailed
from privacy.sent_before import SentBefore

bp = Blueprint("notices", __name__, url_prefix="/desk")


@bp.get("/notices/<uuid:notice_id>")
@guarded(load_notice, policies.may_see_notice)
def show(notice: Notice) -> ResponseReturnValue:
    return _page(notice)


def _page(notice: Notice, problem: object = None) -> ResponseReturnValue:
    form = AgainForm(None)
    if problem is not None:
        form.refuse(None, problem)
    page = render_template(
        "notices/show.html",
        form=form,
        notice=notice,
        ways=notices.ways_of(notice, calendars(session()).contract).ways,
        stuck=notices.stuck(session(), programme(), now=clock_now(), notice_id=notice.id),
        contacts_of=[(to, _named(to)) for to in notices.recipients(notice.case)],
        called=_named,
    )
    return page, 409 if problem is not None else 200


def _known(notice: Notice, to: str | None) -> Mailbox:
    """The contact of the notice that an address names; else the first."""
    known = notices.recipients(notice.case)
    return next((one for one in known if one == to), known[0])


def _named(to: str) -> str:
    return notice_words.called(to, programme())


@bp.get("/notices/<uuid:notice_id>/paper")
@guarded(load_notice, policies.may_see_notice)
def paper(notice: Notice) -> ResponseReturnValue:
    """The paper, as it goes with the mail to somebody (`?to=`): to print, post or take there."""
    to = _known(notice, request.args.get("to"))
    try:
        data = papers.render(notice_words.paper(notice, programme(), to=to))
    except PaperFailed:
        return _page(notice, "The PDF of this notice could not be made. Copy its text from this page")
    answer = Response(data, mimetype="application/pdf")
    attach(answer, notice_mails.file_name(notice))
    return answer


@bp.route("/notices/<uuid:notice_id>/again", methods=["GET", "POST"])
@guarded(load_notice, policies.may_see_notice)
def again(notice: Notice) -> ResponseReturnValue:
    """One more e-mail, after an address was put right. Asks first: mail that went cannot be called back."""
    notice_id, form = notice.id, AgainForm()
    if request.method == "GET":
        to = _known(notice, request.args.get("to"))
        return render_template(
            "cases/ask.html",
            heading="Send the notice again",
            follows=[
                f"Notice {notice.number} of case {notice.case.ref} goes to {_named(to)} by e-mail once more.",
                "Nobody can call it back. Check first that their address was put right.",
            ],
            action=url_for("notices.again", notice_id=notice_id),
            fields={"to": to.value},
            button="Send it again",
            back=(url_for("notices.show", notice_id=notice_id), f"Notice {notice.number}"),
            keep="Do not send it",
        )
    try:
        with work() as unit:
            notices.send_again(unit, notice_id=notice_id, to=Mailbox(form.to.data))
    except (CaseRefused, ValueError) as problem:
        reloaded = load_notice(notice_id)
        return _page(reloaded if reloaded is not None else notice, problem)
    flash("The notice is on its way again.")
    return redirect(url_for("notices.show", notice_id=notice_id), 303)


@bp.route("/notices/<uuid:notice_id>/carried", methods=["GET", "POST"])
@guarded(load_notice, policies.may_see_notice)
def carried(notice: Notice) -> ResponseReturnValue:
    """Record that it was posted, or left by hand."""
    notice_id = notice.id
    form = TakenThereForm(data={"way": request.args.get("way", "")})
    form.offer((to, _named(to)) for to in notices.recipients(notice.case))
    if form.validate_on_submit():
        try:
            with work() as unit:
                sent = notices.carried(unit, notice_id=notice_id, **form.said)
                posted = sent.way is Way.POST
        except SentBefore as problem:
            say_sent_before(form, problem)
        except (CaseRefused, MissingTime) as problem:
            form.refuse(_field_of(form, getattr(problem, "field", "at")), problem)
        else:
            flash("It counts as served 48 hours after posting." if posted else "It counts as served.")
            return redirect(url_for("notices.show", notice_id=notice_id), 303)
    page = render_template("notices/carried.html", form=form, notice=load_notice(notice_id))
    return page, status_of(form)


@bp.route("/cases/<uuid:case_id>/notices/new", methods=["GET", "POST"])
@guarded(load_case, policies.may_see_case)
def further(case: Case) -> ResponseReturnValue:
    """The next phase: further information, an outcome, or that an instruction looks unlawful."""
    case_id, ref = case.id, case.ref
    kinds = notices.possible(session(), case_id)
    form = FurtherForm(data={"phase": notices.next_number(session(), case_id)})
    form.offer(kinds)
    status = 422
    if form.validate_on_submit():
        try:
            with work() as unit:
                notice_id = notices.further(unit, case_id=case_id, **form.said).id
        except NumberTaken as problem:
            form.refuse(form.text, problem)
            form.phase.data = notices.next_number(session(), case_id)
            status = 409
        except CaseRefused as problem:
            form.refuse(_field_of(form, problem.field), problem)
        else:
            flash("The notice is on its way to the Controller.")
            return redirect(url_for("notices.show", notice_id=notice_id), 303)
    page = render_template("notices/further.html", form=form, case_id=case_id, ref=ref, kinds=kinds)
    return page, status if form.errors else 200


def _field_of(form: TakenThereForm | FurtherForm, name: str) -> Field | None:
    field: Field | None = form._fields.get(name)
    return field
