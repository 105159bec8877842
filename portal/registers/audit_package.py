"""One package for an audit by the Controller: trail, heads, registers, cases without names, and a verifier (cl 17.9).

The key of the trail's MACs is not in it: who has that key could write another trail. What can be checked without it
stands in the verifier itself (privacy/audit_verifier.py), which goes along and needs nothing but Python.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import IO, Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.instance import Instance
from portal.registers import audit_cases, personnel, record_pages
from portal.registers.personnel import SHOWN
from privacy import chain_checks
from privacy.audit import Action, AuditEntry
from privacy.chain_checks import Looked
from privacy.clock import london_date
from privacy.errors import ChainBroken
from privacy.registers import RegisterEntry
from privacy.returns import readable
from privacy.work import Work

VERIFIER = "verify.py"
READ_ME = """\
A package for an audit of {reference}, made on {at} by the processor.

cases.html       to read in a browser: requests, complaints and incidents with their clocks
registers.html   to read in a browser: instructions, sub-processors, risks and the rest
trail.jsonl      every line of the audit trail: what was done, by whom, to what, as references
heads.json       the heads of the trail that were taken day by day, as they were mailed to the Controller
registers.jsonl  instructions, schedule 3a, sub-processors, risks, remarks, stores, the contract's end
personnel.jsonl  who works with the data: reference, roles, and until when each clearance holds
cases.jsonl      requests, complaints and incidents with their clocks; no names, and no words unless instructed
manifest.json    the digest of each file, and where the trail ends
verify.py        checks all of it: python verify.py FILE.zip --head NUMBER:DIGEST

The trail calls somebody "person:" and a case "case:", each with the id that stands in personnel.jsonl and
cases.jsonl. Of a clock, due_on is the last day in time, and due the first instant that is too late. Instants are UTC. A
file that ends in .jsonl is text, with one JSON document on each line.

Give verify.py the heads from the mails that you kept. Only these show that nothing was changed since their day; what it
can and cannot prove stands at the beginning of the file.
"""


@dataclass(frozen=True)
class Package:
    """What was written: how many lines of the trail, and its head."""

    lines: int
    digest: str


@dataclass
class _Archive:
    """A zip archive that remembers the digest of each file."""

    archive: zipfile.ZipFile
    digests: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def file(self, name: str) -> Iterator[Callable[[bytes], None]]:
        found = hashlib.sha256()
        with self.archive.open(name, "w", force_zip64=True) as target:

            def write(data: bytes) -> None:
                found.update(data)
                target.write(data)

            yield write
        self.digests[name] = found.hexdigest()

    def lines(self, name: str, documents: Iterable[dict[str, Any]]) -> None:
        with self.file(name) as write:
            for document in documents:
                write(_line(document))

    def page(self, name: str, title: str, body: Iterable[str]) -> None:
        self.whole(name, "".join(readable.page(title, body, rehearsal=False)).encode())

    def whole(self, name: str, data: bytes) -> None:
        with self.file(name) as write:
            write(data)


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write(instance: Instance, db: DbSession, target: IO[bytes]) -> Package:
    """Write the package; the trail goes through line by line. Raises ChainBroken where it does not hold."""
    now = instance.clock()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        made = _Archive(archive)
        found = _trail(made, instance, db)
        heads = [
            {"at": one.at.isoformat(), "lines": one.lines, "digest": one.digest}
            for one in chain_checks.heads(db)
        ]
        made.whole("heads.json", json.dumps(heads, indent=1).encode())
        made.lines("registers.jsonl", _registers(db))
        made.lines("personnel.jsonl", _personnel(instance, db))
        cases = audit_cases.cases(db, now=now)
        made.lines("cases.jsonl", map(audit_cases.document, cases))
        made.page(
            "cases.html", "Requests, complaints and incidents, with their clocks", record_pages.cases(cases)
        )
        made.page("registers.html", "Registers", record_pages.registers(db))
        about = READ_ME.format(reference=instance.programme.reference, at=filters.day_time(now))
        made.whole("README.txt", about.encode())
        made.whole(VERIFIER, files("privacy").joinpath("audit_verifier.py").read_bytes())
        manifest = {
            "contract": instance.programme.reference,
            "made_at": now.isoformat(timespec="seconds"),
            "trail": {"lines": found.lines, "digest": found.digest},
            "files": made.digests,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    return Package(found.lines, str(found.digest))


def _trail(made: _Archive, instance: Instance, db: DbSession) -> Looked:
    with made.file("trail.jsonl") as write:

        def see(entry: AuditEntry) -> None:
            write(_line(chain_checks.document(entry)))

        found = chain_checks.look(db, instance.vault.ring, see=see)
    if found.trouble is not None:
        raise ChainBroken(found.trouble)
    return found


def _registers(db: DbSession) -> Iterator[dict[str, Any]]:
    for entry in db.scalars(select(RegisterEntry).order_by(RegisterEntry.entered_at, RegisterEntry.id)):
        yield {
            "id": str(entry.id),
            "register": entry.register.value,
            "letter": entry.letter,
            "from_on": entry.from_on.isoformat(),
            "value_on": entry.value_on.isoformat() if entry.value_on else None,
            "items": entry.items,
            "grounds": entry.grounds,
            "replaces": str(entry.replaces_id) if entry.replaces_id else None,
            "entered_at": entry.entered_at.isoformat(),
            "by": entry.by,
            "body": entry.body,
        }


def _personnel(instance: Instance, db: DbSession) -> Iterator[dict[str, Any]]:
    for one in personnel.personnel(db, on=london_date(instance.clock())):
        yield {
            "id": str(one.person.id),
            "reference": one.person.ref,
            "roles": [role.value for role in one.roles],
            "holds_until": {
                kind.value: until.isoformat() if until else None
                for kind, until in zip(SHOWN, one.until, strict=True)
            },
            "lacks": [gap.kind.value for gap in one.gaps],
            "access_confirmed": one.lapsed is None,
        }


def note(work: Work, made: Package) -> None:
    """Leave in the trail that it was given out."""
    work.record(Action.AUDIT_EXPORTED, object="trail:whole", lines=made.lines)
