"""Building and verifying a package of this instance, within the course of a return or as a rehearsal (cl 15, 17.4(e)).

On a demo both work without the steps before them, and everything made is marked REHEARSAL. On a real instance a package
is built only where the course says so, and only to the certificates that two people confirmed.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, Table, select
from sqlalchemy.orm import Session as DbSession

from portal.instance import SHIPPED_PROGRAMME, Instance
from portal.models import Council, InstanceFact, Package
from portal.returning import opening
from portal.returning.chapters import chapters
from privacy import chain_checks
from privacy.certificates import Certificate, read_certificates
from privacy.progress import Progress
from privacy.records import Record
from privacy.returns import acts, build, selection, signing
from privacy.returns.build import Stores
from privacy.returns.course import EVERYTHING, Course, CourseRefused, Scope, ScopeKind, Step, StepsMissing
from privacy.returns.selection import Selection
from privacy.returns.verify import Verified
from privacy.work import unit_of_work

ACTOR = "system:command"
TRAIL_LINES = "trail_lines"
"""How many lines of the audit trail a package of everything holds: what is written later is not in it."""
APART = frozenset({InstanceFact.__tablename__})
"""What each installation has for itself: the mark by which it knows its own keys."""

Sessions = Callable[[], DbSession]


class NotOpened(CourseRefused):
    """A package was verified from outside alone, and its return takes more."""


class OtherCertificates(CourseRefused):
    """The certificates are not those of the direction; the message names the first that does not fit."""


def course_of(
    db: DbSession, ref: str | None, *, demo: bool, about: str | None = None
) -> tuple[Course | None, Scope]:
    """The return to build for, and its scope: the one that is named, or the one under way. None where a demo has none,
    or is asked for a part: that is rehearsed by itself.

    Raises LookupError for a name that is not there or where several are under way, StepsMissing where none is, or
    DirectionRefused for a part that nobody knows.
    """
    if about:
        if not demo:
            raise CourseRefused("A part is returned by a return of its own: open it, and name it with --ref")
        return None, opening.scope_about(db, about)
    course = acts.named(db, ref)
    if course is None and not demo:
        raise StepsMissing(Step.BUILD, [Step.DIRECTION])
    return course, EVERYTHING if course is None else course.scope


def release() -> str:
    """The release of this software."""
    project = tomllib.loads((SHIPPED_PROGRAMME.parent / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def make(
    instance: Instance,
    engine: Engine,
    sessions: Sessions,
    *,
    certificates: Sequence[Path],
    out: Path,
    course: Course | None,
    scope: Scope,
    schema: str | None,
    progress: Progress,
) -> build.Package:
    """Build a package, and write it down in its course, where it has one.

    Raises CourseRefused, CertificateUnusable, or what `build` raises.
    """
    now = instance.clock()
    recipients = read_certificates(certificates, now=now)
    if course is not None:
        course.require(Step.BUILD)
        _require_confirmed(course, recipients)
    keys, contract = instance.settings.keys, instance.programme.reference
    direction = course.event(Step.DIRECTION) if course is not None else None
    rehearsal = instance.demo or (course is not None and course.of.rehearsal)
    made = build.build(
        stores(instance, engine, rehearsal=rehearsal, schema=schema),
        recipients=recipients,
        signer=signing.signing_key(keys, contract=contract),
        check=signing.check_key(keys, contract=contract),
        out=out,
        direction=direction.letter if direction is not None else None,
        scope=scope,
        rehearsal=rehearsal,
        now=now,
        progress=progress,
    )
    if course is not None:
        with sessions() as db, unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            acts.happen(
                work,
                return_id=course.of.id,
                step=Step.BUILD,
                # Whatever is written while we read is later than this, and not in it.
                at=now,
                digests=[made.digest],
                numbers=_numbers(made),
                body={"folder": str(out.resolve())},
            )
    return made


def _numbers(made: build.Package) -> dict[str, int]:
    found = {name: made.counts[name] for name in ("volumes", "rows", "bytes")}
    lines = made.trail.get("lines")
    return {**found, TRAIL_LINES: lines} if isinstance(lines, int) else found


def _require_confirmed(course: Course, recipients: Sequence[Certificate]) -> None:
    known = set(course.fingerprints)
    for one in recipients:
        if one.fingerprint not in known:
            raise OtherCertificates(f"{one.path} is not a certificate that came with the direction")
    if len(recipients) < len(known):
        raise OtherCertificates("The direction names more certificates: give every one of them")


def stores(instance: Instance, engine: Engine, *, rehearsal: bool, schema: str | None) -> Stores:
    """What a package of this instance is built from."""
    programme = instance.programme
    return Stores(
        engine=engine,
        vault=instance.vault,
        contract=programme.reference,
        processor=programme.service_name,
        controller=programme.department,
        release=release(),
        schema=schema,
        chapters=chapters(instance, rehearsal=rehearsal),
        part=part,
        trail=lambda db: _trail(instance, db),
        apart=APART,
    )


def part(db: DbSession, scope: Scope) -> Selection:
    """The rows of one council or one person."""
    named: dict[Table, Sequence[UUID]] = {}
    if scope.kind is ScopeKind.COUNCIL and scope.id is not None:
        tables = Record.metadata.tables
        packages = db.scalars(select(Package.id).where(Package.council_id == scope.id)).all()
        named = {tables[Council.__tablename__]: [scope.id], tables[Package.__tablename__]: packages}
    return selection.part(db, scope, people=opening.people_in(db, scope), named=named)


def _trail(instance: Instance, db: DbSession) -> Mapping[str, object]:
    """Where the audit trail ends, or why it does not hold: the data goes back all the same, and it is told."""
    found = chain_checks.look(db, instance.vault.ring)
    if found.trouble is not None:
        return {"trouble": found.trouble}
    return {"lines": found.lines, "digest": found.digest}


def taken(instance: Instance, step: Step) -> None:
    """What follows from a step that was taken: once the package is handed over, nobody opens it here any more."""
    if step is Step.HAND_OVER:
        signing.forget_check_key(instance.settings.keys)


def note_verified(instance: Instance, sessions: Sessions, found: Verified) -> Course | None:
    """Write down that a package was verified, in the course that it was built in; None where it belongs to none.

    Raises CourseRefused; NotOpened where what is inside was not looked at.
    """
    with sessions() as db:
        courses = [one for one in acts.courses(db) if one.package == found.digest and not one.ended]
        if not courses or not courses[0].may(Step.VERIFY):
            return None
        if not found.opened:
            raise NotOpened(
                f"What is inside was not looked at, so that {courses[0].of.ref} waits: give a key that opens it "
                "with --key, or build the package again"
            )
        with unit_of_work(db, instance.clock, ACTOR, frozen_too=True) as work:
            acts.happen(
                work,
                return_id=courses[0].of.id,
                step=Step.VERIFY,
                digests=[found.digest],
                numbers={"rows": found.rows, "volumes": found.volumes},
            )
        return acts.read(db, courses[0].of.id)
