"""Exports of one person: all of theirs, nothing of anybody else's, sealed until they are fetched once."""

import calendar
import csv
import io
import json
import re
import stat
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import pytest
from lxml import html
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.booking.intervals import CELL_SECONDS
from portal.desk import housekeeping
from portal.models import (
    Attendance,
    Council,
    MentorProfile,
    Occupied,
    Package,
    Participation,
    Person,
    Session,
)
from privacy import erasure, person_data, person_exports, person_file, reach
from privacy.audit import Action
from privacy.person_exports import Desk, NotReleased
from privacy.person_file import TAKEN_FOR_FORMULAS
from privacy.rights import ExportState, PersonExport
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.rules.test_erasure import erase, instruct, places_of
from tests.two_sides import Side

NASTY = ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "../../etc/passwd")


@pytest.fixture
def desk(stack: Stack, tmp_path: Path) -> Desk:
    vault = stack.instance.vault
    made = housekeeping.desk(stack.instance, lambda: DbSession(stack.engine, info={"vault": vault}))
    return replace(made, folder=tmp_path / "exports")


@pytest.fixture
def side(stack: Stack, make: Factory) -> Side:
    versions.publish_shipped(make.db, stack.clock)
    made = Side(make, "first")
    make.db.rollback()
    return made


def ask(desk: Desk, person_id: UUID) -> UUID:
    with desk.sessions() as db, unit_of_work(db, desk.clock, "person:dpo") as work:
        return person_exports.ask(work, person_id=person_id).id


def fetch(desk: Desk, export_id: UUID, person_id: UUID) -> dict[str, str]:
    with desk.sessions() as db, unit_of_work(db, desk.clock, "person:dpo") as work:
        data = person_exports.fetch(work, desk.folder, export_id=export_id, person_id=person_id)
    return opened(data)


def opened(data: bytes) -> dict[str, str]:
    with ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def export(desk: Desk, person_id: UUID) -> dict[str, str]:
    export_id = ask(desk, person_id)
    assert person_exports.run(desk) == 1
    return fetch(desk, export_id, person_id)


def test_it_holds_everything_of_theirs_and_nothing_of_others(desk: Desk, side: Side, db: DbSession) -> None:
    files = export(desk, side.leader)
    text = "\n".join(files.values())
    mine = ("leadername", "leaderaddress", "leaderphone", "leaderneeds", "leaderanswer", "leadergoal", "kept")
    for word in (*mine, "sessionplace", "waiver"):
        assert f"first{word}" in text, word
    others = ("membername", "memberanswer", "mentoraddress", "formerexample", "colleaguetool", "grouptitle")
    for word in others:
        assert f"first{word}" not in text, word
    cover = json.loads(files["cover.json"])
    stores = len(person_data.stores(db, side.leader, readers={}))
    assert cover["stores"] == f"{stores} of {stores} stores answered"
    assert cover["about"]["Why it is held"]
    assert any("data-protection@" in line for line in cover["about"]["Your rights"])
    held = {name.split("-", 1)[1] for name in files if name.endswith(".json") and name != "cover.json"}
    assert {f"{table.name}.json" for table in reach.personal_tables()} <= held


def test_what_a_group_agreed_is_in_the_export_of_each_of_them_and_of_nobody_else(
    desk: Desk, side: Side
) -> None:
    for person_id in (side.member, side.colleague):
        files = export(desk, person_id)
        text = next(text for name, text in files.items() if name.endswith("-goal-together.json"))
        assert "firstgroupgoal" in text
    assert "firstcolleagueshared" in "\n".join(files.values())
    for person_id in (side.leader, side.former, side.mentor):
        assert "firstgroupgoal" not in "\n".join(export(desk, person_id).values())


def test_the_page_says_days_times_and_answers_in_words(desk: Desk, side: Side) -> None:
    files = export(desk, side.former)
    page = files["index.html"]
    assert "1 March 2023, 9am" in page
    assert "2023-03-01T" not in page
    assert "2023-03-01T09:00:00+00:00" in files["data/01-person.json"], "machines get the moment itself"
    assert '"role_confidence"' not in page, "answers stand there as they were asked"
    why = page.split("<h2>Why it is held</h2>")[1].split("</ul>")[0]
    assert "bank holidays" not in why, "only why something of theirs is held"


def test_the_page_is_one_that_everybody_can_read(desk: Desk, side: Side) -> None:
    page = export(desk, side.former)["index.html"]
    assert "firstformerexample" in page
    tree = html.document_fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8"))
    assert next(tree.iter("html")).get("lang") == "en-GB"
    assert len(list(tree.iter("h1"))) == 1
    assert len(list(tree.iter("main"))) == 1
    assert not list(tree.iter("script"))
    for one in tree.iter("table"):
        assert len(list(one.iter("caption"))) == 1
    assert all(head.get("scope") == "row" for head in tree.iter("th"))
    heads = {"".join(map(str, head.itertext())) for head in tree.iter("th")}
    assert [head for head in heads if head.endswith("?")], "questions as they were asked"


def test_the_page_speaks_of_things_by_the_names_that_people_know(desk: Desk, side: Side) -> None:
    files = export(desk, side.former)
    tree = html.document_fromstring(files["index.html"].encode(), parser=html.HTMLParser(encoding="utf-8"))
    text = " ".join(map(str, tree.itertext()))
    assert not re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", text), "ids are for the files of machines"
    assert "keyed digest" not in text
    assert str(side.former) in files["data/01-person.json"]
    headings = ["".join(map(str, one.itertext())) for one in tree.iter("h2", "h3")]
    for heading in ("Your roles, in which council, from when to when", "Your answers to questionnaires"):
        assert heading in headings
    heads = {"".join(map(str, one.itertext())) for one in tree.iter("th")}
    assert {"Reference", "Created", "From"} <= heads
    assert not {"Ref", "Id", "Person id", "Created at"} & heads
    assert "lead member" in text
    assert "lead_member" not in text
    assert headings[-1] == "What nothing is held of"
    assert files["data/08-clearance.csv"] == "\ufeffNothing is held of this kind\r\n"
    assert "Your checks, training and undertakings" in text.split(headings[-1])[1]


def test_the_page_heads_each_value_with_what_it_holds(desk: Desk, side: Side, make: Factory) -> None:
    page = heads(export(desk, make.mentor("May Mentor").id)["index.html"])
    assert page["Name"] == "May Mentor"
    assert page["Day of the week"] in calendar.day_name[:5]
    assert page["From and until"] == "9am to midday\n1pm to 5pm"
    words = heads(export(desk, side.leader)["index.html"])
    assert {"Goal, in words", "What the note of the session says", "Role in the council"} <= set(words)
    assert not {"Text", "Body", "Cell", "Uid", "Sequence"} & set(words)


def heads(page: str) -> dict[str, str]:
    """What stands at the head of values, with the last of them."""
    tree = html.document_fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8"))
    found = {}
    for row in tree.iter("tr"):
        head, value = ("".join(map(str, cell.itertext())) for cell in row)
        found[head] = value
    return found


def test_values_within_values_are_set_in_under_their_names(desk: Desk, side: Side, db: DbSession) -> None:
    record = {
        "roles": ["lead_member", "cabinet_member"],
        "skills": "Data",
        "coaching": "",
        "told": [["The team", "2023-03-01"]],
    }
    with unit_of_work(db, desk.clock, "system:test") as work:
        profile = work.db.scalars(select(MentorProfile).where(MentorProfile.person_id == side.mentor)).one()
        profile.record = record
    shown = heads(export(desk, side.mentor)["index.html"])["Experience, skills and training as a mentor"]
    lines = [line.replace("\N{NO-BREAK SPACE}", ".") for line in shown.splitlines()]
    assert lines == [
        "Roles:",
        "....lead member",
        "....cabinet member",
        "Skills: Data",
        "Told: The team: 1 March 2023",
    ]


def test_ones_own_copy_says_answers_once_and_in_words(desk: Desk, side: Side, db: DbSession) -> None:
    cover, gathered, _ = person_exports.put_together(desk, db, side.leader, own=True)
    shown = heads(person_file.page(cover, gathered))
    assert [head for head in shown if head.endswith("?")]
    assert "Answers to the questionnaire" not in shown, "that would be the codes"


def test_the_page_says_when_where_and_in_what_instead_of_numbers(
    desk: Desk, side: Side, db: DbSession
) -> None:
    held = db.scalars(select(Session).join(Attendance).where(Attendance.person_id == side.leader)).first()
    assert held is not None
    booked = [held.starts_at, held.starts_at + timedelta(minutes=15)]
    for one in booked:
        cell = int(one.timestamp()) // CELL_SECONDS
        db.add(Occupied(person_id=side.leader, cell=cell, session_id=held.id))
    council = db.get_one(Council, side.council).name
    package = db.get_one(Package, side.package).ref
    session = filters.span(held.starts_at, held.ends_at)
    db.commit()
    files = export(desk, side.leader)
    tree = html.document_fromstring(files["index.html"].encode(), parser=html.HTMLParser(encoding="utf-8"))
    shown: dict[str, list[list[str]]] = {}
    for table in tree.iter("table"):
        store = "".join(map(str, next(table.iter("caption")).itertext())).split(",")[0]
        shown.setdefault(store, []).extend(
            ["".join(map(str, cell.itertext())) for cell in row] for row in table.iter("tr")
        )
    assert shown["Quarter hours in which you are booked"] == [
        ["Quarter hour", filters.day_time(one)] for one in booked
    ]
    assert ["Session", session] in shown["Your places in sessions"]
    assert ["Council", council] in shown["Your roles"]
    assert ["Package", package] in shown["The support that you take part in"]
    machines = next(text for name, text in files.items() if name.endswith("-occupied.json"))
    assert '"cell"' in machines


def test_the_page_tells_the_trail_in_words(desk: Desk, side: Side, db: DbSession) -> None:
    with unit_of_work(db, desk.clock, f"person:{side.mentor}") as work:
        work.record(
            Action.ATTENDANCE_RECORDED,
            object=f"session:{side.package}",
            holder=side.leader,
            outcome="attended",
            session=str(side.package),
        )
    files = export(desk, side.leader)
    page = files["index.html"]
    tree = html.document_fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8"))
    trail = [
        {
            "".join(map(str, row[0].itertext())): "".join(map(str, row[1].itertext()))
            for row in table.iter("tr")
        }
        for table in tree.iter("table")
        if "".join(map(str, next(table.iter("caption")).itertext())).startswith("The audit trail")
    ]
    line = next(one for one in trail if one["What was done"] == "Attendance recorded")
    assert line["By"] == "somebody else", "who else it was stands in nobody's copy"
    assert line["Details"] == "Outcome: attended"
    assert not re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}", page), "ids are for the files of machines"
    machines = json.loads(next(text for name, text in files.items() if name.endswith("-audit_entry.json")))
    assert any(row["details"].get("session") == str(side.package) for row in machines["rows"])


def test_what_somebody_typed_stays_as_it_is_even_if_it_looks_like_a_word_of_ours(
    desk: Desk, make: Factory, db: DbSession
) -> None:
    person = make.person("Ada Lead")
    typed = "0a1b2c3d-0000-4000-8000-0123456789ab"
    for words in ("quiet_room", typed, "system:none"):
        with unit_of_work(db, desk.clock, "system:test") as work:
            work.db.get_one(Person, person.id).adjustments = words
        assert f"<td>{words}</td>" in export(desk, person.id)["index.html"]


def test_other_peoples_names_in_free_text_are_flagged(desk: Desk, make: Factory, db: DbSession) -> None:
    make.person("Berta Quillfeather")
    person = make.person("Ada Lead")
    with unit_of_work(db, desk.clock, "system:test") as work:
        work.db.get_one(Person, person.id).adjustments = "Sits beside Quillfeather, as Lead asked"
    files = export(desk, person.id)
    flags = json.loads(files["cover.json"])["check_for_other_people"]
    assert [(flag["store"], flag["column"], flag["word"]) for flag in flags] == [
        ("person", "adjustments", "Quillfeather")
    ]
    assert "may name other people" in files["index.html"]


@pytest.mark.parametrize("word", NASTY)
def test_what_was_typed_does_nothing_and_names_no_entry(
    desk: Desk, make: Factory, db: DbSession, word: str
) -> None:
    """P-h."""
    person = make.person(word)
    with unit_of_work(db, desk.clock, "system:test") as work:
        work.db.get_one(Person, person.id).adjustments = f"=1+1 {word}"
    files = export(desk, person.id)
    tree = html.document_fromstring(files["index.html"].encode(), parser=html.HTMLParser(encoding="utf-8"))
    assert not list(tree.iter("script"))
    assert not list(tree.iter("img"))
    assert word in "".join(map(str, tree.itertext()))
    for name in files:
        assert name in ("index.html", "cover.json") or name.startswith("data/")
        assert not any(part in name for part in ("..", "<", "passwd"))
    for name, text in files.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
                assert not [cell for cell in row if cell.startswith(TAKEN_FOR_FORMULAS)], name


def test_two_peoples_exports_by_several_workers_stay_apart(desk: Desk, make: Factory, stack: Stack) -> None:
    """P-d: asked for at once, several times, built by several workers at once."""
    versions.publish_shipped(make.db, stack.clock)
    sides = Side(make, "first"), Side(make, "second")
    make.db.rollback()
    asked = []
    for _ in range(2):
        asked = [(side, ask(desk, side.leader)) for side in sides]
        workers = [threading.Thread(target=person_exports.run, args=(desk,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for side, export_id in asked:
            text = "\n".join(fetch(desk, export_id, side.leader).values())
            other = "second" if side.name == "first" else "first"
            for word in ("leadername", "leaderanswer", "leadergoal", "leaderneeds"):
                assert f"{side.name}{word}" in text
                assert f"{other}{word}" not in text


def test_it_is_sealed_where_it_lies_and_fetched_once(desk: Desk, side: Side, db: DbSession) -> None:
    export_id = ask(desk, side.leader)
    assert ask(desk, side.leader) == export_id, "asking again while it waits is the same export"
    person_exports.run(desk)
    (path,) = desk.folder.iterdir()
    assert b"firstleadername" not in path.read_bytes()
    assert b"PK\x03\x04" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(desk.folder.stat().st_mode) == 0o700
    assert fetch(desk, export_id, side.leader)
    with pytest.raises(NotReleased):
        fetch(desk, export_id, side.leader)
    assert person_exports.sweep(db, desk.folder, now=desk.clock()) == 1
    assert list(desk.folder.iterdir()) == []


def test_another_persons_export_is_not_fetched_with_an_id(desk: Desk, side: Side) -> None:
    export_id = ask(desk, side.leader)
    person_exports.run(desk)
    with pytest.raises(NotReleased):
        fetch(desk, export_id, side.member)
    assert fetch(desk, export_id, side.leader)


def test_after_seven_days_it_is_too_old(desk: Desk, side: Side, clock: SetClock, db: DbSession) -> None:
    export_id = ask(desk, side.leader)
    person_exports.run(desk)
    clock.pass_time(days=7)
    with pytest.raises(NotReleased):
        fetch(desk, export_id, side.leader)
    assert person_exports.sweep(db, desk.folder, now=clock()) == 1


def test_it_goes_with_the_person(desk: Desk, side: Side, stack: Stack) -> None:
    desk = replace(desk, folder=housekeeping.export_folder(stack.instance))
    export_id = ask(desk, side.leader)
    person_exports.run(desk)
    assert list(desk.folder.iterdir()) != []
    instruct(stack)
    with desk.sessions() as db, unit_of_work(db, desk.clock, "system:test") as work:
        erasure.begin(work, person_id=side.leader, letter="INSTR 12")
    erasure.finish(housekeeping.places(stack.instance, desk.sessions))
    assert list(desk.folder.iterdir()) == []
    with pytest.raises(NotReleased):
        fetch(desk, export_id, side.leader)


def test_whoever_is_erased_while_it_is_built_leaves_no_file(desk: Desk, side: Side, stack: Stack) -> None:
    instruct(stack)
    export_id = ask(desk, side.leader)
    erase(places_of(stack), side.leader)
    assert person_exports.run(desk) == 0
    assert not (desk.folder / f"{export_id}.sealed").exists()


def test_one_store_that_does_not_answer_releases_nothing(desk: Desk, side: Side, db: DbSession) -> None:
    """A value that was moved from another row does not open: the store fails, and it is named."""
    other = db.get_one(Person, side.member).phone_sealed or db.get_one(Person, side.member).name_sealed
    db.rollback()
    db.execute(update(Person).where(Person.id == side.leader).values(phone_sealed=other))
    db.commit()
    export_id = ask(desk, side.leader)
    person_exports.run(desk)
    found = db.get_one(PersonExport, export_id, populate_existing=True)
    assert (found.state, found.failed_store) == (ExportState.FAILED, "person")
    assert found.answered < found.stores
    assert not list(desk.folder.iterdir()) if desk.folder.is_dir() else True
    with pytest.raises(NotReleased):
        fetch(desk, export_id, side.leader)


def test_a_worker_that_died_is_taken_over(desk: Desk, side: Side, clock: SetClock, db: DbSession) -> None:
    export_id = ask(desk, side.leader)
    claimed = {"state": ExportState.BUILDING, "claimed_until": clock() + timedelta(minutes=10)}
    db.execute(update(PersonExport).where(PersonExport.id == export_id).values(**claimed))
    db.commit()
    assert person_exports.run(desk) == 0
    clock.pass_time(minutes=10)
    assert person_exports.run(desk) == 1
    assert fetch(desk, export_id, side.leader)


def test_a_mentors_export_leaves_their_leaders_out(desk: Desk, side: Side, db: DbSession) -> None:
    files = export(desk, side.mentor)
    naming = next(text for name, text in files.items() if name.endswith("-session-naming.json"))
    given = json.loads(naming)["rows"]
    assert {row["mentor_id"] for row in given} == {str(side.mentor)}
    text = "\n".join(files.values())
    for word in ("leadername", "leaderanswer", "leadergoal", "sessionplace", "waiver"):
        assert f"first{word}" not in text, word
    assert db.scalars(select(Participation)).first() is not None
