"""The register of interests: what ties those who deliver to a council, and the statement of it (annex 2).

An interest that holds, or will, keeps a mentor out of packages in that council. What is over stays on the register.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.mentors.clearances import RecordRefused
from portal.models import Council, Interest, MentorChoice, Package, PackageMentor
from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work

WORDS_AT_MOST = 1000


class InterestRefused(RecordRefused):
    """An interest that cannot be recorded like this."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Affected:
    """A declared interest, and the packages in its council that the person serves all the same."""

    interest: Interest
    packages: Sequence[Package]


@dataclass(frozen=True)
class Statement:
    """What the Department is told of conflicts of interest on a day (annex 2, 4.2)."""

    on: date
    declared: Sequence[Affected]
    set_aside: Sequence[tuple[MentorChoice, Package]]


def declare(
    work: Work,
    *,
    person_id: UUID,
    council_id: UUID,
    nature: str,
    from_on: date,
    to_on: date | None = None,
    action: str | None = None,
) -> Interest:
    """Add an interest. Raises InterestRefused."""
    _check(work, council_id=council_id, nature=nature, from_on=from_on, to_on=to_on)
    row = Interest(
        id=new_id(),
        person_id=person_id,
        council_id=council_id,
        from_on=from_on,
        to_on=to_on,
        declared_at=work.now,
        by=work.actor,
    )
    row.nature, row.action = nature, action or None
    work.db.add(row)
    work.record(Action.INTEREST_DECLARED, object=f"person:{person_id}", holder=person_id, council=council_id)
    return row


def change(work: Work, *, interest_id: UUID, to_on: date | None, action: str | None) -> Interest:
    """Set the last day of an interest, and what was done about it. Raises InterestRefused."""
    row = work.db.get_one(Interest, interest_id, populate_existing=True, with_for_update=True)
    if to_on is not None and to_on < row.from_on:
        raise InterestRefused("The last day is before the first", field="to_on")
    row.to_on, row.action = to_on, action or None
    work.record(
        Action.INTEREST_CHANGED, object=f"interest:{row.id}", holder=row.person_id, council=row.council_id
    )
    return row


def of_person(db: DbSession, person_id: UUID) -> Sequence[Interest]:
    """Somebody's interests, the newest first."""
    return db.scalars(
        select(Interest)
        .where(Interest.person_id == person_id)
        .options(joinedload(Interest.council))
        .order_by(Interest.from_on.desc(), Interest.id)
    ).all()


def held_in(
    db: DbSession, person_ids: Collection[UUID], *, council_ids: Collection[UUID], on: date
) -> set[UUID]:
    """Who of these people has an interest in one of these councils that holds on a day or later."""
    return set(
        db.scalars(
            select(Interest.person_id).where(
                Interest.person_id.in_(person_ids),
                Interest.council_id.in_(council_ids),
                or_(Interest.to_on.is_(None), Interest.to_on >= on),
            )
        )
    )


def statement(db: DbSession, *, on: date) -> Statement:
    """Everything declared, what was done about it, and what was set aside in choosing mentors. Fixed queries."""
    declared = db.scalars(
        select(Interest)
        .options(joinedload(Interest.person), joinedload(Interest.council))
        .order_by(Interest.from_on, Interest.id)
    ).all()
    serving: dict[tuple[UUID, UUID], list[Package]] = {}
    served = (
        select(PackageMentor)
        .join(PackageMentor.package)
        .where(
            PackageMentor.person_id.in_([one.person_id for one in declared]),
            or_(PackageMentor.to_on.is_(None), PackageMentor.to_on >= on),
            Package.state.not_in(["ended", "withdrawn"]),
        )
        .options(joinedload(PackageMentor.package))
    )
    for one in db.scalars(served):
        if one.package.council_id is not None:
            serving.setdefault((one.person_id, one.package.council_id), []).append(one.package)
    aside = db.execute(
        select(MentorChoice, Package)
        .join(Package, Package.id == MentorChoice.package_id)
        .where(MentorChoice.overridden.is_(True))
        .options(joinedload(MentorChoice.mentor), joinedload(Package.council))
        .order_by(MentorChoice.chosen_at)
    ).all()
    return Statement(
        on=on,
        declared=[Affected(one, serving.get((one.person_id, one.council_id), [])) for one in declared],
        set_aside=[(row[0], row[1]) for row in aside],
    )


def _check(work: Work, *, council_id: UUID, nature: str, from_on: date, to_on: date | None) -> None:
    if work.db.get(Council, council_id) is None:
        raise InterestRefused("Choose a council", field="council")
    if not nature.strip():
        raise InterestRefused("Say what the interest is", field="nature")
    if to_on is not None and to_on < from_on:
        raise InterestRefused("The last day is before the first", field="to_on")
