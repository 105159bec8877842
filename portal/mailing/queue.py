"""The queue of mail. A queued mail is a row of references: nothing personal waits in it.

`queue` adds the row in the caller's transaction; portal/mailing/post.py claims and sends it, and
portal/mailing/writing.py renders it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Uuid, bindparam, null, select, union_all, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from portal.models import Mail, Mailbox, MailState, Person
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work


def queue(
    work: Work,
    *,
    template: str,
    about: UUID,
    to: UUID | Mailbox | None,
    step: str = "once",
    due_at: datetime | None = None,
) -> None:
    """Queue a mail, once per addressee, template, thing and step; the same call again changes nothing.

    `to` is a person's id, or the mailbox of a role; None for a mail to nobody, which costs the same and goes
    nowhere. Nothing is queued to somebody who was erased and whose row others need, such as a mentor's.
    """
    mailbox = to if isinstance(to, Mailbox) else None
    person_id = None if isinstance(to, Mailbox) else to
    # Also asked for nobody: a look-up that only a known address costs would tell that it is known.
    asked = {"person": person_id, "mailbox": mailbox, "template": template, "about": about, "step": step}
    needless = _needless(to_person=person_id is not None, to_mailbox=mailbox is not None)
    if run(work.db, needless, asked).first() is not None:
        return
    _add(work, template=template, about=about, person_id=person_id, mailbox=mailbox, step=step, due_at=due_at)


def queue_all(work: Work, *, template: str, about: UUID, to: Collection[tuple[UUID, str]]) -> None:
    """The same for several people about one thing: pairs of whom and the step; asked in one statement."""
    asked = {
        "template": template,
        "about": about,
        "people": list({person_id for person_id, _ in to}),
        "steps": list({step for _, step in to}),
    }
    known = {(row.person_id, row.step) for row in run(work.db, _KNOWN, asked)}
    for person_id, step in dict.fromkeys(to):
        if known.isdisjoint({(person_id, step), (person_id, None)}):
            _add(work, template=template, about=about, person_id=person_id, mailbox=None, step=step)


def _add(
    work: Work,
    *,
    template: str,
    about: UUID,
    person_id: UUID | None,
    mailbox: Mailbox | None,
    step: str,
    due_at: datetime | None = None,
) -> None:
    work.db.add(
        Mail(
            id=new_id(),
            person_id=person_id,
            mailbox=mailbox,
            template=template,
            about=about,
            step=step,
            state=MailState.WAITING,
            queued_at=work.now,
            due_at=due_at or work.now,
            tries=0,
        )
    )


_KNOWN: CompoundSelect[Any] = union_all(
    select(Mail.person_id, Mail.step).where(
        Mail.person_id.in_(bindparam("people", expanding=True)),
        Mail.template == bindparam("template"),
        Mail.about == bindparam("about"),
        Mail.step.in_(bindparam("steps", expanding=True)),
    ),
    select(Person.id, null()).where(
        Person.id.in_(bindparam("people", expanding=True)), Person.email_index.is_(None)
    ),
)
"""The same mails, and without a step those who were erased; made once, as each booking asks it."""


@cache
def _needless(*, to_person: bool, to_mailbox: bool) -> CompoundSelect[UUID]:
    """What finds the same mail, or that its addressee was erased; made once for each kind of addressee."""
    known = select(Mail.id).where(
        Mail.person_id == (bindparam("person") if to_person else None),
        Mail.mailbox == (bindparam("mailbox") if to_mailbox else None),
        Mail.template == bindparam("template"),
        Mail.about == bindparam("about"),
        Mail.step == bindparam("step"),
    )
    erased = select(Person.id).where(
        Person.id == bindparam("person", type_=Uuid), Person.email_index.is_(None)
    )
    return union_all(known, erased)


def numbered(number: int, *, whose: UUID | None = None) -> str:
    """The step of a calendar mail: its number, and whose session it is where somebody else reads it for them.

    Somebody who reads for two people in one session gets a mail for each.
    """
    return str(number) if whose is None else f"{number}:{whose.hex}"


def number_of(step: str) -> tuple[int, UUID | None]:
    """What `numbered` has put together."""
    number, _, whose = step.partition(":")
    return int(number), UUID(whose) if whose else None


def note_carried(work: Work, *, template: str, about: UUID, carrier: Mail) -> None:
    """Note that something was said within a mail that went, so that it is not said again and shows in the log."""
    noted = Mail(
        id=new_id(),
        person_id=carrier.person_id,
        template=template,
        about=about,
        step="once",
        state=MailState.SENT,
        queued_at=work.now,
        due_at=work.now,
        sent_at=work.now,
        tries=0,
        carried_by=carrier.id,
    )
    try:
        with work.db.begin_nested():
            work.db.add(noted)
    except IntegrityError:
        # Another mail said it at the same moment. That this one went must be noted all the same.
        return


def drop(work: Work, *, about: UUID, template: str) -> None:
    """Call off what waits about a thing, such as the offers of a batch of which one was taken."""
    work.db.execute(
        update(Mail)
        .where(Mail.about == about, Mail.template == template, Mail.state == MailState.WAITING)
        .values(state=MailState.DROPPED)
    )


WORDS = {
    "sign_in": "Sign-in code",
    "account_news": "What happened to their sign-in",
    "factor_restored": "That a sign-in was restored",
    "address_changed": "That their address was changed",
    "factor_waits": "Somebody waits to be rung",
    "second_person": "Something waits for a second person",
    "second_person_refused": "A second person did not agree",
    "post_open": "Last questionnaire opened",
    "group_session": "Places in a group session",
    "place_freed": "A place from the waiting list",
    "waiting_over": "Waiting list closed",
    "go_no_go": "Go or no-go of a session",
    "offers": "Times offered",
    "offers_back": "Offered times taken back",
    "clearance": "Something of their clearance expires",
    "access_review": "Access review to be done",
    "access_lapsing": "Their access is about to lapse",
    "council_refused": "The Department did not agree a council",
    "council_asked_again": "The Department is asked about a council again",
    "suspicion": "A suspected incident",
    "session": "Calendar entry",
    "assistant": "Named as an assistant, or no longer one",
    "day_before": "Reminder the day before a session",
    "test_mail": "Test mail",
    "notice": "Notice to the Controller",
    "notice_stuck": "A notice has not arrived",
    "case_letter": "Letter to whoever asks",
    "audit_head": "Head of the audit trail",
    "feedback": "Feedback on a session, within another mail",
}
STEPS = {
    "opening": "it opened",
    "week": "a week after it opened",
    "closing": "a week before it closes",
    "last": "its last day",
}
WAVES = {
    "baseline": "first questionnaire",
    "interim": "questionnaire on the way",
    "post": "last questionnaire",
}


def called(mail: Mail) -> str:
    """What a mail is called in the log that the team reads."""
    if mail.template != "reminder":
        return WORDS.get(mail.template, mail.template.replace("_", " ").capitalize())
    wave, _, step = mail.step.split(":")
    which = STEPS.get(step, "sent by hand")
    return f"Reminder of the {WAVES.get(wave, wave)}: {which}"


def called_briefly(mail: Mail) -> str:
    """The same beside the name of the questionnaire, which it then leaves out."""
    return f"Reminder: {called(mail).partition(': ')[2]}" if mail.template == "reminder" else called(mail)


def of_participations(db: DbSession, participation_ids: Collection[UUID]) -> Sequence[Mail]:
    """Invitations and reminders of these participations, newest first."""
    return db.scalars(
        select(Mail)
        .where(Mail.about.in_(participation_ids), Mail.template.in_(["invitation", "post_open", "reminder"]))
        .order_by(Mail.queued_at.desc(), Mail.id)
    ).all()
