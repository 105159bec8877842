"""The questionnaires that come with the product."""

import pytest

from surveys.measures import ROLE_CONFIDENCE, paired_measures, score
from surveys.questionnaires import ROLES, Questionnaire, canonical, from_canonical, load_definition
from surveys.questions import Value, worded
from surveys.routing import first_unanswered, missing, on_path, path

BASELINE, POST, FEEDBACK = (load_definition(code) for code in ("baseline", "post", "feedback"))
ALL = pytest.mark.parametrize("questionnaire", [BASELINE, POST, FEEDBACK], ids=lambda q: q.code)
PLACES = {"role": "Lead Member", "council": "Northshire", "session": "your session on 3 March 2023"}


def confidence(questionnaire: Questionnaire) -> dict[str, str]:
    section = next(section for section in questionnaire.sections if section.code == "confidence")
    return {q.measure or "": q.code for page in section.pages for q in page.questions}


def filled(questionnaire: Questionnaire, **chosen: Value) -> dict[str, Value | None]:
    """The first option everywhere, unless another is chosen."""
    answers: dict[str, Value | None] = {}
    for question in questionnaire.questions:
        first = next((option.code for option in question.listed()), "Some words")
        answers[question.code] = chosen.get(question.code, [first] if question.kind == "choices" else first)
    return answers


@ALL
def test_it_is_published_as_it_was_written(questionnaire: Questionnaire) -> None:
    assert questionnaire.waves == (questionnaire.code,)
    assert from_canonical(canonical(questionnaire)) == questionnaire


@pytest.mark.parametrize("role", ROLES)
def test_it_keeps_to_its_time(role: str) -> None:
    """7 seconds a statement, 20 a choice or a short text, 60 a long text; both branches counted."""
    assert BASELINE.seconds(role=role) < 6 * 60
    assert POST.seconds(role=role) < 8 * 60
    assert FEEDBACK.seconds(role=role) < 3 * 60


def test_both_waves_ask_the_same_confidence_statements_in_the_same_way() -> None:
    assert paired_measures(BASELINE, POST) == []
    assert confidence(BASELINE) == confidence(POST)
    assert 12 <= len(confidence(BASELINE)) <= 15
    assert next(iter(confidence(BASELINE))) == ROLE_CONFIDENCE


def test_wording_differs_where_the_job_differs() -> None:
    duties = {question.code: question for question in BASELINE.questions}["legal_duties"]

    assert len({worded(duties, role=role, places={}).text for role in ROLES}) == len(ROLES)


@ALL
@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_finish_it(questionnaire: Questionnaire, role: str) -> None:
    answers = filled(questionnaire)
    way = path(questionnaire, answers, role=role)

    assert first_unanswered(way, answers) is None
    assert missing(way, answers) == ()
    for stop in way.pages:
        assert all(worded(question, role=role, places=PLACES).text for question in stop.questions)


def test_a_rise_in_role_confidence_shows() -> None:
    before = filled(BASELINE, role_confidence="slightly")
    after = filled(POST, role_confidence="very")

    assert score(BASELINE, before, measure=ROLE_CONFIDENCE, role="lead_member") == 2
    assert score(POST, after, measure=ROLE_CONFIDENCE, role="lead_member") == 4


def test_the_example_of_impact_is_asked_of_those_who_have_one() -> None:
    example = {"impact_changed", "impact_for", "impact_when", "impact_evidence", "impact_part"}

    with_one = on_path(POST, filled(POST, impact_have="yes"), role="chief_executive")
    without = on_path(POST, filled(POST, impact_have="no"), role="chief_executive")

    assert example <= set(with_one)
    assert "impact_hindered" not in with_one
    assert not example & set(without)
    assert "impact_hindered" in without


def test_the_scrutiny_tool_can_be_finished_by_those_it_is_for() -> None:
    tool = load_definition("scrutiny_self_assessment")
    answers = filled(tool)

    assert tool.waves == ()
    assert [role for role in ROLES if tool.asks(role)] == ["scrutiny_chair", "committee_member"]
    assert first_unanswered(path(tool, answers, role="scrutiny_chair"), answers) is None
    assert tool.seconds(role="scrutiny_chair") < 5 * 60
