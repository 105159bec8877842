"""Tables: links and files that the team keeps for people, and where they are attached."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from privacy.columns import SealedBytes, SealedText, sealed
from privacy.records import Holding, Keep, Kind, Record, Word, new_id, plain, reference


class ResourceKind(StrEnum):
    """What a resource is for (sch 5 1.3.3)."""

    TOOLKIT = "toolkit"
    CASE_STUDY = "case_study"
    PRE_READING = "pre_reading"


class Resource(Record):
    """A link or a file. `roles` and `session_kinds` say whom it is shown to without being attached to anything.

    What it holds is its own: title, words, address and content are sealed under a key that belongs to it alone.
    """

    __tablename__ = "resource"
    __holding__ = Holding("to give people what they need to read (sch 5 1.3.3)", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    kind: Mapped[ResourceKind] = mapped_column(Word(ResourceKind), info=plain())
    roles: Mapped[list[Any]] = mapped_column(JSON, info=plain())
    session_kinds: Mapped[list[Any]] = mapped_column(JSON, info=plain())
    crown: Mapped[bool] = mapped_column(info=plain("made under the contract, so Crown copyright (cl 8.6)"))
    added_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who added it"))
    retired_at: Mapped[datetime | None] = mapped_column(info=plain("from then on it is offered no more"))
    file_kind: Mapped[str | None] = mapped_column(String(10), info=plain("the kind of file, by its content"))
    file_bytes: Mapped[int | None] = mapped_column(info=plain("how large the file is"))
    title_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What the link or file is called", kind=Kind.NOT_PERSONAL
    )
    about_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="What the link or file is, in a sentence", kind=Kind.NOT_PERSONAL, at_least=256
    )
    link_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Address of the link", kind=Kind.NOT_PERSONAL, at_least=256
    )
    title = SealedText("title_sealed")
    about = SealedText("about_sealed")
    link = SealedText("link_sealed")

    uses: Mapped[list["ResourceUse"]] = relationship(back_populates="resource")


class ResourceFile(Record):
    """The content of a file, apart from what lists show of it."""

    __tablename__ = "resource_file"
    __holding__ = Holding("to keep the files that people are given", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id"), unique=True, info=plain())
    content_sealed: Mapped[bytes | None] = sealed(
        holder="resource_id", holds="Content of the file", kind=Kind.NOT_PERSONAL, at_least=1024
    )
    content = SealedBytes("content_sealed")


class ResourceUse(Record):
    """A resource attached to a package or to a session."""

    __tablename__ = "resource_use"
    __table_args__ = (
        UniqueConstraint("resource_id", "package_id"),
        UniqueConstraint("resource_id", "session_id"),
        CheckConstraint("(package_id is null) <> (session_id is null)", name="one_place"),
    )
    __holding__ = Holding("to show a resource where it is needed", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    resource_id: Mapped[UUID] = mapped_column(ForeignKey("resource.id"), index=True, info=plain())
    package_id: Mapped[UUID | None] = mapped_column(ForeignKey("package.id"), index=True, info=plain())
    session_id: Mapped[UUID | None] = mapped_column(ForeignKey("session.id"), index=True, info=plain())
    added_at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who attached it"))

    resource: Mapped[Resource] = relationship(back_populates="uses")
