"""Item by item: how each statement of confidence moved, for the team, by strand and role.

The people are those of the KPIs: whose last questionnaire has closed, each once, with what they sent in time. Several
statements are tested side by side, so how many were is said with them: among twenty, one is under 5 % by chance.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session as DbSession

from portal.models import Role, Strand
from portal.programme import Programme
from portal.results.census import Census
from surveys import versions
from surveys.lenses import Wanted
from surveys.models import Wave
from surveys.pairs import Said
from surveys.shifts import Shift, shift
from surveys.versions import Scale

BEFORE_AND_AFTER = (Wave.BASELINE, Wave.POST)


@dataclass(frozen=True, kw_only=True)
class Item:
    """One statement; `scale` has the words for its points, `differs` why it is asked in another way than before."""

    measure: str
    text: str
    scale: Scale
    shift: Shift
    differs: str


@dataclass(frozen=True, kw_only=True)
class Items:
    """Every statement that both waves share, in the order of the later one. `people` answered in time, of `base`."""

    items: Sequence[Item]
    people: int
    base: int

    @property
    def tested(self) -> int:
        return sum(item.shift.change.p_value is not None for item in self.items)


def items(
    db: DbSession, programme: Programme, *, strand: Strand, role: Role | None = None, as_of: date
) -> Items:
    """How each statement moved among those of a strand, in one role or all; as it stood at the end of a day."""
    asked = _asked(db)
    census = Census(db, programme, as_of=as_of)
    base = {
        part.id
        for part in census.base(db).values()
        if part.strand == strand and role in (None, part.audience)
    }
    pairs: dict[str, Counter[tuple[float, float]]] = {measure: Counter() for measure in asked}
    people = 0
    for part, closing, said in census.told(db, wanted=Wanted(measures=tuple(asked))):
        if part.id in base and said.latest(Wave.POST, closing) is not None:
            people += 1
            for measure, pair in _scores(said, closing, asked):
                pairs[measure][pair] += 1
    differences = dict(versions.measure_differences(db, *BEFORE_AND_AFTER))
    return Items(
        items=[
            Item(
                measure=measure,
                text=text,
                scale=scale,
                shift=shift(pairs[measure], scores=_points(scale, pairs[measure])),
                differs=differences.get(measure, ""),
            )
            for measure, (text, scale) in asked.items()
        ],
        people=people,
        base=len(base),
    )


def _asked(db: DbSession) -> Mapping[str, tuple[str, Scale]]:
    """The measures of the post questionnaire that the baseline has too, with their words and points."""
    shared: set[str] | None = None
    found: dict[str, tuple[str, Scale]] = {}
    published = {one.code: one.questionnaire for one in versions.in_force(db)}
    for wave in BEFORE_AND_AFTER:
        if wave not in published:
            return {}
        measured = {measure: question for measure, _, question in published[wave].measured()}
        shared = set(measured) if shared is None else shared & set(measured)
        found = {
            measure: (
                question.text,
                sorted((one.score, one.label) for one in question.listed() if one.score is not None),
            )
            for measure, question in measured.items()
            if measure in shared
        }
    return found


def _points(scale: Scale, pairs: Iterable[tuple[float, float]]) -> list[float]:
    """The points of the scale, with those that only an older version had."""
    return sorted({score for score, _ in scale} | {score for pair in pairs for score in pair})


def _scores(
    said: Said, closing: tuple[datetime, datetime], measures: Iterable[str]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """What somebody scored both times, in time."""
    baseline, post = said.latest(Wave.BASELINE, closing), said.latest(Wave.POST, closing)
    if baseline is not None and post is not None:
        for measure in measures:
            before, after = baseline.score(measure), post.score(measure)
            if before is not None and after is not None:
                yield measure, (before, after)
