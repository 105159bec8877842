"""Pictures: they say what they show, show nothing else, and fit on a small screen."""

import re
from collections.abc import Callable
from datetime import date
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.results import pictures
from portal.results.drawing import CHARACTERS, Bar, Dot, Line, Picture, Words
from portal.results.pictures import Shift, Step, Stretch, Twice
from surveys.statistics import wilson

LONG = "I am confident in my role of improving children's social care and SEND services & more <b>"


def _interval() -> Picture:
    low, high = wilson(15, 20)
    return pictures.interval(count=15, base=20, low=low, high=high, target=0.75, whom="leaders")


def _distribution() -> Picture:
    steps = [Step("Higher", 14), Step(LONG, 5), Step("Unchanged", 0), Step("Lower", "[c]")]
    return pictures.distribution(finding="Most rose", what="change", steps=steps, base=23)


def _side_by_side() -> Picture:
    kinds = [Twice(LONG, 9, "[c]"), Twice("Very", 5, 14)]
    return pictures.side_by_side(finding="More are very confident", what="confidence", kinds=kinds)


def _paired() -> Picture:
    shifts = [
        Shift(LONG, 0.25, 0.75, "Slightly", "Very"),
        Shift("Unmoved", 0.5, 0.5, "Fairly", "Fairly"),
        Shift("Not told", None, 1.0, "Not answered", "Completely"),
    ]
    ends = ("Not at all confident", "Completely confident")
    return pictures.paired_change(finding="One rose", what="own answers", shifts=shifts, ends=ends)


def _funnel() -> Picture:
    steps = [Step("Could answer", 30), Step("Sent it in time", 21), Step("Can be compared", "[c]")]
    return pictures.funnel(finding="21 of 30 answered in time", what="the last questionnaire", steps=steps)


def _timeline() -> Picture:
    stretches = [
        Stretch("Support", [(date(2023, 1, 10), date(2023, 4, 30))]),
        Stretch("Sessions", [(date(2023, 2, 1), date(2023, 2, 1))]),
        Stretch("To come", [(date(2023, 3, 20), date(2023, 3, 20))], planned=True),
        Stretch("Last questionnaire", [(date(2023, 5, 1), date(2023, 7, 31))], planned=True),
    ]
    return pictures.timeline(finding="Half is delivered", stretches=stretches, today=date(2023, 3, 1))


ALL = [_interval, _distribution, _side_by_side, _paired, _funnel, _timeline]


@pytest.mark.parametrize("make", ALL)
def test_a_picture_is_drawn_alike_on_a_page_and_in_a_file(make: Callable[[], Picture]) -> None:
    picture = make()
    page = ElementTree.fromstring(str(picture.on_page("it")))
    file = ElementTree.fromstring(picture.as_file())
    bare = [re.sub(r"\{.*\}", "", one.tag) for one in file.iter()]
    assert [one.tag for one in page.iter()] == bare
    assert [one.text for one in page.iter("text")] == [one.text for one in _texts(file)]
    # Named by the finding, described with its figures, which the table has too.
    assert page.get("role") == "img"
    assert page.get("aria-labelledby") == "it-t it-d"
    assert page.findtext("title") == picture.finding
    assert page.findtext("desc") == picture.description
    for row in picture.rows:
        assert len(row) == len(picture.head)
        assert all(str(cell) in picture.words for cell in row[1:])


@pytest.mark.parametrize("make", ALL)
def test_a_picture_fits_on_a_small_screen(make: Callable[[], Picture]) -> None:
    picture = make()
    for mark in picture.marks:
        match mark:
            case Words():
                assert 0 <= mark.across <= 1
                assert len(mark.text) <= CHARACTERS
                assert mark.down <= picture.height
            case Bar() | Line():
                assert 0 <= mark.left <= mark.right <= 1
            case Dot():
                assert 0 < mark.across < 1
                assert mark.down + mark.radius <= picture.height


def test_what_is_not_shown_is_not_drawn() -> None:
    picture = _distribution()
    # Two bars for two figures: nothing for none, and words for what is not shown.
    assert len([mark for mark in picture.marks if isinstance(mark, Bar)]) == 2
    assert "[c] not shown" in [mark.text for mark in picture.marks if isinstance(mark, Words)]
    assert "Lower: [c] not shown" in picture.description
    assert list(picture.rows[-1]) == ["Lower", "[c]", "[c]"]


def test_bars_are_as_long_as_their_figures() -> None:
    bars = [mark for mark in _funnel().marks if isinstance(mark, Bar)]
    assert [mark.right for mark in bars] == pytest.approx([pictures.ROOM, pictures.ROOM * 21 / 30])


@pytest.mark.parametrize(
    "count, base, words",
    [
        (
            15,
            20,
            "15 of 20 leaders, 75%: at or above the target of 75%, while the likely range reaches below it",
        ),
        (19, 20, "19 of 20 leaders, 95%: all of the likely range lies above the target of 75%"),
        (14, 20, "14 of 20 leaders, 70%: below the target of 75%"),
        (47, 63, "47 of 63 leaders, 74.6%: below the target of 75%"),
        (0, 12, "0 of 12 leaders, 0%: below the target of 75%"),
    ],
)
def test_met_on_the_figure_and_met_with_confidence_are_different_words(
    count: int, base: int, words: str
) -> None:
    low, high = wilson(count, base)
    found = pictures.interval(count=count, base=base, low=low, high=high, target=0.75, whom="leaders")
    assert found.finding == words


@pytest.mark.parametrize(
    "count, base, words", [(5, 8, "63%"), (3, 8, "38%"), (29, 200, "15%"), (1, 8, "13%"), (2, 3, "67%")]
)
def test_a_half_is_rounded_up(count: int, base: int, words: str) -> None:
    assert pictures.percent(count / base) == words


@given(st.integers(1, 400).flatmap(lambda base: st.tuples(st.integers(0, base), st.just(base))))
def test_a_share_never_reads_as_all_or_none(pair: tuple[int, int]) -> None:
    count, base = pair
    words = pictures.percent(count / base)
    assert (words == "100%") == (count == base)
    assert (words == "0%") == (count == 0)


def test_words_are_words() -> None:
    assert "<b>" not in str(_distribution().on_page("it"))
    assert "&lt;b&gt;" in _paired().as_file()


def _texts(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [one for one in root.iter() if one.tag.endswith("}text")]
