"""What the mails about group sessions say: a place from the waiting list, a list that is over, a go or no-go."""

from collections.abc import Mapping

from sqlalchemy.orm import Session as DbSession

from portal.actors import roles_on
from portal.booking import standing
from portal.groups import plans as group_plans
from portal.groups import seats, waiting
from portal.mailing.contexts import Around, Context, Letter, words_of
from portal.mailing.letters import one_line
from portal.models import (
    AttendanceState,
    Mail,
    Person,
    Role,
    Session,
    SessionState,
    WaitingState,
)
from privacy.clock import london_date


def place_freed(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That the reader has moved up from the waiting list; none if they gave the place up, or it is off."""
    about = _ahead(db, mail, around)
    held = seats.seat_of(db, mail.about, reader.id)
    if about is None or held is None or held.state is not AttendanceState.BOOKED:
        return None
    link = around.link("freed_place", about.id)
    return Letter({**words_of(about, around.programme, reader), "link": link})


def waiting_over(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That a session the reader waits for was called off, and why."""
    about = db.get(Session, mail.about)
    entry = waiting.entry_of(db, mail.about, reader.id)
    if about is None or about.state is not SessionState.CANCELLED or about.starts_at <= around.now:
        return None
    if entry is None or entry.state is not WaitingState.OVER:
        return None
    return Letter({**words_of(about, around.programme, reader), "why": one_line(about.called_off or "")})


def go_no_go(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That a session has fewer people than it needs, to those who decide; none once it was decided or has enough."""
    about = _ahead(db, mail, around)
    if about is None or Role.TEAM not in roles_on(reader, london_date(around.now)):
        return None
    plan = group_plans.of(db, about.id)
    have = len(standing.live_people(db, about.id))
    if plan is None or plan.minimum is None or plan.decision is not None or have >= plan.minimum:
        return None
    words = {**words_of(about, around.programme, reader), "link": around.link("decide", about.id)}
    return Letter({**words, "have": have, "minimum": plan.minimum})


def _ahead(db: DbSession, mail: Mail, around: Around) -> Session | None:
    about = db.get(Session, mail.about)
    if about is None or about.state is not SessionState.BOOKED or about.starts_at <= around.now:
        return None
    return about


CONTEXTS: Mapping[str, Context] = {
    function.__name__: function for function in (place_freed, waiting_over, go_no_go)
}
