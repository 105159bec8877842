"""The path: what is shown, what may be visited, what is missing, what counts (case Q-d)."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from surveys.conditions import Answered, Condition, Every, Is, Not, Some
from surveys.kinds import Choice, Choices, Information, Text, YesNo
from surveys.measures import score, scores
from surveys.questionnaires import ROLES, Page, Questionnaire, Section, canonical, check, from_canonical, load
from surveys.questions import Option, Question, Value
from surveys.routing import first_unanswered, may_visit, missing, on_path, path, progress

OPTIONS = tuple(Option(code=code, label=code.upper(), score=number) for number, code in enumerate("abc"))


def page(*questions: Question, code: str = "", show_if: Condition | None = None) -> Page:
    return Page(
        code=code or f"page_{questions[0].code}", title="A page", questions=questions, show_if=show_if
    )


def of_pages(*pages: Page) -> Questionnaire:
    return Questionnaire(
        code="tiny", title="Tiny", sections=(Section(code="only", title="Only", pages=pages),)
    )


def yes_no(code: str, show_if: Condition | None = None) -> YesNo:
    return YesNo(code=code, text=code, show_if=show_if, required=True)


def text(code: str, show_if: Condition | None = None) -> Text:
    return Text(code=code, text=code, show_if=show_if, required=True)


def shown(
    questionnaire: Questionnaire, answers: dict[str, Value | None], role: str = "lead_member"
) -> list[str]:
    return [q.code for stop in path(questionnaire, answers, role=role).pages for q in stop.questions]


FOLLOWED = of_pages(
    page(yes_no("have")),
    page(text("what", Is("have", ("yes",)))),
    page(text("why", Answered("what"))),
    page(text("last")),
)


def test_a_follow_up_goes_when_its_answer_goes_and_comes_back_with_it() -> None:
    answers: dict[str, Value | None] = {"have": "yes", "what": "this", "why": "so", "last": "end"}
    assert shown(FOLLOWED, answers) == ["have", "what", "why", "last"]

    answers["have"] = "no"
    assert shown(FOLLOWED, answers) == ["have", "last"]
    assert on_path(FOLLOWED, answers, role="lead_member") == {"have": "no", "last": "end"}
    assert missing(path(FOLLOWED, answers, role="lead_member"), answers) == ()

    answers["have"] = "yes"
    assert on_path(FOLLOWED, answers, role="lead_member") == answers


def test_each_role_sees_its_own_questions() -> None:
    both = of_pages(
        page(Text(code="a", text="a", audience=frozenset({"lead_member"}))),
        page(Text(code="b", text="b", audience=frozenset({"chief_executive"}))),
    )

    assert shown(both, {}, "lead_member") == ["a"]
    assert shown(both, {}, "chief_executive") == ["b"]


def test_a_page_with_nothing_left_to_answer_is_left_out() -> None:
    mixed = of_pages(
        page(yes_no("have")),
        page(Information(code="note", text="Read"), text("what", Is("have", ("yes",)))),
        page(text("all_of_it"), code="whole", show_if=Is("have", ("yes",))),
        page(text("last")),
    )

    assert shown(mixed, {"have": "no"}) == ["have", "last"]
    assert shown(mixed, {"have": "yes"}) == ["have", "note", "what", "all_of_it", "last"]


def test_only_pages_answered_and_the_next_one_may_be_visited() -> None:
    answers: dict[str, Value | None] = {"have": "yes", "what": "this"}
    way = path(FOLLOWED, answers, role="lead_member")

    assert first_unanswered(way, answers) == 2
    assert [may_visit(way, answers, number) for number in range(-1, 5)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert progress(way, answers) == (2, 4)
    assert [(index, question.code) for index, question in missing(way, answers)] == [(2, "why"), (3, "last")]


def test_an_optional_page_is_done_once_it_was_saved_empty() -> None:
    optional = of_pages(page(Text(code="a", text="a")), page(Text(code="b", text="b")))
    way = path(optional, {}, role=None)

    assert first_unanswered(way, {}) == 0
    assert first_unanswered(way, {"a": None}) == 1
    assert first_unanswered(way, {"a": None, "b": None}) is None
    assert all(may_visit(way, {"a": None, "b": None}, number) for number in (0, 1))
    assert on_path(optional, {"a": None, "b": None}, role=None) == {}


def test_a_condition_on_several_choices_asks_whether_the_option_is_among_them() -> None:
    several = of_pages(
        page(Choices(code="q", text="q", options=OPTIONS)),
        page(text("one", Is("q", ("b",)))),
        page(text("either", Is("q", ("a", "c")))),
        page(text("neither", Not(Some((Is("q", ("a",)), Is("q", ("b",))))))),
        page(text("both", Every((Is("q", ("a",)), Is("q", ("b",)))))),
    )

    assert shown(several, {"q": ["b", "c"]}) == ["q", "one", "either"]
    assert shown(several, {"q": ["a", "b"]}) == ["q", "one", "either", "both"]
    assert shown(several, {"q": None}) == ["q", "neither"]


def test_a_score_is_that_of_the_option_on_the_path() -> None:
    points = (*OPTIONS, Option(code="prefer_not", label="Prefer not to say", apart=True))
    measured = of_pages(
        page(yes_no("have")),
        page(Choice(code="q", text="q", measure="m", options=points, show_if=Is("have", ("yes",)))),
    )

    assert score(measured, {"have": "yes", "q": "c"}, measure="m", role=None) == 2
    assert score(measured, {"have": "yes", "q": "prefer_not"}, measure="m", role=None) is None
    assert score(measured, {"have": "yes", "q": None}, measure="m", role=None) is None
    assert scores(measured, {"have": "no", "q": "c"}, role=None) == {"m": None}


# Any sound questionnaire, any answers: what must hold of every path.


@st.composite
def conditions(draw: st.DrawFn, earlier: list[Question]) -> Condition:
    asked = draw(st.sampled_from(earlier))
    codes = [option.code for option in asked.listed()]
    leaves: list[st.SearchStrategy[Condition]] = [st.just(Answered(asked.code))]
    if codes:
        options = st.lists(st.sampled_from(codes), min_size=1, max_size=2, unique=True)
        leaves.append(options.map(lambda chosen: Is(asked.code, tuple(chosen))))
    leaf = st.one_of(leaves)
    make: Callable[[list[Condition]], Condition] = draw(
        st.sampled_from([lambda parts: Every(tuple(parts)), lambda parts: Some(tuple(parts))])
    )
    joined = st.lists(leaf, min_size=1, max_size=3).map(make)
    return draw(st.one_of(leaf, leaf.map(Not), joined))


@st.composite
def questions(draw: st.DrawFn, code: str, earlier: list[Question]) -> Question:
    kinds: list[type[Question]] = [Text, YesNo, Choice, Choices]
    kind = draw(st.sampled_from(kinds))
    shared: dict[str, Any] = {
        "code": code,
        "text": f"Question {code}",
        "required": draw(st.booleans()),
        "audience": draw(st.sampled_from([frozenset(), frozenset(ROLES[:1]), frozenset(ROLES[1:3])])),
        "show_if": draw(st.none() | conditions(earlier)) if earlier else None,
    }
    if kind in (Choice, Choices):
        shared["options"] = OPTIONS
    return kind(**shared)


@st.composite
def questionnaires(draw: st.DrawFn) -> Questionnaire:
    pages: list[Page] = []
    earlier: list[Question] = []
    for number in range(draw(st.integers(1, 6))):
        own = [draw(questions(f"q{number}_{place}", earlier)) for place in range(draw(st.integers(1, 3)))]
        guard = draw(st.none() | conditions(earlier)) if earlier else None
        pages.append(page(*own, code=f"page_{number}", show_if=guard))
        earlier += own
    return of_pages(*pages)


def values(question: Question) -> st.SearchStrategy[Value | None]:
    codes = [option.code for option in question.listed()]
    if isinstance(question, Choices):
        return st.none() | st.lists(st.sampled_from(codes), min_size=1, unique=True).map(sorted)
    return st.none() | (st.sampled_from(codes) if codes else st.just("words"))


@st.composite
def asked(draw: st.DrawFn) -> tuple[Questionnaire, dict[str, Value | None], str]:
    questionnaire = draw(questionnaires())
    answers = {q.code: draw(values(q)) for q in questionnaire.questions if draw(st.booleans())}
    return questionnaire, answers, draw(st.sampled_from(ROLES))


@given(asked())
def test_of_any_questionnaire_and_any_answers(
    case: tuple[Questionnaire, dict[str, Value | None], str],
) -> None:
    questionnaire, answers, role = case
    way = path(questionnaire, answers, role=role)
    on_way = [question for stop in way.pages for question in stop.questions]
    codes = [question.code for question in on_way]

    # In the order of the definition, nothing twice, nothing for another role.
    order = [question.code for question in questionnaire.questions]
    assert codes == [code for code in order if code in set(codes)]
    assert all(question.asked_of(role) for question in on_way)

    # What counts is exactly what was answered on the path, and counting it again changes nothing.
    counting = on_path(questionnaire, answers, role=role)
    assert counting == {code: answers[code] for code in codes if answers.get(code) is not None}
    assert path(questionnaire, counting, role=role).pages == way.pages

    # Nothing off the path is required.
    assert {question.code for _, question in missing(way, answers)} <= set(codes)

    # Everything allowed to be visited is on the path, and the next page is among it.
    first = first_unanswered(way, answers)
    assert first is None or may_visit(way, answers, first)
    assert (first is None) == (progress(way, answers)[0] == len(way.pages))

    # A published version routes as the file did.
    assert path(from_canonical(canonical(questionnaire)), answers, role=role) == way


@given(asked())
def test_answering_page_after_page_comes_to_an_end(
    case: tuple[Questionnaire, dict[str, Value | None], str],
) -> None:
    questionnaire, given_answers, role = case
    saved: dict[str, Value | None] = {}
    for _ in range(len(questionnaire.pages)):
        way = path(questionnaire, saved, role=role)
        index = first_unanswered(way, saved)
        if index is None:
            break
        before = way.pages[: index + 1]
        for question in way.pages[index].questions:
            first_option = next((option.code for option in question.listed()), "words")
            fallback: Value = [first_option] if isinstance(question, Choices) else first_option
            saved[question.code] = given_answers.get(question.code) or fallback
        # Saving a page changes neither it nor what came before.
        assert path(questionnaire, saved, role=role).pages[: index + 1] == before
    assert first_unanswered(path(questionnaire, saved, role=role), saved) is None
    assert missing(path(questionnaire, saved, role=role), saved) == ()


def test_sixty_questions_with_forty_conditions_are_routed() -> None:
    pages = [page(*(yes_no(f"q{number}_{place}") for place in range(4))) for number in range(5)]
    pages += [
        page(*(yes_no(f"q{number}_{place}", Is(f"q{number - 5}_{place}", ("yes",))) for place in range(4)))
        for number in range(5, 15)
    ]
    big = of_pages(*pages)
    assert check(big) == []
    answers: dict[str, Value | None] = {question.code: "yes" for question in big.questions}
    assert len(on_path(big, answers, role="lead_member")) == 60
    answers["q0_0"] = "no"
    assert len(on_path(big, answers, role="lead_member")) == 58


def test_a_page_may_be_shown_on_a_condition_of_its_own() -> None:
    read = load(
        """
code: tiny
title: Tiny
sections:
  - code: only
    title: Only
    pages:
      - {code: one, title: One, questions: [{code: a, kind: yes_no, text: Is it so}]}
      - code: two
        title: Two
        show_if: {question: a, is: yes}
        questions: [{code: b, kind: text, text: Why}]
""",
        name="tiny.yaml",
    )

    assert shown(read, {"a": "no"}) == ["a"]
    assert shown(read, {"a": "yes"}) == ["a", "b"]
