"""The package for an audit: what is in it, what its verifier finds, and that it needs nothing else."""

import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import date, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.models import Role
from portal.registers import audit_package, instructions
from privacy import audit_verifier, chain_checks
from privacy.audit import Action, AuditEntry
from privacy.audit_verifier import NotWhole
from privacy.cases import acts
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.clock import london_date
from privacy.registers import DataItem
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory


@pytest.fixture
def case_id(db: DbSession, clock: SetClock, make: Factory) -> UUID:
    """A case with somebody's words in it, and an instruction in the register."""
    make.person("Ada Quill", email="ada@quill.example")
    with unit_of_work(db, clock, "person:dpo") as work:
        instructions.instruct(work, letter="DFE 1", from_on=clock().date(), wording="Keep to the schedule")
        case = acts.open_case(
            work,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=work.now,
            contact={"name": "Ada Quill", "email": "ada@quill.example"},
            asked="Everything you hold on me, Quill",
        )
        work.db.flush()
        acts.happen(work, case_id=case.id, kind=Event.NOTE, body={"text": "Quill rang about it"})
        return case.id


def written(stack: Stack, db: DbSession) -> bytes:
    target = BytesIO()
    db.rollback()
    audit_package.write(stack.instance, db, target)
    return target.getvalue()


def head(db: DbSession, clock: SetClock) -> tuple[int, str]:
    """A head as it is mailed today."""
    with unit_of_work(db, clock, "system:test") as work:
        found = chain_checks.check(work)
        return found.lines, str(found.digest)


def files(data: bytes) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_it_holds_trail_heads_registers_and_cases_without_anybody(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID
) -> None:
    head(db, clock)
    found = files(written(stack, db))
    assert set(found) == {
        "README.txt",
        "cases.html",
        "cases.jsonl",
        "heads.json",
        "manifest.json",
        "personnel.jsonl",
        "registers.html",
        "registers.jsonl",
        "trail.jsonl",
        "verify.py",
    }
    assert "Quill" not in "".join(found.values())
    assert filters.day_time(clock()) in found["README.txt"], "who reads it reads London time"
    assert "Keep to the schedule" in found["registers.jsonl"]
    [case] = [json.loads(line) for line in found["cases.jsonl"].splitlines()]
    assert case["asked"] is None
    assert [clock["what"] for clock in case["clocks"]] == [
        "Notify the Controller at once",
        "Answer the request",
    ]
    lines = [json.loads(line) for line in found["trail.jsonl"].splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))


def test_who_reads_it_finds_people_cases_and_last_days(
    stack: Stack, db: DbSession, make: Factory, case_id: UUID
) -> None:
    member = make.person("Theo Team", email="theo@programme.example", role=Role.TEAM)
    found = files(written(stack, db))
    [case] = [json.loads(line) for line in found["cases.jsonl"].splitlines()]
    assert case["id"] == str(case_id)
    assert f"case:{case_id}" in found["trail.jsonl"]
    staff = [json.loads(line) for line in found["personnel.jsonl"].splitlines()]
    assert [one["reference"] for one in staff if one["id"] == str(member.id)] == [member.ref]
    [at_once, answer] = case["clocks"]
    assert at_once["due_on"] is None
    last = date.fromisoformat(answer["due_on"])
    assert f"Due: {filters.day(last)}" in found["cases.html"]
    assert case["reference"] in found["cases.html"]
    assert "Keep to the schedule" in found["registers.html"]
    assert london_date(datetime.fromisoformat(answer["due"])) == last + timedelta(days=1), (
        "the first too late"
    )


def test_words_are_in_it_once_an_instruction_lists_them(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID
) -> None:
    with unit_of_work(db, clock, "person:dpo") as work:
        items = {DataItem.CASE_WORDS: True}
        instructions.instruct(work, letter="DFE 2", from_on=clock().date(), wording="Show them", items=items)
    found = files(written(stack, db))["cases.jsonl"]
    assert "Everything you hold on me" in found
    assert "Quill rang about it" in found
    assert "ada@quill.example" not in found, "nobody's contact"


def test_the_verifier_runs_alone_and_takes_heads_from_mails(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID, tmp_path: Path
) -> None:
    number, digest = head(db, clock)
    with unit_of_work(db, clock, "system:test") as work:
        work.record(Action.MAIL_RELEASED, object="backup_run:later")
    data = written(stack, db)
    (tmp_path / "audit.zip").write_bytes(data)
    (tmp_path / "verify.py").write_text(files(data)["verify.py"])

    def run(*given: str) -> subprocess.CompletedProcess[str]:
        # Isolated: no folder of ours, no installed package.
        command = [sys.executable, "-I", "-S", "verify.py", "audit.zip", *given]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = run("--head", f"{number}:{digest}")
    assert good.returncode == 0, good.stderr
    assert f"up to line {number} the trail is what it was" in good.stdout
    assert "is not shown" in run().stdout
    other = run("--head", f"{number}:{'0' * 64}")
    assert other.returncode == 1
    assert f"up to line {number} is not the one whose head was taken" in other.stderr
    assert run("--head", "many").returncode == 2


def changed(data: bytes, name: str, change: Any, *, renew: bool = False) -> bytes:
    """The package with one file changed; `renew` also makes the manifest anew, as a forger would."""
    found = files(data)
    found[name] = change(found[name])
    if renew:
        manifest = json.loads(found["manifest.json"])
        lines = [json.loads(line) for line in found["trail.jsonl"].splitlines()]
        digest = audit_verifier.START
        for line in lines:
            digest = audit_verifier.next_digest(digest, line)
        manifest["trail"] = {"lines": len(lines), "digest": digest}
        manifest["files"] = {
            one: hashlib.sha256(text.encode()).hexdigest()
            for one, text in found.items()
            if one != "manifest.json"
        }
        found["manifest.json"] = json.dumps(manifest)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for one, text in found.items():
            archive.writestr(one, text)
    return target.getvalue()


def cut(text: str) -> str:
    return "\n".join(text.splitlines()[:-1]) + "\n"


def other_actor(text: str) -> str:
    return text.replace("person:dpo", "person:xxx")


@pytest.mark.parametrize("change", [cut, other_actor, lambda text: "\n".join(text.splitlines()[1:]) + "\n"])
def test_whatever_is_done_to_the_trail_shows_against_a_mailed_head(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID, change: Any
) -> None:
    data = written(stack, db)
    mailed = head(db, clock)
    assert audit_verifier.check(BytesIO(data), [mailed])
    with pytest.raises(NotWhole):
        audit_verifier.check(BytesIO(changed(data, "trail.jsonl", change)), [])
    forged = changed(data, "trail.jsonl", change, renew=True)
    with pytest.raises(NotWhole):
        audit_verifier.check(BytesIO(forged), [mailed])


def test_a_forged_package_passes_without_a_mailed_head_and_says_so(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID
) -> None:
    """What the verifier cannot show: the heads in the mails are what it rests on."""
    forged = changed(written(stack, db), "trail.jsonl", other_actor, renew=True)
    assert "is not shown" in audit_verifier.check(BytesIO(forged), [])[-1]


def test_a_trail_that_does_not_hold_makes_no_package(
    stack: Stack, db: DbSession, clock: SetClock, case_id: UUID, tmp_path: Path
) -> None:
    db.execute(update(AuditEntry).where(AuditEntry.seq == 2).values(actor="person:xxx"))
    db.commit()
    out = tmp_path / "audit.zip"
    done = stack.app.test_cli_runner().invoke(args=["privacy", "audit", "export", "--out", str(out)])
    assert done.exit_code == 1
    assert "line 2 was altered" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_one_private_file_and_leaves_a_line(
    stack: Stack, db: DbSession, case_id: UUID, tmp_path: Path
) -> None:
    out = tmp_path / "audit.zip"
    run = partial(stack.app.test_cli_runner().invoke, args=["privacy", "audit", "export", "--out", str(out)])
    done = run()
    assert done.exit_code == 0, done.output
    assert out.stat().st_mode & 0o077 == 0
    assert audit_verifier.check(out, [])
    last = db.query(AuditEntry).order_by(AuditEntry.seq.desc()).first()
    assert last is not None
    assert last.action == "audit.exported"
    assert "is there already" in run().stderr
