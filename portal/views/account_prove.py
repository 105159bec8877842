"""Proving whose a browser is: by a passkey, a password, a code from paper; and what is asked on the first way in."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.access import asking, devices, factors, passkey_sign_in, passkeys, proofs
from portal.access.factors import Trust
from portal.access.proofs import Proof
from portal.actors import holds_staff
from portal.forms.proofs import MailboxForm, PaperCodeForm, PasskeyForm, PasswordForm
from portal.models import FactorKind, Level, Person
from portal.views import cookies
from portal.views.account import ACTOR, ASK_COOKIE_LIFE, dead, network
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.guards import guarded, public
from portal.views.letting_in import let_in, onward, site, stepped_up
from portal.views.next_page import kept_next
from portal.views.signed_in import browser

bp = Blueprint("proofs", __name__, url_prefix="/sign-in")

PAUSED = "There were too many wrong tries. Wait 15 minutes, then try again. A passkey still works."
WRONG = "This does not fit. Check it and try again"
WRONG_CODE = "This code is wrong, was used, or is too old"


# ---- proving more


@bp.get("/prove")
@guarded(None, policies.may_see_own, unproved=True)
def prove() -> ResponseReturnValue:
    actor = the_actor()
    if actor.is_in and actor.reads and actor.is_fresh:
        return redirect(kept_next() or url_for("home.start"), 303)
    return _page(_password_form())


def _password_form() -> PasswordForm:
    form, actor = PasswordForm(), the_actor()
    own = factors.ways_of(session(), actor, now=clock_now())
    if own.strong or own.sure(FactorKind.APP):
        form.need_app()
    return form


def _page(form: PasswordForm, status: int = 200) -> ResponseReturnValue:
    own = factors.ways_of(session(), the_actor(), now=clock_now())
    person = session().get_one(Person, the_actor().person_id)
    return render_template(
        "account/prove.html",
        form=form,
        own=own,
        has_passkey=bool(own.sure(FactorKind.PASSKEY)),
        has_password=bool(own.sure(FactorKind.PASSWORD)),
        has_codes=bool(own.of(FactorKind.RECOVERY)),
        can_set_up=factors.trust(the_actor(), own) is Trust.SURE and not own.whole,
        needs_app=own.strong or bool(own.sure(FactorKind.APP)),
        by_team=not holds_staff(person, today()),
        is_demo=instance().demo,
    ), status


@bp.post("/prove")
@guarded(None, policies.may_see_own, unproved=True)
def prove_by_password() -> ResponseReturnValue:
    form, actor = _password_form(), the_actor()
    if not form.validate_on_submit():
        return _page(form, 422)
    if not _reserved():
        form.refuse(form.password, PAUSED)
        return _page(form, 429)
    found = proofs.by_password(
        session(),
        actor.person_id,
        password=form.password.data or "",
        app_code=form.totp.data or "",
        strong=actor.enters_at is Level.PROOF,
        now=clock_now(),
    )
    token = _take(found)
    if token is None:
        form.refuse(form.password, WRONG)
        return _page(form, 422)
    return stepped_up(token)


def _reserved() -> bool:
    """Count a try; False if it must not be looked at."""
    with work() as unit:
        return proofs.reserve(unit, person_id=the_actor().person_id)


def _take(found: Proof | None) -> str | None:
    actor = the_actor()
    with work() as unit:
        return proofs.take(
            unit, found, person_id=actor.person_id, browser_session_id=actor.browser_session_id
        )


@bp.route("/recovery-code", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, unproved=True)
def recovery() -> ResponseReturnValue:
    """One of the ten codes that somebody put into a drawer."""
    return _paper_code(FactorKind.RECOVERY, "account/recovery.html")


@bp.route("/start-code", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, unproved=True)
def start() -> ResponseReturnValue:
    """The code that the team handed over: from then on a passkey or a password can be set up."""
    return _paper_code(FactorKind.START, "account/start.html")


def _paper_code(kind: FactorKind, template: str) -> ResponseReturnValue:
    form, status = PaperCodeForm(), 200
    if form.validate_on_submit():
        if not _reserved():
            form.refuse(form.recovery, PAUSED)
            return render_template(template, form=form), 429
        typed = form.recovery.data or ""
        token = _take(
            proofs.by_code(session(), the_actor().person_id, kind=kind, typed=typed, now=clock_now())
        )
        if token is not None:
            return _set_up_next(token) if kind is FactorKind.START else stepped_up(token)
        form.refuse(form.recovery, WRONG_CODE)
    status = 422 if form.errors else 200
    return render_template(template, form=form), status


def _set_up_next(token: str) -> Response:
    response = redirect(url_for("factors.index"), 303)
    cookies.keep(response, cookies.SESSION, token)
    flash("The code is right. Now set up a passkey or a password.", "success")
    return response


@bp.post("/prove/mail")
@guarded(None, policies.may_see_own, unproved=True)
def prove_by_mail() -> ResponseReturnValue:
    """A fresh code to the mailbox, for those who prove themselves by it alone."""
    person = session().get_one(Person, the_actor().person_id)
    try:
        with work(ACTOR) as unit:
            asked = asking.ask(
                unit,
                address=person.email or "",
                next_path=kept_next(),
                verifier=cookies.read(cookies.ASK),
                network=network(),
                programme=programme(),
            )
    except asking.TooManyAsks:
        abort(429)
    response = redirect(url_for("account.code"), 303)
    cookies.keep(response, cookies.ASK, asked.verifier, lasts=ASK_COOKIE_LIFE)
    return response


@bp.post("/prove/demo")
@guarded(None, policies.may_see_own, unproved=True)
def prove_in_demo() -> ResponseReturnValue:
    """In a demo a button stands for a proof: nobody in it has a device."""
    if not instance().demo:
        abort(404)
    here = the_actor().browser_session_id
    with work() as unit:
        token = devices.add_proof(unit, browser_session_id=here, proof="demo", level=Level.PROOF)
    return stepped_up(token)


# ---- passkeys


@bp.post("/prove/passkey/begin")
@guarded(None, policies.may_see_own, unproved=True)
def begin_passkey_proof() -> ResponseReturnValue:
    actor = the_actor()
    with work() as unit:
        challenge = passkey_sign_in.begin(unit, browser_session_id=actor.browser_session_id)
    own = factors.ways_of(session(), actor, now=clock_now())
    return _json(passkeys.request_options(site(), challenge=challenge, known=passkey_sign_in.known(own)))


@bp.post("/prove/passkey")
@guarded(None, policies.may_see_own, unproved=True)
def prove_by_passkey() -> ResponseReturnValue:
    form, actor, token = PasskeyForm(), the_actor(), None
    if form.validate_on_submit():
        with work() as unit:
            token = passkey_sign_in.prove(
                unit,
                site(),
                answer=form.answer.data or "",
                person_id=actor.person_id,
                browser_session_id=actor.browser_session_id,
            )
    if token is None:
        shown = _password_form()
        shown.refuse(None, "That passkey did not work here. Try again, or another way")
        return _page(shown, 422)
    return stepped_up(token)


@bp.post("/passkey/begin")
@public("people have no account open yet")
def begin_passkey_sign_in() -> ResponseReturnValue:
    try:
        with work(ACTOR) as unit:
            verifier, challenge = passkey_sign_in.begin_sign_in(unit, network=network())
    except asking.TooManyAsks:
        abort(429)
    response = _json(passkeys.request_options(site(), challenge=challenge))
    cookies.keep(response, cookies.PASSKEY, verifier, lasts=passkey_sign_in.LIFE)
    return response


@bp.post("/passkey")
@public("people have no account open yet")
def sign_in_by_passkey() -> ResponseReturnValue:
    form, signed_in, wanted = PasskeyForm(), None, kept_next()
    if form.validate_on_submit():
        with work(ACTOR) as unit:
            signed_in = passkey_sign_in.finish_sign_in(
                unit,
                site(),
                verifier=cookies.read(cookies.PASSKEY),
                answer=form.answer.data or "",
                browser=browser(),
                before=cookies.read(cookies.SESSION),
                programme=programme(),
            )
    return let_in(signed_in.tokens, wanted) if signed_in is not None else dead(422)


def _json(options: str) -> Response:
    return Response(options, mimetype="application/json")


# ---- on the first way in


@bp.route("/mailbox", methods=["GET", "POST"])
@guarded(None, policies.may_see_own)
def mailbox() -> ResponseReturnValue:
    """Whether others read the mailbox: what somebody wrote then opens only with more than a mailed code."""
    form, person_id = MailboxForm(), the_actor().person_id
    if form.validate_on_submit():
        if not policies.may_say_mailbox(the_actor(), shared=form.shared.data == "yes"):
            abort(404)
        with work() as unit:
            factors.say_mailbox(unit, person_id=person_id, shared=form.shared.data == "yes")
        return onward(session().get_one(Person, person_id))
    return render_template("account/mailbox.html", form=form), 422 if form.errors else 200


@bp.route("/passkey-offer", methods=["GET", "POST"])
@guarded(None, policies.may_see_own)
def offer() -> ResponseReturnValue:
    """A passkey is offered to everybody, once; who wants none goes on."""
    actor = the_actor()
    if request.method == "POST":
        with work() as unit:
            factors.note_offered(unit, person_id=actor.person_id)
        if "later" not in request.form:
            return redirect(url_for("factors.index"), 303)
        flash("You find this under “Your sign-in” whenever you like.", "notice")
        return onward(session().get_one(Person, actor.person_id))
    return render_template("account/offer.html", closed=not actor.reads)
