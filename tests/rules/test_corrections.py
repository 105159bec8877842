"""Corrections of wording: traced, with both wordings kept, in every wave of a measure, and never of meaning."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from privacy.audit import AuditEntry
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import corrections, responses, results, versions
from surveys.corrections import ChangedMeanwhile, NothingCorrected, NotInForce
from surveys.documents import Unsound
from surveys.models import Mode, Respondent, Version, Wave
from surveys.questionnaires import Questionnaire, content_hash, load
from surveys.questions import display
from surveys.sittings import Asking, read_back, sit
from surveys.wordings import only_wording, reworded, wordings
from tests.conftest import SetClock

FEEDBACK = """
code: feedback
title: How it was
waves: [feedback]
sections:
  - code: only
    title: Only
    pages:
      - code: first
        title: The session
        intro: About {session}.
        questions:
          - code: useful
            kind: choice
            text: Was it usefull?
            text_for: {lead_member: "Was it usefull to you, as Lead Member?"}
            required: true
            options:
              - {code: very, label: Verry, score: 2}
              - {code: little, label: A little, score: 1}
      - code: second
        title: More
        questions:
          - {code: more, kind: text, text: What else, hint: Anything}
"""
POINTS = "[{code: low, label: Low, score: 1}, {code: high, label: High, score: 2}]"


def measured(code: str, own: str = "sure") -> Questionnaire:
    return load(
        f"code: {code}\ntitle: {code}\nwaves: [{code}]\nsections: [{{code: s, title: S, pages: [{{code: p_{own}, "
        f"title: Surenes, questions: [{{code: {own}, kind: scale, measure: sure, text: How shure are you, "
        f"options: {POINTS}}}]}}]}}]",
        name="t.yaml",
    )


@pytest.fixture
def version_id(db: DbSession, clock: SetClock) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, load(FEEDBACK, name="feedback.yaml"))
    return versions.current(db, code="feedback").id


@pytest.fixture
def correct(db: DbSession, clock: SetClock) -> Callable[..., list[str]]:
    def act(version_id: UUID, words: dict[str, str], *, seen: int | None = None) -> list[str]:
        with unit_of_work(db, clock, "person:x") as work:
            return corrections.correct(
                work, version_id=version_id, words=words, reason="Spelling, said Ada", seen=seen
            )

    return act


def asked(db: DbSession, clock: SetClock) -> Asking:
    respondent_id = new_id()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Respondent(id=respondent_id, audience="lead_member"))
    return Asking(respondent_id=respondent_id, wave=Wave.FEEDBACK, role="lead_member")


def send(db: DbSession, clock: SetClock, asking: Asking, **answers: Any) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        return responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF).id


USEFUL = "question/useful"


def test_a_correction_is_logged_and_the_version_stays_as_it_was(
    db: DbSession, clock: SetClock, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    body = db.get_one(Version, version_id).body
    words = {f"{USEFUL}/text": "Was it useful?", f"{USEFUL}/option/very": "Very"}
    assert correct(version_id, words) == ["feedback"]
    db.rollback()
    assert db.get_one(Version, version_id).body == body
    (entry,) = corrections.log(db, version_id=version_id)
    assert (entry.number, entry.at, entry.by, entry.reason) == (1, clock(), "person:x", "Spelling, said Ada")
    assert entry.words == {
        f"{USEFUL}/text": ("Was it usefull?", "Was it useful?"),
        f"{USEFUL}/option/very": ("Verry", "Very"),
    }
    (line,) = db.scalars(select(AuditEntry).where(AuditEntry.action == "questionnaire.corrected")).all()
    assert json.loads(line.details) == {"code": "feedback", "correction": 1, "number": 1}
    (stored,) = db.execute(text("select reason_sealed from correction")).all()
    assert b"Ada" not in bytes(stored[0])


def test_the_newest_words_are_asked_and_structure_is_untouched(
    db: DbSession, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    before = versions.current(db, code="feedback").questionnaire
    correct(version_id, {f"{USEFUL}/text": "Was it useful?"})
    correct(version_id, {f"{USEFUL}/text": "Was it of use?", "page/first/intro": "This is about {session}."})
    now = versions.current(db, code="feedback")
    assert (now.number, len(now.corrections)) == (1, 2)
    assert now.questionnaire.placed["useful"][1].text == "Was it of use?"
    assert now.questionnaire.pages[0].intro == "This is about {session}."
    assert reworded(now.questionnaire, wordings(before)) == before


def test_what_was_sent_is_shown_in_the_words_that_stood_then(
    db: DbSession, clock: SetClock, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    early, late, draft = (asked(db, clock) for _ in range(3))
    sent_at = clock()
    first = send(db, clock, early, useful="very")
    with unit_of_work(db, clock, "system:test") as work:
        mark = sit(db, draft).mark(sit(db, draft).path.pages[0])
        responses.save_page(work, draft, page="first", posted={"useful": ["very"]}, mark=mark)
    clock.pass_time(hours=1)
    words = {f"{USEFUL}/text_for/lead_member": "Was it useful to you?", f"{USEFUL}/option/very": "Very"}
    correct(version_id, words)
    clock.pass_time(hours=1)
    second = send(db, clock, late, useful="very")

    def shown(questionnaire: Questionnaire) -> tuple[str, list[str]]:
        question = questionnaire.placed["useful"][1]
        return question.wording("lead_member"), display(question, {"useful": "very"})

    old, new = ("Was it usefull to you, as Lead Member?", ["Verry"]), ("Was it useful to you?", ["Very"])
    assert shown(versions.wording_at(db, version_id, sent_at)) == old
    assert shown(versions.wording_at(db, version_id, clock())) == new
    for asking, words_then in ((early, old), (late, new)):
        sent = read_back(db, asking)
        assert sent is not None
        assert shown(sent.published.questionnaire) == words_then
    assert shown(sit(db, draft).published.questionnaire) == new
    read = {one.row.id: one for one in results.read(db, waves=[Wave.FEEDBACK])}
    assert shown(read[first].published.questionnaire) == old
    assert shown(read[second].published.questionnaire) == new
    assert read[first].answers["useful"] == read[second].answers["useful"] == "very"


def test_a_measure_is_corrected_in_every_wave(
    db: DbSession, clock: SetClock, correct: Callable[..., list[str]]
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish_together(work, [measured("baseline"), measured("post", own="certain")])
    baseline = versions.current(db, code="baseline").id
    assert corrections.shared_with(db, version_id=baseline, part="question/sure") == ["post"]
    assert corrections.shared_with(db, version_id=baseline, part="page/p_sure") == ["post"]
    assert corrections.shared_with(db, version_id=baseline, part="title") == []
    words = {"question/sure/text": "How sure are you", "question/sure/option/low": "Not very"}
    assert correct(baseline, words) == ["baseline", "post"]
    assert correct(baseline, {"page/p_sure/title": "How sure you are"}) == ["baseline", "post"]
    post = versions.current(db, code="post").questionnaire
    assert post.placed["certain"][1].text == "How sure are you"
    assert [option.label for option in post.placed["certain"][1].listed()] == ["Not very", "High"]
    assert post.pages[0].title == "How sure you are"
    assert versions.measure_differences(db, Wave.BASELINE, Wave.POST) == []
    assert correct(baseline, {"title": "Before it starts"}) == ["baseline"]


def test_faults_are_found_before_anything_is_written(
    db: DbSession, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    with pytest.raises(Unsound, match="text is empty"):
        correct(version_id, {f"{USEFUL}/text": " "})
    with pytest.raises(Unsound, match="unknown placeholder in intro, nobody"):
        correct(version_id, {"page/first/intro": "To {nobody}"})
    with pytest.raises(Unsound, match="two options with the same code or label"):
        correct(version_id, {f"{USEFUL}/option/very": "A little"})
    with pytest.raises(NothingCorrected):
        correct(version_id, {f"{USEFUL}/text": "Was it usefull?"})
    with pytest.raises(KeyError):
        correct(version_id, {f"{USEFUL}/option/none": "None"})
    assert corrections.log(db, version_id=version_id) == []


def test_of_two_who_correct_at_once_the_second_reads_again(
    version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    correct(version_id, {f"{USEFUL}/text": "Was it useful?"}, seen=0)
    with pytest.raises(ChangedMeanwhile):
        correct(version_id, {f"{USEFUL}/text": "Useful?"}, seen=0)
    correct(version_id, {f"{USEFUL}/text": "Useful?"}, seen=1)


def test_a_version_that_was_replaced_is_left_alone(
    db: DbSession, clock: SetClock, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, load(FEEDBACK.replace("What else", "What more"), name="f.yaml"))
    with pytest.raises(NotInForce):
        correct(version_id, {"title": "How was it"})
    with pytest.raises(NotInForce):
        correct(new_id(), {"title": "How was it"})


def test_a_correction_that_was_not_kept_is_nowhere(db: DbSession, clock: SetClock, version_id: UUID) -> None:
    def fail() -> None:
        with unit_of_work(db, clock, "system:test") as work:
            corrections.correct(work, version_id=version_id, words={"title": "Changed"}, reason="x")
            assert versions.current(work.db, code="feedback").questionnaire.title == "Changed"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert versions.current(db, code="feedback").questionnaire.title == "How it was"


def test_the_file_with_corrected_words_is_what_is_in_force(
    db: DbSession, clock: SetClock, version_id: UUID, correct: Callable[..., list[str]]
) -> None:
    correct(version_id, {"title": "How was it"})
    corrected = versions.current(db, code="feedback").questionnaire
    with unit_of_work(db, clock, "system:test") as work:
        assert versions.publish(work, corrected) == (1, False)
        assert versions.publish(work, load(FEEDBACK, name="f.yaml")) == (2, True)


def test_options_renamed_reordered_and_deleted_leave_answers_as_they_were(
    db: DbSession, clock: SetClock, version_id: UUID
) -> None:
    """Q-e: a change of meaning is a new version; who answered keeps theirs, and figures say which."""
    early, late = asked(db, clock), asked(db, clock)
    send(db, clock, early, useful="very")
    changed = FEEDBACK.replace(
        "{code: very, label: Verry, score: 2}", "{code: rather, label: Rather, score: 3}"
    )
    changed = changed.replace("kind: text, text: What else", "kind: number, text: How many more")
    with unit_of_work(db, clock, "system:test") as work:
        assert versions.publish(work, load(changed, name="f.yaml")) == (2, True)
    clock.pass_time(hours=1)
    send(db, clock, late, useful="rather")

    first, second = sorted(results.read(db, waves=[Wave.FEEDBACK]), key=lambda one: one.published.number)
    assert (first.published.number, first.answers["useful"]) == (1, "very")
    assert display(first.published.questionnaire.placed["useful"][1], first.answers) == ["Verry"]
    assert (second.published.number, second.answers["useful"]) == (2, "rather")
    assert {(one.version, one.responses) for one in versions.listed(db)} == {(1, 1), (2, 1)}


def test_only_words_can_be_corrected() -> None:
    before = load(FEEDBACK, name="f.yaml")
    words = reworded(
        before, {"title": "Else", "question/more/hint": "All of it", "section/only/title": "One"}
    )
    assert only_wording(before, words) == {
        "title": "Else",
        "question/more/hint": "All of it",
        "section/only/title": "One",
    }
    assert only_wording(before, before) == {}
    for old, new in (
        ("score: 2", "score: 5"),
        ("required: true", "required: false"),
        ("code: more", "code: other"),
        ("kind: text", "kind: long_text"),
    ):
        other = load(FEEDBACK.replace(old, new), name="f.yaml")
        assert content_hash(other) != content_hash(before)
        assert only_wording(before, other) is None
