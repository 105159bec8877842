"""What shuts times in the demo, and a series of sessions: leave, closed times of councils, an extra holiday."""

from datetime import timedelta

from portal.booking import blackouts, holidays, leave, series
from portal.demo.agenda import Act, Agenda, Diary
from portal.demo.cast import Cast, Somebody, Stage, Support
from portal.models import Package, Place, Role, Strand
from portal.programme import Programme
from privacy.records import new_id
from privacy.work import Work

BEFORE = timedelta(hours=3)


def shut_times(agenda: Agenda, diary: Diary, programme: Programme, cast: Cast) -> None:
    """This morning's entries of the team and of mentors, when all else of the past is done."""
    moment = agenda.now - BEFORE
    team = next(one for one in cast.staff if one.role is Role.TEAM)
    mentors = [one for one in cast.people if one.week]
    active = [one for one in cast.supports if one.strand is Strand.ONE_TO_ONE and one.stage is Stage.ACTIVE]
    agenda.at(moment, lambda work: _close(work, diary, cast), by=team)
    agenda.at(moment, _going_away(diary, mentors[-1]), by=mentors[-1])
    agenda.at(moment, _taking_less(programme, mentors[0]), by=mentors[0])
    for support in active[:1]:
        agenda.at(moment, _series(diary, programme, support), by=support.mentors[0])


def _close(work: Work, diary: Diary, cast: Cast) -> None:
    """The pre-election period of one council, full council of another, and a bank holiday of the team's own."""
    first, last = cast.councils[0].id, cast.councils[-1].id
    starts_on = diary.ahead(18)
    blackouts.add(
        work,
        council_id=last,
        name="Pre-election period",
        from_on=starts_on,
        to_on=starts_on + timedelta(days=38),
        despite=True,
    )
    evening = diary.ahead(7)
    blackouts.add(
        work,
        council_id=first,
        name="Full council",
        from_on=evening,
        from_minute=15 * 60,
        to_on=evening,
        to_minute=21 * 60,
        despite=True,
    )
    holidays.add(work, on=diary.ahead(35), name="Local holiday")


def _going_away(diary: Diary, mentor: Somebody) -> Act:
    def act(work: Work) -> None:
        leave.add(work, mentor_id=mentor.known, from_on=diary.ahead(15), to_on=diary.ahead(19), despite=True)

    return act


def _taking_less(programme: Programme, mentor: Somebody) -> Act:
    return lambda work: leave.set_limits(work, programme, mentor_id=mentor.known, per_day=2, per_week=6)


def _series(diary: Diary, programme: Programme, support: Support) -> Act:
    """Three fortnightly sessions, on the days of them that are free."""
    mentor, form = support.mentors[0], new_id()

    def act(work: Work) -> None:
        found = series.preview(
            work.db,
            programme,
            work.db.get_one(Package, support.known),
            mentor_id=mentor.known,
            on=series.days(diary.ahead(10), series.Every.FORTNIGHT, count=3),
            minute=10 * 60,
            minutes=90,
            place=Place.HYBRID,
            now=work.now,
        )
        starts = [one.starts_at for one in found if one.starts_at and not one.problem and not one.holiday]
        if starts:
            series.book(
                work,
                programme,
                package_id=support.known,
                mentor_id=mentor.known,
                sessions={series.session_id(form, number): at for number, at in enumerate(starts)},
                where="Town hall, committee room 2; https://meet.example/series",
                minutes=90,
                place=Place.HYBRID,
                travel="The side door is step-free. Ask for the democratic services desk.",
            )

    return act
