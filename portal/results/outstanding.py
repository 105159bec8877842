"""Who can answer and has not: until when, and what was sent to them. No answer is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import questionnaires
from portal.answers.questionnaires import Due
from portal.csv_files import csv_of, yes_no
from portal.mailing import bounces
from portal.mailing import queue as mail
from portal.models import (
    CallRequest,
    Mail,
    MailState,
    Participation,
    Person,
    Strand,
)
from portal.people.directory import cut
from portal.programme import Programme
from privacy.clock import london_date
from surveys.models import Wave
from surveys.waves import Stand

WAVES = (Wave.BASELINE, Wave.INTERIM, Wave.POST)
STANDS = {Stand.OPEN: "Not begun", Stand.STARTED: "Begun", Stand.GRACE: "Closed, can still be finished"}


@dataclass(frozen=True, kw_only=True)
class Outstanding:
    """Somebody who has not sent a questionnaire, and what is known of why. `mails` are those about their
    questionnaires, newest first; `refused`: their address took none."""

    due: Due
    mails: Sequence[Mail]
    refused: bool
    stopped: bool
    call_asked: bool

    @property
    def part(self) -> Participation:
        return self.due.participation

    @property
    def person(self) -> Person:
        assert self.due.participation.person is not None
        return self.due.participation.person


@dataclass(frozen=True)
class Listing:
    """A page of those who are outstanding."""

    rows: Sequence[Outstanding]
    page: int
    pages: int
    total: int


def listing(
    db: DbSession,
    programme: Programme,
    *,
    wave: Wave | None = None,
    strand: Strand | None = None,
    now: datetime,
    page: int | None = 1,
) -> Listing:
    """Who has not sent what is open to them, of one wave or strand or of all; without a page everybody."""
    waves = (wave,) if wave is not None else WAVES
    found = questionnaires.unanswered(db, programme, waves=waves, strand=strand, now=now)
    shown, page, pages = cut(found, page)
    return Listing(_rows(db, shown), page, pages, len(found))


def as_csv(shown: Listing, programme: Programme) -> bytes:
    """The list as a file: by reference, without names."""
    return csv_of(
        (
            "Reference",
            "Role",
            "Council",
            "Questionnaire",
            "Last day",
            "Stands",
            "Last mail on",
            "Wants a call",
            "Address refused",
            "No reminders",
        ),
        (
            (
                one.person.ref,
                programme.roles[one.part.role],
                one.part.package.council.name if one.part.package.council is not None else "",
                one.due.title,
                london_date(one.due.closes_at - timedelta(microseconds=1)),
                STANDS[one.due.stand],
                max((london_date(sent.sent_at) for sent in one.mails if sent.sent_at), default=None),
                yes_no(one.call_asked),
                yes_no(one.refused),
                yes_no(one.stopped),
            )
            for one in shown.rows
        ),
    )


def _rows(db: DbSession, shown: Sequence[Due]) -> list[Outstanding]:
    parts = {one.participation.id for one in shown}
    people = {one.participation.person_id for one in shown if one.participation.person_id is not None}
    mails: dict[UUID, list[Mail]] = {}
    for one in mail.of_participations(db, parts):
        if one.state is not MailState.DROPPED:
            mails.setdefault(one.about, []).append(one)
    refused = bounces.refusing(db, people)
    calls = set(
        db.scalars(
            select(CallRequest.participation_id).where(
                CallRequest.participation_id.in_(parts), CallRequest.done_at.is_(None)
            )
        )
    )
    return [_row(one, mails, refused, calls) for one in shown]


def _row(due: Due, mails: dict[UUID, list[Mail]], refused: set[UUID], calls: set[UUID]) -> Outstanding:
    part = due.participation
    assert part.person is not None
    return Outstanding(
        due=due,
        mails=[one for one in mails.get(part.id, []) if _about(one, due)],
        refused=part.person_id in refused,
        stopped=part.person.reminders_stopped_at is not None,
        call_asked=part.id in calls,
    )


def _about(one: Mail, due: Due) -> bool:
    if one.template == "reminder":
        return one.step.startswith(f"{due.wave}:{due.occasion}:")
    return one.template == {Wave.BASELINE: "invitation", Wave.POST: "post_open"}.get(due.wave)
