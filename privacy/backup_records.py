"""Table: backups, drills and restores, so that the data protection officer sees when the last one was.

Regular testing of the measures is part of the contract (cl 17.4(b)): a drill leaves its time and its outcome here.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

from sqlalchemy import BigInteger, Select, String, Uuid, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy.audit import Action
from privacy.records import Holding, Keep, Record, Word, new_id, plain
from privacy.work import Work


class RunKind(StrEnum):
    """What was done."""

    BACKUP = "backup"
    DRILL = "drill"
    RESTORE = "restore"


class BackupRun(Record):
    """One backup, drill or restore. `rows` and `size` (bytes) are those of the database in it.

    A restore holds the mail until somebody releases it: `mail_released_at`.
    """

    __tablename__ = "backup_run"
    __holding__ = Holding("to show that backups are made and can be restored (cl 17.4(b))", Keep.CONTRACT)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id, info=plain())
    kind: Mapped[RunKind] = mapped_column(Word(RunKind), index=True, info=plain())
    name: Mapped[str | None] = mapped_column(String(60), info=plain("which backup"))
    folder: Mapped[str | None] = mapped_column(String(300), info=plain("where it lies"))
    began_at: Mapped[datetime] = mapped_column(index=True, info=plain())
    seconds: Mapped[int] = mapped_column(info=plain())
    ok: Mapped[bool] = mapped_column(info=plain())
    trouble: Mapped[str | None] = mapped_column(String(40), info=plain("the kind of error"))
    rows: Mapped[int | None] = mapped_column(BigInteger, info=plain())
    size: Mapped[int | None] = mapped_column(BigInteger, info=plain())
    mail_released_at: Mapped[datetime | None] = mapped_column(info=plain("after a restore"))


@dataclass(frozen=True)
class Last:
    """The newest run of each kind that went well, and the newest that did not, if it is newer than all of them."""

    backup: BackupRun | None
    drill: BackupRun | None
    restore: BackupRun | None
    failed: BackupRun | None


def last(db: Session) -> Last:
    """When each was last done, for the page of the data protection officer."""
    newest = {
        kind: db.scalars(
            select(BackupRun)
            .where(BackupRun.kind == kind, BackupRun.ok)
            .order_by(BackupRun.began_at.desc(), BackupRun.id)
            .limit(1)
        ).first()
        for kind in RunKind
    }
    failed = db.scalars(
        select(BackupRun).where(~BackupRun.ok).order_by(BackupRun.began_at.desc(), BackupRun.id).limit(1)
    ).first()
    if failed is not None:
        good = newest[failed.kind]
        if good is not None and good.began_at > failed.began_at:
            failed = None
    return Last(newest[RunKind.BACKUP], newest[RunKind.DRILL], newest[RunKind.RESTORE], failed)


def note(
    work: Work,
    kind: RunKind,
    *,
    name: str | None,
    folder: Path | None = None,
    began_at: datetime,
    seconds: float,
    rows: int | None = None,
    size: int | None = None,
    trouble: str | None = None,
) -> BackupRun:
    """Note what was done, and leave a line in the trail. `trouble` is the kind of error of one that failed."""
    run = BackupRun(
        id=new_id(),
        kind=kind,
        name=name,
        folder=str(folder.resolve())[:300] if folder else None,
        began_at=began_at,
        seconds=round(seconds),
        ok=trouble is None,
        trouble=trouble[:40] if trouble else None,
        rows=rows,
        size=size,
    )
    work.db.add(run)
    actions = {
        RunKind.BACKUP: Action.BACKUP_MADE,
        RunKind.DRILL: Action.BACKUP_DRILLED,
        RunKind.RESTORE: Action.BACKUP_RESTORED,
    }
    work.record(actions[kind], object=f"backup_run:{run.id}", name=name, ok=run.ok, seconds=run.seconds)
    return run


def folders(db: Session) -> list[Path]:
    """Every folder that backups were made in: each gets the ledger of who was erased, if it can be reached.

    Also those that were restored from: a backup does not hold the note of itself.
    """
    lie = BackupRun.kind.in_((RunKind.BACKUP, RunKind.RESTORE))
    asked = select(BackupRun.folder).where(lie, BackupRun.ok).distinct()
    return [Path(folder) for folder in sorted(filter(None, db.scalars(asked)))]


def mail_is_held(db: Session) -> bool:
    """Whether mail waits since a restore for somebody to release it."""
    return db.scalars(_holding().limit(1)).first() is not None


def release_mail(work: Work) -> bool:
    """Let mail go again after a restore; False if it was not held."""
    runs = work.db.scalars(_holding().with_for_update()).all()
    for run in runs:
        run.mail_released_at = work.now
        work.record(Action.MAIL_RELEASED, object=f"backup_run:{run.id}")
    return bool(runs)


def _holding() -> Select[BackupRun]:
    return select(BackupRun).where(
        BackupRun.kind == RunKind.RESTORE, BackupRun.ok, BackupRun.mail_released_at.is_(None)
    )
