"""`flask report monthly|quarterly|annual`: the files of a release, whole, the same each time."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy.orm import Session as DbSession

from portal.results import releases
from portal.results.periods import Kind
from privacy import audit
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Release as ReleaseRow
from tests.conftest import SetClock, Stack
from tests.released import a_release, store

NAMES = {f"quarterly-2022-Q4.{ending}" for ending in ("docx", "html", "xlsx", "csv")}


def run(stack: Stack, *args: str | Path) -> Result:
    return stack.app.test_cli_runner().invoke(args=["report", *map(str, args)])


def test_what_was_released_is_written_again_and_again(
    stack: Stack, db: DbSession, clock: SetClock, tmp_path: Path
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        store(work, a_release())
    first = run(stack, "quarterly", "--period", "2022-Q4", "--out", tmp_path / "a", "--json")
    assert first.exit_code == 0, first.output
    clock.pass_time(days=30)
    second = run(stack, "quarterly", "--period", "2022-Q4", "--out", tmp_path / "b", "--json")
    told = json.loads(first.stdout)
    assert json.loads(second.stdout) == told
    assert (told["as_of"], told["hash"]) == ("2022-12-31", releases.digest(a_release().canonical()))
    for one in told["files"]:
        for folder in ("a", "b"):
            data = (tmp_path / folder / one["name"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == one["sha256"]
    assert {path.name for path in (tmp_path / "a").iterdir()} == NAMES


def test_what_the_team_wrote_is_not_written_over(
    stack: Stack, db: DbSession, clock: SetClock, tmp_path: Path
) -> None:
    with unit_of_work(db, clock, "system:test") as work:
        store(work, a_release())
    asked = ("quarterly", "--period", "2022-Q4", "--out", tmp_path)
    assert run(stack, *asked).exit_code == 0
    assert run(stack, *asked).exit_code == 0, "the same files may be there"
    paper = tmp_path / "quarterly-2022-Q4.docx"
    paper.write_bytes(b"written in")
    refused = run(stack, *asked)
    assert refused.exit_code == 1
    assert "was changed" in refused.stderr
    assert paper.read_bytes() == b"written in"
    assert run(stack, *asked, "--force").exit_code == 0
    assert paper.read_bytes() != b"written in"


@pytest.mark.parametrize("kind, period", [(Kind.MONTHLY, "2023-01"), (Kind.ANNUAL, "2021-22")])
def test_a_period_that_is_over_is_released(
    stack: Stack, db: DbSession, clock: SetClock, tmp_path: Path, kind: Kind, period: str
) -> None:
    versions.publish_shipped(db, clock)
    made = run(stack, kind, "--period", period, "--out", tmp_path)
    assert made.exit_code == 0, made.output
    assert f"The figures of {period} are released" in made.stderr
    assert made.stdout == ""
    db.rollback()
    assert [(one.kind, one.period) for one in db.query(ReleaseRow)] == [(kind, period)]
    assert (list(audit.entries(db))[-1].action, len(list(tmp_path.iterdir()))) == ("release.made", 4)


@pytest.mark.parametrize(
    "kind, period, words",
    [
        ("quarterly", "2023-Q1", "not over yet"),
        ("quarterly", "2023", "written like 2023-Q1"),
        ("annual", "2030-31", "The contract has 2021-22, 2022-23, 2023-24"),
    ],
)
def test_other_periods_are_refused(stack: Stack, tmp_path: Path, kind: str, period: str, words: str) -> None:
    refused = run(stack, kind, "--period", period, "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert words in refused.stderr
    assert not (tmp_path / "out").exists()
