"""Tables: which privacy notice people were shown, and how often the public page of rights is used."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.records import Erase, Holding, Keep, Record, new_id, plain, reference


class NoticeShown(Record):
    """A person was shown a version of the privacy notice when they signed in: the version and the day, no more."""

    __tablename__ = "notice_shown"
    __table_args__ = (UniqueConstraint("person_id", "version_on"),)
    __holding__ = Holding(
        "to know which privacy notice people were shown (Articles 13 and 14)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), info=reference())
    version_on: Mapped[date] = mapped_column(info=plain(holds="Version of the notice"))
    digest: Mapped[str] = mapped_column(String(64), info=plain("of the version's words"))
    shown_on: Mapped[date] = mapped_column(info=plain())


class PublicRequest(Record):
    """Something was sent from the public page of rights: counted, so that nobody floods the desk."""

    __tablename__ = "public_request"
    __holding__ = Holding(
        "to keep the public page of rights from being flooded", Keep.SIGN_IN, clock=("asked_at",)
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    network: Mapped[bytes | None] = mapped_column(
        LargeBinary(32), index=True, info=reference("keyed digest of the network that asked")
    )
    asked_at: Mapped[datetime] = mapped_column(index=True, info=plain())
