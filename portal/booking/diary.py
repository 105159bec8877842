"""Whose time is taken: one row for each quarter hour of each person, and a primary key that admits no second.

The mentor's time is taken with the buffer around a session, the participant's without. Everything that takes
or frees time comes through here, under the locks of the people concerned.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.orm import Session as DbSession

from portal.booking.availability import Interval, cells, intervals_of, padded
from portal.booking.intervals import CELL_SECONDS, epoch
from portal.models import Occupied, Person, Place
from portal.programme import Programme
from privacy.constraints import refused_as
from privacy.statements import run
from privacy.work import Work


class Refused(Exception):
    """A session cannot be booked or changed like this; the message can be shown."""


class TimeTaken(Refused):
    """Somebody who is needed has no time then any more; the message can be shown."""

    def __init__(self, message: str = "That time has gone. Choose another time") -> None:
        super().__init__(message)


CLOSED_DAYS = "blackouts"
"""The subject that whoever closes days for booking works on alone (Work.wait_turn)."""
CLASHES: Mapping[str, Callable[[], Exception]] = {"pk_occupied": TimeTaken}
# Made once: each booking and each list of times asks them.
_LOCK = (
    select(Person.id)
    .where(Person.id.in_(bindparam("people", expanding=True)))
    .order_by(Person.id)
    .with_for_update(key_share=True)
)
_TAKEN = select(Occupied.person_id, Occupied.cell).where(
    Occupied.person_id.in_(bindparam("people", expanding=True)),
    Occupied.cell >= bindparam("first"),
    Occupied.cell < bindparam("past"),
)
_TAKE = insert(cast(Table, Occupied.__table__))
_TAKEN_BUT = _TAKEN.where(Occupied.session_id != bindparam("but"))


def lock(work: Work, person_ids: Iterable[UUID]) -> None:
    """Lock people by ascending id, so that no two bookings wait for each other. Until the work ends nobody closes
    days either: a blackout that comes at the same moment sees what was booked, or is seen.

    On SQLite whoever writes is alone already. The lock leaves rows free that only point at a person, such as a mail:
    they would otherwise wait for each other out of order.
    """
    work.wait_turn(CLOSED_DAYS, shared=True)
    if work.db.get_bind().dialect.name == "postgresql":
        run(work.db, _LOCK, {"people": list(set(person_ids))})


def taken(
    db: DbSession, person_ids: Collection[UUID], *, within: Interval, but: UUID | None = None
) -> dict[UUID, list[Interval]]:
    """What is taken of these people's time in an interval, in one query; `but` is a session left out."""
    found: dict[UUID, list[int]] = {person_id: [] for person_id in person_ids}
    first, past = epoch(within.starts_at) // CELL_SECONDS, -(-epoch(within.ends_at) // CELL_SECONDS)
    asked = {"people": list(person_ids), "first": first, "past": past}
    rows = run(db, _TAKEN, asked) if but is None else run(db, _TAKEN_BUT, {**asked, "but": but})
    for person_id, cell in rows:
        found[person_id].append(cell)
    return {person_id: intervals_of(numbers) for person_id, numbers in found.items()}


def needed(
    programme: Programme, time: Interval, place: Place, *, mentor_id: UUID, people: Iterable[UUID] = ()
) -> dict[UUID, Interval]:
    """What a session takes of whose time: the mentor's with the buffer or the way there around it, the participants'
    without."""
    around = padded(time, buffer_minutes=programme.margin_minutes(place))
    return {**dict.fromkeys(people, time), mentor_id: around}


def take(work: Work, *, session_id: UUID, times: Mapping[UUID, Interval]) -> None:
    """Take people's time for a session whose row is there. Raises TimeTaken.

    A clash undoes this step only; the caller's error undoes the rest.
    """
    with refused_as(work.db, CLASHES):
        fill(work, session_id=session_id, times=times)


def fill(work: Work, *, session_id: UUID, times: Mapping[UUID, Interval]) -> None:
    """The quarter hours themselves, in the order of person and cell, for who writes more in the same savepoint; a
    clash breaks one of the constraints in CLASHES."""
    rows = [
        {"person_id": person_id, "cell": cell, "session_id": session_id}
        for person_id, interval in sorted(times.items())
        for cell in cells(*interval)
    ]
    work.db.flush()
    work.db.connection().execute(_TAKE, rows)


def free(work: Work, *, session_id: UUID, person_id: UUID | None = None) -> None:
    """Give back the time that a session takes: everybody's, or one person's."""
    rows = delete(Occupied).where(Occupied.session_id == session_id)
    if person_id is not None:
        rows = rows.where(Occupied.person_id == person_id)
    work.db.execute(rows)
