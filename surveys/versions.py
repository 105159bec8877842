"""Published questionnaires: frozen for ever, numbered, and held compiled in the process.

A response is pinned to its version, so a change never alters what somebody was asked. There are two ways to
change one: a new version, on which whoever starts from then on answers, and a correction of wording
(surveys/corrections.py), which leaves the meaning as it was. Corrections are laid over a version as it is
read: who still answers reads the newest words, what was sent is shown in those that stood when it was sent.

The questionnaire of a wave has the wave's name as its code; a self-assessment tool has no wave and any other
code.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.clock import Clock
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work, unit_of_work
from surveys.documents import Fault, Unsound
from surveys.measures import Unlike, paired_measures, unexplained, unlike
from surveys.models import Correction, Response, ResponseState, Version, Wave
from surveys.questionnaires import (
    ROLES,
    WAVES,
    Questionnaire,
    canonical,
    content_hash,
    from_canonical,
    load_definition,
)
from surveys.wordings import reworded

SHIPPED = ("baseline", "interim", "post", "feedback", "scrutiny_self_assessment")
# A version never changes and there are few of them, so what was compiled once stays.
_frozen: dict[UUID, "Published"] = {}


class Unpublished(LookupError):
    """No version of this questionnaire was published: run `flask init`."""


@dataclass(frozen=True)
class Corrected:
    """Words that were corrected, by key (surveys/wordings.py), each before and after."""

    number: int
    at: datetime
    words: Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Published:
    """A version and what it asks, in the words that stood at the moment it was asked for."""

    id: UUID
    code: str
    number: int
    questionnaire: Questionnaire
    corrections: tuple[Corrected, ...] = ()

    @property
    def is_tool(self) -> bool:
        """A self-assessment tool: answered as often as somebody likes, in no wave (sch 5 Tools)."""
        return not self.questionnaire.waves

    def as_of(self, instant: datetime | None) -> "Published":
        """The same version in the words that stood at an instant; None is the newest words."""
        if instant is None or not self.corrections or self.corrections[-1].at <= instant:
            return self
        standing = tuple(made for made in self.corrections if made.at <= instant)
        return replace(_frozen[self.id], corrections=standing, questionnaire=_worded(self.id, standing))


@dataclass(frozen=True)
class Summary:
    """A published version for a list: waves, audience (empty: every role), and how many responses were sent."""

    id: UUID
    code: str
    version: int
    title: str
    waves: tuple[str, ...]
    audience: tuple[str, ...]
    hash: str
    published_at: datetime
    corrections: int
    current: bool
    drafts: int
    responses: int


def publish(work: Work, questionnaire: Questionnaire) -> tuple[int, bool]:
    """Freeze a questionnaire as the next version of its code; returns its number and whether it is new.

    What is in force already, word for word, is left as it is. Raises Unsound where the code is not that of
    its wave, or where a measure is asked in another way than in another wave, without a reason: a difference
    in wording would pass for a change in people (sch 4 KPIs).
    """
    return publish_together(work, [questionnaire])[0]


def publish_together(work: Work, questionnaires: Sequence[Questionnaire]) -> list[tuple[int, bool]]:
    """Publish several that change together, such as both waves of a measure; all or none, as `publish`."""
    lock(work, {one.code for one in questionnaires})
    faults = [fault for found in misfits(work.db, questionnaires).values() for fault in found]
    if faults:
        raise Unsound(", ".join(one.code for one in questionnaires), faults)
    return [_publish(work, questionnaire) for questionnaire in questionnaires]


def lock(work: Work, codes: Iterable[str]) -> None:
    """Make whoever changes these questionnaires wait for one another, each in turn; then read again."""
    for code in sorted(codes):
        work.wait_turn(f"questionnaire:{code}")


def _publish(work: Work, questionnaire: Questionnaire) -> tuple[int, bool]:
    try:
        before = current(work.db, code=questionnaire.code)
    except Unpublished:
        return _freeze(work, questionnaire, number=1), True
    if content_hash(before.questionnaire) == content_hash(questionnaire):
        return before.number, False
    return _freeze(work, questionnaire, number=before.number + 1), True


def publish_shipped(db: Session, clock: Clock) -> list[tuple[str, int]]:
    """Publish what comes with the product where this instance never had it; returns what is new.

    Run again it does nothing: a questionnaire that the team published since stays in force. The shipped
    waves fit each other, so they are published together without asking whether they fit older ones.
    """
    published = []
    with unit_of_work(db, clock, "system:init") as work:
        lock(work, SHIPPED)
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


def misfits(db: Session | None, questionnaires: Sequence[Questionnaire]) -> dict[str, list[Fault]]:
    """What stops these from being published beside each other and what is in force, by code.

    Without a database, beside what comes with the product.
    """
    there = [one.questionnaire for one in in_force(db)] if db else [load_definition(one) for one in SHIPPED]
    new = {one.code: one for one in questionnaires}
    waves = {one.code: one for one in there if one.waves} | {
        one.code: one for one in new.values() if one.waves
    }
    found: dict[str, list[Fault]] = {}
    for code, questionnaire in new.items():
        faults = found[code] = list(_names(questionnaire))
        if faults or not questionnaire.waves:
            continue
        for other in waves.values():
            # Of two that are new, only one is at fault, or everything would be said twice.
            if other.code == code or (
                other.code in new and list(new).index(other.code) < list(new).index(code)
            ):
                continue
            pair = {code, other.code} == {Wave.BASELINE.value, Wave.POST.value}
            faults += paired_measures(questionnaire, other) if pair else unexplained(questionnaire, other)
    return found


def _names(questionnaire: Questionnaire) -> list[Fault]:
    code = questionnaire.code
    if questionnaire.waves and questionnaire.waves != (code,):
        return [Fault(code, f"must be called after its wave, one of {', '.join(WAVES)}")]
    if not questionnaire.waves and code in WAVES:
        return [Fault(code, "is the name of a wave: give waves, or another code")]
    if code in {Wave.BASELINE, Wave.POST, Wave.FEEDBACK} and not all(map(questionnaire.asks, ROLES)):
        # Both KPIs count every leader, and no session is held before the baseline (sch 4).
        return [Fault(code, "is asked of everybody: give an audience to single questions instead")]
    return []


def corrected(version_id: Any) -> ColumnElement[bool]:
    """Whether wording of a version was corrected, as part of another query."""
    return exists().where(Correction.version_id == version_id)


_NEWEST = (
    select(Version.id, corrected(Version.id).label("corrected"))
    .where(Version.code == bindparam("code"))
    .order_by(Version.number.desc())
    .limit(1)
)


def current(db: Session, *, code: str) -> Published:
    """The newest version of a questionnaire, for somebody who starts now. Raises Unpublished."""
    newest = run(db, _NEWEST, {"code": code}).one_or_none()
    if newest is None:
        raise Unpublished(code)
    return pinned(db, version_id=newest.id, corrected=newest.corrected)


_newest = select(Version.code, func.max(Version.number).label("number")).group_by(Version.code).subquery()
_IN_FORCE = (
    select(Version.id, Correction.number, Correction.at, Correction.body)
    .join(_newest, (Version.code == _newest.c.code) & (Version.number == _newest.c.number))
    .outerjoin(Correction, Correction.version_id == Version.id)
    .order_by(Version.code, Correction.number)
)


def in_force(db: Session) -> list[Published]:
    """The newest version of every questionnaire, in order of code."""
    rows = run(db, _IN_FORCE, {}).all()
    ids = list(dict.fromkeys(row[0] for row in rows))
    _freeze_bodies(db, ids)
    made = _corrected((row[0], row[1], row[2], row[3]) for row in rows if row.body is not None)
    return [_published(version_id, made.get(version_id, ())) for version_id in ids]


def tools(db: Session, *, role: str) -> list[Published]:
    """The self-assessment tools that somebody in this role can use, in order of title."""
    found = [one for one in in_force(db) if one.is_tool and one.questionnaire.asks(role)]
    return sorted(found, key=lambda one: one.questionnaire.title)


def pinned(db: Session, *, version_id: UUID, at: datetime | None = None, corrected: bool = True) -> Published:
    """The version that a response was started on; with `at`, in the words that stood then.

    Not `corrected`: the same query has just said that none of its wording was.
    """
    if not corrected and version_id in _frozen:
        return _frozen[version_id]
    return compiled(db, [version_id])[version_id].as_of(at)


def wording_at(db: Session, version_id: UUID, instant: datetime) -> Questionnaire:
    """What a version asked at an instant, word for word."""
    return pinned(db, version_id=version_id, at=instant).questionnaire


def compiled(db: Session, version_ids: Iterable[UUID]) -> dict[UUID, Published]:
    """What these versions ask, in the newest words; bodies are read once in the life of the process."""
    wanted = set(version_ids)
    _freeze_bodies(db, wanted)
    rows = db.execute(
        select(Correction.version_id, Correction.number, Correction.at, Correction.body)
        .where(Correction.version_id.in_(wanted))
        .order_by(Correction.number)
    )
    made = _corrected((row[0], row[1], row[2], row[3]) for row in rows)
    return {version_id: _published(version_id, made.get(version_id, ())) for version_id in wanted}


def _freeze_bodies(db: Session, version_ids: Iterable[UUID]) -> None:
    """Compile those that were never compiled in this process."""
    unknown = set(version_ids) - _frozen.keys()
    if not unknown:
        return
    rows = db.execute(
        select(Version.id, Version.code, Version.number, Version.body).where(Version.id.in_(unknown))
    )
    for version_id, code, number, body in rows:
        _frozen[version_id] = Published(version_id, code, number, from_canonical(body))


def _corrected(rows: Iterable[tuple[UUID, int, datetime, str]]) -> dict[UUID, tuple[Corrected, ...]]:
    """Rows of corrections, in their order, by version."""
    made: dict[UUID, tuple[Corrected, ...]] = {}
    for version_id, number, at, body in rows:
        words = {key: (before, after) for key, (before, after) in json.loads(body).items()}
        made[version_id] = (*made.get(version_id, ()), Corrected(number, at, words))
    return made


def _published(version_id: UUID, corrections: tuple[Corrected, ...]) -> Published:
    if not corrections:
        return _frozen[version_id]
    words = _worded(version_id, corrections)
    return replace(_frozen[version_id], corrections=corrections, questionnaire=words)


def _worded(version_id: UUID, corrections: tuple[Corrected, ...]) -> Questionnaire:
    words = {key: after for made in corrections for key, (_, after) in made.words.items()}
    return _reworded(version_id, tuple(words.items()))


@lru_cache(maxsize=512)
def _reworded(version_id: UUID, words: tuple[tuple[str, str], ...]) -> Questionnaire:
    return reworded(_frozen[version_id].questionnaire, dict(words))


def measure_differences(db: Session, wave_a: Wave | str, wave_b: Wave | str) -> list[tuple[str, str]]:
    """The measures that are not asked the same way wherever these waves were answered, each with the reason,
    to stand under every figure that compares them.

    All versions count on which something was sent, and those in force; where no reason was written, the
    versions are named.
    """
    # The search for each ends with the first that was sent, where a list of all would read every response.
    used = exists().where(Response.version_id == Version.id, Response.state == ResponseState.SUBMITTED)
    rows = db.execute(
        select(Version.id, Version.code, used)
        .where(Version.code.in_([str(wave_a), str(wave_b)]))
        .order_by(Version.number.desc())
    ).all()
    kept: dict[str, list[UUID]] = {}
    for version_id, code, was_used in rows:
        if was_used or code not in kept:
            kept.setdefault(code, []).append(version_id)
    published = compiled(db, [version_id for ids in kept.values() for version_id in ids])
    reasons: dict[str, dict[str, None]] = {}
    for one in (published[found] for found in kept.get(str(wave_a), [])):
        for other in (published[found] for found in kept.get(str(wave_b), [])):
            for found in unlike(one.questionnaire, other.questionnaire):
                reasons.setdefault(found.measure, {})[_reason(one, other, found)] = None
    return [(measure, ". ".join(given)) for measure, given in reasons.items()]


Scale = Sequence[tuple[float, str]]
"""The points of a scale in rising order, each with its words."""


def scale(db: Session, *, measure: str, waves: Iterable[Wave | str]) -> Scale:
    """The points on which a measure is asked now, in the words of the last of these waves that has them."""
    found: dict[float, str] = {}
    published = {one.code: one.questionnaire for one in in_force(db)}
    for questionnaire in (published[str(wave)] for wave in waves if str(wave) in published):
        for name, _, question in questionnaire.measured():
            if name == measure:
                found |= {one.score: one.label for one in question.listed() if one.score is not None}
    return sorted(found.items())


def _reason(one: Published, other: Published, found: Unlike) -> str:
    if found.reason:
        return found.reason
    return f"{one.code} {one.number} and {other.code} {other.number} ask it in different ways"


def listed(db: Session) -> list[Summary]:
    """Every published version with how many responses were started and sent on it, in order of code."""
    sent = func.count(Response.submitted_at)
    rows = db.execute(
        select(Version, func.count(Response.id) - sent, sent)
        .outerjoin(Response, Response.version_id == Version.id)
        .group_by(Version.id)
        .order_by(Version.code, Version.number)
    ).all()
    published = compiled(db, [version.id for version, _, _ in rows])
    newest = {version.code: version.number for version, _, _ in rows}
    return [
        Summary(
            id=version.id,
            code=version.code,
            version=version.number,
            title=published[version.id].questionnaire.title,
            waves=published[version.id].questionnaire.waves,
            audience=tuple(sorted(published[version.id].questionnaire.audience)),
            hash=version.hash,
            published_at=version.published_at,
            corrections=len(published[version.id].corrections),
            current=newest[version.code] == version.number,
            drafts=drafts,
            responses=responses,
        )
        for version, drafts, responses in rows
    ]
