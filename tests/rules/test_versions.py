"""Versions: frozen for ever, replaced by new ones; waves that fit each other; tools; what differs, in words."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from privacy.audit import AuditEntry
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.differences import changes
from surveys.documents import Unsound
from surveys.models import Mode, Respondent, Version, Wave
from surveys.questionnaires import Questionnaire, load, load_definition
from surveys.sittings import Asking
from surveys.structure import ROLES
from tests.conftest import Stack

POINTS = "[{code: low, label: Low, score: 1}, {code: high, label: High, score: 2}]"


def wave(code: str, *questions: str, head: str = "", title: str = "A page") -> Questionnaire:
    asked = ", ".join(questions)
    return load(
        f"code: {code}\ntitle: {code}\nwaves: [{code}]\n{head}\nsections:\n  - code: only\n    title: Only\n"
        f"    pages: [{{code: first, title: {title}, questions: [{asked}]}}]\n",
        name="t.yaml",
    )


def scale(text: str = "How sure are you", *, options: str = POINTS, more: str = "") -> str:
    return f"{{code: sure, kind: scale, measure: sure, text: {text}, options: {options}{more}}}"


def publish(db: DbSession, clock: Clock, *questionnaires: Questionnaire) -> Sequence[tuple[int, bool]]:
    with unit_of_work(db, clock, "system:test") as work:
        return versions.publish_together(work, questionnaires)


def answer(db: DbSession, clock: Clock, wave: Wave, **answers: Any) -> None:
    respondent_id = new_id()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Respondent(id=respondent_id, audience="lead_member"))
        work.db.flush()
        asking = Asking(respondent_id=respondent_id, wave=wave, role="lead_member")
        responses.submit_answers(work, asking, answers=answers, mode=Mode.PAPER)


def test_a_version_is_frozen_with_its_hash_and_a_line_in_the_trail(db: DbSession, clock: Clock) -> None:
    publish(db, clock, wave("interim", scale()))
    (version,) = db.scalars(select(Version)).all()
    assert json.loads(version.body)["code"] == "interim"
    assert len(version.hash) == 64
    (line,) = db.scalars(select(AuditEntry).where(AuditEntry.action == "questionnaire.published")).all()
    assert (line.object, json.loads(line.details)) == (
        f"version:{version.id}",
        {"code": "interim", "number": 1},
    )


def test_waves_that_change_together_are_published_together(db: DbSession, clock: Clock) -> None:
    publish(db, clock, wave("baseline", scale()), wave("post", scale()))
    one, other = wave("baseline", scale("How certain are you")), wave("post", scale("How certain are you"))
    with pytest.raises(Unsound, match="the measure sure differs in wording for lead_member, unlike in post"):
        publish(db, clock, one)
    assert publish(db, clock, one, other) == [(2, True), (2, True)]
    assert publish(db, clock, one, other) == [(2, False), (2, False)]


@pytest.mark.parametrize("code", ["interim", "feedback"])
def test_of_many_who_publish_at_once_each_gets_a_number(
    stack: Stack, db: DbSession, clock: Clock, code: str
) -> None:
    """From the very first version on, where there is no row yet that could be locked."""

    def act(number: int) -> tuple[int, bool]:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            return publish(own, clock, wave(code, scale(f"Number {number}")))[0]

    with ThreadPoolExecutor(max_workers=12) as pool:
        made = list(pool.map(act, range(24)))
    assert sorted(made) == [(number, True) for number in range(1, 25)]


def test_processes_that_start_at_once_publish_what_is_shipped_once(
    stack: Stack, db: DbSession, clock: Clock
) -> None:
    def start(_: int) -> list[tuple[str, int]]:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            return versions.publish_shipped(own, clock)

    with ThreadPoolExecutor(max_workers=8) as pool:
        made = [one for published in pool.map(start, range(8)) for one in published]
    assert sorted(made) == sorted((code, 1) for code in versions.SHIPPED)


def test_all_or_none(db: DbSession, clock: Clock) -> None:
    publish(db, clock, wave("baseline", scale()))
    with pytest.raises(Unsound):
        publish(db, clock, wave("feedback", scale()), wave("post", scale("Other words")))
    assert [one.code for one in versions.in_force(db)] == ["baseline"]


@pytest.mark.parametrize(
    "later",
    [
        scale(options="[{code: high, label: High, score: 2}, {code: low, label: Low, score: 1}]"),
        scale(options=POINTS.replace("score: 2", "score: 5")),
        scale(options=POINTS.replace("High", "Higher")),
        scale("How very sure are you"),
    ],
    ids=["order", "score", "label", "wording"],
)
def test_a_measure_that_differs_needs_a_reason_that_stands_under_the_figures(
    db: DbSession, clock: Clock, later: str
) -> None:
    publish(db, clock, wave("baseline", scale()))
    with pytest.raises(Unsound, match="only > first > sure: the measure sure"):
        publish(db, clock, wave("post", later))
    because = later.removesuffix("}") + ", differs: The pilot showed that nobody understood it}"
    publish(db, clock, wave("post", because))
    assert versions.measure_differences(db, Wave.BASELINE, Wave.POST) == [
        ("sure", "The pilot showed that nobody understood it")
    ]
    assert versions.measure_differences(db, "post", "baseline") == [
        ("sure", "The pilot showed that nobody understood it")
    ]


def test_interim_is_held_against_every_other_wave(db: DbSession, clock: Clock) -> None:
    publish(db, clock, wave("baseline", scale()), wave("post", scale()))
    with pytest.raises(Unsound, match="unlike in baseline"):
        publish(db, clock, wave("interim", scale("Else")))
    publish(db, clock, wave("interim", "{code: other, kind: text, text: What}"))


def test_figures_name_the_versions_where_nobody_gave_a_reason(db: DbSession, clock: Clock) -> None:
    publish(db, clock, wave("baseline", scale()), wave("post", scale()))
    answer(db, clock, Wave.BASELINE, sure="low")
    assert versions.measure_differences(db, Wave.BASELINE, Wave.POST) == []
    publish(db, clock, wave("baseline", scale("Now else")), wave("post", scale("Now else")))
    assert versions.measure_differences(db, Wave.BASELINE, Wave.POST) == [
        ("sure", "baseline 1 and post 2 ask it in different ways")
    ]


def test_a_reason_belongs_to_a_measure() -> None:
    with pytest.raises(Unsound, match="differs without a measure"):
        wave("post", "{code: a, kind: text, text: What, differs: So it is}")


def test_what_every_leader_is_asked_has_no_audience(db: DbSession, clock: Clock) -> None:
    only = "audience: [lead_member]"
    with pytest.raises(Unsound, match="is asked of everybody"):
        publish(db, clock, wave("baseline", scale(), head=only))
    publish(db, clock, wave("baseline", scale(), head=f"audience: [{', '.join(ROLES)}]"))
    publish(db, clock, wave("interim", scale(), head=only))
    assert not versions.current(db, code="interim").questionnaire.asks("council_leader")


def test_differences_between_roles_that_only_one_wave_asks_do_not_matter(db: DbSession, clock: Clock) -> None:
    chief = ", text_for: {chief_executive: As chief}"
    publish(db, clock, wave("baseline", scale(more=chief)))
    publish(db, clock, wave("interim", scale(), head="audience: [lead_member]"))


def test_tools_are_questionnaires_without_a_wave(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)
    (tool,) = versions.tools(db, role="scrutiny_chair")
    assert (tool.code, tool.number, tool.is_tool) == ("scrutiny_self_assessment", 1, True)
    assert versions.tools(db, role="chief_executive") == []
    second = replace(tool.questionnaire, code="first_of_all", title="A tool for all", audience=frozenset())
    publish(db, clock, second)
    assert [one.code for one in versions.tools(db, role="scrutiny_chair")] == [
        "first_of_all",
        "scrutiny_self_assessment",
    ]
    assert [one.code for one in versions.tools(db, role="chief_executive")] == ["first_of_all"]


@pytest.mark.parametrize("code", ["baseline", "interim"])
def test_a_tool_does_not_take_the_name_of_a_wave(db: DbSession, clock: Clock, code: str) -> None:
    tool = replace(load_definition("scrutiny_self_assessment"), code=code)
    with pytest.raises(Unsound, match="is the name of a wave"):
        publish(db, clock, tool)


def test_the_shipped_ones_fit_each_other() -> None:
    assert all(
        not found for found in versions.misfits(None, list(map(load_definition, versions.SHIPPED))).values()
    )


def told(before: Questionnaire, after: Questionnaire) -> list[tuple[str, str, str, str]]:
    return [(one.place, one.what, one.before, one.after) for one in changes(before, after)]


CHOICE = "{code: how, kind: choice, text: How was it, options: [%s]}"
GOOD, BAD, FAIR = "{code: good, label: Good}", "{code: bad, label: Bad}", "{code: fair, label: Fair}"


def choice(*options: str) -> Questionnaire:
    return wave("feedback", CHOICE % ", ".join(options))


@pytest.mark.parametrize(
    "after,expected",
    [
        (choice(GOOD, BAD), []),
        (choice(BAD, GOOD), [("Question how", "Order of the answers", "good, bad", "bad, good")]),
        (choice(GOOD, BAD, FAIR), [("Question how", "Answer fair", "", "Fair")]),
        (
            choice(GOOD.replace("label: Good", "label: Fine"), BAD),
            [("Question how", "Answer good", "Good", "Fine")],
        ),
        (
            choice(GOOD.replace("Good", "Good, score: 2"), BAD.replace("Bad", "Bad, score: 1")),
            [
                ("Question how", "Answer good", "Good", "Good (score 2)"),
                ("Question how", "Answer bad", "Bad", "Bad (score 1)"),
            ],
        ),
        (
            wave("feedback", "{code: how, kind: text, text: How was it}"),
            [
                ("Question how", "Kind", "One choice", "Short text"),
                ("Question how", "Answer good", "Good", ""),
                ("Question how", "Answer bad", "Bad", ""),
                ("Question how", "Order of the answers", "good, bad", ""),
                ("Question how", "Longest answer", "", "300 characters"),
            ],
        ),
        (
            wave("feedback", "{code: what, kind: text, text: What was it}"),
            [
                ("Question how", "Gone; answers that were given stay", "How was it", ""),
                ("Question what", "New", "", "What was it"),
            ],
        ),
        (
            wave("feedback", CHOICE % f"{GOOD}, {BAD}", head="audience: [lead_member]", title="Another"),
            [
                ("The questionnaire", "For", "every role", "lead member"),
                ("Page first", "Title", "A page", "Another"),
            ],
        ),
    ],
)
def test_differences_are_told_in_words(
    after: Questionnaire, expected: list[tuple[str, str, str, str]]
) -> None:
    found = told(choice(GOOD, BAD), after)
    if expected and expected[-1][1] == "Longest answer":
        assert set(expected) >= set(found)
        return
    assert found == expected


def test_conditions_are_told_in_words() -> None:
    condition = (
        "{all: [{question: how, is_in: [good, bad]}, {any: [{question: why, answered: true}, "
        "{not: {question: how, is: bad}}]}]}"
    )
    first = f"{CHOICE % f'{GOOD}, {BAD}'}, {{code: why, kind: text, text: Why}}"
    page = "{code: second, title: More, questions: [{code: more, kind: text, text: More%s}]}"

    def two(shown: str) -> Questionnaire:
        return load(
            "code: feedback\ntitle: F\nwaves: [feedback]\nsections: [{code: only, title: Only, pages: "
            f"[{{code: first, title: First, questions: [{first}]}}, {page % shown}]}}]",
            name="t.yaml",
        )

    assert told(two(""), two(f", show_if: {condition}")) == [
        (
            "Question more",
            "Shown",
            "",
            "if ‘How was it’ is ‘Good’ or ‘Bad’ and (‘Why’ was answered or ‘How was it’ is not ‘Bad’)",
        )
    ]


# ---- on the command line


def run(stack: Stack, *arguments: str | Path) -> tuple[int, str]:
    result = stack.app.test_cli_runner().invoke(args=["questionnaires", *map(str, arguments)])
    return result.exit_code, result.output


def test_check_lists_every_fault_with_its_place_and_line(
    stack: Stack, db: DbSession, clock: Clock, tmp_path: Path
) -> None:
    publish(db, clock, wave("baseline", scale()))
    path = tmp_path / "post.yaml"
    path.write_text(
        "code: post\ntitle: Post\nwaves: [post]\nsections:\n  - code: only\n    title: Only\n    pages:\n"
        "      - code: first\n        title: A page\n        questions:\n"
        f"          - {scale('Else')}\n          - {{code: B, kind: text, text: ''}}\n"
    )
    assert run(stack, "check", path) == (
        1,
        "Error: post.yaml can't be used:\n"
        "only > first > B: the code B must be small letters, digits and _, led by a letter, 40 at most (line 12)\n"
        "only > first > B: text is empty (line 12)\n"
        + "".join(
            f"only > first > sure: the measure sure differs in wording for {role}, unlike in baseline. Ask it the "
            "same way, or say why not with differs (line 11)\n"
            for role in ROLES
        ),
    )


def test_a_json_file_is_as_good(stack: Stack, db: DbSession, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "interim.json"
    question = {"code": "a", "kind": "text", "text": "What"}
    page = {"code": "p", "title": "P", "questions": [question]}
    section = {"code": "s", "title": "S", "pages": [page]}
    path.write_text(
        json.dumps({"code": "interim", "title": "I", "waves": ["interim"], "sections": [section]}),
        encoding="utf-8-sig",
    )
    assert run(stack, "check", path) == (0, "interim: 1 questions on 1 pages, no fault\n")
    assert run(stack, "publish", path) == (0, "interim 1 published\n")
    assert run(stack, "publish", path) == (0, "interim 1 is in force already\n")
    (listed,) = json.loads(run(stack, "list", "--json")[1])["questionnaires"]
    assert (listed["code"], listed["version"], listed["responses"]) == ("interim", 1, 0)
