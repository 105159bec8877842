"""What the team sends to many at once: invitations, and reminders beside those that go by themselves.

Both are shown before they go: who gets what and on which day, and who gets nothing, and why. What is decided when
the page is shown is decided again when it is sent, under the same lock as everything that reminds, so a form that was
open for an hour, or is sent twice, writes to nobody who has answered meanwhile.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from portal.answers import questionnaires
from portal.answers.questionnaires import Due
from portal.desk import restriction
from portal.mailing import bounces, gathering, reminders
from portal.mailing import queue as mail
from portal.models import Mail, MailState, Package, PackageState, Participation, Person
from portal.packages import acts as packages
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.work import Work
from surveys.models import Wave

INVITES_IN = (PackageState.AGREED, PackageState.BASELINE, PackageState.ACTIVE)
AT_ONCE = 200
"""How many go out by one press of a button: as many as a person can look through."""

CLOSED = "Their account is closed"
REFUSED = "Their address takes no mail. Put it right first"
QUIET = "They want no reminders"
WAITS = "A reminder of it waits to be sent"


@dataclass(frozen=True)
class Addressee:
    """Somebody in the list. `key` names them in a form; `template` and `step` are the mail that they get; `what` it is
    about, and `until` when it can be answered; `on` is the London day on which it can go, None where it does not go,
    and `why_not` says why."""

    key: str
    part: Participation
    template: str
    step: str
    what: str
    until: datetime | None
    on: date | None
    why_not: str | None

    @property
    def person(self) -> Person:
        assert self.part.person is not None
        return self.part.person


class Listed:
    """Who could get one: those who will, the first AT_ONCE of them; how many more follow; and who gets none."""

    def __init__(self, everybody: Sequence[Addressee]) -> None:
        going = [one for one in everybody if one.on is not None]
        self.going = going[:AT_ONCE]
        self.more = len(going) - len(self.going)
        self.not_going = [one for one in everybody if one.on is None]


# ---- invitations


def to_invite(db: DbSession, *, now: datetime) -> list[Addressee]:
    """Who has no invitation yet, of support that is agreed; by when it starts. A fixed number of queries."""
    parts = db.scalars(
        select(Participation)
        .join(Participation.package)
        .join(Participation.person)
        .where(
            Package.state.in_(INVITES_IN),
            Participation.invited_at.is_(None),
            Participation.to_on.is_(None),
            restriction.usable(),
        )
        .options(*_whole())
        .order_by(Package.starts_on, Package.ref, Participation.id)
    ).all()
    refused, free = _refused(db, parts), _free(db, parts, now)
    return [
        Addressee(
            key=str(part.id),
            part=part,
            template="invitation",
            step="once",
            what="Invitation",
            until=None,
            on=None if (why := _unreachable(part, refused)) else free[_person_id(part)],
            why_not=why,
        )
        for part in parts
    ]


def invite(work: Work, *, keys: Collection[str]) -> int:
    """Queue the invitation of those chosen who can still get one; returns how many."""
    chosen = [one.part for one in to_invite(work.db, now=work.now) if one.on and one.key in keys]
    by_package: dict[UUID, set[UUID]] = {}
    for part in chosen:
        by_package.setdefault(part.package_id, set()).add(part.id)
    # Read again under the lock of each package: somebody else may have invited meanwhile, or given the package up.
    work.db.expire_all()
    count = 0
    for package_id in sorted(by_package):
        with suppress(packages.NotPossible):
            count += packages.invite(work, package_id=package_id, only=by_package[package_id])
    return count


# ---- reminders


def to_remind(db: DbSession, programme: Programme, *, now: datetime) -> list[Addressee]:
    """Who can answer and has not, the soonest to close first. A fixed number of queries."""
    found = questionnaires.unanswered(db, programme, waves=reminders.CHASED, now=now)
    asked = [one.participation for one in found]
    refused, free, queued = (
        bounces.refusing(db, {_person_id(part) for part in asked}),
        _free(db, asked, now),
        _queued(db, asked),
    )
    return [_reminder(one, refused, free, queued, now) for one in found]


def _reminder(
    due: Due,
    refused: Collection[UUID],
    free: dict[UUID, date],
    queued: dict[UUID, list[Mail]],
    now: datetime,
) -> Addressee:
    part, today = due.participation, london_date(now)
    mine = [one for one in queued.get(part.id, []) if one.step.startswith(f"{due.wave}:{due.occasion}:")]
    why = _unreachable(part, refused)
    if why is None and part.person is not None and part.person.reminders_stopped_at is not None:
        why = QUIET
    if why is None and any(one.state is MailState.WAITING for one in mine):
        why = WAITS
    if why is None and any(one.sent_at is not None and london_date(one.sent_at) == today for one in mine):
        why = "They were reminded today"
    on = free[_person_id(part)]
    if why is None and on > london_date(due.closes_at):
        why = "They had two mails this week, and it closes before the next can go"
    return Addressee(
        key=f"{part.id}:{due.wave}:{due.occasion}",
        part=part,
        template=reminders.TEMPLATE,
        step=reminders.by_hand(due.wave, due.occasion, today),
        what=due.title,
        # The end of a baseline that no session is booked for is the contract's: no day to name.
        until=None if due.wave is Wave.BASELINE else due.closes_at,
        on=None if why else on,
        why_not=why,
    )


def remind(work: Work, programme: Programme, *, keys: Collection[str]) -> int:
    """Queue a reminder for those chosen who can still get one today; returns how many."""
    work.wait_turn("reminders")
    count = 0
    for one in to_remind(work.db, programme, now=work.now):
        if one.on is None or one.key not in keys:
            continue
        mail.queue(work, template=one.template, about=one.part.id, to=one.person.id, step=one.step)
        work.record(
            Action.REMINDER_QUEUED,
            object=f"participation:{one.part.id}",
            holder=one.part.id,
            wave=one.step.partition(":")[0],
        )
        count += 1
    return count


# ---- what both look at


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(Participation.person),
        joinedload(Participation.package).joinedload(Package.council),
    )


def _unreachable(part: Participation, refused: Collection[UUID]) -> str | None:
    if part.person is None or part.person.disabled_at is not None:
        return CLOSED
    return REFUSED if part.person_id in refused else None


def _person_id(part: Participation) -> UUID:
    # The lists join the person: nobody erased is in them.
    assert part.person_id is not None
    return part.person_id


def _refused(db: DbSession, parts: Sequence[Participation]) -> set[UUID]:
    return bounces.refusing(db, {_person_id(part) for part in parts})


def _free(db: DbSession, parts: Sequence[Participation], now: datetime) -> dict[UUID, date]:
    return gathering.free_days(db, {_person_id(part) for part in parts}, now=now)


def _queued(db: DbSession, parts: Sequence[Participation]) -> dict[UUID, list[Mail]]:
    found: dict[UUID, list[Mail]] = {}
    for one in mail.of_participations(db, {part.id for part in parts}):
        if one.template == reminders.TEMPLATE:
            found.setdefault(one.about, []).append(one)
    return found
