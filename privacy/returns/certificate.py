"""The certificate of destruction: what went, how, when, by whom and who saw it; what is left, why, and until when.

It is made from the journal and from what was confirmed by hand, as JSON and as a paper (PDF/UA), both signed. It names
roles, references, digests and counts, and nobody: it is looked through for names before it is signed (cl 17.4(e)).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from privacy.backup_manifest import write_whole
from privacy.envelopes import file_sha256
from privacy.papers import render
from privacy.returns.certificate_paper import paper
from privacy.returns.journal import Entry
from privacy.returns.signing import OwnKey, sign
from privacy.returns.stores import BACKUPS, DATABASE, KEY_FOLDER, Line, Method, StoreConfirmation

FORMAT = 1
NAME = "certificate-{number}"
MASTER_OF_TRAIL = "The key that binds the lines of the audit trail opens nothing, and stays with it."


@dataclass(frozen=True)
class Basis:
    """What the destruction rests on. Letters are references; digests are SHA-256 in hexadecimal digits."""

    contract: str
    controller: str
    processor: str
    reference: str
    scope: str
    direction: str
    directed_on: date
    authority: str
    answered_by: Sequence[str]
    package: str | None
    receipt: str | None
    by: str
    witness: str
    rehearsal: bool


@dataclass(frozen=True)
class Outstanding:
    """Something that still expires by itself: what, and the last day of it; None: when it can be reached again."""

    what: str
    until: date | None


def document(
    basis: Basis,
    journal: Mapping[str, Entry],
    *,
    stores: Iterable[Line],
    outstanding: Sequence[Outstanding],
    exceptions: Sequence[Mapping[str, Any]],
    kept: Mapping[str, Any],
    trail: Mapping[str, Any],
    now: datetime,
    number: int = 1,
) -> dict[str, Any]:
    """The certificate as data. The second one (`number` 2) says that nothing is outstanding any more."""
    before = journal["inventory"].facts
    return {
        "format": FORMAT,
        "title": "Certificate of destruction",
        "number": number,
        "rehearsal": basis.rehearsal,
        "issued_at": _second(now),
        **_basis(basis),
        "stores": [_store(line, basis, journal) for line in stores],
        "counts": _counts(before["rows"], journal["rows"].facts["rows"]),
        "data_keys": {"before": before["data_keys"], "after": journal["keys"].facts["data_keys"]},
        "keys_destroyed": [
            {"key": key_id, "fingerprint": shown, "at": _second(journal["ring"].at)}
            for key_id, shown in sorted(journal["ring"].facts["destroyed"].items())
        ],
        "keys_kept": MASTER_OF_TRAIL,
        "backups": {
            "deleted": [
                {"folder": number, "newest_made_at": newest_at, "files": count}
                for number, newest_at, count in journal["backups"].facts["deleted"]
            ],
        },
        "outstanding": [
            {"what": one.what, "until": one.until.isoformat() if one.until else None} for one in outstanding
        ],
        "exceptions": [dict(one) for one in exceptions],
        "kept": dict(kept),
        "trail": dict(trail),
        "verification": dict(journal["verified"].facts) if "verified" in journal else {},
    }


def _basis(basis: Basis) -> dict[str, Any]:
    return {
        **{name: value for name, value in asdict(basis).items() if name not in {"rehearsal", "directed_on"}},
        "answered_by": list(basis.answered_by),
        "directed_on": basis.directed_on.isoformat(),
    }


_STEP_OF = {
    DATABASE.name: "rows",
    "key store": "keys",
    KEY_FOLDER: "ring",
    BACKUPS: "backups",
}
"""The step of the journal that dealt with a store; every other one of the software goes with the files."""


def _store(line: Line, basis: Basis, journal: Mapping[str, Entry]) -> dict[str, Any]:
    if line.said is not None:
        return {"store": line.store.name, "holds": line.store.holds, **_said(line.said)}
    method = line.method or Method.NONE
    if line.store.name == BACKUPS and journal["backups"].facts["outstanding"]:
        method = Method.EXPIRY
    step = _STEP_OF.get(line.store.name, "files")
    at = journal[step].at if step in journal and method is not Method.THEIRS else None
    return {
        "store": line.store.name,
        "holds": line.store.holds,
        "method": method.value,
        "at": _second(at) if at else None,
        "by": basis.by if at else None,
        "witness": basis.witness if at else None,
    }


def _said(said: StoreConfirmation) -> dict[str, Any]:
    return {
        "method": said.method.value,
        "at": said.done_on.isoformat(),
        "by": said.who,
        "witness": said.witness,
        "expires_on": said.expires_on.isoformat() if said.expires_on else None,
        "evidence": said.evidence,
    }


def _counts(before: Mapping[str, int], after: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"table": name, "before": count, "after": after.get(name, 0)}
        for name, count in sorted(before.items())
        if count or after.get(name)
    ]


def _second(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


# ---- written


def write(folder: Path, found: Mapping[str, Any], key: OwnKey) -> dict[str, str]:
    """Write both forms and their signatures, and the certificate of the key; SHA-256 of each file by its name.

    Both name the `signer`, by the fingerprint of its certificate. What is there under these names is replaced. Raises
    PaperFailed, EnvelopeFailed or OSError.
    """
    name = NAME.format(number=found["number"])
    found = {**found, "signer": key.fingerprint}
    write_whole(folder / f"{name}.json", found)
    (folder / f"{name}.pdf").write_bytes(render(paper(found)))
    written = [f"{name}.json", f"{name}.pdf"]
    for one in tuple(written):
        sign(folder / one, key, folder / f"{one}.p7s")
        written.append(f"{one}.p7s")
    written.append(key.certificate_in(folder, "signed-by.crt").name)
    return {one: file_sha256(folder / one) for one in written}


def read(folder: Path, number: int = 1) -> dict[str, Any] | None:
    """A certificate that was written; None before."""
    path = folder / f"{NAME.format(number=number)}.json"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
