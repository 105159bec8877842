"""How somebody else signs in: a start code to print, making sure that it was them, restoring what they lost."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.access import codes, factors, levels
from portal.access.factors import FactorUnknown
from portal.actors import roles_of
from portal.models import FactorKind, Level, Person
from portal.people import register as people
from portal.views.context import clock_now, instance, programme, session, today, work
from portal.views.guards import guarded
from portal.views.loaders import load_person

bp = Blueprint("sign_in_help", __name__, url_prefix="/team/people/<uuid:person_id>/sign-in")


def _is_strong(person: Person) -> bool:
    return levels.enters_at(roles_of(person, today())) is Level.PROOF


@bp.get("")
@guarded(load_person, policies.may_help_sign_in)
def show(person: Person) -> ResponseReturnValue:
    held, strong = roles_of(person, today()), _is_strong(person)
    own = factors.ways(session(), person.id, strong=strong, now=clock_now())
    reads_at = levels.reads_at(person, held, reading=programme().reading, on=today())
    return render_template(
        "account/person.html",
        person=person,
        own=own,
        kinds=FactorKind,
        strong=strong,
        needs_more=reads_at is Level.PROOF,
        start=next(iter(own.of(FactorKind.START)), None),
    )


@bp.post("/start-code")
@guarded(load_person, policies.may_help_sign_in, fresh=True)
def start_code(person: Person) -> ResponseReturnValue:
    """A letter with a start code, to print and hand over. Staff who lost theirs are restored instead."""
    own = factors.ways(session(), person.id, strong=_is_strong(person), now=clock_now())
    if own.strong and own.whole:
        abort(409)
    person_id = person.id
    with work() as unit:
        made = factors.hand_start_code(unit, person_id=person_id).id
    return _letter(person_id, made)


def _letter(person_id: UUID, factor_id: UUID) -> str:
    person = session().get_one(Person, person_id)
    return render_template(
        "account/start_letter.html",
        person=person,
        code=codes.code_of(instance().vault.ring, FactorKind.START, factor_id),
        until=clock_now() + factors.START_LIFE,
        address=instance().settings.public_url,
    )


@bp.post("/<uuid:factor_id>/confirm")
@guarded(load_person, policies.may_help_sign_in, fresh=True)
def confirm(person: Person, factor_id: UUID) -> ResponseReturnValue:
    """Somebody rang them, on the number that we hold, and it was them."""
    person_id = person.id
    try:
        with work() as unit:
            factors.confirm(unit, person_id=person_id, factor_id=factor_id)
    except FactorUnknown:
        abort(404)
    flash("It is confirmed. Everything of theirs opens with it.", "success")
    return redirect(url_for("sign_in_help.show", person_id=person_id), 303)


@bp.post("/<uuid:factor_id>/refuse")
@guarded(load_person, policies.may_help_sign_in, fresh=True)
def refuse(person: Person, factor_id: UUID) -> ResponseReturnValue:
    """It was not them: what was set up goes, and every browser is signed out."""
    person_id = person.id
    try:
        with work() as unit:
            factors.refuse(unit, person_id=person_id, factor_id=factor_id)
            people.sign_out_everywhere(unit, person_id=person_id)
    except FactorUnknown:
        abort(404)
    flash("It is gone, and every browser of theirs is signed out.", "success")
    return redirect(url_for("sign_in_help.show", person_id=person_id), 303)


@bp.post("/restore")
@guarded(load_person, policies.may_help_sign_in, fresh=True)
def restore(person: Person) -> ResponseReturnValue:
    """Take away everything that somebody lost, and print them a start code; they and all administrators are told."""
    person_id = person.id
    with work() as unit:
        people.sign_out_everywhere(unit, person_id=person_id)
        made = factors.restore(unit, person_id=person_id).id
    return _letter(person_id, made)
