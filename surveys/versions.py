"""Published questionnaires: frozen for ever, numbered, and held compiled in the process.

A response is pinned to its version, so a change never alters what somebody was asked. The questionnaire of a
wave has the wave's name as its code; a self-assessment tool has no wave and any other code.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys.documents import Fault, Unsound
from surveys.measures import paired_measures
from surveys.models import Response, Version, Wave
from surveys.questionnaires import (
    WAVES,
    Questionnaire,
    canonical,
    content_hash,
    from_canonical,
    load_definition,
)

SHIPPED = ("baseline", "post", "feedback")
# A version never changes and there are few of them, so what was compiled once stays.
_compiled: dict[UUID, "Published"] = {}


class Unpublished(LookupError):
    """No version of this questionnaire was published: run `flask init`."""


@dataclass(frozen=True)
class Published:
    """A version and what it asks."""

    id: UUID
    code: str
    number: int
    questionnaire: Questionnaire


@dataclass(frozen=True)
class Summary:
    """A published version for a list: waves, and how many responses were sent on it."""

    code: str
    version: int
    title: str
    waves: tuple[str, ...]
    hash: str
    published_at: datetime
    drafts: int
    responses: int


def publish(work: Work, questionnaire: Questionnaire) -> tuple[int, bool]:
    """Freeze a questionnaire as the next version of its code; returns its number and whether it is new.

    What is in force already (the same hash) is left as it is. Raises Unsound where the code is not that of
    its wave, or where a measure is asked in another way than in the other wave that shares it: a difference
    in wording would pass for a change in people (sch 4 KPIs).
    """
    newest = work.db.execute(
        select(Version.number, Version.hash)
        .where(Version.code == questionnaire.code)
        .order_by(Version.number.desc())
        .limit(1)
    ).one_or_none()
    if newest is not None and newest.hash == content_hash(questionnaire):
        return newest.number, False
    _fits(work.db, questionnaire)
    return _freeze(work, questionnaire, number=newest.number + 1 if newest is not None else 1), True


def publish_shipped(db: Session, clock: Clock) -> list[tuple[str, int]]:
    """Publish what comes with the product where this instance never had it; returns what is new.

    Run again it does nothing: a questionnaire that the team published since stays in force. The shipped
    waves fit each other, so they are published together without asking whether they fit older ones.
    """
    published = []
    with unit_of_work(db, clock, "system:init") as work:
        for questionnaire in map(load_definition, SHIPPED):
            known = work.db.execute(
                select(Version.number, Version.hash).where(Version.code == questionnaire.code)
            ).all()
            if content_hash(questionnaire) not in {version.hash for version in known}:
                number = max((version.number for version in known), default=0) + 1
                published.append((questionnaire.code, _freeze(work, questionnaire, number=number)))
    return published


def _freeze(work: Work, questionnaire: Questionnaire, *, number: int) -> int:
    version = Version(
        id=new_id(),
        code=questionnaire.code,
        number=number,
        hash=content_hash(questionnaire),
        body=canonical(questionnaire),
        published_at=work.now,
    )
    work.db.add(version)
    work.db.flush()
    work.record(
        Action.QUESTIONNAIRE_PUBLISHED, object=f"version:{version.id}", code=version.code, number=number
    )
    return number


def _fits(db: Session, questionnaire: Questionnaire) -> None:
    faults = []
    code = questionnaire.code
    if questionnaire.waves and questionnaire.waves != (code,):
        faults.append(Fault(code, f"must be called after its wave, one of {', '.join(WAVES)}"))
    if not questionnaire.waves and code in WAVES:
        faults.append(Fault(code, "is the name of a wave: give waves, or another code"))
    partner = {Wave.BASELINE.value: Wave.POST.value, Wave.POST.value: Wave.BASELINE.value}.get(code)
    if partner is not None and not faults:
        try:
            other = current(db, code=partner).questionnaire
        except Unpublished:
            other = None
        if other is not None:
            faults += paired_measures(
                *((questionnaire, other) if code == "baseline" else (other, questionnaire))
            )
    if faults:
        raise Unsound(code, faults)


def current(db: Session, *, code: str) -> Published:
    """The newest version of a questionnaire, for somebody who starts now. Raises Unpublished."""
    version_id = db.scalars(
        select(Version.id).where(Version.code == code).order_by(Version.number.desc()).limit(1)
    ).one_or_none()
    if version_id is None:
        raise Unpublished(code)
    return pinned(db, version_id=version_id)


def pinned(db: Session, *, version_id: UUID) -> Published:
    """The version that a response was started on."""
    return compiled(db, {version_id})[version_id]


def compiled(db: Session, version_ids: set[UUID]) -> dict[UUID, Published]:
    """What these versions ask; read from the database once in the life of the process."""
    unknown = version_ids - _compiled.keys()
    if unknown:
        rows = db.execute(
            select(Version.id, Version.code, Version.number, Version.body).where(Version.id.in_(unknown))
        )
        for version_id, code, number, body in rows:
            _compiled[version_id] = Published(version_id, code, number, from_canonical(body))
    return {version_id: _compiled[version_id] for version_id in version_ids}


def listed(db: Session) -> list[Summary]:
    """Every published version with how many responses were started and sent on it, in order of code."""
    sent = func.count(Response.submitted_at)
    rows = db.execute(
        select(Version, func.count(Response.id) - sent, sent)
        .outerjoin(Response, Response.version_id == Version.id)
        .group_by(Version.id)
        .order_by(Version.code, Version.number)
    ).all()
    published = compiled(db, {version.id for version, _, _ in rows})
    return [
        Summary(
            code=version.code,
            version=version.number,
            title=published[version.id].questionnaire.title,
            waves=published[version.id].questionnaire.waves,
            hash=version.hash,
            published_at=version.published_at,
            drafts=drafts,
            responses=responses,
        )
        for version, drafts, responses in rows
    ]
