"""Tables: notes on sessions, and what was said and decided about goals."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.models.packages import Goal, GoalState
from portal.models.people import Person
from portal.models.sessions import Session
from privacy.columns import SealedText, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class NoteKind(StrEnum):
    """SHARED: the leader and the mentors of the package read it. PRIVATE: only the mentor who wrote it."""

    SHARED = "shared"
    PRIVATE = "private"


class SessionNote(Record):
    """A note on a session. A one-to-one session's are sealed with the key of the leader's participation."""

    __tablename__ = "session_note"
    __holding__ = Holding(
        "to keep what was agreed or noticed in a session (sch 5 1.3.3)",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    session_id: Mapped[UUID] = mapped_column(ForeignKey("session.id"), index=True, info=plain())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), info=plain())
    participation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    author_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    kind: Mapped[NoteKind] = mapped_column(Word(NoteKind), info=plain())
    written_at: Mapped[datetime] = mapped_column(info=plain())
    changed_at: Mapped[datetime | None] = mapped_column(info=plain())
    text_sealed: Mapped[bytes | None] = sealed(
        holder="holder_id", holds="What the note of the session says", at_least=256
    )
    text = SealedText("text_sealed")

    session: Mapped[Session] = relationship()
    author: Mapped[Person] = relationship()

    @property
    def holder_id(self) -> UUID:
        """Whose key seals it: the leader's participation, or the package of a group."""
        return self.participation_id or self.package_id


class GoalAct(StrEnum):
    """What happened to a goal. SAID: somebody looked back at it, in words."""

    SAID = "said"
    REWORDED = "reworded"
    OPEN = "open"
    MET = "met"
    DROPPED = "dropped"

    @classmethod
    def of(cls, state: GoalState) -> "GoalAct":
        return cls(state.value)


class GoalEvent(Record):
    """One entry in the history of a goal: a remark, a change of how it stands, or (REWORDED) the wording before."""

    __tablename__ = "goal_event"
    __holding__ = Holding(
        "to revisit what support is for (sch 5 1.3.3)",
        Keep.CONTRACT,
        subject="participation_id",
        erase=Erase.DELETE_ROW,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    goal_id: Mapped[UUID] = mapped_column(ForeignKey("goal.id"), index=True, info=reference())
    package_id: Mapped[UUID] = mapped_column(ForeignKey("package.id"), info=plain())
    participation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("participation.id"), index=True, info=reference()
    )
    act: Mapped[GoalAct] = mapped_column(Word(GoalAct), info=plain(holds="What became of the goal"))
    at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who"))
    text_sealed: Mapped[bytes | None] = sealed(
        holder="holder_id", holds="Remark on the goal, or its words before", at_least=256
    )
    text = SealedText("text_sealed")

    goal: Mapped[Goal] = relationship(back_populates="events")

    @property
    def holder_id(self) -> UUID:
        """Whose key seals it: the goal's."""
        return self.participation_id or self.package_id
