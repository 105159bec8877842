"""Who is in a new block of a release: the people of a strand whose last questionnaire has closed since the last one.

They are counted as the KPIs count them: each person once, with the participation whose window closed last, and with
what came in while it was open. What comes later (a late verdict, a correction, an erasure) changes no block.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Package, Participation, Strand
from portal.programme import ContractYear, Programme, contract_period, contract_years
from portal.results.census import Census
from privacy.clock import london_date
from surveys import results
from surveys.answer_tables import Sent
from surveys.disclosure import Rules
from surveys.models import Wave
from surveys.results import Read


class Came(NamedTuple):
    """What somebody sent in time, the first day on which they count, and the council it comes from; support across
    councils is a source of its own."""

    day: date
    sent: Sent
    source: object


@dataclass(frozen=True)
class Span:
    """Days next to each other, both ends included, and who answered in time; `years` are the contract years in which
    somebody came in."""

    years: tuple[str, ...]
    from_on: date
    to_on: date
    came: Sequence[Came]

    @property
    def sent(self) -> Sequence[Sent]:
        return [one.sent for one in self.came]

    @property
    def pairs(self) -> int:
        return sum(one.sent.matched for one in self.came)

    @property
    def sources(self) -> int:
        return len({one.source for one in self.came})


def new_spans(
    db: DbSession, programme: Programme, *, after: Mapping[Strand, date], as_of: date
) -> dict[Strand, list[Span]]:
    """For each strand what has come in since a day, contract year by contract year, up to a day.

    A year with fewer pairs than make a release stands together with its neighbour; where even all of it is too few,
    there is one span, for the reader to see how many there are (`enough`).
    """
    answered = _answered(db, Census(db, programme, as_of=as_of))
    years = contract_years(contract_period(db, programme, on=as_of), programme.year_ends)
    found: dict[Strand, list[Span]] = {}
    for strand in programme.kpis:
        first = after[strand] + timedelta(days=1) if strand in after else years[0].period.starts_on
        found[strand] = spans(answered[strand], years, rules=programme.disclosure, first=first, last=as_of)
    return found


def spans(
    answered: Sequence[Came],
    years: Sequence[ContractYear],
    *,
    rules: Rules,
    first: date,
    last: date,
) -> list[Span]:
    """What was sent between two days, contract year by contract year, neighbours together until there is enough; each
    with the day from which it counts. Pure."""
    merged: list[Span] = []
    for span in _by_year(answered, years, first=first, last=last):
        if merged and not enough(merged[-1], rules):
            merged[-1] = _together(merged[-1], span)
        else:
            merged.append(span)
    return merged


def enough(span: Span, rules: Rules) -> bool:
    """Whether a span makes a block: enough pairs, no fewer people than any share needs, and not from one council or
    two."""
    return (
        span.pairs >= rules.new_pairs
        and len(span.came) >= rules.smallest_base
        and span.sources >= rules.sources
    )


def _by_year(
    answered: Sequence[Came], years: Sequence[ContractYear], *, first: date, last: date
) -> list[Span]:
    """One span for each contract year between two days. Days after the contract count to its last year."""
    found = []
    for year in years:
        from_on = max(first, year.period.starts_on)
        to_on = last if year is years[-1] else min(last, year.period.ends_on)
        if from_on <= to_on:
            own = [one for one in answered if from_on <= one.day <= to_on]
            found.append(Span((year.name,) if own else (), from_on, to_on, own))
    return found


def _together(one: Span, other: Span) -> Span:
    return Span(one.years + other.years, one.from_on, other.to_on, [*one.came, *other.came])


def _answered(db: DbSession, census: Census) -> dict[Strand, list[Came]]:
    """Who sent the post questionnaire in time, of those who count, by strand."""
    parts = {UUID(bytes=part.id): (Strand(part.strand), closing) for part, closing, _ in census.told(db)}
    latest: dict[tuple[UUID, Wave], Read] = {}
    for read in results.revisions(db, waves=(Wave.BASELINE, Wave.POST), until=census.until):
        row = read.row
        if row.respondent_id in parts:
            baseline_closes_at, post_closes_at = parts[row.respondent_id][1]
            if row.said_at < (post_closes_at if row.wave is Wave.POST else baseline_closes_at):
                latest[row.respondent_id, row.wave] = read
    sources = _sources(db)
    found: dict[Strand, list[Came]] = {strand: [] for strand in Strand}
    for (respondent_id, wave), read in latest.items():
        if wave is Wave.POST:
            strand, (_, closes_at) = parts[respondent_id]
            sent = Sent(latest.get((respondent_id, Wave.BASELINE)), read, read.verdict(until=census.until))
            # A window closes with the end of its last day; who counts does from the next one.
            found[strand].append(Came(london_date(closes_at), sent, sources[respondent_id]))
    return found


def _sources(db: DbSession) -> dict[UUID, UUID]:
    """Where each participation comes from: the council, or the package where it has none."""
    source = func.coalesce(Package.council_id, Package.id)
    rows = db.execute(select(Participation.id, source).join(Package, Package.id == Participation.package_id))
    return {row[0]: row[1] for row in rows}
