"""Responses: saved page by page, never lost, sent once; versions that stay as they were."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session as DbSession

from privacy.audit import AuditEntry
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import Work, unit_of_work
from surveys import responses, results, revisions, versions
from surveys.documents import Unsound
from surveys.drafts import start
from surveys.models import Mode, Respondent, Response, ResponsePast, ResponseState, Version, Wave
from surveys.questionnaires import load, load_definition
from surveys.questions import Cleaned, Posted
from surveys.responses import AlreadySent, Incomplete, NothingSaved, Rejected, Stale
from surveys.revisions import NotSent
from surveys.sittings import Asking, Sitting, UnknownPage, find, read_back, sit
from tests.conftest import SetClock, Stack

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
    with counted(stack) as said:
        save(db, clock, asking, "how", {"how_so": ["A lot"]}, mark=mark)
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
    assert versions.publish_shipped(db, clock) == [(code, 1) for code in versions.SHIPPED]
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


def write(
    db: DbSession, clock: Clock, asking: Asking, page: str, answers: Posted, *, mark: str | None = None
) -> tuple[Sitting, list[Cleaned]]:
    """Save as a page does while somebody writes."""
    mark = mark_of(db, asking, page) if mark is None else mark
    with unit_of_work(db, clock, "person:test") as work:
        return responses.keep_writing(work, asking, page=page, posted=answers, mark=mark)


def test_what_is_being_written_is_kept_and_the_page_is_not_done(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    there, unclear = write(db, clock, asking, "how", {"how_so": ["A lo"]})
    assert unclear == []
    assert there.answers["how_so"] == "A lo"
    assert there.next_page == 1, "somebody who comes back comes back to the page they were writing on"
    done = save(db, clock, asking, "how", {"how_so": ["A lot"]})
    assert done.next_page == 2
    assert set(done.answers) == {"helped", "how_so"}


def test_while_writing_nothing_is_required_yet(db: DbSession, clock: Clock, asking: Asking) -> None:
    there, unclear = write(db, clock, asking, "first", {})
    assert unclear == []
    assert "helped" not in there.answers, "not reached is not left empty"
    save(db, clock, asking, "first", {"helped": ["yes"]})
    cleared, _ = write(db, clock, asking, "first", {})
    assert cleared.answers["helped"] is None


def test_what_cannot_be_kept_while_writing_is_said_and_the_rest_is_kept(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    write(db, clock, asking, "how", {"how_so": ["A lot"]})
    there, unclear = write(db, clock, asking, "how", {"how_so": ["x" * 101]})
    assert [found.input for found in unclear] == ["how_so"]
    assert there.answers["how_so"] == "A lot"


def test_writing_in_two_tabs_loses_neither_text(db: DbSession, clock: Clock, asking: Asking) -> None:
    old = mark_of(db, asking, "more")
    write(db, clock, asking, "more", {"more_to_say": ["Coffee"]}, mark=old)
    with pytest.raises(Stale) as both:
        write(db, clock, asking, "more", {"more_to_say": ["Tea"]}, mark=old)
    assert (both.value.ours["more_to_say"], both.value.theirs["more_to_say"]) == ("Tea", "Coffee")
    assert sit(db, asking).answers["more_to_say"] == "Coffee"


def test_writing_takes_at_most_eight_statements(
    stack: Stack, db: DbSession, clock: Clock, asking: Asking
) -> None:
    write(db, clock, asking, "more", {"more_to_say": ["Te"]})
    mark = mark_of(db, asking, "more")
    db.rollback()
    with counted(stack) as said:
        write(db, clock, asking, "more", {"more_to_say": ["Tea"]}, mark=mark)
    assert 1 <= len(said) <= 8, said


@contextmanager
def counted(stack: Stack) -> Iterator[list[str]]:
    """The statements that both databases are asked."""
    said: list[str] = []

    def count(connection: object, cursor: object, statement: str, *rest: object) -> None:
        said.append(statement)

    engines = (stack.engine, stack.instance.vault.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    try:
        yield said
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", count)


def send(db: DbSession, clock: Clock, asking: Asking, said: str = "Tea") -> responses.Receipt:
    save(db, clock, asking, "first", {"helped": ["no"]})
    save(db, clock, asking, "more", {"more_to_say": [said]})
    return submit(db, clock, asking)


def reopen(db: DbSession, clock: Clock, asking: Asking) -> None:
    with unit_of_work(db, clock, "person:team") as work:
        revisions.reopen(work, asking, asked=True)


def test_no_then_yes_again_before_sending(db: DbSession, clock: Clock, asking: Asking) -> None:
    save(db, clock, asking, "first", {"helped": ["yes"]})
    save(db, clock, asking, "how", {"how_so": ["A lot"]})
    save(db, clock, asking, "first", {"helped": ["no"]})
    save(db, clock, asking, "more", {})
    save(db, clock, asking, "first", {"helped": ["yes"]})
    submit(db, clock, asking)
    assert sit(db, asking).path.counting == {"helped": "yes", "how_so": "A lot"}


def test_what_was_sent_counts_until_the_correction_is_sent(
    db: DbSession, clock: SetClock, asking: Asking
) -> None:
    first = send(db, clock, asking, "Tea")
    clock.pass_time(days=2)
    reopen(db, clock, asking)
    save(db, clock, asking, "more", {"more_to_say": ["Coffee"]})
    (now,) = results.read(db, waves=[Wave.FEEDBACK])
    assert now.answers["more_to_say"] == "Tea"
    sent = read_back(db, asking)
    assert sent is not None
    assert sent.answers["more_to_say"] == "Tea"
    again = submit(db, clock, asking)
    assert (again.ref, again.repeated) == (first.ref, False)
    (now,) = results.read(db, waves=[Wave.FEEDBACK])
    assert now.answers["more_to_say"] == "Coffee", "the newest counts"
    (before,) = revisions.earlier(db, asking)
    assert (before.answers["more_to_say"], before.submitted_at) == ("Tea", first.submitted_at)
    with pytest.raises(AlreadySent):
        save(db, clock, asking, "more", {"more_to_say": ["Water"]})


def test_a_judgement_stays_with_the_words_it_was_given_on(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    send(db, clock, asking)
    with unit_of_work(db, clock, "person:team") as work:
        work.db.scalars(select(Response)).one().judgement = {"verdicts": [{"verdict": "accepted"}]}
    reopen(db, clock, asking)
    submit(db, clock, asking)
    db.rollback()
    assert db.scalars(select(Response)).one().judgement is None
    past = db.scalars(select(ResponsePast)).one()
    assert past.judgement == {"verdicts": [{"verdict": "accepted"}]}


def test_opening_again_what_is_open_keeps_the_correction(db: DbSession, clock: Clock, asking: Asking) -> None:
    send(db, clock, asking, "Tea")
    reopen(db, clock, asking)
    save(db, clock, asking, "more", {"more_to_say": ["Coffee"]})
    reopen(db, clock, asking)
    assert sit(db, asking).answers["more_to_say"] == "Coffee"
    lines = db.scalars(select(AuditEntry.action).where(AuditEntry.action == "response.reopened")).all()
    assert len(lines) == 1


def test_what_was_not_sent_is_neither_opened_nor_withdrawn(
    db: DbSession, clock: Clock, asking: Asking
) -> None:
    save(db, clock, asking, "first", {"helped": ["no"]})
    for act in (lambda work: revisions.reopen(work, asking, asked=False), partial(withdraw_in, asking)):
        with pytest.raises(NotSent), unit_of_work(db, clock, "person:test") as work:
            act(work)


def withdraw_in(asking: Asking, work: Work) -> None:
    revisions.withdraw(work, asking)


def test_withdrawn_it_is_in_no_figure_and_can_come_back(db: DbSession, clock: Clock, asking: Asking) -> None:
    send(db, clock, asking, "Tea")
    reopen(db, clock, asking)
    save(db, clock, asking, "more", {"more_to_say": ["Coffee"]})
    with unit_of_work(db, clock, "person:test") as work:
        revisions.withdraw(work, asking)
    assert results.read(db, waves=[Wave.FEEDBACK]) == []
    assert responses.submitted(db, [asking.respondent_id], Wave.FEEDBACK, "s1"), "and is not asked again"
    with pytest.raises(AlreadySent):
        save(db, clock, asking, "more", {"more_to_say": ["Water"]})
    reopen(db, clock, asking)
    assert sit(db, asking).answers["more_to_say"] == "Tea", "what was sent is what comes back"
    assert results.read(db, waves=[Wave.FEEDBACK]) == []
    submit(db, clock, asking)
    assert len(results.read(db, waves=[Wave.FEEDBACK])) == 1


def test_a_correction_that_was_sent_twice_makes_one_revision(
    stack: Stack, db: DbSession, clock: Clock, asking: Asking
) -> None:
    send(db, clock, asking)
    reopen(db, clock, asking)
    db.rollback()
    receipts = []

    def one(number: int) -> None:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
            receipts.append(submit(own, clock, asking))

    assert in_threads(4, one) == []
    assert [receipt.repeated for receipt in receipts].count(False) == 1
    assert len(revisions.earlier(db, asking)) == 1


def test_paper_stays_paper_and_says_when(db: DbSession, clock: Clock, asking: Asking) -> None:
    with unit_of_work(db, clock, "person:team") as work:
        start(
            work,
            sit(work.db, asking),
            {},
            mode=Mode.PAPER,
            answered_on=date(2022, 11, 3),
            source="The form of the first meeting",
        )
    save(db, clock, asking, "first", {"helped": ["no"]})
    save(db, clock, asking, "more", {})
    submit(db, clock, asking)
    db.rollback()
    response = db.scalars(select(Response)).one()
    assert (response.mode, response.answered_on, response.source) == (
        Mode.PAPER,
        date(2022, 11, 3),
        "The form of the first meeting",
    )
