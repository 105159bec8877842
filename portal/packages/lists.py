"""Packages as the team lists and opens them. Names are opened in memory; no answer is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from portal.answers import questionnaires
from portal.answers.questionnaires import Due
from portal.mailing import queue as mail
from portal.mentors import serving
from portal.mentors.mentoring import happened_or_will
from portal.models import (
    Goal,
    Mail,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Session,
    SessionState,
    Strand,
)
from portal.packages.ledger import Ledger, ledgers
from portal.packages.states import Act, possible
from portal.people.directory import cut
from portal.programme import Programme
from surveys.models import Wave


@dataclass(frozen=True)
class Listing:
    """A page of the list, newest start first, with the ledgers of those on it."""

    packages: Sequence[Package]
    ledgers: Mapping[UUID, Ledger]
    page: int
    pages: int
    total: int


@dataclass(frozen=True)
class Member:
    """Somebody in a package; `given_by` is who has a hand in giving it."""

    part: Participation
    given_by: frozenset[UUID]

    @property
    def person_id(self) -> UUID | None:
        return self.part.person_id


@dataclass(frozen=True)
class PackagePage:
    """A package whole: `due` holds how everybody stands in baseline and post, `mails` the invitations and reminders,
    `acts` what its state allows."""

    package: Package
    ledger: Ledger
    members: Sequence[Member]
    mentors: Sequence[PackageMentor]
    goals: Sequence[Goal]
    sessions: Sequence[Session]
    due: Mapping[tuple[UUID, Wave], Due]
    mails: Sequence[Mail]
    acts: frozenset[Act]
    follows: Package | None
    followed_by: Package | None


def called(package: Package) -> str:
    """What a package is called in lists: the group's own title, or its people."""
    if package.title:
        return package.title
    names = [
        part.person.name or part.person.ref for part in package.participations if part.person is not None
    ]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") or package.ref


def listing(
    db: DbSession,
    programme: Programme,
    *,
    text: str = "",
    state: PackageState | None = None,
    strand: Strand | None = None,
    page: int | None = 1,
) -> Listing:
    """Packages that fit, without a page all of them; the text is looked for in reference, council, title and names."""
    asked = select(Package).options(*_whole()).order_by(Package.starts_on.desc(), Package.ref)
    if state is not None:
        asked = asked.where(Package.state == state)
    if strand is not None:
        asked = asked.where(Package.strand == strand)
    words = text.casefold().split()
    found = [one for one in db.scalars(asked) if not words or all(word in _searched(one) for word in words)]
    shown, page, pages = cut(found, page)
    return Listing(shown, ledgers(db, programme, shown), page, pages, len(found))


def of_council(db: DbSession, council_id: UUID) -> Sequence[Package]:
    """The packages of a council, newest start first."""
    return db.scalars(
        select(Package)
        .where(Package.council_id == council_id)
        .options(*_whole())
        .order_by(Package.starts_on.desc(), Package.ref)
    ).all()


def package_page(db: DbSession, programme: Programme, package: Package, *, now: datetime) -> PackagePage:
    """One package with everything around it, in the same number of queries however much there is."""
    parts = db.scalars(
        select(Participation)
        .where(Participation.package_id == package.id)
        .options(joinedload(Participation.person))
        .order_by(Participation.from_on, Participation.id)
    ).all()
    sessions = db.scalars(
        select(Session)
        .where(Session.package_id == package.id, happened_or_will())
        .options(joinedload(Session.mentor))
        .order_by(Session.starts_at.desc())
    ).all()
    goals = db.scalars(select(Goal).where(Goal.package_id == package.id).order_by(Goal.number)).all()
    given_by = serving.givers(db, [package.id]).get(package.id, frozenset())
    return PackagePage(
        package=package,
        ledger=ledgers(db, programme, [package])[package.id],
        members=[Member(part, given_by) for part in parts],
        mentors=serving.servings_of(db, package.id),
        goals=goals,
        sessions=sessions,
        due={
            (one.participation.id, one.wave): one
            for one in questionnaires.due(db, programme, parts, now=now)
            if one.wave in (Wave.BASELINE, Wave.POST)
        },
        mails=mail.of_participations(db, [part.id for part in parts]),
        acts=possible(package.state),
        follows=db.get(Package, package.follows_id) if package.follows_id is not None else None,
        followed_by=db.scalars(select(Package).where(Package.follows_id == package.id)).first(),
    )


def unrecorded(db: DbSession, package_id: UUID, *, now: datetime) -> Sequence[Session]:
    """Sessions that are over and that nobody has recorded: their time counts for nothing yet (sch 4 SLAs)."""
    return db.scalars(
        select(Session)
        .where(Session.package_id == package_id, Session.state == SessionState.BOOKED, Session.ends_at <= now)
        .order_by(Session.starts_at)
    ).all()


def uninvited(db: DbSession, package_id: UUID) -> Sequence[Participation]:
    """Those of a package who have no invitation yet."""
    return db.scalars(
        select(Participation)
        .where(
            Participation.package_id == package_id,
            Participation.invited_at.is_(None),
            Participation.to_on.is_(None),
            Participation.person_id.is_not(None),
        )
        .options(joinedload(Participation.person))
    ).all()


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        joinedload(Package.council),
        selectinload(Package.participations).joinedload(Participation.person),
    )


def _searched(package: Package) -> str:
    names = [part.person.name or "" for part in package.participations if part.person is not None]
    council = package.council.name if package.council is not None else ""
    return " ".join([package.ref, package.title or "", council, *names]).casefold()
