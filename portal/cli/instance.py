"""`flask init`."""

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from portal.cli.base import fail, say
from portal.db import db
from portal.instance import Instance, InstanceFault, make
from portal.own_data import self_service
from portal.settings import Settings
from privacy.errors import KeyFault
from privacy.work import unit_of_work
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
    """Make this instance: keys, key store, database, questionnaires, instructions. Harmless when it is there."""
    make_instance(demo=False)
    instance: Instance = current_app.extensions["open"]()
    published = versions.publish_shipped(db.session(), instance.clock)
    for code, number in published:
        say(f"questionnaire published: {code} {number}")
    with unit_of_work(db.session(), instance.clock, "system:init") as work:
        letters = self_service.enter_named(work, instance.programme)
    for letter in letters:
        say(f"standing instruction entered: {letter}")
    say(f"instance ready: {instance.settings.instance}")


COMMANDS: tuple[click.Command, ...] = (init,)
