"""Leaders whose office has ended: while a questionnaire of theirs is open, they still come in to answer it.

Support ends with the office more often than not, and the last questionnaire comes after it (sch 4 KPIs). Who has sent
theirs can read it until its window closes. They see "Your support", and nothing else that office opened to them.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.access.known import Account
from portal.answers import questionnaires
from portal.models import PARTICIPANT, Participation
from portal.programme import Programme
from privacy.clock import london_date
from surveys.models import ResponseState, Wave
from surveys.waves import TO_ANSWER


def has_left(person: Account, *, now: datetime) -> bool:
    """Whether somebody once held an office that is supported, and holds none today."""
    offices = [office for office in person.offices if office.role in PARTICIPANT]
    return bool(offices) and not any(office.held_on(london_date(now)) for office in offices)


def comes_back(db: DbSession, programme: Programme, person: Account, *, now: datetime) -> bool:
    """Whether somebody who has left has something to answer, or can read what they sent last."""
    if not has_left(person, now=now):
        return False
    parts = db.scalars(
        select(Participation)
        .where(Participation.person_id == person.id)
        .options(joinedload(Participation.package))
    ).all()
    if not parts:
        return False
    return any(
        one.stand in TO_ANSWER
        or (
            one.wave is Wave.POST
            and one.state is ResponseState.SUBMITTED
            and one.opens_at <= now < one.closes_at
        )
        for one in questionnaires.due(db, programme, parts, now=now)
    )
