"""A role passes on, or somebody's place in one package does: who follows, what goes on, and the coming sessions."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.filters import count
from portal.forms.churn import PassOnForm
from portal.models import PARTICIPANT, Office, Participation
from portal.packages import churn
from portal.packages.churn import Outcome
from portal.packages.members import OVER
from portal.people import directory
from portal.views.context import clock_now, programme, session, today
from portal.views.guards import guarded
from portal.views.loaders import load_member, load_office
from portal.views.refusals import carry_out, status_of

bp = Blueprint("churn", __name__, url_prefix="/team")


def load_held_office(person_id: UUID, office_id: UUID) -> Office | None:
    """An office of that person in which people are supported."""
    office = load_office(person_id, office_id)
    return office if office is not None and office.role in PARTICIPANT else None


def load_taking_part(package_id: UUID, participation_id: UUID) -> Participation | None:
    """Somebody who takes part in that package still, while it is not over."""
    part = load_member(package_id, participation_id)
    goes_on = part is not None and part.to_on is None and part.package.state not in OVER
    return part if goes_on else None


@bp.route("/people/<uuid:person_id>/offices/<uuid:office_id>/pass-on", methods=["GET", "POST"])
@guarded(load_held_office, policies.may_see_team_page)
def pass_on(office: Office) -> ResponseReturnValue:
    person_id, office_id, role, council_id = office.person_id, office.id, office.role, office.council_id
    found = churn.running(session(), person_id=person_id, role=role, council_id=council_id, now=clock_now())
    form = PassOnForm(
        on=office.to_on or today(), moves=[str(one.part.id) for one in found], with_sessions=True
    )
    others = directory.office_holders(session(), council_id, on=today())
    form.offer(programme(), found, [one for one in others if one.person_id != person_id and one.role is role])
    if form.validate_on_submit():
        terms = form.terms(role)
        outcome = carry_out(
            form,
            lambda unit: churn.pass_on(
                unit, programme(), person_id=person_id, office_id=office_id, terms=terms
            ),
        )
        if outcome is not None:
            return _done(outcome, url_for("people.show", person_id=person_id))
    return render_template(
        "people/pass_on.html",
        form=form,
        found=found,
        name=office.person.name or office.person.ref,
        role=role,
        council=office.council,
        back=url_for("people.show", person_id=person_id),
    ), status_of(form)


@bp.route("/packages/<uuid:package_id>/members/<uuid:participation_id>/replace", methods=["GET", "POST"])
@guarded(load_taking_part, policies.may_see_team_page)
def replace(part: Participation) -> ResponseReturnValue:
    part_id, person_id, role, package = part.id, part.person_id, part.role, part.package
    package_id, council_id = package.id, package.council_id
    found = [churn.support_of(session(), part, now=clock_now())]
    form = PassOnForm(on=today(), moves=[str(part_id)], with_sessions=True)
    others = directory.office_holders(session(), council_id, on=today())
    form.offer(
        programme(), found, [one for one in others if one.person_id != person_id], new=council_id is not None
    )
    if form.validate_on_submit():
        terms = form.terms(role)
        outcome = carry_out(
            form, lambda unit: churn.replace(unit, programme(), participation_id=part_id, terms=terms)
        )
        if outcome is not None:
            return _done(outcome, url_for("packages.show", package_id=(outcome.moved or [package_id])[0]))
    name = part.person.name or part.person.ref if part.person is not None else ""
    return render_template(
        "people/pass_on.html",
        form=form,
        found=found,
        name=name,
        role=role,
        council=package.council,
        back=url_for("packages.show", package_id=package_id),
    ), status_of(form)


def _done(outcome: Outcome, to: str) -> Response:
    """Say what came of it, and lead on."""
    said = []
    if outcome.moved:
        said.append(f"{count(len(outcome.moved), 'package goes', 'packages go')} on with who follows.")
    if outcome.ended:
        said.append(f"Support has ended in {count(len(outcome.ended), 'package', 'packages')}.")
    if outcome.passed_on:
        said.append(f"{count(outcome.passed_on, 'session has', 'sessions have')} passed on.")
    if outcome.cancelled:
        said.append(f"{count(outcome.cancelled, 'session', 'sessions')} cancelled for who leaves.")
    flash(" ".join(said) or "The last day is saved.", "success")
    return redirect(to, 303)
