"""What was last done to keep data safe, as the desk shows it: drill, rotation, escrow, backup, check of the chain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session as DbSession

from portal.desk import key_report
from portal.instance import Instance
from privacy import chain_checks
from privacy.safekeeping import KeyAct


@dataclass(frozen=True)
class Done:
    """One act: what it is called and when it was last done, None for never. `well` is false where it failed."""

    label: str
    at: datetime | None
    well: bool = True


@dataclass(frozen=True)
class DeskReport:
    """What was last done, and what is overdue, in whole sentences."""

    done: list[Done]
    warnings: list[str]


def report(instance: Instance, db: DbSession, *, now: datetime) -> DeskReport:
    """Reads only."""
    found = key_report.report(instance, db, now=now)
    check = chain_checks.last(db)
    acts = {act: event.at for act, event in found.done.items()}
    backup, drill = found.backups.backup, found.backups.drill
    done = [
        Done("Escrow of the keys opened as a drill", acts.get(KeyAct.DRILL)),
        Done("Backup restored as a drill", drill.began_at if drill is not None else None),
        Done("Keys rotated", acts.get(KeyAct.ROTATION)),
        Done("Escrow of the keys made", acts.get(KeyAct.ESCROW)),
        Done("Backup made", backup.began_at if backup is not None else None),
        Done("Audit trail checked", check.at if check else None, well=check is None or check.ok),
    ]
    broken = ["The audit trail did not hold when it was last checked."] if check and not check.ok else []
    return DeskReport(done, [*broken, *found.warnings])
