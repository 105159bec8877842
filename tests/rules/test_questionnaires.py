"""A questionnaire is read strictly; everything wrong with it is found at once, each with its place."""

from typing import Any

import pytest

from surveys.documents import MAX_CHARACTERS, Unsound
from surveys.measures import paired_measures
from surveys.questionnaires import (
    Questionnaire,
    canonical,
    content_hash,
    examine,
    from_canonical,
    load,
    load_definition,
    written,
)
from surveys.versions import SHIPPED


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


def scale(code: str, **keys: Any) -> str:
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
        ('a: "\\0"', "tiny.yaml: holds a character that can't be shown, in ‘□’"),
        ('a: "\\ud83d"', "tiny.yaml: holds a character that can't be shown, in ‘□’"),
        ("a: {" * 50 + "}" * 50, "tiny.yaml: is nested too deep"),
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
            "only > page_1 > a: options names an unknown list, nowhere (line",
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


@pytest.mark.parametrize(
    "text,message",
    [
        ('{"a": 1, "a": 2}', "tiny.json: the key a stands twice in one place"),
        ('{"a": NaN}', "tiny.json: NaN is no number"),
        ('{"a": 1e999}', "tiny.json: 1e999 is no number"),
        ('{"a":\n 1 2}', "line 2: Expecting ',' delimiter"),
        ('{"a": "\\ud83d"}', "tiny.json: holds a character that can't be shown"),
        ("[" * 100_000, "tiny.json: is nested too deep"),
        ("[]", "tiny.json: must be a list of keys with values"),
        ("code: a", "line 1: Expecting value"),
    ],
)
def test_broken_json_is_refused(text: str, message: str) -> None:
    (fault, *_) = examine(text, name="tiny.json").faults

    assert str(fault).startswith(message)


ONLY = "only > page_3 > c: "
NEVER = "can't be reached: no answers to what is asked before make its show_if true"
X, Y = "{code: x, label: X}", "{code: y, label: Y}"
IS_X, IS_Y, B_ANSWERED = "{question: a, is: x}", "{question: a, is: y}", "{question: b, answered: true}"


def asked(code: str, kind: str = "text", **keys: Any) -> str:
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    return f"{{code: {code}, kind: {kind}, text: {code.upper()}{more}}}"


A = asked("a", "choice", options=f"[{X}, {Y}]")


@pytest.mark.parametrize(
    "pages,fault",
    [
        # The way to b decides about a, so what contradicts it can never follow b.
        (
            [A, asked("b", show_if=IS_X), asked("c", show_if=f"{{all: [{B_ANSWERED}, {IS_Y}]}}")],
            ONLY + NEVER,
        ),
        # A required question is never left empty on the way.
        (
            [
                asked("a", "choice", options=f"[{X}, {Y}]", required="true"),
                asked("b"),
                asked("c", required="true", show_if="{not: {question: a, answered: true}}"),
            ],
            f"{ONLY}is required and {NEVER}",
        ),
        # Nobody is in both roles.
        (
            [
                f"{asked('a', 'choice', options=f'[{X}, {Y}]', audience='[lead_member]')}, {asked('z')}",
                f"{asked('b', audience='[lead_member]', show_if=IS_X)}, {asked('y')}",
                asked("c", required="true", audience="[chief_executive]", show_if=B_ANSWERED),
            ],
            f"{ONLY}is required and {NEVER}",
        ),
        # None of these and another answer are never chosen together.
        (
            [
                asked("a", "choices", options=f"[{X}, {Y.replace('Y', 'Y, apart: true')}]"),
                asked("b"),
                asked("c", show_if=f"{{all: [{IS_X}, {IS_Y}]}}"),
            ],
            ONLY + NEVER,
        ),
        ([A, asked("b", show_if=IS_X), asked("c", show_if=f"{{any: [{B_ANSWERED}, {IS_Y}]}}")], None),
    ],
    ids=["transitive", "required", "roles", "apart", "reachable"],
)
def test_a_question_that_nobody_can_reach_is_a_fault(pages: list[str], fault: str | None) -> None:
    found = [str(one).partition(" (line")[0] for one in examine(questionnaire(*pages), name="t.yaml").faults]

    assert found == ([fault] if fault else [])


def test_what_is_too_long_to_try_is_taken_for_reached() -> None:
    options = ", ".join(f"{{code: o{number}, label: O {number}}}" for number in range(8))
    pages = [f"{{code: a{page}, kind: choice, text: A, options: [{options}]}}" for page in range(8)]
    leaves = ", ".join(f"{{question: a{page}, is: o7}}" for page in range(8))
    never = f"{{all: [{leaves}, {{question: a0, is: o1}}]}}"

    assert (
        examine(questionnaire(*pages, f"{{code: b, kind: text, text: B, show_if: {never}}}"), name="t").faults
        == []
    )


@pytest.mark.parametrize("code", SHIPPED)
def test_a_questionnaire_is_written_as_a_file_that_reads_back_the_same(code: str) -> None:
    read = load_definition(code)

    assert load(written(read), name="t.yaml") == read
    assert load(canonical(read), name="t.json") == read
    assert written(load(written(read), name="t.yaml")) == written(read)


def test_a_file_keeps_what_reads_like_something_else() -> None:
    words = "[{code: yes, label: 'no', score: 0.5}, {code: nil, label: '007', score: -5}]"
    text = questionnaire(
        f"{{code: a, kind: choice, text: '2023-03-03', hint: '= : # {{role}}', options: {words}}}",
        '{code: b, kind: text, text: "Two\\nlines: ‘Ŵ’ 😀", show_if: {not: {question: a, is_in: [yes, nil]}}}',
        head="audience: [chief_executive, lead_member]",
    )
    read = load(text, name="t.yaml")

    assert load(written(read), name="t.yaml") == read


def test_a_score_is_a_plain_number() -> None:
    for score in ("0.1234567", "2000000"):
        text = questionnaire(scale("a", options=POINTS.replace("2", score)))
        assert (
            "only > page_1 > a: the score of high must be a plain number, 1,000,000 at most (line 8)"
            in faults(text)
        )


def test_faults_of_the_whole_and_of_its_parts_are_found_together() -> None:
    found = faults(
        questionnaire("{code: a, kind: text}", "{code: b, kind: text, text: ' '}", head="waves: [never]")
    )

    assert found == [
        "only > page_1 > a: has no text (line 8)",
        "tiny: has an unknown wave, never",
        "only > page_2 > b: text is empty (line 9)",
    ]


def test_a_question_for_nobody_is_a_fault() -> None:
    text = questionnaire(
        "{code: a, kind: text, text: To, audience: [lead_member]}", head="audience: [chief_executive]"
    )

    assert faults(text) == ["only > page_1 > a: is for roles that the questionnaire isn't for (line 8)"]


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
        "only > page_1 > a > high: score must be a number (line 8)"
    ]
