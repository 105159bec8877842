"""What an approval is about, in words for the second person: references of people, never more than that."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Approval, Person, SecondAct
from portal.results.exports import WITH_DRAFTS
from surveys import versions
from surveys.versions import Unpublished


def told(db: DbSession, rows: Sequence[Approval]) -> Mapping[UUID, tuple[str, str]]:
    """What each is about, and who asked; a query, one more for each questionnaire, and the keys."""
    ids = {one for row in rows for one in (_person_id(row.thing), _person_id(row.asked_by)) if one}
    people = (
        {person.id: person for person in db.scalars(select(Person).where(Person.id.in_(ids)))} if ids else {}
    )
    return {row.id: (_said(db, row, people), _name(people, row.asked_by)) for row in rows}


def who(db: DbSession, actor: str | None) -> str:
    """The name of who answered."""
    person_id = _person_id(actor or "")
    person = db.get(Person, person_id) if person_id is not None else None
    return _name({person.id: person} if person is not None else {}, actor or "")


def _said(db: DbSession, row: Approval, people: Mapping[UUID, Person]) -> str:
    kind, _, what = row.thing.partition(":")
    whose = people.get(UUID(what)) if kind == "person" else None
    ref = whose.ref if whose is not None else "somebody who is gone"
    match row.act:
        case SecondAct.EXPORT:
            return f"Take out everything held about {ref}"
        case SecondAct.ERASURE:
            return f"Erase the data of {ref}"
        case SecondAct.KEY:
            return f"Destroy the key {what} for good"
        case SecondAct.ANSWERS:
            return _answers(db, what)


def _answers(db: DbSession, what: str) -> str:
    codes, _, widened = what.partition(":")
    titles = ", ".join(_title(db, code) for code in codes.split("+"))
    drafts = "; also what people began and didn't finish in time" if WITH_DRAFTS in widened.split("+") else ""
    return f"Take out answers with names: {titles}{drafts}"


def _title(db: DbSession, code: str) -> str:
    try:
        return versions.current(db, code=code).questionnaire.title
    except Unpublished:
        return code


def _person_id(text: str) -> UUID | None:
    return UUID(text.partition(":")[2]) if text.startswith("person:") else None


def _name(people: Mapping[UUID, Person], actor: str) -> str:
    person_id = _person_id(actor)
    found = people.get(person_id) if person_id is not None else None
    return (found.name or found.ref) if found is not None else "Somebody who has left"
