"""A release with every kind of figure in it: shown, merged, kept back, too few for a share, none at all."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from portal.models import Strand
from portal.results import releases
from portal.results.periods import Kind
from portal.results.releases import Block, KpiNumbers, RegionCount, Release
from portal.results.service_levels import YearLevels
from privacy.work import Work
from surveys import protected
from surveys.models import Release as ReleaseRow
from surveys.protected import KEPT_BACK, MERGED, NOT_SHOWN, Protected, Row

AS_OF = date(2022, 12, 31)
WHOM = "leaders whose last questionnaire has closed and who answered in time"
TARGETS = {
    "one_to_one_councils": 15,
    "corporate_councils": 15,
    "political_councils": 15,
    "group_councils": 15,
    "joint_workshops_at_most": 5,
    "action_learning_sets_at_most": 3,
}


def _table(code: str, title: str, rows: list[Row], **more: Any) -> Protected:
    given = {"kind": protected.Kind.ORDERED, "base": 24, "why": "", "notes": (), "shares_from": 10}
    return Protected(code=code, title=title, base_words=WHOM, rows=tuple(rows), **{**given, **more})


def _row(codes: str, label: str, count: int | None, *scores: float) -> Row:
    return Row(codes=tuple(codes.split()), label=label, count=count, scores=scores)


def _tables() -> tuple[Protected, ...]:
    role = "Confidence in the role"
    return (
        _table(
            "change",
            f"{role}: change",
            [
                _row("higher", "Higher than before", 14),
                _row("stayed_at_top", "Stayed at the top", 5),
                _row("unchanged lower none", "The same or lower than before or no answer", 5),
            ],
            notes=(MERGED,),
        ),
        _table(
            "impact",
            "Example of impact",
            [
                _row("accepted", "Example accepted", 12),
                _row("partly", "Example accepted in part", None),
                _row("not_yet", "Example not accepted yet", None),
                _row("none", "No example", 6),
            ],
            kind=protected.Kind.NOMINAL,
            notes=(KEPT_BACK,),
        ),
        _table("before", f"{role}: before support", _scale(9, 10, 5)),
        _table("after", f"{role}: after support", _scale(0, 8, 16)),
        _table("direct", "=Compared with before, how confident are you?", [_row("more", "More", 8)], base=8),
        _table("change:hold", "I can hold the service to account", [], why=NOT_SHOWN),
    )


def _scale(low: int, middle: int, high: int) -> list[Row]:
    return [
        _row("one two", "Not at all confident or slightly confident", low, 1, 2),
        _row("three", "Fairly confident", middle, 3),
        _row("four five", "Very confident or completely confident", high, 4, 5),
    ]


def _level(year: str, starts_on: date, ends_on: date, councils: int) -> YearLevels:
    return YearLevels(
        year=year,
        starts_on=starts_on,
        ends_on=ends_on,
        one_to_one_councils=councils,
        corporate_councils=15,
        political_councils=12,
        group_councils=6,
        joint_workshops=6,
        action_learning_sets=3,
        packages_under_minimum=1,
    )


def kpi(strand: Strand, numerator: int | None, denominator: int | None, **more: Any) -> KpiNumbers:
    group = strand is Strand.GROUP
    given = {"as_of": AS_OF, "not_due": 9, "silent": 3, "base_for_shares": 10}
    return KpiNumbers(
        id="KPI 2" if group else "KPI 1",
        strand=strand,
        target=0.75,
        definition="Who is counted, and when.",
        expected="about 150 members of political groups" if group else "about 15 to 30 leaders",
        numerator=numerator,
        denominator=denominator,
        **{**given, **more},
    )


def a_release(**more: Any) -> Release:
    """A quarterly release of October to December 2022."""
    block = Block(
        strand=Strand.ONE_TO_ONE,
        years=("2022-23",),
        from_on=date(2022, 6, 1),
        to_on=date(2022, 12, 10),
        released_as_of=AS_OF,
        answered=24,
        tables=_tables(),
    )
    found = Release(
        reference="con_9887",
        kind=Kind.QUARTERLY,
        period="2022-Q4",
        as_of=AS_OF,
        instruction="LET-0012",
        kpis=[
            kpi(Strand.ONE_TO_ONE, 15, 20, base_for_shares=1),
            kpi(Strand.GROUP, None, None, not_due=None, silent=None),
        ],
        blocks=[block],
        levels=[
            _level("2021-22", date(2021, 6, 1), date(2022, 3, 31), 15),
            _level("2022-23", date(2022, 4, 1), date(2023, 3, 31), 11),
        ],
        targets=TARGETS,
        regions=[
            RegionCount(year="2022-23", strand=Strand.ONE_TO_ONE, region="London", councils=3),
            RegionCount(year="2022-23", strand=Strand.GROUP, region="North East", councils=1),
        ],
        rules={"smallest_cell": 5, "smallest_base": 10, "one_answer_base": 20, "new_pairs": 10},
        texts={
            "risk": [_note("=Local elections may end\nsome support early", "2022-11-03")],
            "lesson": [
                _note(
                    "Two mentors help when diaries clash", "2022-08-01", "2022-10-20", "It is the rule now"
                ),
                _note("Ask for dates at the first meeting\x0b", "2022-11-20"),
            ],
        },
        id=UUID(int=7),
        made_at=datetime(2023, 1, 9, 9, 30, tzinfo=UTC),
        digest="",
        approved_on=None,
        approved_letter=None,
    )
    found = replace(found, **more)
    return replace(found, digest=releases.digest(found.canonical()))


def _note(text: str, noted_on: str, closed_on: str | None = None, outcome: str = "") -> dict[str, Any]:
    return {"text": text, "noted_on": noted_on, "closed_on": closed_on, "outcome": outcome}


def store(work: Work, release: Release) -> UUID:
    """Put a release where the product keeps them."""
    text = release.canonical()
    row = ReleaseRow(
        id=release.id,
        kind=release.kind.value,
        period=release.period,
        as_of=release.as_of,
        made_at=release.made_at,
        by=work.actor,
        hash=releases.digest(text),
    )
    row.body = text
    work.db.add(row)
    return release.id
