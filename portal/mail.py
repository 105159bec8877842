"""The queue of mail. A queued mail is a row of references: nothing personal waits in it.

`queue` adds the row in the caller's transaction; portal/post.py claims, renders and sends it.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from portal.models import Mail, MailState
from privacy.records import new_id
from privacy.work import Work


def queue(
    work: Work,
    *,
    template: str,
    about: UUID,
    to: UUID | None,
    step: str = "once",
    due_at: datetime | None = None,
) -> None:
    """Queue a mail, once per person, template, thing and step; the same call again changes nothing.

    `to` is a person's id; None for a mail to nobody, which costs the same and goes nowhere.
    """
    # Also asked for nobody: a look-up that only a known address costs would tell that it is known.
    known = work.db.scalars(
        select(Mail.id).where(
            Mail.person_id == to, Mail.template == template, Mail.about == about, Mail.step == step
        )
    ).first()
    if known is not None:
        return
    work.db.add(
        Mail(
            id=new_id(),
            person_id=to,
            template=template,
            about=about,
            step=step,
            state=MailState.WAITING,
            queued_at=work.now,
            due_at=due_at or work.now,
            tries=0,
        )
    )


def drop(work: Work, *, about: UUID, template: str) -> None:
    """Call off what waits about a thing, such as the offers of a batch of which one was taken."""
    work.db.execute(
        update(Mail)
        .where(Mail.about == about, Mail.template == template, Mail.state == MailState.WAITING)
        .values(state=MailState.DROPPED)
    )
