"""What assistants are told when a leader names them."""

from collections.abc import Mapping

from sqlalchemy.orm import Session as DbSession

from portal.mailing import invitations
from portal.mailing.contexts import Around, Context, Letter
from portal.mailing.letters import one_line
from portal.models import Delegation, Mail, Person
from portal.people import delegations
from privacy.clock import london_date


def assistant(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """For whom the reader can book from now on, and where, none once that is over; or that it is over."""
    row, over = db.get(Delegation, mail.about), mail.step == delegations.ENDED
    if row is None or (row.ended_at is None if over else not row.live_on(london_date(around.now))):
        return None
    return Letter(
        {
            "leader": one_line(invitations.name_of(row.leader)),
            "link": around.link("assisting"),
            "to_on": row.to_on,
            "ended_at": row.ended_at if over else None,
        }
    )


CONTEXTS: Mapping[str, Context] = {assistant.__name__: assistant}
