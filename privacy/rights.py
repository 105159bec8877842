"""Tables: what people and the Controller ask for about a person's data, and what became of it.

The floor knows a person as a row of the root's table: an id, and nothing else (UK GDPR Articles 15 to 18).
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedJson, SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class Cause(StrEnum):
    """Why something must be kept. An open request for access or under the FOI Act holds by itself: to erase what
    was asked for would be an offence (Data Protection Act 2018 s 173; FOI Act s 77)."""

    LEGAL = "legal"
    ACCESS = "access"
    FOI = "foi"


class Lifted(StrEnum):
    """Why a hold was lifted, as the trail says it. CLOSED: the case that held was closed, or is about somebody else."""

    CLOSED = "closed"
    OVER = "over"
    TOLD = "told"
    MISTAKE = "mistake"


class LegalHold(Record):
    """Something about a person must not be erased until the hold is lifted: one row of one table, or everything
    where no table is named."""

    __tablename__ = "legal_hold"
    __holding__ = Holding(
        "to keep what the law says must be kept (Article 17(3))",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    item_table: Mapped[str | None] = mapped_column(String(60), info=plain())
    item_id: Mapped[UUID | None] = mapped_column(Uuid, info=reference("the row that is held"))
    cause: Mapped[Cause] = mapped_column(Word(Cause), info=plain(holds="Why there is a hold"))
    placed_at: Mapped[datetime] = mapped_column(info=plain())
    lifted_at: Mapped[datetime | None] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who placed it"))
    case_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("casefile.id"), index=True, info=plain("the open case that holds")
    )
    # Its own key: what is held can outlive the person's.
    reason_sealed: Mapped[bytes | None] = sealed(holder="id", holds="Why the data must be kept", at_least=256)
    reason = SealedText("reason_sealed")


class Rectification(Record):
    """A value was put right: what it was, what it is, why, and who was told (Articles 16 and 19).

    `told` is `[[who, day], ...]`: recipients of the wrong value, with the day on which they were told.
    """

    __tablename__ = "rectification"
    __holding__ = Holding(
        "to show what was put right, and who was told (Articles 16 and 19)",
        Keep.CONTRACT,
        subject="person_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    item_table: Mapped[str] = mapped_column(String(60), info=plain(holds="Where it was put right"))
    item_id: Mapped[UUID] = mapped_column(Uuid, info=reference("the row that was put right"))
    item_column: Mapped[str] = mapped_column(String(60), info=plain(holds="What was put right"))
    at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who put it right"))
    before_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What it said before it was put right", at_least=256
    )
    after_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What it says since it was put right", at_least=256
    )
    reason_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Why it was put right", at_least=256
    )
    told_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Who was told that it was put right", at_least=256
    )
    before = SealedJson("before_sealed")
    after = SealedJson("after_sealed")
    reason = SealedText("reason_sealed")
    told = SealedJson("told_sealed")


class ExportState(StrEnum):
    """FAILED: a store did not answer, and nothing is released. FETCHED: it was downloaded once."""

    ASKED = "asked"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"
    FETCHED = "fetched"


class PersonExport(Record):
    """Everything held about one person as a file, sealed with their own key until it is fetched (Article 15).

    One that somebody asks for themselves is handed over unseen: what others wrote of them is not in it (Article 15(4)).
    """

    __tablename__ = "person_export"
    __holding__ = Holding(
        "to give people what is held about them (Article 15)",
        Keep.RELEASED,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("ready_at", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    state: Mapped[ExportState] = mapped_column(Word(ExportState), index=True, info=plain())
    asked_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who asked for it"))
    claimed_until: Mapped[datetime | None] = mapped_column(info=plain("a worker has it until then"))
    stores: Mapped[int] = mapped_column(default=0, info=plain(holds="Places that have to answer"))
    answered: Mapped[int] = mapped_column(default=0, info=plain(holds="Places that have answered"))
    failed_store: Mapped[str | None] = mapped_column(
        String(60), info=plain(holds="Place that did not answer")
    )
    ready_at: Mapped[datetime | None] = mapped_column(info=plain())
    left_out: Mapped[int] = mapped_column(
        default=0,
        info=plain(
            "passages that others wrote, which somebody looks at first",
            holds="Passages to be looked at first",
        ),
    )
    case_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("casefile.id"), index=True, info=plain("the case it was made for")
    )
    fetched_at: Mapped[datetime | None] = mapped_column(info=plain())


class ErasureState(StrEnum):
    """HELD: all or some of it waits until a hold is lifted. ERASING: the data is gone, the keys and the copies of
    the ledger follow. ERASED: done."""

    HELD = "held"
    ERASING = "erasing"
    ERASED = "erased"


class Erasure(Record):
    """An erasure that the Controller ordered. It points at nobody: the person's row is gone.

    `holders` are the ids whose keys are destroyed; `report` is `[[table, gone, emptied], ...]`.
    """

    __tablename__ = "erasure"
    __holding__ = Holding(
        "to carry out erasures that the Controller orders, and show it (cl 17.4(e))", Keep.LEDGER
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    person_id: Mapped[UUID] = mapped_column(Uuid, index=True, info=reference("whose row it was"))
    instruction_id: Mapped[UUID] = mapped_column(ForeignKey("register_entry.id"), info=plain())
    state: Mapped[ErasureState] = mapped_column(Word(ErasureState), index=True, info=plain())
    begun_at: Mapped[datetime] = mapped_column(info=plain())
    data_at: Mapped[datetime | None] = mapped_column(info=plain("when the data went"))
    erased_on: Mapped[date | None] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who began it"))
    holders: Mapped[list[Any]] = mapped_column(JSON, info=reference("whose keys are destroyed"))
    report: Mapped[list[Any]] = mapped_column(JSON, info=plain("rows by table"))
