"""Making a release: what it will say, what of it is kept back, and the act itself.

preview(db, programme, kind=..., period=...) -> Preview     nothing is stored
make(work, programme, kind=..., period=...) -> UUID         once for each kind and period
approve(work, release_id=..., letter=..., on=...)           the Department lets an annual review be passed on
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Council, Strand
from portal.packages.strands import WHOM
from portal.programme import ContractYear, Programme, contract_period, contract_years
from portal.results import block_texts, blocks, programme_notes, releases, service_levels
from portal.results import kpi as kpis
from portal.results.block_texts import Texts
from portal.results.kpi import KpiFigure
from portal.results.periods import Kind, ReportPeriod, begun, report_period
from portal.results.releases import Block, Content, KpiNumbers, RegionCount, Release
from privacy import registers
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.registers import DataItem, Register
from privacy.work import Work
from surveys import answer_tables
from surveys.disclosure import Protected, Table, steps
from surveys.models import Release as ReleaseRow

TURN = "release"
COUNTED = {
    strand: f"{whom} whose last questionnaire has closed and who answered in time"
    for strand, whom in WHOM.items()
}


class NotReleased(Exception):
    """No release could be made; the message is for people."""


class ReleasedAlready(NotReleased):
    """The period has its release, which stays as it is."""


class NotOver(NotReleased):
    """The period still runs: its figures would change."""


class NotForApproval(NotReleased):
    """Only an annual review is passed on, and it is approved once."""


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """A new block, with its tables as they are behind what is shown: for the team, before it releases them. `unsorted`
    of the texts of its people count for no theme."""

    block: Block
    behind: Sequence[Table]
    unsorted: int

    @property
    def changed(self) -> Sequence[tuple[Table, Protected]]:
        """The tables of which not every number is shown, or not by itself, each with what is behind it."""
        both = zip(self.behind, self.block.tables, strict=True)
        return [(table, shown) for table, shown in both if not shown.is_whole]

    @property
    def whole(self) -> Sequence[Protected]:
        """The tables that are shown as they are."""
        return [shown for shown in self.block.tables if shown.is_whole]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Answers of a strand that are too few for a block: the pairs there are, from how many councils, how many of both
    are needed, and the last day of the newest block."""

    strand: Strand
    pairs: int
    needed: int
    sources: int
    sources_needed: int
    last_to_on: date | None


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a release of a period would say: `fresh` would be new, `waiting` would not be in it."""

    period: ReportPeriod
    content: Content
    fresh: Sequence[Fresh]
    waiting: Sequence[Waiting]


def waiting_periods(db: DbSession, programme: Programme, *, today: date) -> list[ReportPeriod]:
    """The periods that are over and were not released, newest first, of each kind in turn."""
    years = _years(db, programme, today=today)
    released = {(one.kind, one.period) for one in releases.list_of(db)}
    return [
        one
        for kind in Kind
        for one in begun(kind, on=today, years=years)
        if _as_of(one, years) < today and (kind, one.name) not in released
    ]


def preview(db: DbSession, programme: Programme, *, kind: Kind, period: str, today: date) -> Preview:
    """What a release would say if it were made today. Raises NoSuchPeriod or NotOver."""
    years = _years(db, programme, today=today)
    asked = report_period(kind, period, years=years)
    as_of = _as_of(asked, years)
    if as_of >= today:
        raise NotOver("The period is not over yet")
    earlier = releases.all_of(db)
    texts = block_texts.now(db, programme)
    kept = [texts.still_allowed(one) for one in _kept(earlier)]
    spans = blocks.new_spans(db, programme, after=_last_days(kept), as_of=as_of)
    fresh = [
        _fresh(programme, strand, span, texts, as_of=as_of)
        for strand, found in spans.items()
        for span in found
        if blocks.enough(span, programme.disclosure)
    ]
    waiting = [
        Waiting(
            strand=strand,
            pairs=span.pairs,
            needed=programme.disclosure.new_pairs,
            sources=span.sources,
            sources_needed=programme.disclosure.sources,
            last_to_on=_last_days([*kept, *(one.block for one in fresh)]).get(strand),
        )
        for strand, found in spans.items()
        for span in found
        if not blocks.enough(span, programme.disclosure)
    ]
    instruction = registers.deciding(registers.holding(db, Register.INSTRUCTION, on=today)).get(
        DataItem.KPI_NUMBERS.value
    )
    figures = kpis.kpi(db, programme, as_of=as_of)
    letter = instruction.letter if instruction is not None else None
    content = Content(
        reference=programme.reference,
        kind=kind,
        period=period,
        as_of=as_of,
        instruction=letter,
        kpis=[
            _numbers(one, earlier, programme, as_of=as_of, instructed=letter is not None) for one in figures
        ],
        blocks=_in_order([*(one for one in kept if one.to_on <= as_of), *(one.block for one in fresh)]),
        levels=service_levels.levels(db, programme, as_of=as_of),
        targets=dict(programme.sla),
        regions=_regions(db, programme, as_of=as_of),
        rules=asdict(programme.disclosure),
        texts={**programme_notes.for_report(db, asked.days), **texts.in_report()},
    )
    return Preview(period=asked, content=content, fresh=fresh, waiting=waiting)


def make(
    work: Work, programme: Programme, *, kind: Kind, period: str, texts: Mapping[str, Any] | None = None
) -> UUID:
    """Release a period's figures, with the risks and lessons as they are noted now.

    Raises NoSuchPeriod, NotOver or ReleasedAlready.
    """
    work.wait_turn(TURN)
    if releases.of_period(work.db, kind, period) is not None:
        raise ReleasedAlready("This period has been released already")
    found = preview(work.db, programme, kind=kind, period=period, today=london_date(work.now))
    text = replace(found.content, texts={**found.content.texts, **(texts or {})}).canonical()
    row = ReleaseRow(
        id=new_id(),
        kind=kind.value,
        period=period,
        as_of=found.content.as_of,
        made_at=work.now,
        by=work.actor,
        hash=releases.digest(text),
    )
    row.body = text
    work.db.add(row)
    work.record(Action.RELEASE_MADE, object=f"release:{row.id}", kind=kind.value, period=period)
    return row.id


def approve(work: Work, *, release_id: UUID, letter: str, on: date) -> None:
    """Record that the Department approved that an annual review be passed on (sch 4 Publicity).

    Raises NotForApproval; LookupError for none.
    """
    row = work.db.get(ReleaseRow, release_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise LookupError("no such release")
    if row.kind != Kind.ANNUAL:
        raise NotForApproval("Only an annual review is passed on")
    if row.approved_letter is not None:
        raise NotForApproval("The approval is recorded already")
    row.approved_on, row.approved_letter, row.approved_by = on, letter, work.actor
    work.record(Action.RELEASE_APPROVED, object=f"release:{row.id}", on=on)


def _years(db: DbSession, programme: Programme, *, today: date) -> list[ContractYear]:
    return contract_years(contract_period(db, programme, on=today), programme.year_ends)


def _as_of(period: ReportPeriod, years: Sequence[ContractYear]) -> date:
    """The day a period's figures are of: its last. At the contract's end it is the day after, for the questionnaires
    that close with the contract have closed only then."""
    ends_on = years[-1].period.ends_on
    return period.days.ends_on if period.days.ends_on < ends_on else ends_on + timedelta(days=1)


def _kept(earlier: Sequence[Release]) -> list[Block]:
    """The blocks that were released; each once, as it first was."""
    found: dict[tuple[Strand, date], Block] = {}
    for release in earlier:
        for block in release.blocks:
            found.setdefault((block.strand, block.to_on), block)
    return list(found.values())


def _in_order(found: Sequence[Block]) -> list[Block]:
    return sorted(found, key=lambda one: (list(Strand).index(one.strand), one.to_on))


def _last_days(found: Sequence[Block]) -> dict[Strand, date]:
    return {
        strand: max(one.to_on for one in found if one.strand is strand)
        for strand in {one.strand for one in found}
    }


def _fresh(programme: Programme, strand: Strand, span: blocks.Span, texts: Texts, *, as_of: date) -> Fresh:
    made = answer_tables.protected(span.sent, whom=COUNTED[strand], rules=programme.disclosure)
    wrote = texts.of(span.sent, strand=strand, whom=COUNTED[strand])
    made += wrote.tables
    block = Block(
        strand=strand,
        years=span.years,
        from_on=span.from_on,
        to_on=span.to_on,
        released_as_of=as_of,
        answered=len(span.sent),
        tables=tuple(protected for _, protected in made),
        codebook=wrote.codebook,
        quotes=wrote.quotes,
    )
    return Fresh(block=block, behind=[table for table, _ in made], unsorted=wrote.unsorted)


def _numbers(
    figure: KpiFigure, earlier: Sequence[Release], programme: Programme, *, as_of: date, instructed: bool
) -> KpiNumbers:
    """The numbers of a KPI; those of an earlier release where the Department has not instructed that they be shown
    and few people would have changed them, and none where there is no earlier one."""
    rules = programme.disclosure
    numbers = KpiNumbers(
        id=figure.id,
        strand=figure.strand,
        target=figure.target,
        definition=figure.definition,
        expected=figure.expected,
        as_of=as_of,
        numerator=figure.both,
        denominator=figure.base,
        not_due=figure.open + figure.running,
        silent=figure.silent,
        base_for_shares=1 if instructed else rules.smallest_base,
    )
    if instructed:
        return numbers
    shown = [
        one
        for release in earlier
        for one in release.kpis
        if one.strand is figure.strand and one.numerator is not None
    ]
    if not steps([_parts(one) for one in shown], _parts(numbers), rules):
        return numbers
    if shown:
        return replace(max(shown, key=lambda one: one.as_of), base_for_shares=numbers.base_for_shares)
    return replace(numbers, numerator=None, denominator=None, not_due=None, silent=None)


def _parts(numbers: KpiNumbers) -> list[int]:
    """The people behind the numbers, in groups that have nobody in common."""
    counted, silent, both = numbers.denominator or 0, numbers.silent or 0, numbers.numerator or 0
    return [both, counted - silent - both, silent, numbers.not_due or 0]


def _regions(db: DbSession, programme: Programme, *, as_of: date) -> list[RegionCount]:
    """How many councils had support that started, by contract year, strand and region."""
    supported = service_levels.councils(db, programme, as_of=as_of)
    regions = {row[0]: row[1] for row in db.execute(select(Council.id, Council.region))}
    counts = Counter((one.year, one.strand, regions[one.council_id]) for one in supported)
    return [
        RegionCount(year=year, strand=strand, region=region, councils=count)
        for (year, strand, region), count in sorted(counts.items())
    ]
