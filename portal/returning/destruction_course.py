"""A destruction that has begun, carried to its certificate: destroyed, verified, certified, each written down once.

Everything is done from the journal, the accounts that stay and whichever keys are left, so that it goes on after any
interruption, by people who were not there when it began (cl 15, 17.4(e)).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from portal.returning import closing, destruction_part, kept_records
from portal.returning.closing import Closing
from portal.returning.destruction import BEGUN, event_id
from portal.returning.destruction_places import ACTOR, Left, folder_of, places
from privacy import chain_checks
from privacy.clock import day_words, london_date
from privacy.holdings import Store
from privacy.returns import acts, certificate, destroy, proof, stores
from privacy.returns.certificate import Basis, Outstanding
from privacy.returns.course import Act, Course, ScopeKind, Step
from privacy.returns.journal import Journal
from privacy.returns.places import Places
from privacy.returns.signing import signing_key
from privacy.returns.stores import Line, Method
from privacy.rights import Cause
from privacy.work import unit_of_work

Tell = Callable[[str], None]

GROUNDS: Mapping[Cause, str] = {
    Cause.LEGAL: "A legal claim, or a duty to keep it (Article 17(3) UK GDPR)",
    Cause.ACCESS: "A request for access is open (section 173, Data Protection Act 2018)",
    Cause.FOI: "A request under the Freedom of Information Act is open (section 77 of that Act)",
}


@dataclass(frozen=True)
class Certified:
    """A destruction with its certificate: its files with their digests, and what still expires by itself."""

    reference: str
    folder: Path
    files: Mapping[str, str]
    outstanding: Sequence[Outstanding]


@dataclass(frozen=True)
class Going:
    """What every step here needs."""

    left: Left
    course: Course
    journal: Journal
    places: Places

    @property
    def said(self) -> Mapping[str, Any]:
        return self.journal.facts(BEGUN)

    @property
    def full(self) -> bool:
        return self.course.scope.kind is ScopeKind.ALL

    def happened(self, step: Step, **evidence: Any) -> None:
        """Write an event of the return down, once."""
        with self.left.session() as db, unit_of_work(db, self.left.clock, ACTOR, frozen_too=True) as work:
            acts.happen(
                work,
                return_id=self.course.of.id,
                step=step,
                event_id=event_id(self.course.of.id, step, Act.DONE),
                **evidence,
            )


def going_on(left: Left, reference: str) -> Going:
    journal = Journal(folder_of(left.settings, reference))
    said = journal.facts(BEGUN)
    with left.session() as db:
        course = acts.read(db, UUID(said["return_id"]))
        db.expunge_all()
    found = places(
        left,
        reference=reference,
        letter=said["authority"],
        look_in=[Path(path) for path in said["look_in"]],
    )
    return Going(left, course, journal, found)


def go_on(left: Left, reference: str, *, tell: Tell = lambda step: None) -> Certified:
    """Carry on to the certificate. Raises NotDestroyed, StillInUse, OSError and what openssl cannot do."""
    going = going_on(left, reference)
    _destroyed(going, tell)
    tell("verify")
    _verified(going)
    tell("certificate")
    files = _certified(going)
    left_over = outstanding(going.journal, lines_of(going))
    return Certified(reference, going.places.folder, files, left_over)


def _destroyed(going: Going, tell: Tell) -> None:
    if going.full:
        done = destroy.destroy(going.places, tell=tell)
    else:
        done = destruction_part.destroy(going.left, going.places, going.course, tell=tell)
    before, after = done["inventory"].facts, done["rows"].facts
    gone = sum(before["rows"].values()) - sum(after["rows"].values())
    going.happened(Step.DESTROY, numbers={"rows": gone, "keys": before["data_keys"]})


def _verified(going: Going) -> None:
    journal = going.journal
    if "verified" not in journal.entries():
        draft = json.dumps(_document(going, trail={}, number=1), ensure_ascii=False)
        verify = proof.verify if going.full else destruction_part.verify
        journal.note("verified", at=going.left.clock(), **verify(going.places, draft=draft).facts())
    if "forgotten" not in journal.entries():
        proof.forget(going.places)
        journal.note("forgotten", at=going.left.clock())
    facts = journal.facts("verified")
    going.happened(Step.VERIFIED, numbers={name: facts[name] for name in ("files", "marks", "samples")})


def _certified(going: Going) -> Mapping[str, str]:
    journal = going.journal
    if "certificate" not in journal.entries():
        files = write_certificate(going, number=1)
        journal.note("certificate", at=going.left.clock(), files=files)
    files = journal.facts("certificate")["files"]
    going.happened(Step.CERTIFICATE, digests=[files["certificate-1.json"], files["certificate-1.pdf"]])
    if going.full:
        _close(going, files)
    return dict(files)


def _trail(going: Going) -> dict[str, object]:
    """Where the trail ends; of a destruction of everything, it is written into a file as well."""
    with going.left.session() as db:
        if going.full:
            return kept_records.write_trail(
                db,
                going.left.vault.ring,
                going.places.kept,
                contract=going.left.programme.reference,
                now=going.left.clock(),
            )
        found = chain_checks.look(db, going.left.vault.ring)
    return {"lines": found.lines, "digest": found.digest}


def _close(going: Going, files: Mapping[str, str]) -> None:
    left_over = outstanding(going.journal, lines_of(going))
    days = [one.until for one in left_over if one.until is not None]
    closing.mark(
        going.left.settings.instance,
        Closing(
            reference=going.course.of.ref,
            rehearsal=going.course.of.rehearsal,
            returned=going.said["package"] is not None,
            held=bool(going.journal.facts("inventory")["exceptions"]),
            closed_on=london_date(going.journal.entries()["certificate"].at),
            outstanding=bool(left_over),
            last_on=max(days, default=None),
            certificate=files["certificate-1.json"],
        ),
    )


# ---- the certificate


def write_certificate(going: Going, *, number: int) -> dict[str, str]:
    """Write the first certificate or the second, signed; the digests of its files."""
    trail = _trail(going)
    key = signing_key(going.left.settings.keys, contract=going.left.programme.reference)
    return certificate.write(going.places.folder, _document(going, trail=trail, number=number), key)


def _document(going: Going, *, trail: Mapping[str, object], number: int) -> dict[str, Any]:
    found, journal = lines_of(going), going.journal
    said = going.said
    return certificate.document(
        _basis(going),
        journal.entries(),
        stores=found,
        outstanding=outstanding(journal, found) if number == 1 else (),
        exceptions=[
            {
                "what": f"table {name}",
                "rows": rows,
                "ground": GROUNDS[Cause(cause)],
                "since": since,
                "review_on": said["review_on"],
            }
            for name, rows, cause, since in journal.facts("inventory")["exceptions"]
        ],
        kept=_kept(going),
        trail=trail,
        now=going.left.clock(),
        number=number,
    )


def _basis(going: Going) -> Basis:
    said, programme = going.said, going.left.programme
    return Basis(
        contract=programme.reference,
        controller=programme.department,
        processor=programme.sender,
        reference=going.course.of.ref,
        scope=said["scope"],
        direction=said["direction"],
        directed_on=date.fromisoformat(said["directed_on"]),
        authority=said["authority"],
        answered_by=said["answered_by"],
        package=said["package"],
        receipt=said["receipt"],
        by=said["by"],
        witness=said["witness"],
        rehearsal=going.course.of.rehearsal,
    )


def _kept(going: Going) -> dict[str, Any]:
    if not going.full:
        return {
            "why": "What others need of it stays without a person: that a session was held, that somebody was "
            "supported. The audit trail stays; it holds references alone."
        }
    until = date.fromisoformat(going.said["kept_until"])
    return {
        "files": kept_records.WHAT,
        "until": until.isoformat(),
        "why": f"Accounts are kept until {day_words(until)}: 6 years after the financial year of the last "
        "payment (schedule 2). Registers and the audit trail show what was done; they stay as long.",
    }


def lines_of(going: Going) -> list[Line]:
    """The stores as they were when it began, with what was said of each."""
    with going.left.session() as db:
        said = stores.confirmations(db, going.course.of.id)
        db.expunge_all()
    return [
        Line(
            Store(name, holds, "", ""),
            Method(method) if method else None,
            by_hand=by_hand,
            said=said.get(name) if by_hand else None,
        )
        for name, holds, method, by_hand in going.said["stores"]
    ]


def outstanding(journal: Journal, lines: Sequence[Line]) -> list[Outstanding]:
    """What had not gone when the certificate was made: backups out of reach, and what expires on a day."""
    found = [
        Outstanding(f"Backups in folder {number}", date.fromisoformat(gone_on) if gone_on else None)
        for number, _, gone_on in journal.facts("backups")["outstanding"]
    ]
    done_on = london_date(journal.entries()["backups"].at)
    for line in lines:
        until = line.said.expires_on if line.said is not None else None
        if until is not None and until > done_on:
            found.append(Outstanding(line.store.name[:1].upper() + line.store.name[1:], until))
    return found
