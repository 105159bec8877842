"""What was done to keep the keys safe, and when: regular testing of the measures is itself a duty (cl 17.3;
UK GDPR Article 32(1)(d)).

Every rotation, escrow, drill and look at the canary leaves a row, so that whoever answers for the data can see
how long ago each was.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, Uuid, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy.columns import SealedText, sealed
from privacy.records import Holding, Keep, Record, Word, new_id, plain, reference
from privacy.work import Work


class KeyAct(StrEnum):
    """What was done. INDEXING: addresses were indexed with a new key. DRILL: an escrow was opened, to see that
    it can be. CANARY: the keys, read anew, opened the data."""

    ROTATION = "rotation"
    INDEXING = "indexing"
    RETIREMENT = "retirement"
    ESCROW = "escrow"
    DRILL = "drill"
    CANARY = "canary"


class KeyEvent(Record):
    """One act. `keys` are ids of keys between spaces, newest last; `people` the subjects of the certificates."""

    __tablename__ = "key_event"
    __holding__ = Holding(
        "to show that the keys are kept safe, and that this is tested (cl 17.3)", Keep.CONTRACT
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    act: Mapped[KeyAct] = mapped_column(Word(KeyAct), index=True, info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who did it"))
    keys: Mapped[str] = mapped_column(String(400), info=plain("the ids of the keys"))
    passed: Mapped[bool] = mapped_column(info=plain())
    count: Mapped[int] = mapped_column(default=0, info=plain("how many data keys or addresses"))
    trouble: Mapped[str | None] = mapped_column(String(40), info=plain("a code for what went wrong"))
    people_sealed: Mapped[bytes | None] = sealed(
        holder="id", holds="Who can open the escrow, as the certificates name them", at_least=256
    )
    people = SealedText("people_sealed")


def note(
    work: Work,
    act: KeyAct,
    *,
    keys: str,
    passed: bool = True,
    count: int = 0,
    trouble: str | None = None,
    people: str | None = None,
) -> KeyEvent:
    """Enter an act that ended now."""
    event = KeyEvent(
        id=new_id(),
        act=act,
        at=work.now,
        by=work.actor,
        keys=keys,
        passed=passed,
        count=count,
        trouble=trouble,
    )
    event.people = people
    work.db.add(event)
    return event


def last_of_each(db: Session, *, passed: bool = True) -> dict[KeyAct, KeyEvent]:
    """The newest act of each kind that passed, or that did not."""
    newest = (
        select(KeyEvent.act, func.max(KeyEvent.at).label("at"))
        .where(KeyEvent.passed.is_(passed))
        .group_by(KeyEvent.act)
        .subquery()
    )
    rows = db.scalars(
        select(KeyEvent)
        .join(newest, (KeyEvent.act == newest.c.act) & (KeyEvent.at == newest.c.at))
        .where(KeyEvent.passed.is_(passed))
    )
    return {event.act: event for event in rows}
