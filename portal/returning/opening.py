"""The direction: what the Controller wrote, how much it is about, to whose certificate the data goes (cl 10, 17.4(e)).

A contract that ends early gets its new last day in the same work: three months after a notice at the earliest
(cl 10.1), or the day of the notice itself (cl 10.2 to 10.4). Each certificate is checked as the builder will check it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as DbSession

from portal.desk import person_rights
from portal.models import Council, Office, Package, Participation
from portal.programme import Programme, contract_period
from portal.registers import contract
from portal.returning import naming
from privacy.certificates import Certificate, CertificateUnusable, read_certificate
from privacy.clock import add_months, day_words, london_date, start_of_day
from privacy.returns import acts
from privacy.returns.course import EVERYTHING, CourseRefused, ReturnKind, Scope, ScopeKind, Step, Wanted
from privacy.returns.tables import DataReturn
from privacy.scratch import scratch
from privacy.work import Work

NOTICE_MONTHS = 3
"""cl 10.1, and cl 2.2 for an extension."""
PEM_AT_MOST = 64 * 1024


class DirectionRefused(CourseRefused):
    """The direction cannot be entered like that; `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class Direction:
    """The Controller's direction as somebody enters it. `about` is the code of a council or the reference of a person,
    for a part; `ended` and `ends_on` say how the contract is ended early."""

    kind: ReturnKind
    wanted: Wanted
    letter: str
    on: date
    wording: str
    certificates: Sequence[bytes] = ()
    about: str = ""
    ended: str = ""
    ends_on: date | None = None
    return_id: UUID | None = None


def direct(
    work: Work, programme: Programme, direction: Direction, *, folder: Path, rehearsal: bool = False
) -> DataReturn:
    """Open a return with its direction. `folder` is for scratch. Raises DirectionRefused, AlreadyOpen or EndRefused."""
    if direction.on > london_date(work.now):
        raise DirectionRefused("This day lies in the future. Enter the day of the letter", field="on")
    require_no_name(work.db, direction.letter)
    found = _checked(direction, folder, now=work.now)
    made = acts.open_return(
        work,
        kind=direction.kind,
        wanted=direction.wanted,
        scope=_scope(work.db, direction),
        rehearsal=rehearsal,
        return_id=direction.return_id,
    )
    acts.happen(
        work,
        return_id=made.id,
        step=Step.DIRECTION,
        at=start_of_day(direction.on),
        letter=direction.letter,
        digests=[one.fingerprint for one in found],
        body={
            "words": direction.wording,
            "about": direction.about,
            "certificates": [pem.decode() for pem in direction.certificates],
            "names": [one.name for one in found],
        },
        event_id=direction.return_id,
    )
    if direction.kind is ReturnKind.EARLY and not rehearsal:
        _end(work, programme, direction)
    return made


def require_no_name(db: DbSession, letter: str) -> None:
    """Raises DirectionRefused where the reference of a letter names somebody: it is kept when all names have gone."""
    if naming.names_somebody(db, letter):
        raise DirectionRefused("This names somebody. Enter the reference of the letter alone", field="letter")


def _checked(direction: Direction, folder: Path, *, now: datetime) -> list[Certificate]:
    if direction.wanted is Wanted.DELETE:
        if direction.certificates:
            raise DirectionRefused(
                "Nothing is handed over, so no certificate is needed", field="certificates"
            )
        return []
    if not direction.certificates:
        raise DirectionRefused("Choose the certificate to which the data goes", field="certificates")
    with as_files(direction.certificates, folder) as paths:
        try:
            found = [read_certificate(path, now=now) for path in paths]
        except CertificateUnusable as fault:
            # The path is of a scratch folder, which says nothing to anybody.
            said = str(fault).split(" ", 1)[1]
            raise DirectionRefused(f"This certificate {said}", field="certificates") from fault
    if len({one.fingerprint for one in found}) != len(found):
        raise DirectionRefused("One certificate was given twice", field="certificates")
    return found


@contextmanager
def as_files(certificates: Sequence[bytes], folder: Path) -> Iterator[list[Path]]:
    """Certificates as files for a moment, for what reads them as such."""
    with scratch(folder) as place:
        paths = [place / f"certificate-{number}.pem" for number, _ in enumerate(certificates, 1)]
        for path, pem in zip(paths, certificates, strict=True):
            path.write_bytes(pem)
        yield paths


def _scope(db: DbSession, direction: Direction) -> Scope:
    return scope_about(db, direction.about) if direction.kind is ReturnKind.PARTIAL else EVERYTHING


def scope_about(db: DbSession, about: str) -> Scope:
    """A part: the council with a code, or the person with a reference or address. Raises DirectionRefused."""
    said = about.strip()
    council = db.scalar(
        select(Council.id).where(or_(Council.code == said.upper(), Council.gss == said.upper()))
    )
    if council is not None:
        return Scope(ScopeKind.COUNCIL, council)
    person = person_rights.find(db, said) if said else None
    if person is not None:
        return Scope(ScopeKind.PERSON, person.id)
    raise DirectionRefused("No council has this code, and nobody this reference or address", field="about")


def people_in(db: DbSession, scope: Scope) -> list[UUID]:
    """Whom a part is about: somebody, or all who hold or held an office in a council or were supported there."""
    if scope.kind is ScopeKind.PERSON and scope.id is not None:
        return [scope.id]
    offices = select(Office.person_id).where(Office.council_id == scope.id)
    supported = (
        select(Participation.person_id)
        .join(Package, Package.id == Participation.package_id)
        .where(Package.council_id == scope.id, Participation.person_id.is_not(None))
    )
    found = {*db.scalars(offices), *db.scalars(supported)}
    return sorted((one for one in found if one is not None), key=str)


def _end(work: Work, programme: Programme, direction: Direction) -> None:
    """Enter the new last day of the contract. Raises DirectionRefused or EndRefused."""
    if direction.ended == "at_once":
        ends_on = direction.on
    elif direction.ends_on is None:
        raise DirectionRefused("Enter the new last day of the contract", field="ends_on")
    elif direction.ends_on < (first := add_months(direction.on, NOTICE_MONTHS)):
        raise DirectionRefused(
            f"A notice takes at least 3 months: {day_words(first)} is the first day it can end on",
            field="ends_on",
        )
    else:
        ends_on = direction.ends_on
    if contract_period(work.db, programme, on=london_date(work.now)).ends_on != ends_on:
        contract.record_end(
            work, programme, ends_on=ends_on, letter=direction.letter, wording=direction.wording
        )
