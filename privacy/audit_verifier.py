"""Checks a package of the audit trail, as `flask privacy audit export` makes it. Needs Python 3.9 and nothing else.

    python verify.py FILE.zip
    python verify.py BAG                               (the opened bag of a return: the trail is in its tables)
    python verify.py FILE.zip --head 1204:9f2c...      (a head as it stood in a mail; give as many as you have)

What it shows:

1. Each file of the package is the one that the manifest names, and none is missing or added.
2. The lines of the trail are numbered without a gap, and the digest of the last one is the head in the manifest.
3. Each head that was taken on an earlier day, and is in the package, fits the line with its number.
4. Each head given on the command line fits too.

What that proves: with heads from mails that reached the Controller on their day, no line up to the number in the mail
was altered, left out or put elsewhere since. Heads inside the package come from those who made the package: by
themselves they show only that it is whole. Lines after the newest mailed head rest on the word of the processor. The
`mac` in each line binds it with a key that stays with the processor; `flask privacy audit verify` checks that. No check
shows that something was written down which never was.
"""

import argparse
import hashlib
import io
import json
import pathlib
import sys
import zipfile
from typing import Any, Dict, Iterator, List, Tuple  # noqa: UP035 - it runs on older Pythons than the product

FIELDS = ("seq", "at", "actor", "action", "object", "holder", "details")
START = "0" * 64


class NotWhole(Exception):
    """The package, or the trail in it, does not hold; the message says where."""


def next_digest(before: str, line: Dict[str, Any]) -> str:  # noqa: UP006
    """The digest of a line, over that of the line before: SHA-256, each field with its length in front."""
    found = hashlib.sha256(bytes.fromhex(before))
    for name in FIELDS:
        value = line[name]
        if name == "details":
            value = json.dumps(value, sort_keys=True, separators=(",", ":"))
        data = ("" if value is None else str(value)).encode("utf-8")
        found.update(len(data).to_bytes(8, "big") + data)
    return found.hexdigest()


def lines_of(archive: zipfile.ZipFile) -> Iterator[Dict[str, Any]]:  # noqa: UP006
    with archive.open("trail.jsonl") as file:
        for text in io.TextIOWrapper(file, encoding="utf-8"):
            yield json.loads(text)


def check_files(archive: zipfile.ZipFile, manifest: Dict[str, Any]) -> None:  # noqa: UP006
    """Raises NotWhole for a file that is missing, altered or not named."""
    named = dict(manifest["files"])
    there = {name for name in archive.namelist() if name != "manifest.json"}
    for name in sorted(set(named) ^ there):
        raise NotWhole(f"{name} is {'missing' if name in named else 'not named in the manifest'}")
    for name, wanted in sorted(named.items()):
        found = hashlib.sha256()
        with archive.open(name) as file:
            for part in iter(lambda: file.read(1 << 16), b""):
                found.update(part)
        if found.hexdigest() != wanted:
            raise NotWhole(f"{name} was altered")


def check_trail(
    lines: Iterator[Dict[str, Any]],  # noqa: UP006
    heads: List[Tuple[int, str]],  # noqa: UP006
) -> Tuple[int, str]:  # noqa: UP006
    """The number and digest of the last line. Raises NotWhole where a number is missing or a head does not fit."""
    wanted: Dict[int, set] = {}  # type: ignore[type-arg]  # noqa: UP006
    for number, digest in heads:
        wanted.setdefault(number, set()).add(digest)
    seq, digest = 0, START
    for line in lines:
        if line["seq"] != seq + 1:
            raise NotWhole(f"line {seq + 1} of the trail is missing")
        seq, digest = line["seq"], next_digest(digest, line)
        if wanted.pop(seq, {digest}) != {digest}:
            raise NotWhole(f"the trail up to line {seq} is not the one whose head was taken")
    if wanted.pop(0, {START}) != {START}:
        raise NotWhole("a head of an empty trail is not that of one")
    if wanted:
        raise NotWhole(f"the trail ends at line {seq}; a head was taken at line {max(wanted)}")
    return seq, digest


def lines_in(bag: pathlib.Path, table: str) -> Iterator[Dict[str, Any]]:  # noqa: UP006
    """The lines of a table of a return, whose details are text."""
    folder = bag / "data" / "tables"
    for path in [folder / f"{table}.jsonl", *sorted(folder.glob(f"{table}-[0-9]*.jsonl"))]:
        with path.open(encoding="utf-8", newline="\n") as file:
            for text in file:
                line = json.loads(text)
                yield {**line, "details": json.loads(line["details"])} if "details" in line else line


def check_bag(bag: pathlib.Path, mailed: List[Tuple[int, str]]) -> List[str]:  # noqa: UP006
    """The same for the trail in a return. Raises NotWhole."""
    own = [(one["lines"], one["digest"]) for one in lines_in(bag, "chain_check") if one["ok"]]
    last = check_trail(lines_in(bag, "audit_entry"), [*own, *mailed])
    return [
        f"{last[0]} lines of the trail follow one another without a gap.",
        f"{len(own)} heads in the return fit.",
        f"{len(mailed)} heads from mails fit.",
    ]


def check(source: Any, mailed: List[Tuple[int, str]]) -> List[str]:  # noqa: UP006
    """What holds, in sentences. Raises NotWhole."""
    with zipfile.ZipFile(source) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        check_files(archive, manifest)
        own = [(one["lines"], one["digest"]) for one in json.loads(archive.read("heads.json"))]
        last = check_trail(lines_of(archive), [*own, *mailed])
    if last != (manifest["trail"]["lines"], manifest["trail"]["digest"]):
        raise NotWhole("the trail does not end where the manifest says")
    return [
        f"{len(manifest['files'])} files are as the manifest names them.",
        f"{last[0]} lines of the trail follow one another without a gap.",
        f"{len(own)} heads in the package fit.",
        f"{len(mailed)} heads from mails fit: up to line {max((one for one, _ in mailed), default=0)} the trail is "
        "what it was on their days."
        if mailed
        else "No head from a mail was given: that nothing was altered before the package was made is not shown.",
    ]


def head(text: str) -> Tuple[int, str]:  # noqa: UP006
    """A head as mails and pages give it: the number of the line, a colon, 64 letters and figures."""
    number, _, digest = text.strip().partition(":")
    counts, hexadecimal = (
        number.isascii() and number.isdigit(),
        set(digest.lower()) <= set("0123456789abcdef"),
    )
    if not counts or len(digest) != 64 or not hexadecimal:
        raise argparse.ArgumentTypeError("a head is a number, a colon and 64 letters and figures")
    return int(number), digest.lower()


def main() -> int:
    asked = argparse.ArgumentParser(description="Check a package of the audit trail.")
    asked.add_argument("package")
    asked.add_argument("--head", type=head, action="append", default=[], metavar="NUMBER:DIGEST")
    given = asked.parse_args()
    try:
        folder = pathlib.Path(given.package)
        found = check_bag(folder, given.head) if folder.is_dir() else check(given.package, given.head)
    except (NotWhole, KeyError, ValueError, OSError, zipfile.BadZipFile) as trouble:
        sys.stderr.write(f"The package does not hold: {trouble}\n")
        return 1
    sys.stdout.write("\n".join(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
