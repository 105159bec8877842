"""What waits for a second person: agree or not; and asking for a key to be destroyed, which no other page does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.cases import redaction as case_redaction
from portal.cases import words as case_words
from portal.desk import approval_facts, approval_words, approvals, key_report
from portal.desk.approval_facts import Behind
from portal.desk.approvals import NotWaiting, NoWhy, SamePerson
from portal.forms.approvals import NotAgreeForm, RetireForm
from portal.forms.person_desk import CAUSES
from portal.models import Approval, SecondAct
from portal.views.context import clock_now, instance, session, the_actor, work
from portal.views.guards import guarded
from portal.views.refusals import status_of
from privacy.erasure import NoInstruction

bp = Blueprint("approvals", __name__, url_prefix="/second-person")
WAITS = "A second person has to agree first. Whoever can is told by mail, and finds it under “Second person”."

TOO_LATE = "Somebody answered it just now, or it is too old. Look at what waits"


def load_approval(approval_id: UUID) -> Approval | None:
    return session().get(Approval, approval_id)


@bp.get("")
@guarded(None, policies.may_see_approvals)
def index() -> ResponseReturnValue:
    return _page(_retiring())


@bp.post("/keys")
@guarded(None, policies.may_answer_for_data)
def retire() -> ResponseReturnValue:
    """Ask that a key be destroyed, so that the command may do it."""
    form = _retiring()
    if not form.validate_on_submit():
        return _page(form, 422)
    key, letter = f"key:{form.key.data}", form.letter.data
    try:
        with work() as unit:
            approvals.ask(unit, act=SecondAct.KEY, thing=key, letter=letter)
    except NoInstruction as problem:
        form.refuse(form.letter, problem)
        return _page(form, 422)
    flash(WAITS, "success")
    return redirect(url_for("approvals.index"), 303)


@bp.post("/<uuid:approval_id>/agree")
@guarded(load_approval, policies.may_be_second, fresh=True)
def agree(approval: Approval) -> ResponseReturnValue:
    approval_id = approval.id
    try:
        with work() as unit:
            approvals.agree(unit, approval_id=approval_id)
    except (NotWaiting, SamePerson):
        form = _retiring(formdata=None)
        form.refuse(None, TOO_LATE)
        return _page(form, 409)
    flash("You agreed. It can be done now.", "success")
    return redirect(url_for("approvals.index"), 303)


@bp.route("/<uuid:approval_id>/refuse", methods=["GET", "POST"])
@guarded(load_approval, policies.may_be_second)
def refuse(approval: Approval) -> ResponseReturnValue:
    """Do not agree, and say why: whoever asked is told."""
    form, approval_id = NotAgreeForm(), approval.id
    if form.validate_on_submit():
        try:
            with work() as unit:
                approvals.refuse(unit, approval_id=approval_id, why=form.why.data or "")
        except NoWhy as problem:
            form.refuse(form.why, problem)
        except (NotWaiting, SamePerson):
            form.refuse(None, TOO_LATE)
            form.too_late = True
        else:
            flash("You did not agree. It is not done, and whoever asked is told.", "success")
            return redirect(url_for("approvals.index"), 303)
    said, asked_by = _told(approval_id)
    page = render_template(
        "approvals/refuse.html", form=form, approval_id=approval_id, said=said, asked_by=asked_by
    )
    return page, status_of(form)


@bp.get("/<uuid:approval_id>")
@guarded(load_approval, policies.may_see_answer)
def show(approval: Approval) -> ResponseReturnValue:
    """Why the second person did not agree, for who asked."""
    said, asked_by = _told(approval.id)
    return render_template(
        "approvals/show.html",
        row=approval,
        said=said,
        asked_by=asked_by,
        answered_by=approval_words.who(session(), approval.answered_by),
        may_see_others=policies.may_see_approvals(the_actor()),
    )


def _told(approval_id: UUID) -> tuple[str, str]:
    """What it is about, and who asked."""
    row = session().get_one(Approval, approval_id)
    return approval_words.told(session(), [row])[row.id]


def _retiring(**options: Any) -> RetireForm:
    form = RetireForm(**options)
    form.offer(key_report.can_go(instance(), now=clock_now()))
    return form


@dataclass(frozen=True)
class Row:
    """One line of the page."""

    row: Approval
    said: str
    asked_by: str
    second: bool
    behind: Behind
    may_see_person: bool

    @property
    def until(self) -> datetime:
        return self.row.ends_at


def _page(form: RetireForm, status: int = 200) -> ResponseReturnValue:
    actor = the_actor()
    found = approvals.live(session(), reader=actor.ref, now=clock_now())
    told = approval_words.told(session(), found)
    facts = approval_facts.behind(session(), found, now=clock_now())
    rows = [
        _row(one, *told[one.id], facts[one.id])
        for one in found
        if not approval_facts.is_done(one, facts[one.id])
    ]
    copies = [one for one in case_redaction.waiting(session()) if policies.may_see_case(actor, one.case)]
    page = render_template(
        "approvals/index.html",
        form=form,
        rows=rows,
        copies=[(one, policies.may_approve_copies(actor, one)) for one in copies],
        may_see_case=lambda case: policies.may_see_case(actor, case),
        asks_for_keys=policies.may_answer_for_data(actor),
        causes=CAUSES,
        words=case_words,
    )
    return page, status


def _row(row: Approval, said: str, asked_by: str, behind: Behind) -> Row:
    actor, person = the_actor(), behind.person
    may_see_person = person is not None and policies.may_answer_for(actor, person)
    return Row(row, said, asked_by, policies.may_be_second(actor, row), behind, may_see_person)
