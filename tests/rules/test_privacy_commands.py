"""`flask privacy` about people's data: thin commands over the rules, one document or plain lines each."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import Result
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import intake
from portal.models import Person, SecondAct
from privacy.cases.tables import CaseKind, Channel
from privacy.rights import Erasure, ErasureState, LegalHold
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.seconding import agreed

LETTER = ("--instruction", "INSTR 12")


@pytest.fixture
def ref(make: Factory) -> str:
    person = make.person("Ada Lead", email="ada@council.example")
    make.package(person)
    found = person.ref
    make.db.rollback()
    return found


def agree(stack: Stack, db: DbSession, act: SecondAct) -> None:
    """Two people agree to it, about the one person there is."""
    person_id = db.scalars(select(Person.id)).one()
    db.rollback()
    agreed(db, stack.clock, act=act, thing=f"person:{person_id}", letter="INSTR 12")


def run(stack: Stack, *args: str | Path, fails: bool = False) -> Result:
    done = stack.app.test_cli_runner().invoke(args=["privacy", *map(str, args)])
    assert (done.exit_code != 0) is fails, done.output
    return done


def test_export_writes_one_private_file(stack: Stack, ref: str, tmp_path: Path, db: DbSession) -> None:
    out = tmp_path / "ada.zip"
    ask = ("export", "ADA@council.example", "--out", out)
    assert "name the instruction" in run(stack, *ask, fails=True).stderr
    agree(stack, db, SecondAct.EXPORT)
    done = run(stack, *ask, *LETTER)
    assert done.stdout == ""
    assert out.stat().st_mode & 0o077 == 0
    with ZipFile(out) as archive:
        assert "Ada Lead" in archive.read("index.html").decode()
    assert "is there already" in run(stack, "export", ref, "--out", out, fails=True).stderr
    assert "nobody has" in run(stack, "export", "P-222222", "--out", tmp_path / "b.zip", fails=True).stderr


def test_erase_tells_first_and_takes_an_instruction(stack: Stack, ref: str, db: DbSession) -> None:
    told = run(stack, "erase", ref, *LETTER, "--dry-run").stdout
    assert "person: 1 go, 0 emptied, 0 stay" in told.splitlines()
    assert db.scalars(select(Person.ref)).all() == [ref]
    db.rollback()
    assert "no instruction INSTR 12" in run(stack, "erase", ref, *LETTER, fails=True).stderr
    run(stack, "instruction", "INSTR 12", "--text", "Erase.")
    assert "no second person's approval" in run(stack, "erase", ref, *LETTER, fails=True).stderr
    agree(stack, db, SecondAct.ERASURE)
    assert f"{ref}: erased" in run(stack, "erase", ref, *LETTER).stderr
    assert db.scalars(select(Person)).all() == []
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED


def test_hold_and_lift(stack: Stack, ref: str, db: DbSession, make: Factory) -> None:
    run(stack, "instruction", "INSTR 12", "--text", "Erase.")
    agree(stack, db, SecondAct.ERASURE)
    hold_id = run(stack, "hold", ref, "--cause", "foi").stdout.strip()
    assert f"{ref}: waits for a hold to be lifted" in run(stack, "erase", ref, *LETTER).stderr
    other = make.person().ref
    make.db.rollback()
    assert "no such hold" in run(stack, "hold", other, "--lift", hold_id, fails=True).stderr
    run(stack, "hold", ref, "--lift", hold_id)
    assert db.scalars(select(Erasure.state)).one() is ErasureState.ERASED


def test_what_an_open_case_holds_is_not_lifted(
    stack: Stack, ref: str, db: DbSession, make: Factory, clock: SetClock
) -> None:
    person_id = db.scalars(select(Person.id).where(Person.ref == ref)).one()
    with unit_of_work(db, clock, "person:desk") as work:
        intake.take_in(
            work,
            make.programme,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=work.now,
            asked="All that you hold",
            contact={"name": "Ada"},
            subject_id=person_id,
        )
    hold_id = str(db.scalars(select(LegalHold.id)).one())
    db.rollback()
    assert "is open and keeps the data" in run(stack, "hold", ref, "--lift", hold_id, fails=True).stderr


def test_restrict_and_lift(stack: Stack, ref: str, db: DbSession) -> None:
    run(stack, "instruction", "INSTR 12", "--text", "Restrict.")
    run(stack, "restrict", ref, *LETTER)
    assert db.scalars(select(Person.restricted_at)).one() is not None
    db.rollback()
    run(stack, "restrict", ref, *LETTER, "--lift")
    assert db.scalars(select(Person.restricted_at)).one() is None


def test_retention_tells_and_does(stack: Stack) -> None:
    found = json.loads(run(stack, "retention", "--dry-run", "--json").stdout)
    assert {"mail", "sign_in", "browser_session", "parked_form", "person_export"} <= {
        one["table"] for one in found["tables"]
    }
    assert json.loads(run(stack, "retention", "--json").stdout) == {"tables": []}


def test_the_map_says_in_words_what_a_column_holds(stack: Stack) -> None:
    lines = run(stack, "data-map").stdout.splitlines()
    told = "E-mail address before the change: personal, sealed; "
    assert any(line.startswith(f"address_change.before_sealed: {told}") for line in lines)
    columns = json.loads(run(stack, "data-map", "--json").stdout)["columns"]
    holds = {f"{one['table']}.{one['column']}": one["holds"] for one in columns}
    assert holds["goal.text_sealed"] == "Goal, in words"
    assert holds["person.created_at"] == "Created", "what is not about people may keep its own name"


def test_the_map_knows_stores_outside_the_software(stack: Stack) -> None:
    about = ("--holds", "letters", "--protection", "a password", "--keep", "a year")
    run(stack, "store", "shared mailbox", *about)
    stack.clock.pass_time(minutes=1)
    run(stack, "store", "shared mailbox", *about[:-1], "6 months")
    stores = json.loads(run(stack, "data-map", "--json").stdout)["stores"]
    assert [(one["keep"], one["outside"]) for one in stores if one["name"] == "shared mailbox"] == [
        ("6 months", True)
    ]
    assert {"key store", "backups", "export folder", "log", "calendar mails"} <= {
        one["name"] for one in stores
    }


def test_the_record_of_processing_is_that_of_article_30_2(stack: Stack) -> None:
    record = json.loads(run(stack, "record-of-processing").stdout)
    assert record["article"] == "30(2)"
    assert record["controller"]["name"] == "Department for Education"
    for part in ("processor", "processor_data_protection_officer", "transfers", "measures", "stores"):
        assert record[part], part
    kinds = {one["table"]: one for one in record["categories_of_processing"]}
    assert kinds["person"]["special"] == [
        "What is needed in a session",
        "Dietary needs",
        "Political group",
        "Whether the mentor should be of the same political group",
    ]
    assert kinds["address_change"]["data"] == ["E-mail address before the change"]
    assert kinds["response"]["about"] == "a person"
    assessment = json.loads(run(stack, "record-of-processing", "--assessment").stdout)
    assert "Answers to the questionnaire" in assessment["description"]["categories_of_data"]
    assert assessment["measures"] == record["measures"]
