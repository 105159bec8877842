"""The last move of a session, kept with it: what was before, and who moved it, as one reader may be told."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.actors import holds_staff
from portal.filters import day_time
from portal.mailing import invitations
from portal.models import Person, Session
from portal.people import delegations
from privacy.clock import london_date
from privacy.work import Work

THE_TEAM = "The programme team"


@dataclass(frozen=True)
class Move:
    """What was before a session was moved. `by` is who moved it: "You", a name, or nobody who can be named any more.

    `from_at` stands where the time changed, and `from_where` where the place did.
    """

    by: str | None
    from_at: datetime | None
    from_where: str | None

    @property
    def words(self) -> list[str]:
        """The same in sentences."""
        if self.from_at is not None:
            said = [
                f"{self._who('moved this session', 'This session was moved')} from {day_time(self.from_at)}."
            ]
            return said + ([f"Before, the place was: {self.from_where}"] if self.from_where else [])
        if self.from_where:
            return [
                f"{self._who('changed the place', 'The place was changed')}.",
                f"Before, it was: {self.from_where}",
            ]
        return [f"{self._who('changed how to get there', 'How to get there was changed')}."]

    def _who(self, did: str, was_done: str) -> str:
        return f"{self.by} {did}" if self.by else was_done


def keep(work: Work, session: Session) -> None:
    """Keep how a session stands, before it is given another time or place."""
    session.moved_at, session.moved_by = work.now, work.actor
    session.moved_from_at, session.moved_from_place = session.starts_at, session.place
    session.moved_from_where = session.where
    session.moved_mentor_id = session.mentor_id


def hand_over(session: Session) -> None:
    """Keep who gave a session when it was last moved, before it passes to another mentor at its time: what was before
    that move is not for them. The release before kept none: there it was who gives it now."""
    if session.moved_at is not None and session.moved_mentor_id is None:
        session.moved_mentor_id = session.mentor_id


def is_of_mentor_before(session: Session) -> bool:
    """Whether the session has passed to another mentor with its last move, or since."""
    return session.moved_mentor_id not in (None, session.mentor_id)


def last(db: DbSession, session: Session, reader_id: UUID) -> Move | None:
    """The last move of a session as this reader is told it; None while it was not moved."""
    if session.moved_at is None or session.moved_from_place is None:
        return None
    met = (session.moved_from_place, session.moved_from_where)
    return Move(
        by=_mover(db, session, reader_id, on=london_date(session.moved_at)),
        from_at=session.moved_from_at if session.moved_from_at != session.starts_at else None,
        from_where=invitations.where_words(*met) if met != (session.place, session.where) else None,
    )


def was_in(db: DbSession, session: Session, reader_id: UUID) -> bool:
    """Whether somebody was in the session when it was last moved: its mentor if they gave it then, whoever had a place
    by then and has it still, and who booked for them. What was before can be somebody's home, and is nothing for who
    came later."""
    if session.moved_at is None:
        return False
    if session.mentor_id == reader_id and not is_of_mentor_before(session):
        return True
    seats = [one for one in session.attendances if one.state in invitations.HOLDS_A_PLACE]
    then = {one.person_id for one in seats if one.booked_at <= session.moved_at}
    if reader_id in then:
        return True
    return bool(then and then & delegations.leaders_since(db, reader_id, session.moved_at))


def _mover(db: DbSession, session: Session, reader_id: UUID, *, on: date) -> str | None:
    """Staff are named as the team, which to people is one; but whoever gave the session then is known by name."""
    kind, _, person_id = (session.moved_by or "").partition(":")
    if kind != "person":
        return None
    if person_id == str(reader_id):
        return "You"
    person = _person(db, person_id)
    if person is None:
        return None
    gave_it = person_id == str(session.moved_mentor_id or session.mentor_id)
    return person.name if gave_it or not holds_staff(person, on) else THE_TEAM


def _person(db: DbSession, person_id: str) -> Person | None:
    """Nobody where what acted has no row, such as a command."""
    try:
        return db.get(Person, UUID(person_id))
    except ValueError:
        return None
