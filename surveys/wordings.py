"""The words of a questionnaire, each under a key of its own, so that they can be corrected one by one.

    title                                   page/<page>/title, page/<page>/intro
    section/<section>/title                 question/<question>/text, .../hint, .../error
    question/<question>/text_for/<role>     question/<question>/option/<option>

A correction changes words and nothing else: no code, kind, score, condition, limit or order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from surveys.kinds import Listed
from surveys.questions import Question
from surveys.structure import Page, Questionnaire, Section

WHAT = {
    "title": "Title",
    "intro": "Introduction",
    "text": "Wording",
    "hint": "Hint",
    "error": "Message when it is missing",
}


@dataclass(frozen=True)
class Key:
    """A key taken apart. `part` is what an editing page is about, such as `question/legal_duties`."""

    text: str

    @property
    def part(self) -> str:
        return "/".join(self.text.split("/")[:2])

    @property
    def what(self) -> str:
        """What the words are, to people."""
        match self.text.split("/"):
            case [*_, "text_for", role]:
                return f"Wording for a {role.replace('_', ' ')}"
            case [*_, "option", option]:
                return f"Answer {option}"
            case [*_, last]:
                return WHAT[last]
        raise KeyError(self.text)


def wordings(questionnaire: Questionnaire) -> dict[str, str]:
    """All words by key, in the order of the document; empty where a hint or an intro could stand."""
    return dict(_walk(questionnaire))


def _walk(questionnaire: Questionnaire) -> Iterator[tuple[str, str]]:
    yield "title", questionnaire.title
    for section in questionnaire.sections:
        yield f"section/{section.code}/title", section.title
        for page in section.pages:
            yield f"page/{page.code}/title", page.title
            yield f"page/{page.code}/intro", page.intro
            for question in page.questions:
                yield from _of_question(question)


def _of_question(question: Question) -> Iterator[tuple[str, str]]:
    place = f"question/{question.code}"
    yield f"{place}/text", question.text
    for role, text in question.text_for.items():
        yield f"{place}/text_for/{role}", text
    yield f"{place}/hint", question.hint
    if question.asks:
        yield f"{place}/error", question.error
    for option in question.listed():
        yield f"{place}/option/{option.code}", option.label


def reworded(questionnaire: Questionnaire, words: Mapping[str, str]) -> Questionnaire:
    """The same questionnaire with other words under these keys; keys that it doesn't have do nothing."""
    if not words:
        return questionnaire
    sections = tuple(_section(section, words) for section in questionnaire.sections)
    return replace(questionnaire, title=words.get("title", questionnaire.title), sections=sections)


def _section(section: Section, words: Mapping[str, str]) -> Section:
    pages = tuple(_page(page, words) for page in section.pages)
    return replace(section, title=words.get(f"section/{section.code}/title", section.title), pages=pages)


def _page(page: Page, words: Mapping[str, str]) -> Page:
    return replace(
        page,
        title=words.get(f"page/{page.code}/title", page.title),
        intro=words.get(f"page/{page.code}/intro", page.intro),
        questions=tuple(_question(question, words) for question in page.questions),
    )


def _question(question: Question, words: Mapping[str, str]) -> Question:
    place = f"question/{question.code}"
    changes: dict[str, Any] = {
        name: words.get(f"{place}/{name}", getattr(question, name)) for name in ("text", "hint", "error")
    }
    changes["text_for"] = {
        role: words.get(f"{place}/text_for/{role}", text) for role, text in question.text_for.items()
    }
    if isinstance(question, Listed):
        changes["options"] = tuple(
            replace(option, label=words.get(f"{place}/option/{option.code}", option.label))
            for option in question.options
        )
    return replace(question, **changes)


def only_wording(before: Questionnaire, after: Questionnaire) -> dict[str, str] | None:
    """The words that make `before` into `after`, by key; None if they differ in more than words."""
    was, now = wordings(before), wordings(after)
    changed = {key: text for key, text in now.items() if was.get(key) != text}
    return changed if reworded(before, changed) == after else None


def in_other_wave(key: str, one: Questionnaire, other: Questionnaire) -> str | None:
    """The key of the same words in another wave that shares the measure: a question's, or its page's.

    None where they aren't shared, or already differ there.
    """
    kind, _, rest = key.partition("/")
    code, _, last = rest.partition("/")
    theirs = {measure: (page.code, question.code) for measure, page, question in other.measured()}
    for measure, page, question in one.measured():
        if measure in theirs and (
            (kind == "page" and page.code == code) or (kind == "question" and question.code == code)
        ):
            found = f"{kind}/{theirs[measure][kind == 'question']}/{last}"
            return found if wordings(other).get(found) == wordings(one).get(key) else None
    return None
