"""What calendars and mails say about a session: to one reader, in words that others may see.

Calendars are read by assistants and whole offices, so they hold no goal, no need and no answer.
"""

from datetime import datetime

from portal import calendar
from portal.models import Person, Place, Session
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


def where_of(session: Session) -> str:
    """Where people meet, in a line."""
    if session.place is Place.IN_PERSON:
        return session.where or "In person. The place is not set yet"
    return session.where or "Online or by phone. The link is not set yet"


def entry(
    session: Session,
    programme: Programme,
    *,
    reader: Person,
    url: str,
    stamp_at: datetime,
    sequence: int,
    cancelled: bool,
) -> calendar.Event:
    """The session as the reader's calendar holds it. `url` is the session's page, `stamp_at` now."""
    others = others_of(session, reader)
    summary = heading_of(session, programme)
    return calendar.Event(
        uid=session.uid,
        sequence=sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        stamp_at=stamp_at,
        summary=f"{summary} with {' and '.join(others)}" if others else summary,
        description=f"Move or cancel it here: {url}",
        location=where_of(session),
        url=url,
        organizer_name=programme.sender,
        organizer_email=programme.contacts["team"],
        attendee_name=name_of(reader),
        attendee_email=reader.email or "",
        cancelled=cancelled,
    )
