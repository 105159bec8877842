"""What monitors are told in numbers about the state of the whole portal, read from the database; nothing personal.

These are the same on whatever machine they are asked for: of several take the largest, not the sum.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.cases import calendars, clocks
from portal.health.readiness import oldest_due
from portal.mailing import post
from portal.models import Mail, MailState
from privacy import backup_records
from privacy.cases import acts
from privacy.rights import Erasure, ErasureState, ExportState, PersonExport

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Gauge:
    """A number, or several told apart by one label; `values` by the label's value, "" where there is none."""

    name: str
    help: str
    values: Mapping[str, float]
    label: str | None = None


def read(db: DbSession, *, now: datetime) -> Iterator[Gauge]:
    """Queues, clocks of cases, and how old the newest backup and drill are."""
    yield Gauge("portal_mail", "Mails, by what they wait for", _mail(db, now), "state")
    since = oldest_due(db, now=now)
    yield Gauge(
        "portal_mail_oldest_due_seconds",
        "For how long the first mail waits that could have gone",
        {"": (now - since).total_seconds() if since is not None else 0.0},
    )
    yield Gauge("portal_units", "Units of work that no worker has finished", _units(db), "kind")
    yield Gauge("portal_clocks", "Clocks of open cases, by when they run out", _clocks(db, now), "state")
    last = backup_records.last(db)
    done = {"backup": last.backup, "drill": last.drill}
    ages = {kind: (now - run.began_at).total_seconds() for kind, run in done.items() if run is not None}
    yield Gauge("portal_age_seconds", "Since the newest that went well", ages, "of")


def _mail(db: DbSession, now: datetime) -> dict[str, float]:
    def count(*wanted: object) -> int:
        return db.scalar(select(func.count()).select_from(Mail).where(*wanted)) or 0  # type: ignore[arg-type]

    due, waiting = count(*post.due(db, now=now)), count(Mail.state == MailState.WAITING)
    return {"due": due, "later": waiting - due, "failed": count(Mail.state == MailState.FAILED)}


def _units(db: DbSession) -> dict[str, float]:
    exports = select(func.count()).where(PersonExport.state.in_([ExportState.ASKED, ExportState.BUILDING]))
    erasures = select(func.count()).where(Erasure.state == ErasureState.ERASING)
    return {"person_export": db.scalar(exports) or 0, "erasure": db.scalar(erasures) or 0}


def _clocks(db: DbSession, now: datetime) -> dict[str, float]:
    """Our own, without exercises: `late`, `day` and `week` ahead, and `later`."""
    found: Counter[str] = Counter(late=0, day=0, week=0, later=0)
    stories = [story for story in acts.stories(db, closed=False) if not story.case.exercise]
    for line in clocks.running(stories, now=now, holidays=calendars.calendars(db)):
        if line.clock.ours:
            left = None if line.due_at is None else line.due_at - now
            near = left is not None and ("day" if left <= DAY else "week" if left <= WEEK else "")
            found["late" if line.is_late else near or "later"] += 1
    return dict(found)
