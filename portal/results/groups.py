"""The groups that the figures count, each by one rule: what a figure says is how many there are in its list."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from portal.results.census import Seen, Where
from surveys.pairs import Pair
from surveys.results import Verdict


@dataclass(frozen=True)
class Group:
    """Some of those who are supported. `words` follow a number; `opened`: who is in it follows from what they said,
    so that a list of it is a reading of their answers."""

    name: str
    words: str
    holds: Callable[[Seen], bool]
    opened: bool = False

    def count(self, counted: Counter[Seen]) -> int:
        return sum(number for seen, number in counted.items() if self.holds(seen))


def _closed(holds: Callable[[Seen], bool]) -> Callable[[Seen], bool]:
    return lambda seen: seen.where is Where.CLOSED and holds(seen)


def _in_time(holds: Callable[[Pair], bool]) -> Callable[[Seen], bool]:
    """Of those who answered in time, by what they said then."""
    return lambda seen: seen.in_time.answered and holds(seen.in_time)


def _ever(holds: Callable[[Pair], bool]) -> Callable[[Seen], bool]:
    """Of all who answered, in time or late, by what they said last."""
    return lambda seen: seen.ever.answered and holds(seen.ever)


def _is(where: Where) -> Callable[[Seen], bool]:
    return lambda seen: seen.where is where


def _verdict(verdict: Verdict | None) -> Callable[[Seen], bool]:
    return _in_time(lambda pair: pair.example and pair.verdict is verdict)


_GROUPS = (
    Group("supported", "supported", lambda seen: True),
    Group("running", "whose support still runs", _is(Where.RUNNING)),
    Group("open", "whose last questionnaire is open and not yet due", _is(Where.OPEN)),
    Group("erased", "whose data was erased", _is(Where.ERASED)),
    Group("restricted", "whose data is restricted for now", _is(Where.RESTRICTED)),
    Group("closed", "whose last questionnaire has closed", _is(Where.CLOSED)),
    Group("answered", "who answered in time", _in_time(lambda pair: True)),
    Group("silent", "who did not answer in time", _closed(lambda seen: not seen.in_time.answered)),
    Group("late", "who answered late", lambda seen: seen.ever.answered and not seen.in_time.answered),
    Group("partial", "who began and did not finish", lambda seen: seen.partial),
    Group("matched", "whose answers on confidence are known both times", _in_time(lambda pair: pair.matched)),
    Group("confident", "who are more confident than before", _in_time(lambda pair: pair.confident), True),
    Group(
        "stayed_at_top",
        "who were at the highest point before and stayed there",
        _in_time(lambda pair: pair.matched and pair.before == pair.after and pair.at_top_before),
        True,
    ),
    Group(
        "unchanged",
        "whose confidence did not change, below the highest point",
        _in_time(lambda pair: pair.matched and pair.before == pair.after and not pair.at_top_before),
        True,
    ),
    Group(
        "lower",
        "who are less confident than before",
        _in_time(lambda pair: pair.matched and not pair.confident and pair.before != pair.after),
        True,
    ),
    Group("direct", "who say that they feel more confident", _in_time(lambda pair: pair.says_more), True),
    Group(
        "at_top_before",
        "who were at the highest point before",
        _in_time(lambda pair: pair.at_top_before),
        True,
    ),
    Group("examples", "who say that they have an example", _in_time(lambda pair: pair.example), True),
    Group("waiting_for_verdict", "whose example waits for a verdict", _verdict(None), True),
    Group("partly", "whose example was accepted in part", _verdict(Verdict.PARTLY), True),
    Group("not_yet", "whose example was not accepted yet", _verdict(Verdict.NOT_YET), True),
    Group("impact", "whose example was accepted", _in_time(lambda pair: pair.impact), True),
    Group(
        "both",
        "who are more confident and whose example was accepted",
        _in_time(lambda pair: pair.confident and pair.impact),
        True,
    ),
    Group("all_answered", "who answered, in time or late", _ever(lambda pair: True)),
    Group(
        "all_matched",
        "whose answers on confidence are known both times, late ones too",
        _ever(lambda pair: pair.matched),
    ),
    Group(
        "all_confident", "who are more confident, late answers too", _ever(lambda pair: pair.confident), True
    ),
    Group("all_impact", "whose example was accepted, late ones too", _ever(lambda pair: pair.impact), True),
    Group(
        "all_both",
        "who are more confident and whose example was accepted, late ones too",
        _ever(lambda pair: pair.confident and pair.impact),
        True,
    ),
)
GROUPS: Mapping[str, Group] = MappingProxyType({group.name: group for group in _GROUPS})


def counts(counted: Counter[Seen]) -> dict[str, int]:
    """How many are in every group, by its name."""
    return {name: group.count(counted) for name, group in GROUPS.items()}
