"""Invitations and reminders to many: chosen, looked at, sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.filters import count
from portal.forms.sendings import ChosenForm
from portal.mailing import sendings, writing
from portal.mailing.sendings import Addressee, Listed
from portal.views.context import clock_now, instance, programme, session, today, work
from portal.views.guards import guarded
from privacy.work import Work

bp = Blueprint("sendings", __name__, url_prefix="/team/mail")


@dataclass(frozen=True)
class Kind:
    """What can be sent to many: the words of its pages, who could get it, and what sends it."""

    title: str
    one: str
    many: str
    nobody: str
    listed: Callable[[], Listed]
    send: Callable[[Work, Sequence[str]], int]


KINDS = {
    "invitations": Kind(
        "Invite people",
        "invitation",
        "invitations",
        "Everybody whose support is agreed is invited.",
        lambda: Listed(sendings.to_invite(session(), now=clock_now())),
        lambda unit, keys: sendings.invite(unit, keys=keys),
    ),
    "reminders": Kind(
        "Remind people",
        "reminder",
        "reminders",
        "Nobody has a questionnaire left to answer.",
        lambda: Listed(sendings.to_remind(session(), programme(), now=clock_now())),
        lambda unit, keys: sendings.remind(unit, programme(), keys=keys),
    ),
}


@bp.route("/<sending>", methods=["GET", "POST"])
@guarded(None, policies.may_run_programme)
def choose(sending: str) -> ResponseReturnValue:
    """Who could get one; sent, it shows who will, in the words that go; sent again from there, it goes."""
    sent = KINDS.get(sending) or abort(404)
    listed = sent.listed()
    form = ChosenForm()
    form.offer(listed.going, ticked=request.args.get("tick") != "none")
    if form.validate_on_submit():
        keys = form.chosen.data or []
        if "send" not in request.form:
            return _check(sending, sent, [one for one in listed.going if one.key in keys])
        with work() as unit:
            number = sent.send(unit, keys)
        return _sent(sending, sent, number)
    if "send" in request.form and request.form.getlist("chosen") and not form.chosen.data:
        # Sent twice, or too late: nobody who was chosen can get one any more.
        return _sent(sending, sent, 0)
    return render_template(
        "sendings/choose.html", sending=sending, sent=sent, form=form, today=today(), listed=listed
    ), 422 if form.errors else 200


def _sent(sending: str, sent: Kind, number: int) -> ResponseReturnValue:
    if number:
        flash(f"{count(number, sent.one, sent.many)} will go out.", "success")
    else:
        flash("Nobody whom you chose can get one any more. Nothing was sent.", "notice")
    return redirect(url_for("sendings.choose", sending=sending), 303)


def _check(sending: str, sent: Kind, chosen: Sequence[Addressee]) -> ResponseReturnValue:
    """Who gets what, with one person's mail to read: the first one's, or whose was asked for."""
    read = next((one for one in chosen if one.key == request.form.get("read")), chosen[0])
    words = writing.sample(
        session(),
        instance(),
        template=read.template,
        about=read.part.id,
        step=read.step,
        reader=read.person,
    )
    return render_template(
        "sendings/check.html",
        sending=sending,
        sent=sent,
        chosen=chosen,
        read=read,
        words=words,
        today=today(),
    )
