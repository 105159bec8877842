"""Who else works with a council or a package, and the log of contacts with them (sch 4 SLAs)."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.models import Package, Partner, PartnerContact, PartnerKind, Way
from portal.packages.states import PackageRefused
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work


class PartnerRefused(PackageRefused):
    """What was said of a partner cannot be: `field` names what it concerns."""

    field = "name"


class WrongDay(PartnerRefused):
    """A contact that is still to come, or a last day before the first."""

    field = "on"


def add(
    work: Work,
    *,
    kind: PartnerKind,
    name: str,
    reached: str,
    from_on: date,
    council_id: UUID | None = None,
    package_id: UUID | None = None,
) -> Partner:
    """Say who else works with a council, or with one package: exactly one of both. Raises PartnerRefused."""
    if not any(letter.isalnum() for letter in name):
        raise PartnerRefused("Enter a name")
    partner = Partner(id=new_id(), council_id=council_id, package_id=package_id, kind=kind, from_on=from_on)
    partner.name, partner.reached = name, reached or None
    work.db.add(partner)
    where = f"council:{council_id}" if council_id is not None else f"package:{package_id}"
    work.record(Action.PARTNER_ADDED, object=f"partner:{partner.id}", holder=partner.id, kind=kind, to=where)
    return partner


def end(work: Work, *, partner_id: UUID, on: date) -> Partner:
    """The last day of a partner's part; again corrects it. Raises WrongDay. LookupError for none."""
    partner = _locked(work, partner_id)
    if on < partner.from_on:
        raise WrongDay("The last day is before the first")
    if partner.to_on != on:
        partner.to_on = on
        work.record(Action.PARTNER_ENDED, object=f"partner:{partner_id}", holder=partner_id, on=on)
    return partner


def note(work: Work, *, partner_id: UUID, on: date, way: Way, about: str) -> PartnerContact:
    """Log a contact. Raises WrongDay for a day to come. LookupError where there is no such partner."""
    partner = _locked(work, partner_id)
    if on > london_date(work.now):
        raise WrongDay("The day is still to come. Log the contact once it has been")
    contact = PartnerContact(
        id=new_id(), partner_id=partner.id, on_day=on, way=way, recorded_at=work.now, by=work.actor
    )
    contact.about = about
    work.db.add(contact)
    work.record(Action.PARTNER_CONTACTED, object=f"partner:{partner_id}", holder=partner_id, on=on, way=way)
    return contact


def _locked(work: Work, partner_id: UUID) -> Partner:
    found = work.db.get(Partner, partner_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise LookupError("no such partner")
    return found


def of_council(db: DbSession, council_id: UUID) -> Sequence[Partner]:
    """Who works or worked with a council, those of its packages too, with their contacts; who does now first."""
    packages = select(Package.id).where(Package.council_id == council_id)
    return _found(db, or_(Partner.council_id == council_id, Partner.package_id.in_(packages)))


def of_package(db: DbSession, package: Package) -> Sequence[Partner]:
    """Who works or worked with a package, or with its council, with their contacts; who does now first."""
    own = Partner.package_id == package.id
    if package.council_id is None:
        return _found(db, own)
    return _found(db, or_(own, Partner.council_id == package.council_id))


def _found(db: DbSession, which: ColumnElement[bool]) -> Sequence[Partner]:
    partners = db.scalars(
        select(Partner)
        .where(which)
        .options(selectinload(Partner.contacts), selectinload(Partner.package))
        .order_by(Partner.from_on, Partner.id)
    ).all()
    return sorted(partners, key=lambda one: one.to_on is not None)
