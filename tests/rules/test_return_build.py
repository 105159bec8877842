"""What is in a package: every row of every table, in clear; on both databases, which give values in their own ways."""

import csv
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Council, Person
from portal.returning import packaging
from privacy import reach
from privacy.audit import AuditEntry
from privacy.columns import sealed_columns
from privacy.returns.course import Scope, ScopeKind
from tests.every_table import CONTENT, TYPED
from tests.factories import Factory
from tests.returning import World, rows, world


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    server: str | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with world(tmp_path_factory.mktemp("here"), server) as made:
        yield made


@pytest.fixture(scope="module")
def package(here: World) -> Path:
    here.build(here.folder / "package")
    return here.folder / "package"


@pytest.fixture(scope="module")
def bag(here: World, package: Path) -> Path:
    return here.opened(package, here.folder / "opened")


# ---- what is in it


def test_every_table_is_in_it_with_every_row_and_value_in_clear(here: World, bag: Path) -> None:
    with here.sessions() as db:
        for table in reach.tables():
            if table.name in packaging.APART:
                assert not (bag / "data" / "tables" / f"{table.name}.jsonl").exists()
                continue
            found = rows(bag, table.name)
            assert len(found) == len(db.execute(select(*reach.key(table))).all()), table
            for one in sealed_columns(reach.mapper_of(table).class_):
                name = one.column.removesuffix("_sealed")
                sealed = db.scalars(select(table.c[one.column])).all()
                opened = [row[name] for row in found]
                assert opened.count(None) == list(sealed).count(None), f"{table}.{name}"


def test_lines_lose_nothing_of_what_was_typed(bag: Path) -> None:
    assert rows(bag, "goal_event")[0]["text"] == TYPED
    assert [row["name"] for row in rows(bag, "person") if row["email"] == "lena@northshire.example"] == [
        "Lena Leader"
    ]
    response = rows(bag, "response")[0]
    assert set(response["answers"].values()) == {"@sum, said aloud"}
    assert response["submitted_at"] == "2023-03-01T09:00:00+00:00"


def test_csv_is_no_formula_and_says_where_it_was_one(bag: Path) -> None:
    with (bag / "data/tables/goal_event.csv").open(encoding="utf-8-sig", newline="") as file:
        shown = list(csv.DictReader(file))
    assert shown[0]["text"] == f"'{TYPED}"
    with (bag / "data/escapes.csv").open(encoding="utf-8", newline="") as file:
        escapes = [tuple(row.values()) for row in csv.DictReader(file)]
    assert ("goal_event", "1", "text") in escapes
    for path in (bag / "data").rglob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "+", "@"))]


def test_answers_stand_whole_and_as_a_row_for_each(bag: Path) -> None:
    with (bag / "data/answers.csv").open(encoding="utf-8-sig", newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == sum(len(row["answers"]) for row in rows(bag, "response"))
    assert all(row["question"] and row["answer"] == "'@sum, said aloud" for row in found)


def test_files_lie_under_their_digests(bag: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (bag / "data/files" / digest).read_bytes() == CONTENT
    assert {row["content"] for row in rows(bag, "casefile_file")} == {digest}


def test_nothing_of_our_keys_is_in_it(here: World, bag: Path) -> None:
    columns = {
        name
        for path in (bag / "data/tables").glob("*.schema.json")
        for one in json.loads(path.read_bytes())["columns"]
        for name in [one["name"]]
    }
    assert not columns & {"mac", "token", "verifier", "network", "email_index", "wrapped"}
    with (bag / "data/reconcile.csv").open(encoding="utf-8-sig", newline="") as file:
        left = {row["what"]: row["why"] for row in csv.DictReader(file) if row["why"]}
    assert {"person.email_index", "audit_entry.mac", "subject_key", "instance_fact"} <= set(left)


def test_who_was_erased_is_in_the_ledger_alone(here: World, bag: Path) -> None:
    assert here.erased[0] in {row["holder_id"] for row in rows(bag, "erasure_ledger")}
    assert here.erased[0] not in {row["id"] for row in rows(bag, "person")}
    for path in bag.rglob("*"):
        assert not path.is_file() or b"Gone Person" not in path.read_bytes()


def test_the_opened_folder_says_what_it_is(bag: Path) -> None:
    said = (bag / "READ-ME.txt").read_text(encoding="utf-8")
    assert said.startswith("REHEARSAL")
    assert "con_9887" in said
    folders = re.findall(r"^(data/\w+)/ ", said, re.MULTILINE)
    assert set(folders) == {f"data/{path.name}" for path in (bag / "data").iterdir() if path.is_dir()}
    assert "data/readable/index.html" in said
    assert "READ-ME.txt" in (bag / "tagmanifest-sha256.txt").read_text()


def test_the_front_page_and_registers_are_there_to_read(bag: Path) -> None:
    page = (bag / "data/readable/index.html").read_text(encoding="utf-8")
    assert "REHEARSAL" in page
    for link in page.split('href="')[1:]:
        assert (bag / "data/readable" / link.partition('"')[0]).resolve().is_file(), link
    people = (bag / "data/readable/people.html").read_text(encoding="utf-8")
    assert "Lena Leader" in people
    assert "Lead Member for children's services" in unescape(people), "roles in the words of the pages"
    record = json.loads((bag / "data/registers/processing.json").read_bytes())
    assert record["article"] == "30(2)"


def test_registers_cases_and_columns_are_there_in_words(here: World, bag: Path) -> None:
    def said(name: str) -> str:
        text = (bag / "data/readable" / f"{name}.html").read_text(encoding="utf-8")
        return unescape(re.sub(r"<[^>]+>", " ", text.partition("<main>")[2]))

    registers = said("registers")
    entries = rows(bag, "register_entry")
    assert entries
    assert all(one["letter"] in registers for one in entries if not one["letter"].startswith("_"))
    assert "person:" not in registers, "people by the references that the other pages have"
    assert '{"' not in registers
    cases = said("cases")
    assert all(one["ref"] in cases for one in rows(bag, "casefile"))
    assert "Article 30(2)" in said("processing")
    columns = said("columns")
    for schema in (bag / "data/tables").glob("*.schema.json"):
        found = json.loads(schema.read_text(encoding="utf-8"))
        assert f" {found['table']} " in columns
        for column in found["columns"]:
            assert f" {column['name']} " in columns, f"{found['table']}.{column['name']}"


def test_the_trail_comes_with_a_verifier_that_needs_nothing_else(here: World, bag: Path) -> None:
    head = "{lines}:{digest}".format(**rows(bag, "chain_check")[0])
    said = subprocess.run(
        [sys.executable, "-I", bag / "data/audit/verify.py", bag, "--head", head],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{len(rows(bag, 'audit_entry'))} lines" in said.stdout


# ---- a part


def test_one_person_takes_their_rows_and_nobody_elses(here: World, tmp_path: Path) -> None:
    with here.sessions() as db:
        lena: Any = person(db, "Lena Leader")
    here.build(tmp_path / "package", scope=Scope(ScopeKind.PERSON, lena))
    bag = here.opened(tmp_path / "package", tmp_path / "opened")
    assert [row["name"] for row in rows(bag, "person")] == ["Lena Leader"]
    assert len(rows(bag, "response")) == 1
    assert rows(bag, "package")
    for path in bag.rglob("*"):
        assert not path.is_file() or b"Max Mentor" not in path.read_bytes(), path


def test_one_council_takes_its_people_packages_and_facts(here: World, tmp_path: Path) -> None:
    with here.sessions() as db:
        council = db.scalars(select(Council.id).where(Council.short_name == "Northshire")).one()
    here.build(tmp_path / "package", scope=Scope(ScopeKind.COUNCIL, council))
    bag = here.opened(tmp_path / "package", tmp_path / "opened")
    assert {row["council_id"] for row in rows(bag, "package")} == {str(council)}
    assert {row["council_id"] for row in rows(bag, "council_fact")} <= {str(council)}
    assert {row["name"] for row in rows(bag, "person")} == {"Lena Leader", "Member 0", "Member 1", "Member 2"}
    with (bag / "data/reconcile.csv").open(encoding="utf-8-sig", newline="") as file:
        counted = {row["what"]: row for row in csv.DictReader(file)}
    assert counted["person"]["why"] == "outside the scope of this return"
    assert int(counted["person"]["left out"]) > 0


def person(db: DbSession, name: str) -> object:
    return next(one.id for one in db.scalars(select(Person)) if one.name == name)


def test_one_moment_is_read_whatever_is_written_meanwhile(here: World, tmp_path: Path) -> None:
    """Somebody and a council are added while the first rows are on their way; the package knows of neither."""
    written: list[str] = []

    def meanwhile(done: int, total: int) -> None:
        if written:
            return
        written.append("Late Arrival")
        with here.sessions() as db:
            make = Factory(db, here.stack.clock, here.stack.instance.programme)
            make.person(written[0])
            make.council("Late Council")

    with here.sessions() as db:
        before = db.scalar(select(func.count()).select_from(Person))
        trail = db.scalar(select(func.max(AuditEntry.seq)))
    here.build(tmp_path / "package", progress=meanwhile)
    bag = here.opened(tmp_path / "package", tmp_path / "opened")
    with here.sessions() as db:
        assert db.scalar(select(func.count()).select_from(Person)) == (before or 0) + 1, "it was written"
    assert written[0] not in {row["name"] for row in rows(bag, "person")}
    assert len(rows(bag, "person")) == before
    assert max(row["seq"] for row in rows(bag, "audit_entry")) == trail
