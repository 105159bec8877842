"""Times in which a council, or every council, has no sessions: the pre-election period, full council, recess."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.booking import clashes, diary
from portal.booking.availability import Interval, stretch
from portal.booking.diary import Refused
from portal.booking.leave import checked, when
from portal.models import Blackout
from privacy.audit import Action
from privacy.clock import MINUTES_IN_DAY, london_date
from privacy.records import new_id
from privacy.work import Work

NAME_AT_MOST = 60


class NoSessionsThen(Refused):
    """The council has no sessions at that time; the message says what it is called, and until when."""

    def __init__(self, blackout: Blackout) -> None:
        super().__init__(f"There are no sessions then: {words(blackout)}. Choose another time")


def words(blackout: Blackout) -> str:
    """What those who book are told, such as "Pre-election period, 20 March 2023 to 4 May 2023"."""
    return f"{blackout.name or 'Closed'}, {when(blackout)}"


def span_of(row: Blackout) -> Interval:
    """The stretch as instants."""
    return stretch(row.from_on, row.from_minute, row.to_on, row.to_minute)


def add(
    work: Work,
    *,
    council_id: UUID | None,
    name: str,
    from_on: date,
    to_on: date,
    from_minute: int = 0,
    to_minute: int = MINUTES_IN_DAY,
    despite: bool = False,
) -> Blackout:
    """Book no session of a council (None: of any) in a stretch of time.

    Sessions that are booked stay; without `despite` they raise SessionsInTheWay. The same again changes nothing. Also
    raises WrongStretch and NotQuarterHours.
    """
    within = checked(
        from_on=from_on,
        from_minute=from_minute,
        to_on=to_on,
        to_minute=to_minute,
        today=london_date(work.now),
    )
    work.wait_turn(diary.CLOSED_DAYS)
    days = {"from_on": from_on, "from_minute": from_minute, "to_on": to_on, "to_minute": to_minute}
    alike = work.db.scalars(select(Blackout).filter_by(council_id=council_id, **days))
    same = next((one for one in alike if one.name == name), None)
    if same is not None:
        return same
    found = clashes.of_council(work.db, council_id, within=within, now=work.now)
    clashes.require_none(found, despite=despite)
    row = Blackout(
        id=new_id(),
        council_id=council_id,
        made_at=work.now,
        by=work.actor,
        **days,
    )
    row.name = name
    work.db.add(row)
    work.record(
        Action.BLACKOUT_ADDED,
        object=f"blackout:{row.id}",
        council=council_id,
        from_on=from_on,
        to_on=to_on,
        sessions=len(found),
    )
    return row


def remove(work: Work, *, blackout_id: UUID) -> None:
    """Let sessions be booked again; what is gone already changes nothing."""
    row = work.db.get(Blackout, blackout_id)
    if row is None:
        return
    work.db.delete(row)
    work.record(
        Action.BLACKOUT_REMOVED,
        object=f"blackout:{blackout_id}",
        council=row.council_id,
        from_on=row.from_on,
        to_on=row.to_on,
    )


def ahead(db: DbSession, *, today: date) -> Sequence[Blackout]:
    """What is not over, of all councils, in order."""
    return db.scalars(
        select(Blackout)
        .where(Blackout.to_on >= today)
        .options(joinedload(Blackout.council))
        .order_by(Blackout.from_on, Blackout.from_minute, Blackout.id)
    ).all()


def of(db: DbSession, council_id: UUID | None, *, first: date, last: date) -> Sequence[Blackout]:
    """What holds for a council from a day to a day, in order, in one query; for None what holds for all."""
    return db.scalars(_OF_COUNCIL, {"council": council_id, "first": first, "last": last}).all()


_OF_COUNCIL = (
    select(Blackout)
    .where(
        # Nothing equals None, so without a council only what holds for all is found.
        or_(Blackout.council_id.is_(None), Blackout.council_id == bindparam("council")),
        Blackout.from_on <= bindparam("last"),
        Blackout.to_on >= bindparam("first"),
    )
    .order_by(Blackout.from_on, Blackout.from_minute, Blackout.id)
)
