"""`flask privacy`: the register of holdings, the audit trail, and what is done about one person's data."""

import json
import os
from pathlib import Path

import click

from portal.cli.base import JSON, fail, print_json, say, with_instance
from portal.cli.clocks import CLOCK_COMMANDS
from portal.cli.person_data import ACTOR, FILE, PERSON_COMMANDS
from portal.cli.registers import REGISTER_COMMANDS
from portal.db import db
from portal.instance import Instance
from portal.registers import audit_package
from privacy import audit, chain_checks, holdings, outside
from privacy.errors import ChainBroken
from privacy.work import unit_of_work


@click.group("privacy")
def privacy() -> None:
    """What is held about people, and what was done with it."""


@privacy.command("data-map")
@JSON
@with_instance
def data_map(instance: Instance, as_json: bool) -> None:
    """Every column of every table, every store outside the database, and those outside the software."""
    found = holdings.data_map(outside.stores(db.session()))
    if as_json:
        print_json(found)
        return
    for entry in found["columns"]:
        sealed = "sealed" if entry["sealed"] else "clear"
        held = f"{entry['holds']}: {entry['kind']}, {sealed}; {entry['purpose']}"
        click.echo(f"{entry['table']}.{entry['column']}: {held}")
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
@click.option(
    "--out", type=FILE, help="Write one package for an audit, with registers, cases and a verifier."
)
@with_instance
def export(instance: Instance, out: Path | None) -> None:
    """The audit trail as JSON lines on standard output, or as a package."""
    if out is not None:
        _package(instance, out)
        return
    for entry in audit.entries(db.session()):
        click.echo(json.dumps(chain_checks.document(entry), separators=(",", ":")))


def _package(instance: Instance, out: Path) -> None:
    if out.exists() or not out.parent.is_dir():
        fail(f"{out} is there already" if out.exists() else f"the folder {out.parent} is not there")
    part = out.with_name(f"{out.name}.part")
    try:
        # Nobody else may read it: it says who did what, by reference.
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as target:
            made = audit_package.write(instance, db.session(), target)
    except ChainBroken as broken:
        part.unlink()
        fail(f"the audit trail does not hold, so no package was made: {broken}")
    part.rename(out)
    with unit_of_work(db.session(), instance.clock, ACTOR, frozen_too=True) as work:
        audit_package.note(work, made)
    say(
        f"written: {out}, {made.lines} lines. Check it with the verify.py in it: --head NUMBER:DIGEST for each mail"
    )


for command in (*PERSON_COMMANDS, *CLOCK_COMMANDS, *REGISTER_COMMANDS):
    privacy.add_command(command)

COMMANDS: tuple[click.Command, ...] = (privacy,)
