"""What was answered to every question of a wave, for the team: counts with their bases, no names and no words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers import windows
from portal.desk import restriction
from portal.models import Participation
from portal.programme import Programme
from privacy.clock import end_of_day
from surveys import results, tallies
from surveys.models import Wave
from surveys.results import Read
from surveys.standings import drafts
from surveys.tallies import Tally
from surveys.versions import measure_differences
from surveys.waves import Window

PAIRED = {Wave.BASELINE: Wave.POST, Wave.INTERIM: Wave.BASELINE, Wave.POST: Wave.BASELINE}
"""The wave whose answers a wave's are compared with."""


@dataclass(frozen=True, kw_only=True)
class WaveTallies:
    """A wave as it stood at the end of a day: those it was open to, those who sent it, in time or late, those who
    began it only. `differences` are measures that its partner asks in another way, each with the reason."""

    wave: Wave
    eligible: int
    sent: int
    late: int
    unfinished: int
    questions: Sequence[Tally]
    differences: Sequence[tuple[str, str]]


def of_wave(db: DbSession, programme: Programme, *, wave: Wave, as_of: date) -> WaveTallies:
    """All answers to a wave, late ones too, each person once for each occasion, with the latest they sent."""
    until = end_of_day(as_of)
    closing = _closing(db, programme, wave=wave, as_of=as_of)
    latest = {
        (read.row.respondent_id, read.row.occasion): read
        for read in results.revisions(db, waves=[wave], until=until)
    }
    reads = [(read, _late(read, closing.get(key))) for key, read in latest.items()]
    eligible = len(closing.keys() | latest.keys())
    partner = PAIRED.get(wave)
    return WaveTallies(
        wave=wave,
        eligible=eligible,
        sent=len(reads),
        late=sum(late for _, late in reads),
        unfinished=len(drafts(db, wave, until=until) - latest.keys()),
        questions=tallies.tally(reads, eligible=eligible),
        differences=measure_differences(db, wave, partner) if partner is not None else [],
    )


def _late(read: Read, window: Window | None) -> bool:
    return window is not None and window.late(read.row.said_at)


def _closing(
    db: DbSession, programme: Programme, *, wave: Wave, as_of: date
) -> dict[tuple[UUID, str], Window]:
    """The windows of everybody to whom the wave was open by the end of the day."""
    until = end_of_day(as_of)
    parts = db.scalars(
        select(Participation)
        .join(Participation.person)
        .where(restriction.usable())
        .options(joinedload(Participation.package))
    ).all()
    return {
        (one.participation_id, one.occasion): one.window
        for one in windows.openings(db, programme, parts, now=until)
        if one.wave is wave and one.window.opens_at < min(until, one.window.closes_at)
    }
