"""What calendars and mails say about a session: to one reader, in words that others may see.

Calendars are read by assistants and whole offices, so they hold no goal, no need and no answer.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.mailing import calendar
from portal.models import AttendanceState, Person, Place, Session, SessionState
from portal.programme import Programme


def name_of(person: Person | None) -> str:
    """The name, or the short reference where there is none any more."""
    return (person.name or person.ref) if person is not None else "Somebody"


def heading_of(session: Session, programme: Programme) -> str:
    """What a session is called on pages and in mails: its own title, or its kind."""
    return session.title or programme.session_kinds[session.kind]


def others_of(session: Session, reader: Person) -> list[str]:
    """Whom the reader meets: the mentor, and in a one-to-one session the leader."""
    names = [] if session.mentor_id == reader.id else [name_of(session.mentor)]
    if session.capacity is None:
        leaders = [seat.person for seat in session.attendances if seat.person_id != reader.id]
        names += [name_of(person) for person in leaders if person.id != session.mentor_id]
    return names


_NOT_SET = {
    Place.REMOTE: "Online or by phone. The link is not set yet",
    Place.IN_PERSON: "In person. The place is not set yet",
    Place.HYBRID: "In person and online. Place and link are not set yet",
}


def where_of(session: Session) -> str:
    """Where people meet, in a line."""
    return where_words(session.place, session.where)


def where_words(place: Place, where: str | None) -> str:
    """The same of what was or will be."""
    return where or _NOT_SET[place]


HOLDS_A_PLACE = frozenset({AttendanceState.BOOKED, AttendanceState.ATTENDED, AttendanceState.ABSENT})


@dataclass(frozen=True)
class Known:
    """As which entry somebody's calendar knows a session, since when, and whether they are in it.

    A one-to-one session is one entry for both; a place in a group session is one of its own.
    """

    uid: str
    sequence: int
    changed_at: datetime
    called_off: bool
    theirs: bool

    @property
    def gone(self) -> bool:
        """Whether their calendar should show it as cancelled."""
        return self.called_off or not self.theirs


def known_to(session: Session, person_id: UUID) -> Known:
    """The session as this person's calendar knows it; to somebody who was never in it, as the mentor's does."""
    seat = next((one for one in session.attendances if one.person_id == person_id), None)
    changed_at = session.told_at or session.created_at
    called_off = session.state is SessionState.CANCELLED
    if session.mentor_id == person_id or seat is None:
        return Known(session.uid, session.sequence, changed_at, called_off, session.mentor_id == person_id)
    holds = seat.state in HOLDS_A_PLACE
    if seat.uid is None:
        return Known(session.uid, session.sequence, changed_at, called_off, holds)
    return Known(
        seat.uid, seat.sequence or 0, max(changed_at, seat.told_at or seat.booked_at), called_off, holds
    )


def entry(
    session: Session,
    programme: Programme,
    *,
    reader: Person,
    url: str,
    stamp_at: datetime,
    known: Known,
    cancelled: bool,
    whose: Person | None = None,
) -> calendar.Event:
    """The session as the reader's calendar holds it. `url` is the session's page; `stamp_at` is when the mail is
    made, or for a feed when the session last changed; `whose` is in it where the reader books for somebody."""
    others = others_of(session, whose or reader)
    summary = heading_of(session, programme)
    summary = f"{summary} with {' and '.join(others)}" if others else summary
    return calendar.Event(
        uid=known.uid,
        sequence=known.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        stamp_at=stamp_at,
        summary=f"{summary}, for {name_of(whose)}" if whose is not None else summary,
        description=f"{'See it' if cancelled else _acts(session, whose or reader, own=whose is None)} here: {url}",
        location=where_of(session),
        url=url,
        organizer_name=programme.sender,
        organizer_email=programme.contacts["team"],
        attendee_name=name_of(reader),
        attendee_email=reader.email or "",
        cancelled=cancelled,
    )


def _acts(session: Session, person: Person, *, own: bool) -> str:
    if session.capacity is None or session.mentor_id == person.id:
        return "See it, move it or cancel it"
    return "See it or give up your place" if own else "See it or give up the place"
