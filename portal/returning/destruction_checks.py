"""What stands against destroying the data of a return, each as a sentence (cl 15, 17.4(e)).

The receipt and the authority, two people who answer for it, a word from somebody on every store that the software
cannot reach; nothing written since the package was built; nobody named in what is kept.
"""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.returning import packaging, steps
from portal.returning.destruction_places import Left, places
from portal.returning.naming import known_by
from privacy import erasure, outside
from privacy.audit import AuditEntry
from privacy.erasure import NoInstruction, NotInForce
from privacy.returns import acts, stores
from privacy.returns.course import Course, ScopeKind, Step, StepsMissing
from privacy.returns.proof import kept_texts
from privacy.returns.signing import SignatureWrong, check_receipt
from privacy.returns.stores import Line
from privacy.returns.tables import DataReturnEvent
from privacy.returns.traces import KeyedSet
from privacy.scratch import scratch

ADDS_NOTHING = frozenset(
    {
        *("return", "store", "sign_in", "sign_out", "link", "device", "instance"),
        *("keys", "key", "addresses", "escrow", "canary", "backup", "mail", "audit", "retention", "seal"),
    }
)
"""Things of the trail that leave nothing behind which is to be handed over."""
READS = frozenset({"response.opened", "export.made", "person.exported", "person.export_fetched"})


class DestroyRefused(Exception):
    """Nothing was destroyed; the message says what stands against it."""


@dataclass(frozen=True)
class Order:
    """What whoever runs the command says. `who` and `witness` are roles; `paid_on` is the day of the last payment
    under the contract; `review_on` when what is under a legal hold is looked at again."""

    receipt: Path | None
    who: str
    witness: str
    paid_on: date | None = None
    review_on: date | None = None
    look_in: Sequence[Path] = ()


def lines(left: Left, db: DbSession, course: Course) -> list[Line]:
    """Every store of the register, with its method or what somebody said of it."""
    if course.scope.kind is not ScopeKind.ALL:
        return stores.lines_of_part(db, course.of.id, outside=outside.stores(db))
    return stores.lines(
        db,
        course.of.id,
        outside=outside.stores(db),
        postgres=left.engine.dialect.name == "postgresql",
        keys_outside=places(left, reference=course.of.ref, letter="").key_folder is None,
    )


# ---- what stands against it


def against(left: Left, db: DbSession, course: Course, order: Order | None) -> list[str]:
    """What stands against destroying now, a sentence each; empty when nothing does. Reads only."""
    course = acts.read(db, course.of.id)
    missing = course.missing(Step.DESTROY) if not course.begun else ()
    found = [str(StepsMissing(Step.DESTROY, missing))] if missing else []
    checks: list[Callable[[], None]] = [lambda: require_unchanged(db, course)]
    if not course.begun:
        checks.append(lambda: require_in_force(db, course, now=left.clock()))
    if not course.of.rehearsal:
        checks.insert(0, lambda: stores.require_confirmed(lines(left, db, course)))
    if order is not None:
        checks += [
            lambda: require_receipt(left, course, order.receipt),
            lambda: require_nobody_named(db, order),
        ]
    for check in checks:
        try:
            check()
        except (stores.Unconfirmed, DestroyRefused) as refusal:
            found.append(str(refusal))
    return found


def require_in_force(db: DbSession, course: Course, *, now: datetime) -> None:
    """Raises DestroyRefused where the authority to delete is in the register as an instruction that was replaced, or
    takes effect later. One that was never entered stands by its letter, and is entered when it is carried out."""
    authority = course.event(Step.AUTHORITY)
    if authority is None or authority.letter is None:
        return
    try:
        erasure.instruction(db, authority.letter, now=now)
    except NotInForce as problem:
        raise DestroyRefused(str(problem)) from problem
    except NoInstruction:
        return


def require_unchanged(db: DbSession, course: Course) -> None:
    """Raises DestroyRefused where the trail shows that something was written since the package was built.

    Of a part, only what concerns it counts: the site goes on for everybody else.
    """
    built = course.event(Step.BUILD)
    if built is None:
        return
    added = [one for one in _since(db, built) if _adds(one.action)]
    if added and course.scope.kind is not ScopeKind.ALL:
        added = _of_part(db, course, added)
    if added:
        new = ", ".join(
            f"{action} ({count})" for action, count in sorted(Counter(one.action for one in added).items())
        )
        raise DestroyRefused(
            f"written since the package was built, and not in it: {new}. Build the package again"
        )


def _since(db: DbSession, built: DataReturnEvent) -> Sequence[AuditEntry]:
    """The lines of the trail that the package does not hold: those after its last one, where it says which that is."""
    lines = (built.numbers or {}).get(packaging.TRAIL_LINES)
    later = AuditEntry.at > built.at if lines is None else AuditEntry.seq > lines
    return db.scalars(select(AuditEntry).where(later).order_by(AuditEntry.seq)).all()


def _adds(action: str) -> bool:
    return action.partition(".")[0] not in ADDS_NOTHING and action not in READS


def _of_part(db: DbSession, course: Course, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """The lines about what a part holds, or by somebody in it."""
    keys = (packaging.part(db, course.scope).keys or {}).values()
    ids = {str(key[0]) for found in keys for key in found}
    return [
        one
        for one in entries
        if not ids.isdisjoint({str(one.holder), one.actor.rpartition(":")[2], one.object.rpartition(":")[2]})
    ]


def require_receipt(left: Left, course: Course, receipt: Path | None) -> None:
    """Raises DestroyRefused unless the file is the receipt that is on record, signed over this package's digest."""
    event, digest = course.event(Step.RECEIPT), course.package
    if Step.RECEIPT not in course.steps:
        return
    if event is None or digest is None:
        raise DestroyRefused("the Department's receipt has not been recorded")
    body = event.body or {}
    if receipt is None and course.of.rehearsal:
        # Nobody was sent a file: what was played is what was recorded.
        data = base64.b64decode(str(body["signature"]))
    elif receipt is None or not receipt.is_file():
        raise DestroyRefused("give the Department's receipt: --receipt FILE")
    else:
        data = receipt.read_bytes()
    if hashlib.sha256(data).hexdigest() not in (event.digests or [])[1:]:
        raise DestroyRefused(f"{receipt} is not the receipt that was recorded")
    named = str(body.get("certificate") or "")
    known = [*steps.certificates(course), *([named.encode()] if named else [])]
    if not _is_signed(data, known, digest=digest, folder=left.settings.instance / "scratch"):
        raise DestroyRefused("the receipt is no signature over the digest of this package")


def _is_signed(signature: bytes, certificates: Sequence[bytes], *, digest: str, folder: Path) -> bool:
    with scratch(folder) as own:
        signed, certificate = own / "receipt.p7s", own / "certificate.pem"
        signed.write_bytes(signature)
        for pem in certificates:
            certificate.write_bytes(pem)
            with suppress(SignatureWrong):
                check_receipt(signed, certificate, digest=digest, folder=own)
                return True
    return False


def require_nobody_named(db: DbSession, order: Order) -> None:
    """Raises DestroyRefused where something that stays afterwards names somebody: then it could not be certified."""
    known = KeyedSet.of(known_by(db))
    said = {"--by": order.who, "--witness": order.witness}
    named = [where for where, text in (*said.items(), *kept_texts(db)) if known.hits(text)]
    if named:
        raise DestroyRefused(
            f"somebody is named in what is kept, where a role belongs: {', '.join(dict.fromkeys(named))}"
        )
