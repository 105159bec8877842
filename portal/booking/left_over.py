"""Sessions to which nobody comes any more, because the data of the only one who would have come was erased.

Erasure takes a participant's place away with the rest of their data (privacy/erasure.py), by page, command, case, a
lifted hold or a restore. What is left of a one-to-one session is the mentor's time: the worker gives it back and tells
them. A group's session has places for others and stays.
"""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import acts
from portal.booking.standing import MentorChanged, SessionClosed
from portal.instance import Instance
from portal.models import Session, SessionState
from privacy.work import unit_of_work

ACTOR = "system:left-over"


def run(instance: Instance, sessions: Callable[[], DbSession]) -> int:
    """Call off what nobody comes to; returns how many. Any number of workers may run it at any time."""
    with sessions() as db:
        left = db.scalars(
            select(Session.id).where(
                Session.state == SessionState.BOOKED,
                Session.starts_at > instance.clock(),
                Session.capacity.is_(None),
                ~Session.attendances.any(),
            )
        ).all()
    called_off = 0
    for session_id in left:
        with sessions() as db, unit_of_work(db, instance.clock, ACTOR) as work:
            try:
                acts.cancel(work, session_id=session_id)
            except (SessionClosed, MentorChanged):
                # It has begun meanwhile, and its mentor records it; or it is another mentor's, who is asked next time.
                continue
            called_off += 1
    return called_off
