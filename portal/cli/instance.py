"""`flask init` and `flask upgrade`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import instance as instances
from portal import schema
from portal.cli.base import fail, plainly, say
from portal.cli.migrating import migrate
from portal.db import db
from portal.instance import Instance, InstanceFault
from portal.own_data import self_service
from portal.programme import ProgrammeFaults
from portal.settings import Settings
from privacy.errors import KeyFault
from privacy.turns import in_turn
from privacy.work import unit_of_work
from surveys import versions

MAKING = 9888
FAULTS = (InstanceFault, ProgrammeFaults, KeyFault)


@contextmanager
def making(*, anew: bool = False) -> Iterator[Settings]:
    """Let one host after the other make or upgrade an instance; whoever comes later finds it made. `anew`: its folder
    is made where it is missing."""
    settings: Settings = current_app.extensions["settings"]
    if anew:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    with in_turn(db.engine, number=MAKING, folder=settings.instance):
        yield settings


def make_instance(settings: Settings, *, demo: bool) -> None:
    """Make keys, key store and tables where they are missing, and say where things lie."""
    try:
        written = instances.make(
            settings, engine=db.engine, clock=current_app.extensions["clock"], demo=demo, migrate=migrate
        )
    except (InstanceFault, KeyFault) as fault:
        fail(str(fault))
    for path in written:
        say(f"key made: {path}")
    if written:
        say("Keep a copy of the key folder in another place: without the keys all data is lost.")


@click.command("init")
@plainly(*FAULTS)
@with_appcontext
def init() -> None:
    """Make this instance: keys, key store, database, questionnaires, instructions. Harmless when it is there."""
    with making(anew=True) as settings:
        make_instance(settings, demo=False)
        _ship(current_app.extensions["open"]())
    say(f"instance ready: {settings.instance}")


@click.command("upgrade")
@plainly(*FAULTS)
@with_appcontext
def upgrade() -> None:
    """Bring this instance to the release that is installed: its tables, questionnaires, instructions. What it holds
    stays, and the release before goes on working while other hosts follow."""
    with making() as settings:
        before = instances.upgrade(settings, engine=db.engine, migrate=migrate)
        after = schema.newest()
        if before == after:
            say(f"the tables are of version {after}: nothing to do")
        else:
            say(f"the tables were of version {before} and are of version {after}")
        _ship(current_app.extensions["open"]())
    say("this instance is up to date: start the portal")


def _ship(instance: Instance) -> None:
    """Publish the questionnaires that come with this release, and enter the instructions that the programme names."""
    for code, number in versions.publish_shipped(db.session(), instance.clock):
        say(f"questionnaire published: {code} {number}")
    with unit_of_work(db.session(), instance.clock, "system:init") as work:
        letters = self_service.enter_named(work, instance.programme)
    for letter in letters:
        say(f"standing instruction entered: {letter}")


COMMANDS: tuple[click.Command, ...] = (init, upgrade)
