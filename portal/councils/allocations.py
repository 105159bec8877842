"""Which councils get support, as agreed with the Department (sch 4 SLAs): agreed now, or no longer.

An agreement belongs to the council. When it begins to hold, its proposed packages are agreed; when it stops to hold,
those that have not begun are proposals again. Support that has begun goes on.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select

from portal.booking import open_offers
from portal.councils import facts as council_facts
from portal.councils import refusals
from portal.councils.facts import Agreement
from portal.models import CouncilFact, Fact, Package, PackageState
from portal.packages.endings import go
from portal.packages.states import Act, after
from privacy.clock import london_date
from privacy.work import Work

NOT_BEGUN = (PackageState.AGREED, PackageState.BASELINE)


def agree(work: Work, *, council_id: UUID, agreed: Agreement) -> CouncilFact:
    """Record that the Department agreed a council; its proposals are agreed with it. Raises WrongAgreement."""
    council_facts.lock(work, council_id)
    fact = council_facts.record_agreement(work, council_id=council_id, agreed=agreed)
    settle(work, council_id)
    return fact


def record(
    work: Work, *, council_id: UUID, fact: Fact, value: str, from_on: date, evidence: str, to_on: date | None
) -> CouncilFact:
    """Add a dated fact. Raises a FactRefused."""
    council_facts.lock(work, council_id)
    return council_facts.record(
        work,
        council_id=council_id,
        fact=fact,
        value=value,
        from_on=from_on,
        evidence=evidence,
        to_on=to_on,
    )


def correct(
    work: Work,
    *,
    fact_id: UUID,
    reason: str,
    value: str,
    from_on: date,
    evidence: str,
    to_on: date | None = None,
    agreed_with: str | None = None,
) -> CouncilFact:
    """Correct a fact; packages follow where it is an agreement. Raises a FactRefused. LookupError for none."""
    council_id = _council_of(work, fact_id)
    right = council_facts.correct(
        work,
        fact_id=fact_id,
        reason=reason,
        value=value,
        from_on=from_on,
        evidence=evidence,
        to_on=to_on,
        agreed_with=agreed_with,
    )
    settle(work, council_id)
    return right


def take_back(work: Work, *, fact_id: UUID, reason: str) -> CouncilFact:
    """It never was so; packages follow where it is an agreement. Raises a FactRefused. LookupError for none."""
    council_id = _council_of(work, fact_id)
    wrong = council_facts.take_back(work, fact_id=fact_id, reason=reason)
    settle(work, council_id)
    return wrong


def end(work: Work, *, fact_id: UUID, on: date, reason: str) -> CouncilFact:
    """It holds no longer from a day on; packages follow where it is an agreement. Raises a FactRefused. LookupError
    for none."""
    council_id = _council_of(work, fact_id)
    ended = council_facts.end(work, fact_id=fact_id, on=on, reason=reason)
    settle(work, council_id)
    return ended


def _council_of(work: Work, fact_id: UUID) -> UUID:
    """The council of a fact, locked."""
    council_id = work.db.scalar(select(CouncilFact.council_id).where(CouncilFact.id == fact_id))
    if council_id is None:
        raise LookupError("no such fact")
    council_facts.lock(work, council_id)
    return council_id


def settle(work: Work, council_id: UUID) -> Sequence[Package]:
    """Bring packages that have not begun in line with the agreement as it holds today; returns those it changed."""
    work.db.flush()
    agreed = council_facts.agreement(work.db, council_id, on=london_date(work.now)) is not None
    if agreed:
        refusals.agreed(work, council_id)
    concerned = (PackageState.PROPOSED,) if agreed else NOT_BEGUN
    packages = work.db.scalars(
        select(Package)
        .where(Package.council_id == council_id, Package.state.in_(concerned))
        .order_by(Package.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for package in packages:
        if agreed:
            _agreed(work, package)
        else:
            _proposed_again(work, package)
    return packages


def _agreed(work: Work, package: Package) -> None:
    go(work, package, after(package.state, Act.AGREE))
    if any(part.invited_at is not None for part in package.participations):
        # They were invited before the agreement was withdrawn for a while, and have the invitation still.
        go(work, package, after(package.state, Act.INVITE))


def _proposed_again(work: Work, package: Package) -> None:
    open_offers.withdraw(work, package_id=package.id)
    go(work, package, after(package.state, Act.DISAGREE))
