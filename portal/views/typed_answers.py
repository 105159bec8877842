"""What a page of questions sent, in words: for a page that shows it to be copied, and does not know who was asked."""

import re
from collections.abc import Callable, Iterable, Iterator

from flask import request

from portal.views.context import session
from portal.views.question_fields import OWN
from surveys import versions
from surveys.questions import Question
from surveys.versions import Unpublished

PAGES = {"questionnaires.save"}
Words = Callable[[Iterable[tuple[str, str]]], list[tuple[str, str]]]


def is_sent() -> bool:
    """Whether this request sent a page of questions."""
    return request.endpoint in PAGES


def in_words(fields: Iterable[tuple[str, str]], *, otherwise: Words) -> list[tuple[str, str]]:
    """The words of each question with what was chosen or written there. What belongs to no question that is known is
    told as `otherwise` tells it; codes that are no option of theirs are left out."""
    asked = _asked(**(request.view_args or {}))
    sent = [(name, value) for name, value in fields if not name.startswith(OWN) and value.strip()]
    return list(_told(asked, sent, otherwise))


def written(fields: Iterable[tuple[str, str]]) -> list[str]:
    """What was written rather than chosen; where a question is not known any more, whatever was sent for it."""
    asked = _asked(**(request.view_args or {}))

    def is_chosen(name: str) -> bool:
        code, companion, part = _parts(name)
        question = asked.get(code)
        return part == "quote" or (question is not None and not companion and bool(question.listed()))

    return [
        value for name, value in fields if value.strip() and not name.startswith(OWN) and not is_chosen(name)
    ]


def _told(
    asked: dict[str, Question], fields: Iterable[tuple[str, str]], otherwise: Words
) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        code, companion, part = _parts(name)
        question = asked.get(code)
        if question is None:
            yield from otherwise([(name, value)])
            continue
        # Who was asked is not known, so neither is what stands in a placeholder.
        text = re.sub(r"\{\w+\}", "…", question.text)
        chosen = {option.code: option.label for option in question.listed()}
        if companion == ".":
            # What was written beside a choice; a box that was ticked beside a text is no words.
            if part == "detail":
                yield text, value
        elif companion or not chosen:
            yield (f"{text} ({part})" if companion else text), value
        elif value in chosen:
            yield text, chosen[value]


def _parts(name: str) -> tuple[str, str, str]:
    """The code of a question; behind a dot what stands beside its answer, behind a hyphen a part of it."""
    return name.partition(".") if "." in name else name.partition("-")


def _asked(*, wave: str = "", occasion: str = "", **_: object) -> dict[str, Question]:
    """The questions of the version that is in force now, by code."""
    try:
        found = versions.current(session(), code=occasion.rpartition("-")[0] if wave == "tool" else wave)
    except Unpublished:
        return {}
    return {one.code: one for page in found.questionnaire.pages for one in page.questions}
