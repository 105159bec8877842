"""A questionnaire is read strictly; everything wrong with it is found at once, each with its place."""

import pytest

from surveys.documents import MAX_CHARACTERS, Unsound
from surveys.measures import paired_measures
from surveys.questionnaires import Questionnaire, canonical, content_hash, from_canonical, load


def questionnaire(*pages: str, head: str = "") -> str:
    """A questionnaire of one section; each page is the YAML of its questions, in flow style."""
    body = "\n".join(
        f"      - {{code: page_{number}, title: A page, questions: [{questions}]}}"
        for number, questions in enumerate(pages, start=1)
    )
    return (
        f"code: tiny\ntitle: Tiny\n{head}\nsections:\n  - code: only\n    title: Only\n    pages:\n{body}\n"
    )


def faults(text: str) -> list[str]:
    with pytest.raises(Unsound) as refused:
        load(text, name="tiny.yaml")
    return [str(fault) for fault in refused.value.faults]


TEXT = "{code: a, kind: text, text: What}"
POINTS = "[{code: low, label: Low, score: 1}, {code: high, label: High, score: 2}]"
UNSCORED = "[{code: x, label: X}, {code: y, label: Y}]"
IS_YES = "{question: a, is: yes}"
YES = "{code: a, kind: yes_no, text: Is it so}"


def scale(code: str, **keys: str) -> str:
    more = "".join(f", {key}: {value}" for key, value in ({"options": POINTS} | keys).items())
    return f"{{code: {code}, kind: scale, text: Statement {code}{more}}}"


def test_a_sound_one_is_read() -> None:
    read = load(
        questionnaire(YES, "{code: b, kind: text, text: Why, show_if: {question: a, is: yes}}"), name="t"
    )

    assert [question.code for question in read.questions] == ["a", "b"]
    assert read.audience == frozenset()


@pytest.mark.parametrize(
    "text,message",
    [
        ("a: &x [1]\nb: *x", "line 1: anchors (&) and aliases (*) can't be used"),
        ("a: *x", "line 1: anchors (&) and aliases (*) can't be used"),
        ("a: 1\nb: 2\na: 3", "line 3: the key a stands twice"),
        ("a: !!python/object:os.system x", "line 1: tags (!) can't be used"),
        ("? [a]\n: b", "line 1: a key must be text"),
        ("a: [", "line 1: expected the node content"),
        ("a: \x00", "tiny.yaml: holds a character that YAML doesn't allow"),
        ("[" * 5000, "tiny.yaml: is nested too deep"),
        ("x" * (MAX_CHARACTERS + 1), f"tiny.yaml: is longer than {MAX_CHARACTERS:,} characters"),
        ("", "tiny.yaml: must be a list of keys with values"),
        ("- a", "tiny.yaml: must be a list of keys with values"),
    ],
)
def test_unsafe_or_broken_yaml_is_refused(text: str, message: str) -> None:
    assert faults(text)[0].startswith(message)


@pytest.mark.parametrize(
    "pages,fault",
    [
        (["{code: a, kind: riddle, text: What}"], "only > page_1 > a: kind must be one of"),
        (["{code: a, kind: text}"], "only > page_1 > a: has no text"),
        (
            ["{code: a, kind: text, text: What, colour: red}"],
            "only > page_1 > a: has an unknown key, colour",
        ),
        (["{code: a, kind: text, text: 5}"], "only > page_1 > a: text must be text"),
        (
            ["{code: a, kind: text, text: What, required: yes}"],
            "only > page_1 > a: required must be true or false",
        ),
        (["{code: A b, kind: text, text: What}"], "only > page_1 > A b: the code A b must be small letters"),
        ([f"{TEXT}, {TEXT}"], "tiny: has the question a 2 times"),
        (["{code: a, kind: text, text: ' '}"], "only > page_1 > a: text is empty"),
        ([f"{{code: a, kind: text, text: {'x' * 301}}}"], "only > page_1 > a: text has 301 characters"),
        (["{code: a, kind: text, text: 'To {nobody}'}"], "has an unknown placeholder in text, nobody"),
        (["{code: a, kind: text, text: 'To {'}"], "text has a brace that belongs to no placeholder"),
        (["{code: a, kind: text, text: To, text_for: {king: To}}"], "has an unknown role in text_for, king"),
        (["{code: a, kind: text, text: To, audience: [king]}"], "has an unknown role in audience, king"),
        (["{code: a, kind: text, text: To, max_length: 20000}"], "max_length must be between 1 and 10,000"),
        (["{code: a, kind: number, text: To, min: 3, max: 2}"], "has a min above its max"),
        (["{code: a, kind: text, text: To, measure: m}"], "has a measure, but text has no scores"),
        (["{code: a, kind: information, text: Read}"], "only > page_1: asks nothing"),
        (["{code: a, kind: choice, text: To, options: [{code: x, label: X}]}"], "has fewer than two options"),
        (
            ["{code: a, kind: choice, text: To, options: nowhere}"],
            "a: options names an unknown list, nowhere",
        ),
        (
            ["{code: a, kind: choice, text: To, options: [{code: x, label: X}, {code: x, label: Y}]}"],
            "has two options with the same code or label",
        ),
        (
            [f"{{code: a, kind: choice, text: To, measure: m, options: {UNSCORED}}}"],
            "has a measure, but an option without a score",
        ),
        (
            [scale("a", options="[{code: x, label: X, score: 1}, {code: y, label: Y}]")],
            "each with a score of its own",
        ),
        ([", ".join(scale(code) for code in "abcdefg")], "only > page_1: has 7 scale statements"),
        ([f"{scale('a', measure='m')}, {scale('b', measure='m')}"], "tiny: has the measure m 2 times"),
        (
            ["{code: b, kind: text, text: Why, show_if: {question: a, is: yes}}", YES],
            "only > page_1 > b: show_if depends on a, which is no question on an earlier page",
        ),
        (
            [YES + ", {code: b, kind: text, text: Why, show_if: {question: a, is: yes}}"],
            "show_if depends on a, which is no question on an earlier page",
        ),
        (
            [YES, "{code: b, kind: text, text: Why, show_if: {question: a, is: maybe}}"],
            "has an unknown option of a in show_if, maybe",
        ),
        (
            [YES, "{code: b, kind: text, text: Why, show_if: {question: a}}"],
            "show_if must be a question with",
        ),
        (
            [
                YES,
                f"{{code: b, kind: text, text: Why, show_if: {{all: [{IS_YES}, {{question: a, is: no}}]}}}}",
            ],
            "only > page_2 > b: can't be reached",
        ),
        (
            [
                "{code: a, kind: yes_no, text: To, audience: [lead_member]}, {code: z, kind: text, text: Z}",
                f"{{code: b, kind: text, text: To, audience: [chief_executive], show_if: {IS_YES}}}",
            ],
            "only > page_2 > b: can't be reached",
        ),
    ],
)
def test_every_fault_has_its_place(pages: list[str], fault: str) -> None:
    assert any(fault in found for found in faults(questionnaire(*pages)))


def test_faults_of_the_whole_and_of_its_parts_are_found_together() -> None:
    found = faults(
        questionnaire("{code: a, kind: text}", "{code: b, kind: text, text: ' '}", head="waves: [never]")
    )

    assert found == [
        "only > page_1 > a: has no text",
        "tiny: has an unknown wave, never",
        "only > page_2 > b: text is empty",
    ]


def test_a_question_for_nobody_is_a_fault() -> None:
    text = questionnaire(
        "{code: a, kind: text, text: To, audience: [lead_member]}", head="audience: [chief_executive]"
    )

    assert faults(text) == ["only > page_1 > a: is for roles that the questionnaire isn't for"]


def test_several_choices_can_meet_conditions_that_one_choice_could_not() -> None:
    options = "[{code: x, label: X}, {code: y, label: Y}, {code: z, label: Z}]"
    condition = "{all: [{question: a, is: x}, {question: a, is: y}, {not: {question: a, is: z}}]}"
    show = "{code: b, kind: text, text: To, show_if: " + condition + "}"

    several = load(questionnaire(f"{{code: a, kind: choices, text: To, options: {options}}}", show), name="t")

    assert len(several.questions) == 2
    assert any(
        "can't be reached" in found
        for found in faults(questionnaire(f"{{code: a, kind: choice, text: To, options: {options}}}", show))
    )


def test_an_option_list_is_shared_and_a_question_may_have_its_own_error() -> None:
    head = f"option_lists: {{points: {{error: 'Rate {{text}}', options: {POINTS}}}}}".replace("'", '"')
    read = load(
        questionnaire(
            scale("a", options="points") + "," + scale("b", options="points", error="Say b"), head=head
        ),
        name="t",
    )

    assert [question.error for question in read.questions] == ["Rate {text}", "Say b"]
    assert read.questions[0].listed() == read.questions[1].listed()


def test_the_canonical_form_comes_back_whole_and_hashes_the_same_however_it_was_written() -> None:
    condition = "{any: [{question: a, is_in: [yes]}, {not: {question: a, answered: true}}]}"
    text = questionnaire(YES, f"{{code: b, kind: text, text: Ŵhy, show_if: {condition}}}")
    turned = text.replace("code: b, kind: text", "kind: text, required: false, code: b")
    read = load(text, name="t")

    assert from_canonical(canonical(read)) == read
    assert content_hash(load(turned, name="t")) == content_hash(read)
    assert content_hash(load(text.replace("Ŵhy", "Why"), name="t")) != content_hash(read)
    with pytest.raises(Unsound):
        from_canonical("{}")


def wave(*questions: str, title: str = "A page") -> Questionnaire:
    return load(questionnaire(", ".join(questions)).replace("A page", title), name="t")


@pytest.mark.parametrize(
    "later,difference",
    [
        (wave(scale("a", measure="m")), []),
        (
            wave(
                scale("other_code", measure="m", text="x")
                .replace(", text: x", "")
                .replace("t other_code", "t a")
            ),
            [],
        ),
        (wave(scale("b", measure="m")), ["differs in wording for lead_member"]),
        (
            wave(scale("a", measure="m", text_for="{chief_executive: To}")),
            ["differs in wording for chief_executive"],
        ),
        (wave(scale("a", measure="m", audience="[lead_member]")), ["is asked of council_leader in one only"]),
        (wave(scale("a", measure="m", options=POINTS.replace("Low", "Lower"))), ["differs in its options"]),
        (wave(scale("a", measure="m", options=POINTS.replace("2", "3"))), ["differs in its options"]),
        (wave(scale("a", measure="m"), title="Another"), ["stands on pages with different titles"]),
        (wave(scale("a", measure="n")), ["shares no measure with tiny"]),
    ],
)
def test_a_measure_that_waves_share_is_asked_the_same_way(
    later: Questionnaire, difference: list[str]
) -> None:
    found = paired_measures(wave(scale("a", measure="m")), later)

    assert bool(found) == bool(difference)
    assert all(any(message in str(fault) for fault in found) for message in difference)


def test_what_could_not_be_read_is_not_found_wrong_again_for_the_want_of_it() -> None:
    assert faults(questionnaire(scale("a", options=POINTS.replace("2", "two")))) == [
        "only > page_1 > a > high: score must be a number"
    ]
