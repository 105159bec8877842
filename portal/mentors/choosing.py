"""Choosing a mentor for a package: what speaks for each, in words, and the choice itself, which a person makes.

Those whom something stops are shown apart, with the reasons. Nothing is added up into a score: the table can be
sorted by each of its columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal.mentors import profiles, stops
from portal.mentors.profiles import GROUPS, KINDS, MentorWish, PoliticalGroup, Profile, role_words
from portal.mentors.stops import Looked
from portal.models import (
    MentorChoice,
    Package,
    PackageMentor,
    Participation,
    Person,
    Role,
)
from portal.packages import members as matching
from portal.packages.states import PackageRefused
from portal.people import directory
from portal.programme import Programme
from privacy.audit import Action
from privacy.clock import london_date
from privacy.records import new_id
from privacy.work import Work

WHY_AT_MOST = 1000
COLUMNS = {
    "experience": "Experience",
    "role": "Role",
    "kind": "Type of council",
    "group": "Political group",
    "region": "Region",
    "left": "Room left",
}


class Unexplained(PackageRefused):
    """A choice without its reason."""

    field = "why"


class NotSetAside(PackageRefused):
    """A stop is to be set aside and nobody says why."""

    field = "set_aside"


@dataclass(frozen=True)
class Reason:
    """What a column says of a mentor, and whether it speaks for them."""

    speaks: bool
    words: str


@dataclass(frozen=True)
class Candidate:
    """A mentor as the matching page shows them."""

    looked: Looked
    reasons: Mapping[str, Reason]

    @property
    def person(self) -> Person:
        return self.looked.person

    @property
    def name(self) -> str:
        return self.person.name or self.person.ref

    @property
    def in_favour(self) -> int:
        return sum(reason.speaks for reason in self.reasons.values())


@dataclass(frozen=True)
class Table:
    """Mentors who can be chosen, in the order asked for, those whom something stops, and for whom it is.

    `columns` are in the order in which they are shown.
    """

    members: Sequence[Participation]
    columns: Mapping[str, str]
    free: Sequence[Candidate]
    stopped: Sequence[Candidate]

    def find(self, person_id: UUID) -> Candidate | None:
        return next((one for one in (*self.free, *self.stopped) if one.person.id == person_id), None)


def table(
    db: DbSession, programme: Programme, package: Package, *, on: date, sort: str | None = None
) -> Table:
    """Everybody who mentors and does not serve the package yet. Fixed queries, however many there are."""
    day = max(on, package.starts_on)
    members = _members(db, package.id)
    serving = _serving(db, package.id, on=day)
    known = [person.id for person in directory.mentors(db, on=day) if person.id not in serving]
    looked = stops.look(
        db,
        known,
        council_id=package.council_id,
        member_ids=[part.person_id for part in members if part.person_id],
        on=day,
        package_id=package.id,
    )
    with_groups = profiles.may_hold_groups(db, on=on)
    found = [
        Candidate(one, _reasons(one, programme, package, members, with_groups=with_groups))
        for one in looked.values()
    ]
    columns = {name: words for name, words in COLUMNS.items() if with_groups or name != "group"}
    order = sort if sort in columns else None
    found.sort(key=lambda one: _place(one, order))
    return Table(
        members=members,
        columns=columns,
        free=[one for one in found if one.looked.is_free],
        stopped=[one for one in found if not one.looked.is_free],
    )


def _place(one: Candidate, order: str | None) -> tuple[int, int, str]:
    first = -one.in_favour if order is None else 0
    if order == "left":
        first = -one.looked.left
    elif order is not None:
        first = 0 if one.reasons[order].speaks else 1
    return first, -one.in_favour, one.name.casefold()


def _members(db: DbSession, package_id: UUID) -> Sequence[Participation]:
    return db.scalars(
        select(Participation)
        .where(Participation.package_id == package_id, Participation.to_on.is_(None))
        .options(joinedload(Participation.person))
    ).all()


def _serving(db: DbSession, package_id: UUID, *, on: date) -> set[UUID]:
    found = db.execute(
        select(PackageMentor.person_id, PackageMentor.to_on).where(PackageMentor.package_id == package_id)
    )
    return {row[0] for row in found if row[1] is None or row[1] > on}


def _reasons(
    one: Looked,
    programme: Programme,
    package: Package,
    members: Sequence[Participation],
    *,
    with_groups: bool,
) -> dict[str, Reason]:
    profile = one.profile
    found = {
        "experience": _experience(profile),
        "role": _role(profile, {part.role for part in members}, programme),
        "kind": _kind(profile, package),
        "region": _region(profile, package),
        "left": Reason(one.left > 0, f"{one.left} of {profile.capacity}"),
    }
    if with_groups:
        found["group"] = _group(one.person, [part.person for part in members if part.person is not None])
    return found


def _experience(profile: Profile) -> Reason:
    said = [words for words in (profile.public_sector, profile.one_to_one, profile.skills) if words]
    if profile.coaching:
        said.append(f"Coaching: {profile.coaching}")
    return Reason(bool(profile.coaching or profile.skills), ". ".join(said) or "Not recorded")


def _role(profile: Profile, asked: set[Role], programme: Programme) -> Reason:
    same = [role for role in profile.roles if role in {one.value for one in asked}]
    if same:
        return Reason(True, "Was also: " + ", ".join(role_words(role, programme.roles) for role in same))
    others = ", ".join(role_words(role, programme.roles) for role in profile.roles)
    return Reason(False, f"Was: {others}" if others else "Not recorded")


def _kind(profile: Profile, package: Package) -> Reason:
    known = {kind.value: words for kind, words in KINDS.items()}
    if package.council is not None and package.council.kind.value in profile.kinds:
        return Reason(True, f"Knows this type: {known[package.council.kind.value]}")
    return Reason(False, ", ".join(known.get(kind, kind) for kind in profile.kinds) or "Not recorded")


def _region(profile: Profile, package: Package) -> Reason:
    speaks = package.council is not None and package.council.region in profile.regions
    if speaks and package.council is not None:
        return Reason(True, f"Works in {package.council.region}")
    return Reason(False, ", ".join(profile.regions) or "Not recorded")


def _group(mentor: Person, leaders: Sequence[Person]) -> Reason:
    """What the leaders would like: a mentor of their own group, of another, or any."""
    group = mentor.political_group
    shown = GROUPS[PoliticalGroup(group)] if group else "Not recorded"
    wishing = [
        one for one in leaders if one.mentor_wish not in (None, MentorWish.ANY) and one.political_group
    ]
    if not wishing:
        return Reason(False, f"{shown}. Nobody minds")
    if group is None:
        return Reason(False, shown)
    suits = [one for one in wishing if (one.political_group == group) is (one.mentor_wish == MentorWish.SAME)]
    if len(leaders) == 1:
        return Reason(bool(suits), f"{shown}, {'as' if suits else 'not as'} the leader would like")
    return Reason(len(suits) == len(wishing), f"{shown}. Suits {len(suits)} of {len(wishing)} who mind")


def choose(
    work: Work,
    programme: Programme,
    *,
    package_id: UUID,
    person_id: UUID,
    why: str,
    set_aside: str | None = None,
) -> MentorChoice:
    """Put a mentor on a package and keep why, what the table said, and why a stop was set aside.

    Raises NotPossible, Unexplained, NotSetAside, and what stops.require_mentors raises.
    """
    if not why.strip():
        raise Unexplained("Say why this mentor is chosen")
    package = matching.locked(work, package_id)
    seen = table(work.db, programme, package, on=london_date(work.now)).find(person_id)
    aside = seen is not None and seen.looked.can_be_allowed
    if aside and not (set_aside or "").strip():
        raise NotSetAside("Say why a mentor from a neighbouring council is right here")
    matching.assign_mentor(work, package_id=package_id, person_id=person_id, setting_aside=aside)
    row = MentorChoice(
        id=new_id(),
        package_id=package_id,
        mentor_id=person_id,
        chosen_at=work.now,
        by=work.actor,
        overridden=aside,
    )
    row.reasons = {
        "why": why,
        "set_aside": set_aside if aside else None,
        "stops": [one.words for one in seen.looked.stops] if seen else [],
        "table": {COLUMNS[name]: reason.words for name, reason in seen.reasons.items() if name != "group"}
        if seen
        else {},
    }
    work.db.add(row)
    work.record(Action.MENTOR_CHOSEN, object=f"package:{package_id}", mentor=person_id, overridden=aside)
    return row


def choices(db: DbSession, package_id: UUID) -> Sequence[MentorChoice]:
    """Who was chosen for a package and why, the newest first."""
    return db.scalars(
        select(MentorChoice)
        .where(MentorChoice.package_id == package_id)
        .options(joinedload(MentorChoice.mentor))
        .order_by(MentorChoice.chosen_at.desc())
    ).all()
