"""What would mislead or stop somebody who answers a questionnaire, each fault with its place."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from surveys.conditions import Condition
from surveys.documents import Fault
from surveys.questions import CODE, Question, blank
from surveys.reach import can_be_reached
from surveys.structure import PLACES, ROLES, WAVES, Page, Questionnaire


def check(questionnaire: Questionnaire) -> list[Fault]:
    """Everything that would mislead or stop a person who answers it, in the order of the document."""
    faults = list(_whole(questionnaire))
    earlier: dict[str, Question] = {}
    for section in questionnaire.sections:
        faults += [*_code(section.code, section.code), *_text(section.code, "title", section.title, 100)]
        for page in section.pages:
            place = f"{section.code} > {page.code}"
            faults += _page(page, place, earlier)
            for question in page.questions:
                faults += _question(question, f"{place} > {question.code}", page, earlier, questionnaire)
            earlier |= {question.code: question for question in page.questions}
    return faults


def _whole(questionnaire: Questionnaire) -> Iterator[Fault]:
    place = questionnaire.code
    yield from _code(place, questionnaire.code)
    yield from _text(place, "title", questionnaire.title, 100)
    yield from _unknown(place, "wave", questionnaire.waves, WAVES)
    yield from _unknown(place, "role in audience", questionnaire.audience, ROLES)
    if not questionnaire.questions:
        yield Fault(place, "asks nothing")
    codes = {
        "question": [question.code for question in questionnaire.questions],
        "page": [page.code for page in questionnaire.pages],
        "section": [section.code for section in questionnaire.sections],
        "measure": [question.measure for question in questionnaire.questions if question.measure],
    }
    for what, used in codes.items():
        for code in dict.fromkeys(code for code in used if used.count(code) > 1):
            yield Fault(place, f"has the {what} {code} {used.count(code)} times")


def _page(page: Page, place: str, earlier: Mapping[str, Question]) -> Iterator[Fault]:
    yield from _code(place, page.code)
    yield from _text(place, "title", page.title, 150)
    if page.intro:
        yield from _text(place, "intro", page.intro, 1000)
    yield from _condition(place, page.show_if, earlier)
    if not any(question.asks for question in page.questions):
        yield Fault(place, "asks nothing: put what there is to read on a page with a question")
    scales = [question for question in page.questions if question.kind == "scale"]
    most = max(sum(question.asked_of(role) for question in scales) for role in ROLES)
    if most > 6:
        yield Fault(place, f"has {most} scale statements: six are the most that people read with care")


def _question(
    question: Question,
    place: str,
    page: Page,
    earlier: Mapping[str, Question],
    questionnaire: Questionnaire,
) -> Iterator[Fault]:
    yield from _code(place, question.code)
    yield from _text(place, "text", question.text, 300)
    for role, text in question.text_for.items():
        yield from _text(place, f"text_for {role}", text, 300)
    if question.hint:
        yield from _text(place, "hint", question.hint, 500)
    if question.error:
        yield from _text(place, "error", question.error, 200, PLACES | {"text"})
    yield from _unknown(place, "role in text_for", question.text_for, ROLES)
    yield from _unknown(place, "role in audience", question.audience, ROLES)
    yield from (Fault(place, message) for message in question.faults())
    if question.measure is not None:
        yield from _code(place, question.measure)
    if question.differs:
        yield from _text(place, "differs", question.differs, 300, frozenset())
        if question.measure is None:
            yield Fault(place, "has differs without a measure: only measures are compared between waves")
    yield from _condition(place, question.show_if, earlier)
    roles = [role for role in ROLES if questionnaire.asks(role) and question.asked_of(role)]
    if not roles and not set(question.audience) - set(ROLES):
        yield Fault(place, "is for roles that the questionnaire isn't for")
    elif not can_be_reached(page, question, questionnaire, roles):
        needed = "is required and can't" if question.required else "can't"
        yield Fault(place, f"{needed} be reached: no answers to what is asked before make its show_if true")


def _condition(place: str, condition: Condition | None, earlier: Mapping[str, Question]) -> Iterator[Fault]:
    for leaf in condition.leaves() if condition else ():
        asked = earlier.get(leaf.question)
        if asked is None or not asked.asks:
            yield Fault(place, f"show_if depends on {leaf.question}, which is no question on an earlier page")
        else:
            yield from _unknown(
                place,
                f"option of {asked.code} in show_if",
                leaf.options,
                [option.code for option in asked.listed()],
            )


def _code(place: str, code: str) -> Iterator[Fault]:
    if not CODE.fullmatch(code):
        yield Fault(
            place, f"the code {code} must be small letters, digits and _, led by a letter, 40 at most"
        )


def _text(place: str, name: str, text: str, limit: int, places: frozenset[str] = PLACES) -> Iterator[Fault]:
    if blank(text):
        yield Fault(place, f"{name} is empty")
    if len(text) > limit:
        yield Fault(place, f"{name} has {len(text)} characters: {limit} are the most")
    yield from _unknown(place, f"placeholder in {name}", re.findall(r"\{(\w+)\}", text), places)
    if re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
        yield Fault(place, f"{name} has a brace that belongs to no placeholder")


def _unknown(place: str, what: str, used: Iterable[str], known: Collection[str]) -> Iterator[Fault]:
    for name in used:
        if name not in known:
            yield Fault(place, f"has an unknown {what}, {name}")
