"""`flask questionnaires export`: whole files or none, on record, nobody's name."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy.orm import Session as DbSession

from portal.models import Export
from privacy import audit
from surveys.kinds import Text, YesNo
from surveys.models import Wave
from tests.conftest import SetClock, Stack
from tests.exported import Desk, read_csv, read_xlsx


@pytest.fixture(autouse=True)
def _answers(db: DbSession, clock: SetClock) -> None:
    desk = Desk(db, clock)
    desk.publish(YesNo(code="have", text="Have you"), Text(code="words", text="Words"), code="interim")
    desk.send({"have": "yes", "words": "=1+1"}, code="interim", wave=Wave.INTERIM)
    desk.send({"have": "no"}, code="interim", wave=Wave.INTERIM)


def run(stack: Stack, *args: str | Path) -> Result:
    return stack.app.test_cli_runner().invoke(args=["questionnaires", "export", *map(str, args)])


def test_csv_with_its_files_beside_it(stack: Stack, tmp_path: Path, db: DbSession) -> None:
    out = tmp_path / "interim.csv"

    result = run(stack, "interim", "--format", "csv", "--out", out)

    assert result.exit_code == 0, result.output
    assert "2 responses written to" in result.stderr
    assert result.stdout == ""
    names = {"interim.csv", "interim.labels.csv", "interim.codebook.csv", "interim.notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    rows = read_csv(out.read_bytes().decode())
    assert {(row["have"], row["words"]) for row in rows} == {("yes", "'=1+1"), ("no", "[not answered]")}
    db.rollback()
    line = list(audit.entries(db))[-1]
    assert (line.action, line.actor) == ("export.made", "system:command")
    assert [(one.rows, one.named) for one in db.query(Export)] == [(2, False)]


def test_the_other_formats(stack: Stack, tmp_path: Path) -> None:
    assert run(stack, "interim", "--format", "xlsx", "--out", tmp_path / "a.xlsx").exit_code == 0
    assert run(stack, "interim", "--format", "jsonl", "--out", tmp_path / "b.jsonl").exit_code == 0

    assert len(read_xlsx(tmp_path / "a.xlsx")["Answers"]) == 3
    lines = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["answers"]["have"] for line in lines} == {"yes", "no"}
    names = {"a.xlsx", "b.jsonl", "b.codebook.jsonl", "b.notes.txt"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_it_writes_over_nothing_unless_told_to(stack: Stack, tmp_path: Path) -> None:
    beside = tmp_path / "interim.codebook.csv"
    beside.write_text("mine", encoding="utf-8")

    refused = run(stack, "interim", "--format", "csv", "--out", tmp_path / "interim.csv")

    assert refused.exit_code == 1
    assert "interim.codebook.csv is there already" in refused.stderr
    assert beside.read_text(encoding="utf-8") == "mine"
    assert (
        run(stack, "interim", "--format", "csv", "--out", tmp_path / "interim.csv", "--force").exit_code == 0
    )
    assert beside.read_text(encoding="utf-8") != "mine"


@pytest.mark.parametrize(
    "code,out,message",
    [
        ("nowhere", "x.csv", "no questionnaire called nowhere was published"),
        ("interim", "missing/x.csv", "is not there"),
    ],
)
def test_what_cannot_be_leaves_nothing(
    stack: Stack, tmp_path: Path, db: DbSession, code: str, out: str, message: str
) -> None:
    result = run(stack, code, "--format", "csv", "--out", tmp_path / out)

    assert result.exit_code == 1
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []
    db.rollback()
    assert db.query(Export).all() == []


def test_a_failure_on_the_way_leaves_no_half_file(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "interim.codebook.csv").mkdir()

    result = run(stack, "interim", "--format", "csv", "--out", tmp_path / "interim.csv", "--force")

    assert result.exit_code == 1
    assert not list(tmp_path.glob("*.part"))


def test_what_people_answer_for_themselves_alone_is_not_exported(
    stack: Stack, tmp_path: Path, db: DbSession, clock: SetClock
) -> None:
    desk = Desk(db, clock)
    desk.publish(Text(code="words", text="Words"), code="tool")
    desk.send({"words": "Only mine"})
    result = run(stack, "tool", "--format", "csv", "--out", tmp_path / "x.csv")
    assert result.exit_code == 1
    assert "answered for oneself alone" in result.stderr
    assert list(tmp_path.iterdir()) == []
