"""Tables: what people do with their own answers after sending them, and forms that met a dead sign-in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.packages import Participation
from portal.models.people import Person
from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class Reopening(Record):
    """Answers that were sent are to be changed: somebody asked for it (`wish`), the team opened them (`reason`).

    Without `asked_at` the team did it unasked; `done_at` is when they were opened, or the wish was settled.
    """

    __tablename__ = "reopening"
    __holding__ = Holding(
        "to let people correct what they sent, and show why",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    participation_id: Mapped[UUID] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    wave: Mapped[str] = mapped_column(String(20), info=plain(holds="Which questionnaire"))
    occasion: Mapped[str] = mapped_column(String(60), info=reference())
    asked_at: Mapped[datetime | None] = mapped_column(info=plain())
    done_at: Mapped[datetime | None] = mapped_column(info=plain())
    by: Mapped[str | None] = mapped_column(String(80), info=reference("who of the team opened them"))
    wish_sealed: Mapped[bytes | None] = sealed(
        holder="participation_id", holds="What is to be changed in the answers", at_least=256
    )
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="participation_id", holds="Why the team opened the answers", at_least=256
    )
    wish = SealedText("wish_sealed")
    reason = SealedText("reason_sealed")

    participation: Mapped[Participation] = relationship()


class Share(Record):
    """A participant shows one mentor some of their answers, until they take it back (`ended_at`).

    Without a response: the page that compares before and after.
    """

    __tablename__ = "share"
    __holding__ = Holding(
        "to let a mentor read what a participant shares",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    participation_id: Mapped[UUID] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    response_id: Mapped[UUID | None] = mapped_column(ForeignKey("response.id"), index=True, info=reference())
    mentor_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), index=True, info=reference("who may read", erase=Erase.DELETE_ROW)
    )
    shared_at: Mapped[datetime] = mapped_column(info=plain())
    ended_at: Mapped[datetime | None] = mapped_column(info=plain())

    participation: Mapped[Participation] = relationship()
    mentor: Mapped[Person] = relationship()


class ParkedForm(Record):
    """What somebody sent when their sign-in or the form's token was over: kept for a day, shown to them again.

    `fields` is `[[name, value], ...]` in the order of the form, without tokens, codes and files.
    """

    __tablename__ = "parked_form"
    __holding__ = Holding(
        "to lose nothing that people write",
        Keep.PARKED,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("parked_at",),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    path: Mapped[str] = mapped_column(String(300), info=reference(holds="Page of the form"))
    parked_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    browser_session_id: Mapped[UUID | None] = mapped_column(
        Uuid, info=reference("the sign-in in which it was written")
    )
    fields_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What was written in the form", at_least=1024
    )
    fields = SealedJson("fields_sealed")
