"""Councils that the Department did not agree: refused with a reason, and asked again with what is new (sch 4 SLAs).

A refusal stands until the team asks again or the council is agreed after all. It changes no package: what is proposed
waits as before, and nobody is invited.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session as DbSession

from portal.councils import facts as council_facts
from portal.councils.facts import NoWhy
from portal.mailing import queue as mail
from portal.mailing.contexts import Around, Context, Letter, RoleContext
from portal.models import CouncilRefusal, Mail, Mailbox, Package, PackageState, Person, Role
from portal.packages.states import PackageRefused
from portal.people import delegations, in_office
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

TEMPLATE = "council_refused"
ASKED_AGAIN = "council_asked_again"


class Settled(PackageRefused):
    """The council stands otherwise by now; the message says how."""


class NothingProposed(Settled):
    """No package waits there for the Department."""


class RefusedAlready(Settled):
    """The Department refused the council, and was not asked again since."""

    def __init__(self) -> None:
        super().__init__("The Department has said already that it does not agree. Look at the council again")


class NotRefused(Settled):
    """No refusal stands: the Department was asked again, or has agreed."""

    def __init__(self) -> None:
        super().__init__("The Department was asked again already, or has agreed. Look at the council again")


class NoNews(PackageRefused):
    """The Department is asked again without anything new."""

    field = "news"


def refuse(work: Work, *, council_id: UUID, reason: str) -> CouncilRefusal:
    """The Department does not agree a council that waits; the team is told. Raises NothingProposed, RefusedAlready or
    NoWhy. LookupError for no council."""
    council_facts.lock(work, council_id)
    if not _is_proposed(work.db, council_id):
        raise NothingProposed("Nothing waits for the Department here any more")
    if standing(work.db, council_id) is not None:
        raise RefusedAlready
    if not reason.strip():
        raise NoWhy("Say why")
    row = CouncilRefusal(id=new_id(), council_id=council_id, refused_at=work.now, refused_by=work.actor)
    row.reason = reason
    work.db.add(row)
    work.record(Action.COUNCIL_REFUSED, object=f"council:{council_id}")
    mail.queue(work, template=TEMPLATE, about=row.id, to=Mailbox.TEAM)
    return row


def ask_again(work: Work, *, council_id: UUID, news: str) -> CouncilRefusal:
    """Propose a council anew that was refused; the Department's observers are told. Raises NotRefused, NothingProposed
    or NoNews. LookupError for no council."""
    council_facts.lock(work, council_id)
    row = standing(work.db, council_id)
    if row is None:
        raise NotRefused
    if not _is_proposed(work.db, council_id):
        raise NothingProposed("No package is proposed here. Plan the support first")
    if not news.strip():
        raise NoNews("Say what is new")
    row.news = news
    _end(work, row)
    work.record(Action.COUNCIL_ASKED_AGAIN, object=f"council:{council_id}")
    for person_id in in_office.ids(work.db, {Role.OBSERVER}, on=london_date(work.now)):
        mail.queue(work, template=ASKED_AGAIN, about=row.id, to=person_id)
    return row


def agreed(work: Work, council_id: UUID) -> None:
    """The council is agreed after all. The caller holds the lock of the council."""
    row = standing(work.db, council_id)
    if row is not None:
        _end(work, row)


def _end(work: Work, row: CouncilRefusal) -> None:
    row.ended_at, row.ended_by = work.now, work.actor


def _is_proposed(db: DbSession, council_id: UUID) -> bool:
    proposed = exists().where(Package.council_id == council_id, Package.state == PackageState.PROPOSED)
    return db.scalar(select(proposed)) is True


# ---- read


def standing(db: DbSession, council_id: UUID) -> CouncilRefusal | None:
    """The refusal that stands in a council."""
    return db.scalars(
        select(CouncilRefusal).where(
            CouncilRefusal.council_id == council_id, CouncilRefusal.ended_at.is_(None)
        )
    ).first()


def all_standing(db: DbSession) -> Mapping[UUID, CouncilRefusal]:
    """The refusals that stand, by council."""
    rows = db.scalars(select(CouncilRefusal).where(CouncilRefusal.ended_at.is_(None)))
    return {row.council_id: row for row in rows}


def of_council(db: DbSession, council_id: UUID) -> Sequence[CouncilRefusal]:
    """Everything that was refused in one council, newest first."""
    return of_councils(db, [council_id]).get(council_id, ())


def of_councils(db: DbSession, council_ids: Collection[UUID]) -> Mapping[UUID, Sequence[CouncilRefusal]]:
    """Everything that was refused in these councils, newest first; one query."""
    found: dict[UUID, list[CouncilRefusal]] = {}
    for row in db.scalars(
        select(CouncilRefusal)
        .where(CouncilRefusal.council_id.in_(council_ids))
        .order_by(CouncilRefusal.refused_at.desc(), CouncilRefusal.id)
    ):
        found.setdefault(row.council_id, []).append(row)
    return found


def names(db: DbSession, rows: Collection[CouncilRefusal]) -> Mapping[str, str]:
    """Who refused, by reference; whoever is gone is left out."""
    ids = {row.refused_by: UUID(row.refused_by.removeprefix("person:")) for row in rows if _is_person(row)}
    found = delegations.names(db, ids.values())
    return {who: found[person_id] for who, person_id in ids.items() if person_id in found}


def _is_person(row: CouncilRefusal) -> bool:
    return row.refused_by.startswith("person:")


# ---- the mails


def letter(db: DbSession, mail: Mail, around: Around) -> Letter | None:
    """Where the reason stands; none once the Department was asked again, or has agreed."""
    row = db.get(CouncilRefusal, mail.about)
    if row is None or row.ended_at is not None:
        return None
    return Letter({"link": around.link("council", row.council_id)})


def letter_again(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """Where the councils stand that wait; none once this one was refused again or is agreed."""
    row = db.get(CouncilRefusal, mail.about)
    if row is None or standing(db, row.council_id) is not None or not _is_proposed(db, row.council_id):
        return None
    return Letter({"link": around.link("agreeing")})


CONTEXTS: Mapping[str, Context] = {ASKED_AGAIN: letter_again}
ROLE_CONTEXTS: Mapping[str, RoleContext] = {TEMPLATE: letter}
