"""What assistants are told when a leader names them."""

from collections.abc import Mapping

from sqlalchemy.orm import Session as DbSession

from portal.mailing import invitations
from portal.mailing.contexts import Around, Context, Letter
from portal.mailing.letters import one_line
from portal.models import Delegation, Mail, Person
from privacy.clock import london_date


def assistant(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """For whom the reader can book from now on, and where; none once that is over."""
    row = db.get(Delegation, mail.about)
    if row is None or not row.live_on(london_date(around.now)):
        return None
    return Letter(
        {
            "leader": one_line(invitations.name_of(row.leader)),
            "link": around.link("assisting"),
            "to_on": row.to_on,
        }
    )


CONTEXTS: Mapping[str, Context] = {assistant.__name__: assistant}
