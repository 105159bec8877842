"""A unit of work: one transaction, one moment, one actor, one trail.

    with unit_of_work(db, clock, actor) as work:
        bookings.book(work, ...)

It commits when the block ends and rolls back when it raises; rules never commit. What a guard read before is
given up first, so that the rule reads again under the lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from privacy import audit
from privacy.clock import Clock
from privacy.columns import keys_of
from privacy.keys import KeyRing
from privacy.returns import standstill
from privacy.transactions import PATIENCE, WRITE, turn


@dataclass
class Work:
    """What a rule may use: the session, the moment (aware UTC), the actor (`kind:id`) and the trail."""

    db: Session
    now: datetime
    actor: str
    lines: list[audit.Line] = field(default_factory=list)

    def record(
        self, action: audit.Action, *, object: str, holder: UUID | None = None, **details: audit.Detail
    ) -> None:
        """Leave a line in the audit trail; it is written last, just before the commit."""
        self.lines.append(audit.line(action, object=object, holder=holder, details=details))

    def wait_turn(self, subject: str, *, shared: bool = False) -> None:
        """Let nobody else work on the same subject until this work ends; what is read from here on is settled.

        Works with a `shared` turn go beside each other, and only wait for whoever wants it alone. For what has no row
        of its own to lock. On SQLite whoever writes is alone already.
        """
        if self.db.get_bind().dialect.name == "postgresql":
            turn = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
            self.db.execute(select(turn(func.hashtextextended(subject, 0))))

    @property
    def ring(self) -> KeyRing:
        return keys_of(self.db).vault.ring


@contextmanager
def unit_of_work(
    db: Session | scoped_session[Session],
    clock: Clock,
    actor: str,
    *,
    frozen_too: bool = False,
    patience: float = PATIENCE,
) -> Iterator[Work]:
    """Yield a Work whose transaction holds the write lock on SQLite, READ COMMITTED on PostgreSQL.

    Raises Frozen while the data is being returned, but for work that is `frozen_too`: the return itself, signing in,
    and the clocks of cases, which the law does not stop. On SQLite it waits `patience` seconds for other writers.
    """
    session = db() if isinstance(db, scoped_session) else db
    session.rollback()
    with turn(session.get_bind().engine, patience=patience) as left:
        try:
            # The option counts only for a transaction that has not begun: hence the rollback above.
            session.connection(execution_options={WRITE: left})
            work = Work(session, clock(), actor)
            with nullcontext() if frozen_too else standstill.respected(session):
                yield work
            session.flush()
            audit.append(session, work.lines, ring=work.ring, at=work.now, actor=actor)
            session.commit()
        except BaseException:
            session.rollback()
            raise
