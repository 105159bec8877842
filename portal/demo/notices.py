"""The demo's notices: those of its cases have arrived, and somebody is on duty at the coming weekends."""

from datetime import timedelta

from sqlalchemy import select, update

from portal.cases import duty, notices
from portal.demo.agenda import Agenda
from portal.demo.cast import Cast
from portal.models import Mail, MailState, Role
from privacy.cases import notices as kept
from privacy.cases.tables import Sending
from privacy.clock import london_date
from privacy.work import Work

WEEKENDS = 4


def arrive(work: Work) -> None:
    """Every notice that waits arrives now, as it would have within a minute; what comes after it can be told."""
    waiting = select(Mail.about).where(
        Mail.template == notices.TEMPLATE, Mail.state == MailState.WAITING, Mail.queued_at < work.now
    )
    went = work.db.scalars(select(Sending).where(Sending.id.in_(waiting)).order_by(Sending.id)).all()
    for sending in went:
        kept.delivered(work, sending, at=work.now, evidence={"what": "Accepted by the mail server"})
    work.db.execute(
        update(Mail)
        .where(Mail.template == notices.TEMPLATE, Mail.about.in_([one.id for one in went]))
        .values(state=MailState.SENT, sent_at=work.now, tries=1)
    )


def stand_by(agenda: Agenda, cast: Cast) -> None:
    """The team takes turns at weekends."""
    team = [one for one in cast.staff if one.role is Role.TEAM]
    today = london_date(agenda.now)
    saturday = today + timedelta(days=(5 - today.weekday()) % 7)

    def act(work: Work) -> None:
        for number in range(WEEKENDS):
            first = saturday + timedelta(weeks=number)
            duty.put(
                work,
                person_id=team[number % len(team)].known,
                from_on=first,
                to_on=first + timedelta(days=1),
                today=today,
            )

    agenda.at(agenda.now, act)
