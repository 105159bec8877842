"""The public page of rights: for those who have no account, or cannot sign in."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.access.asking import network_of
from portal.forms.your_data import PublicForm
from portal.own_data import public_requests
from portal.own_data.public_requests import TooManyAsks
from portal.views.context import instance, programme, work
from portal.views.guards import public
from portal.views.refusals import say_sent_before, status_of
from privacy.cases.tables import CaseKind
from privacy.records import new_id
from privacy.sent_before import SentBefore

bp = Blueprint("public_requests", __name__)
ACTOR = "system:public_page"
HELD_BACK = (
    "Too many requests came from here just now. Your words are still on this page. "
    "Send them in an hour, or write to us or ring us: the addresses are below"
)


@bp.route("/your-rights", methods=["GET", "POST"])
@public("a right does not depend on an account; whoever asks learns nothing of what is held")
def ask() -> ResponseReturnValue:
    form = PublicForm(case_id=new_id())
    status = 422
    if form.validate_on_submit():
        try:
            with work(ACTOR) as unit:
                reference = public_requests.ask(
                    unit,
                    programme(),
                    case_id=form.case_id.id_to_make,
                    kind=CaseKind(form.kind.data),
                    name=form.name.data,
                    reach=form.reach.data,
                    text=form.text.data,
                    network=network_of(instance().vault.ring, request.remote_addr),
                )
        except SentBefore as problem:
            say_sent_before(form, problem)
            status = status_of(form)
        except TooManyAsks:
            form.refuse(None, HELD_BACK)
            status = 429
        else:
            flash(f"We have your request. Its number is {reference}. You hear from us.", "success")
            return redirect(url_for("public_requests.ask"), 303)
    return render_template("public_requests/ask.html", form=form), status if form.errors else 200
