"""Checks a package of returned data, from the package alone. Needs Python 3.9 and OpenSSL 3.0, and nothing else.

    python3 verify_return.py FOLDER                          what can be seen without a key
    python3 verify_return.py FOLDER --key YOUR-KEY.pem       and everything inside
    ... --out OPENED                                         and leave it opened, if all of it holds
    ... --fingerprint 9f2c...                                and only if this certificate signed it

It shares no code with what built the package. In this order, and it stops at the first thing that does not hold:

1. package.json is signed by the certificate in signer.pem. Whose that is shows its fingerprint alone, which you were
   told by another way: give it with --fingerprint.
2. The folder holds the files that SHA256SUMS lists, byte for byte, and no other.
3. Each volume is the file that package.json names. Only then is anything opened.
4. Opened into a private folder, each volume is what was sealed, and the bag in them is whole.
5. Each table has as many rows as were counted, in JSON lines and in CSV, and its lines have the digest that was signed.
6. No row points at one that is not there. Files lie under their own digests.
7. Nobody who was erased is in it: nothing sealed for anybody in the erasure ledger. Everybody whom the audit trail
   names is in it, or was erased.
8. The audit trail has no gap, and fits every head that was taken of it.

Whatever goes wrong, everything that was opened is deleted: what a damaged volume opens to is still on the disk after
`openssl` has said so.
"""

from __future__ import annotations  # so that it also runs on Python 3.9

import argparse
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]
FORMAT = "return-1"
PACKAGE, SIGNATURE, SUMS, SIGNER = "package.json", "package.json.p7s", "SHA256SUMS", "signer.pem"
LEDGER, TRAIL, HEADS = "erasure_ledger", "audit_entry", "chain_check"
TRAIL_FIELDS = ("seq", "at", "actor", "action", "object", "holder", "details")
PIECE = 1 << 20
DIGEST = re.compile(r"[0-9a-f]{64}")
PERSON = re.compile(r"person:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class PackageBroken(Exception):
    """Something does not hold; the message says what, in words."""


def require(holds: bool, what: str) -> None:
    if not holds:
        raise PackageBroken(what)


def sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(PIECE), b""):
            found.update(piece)
    return found.hexdigest()


def openssl(*args: str) -> bool:
    """Whether a command of openssl ended well."""
    program = shutil.which("openssl")
    require(program is not None, "the program openssl is missing: install OpenSSL 3.0 or newer")
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    command = [str(program), *args]
    return subprocess.run(command, capture_output=True, check=False, env=environ).returncode == 0


# ---- the folder


def check_there(folder: Path) -> None:
    """The files are there by which everything else is judged."""
    require(folder.is_dir(), f"{folder} is no folder")
    require((folder / PACKAGE).is_file(), f"there is no {PACKAGE}: this is no finished package")
    for name in (SUMS, SIGNER, SIGNATURE):
        require((folder / name).is_file(), f"{name} is missing")


def check_folder(folder: Path) -> None:
    """Every file is as it was written, and none is missing or added."""
    there = {path.name: path for path in folder.iterdir()}
    named = re.findall(
        r"^[0-9a-f]{64}  (\S+)$", there[SUMS].read_bytes().decode("utf-8", "replace"), re.MULTILINE
    )
    for name in sorted(set(there) - {SUMS} - set(named)):
        raise PackageBroken(f"{name} does not belong to the package: keep it elsewhere")
    for name in sorted(set(named) - set(there)):
        raise PackageBroken(f"{name} is missing")
    said = there[SUMS].read_bytes()
    lines = ""
    for name in sorted(set(there) - {SUMS}):
        require(there[name].is_file() and not there[name].is_symlink(), f"{name} is no plain file")
        line = f"{sha256(there[name])}  {name}\n"
        require(line.encode() in said, f"{name} was altered")
        lines += line
    require(lines.encode() == said, f"{SUMS} was altered")


def check_signature(folder: Path, fingerprint: str | None) -> str:
    """The fingerprint of the certificate that signed package.json."""
    signer = folder / SIGNER
    try:
        found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(signer.read_text("ascii").strip())).hexdigest()
    except ValueError as error:
        raise PackageBroken(f"{SIGNER} is no certificate") from error
    require(fingerprint in (None, found), f"{SIGNER} has the fingerprint {found}, not the one that was given")
    files = ["-in", str(folder / SIGNATURE), "-content", str(folder / PACKAGE), "-certfile", str(signer)]
    options = ["-verify", "-binary", "-inform", "DER", "-nointern", "-noverify", "-out", os.devnull]
    require(openssl("cms", *options, *files), f"{PACKAGE} is not signed by {SIGNER}")
    return found


def check_volumes(folder: Path, package: Document) -> None:
    """The files are those that the signed package.json names."""
    require(package.get("format") == FORMAT, f"{PACKAGE} is of another format than this program knows")
    volumes, files = package["volumes"], package["files"]
    named = {*volumes, *files, PACKAGE, SIGNATURE, SUMS}
    there = {path.name for path in folder.iterdir()}
    require(named == there, f"{PACKAGE} names other files than there are: {', '.join(sorted(named ^ there))}")
    for name, digest in sorted(files.items()):
        require(sha256(folder / name) == digest, f"{name} is not the file that was signed")
    for name, said in sorted(volumes.items()):
        sealed = (folder / name).stat().st_size, sha256(folder / name)
        require(
            sealed == (said["sealed_bytes"], said["sealed_sha256"]), f"{name} is not the file that was signed"
        )


# ---- opening


def unpack(folder: Path, package: Document, key: Path, opened: Path) -> Path:
    """Open every volume and unpack it below `opened`; the folder of the bag."""
    for name, said in sorted(package["volumes"].items()):
        archive = opened / "volume.zip"
        files = ["-in", str(folder / name), "-inkey", str(key), "-out", str(archive)]
        require(openssl("cms", "-decrypt", "-inform", "DER", *files), f"{name} does not open with this key")
        plain = archive.stat().st_size, sha256(archive)
        require(
            plain == (said["plain_bytes"], said["plain_sha256"]),
            f"{name} opens to something else than was sealed",
        )
        extract(archive, opened)
        archive.unlink()
    bag = opened / "bag"
    require(bag.is_dir(), "there is no bag in the volumes")
    require(
        [path.name for path in opened.iterdir()] == ["bag"],
        "there is something beside the bag in the volumes",
    )
    return bag


def extract(archive: Path, to: Path) -> None:
    """Unpack plain files with safe names, none of them over another."""
    with zipfile.ZipFile(archive) as source:
        for entry in source.infolist():
            parts = entry.filename.split("/")
            safe = all(part not in ("", ".", "..") and "\\" not in part for part in parts)
            require(safe, f"a volume holds a file with the name {entry.filename!r}")
            path = to.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            require(not path.exists(), f"{entry.filename} comes twice")
            with source.open(entry) as inside, path.open("wb") as out:
                shutil.copyfileobj(inside, out, PIECE)


def check_bag(bag: Path, package: Document) -> None:
    """RFC 8493: each list of digests names what is there, and the last one is the one that was signed."""
    last = sha256(bag / "tagmanifest-sha256.txt")
    require(last == package["bag"]["tagmanifest_sha256"], "the bag is another one than was signed")
    named = listed(bag / "tagmanifest-sha256.txt")
    tags = {path.name for path in bag.iterdir() if path.is_file()} - {"tagmanifest-sha256.txt"}
    require(set(named) == tags, "the bag's own files are not those that it lists")
    named.update(listed(bag / "manifest-sha256.txt"))
    for name, digest in named.items():
        require((bag / name).is_file(), f"{name} is missing in the bag")
        require(sha256(bag / name) == digest, f"{name} in the bag was altered")
    payload = {path.relative_to(bag).as_posix() for path in (bag / "data").rglob("*") if path.is_file()}
    for name in sorted(payload - set(named)):
        raise PackageBroken(f"{name} is in the bag and in no list")
    size = sum((bag / name).stat().st_size for name in payload)
    oxum = f"Payload-Oxum: {size}.{len(payload)}\n"
    require(oxum in (bag / "bag-info.txt").read_text("utf-8"), "the bag has another size than it says")


def listed(path: Path) -> dict[str, str]:
    found = {}
    for line in path.read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        require(DIGEST.fullmatch(digest) is not None and bool(name), f"{path.name} is no list of digests")
        found[name] = digest
    return found


# ---- what is inside


class Inside:
    """The tables of a bag, read line by line."""

    def __init__(self, bag: Path, package: Document) -> None:
        self.bag = bag
        self.package = package
        self.tables = bag / "data" / "tables"
        self.everything = package["scope"] == "all"
        self.schemas: dict[str, Document] = {}
        for name in set(package["tables"]) - {LEDGER}:
            self.schemas[name] = json.loads((self.tables / f"{name}.schema.json").read_bytes())
        self.erased: set[str] = set()
        if LEDGER in package["tables"]:
            self.erased.update(row["holder_id"] for row in self.rows(LEDGER))
        self.keys: dict[str, set[str]] = {}

    def parts(self, table: str, end: str) -> list[Path]:
        first = self.tables / f"{table}.{end}"
        more = sorted(self.tables.glob(f"{table}-[0-9][0-9][0-9][0-9].{end}"))
        return [first, *more]

    def lines(self, table: str) -> Iterator[bytes]:
        for path in self.parts(table, "jsonl"):
            with path.open("rb") as file:
                yield from file

    def rows(self, table: str) -> Iterator[Document]:
        for line in self.lines(table):
            yield json.loads(line)

    def check(self) -> None:
        self.check_counts()
        referred = {
            column["refers_to"].partition(".")[0]
            for schema in self.schemas.values()
            for column in schema["columns"]
            if column["refers_to"]
        }
        for table in sorted({*referred, "person"} & set(self.schemas)):
            self.keys[table] = {row["id"] for row in self.rows(table)}
        for table in sorted(self.schemas):
            self.check_rows(table)
        if self.everything and "trouble" not in self.package["trail"]:
            self.check_trail()

    def check_counts(self) -> None:
        """Rows and digests of each table are those that were signed, and those of reconcile.csv."""
        counted = {row["what"]: row for row in cells(self.bag / "data" / "reconcile.csv")}
        names = {path.name.partition(".")[0] for path in self.tables.iterdir()}
        known = {re.sub(r"-\d{4}$", "", name) for name in names}
        require(known == set(self.package["tables"]), "there are other tables than were signed")
        for table, said in sorted(self.package["tables"].items()):
            digest, count = hashlib.sha256(), 0
            for line in self.lines(table):
                digest.update(line)
                count += 1
            require(count == said["rows"], f"{table} has {count} rows, and {said['rows']} were counted")
            require(
                digest.hexdigest() == said["sha256"], f"the rows of {table} are not those that were signed"
            )
            shown = sum(sum(1 for _ in cells(path)) for path in self.parts(table, "csv"))
            require(shown == count, f"{table} has {shown} rows as CSV and {count} as JSON lines")
            row = counted.get(table, {})
            fits = row.get("written") == str(count) and row.get("SHA-256 of the JSON lines") == said["sha256"]
            require(fits, f"reconcile.csv says something else of {table}")
            whole = int(row["in the database"]) - count == int(row["left out"])
            require(whole and (row["left out"] == "0" or not self.everything), f"rows of {table} are missing")

    def check_rows(self, table: str) -> None:
        """References, files, and nobody who was erased."""
        schema = self.schemas[table]
        columns = schema["columns"]
        names = [column["name"] for column in columns]
        refers = [
            (column["name"], column["refers_to"].partition(".")[0])
            for column in columns
            if column["refers_to"]
        ]
        # A part names other people by their ids alone: rows about them stay where they are.
        refers = [
            (name, to) for name, to in refers if self.everything or not self.schemas[to]["about_a_person"]
        ]
        sealed = [(column["name"], column["sealed_for"]) for column in columns if column["sealed_for"]]
        kept = [column["name"] for column in columns if column["kind"] == "file"]
        for number, row in enumerate(self.rows(table), 1):
            where = f"row {number} of {table}"
            require(list(row) == names, f"{where} has other columns than its schema")
            for name, to in refers:
                require(
                    row[name] is None or row[name] in self.keys[to],
                    f"{where} points at a missing row of {to}",
                )
            for name, holders in sealed:
                holder = next((row[one] for one in holders if row[one] is not None), None)
                require(
                    row[name] is None or holder not in self.erased,
                    f"{where} holds something of somebody who was erased",
                )
            for name in kept:
                require(
                    row[name] is None or (self.bag / "data" / "files" / row[name]).is_file(),
                    f"{where} holds a file that is not there",
                )
        if kept:
            for path in (self.bag / "data" / "files").glob("*"):
                require(sha256(path) == path.name, f"the file {path.name} has another digest than its name")

    def check_trail(self) -> None:
        """No gap, every head fits, and everybody whom it names is here or was erased."""
        heads: dict[int, str] = {}
        heads.update((row["lines"], row["digest"]) for row in self.rows(HEADS) if row["ok"])
        gone = self.erased | {row["person_id"] for row in self.rows("erasure")}
        seq, digest, missing = 0, "0" * 64, set[str]()
        for line in self.rows(TRAIL):
            require(line["seq"] == seq + 1, f"line {seq + 1} of the audit trail is missing")
            seq, digest = line["seq"], next_digest(digest, line)
            require(
                heads.pop(seq, digest) == digest,
                f"the audit trail up to line {seq} is not the one whose head was taken",
            )
            for person in PERSON.findall(f"{line['actor']} {line['object']}"):
                if person not in self.keys["person"] and person not in gone:
                    missing.add(person)
        require(heads.pop(0, digest) == digest, "a head of an empty audit trail is not that of one")
        require(not heads, f"the audit trail ends at line {seq}; a head was taken later")
        said = self.package["trail"]
        signed = "digest" not in said or (said["lines"], said["digest"]) == (seq, digest)
        require(signed, "the audit trail ends elsewhere than was signed")
        require(not missing, f"{len(missing)} people whom the audit trail names are missing")


def next_digest(before: str, line: Document) -> str:
    """The digest of a line of the trail, over that of the line before: each field with its length in front."""
    found = hashlib.sha256(bytes.fromhex(before))
    for name in TRAIL_FIELDS:
        value = line[name]
        if name == "details":
            value = json.dumps(json.loads(value), sort_keys=True, separators=(",", ":"))
        data = ("" if value is None else str(value)).encode("utf-8")
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def cells(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1 << 30)
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


# ---- all of it


def verify(folder: Path, key: Path | None, fingerprint: str | None, out: Path | None) -> Document:
    """What was found. Raises PackageBroken; then nothing opened is left."""
    check_there(folder)
    signer = check_signature(folder, fingerprint)
    check_folder(folder)
    data = (folder / PACKAGE).read_bytes()
    package: Document = json.loads(data)
    check_volumes(folder, package)
    if key is not None:
        check_inside(folder, package, key, out)
    return {
        "digest": hashlib.sha256(data).hexdigest(),
        "opened": key is not None,
        "signer": signer,
        "contract": package["contract"],
        "direction": package["direction"],
        "scope": package["scope"],
        "rehearsal": package["rehearsal"],
        "rows": package["counts"]["rows"],
        "volumes": len(package["volumes"]),
        "trail": package["trail"].get("trouble"),
    }


def check_inside(folder: Path, package: Document, key: Path, out: Path | None) -> None:
    require(out is None or not out.exists(), f"{out} is there already: choose another folder")
    near = out.resolve().parent if out is not None else None
    require(
        near is None or folder.resolve() not in (near, *near.parents),
        "what is opened must lie outside the package",
    )
    # mkdtemp makes a folder that nobody else may enter, and what is in it goes whatever happens.
    opened = Path(tempfile.mkdtemp(prefix="opened-", dir=near))
    try:
        bag = unpack(folder, package, key, opened)
        check_bag(bag, package)
        Inside(bag, package).check()
        if out is not None:
            opened.rename(out)
    finally:
        shutil.rmtree(opened, ignore_errors=True)


def told(found: Document) -> str:
    lines = [
        f"Signed by the certificate with the fingerprint {found['signer']}.",
        f"{found['volumes']} sealed volumes are the files that were signed.",
        f"Inside, {found['rows']} rows are whole: counted, referred to, nobody who was erased."
        if found["opened"]
        else "Nothing was opened, since no key was given: what is inside was not looked at.",
        f"The digest of {PACKAGE} is {found['digest']}.",
    ]
    if found["trail"]:
        lines.append(
            f"Its maker says that its audit trail does not hold, so it was not checked: {found['trail']}."
        )
    return "\n".join(["REHEARSAL: made-up data.", *lines] if found["rehearsal"] else lines) + "\n"


def main() -> int:
    asked = argparse.ArgumentParser(description="Check a package of returned data.")
    asked.add_argument("folder", type=Path)
    asked.add_argument(
        "--key", type=Path, help="the private key (PEM) of a certificate that it was sealed to"
    )
    asked.add_argument("--fingerprint", help="of the certificate that signed it, as you were told")
    asked.add_argument(
        "--out", type=Path, help="leave the opened bag in this folder, which must not be there yet"
    )
    asked.add_argument("--json", action="store_true", help="tell it for machines")
    given = asked.parse_args()
    fingerprint = given.fingerprint.replace(":", "").lower() if given.fingerprint else None
    os.umask(0o077)
    # Ended in the middle, it still deletes what is open.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        found = verify(given.folder, given.key, fingerprint, given.out)
    except PackageBroken as trouble:
        sys.stderr.write(f"The package does not hold: {trouble}\n")
        return 1
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        OSError,
        csv.Error,
        zipfile.BadZipFile,
    ) as trouble:
        sys.stderr.write(f"The package does not hold: {type(trouble).__name__}: {trouble}\n")
        return 1
    sys.stdout.write(json.dumps(found) + "\n" if given.json else told(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
