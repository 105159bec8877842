"""Who is asked what, and when: the waves of portal/answers/windows.py with what was answered.

What was sent stays sent, whatever a window does afterwards. What was begun in time can be finished in the grace.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal import filters
from portal.answers import parts, tools, windows
from portal.answers.windows import RUNNING, Opening, Seat
from portal.desk import restriction
from portal.mentors import serving
from portal.models import CallRequest, Package, PackageState, Participation, Person, Strand
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work
from surveys import responses
from surveys.models import Mode, ResponseState, Wave
from surveys.questions import Cleaned, Posted
from surveys.responses import Receipt
from surveys.sittings import Asking, Opened, Sitting, find
from surveys.standings import Standings, standings
from surveys.waves import TO_ANSWER, Stand, Window, stand

TITLES = {
    Wave.BASELINE: "Questions before your support starts",
    Wave.INTERIM: "Questions while your support runs",
    Wave.POST: "Questions after your support",
    Wave.FEEDBACK: "How the session was",
}

ASKED_IN = (PackageState.BASELINE, PackageState.ACTIVE, PackageState.ENDED)


class NotOpen(Exception):
    """The window of a questionnaire has closed, or is yet to open. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Due:
    """One questionnaire of one participation. `state` is None before the first save; `stand` says how it stands
    against its window, and `finish_by` until when what was begun in time can be finished."""

    participation: Participation
    wave: Wave
    occasion: str
    title: str
    opens_at: datetime
    closes_at: datetime
    finish_by: datetime
    state: ResponseState | None
    submitted_at: datetime | None
    stand: Stand


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a page of a questionnaire needs to know of who is asked; plain values, no row.

    `given_by` is who has a hand in giving them support; empty where they look themselves.
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


def due(
    db: DbSession,
    programme: Programme,
    participations: Sequence[Participation],
    *,
    now: datetime,
    stands: Standings | None = None,
    seats: Sequence[Seat] | None = None,
) -> list[Due]:
    """Every questionnaire of these participations: open, sent or closed, in order of opening.

    Three queries however many there are, fewer where `stands` and `seats` are known, and no answer is opened;
    packages should be loaded already. Interim waves that are still to come, and those and feedback that were not
    given in their time, are left out.
    """
    parts = {part.id: part for part in participations}
    stands = standings(db, parts) if stands is None else stands
    listed = []
    for opening in windows.openings(db, programme, participations, now=now, seats=seats):
        standing = stands.get((opening.participation_id, opening.wave, opening.occasion))
        window = opening.window
        if standing is None and not _worth_listing(opening, now):
            continue
        state = standing.state if standing else None
        submitted_at = standing.submitted_at if standing else None
        listed.append(
            Due(
                participation=parts[opening.participation_id],
                wave=opening.wave,
                occasion=opening.occasion,
                title=title_of(opening),
                opens_at=window.opens_at,
                closes_at=window.closes_at,
                finish_by=window.finish_by,
                state=state,
                submitted_at=submitted_at,
                stand=stand(
                    window,
                    now=now,
                    started=standing is not None,
                    submitted_at=standing.said_at if standing else None,
                    reopened=standing is not None and standing.reopened,
                ),
            )
        )
    return listed


def unanswered(
    db: DbSession,
    programme: Programme,
    *,
    waves: Collection[Wave],
    strand: Strand | None = None,
    now: datetime,
) -> list[Due]:
    """What people can answer, know of and have not sent, the soonest to close first; a fixed number of queries.

    The baseline opens with the invitation. Whoever is restricted is left out.
    """
    parts = db.scalars(
        select(Participation)
        .join(Participation.package)
        .join(Participation.person)
        .where(
            Package.state.in_(ASKED_IN),
            *([Package.strand == strand] if strand is not None else []),
            restriction.usable(),
        )
        .options(
            joinedload(Participation.person), joinedload(Participation.package).joinedload(Package.council)
        )
    ).all()
    found = [
        one
        for one in due(db, programme, parts, now=now)
        if one.stand in TO_ANSWER
        and one.wave in waves
        and (one.wave is not Wave.BASELINE or one.participation.invited_at is not None)
    ]
    return sorted(found, key=lambda one: (one.closes_at, one.participation.id.bytes))


def _worth_listing(opening: Opening, now: datetime) -> bool:
    """Whether people see a wave that they never began: no feedback and no interim wave but those open now."""
    if opening.wave in (Wave.FEEDBACK, Wave.INTERIM):
        return now in opening.window
    return opening.window.opens_at < opening.window.closes_at


def title_of(opening: Opening) -> str:
    """What a questionnaire is called; feedback by the day of its session."""
    if opening.session_starts_at:
        return f"How the session on {filters.day(opening.session_starts_at)} was"
    return TITLES[opening.wave]


def asked(
    db: DbSession,
    programme: Programme,
    *,
    participation_id: UUID,
    wave: str,
    occasion: str,
    now: datetime,
    by: UUID | None = None,
) -> Asked | None:
    """What one address of a questionnaire stands for; None if nobody is or ever was asked that.

    `by` is who asks: for the person themselves nobody looks who gives them support.
    """
    part = parts.read(db, participation_id, on=london_date(now))
    if part is None or wave not in list(Wave):
        return None
    opening = (
        tools.opening(db, programme, part, occasion=occasion, now=now)
        if wave == Wave.TOOL
        else windows.opening(db, programme, part, wave=Wave(wave), occasion=occasion, now=now)
    )
    if opening is None:
        return None
    about = opening.session_starts_at
    given = {} if by == part.person_id else serving.givers(db, [part.package_id])
    return Asked(
        asking=Asking(respondent_id=part.id, wave=Wave(wave), occasion=occasion, role=part.role.value),
        person_id=part.person_id,
        package_id=part.package_id,
        window=opening.window,
        title=tools.title_of(db, occasion) if wave == Wave.TOOL else TITLES[Wave(wave)],
        places={
            "role": programme.roles[part.role],
            "council": part.council or "your council",
            "session": f"the session on {filters.day(about)}" if about else "your session",
        },
        given_by=given.get(part.package_id, frozenset()),
    )


def takes(asked: Asked, response: Opened | None, *, now: datetime, own: bool) -> bool:
    """Whether answers can come in now: in the window, or after it to finish what was begun (`Window.takes`).

    What the team has opened again can be sent whenever it is ready, and paper answers whenever somebody else types
    them in, not by the person's `own` hand: when they were given is what counts.
    """
    if response is not None and (
        response.reopened_at is not None or (response.mode is Mode.PAPER and not own)
    ):
        return True
    return asked.window.takes(now, started=response is not None)


def _takes(work: Work, asked: Asked, response: Opened | None) -> bool:
    return takes(asked, response, now=work.now, own=_is_own(work, asked))


def _is_own(work: Work, asked: Asked) -> bool:
    """Whether who is asked acts themselves."""
    return work.actor == f"person:{asked.person_id}"


def save_page(work: Work, asked: Asked, *, page: str, posted: Posted, mark: str, mode: Mode) -> Sitting:
    """Save a page inside its window or grace. Raises NotOpen, and what responses.save_page raises."""
    _require_open(work, asked)
    return responses.save_page(work, asked.asking, page=page, posted=posted, mark=mark, mode=mode)


def keep_writing(
    work: Work, asked: Asked, *, page: str, posted: Posted, mark: str, mode: Mode
) -> tuple[Sitting, list[Cleaned]]:
    """Save what was written so far. Raises NotOpen, and what responses.keep_writing raises."""
    _require_open(work, asked)
    return responses.keep_writing(work, asked.asking, page=page, posted=posted, mark=mark, mode=mode)


def _require_open(work: Work, asked: Asked) -> None:
    if work.now not in asked.window and not _takes(work, asked, find(work.db, asked.asking)):
        raise NotOpen(asked.title)


def submit(work: Work, asked: Asked) -> Receipt:
    """Send the answers inside their window or grace; a repeat gets the same receipt, also after it.

    Whoever asked to be rung about it need not be rung any more. Raises NotOpen, NothingSaved, Incomplete.
    """
    response = find(work.db, asked.asking)
    if not _takes(work, asked, response) and not (response is not None and response.sent):
        raise NotOpen(asked.title)
    from_paper = response is not None and response.mode is Mode.PAPER and not _is_own(work, asked)
    receipt = responses.submit(work, asked.asking, from_paper=from_paper)
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
    """Ask the team to ring and fill it in together. Asking again changes number and time, and counts from then on.

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
            occasion=asked.asking.occasion,
        )
        work.db.add(call)
        work.record(
            Action.CALL_ASKED,
            object=f"call:{call.id}",
            holder=asked.participation_id,
            wave=asked.asking.wave,
        )
    call.phone, call.when, call.asked_at = phone, when, work.now


def _open_calls(db: DbSession, asked: Asked) -> Sequence[CallRequest]:
    return db.scalars(
        select(CallRequest).where(
            CallRequest.participation_id == asked.participation_id,
            CallRequest.wave == asked.asking.wave.value,
            CallRequest.occasion == asked.asking.occasion,
            CallRequest.done_at.is_(None),
        )
    ).all()
