"""`flask privacy` about the registers: sub-processors and the access review, for when no page can be reached."""

from datetime import date

import click

from portal.cli.base import DAY, JSON, fail, print_json, say, with_instance
from portal.cli.person_data import ACTOR
from portal.db import db
from portal.desk import person_rights
from portal.instance import Instance
from portal.models import Role
from portal.registers import access_review
from privacy import subprocessors
from privacy.clock import london_date
from privacy.subprocessors import Refused, SubProcessor
from privacy.work import unit_of_work


@click.command("sub-processor")
@click.argument("name")
@click.option("--does", required=True, help="What it does with the data.")
@click.option("--location", required=True, help="Where the data lies.")
@click.option("--host", "hosts", multiple=True, help="A mail server of its own; several times for several.")
@click.option("--notified", type=DAY, help="The day of the notice to the Controller.")
@click.option("--consented", type=DAY, help="The day of its written consent.")
@click.option("--consent", default="", help="The reference of that letter.")
@click.option("--agreed", type=DAY, help="The day of the written agreement on the same terms.")
@click.option("--informed", default="", help="What the Controller was told about it.")
@click.option("--code", help="Enter what is new about this one, such as S2, instead of another.")
@with_instance
def sub_processor(
    instance: Instance,
    name: str,
    does: str,
    location: str,
    hosts: tuple[str, ...],
    notified: date | None,
    consented: date | None,
    consent: str,
    agreed: date | None,
    informed: str,
    code: str | None,
) -> None:
    """Enter a sub-processor; prints its code. Mail goes by its servers once nothing is missing (cl 17.11)."""
    what = SubProcessor(
        name=name,
        does=does,
        location=location,
        hosts=tuple(host.lower() for host in hosts),
        notified_on=notified,
        consented_on=consented,
        consent=consent,
        agreed_on=agreed,
        informed=informed,
    )
    if code is not None and code not in {kept.code for kept in subprocessors.sub_processors(db.session())}:
        fail(f"the register holds no sub-processor {code}")
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR, frozen_too=True) as work:
            click.echo(subprocessors.keep(work, what, code=code).letter)
    except Refused as refused:
        fail(str(refused))
    lacking = what.lacking(on=london_date(instance.clock()))
    say(f"not to be used yet: {'; '.join(lacking)}" if lacking else "it may be used")


@click.command("access-review")
@click.option(
    "--confirm", metavar="PERSON", help="Confirm one person, by reference or address: who no page is left to."
)
@JSON
@with_instance
def review(instance: Instance, confirm: str | None, as_json: bool) -> None:
    """Who can see what in the quarter under review, and who is confirmed."""
    today = london_date(instance.clock())
    if confirm is not None:
        person = person_rights.find(db.session(), confirm)
        if person is None:
            fail(f"nobody has the reference or address {confirm}")
        with unit_of_work(db.session(), instance.clock, ACTOR, frozen_too=True) as work:
            both = frozenset({Role.DPO, Role.ADMINISTRATOR})
            if not access_review.decide(work, person_ids=[person.id], kept=True, roles=both):
                fail(f"{confirm} is not in the review that is open")
        say(f"{confirm} is confirmed")
        return
    quarter_on = access_review.open_on(today)
    rows = [
        {
            "reference": one.person.ref,
            "roles": [role.value for role in one.roles],
            "confirmed": one.decision is not None and one.decision.kept,
            "sees_nothing": one.lapsed is not None,
        }
        for one in access_review.review(db.session(), quarter_on=quarter_on, on=today)
    ]
    if as_json:
        print_json(
            {"quarter_on": quarter_on, "lapses_on": access_review.lapses_on(quarter_on), "people": rows}
        )
        return
    for row in rows:
        state = "confirmed" if row["confirmed"] else "sees nothing" if row["sees_nothing"] else "waits"
        click.echo(f"{row['reference']}: {state}")


REGISTER_COMMANDS: tuple[click.Command, ...] = (sub_processor, review)
