"""Themes and quotes on their way out: frozen with their block, and quotes only while their authors let them be."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import theming
from portal.models import Strand
from portal.programme import Programme
from portal.results import releasing, reports
from portal.results.periods import Kind
from portal.results.releases import Release
from privacy.work import unit_of_work
from surveys import themes
from surveys.models import Response, Wave
from surveys.themes import Theme
from tests.conftest import SetClock
from tests.factories import Factory
from tests.rules.test_releases import RISEN, SAME, World, release

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
"""What is frozen rests on no database."""
TEXT = "Figures come a week ahead. We ask about them."


@pytest.fixture
def world(db: DbSession, clock: SetClock, make: Factory, programme: Programme) -> World:
    """24 people wrote after their support: 12 of data, 3 of time too, and two are quoted."""
    found = World(db, clock, make)
    found.answered([RISEN] * 12 + [SAME] * 12, ended_on=date(2022, 8, 1))
    with unit_of_work(db, clock, "person:team") as work:
        for number, code in enumerate(("data", "time")):
            themes.put(
                work, Theme(code=code, label=code.capitalize(), definition=f"About {code}"), seen=number
            )
    for place, row in enumerate(wrote(db)):
        put(db, clock, row, {"impact_changed": TEXT, "impact_changed.quote": "yes"})
        codes = ["data", "time"] if place < 3 else ["data"] if place < 12 else []
        if place < 22:
            sort(db, clock, programme, row, codes, quote=f"Figures … {TEXT[-5:]}" if place < 2 else None)
    return found


def wrote(db: DbSession) -> list[Response]:
    return list(db.scalars(select(Response).where(Response.wave == Wave.POST).order_by(Response.id)))


def put(db: DbSession, clock: SetClock, row: Response, answers: Mapping[str, Any]) -> None:
    with unit_of_work(db, clock, "system:test"):
        row.answers = {**(row.answers or {}), **answers}


def sort(
    db: DbSession,
    clock: SetClock,
    programme: Programme,
    row: Response,
    codes: list[str],
    *,
    quote: str | None,
) -> None:
    asked = {"response_id": row.id, "question": "impact_changed", "codes": codes, "quote": quote, "seen": ""}
    with unit_of_work(db, clock, "person:team") as work:
        theming.sort(work, programme, **asked)  # type: ignore[arg-type]


def told(found: Release, programme: Programme) -> str:
    """What its report says of themes, to be read."""
    section = next(one for one in reports.content(found, programme).sections if one.code == "themes")
    notes = [note for grid in section.grids for note in grid.notes]
    rows = [" ".join(row) for grid in section.grids for row in grid.shown]
    return "\n".join([*section.words, *rows, *notes, *(f"{one.by}: {one.text}" for one in section.quotes)])


def test_themes_are_frozen_with_their_block(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    found = releasing.preview(db, programme, kind=Kind.MONTHLY, period="2022-11", today=date(2023, 3, 1))
    assert [one.unsorted for one in found.fresh] == [2], "two texts would count for no theme, for good"
    first = release(db, clock, programme, "2022-11")
    table = first.table(Strand.ONE_TO_ONE, "themes")
    assert table is not None
    assert [(row.label, row.count) for row in table.rows] == [("Data", 12), ("Time", None)]
    assert (first.blocks[0].codebook, first.texts["codebook"]["number"]) == (2, 2)
    said = told(first, programme)
    assert "Data 12 50%" in said
    assert "Time [c] [c]" in said
    assert "Sorted by the codebook, version 2." in said
    assert "Data: About data" in said
    assert "Lead Member for children's services, on: Data: Figures" in said, "nothing of time is there"
    with unit_of_work(db, clock, "person:team") as work:
        themes.put(work, Theme(code="data", label="Numbers", definition="Another"), seen=2)
        for row in wrote(db):
            row.judgement = {**(row.judgement or {}), "themes": {}}
    second = release(db, clock, programme, "2022-12")
    assert second.table(Strand.ONE_TO_ONE, "themes") == table
    assert (second.blocks[0].codebook, second.texts["codebook"]["number"]) == (2, 3)


def test_a_quote_that_is_taken_back_is_in_no_later_release(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    first = release(db, clock, programme, "2022-11")
    assert len(first.quotes(Strand.ONE_TO_ONE)) == 2
    assert told(first, programme).count("Figures …") == 2
    quoted = [row for row in wrote(db) if "quote" in str(row.judgement)]
    for row in quoted:
        put(db, clock, row, {"impact_changed.quote": None})
    second = release(db, clock, programme, "2022-12")
    assert second.quotes(Strand.ONE_TO_ONE) == []
    assert second.table(Strand.ONE_TO_ONE, "themes") == first.table(Strand.ONE_TO_ONE, "themes")
    assert "let them be quoted" not in told(second, programme)


def test_a_quote_waits_for_the_block_of_its_author(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    first = release(db, clock, programme, "2022-10")
    assert (first.blocks, first.quotes(Strand.ONE_TO_ONE)) == ([], []), "their window has not closed"
    assert "no answers are sorted by themes yet" in told(first, programme)


def test_the_figures_stand_once_a_text_is_sorted_before_anybody_gives_a_verdict(
    db: DbSession, clock: SetClock, programme: Programme, world: World
) -> None:
    with unit_of_work(db, clock, "system:test"):
        for row in wrote(db):
            row.judgement = {"themes": (row.judgement or {}).get("themes", {})}
    numbers = release(db, clock, programme, "2022-12").kpis[0]
    assert (numbers.numerator, numbers.denominator) == (0, 24)
