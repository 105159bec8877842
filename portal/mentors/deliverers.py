"""What the team's page of somebody shows about delivering: clearance, profile, interests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session as DbSession

from portal.mentors import clearances, interests, profiles, stops
from portal.mentors.clearances import Gap
from portal.mentors.profiles import GROUPS, KINDS, WISHES, MentorWish, PoliticalGroup, Profile, role_words
from portal.models import PARTICIPANT, Clearance, ClearanceKind, Interest, Person, Role
from portal.programme import Programme


@dataclass(frozen=True)
class Delivers:
    """Everything about one person, read in a fixed number of queries.

    `gated`: they hold an office that needs clearance, now or later; `ever_gated`: they held one.
    """

    gated: bool
    ever_gated: bool
    gaps: Sequence[Gap]
    clearances: Sequence[Clearance]
    words: Mapping[ClearanceKind, str]
    may_record: bool
    profile: Profile | None
    about: str | None
    roles: str
    kinds: str
    serving: int
    interests: Sequence[Interest]
    with_groups: bool
    group: str | None
    wish: str | None


def of(db: DbSession, programme: Programme, person: Person, *, on: date, may_record: bool) -> Delivers:
    """What there is to show of a person on a day."""
    roles = {office.role for office in person.offices}
    coming = {office.role for office in person.offices if office.to_on is None or office.to_on >= on}
    mentors = Role.MENTOR in roles
    row = profiles.row_of(db, person.id) if mentors else None
    profile = profiles.read(row) if mentors else None
    with_groups = bool(roles & (PARTICIPANT | {Role.MENTOR})) and profiles.may_hold_groups(db, on=on)
    kinds = {kind.value: words for kind, words in KINDS.items()}
    return Delivers(
        gated=bool(coming & clearances.GATED),
        ever_gated=bool(roles & clearances.GATED),
        gaps=clearances.gaps_in(person.clearances, clearances.needs(person), on=on),
        clearances=clearances.history(db, person.id),
        words=clearances.WORDS,
        may_record=may_record,
        profile=profile,
        about=row.about if row is not None else None,
        roles=", ".join(role_words(role, programme.roles) for role in profile.roles) if profile else "",
        kinds=", ".join(kinds.get(kind, kind) for kind in profile.kinds) if profile else "",
        serving=stops.serving_now(db, [person.id], on=on).get(person.id, 0) if mentors else 0,
        interests=interests.of_person(db, person.id),
        with_groups=with_groups,
        group=GROUPS[PoliticalGroup(person.political_group)]
        if with_groups and person.political_group
        else None,
        wish=WISHES[MentorWish(person.mentor_wish)] if with_groups and person.mentor_wish else None,
    )
