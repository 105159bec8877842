"""`flask people`: who has an account, a way in by hand, the first administrator, and a file of people."""

from datetime import datetime

import click

from portal.access import accounts
from portal.actors import roles_of
from portal.cli.base import fail, say, with_instance
from portal.cli.imports import people_import
from portal.db import db
from portal.instance import Instance
from portal.mentors import clearances
from portal.models import ClearanceKind
from portal.people import register as people
from portal.people import staff
from privacy.clock import london_date
from privacy.columns import normal_address
from privacy.work import unit_of_work

ACTOR = "system:command"


@click.group("people")
def group() -> None:
    """People and their accounts."""


@group.command("list")
@with_instance
def list_people(instance: Instance) -> None:
    """Reference, e-mail, name and today's roles of everybody, one to a line, between tabs."""
    today = london_date(instance.clock())
    for person in staff.everyone(db.session()):
        roles = ",".join(sorted(roles_of(person, today))) or "-"
        state = "disabled" if person.disabled_at else "open"
        click.echo("\t".join((person.ref, person.email or "-", person.name or "-", roles, state)))


@group.command("link")
@click.argument("email")
@with_instance
def link(instance: Instance, email: str) -> None:
    """Print a link that signs EMAIL in once, in any browser, within 24 hours. Hand it over in person."""
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            person = accounts.find(work.db, email)
            if person is None:
                fail(f"nobody has the address {email}")
            token = accounts.make_operator_link(work, person_id=person.id, programme=instance.programme)
    except accounts.NoAccount as problem:
        fail(str(problem))
    click.echo(f"{instance.settings.public_url}/sign-in/o/{token}")


@group.command("add-administrator")
@click.argument("email")
@click.option("--name", help="How to address them (the address, if left out).")
@with_instance
def add_administrator(instance: Instance, email: str, name: str | None) -> None:
    """Make EMAIL an administrator, who can open and close accounts of staff."""
    address = normal_address(email)
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            added = staff.add_administrator(work, address=address, name=name or address)
    except people.PersonRefused as problem:
        fail(str(problem))
    say(f"{address} is an administrator." if added else f"{address} was an administrator already.")
    if added:
        say("Record their clearance before they can see pages: `flask people clear`.")
    say(
        f"Their first way in: `flask people link {address}`. There they set up how they sign in from then on."
    )


@group.command("clear")
@click.argument("email")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice([kind.value for kind in ClearanceKind]),
    multiple=True,
    required=True,
    help="What is recorded; can be given more than once.",
)
@click.option(
    "--on", "from_on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day it was given."
)
@click.option(
    "--expires", "expires_on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="The day it ends."
)
@click.option("--note", help="Number, or where the evidence is kept.")
@with_instance
def clear(
    instance: Instance,
    email: str,
    kinds: tuple[str, ...],
    from_on: datetime,
    expires_on: datetime,
    note: str | None,
) -> None:
    """Record clearance (bpss, vetting, dbs), undertaking or training of EMAIL: for the first of the staff."""
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            person = accounts.find(work.db, email)
            if person is None:
                fail(f"nobody has the address {email}")
            for kind in kinds:
                clearances.record(
                    work,
                    person_id=person.id,
                    kind=ClearanceKind(kind),
                    from_on=from_on.date(),
                    expires_on=expires_on.date(),
                    note=note,
                )
            work.db.flush()
            work.db.refresh(person, ["clearances"])
            gaps = clearances.page_gaps(person, on=london_date(work.now))
    except clearances.RecordRefused as problem:
        fail(str(problem))
    say(f"Recorded for {email}.")
    for gap in gaps:
        say(f"Still open: {gap.words}.")


group.add_command(people_import)

COMMANDS: tuple[click.Command, ...] = (group,)
