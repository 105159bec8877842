"""The access review of a quarter: who can see what, confirmed or closed (cl 17.4(c))."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.filters import count
from portal.forms.programme import ConfirmForm
from portal.registers import access_review
from portal.registers.access_review import NotTheirs, OwnAccess
from portal.views.context import session, the_actor, today, work
from portal.views.guards import guarded
from portal.views.refusals import status_of

bp = Blueprint("access_review", __name__, url_prefix="/desk/registers/access")


@bp.get("")
@guarded(None, policies.may_see_access_review)
def index() -> ResponseReturnValue:
    return _page(ConfirmForm(None))


@bp.post("")
@guarded(None, policies.may_review_access)
def decide() -> ResponseReturnValue:
    """Confirm or close what those who are ticked can see."""
    form, kept = ConfirmForm(), request.form.get("act") != "close"
    chosen = {UUID(one) for one in request.form.getlist("person") if _is_id(one)}
    if not chosen:
        form.refuse(None, "Choose at least one person")
    elif form.validate_on_submit():
        try:
            with work() as unit:
                done = access_review.decide(unit, person_ids=chosen, kept=kept, roles=the_actor().roles)
        except (OwnAccess, NotTheirs) as problem:
            form.refuse(None, problem)
        else:
            people = count(done, "person", "people")
            flash(f"{people} confirmed." if kept else f"Access of {people} is closed.", "success")
            return redirect(url_for("access_review.index"), 303)
    return _page(form)


def _page(form: ConfirmForm) -> ResponseReturnValue:
    quarter_on = access_review.open_on(today())
    actor = the_actor()
    rows = access_review.review(session(), quarter_on=quarter_on, on=today())
    mine = {
        one.person.id
        for one in rows
        if one.person.id != actor.person_id and access_review.may_decide(actor.roles, about=one.roles)
    }
    page = render_template(
        "access_review/index.html",
        form=form,
        rows=rows,
        mine=mine,
        sees=access_review.SEES,
        quarter_on=quarter_on,
        lapses_on=access_review.lapses_on(quarter_on),
    )
    return page, status_of(form)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
