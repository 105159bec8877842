"""The questions of a page as HTML. What is the same for everybody who reads the same words is drawn once.

That holds for radios without a box to write in: all that is anybody's own there is which of them is chosen, and that is
put in for each request. Nothing that anybody said is kept, and a published version's words never change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from flask import current_app
from markupsafe import Markup

from portal.views.question_fields import fields
from surveys.questions import Answers, Cleaned, Posted, Question
from surveys.routing import Stop
from surveys.sittings import Sitting

KEPT_AT_MOST = 256
"""Pages as they are read; one has some 20 kB."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A page of a published questionnaire as somebody reads it; two are equal where every word is.

    `corrections` is how many of the version's corrections are laid over it, `filled_in` what stands for names in braces
    (`places`), empty where its questions have none.
    """

    version_id: UUID
    corrections: int
    page: str
    shown: tuple[str, ...]
    role: str
    filled_in: tuple[tuple[str, str], ...]
    places: Mapping[str, str] = field(compare=False, repr=False)
    questions: tuple[Question, ...] = field(compare=False, repr=False)

    @property
    def size(self) -> str:
        """Statements that stand together are set smaller."""
        return "s" if is_list_of_statements(self.questions) else "m"


@dataclass(frozen=True)
class Drawn:
    """One question with nothing chosen, and the codes that can be. A plain string: markup would look through each of
    its parts again."""

    html: str
    codes: frozenset[str]

    def with_chosen(self, code: object) -> Markup:
        if code not in self.codes:
            return Markup(self.html)  # nosec B704 - drawn by the macro, which escapes
        before, box, after = self.html.partition(f'type="radio" value="{code}"')
        return Markup(f"{before}{box} checked{after}")  # nosec B704 - the same


def is_list_of_statements(questions: Sequence[Question]) -> bool:
    return len(questions) > 1 and all(one.kind == "scale" for one in questions)


def sheet(sitting: Sitting, stop: Stop, *, places: Mapping[str, str]) -> Sheet:
    """The page of a sitting."""
    shown = tuple([one.code for one in stop.questions])
    words = (sitting.published.id, len(sitting.published.corrections), stop.code, shown)
    if words not in _with_places:
        _with_places[words] = any(
            "{" in text for one in stop.questions for text in (one.text, one.hint, *one.text_for.values())
        )
    return Sheet(
        version_id=words[0],
        corrections=words[1],
        page=stop.code,
        shown=shown,
        role=sitting.asking.role,
        filled_in=tuple(sorted(places.items())) if _with_places[words] else (),
        places=places,
        questions=stop.questions,
    )


# Of each page in its words and ways through it, whether anything is filled in; a questionnaire has a few dozen.
_with_places: dict[tuple[UUID, int, str, tuple[str, ...]], bool] = {}


def questions(
    page: Sheet,
    *,
    answers: Answers,
    typed: Posted | None,
    errors: Sequence[Cleaned],
) -> list[Markup]:
    """Every question of a page with what is stored, or typed, and what is wrong with it."""
    drawn = _drawn(page) if not errors else [None for _ in page.questions]
    own = [one for one, ready in zip(page.questions, drawn, strict=True) if ready is None]
    shown = iter(fields(own, role=page.role, places=page.places, answers=answers, typed=typed, errors=errors))
    return [
        _draw(next(shown), page.size) if ready is None else ready.with_chosen(_chosen(one, answers, typed))
        for one, ready in zip(page.questions, drawn, strict=True)
    ]


def _chosen(question: Question, answers: Answers, typed: Posted | None) -> object:
    if typed is None:
        return answers.get(question.code)
    given = typed.get(question.code, ())
    return given[-1] if given else None


@lru_cache(maxsize=KEPT_AT_MOST)
def _drawn(page: Sheet) -> list[Drawn | None]:
    return [
        Drawn(
            str(_draw(fields([one], role=page.role, places=page.places, answers={})[0], page.size)),
            frozenset(option.code for option in one.listed()),
        )
        if one.listed() and one.kind != "choices" and not one.companion_keys()
        else None
        for one in page.questions
    ]


def _draw(shown: object, size: str) -> Markup:
    module = current_app.jinja_env.get_template("questionnaires/_question.html").module
    drawn: Markup = module.question(shown, size=size)  # type: ignore[attr-defined]  # a macro of the template
    return drawn
