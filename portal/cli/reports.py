"""`flask report`: figures for the Department, recomputed each time."""

from datetime import date

import click

from portal.cli.base import DAY, JSON, print_json, with_instance
from portal.cli.report_files import REPORT_COMMANDS
from portal.db import db
from portal.instance import Instance
from portal.results import kpi as reports
from portal.results import service_levels
from portal.results.kpi import KpiFigure
from portal.results.pictures import percent
from privacy.clock import london_date
from surveys.shifts import TOO_FEW


@click.group("report")
def report() -> None:
    """Figures for the Department."""


@report.command("kpi")
@click.option("--as-of", type=DAY, help="The London day at whose end it is counted; today if left out.")
@JSON
@with_instance
def kpi(instance: Instance, as_of: date | None, as_json: bool) -> None:
    """KPI 1 and KPI 2: how many were supported, answered, are more confident and show impact (sch 4)."""
    day = as_of or london_date(instance.clock())
    figures = reports.kpi(db.session(), instance.programme, as_of=day)
    if as_json:
        print_json(reports.document(figures, as_of=day))
        return
    click.echo(f"As of {day.isoformat()}")
    for figure in figures:
        _show(figure)


def _show(figure: KpiFigure) -> None:
    low, high = figure.interval
    share = (
        "no share yet"
        if figure.share is None
        else f"{percent(figure.share)} (range {percent(low)} to {percent(high)})"
    )
    click.echo(f"\n{figure.id}: {share} against {percent(figure.target)}")
    for name in (
        *("supported", "running", "open", "closed", "answered", "silent", "late", "partial", "matched"),
        *(
            "confident",
            "stayed_at_top",
            "unchanged",
            "lower",
            "impact",
            "both",
            "direct",
            "erased",
            "restricted",
        ),
    ):
        click.echo(f"  {name:<14}{getattr(figure, name):>6}")
    for side in figure.sides:
        shown = "no share" if side.share is None else percent(side.share)
        click.echo(f"  over {side.name}: {side.count} of {side.base}, {shown}")
    p_value = figure.confidence.measured.change.p_value
    click.echo(f"  sign test: {TOO_FEW if p_value is None else f'p = {p_value:.4f}'}")
    click.echo(f"  {figure.definition}")


@report.command("sla")
@click.option("--as-of", type=DAY, help="The London day at whose end it is counted; today if left out.")
@JSON
@with_instance
def sla(instance: Instance, as_of: date | None, as_json: bool) -> None:
    """The service levels of every contract year that has begun (sch 4 SLAs)."""
    day = as_of or london_date(instance.clock())
    if as_json:
        print_json(service_levels.document(db.session(), instance.programme, as_of=day))
        return
    years = service_levels.levels(db.session(), instance.programme, as_of=day)
    click.echo(f"As of {day.isoformat()}")
    for year in years:
        click.echo(f"\n{year.year}")
        for counter in service_levels.COUNTERS:
            target = counter.target(instance.programme)
            promised = "" if target is None else f" of {'at most ' if counter.at_most else ''}{target}"
            click.echo(f"  {counter.words:<50}{getattr(year, counter.name):>3}{promised}")


for command in REPORT_COMMANDS:
    report.add_command(command)

COMMANDS: tuple[click.Command, ...] = (report,)
