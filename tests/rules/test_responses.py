"""Responses: saved page by page, never lost, sent once; versions that stay as they were."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session as DbSession

from privacy.audit import AuditEntry
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, versions
from surveys.documents import Unsound
from surveys.models import Mode, Respondent, Response, ResponseState, Version, Wave
from surveys.questionnaires import load, load_definition
from surveys.questions import Posted
from surveys.responses import AlreadySent, Incomplete, NothingSaved, Rejected, Stale
from surveys.sittings import Asking, Sitting, UnknownPage, find, sit
from tests.conftest import Stack

TINY = """
code: feedback
title: Tiny
waves: [feedback]
sections:
  - code: all
    title: All
    pages:
      - code: first
        title: First
        questions:
          - {code: helped, kind: yes_no, required: true, text: "Did it help?"}
      - code: how
        title: How
        show_if: {question: helped, is: yes}
        questions:
          - {code: how_so, kind: long_text, required: true, text: "How?", max_length: 100}
      - code: more
        title: More
        questions:
          - {code: more_to_say, kind: long_text, text: "More?"}
"""


@pytest.fixture
def asking(db: DbSession, clock: Clock) -> Asking:
    """Somebody who is asked the tiny questionnaire."""
    respondent_id = new_id()
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Respondent(id=respondent_id, audience="lead_member"))
        versions.publish(work, load(TINY, name="tiny"))
    return Asking(respondent_id=respondent_id, wave=Wave.FEEDBACK, occasion="s1", role="lead_member")


def save(
    db: DbSession, clock: Clock, asking: Asking, page: str, answers: Posted, *, mark: str | None = None
) -> Sitting:
    """Save as a form that was shown just now would, or with the mark of an older one."""
    if mark is None:
        here = sit(db, asking)
        mark = here.mark(here.stop(page)[0])
    with unit_of_work(db, clock, "person:test") as work:
        return responses.save_page(work, asking, page=page, posted=answers, mark=mark)


def submit(db: DbSession, clock: Clock, asking: Asking) -> responses.Receipt:
    with unit_of_work(db, clock, "person:test") as work:
        return responses.submit(work, asking)


def mark_of(db: DbSession, asking: Asking, page: str) -> str:
    here = sit(db, asking)
    return here.mark(here.stop(page)[0])


def test_a_draft_begins_with_the_first_save(db: DbSession, clock: Clock, asking: Asking) -> None:
    sit(db, asking)
    assert db.scalars(select(Response.id)).all() == []
    saved = save(db, clock, asking, "first", {"helped": ["yes"]})
    assert saved.next_page == 1
    found = find(db, asking)
    assert found is not None
    assert (found.state, found.answers) == (ResponseState.DRAFT, {"helped": "yes"})


def test_a_revision_tells_saves_apart_and_does_not_count_them(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    seen = set()
    for word in ("Tea", "Coffee", "Water"):
        saved = save(db, clock, asking, "more", {"more_to_say": [word]})
        assert saved.response is not None
        seen.add(saved.response.revision)
    assert len(seen) == 3
    assert min(seen) > 1000, "how often somebody saved would tell how long their path is"


def test_what_was_left_empty_is_kept_as_shown(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    assert save(db, clock, asking, "more", {"more_to_say": [" \u200b "]}).answers["more_to_say"] is None


def test_a_follow_up_comes_back_when_somebody_switches_back(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    save(db, clock, asking, "how", {"how_so": ["A lot"]})
    there = save(db, clock, asking, "first", {"helped": ["no"]})
    assert [stop.code for stop in there.path.pages] == ["first", "more"]
    assert "how_so" not in there.path.counting
    back = save(db, clock, asking, "first", {"helped": ["yes"]})
    assert back.path.counting["how_so"] == "A lot"


def test_off_the_path_nothing_is_required(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    save(db, clock, asking, "first", {"helped": ["no"]})
    save(db, clock, asking, "more", {})
    assert not submit(db, clock, asking).repeated


def test_sending_again_gives_the_same_receipt(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    first = submit(db, clock, asking)
    second = submit(db, clock, asking)
    assert (first.repeated, second.repeated) == (False, True)
    assert replace(second, repeated=False) == first
    actions = db.scalars(select(AuditEntry.action).where(AuditEntry.action == "response.submitted")).all()
    assert len(actions) == 1


def test_sending_without_a_required_answer_names_its_page(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    with pytest.raises(NothingSaved):
        submit(db, clock, asking)
    save(db, clock, asking, "first", {"helped": ["yes"]})
    with pytest.raises(Incomplete) as lacking:
        submit(db, clock, asking)
    assert lacking.value.page == 1


def test_a_sent_response_is_not_changed(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    submit(db, clock, asking)
    with pytest.raises(AlreadySent):
        save(db, clock, asking, "first", {"helped": ["yes"]})


def test_a_stale_tab_goes_on_where_another_page_was_saved(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    old = mark_of(db, asking, "more")
    save(db, clock, asking, "how", {"how_so": ["A lot"]})
    merged = save(db, clock, asking, "more", {"more_to_say": ["Tea"]}, mark=old)
    assert (merged.answers["how_so"], merged.answers["more_to_say"]) == ("A lot", "Tea")


def test_a_stale_tab_of_the_same_page_loses_neither_text(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    old = mark_of(db, asking, "more")
    save(db, clock, asking, "more", {"more_to_say": ["Coffee"]})
    with pytest.raises(Stale) as both:
        save(db, clock, asking, "more", {"more_to_say": ["Tea"]}, mark=old)
    assert (both.value.ours["more_to_say"], both.value.theirs["more_to_say"]) == ("Tea", "Coffee")
    assert sit(db, asking).answers["more_to_say"] == "Coffee"


def test_the_same_page_sent_twice_is_saved_as_one(db: DbSession, clock: Clock, asking: Asking) -> None:
    old = mark_of(db, asking, "first")
    for _ in range(2):
        assert save(db, clock, asking, "first", {"helped": ["no"]}, mark=old).answers["helped"] == "no"


def test_a_page_that_is_not_asked_any_more_is_not_swallowed(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    old = mark_of(db, asking, "how")
    save(db, clock, asking, "first", {"helped": ["no"]})
    with pytest.raises(Stale) as lost:
        save(db, clock, asking, "how", {"how_so": ["A lot"]}, mark=old)
    assert lost.value.ours["how_so"] == "A lot"


def test_a_page_that_does_not_exist(db: DbSession, clock: Clock, asking: Asking) -> None:
    with pytest.raises(UnknownPage), unit_of_work(db, clock, "person:test") as work:
        responses.save_page(work, asking, page="nowhere", posted={}, mark="")


@pytest.mark.parametrize("typed", ["x" * 101, "nul\0", "lone \ud800"])
def test_text_that_cannot_be_kept_is_refused_beside_its_field(
    db: DbSession, clock: Clock, asking: Asking, typed: str
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    with pytest.raises(Rejected) as rejected:
        save(db, clock, asking, "how", {"how_so": [typed]})
    assert rejected.value.errors[0].input == "how_so"


def test_text_with_an_emoji_is_kept_whole(db: DbSession, clock: Clock, asking: Asking) -> None:
    typed = "Before 👩‍👩‍👧 after " + "y" * 80
    save(db, clock, asking, "first", {"helped": ["yes"]})
    save(db, clock, asking, "how", {"how_so": [typed]})
    assert sit(db, asking).answers["how_so"] == typed


def test_first_saves_that_meet_make_one_response(stack: Stack, clock: Clock, asking: Asking) -> None:
    def one(number: int) -> None:
        page = "first" if number % 2 else "more"
        answers = {"helped": ["no"]} if number % 2 else {"more_to_say": ["Tea"]}
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            mark = marks[page]
            with unit_of_work(own, clock, "person:test") as work:
                responses.save_page(work, asking, page=page, posted=answers, mark=mark)

    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        marks = {page: mark_of(db, asking, page) for page in ("first", "more")}
    assert in_threads(8, one) == []
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        assert len(db.scalars(select(Response.id)).all()) == 1
        assert sit(db, asking).answers == {"helped": "no", "more_to_say": "Tea"}


def test_submits_that_meet_send_once(stack: Stack, db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    db.rollback()
    receipts = []

    def one(number: int) -> None:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            receipts.append(submit(own, clock, asking))

    assert in_threads(6, one) == []
    assert [receipt.repeated for receipt in receipts].count(False) == 1
    assert len({receipt.ref for receipt in receipts}) == 1


def in_threads(count: int, act: Callable[[int], None]) -> list[BaseException]:
    """What went wrong when `act` ran in so many threads at once."""
    wrong: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(number: int) -> None:
        barrier.wait()
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test reports it
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_saving_a_page_takes_at_most_eight_statements(
    stack: Stack, db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    mark = mark_of(db, asking, "how")
    db.rollback()
    said: list[str] = []
    engines = (stack.engine, db.info["vault"].engine)

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    try:
        save(db, clock, asking, "how", {"how_so": ["A lot"]}, mark=mark)
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", count)
    assert 1 <= len(said) <= 8, said


def test_nothing_said_lies_in_the_database_in_clear(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    save(db, clock, asking, "how", {"how_so": ["Marmalade"]})
    short = db.execute(text("select answers_sealed from response")).scalar_one()
    save(db, clock, asking, "how", {"how_so": ["Marmalade " * 9]})
    long = db.execute(text("select answers_sealed from response")).scalar_one()
    assert b"Marmalade" not in bytes(short)
    assert len(short) == len(long), "the length of a sealed value tells next to nothing"


def test_an_interview_stays_an_interview(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    mark = mark_of(db, asking, "more")
    with unit_of_work(db, clock, "person:team") as work:
        responses.save_page(work, asking, page="more", posted={}, mark=mark, mode=Mode.INTERVIEW)
    save(db, clock, asking, "more", {"more_to_say": ["Tea"]})
    found = find(db, asking)
    assert found is not None
    assert found.mode is Mode.INTERVIEW


def test_who_has_sent_it(db: DbSession, clock: Clock, asking: Asking) -> None:
    ids = [asking.respondent_id]
    save(db, clock, asking, "first", {"helped": ["no"]})
    assert responses.submitted(db, ids, Wave.FEEDBACK, "s1") == set()
    submit(db, clock, asking)
    assert responses.submitted(db, ids, Wave.FEEDBACK, "s1") == set(ids)
    assert responses.submitted(db, ids, Wave.BASELINE) == set()


def test_a_whole_set_of_answers_is_sent_at_once(db: DbSession, clock: Clock, asking: Asking) -> None:
    with pytest.raises(Incomplete), unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers={"helped": "yes"}, mode=Mode.INTERVIEW)
    with unit_of_work(db, clock, "system:test") as work:
        receipt = responses.submit_answers(work, asking, answers={"helped": "no"}, mode=Mode.INTERVIEW)
    with pytest.raises(AlreadySent), unit_of_work(db, clock, "system:test") as work:
        responses.submit_answers(work, asking, answers={"helped": "no"}, mode=Mode.INTERVIEW)
    assert submit(db, clock, asking).ref == receipt.ref


def test_a_draft_finishes_on_the_version_it_began_on(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    with unit_of_work(db, clock, "system:test") as work:
        number, new = versions.publish(
            work, load(TINY.replace("Did it help?", "Was it of use?"), name="tiny")
        )
    assert (number, new) == (2, True)
    assert sit(db, asking).published.number == 1
    assert sit(db, replace(asking, occasion="s2")).published.number == 2


def test_publishing_the_same_again_changes_nothing(db: DbSession, clock: Clock, asking: Asking) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        assert versions.publish(work, load(TINY, name="tiny")) == (1, False)


def test_the_shipped_questionnaires_are_published_once(db: DbSession, clock: Clock) -> None:
    assert versions.publish_shipped(db, clock) == [("baseline", 1), ("post", 1), ("feedback", 1)]
    assert versions.publish_shipped(db, clock) == []
    version = db.scalars(select(Version).where(Version.code == "post")).one()
    assert versions.current(db, code="post").questionnaire == load_definition("post")
    assert len(version.hash) == 64


def test_a_measure_that_is_asked_in_other_words_is_not_published(db: DbSession, clock: Clock) -> None:
    versions.publish_shipped(db, clock)
    source = Path("surveys/definitions/post.yaml").read_text(encoding="utf-8")
    other = load(source.replace("How confident do you feel, today, in", "How confident are you in"), name="p")
    with pytest.raises(Unsound, match="role_confidence"), unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, other)
    assert versions.current(db, code="post").number == 1


def test_a_wave_is_asked_with_the_questionnaire_of_its_name(db: DbSession, clock: Clock) -> None:
    wrong = load(TINY.replace("code: feedback", "code: other"), name="tiny")
    with pytest.raises(Unsound, match="after its wave"), unit_of_work(db, clock, "system:test") as work:
        versions.publish(work, wrong)


def test_what_is_published_is_listed_with_its_responses(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    (draft,) = versions.listed(db)
    assert (draft.code, draft.version, draft.waves, draft.drafts, draft.responses) == (
        "feedback",
        1,
        ("feedback",),
        1,
        0,
    )
    submit(db, clock, asking)
    (sent,) = versions.listed(db)
    assert (sent.drafts, sent.responses) == (0, 1)
