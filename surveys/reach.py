"""Whether anybody can come to a question: some answers, in some role, put it on the path.

What a condition names is itself asked only under conditions, so the way there is walked as routing walks it:
question after question, in the order of the document, with every answer that could matter tried. Where that
is too much to try, a question counts as reached.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from surveys.conditions import Answered, Condition, Is
from surveys.questions import Question
from surveys.structure import Page, Questionnaire

TRIES = 10_000
"""How many answers are tried for one question and role."""

Asked = tuple[Page, Question]


class _TooMany(Exception):
    """The answers that could matter are more than are tried."""


def can_be_reached(
    page: Page, question: Question, questionnaire: Questionnaire, roles: Iterable[str]
) -> bool:
    """Whether one of these roles can be shown the question, whatever they answer before it.

    Conditions on questions that there are not are other faults: then the answer is yes.
    """
    if not list(_leaves((page, question))):
        return True
    before = _before((page, question), questionnaire)
    if before is None:
        return True
    named: dict[str, set[str]] = {}
    for leaf in (leaf for asked in [*before, (page, question)] for leaf in _leaves(asked)):
        named.setdefault(leaf.question, set()).update(leaf.options)
    ways = {tuple(asked.asked_of(role) for _, asked in before) for role in roles}
    try:
        return any(_some_answers((page, question), before, way, named) for way in ways)
    except _TooMany:
        return True


def _conditions(asked: Asked) -> list[Condition]:
    return [one.show_if for one in asked if one.show_if is not None]


def _leaves(asked: Asked) -> Iterator[Is | Answered]:
    for condition in _conditions(asked):
        yield from condition.leaves()


def _shown(asked: Asked, answers: dict[str, Any]) -> bool:
    return all(condition.holds(answers) for condition in _conditions(asked))


def _before(target: Asked, questionnaire: Questionnaire) -> list[Asked] | None:
    """What the target hangs on, and what that hangs on, in the order it is asked; None if some isn't there."""
    found: set[str] = set()
    waiting = [target]
    while waiting:
        for leaf in _leaves(waiting.pop()):
            if leaf.question not in questionnaire.placed:
                return None
            if leaf.question not in found:
                found.add(leaf.question)
                waiting.append(questionnaire.placed[leaf.question])
    return [asked for code, asked in questionnaire.placed.items() if code in found]


def _some_answers(
    target: Asked, before: list[Asked], asked_of: tuple[bool, ...], named: dict[str, set[str]]
) -> bool:
    answers: dict[str, Any] = {}
    tries = 0

    def walk(number: int) -> bool:
        nonlocal tries
        tries += 1
        if tries > TRIES:
            raise _TooMany
        if number == len(before):
            return _shown(target, answers)
        asked = before[number]
        question = asked[1]
        situations: list[Any] = [None]
        if question.asks and asked_of[number] and _shown(asked, answers):
            situations = question.situations(named[question.code])
        for answer in situations:
            if answer is not None or not question.required or len(situations) == 1:
                answers[question.code] = answer
                if walk(number + 1):
                    return True
        answers.pop(question.code, None)
        return False

    return walk(0)
