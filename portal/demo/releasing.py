"""The demo's releases: the Department instructs that KPI numbers be shown, each quarter is released, and the first
annual review is passed on."""

from datetime import date, timedelta

from portal.demo.agenda import Act, Agenda, Diary
from portal.demo.cast import Cast
from portal.demo.sorting import enter_codebook, sorting
from portal.models import Role
from portal.programme import Programme, contract_years
from portal.registers import instructions
from portal.results import releases, releasing
from portal.results.periods import Kind, ReportPeriod, begun
from privacy.clock import london_date, wall
from privacy.registers import DataItem
from privacy.work import Work

LETTER = "DFE/LETTER/4"
WORDING = (
    "Show us, in every report, how many people are counted in the two KPIs, how many of them count as yes, who was "
    "silent and who is not yet due, however small these numbers are."
)
APPROVAL = "DFE/LETTER/9"
DAYS_LATER = 6
"""A report goes out about a week after its period."""


def release(agenda: Agenda, diary: Diary, programme: Programme, cast: Cast, *, opened_on: date) -> None:
    """The instruction and the codebook in the third week, a release after every quarter, each with what was written
    sorted first, and the annual review with its approval."""
    officer = next(one for one in cast.staff if one.role is Role.DPO)
    team = next(one for one in cast.staff if one.role is Role.TEAM)
    agenda.at(wall(opened_on + timedelta(days=16), 11 * 60), _instruct, by=officer)
    enter_codebook(agenda, cast, on=diary.after(opened_on + timedelta(days=17)))
    today = london_date(agenda.now)
    years = contract_years(programme.contract, programme.year_ends)
    for kind in (Kind.QUARTERLY, Kind.ANNUAL):
        for period in reversed(begun(kind, on=today, years=years)):
            made_on = diary.after(period.days.ends_on + timedelta(days=DAYS_LATER))
            if made_on < today:
                agenda.at(wall(made_on, 14 * 60), sorting(programme), by=team)
                agenda.at(wall(made_on, 15 * 60), _making(programme, period), by=team)
    reviewed = next(iter(reversed(begun(Kind.ANNUAL, on=today, years=years))))
    approved_on = diary.after(reviewed.days.ends_on + timedelta(days=40))
    if approved_on < today:
        agenda.at(wall(approved_on, 10 * 60), _approving(reviewed), by=team)


def _instruct(work: Work) -> None:
    instructions.instruct(
        work,
        letter=LETTER,
        from_on=london_date(work.now),
        wording=WORDING,
        items={DataItem.KPI_NUMBERS: True},
    )


def _making(programme: Programme, period: ReportPeriod) -> Act:
    def act(work: Work) -> None:
        releasing.make(work, programme, kind=period.kind, period=period.name)

    return act


def _approving(period: ReportPeriod) -> Act:
    def act(work: Work) -> None:
        found = releases.of_period(work.db, period.kind, period.name)
        assert found is not None
        releasing.approve(work, release_id=found.id, letter=APPROVAL, on=london_date(work.now))

    return act
