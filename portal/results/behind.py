"""The list behind a figure: who is in it, for the team alone, with a line in the trail.

A list whose members follow from what they said is a reading of their answers, and is noted as one for each of those
on the page, so that it shows where people see who read what they said.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers.windows import ended_on
from portal.models import Package, Participation
from portal.people.directory import PER_PAGE, page_of
from portal.programme import Programme
from portal.results import funnel
from portal.results.census import Census
from portal.results.groups import Group
from privacy.audit import Action, AuditEntry
from privacy.clock import london_date, start_of_day
from privacy.work import Work
from surveys import readings
from surveys.models import Response, ResponseState, Wave
from surveys.readings import Reading

PURPOSE = "figure"


@dataclass(frozen=True)
class Behind:
    """A page of a list. `figure` names it in the trail; `shown` are those on the page, by the day support ended."""

    figure: str
    words: str
    as_of: date
    shown: Sequence[UUID]
    page: int
    pages: int
    total: int
    opened: bool


@dataclass(frozen=True)
class Row:
    """Somebody on the page of a list, with the day support ended for them."""

    part: Participation
    ended_on: date | None


def of_kpi(
    db: DbSession, programme: Programme, *, strand: str, group: Group, as_of: date, page: int
) -> Behind:
    """Who is in a group of a KPI, counted anew."""
    seen = Census(db, programme, as_of=as_of).seen(db)
    ids = [part.id for part, stands in seen if part.strand == strand and group.holds(stands)]
    return _page(
        db,
        map(_uuid, ids),
        figure=f"kpi:{strand}:{group.name}",
        words=group.words,
        as_of=as_of,
        page=page,
        opened=group.opened,
    )


def of_funnel(
    db: DbSession,
    programme: Programme,
    *,
    wave: Wave,
    strand: str,
    stage: funnel.Stage,
    now: datetime,
    page: int,
) -> Behind:
    """Who has come to a stage of a wave; somebody with several occasions once."""
    ways = funnel.ways(db, programme, wave=wave, now=now)
    ids = [way.participation_id for way in ways if way.strand == strand and stage.holds(way)]
    return _page(
        db,
        dict.fromkeys(ids),
        figure=f"{wave}:{strand}:{stage.name}",
        words=stage.words,
        as_of=london_date(now),
        page=page,
    )


def _uuid(part_id: bytes) -> UUID:
    return UUID(bytes=part_id)


def _page(
    db: DbSession,
    ids: Iterable[UUID],
    *,
    figure: str,
    words: str,
    as_of: date,
    page: int,
    opened: bool = False,
) -> Behind:
    known = {
        row.id: row
        for row in db.execute(
            select(Participation.id, Package.ends_on, Package.ref).join(
                Package, Package.id == Participation.package_id
            )
        )
    }
    found = sorted(
        (known[one] for one in ids if one in known),
        key=lambda row: (row.ends_on or date.max, row.ref, row.id.bytes),
        reverse=True,
    )
    page, pages = page_of(len(found), page)
    shown = [row.id for row in found[(page - 1) * PER_PAGE : page * PER_PAGE]]
    return Behind(figure, words, as_of, shown, page, pages, len(found), opened)


def rows(db: DbSession, listed: Behind) -> list[Row]:
    """Those on the page with what is told of them; to be asked for once the list is in the trail."""
    found = db.scalars(
        select(Participation)
        .where(Participation.id.in_(listed.shown))
        .options(
            joinedload(Participation.person),
            joinedload(Participation.package).joinedload(Package.council),
        )
    )
    parts = {part.id: part for part in found}
    return [Row(parts[one], ended_on(parts[one], parts[one].package)) for one in listed.shown]


def must_note(db: DbSession, shown: Behind, *, reader: str, now: datetime) -> bool:
    """Whether something of this list is not in the trail yet for the London day and reader."""
    return not _noted_list(db, shown, reader=reader, now=now) or bool(
        _unnoted(db, shown, reader=reader, now=now)
    )


def note(work: Work, shown: Behind) -> None:
    """Put it in the trail, once a day and reader, before the list is shown."""
    if not _noted_list(work.db, shown, reader=work.actor, now=work.now):
        work.record(Action.FIGURE_OPENED, object="figure:list", **_details(shown))
    for reading in _unnoted(work.db, shown, reader=work.actor, now=work.now):
        readings.note(work, reading)


def _details(shown: Behind) -> dict[str, Any]:
    return {"figure": shown.figure, "as_of": shown.as_of, "people": shown.total}


def _noted_list(db: DbSession, shown: Behind, *, reader: str, now: datetime) -> bool:
    details = {**_details(shown), "as_of": shown.as_of.isoformat()}
    lines = select(AuditEntry.seq).where(
        AuditEntry.object == "figure:list",
        AuditEntry.action == Action.FIGURE_OPENED.word,
        AuditEntry.actor == reader,
        AuditEntry.at >= start_of_day(london_date(now)),
        AuditEntry.details == json.dumps(dict(sorted(details.items())), separators=(",", ":")),
    )
    return db.scalars(lines.limit(1)).first() is not None


def _unnoted(db: DbSession, shown: Behind, *, reader: str, now: datetime) -> list[Reading]:
    """The readings that a list is, of those on the page, which are not in the trail for the day."""
    if not shown.opened:
        return []
    sent = db.execute(
        select(Response.id, Response.respondent_id).where(
            Response.respondent_id.in_(shown.shown),
            Response.wave == Wave.POST,
            Response.state == ResponseState.SUBMITTED,
        )
    )
    found = [Reading(response_id=row[0], respondent_id=row[1], purpose=PURPOSE) for row in sent]
    known = readings.noted_among(db, found, reader=reader, now=now)
    return [one for one in found if one.response_id not in known]
