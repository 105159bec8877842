"""What each kind of question accepts, says when it can't, shows and exports (case Q-g)."""

import pytest

from surveys.kinds import Choice, Choices, Date, Information, LongText, Number, Scale, Text, YesNo
from surveys.questions import (
    Answers,
    Option,
    Question,
    Value,
    clean,
    counted,
    display,
    export,
    fill,
    worded,
)

POINTS = (
    Option(code="low", label="Not confident", score=1),
    Option(code="high", label="Confident", score=2),
    Option(code="prefer_not", label="Prefer not to say", apart=True),
)
COLOURS = (
    Option(code="red", label="Red"),
    Option(code="blue", label="Blue"),
    Option(code="other", label="Another colour", detail=True),
    Option(code="none", label="None of these", apart=True),
)
SCALE = Scale(code="q", text="How do you feel?", options=POINTS)
CHOICE = Choice(code="q", text="Which colour?", options=COLOURS)
CHOICES = Choices(code="q", text="Which colours?", options=COLOURS)
YES_NO = YesNo(code="q", text="Is it so?")
TEXT = Text(code="q", text="What is it?")
LONG = LongText(code="q", text="What happened?")
NUMBER = Number(code="q", text="How many?", min=-10, max=2000)
DATE = Date(code="q", text="When was it?")


def post(**fields: str | list[str]) -> dict[str, list[str]]:
    return {key.replace("__", "."): [text] if isinstance(text, str) else text for key, text in fields.items()}


@pytest.mark.parametrize(
    "question,posted,value",
    [
        (SCALE, post(q="low"), "low"),
        (YES_NO, post(q="yes"), "yes"),
        (CHOICE, post(q="other"), "other"),
        (CHOICES, post(q=["blue", "red", "blue"]), ["red", "blue"]),
        (CHOICES, post(q=[""]), None),
        (TEXT, post(q="Níamh 🦉 O’Shea"), "Níamh 🦉 O’Shea"),
        (TEXT, post(q="one\r\ntwo"), "one two"),
        (LONG, post(q="one\r\ntwo\rthree"), "one\ntwo\nthree"),
        (LONG, post(q="=1+1"), "=1+1"),
        (LONG, post(q=" kept as typed "), " kept as typed "),
        (NUMBER, post(q="1,200"), 1200),
        (NUMBER, post(q=" −5 "), -5),
        (NUMBER, post(q=""), None),
        (DATE, post(q__day="3", q__month="March", q__year="2023"), "2023-03-03"),
        (DATE, post(q__day="03", q__month="sept", q__year="2023"), "2023-09-03"),
        (DATE, post(q__day="29", q__month="2", q__year="2024"), "2024-02-29"),
        (DATE, post(q__day=" ", q__month="", q__year=""), None),
        (SCALE, {}, None),
        (DATE, {}, None),
    ],
)
def test_an_answer_is_read(question: Question, posted: dict[str, list[str]], value: Value | None) -> None:
    cleaned = clean(question, posted)

    assert (cleaned.error, cleaned.value) == (None, value)
    assert cleaned.stored["q"] == value


@pytest.mark.parametrize(
    "question,posted,error,at",
    [
        (SCALE, post(q="middle"), "Choose one of the listed answers to ‘How do you feel’", "q"),
        (SCALE, post(q=["low", "high"]), "Give one answer to ‘How do you feel’, not 2", "q"),
        (CHOICES, post(q=["red", "green"]), "Choose one of the listed answers to ‘Which colours’", "q"),
        (
            CHOICES,
            post(q=["red", "none"]),
            "Choose either ‘None of these’ or other answers to ‘Which colours’",
            "q",
        ),
        (
            CHOICE,
            post(q="other", q__detail="x" * 301),
            "‘Which colour’ must be 300 characters or fewer. You have written 301",
            "q.detail",
        ),
        (TEXT, post(q=["a", "b"]), "Give one answer to ‘What is it’, not 2", "q"),
        (
            LONG,
            post(q="x" * 10_000),
            "‘What happened’ must be 4,000 characters or fewer. You have written 10,000",
            "q",
        ),
        (NUMBER, post(q="12.5"), "‘How many’ must be a whole number, like 12", "q"),
        (NUMBER, post(q="9" * 5000), "‘How many’ must be a whole number, like 12", "q"),
        (NUMBER, post(q="2001"), "‘How many’ must be between -10 and 2,000", "q"),
        (
            DATE,
            post(q__day="29", q__month="2", q__year="2023"),
            "‘When was it’ must be a real date, like 3 March 2023",
            "q.day",
        ),
        (
            DATE,
            post(q__day="3", q__month="Ma", q__year="2023"),
            "‘When was it’ must be a real date, like 3 March 2023",
            "q.month",
        ),
        (
            DATE,
            post(q__day="3", q__month="3", q__year="23"),
            "‘When was it’ must be a real date, like 3 March 2023",
            "q.year",
        ),
        (DATE, post(q__day="3"), "‘When was it’ must have a month and a year", "q.month"),
    ],
)
def test_row_39_what_cannot_be_an_answer_gets_a_message(
    question: Question, posted: dict[str, list[str]], error: str, at: str
) -> None:
    cleaned = clean(question, posted)

    assert (cleaned.error, cleaned.input) == (error, at)
    assert cleaned.stored == {}


@pytest.mark.parametrize("bad", ["a\0b", "a\ud800b", "\udfff"])
@pytest.mark.parametrize("question", [TEXT, LONG, NUMBER, CHOICE, CHOICES, YES_NO], ids=lambda q: q.kind)
def test_characters_that_cannot_be_saved_get_a_message(question: Question, bad: str) -> None:
    cleaned = clean(question, {"q": [bad]})

    assert cleaned.error
    assert "has a character in it that can't be saved" in cleaned.error


@pytest.mark.parametrize(
    "empty", ["", "   ", "\t\r\n", "\u200b\u200d\ufeff", "\u00a0\u3164\u2800\ufe0f", "\x07"]
)
def test_what_nobody_can_see_is_no_answer(empty: str) -> None:
    assert clean(LONG, {"q": [empty]}).stored == {"q": None}


def test_length_counts_code_points_after_line_ends_are_made_one() -> None:
    question = LongText(code="q", text="What?", max_length=4)

    assert clean(question, post(q="🦉\r\n🦉\r")).error is None
    assert clean(question, post(q="🦉\r\n🦉\r\nx")).error


@pytest.mark.parametrize(
    "question,error,at",
    [
        (Scale(code="q", text="Reading data", options=POINTS), "Choose an answer to ‘Reading data’", "q"),
        (
            Scale(code="q", text="Reading data", options=POINTS, error="Choose how you feel in {text}"),
            "Choose how you feel in reading data",
            "q",
        ),
        (
            Scale(code="q", text="SEND services", options=POINTS, error="Choose how you feel in {text}"),
            "Choose how you feel in SEND services",
            "q",
        ),
        (Choices(code="q", text="Who?", options=COLOURS), "Choose at least one answer to ‘Who’", "q"),
        (LongText(code="q", text="What?"), "Write an answer to ‘What’", "q"),
        (Number(code="q", text="How many?"), "Enter a number for ‘How many’", "q"),
        (Date(code="q", text="When?"), "Enter a date for ‘When’", "q.day"),
    ],
)
def test_a_required_answer_that_is_missing_is_named(question: Question, error: str, at: str) -> None:
    required = type(question)(**{**vars(question), "required": True})

    cleaned = clean(required, {})

    assert (cleaned.error, cleaned.input) == (error, at)


def test_other_is_kept_but_counts_only_while_it_is_chosen() -> None:
    answers: Answers = clean(CHOICE, post(q="other", q__detail="mauve")).stored
    assert dict(counted(CHOICE, answers)) == {"q": "other", "q.detail": "mauve"}
    assert display(CHOICE, answers) == ["Another colour", "mauve"]

    switched = clean(CHOICE, post(q="red", q__detail="mauve")).stored
    assert switched["q.detail"] == "mauve"
    assert dict(counted(CHOICE, switched)) == {"q": "red"}
    assert display(CHOICE, switched) == ["Red"]


def test_a_text_may_be_quoted_only_where_it_was_allowed() -> None:
    question = LongText(code="q", text="What?", quote_consent=True)

    assert clean(question, post(q="This", q__quote="yes")).stored == {"q": "This", "q.quote": "yes"}
    assert clean(question, post(q="This")).stored == {"q": "This", "q.quote": None}
    assert dict(counted(question, {"q": None, "q.quote": "yes"})) == {}


def test_information_takes_no_answer() -> None:
    assert clean(Information(code="q", text="Read this"), post(q="x")).stored == {}
    assert export(Information(code="q", text="Read this"), {}) == {}


@pytest.mark.parametrize(
    "question,answers,lines,cells",
    [
        (SCALE, {"q": "high"}, ["Confident"], {"q": "high"}),
        (
            CHOICES,
            {"q": ["red", "other"], "q.detail": "mauve"},
            ["Red", "Another colour", "mauve"],
            {"q.red": 1, "q.blue": 0, "q.other": 1, "q.none": 0, "q.detail": "mauve"},
        ),
        (
            CHOICES,
            {"q": None},
            [],
            {"q.red": None, "q.blue": None, "q.other": None, "q.none": None, "q.detail": None},
        ),
        (NUMBER, {"q": -5}, ["-5"], {"q": -5}),
        (DATE, {"q": "2023-03-03"}, ["3 March 2023"], {"q": "2023-03-03"}),
        (TEXT, {}, [], {"q": None}),
    ],
)
def test_an_answer_is_read_back_and_exported(
    question: Question, answers: Answers, lines: list[str], cells: dict[str, Value | None]
) -> None:
    assert display(question, answers) == lines
    assert export(question, answers) == cells


def test_each_role_reads_its_own_wording_with_the_placeholders_filled() -> None:
    question = Text(
        code="q",
        text="Your work in {council}",
        text_for={"chief_executive": "Your duty to {council}"},
        error="Write about {text}",
        required=True,
    )
    places = {"council": "{session}", "session": "no"}

    assert worded(question, role="lead_member", places=places).text == "Your work in {session}"
    asked = worded(question, role="chief_executive", places={"council": "Northshire"})
    assert asked.text == "Your duty to Northshire"
    assert clean(asked, {}).error == "Write about your duty to Northshire"
    assert fill("nothing to fill", {}) == "nothing to fill"
