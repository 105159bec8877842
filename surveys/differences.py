"""What is different between two questionnaires, in words and in the order in which it is read.

Answers are kept by code: a question or an option that goes, comes or changes its kind or score matters to
whoever compares answers given before and after, so each is told by its code.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from surveys.phrases import condition, described, roles
from surveys.structure import Page, Questionnaire

Told = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One difference. `before` is empty for what is new, `after` for what is gone."""

    place: str
    what: str
    before: str
    after: str


def changes(before: Questionnaire, after: Questionnaire) -> list[Change]:
    """Every difference; none where both ask the same in the same words."""
    return [*_whole(before, after), *_pages(before, after), *_questions(before, after)]


def _whole(before: Questionnaire, after: Questionnaire) -> Iterator[Change]:
    def told(one: Questionnaire) -> Told:
        return {
            "Title": one.title,
            "Waves": ", ".join(one.waves) or "none: a self-assessment tool",
            "For": roles(one.audience),
            "Sections": ", ".join(f"{section.code} ({section.title})" for section in one.sections),
        }

    yield from _differences("The questionnaire", told(before), told(after))


def _pages(before: Questionnaire, after: Questionnaire) -> Iterator[Change]:
    def told(one: Questionnaire) -> dict[str, Told]:
        return {
            page.code: {
                "Section": section.code,
                "Title": page.title,
                "Introduction": page.intro,
                "Shown": f"if {condition(page.show_if, one)}" if page.show_if else "",
            }
            for section in one.sections
            for page in section.pages
        }

    yield from _each("Page", told(before), told(after), key="Title")
    yield from _order("Order of the pages", list(told(before)), list(told(after)))


def _questions(before: Questionnaire, after: Questionnaire) -> Iterator[Change]:
    def told(one: Questionnaire) -> dict[str, Told]:
        return {
            code: {**described(question, page, one), "Page": page.code}
            for code, (page, question) in one.placed.items()
        }

    yield from _each("Question", told(before), told(after), key="Wording")
    for page in after.pages:
        earlier = next((old for old in before.pages if old.code == page.code), None)
        if earlier is not None:
            yield from _order(f"Order of questions on page {page.code}", _codes(earlier), _codes(page))


def _codes(page: Page) -> list[str]:
    return [question.code for question in page.questions]


def _each(kind: str, was: Mapping[str, Told], now: Mapping[str, Told], *, key: str) -> Iterator[Change]:
    for code, one in was.items():
        if code not in now:
            yield Change(f"{kind} {code}", "Gone; answers that were given stay", one[key], "")
    for code, one in now.items():
        if code in was:
            yield from _differences(f"{kind} {code}", was[code], one)
        else:
            yield Change(f"{kind} {code}", "New", "", one[key])


def _differences(place: str, was: Told, now: Told) -> Iterator[Change]:
    for what in dict.fromkeys((*was, *now)):
        before, after = was.get(what, ""), now.get(what, "")
        # An answer that is gone or new changes the list of them too; only another order is worth a line.
        if before != after and not (what == "Order of the answers" and not _moved(before, after)):
            yield Change(place, what, before, after)


def _moved(before: str, after: str) -> bool:
    was, now = before.split(", "), after.split(", ")
    return [code for code in was if code in now] != [code for code in now if code in was]


def _order(place: str, was: list[str], now: list[str]) -> Iterator[Change]:
    if _moved(", ".join(was), ", ".join(now)):
        yield Change(place, "Order", ", ".join(was), ", ".join(now))
