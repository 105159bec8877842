"""`flask privacy`: the register of holdings, the audit trail, and what is done about one person's data."""

import json

import click

from portal.cli.base import fail, print_json, with_instance
from portal.cli.person_data import PERSON_COMMANDS
from portal.db import db
from portal.instance import Instance
from privacy import audit, holdings, outside
from privacy.errors import ChainBroken


@click.group("privacy")
def privacy() -> None:
    """What is held about people, and what was done with it."""


@privacy.command("data-map")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@with_instance
def data_map(instance: Instance, as_json: bool) -> None:
    """Every column of every table, every store outside the database, and those outside the software."""
    found = holdings.data_map(outside.stores(db.session()))
    if as_json:
        print_json(found)
        return
    for entry in found["columns"]:
        sealed = "sealed" if entry["sealed"] else "clear"
        click.echo(f"{entry['table']}.{entry['column']}: {entry['kind']}, {sealed}; {entry['purpose']}")
    for store in found["stores"]:
        click.echo(f"{store['name']}: {store['holds']}; {store['protection']}")


@privacy.group("audit")
def audit_group() -> None:
    """The audit trail."""


@audit_group.command("verify")
@with_instance
def verify(instance: Instance) -> None:
    """Recompute the chain of the audit trail; ends with 1 and names the line if it was altered."""
    try:
        count = audit.verify(db.session(), instance.vault.ring)
    except ChainBroken as broken:
        fail(f"the audit trail does not hold: {broken}")
    click.echo(f"{count} lines hold")


@audit_group.command("export")
@with_instance
def export(instance: Instance) -> None:
    """The audit trail as JSON lines on standard output."""
    for entry in audit.entries(db.session()):
        document = {
            "seq": entry.seq,
            "at": entry.at.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "object": entry.object,
            "holder": str(entry.holder) if entry.holder else None,
            "details": json.loads(entry.details),
            "mac": entry.mac.hex(),
        }
        click.echo(json.dumps(document, separators=(",", ":")))


for command in PERSON_COMMANDS:
    privacy.add_command(command)

COMMANDS: tuple[click.Command, ...] = (privacy,)
