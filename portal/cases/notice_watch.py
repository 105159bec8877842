"""The watch of each minute: a notice that has not arrived in 15 minutes, or was refused, is told to people here.

The desk's mailbox, the officer and the deputies, and whoever is on duty are told whom to ring, once for each way that
failed. The desk's own pages show it as well, since mail may be what is broken (cl 17.5).
"""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.cases import duty, notices
from portal.cases.notices import STUCK, Stuck
from portal.instance import Instance
from portal.mailing import queue as mail
from portal.models import Mailbox
from privacy.cases import acts
from privacy.clock import london_date
from privacy.work import Work, unit_of_work

ACTOR = "system:notices"

Sessions = Callable[[], DbSession]


def run(instance: Instance, sessions: Sessions) -> int:
    """Tell people of what has newly not arrived; returns of how many notices. Any number of workers may run it."""
    with sessions() as db:
        # Most minutes there is nothing: the write lock is taken only when there is.
        if not _new(db, instance):
            return 0
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            work.wait_turn("notices")
            found = _new(work.db, instance)
            for one in found:
                _tell(work, one)
        return len({one.notice.id for one in found})


def _new(db: DbSession, instance: Instance) -> list[Stuck]:
    found = notices.stuck(db, instance.programme, now=instance.clock())
    return [one for one in found if any(sending.warned_at is None for sending in one.sendings)]


def _tell(work: Work, one: Stuck) -> None:
    unsaid = sorted(
        (sending for sending in one.sendings if sending.warned_at is None), key=lambda row: row.id
    )
    story = acts.read(work.db, one.notice.case_id)
    people = duty.told(work.db, on=london_date(work.now)) | {
        person_id for person_id in (story.owner_id, story.deputy_id) if person_id is not None
    }
    to_tell: list[Mailbox | UUID] = [Mailbox.DPO, *sorted(people)]
    for to in to_tell:
        mail.queue(work, template=STUCK, about=one.notice.id, to=to, step=f"{work.now:%Y%m%dT%H%M%S.%f}")
    for sending in unsaid:
        sending.warned_at = work.now
