"""The service levels: councils per contract year, counted by what counts."""

from datetime import date

from sqlalchemy.orm import Session as DbSession

from portal.models import Council, CouncilFact, Fact, Ground, PackageState, Role, Strand
from portal.programme import Programme
from portal.results import service_levels
from privacy.clock import Clock
from privacy.records import new_id
from privacy.work import unit_of_work
from tests.factories import Factory

AS_OF = date(2023, 3, 1)


def agreed(db: DbSession, clock: Clock, make: Factory) -> Council:
    """A council whose allocation the Department agreed."""
    council = make.council()
    council_id = council.id
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(
            CouncilFact(
                id=new_id(),
                council_id=council_id,
                fact=Fact.AGREED,
                value=Ground.DECLINE.value,
                from_on=date(2021, 6, 1),
                recorded_at=work.now,
                by="system:test",
            )
        )
    return council


def test_councils_count_once_and_apart_by_strand_and_role(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    first, second = agreed(db, clock, make), agreed(db, clock, make)
    day = date(2022, 5, 1)
    for council, role in (
        (first, Role.LEAD_MEMBER),
        (first, Role.CHIEF_EXECUTIVE),
        (second, Role.COUNCIL_LEADER),
    ):
        make.package(make.person(role=role), council=council, starts_on=day)
    make.package(make.person(), make.person(), council=second, strand=Strand.GROUP, starts_on=day)
    year = service_levels.levels(db, programme, as_of=AS_OF)[-1]
    assert (year.year, year.ends_on) == ("2022-23", date(2023, 3, 31))
    assert (year.one_to_one_councils, year.corporate_councils, year.political_councils) == (2, 1, 2)
    assert year.group_councils == 1


def test_what_has_not_started_or_was_not_agreed_does_not_count(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    council = agreed(db, clock, make)
    make.package(make.person(), council=council, state=PackageState.BASELINE)
    make.package(make.person(), council=council, starts_on=date(2023, 3, 2))
    make.package(make.person(), council=make.council())
    assert service_levels.levels(db, programme, as_of=AS_OF)[-1].one_to_one_councils == 0


def test_the_years_are_those_that_have_begun(db: DbSession, make: Factory, programme: Programme) -> None:
    assert [year.year for year in service_levels.levels(db, programme, as_of=date(2022, 4, 1))] == [
        "2021-22",
        "2022-23",
    ]


def test_a_package_that_ended_short_is_shown(
    db: DbSession, make: Factory, clock: Clock, programme: Programme
) -> None:
    make.package(
        make.person(), state=PackageState.ENDED, starts_on=date(2022, 1, 10), ends_on=date(2022, 6, 1)
    )
    counted = [year.packages_under_minimum for year in service_levels.levels(db, programme, as_of=AS_OF)]
    assert counted == [0, 1], "in the year in which it ended"
