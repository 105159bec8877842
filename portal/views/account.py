"""Signing in and out, own devices, and the accounts of staff."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.access import accounts, asking, devices
from portal.actors import roles_on
from portal.desk import approvals
from portal.forms.account import AskForm, FinishForm, LinkForm
from portal.models import Person
from portal.people import register as people
from portal.people import staff
from portal.views import cookies
from portal.views.context import (
    clock_now,
    current_actor,
    instance,
    programme,
    session,
    the_actor,
    today,
    work,
)
from portal.views.guards import guarded, public
from portal.views.letting_in import let_in
from portal.views.next_page import kept_next
from portal.views.signed_in import browser, install
from portal.views.staying import signed_out

__all__ = ["bp", "install"]

bp = Blueprint("account", __name__)

ACTOR = "system:sign-in"
# Longer than a sign-in waits, so that its page can still send a new one.
ASK_COOKIE_LIFE = timedelta(minutes=15)
BEFORE = "people have no account open yet"


# ---- signing in


@bp.route("/sign-in", methods=["GET", "POST"])
@public(BEFORE)
def sign_in() -> ResponseReturnValue:
    wanted = kept_next()
    if current_actor() is not None and "again" not in request.form:
        return redirect(wanted or url_for("home.start"), 303)
    form = AskForm()
    try:
        if "again" in request.form:
            return _ask_again()
        if form.validate_on_submit():
            return _ask(form, wanted)
    except asking.TooManyAsks:
        abort(429)
    return _sign_in_page(form), 422 if form.errors else 200


def _sign_in_page(form: AskForm) -> str:
    token = cookies.read(cookies.DEVICE)
    device = devices.live_device(session(), token, now=clock_now(), programme=programme()) if token else None
    demo = staff.demo_people(session(), on=today()) if instance().demo else []
    return render_template("account/sign_in.html", form=form, device=device, demo_people=demo)


def network() -> bytes | None:
    return asking.network_of(instance().vault.ring, request.remote_addr)


def _ask(form: AskForm, wanted: str | None) -> ResponseReturnValue:
    with work(ACTOR) as unit:
        asked = asking.ask(
            unit,
            address=form.email.data,
            next_path=wanted,
            verifier=cookies.read(cookies.ASK),
            network=network(),
            programme=programme(),
        )
    return _asked(asked)


def _ask_again() -> ResponseReturnValue:
    try:
        with work(ACTOR) as unit:
            verifier = cookies.read(cookies.ASK) or ""
            asked = asking.ask_again(unit, verifier=verifier, network=network(), programme=programme())
    except accounts.LinkDead:
        return redirect(url_for("account.sign_in"), 303)
    return _asked(asked)


def _asked(asked: asking.Asked) -> Response:
    response = redirect(url_for("account.code"), 303)
    cookies.keep(response, cookies.ASK, asked.verifier, lasts=ASK_COOKIE_LIFE)
    return response


@bp.get("/sign-in/code")
@public(BEFORE)
def code() -> ResponseReturnValue:
    # Who is signed in may still ask for a code, to prove anew that the mailbox is theirs.
    if cookies.read(cookies.ASK) is None:
        return redirect(url_for("home.start" if current_actor() else "account.sign_in"), 303)
    return render_template("account/code.html", form=FinishForm())


@bp.get("/sign-in/l/<token>")
@public(BEFORE)
def link(token: str) -> ResponseReturnValue:
    actor, found = current_actor(), None
    with suppress(accounts.LinkDead):
        found = accounts.look(session(), token, verifier=cookies.read(cookies.ASK), now=clock_now())
    if actor is not None and not (found is not None and found.mine):
        # People click twice: whoever is in already just goes on, but for who asked here to prove it anew.
        return redirect(accounts.next_path_of(session(), token) or url_for("home.start"), 303)
    if found is None:
        return dead(410)
    if not found.mine:
        return render_template("account/other_browser.html", code=found.code)
    return render_template("account/link.html", form=LinkForm(), token=token)


@bp.post("/sign-in/finish")
@public(BEFORE)
def finish() -> ResponseReturnValue:
    token = request.form.get("token")
    form = FinishForm() if token is None else LinkForm()
    if not form.validate_on_submit():
        return render_template("account/code.html", form=form), 422
    with work(ACTOR) as unit:
        signed_in = accounts.finish(
            unit,
            verifier=cookies.read(cookies.ASK),
            token=token,
            code=form.code.data if token is None else "",
            keep_device=form.device.data,
            browser=browser(),
            before=cookies.read(cookies.SESSION),
            programme=programme(),
        )
    if signed_in is None:
        return dead(422)
    return let_in(signed_in.tokens, signed_in.next_path)


def dead(status: int) -> ResponseReturnValue:
    return render_template("account/dead.html"), status


@bp.post("/sign-in/continue")
@public("a kept device opens a sign-in of its own")
def carry_on() -> ResponseReturnValue:
    wanted = kept_next()
    try:
        with work(ACTOR) as unit:
            token = cookies.read(cookies.DEVICE) or ""
            before = cookies.read(cookies.SESSION)
            tokens = devices.carry_on(
                unit, device_token=token, browser=browser(), before=before, programme=programme()
            )
    except devices.DeviceUnknown:
        response = redirect(url_for("account.sign_in"), 303)
        cookies.forget(response, cookies.DEVICE)
        return response
    return let_in(tokens, wanted)


@bp.post("/sign-in/demo")
@public("a demo is open to anybody, and everybody in it is made up")
def enter_demo() -> ResponseReturnValue:
    if not instance().demo:
        abort(404)
    try:
        with work(ACTOR) as unit:
            address = request.form.get("demo_person", "")
            signed_in = accounts.enter_demo(
                unit,
                address=address,
                browser=browser(),
                before=cookies.read(cookies.SESSION),
                programme=programme(),
            )
    except accounts.LinkDead:
        return dead(422)
    return let_in(signed_in.tokens, kept_next(), asks=False)


@bp.route("/sign-in/o/<token>", methods=["GET", "POST"])
@public("an operator hands the link over by another way than mail")
def operator_link(token: str) -> ResponseReturnValue:
    try:
        if request.method == "POST":
            with work(ACTOR) as unit:
                signed_in = accounts.use_operator_link(
                    unit,
                    token=token,
                    browser=browser(),
                    before=cookies.read(cookies.SESSION),
                    programme=programme(),
                )
            return let_in(signed_in.tokens, signed_in.next_path)
        accounts.look_at_operator_link(session(), token, now=clock_now())
    except accounts.LinkDead:
        return dead(410)
    return render_template("account/operator_link.html", token=token)


@bp.post("/sign-out")
@public("it ends nothing but one's own sign-in")
def sign_out() -> ResponseReturnValue:
    actor = current_actor()
    if actor is not None:
        with work() as unit:
            devices.sign_out(
                unit,
                browser_session_id=actor.browser_session_id,
                device_token=cookies.read(cookies.DEVICE),
            )
    return signed_out("You have signed out.")


# ---- own devices


@bp.get("/your-devices", endpoint="devices")
@guarded(None, policies.may_see_own)
def your_devices() -> ResponseReturnValue:
    actor = the_actor()
    rows = devices.own(session(), actor.person_id, now=clock_now())
    return render_template("account/devices.html", rows=rows, this=actor.browser_session_id)


@bp.post("/your-devices/<uuid:browser_session_id>/end")
@guarded(None, policies.may_see_own)
def end_device(browser_session_id: UUID) -> ResponseReturnValue:
    actor = the_actor()
    try:
        with work() as unit:
            devices.end_device(unit, browser_session_id=browser_session_id, person_id=actor.person_id)
    except devices.DeviceUnknown:
        abort(404)
    if browser_session_id == actor.browser_session_id:
        return signed_out("You have signed out.")
    flash("That browser is signed out.", "success")
    return redirect(url_for("account.devices"), 303)


# ---- accounts of staff


def _staff_member(person_id: UUID) -> Person | None:
    return staff.staff_member(session(), person_id)


@bp.get("/accounts", endpoint="accounts")
@guarded(None, policies.may_manage_accounts)
def staff_accounts() -> ResponseReturnValue:
    rows = [
        (person, [programme().roles[role] for role in sorted(roles_on(person, today()))])
        for person in staff.staff(session())
    ]
    waits = approvals.waiting_for(session(), the_actor().ref, now=clock_now())
    return render_template("account/accounts.html", rows=rows, to_agree=waits)


@bp.route("/accounts/<uuid:person_id>/disable", methods=["GET", "POST"])
@guarded(_staff_member, policies.may_manage_account)
def disable(person: Person) -> ResponseReturnValue:
    """Who is left when an account is closed, and the button that closes it."""
    if request.method == "GET":
        lasts = [programme().roles[role] for role in staff.left_without(session(), person, on=today())]
        return render_template("account/close.html", person=person, lasts=lasts)
    try:
        with work() as unit:
            people.disable(unit, person_id=person.id)
    except people.AdministratorsOnly as problem:
        flash(str(problem), "notice")
    else:
        flash("The account is closed. Every browser is signed out.", "success")
    return redirect(url_for("account.accounts"), 303)


@bp.post("/accounts/<uuid:person_id>/enable")
@guarded(_staff_member, policies.may_manage_account)
def enable(person: Person) -> ResponseReturnValue:
    try:
        with work() as unit:
            people.enable(unit, person_id=person.id)
    except people.AdministratorsOnly as problem:
        flash(str(problem), "notice")
    else:
        flash("The account is open again.", "success")
    return redirect(url_for("account.accounts"), 303)
