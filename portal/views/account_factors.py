"""Your sign-in: the passkeys, passwords and codes with which somebody proves that it is them."""

import base64
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from pyotp.totp import TOTP
from werkzeug import Response

from portal import policies
from portal.access import devices, factors, levels, passkey_sign_in, passkeys, passwords, proofs
from portal.access.factors import FactorUnknown, LastWay, TooMany, Trust, Ways
from portal.access.passkeys import PasskeyRefused
from portal.access.qr import squares
from portal.forms.proofs import AppForm, MailboxForm, NewPasswordForm, PasskeyForm
from portal.models import Factor, FactorKind, Level, Person
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.guards import ask_to_prove, guarded
from portal.views.letting_in import site, stepped_up
from portal.views.next_page import keep_next, kept_next
from portal.views.signed_in import browser

bp = Blueprint("factors", __name__, url_prefix="/your-sign-in")

RING_YOU = (
    "It is set up. We ring you to make sure that it was you. Until then, what you wrote before stays closed."
)


def _own() -> Ways:
    return factors.ways_of(session(), the_actor(), now=clock_now())


def _not_yet(trust: Trust) -> ResponseReturnValue | None:
    """Where somebody goes first who may set nothing up yet."""
    if trust is Trust.STALE:
        return ask_to_prove()
    return redirect(url_for("proofs.start"), 303) if trust is Trust.NOT else None


@bp.get("")
@guarded(None, policies.may_see_own, unproved=True)
def index() -> ResponseReturnValue:
    actor, own = the_actor(), _own()
    trust = factors.trust(actor, own)
    if not actor.is_in and trust is not Trust.SURE:
        return ask_to_prove()
    person = session().get_one(Person, actor.person_id)
    return render_template(
        "account/factors.html",
        own=own,
        kinds=FactorKind,
        unsure=trust is not Trust.SURE and not actor.reads,
        needs_more=actor.reads_at is Level.PROOF,
        can_unshare=bool(person.mailbox_shared) and not levels.shared_by_office(person, on=today()),
        codes_left=len(own.of(FactorKind.RECOVERY)),
        strong=own.strong,
    )


# ---- passkeys


@bp.post("/passkeys/begin")
@guarded(None, policies.may_see_own, unproved=True)
def begin_passkey() -> ResponseReturnValue:
    actor, own = the_actor(), _own()
    if factors.trust(actor, own) not in (Trust.SURE, Trust.UNSURE):
        return {"to": url_for("proofs.prove")}, 409
    with work() as unit:
        challenge = passkey_sign_in.begin(unit, browser_session_id=actor.browser_session_id)
    person = session().get_one(Person, actor.person_id)
    options = passkeys.creation_options(
        site(),
        person_id=actor.person_id,
        address=person.email or person.ref,
        name=actor.name,
        challenge=challenge,
        known=passkey_sign_in.known(_own()),
    )
    return Response(options, mimetype="application/json")


@bp.post("/passkeys")
@guarded(None, policies.may_see_own, unproved=True)
def add_passkey() -> ResponseReturnValue:
    form, actor, trust = PasskeyForm(), the_actor(), factors.trust(the_actor(), _own())
    if (first := _not_yet(trust)) is not None:
        return first
    if form.validate_on_submit():
        try:
            with work() as unit:
                passkey_sign_in.register(
                    unit,
                    site(),
                    answer=form.answer.data or "",
                    person_id=actor.person_id,
                    browser_session_id=actor.browser_session_id,
                    browser=browser(),
                    sure=trust is Trust.SURE,
                )
        except (PasskeyRefused, FactorUnknown):
            flash("That passkey could not be set up. Try again.", "notice")
        except TooMany as problem:
            flash(str(problem), "notice")
        else:
            return _set_up(trust, "passkey", "The passkey is set up.")
    return redirect(url_for("factors.index"), 303)


def _set_up(trust: Trust, proof: str, said: str) -> ResponseReturnValue:
    """After something was set up: whoever can prove everything with it now has just done so."""
    actor, own = the_actor(), _own()
    token = None
    if trust is Trust.SURE and own.whole and actor.level is not Level.PROOF:
        with work() as unit:
            token = devices.add_proof(
                unit, browser_session_id=actor.browser_session_id, proof=proof, level=Level.PROOF
            )
    if token is None:
        flash(said if trust is Trust.SURE else RING_YOU, "success")
        return redirect(url_for("factors.index"), 303)
    if own.strong and not own.of(FactorKind.RECOVERY):
        keep_next(url_for("factors.index"))
    response = stepped_up(token) if kept_next() else _to_index(token)
    flash(said, "success")
    return response


def _to_index(token: str) -> Response:
    keep_next(url_for("factors.index"))
    return stepped_up(token)


# ---- password


@bp.route("/password", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, unproved=True)
def password() -> ResponseReturnValue:
    actor, own = the_actor(), _own()
    trust, form = factors.trust(actor, own), NewPasswordForm()
    if (first := _not_yet(trust)) is not None:
        return first
    # Whoever has forgotten it came by another proof.
    asks_now = bool(own.sure(FactorKind.PASSWORD)) and "password" in actor.proofs
    if asks_now:
        form.need_password_now()
    if form.validate_on_submit() and _fits(form, own if asks_now else None):
        # Outside the work: it takes long, and nobody else writes meanwhile.
        hashed = passwords.hashed(form.new_password.data or "")
        with work() as unit:
            factors.set_password(
                unit,
                person_id=actor.person_id,
                hashed=hashed,
                browser=browser(),
                sure=trust is Trust.SURE,
            )
        return _set_up(trust, "password", "The password is set.")
    return render_template(
        "account/password.html",
        form=form,
        asks_now=asks_now,
        least=passwords.AT_LEAST,
        unsure=trust is Trust.UNSURE,
    ), 422 if form.errors else 200


def _fits(form: NewPasswordForm, own: Ways | None) -> bool:
    """Whether the new password can be one, and the one of before is right where it was asked for."""
    person = session().get_one(Person, the_actor().person_id)
    words = (person.name or "", person.email or "", programme().service_name)
    fault = passwords.fault(form.new_password.data or "", own_words=words)
    if fault:
        form.refuse(form.new_password, fault)
        return False
    if own is None:
        return True
    with work() as unit:
        counted = proofs.reserve(unit, person_id=person.id)
    now_is = form.password_now.data or ""
    right = counted and any(
        passwords.fits((one.secret or {})["hash"], now_is) for one in own.sure(FactorKind.PASSWORD)
    )
    if right:
        with work() as unit:
            proofs.forgive(unit, person_id=the_actor().person_id)
    else:
        form.refuse(form.password_now, "This is not your password now")
    return right


# ---- authenticator app


@bp.route("/app", methods=["GET", "POST"])
@guarded(None, policies.may_see_own, unproved=True)
def app() -> ResponseReturnValue:
    actor, own = the_actor(), _own()
    trust, form = factors.trust(actor, own), AppForm()
    if (first := _not_yet(trust)) is not None:
        return first
    if trust is not Trust.SURE:
        abort(404)
    key = _new_key(own.of(FactorKind.APP))
    if form.validate_on_submit():
        step = proofs.step_of(key, form.totp.data or "", now=clock_now())
        if step is not None:
            with work() as unit:
                factors.set_app(unit, person_id=actor.person_id, secret=key, step=step, browser=browser())
            return _set_up(trust, "app", "The app is set up.")
        form.refuse(form.totp, "This is not the code that the app shows now")
    address = session().get_one(Person, actor.person_id).email or ""
    link = TOTP(key, name=address, issuer=programme().service_name).provisioning_uri()
    return render_template(
        "account/app.html", form=form, picture=squares(link), key=key
    ), 422 if form.errors else 200


def _new_key(before: list[Factor]) -> str:
    """The key of the app that is being set up: the same until it is, so that showing the page writes nothing."""
    parts = (the_actor().browser_session_id.bytes, *(one.id.bytes for one in before))
    made = instance().vault.ring.digest("token", "app key|v1", *parts)
    return base64.b32encode(made[:20]).decode()


# ---- codes, ending, the mailbox


@bp.post("/codes")
@guarded(None, policies.may_see_own, fresh=True)
def codes() -> ResponseReturnValue:
    """Ten new recovery codes, on the one page that ever shows them."""
    if factors.trust(the_actor(), _own()) is not Trust.SURE:
        return ask_to_prove()
    with work() as unit:
        made = factors.make_codes(unit, person_id=the_actor().person_id, browser=browser())
    return render_template("account/codes.html", codes=made)


@bp.post("/<uuid:factor_id>/end")
@guarded(None, policies.may_see_own, fresh=True)
def end(factor_id: UUID) -> ResponseReturnValue:
    actor, own = the_actor(), _own()
    if factors.trust(actor, own) is not Trust.SURE:
        return ask_to_prove()
    try:
        with work() as unit:
            factors.end(unit, person_id=actor.person_id, factor_id=factor_id, strong=own.strong)
    except FactorUnknown:
        abort(404)
    except LastWay as problem:
        flash(str(problem), "notice")
    else:
        flash("It is gone.", "success")
    return redirect(url_for("factors.index"), 303)


@bp.post("/mailbox")
@guarded(None, policies.may_see_own)
def mailbox() -> ResponseReturnValue:
    form, actor = MailboxForm(), the_actor()
    if form.validate_on_submit():
        shared = form.shared.data == "yes"
        if not policies.may_say_mailbox(actor, shared=shared):
            return ask_to_prove()
        with work() as unit:
            factors.say_mailbox(unit, person_id=actor.person_id, shared=shared)
        flash("Saved.", "success")
    return redirect(url_for("factors.index"), 303)
