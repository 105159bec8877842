"""Who is asked what, and when: the waves laid over packages and sessions.

    baseline   from the invitation until support ends           (sch 4 SLAs)
    post       from the end of support, for three months        (sch 4 KPIs)
    feedback   from the end of a session, for a fortnight        (sch 5)

Windows are computed from dates here each time. What was sent stays sent, whatever a window does afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal import filters, serving
from portal.models import (
    Attendance,
    AttendanceState,
    CallRequest,
    Package,
    PackageState,
    Participation,
    Person,
    Session,
    SessionState,
    Strand,
)
from portal.programme import Programme, contract_period
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work
from surveys import responses
from surveys.models import Mode, ResponseState, Wave
from surveys.questions import Posted
from surveys.responses import Receipt
from surveys.sittings import ONCE, Asking, Sitting
from surveys.standings import standings
from surveys.waves import Window, baseline_window, feedback_window, post_window

RUNNING = frozenset({PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE})
TITLES = {
    Wave.BASELINE: "Questions before your support starts",
    Wave.POST: "Questions after your support",
    Wave.FEEDBACK: "How the session was",
}


class NotOpen(Exception):
    """The window of a questionnaire has closed, or is yet to open. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """One questionnaire of one participation. `state` is None before the first save."""

    participation: Participation
    wave: Wave
    occasion: str
    title: str
    opens_at: datetime
    closes_at: datetime
    state: ResponseState | None
    submitted_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a page of a questionnaire needs to know of who is asked; plain values, no row.

    `given_by` is who has a hand in giving them support.
    """

    asking: Asking
    person_id: UUID
    package_id: UUID
    window: Window
    title: str
    places: Mapping[str, str]
    given_by: frozenset[UUID]

    @property
    def participation_id(self) -> UUID:
        return self.asking.respondent_id


def ended_on(part: Participation, package: Package) -> date | None:
    """The day support ended for somebody: with the package, or before it when their part in it ended."""
    package_end = package.ends_on if package.state is PackageState.ENDED else None
    return min((day for day in (part.to_on, package_end) if day is not None), default=None)


def window(
    programme: Programme, part: Participation, package: Package, *, wave: Wave, contract_ends_on: date
) -> Window | None:
    """When somebody can answer the baseline or the post questionnaire; None while there is no such time."""
    end = ended_on(part, package)
    if package.state is not PackageState.ENDED and package.state not in RUNNING:
        return None
    if wave is Wave.BASELINE:
        opens_at = part.invited_at or package.created_at
        return baseline_window(opens_at, ended_on=end, contract_ends_on=contract_ends_on)
    if wave is Wave.POST and end is not None:
        return post_window(end, months=programme.post_months, contract_ends_on=contract_ends_on)
    return None


def due(
    db: DbSession, programme: Programme, participations: Sequence[Participation], *, now: datetime
) -> list[Due]:
    """Every questionnaire of these participations: open, sent or closed, in order of opening.

    Three queries however many there are, and no answer is opened; packages should be loaded already.
    Feedback that was not given is left out once its time is over.
    """
    ids = [part.id for part in participations]
    stands = standings(db, ids)
    contract_ends_on = contract_period(db, programme, on=london_date(now)).ends_on
    found = [
        (part, wave, ONCE, TITLES[wave], opening)
        for part in participations
        for wave in (Wave.BASELINE, Wave.POST)
        if (opening := window(programme, part, part.package, wave=wave, contract_ends_on=contract_ends_on))
    ]
    parts = {part.id: part for part in participations}
    for participation_id, session_id, starts_at, ends_at in _attended(db, ids):
        opening = feedback_window(ends_at, days=programme.feedback_days)
        occasion = str(session_id)
        if now < opening.closes_at or (participation_id, Wave.FEEDBACK, occasion) in stands:
            title = f"{TITLES[Wave.FEEDBACK]}: {filters.day(starts_at)}"
            found.append((parts[participation_id], Wave.FEEDBACK, occasion, title, opening))
    listed = []
    for part, wave, occasion, title, opening in found:
        standing = stands.get((part.id, wave, occasion))
        listed.append(
            Due(
                participation=part,
                wave=wave,
                occasion=occasion,
                title=title,
                opens_at=opening.opens_at,
                closes_at=opening.closes_at,
                state=standing.state if standing else None,
                submitted_at=standing.submitted_at if standing else None,
            )
        )
    return sorted(listed, key=lambda one: one.opens_at)


def _attended(
    db: DbSession, participation_ids: Sequence[UUID]
) -> list[tuple[UUID, UUID, datetime, datetime]]:
    rows = db.execute(
        select(Attendance.participation_id, Session.id, Session.starts_at, Session.ends_at)
        .join(Session, Session.id == Attendance.session_id)
        .where(
            Attendance.participation_id.in_(participation_ids),
            Attendance.state == AttendanceState.ATTENDED,
            Session.state == SessionState.HELD,
        )
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def asked(
    db: DbSession, programme: Programme, *, participation_id: UUID, wave: str, occasion: str, now: datetime
) -> Asked | None:
    """What one address of a questionnaire stands for; None if nobody is or ever was asked that."""
    part = db.get(
        Participation,
        participation_id,
        options=[joinedload(Participation.package).joinedload(Package.council)],
    )
    if part is None or part.person_id is None or wave not in list(Wave):
        return None
    if wave == Wave.FEEDBACK:
        held = next((row for row in _attended(db, [part.id]) if str(row[1]) == occasion), None)
        opening = feedback_window(held[3], days=programme.feedback_days) if held else None
        session = f"the session on {filters.day(held[2])}" if held else ""
    else:
        contract_ends_on = contract_period(db, programme, on=london_date(now)).ends_on
        opening = window(programme, part, part.package, wave=Wave(wave), contract_ends_on=contract_ends_on)
        session = "your session"
    if opening is None or (wave != Wave.FEEDBACK and occasion != ONCE):
        return None
    council = part.package.council
    return Asked(
        asking=Asking(respondent_id=part.id, wave=Wave(wave), occasion=occasion, role=part.role.value),
        person_id=part.person_id,
        package_id=part.package_id,
        window=opening,
        title=TITLES[Wave(wave)],
        places={
            "role": programme.roles[part.role],
            "council": council.short_name if council else "your council",
            "session": session,
        },
        given_by=serving.givers(db, [part.package_id]).get(part.package_id, frozenset()),
    )


def save_page(work: Work, asked: Asked, *, page: str, posted: Posted, mark: str, mode: Mode) -> Sitting:
    """Save a page inside its window. Raises NotOpen, and what responses.save_page raises."""
    if work.now not in asked.window:
        raise NotOpen(asked.title)
    return responses.save_page(work, asked.asking, page=page, posted=posted, mark=mark, mode=mode)


def submit(work: Work, asked: Asked) -> Receipt:
    """Send the answers inside their window; a repeat gets the same receipt, also after it.

    Whoever asked to be rung about it need not be rung any more. Raises NotOpen, NothingSaved, Incomplete.
    """
    if work.now not in asked.window and not responses.submitted(
        work.db, [asked.participation_id], asked.asking.wave, asked.asking.occasion
    ):
        raise NotOpen(asked.title)
    receipt = responses.submit(work, asked.asking)
    if not receipt.repeated:
        for call in _open_calls(work.db, asked):
            call.done_at = work.now
            work.record(Action.CALL_DONE, object=f"call:{call.id}", holder=asked.participation_id)
    return receipt


def name_of(db: DbSession, asked: Asked) -> str:
    """Who is asked, for the banner of an interview."""
    person = db.get_one(Person, asked.person_id)
    return person.name or person.ref


def phone_of(db: DbSession, asked: Asked) -> str | None:
    """The number that is known, so that nobody types it again."""
    return db.get_one(Person, asked.person_id).phone


def bookable(db: DbSession, asked: Asked) -> Package | None:
    """The package whose times stand under the receipt of a baseline: one-to-one, and not over."""
    package = db.get_one(Package, asked.package_id)
    fits = package.strand is Strand.ONE_TO_ONE and package.state in RUNNING
    return package if fits and asked.asking.wave is Wave.BASELINE else None


def ask_for_call(work: Work, asked: Asked, *, phone: str, when: str) -> None:
    """Ask the team to ring and fill it in together; asking again changes number and time.

    Raises NotOpen.
    """
    if work.now not in asked.window:
        raise NotOpen(asked.title)
    call = next(iter(_open_calls(work.db, asked)), None)
    if call is None:
        call = CallRequest(
            id=new_id(),
            participation_id=asked.participation_id,
            wave=asked.asking.wave.value,
            asked_at=work.now,
        )
        work.db.add(call)
        work.record(
            Action.CALL_ASKED,
            object=f"call:{call.id}",
            holder=asked.participation_id,
            wave=asked.asking.wave,
        )
    call.phone, call.when = phone, when


def _open_calls(db: DbSession, asked: Asked) -> Sequence[CallRequest]:
    return db.scalars(
        select(CallRequest).where(
            CallRequest.participation_id == asked.participation_id,
            CallRequest.wave == asked.asking.wave.value,
            CallRequest.done_at.is_(None),
        )
    ).all()
