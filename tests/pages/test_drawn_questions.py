"""A question that was drawn once, with somebody's choice put in, is what its macro draws for them."""

import pytest
from flask import current_app
from markupsafe import Markup
from sqlalchemy.orm import Session as DbSession

from portal.models import Role
from portal.views.drawn_questions import Sheet, questions, sheet
from portal.views.question_fields import fields
from privacy.records import new_id
from surveys import versions
from surveys.models import Wave
from surveys.questions import Cleaned, Posted, Question, Value
from surveys.sittings import Asking, Sitting
from tests.conftest import Stack

PLACES = {"role": "Lead member", "council": "<Northshire & Co>", "session": "the session on 3 March 2023"}


def drawn_anew(page: Sheet, answers: dict[str, Value | None], typed: Posted | None) -> list[Markup]:
    shown = fields(page.questions, role=page.role, places=PLACES, answers=answers, typed=typed)
    module = current_app.jinja_env.get_template("questionnaires/_question.html").module
    return [module.question(one, size=page.size) for one in shown]  # type: ignore[attr-defined]  # a macro


# No database has a part in it.
@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_what_was_drawn_once_is_what_the_macro_draws(stack: Stack, db: DbSession) -> None:
    versions.publish_shipped(db, stack.clock)
    compared = 0
    with stack.app.app_context():
        for published in versions.in_force(db):
            wave = Wave(published.questionnaire.waves[0]) if published.questionnaire.waves else Wave.TOOL
            asking = Asking(respondent_id=new_id(), wave=wave, role=Role.LEAD_MEMBER.value)
            sitting = Sitting(asking, published, None)
            for stop in sitting.path.pages:
                page = sheet(sitting, stop, places=PLACES)
                for number in range(-1, max((len(one.listed()) for one in stop.questions), default=0)):
                    answers = _nth(stop.questions, number)
                    typed = {code: [str(value)] for code, value in answers.items() if isinstance(value, str)}
                    for sent in (None, typed):
                        ready = questions(page, answers=answers, typed=sent, errors=[])
                        assert ready == drawn_anew(page, answers, sent)
                        compared += len(ready)
    assert compared > 500


def _nth(shown: tuple[Question, ...], number: int) -> dict[str, Value | None]:
    """The option with this number of every question that has so many and takes one of them; for -1 none."""
    return {
        one.code: one.listed()[number].code
        for one in shown
        if one.kind != "choices" and 0 <= number < len(one.listed())
    }


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True)
def test_no_choice_stays_from_one_person_to_the_next_and_none_that_is_not_offered_is_drawn(
    stack: Stack, db: DbSession
) -> None:
    versions.publish_shipped(db, stack.clock)
    asking = Asking(respondent_id=new_id(), wave=Wave.BASELINE, role=Role.LEAD_MEMBER.value)
    sitting = Sitting(asking, versions.current(db, code="baseline"), None)
    page = sheet(sitting, sitting.path.pages[0], places=PLACES)
    code = page.questions[0].code
    with stack.app.app_context():

        def checked(value: str | None) -> int:
            return questions(page, answers={code: value}, typed=None, errors=[])[0].count(" checked")

        assert [checked(value) for value in ("very", None, "fairly", 'very" x="', "")] == [1, 0, 1, 0, 0]
        [wrong, *_] = questions(
            page, answers={}, typed={code: ["very"]}, errors=[Cleaned(error="Choose one", input=code)]
        )
        assert "Choose one" in wrong
        assert wrong.count(" checked") == 1
