"""`flask demo`: an instance with a fictional programme, to try everything out."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import demo as fiction
from portal.cli.base import fail, say, the_instance
from portal.cli.instance import make_instance, making
from portal.db import db
from portal.instance import Instance, InstanceFault
from portal.programme import ProgrammeFaults
from portal.settings import Settings
from privacy.clock import Clock, london_date
from privacy.errors import KeyFault


@click.command("demo")
@click.option(
    "--people",
    "leaders",
    type=click.IntRange(fiction.LEADERS_AT_LEAST, fiction.LEADERS_AT_MOST),
    default=fiction.LEADERS_USUAL,
    show_default=True,
    help="How many leaders have one-to-one support; councils, mentors and groups grow with them.",
)
@click.option(
    "--seed",
    type=int,
    default=fiction.SEED,
    show_default=True,
    help="The same seed, the same names and answers.",
)
@with_appcontext
def demo(leaders: int, seed: int) -> None:
    """Make this instance a demo and fill it, once. An instance with real data is refused."""
    with making(anew=True) as settings:
        make_instance(settings, demo=True)
        _fill_once(settings, leaders=leaders, seed=seed)
    say(f"demo ready: {settings.instance}")


def _fill_once(settings: Settings, *, leaders: int, seed: int) -> None:
    clock: Clock = current_app.extensions["clock"]
    own = settings.instance / "programme.toml"
    if settings.programme is None and fiction.write_programme(own, today=london_date(clock())):
        say(f"programme file written: {own}")
    try:
        instance = the_instance()
    except (InstanceFault, ProgrammeFaults, KeyFault) as fault:
        fail(str(fault))
    if fiction.is_filled(db.session()):
        say("this demo is filled already: nothing was changed")
        return
    _fill(instance, leaders=leaders, seed=seed)


def _fill(instance: Instance, *, leaders: int, seed: int) -> None:
    now = instance.clock()
    if fiction.empty(db.session(), now=now):
        say("an earlier filling was cut short: starting again")
    try:
        steps, acts = fiction.fill(db.session(), instance.programme, now=now, leaders=leaders, seed=seed)
    except fiction.ProgrammeTooShort as problem:
        fail(str(problem))
    with click.progressbar(acts, length=steps, label="Filling the demo", file=sys.stderr) as bar:
        for _ in bar:
            pass


COMMANDS: tuple[click.Command, ...] = (demo,)
