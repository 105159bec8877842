"""What mentors bring: in their own words for mentees, and as the team records it for matching (sch 6).

Political group is special category data: it is asked for, stored and shown only while an instruction under
schedule 3a lists it (privacy/registers.py).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.mentors.clearances import RecordRefused
from portal.models import PARTICIPANT, CouncilKind, MentorProfile, Person, Role
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.registers import DataItem, lists
from privacy.work import Work

ABOUT_AT_MOST = 400
ABOUT_LINES = 3
WORDS_AT_MOST = 1000
CAPACITY_AT_MOST = 40
USUAL_CAPACITY = 4
DIRECTOR = "director_of_childrens_services"
"""A role that mentors may have held and nobody is supported in."""

HELD = (*(role.value for role in Role if role in PARTICIPANT), DIRECTOR)


class PoliticalGroup(StrEnum):
    """Groups in English councils. NONE: an officer, or somebody without a seat."""

    CONSERVATIVE = "conservative"
    LABOUR = "labour"
    LIBERAL_DEMOCRAT = "liberal_democrat"
    GREEN = "green"
    INDEPENDENT = "independent"
    OTHER = "other"
    NONE = "none"


GROUPS = {
    PoliticalGroup.CONSERVATIVE: "Conservative",
    PoliticalGroup.LABOUR: "Labour",
    PoliticalGroup.LIBERAL_DEMOCRAT: "Liberal Democrat",
    PoliticalGroup.GREEN: "Green",
    PoliticalGroup.INDEPENDENT: "Independent",
    PoliticalGroup.OTHER: "Another group",
    PoliticalGroup.NONE: "No group",
}


class MentorWish(StrEnum):
    """Which mentor somebody would like. ANY: they do not mind."""

    SAME = "same"
    OTHER = "other"
    ANY = "any"


WISHES = {
    MentorWish.SAME: "A mentor of their own group",
    MentorWish.OTHER: "A mentor of another group",
    MentorWish.ANY: "They do not mind",
}


class NotListed(RecordRefused):
    """No instruction of the Controller lists the data: it is not held (cl 17.1, 17.4(a))."""

    field = "political_group"

    def __init__(self) -> None:
        super().__init__("No instruction of the Department lists political groups, so they are not recorded")


class TooLong(RecordRefused):
    """More than a few lines."""

    field = "about"

    def __init__(self) -> None:
        super().__init__(f"Write {ABOUT_LINES} lines and {ABOUT_AT_MOST} characters at most")


@dataclass(frozen=True)
class Profile:
    """What the team has recorded. `roles` are of HELD, `kinds` kinds of council, `regions` regions of England,
    `capacity` how many packages at once, `trained_on` the day mentor training was completed."""

    roles: tuple[str, ...] = ()
    public_sector: str = ""
    one_to_one: str = ""
    skills: str = ""
    kinds: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    capacity: int = 0
    trained_on: date | None = None
    coaching: str = ""

    def as_json(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {"trained_on": self.trained_on.isoformat() if self.trained_on else None}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def lacks(self, *, on: date) -> list[str]:
        """What keeps somebody from mentoring on a day, in words: experience and mentor training (sch 6)."""
        found = []
        if not self.public_sector.strip():
            found.append("No public-sector experience is recorded")
        if not self.one_to_one.strip():
            found.append("No experience of one-to-one support is recorded")
        if self.trained_on is None or self.trained_on > on:
            found.append("Mentor training is not recorded as completed")
        return found


def read(row: MentorProfile | None) -> Profile:
    """The profile that a row holds; an empty one where nothing was recorded."""
    if row is None or row.record is None:
        return Profile()
    held: Mapping[str, Any] = row.record
    trained = held.get("trained_on")
    return Profile(
        roles=tuple(held.get("roles", ())),
        public_sector=held.get("public_sector", ""),
        one_to_one=held.get("one_to_one", ""),
        skills=held.get("skills", ""),
        kinds=tuple(held.get("kinds", ())),
        regions=tuple(held.get("regions", ())),
        capacity=held.get("capacity", 0),
        trained_on=date.fromisoformat(trained) if trained else None,
        coaching=held.get("coaching", ""),
    )


def rows(db: DbSession, person_ids: Collection[UUID]) -> dict[UUID, MentorProfile]:
    """The profiles of these people, in one query."""
    found = db.scalars(select(MentorProfile).where(MentorProfile.person_id.in_(person_ids)))
    return {row.person_id: row for row in found}


def row_of(db: DbSession, person_id: UUID) -> MentorProfile | None:
    return rows(db, [person_id]).get(person_id)


def abouts(mentors: Iterable[Person]) -> dict[UUID, str]:
    """What these mentors say of themselves, of those who have said something; their profiles should be loaded."""
    said = ((one.id, one.profile.about) for one in mentors if one.profile is not None)
    return {person_id: about for person_id, about in said if about}


def write_about(work: Work, *, person_id: UUID, about: str) -> MentorProfile:
    """Put a mentor's own lines in place of the earlier ones. Raises TooLong."""
    if len(about) > ABOUT_AT_MOST or len(about.strip().splitlines()) > ABOUT_LINES:
        raise TooLong
    row = _row(work, person_id)
    row.about = about or None
    return _changed(work, row, "about")


def write_record(work: Work, *, person_id: UUID, profile: Profile) -> MentorProfile:
    """Put what the team knows in place of what it knew."""
    row = _row(work, person_id)
    row.record = profile.as_json()
    return _changed(work, row, "record")


def write_group(work: Work, *, person_id: UUID, group: str | None, wish: str | None = None) -> Person:
    """Record somebody's political group, and which mentor they would like. Raises NotListed."""
    if not may_hold_groups(work.db, on=london_date(work.now)):
        raise NotListed
    person = work.db.get_one(Person, person_id, populate_existing=True, with_for_update={"key_share": True})
    person.political_group = PoliticalGroup(group).value if group else None
    person.mentor_wish = MentorWish(wish).value if wish else None
    work.record(Action.PERSON_CHANGED, object=f"person:{person_id}", holder=person_id, what="political_group")
    return person


def may_hold_groups(db: DbSession, *, on: date) -> bool:
    """Whether an instruction lists political groups on a day."""
    return lists(db, DataItem.POLITICAL_GROUP, on=on)


def role_words(role: str, roles: Mapping[Role, str]) -> str:
    """A role of HELD in words; `roles` are the programme's."""
    return "Director of children's services" if role == DIRECTOR else roles[Role(role)]


KINDS = {
    CouncilKind.COUNTY: "County council",
    CouncilKind.UNITARY: "Unitary council",
    CouncilKind.METROPOLITAN: "Metropolitan borough",
    CouncilKind.LONDON: "London borough",
    CouncilKind.CITY: "City of London",
}
REGIONS = (
    "East Midlands",
    "East of England",
    "London",
    "North East",
    "North West",
    "South East",
    "South West",
    "West Midlands",
    "Yorkshire and The Humber",
)
"""The nine regions of England (sch 5), as the published register of councils names them."""


def _row(work: Work, person_id: UUID) -> MentorProfile:
    # The person's lock puts two who write at once in order; the row may not be there yet.
    work.db.execute(select(Person.id).where(Person.id == person_id).with_for_update(key_share=True))
    row = work.db.scalars(
        select(MentorProfile)
        .where(MentorProfile.person_id == person_id)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        row = MentorProfile(id=new_id(), person_id=person_id)
        work.db.add(row)
    return row


def _changed(work: Work, row: MentorProfile, what: str) -> MentorProfile:
    row.changed_at = work.now
    work.record(Action.PROFILE_CHANGED, object=f"person:{row.person_id}", holder=row.person_id, what=what)
    return row
