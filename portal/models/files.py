"""Files of rows that are too long for a page: the worker takes them."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from privacy.columns import SealedBytes, SealedJson, sealed
from privacy.records import Erase, Holding, Keep, Record, Word, new_id, plain, reference


class SentFileState(StrEnum):
    """REFUSED: the file has faults, which `outcome` lists. FAILED: something of ours went wrong; nothing was taken."""

    WAITING = "waiting"
    CHECKING = "checking"
    TAKING = "taking"
    TAKEN = "taken"
    REFUSED = "refused"
    FAILED = "failed"


class SentFile(Record):
    """A file that somebody of the team sent, until it is taken, and what came of it for a day; for that day also the
    rows that were refused.

    `outcome` is `{"said": text, "notes": [text, ...], "faults": [[line, text], ...]}`.
    """

    __tablename__ = "sent_file"
    __holding__ = Holding(
        "to take long files without making anybody wait at a page",
        Keep.PARKED,
        subject="person_id",
        erase=Erase.DELETE_ROW,
        clock=("sent_at",),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=reference())
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True, info=reference())
    kind: Mapped[str] = mapped_column(String(20), info=plain("what its rows are"))
    state: Mapped[SentFileState] = mapped_column(Word(SentFileState), index=True, info=plain())
    lines: Mapped[int] = mapped_column(info=plain())
    sent_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    claimed_until: Mapped[datetime | None] = mapped_column(info=plain("a worker has it until then"))
    ended_at: Mapped[datetime | None] = mapped_column(info=plain())
    data_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="Rows of the file, until they are taken, or a day once refused"
    )
    outcome_sealed: Mapped[bytes | None] = sealed(
        holder="person_id", holds="What came of the file, with its faults"
    )
    data = SealedBytes("data_sealed")
    outcome = SealedJson("outcome_sealed")
