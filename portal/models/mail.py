"""Tables: mail that waits or was sent, and what this instance is."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.people import Person
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class MailState(StrEnum):
    """DROPPED: there was no reason left to send it when its time came. FAILED: given up after many tries."""

    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"
    FAILED = "failed"


class Mailbox(StrEnum):
    """A role that mail can go to instead of a person; the programme file has its address (contacts)."""

    DPO = "dpo"
    TEAM = "team"
    DEPARTMENT = "department"
    CONTROLLER_DPO = "controller_dpo"


class Mail(Record):
    """A mail as references only: it is rendered when it is sent. It goes to a person or to a role's mailbox;
    without either it goes to nobody.

    `about` is the id of what it is about, `step` tells apart mails of one template about one thing.
    """

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("person_id", "template", "about", "step"),
        UniqueConstraint("mailbox", "template", "about", "step"),
        CheckConstraint("person_id IS NULL OR mailbox IS NULL", name="one_addressee"),
    )
    __holding__ = Holding(
        "to send mail once, and show that it was sent",
        Keep.MAIL,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("sent_at", "due_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    mailbox: Mapped[Mailbox | None] = mapped_column(
        Word(Mailbox), info=plain(holds="Role whose mailbox it went to")
    )
    template: Mapped[str] = mapped_column(String(40), info=plain(holds="Which mail"))
    about: Mapped[UUID] = mapped_column(Uuid, index=True, info=reference("what it is about"))
    step: Mapped[str] = mapped_column(
        String(40),
        info=reference(
            "which one; in an assistant's copy also whose session it is", holds="Which one of its kind"
        ),
    )
    state: Mapped[MailState] = mapped_column(Word(MailState), index=True, info=plain())
    queued_at: Mapped[datetime] = mapped_column(info=plain())
    due_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    tries: Mapped[int] = mapped_column(default=0, info=plain(holds="Tries to send it"))
    claimed_until: Mapped[datetime | None] = mapped_column(info=plain("a worker has it until then"))
    sent_at: Mapped[datetime | None] = mapped_column(info=plain())
    carried_by: Mapped[UUID | None] = mapped_column(
        Uuid, index=True, info=reference("the mail it went out with, or its own id; others gathered into one")
    )
    trouble: Mapped[str | None] = mapped_column(
        String(40), info=plain("the kind of error of the last try", holds="Why the last try failed")
    )

    person: Mapped[Person | None] = relationship()


class Refusal(Record):
    """The mail server of somebody's address refused a mail for good: it is likely wrong, or closed.

    The row goes when the address is changed or a later mail is accepted.
    """

    __tablename__ = "refusal"
    __holding__ = Holding(
        "to notice that mail no longer reaches somebody",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), primary_key=True, autoincrement=False, info=reference()
    )
    code: Mapped[int] = mapped_column(
        info=plain("what the mail server answered, such as 550", holds="What the mail server answered")
    )
    first_at: Mapped[datetime] = mapped_column(info=plain(holds="First time"))
    last_at: Mapped[datetime] = mapped_column(info=plain(holds="Last time"))

    person: Mapped[Person] = relationship()


class InstanceFact(Record):
    """What this instance is: `demo` marks one that `flask demo` made, `closed` one whose data was destroyed at the
    contract's end; `canary` proves that the keys open it."""

    __tablename__ = "instance_fact"
    __holding__ = Holding("to know what this instance is, and that its keys fit", Keep.ACCOUNTS)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    name: Mapped[str] = mapped_column(String(20), unique=True, info=plain())
    recorded_at: Mapped[datetime] = mapped_column(info=plain())
    tidied_on: Mapped[date | None] = mapped_column(info=plain("the last night in which a worker tidied up"))
    canary_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Fixed word that shows whether the keys open"
    )
    canary = SealedText("canary_sealed")
