"""The audit trail checked whole, each time leaving what was found and the head that others can keep.

The chain's MACs need a key that stays here. So a check also computes the *open digest*: a hash chain over the same
lines that anybody can recompute (privacy/audit_verifier.py). Mailed to the Controller day by day, it shows later that
the trail up to that line is still the one of that day, whoever held the key meanwhile (cl 17.8, 17.9).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, String, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy import audit
from privacy.audit import AuditEntry
from privacy.audit_verifier import START, next_digest
from privacy.errors import ChainBroken
from privacy.keys import KeyRing
from privacy.records import Holding, Keep, Record, new_id, plain, reference
from privacy.work import Work


class ChainCheck(Record):
    """One check of the whole trail. `digest` is the open digest of its last line; None where it does not hold."""

    __tablename__ = "chain_check"
    __holding__ = Holding(
        "to show that the audit trail is checked, and was not altered (cl 17.8)", Keep.ACCOUNTS
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    at: Mapped[datetime] = mapped_column(index=True, info=plain())
    by: Mapped[str] = mapped_column(String(80), info=reference("who checked it"))
    ok: Mapped[bool] = mapped_column(info=plain())
    lines: Mapped[int] = mapped_column(BigInteger, info=plain("how many lines hold"))
    digest: Mapped[str | None] = mapped_column(
        String(64), info=plain("the head, as anybody can recompute it")
    )
    trouble: Mapped[str | None] = mapped_column(String(120), info=plain("where it does not hold"))

    @property
    def head(self) -> str:
        """As mails and pages give it, and the verifier takes it."""
        return f"{self.lines}:{self.digest}"


@dataclass
class _Digest:
    """The open digest, line by line."""

    value: str = START

    def see(self, entry: AuditEntry) -> None:
        self.value = next_digest(self.value, document(entry))


def document(entry: AuditEntry) -> dict[str, Any]:
    """A line of the trail as it is given out."""
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "holder": str(entry.holder) if entry.holder else None,
        "details": json.loads(entry.details),
        "mac": entry.mac.hex(),
    }


@dataclass(frozen=True)
class Looked:
    """What a look at the whole trail found: how many lines hold and the open digest of the last, or the trouble."""

    lines: int = 0
    digest: str | None = None
    trouble: str | None = None


def look(db: Session, ring: KeyRing, *, see: Callable[[AuditEntry], None] = lambda entry: None) -> Looked:
    """Check the whole trail and show `see` each line; it takes seconds where there are many, and locks nothing."""
    digest = _Digest()

    def both(entry: AuditEntry) -> None:
        digest.see(entry)
        see(entry)

    try:
        return Looked(audit.verify(db, ring, see=both), digest.value)
    except ChainBroken as broken:
        return Looked(trouble=str(broken)[:120])


def note(work: Work, found: Looked) -> ChainCheck:
    """Note what a look found. It leaves no line of its own: where the trail does not hold, none could be written."""
    row = ChainCheck(
        id=new_id(),
        at=work.now,
        by=work.actor,
        ok=found.trouble is None,
        lines=found.lines,
        digest=found.digest,
        trouble=found.trouble,
    )
    work.db.add(row)
    return row


def check(work: Work) -> ChainCheck:
    """Check the whole trail and note it, in one."""
    return note(work, look(work.db, work.ring))


def last(db: Session, *, ok: bool | None = None, until: datetime | None = None) -> ChainCheck | None:
    """The newest check (up to and with a moment); with `ok`, the newest that ended so."""
    asked = select(ChainCheck).order_by(ChainCheck.at.desc(), ChainCheck.id).limit(1)
    if until is not None:
        asked = asked.where(ChainCheck.at <= until)
    return db.scalars(asked if ok is None else asked.where(ChainCheck.ok.is_(ok))).first()


def heads(db: Session) -> Sequence[ChainCheck]:
    """Every head that was taken, oldest first."""
    return db.scalars(select(ChainCheck).where(ChainCheck.ok).order_by(ChainCheck.at, ChainCheck.id)).all()
