"""The KPI board in words and pictures, made from the figures as they are kept (portal/results/kpi.py, `document`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.models import Strand
from portal.packages.strands import STRANDS, WHOM
from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.groups import GROUPS
from portal.results.pictures import Step, percent

COUNTED = (
    ("supported", "Supported"),
    ("running", "Support still running"),
    ("open", "Last questionnaire open, not yet due"),
    ("erased", "Data erased since: in no other figure"),
    ("restricted", "Data restricted for now: in no other figure"),
    ("closed", "Last questionnaire closed: the base"),
    ("answered", "Of the base: answered in time"),
    ("silent", "Of the base: did not answer in time, counted as no"),
    ("late", "Of those: answered late"),
    ("partial", "Of those: began and did not finish"),
    ("matched", "Of the base: both answers on confidence known"),
    ("confident", "Of the base: more confident than before"),
    ("impact", "Of the base: example accepted"),
    ("both", "Of the base: more confident and example accepted"),
)
RARE = frozenset({"erased", "restricted"})
"""What is shown only where there is any. With it those who are supported add up."""
CHANGED = (
    ("confident", "Higher than before"),
    ("stayed_at_top", "Stayed at the highest point"),
    ("unchanged", "Unchanged"),
    ("lower", "Lower than before"),
)
EXAMPLES = (
    ("examples", "Say themselves that they have an example"),
    ("impact", "Accepted by a reviewer: counts"),
    ("partly", "Accepted in part: does not count"),
    ("not_yet", "Not yet: does not count"),
    ("waiting_for_verdict", "Waits for a verdict"),
)
EVERYBODY = (
    ("all_answered", "answered", "Answered, late ones too"),
    ("all_matched", "matched", "Of them: both answers on confidence known"),
    ("all_confident", "confident", "Of them: more confident than before"),
    ("all_impact", "impact", "Of them: example accepted"),
    ("all_both", "both", "Of them: more confident and example accepted"),
)
MODES = {"self": "by themselves", "interview": "in an interview", "paper": "on paper"}
SIDES = {
    "silence_no": "All whose last questionnaire has closed, silence as no (the headline)",
    "silence_yes": "The same people, silence as yes (the best case)",
    "answered": "All who answered in time",
    "all_answered": "All who answered, late ones too",
    "matched": "All whose answers on confidence are known both times",
}


@dataclass(frozen=True)
class Line:
    """A row of a table: words, a number, and the group whose list it opens."""

    words: str
    number: int
    group: str


@dataclass(frozen=True, kw_only=True)
class Board:
    """One KPI as the page shows it; `figure` is the plain figure beside."""

    figure: Mapping[str, Any]
    strand: Strand
    called: str
    headline: Picture | None
    stands: str
    counted: Sequence[Line]
    sides: Sequence[Sequence[Any]]
    changed: Picture | None
    changed_lines: Sequence[Line]
    tested: str
    examples: Sequence[Line]
    everybody: Sequence[Line]
    modes: str
    transitions: Sequence[Sequence[Any]]
    scale: Sequence[str]
    spreads: Sequence[Sequence[Any]]
    looking_back: Sequence[str]


def boards(document: Mapping[str, Any]) -> list[Board]:
    """Every KPI of a document."""
    return [_board(figure) for figure in document["kpis"]]


def _board(figure: Mapping[str, Any]) -> Board:
    strand = Strand(figure["strand"])
    confidence = figure["confidence"]
    measured = confidence["measured"]
    scale = [point["label"] or f"Point {point['score']}" for point in confidence["scale"]]
    return Board(
        figure=figure,
        strand=strand,
        called=STRANDS[strand].lower(),
        headline=_headline(figure, WHOM[strand]),
        stands=_stands(figure),
        counted=_lines(figure, COUNTED),
        sides=[[SIDES[side["name"]], *_side(side)] for side in figure["sides"]],
        changed=_changed(figure),
        changed_lines=_lines(figure, CHANGED),
        tested=_tested(measured["sign_test"], measured["base"]),
        examples=_lines(figure, EXAMPLES),
        everybody=[Line(words, figure["everybody"][name], group) for group, name, words in EVERYBODY],
        modes=_modes(figure["everybody"]["modes"]),
        transitions=[
            [f"{label} before", *row] for label, row in zip(scale, measured["transitions"], strict=True)
        ],
        scale=scale,
        spreads=[
            ["Before, of those compared", *_spread(measured["before"])],
            ["After, of those compared", *_spread(measured["after"])],
            ["Before, looking back", *_spread(confidence["looking_back"]["before"])],
            [
                "Before, of all who answered the last questionnaire",
                *_spread(confidence["baseline_of_answerers"]),
            ],
            ["Before, of those who did not", *_spread(confidence["baseline_of_silent"])],
        ],
        looking_back=_looking_back(confidence),
    )


def _lines(figure: Mapping[str, Any], named: Sequence[tuple[str, str]]) -> list[Line]:
    assert all(name in GROUPS for name, _ in named)
    return [Line(words, figure[name], name) for name, words in named if figure[name] or name not in RARE]


def _headline(figure: Mapping[str, Any], whom: str) -> Picture | None:
    if not figure["base"]:
        return None
    low, high = figure["interval"]
    return pictures.interval(
        count=figure["both"],
        base=figure["base"],
        low=low,
        high=high,
        target=figure["target"],
        whom=f"{whom} feel more confident and can show impact",
    )


def _stands(figure: Mapping[str, Any]) -> str:
    if figure["share"] is None:
        return "Nobody is counted yet."
    if figure["met_with_confidence"]:
        return "The target is met with confidence: the whole likely range lies at or above it."
    if figure["met"]:
        return "The target is met on the figure, not with confidence: the likely range reaches below it."
    return "The target is not met."


def _side(side: Mapping[str, Any]) -> list[str]:
    if side["share"] is None:
        return [str(side["count"]), "0", "", ""]
    low, high = side["interval"]
    return [
        str(side["count"]),
        str(side["base"]),
        percent(side["share"]),
        f"{percent(low)} to {percent(high)}",
    ]


def _changed(figure: Mapping[str, Any]) -> Picture | None:
    if not figure["matched"]:
        return None
    return pictures.distribution(
        finding=f"{figure['confident']} of {figure['matched']} are more confident in their role than before support",
        what="how confidence changed, of all who can be compared",
        steps=[Step(words, figure[name]) for name, words in CHANGED],
        base=figure["matched"],
    )


def _tested(sign: Mapping[str, Any], base: int) -> str:
    if not base:
        return "Nobody can be compared yet."
    changed = f"{sign['changed']} of {base} changed."
    if sign["p_value"] is None:
        return f"{changed} Too few to test: a test needs {sign['needed']}."
    chance = "under 1 in 1,000" if sign["p_value"] < 0.001 else f"{sign['p_value']:.3f}"
    return f"{changed} If rises and falls were equally likely, the chance of a split as uneven as this is {chance}."


def _modes(modes: Mapping[str, int]) -> str:
    told = [f"{modes[mode]} {words}" for mode, words in MODES.items() if modes.get(mode)]
    return ", ".join(told)


def _spread(spread: Mapping[str, Any]) -> list[Any]:
    middle, mean = spread["median"], spread["mean"]
    return [
        *spread["counts"],
        spread["base"],
        "" if middle is None else f"{middle:g}",
        "" if mean is None else f"{mean:.2f}",
    ]


def _looking_back(confidence: Mapping[str, Any]) -> list[str]:
    back, sight = confidence["looking_back"], confidence["hindsight"]
    if not back["base"]:
        return []
    found = [
        f"Looking back, {back['higher']} of {back['base']} rate themselves higher now than they were before support."
    ]
    if sight["base"]:
        found.append(
            f"{sight['lower']} of {sight['base']} rate their time before support lower now than they did then, "
            f"{sight['higher']} rate it higher. The answer given before support is the one that counts."
        )
    return found
