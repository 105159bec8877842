"""The demo's cast: councils, leaders, groups, mentors and staff, and at which stage of the path each stands."""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import chain, cycle, islice, product
from random import Random
from uuid import UUID

from portal.demo import data
from portal.demo.answers import Outcome, Voice
from portal.demo.data import Area
from portal.models import Ground, Role, Strand


class Stage(StrEnum):
    """Where on the path a package stands when the demo opens."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    INVITED = "invited"
    DRAFT = "draft"
    CALL = "call"
    READY = "ready"
    OFFERED = "offered"
    BOOKED = "booked"
    ACTIVE = "active"
    POST_OPEN = "post_open"
    CLOSED = "closed"
    SHORT = "short"
    WITHDRAWN = "withdrawn"
    SCHEDULED = "scheduled"


# Thirty leaders, fifteen political and fifteen corporate. Those come first who have most to try out: of each
# role the sign-in page of a demo lists the first few.
LEADERS: tuple[tuple[Role, Stage, Outcome | None], ...] = (
    (Role.LEAD_MEMBER, Stage.INVITED, None),
    (Role.CHIEF_EXECUTIVE, Stage.OFFERED, None),
    (Role.LEAD_MEMBER, Stage.READY, None),
    (Role.CORPORATE_LEADER, Stage.BOOKED, None),
    (Role.LEAD_MEMBER, Stage.POST_OPEN, None),
    (Role.CHIEF_EXECUTIVE, Stage.BOOKED, None),
    (Role.COUNCIL_LEADER, Stage.DRAFT, None),
    (Role.SCRUTINY_CHAIR, Stage.CALL, None),
    (Role.CHIEF_EXECUTIVE, Stage.ACTIVE, None),
    (Role.COUNCIL_LEADER, Stage.ACTIVE, None),
    (Role.CORPORATE_LEADER, Stage.ACTIVE, None),
    (Role.SCRUTINY_CHAIR, Stage.POST_OPEN, None),
    (Role.LEAD_MEMBER, Stage.ACTIVE, None),
    (Role.LEAD_MEMBER, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CHIEF_EXECUTIVE, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CORPORATE_LEADER, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.COUNCIL_LEADER, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.SCRUTINY_CHAIR, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.COUNCIL_LEADER, Stage.POST_OPEN, Outcome.WAITING),
    (Role.CHIEF_EXECUTIVE, Stage.CLOSED, Outcome.PARTLY),
    (Role.LEAD_MEMBER, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CHIEF_EXECUTIVE, Stage.SHORT, Outcome.SILENT),
    (Role.CORPORATE_LEADER, Stage.PROPOSED, None),
    (Role.CHIEF_EXECUTIVE, Stage.INVITED, None),
    (Role.LEAD_MEMBER, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CHIEF_EXECUTIVE, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CORPORATE_LEADER, Stage.AGREED, None),
    (Role.LEAD_MEMBER, Stage.CLOSED, Outcome.NOT_YET),
    (Role.CHIEF_EXECUTIVE, Stage.CLOSED, Outcome.ACCEPTED),
    (Role.CORPORATE_LEADER, Stage.WITHDRAWN, None),
)

_FIRST = (*(5 * (Outcome.ACCEPTED,)), *(2 * (Outcome.PARTLY,)), *(2 * (Outcome.STEADY,)))
# Groups: where they stand, how many they are, and how those answer whose support is over.
GROUPS: tuple[tuple[str, Stage, int, tuple[Outcome | None, ...]], ...] = (
    (data.GROUPS[0], Stage.SCHEDULED, 8, ()),
    (data.GROUPS[1], Stage.ACTIVE, 9, ()),
    (data.GROUPS[2], Stage.POST_OPEN, 7, (None, Outcome.WAITING, Outcome.ACCEPTED, Outcome.WAITING)),
    (
        data.GROUPS[3],
        Stage.CLOSED,
        10,
        (*(7 * (Outcome.ACCEPTED,)), Outcome.STEADY, Outcome.NO_EXAMPLE, Outcome.SILENT),
    ),
    # Enough of them, of each kind and from enough councils, for figures on answers to be released.
    *((title, Stage.CLOSED, len(_FIRST), _FIRST) for title in data.GROUPS[4:]),
)

MENTORS = 14
COUNCILS = len(data.AREAS)


@dataclass(eq=False)
class Council:
    """A made-up council; `id` is known once it was imported."""

    area: Area
    gss: str
    ground: Ground
    id: UUID | None = None


@dataclass(eq=False)
class Somebody:
    """A person of the cast; `id` is known once they were added, `participation_id` once they are in a package.

    `answered_at` is when they send, or will have sent, their baseline.
    """

    name: str
    email: str
    role: Role
    voice: Voice
    council: Council | None = None
    week: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    outcome: Outcome | None = None
    id: UUID | None = None
    participation_id: UUID | None = None
    answered_at: datetime | None = None

    @property
    def known(self) -> UUID:
        """The id, where it must be known."""
        assert self.id is not None
        return self.id


@dataclass(eq=False)
class Support:
    """A package of the cast. `floor`: nothing of its story may come before that instant."""

    strand: Strand
    stage: Stage
    council: Council
    members: list[Somebody]
    mentors: list[Somebody]
    title: str | None = None
    number: int = 0
    package_id: UUID | None = None
    floor: datetime | None = None
    starts_on: date = date.min

    @property
    def known(self) -> UUID:
        """The package's id, where it must be known."""
        assert self.package_id is not None
        return self.package_id


@dataclass
class Cast:
    """Everybody, in the order in which they are added."""

    councils: list[Council]
    staff: list[Somebody]
    mentors: list[Somebody]
    supports: list[Support]

    @property
    def people(self) -> list[Somebody]:
        """Everybody once: of each group the first comes before its others, so that all groups can be tried out."""
        groups = [support.members for support in self.supports if support.strand is Strand.GROUP]
        leaders = [one.members[0] for one in self.supports if one.strand is Strand.ONE_TO_ONE]
        first = [members[0] for members in groups]
        others = [member for members in groups for member in members[1:]]
        return [*self.staff, *self.mentors, *leaders, *first, *others]


def gather(*, people: int, rng: Random) -> Cast:
    """A cast with this many leaders; councils, mentors and groups grow with them."""
    share = people / len(LEADERS)
    names = _names(rng)
    councils = list(islice(_councils(rng), max(COUNCILS, round(COUNCILS * share))))
    staff = [Somebody(name, email, role, Voice(rng, role)) for name, email, role in data.STAFF]
    mentors = [
        _somebody(names, Role.MENTOR, rng, domain="mentors.example", week=week)
        for week in islice(cycle(data.WEEKS), max(MENTORS, round(MENTORS * share)))
    ]
    supports = [
        *_leaders(people, councils, names, rng),
        *_groups(max(1, round(len(GROUPS) * share)), councils, names, rng),
    ]
    _match(supports, mentors)
    return Cast(councils, staff, mentors, supports)


def _leaders(
    people: int, councils: list[Council], names: Iterator[tuple[str, str]], rng: Random
) -> list[Support]:
    supports: list[Support] = []
    taken: set[tuple[Council, Role]] = set()
    # The last council has not been agreed yet: nobody else may be supported there.
    free = cycle(councils[:-1])
    for number, (role, stage, outcome) in enumerate(islice(cycle(LEADERS), people)):
        # One Lead Member, one Leader, one chief executive to a council; others there may be several of.
        council = next(one for one in free if (one, role) not in taken)
        if stage is Stage.PROPOSED:
            council = councils[-1]
        elif role not in (Role.CORPORATE_LEADER, Role.SCRUTINY_CHAIR):
            taken.add((council, role))
        leader = _somebody(names, role, rng, council=council, outcome=outcome)
        supports.append(Support(Strand.ONE_TO_ONE, stage, council, [leader], [], number=number))
    return supports


def _groups(
    count: int, councils: list[Council], names: Iterator[tuple[str, str]], rng: Random
) -> list[Support]:
    supports = []
    for number, (title, stage, size, outcomes) in enumerate(islice(cycle(GROUPS), count)):
        council = councils[(5 * number + 4) % (len(councils) - 1)]
        members = [
            _somebody(
                names,
                Role.COMMITTEE_MEMBER,
                rng,
                council=council,
                outcome=outcomes[place] if place < len(outcomes) else None,
            )
            for place in range(size)
        ]
        supports.append(Support(Strand.GROUP, stage, council, members, [], title=title, number=number))
    return supports


LIVE = (Stage.BOOKED, Stage.ACTIVE, Stage.OFFERED, Stage.READY, Stage.SCHEDULED, Stage.INVITED)


def _match(supports: list[Support], mentors: list[Somebody]) -> None:
    """The first mentors have most of what is going on now; a long package and a group have two."""
    live = sorted((one for one in supports if one.stage in LIVE), key=lambda one: LIVE.index(one.stage))
    busy = mentors[: max(3, len(mentors) // 3)]
    for support, mentor in zip(live, cycle(busy), strict=False):
        support.mentors.append(mentor)
    others = (one for one in supports if one.stage not in LIVE)
    for support, mentor in zip(others, cycle(reversed(mentors)), strict=False):
        support.mentors.append(mentor)
    for support in supports:
        if support.strand is Strand.GROUP or support.number % 10 == 8:
            second = mentors[(mentors.index(support.mentors[0]) + 5) % len(mentors)]
            support.mentors.append(second)


def _councils(rng: Random) -> Iterator[Council]:
    kinds = cycle(("CTY", "UA", "MD", "UA"))
    made = list(product(data.FIRST_PARTS, data.LAST_PARTS))
    rng.shuffle(made)
    more = (
        Area(
            f"{first}{last} Council", f"{first}{last}", next(kinds), data.REGIONS[number % len(data.REGIONS)]
        )
        for number, (first, last) in enumerate(made)
    )
    grounds = cycle(Ground)
    for number, area in enumerate(chain(data.AREAS, more), start=1):
        yield Council(area, f"E99{number:06d}", next(grounds))


def _names(rng: Random) -> Iterator[tuple[str, str]]:
    """Names and the local parts of their addresses, none twice: the tricky ones come among the first."""
    plain = [f"{given} {family}" for given, family in product(data.GIVEN_NAMES, data.FAMILY_NAMES)]
    rng.shuffle(plain)
    tricky = list(data.TRICKY_NAMES)
    for number, name in enumerate(plain):
        # Every fifth after the mentors, so that they meet the pages of leaders and of members.
        if tricky and number >= MENTORS and number % 5 == 0:
            yield tricky.pop(0)
        yield name, _local_part(name)


def _local_part(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return ".".join("".join(c for c in word if c.isalnum() or c == "-") for word in letters.split())


def _somebody(
    names: Iterator[tuple[str, str]],
    role: Role,
    rng: Random,
    *,
    council: Council | None = None,
    domain: str = "",
    week: Mapping[int, tuple[tuple[int, int], ...]] | None = None,
    outcome: Outcome | None = None,
) -> Somebody:
    name, local_part = next(names)
    if council is not None:
        domain = f"{council.area.short_name.lower().replace(' ', '-')}.example"
    return Somebody(
        name,
        f"{local_part}@{domain}",
        role,
        Voice(rng, role),
        council=council,
        week=week or {},
        outcome=outcome,
    )
