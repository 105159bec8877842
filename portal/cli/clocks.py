"""`flask privacy deadline` and `clocks`: any clock for any dates, and every clock that runs in a case."""

from datetime import date, datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cases import calculator
from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.cases.calculator import BY_HOUR, DeadlineKind, NoSuchClock, Question
from portal.cli.base import DAY, JSON, fail, print_json, say, the_instance, with_instance
from portal.days import YEARS, day_in, instant_in
from portal.db import db
from portal.filters import by_when, weekday_day
from portal.instance import Instance, InstanceFault
from portal.programme import ProgrammeFaults
from portal.returning import countdown
from privacy.cases.story import Holidays
from privacy.clock import Clock, MissingTime, london_date, wall
from privacy.deadlines import NotInOrder
from privacy.errors import KeyFault


class DayOrInstant(click.ParamType[datetime]):
    """A date, or a date and time: in London, unless it names its zone."""

    name = "DATE[TIME]"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, context: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return _instant(value)
        except MissingTime as problem:
            self.fail(str(problem), param, context)
        except ValueError:
            self.fail(
                f"{value}: use a real date from {YEARS[0]} to {YEARS[-1]} such as 2027-01-31, or a date and "
                "time such as 2027-01-31T18:00",
                param,
                context,
            )


def _instant(text: str) -> datetime:
    if "T" not in text and " " not in text.strip():
        return calculator.of_day(day_in(text.strip()))
    shown = datetime.fromisoformat(text)
    if shown.tzinfo is not None:
        return instant_in(text)
    if shown.year not in YEARS:
        raise ValueError(text)
    return wall(shown.date(), shown.hour * 60 + shown.minute) + timedelta(seconds=shown.second)


@click.command("deadline")
@click.argument("kind", type=click.Choice([kind.value for kind in DeadlineKind]), metavar="KIND")
@click.option("--received", required=True, type=DayOrInstant(), help="When it was received or discovered.")
@click.option("--identity", "identity_on", type=DAY, help="When the proof of identity came.")
@click.option("--authority", "authority_on", type=DAY, help="When a representative's authority came.")
@click.option("--fee", "fee_on", type=DAY, help="When the fee was paid.")
@click.option(
    "--asked", multiple=True, type=DAY, help="When they were asked what they mean; can be repeated."
)
@click.option("--answered", multiple=True, type=DAY, help="When they answered that; one for each.")
@click.option("--extended", is_flag=True, help="The time was extended, by a notice in time.")
@click.option("--extended-on", type=DAY, help="The day of the notice that extended it.")
@click.option("--by", "by_on", type=DAY, help="The day that the Department named (foi-information).")
@JSON
@with_appcontext
def deadline(
    kind: str,
    received: datetime,
    asked: tuple[date, ...],
    answered: tuple[date, ...],
    as_json: bool,
    **given: date | bool | None,
) -> None:
    """When KIND is due, and how that is found.

    KIND is access, rectification, erasure, restriction, objection, portability, complaint, foi-transfer,
    foi-information, foia, incident or regulator.
    """
    clock, holidays = _calendars()
    try:
        question = Question(
            kind=DeadlineKind(kind),
            received_at=received,
            as_of=london_date(clock()),
            pauses=calculator.pauses(asked, answered),
            **given,  # type: ignore[arg-type]  # each option has the type of the field that it is named after
        )
        found = calculator.answer(question, holidays=holidays)
    except (NotInOrder, NoSuchClock) as problem:
        fail(str(problem))
    if as_json:
        print_json(calculator.document(question.kind, found))
        return
    for step in found.steps:
        click.echo(step)
    by_hour = question.kind in BY_HOUR or found.due_on is None
    click.echo(f"Due: {by_when(found.due_at) if by_hour else weekday_day(found.due_on or found.due_at)}")
    if not found.known:
        say("The holidays of that time are not known yet: check again once they are announced.")


def _calendars() -> tuple[Clock, Holidays]:
    """The clock and the holidays of the instance; the published holidays where none is made yet."""
    try:
        instance = the_instance()
    except (InstanceFault, ProgrammeFaults, KeyFault) as fault:
        say(f"Published holidays only: {fault}")
        return current_app.extensions["clock"], Holidays()
    return instance.clock, desk_calendars.calendars(db.session())


@click.command("clocks")
@JSON
@with_instance
def clocks(instance: Instance, as_json: bool) -> None:
    """Every clock that runs in an open case, by time left; then, once it is near, what the contract's end asks for."""
    now = instance.clock()
    found = case_clocks.document(db.session(), now=now)
    ending = countdown.near(db.session(), instance.programme, now=now)
    found["contract_end"] = countdown.document(ending) if ending is not None else None
    if as_json:
        print_json(found)
        return
    for line in found["clocks"]:
        due = line["due_on"] or line["due"] or f"at once, waits for {line['minutes']} minutes"
        click.echo(f"{line['case']} {line['clock']}: {due}{' LATE' if line['late'] else ''}")
    for due in ending.dues if ending is not None else ():
        if due.done_on is None and due.due_on is not None:
            click.echo(f"return {due.step.value}: {due.due_on.isoformat()}{' LATE' if due.late else ''}")


CLOCK_COMMANDS: tuple[click.Command, ...] = (deadline, clocks)
