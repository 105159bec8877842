"""Who opened somebody's answers, from the audit trail: the day, the role, what for.

The reader's name is not told: staff are people too, and what matters to whoever answered is in which role and why
their words were read. Who needs the name asks for it, and the Department decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from json import loads
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import purposes
from portal.answers.purposes import ReadingPurpose
from portal.models import Office, Participation, Role
from privacy.audit import Action, AuditEntry
from privacy.clock import london_date

PURPOSES: Mapping[str, str] = {
    "interview": "To fill it in with you on the phone",
    "reading": "To read what you answered",
    "verdict": "To judge the example that you gave",
    "figure": "To see who a figure counts",
    "shared": "Because you share it",
}
IN_ORDER = (Role.TEAM, Role.MENTOR)
AT_MOST = 100


@dataclass(frozen=True)
class Opening:
    """One reading of somebody's answers. `role` is None where the reader is no longer known."""

    on: date
    role: Role | None
    purpose: str


def of_person(db: DbSession, person_id: UUID) -> Sequence[Opening]:
    """The newest readings of somebody's answers by others, newest first; two queries."""
    theirs = select(Participation.id).where(Participation.person_id == person_id)
    lines = db.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.holder.in_(theirs),
            AuditEntry.action == Action.RESPONSE_OPENED.word,
            AuditEntry.actor != f"person:{person_id}",
        )
        .order_by(AuditEntry.seq.desc())
        .limit(AT_MOST)
    ).all()
    offices = _offices(db, {line.actor for line in lines})
    return [_opening(line, offices.get(line.actor, [])) for line in lines]


def _opening(line: AuditEntry, offices: Sequence[Office]) -> Opening:
    on, details = london_date(line.at), loads(line.details)
    return Opening(on, _role(offices, on), _purpose(details["purpose"], details.get("stated")))


def _purpose(page: str, stated: str | None) -> str:
    """What the reader said that day; on a page that has one purpose alone, that."""
    if page == "reading" and stated is not None:
        return purposes.WORDS[ReadingPurpose(stated)]
    return PURPOSES.get(page, "To work with it")


def _offices(db: DbSession, actors: set[str]) -> dict[str, list[Office]]:
    ids = [UUID(actor.partition(":")[2]) for actor in actors if actor.startswith("person:")]
    found: dict[str, list[Office]] = {}
    if ids:
        for office in db.scalars(select(Office).where(Office.person_id.in_(ids))):
            found.setdefault(f"person:{office.person_id}", []).append(office)
    return found


def _role(offices: Sequence[Office], on: date) -> Role | None:
    held = {office.role for office in offices if office.held_on(on)}
    return next((role for role in (*IN_ORDER, *sorted(held)) if role in held), None)
