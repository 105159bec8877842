"""What the product itself suspects: it opens a draft of an incident for each cause and day (cl 17.5, annex 1).

    chain    the audit trail does not hold
    seal     a sealed value, or the canary, did not open
    sign_in  many sign-ins were refused within an hour
    export   answers were taken out by somebody who does not usually do so, or at night
    drill    a backup or the escrow of the keys did not stand a drill

The worker looks each minute at the lines of the trail that are new. What more of a cause comes on a day is noted in
that day's case and told too, at most once an hour, with its number. The trail itself is checked once a day. The data
protection officer confirms a draft, which notifies the Controller, or dismisses it with a reason. Discovery is when it
was found: the 24 hours run from there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as DbSession

from portal.cases import intake as desk_cases
from portal.instance import Instance
from portal.mailing import queue as mail
from portal.mailing.contexts import Around, Letter, RoleContext
from portal.models import Mail as MailRow
from portal.models import Mailbox, Suspicion, SuspicionCause
from portal.programme import Programme
from privacy import chain_checks, deadlines
from privacy.audit import Action, AuditEntry
from privacy.cases import acts
from privacy.cases.story import Story
from privacy.cases.tables import CaseEvent, CaseKind, Channel, Event
from privacy.chain_checks import ChainCheck
from privacy.clock import london, london_date, start_of_day
from privacy.errors import ChainBroken
from privacy.records import new_id
from privacy.work import Work, unit_of_work

ACTOR = "system:suspicions"
TEMPLATE = "suspicion"
LOOKS_BACK = timedelta(days=2)
REFUSED_AT_MOST = 20
"""Refused sign-ins within an hour, of everybody together: more than this is no mistyping."""
TOLD_AGAIN_AFTER = timedelta(hours=1)
"""Of one cause the officer is told at most once in this time."""
USUAL_WITHIN = timedelta(days=180)
NIGHT = (22, 6)
"""Hours of the London night in which nobody takes answers out."""

WORDS = {
    SuspicionCause.CHAIN: "The audit trail does not hold",
    SuspicionCause.SEAL: "A sealed value did not open",
    SuspicionCause.SIGN_IN: "Many sign-ins were refused",
    SuspicionCause.EXPORT: "An unusual export of answers",
    SuspicionCause.DRILL: "A drill of a backup or of the keys failed",
}
LOOK_AT = {
    SuspicionCause.CHAIN: "Somebody may have changed what was done, or the database was put back from a copy.",
    SuspicionCause.SEAL: "Somebody may have moved or altered data, or a disk is failing.",
    SuspicionCause.SIGN_IN: "Somebody may be trying out codes.",
    SuspicionCause.EXPORT: "Ask whoever made it whether they did, and why.",
    SuspicionCause.DRILL: "Data may not be there when it is needed.",
}
WATCHED: Mapping[str, SuspicionCause] = {
    Action.SEAL_REFUSED.word: SuspicionCause.SEAL,
    Action.CANARY_FAILED.word: SuspicionCause.SEAL,
    Action.SIGN_IN_REFUSED.word: SuspicionCause.SIGN_IN,
    Action.EXPORT_MADE.word: SuspicionCause.EXPORT,
    Action.BACKUP_DRILLED.word: SuspicionCause.DRILL,
    Action.ESCROW_DRILLED.word: SuspicionCause.DRILL,
}

Sessions = Callable[[], DbSession]
log = structlog.get_logger("suspicions")


@dataclass(frozen=True)
class Found:
    """What gives rise to a suspicion: its cause, what was seen, in words without names, the last line looked at, and
    how many lines there are."""

    cause: SuspicionCause
    said: str
    up_to: int
    count: int = 1


@dataclass(frozen=True)
class Shown:
    """A suspicion with its draft, None where the trail was too broken for one."""

    suspicion: Suspicion
    story: Story | None

    @property
    def what(self) -> str:
        return WORDS[self.suspicion.cause]

    @property
    def waits(self) -> bool:
        return self.story is None or self.story.is_draft

    @property
    def again(self) -> list[CaseEvent]:
        """What was noted when more of the same cause came on that day, oldest first."""
        notes = self.story.of(Event.NOTE) if self.story is not None else []
        return [note for note in notes if note.by == ACTOR]

    @property
    def due_at(self) -> datetime:
        """By when it has to be reported, if it is one."""
        return deadlines.incident_report(self.suspicion.found_at).due_at


# ---- pure


def weigh(lines: Sequence[AuditEntry], *, usual: frozenset[str], now: datetime) -> list[Found]:
    """What new lines of the trail give rise to; `usual` are those who take answers out."""
    of = {cause: [line for line in lines if WATCHED.get(line.action) is cause] for cause in SuspicionCause}
    refused = [line for line in of[SuspicionCause.SIGN_IN] if line.at > now - timedelta(hours=1)]
    odd = [line for line in of[SuspicionCause.EXPORT] if line.actor not in usual or _at_night(line.at)]
    failed = [line for line in of[SuspicionCause.DRILL] if ":false" in line.details]
    found = [
        (SuspicionCause.SEAL, of[SuspicionCause.SEAL]),
        (SuspicionCause.SIGN_IN, refused if len(refused) > REFUSED_AT_MOST else []),
        (SuspicionCause.EXPORT, odd),
        (SuspicionCause.DRILL, failed),
    ]
    return [
        Found(cause, _said(those), max(line.seq for line in those), len(those))
        for cause, those in found
        if those
    ]


def _at_night(at: datetime) -> bool:
    return london(at).hour >= NIGHT[0] or london(at).hour < NIGHT[1]


def _said(lines: Sequence[AuditEntry]) -> str:
    """Which lines of the trail: their numbers, for there is everything else."""
    numbers = [str(line.seq) for line in lines]
    shown = ", ".join(numbers[:10]) + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")
    return f"{'Line' if len(numbers) == 1 else 'Lines'} {shown} of the audit trail."


# ---- the worker


def run(instance: Instance, sessions: Sessions) -> int:
    """Look for what is new, and open a draft for each cause or add to today's; returns how many. Any number of
    workers may."""
    with sessions() as db:
        found = [*_of_chain(db, instance), *_of_trail(db, now=instance.clock())]
        return sum(raise_(db, instance, one) or add(db, instance, one) for one in found)


def _of_trail(db: DbSession, *, now: datetime) -> list[Found]:
    """What the new lines give rise to. A cause of which the officer was told within the hour waits until it is over,
    with what came since."""
    seen = dict(
        db.execute(select(Suspicion.cause, func.max(Suspicion.up_to)).group_by(Suspicion.cause)).all()
    )
    told = select(Suspicion.cause).join(MailRow, MailRow.about == Suspicion.id)
    lately = set(
        db.scalars(told.where(MailRow.template == TEMPLATE, MailRow.queued_at > now - TOLD_AGAIN_AFTER))
    )
    asked = select(AuditEntry).where(AuditEntry.action.in_(WATCHED), AuditEntry.at > now - LOOKS_BACK)
    lines = [
        line
        for line in db.scalars(asked.order_by(AuditEntry.seq))
        if line.seq > seen.get(WATCHED[line.action], 0) and WATCHED[line.action] not in lately
    ]
    return weigh(lines, usual=_usual(db, lines), now=now)


def _usual(db: DbSession, lines: Iterable[AuditEntry]) -> frozenset[str]:
    """Who took answers out before these lines, within half a year. What gave rise to a suspicion shows nothing of the
    kind, unless that was dismissed."""
    exports = [line for line in lines if line.action == Action.EXPORT_MADE.word]
    if not exports:
        return frozenset()
    asked = select(AuditEntry.actor).where(
        AuditEntry.action == Action.EXPORT_MADE.word,
        AuditEntry.seq < exports[0].seq,
        AuditEntry.at > exports[0].at - USUAL_WITHIN,
    )
    return frozenset(db.scalars(asked.where(*_not_doubted(db)).distinct()))


def _not_doubted(db: DbSession) -> list[ColumnElement[bool]]:
    """Conditions for lines that belong to no suspicion of exports, or to one that was dismissed. A suspicion has the
    lines that were new to it."""
    asked = select(Suspicion).where(Suspicion.cause == SuspicionCause.EXPORT).order_by(Suspicion.up_to)
    rows = db.scalars(asked).all()
    known = {story.case.id: story for story in acts.stories(db, closed=None, kinds=[CaseKind.INCIDENT])}
    conditions = []
    for before, row in zip([0, *(row.up_to for row in rows)], rows, strict=False):
        story = known.get(row.case_id) if row.case_id else None
        if story is None or story.closed is None or story.of(Event.CONFIRMED):
            theirs = (AuditEntry.seq > before, AuditEntry.seq <= row.up_to)
            conditions.append(not_(and_(*theirs, AuditEntry.at > row.found_at - LOOKS_BACK)))
    return conditions


def _of_chain(db: DbSession, instance: Instance) -> list[Found]:
    """The trail is checked once a day; where it does not hold, that is raised once, and a further break anew."""
    now = instance.clock()
    last = chain_checks.last(db)
    if last is None or last.at < start_of_day(london_date(now)):
        # Looked at outside the work: it may take seconds, and nobody should have to wait for it.
        found = chain_checks.look(db, instance.vault.ring)
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            last = chain_checks.note(work, found)
    if last.ok or not _is_new_break(db, last):
        return []
    return [Found(SuspicionCause.CHAIN, f"The check says: {last.trouble}.", _place(last.trouble))]


def _place(trouble: str | None) -> int:
    """The first line that a check names."""
    return next((int(word) for word in re.findall(r"\d+", trouble or "")), 0)


def _is_new_break(db: DbSession, check: ChainCheck) -> bool:
    """Whether a check found something else than what the officer was told of last."""
    mailed = select(func.max(MailRow.queued_at)).join(Suspicion, MailRow.about == Suspicion.id)
    found = select(func.max(Suspicion.found_at))
    moments = (
        db.scalar(mailed.where(Suspicion.cause == SuspicionCause.CHAIN, MailRow.template == TEMPLATE)),
        db.scalar(found.where(Suspicion.cause == SuspicionCause.CHAIN)),
    )
    told_at = max((moment for moment in moments if moment is not None), default=None)
    if told_at is None:
        return True
    known = chain_checks.last(db, until=told_at, ok=False)
    return known is None or known.trouble != check.trouble


def raise_(db: DbSession, instance: Instance, found: Found) -> bool:
    """Open a draft and tell the data protection officer; False where there is one of the cause and day already."""
    try:
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            row = _enter(work, found)
            case = desk_cases.take_in(
                work,
                instance.programme,
                kind=CaseKind.INCIDENT,
                channel=Channel.SYSTEM,
                received_at=work.now,
                asked=f"{WORDS[found.cause]}. {found.said} {LOOK_AT[found.cause]}",
                draft=True,
            )
            work.db.flush()
            row.case_id = case.id
            work.record(
                Action.SUSPICION_RAISED, object=f"suspicion:{row.id}", holder=case.id, cause=found.cause
            )
            _tell(work, row)
    except IntegrityError:
        return False
    except ChainBroken as broken:
        log.error("trail.broken", trouble=str(broken))
        return _without_case(db, instance, found)
    log.error("suspicion.raised", cause=found.cause.value)
    return True


def add(db: DbSession, instance: Instance, found: Found) -> bool:
    """Note in today's case of a cause what more has come, whatever became of that case, and tell the data protection
    officer; False where another worker did."""
    try:
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            row = work.db.scalars(
                select(Suspicion)
                .where(Suspicion.cause == found.cause, Suspicion.on_day == london_date(work.now))
                .with_for_update()
            ).first()
            if row is None or row.case_id is None or not _is_more(work.db, row, found):
                return False
            row.up_to = max(row.up_to, found.up_to)
            body = {"text": f"{WORDS[found.cause]}, again. {found.said}", "lines": found.count}
            acts.happen(work, case_id=row.case_id, kind=Event.NOTE, body=body)
            _tell(work, row, step=f"{work.now:%Y%m%dT%H%M%S.%f}")
    except ChainBroken as broken:
        log.error("trail.broken", trouble=str(broken))
        return False
    log.error("suspicion.raised_again", cause=found.cause.value, count=found.count)
    return True


def _is_more(db: DbSession, row: Suspicion, found: Found) -> bool:
    """Whether it is not noted yet. Lines of the trail come in order; a break may lie before the one that is known."""
    if found.cause is not SuspicionCause.CHAIN:
        return row.up_to < found.up_to
    check = chain_checks.last(db, ok=False)
    return check is not None and _is_new_break(db, check)


def _without_case(db: DbSession, instance: Instance, found: Found) -> bool:
    """The head of the trail does not fit, so nothing that leaves a line can be written: only that it is suspected."""
    try:
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            _tell(work, _enter(work, found))
    except IntegrityError:
        return False
    return True


def _enter(work: Work, found: Found) -> Suspicion:
    row = Suspicion(
        id=new_id(),
        cause=found.cause,
        on_day=london_date(work.now),
        found_at=work.now,
        up_to=found.up_to,
    )
    work.db.add(row)
    work.db.flush()
    return row


def _tell(work: Work, row: Suspicion, *, step: str = "once") -> None:
    mail.queue(work, template=TEMPLATE, about=row.id, to=Mailbox.DPO, step=step)


# ---- the data protection officer


def shown(db: DbSession) -> list[Shown]:
    """Every suspicion with its draft, newest first, those that wait before the others. Three queries."""
    rows = db.scalars(select(Suspicion).order_by(Suspicion.found_at.desc(), Suspicion.id)).all()
    known = {story.case.id: story for story in acts.stories(db, closed=None, kinds=[CaseKind.INCIDENT])}
    found = [Shown(row, known.get(row.case_id) if row.case_id else None) for row in rows]
    return sorted(found, key=lambda one: not one.waits)


def waiting(db: DbSession) -> int:
    """How many drafts wait to be confirmed or dismissed."""
    return sum(one.waits for one in shown(db))


def confirm(work: Work, programme: Programme, *, suspicion: UUID) -> UUID:
    """Make an incident of a draft: the Controller is notified in the same work. Returns the case.

    Raises LookupError, and NotPossible where somebody decided before.
    """
    return desk_cases.confirm(work, programme, case_id=_draft(work, suspicion)).id


def dismiss(work: Work, *, suspicion: UUID, reason: str) -> None:
    """Close a draft, with the reason. Raises LookupError, CaseClosed, or Incomplete without a reason."""
    acts.happen(
        work,
        case_id=_draft(work, suspicion),
        kind=Event.CLOSED,
        body={"outcome": "Dismissed: no incident", "evidence": reason},
    )


def _draft(work: Work, suspicion: UUID) -> UUID:
    row = work.db.get(Suspicion, suspicion)
    if row is None or row.case_id is None:
        raise LookupError("no draft")
    return row.case_id


# ---- the mail


def letter(db: DbSession, mail: MailRow, around: Around) -> Letter | None:
    """What is suspected and where to look, and how often it was seen again; none of what was decided since."""
    row = db.get(Suspicion, mail.about)
    if row is None:
        return None
    one = Shown(row, acts.read(db, row.case_id) if row.case_id else None)
    again = next((note for note in one.again if note.at == mail.queued_at), None)
    if again is None and not one.waits:
        return None
    said = LOOK_AT[row.cause]
    if one.story is None:
        said += " No case can be opened while it is so: ring the Department, and whoever runs the machine."
    return Letter(
        {
            "what": one.what,
            "said": said,
            "found_at": row.found_at,
            "due_at": one.due_at,
            "lines": (again.body or {}).get("lines") if again is not None else None,
            "again_at": again.at if again is not None else None,
            "waits": one.waits,
            "case": one.story.case.ref if one.story is not None else "",
            "link": around.link("suspicions") if one.waits else around.link("case", row.case_id),
        }
    )


ROLE_CONTEXTS: Mapping[str, RoleContext] = {TEMPLATE: letter}
