"""What a page of questions sent, in words: for a page that shows it to be copied, and does not know who was asked."""

import re
from collections.abc import Iterable, Iterator

from flask import request

from portal.views.context import session
from portal.views.question_fields import OWN
from surveys import versions
from surveys.questions import Question
from surveys.versions import Unpublished

PAGES = {"questionnaires.save"}


def is_sent() -> bool:
    """Whether this request sent a page of questions."""
    return request.endpoint in PAGES


def in_words(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The words of each question with what was chosen or written there; codes that no question has are left out."""
    asked = _asked(**(request.view_args or {}))
    return list(_told(asked, [(name, value) for name, value in fields if not name.startswith(OWN)]))


def _told(asked: dict[str, Question], fields: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in fields:
        code, _, part = name.partition("-")
        question = asked.get(code)
        if question is None or not value.strip():
            continue
        # Who was asked is not known, so neither is what stands in a placeholder.
        text = re.sub(r"\{\w+\}", "…", question.text)
        chosen = {option.code: option.label for option in question.listed()}
        if part or not chosen:
            yield (f"{text} ({part})" if part else text), value
        elif value in chosen:
            yield text, chosen[value]


def _asked(*, wave: str = "", occasion: str = "", **_: object) -> dict[str, Question]:
    """The questions of the version that is in force now, by code."""
    try:
        found = versions.current(session(), code=occasion.rpartition("-")[0] if wave == "tool" else wave)
    except Unpublished:
        return {}
    return {one.code: one for page in found.questionnaire.pages for one in page.questions}
