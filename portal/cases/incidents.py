"""Incidents beyond what every case has: who is affected, exercises, and what is assessed from the list (annex 1)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import intake as desk_cases
from portal.desk import person_rights
from portal.models import Package, Participation, Person
from portal.programme import Programme
from privacy import sent_before
from privacy.cases import acts, affected
from privacy.cases.affected import Affected
from privacy.cases.rules import CaseRefused, Incomplete
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.work import Work

NAMES_AT_MOST = 500
SCENARIOS = {
    "mail": "A mail with several people's answers goes to the wrong address",
    "laptop": "A laptop with a file of names is stolen from a train",
    "account": "Somebody signs in to a colleague's account, and reads",
    "keys": "The folder of the keys is found on a shared drive",
    "own": "Another one, in your own words",
}


class Unknown(CaseRefused):
    """A reference or an address that nobody, or no package, has."""

    field = "people"


@dataclass(frozen=True)
class OnList:
    """Somebody on the list of an incident; `why` is the table, package or name by which they came on it."""

    person: Person
    row: Affected

    @property
    def name(self) -> str:
        return self.person.name or self.person.ref


def on_list(db: DbSession, case_id: UUID) -> list[OnList]:
    """Who is affected, by name. One query, and the keys."""
    rows = db.execute(
        select(Person, Affected)
        .join(Affected, Affected.person_id == Person.id)
        .where(Affected.case_id == case_id)
    )
    return sorted(
        (OnList(row[0], row[1]) for row in rows), key=lambda one: (one.name.casefold(), one.person.ref)
    )


def put_on_list(
    work: Work, *, case_id: UUID, people: str = "", packages: str = "", tables: Collection[str] = ()
) -> int:
    """Put people on the list: those named by reference or address, one to a line, those of packages, and all of whom
    some tables hold anything. Returns how many are new. Raises Unknown."""
    found: dict[UUID, str] = {}
    for text in _lines(people):
        person = person_rights.find(work.db, text)
        if person is None:
            raise Unknown(f"Nobody has the reference or address {text}")
        found[person.id] = "by name"
    for ref in _lines(packages):
        for person_id in _members(work.db, ref):
            found.setdefault(person_id, f"package {ref.upper()}")
    for person_id, table in affected.people_in(work.db, tables).items():
        found.setdefault(person_id, table)
    return affected.add(work, case_id=case_id, people=found)


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.replace(",", "\n").splitlines() if line.strip()))[
        :NAMES_AT_MOST
    ]


def _members(db: DbSession, ref: str) -> Sequence[UUID]:
    package_id = db.scalar(select(Package.id).where(Package.ref == ref.upper()))
    if package_id is None:
        unknown = Unknown(f"No package has the reference {ref}")
        unknown.field = "packages"
        raise unknown
    asked = select(Participation.person_id).where(
        Participation.package_id == package_id, Participation.person_id.is_not(None)
    )
    return [person_id for person_id in db.scalars(asked) if person_id is not None]


def assess(
    work: Work, *, case_id: UUID, risk: str, tables: Collection[str], event_id: UUID | None = None
) -> CaseEvent:
    """Write down what could follow, for how many people, and which kinds of their data; the kinds come from the
    register. Raises what `acts.happen` raises."""
    if not tables:
        raise Incomplete("Choose at least one kind of data", name="data")
    body: Mapping[str, object] = {
        "risk": risk,
        "data": "; ".join(affected.kinds_in(tables)),
        "people": affected.count(work.db, case_id),
        "tables": sorted(tables),
    }
    said = {"risk": risk, "tables": sorted(tables)}
    if (
        first := acts.sent(work, case_id=case_id, kind=Event.ASSESSED, said=said, event_id=event_id)
    ) is not None:
        return first
    return acts.happen(work, case_id=case_id, kind=Event.ASSESSED, body=body, event_id=event_id)


def exercise(work: Work, programme: Programme, *, scenario: str, case_id: UUID | None = None) -> Case:
    """Begin an exercise: an incident that is handled like a real one, and of which nothing leaves the house.

    `case_id` is its own id, where a form carries one: the same form again gives the first. Raises SentBefore.
    """
    says = {"kind": CaseKind.INCIDENT, "exercise": True, "asked": scenario}
    if (first := sent_before.found(work, Case, case_id, **says)) is not None:
        return first
    return desk_cases.take_in(
        work,
        programme,
        kind=CaseKind.INCIDENT,
        channel=Channel.IN_PERSON,
        received_at=work.now,
        asked=scenario,
        exercise=True,
        case_id=case_id,
    )


@dataclass(frozen=True)
class Exercised:
    """An exercise: when it began, how long the report took, None while it is not made, and what was learned."""

    case: Case
    reported_after: timedelta | None
    lessons: Sequence[str]


def exercises(db: DbSession) -> list[Exercised]:
    """Every exercise, the newest first."""
    found = []
    for story in acts.stories(db, closed=None, kinds=[CaseKind.INCIDENT]):
        if story.case.exercise:
            told: datetime | None = next((event.at for event in story.of(Event.CONTROLLER_NOTIFIED)), None)
            found.append(
                Exercised(
                    story.case,
                    told - story.case.received_at if told else None,
                    [str((event.body or {}).get("text", "")) for event in story.of(Event.LESSONS)],
                )
            )
    return found[::-1]
