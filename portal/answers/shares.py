"""What participants show their mentors of their own answers, and take back: nothing is shown unless they say so.

A share names one mentor. It ends when the participant takes it back, withdraws the answers, or the mentor stops
serving the package; another mentor who comes later sees nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers.questionnaires import TITLES
from portal.mentors import serving
from portal.models import Package, Participation, Share
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work
from surveys.models import Response, ResponseState, Wave
from surveys.sittings import Asking

COMPARISON = "before_and_after"


class NothingToShare(Exception):
    """The answers were not sent, or the package has no mentor now."""


@dataclass(frozen=True, kw_only=True)
class Readable:
    """Something that participants of a package share with one of its mentors, by the address where it is read."""

    participation_id: UUID
    person: str
    title: str
    wave: str | None
    occasion: str | None


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Whether somebody may read something: the package it belongs to, whose it is, and with whom it is shared."""

    participation_id: UUID
    package: Package
    person_id: UUID
    readers: frozenset[UUID]


def share(work: Work, *, participation_id: UUID, response_id: UUID | None) -> None:
    """Let every mentor who serves the package now read one response, or the page that compares before and after.

    Sharing again changes nothing for those who can read it already. Raises NothingToShare.
    """
    part = work.db.get_one(Participation, participation_id)
    mentors = serving.mentors_from(work.db, part.package_id, on=london_date(work.now))
    if not mentors or (response_id is not None and not _own(work.db, participation_id, response_id)):
        raise NothingToShare
    known = {
        one.mentor_id for one in live(work.db, participation_id=participation_id, response_id=response_id)
    }
    for mentor in mentors:
        if mentor.id in known:
            continue
        made = Share(
            id=new_id(),
            participation_id=participation_id,
            response_id=response_id,
            mentor_id=mentor.id,
            shared_at=work.now,
        )
        work.db.add(made)
        work.record(
            Action.ANSWERS_SHARED,
            object=f"share:{made.id}",
            holder=participation_id,
            mentor=mentor.id,
            what=_what(response_id),
        )


def unshare(work: Work, *, participation_id: UUID, response_id: UUID | None) -> None:
    """Take it back from everybody it was shared with."""
    for one in live(work.db, participation_id=participation_id, response_id=response_id):
        one.ended_at = work.now
        work.record(
            Action.ANSWERS_UNSHARED,
            object=f"share:{one.id}",
            holder=participation_id,
            what=_what(response_id),
        )


def live(db: DbSession, *, participation_id: UUID, response_id: UUID | None) -> Sequence[Share]:
    """Who can read it now, with their names."""
    return db.scalars(
        select(Share)
        .where(
            Share.participation_id == participation_id,
            Share.response_id == response_id if response_id is not None else Share.response_id.is_(None),
            Share.ended_at.is_(None),
        )
        .options(joinedload(Share.mentor))
        .order_by(Share.shared_at)
    ).all()


def any_live() -> ColumnElement[bool]:
    """Of a query over parts: whether a mentor can read anything of this one now."""
    return exists().where(Share.participation_id == Participation.id, Share.ended_at.is_(None))


def reading_of(db: DbSession, *, participation_id: UUID, response_id: UUID | None) -> Shared | None:
    """What a guard needs to know of something that may be shared; None without such a participation."""
    part = db.get(Participation, participation_id, options=[joinedload(Participation.package)])
    if part is None or part.person_id is None:
        return None
    readers = live(db, participation_id=participation_id, response_id=response_id)
    return Shared(
        participation_id=part.id,
        package=part.package,
        person_id=part.person_id,
        readers=frozenset(one.mentor_id for one in readers),
    )


def response_of(db: DbSession, asking: Asking) -> UUID | None:
    """The response of an asking, unopened."""
    return db.scalars(
        select(Response.id).where(
            Response.respondent_id == asking.respondent_id,
            Response.wave == asking.wave,
            Response.occasion == asking.occasion,
        )
    ).one_or_none()


def readable(db: DbSession, *, package_id: UUID, mentor_id: UUID) -> list[Readable]:
    """What a mentor can read of a package's members, newest first; nothing is opened."""
    rows = db.execute(
        select(Share, Response.wave, Response.occasion)
        .join(Participation, Participation.id == Share.participation_id)
        .outerjoin(Response, Response.id == Share.response_id)
        .where(
            Participation.package_id == package_id,
            Share.mentor_id == mentor_id,
            Share.ended_at.is_(None),
        )
        .options(joinedload(Share.participation).joinedload(Participation.person))
        .order_by(Share.shared_at.desc())
    )
    return [
        Readable(
            participation_id=one.participation_id,
            person=_name(one.participation),
            title=_title(wave),
            wave=wave,
            occasion=occasion,
        )
        for one, wave, occasion in rows
    ]


def _name(part: Participation) -> str:
    return (part.person.name or part.person.ref) if part.person is not None else "Name erased"


def _title(wave: Wave | None) -> str:
    return "Before and after" if wave is None else TITLES.get(wave, "Self-assessment")


def _own(db: DbSession, participation_id: UUID, response_id: UUID) -> bool:
    return (
        db.scalars(
            select(Response.id).where(
                Response.id == response_id,
                Response.respondent_id == participation_id,
                Response.state == ResponseState.SUBMITTED,
            )
        ).one_or_none()
        is not None
    )


def _what(response_id: UUID | None) -> str:
    return f"response:{response_id}" if response_id is not None else COMPARISON
