"""Reports: every file says the same, says no more than the release, and is made again to the byte."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
from docx import Document
from docx.oxml.ns import qn

from portal.models import Strand
from portal.programme import ContractYear, Period, Programme, load
from portal.results import reports
from portal.results.drawing import Bar
from portal.results.periods import Kind, NoSuchPeriod, begun, report_period
from portal.results.report_parts import Report, Share
from portal.results.reports import Format
from tests.browser import launch
from tests.pages_client import parsed
from tests.released import a_release, kpi

YEARS = [
    ContractYear("2021-22", Period(date(2021, 6, 1), date(2022, 3, 31))),
    ContractYear("2022-23", Period(date(2022, 4, 1), date(2023, 3, 31))),
    ContractYear("2023-24", Period(date(2023, 4, 1), date(2024, 3, 31))),
]


@pytest.fixture(scope="module")
def facts() -> Programme:
    return load(Path(__file__).resolve().parents[2] / "programme.toml")


@pytest.fixture(scope="module")
def report(facts: Programme) -> Report:
    return reports.content(a_release(), facts)


@pytest.fixture(scope="module")
def made(facts: Programme) -> dict[str, bytes]:
    return dict(reports.files(a_release(), facts))


def grids(report: Report) -> list[tuple[Sequence[str], list[list[str]]]]:
    """Every table of a report as people see it: its head and its rows."""
    return [(grid.shown_head, grid.shown) for section in report.sections for grid in section.read]


def test_a_release_gives_the_same_files_to_the_byte(made: dict[str, bytes], facts: Programme) -> None:
    assert list(made) == [f"quarterly-2022-Q4.{ending}" for ending in ("docx", "html", "xlsx", "csv")]
    # Nothing in an archive tells when it was made, so a later moment makes the same.
    for name in ("quarterly-2022-Q4.docx", "quarterly-2022-Q4.xlsx"):
        with ZipFile(BytesIO(made[name])) as archive:
            assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
    assert dict(reports.files(a_release(), facts)) == made
    later = a_release(made_at=a_release().made_at + timedelta(days=40))
    assert dict(reports.files(later, facts)) != made


def test_word_and_page_have_the_tables_of_the_report(report: Report, made: dict[str, bytes]) -> None:
    paper = Document(BytesIO(made["quarterly-2022-Q4.docx"]))
    told = [[[cell.text for cell in row.cells] for row in table.rows] for table in paper.tables[1:]]
    assert told == [[list(head), *rows] for head, rows in grids(report)]
    page = parsed(made["quarterly-2022-Q4.html"].decode())
    on_page = [
        [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        for table in page.iter("table")
    ]
    assert on_page == told


def test_the_tidy_file_has_a_row_for_each_figure(report: Report, made: dict[str, bytes]) -> None:
    rows = list(csv.DictReader(StringIO(made["quarterly-2022-Q4.csv"].decode("utf-8-sig"))))
    assert len(rows) == len(list(report.figures()))
    assert {None} & set(rows[0]) == set(), "every row has the columns of the head"
    for row, (section, grid, _, measure, value) in zip(rows, report.figures(), strict=True):
        assert (row["contract"], row["time_period"], row["as_of"]) == ("con_9887", "2022-Q4", "2022-12-31")
        assert (row["section"], row["measure"]) == (section.title, measure)
        assert row["table"].removeprefix("'") == grid.caption
        shown = str(round(value.value, 6)) if isinstance(value, Share) else str(value)
        assert row["value"] == {"[c]": "c", "[z]": "z", "[u]": "u"}.get(shown, shown)
    assert not any("[" in cell for row in rows for cell in row.values())


def test_the_spreadsheet_is_typed_and_plain(report: Report, made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(BytesIO(made["quarterly-2022-Q4.xlsx"]))
    titles = [section.title for section in report.sections if section.grids]
    assert book.sheetnames == ["Notes", *titles]
    for sheet in book:
        assert not sheet.merged_cells.ranges
        assert sheet.sheet_state == "visible"
    for section in report.sections:
        wanted = [[*grid.lead.values(), *row] for grid in section.grids for row in grid.rows]
        lines = list(book[section.title].iter_rows(min_row=2, values_only=True)) if section.grids else []
        for line, want in zip(lines, wanted, strict=True):
            for found, value in zip(line, want, strict=False):
                assert _same(found, value), (found, value)
    assert book["The two KPIs"]["I2"].number_format == "0.0%"


def test_the_spreadsheet_can_be_read_and_printed_as_it_comes(made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(BytesIO(made["quarterly-2022-Q4.xlsx"]))
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.fitToHeight == 0, "as wide as the paper, however long"
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "quarterly report" in sheet.oddHeader.left.text
        assert "Page" in sheet.oddFooter.right.text
        for row in sheet.iter_rows():
            for cell in row:
                width = _width(sheet, cell.column)
                if cell.is_date:
                    assert width >= len("30 September 2022"), f"{sheet.title}!{cell.coordinate} shows ####"
                elif isinstance(cell.value, str) and len(cell.value) > width and cell.coordinate != "A1":
                    assert cell.alignment.wrap_text, f"{sheet.title}!{cell.coordinate} is cut"
                    assert sheet.row_dimensions[cell.row].height >= 15 * len(cell.value) / width
    for sheet in book.worksheets[1:]:
        assert sheet.print_title_rows == "$1:$1", "the heads stand on each page"


def _width(sheet: Any, column: int) -> float:
    """Neighbours of one width are kept under the first of them."""
    return float(next(one.width for one in sheet.column_dimensions.values() if one.min <= column <= one.max))


def _same(found: Any, value: Any) -> bool:
    if isinstance(value, Share):
        return bool(found == pytest.approx(value.value, abs=1e-6))
    if isinstance(value, date):
        return bool(found.date() == value)
    return type(found) is type(value) and bool(found == value)


def test_what_is_kept_back_is_nowhere(report: Report, made: dict[str, bytes]) -> None:
    """The four in the hidden categories are 6 together: no picture, text or cell tells more than `[c]`."""
    impact = next(grid for section in report.sections for grid in section.grids if "impact" in grid.caption)
    assert [row[1:] for row in impact.shown] == [["12", "50%"], ["[c]", "[c]"], ["[c]", "[c]"], ["6", "25%"]]
    assert impact.picture is not None
    assert len([mark for mark in impact.picture.marks if isinstance(mark, Bar)]) == 2
    silent = next(grid for section in report.sections for grid in section.grids if "hold" in grid.caption)
    assert silent.shown == [["All answers", "[c]", "[c]"]]
    assert silent.picture is None
    assert silent.silent, "people read one line on all that is not shown"
    words = next(section.words for section in report.sections if silent in section.grids)
    assert "all gave the same answer: I can hold the service to account." in " ".join(words)


def test_every_file_has_the_contract_and_the_copyright(made: dict[str, bytes]) -> None:
    """cl 6.2, cl 8.6."""
    for name, data in made.items():
        text = _text(name, data)
        assert "con_9887" in text
        assert "© Crown Copyright 2023" in text


def _text(name: str, data: bytes) -> str:
    if not name.endswith(("docx", "xlsx")):
        return data.decode()
    with ZipFile(BytesIO(data)) as archive:
        return "".join(archive.read(one).decode(errors="replace") for one in archive.namelist())


def test_word_has_charts_with_their_finding_and_places_to_write(
    report: Report, made: dict[str, bytes]
) -> None:
    paper = Document(BytesIO(made["quarterly-2022-Q4.docx"]))
    body = paper.element.body
    pictures = [grid.picture for section in report.sections for grid in section.grids if grid.picture]
    assert [one.get("descr") for one in body.iter(qn("wp:docPr"))] == [picture.words for picture in pictures]
    with ZipFile(BytesIO(made["quarterly-2022-Q4.docx"])) as archive:
        drawn = [name for name in archive.namelist() if name.endswith(".svg")]
        assert [archive.read(name).decode() for name in drawn] == [picture.as_file() for picture in pictures]
    asked = ["".join(text.text for text in one.iter(qn("w:t"))) for one in body.iter(qn("w:sdt"))]
    assert asked == [section.ask for section in report.sections if section.ask]
    assert paper.core_properties.language == "en-GB"
    assert all(table._tbl.tblPr.find(qn("w:tblCaption")) is not None for table in paper.tables)


def test_the_page_takes_nothing_from_elsewhere(made: dict[str, bytes]) -> None:
    page = made["quarterly-2022-Q4.html"].decode()
    assert not re.search(r"""(?:src|href|action)=|url\(|@import""", page)
    assert page.count('role="img"') == page.count("<svg")
    # What people typed is text.
    assert "=Local elections may end\nsome support early" in page


def test_lessons_are_carried_over(report: Report) -> None:
    lessons = next(section for section in report.sections if section.code == "lessons")
    assert list(lessons.written) == [
        "New:",
        "20 November 2022: Ask for dates at the first meeting\x0b",
        "Carried over:",
        "1 August 2022: Two mentors help when diaries clash\nClosed on 20 October 2022: It is the rule now",
    ]


@pytest.mark.parametrize(
    "numbers, share, stands",
    [
        (kpi(Strand.GROUP, 19, 20), "95%", "Met with confidence"),
        (kpi(Strand.GROUP, 15, 20), "75%", "Met on the figure"),
        (kpi(Strand.GROUP, 14, 20), "70%", "Not met"),
        (kpi(Strand.GROUP, 7, 9), "[u]", "[u]"),
        (kpi(Strand.GROUP, 0, 0), "[z]", "[z]"),
        (kpi(Strand.GROUP, None, None), "[c]", "[c]"),
    ],
)
def test_a_kpi_stands_in_its_own_words(facts: Programme, numbers: Any, share: str, stands: str) -> None:
    grid = reports.content(a_release(kpis=[numbers]), facts).sections[1].grids[0]
    told = {row[0]: row[1] for row in grid.shown}
    assert (told["Share"], told["Stands"]) == (share, stands)
    assert (grid.picture is None) == share.startswith("[")


def test_old_figures_carry_their_day(facts: Programme) -> None:
    old = kpi(Strand.GROUP, 15, 20, as_of=date(2022, 9, 30))
    found = reports.content(a_release(kpis=[old]), facts)
    assert "30 September 2022" in " ".join(found.sections[1].grids[0].before)
    stale = replace(a_release().blocks[0], released_as_of=date(2022, 9, 30))
    words = reports.content(a_release(blocks=[stale]), facts).sections[4].words
    assert "10 December 2022. Too few have come in since" in words[0]


def test_an_annual_review_is_about_its_year(facts: Programme) -> None:
    """sch 4 Publicity: it is passed on only with the Department's approval, and says so."""
    other = replace(a_release().blocks[0], years=("2021-22",))
    found = reports.content(a_release(kind=Kind.ANNUAL, period="2022-23", blocks=[other]), facts)
    assert found.title == "Leadership support: annual review, contract year 2022-23"
    assert not found.sections[4].grids
    assert any("approval" in note for note in found.notes)


@pytest.mark.parametrize("format", list(Format))
def test_a_programme_without_anybody_has_its_report(facts: Programme, format: Format) -> None:
    empty = a_release(
        blocks=[], regions=[], texts={}, instruction=None, kpis=[kpi(Strand.GROUP, 0, 0, not_due=0, silent=0)]
    )
    assert reports.WRITERS[format](reports.content(empty, facts))


@pytest.mark.parametrize(
    "kind, name, words, first, last",
    [
        (Kind.MONTHLY, "2023-02", "February 2023", date(2023, 2, 1), date(2023, 2, 28)),
        (Kind.QUARTERLY, "2022-Q4", "October to December 2022", date(2022, 10, 1), date(2022, 12, 31)),
        (Kind.ANNUAL, "2021-22", "contract year 2021-22", date(2021, 6, 1), date(2022, 3, 31)),
    ],
)
def test_periods(kind: Kind, name: str, words: str, first: date, last: date) -> None:
    found = report_period(kind, name, years=YEARS)
    assert (found.words, found.days) == (words, Period(first, last))


@pytest.mark.parametrize(
    "kind, name",
    [
        (Kind.MONTHLY, "2023-13"),
        (Kind.MONTHLY, "2023-2"),
        (Kind.QUARTERLY, "2023-Q5"),
        (Kind.QUARTERLY, "2023-Q1 "),
        (Kind.ANNUAL, "2022-24"),
        (Kind.ANNUAL, "2024-25"),
        (Kind.MONTHLY, "2021-05"),
        (Kind.QUARTERLY, "2024-Q2"),
    ],
)
def test_other_periods_are_refused(kind: Kind, name: str) -> None:
    with pytest.raises(NoSuchPeriod):
        report_period(kind, name, years=YEARS)


def test_periods_that_have_begun() -> None:
    named = [one.name for one in begun(Kind.QUARTERLY, on=date(2022, 1, 1), years=YEARS)]
    assert named == ["2022-Q1", "2021-Q4", "2021-Q3", "2021-Q2"]
    assert next(iter(begun(Kind.ANNUAL, on=date(2030, 1, 1), years=YEARS))).name == "2023-24"


def test_the_page_as_a_file_fits_a_phone(made: dict[str, bytes], tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_bytes(made["quarterly-2022-Q4.html"])
    with launch() as browser:
        for width in (390, 320):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto(file.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") == width, (
                "nothing is cut at the side"
            )
