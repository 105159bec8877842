"""Exports of answers: an act of its own, which leaves a line in the trail before the first row is read.

Pseudonymous by default. Names, councils and packages come with it only in a named export, which needs a reason
that is kept (cl 17.4(b): pseudonymise; cl 17.8: records that demonstrate it).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.answers import windows
from portal.desk import approvals
from portal.models import Export, Package, Participation, SecondAct
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work
from surveys import versions
from surveys.export_files import Format
from surveys.exports import Around, Beside, Head, Selection, Source
from surveys.questions import blank
from surveys.versions import Published

NAMED = ("name", "council", "role", "package", "reference")
"""What a named export adds: who answered, for which council, in which role and package; the receipt's reference."""
WITH_NAMES = "named"
WITH_DRAFTS = "partial"
REASON_AT_MOST = 1000
ROWS_IN_BROWSER = 20_000
NAME_AT_MOST = 60


class NoReason(Exception):
    """A named export was asked for without saying why."""


class TooMany(Exception):
    """There are more rows than a browser should wait for; the message says what to do."""

    def __init__(self, rows: int) -> None:
        super().__init__(
            f"That is {rows:,} responses, and {ROWS_IN_BROWSER:,} are the most that can be downloaded at once. "
            "Choose fewer questionnaires, or ask your administrator, whose command has no limit"
        )


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asks to be exported."""

    codes: tuple[str, ...]
    format: Format
    named: bool = False
    partial: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """An export that is on record and can be read; `made_at` is the moment it stands for."""

    order: Order
    made_at: datetime
    rows: int

    def file_name(self, ending: str) -> str:
        """The name of a file of it; `ending` begins with a dot."""
        what = "-".join(self.order.codes)
        if len(what) > NAME_AT_MOST:
            what = f"{len(self.order.codes)}-questionnaires"
        kind = "-named" if self.order.named else ""
        return f"{what}-{london_date(self.made_at).isoformat()}{kind}{ending}"


class OwnAlone(Exception):
    """The questionnaire is a self-assessment: answered for oneself alone, and read by nobody else (sch 5 Tools)."""


def make(work: Work, programme: Programme, order: Order, *, rows_at_most: int | None = None) -> Made:
    """Put an export on record, so that it can be read. Raises NoReason, TooMany, OwnAlone or Unpublished."""
    if order.named and blank(order.reason):
        raise NoReason
    for code in order.codes:
        if versions.current(work.db, code=code).is_tool:
            raise OwnAlone(code)
    counted = source(work.db, programme, order, now=work.now).count()
    rows = counted.total()
    if rows_at_most is not None and rows > rows_at_most:
        raise TooMany(rows)
    export = Export(
        id=new_id(),
        made_at=work.now,
        by=work.actor,
        format=order.format,
        named=order.named,
        partial=order.partial,
        rows=rows,
    )
    export.reason = order.reason if order.named else None
    work.db.add(export)
    work.db.flush()
    for code in order.codes:
        work.record(
            Action.EXPORT_MADE,
            object=f"export:{export.id}",
            code=code,
            format=order.format,
            named=order.named,
            partial=order.partial,
            rows=counted[code],
        )
    return Made(order=order, made_at=work.now, rows=rows)


def agreed(work: Work, order: Order) -> bool:
    """Whether an export can be made now: one with names once a second person agreed, who is asked here (cl 17.4).

    Raises NoReason.
    """
    if not order.named:
        return True
    if blank(order.reason):
        raise NoReason
    return approvals.agreed(work, act=SecondAct.ANSWERS, thing=thing(order), reason=order.reason)


def thing(order: Order) -> str:
    """How an approval calls what leaves: the questionnaires, and whatever widens it (`answers:post:named+partial`)."""
    widened = [name for name, wanted in ((WITH_NAMES, order.named), (WITH_DRAFTS, order.partial)) if wanted]
    return f"answers:{'+'.join(sorted(set(order.codes)))}:{'+'.join(widened)}"


def exportable(db: DbSession) -> list[Published]:
    """The questionnaires in force whose answers the team may take out: the programme's. A tool is answered for
    oneself alone (sch 5 Tools)."""
    return [one for one in versions.in_force(db) if not one.is_tool]


def source(
    db: DbSession,
    programme: Programme,
    order: Order,
    *,
    now: datetime,
    tell: Callable[[int], None] = lambda rows: None,
) -> Source:
    """What an export reads, row after row; `tell` is told of each batch. Raises Unpublished."""
    selection = Selection(codes=order.codes, partial=order.partial, named=NAMED if order.named else ())
    return Source(
        db, selection, now=now, around=_around(db, programme, now=now, named=order.named), tell=tell
    )


def _around(db: DbSession, programme: Programme, *, now: datetime, named: bool) -> Around:
    def look(heads: Sequence[Head]) -> Mapping[UUID, Beside]:
        wanted = {head.respondent_id for head in heads}
        options = [selectinload(Participation.package).selectinload(Package.council)]
        options += [selectinload(Participation.person)] if named else []
        found = db.scalars(select(Participation).where(Participation.id.in_(wanted)).options(*options)).all()
        parts = {part.id: part for part in found}
        opened = {
            (one.participation_id, one.wave, one.occasion): one.window
            for one in windows.openings(db, programme, found, now=now)
        }
        return {
            head.id: Beside(
                opened.get((head.respondent_id, head.wave, head.occasion)),
                _named(programme, head, parts.get(head.respondent_id)) if named else {},
            )
            for head in heads
        }

    return look


def _named(programme: Programme, head: Head, part: Participation | None) -> dict[str, str]:
    """Who answered; nobody's name for somebody who was erased."""
    if part is None:
        return {"reference": head.ref}
    council = part.package.council
    return {
        "name": (part.person.name if part.person else None) or "",
        "council": council.name if council else "",
        "role": programme.roles[part.role],
        "package": part.package.ref,
        "reference": head.ref,
    }
