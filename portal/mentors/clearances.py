"""Who is cleared for the work: clearance, confidentiality undertaking, data-protection training, each with its dates.

Two things hang on it (annex 1, cl 17.4(c), cl 12.3):

    pages     whoever mentors or is staff of the supplier sees no page with personal data while a screening (BPSS or
              vetting), the undertaking or the training is missing or has lapsed; they can sign in and are told
    delivery  nobody is matched or booked while one of these is missing; and whoever is in contact with children or
              vulnerable adults needs an enhanced DBS check as well

Annex 1 binds "Contractor or sub-contractor staff", cl 12.3 the contractor's personnel and cl 17.4(c) the
processor's. The Department's observer and the Controller's auditor are neither: the Department screens its own
people, and access for audit is its right (cl 14, 17.9), so they are not gated. The data protection officer and the
administrator work for the supplier, so they are. Participants see what is theirs.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.access.known import Account
from portal.desk import restriction
from portal.models import Clearance, ClearanceKind, Office, Person, Role
from privacy.audit import Action
from privacy.clock import add_months, day_words, london_date
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

GATED = frozenset({Role.MENTOR, Role.TEAM, Role.DPO, Role.ADMINISTRATOR})
"""The roles of the contractor's personnel."""

PAGES = (ClearanceKind.BPSS, ClearanceKind.UNDERTAKING, ClearanceKind.TRAINING)
ALSO = {ClearanceKind.BPSS: ClearanceKind.VETTING}
"""What stands in for a kind: vetting is "BPSS or higher"."""

WARNED_DAYS = (60, 14)
YEARS_AT_MOST = 10
"""Nothing says how long a record lasts; none that is given lasts longer than this, so a later year is a slip."""
NOTE_AT_MOST = 200
WORDS = {
    ClearanceKind.BPSS: "BPSS clearance",
    ClearanceKind.VETTING: "National security vetting",
    ClearanceKind.DBS: "Enhanced DBS check",
    ClearanceKind.UNDERTAKING: "Confidentiality undertaking",
    ClearanceKind.TRAINING: "Data protection training",
}


class RecordRefused(Exception):
    """What cannot be recorded of somebody who delivers; `field` names what it concerns, the message says why."""

    field: str | None = None


class WrongExpiry(RecordRefused):
    """It ends before it begins or in a year that cannot be meant, or begins in the future."""

    def __init__(self, message: str, *, field: str = "expires_on") -> None:
        super().__init__(message)
        self.field = field


class OwnRecord(RecordRefused):
    """Nobody clears themselves."""


@dataclass(frozen=True)
class Gap:
    """Something that is missing (`lapsed_on` is None) or has lapsed."""

    kind: ClearanceKind
    lapsed_on: date | None
    ask = "team"

    @property
    def words(self) -> str:
        what = WORDS[self.kind]
        if self.lapsed_on is None:
            return f"{what} is not recorded"
        return f"{what} lapsed on {day_words(self.lapsed_on)}"


class Dates(NamedTuple):
    """What decides whether a record holds: as much as rules ask of it."""

    kind: ClearanceKind
    from_on: date
    lapses_on: date

    def holds_on(self, day: date) -> bool:
        return self.from_on <= day < self.lapses_on


class Lapsing(NamedTuple):
    """Something of somebody that is missing, has lapsed, or will: `on` is that day, None where it is missing.

    `clearance` is the record that ends then.
    """

    person: Person
    kind: ClearanceKind
    on: date | None
    clearance: Clearance | None

    @property
    def what(self) -> str:
        return WORDS[self.kind]


Dated = TypeVar("Dated", bound=Clearance | Dates)


# ---- pure


def needs(person: Person) -> tuple[ClearanceKind, ...]:
    """What somebody needs to deliver."""
    return _needs(meets_children=person.meets_children)


def _needs(*, meets_children: bool) -> tuple[ClearanceKind, ...]:
    return (*PAGES, ClearanceKind.DBS) if meets_children else PAGES


def _of(records: Iterable[Dated], kind: ClearanceKind) -> list[Dated]:
    return [one for one in records if one.kind in (kind, ALSO.get(kind))]


def held_until(records: Iterable[Clearance | Dates], kind: ClearanceKind, *, on: date) -> date | None:
    """The first day from `on` on which it no longer holds, renewals counted; None if it does not hold on that day."""
    known, day = _of(records, kind), on
    while covering := [one.lapses_on for one in known if one.holds_on(day)]:
        day = max(covering)
    return day if day > on else None


def gaps_in(
    records: Collection[Clearance | Dates], kinds: Iterable[ClearanceKind], *, on: date
) -> tuple[Gap, ...]:
    """What of these kinds does not hold on a day."""
    return tuple(
        Gap(kind, max((one.lapses_on for one in _of(records, kind) if one.lapses_on <= on), default=None))
        for kind in kinds
        if held_until(records, kind, on=on) is None
    )


def page_gaps(person: Account, *, on: date) -> tuple[Gap, ...]:
    """What keeps somebody who delivers from pages with personal data."""
    return gaps_in(person.clearances, PAGES, on=on)


def ending(records: Iterable[Clearance], kind: ClearanceKind, *, on: date) -> Clearance | None:
    """The record that ends on the day on which the kind lapses."""
    return next((one for one in _of(records, kind) if one.lapses_on == on), None)


# ---- read


def gaps(db: DbSession, person_ids: Collection[UUID], *, on: date) -> dict[UUID, list[Gap]]:
    """What keeps each of these people from delivering on a day; nothing for those who are cleared. One query."""
    records: dict[UUID, list[Dates]] = {}
    needed: dict[UUID, tuple[ClearanceKind, ...]] = {}
    for row in run(db, _RECORDS, {"people": list(person_ids)}):
        needed[row.id] = _needs(meets_children=row.meets_children)
        known = records.setdefault(row.id, [])
        if row.kind is not None:
            lapses_on = row.expires_on if row.ended_on is None else min(row.expires_on, row.ended_on)
            known.append(Dates(row.kind, row.from_on, lapses_on))
    return {one: list(gaps_in(records[one], kinds, on=on)) for one, kinds in needed.items()}


_RECORDS = (
    select(
        Person.id,
        Person.meets_children,
        Clearance.kind,
        Clearance.from_on,
        Clearance.expires_on,
        Clearance.ended_on,
    )
    .outerjoin(Clearance, Clearance.person_id == Person.id)
    .where(Person.id.in_(bindparam("people", expanding=True)))
)
"""Made once: each booking and each list of times asks it."""


def watch(db: DbSession, *, on: date, days: int = WARNED_DAYS[0]) -> list[Lapsing]:
    """What is missing, has lapsed or lapses within some days, of all who deliver: the most urgent first."""
    office = Office.holding(GATED, on=on)
    people = db.scalars(
        select(Person)
        .where(Person.disabled_at.is_(None), restriction.usable(), Person.offices.any(office))
        .options(selectinload(Person.clearances))
        .order_by(Person.ref)
    )
    found = [one for person in people for one in _lapsing(person, on=on, days=days)]
    return sorted(found, key=lambda one: one.on or date.min)


def _lapsing(person: Person, *, on: date, days: int) -> list[Lapsing]:
    found = []
    for kind in needs(person):
        until = held_until(person.clearances, kind, on=on)
        if until is None:
            [gap] = gaps_in(person.clearances, [kind], on=on)
            found.append(Lapsing(person, kind, gap.lapsed_on, None))
        elif until <= on + timedelta(days=days):
            found.append(Lapsing(person, kind, until, ending(person.clearances, kind, on=until)))
    return found


def history(db: DbSession, person_id: UUID) -> Sequence[Clearance]:
    """Everything that was recorded of somebody, newest first."""
    return db.scalars(
        select(Clearance)
        .where(Clearance.person_id == person_id)
        .order_by(Clearance.from_on.desc(), Clearance.recorded_at.desc())
    ).all()


# ---- write


def record(
    work: Work,
    *,
    person_id: UUID,
    kind: ClearanceKind,
    from_on: date,
    expires_on: date,
    note: str | None = None,
) -> Clearance:
    """Add a dated record; earlier ones stay. Raises WrongExpiry or OwnRecord."""
    _require_another(work, person_id)
    if from_on > london_date(work.now):
        raise WrongExpiry("The day is still to come. Record it once it is given", field="from_on")
    if expires_on <= from_on:
        raise WrongExpiry("It must expire after the day it was given")
    latest = add_months(london_date(work.now), 12 * YEARS_AT_MOST)
    if expires_on > latest:
        raise WrongExpiry(
            f"The expiry date must be {day_words(latest)} or earlier, at most {YEARS_AT_MOST} years ahead"
        )
    row = Clearance(
        id=new_id(),
        person_id=person_id,
        kind=kind,
        from_on=from_on,
        expires_on=expires_on,
        recorded_at=work.now,
        by=work.actor,
    )
    row.note = note or None
    work.db.add(row)
    work.record(
        Action.CLEARANCE_RECORDED,
        object=f"person:{person_id}",
        holder=person_id,
        kind=kind,
        on=from_on,
        expires_on=expires_on,
    )
    return row


def take_back(work: Work, *, clearance_id: UUID) -> Clearance:
    """Let a record hold no more from today on: it was withdrawn, or entered by mistake. Raises OwnRecord."""
    row = work.db.get_one(Clearance, clearance_id, populate_existing=True, with_for_update=True)
    _require_another(work, row.person_id)
    today = london_date(work.now)
    if row.ended_on is None:
        row.ended_on = today
        work.record(
            Action.CLEARANCE_ENDED,
            object=f"person:{row.person_id}",
            holder=row.person_id,
            kind=row.kind,
            on=today,
        )
    return row


def set_contact(work: Work, *, person_id: UUID, meets_children: bool) -> Person:
    """Say whether somebody will be in contact with children or vulnerable adults (annex 1). Raises OwnRecord."""
    _require_another(work, person_id)
    person = work.db.get_one(Person, person_id, populate_existing=True, with_for_update={"key_share": True})
    if person.meets_children is not meets_children:
        person.meets_children = meets_children
        work.record(
            Action.PERSON_CHANGED, object=f"person:{person_id}", holder=person_id, what="meets_children"
        )
    return person


def _require_another(work: Work, person_id: UUID) -> None:
    if work.actor == f"person:{person_id}":
        raise OwnRecord("You cannot record this of yourself. Ask a colleague")
