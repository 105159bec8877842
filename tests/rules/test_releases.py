"""Releases: frozen, in blocks that have nobody in common, with KPI numbers as the Department has instructed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import cycle, pairwise
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.councils import allocations
from portal.councils.facts import Agreement
from portal.models import Ground, PackageState, Participation, Person, Strand
from portal.programme import Programme
from portal.registers import instructions
from portal.results import kpi, releases, releasing
from portal.results.periods import Kind, NoSuchPeriod
from portal.results.releases import Content, Release, ReleaseAltered
from portal.results.releasing import NotForApproval, NotOver, ReleasedAlready
from privacy.clock import Clock
from privacy.records import new_id
from privacy.registers import DataItem
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.models import Release as ReleaseRow
from tests.conftest import SetClock
from tests.factories import Factory

POINTS = ("not_at_all", "slightly", "fairly", "very", "completely")
RISEN = ("fairly", "very", "accepted")
SAME = ("fairly", "fairly", "accepted")
WITHOUT = ("fairly", "very", None)
DOWN = ("very", "fairly", None)


class World:
    """Puts people into a programme who have answered before and after their support."""

    def __init__(self, db: DbSession, clock: SetClock, make: Factory) -> None:
        self.db, self.clock, self.make = db, clock, make
        versions.publish_shipped(db, clock)
        self.versions = {
            wave: versions.current(db, code=wave.value).id for wave in (Wave.BASELINE, Wave.POST)
        }

    def answered(
        self,
        said: Sequence[tuple[str, str, str | None]],
        *,
        ended_on: date,
        strand: Strand = Strand.ONE_TO_ONE,
        councils: int = 3,
    ) -> list[Person]:
        """One person for each (before, after, verdict), whose support ended on a day; the post questionnaire was sent
        ten days later. Without a verdict they gave no example."""
        people = [self.make.person() for _ in said]
        places = cycle([self.make.council() for _ in range(councils)])
        packages = [
            self.make.package(
                person,
                strand=strand,
                council=next(places),
                state=PackageState.ENDED,
                starts_on=ended_on - timedelta(days=120),
                ends_on=ended_on,
            )
            for person in people
        ]
        parts = [package.participations[0].id for package in packages]
        at = datetime(ended_on.year, ended_on.month, ended_on.day, 12, tzinfo=UTC) + timedelta(days=10)
        with unit_of_work(self.db, self.clock, "system:test") as work:
            for part_id, (before, after, verdict) in zip(parts, said, strict=True):
                work.db.add(
                    self._row(part_id, Wave.BASELINE, {"role_confidence": before}, at - timedelta(days=130))
                )
                answers = {
                    "role_confidence": after,
                    "confidence_change": "little_more",
                    "impact_have": "yes" if verdict else "no",
                }
                row = self._row(part_id, Wave.POST, answers, at)
                if verdict:
                    row.judgement = {
                        "verdicts": [{"verdict": verdict, "note": "", "by": "x", "at": at.isoformat()}]
                    }
                work.db.add(row)
        return people

    def _row(self, part_id: UUID, wave: Wave, answers: dict[str, str], at: datetime) -> Response:
        row = Response(
            id=new_id(),
            ref=new_id().hex[:10],
            respondent_id=part_id,
            version_id=self.versions[wave],
            wave=wave,
            occasion="once",
            state=ResponseState.SUBMITTED,
            mode=Mode.SELF,
            revision=1,
            started_at=at,
            saved_at=at,
            submitted_at=at,
        )
        row.answers = answers
        return row

    def change(self, people: Sequence[Person], after: str) -> None:
        """The team puts right what these people sent after their support."""
        ids = [person.id for person in people]
        with unit_of_work(self.db, self.clock, "system:test") as work:
            for row in work.db.scalars(
                select(Response)
                .join(Participation, Participation.id == Response.respondent_id)
                .where(Participation.person_id.in_(ids), Response.wave == Wave.POST)
            ):
                row.answers = {**(row.answers or {}), "role_confidence": after}


@pytest.fixture
def world(db: DbSession, clock: SetClock, make: Factory) -> World:
    return World(db, clock, make)


def release(
    db: DbSession, clock: Clock, programme: Programme, period: str, kind: Kind = Kind.MONTHLY
) -> Release:
    with unit_of_work(db, clock, "person:team") as work:
        release_id = releasing.make(work, programme, kind=kind, period=period)
    found = releases.read(db, release_id)
    assert found is not None
    return found


def instruct(db: DbSession, clock: Clock, *, listed: bool = True) -> None:
    with unit_of_work(db, clock, "person:officer") as work:
        instructions.instruct(
            work,
            letter="DfE-7",
            from_on=date(2022, 1, 1),
            wording="Show the numbers of the KPIs.",
            items={DataItem.KPI_NUMBERS: listed},
        )


GROUP = [RISEN] * 8 + [SAME] * 5 + [WITHOUT] * 2 + [DOWN] * 1
"""16 people: 8 count for the KPI, 10 rose, 5 stayed where they were, 1 went down."""


def change_rows(found: Content) -> list[tuple[str, int | None]]:
    table = found.tables(Strand.ONE_TO_ONE)[0]
    assert table.code == "change"
    return [("+".join(row.codes), row.count) for row in table.rows]


def test_answers_leave_in_a_block_and_only_as_they_are_protected(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered(GROUP, ended_on=date(2022, 9, 1))
    found = release(db, clock, programme, "2022-12")
    [block] = found.blocks
    assert (block.strand, block.answered, block.years) == (Strand.ONE_TO_ONE, 16, ("2022-23",))
    assert (block.to_on, block.released_as_of) == (date(2022, 12, 31), date(2022, 12, 31))
    # Of the 10 who rose 8 are in the KPI's numerator: the other 2 stand together with their neighbours.
    assert change_rows(found) == []
    direct = block.table("direct")
    assert direct is not None
    assert direct.why, "a small group that all gave one answer"


def test_larger_groups_are_shown(db: DbSession, clock: SetClock, programme: Programme, world: World) -> None:
    said = [RISEN] * 8 + [WITHOUT] * 6 + [SAME] * 9 + [DOWN] * 3
    world.answered(said, ended_on=date(2022, 9, 1))
    found = release(db, clock, programme, "2022-12")
    assert change_rows(found) == [("higher", 14), ("stayed_at_top", 0), ("unchanged+lower", 12), ("none", 0)]


def test_what_was_released_never_changes(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    people = world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 9, 1))
    first = release(db, clock, programme, "2022-12")
    world.change(people[:3], "not_at_all")
    again = releases.read(db, first.id)
    assert again == first
    assert again.canonical() == first.canonical()
    assert releases.digest(again.canonical()) == first.digest
    second = release(db, clock, programme, "2023-01")
    assert second.blocks == first.blocks
    assert second.digest != first.digest, "another period"


def test_too_few_new_pairs_wait_and_the_report_goes_out_with_the_last_figures(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 8, 1))
    first = release(db, clock, programme, "2022-11")
    world.answered([DOWN] * 9, ended_on=date(2022, 9, 1))
    found = releasing.preview(db, programme, kind=Kind.MONTHLY, period="2022-12", today=date(2023, 3, 1))
    waiting = {one.strand: one for one in found.waiting}
    assert (waiting[Strand.ONE_TO_ONE].pairs, waiting[Strand.ONE_TO_ONE].needed) == (9, 10)
    assert waiting[Strand.ONE_TO_ONE].last_to_on == date(2022, 11, 30)
    second = release(db, clock, programme, "2022-12")
    assert second.blocks == first.blocks
    world.answered([DOWN] * 1 + [SAME] * 8, ended_on=date(2022, 10, 1))
    third = release(db, clock, programme, "2023-01")
    assert [block.answered for block in third.blocks] == [24, 18]
    assert third.blocks[0] == first.blocks[0]
    assert third.blocks[1].from_on == date(2022, 12, 1)
    assert third.answered(Strand.ONE_TO_ONE) == 42


def test_answers_of_one_council_or_two_wait_for_others(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    """A figure about one group is a figure by council."""
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 7, 1), councils=1)
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 7, 1), councils=1)
    found = releasing.preview(db, programme, kind=Kind.MONTHLY, period="2022-11", today=date(2023, 3, 1))
    assert (list(found.content.blocks), found.waiting[0].pairs, found.waiting[0].sources) == ([], 48, 2)
    assert release(db, clock, programme, "2022-11").blocks == []
    world.answered([RISEN], ended_on=date(2022, 9, 1), councils=1)
    assert [block.answered for block in release(db, clock, programme, "2022-12").blocks] == [49]


def test_nobody_is_in_two_blocks_and_all_who_count_are_in_one(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    for month in range(6, 11):
        world.answered([RISEN] * 7 + [SAME] * 6, ended_on=date(2022, month, 1))
    for period in ("2022-10", "2022-11", "2022-12"):
        release(db, clock, programme, period)
    found = release(db, clock, programme, "2023-01")
    figure = kpi.kpi(db, programme, as_of=date(2023, 1, 31))[0]
    assert found.answered(Strand.ONE_TO_ONE) == figure.answered == 65
    spans = [(block.from_on, block.to_on) for block in found.blocks]
    assert all(one[1] < later[0] for one, later in pairwise(spans))


def test_a_late_release_of_an_earlier_period_makes_no_new_block(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 7, 1))
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 10, 1))
    later = release(db, clock, programme, "2023-01")
    earlier = release(db, clock, programme, "2022-11")
    assert [block.answered for block in later.blocks] == [48]
    assert list(earlier.blocks) == [], "half of that block could be subtracted"


def test_contract_years_are_apart_where_each_has_enough(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 8 + [WITHOUT] * 6 + [SAME] * 6, ended_on=date(2021, 11, 1))
    world.answered([RISEN] * 5 + [WITHOUT] * 6 + [SAME] * 9, ended_on=date(2022, 6, 1))
    found = release(db, clock, programme, "2022-12")
    assert [block.years for block in found.blocks] == [("2021-22",), ("2022-23",)]
    assert found.blocks[0].to_on == date(2022, 3, 31)
    years = {name: found.tables(Strand.ONE_TO_ONE, name)[0] for name in ("2021-22", "2022-23")}
    assert [(table.base, table.count("higher")) for table in years.values()] == [(20, 14), (20, 11)]
    assert found.tables(Strand.ONE_TO_ONE)[0].count("higher") == 25
    assert found.tables(Strand.ONE_TO_ONE, "2023-24") == []


def test_numbers_of_the_kpis_are_shown_whatever_their_size_once_the_department_has_instructed(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 2 + [DOWN], ended_on=date(2022, 9, 1))
    kept = release(db, clock, programme, "2022-12").kpis[0]
    assert (kept.numerator, kept.denominator, kept.silent, kept.not_due) == (None, None, None, None)
    assert (kept.share, kept.interval, kept.met, kept.met_with_confidence) == (None, None, None, None)
    instruct(db, clock)
    found = release(db, clock, programme, "2023-01")
    assert found.instruction == "DfE-7"
    shown = found.kpis[0]
    assert (shown.numerator, shown.denominator, shown.silent, shown.not_due) == (2, 3, 0, 0)
    assert shown.share == pytest.approx(2 / 3)
    assert shown.met is False
    clock.now += timedelta(days=1)
    instruct(db, clock, listed=False)
    assert (
        releasing.preview(
            db, programme, kind=Kind.MONTHLY, period="2022-11", today=date(2023, 3, 1)
        ).content.instruction
        is None
    )


def test_without_an_instruction_numbers_move_in_steps(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 9 + [SAME] * 6, ended_on=date(2022, 8, 1))
    first = release(db, clock, programme, "2022-11").kpis[0]
    assert (first.numerator, first.denominator, first.share) == (9, 15, 0.6)
    world.answered([RISEN] * 1, ended_on=date(2022, 9, 1))
    second = release(db, clock, programme, "2022-12").kpis[0]
    assert (second.numerator, second.as_of) == (9, date(2022, 11, 30)), "the last released, dated"
    world.answered([RISEN] * 5, ended_on=date(2022, 10, 1))
    third = release(db, clock, programme, "2023-01").kpis[0]
    assert (third.numerator, third.denominator, third.as_of) == (15, 21, date(2023, 1, 31))


def test_a_period_is_released_once_and_only_when_it_is_over(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    release(db, clock, programme, "2022-Q4", Kind.QUARTERLY)
    with pytest.raises(ReleasedAlready):
        release(db, clock, programme, "2022-Q4", Kind.QUARTERLY)
    for period in ("2023-02", "2023-03"):
        clock.now = datetime(2023, 2, 28, 12, tzinfo=UTC)
        with pytest.raises(NotOver):
            release(db, clock, programme, period)
    with pytest.raises(NoSuchPeriod):
        release(db, clock, programme, "2031-03")
    clock.now = datetime(2023, 3, 1, 9, tzinfo=UTC)
    assert release(db, clock, programme, "2023-02").as_of == date(2023, 2, 28)


def test_the_last_figures_are_of_the_day_after_the_contract(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    """What closes with the contract has closed only when its last day is over."""
    world.answered([RISEN] * 10, ended_on=date(2024, 1, 10))
    clock.now = datetime(2024, 4, 1, 9, tzinfo=UTC)
    with pytest.raises(NotOver):
        release(db, clock, programme, "2023-24", Kind.ANNUAL)
    clock.now = datetime(2024, 4, 2, 9, tzinfo=UTC)
    found = release(db, clock, programme, "2023-24", Kind.ANNUAL)
    assert (found.as_of, found.blocks[0].answered) == (date(2024, 4, 1), 10)
    assert found.blocks[0].years[-1] == "2023-24"


def test_what_was_altered_is_not_taken_for_what_was_released(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    made = release(db, clock, programme, "2022-12")
    with unit_of_work(db, clock, "system:test") as work:
        row = work.db.get_one(ReleaseRow, made.id)
        row.body = replace(made, reference="con_1").canonical()
    with pytest.raises(ReleaseAltered):
        releases.read(db, made.id)


def test_an_annual_review_is_passed_on_once_the_department_has_approved(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    annual = release(db, clock, programme, "2021-22", Kind.ANNUAL)
    monthly = release(db, clock, programme, "2022-12")
    with unit_of_work(db, clock, "person:team") as work:
        releasing.approve(work, release_id=annual.id, letter="DfE-9", on=date(2023, 2, 20))
    found = releases.read(db, annual.id)
    assert found is not None
    assert (found.approved_letter, found.approved_on, found.digest) == (
        "DfE-9",
        date(2023, 2, 20),
        annual.digest,
    )
    for release_id in (annual.id, monthly.id):
        with pytest.raises(NotForApproval), unit_of_work(db, clock, "person:team") as work:
            releasing.approve(work, release_id=release_id, letter="DfE-9", on=date(2023, 2, 20))


def test_councils_by_region_stay(
    db: DbSession, clock: SetClock, programme: Programme, world: World, make: Factory
) -> None:
    """Counts of councils are about no answers: one is shown as one."""
    council = make.council(region="London")
    agreed = Agreement(
        on=date(2022, 4, 1), agreed_with="Jo Official", ground=Ground.DECLINE, evidence="Letter of March"
    )
    with unit_of_work(db, clock, "person:team") as work:
        allocations.agree(work, council_id=council.id, agreed=agreed)
    make.package(make.person(), council=council, starts_on=date(2022, 5, 2))
    found = release(db, clock, programme, "2022-12")
    assert [(one.year, one.strand, one.region, one.councils) for one in found.regions] == [
        ("2022-23", Strand.ONE_TO_ONE, "London", 1)
    ]
    level = next(one for one in found.levels if one.year == "2022-23")
    assert level.one_to_one_councils == 1


def test_who_was_erased_is_in_no_new_figure_and_changes_no_old_one(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    """Erasure takes the answers; a block is numbers of people, and stays."""
    people = world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 9, 1))
    first = release(db, clock, programme, "2022-12")
    ids = [person.id for person in people[:1]]
    with unit_of_work(db, clock, "system:test") as work:
        for part in work.db.scalars(select(Participation).where(Participation.person_id.in_(ids))):
            part.person_id = None
    second = release(db, clock, programme, "2023-01")
    assert second.blocks == first.blocks
    assert releases.read(db, first.id) == first


def test_it_comes_back_from_its_text(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    world.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 9, 1))
    found = releasing.preview(
        db, programme, kind=Kind.QUARTERLY, period="2022-Q4", today=date(2023, 3, 1)
    ).content
    assert Content.from_canonical(found.canonical()).canonical() == found.canonical()
