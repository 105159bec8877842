"""A lens sees what the whole path says of the questions that it looks at, on any answers."""

import json

from hypothesis import given
from hypothesis import strategies as st

from surveys.conditions import Answered, Every, Is, Not, Some
from surveys.lenses import Lens, Wanted, reader
from surveys.questionnaires import ROLES, Questionnaire, load_definition
from surveys.questions import Value
from surveys.routing import on_path
from tests.rules.test_routing import of_pages, page, text, yes_no

TANGLED = of_pages(
    page(yes_no("a")),
    page(yes_no("b", Is("a", ("yes",)))),
    page(yes_no("c", Not(Is("b", ("yes",)))), text("d", Answered("b"))),
    page(yes_no("e"), code="whole", show_if=Every((Is("a", ("yes",)), Is("c", ("no",))))),
    page(text("f", Some((Is("e", ("yes",)), Answered("d"))))),
    page(text("class")),
)
CODES = tuple(TANGLED.placed)
ANSWERS = st.dictionaries(
    st.sampled_from((*CODES, "gone", "a.detail")), st.sampled_from(("yes", "no", None, "Words “é” 🙂"))
)


@given(ANSWERS, st.sets(st.sampled_from(CODES), min_size=1))
def test_any_questions_of_any_answers(answers: dict[str, Value | None], codes: set[str]) -> None:
    _same(TANGLED, answers, codes, role="lead_member")


SHIPPED = {code: load_definition(code) for code in ("baseline", "post", "interim", "feedback")}


@given(code=st.sampled_from(list(SHIPPED)), role=st.sampled_from(ROLES), data=st.data())
def test_what_is_shipped(code: str, role: str, data: st.DataObject) -> None:
    asked = SHIPPED[code]
    answers: dict[str, Value | None] = {
        question.code: data.draw(st.sampled_from((*[one.code for one in question.listed()], None)))
        for question in asked.questions
        if question.kind in ("scale", "choice", "yes_no")
    }
    _same(asked, answers, {one.code for one in asked.questions if one.kind != "information"}, role=role)
    wanted = tuple(measure for measure, _, _ in asked.measured())
    lens = Lens(asked, role=role, wanted=Wanted(measures=(*wanted, "unheard of")))
    picked = lens.read(json.dumps(answers).encode())
    for measure, _, question in asked.measured():
        assert lens.score(measure, picked) == question.score(
            on_path(asked, answers, role=role).get(question.code)
        )
    assert lens.score("unheard of", picked) is None


def _same(
    questionnaire: Questionnaire, answers: dict[str, Value | None], codes: set[str], *, role: str
) -> None:
    read = reader(questionnaire, role=role, codes=codes)(json.dumps(answers).encode())
    counting = on_path(questionnaire, answers, role=role)
    assert {code: value for code, value in read.items() if value is not None} == {
        code: value for code, value in counting.items() if code in codes
    }
