"""Partners of a council or a package: who they are, until when, and the contacts with them."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from portal import policies
from portal.councils import partners
from portal.forms.partners import KINDS, ContactForm, PartnerEndForm, PartnerForm
from portal.forms.programme import day
from portal.models import Council, Package, Partner
from portal.views.context import today
from portal.views.guards import guarded
from portal.views.loaders import load_council, load_package, load_partner
from portal.views.refusals import carry_out, status_of

bp = Blueprint("partners", __name__, url_prefix="/team")


@bp.route("/councils/<uuid:council_id>/partners", methods=["GET", "POST"])
@guarded(load_council, policies.may_see_team_page)
def of_council(council: Council) -> ResponseReturnValue:
    back = url_for("councils.show", council_id=council.id)
    action = url_for("partners.of_council", council_id=council.id)
    return _new({"council_id": council.id}, where=council.name, back=back, action=action)


@bp.route("/packages/<uuid:package_id>/partners", methods=["GET", "POST"])
@guarded(load_package, policies.may_see_team_page)
def of_package(package: Package) -> ResponseReturnValue:
    back = url_for("packages.show", package_id=package.id)
    action = url_for("partners.of_package", package_id=package.id)
    return _new({"package_id": package.id}, where=f"Package {package.ref}", back=back, action=action)


@bp.route("/partners/<uuid:partner_id>/end", methods=["GET", "POST"])
@guarded(load_partner, policies.may_see_team_page)
def end(partner: Partner) -> ResponseReturnValue:
    form, partner_id, back = PartnerEndForm(on=partner.to_on or today()), partner.id, _home_of(partner)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: partners.end(unit, partner_id=partner_id, on=day(form.on))
    ):
        return _done("Their last day is saved.", back)
    return render_template("partners/end.html", form=form, partner=partner, back=back), status_of(form)


@bp.route("/partners/<uuid:partner_id>/contacts", methods=["GET", "POST"])
@guarded(load_partner, policies.may_see_team_page)
def contact(partner: Partner) -> ResponseReturnValue:
    form, partner_id, back = ContactForm(on=today()), partner.id, _home_of(partner)
    if form.validate_on_submit() and carry_out(
        form, lambda unit: partners.note(unit, partner_id=partner_id, **form.said)
    ):
        return _done("The contact is logged.", back)
    page = render_template("partners/contact.html", form=form, partner=partner, back=back, kinds=KINDS)
    return page, status_of(form)


def _new(at: dict[str, Any], *, where: str, back: str, action: str) -> ResponseReturnValue:
    form = PartnerForm(from_on=today())
    if form.validate_on_submit() and carry_out(form, lambda unit: partners.add(unit, **at, **form.said)):
        return _done("The partner is added.", back)
    page = render_template("partners/new.html", form=form, where=where, back=back, action=action)
    return page, status_of(form)


def _home_of(partner: Partner) -> str:
    if partner.council_id is not None:
        return url_for("councils.show", council_id=partner.council_id)
    return url_for("packages.show", package_id=partner.package_id)


def _done(said: str, to: str) -> Response:
    flash(said, "success")
    return redirect(to, 303)
