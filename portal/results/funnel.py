"""How a wave went, step by step, for the team: from those it was open to, to those whose answers can be compared.

Each step is told with its own base. Mails are kept for 90 days after they were sent, so whether somebody was written to
is known of younger waves only: these two steps have those as their base. No answer is opened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.answers import windows
from portal.answers.windows import Opening
from portal.desk import restriction
from portal.models import Mail, MailState, Participation, Strand
from portal.programme import Programme
from portal.results.tallies import PAIRED
from privacy.records import Keep
from surveys.models import ResponseState, Wave
from surveys.sittings import ONCE
from surveys.standings import Standings, standings

WAVES = (Wave.BASELINE, Wave.INTERIM, Wave.POST, Wave.FEEDBACK)
OPENED_BY = {Wave.BASELINE: "invitation", Wave.POST: "post_open"}
"""The mail that opens a wave; an interim wave is opened by a reminder."""
KEPT = timedelta(days=Keep.MAIL.days or 0)


@dataclass(frozen=True, kw_only=True)
class Way:
    """How far one person has come in one wave and occasion. `mail_known`: mails about it are still kept; `due`: its
    last day has passed."""

    participation_id: UUID
    strand: Strand
    mail_known: bool
    invited: bool
    delivered: bool
    started: bool
    sent: bool
    due: bool
    in_window: bool
    late: bool
    withdrawn: bool
    matched: bool


@dataclass(frozen=True)
class Stage:
    """A step of the funnel; `of` names the step that is its base. `words` follow a number."""

    name: str
    words: str
    label: str
    holds: Callable[[Way], bool]
    of: str = "eligible"


_STAGES = (
    Stage("eligible", "to whom it was open", "It was open to", lambda way: True),
    Stage(
        "mail_known",
        "to whom it opened in the last 90 days",
        "Of them, in the last 90 days",
        lambda way: way.mail_known,
    ),
    Stage(
        "invited",
        "who were written to",
        "Written to",
        lambda way: way.mail_known and way.invited,
        "mail_known",
    ),
    Stage(
        "delivered",
        "whose mail was accepted",
        "Mail accepted",
        lambda way: way.mail_known and way.delivered,
        "mail_known",
    ),
    Stage("started", "who began it", "Began it", lambda way: way.started),
    Stage("sent", "who sent it", "Sent it", lambda way: way.sent),
    Stage("due", "whose last day to send it has passed", "Its last day has passed", lambda way: way.due),
    Stage(
        "in_window",
        "whose last day has passed and who sent it in time",
        "Of them, sent it in time",
        lambda way: way.due and way.in_window,
        "due",
    ),
    Stage(
        "late",
        "whose last day has passed and who sent it late",
        "Of them, sent it late",
        lambda way: way.due and way.late,
        "due",
    ),
    Stage("withdrawn", "who took it back", "Took it back", lambda way: way.withdrawn),
    Stage(
        "matched",
        "who sent this and the one it is compared with",
        "Sent this and the one it is compared with",
        lambda way: way.matched,
    ),
)
STAGES: Mapping[str, Stage] = {stage.name: stage for stage in _STAGES}


@dataclass(frozen=True)
class Step:
    """A stage with how many have come to it, and of how many."""

    stage: Stage
    count: int
    base: int


@dataclass(frozen=True)
class Funnel:
    """One wave of one strand."""

    wave: Wave
    strand: Strand
    steps: Sequence[Step]

    @property
    def eligible(self) -> int:
        return self.steps[0].count


def funnels(db: DbSession, programme: Programme, *, wave: Wave, now: datetime) -> list[Funnel]:
    """A wave as it stands now, for each strand; feedback has no invitation and nothing to be compared with."""
    found = ways(db, programme, wave=wave, now=now)
    stages = [stage for stage in _STAGES if wave is not Wave.FEEDBACK or stage.name not in _CHASED]
    return [
        _funnel(wave, strand, [way for way in found if way.strand is strand], stages) for strand in Strand
    ]


_CHASED = {"mail_known", "invited", "delivered", "matched"}


def _funnel(wave: Wave, strand: Strand, found: Sequence[Way], stages: Sequence[Stage]) -> Funnel:
    counts = {stage.name: sum(map(stage.holds, found)) for stage in stages}
    return Funnel(wave, strand, [Step(stage, counts[stage.name], counts[stage.of]) for stage in stages])


def ways(db: DbSession, programme: Programme, *, wave: Wave, now: datetime) -> list[Way]:
    """Everybody to whom a wave has opened, once for each occasion; a fixed number of queries."""
    parts = {
        part.id: part
        for part in db.scalars(
            select(Participation)
            .join(Participation.person)
            .where(restriction.usable())
            .options(joinedload(Participation.package))
        )
    }
    stands, mails = standings(db, parts), _mails(db, wave)
    # Support that was under way when it came in here has no open baseline, and may have an answered one.
    return [
        _way(one, parts[one.participation_id], stands, mails, now=now)
        for one in windows.openings(db, programme, list(parts.values()), now=now)
        if one.wave is wave
        and (
            one.window.opens_at < min(now, one.window.closes_at)
            or (one.participation_id, wave, one.occasion) in stands
        )
    ]


def _mails(db: DbSession, wave: Wave) -> Mapping[tuple[UUID, str], set[MailState]]:
    """What became of the mails about a wave, by participation and occasion; what still waits is left out."""
    rows = db.execute(
        select(Mail.about, Mail.template, Mail.step, Mail.state).where(
            Mail.template.in_([OPENED_BY.get(wave, "reminder"), "reminder"]),
            Mail.state.in_([MailState.SENT, MailState.FAILED]),
        )
    )
    found: dict[tuple[UUID, str], set[MailState]] = {}
    for about, template, step, state in rows:
        of, _, rest = step.partition(":") if template == "reminder" else (wave.value, "", f"{ONCE}:")
        if of == wave.value:
            found.setdefault((about, rest.partition(":")[0]), set()).add(state)
    return found


def _way(
    opening: Opening,
    part: Participation,
    stands: Standings,
    mails: Mapping[tuple[UUID, str], set[MailState]],
    *,
    now: datetime,
) -> Way:
    key = opening.participation_id, opening.occasion
    standing = stands.get((part.id, opening.wave, opening.occasion))
    sent = standing is not None and standing.state is ResponseState.SUBMITTED
    said_at = standing.said_at if standing is not None else None
    late = sent and said_at is not None and opening.window.late(said_at)
    partner = PAIRED.get(opening.wave)
    other = stands.get((part.id, partner, ONCE)) if partner is not None else None
    became = mails.get(key, set())
    return Way(
        participation_id=part.id,
        strand=part.package.strand,
        mail_known=opening.window.opens_at > now - KEPT,
        invited=bool(became),
        delivered=MailState.SENT in became,
        started=standing is not None,
        sent=sent,
        due=opening.window.closes_at <= now,
        in_window=sent and not late,
        late=late,
        withdrawn=standing is not None and standing.state is ResponseState.WITHDRAWN,
        matched=sent and other is not None and other.state is ResponseState.SUBMITTED,
    )
