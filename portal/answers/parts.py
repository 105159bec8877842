"""Somebody's part in a package, read for one page of a questionnaire: in one query, as plain values."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    Attendance,
    AttendanceState,
    Council,
    Package,
    PackageState,
    Participation,
    Role,
    Session,
    SessionState,
)
from portal.programme import Programme, terms_until
from privacy.registers import Register, day_in_force_at
from privacy.statements import run
from surveys.waves import Terms

TAKES_PART = (AttendanceState.BOOKED, AttendanceState.ATTENDED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Support:
    """A package, as the windows of questionnaires ask for it."""

    state: PackageState
    starts_on: date
    ends_on: date | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Somebody's part in a package. `council` is the short name of the package's; `contract_ends_on` what the register
    says, if anything; `first_session_at` when their first session starts, of those that were not cancelled."""

    id: UUID
    package_id: UUID
    person_id: UUID
    role: Role
    from_on: date
    to_on: date | None
    invited_at: datetime | None
    package: Support
    council: str | None
    contract_ends_on: date | None
    first_session_at: datetime | None

    def terms(self, programme: Programme) -> Terms:
        return terms_until(programme, self.contract_ends_on or programme.contract.ends_on)


_PARTS, _PACKAGES, _COUNCILS = Participation.__table__, Package.__table__, Council.__table__
_SEATS, _SESSIONS = Attendance.__table__, Session.__table__
_FIRST = (
    select(func.min(_SESSIONS.c.starts_at))
    .select_from(_SEATS.join(_SESSIONS))
    .where(
        _SEATS.c.participation_id == _PARTS.c.id,
        # Not a list: that would be written into the statement each time.
        or_(*(_SEATS.c.state == state for state in TAKES_PART)),
        _SESSIONS.c.state != SessionState.CANCELLED,
    )
    .scalar_subquery()
)
_STATEMENT = (
    select(
        _PARTS.c.package_id,
        _PARTS.c.person_id,
        _PARTS.c.role,
        _PARTS.c.from_on,
        _PARTS.c.to_on,
        _PARTS.c.invited_at,
        _PACKAGES.c.state,
        _PACKAGES.c.starts_on,
        _PACKAGES.c.ends_on,
        _PACKAGES.c.created_at,
        _COUNCILS.c.short_name,
        day_in_force_at(Register.CONTRACT_END, on=bindparam("on")).label("contract_ends_on"),
        _FIRST.label("first_session_at"),
    )
    .select_from(_PARTS.join(_PACKAGES).outerjoin(_COUNCILS, _PACKAGES.c.council_id == _COUNCILS.c.id))
    .where(_PARTS.c.id == bindparam("id"))
)


def read(db: DbSession, participation_id: UUID, *, on: date) -> Part | None:
    """With what is in force on a day; None where there is no such part, or who had it was erased."""
    row = run(db, _STATEMENT, {"id": participation_id, "on": on}).one_or_none()
    if row is None or row.person_id is None:
        return None
    return Part(
        id=participation_id,
        package_id=row.package_id,
        person_id=row.person_id,
        role=row.role,
        from_on=row.from_on,
        to_on=row.to_on,
        invited_at=row.invited_at,
        package=Support(
            state=row.state, starts_on=row.starts_on, ends_on=row.ends_on, created_at=row.created_at
        ),
        council=row.short_name,
        contract_ends_on=row.contract_ends_on,
        first_session_at=row.first_session_at,
    )
