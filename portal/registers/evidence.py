"""What the product itself can show of its measures: when each was last tried out, checked or done (cl 17.3(d)).

For the impact assessment. Nothing here is typed by anybody; what cannot be shown is said to be so.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.cases import suspicions
from portal.desk import key_report
from portal.desk.key_report import Safekeeping
from portal.instance import Instance
from portal.registers import access_review, personnel
from privacy import chain_checks
from privacy.backup_records import BackupRun
from privacy.cases import acts
from privacy.cases.story import ClockName
from privacy.cases.tables import CaseKind
from privacy.clock import london_date
from privacy.rights import Erasure, ErasureState
from privacy.safekeeping import KeyAct


@dataclass(frozen=True)
class Evidence:
    """A measure, what shows that it works, and whether that is as it should be."""

    measure: str
    shown_by: str
    good: bool


def evidence(instance: Instance, db: DbSession, *, now: datetime) -> list[Evidence]:
    """What can be shown at a moment; reads only."""
    found = key_report.report(instance, db, now=now)
    return [
        *_keys(found),
        _run("Backups", "The last backup was made", found.backups.backup),
        _run("Restoring in time", "A backup was last restored as a drill", found.backups.drill),
        _chain(db),
        *_people(db, now=now),
        _incidents(db, now=now),
        _erasures(db),
    ]


def _keys(found: Safekeeping) -> list[Evidence]:
    current = next((line for line in found.keys if line.state == "current"), None)
    age = (
        f"Key {current.id} is {filters.count(current.age_days, 'day', 'days')} old"
        if current
        else "No key is known"
    )
    drill, escrow = found.done.get(KeyAct.DRILL), found.done.get(KeyAct.ESCROW)
    kept = f"Escrow made on {filters.day(escrow.at)}" if escrow else "No escrow was made"
    tried = f", opened as a drill on {filters.day(drill.at)}" if drill else ", never opened as a drill"
    late = current is None or current.age_days > key_report.ROTATE_AFTER.days
    failed = any(event.act in (KeyAct.DRILL, KeyAct.CANARY) for event in found.failed)
    return [
        Evidence("What people say is sealed", age, not late),
        Evidence("Keys are kept twice", kept + tried, bool(escrow and drill) and not failed),
    ]


def _run(measure: str, words: str, run: BackupRun | None) -> Evidence:
    if run is None:
        return Evidence(measure, "Nothing shows it: it was never done", False)
    took = filters.count(run.seconds, "second", "seconds")
    return Evidence(measure, f"{words} on {filters.day(run.began_at)}, in {took}", True)


def _chain(db: DbSession) -> Evidence:
    last = chain_checks.last(db)
    if last is None:
        return Evidence("An audit trail that shows changes", "It was never checked", False)
    said = (
        f"{filters.count(last.lines, 'line', 'lines')} held"
        if last.ok
        else f"It did not hold: {last.trouble}"
    )
    return Evidence("An audit trail that shows changes", f"{said} on {filters.day_time(last.at)}", last.ok)


def _people(db: DbSession, *, now: datetime) -> list[Evidence]:
    today = london_date(now)
    staff = personnel.personnel(db, on=today)
    lacking = sum(bool(one.gaps) for one in staff)
    quarter_on = access_review.due(today)
    waits = sum(one.waits for one in access_review.review(db, quarter_on=quarter_on, on=today))
    return [
        Evidence(
            "Cleared, trained and bound people",
            f"{filters.count(len(staff), 'person', 'people')}; {lacking} lack something and see nothing",
            not lacking,
        ),
        Evidence(
            "Access on need alone",
            f"Review of the quarter to {filters.day(quarter_on)}: {waits} not confirmed, and see nothing",
            not waits,
        ),
    ]


def _incidents(db: DbSession, *, now: datetime) -> Evidence:
    stories = acts.stories(db, closed=None, kinds=[CaseKind.INCIDENT])
    real = [one for one in stories if not one.case.exercise and not one.is_draft]
    late = sum(
        clock.is_late(now=now)
        for one in real
        for clock in one.clocks(now=now)
        if clock.name is ClockName.INCIDENT
    )
    drills = [one for one in stories if one.case.exercise]
    drilled = f"last exercise {filters.day(drills[-1].case.received_at)}" if drills else "never exercised"
    waiting = suspicions.waiting(db)
    said = f"{filters.count(len(real), 'incident', 'incidents')}, {late} reported after 24 hours; {drilled}"
    waits = filters.count(waiting, "suspicion waits", "suspicions wait")
    return Evidence("Incidents are found and reported", f"{said}; {waits}", not late and not waiting)


def _erasures(db: DbSession) -> Evidence:
    done = select(Erasure.state, func.count()).group_by(Erasure.state)
    states = {row[0]: row[1] for row in db.execute(done)}
    finished = states.get(ErasureState.ERASED, 0)
    return Evidence(
        "Erasure that lasts",
        f"{filters.count(finished, 'person', 'people')} erased, {sum(states.values()) - finished} under way or held",
        not states.get(ErasureState.ERASING, 0),
    )
