"""The parts of a report on the KPIs, the service levels and the regions (sch 4 KPIs, SLAs; sch 5)."""

from collections.abc import Sequence

from portal.filters import day
from portal.mentors.profiles import REGIONS
from portal.models import Strand
from portal.packages.strands import STRANDS, WHOM
from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.pictures import Twice, percent
from portal.results.releases import Content, KpiNumbers
from portal.results.report_parts import NOT_APPLICABLE, UNRELIABLE, Grid, Section, Share, Value
from portal.results.service_levels import COUNTERS, Counter, YearLevels
from surveys.protected import HIDDEN


def kpis(content: Content) -> Section:
    """Both KPIs of their whole strands, with who is not due and who was silent."""
    return Section(
        code="kpis",
        title="The two KPIs",
        words=[
            "Each counts people who feel more confident in their role and can show impact.",
            "It is out of everybody whose last questionnaire has closed: no answer in time counts as no.",
        ],
        grids=[_kpi(numbers, content) for numbers in content.kpis],
    )


def _kpi(numbers: KpiNumbers, content: Content) -> Grid:
    low, high = numbers.interval or (None, None)
    cells: list[tuple[str, Value]] = [
        ("More confident and shows impact", _count(numbers.numerator)),
        ("Counted", _count(numbers.denominator)),
        ("Did not answer in time", _count(numbers.silent)),
        ("Not yet due", _count(numbers.not_due)),
        ("Share", _share(numbers.share, numbers)),
        ("Likely range from", _share(low, numbers)),
        ("Likely range to", _share(high, numbers)),
        ("Target", Share(numbers.target)),
        ("Stands", _stands(numbers)),
    ]
    old = f"{numbers.id}: these are the last figures that could be shown, as of {day(numbers.as_of)}."
    return Grid(
        caption=f"{numbers.id}: {STRANDS[numbers.strand].lower()}",
        lead={"KPI": numbers.id, "Support": STRANDS[numbers.strand], "Figures as of": numbers.as_of},
        head=["Whom it counts", *(name for name, _ in cells)],
        rows=[[WHOM[numbers.strand].capitalize(), *(value for _, value in cells)]],
        notes=[
            f"How {numbers.id} is defined: {numbers.definition}",
            f"Target: {percent(numbers.target)} of {numbers.expected}.",
        ],
        before=[old] if numbers.as_of != content.as_of else [],
        picture=headline(numbers),
        upright=True,
    )


def headline(numbers: KpiNumbers) -> Picture | None:
    """The share of a KPI against its target; None where a number is kept back, or too few are counted."""
    if numbers.interval is None or numbers.numerator is None or not numbers.denominator:
        return None
    low, high = numbers.interval
    return pictures.interval(
        count=numbers.numerator,
        base=numbers.denominator,
        low=low,
        high=high,
        target=numbers.target,
        whom=WHOM[numbers.strand],
    )


def _count(number: int | None) -> Value:
    return HIDDEN if number is None else number


def _share(share: float | None, numbers: KpiNumbers) -> Value:
    if share is not None:
        return Share(share)
    if numbers.numerator is None or numbers.denominator is None:
        return HIDDEN
    return UNRELIABLE if numbers.denominator else NOT_APPLICABLE


def _stands(numbers: KpiNumbers) -> Value:
    if numbers.met_with_confidence:
        return "Met with confidence"
    if numbers.met:
        return "Met on the figure"
    return "Not met" if numbers.met is False else _share(None, numbers)


def service_levels(content: Content) -> Section:
    """What the contract promises for each year, and how far it is; the newest year first."""
    return Section(
        code="service-levels",
        title="Service levels",
        words=[
            "A package counts in the contract year in which its support started, once it has started.",
            "It counts only where the Department agreed its council.",
        ],
        grids=[
            Grid(
                caption=f"Contract year {year.year}, until {day(year.ends_on)}",
                lead={"Contract year": year.year, "Ends on": year.ends_on},
                head=["What", "Number", "Target is", "Target", "Stands"],
                rows=[_level(counter, year, content) for counter in COUNTERS],
            )
            for year in reversed(content.levels)
        ],
    )


def _level(counter: Counter, year: YearLevels, content: Content) -> list[Value]:
    reached: int = getattr(year, counter.name)
    if counter.key is None:
        return [counter.words, reached, NOT_APPLICABLE, NOT_APPLICABLE, NOT_APPLICABLE]
    target = content.targets[counter.key]
    if counter.at_most:
        return [counter.words, reached, "At most", target, "Over" if reached > target else "Within"]
    short = f"{target - reached} short" if year.ends_on <= content.as_of else f"{target - reached} to go"
    return [counter.words, reached, "At least", target, "Met" if reached >= target else short]


def regions(content: Content) -> Section:
    """Councils with support that started, by region and contract year: counts of councils, about no answers."""
    years = [year.year for year in reversed(content.levels)]
    return Section(
        code="regions",
        title="Delivery by region",
        words=[
            "Councils in which support started in the contract year. A council with both kinds counts in both."
        ],
        grids=[_regions(year, content, pictured=year == years[0]) for year in years],
    )


def _regions(year: str, content: Content, *, pictured: bool) -> Grid:
    counts = {(one.region, one.strand): one.councils for one in content.regions if one.year == year}
    named = [*REGIONS, *sorted({region for region, _ in counts} - set(REGIONS))]
    rows: list[list[Value]] = [
        [region, *(counts.get((region, strand), 0) for strand in Strand)] for region in named
    ]
    reached = sum(any(row[1:]) for row in rows)
    return Grid(
        caption=f"Councils with support, contract year {year}",
        lead={"Contract year": year},
        head=["Region", *(STRANDS[strand] for strand in Strand)],
        rows=rows,
        picture=_by_region(year, named, counts, reached) if pictured and reached else None,
    )


def _by_region(
    year: str, named: Sequence[str], counts: dict[tuple[str, Strand], int], reached: int
) -> Picture:
    return pictures.side_by_side(
        finding=f"In {year} support started in {reached} of {len(named)} regions",
        what="councils with support, in each region that has any",
        kinds=[
            Twice(
                region,
                counts.get((region, Strand.ONE_TO_ONE), 0),
                counts.get((region, Strand.GROUP), 0),
            )
            for region in named
            if any(counts.get((region, strand)) for strand in Strand)
        ],
        names=(STRANDS[Strand.ONE_TO_ONE], STRANDS[Strand.GROUP]),
        unit="councils",
    )
