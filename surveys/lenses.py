"""A lens: what a figure asks of one version of a questionnaire, as somebody in one role is asked it. Pure.

A figure over many people asks for a handful of questions. Whether one counts is decided by its page's and its own
show_if, which look at earlier questions, and these at earlier ones: only those are read out of an answer, and only
those are walked. What comes out is what the whole path says of them (surveys/routing.py).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, cast
from uuid import UUID

import msgspec

from surveys.conditions import Condition
from surveys.questionnaires import Questionnaire
from surveys.questions import Value
from surveys.versions import Published

Picked = Mapping[str, Value | None]
"""The answers that count, by code; None, or no key, for what is off the path or was left empty."""
_Step = tuple[str, tuple[Condition, ...]]


@dataclass(frozen=True)
class Wanted:
    """What a figure needs: scores on measures, and the answers to questions by their codes."""

    measures: tuple[str, ...]
    codes: tuple[str, ...] = ()


class Lens:
    """Looks at answers for what is wanted; a measure that the questionnaire lacks has no score."""

    def __init__(self, questionnaire: Questionnaire, *, role: str | None, wanted: Wanted) -> None:
        self._carried: dict[str, tuple[str, dict[Any, float], float | None]] = {}
        for measure, _, question in questionnaire.measured():
            if measure in wanted.measures:
                scores = {one.code: one.score for one in question.listed() if one.score is not None}
                self._carried[measure] = question.code, scores, max(scores.values(), default=None)
        codes = {code for code, _, _ in self._carried.values()}
        self.read = reader(questionnaire, role=role, codes={*codes, *wanted.codes})

    def score(self, measure: str, picked: Picked) -> float | None:
        """The score on a measure; None without a scored answer."""
        carried = self._carried.get(measure)
        return None if carried is None else carried[1].get(picked.get(carried[0]))

    def stands(self, measure: str, picked: Picked) -> tuple[float | None, bool]:
        """The score on a measure, and whether it is the highest there is, so that no rise can follow."""
        carried = self._carried.get(measure)
        if carried is None:
            return None, False
        code, scores, top = carried
        score = scores.get(picked.get(code))
        return score, score is not None and score == top


class Lenses:
    """One lens for each version and role, made when it is first asked for. A version goes by its id: a UUID, or the
    hex digits that SQLite keeps of one."""

    def __init__(self, versions: Mapping[UUID, Published], wanted: Wanted) -> None:
        self._versions: dict[UUID | str, Published] = {}
        for version_id, published in versions.items():
            self._versions[version_id] = self._versions[version_id.hex] = published
        self._wanted = wanted
        self._made: dict[tuple[UUID | str, str], Lens] = {}

    def of(self, version: UUID | str, role: str) -> Lens:
        found = self._made.get((version, role))
        if found is None:
            asked = self._versions[version].questionnaire
            found = self._made[version, role] = Lens(asked, role=role, wanted=self._wanted)
        return found


def reader(
    questionnaire: Questionnaire, *, role: str | None, codes: Collection[str]
) -> Callable[[bytes], Picked]:
    """What reads the answers to these questions that count out of somebody's answers as JSON."""
    steps = _steps(questionnaire, role=role, codes=codes)
    # A dictionary with these keys and no others: what else was answered is passed over unread.
    fields: dict[str, Any] = dict.fromkeys((code for code, _ in steps), Any)
    parse: Callable[[bytes], Picked] = msgspec.json.Decoder(
        cast(Any, TypedDict)("some", fields, total=False)
    ).decode
    if not any(conditions for _, conditions in steps):
        return parse

    def read(answers: bytes) -> Picked:
        said = parse(answers)
        counting: dict[str, Value] = {}
        for code, conditions in steps:
            value = said.get(code)
            if value is not None and all(condition.holds(counting) for condition in conditions):
                counting[code] = value
        return {code: value for code, value in counting.items() if code in codes}

    return read


def _steps(questionnaire: Questionnaire, *, role: str | None, codes: Collection[str]) -> list[_Step]:
    """The questions that are asked for, and those they hang on, in their order with their conditions."""
    needed: dict[str, tuple[Condition, ...]] = {}
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if code in needed or code not in questionnaire.placed:
            continue
        page, question = questionnaire.placed[code]
        needed[code] = tuple(one for one in (page.show_if, question.show_if) if one is not None)
        waiting += [leaf.question for condition in needed[code] for leaf in condition.leaves()]
    return [
        (code, needed[code])
        for code, (_, question) in questionnaire.placed.items()
        if code in needed and question.asks and question.asked_of(role)
    ]
