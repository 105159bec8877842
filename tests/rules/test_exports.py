"""Exports: what stands in a row, what is left out, and that a spreadsheet evaluates nothing (cases Q-d, Q-f, Q-j)."""

import json
import os
import resource
import time
import tracemalloc
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from openpyxl import load_workbook
from sqlalchemy import event, insert
from sqlalchemy.orm import Session as DbSession

from portal.models import Export, PackageState
from portal.programme import Programme
from portal.results import exports
from portal.results.exports import NAMED, NoReason, Order, TooMany
from privacy import audit
from privacy.backup_postgres import COUNT_ROWS
from privacy.columns import keys_of
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import corrections, versions
from surveys.conditions import Is
from surveys.drafts import sealed_answers
from surveys.export_columns import Missing, Part, columns
from surveys.export_files import Format, documents, write_xlsx
from surveys.exports import Beside, Head, Row, Source, State
from surveys.kinds import Choices, Date, LongText, Number, Scale, Text, YesNo
from surveys.models import Mode, Respondent, Response, ResponseState, Wave
from surveys.questionnaires import Questionnaire
from surveys.questions import Option, Value
from surveys.routing import path
from surveys.sittings import Asking
from surveys.versions import Published, Unpublished
from surveys.waves import Window
from tests.conftest import SetClock, Stack
from tests.exported import Desk, by_heading, read_csv, read_xlsx
from tests.factories import Factory
from tests.rules.test_routing import asked

NOT_ASKED, NOT_ANSWERED, PREFER_NOT = (one.value for one in Missing)
PREFER = Option(code="prefer_not", label="Prefer not to say", apart=True)
POINTS = (
    Option(code="low", label="Low", score=-5),
    Option(code="high", label="High", score=2.5),
    PREFER,
)
SEVERAL = (
    Option(code="reading", label="Reading"),
    Option(code="talking", label="Talking"),
    Option(code="other", label="Other", detail=True),
    PREFER,
)
HAVE = YesNo(code="have", text="Have you tried it")
RATED = Scale(code="rated", text="Rate it", measure="rated", options=POINTS)
WAYS = Choices(code="ways", text="Which ways", options=SEVERAL, show_if=Is("have", ("yes",)))
WORDS = LongText(code="words", text="In your words", quote_consent=True)


@pytest.fixture
def desk(db: DbSession, clock: SetClock) -> Desk:
    return Desk(db, clock)


def cells(row: dict[str, Any], *headings: str) -> list[Any]:
    return [row[heading] for heading in headings]


def test_one_row_for_each_response_and_one_column_for_each_code(desk: Desk) -> None:
    desk.publish(HAVE, RATED, WAYS, WORDS)
    desk.send(
        {
            "have": "yes",
            "rated": "high",
            "ways": ["talking", "other"],
            "ways.detail": "Walking",
            "words": "It helped",
            "words.quote": "yes",
        }
    )

    (row,) = desk.rows()

    assert cells(row, "questionnaire", "wave", "occasion", "version") == ["tool", "tool", "1", "1"]
    assert cells(row, "state", "late", "mode", "submitted_on") == ["submitted", "", "self", "2023-03-01"]
    assert cells(row, "have", "rated", "rated.score") == ["yes", "high", "2.5"]
    assert cells(row, "ways.reading", "ways.talking", "ways.other", "ways.prefer_not") == ["0", "1", "1", "0"]
    assert cells(row, "ways.detail", "words", "words.quote") == ["Walking", "It helped", "1"]
    assert "ways" not in row


def test_labels_stand_beside_codes(desk: Desk, tmp_path: Path) -> None:
    desk.publish(HAVE, RATED, WAYS, WORDS)
    desk.send({"have": "yes", "rated": "high", "ways": ["talking"], "words": "It helped"})

    labels = read_csv(desk.files()[".labels.csv"])[0]

    assert cells(labels, "Have you tried it", "Rate it", "Rate it: score") == ["Yes", "High", "2.5"]
    assert cells(labels, "Which ways: Reading", "Which ways: Talking") == ["No", "Yes"]
    assert cells(labels, "Which ways: what", "In your words: may be quoted") == ["Not asked", "No"]
    sheets = desk.book(tmp_path)
    assert by_heading(sheets["Labels"])[0]["Rate it"] == "High"
    assert by_heading(sheets["Answers"])[0]["rated"] == "high"


def test_three_codes_say_why_there_is_no_answer(desk: Desk) -> None:
    desk.publish(HAVE, RATED, WAYS, WORDS)
    desk.send({"have": "no", "rated": "prefer_not", "ways": ["talking"], "words": None})
    desk.send({"have": "yes", "rated": None, "ways": ["prefer_not"]})

    off, refused = sorted(desk.rows(), key=lambda row: row["have"])

    assert cells(off, "ways.talking", "ways.prefer_not", "ways.detail") == [NOT_ASKED] * 3
    assert cells(off, "rated", "rated.score") == [PREFER_NOT] * 2
    assert cells(off, "words", "words.quote") == [NOT_ANSWERED] * 2
    assert cells(refused, "rated", "rated.score") == [NOT_ANSWERED] * 2
    assert cells(refused, "ways.talking", "ways.prefer_not") == [PREFER_NOT, "1"]
    notes = desk.files()[".notes.txt"]
    assert all(code in notes for code in (NOT_ASKED, NOT_ANSWERED, PREFER_NOT))
    assert notes.startswith("Answers to tool, exported on 1 March 2023.")


def test_json_lines_hold_every_answer_as_it_was_saved(desk: Desk) -> None:
    desk.publish(HAVE, RATED, WAYS, WORDS, Number(code="people", text="How many"))
    said: dict[str, Any] = {
        "have": "yes",
        "rated": "low",
        "ways": ["talking"],
        "words": "=1+1\n\tso",
        "people": 7,
    }
    desk.send(said)
    desk.send({"have": "no", "rated": "prefer_not", "ways": ["talking"]})

    lines = [json.loads(line) for line in desk.files(format=Format.JSONL)[".jsonl"].splitlines()]
    yes, no = sorted(lines, key=lambda line: line["answers"]["have"], reverse=True)

    assert yes["answers"] == said
    assert (yes["scores"], yes["missing"]) == ({"rated": -5}, {})
    assert no["answers"] == {"have": "no", "rated": "prefer_not"}
    assert no["missing"] == {
        "rated": "prefer_not_to_say",
        "ways": "not_asked",
        "words": "not_answered",
        "people": "not_answered",
    }


def test_versions_are_united_by_code_and_each_has_its_wording_in_the_codebook(desk: Desk) -> None:
    fewer = Choices(code="ways", text="Which ways", options=SEVERAL[:2])
    desk.publish(HAVE, fewer)
    first = desk.send({"have": "yes", "ways": ["reading"]})
    version_id = versions.current(desk.db, code="tool").id
    desk.clock.pass_time(days=1)
    with unit_of_work(desk.db, desk.clock, "system:test") as work:
        words = {"question/have/text": "Did you try it"}
        corrections.correct(work, version_id=version_id, words=words, reason="Clearer")
    desk.clock.pass_time(days=1)
    desk.publish(Choices(code="ways", text="Which way", options=SEVERAL), RATED)
    desk.send({"ways": ["other"], "rated": "low"}, respondent_id=first.respondent_id, occasion="tool-2")

    files = desk.files()
    one, two = sorted(read_csv(files[".csv"]), key=lambda row: row["version"])

    assert (one["respondent"], one["occasion"]) == (two["respondent"], "1")
    assert cells(one, "have", "ways.reading", "ways.other", "rated") == ["yes", "1", NOT_ASKED, NOT_ASKED]
    assert cells(two, "have", "ways.reading", "ways.other", "rated") == [NOT_ASKED, "0", "1", "low"]
    told = {(row["column"], row["version"]): row for row in read_csv(files[".codebook.csv"])}
    assert told["ways.reading", "1"]["wording"] == "Which ways"
    assert told["ways.reading", "2"]["wording"] == "Which way"
    assert ("ways.other", "1") not in told
    assert told["have", "1"]["wording"] == "Did you try it"
    assert told["have", "1"]["corrections"] == "Until 2023-03-02: Have you tried it"
    assert told["have", "1"]["published_on"] == "2023-03-01"
    assert told["rated", "2"]["scores"] == "low = -5\nhigh = 2.5"
    assert told["rated", "2"]["options"].startswith("low = Low\n")


def test_the_codebook_says_when_and_of_whom_something_is_asked(desk: Desk) -> None:
    for_chairs = Text(code="chair", text="Chair only", audience=frozenset({"scrutiny_chair"}), required=True)
    desk.publish(HAVE, WAYS, for_chairs, RATED)

    told = {row["column"]: row for row in read_csv(desk.files()[".codebook.csv"])}

    assert told["ways.reading"]["shown_if"] == "If ‘Have you tried it’ is ‘Yes’"
    assert (told["chair"]["asked_of"], told["have"]["asked_of"]) == ("scrutiny chair", "every role")
    assert (told["chair"]["required"], told["rated"]["measure"]) == ("yes", "rated")
    assert {"respondent", "wave", "late"} <= set(told)


def test_a_question_may_be_called_like_a_column_of_ours(desk: Desk) -> None:
    clash = Choices(
        code="q", text="Q", options=(Option(code="detail", label="Detail", detail=True), *SEVERAL[:2])
    )
    desk.publish(Text(code="wave", text="Which wave"), clash)
    desk.send({"wave": "At sea", "q": ["detail"], "q.detail": "More"})

    (row,) = desk.rows()

    assert cells(row, "wave", "wave.answer") == ["tool", "At sea"]
    assert cells(row, "q.detail", "q.detail.detail") == ["1", "More"]


def test_nothing_in_it_tells_who_or_at_what_minute(desk: Desk) -> None:
    desk.publish(HAVE)
    response = desk.send({"have": "yes"})

    files = "".join(desk.files().values()) + "".join(desk.files(format=Format.JSONL).values())

    for given_away in (response.id, response.respondent_id, response.ref, "09:00", "lead_member"):
        assert str(given_away) not in files


def test_a_person_has_one_code_in_all_waves_and_another_where_names_stand(desk: Desk) -> None:
    desk.publish(HAVE)
    desk.publish(RATED, code="other")
    first = desk.send({"have": "yes"})
    desk.send({"rated": "low"}, respondent_id=first.respondent_id, code="other")
    desk.send({"rated": "low"}, code="other")

    together = desk.rows("tool", "other")
    named = desk.rows(named=("name",))

    assert len(together) == 3
    (one,) = desk.rows()
    others = [row["respondent"] for row in desk.rows("other")]
    assert one["respondent"] in others
    assert len(set(others)) == 2
    assert named[0]["respondent"] != one["respondent"]
    assert one["respondent"].startswith("R")
    assert {row["questionnaire"]: row["have"] for row in together}["other"] == NOT_ASKED


def test_withdrawn_stands_without_answers_and_a_draft_never(desk: Desk) -> None:
    desk.publish(HAVE)
    desk.send({"have": "yes"}, state=ResponseState.WITHDRAWN)
    desk.send({"have": "no"}, state=ResponseState.DRAFT)

    (row,) = desk.rows(partial=True)

    assert cells(row, "state", "have") == ["withdrawn", ""]
    assert '"yes"' not in desk.files(format=Format.JSONL)[".jsonl"]


def test_partial_only_where_it_is_asked_for_and_its_time_is_over(desk: Desk) -> None:
    desk.publish(HAVE, RATED)
    desk.send({"have": "no"}, state=ResponseState.DRAFT)
    now = desk.clock()
    over = Window(now - timedelta(days=9), now - timedelta(days=5), now - timedelta(days=2))
    grace = Window(now - timedelta(days=9), now - timedelta(days=5), now + timedelta(days=2))

    assert desk.rows(beside=Beside(over)) == []
    assert desk.rows(beside=Beside(grace), partial=True) == []
    (row,) = desk.rows(beside=Beside(over), partial=True)
    assert cells(row, "state", "submitted_on", "have", "rated") == ["partial", "", "no", NOT_ANSWERED]
    assert desk.source(beside=Beside(over), partial=True).count() == {"tool": 1}
    told = {
        row["column"]: row for row in read_csv(desk.files(beside=Beside(over), partial=True)[".codebook.csv"])
    }
    assert told["have"]["answered"] == "0", "what was never finished is in no base"


@pytest.mark.parametrize(
    "answered_on,late", [(None, "1"), (date(2023, 2, 20), "0")], ids=["sent late", "paper in time"]
)
def test_late_is_marked(desk: Desk, answered_on: date | None, late: str) -> None:
    desk.publish(HAVE)
    desk.send({"have": "yes"}, answered_on=answered_on)
    now = desk.clock()
    window = Window(now - timedelta(days=30), now - timedelta(hours=1), now + timedelta(days=2))

    (row,) = desk.rows(beside=Beside(window))

    assert row["late"] == late
    assert row["answered_on"] == (answered_on.isoformat() if answered_on else "")


# Q-f: nothing evaluates, numbers stay numbers, nothing is stripped.

WILD = [
    "=1+1",
    "+44 7700 900123",
    "-5",
    "@x",
    "\tled by a tab",
    "\nled by a line end",
    "'=1",
    "<r><t>x</t></r>",
]
PLAIN = [
    "plain",
    " led by a space",
    "0044",
    "a,b",
    'says "so"',
    "two\nlines",
    "_x0041_",
    "\x0b\ufffe",
    "https://x.example",
    "🙂" * 9000,
]


def test_row_37_no_text_is_taken_for_a_formula_and_none_is_changed(desk: Desk, tmp_path: Path) -> None:
    questions = [Text(code=f"t{number}", text=f"=T{number}") for number in range(len(WILD + PLAIN))]
    desk.publish(*questions, RATED, Number(code="people", text="+How many"), Date(code="day", text="@Day"))
    texts = {question.code: text for question, text in zip(questions, WILD + PLAIN, strict=True)}
    desk.send({**texts, "rated": "low", "people": -5 + 12, "day": "2023-01-15"})
    number = {"rated.score": -5, "people": 7}

    files = desk.files()
    (row,) = read_csv(files[".csv"])
    for (code, text), wild in zip(texts.items(), [True] * (len(WILD) - 1) + [False] * 20, strict=False):
        assert row[code] == (f"'{text}" if wild else text)
    assert cells(row, *number) == ["-5", "7"]
    assert row["day"] == "2023-01-15"
    headings = files[".labels.csv"].splitlines()[0]
    assert "'=T0," in headings
    assert ",=T" not in headings
    assert ",-5," in files[".csv"], "a number has no quotes and no apostrophe"

    sheets = desk.book(tmp_path)
    (typed,) = by_heading(sheets["Answers"])
    assert {code: typed[code] for code in texts} == texts
    assert {name: typed[name] for name in number} == number
    assert typed["day"] == date(2023, 1, 15)
    (labels,) = by_heading(sheets["Labels"])
    assert labels["=T0"] == "=1+1"

    lines = desk.files(format=Format.JSONL)[".jsonl"]
    assert json.loads(lines)["answers"] | texts == json.loads(lines)["answers"]


def test_the_workbook_can_be_read_and_printed_as_it_comes(desk: Desk, tmp_path: Path) -> None:
    desk.publish(HAVE, RATED, WAYS, WORDS)
    desk.send({"have": "yes", "rated": "high"})
    desk.book(tmp_path)
    book = load_workbook(tmp_path / "export.xlsx")
    assert book.properties.title == "Answers to tool"
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.oddHeader.left.text == "Answers to tool"
    for name in ("Answers", "Labels", "Codebook"):
        sheet = book[name]
        assert sheet.auto_filter.ref == sheet.dimensions
        assert sheet.print_title_rows == "$1:$1"
    answers = book["Answers"]
    assert answers.freeze_panes == "B2", "who answered stays in sight"
    heads = {cell.value: cell.column_letter for cell in answers[1]}
    assert answers.column_dimensions[heads["submitted_on"]].width >= len("2023-03-01"), "no ####"
    assert all(cell.alignment.wrap_text for cell in book["Labels"][1]), "wordings are long"
    assert book["Notes"].column_dimensions["A"].width >= 100
    assert all(cell.alignment.wrap_text for (cell,) in book["Notes"].iter_rows())


def test_lines_end_as_the_standard_has_it(desk: Desk) -> None:
    desk.publish(Text(code="t", text="T"))
    desk.send({"t": 'a,"b"'})

    written = desk.files()[".csv"]

    assert written.endswith('"a,""b"""\r\n')
    assert written.encode().startswith(b"\xef\xbb\xbf")
    assert written.count("\r\n") == 2


# Q-j: every figure can state its base.


def test_ten_tick_boxes_two_skip_one_has_not_finished_two_were_never_asked(desk: Desk) -> None:
    options = tuple(Option(code=f"way_{number}", label=f"Way {number}") for number in range(5))
    ways = Choices(code="ways", text="Which", options=options, audience=frozenset({"lead_member"}))
    desk.publish(ways, HAVE)
    for number in range(10):
        ticked = [one.code for one in options[: 3 if number < 5 else 2]]
        desk.send({"ways": ticked, "have": "yes"})
    for _ in range(2):
        desk.send({"ways": None, "have": "yes"})
    desk.send({"ways": ["way_0"]}, state=ResponseState.DRAFT)
    for _ in range(2):
        desk.send({"have": "no"}, role="chief_executive")

    files = desk.files()
    rows = read_csv(files[".csv"])
    boxes = [f"ways.{one.code}" for one in options]

    assert len(rows) == 14, "whoever has not finished is not there"
    answered = [row for row in rows if row["ways.way_0"] in ("0", "1")]
    assert len(answered) == 10
    assert sum(int(row[box]) for row in answered for box in boxes) == 25
    assert sum(row["ways.way_0"] == NOT_ANSWERED for row in rows) == 2
    assert sum(row["ways.way_0"] == NOT_ASKED for row in rows) == 2
    told = {row["column"]: row for row in read_csv(files[".codebook.csv"])}
    assert cells(told["ways.way_0"], "responses", "asked", "answered") == ["14", "12", "10"]
    assert cells(told["have"], "responses", "asked", "answered") == ["14", "14", "14"]


# Q-d, of any questionnaire: an export has exactly the answers on the path.


@given(asked())
@settings(max_examples=150, deadline=None)
def test_an_export_has_exactly_the_answers_on_the_path(
    case: tuple[Questionnaire, dict[str, Value | None], str],
) -> None:
    questionnaire, answers, role = case
    published = Published(uuid4(), "tiny", 1, questionnaire)
    way = path(questionnaire, answers, role=role)
    shown = {one.code: one for stop in way.pages for one in stop.questions}
    row = Row(
        head=head(published),
        respondent="R",
        number=1,
        state=State.SUBMITTED,
        late=None,
        named={},
        published=published,
        answers=way.counting,
        asked=frozenset(shown),
    )
    found: dict[str, Value | None] = {}
    for column in columns([published], taken=()):
        cell = row.cell(column)
        assert (cell is Missing.NOT_ASKED) == (column.question not in shown)
        if isinstance(cell, Missing) or column.part is Part.SCORE:
            continue
        if column.part is Part.OPTION:
            ticked = found.setdefault(column.question, [])
            assert isinstance(ticked, list)
            ticked += [column.option] if cell else []
        else:
            found[column.question] = cell  # type: ignore[assignment]  # no date is among these kinds
    expected = {code: answers[code] for code in shown if answers.get(code) is not None}
    assert found == expected


def head(published: Published) -> Head:
    now = datetime(2023, 3, 1, 9, tzinfo=UTC)
    return Head(
        uuid4(), "R", uuid4(), "lead_member", Wave.TOOL, "once", published.id, ResponseState.SUBMITTED,
        Mode.SELF, None, now, b"",
    )  # fmt: skip


# The roof: on record before it is read, with names only for a reason.


def ended(make: Factory, desk: Desk) -> Response:
    """A leader of =Northshire who sent the post questionnaire one day late."""
    versions.publish_shipped(desk.db, desk.clock)
    council = make.council("=Northshire")
    package = make.package(
        make.person("=Ada Lead", council=council),
        council=council,
        state=PackageState.ENDED,
        starts_on=date(2022, 9, 1),
        ends_on=date(2022, 11, 30),
    )
    return desk.send(
        {"confidence_change": "much_more"},
        respondent_id=package.participations[0].id,
        code="post",
        wave=Wave.POST,
        occasion="once",
    )


def written(desk: Desk, programme: Programme, order: Order) -> dict[str, str]:
    source = exports.source(desk.db, programme, order, now=desk.clock())
    return {end: "".join(texts) for end, texts in documents(source, order.format)}


def test_names_stand_only_in_a_named_export(
    desk: Desk, make: Factory, programme: Programme, tmp_path: Path
) -> None:
    response = ended(make, desk)

    plain = written(desk, programme, Order(codes=("post",), format=Format.CSV))
    named = written(desk, programme, Order(codes=("post",), format=Format.CSV, named=True, reason="Why"))

    for secret in ("Ada Lead", "Northshire", response.ref):
        assert not [end for end, text in plain.items() if secret in text]
    (row,) = read_csv(named[".csv"])
    assert cells(row, "name", "council", "role") == [
        "'=Ada Lead",
        "'=Northshire Council",
        "Lead Member for children's services",
    ]
    assert row["reference"] == response.ref
    assert row["late"] == "1"
    source = exports.source(
        desk.db, programme, Order(codes=("post",), format=Format.XLSX, named=True), now=desk.clock()
    )
    write_xlsx(source, tmp_path / "named.xlsx", scratch=tmp_path)
    (typed,) = by_heading(read_xlsx(tmp_path / "named.xlsx")["Answers"])
    assert cells(typed, "name", "council") == ["=Ada Lead", "=Northshire Council"]
    assert set(NAMED) <= set(typed)


def test_an_export_is_on_record_with_its_count_and_its_reason_sealed(
    desk: Desk, make: Factory, programme: Programme
) -> None:
    ended(make, desk)
    order = Order(codes=("post",), format=Format.XLSX, named=True, reason="The Department asks")

    with unit_of_work(desk.db, desk.clock, "person:somebody") as work:
        exports.make(work, programme, order)

    (kept,) = desk.db.query(Export).all()
    assert (kept.by, kept.rows, kept.named, kept.reason) == (
        "person:somebody",
        1,
        True,
        "The Department asks",
    )
    assert b"Department" not in (kept.reason_sealed or b"")
    line = list(audit.entries(desk.db))[-1]
    assert (line.action, line.object) == ("export.made", f"export:{kept.id}")
    assert json.loads(line.details) == {
        "code": "post",
        "format": "xlsx",
        "named": True,
        "partial": False,
        "rows": 1,
    }


@pytest.mark.parametrize("reason", ["", " \n"])
def test_names_need_a_reason(desk: Desk, make: Factory, programme: Programme, reason: str) -> None:
    ended(make, desk)
    order = Order(codes=("post",), format=Format.CSV, named=True, reason=reason)
    with pytest.raises(NoReason), unit_of_work(desk.db, desk.clock, "system:test") as work:
        exports.make(work, programme, order)
    assert desk.db.query(Export).all() == []


def test_more_than_a_browser_should_wait_for_is_refused(
    desk: Desk, make: Factory, programme: Programme
) -> None:
    ended(make, desk)
    order = Order(codes=("post", "baseline"), format=Format.CSV)
    with (
        pytest.raises(TooMany, match="That is 1 responses"),
        unit_of_work(desk.db, desk.clock, "x:y") as work,
    ):
        exports.make(work, programme, order, rows_at_most=0)


def test_a_code_that_nobody_published(desk: Desk) -> None:
    with pytest.raises(Unpublished, match="nowhere"):
        desk.source("nowhere")


# Constant memory.

SAMPLE, FULL = 1_500, 100_000
GROWTH_AT_MOST = 64 * 1024 * 1024


def fill(stack: Stack, desk: Desk, count: int) -> None:
    """Many responses by as many people, straight into the tables."""
    version = versions.current(desk.db, code="tool")
    for start in range(0, count, 2_000):
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
            ids = [new_id() for _ in range(min(2_000, count - start))]
            keys_of(db).ensure(ids)
            db.execute(insert(Respondent), [{"id": one, "audience": "lead_member"} for one in ids])
            rows = [_row(db, version.id, number, one) for number, one in enumerate(ids, start)]
            db.execute(insert(Response), rows)
            db.commit()
    if stack.engine.dialect.name == "postgresql":
        with stack.engine.begin() as connection:
            connection.exec_driver_sql(COUNT_ROWS)


def _row(db: DbSession, version_id: Any, number: int, respondent_id: Any) -> dict[str, Any]:
    answers = {"have": "yes", "rated": "low", "ways": ["talking"], "words": f"Words {number} " * 20}
    response_id, now = new_id(), datetime(2023, 3, 1, 9, tzinfo=UTC)
    asking = Asking(respondent_id=respondent_id, wave=Wave.TOOL, role="lead_member")
    return {
        "id": response_id,
        "ref": f"{number:08d}",
        "respondent_id": respondent_id,
        "version_id": version_id,
        "wave": Wave.TOOL,
        "occasion": "tool-1",
        "state": ResponseState.SUBMITTED,
        "mode": Mode.SELF,
        "revision": 1,
        "started_at": now,
        "saved_at": now,
        "submitted_at": now,
        "answers_sealed": sealed_answers(db, Response.answers, response_id, asking, answers),
    }


@pytest.mark.proof
@pytest.mark.parametrize("format", list(Format))
def test_memory_does_not_grow_with_the_number_of_responses(
    stack: Stack, desk: Desk, programme: Programme, tmp_path: Path, format: Format
) -> None:
    count = FULL if os.environ.get("PROOF") else SAMPLE
    desk.publish(HAVE, RATED, WAYS, WORDS)
    fill(stack, desk, count)
    # Tracing makes it several times slower, so the full count is measured by the size of the process.
    traced = count == SAMPLE
    asked: list[str] = []
    listen = stack.instance.vault.engine, "before_cursor_execute", lambda *read: asked.append(read[2])
    event.listen(*listen)
    before, began = resident(), time.monotonic()
    sizes = [before]
    if traced:
        tracemalloc.start()
    try:
        with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
            order = Order(codes=("tool",), format=format)
            source = exports.source(
                db, programme, order, now=desk.clock(), tell=lambda rows: sizes.append(resident())
            )
            write(source, format, tmp_path)
        peak = tracemalloc.get_traced_memory()[1] if traced else 0
    finally:
        tracemalloc.stop()
        event.remove(*listen)
    took = time.monotonic() - began
    grown = max(*sizes, resident()) - before
    print(
        f"{format}: {count:,} responses in {took:.1f} s, {max(peak, grown) / 2**20:.1f} MiB more than before"
    )
    assert max(peak, grown) < GROWTH_AT_MOST
    passes = 2 if format is Format.CSV else 1
    assert sum(one.startswith("SELECT") for one in asked) == passes * -(-count // 500)
    if format is Format.JSONL:
        assert (tmp_path / "big.jsonl").read_bytes().count(b"\n") == count


def resident() -> int:
    """The bytes of memory that this process holds; where the system doesn't say, the most it ever held."""
    sizes = Path("/proc/self/statm")
    if sizes.exists():
        return int(sizes.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def write(source: Source, format: Format, folder: Path) -> None:
    if format is Format.XLSX:
        write_xlsx(source, folder / "big.xlsx", scratch=folder)
        return
    for end, texts in documents(source, format):
        with (folder / f"big{end}").open("w", encoding="utf-8") as file:
            file.writelines(texts)
