"""A package that was touched does not verify, and whatever does not hold inside it is found: on one database, since
the package says nothing of it."""

import hashlib
import json
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from privacy.returns import signing, verify_return
from privacy.returns.folder import PACKAGE, SIGNATURE, SUMS
from privacy.returns.verify import PackageBroken, verify
from privacy.returns.verify_return import Inside
from tests.counts import count
from tests.readers import make_reader
from tests.returning import World, described, rows, world

Change = Callable[[Path, dict[str, Any]], None]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("here"), None) as made:
        yield made


@pytest.fixture(scope="module")
def package(here: World) -> Path:
    here.build(here.folder / "package")
    return here.folder / "package"


@pytest.fixture(scope="module")
def bag(here: World, package: Path) -> Path:
    return here.opened(package, here.folder / "opened")


@pytest.fixture
def copy(package: Path, tmp_path: Path) -> Path:
    shutil.copytree(package, tmp_path / "copy")
    return tmp_path / "copy"


def holds(folder: Path) -> bool:
    """Whether a package verifies without a key: in this process, since many are tried."""
    try:
        verify_return.verify(folder, None, None, None)
    except verify_return.PackageBroken:
        return False
    return True


# ---- outside


def test_any_byte_of_any_file_counts(copy: Path) -> None:
    chance = random.Random(7)
    paths = sorted(copy.iterdir())
    assert holds(copy)
    for turn in range(count(40, 500)):
        # Every file has its turns, not only the big ones.
        path = paths[turn % len(paths)]
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]
        )
        assert not holds(copy), f"byte {place} of {path.name}"
        path.write_bytes(whole)
    assert holds(copy)


def test_a_file_more_or_less_counts(copy: Path) -> None:
    for path in sorted(copy.iterdir()):
        hidden = path.rename(copy.parent / path.name)
        assert not holds(copy), path.name
        hidden.rename(path)
    (copy / "note.txt").write_text("mine")
    with pytest.raises(PackageBroken, match=r"note\.txt does not belong"):
        verify(copy)


def test_whoever_signs_anew_is_found_by_the_fingerprint(here: World, copy: Path, tmp_path: Path) -> None:
    """Everything can be written anew but the fingerprint that the Department was told."""
    told = described(copy)["signer"]
    assert verify(copy, fingerprint=told).signer == told
    other = signing.signing_key(tmp_path / "keys", contract="con_9887")
    signed_anew(copy, other, {"signer": other.fingerprint})
    assert holds(copy)
    with pytest.raises(PackageBroken, match="not the one that was given"):
        verify(copy, fingerprint=told)


def signed_anew(folder: Path, key: signing.OwnKey, changes: dict[str, Any]) -> None:
    """Write package.json otherwise, sign it with another key, and list everything as it now is."""
    key.certificate_in(folder, "signer.pem")
    document = {**described(folder), **changes}
    document["files"]["signer.pem"] = verify_return.sha256(folder / "signer.pem")
    (folder / PACKAGE).write_text(json.dumps(document))
    signing.sign(folder / PACKAGE, key, folder / SIGNATURE)
    lines = [f"{verify_return.sha256(path)}  {path.name}\n" for path in folder.iterdir() if path.name != SUMS]
    (folder / SUMS).write_text("".join(sorted(lines, key=lambda line: line[66:])))


def test_an_unsigned_change_is_found_though_the_sums_fit(copy: Path) -> None:
    document = described(copy)
    document["direction"] = "another letter"
    (copy / PACKAGE).write_text(json.dumps(document))
    lines = [f"{verify_return.sha256(path)}  {path.name}\n" for path in copy.iterdir() if path.name != SUMS]
    (copy / SUMS).write_text("".join(sorted(lines, key=lambda line: line[66:])))
    with pytest.raises(PackageBroken, match="is not signed"):
        verify(copy)


# ---- what is opened goes


def test_nothing_opened_is_left_after_an_error(here: World, copy: Path, tmp_path: Path) -> None:
    """Sealed and signed well, and yet it opens to something else than package.json says."""
    volumes = described(copy)["volumes"]
    for said in volumes.values():
        said["plain_sha256"] = "0" * 64
    key = signing.signing_key(tmp_path / "keys", contract="con_9887")
    signed_anew(copy, key, {"signer": key.fingerprint, "volumes": volumes})
    with pytest.raises(PackageBroken, match="opens to something else"):
        verify(copy, key=here.reader.key, out=tmp_path / "opened", scratch=tmp_path / "scratch")
    assert not (tmp_path / "opened").exists()
    assert not list(tmp_path.rglob("opened-*"))


def test_another_key_opens_nothing(copy: Path, tmp_path: Path) -> None:
    other = make_reader(tmp_path, "somebody")
    with pytest.raises(PackageBroken, match="does not open with this key"):
        verify(copy, key=other.key, scratch=tmp_path / "scratch")
    assert list((tmp_path / "scratch").iterdir()) == []


def test_it_opens_outside_the_package_alone(here: World, copy: Path) -> None:
    with pytest.raises(PackageBroken, match="outside"):
        verify(copy, key=here.reader.key, out=copy / "opened")
    assert holds(copy)


def test_the_program_in_the_package_runs_by_itself(here: World, copy: Path, tmp_path: Path) -> None:
    """Without the product, and without any package of Python."""
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "verify_return.py",
            ".",
            "--key",
            here.reader.key,
            "--out",
            tmp_path / "out",
        ],
        cwd=copy,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "REHEARSAL" in done.stdout
    assert hashlib.sha256((copy / PACKAGE).read_bytes()).hexdigest() in done.stdout
    assert (tmp_path / "out/bag/data/readable/index.html").is_file()


# ---- inside


def test_what_is_inside_holds(package: Path, bag: Path) -> None:
    Inside(bag, described(package)).check()
    verify_return.check_bag(bag, described(package))


def drop_leader(bag: Path, package: dict[str, Any]) -> None:
    rewrite(bag, package, "person", lambda row: None if row["name"] == "Max Mentor" else row)


def drop_council(bag: Path, package: dict[str, Any]) -> None:
    rewrite(bag, package, "council", lambda row: None)


def bring_back(bag: Path, package: dict[str, Any]) -> None:
    holder = next(row["id"] for row in rows(bag, "person") if row["name"] == "Lena Leader")
    rewrite(bag, package, "erasure_ledger", lambda row: {**row, "holder_id": holder})


def cut_trail(bag: Path, package: dict[str, Any]) -> None:
    rewrite(bag, package, "audit_entry", lambda row: None if row["seq"] == 2 else row)


def alter_trail(bag: Path, package: dict[str, Any]) -> None:
    rewrite(bag, package, "audit_entry", lambda row: {**row, "actor": "system:nobody"})


def lose_file(bag: Path, package: dict[str, Any]) -> None:
    for path in (bag / "data/files").iterdir():
        path.unlink()


def alter_file(bag: Path, package: dict[str, Any]) -> None:
    for path in (bag / "data/files").iterdir():
        path.write_bytes(b"something else")


def lose_row(bag: Path, package: dict[str, Any]) -> None:
    path = bag / "data/tables/hours.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def alter_row(bag: Path, package: dict[str, Any]) -> None:
    path = bag / "data/tables/person.jsonl"
    path.write_bytes(path.read_bytes().replace(b"Lena", b"Lina"))


def lose_cell(bag: Path, package: dict[str, Any]) -> None:
    path = bag / "data/tables/hours.csv"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def add_table(bag: Path, package: dict[str, Any]) -> None:
    (bag / "data/tables/more.jsonl").write_bytes(b"")


def say_more(bag: Path, package: dict[str, Any]) -> None:
    path = bag / "data/reconcile.csv"
    text = path.read_text(encoding="utf-8-sig")
    wanted = len(rows(bag, "hours"))
    path.write_text(text.replace(f"hours,{wanted},{wanted},0", f"hours,{wanted + 1},{wanted},1"), "utf-8-sig")


def rewrite(
    bag: Path,
    package: dict[str, Any],
    table: str,
    change: Callable[[dict[str, Any]], dict[str, Any] | None],
) -> None:
    """Change a table and everything that counts it, as somebody would who wants it to pass."""
    kept = [changed for row in rows(bag, table) if (changed := change(row)) is not None]
    data = "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in kept).encode()
    (bag / f"data/tables/{table}.jsonl").write_bytes(data)
    before = package["tables"][table]
    package["tables"][table] = {"rows": len(kept), "sha256": hashlib.sha256(data).hexdigest()}
    cells = bag / f"data/tables/{table}.csv"
    cells.write_text("head\r\n" + "x\r\n" * len(kept), encoding="utf-8-sig")
    sheet = bag / "data/reconcile.csv"
    text = sheet.read_text(encoding="utf-8-sig")
    line = next(one for one in text.splitlines() if one.startswith(f"{table},") and before["sha256"] in one)
    counted = f"{table},{len(kept)},{len(kept)},0,,{package['tables'][table]['sha256']}"
    sheet.write_text(text.replace(line, counted), encoding="utf-8-sig", newline="")


@pytest.mark.parametrize(
    "change, said",
    [
        (drop_leader, "points at a missing row of person|people whom the audit trail names"),
        (drop_council, "points at a missing row of council"),
        (bring_back, "somebody who was erased"),
        (cut_trail, "line 2 of the audit trail is missing"),
        (alter_trail, "not the one whose head was taken"),
        (lose_file, "a file that is not there"),
        (alter_file, "another digest than its name"),
        (lose_row, "rows, and .* were counted"),
        (alter_row, "not those that were signed"),
        (lose_cell, "rows as CSV"),
        (add_table, "other tables than were signed"),
        (say_more, r"rows of hours are missing|reconcile\.csv says something else"),
    ],
)
def test_what_does_not_hold_inside_is_found(
    package: Path, bag: Path, tmp_path: Path, change: Change, said: str
) -> None:
    shutil.copytree(bag, tmp_path / "bag")
    document = described(package)
    change(tmp_path / "bag", document)
    with pytest.raises(verify_return.PackageBroken, match=said):
        Inside(tmp_path / "bag", document).check()


def test_whom_the_trail_names_has_to_be_there(package: Path, bag: Path, tmp_path: Path) -> None:
    """Also when nothing else points at them."""
    shutil.copytree(bag, tmp_path / "bag")
    document = described(package)
    rewrite(tmp_path / "bag", document, "erasure_ledger", lambda row: None)
    rewrite(tmp_path / "bag", document, "erasure", lambda row: None)
    with pytest.raises(verify_return.PackageBroken, match="whom the audit trail names are missing"):
        Inside(tmp_path / "bag", document).check()


@pytest.mark.parametrize("name", ["bag/../out", "/etc/x", "bag//x", "bag/a\\b", "bag/"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "volume.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(verify_return.PackageBroken, match="with the name"):
        verify_return.extract(tmp_path / "volume.zip", tmp_path / "opened")
    assert not (tmp_path / "out").exists()


def test_a_bag_that_was_touched_is_found(package: Path, bag: Path, tmp_path: Path) -> None:
    for change in (
        lambda at: (at / "data/answers.csv").write_bytes(b"x"),
        lambda at: (at / "data/more.txt").write_bytes(b"x"),
        lambda at: (at / "bagit.txt").write_bytes(b"x"),
        lambda at: (at / "more.txt").write_bytes(b"x"),
        lambda at: (at / "data/escapes.csv").unlink(),
    ):
        shutil.copytree(bag, tmp_path / "bag")
        change(tmp_path / "bag")
        with pytest.raises((verify_return.PackageBroken, OSError)):
            verify_return.check_bag(tmp_path / "bag", described(package))
        shutil.rmtree(tmp_path / "bag")
