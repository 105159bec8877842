"""What people need in sessions: adjustments and dietary needs. They belong to the person and go with them.

Both are special category data: asked for, stored and shown only while an instruction under schedule 3a lists them
(privacy/registers.py). They are shown to those who must act for a session: its mentor from the booking on until it is
over, and the team. They stand in no calendar and no mail.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.mentors.clearances import RecordRefused
from portal.models import AttendanceState, Person, Session, SessionState
from privacy.audit import Action
from privacy.clock import london_date
from privacy.registers import DataItem, listed
from privacy.work import Work

WORDS = {DataItem.ADJUSTMENTS: "Adjustments", DataItem.DIETARY: "Dietary needs"}
AT_MOST = 1000


class NotListed(RecordRefused):
    """No instruction of the Controller lists the data: it is not held (cl 17.1, 17.4(a))."""

    field = "adjustments"

    def __init__(self) -> None:
        super().__init__("No instruction of the Department lists this, so it is not recorded")


@dataclass(frozen=True)
class Need:
    """What somebody needs in a session, under the words of its kind."""

    person: Person
    kind: DataItem
    text: str

    @property
    def words(self) -> str:
        return WORDS[self.kind]


def asked(db: DbSession, *, on: date) -> list[DataItem]:
    """The kinds of need that an instruction lists on a day."""
    in_force = listed(db, on=on)
    return [kind for kind in WORDS if kind in in_force]


def write(work: Work, *, person_id: UUID, said: Mapping[DataItem, str | None]) -> Person:
    """Put what somebody needs in place of what was noted; an empty text deletes it. Raises NotListed.

    What is no longer listed can only be deleted.
    """
    person = work.db.get_one(Person, person_id, populate_existing=True, with_for_update={"key_share": True})
    allowed = asked(work.db, on=london_date(work.now))
    for kind, text in said.items():
        wanted = text or None
        if wanted is not None and kind not in allowed:
            raise NotListed
        if getattr(person, kind.value) != wanted:
            setattr(person, kind.value, wanted)
            work.record(
                Action.PERSON_CHANGED, object=f"person:{person_id}", holder=person_id, what=kind.value
            )
    return person


def of_person(person: Person, kinds: Iterable[DataItem]) -> list[Need]:
    """What somebody has noted, of the kinds that are listed."""
    found = [(kind, getattr(person, kind.value)) for kind in kinds]
    return [Need(person, kind, text) for kind, text in found if text]


def of_session(db: DbSession, session: Session, *, now: datetime) -> list[Need]:
    """What those who come need, by name, from the booking on until the session is over; then nothing."""
    return in_session(session, asked(db, on=london_date(now)), now=now)


def in_session(session: Session, kinds: Collection[DataItem], *, now: datetime) -> list[Need]:
    """The same, for the kinds that are listed."""
    if session.state is not SessionState.BOOKED or session.ends_at <= now:
        return []
    people = (
        [seat.person for seat in session.attendances if seat.state is AttendanceState.BOOKED] if kinds else []
    )
    people.sort(key=lambda one: (one.name or one.ref).casefold())
    return [need for person in people for need in of_person(person, kinds)]
