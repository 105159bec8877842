"""Packages of support: made, agreed, begun, ended; and the ledger of their time.

Beside it: the machine (states.py), who may be in a package (members.py), its goals (goals.py), its time (ledger.py),
its end (endings.py). A rule locks the package first, so that two clicks cannot take it two ways.
"""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import open_offers
from portal.councils import allocations
from portal.councils import facts as council_facts
from portal.councils import register as councils
from portal.councils.facts import Agreement, WrongAgreement
from portal.mailing import queue as mail
from portal.models import (
    Council,
    Package,
    PackageState,
    Participation,
    Role,
    Strand,
)
from portal.packages import goals
from portal.packages import members as matching
from portal.packages.endings import (
    SessionsAhead,
    UnderMinimum,
    WindowClosed,
    WrongEnd,
    end,
    go,
    leave,
    move_end,
    post_window_on,
    words,
)
from portal.packages.ledger import Ledger, ledger, ledgers
from portal.packages.members import locked, was_emptied
from portal.packages.states import Act, FormUsed, NotPossible, PackageRefused, after
from portal.programme import OutsideContract, Programme, require_inside
from portal.references import new_reference
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

__all__ = [
    "Agreement",
    "FormUsed",
    "Ledger",
    "NoReason",
    "NotPossible",
    "OutsideContract",
    "PackageRefused",
    "SessionsAhead",
    "TooShort",
    "UnderMinimum",
    "WindowClosed",
    "WrongAgreement",
    "WrongCouncil",
    "WrongEnd",
    "activate",
    "agree",
    "create",
    "end",
    "invite",
    "invite_one",
    "leave",
    "ledger",
    "ledgers",
    "move_end",
    "post_window_on",
    "waive_baseline",
    "withdraw",
]

TITLE_AT_MOST = 120


class TooShort(PackageRefused):
    """One-to-one support is planned under the minimum (sch 4 SLAs)."""

    field = "planned_days"


class WrongCouncil(PackageRefused):
    """One-to-one support needs a council, and one that exists when support starts."""

    field = "council"


class NoReason(PackageRefused):
    """An act that needs a reason got none."""

    field = "reason"


def create(
    work: Work,
    programme: Programme,
    *,
    strand: Strand,
    council_id: UUID | None,
    members: Sequence[tuple[UUID, Role]],
    mentor_ids: Sequence[UUID],
    goals: Sequence[str],
    planned_minutes: int,
    starts_on: date,
    title: str | None = None,
    agreed: Agreement | None = None,
    package_id: UUID | None = None,
) -> Package:
    """Make a package with its people and goals: agreed where the Department has agreed, else proposed.

    A council that was agreed before needs no second agreement; a national group has no council to agree on. Goals
    of one-to-one support are the leader's, of a group the group's. `package_id` is the new package's own id, where the
    form carries one: the same form again gives the first package. Raises OutsideContract or a PackageRefused.
    """
    if package_id is not None:
        work.wait_turn(f"package:{package_id}")
        first = _sent_before(
            work.db, package_id, strand=strand, council_id=council_id, members=members, title=title
        )
        if first is not None:
            return first
    today = london_date(work.now)
    require_inside(work.db, programme, starts_on, what="The start of support", on=today)
    _require_council(work.db, strand, council_id, starts_on)
    _require_time(programme, strand, planned_minutes)
    member_ids = [person_id for person_id, _ in members]
    # Who is sent twice at once must not get the same support twice.
    work.wait_turn(f"support:{council_id}")
    matching.require_members(work.db, strand=strand, council_id=council_id, members=members, on=starts_on)
    for mentor_id in sorted(set(mentor_ids)):
        work.wait_turn(f"mentor:{mentor_id}")
    matching.require_mentors(
        work.db,
        mentor_ids=mentor_ids,
        council_id=council_id,
        member_ids=member_ids,
        on=max(starts_on, today),
    )
    if agreed is not None and council_id is not None:
        allocations.agree(work, council_id=council_id, agreed=agreed)
    package = Package(
        id=package_id or new_id(),
        ref=new_reference("K"),
        strand=strand,
        state=_first_state(work.db, council_id, today),
        council_id=council_id,
        starts_on=starts_on,
        planned_minutes=planned_minutes,
        created_at=work.now,
    )
    package.title = title or None
    work.db.add(package)
    work.record(
        Action.PACKAGE_CREATED, object=f"package:{package.id}", strand=strand, planned_minutes=planned_minutes
    )
    _fill(work, package, members=members, mentor_ids=mentor_ids, texts=goals)
    return package


def _sent_before(
    db: DbSession,
    package_id: UUID,
    *,
    strand: Strand,
    council_id: UUID | None,
    members: Sequence[tuple[UUID, Role]],
    title: str | None,
) -> Package | None:
    """The package that the same form made before. Raises FormUsed when the id is another package's."""
    first = db.get(Package, package_id, populate_existing=True)
    if first is None:
        return None
    enrolled = {(part.person_id, part.role) for part in first.participations}
    same = (first.strand, first.council_id, first.title) == (strand, council_id, title or None)
    if not same or enrolled != set(members):
        raise FormUsed
    return first


def _fill(
    work: Work,
    package: Package,
    *,
    members: Sequence[tuple[UUID, Role]],
    mentor_ids: Sequence[UUID],
    texts: Sequence[str],
) -> None:
    work.db.flush()
    enrolled = [
        matching.enrol(work, package=package, person_id=person_id, role=role, from_on=package.starts_on)
        for person_id, role in members
    ]
    for mentor_id in dict.fromkeys(mentor_ids):
        matching.serve(work, package=package, person_id=mentor_id, from_on=package.starts_on)
    leader = enrolled[0].id if package.strand is Strand.ONE_TO_ONE else None
    written = [text for text in texts if text.strip()]
    if not written:
        raise goals.NoGoal("Enter at least one goal. Goals are agreed before support starts")
    work.db.flush()
    for text in written:
        goals.write(work, package_id=package.id, leader=leader, text=text)
    work.db.flush()
    work.db.expire(package, ["participations", "mentors", "goals"])


def _require_council(db: DbSession, strand: Strand, council_id: UUID | None, starts_on: date) -> None:
    council = db.get(Council, council_id) if council_id is not None else None
    if council is None and (strand is Strand.ONE_TO_ONE or council_id is not None):
        raise WrongCouncil("Choose the council")
    if council is not None and not councils.is_live(council, starts_on):
        raise WrongCouncil(f"{council.name} does not exist on {words(starts_on)}")


def _require_time(programme: Programme, strand: Strand, planned_minutes: int) -> None:
    if strand is Strand.ONE_TO_ONE and planned_minutes < programme.minimum_minutes:
        raise TooShort(f"Plan at least {programme.minimum_days} days of one-to-one support")
    if planned_minutes < 0:
        raise TooShort("Enter how many days are planned")


def _first_state(db: DbSession, council_id: UUID | None, today: date) -> PackageState:
    if council_id is None:
        return PackageState.AGREED
    agreed = council_facts.agreement(db, council_id, on=today)
    return PackageState.AGREED if agreed is not None else PackageState.PROPOSED


def agree(work: Work, *, package_id: UUID, agreed: Agreement) -> Package:
    """The Department has agreed the council of a proposed package, and with it every proposal there.

    Raises NotPossible or WrongAgreement.
    """
    council_id = work.db.scalar(select(Package.council_id).where(Package.id == package_id))
    if council_id is not None:
        council_facts.lock(work, council_id)
    package = locked(work, package_id)
    after(package.state, Act.AGREE)
    if council_id is not None:
        allocations.agree(work, council_id=council_id, agreed=agreed)
    return package


def invite(work: Work, *, package_id: UUID, only: Collection[UUID] | None = None) -> int:
    """Queue an invitation for everybody who has none yet, or of them only for these participations; returns how many.

    Raises NotPossible.
    """
    package = locked(work, package_id)
    state = after(package.state, Act.INVITE)
    count = 0
    for part in package.participations:
        if part.person_id is None or part.to_on is not None or part.invited_at is not None:
            continue
        if only is not None and part.id not in only:
            continue
        invite_one(work, part)
        count += 1
    go(work, package, state)
    return count


def invite_one(work: Work, part: Participation) -> None:
    """Queue the invitation of one member whose package is invited already."""
    mail.queue(work, template="invitation", about=part.id, to=part.person_id)
    part.invited_at = work.now
    work.record(Action.INVITATION_QUEUED, object=f"participation:{part.id}", holder=part.id)


def activate(work: Work, package: Package) -> None:
    """Support begins with the first session that is booked, logged or scheduled. Raises NotPossible.

    The caller holds the package's lock.
    """
    go(work, package, after(package.state, Act.ACTIVATE))


def waive_baseline(work: Work, *, package_id: UUID, reason: str) -> Package:
    """Let a first session be held without the baseline, for a reason (sch 4 SLAs). Raises NotPossible, NoReason."""
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    if not reason.strip():
        raise NoReason("Say why a first session is held without the baseline")
    package.baseline_waived_at = work.now
    package.waiver = None if was_emptied(package) else reason
    work.record(Action.BASELINE_OVERRIDDEN, object=f"package:{package.id}", holder=package.id)
    return package


def withdraw(work: Work, *, package_id: UUID, reason: str) -> Package:
    """Give a package up before support began, for a reason: it counts for nothing. Raises NotPossible, NoReason."""
    package = locked(work, package_id)
    state = after(package.state, Act.WITHDRAW)
    if not reason.strip():
        raise NoReason("Say why it is given up")
    package.withdrawal = None if was_emptied(package) else reason
    open_offers.withdraw(work, package_id=package.id)
    for part in package.participations:
        mail.drop(work, about=part.id, template="invitation")
    go(work, package, state)
    return package
