"""How support ends: the day, what has to hold, who is asked about it, and what the contract leaves of the time.

A day that was wrong is corrected; somebody can leave a group while it goes on. Windows follow of themselves.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.booking import open_offers
from portal.mailing import queue as mail
from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    PackageState,
    Participation,
    Session,
    SessionState,
    Strand,
)
from portal.packages.ledger import ledger
from portal.packages.members import lock_people, locked, was_emptied
from portal.packages.states import Act, PackageRefused, after
from portal.programme import Programme, require_inside, terms
from portal.sureness import Sure, unsure
from privacy.audit import Action
from privacy.clock import day_words, end_of_day, london, london_date
from privacy.work import Work
from surveys.waves import post_is_clipped, post_last_day


class WrongEnd(PackageRefused):
    """Support cannot end on that day."""

    field = "on"


class UnderMinimum(PackageRefused):
    """One-to-one support ends under the minimum, and nobody has said why (sch 4 SLAs)."""

    field = "reason"


class WindowClosed(PackageRefused):
    """The last questionnaire would have closed already, and nobody has said that the day is right."""

    field = "sure"

    def __init__(self, closes_on: date) -> None:
        super().__init__(
            f"The last questionnaire would have closed on {words(closes_on)}, so nobody could answer it. "
            "Change the day, or say that it is right"
        )


class SessionsAhead(PackageRefused):
    """Sessions are booked or were held after the day that support is to end; `sessions` lists them."""

    field = "on"

    def __init__(self, sessions: Sequence[Session]) -> None:
        super().__init__(f"There are sessions after this day: {_days(sessions)}. Cancel or move them first")
        self.sessions = list(sessions)


class PlacesAhead(PackageRefused):
    """Somebody has, or had, a place in group sessions after the day that support is to end; `sessions` lists them."""

    field = "on"

    def __init__(self, sessions: Sequence[Session]) -> None:
        super().__init__(
            f"There are places in group sessions on {_days(sessions)}. Give these places up first"
        )
        self.sessions = list(sessions)


def _days(sessions: Sequence[Session]) -> str:
    return ", ".join(words(london(session.starts_at).date()) for session in sessions)


def end(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    on: date,
    reason: str | None = None,
    sure: Sure = unsure,
) -> int:
    """End support on a day, today or before, and ask everybody the post questionnaire; returns how many.

    A day so long ago that the questionnaire has closed has to be meant (`sure`), and nobody is asked. Raises
    NotPossible, OutsideContract, WrongEnd, SessionsAhead, PlacesAhead, WindowClosed, or UnderMinimum where
    one-to-one support had less than the minimum and no reason is given (sch 4 SLAs).
    """
    lock_people(work, Participation.package_id == package_id)
    package = locked(work, package_id)
    state = after(package.state, Act.END)
    _require_end(work, programme, package, on)
    today = london_date(work.now)
    closes_on, _ = post_window_on(work.db, programme, on, today=today)
    if today > closes_on and not sure(str(closed := WindowClosed(closes_on))):
        raise closed
    time = ledger(work.db, programme, package.id)
    why_short = time.short and not was_emptied(package)
    if why_short and not (reason and reason.strip()):
        raise UnderMinimum(
            f"One-to-one support has at least {programme.minimum_days} days. Say why this one ends with less"
        )
    package.ends_on = on
    package.short_reason = reason if why_short else None
    open_offers.withdraw(work, package_id=package.id)
    asked = 0
    for part in package.participations:
        if part.person_id is not None and part.to_on is None and today <= closes_on:
            mail.queue(work, template="post_open", about=part.id, to=part.person_id)
            asked += 1
    work.record(Action.PACKAGE_ENDED, object=f"package:{package.id}", on=on, delivered_minutes=time.delivered)
    go(work, package, state)
    return asked


def move_end(work: Work, programme: Programme, *, package_id: UUID, on: date) -> Package:
    """Correct the day that support ended; the window of the post questionnaire follows, and who was told that it
    opened is not told again. Raises NotPossible, OutsideContract, WrongEnd, SessionsAhead or PlacesAhead."""
    lock_people(work, Participation.package_id == package_id)
    package = locked(work, package_id)
    after(package.state, Act.MOVE_END)
    _require_end(work, programme, package, on)
    if package.ends_on is not None and package.ends_on != on:
        work.record(Action.PACKAGE_END_MOVED, object=f"package:{package.id}", from_on=package.ends_on, on=on)
        package.ends_on = on
    return package


def leave(
    work: Work, programme: Programme, *, package_id: UUID, participation_id: UUID, on: date
) -> Participation:
    """The last day of somebody in a group, as after an election; they are asked the post questionnaire, and
    whoever follows them is added as a member of their own. Again corrects the day.

    Raises NotPossible, OutsideContract, WrongEnd or PlacesAhead. LookupError for somebody who isn't in it.
    """
    lock_people(work, Participation.id == participation_id)
    package = locked(work, package_id)
    after(package.state, Act.CHANGE)
    part = next((one for one in package.participations if one.id == participation_id), None)
    if part is None or part.person_id is None:
        raise LookupError("nobody of this package")
    if package.strand is Strand.ONE_TO_ONE:
        raise WrongEnd("One-to-one support is for one leader. End the support instead")
    if on < part.from_on:
        raise WrongEnd(f"They joined on {words(part.from_on)}. They cannot leave before")
    _require_past(work, programme, on, what="The last day")
    require_no_place_after(work.db, [part], on)
    part.to_on = on
    mail.queue(work, template="post_open", about=part.id, to=part.person_id)
    work.record(
        Action.MEMBER_LEFT,
        object=f"package:{package.id}",
        holder=part.id,
        participation=part.id,
        on=on,
    )
    return part


def post_window_on(db: DbSession, programme: Programme, on: date, *, today: date) -> tuple[date, bool]:
    """The last day of the post questionnaire if support ends on a day, and whether the contract cuts it short."""
    in_force = terms(db, programme, on=today)
    return post_last_day(on, terms=in_force), post_is_clipped(on, terms=in_force)


def _require_end(work: Work, programme: Programme, package: Package, on: date) -> None:
    _require_past(work, programme, on, what="The end of support")
    if on < package.starts_on:
        raise WrongEnd(f"Support started on {words(package.starts_on)}. It cannot end before")
    _require_none_after(work.db, package, on)
    # Its members may also come to joint workshops of other packages.
    require_no_place_after(work.db, package.participations, on)


def _require_past(work: Work, programme: Programme, on: date, *, what: str) -> None:
    today = london_date(work.now)
    if on > today:
        raise WrongEnd(f"{what} cannot be a day that is still to come")
    require_inside(work.db, programme, on, what=what, on=today)


def require_no_place_after(db: DbSession, parts: Iterable[Participation], on: date) -> None:
    """Raises PlacesAhead where somebody keeps a place in a session after a London day."""
    places = select(Attendance.session_id).where(
        Attendance.participation_id.in_([part.id for part in parts]),
        Attendance.state != AttendanceState.CANCELLED,
    )
    later = db.scalars(
        select(Session)
        .where(
            Session.id.in_(places),
            Session.state != SessionState.CANCELLED,
            Session.starts_at >= end_of_day(on),
        )
        .order_by(Session.starts_at)
    ).all()
    if later:
        raise PlacesAhead(later)


def _require_none_after(db: DbSession, package: Package, on: date) -> None:
    later = db.scalars(
        select(Session)
        .where(
            Session.package_id == package.id,
            Session.state != SessionState.CANCELLED,
            Session.starts_at >= end_of_day(on),
        )
        .order_by(Session.starts_at)
    ).all()
    if later:
        raise SessionsAhead(later)


def go(work: Work, package: Package, state: PackageState) -> None:
    """Change the state of a package that is locked, and note it."""
    if state is not package.state:
        work.record(
            Action.PACKAGE_CHANGED, object=f"package:{package.id}", from_state=package.state, to_state=state
        )
        package.state = state


def words(day: date) -> str:
    """A day as refusals name it."""
    return day_words(day)
