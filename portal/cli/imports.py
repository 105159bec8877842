"""`flask councils import`, `flask people import` and `flask packages import`."""

from pathlib import Path

import click

from portal.cli.base import fail, say, shown, with_instance
from portal.councils import file as council_file
from portal.db import db
from portal.filters import count
from portal.imports import FileFaults
from portal.instance import Instance
from portal.packages import file as packages_file
from portal.people import file as people_file
from privacy.work import unit_of_work

ACTOR = "system:command"
DRY_RUN = click.option("--dry-run", is_flag=True, help="Check the file and write nothing.")
FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def refuse(faults: FileFaults) -> None:
    """Say every fault by line and end with code 1: nothing was written."""
    for note in faults.notes:
        say(note)
    for fault in faults.faults:
        say(str(fault))
    fail(f"nothing was taken: {count(len(faults.faults), 'fault', 'faults')}")


@click.command("import")
@FILE
@DRY_RUN
@with_instance
def councils_import(instance: Instance, file: Path, dry_run: bool) -> None:
    """Take the councils of England from the published FILE (CSV); again for a newer one."""
    data = file.read_bytes()
    try:
        if dry_run:
            taken = council_file.check_file(db.session(), instance.programme, data)
        else:
            with unit_of_work(db.session(), instance.clock, ACTOR) as work, shown("Councils") as tell:
                taken = council_file.import_file(work, instance.programme, data, tell=tell)
    except FileFaults as faults:
        refuse(faults)
        return
    for note in taken.notes:
        say(note)
    councils = count(taken.kept, "council", "councils")
    would = "would be " if dry_run else ""
    click.echo(f"{councils} in the file: {taken.added} {would}new, {taken.changed} {would}changed")


@click.command("import")
@FILE
@DRY_RUN
@with_instance
def people_import(instance: Instance, file: Path, dry_run: bool) -> None:
    """Take people and offices from FILE (CSV: name,email,role,council,starts_on,ends_on), whole or not at all."""
    data = file.read_bytes()
    try:
        if dry_run:
            taken = people_file.check_file(
                db.session(), instance.programme, data, actor=ACTOR, now=instance.clock()
            )
        else:
            with unit_of_work(db.session(), instance.clock, ACTOR) as work, shown("New people") as tell:
                taken = people_file.import_file(work, instance.programme, data, tell=tell)
    except FileFaults as faults:
        refuse(faults)
        return
    for note in taken.notes:
        say(note)
    would = "would be " if dry_run else ""
    click.echo(
        f"{would}taken: {count(taken.people, 'new person', 'new people')}, "
        f"{count(taken.offices, 'new office', 'new offices')}, "
        f"{count(taken.ended, 'office ended', 'offices ended')}"
    )


@click.command("import")
@FILE
@DRY_RUN
@with_instance
def packages_import(instance: Instance, file: Path, dry_run: bool) -> None:
    """Take running support from FILE (CSV), whole or not at all; again for what is new.

    Columns: package,line,council,strand,title,email,role,starts_on,ends_on,days,at,minutes,kind,place,attended,text.
    The line is one of package, goal, member, mentor and session; the team's page for the same file explains each.
    """
    data = file.read_bytes()
    try:
        if dry_run:
            taken = packages_file.check_file(db.session(), instance.programme, data, now=instance.clock())
        else:
            with unit_of_work(db.session(), instance.clock, ACTOR) as work, shown("Packages") as tell:
                taken = packages_file.import_file(work, instance.programme, data, tell=tell)
    except FileFaults as faults:
        refuse(faults)
        return
    for note in taken.notes:
        say(note)
    would = "would be " if dry_run else ""
    click.echo(
        f"{would}taken: {count(taken.packages, 'new package', 'new packages')}, "
        f"{count(taken.members, 'new member', 'new members')}, "
        f"{count(taken.mentors, 'new mentor', 'new mentors')}, "
        f"{count(taken.sessions, 'session', 'sessions')}"
    )
