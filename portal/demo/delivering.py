"""What lets the demo's mentors and staff do their work: clearance, profiles, a few interests."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import cycle

from portal.demo.agenda import Act, Agenda
from portal.demo.cast import Cast, Council, Somebody
from portal.demo.words_of_mentors import ABOUTS, COACHING, INTERESTS, ONE_TO_ONE, PUBLIC_SECTOR, SKILLS
from portal.mentors import clearances, interests, profiles
from portal.mentors.clearances import GATED, PAGES
from portal.mentors.profiles import DIRECTOR, REGIONS, Profile
from portal.models import ClearanceKind, CouncilKind, Role
from privacy.clock import london_date, wall
from privacy.work import Work

CAPACITY = 14
LAST_FOR = 400
SOON = 41
"""In how many days one mentor's training expires."""


def clear(agenda: Agenda, cast: Cast, *, opened_on: date) -> None:
    """Before anybody does anything: records for all who deliver, and a profile for each mentor."""
    today = london_date(agenda.now)
    moment = wall(opened_on, 10 * 60)
    gated = [one for one in cast.people if one.role in GATED]
    soon = next(one for one in gated if one.role is Role.MENTOR)
    for number, one in enumerate(cast.people, start=1):
        if one in gated:
            ends_on = today + timedelta(days=LAST_FOR + 7 * number)
            expires = dict.fromkeys(PAGES, ends_on)
            if one is soon:
                expires[ClearanceKind.TRAINING] = today + timedelta(days=SOON)
            agenda.at(moment + timedelta(minutes=number, seconds=20), _clearing(one, opened_on, expires))
    mentors = [one for one in gated if one.role is Role.MENTOR]
    for mentor, (profile, about) in zip(mentors, _profiles(opened_on), strict=False):
        agenda.at(moment + timedelta(days=1), _profiling(mentor, profile, about))
    for mentor, nature in zip(reversed(mentors), INTERESTS, strict=False):
        served = {support.council for support in cast.supports if mentor in support.mentors}
        tied = next(council for council in reversed(cast.councils) if council not in served)
        agenda.at(moment + timedelta(days=3), _declaring(mentor, tied, nature), by=mentor)


def _clearing(one: Somebody, opened_on: date, expires: dict[ClearanceKind, date]) -> Act:
    def act(work: Work) -> None:
        for kind, expires_on in expires.items():
            clearances.record(
                work,
                person_id=one.known,
                kind=kind,
                from_on=opened_on - timedelta(days=30),
                expires_on=expires_on,
            )

    return act


def _profiles(opened_on: date) -> Iterator[tuple[Profile, str]]:
    """Profiles of every sort, over and over."""
    roles = cycle(
        (
            ("lead_member",),
            ("council_leader", "lead_member"),
            ("chief_executive",),
            (DIRECTOR,),
            ("scrutiny_chair",),
        )
    )
    kinds, regions = cycle(CouncilKind), cycle(REGIONS)
    lists = zip(
        cycle(PUBLIC_SECTOR), cycle(ONE_TO_ONE), cycle(SKILLS), cycle(COACHING), cycle(ABOUTS), strict=False
    )
    for public_sector, one_to_one, skills, coaching, about in lists:
        yield (
            Profile(
                roles=next(roles),
                public_sector=public_sector,
                one_to_one=one_to_one,
                skills=skills,
                kinds=(next(kinds).value, CouncilKind.UNITARY.value),
                regions=(next(regions), next(regions)),
                capacity=CAPACITY,
                trained_on=opened_on - timedelta(days=60),
                coaching=coaching,
            ),
            about,
        )


def _profiling(mentor: Somebody, profile: Profile, about: str) -> Act:
    def act(work: Work) -> None:
        profiles.write_record(work, person_id=mentor.known, profile=profile)
        profiles.write_about(work, person_id=mentor.known, about=about)

    return act


def _declaring(mentor: Somebody, council: Council, nature: str) -> Act:
    def act(work: Work) -> None:
        assert council.id is not None
        interests.declare(
            work,
            person_id=mentor.known,
            council_id=council.id,
            nature=nature,
            from_on=london_date(work.now) - timedelta(days=200),
        )

    return act
