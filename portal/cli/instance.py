"""`flask init`, and the commands about keys."""

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from portal.cli.base import fail, print_json, say, with_instance
from portal.db import db
from portal.instance import Instance, InstanceFault, make
from portal.settings import Settings
from privacy.errors import KeyFault
from privacy.keys import fingerprint
from surveys import versions


def make_instance(*, demo: bool) -> None:
    """Make keys, key store and tables where they are missing, publish the questionnaires, and say where things lie."""
    settings: Settings = current_app.extensions["settings"]
    try:
        written = make(
            settings, engine=db.engine, clock=current_app.extensions["clock"], demo=demo, migrate=upgrade
        )
    except (InstanceFault, KeyFault) as fault:
        fail(str(fault))
    for path in written:
        say(f"key made: {path}")
    if written:
        say("Keep a copy of the key folder in another place: without the keys all data is lost.")


@click.command("init")
@with_appcontext
def init() -> None:
    """Make this instance: keys, key store, database, questionnaires. Harmless when it is there."""
    make_instance(demo=False)
    instance: Instance = current_app.extensions["open"]()
    published = versions.publish_shipped(db.session(), instance.clock)
    for code, number in published:
        say(f"questionnaire published: {code} {number}")
    say(f"instance ready: {instance.settings.instance}")


@click.group("keys")
def keys() -> None:
    """Key-encryption keys."""


@keys.command("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@with_instance
def status(instance: Instance, as_json: bool) -> None:
    """Every key id, how many data keys it wraps, and which one wraps new ones."""
    wraps = dict(instance.vault.status())
    ring = instance.vault.ring
    rows = [
        {
            "id": name,
            "state": "current" if name == ring.current else "old",
            "wraps": wraps.get(name, 0),
            "created_at": ring.made_at[name].isoformat(timespec="seconds"),
            "fingerprint": fingerprint(key),
        }
        for name, key in sorted(ring.keks.items())
    ]
    if as_json:
        print_json({"keys": rows})
        return
    for row in rows:
        click.echo(f"{row['id']}  {row['state']}  wraps {row['wraps']} data keys  {row['fingerprint']}")


COMMANDS: tuple[click.Command, ...] = (init, keys)
