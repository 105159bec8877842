"""Restriction, in one place: somebody's data is kept and not used until it is lifted (UK GDPR Article 18).

    mail      nothing is written to them but the code or link with which they sign in, which they asked for
    lists     they are in no list of work to do, and nobody can choose them as a member or a mentor
    figures   what they said is in none; they still count as supported, in a base of their own
    exports   their answers are in none but their own

They keep their own pages: sessions that were agreed with them, their answers, their rights. What the law allows
goes on: storing, their own requests, legal claims. The team sees that they are restricted, and nothing to act on.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Participation, Person
from privacy import erasure
from privacy.audit import Action
from privacy.work import Work
from surveys import restriction as answers

MAY_GO = frozenset({"sign_in", "account_news"})
"""The mails that a restricted person still gets: they asked for them a moment ago, or they keep their account safe."""


def usable() -> ColumnElement[bool]:
    """Of a query that joins the person: whose data may be used."""
    return Person.restricted_at.is_(None)


def may_write(person: Person, template: str) -> bool:
    """Whether a mail may go to somebody."""
    return person.restricted_at is None or template in MAY_GO


def restrict(work: Work, *, person_id: UUID, letter: str) -> None:
    """Restrict somebody's data by an instruction of the Controller. Again changes nothing.

    Raises NoInstruction, NotInForce or NobodyThere.
    """
    ground = erasure.instruction(work.db, letter, now=work.now)
    person = _locked(work, person_id)
    if person.restricted_at is None:
        person.restricted_at = work.now
        answers.restrict(work.db, _parts(work.db, person_id), at=work.now)
        work.record(
            Action.PERSON_RESTRICTED, object=f"person:{person_id}", holder=person_id, instruction=ground.id
        )


def lift(work: Work, *, person_id: UUID, letter: str) -> None:
    """Lift it, by an instruction; they are to be told before (Article 18(3)). Again changes nothing."""
    ground = erasure.instruction(work.db, letter, now=work.now)
    person = _locked(work, person_id)
    if person.restricted_at is not None:
        person.restricted_at = None
        answers.restrict(work.db, _parts(work.db, person_id), at=None)
        work.record(
            Action.PERSON_RELEASED, object=f"person:{person_id}", holder=person_id, instruction=ground.id
        )


def _locked(work: Work, person_id: UUID) -> Person:
    person = work.db.get(Person, person_id, with_for_update=True, populate_existing=True)
    if person is None:
        raise erasure.NobodyThere(str(person_id))
    return person


def _parts(db: DbSession, person_id: UUID) -> list[UUID]:
    return list(db.scalars(select(Participation.id).where(Participation.person_id == person_id)))
