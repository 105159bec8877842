"""The waves laid over packages and sessions: who can answer what, and until when.

Everything is computed from dates as they stand: an invitation, a first session, the end of support, a last day in
a group, the end of the contract. Whatever moves one of them moves the windows.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session as DbSession

from portal.answers.parts import TAKES_PART, Part, Support
from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    PackageState,
    Participation,
    Session,
    SessionState,
)
from portal.programme import Programme, terms
from privacy.clock import london_date
from privacy.statements import run
from surveys.models import Wave
from surveys.sittings import ONCE
from surveys.waves import (
    Terms,
    Window,
    baseline_window,
    feedback_window,
    interim_windows,
    post_window,
)

RUNNING = frozenset({PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE})


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One wave of one participation, with its window; for feedback, when its session started."""

    participation_id: UUID
    wave: Wave
    occasion: str
    window: Window
    session_starts_at: datetime | None = None


class Seat(NamedTuple):
    """A place of somebody in a session that was not cancelled."""

    participation_id: UUID
    session_id: UUID
    starts_at: datetime
    ends_at: datetime
    held: bool


def interim_occasion(months: int) -> str:
    """What tells one interim wave from the next in an address."""
    return f"month-{months}"


def ended_on(part: Participation | Part, package: Package | Support) -> date | None:
    """The day support ended for somebody: with the package, or before it when their part in it ended."""
    package_end = package.ends_on if package.state is PackageState.ENDED else None
    return min((day for day in (part.to_on, package_end) if day is not None), default=None)


def of_support(
    part: Participation | Part,
    package: Package | Support,
    *,
    first_session_at: datetime | None,
    terms: Terms,
    waves: Collection[Wave] = frozenset(Wave),
) -> list[Opening]:
    """Baseline, interim waves and post questionnaire of a participation, in this order, or some of them; none before
    support is agreed, nor when it was withdrawn. Without an invitation the baseline opens when the package was made."""
    if package.state is not PackageState.ENDED and package.state not in RUNNING:
        return []
    end = ended_on(part, package)
    found = []
    if Wave.BASELINE in waves:
        opens_at = part.invited_at or package.created_at
        baseline = baseline_window(opens_at, first_session_at=first_session_at, ended_on=end, terms=terms)
        found.append(Opening(participation_id=part.id, wave=Wave.BASELINE, occasion=ONCE, window=baseline))
    if Wave.INTERIM in waves and package.state in (PackageState.ACTIVE, PackageState.ENDED):
        starts_on = max(package.starts_on, part.from_on)
        found += [
            Opening(
                participation_id=part.id,
                wave=Wave.INTERIM,
                occasion=interim_occasion(months),
                window=window,
            )
            for months, window in interim_windows(starts_on, ended_on=end, terms=terms)
        ]
    if Wave.POST in waves and end is not None:
        post = post_window(end, terms=terms)
        found.append(Opening(participation_id=part.id, wave=Wave.POST, occasion=ONCE, window=post))
    return found


def openings(
    db: DbSession,
    programme: Programme,
    participations: Sequence[Participation | Part],
    *,
    now: datetime,
    seats: Sequence[Seat] | None = None,
) -> list[Opening]:
    """Every wave of these participations, past and coming ones too, in order of opening.

    Two queries however many there are, one where their `seats` are known; packages should be loaded already.
    """
    seats = _seats(db, [part.id for part in participations]) if seats is None else seats
    in_force = terms(db, programme, on=london_date(now))
    first = _first(seats)
    found = [
        opening
        for part in participations
        for opening in of_support(part, part.package, first_session_at=first.get(part.id), terms=in_force)
    ]
    found += [
        Opening(
            participation_id=seat.participation_id,
            wave=Wave.FEEDBACK,
            occasion=str(seat.session_id),
            window=feedback_window(seat.ends_at, terms=in_force),
            session_starts_at=seat.starts_at,
        )
        for seat in seats
        if seat.held
    ]
    return sorted(found, key=lambda one: one.window.opens_at)


def opening(
    db: DbSession,
    programme: Programme,
    part: Participation | Part,
    *,
    wave: Wave,
    occasion: str,
    now: datetime,
) -> Opening | None:
    """One wave of one participation; None where nobody is asked that."""
    found_in = (
        of_support(
            part,
            part.package,
            first_session_at=part.first_session_at,
            terms=part.terms(programme),
            waves=[wave],
        )
        if isinstance(part, Part) and wave is not Wave.FEEDBACK
        else openings(db, programme, [part], now=now)
    )
    return next(
        (found for found in found_in if (found.wave, found.occasion) == (wave, occasion)),
        None,
    )


def seats_in(sessions: Iterable[Session], participation_ids: Collection[UUID]) -> list[Seat]:
    """The places of these participations in sessions that are loaded already, with everybody's."""
    return [
        Seat(
            seat.participation_id,
            session.id,
            session.starts_at,
            session.ends_at,
            session.state is SessionState.HELD and seat.state is AttendanceState.ATTENDED,
        )
        for session in sessions
        if session.state is not SessionState.CANCELLED
        for seat in session.attendances
        if seat.participation_id in participation_ids and seat.state in TAKES_PART
    ]


_SEATS = (
    select(
        Attendance.participation_id,
        Session.id,
        Session.starts_at,
        Session.ends_at,
        Session.state,
        Attendance.state,
    )
    .join(Session, Session.id == Attendance.session_id)
    .where(
        Attendance.participation_id.in_(bindparam("participations", expanding=True)),
        Attendance.state.in_(TAKES_PART),
        Session.state != SessionState.CANCELLED,
    )
)


def _seats(db: DbSession, participation_ids: Sequence[UUID]) -> list[Seat]:
    rows = run(db, _SEATS, {"participations": list(participation_ids)})
    return [
        Seat(
            participation_id,
            session_id,
            starts_at,
            ends_at,
            session is SessionState.HELD and seat is AttendanceState.ATTENDED,
        )
        for participation_id, session_id, starts_at, ends_at, session, seat in rows
    ]


def _first(seats: Iterable[Seat]) -> dict[UUID, datetime]:
    first: dict[UUID, datetime] = {}
    for seat in seats:
        first[seat.participation_id] = min(seat.starts_at, first.get(seat.participation_id, seat.starts_at))
    return first
