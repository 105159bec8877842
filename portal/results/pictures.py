"""The five pictures of the results: interval against a target, distribution, paired change, funnel, timeline.

Each takes figures that may be shown and nothing else: for anybody outside the team those of a protected table, where
a text such as `[c]` stands for a figure that is not shown. A picture draws nothing where such a text stands, and
says so; the same text stands in its table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import floor

from portal.filters import day
from portal.results.drawing import (
    ACCENT,
    BLUE,
    CHARACTERS,
    INK,
    LINE,
    QUIET,
    TEAL,
    TRACK,
    Bar,
    Cell,
    Dot,
    Line,
    Mark,
    Picture,
    Words,
    written,
)

ROOM = 0.64
"""The share of the width that bars take; the rest is for their figures."""
THICK, GAP = 24, 14
NOT_SHOWN = "not shown"


@dataclass(frozen=True)
class Step:
    """A category, or a step of a funnel, with its figure; a text where the figure is not shown."""

    label: str
    value: Cell


@dataclass(frozen=True)
class Twice:
    """A category with its figures before and after."""

    label: str
    before: Cell
    after: Cell


@dataclass(frozen=True)
class Shift:
    """A statement with where it stood before and after, from lowest (0) to highest (1), and both in words."""

    label: str
    before: float | None
    after: float | None
    before_words: str
    after_words: str


@dataclass(frozen=True)
class Stretch:
    """Something on a timeline: days, or stretches of days, first and last included; `planned` is yet to come."""

    label: str
    spans: Sequence[tuple[date, date]]
    planned: bool = False


def percent(share: float) -> str:
    """`75%`, a half rounded up. A share under one never reads as all, nor one above zero as none."""
    # Python rounds a half to the even number; and 0.145 times 100 is a hair under 14.5.
    rounded = floor(round(share * 100, 9) + 0.5)
    if rounded in (0, 100) and 0 < share < 1:
        return "under 1%" if rounded == 0 else "over 99%"
    return f"{rounded}%"


def interval(*, count: int, base: int, low: float, high: float, target: float, whom: str) -> Picture:
    """A share against its target, with the range in which the true one lies. `base` is at least one; `whom` is in
    the plural, such as `leaders`."""
    share = count / base
    shown = percent(share)
    if share < target and shown == percent(target):
        shown = f"{share:.1%}"  # else 74.6% would read like the target it misses
    if low >= target:
        stands = f"all of the likely range lies above the target of {percent(target)}"
    elif share >= target:
        stands = f"at or above the target of {percent(target)}, while the likely range reaches below it"
    else:
        stands = f"below the target of {percent(target)}"
    likely = f"{percent(low)} to {percent(high)}"
    return Picture(
        finding=f"{count} of {base} {whom}, {shown}: {stands}",
        description=f"A bar from 0% to 100% ends at {shown}. A dashed line marks the target of "
        f"{percent(target)}. A black line below shows the likely range, {likely}.",
        head=["Measure", "Figure"],
        rows=[
            ["Share", shown],
            ["Likely range, 95%", likely],
            ["Target", percent(target)],
            ["People counted", base],
        ],
        height=120,
        marks=[
            Words(target, 16, f"Target {percent(target)}", anchor=_anchor(target), bold=True, fill=ACCENT),
            Bar(0, 1, 28, 36, TRACK, "track"),
            Bar(0, share, 28, 36),
            Line(target, target, 22, 70, ACCENT, dashes="6 4", name="target"),
            Line(low, high, 80, 80),
            Line(low, low, 74, 86),
            Line(high, high, 74, 86),
            Words(share, 110, shown, anchor=_anchor(share), bold=True),
        ],
        note=f"The black line is the range in which the true share lies with 95% confidence: {likely}.",
    )


def distribution(
    *, finding: str, what: str, steps: Sequence[Step], base: int | None = None, unit: str = "People"
) -> Picture:
    """How many there are of each kind, in the order given. With a `base` its shares stand beside the figures; who
    calls sees to it that shares may be shown."""
    return _bars(
        finding, f"A bar for each kind: {what}.", steps, base=base, head=["What", unit], scale=_top(steps)
    )


def funnel(*, finding: str, what: str, steps: Sequence[Step], shares: bool = True) -> Picture:
    """From all to those who came through: each step as a share of the first, whose figure is known."""
    first = steps[0].value
    base = first if isinstance(first, int) and first else None
    return _bars(
        finding,
        f"A bar for each step, the first for all: {what}.",
        steps,
        base=base if shares else None,
        head=["Step", "People"],
        scale=base or _top(steps),
    )


def side_by_side(
    *,
    finding: str,
    what: str,
    kinds: Sequence[Twice],
    names: tuple[str, str] = ("Before", "After"),
    unit: str = "people",
) -> Picture:
    """How many there are of each kind, twice: two bars for each, such as before and after."""
    scale = _top([Step("", one) for kind in kinds for one in (kind.before, kind.after)])
    marks, top = _key(names)
    for kind in kinds:
        told, top = written(kind.label, top)
        marks += told
        marks += _bar(kind.before, top + 2, 16, scale, TEAL, name="second")
        marks += _bar(kind.after, top + 20, 16, scale, BLUE)
        top += 36 + GAP
    one, other = (name.lower() for name in names)
    return Picture(
        finding=finding,
        description=f"Two bars for each kind, {one} and {other}: {what}. "
        + _told((kind.label, f"{kind.before} {one} and {kind.after} {other}") for kind in kinds),
        head=["What", f"{names[0]}, {unit}", f"{names[1]}, {unit}"],
        rows=[[kind.label, kind.before, kind.after] for kind in kinds],
        height=top,
        marks=marks,
    )


def _key(names: tuple[str, str]) -> tuple[list[Mark], int]:
    """What the two bars are, in one line or in two, and where the picture begins below."""
    apart = len("".join(names)) > CHARACTERS - 12
    across, down = (0.0, LINE) if apart else (0.4, 0)
    marks: list[Mark] = [
        *(Bar(0, 0.06, 4, 14, TEAL, "second"), Words(0.06, 16, names[0], shift=6)),
        *(Bar(across, across + 0.06, 4 + down, 14), Words(across + 0.06, 16 + down, names[1], shift=6)),
    ]
    return marks, 34 + down


def paired_change(*, finding: str, what: str, shifts: Sequence[Shift], ends: tuple[str, str]) -> Picture:
    """Where each statement stood before and after: a ring, a dot, and the way between them. `ends` are the words
    for the lowest and the highest place."""
    marks: list[Mark] = [
        *(Dot(0.03, 11, 7, hollow=True), Words(0.03, 16, "Before", shift=14)),
        *(Dot(0.43, 11, 7), Words(0.43, 16, "After", shift=14)),
    ]
    top = 34
    for shift in shifts:
        told, top = written(shift.label, top)
        marks += [*told, *_shift(shift, top + 15)]
        top += 30 + GAP
    # On a small screen both ends may not fit beside each other.
    below = LINE if len(" ".join(ends)) > CHARACTERS else 0
    marks += [
        Words(0, top + 14, ends[0], fill=QUIET),
        Words(1, top + 14 + below, ends[1], anchor="end", fill=QUIET),
    ]
    return Picture(
        finding=finding,
        description=f"A line for each statement from {ends[0].lower()} to {ends[1].lower()}: {what}. "
        + _told((one.label, f"{one.before_words} before, {one.after_words} after") for one in shifts),
        head=["Statement", "Before", "After"],
        rows=[[one.label, one.before_words, one.after_words] for one in shifts],
        height=top + LINE + below,
        marks=marks,
    )


def timeline(*, finding: str, stretches: Sequence[Stretch], today: date) -> Picture:
    """What happened and will happen, one line for each thing, over the same days; today is a dashed line."""
    spans = [span for one in stretches for span in one.spans]
    first = min([today, *(start for start, _ in spans)])
    last = max([today, *(end for _, end in spans)])
    length = (last - first).days + 1
    now = (_place(today, first, length) + _place(today + timedelta(days=1), first, length)) / 2
    marks: list[Mark] = [Words(now, 16, "Today", anchor=_anchor(now), fill=ACCENT)]
    top = 24
    for one in stretches:
        told, top = written(one.label, top)
        marks += [*told, Bar(0, 1, top + 8, 4, TRACK, "track")]
        for start, end in one.spans:
            left, right = _place(start, first, length), _place(end + timedelta(days=1), first, length)
            marks.append(_stretch(left, right, top, planned=one.planned, single=start == end))
        marks.append(Line(now, now, top - 2, top + 22, ACCENT, dashes="6 4", name="target"))
        top += 20 + GAP
    marks += [
        Words(0, top + 12, day(first), fill=QUIET),
        Words(1, top + 12, day(last), anchor="end", fill=QUIET),
    ]
    return Picture(
        finding=finding,
        description=f"Lines over the days from {day(first)} to {day(last)}, today marked. "
        + _told((one.label, ", ".join(_days(span) for span in one.spans) or "none") for one in stretches),
        head=["What", "When"],
        rows=[[one.label, _days(span)] for one in stretches for span in one.spans],
        height=top + LINE,
        marks=marks,
    )


def _stretch(left: float, right: float, top: int, *, planned: bool, single: bool) -> Mark:
    if single:
        return Dot((left + right) / 2, top + 10, 6, hollow=planned)
    fill, name = (TEAL, "second") if planned else (BLUE, "bar")
    return Bar(left, right, top + 3, 14, fill, name)


def _bars(
    finding: str, shows: str, steps: Sequence[Step], *, base: int | None, head: Sequence[str], scale: int
) -> Picture:
    marks: list[Mark] = []
    top = 0
    for step in steps:
        told, top = written(step.label, top)
        marks += [*told, *_bar(step.value, top + 4, THICK, scale, BLUE, base=base)]
        top += THICK + 4 + GAP
    return Picture(
        finding=finding,
        description=f"{shows} " + _told((step.label, str(_figure(step.value, base))) for step in steps),
        head=[*head, "Share"] if base else head,
        rows=[[step.label, step.value, *([_share(step.value, base)] if base else [])] for step in steps],
        height=top,
        marks=marks,
    )


def _bar(
    value: Cell, top: int, thick: int, scale: int, fill: str, *, base: int | None = None, name: str = "bar"
) -> list[Mark]:
    down = top + thick // 2 + 6
    if isinstance(value, str):
        return [Words(0, down, f"{value} {NOT_SHOWN}", fill=QUIET)]
    reach = ROOM * value / scale if scale else 0.0
    figure = Words(reach, down, _figure(value, base), shift=8 if value else 0, bold=True)
    return [Bar(0, reach, top, thick, fill, name), figure] if value else [figure]


def _shift(shift: Shift, down: int) -> list[Mark]:
    marks: list[Mark] = [Line(0.03, 0.97, down, down, TRACK, 4, name="track")]
    before, after = (None if at is None else 0.03 + at * 0.94 for at in (shift.before, shift.after))
    if before is not None and after is not None:
        marks.append(Line(min(before, after), max(before, after), down, down, BLUE, 4, name="way"))
    if before is not None:
        marks.append(Dot(before, down, 11 if before == after else 8, hollow=True))
    if after is not None:
        marks.append(Dot(after, down, 6 if before == after else 8))
    if before is None and after is None:
        marks.append(Words(0.5, down + 5, NOT_SHOWN, anchor="middle", fill=INK))
    return marks


def _figure(value: Cell, base: int | None) -> str:
    if isinstance(value, str):
        return f"{value} {NOT_SHOWN}"
    return f"{value:,} ({percent(value / base)})" if base else f"{value:,}"


def _share(value: Cell, base: int) -> str:
    return value if isinstance(value, str) else percent(value / base)


def _top(steps: Sequence[Step]) -> int:
    return max((step.value for step in steps if isinstance(step.value, int)), default=0)


def _told(pairs: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{label}: {words}" for label, words in pairs) + "."


def _place(on: date, first: date, length: int) -> float:
    return (on - first).days / length


def _days(span: tuple[date, date]) -> str:
    start, end = span
    return day(start) if start == end else f"{day(start)} to {day(end)}"


def _anchor(share: float) -> str:
    return "start" if share < 0.15 else "end" if share > 0.85 else "middle"
