"""`flask move`: what began on one machine with SQLite goes on with PostgreSQL."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click
import psycopg
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url

from portal.cli.base import JSON, fail, plainly, print_json, say, shown
from portal.cli.migrating import migrate
from portal.db import db
from portal.instance import InstanceFault, programme_path
from portal.moving import acts
from portal.moving.acts import Outcome
from portal.moving.ends import Journey, beside
from portal.moving.looking import Plan, plan
from portal.settings import Settings, SettingsFaults
from privacy.backup_manifest import BackupFault
from privacy.errors import ChainBroken, KeyFault
from privacy.moving.target import MoveRefused, address
from privacy.progress import NamedProgress, Progress

BESIDE = (
    ("person-exports", "sealed exports that wait to be fetched: they are fetched here, or asked for anew"),
    ("destruction", "journals and certificates of destruction"),
    ("returns", "keys of rehearsals"),
    ("outbox", "mail that a demo did not send"),
)
FAULTS = (BackupFault, ChainBroken, InstanceFault, KeyFault, MoveRefused, SettingsFaults)


@click.command("move")
@click.option("--to", help="An empty PostgreSQL database: postgresql://user:password@host/portal")
@click.option(
    "--keystore-to",
    help="Another one, for the key store. Left out, NAME_keystore beside it; made if missing.",
)
@click.option(
    "--dry-run", is_flag=True, help="Look at both sides, say what would be done, and change nothing."
)
@click.option("--undo", is_flag=True, help="Stay here: use the SQLite files again that a move has marked.")
@click.option("--clear", is_flag=True, help="After a move: overwrite what the SQLite files here still hold.")
@click.option("--yes", is_flag=True, help="With --undo and --clear: do not ask.")
@JSON
@plainly(*FAULTS)
@with_appcontext
def move(
    to: str | None,
    keystore_to: str | None,
    dry_run: bool,
    undo: bool,
    clear: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Move this instance from SQLite to PostgreSQL. Stopped anywhere, the same command goes on.

    Nothing is served from here meanwhile, nor afterwards: the SQLite files are marked, and whoever opens them is told
    where the data is.
    """
    settings: Settings = current_app.extensions["settings"]
    # The command has engines of its own, which the mark lets pass.
    db.engine.dispose()
    if undo or clear:
        (_undo if undo else _clear)(settings, sure=yes)
        return
    if to is None:
        fail(
            "where to? name an empty PostgreSQL database: flask move --to postgresql://user:password@host/portal"
        )
    journey = _journey(settings, to, keystore_to)
    with _line_lost():
        if dry_run:
            _tell_plan(journey, plan(journey), as_json=as_json)
        else:
            _move(journey, as_json=as_json)


def _journey(settings: Settings, to: str, keystore_to: str | None) -> Journey:
    stays = not settings.keystore_url.startswith("sqlite")
    keys = keystore_to or (settings.keystore_url if stays else beside(to))
    there = settings.elsewhere(database_url=to, keystore_url=keys)
    return Journey(settings, there, current_app.extensions["clock"], migrate)


@contextmanager
def _line_lost() -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        fail(f"the connection was lost ({type(error).__name__}): run the same command again, and it goes on")


def _move(journey: Journey, *, as_json: bool) -> None:
    with _bars() as tell:
        outcome = acts.move(journey, tell=tell)
    if as_json:
        print_json(_document(journey, outcome))
    else:
        _tell(outcome)
    for line in _what_next(journey):
        say(line)


@contextmanager
def _bars() -> Iterator[NamedProgress]:
    """One bar after the other."""
    with ExitStack() as stack:
        current: list[str] = []

        def tell(what: str, done: int, total: int) -> None:
            if not current:
                # It looked, and found nothing against it: the files are marked by now.
                say("From here on nothing is served or written here. To stay instead: flask move --undo")
            if current != [what]:
                stack.close()
                current[:] = [what]
                bars[what] = stack.enter_context(shown(what))
            bars[what](done, total)

        bars: dict[str, Progress] = {}
        yield tell


def _tell(outcome: Outcome) -> None:
    if not outcome.tables:
        click.echo("everything had arrived already")
        return
    for name, one in sorted({**outcome.tables, **outcome.keys}.items()):
        if one.rows:
            click.echo(f"{name:24} {one.rows:9}  {one.sha256[:16]}")
    tables = len(outcome.tables) + len(outcome.keys)
    click.echo(f"{outcome.rows} rows in {tables} tables: counted and digested on both sides, and the same")


def _document(journey: Journey, outcome: Outcome) -> dict[str, object]:
    return {
        "database": address(journey.to.database_url),
        "keystore": address(journey.to.keystore_url),
        "rows": outcome.rows,
        "tables": [
            {"name": name, "store": store, "rows": one.rows, "sha256": one.sha256}
            for store, found in (("data", outcome.tables), ("keys", outcome.keys))
            for name, one in sorted(found.items())
        ],
    }


def _tell_plan(journey: Journey, found: Plan, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "rows": found.rows,
                "keys": found.keys,
                "begun": found.begun is not None,
                "arrived": found.arrived,
            }
        )
        return
    say(f"{sum(found.rows.values())} rows would go to {address(journey.to.database_url)}")
    if journey.keys_move:
        say(
            f"{sum(found.keys.values())} rows of the key store would go to {address(journey.to.keystore_url)}"
        )
    if found.begun is not None:
        say("this move has begun, and would go on where it was stopped")
    for line in _what_stays(journey):
        say(line)
    say("nothing was changed")


def _what_next(journey: Journey) -> list[str]:
    """What is left to do, with the addresses that have no password in them: that is known to whoever gave it."""
    return [
        "The data is at its new place. Start the portal with:",
        f"  DATABASE_URL={hidden(journey.to.database_url)}",
        f"  KEYSTORE_URL={hidden(journey.to.keystore_url)}",
        *_what_stays(journey),
        "The SQLite files here still hold it all, where no erasure reaches it. Once the new databases have a backup:",
        "  flask move --clear",
    ]


def _what_stays(journey: Journey) -> list[str]:
    """What lies beside the database and does not go with it: a second machine needs it, or has to do without."""
    settings = journey.settings
    lines = [
        "In no database, and needed on each machine:",
        f"  the keys, PORTAL_KEYS={settings.keys}",
        f"  the programme file, PORTAL_PROGRAMME={programme_path(settings)}",
    ]
    found = [
        f"{name} ({words})"
        for name, words in BESIDE
        if (settings.instance / name).is_dir() and any((settings.instance / name).iterdir())
    ]
    if found:
        lines.append(f"Only on this machine, in {settings.instance}: {', '.join(found)}")
    return lines


def hidden(url: str) -> str:
    """An address with its user, and stars for its password."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def _confirm(question: str) -> None:
    if click.prompt(question, err=True).strip().casefold() != "yes":
        fail("nothing was done")


def _undo(settings: Settings, *, sure: bool) -> None:
    begun = acts.begun_here(settings)
    if begun is not None and begun.may_have_arrived and not sure:
        say(f"The data may be in use in {begun.database}: what was written there is not here.")
        _confirm("Stop the portal there, and type yes to go on here")
    acts.undo(settings, clock=current_app.extensions["clock"])
    say("the data here is used again")
    if begun is not None:
        say(f"what is in {begun.database} by now stays there: drop that database")


def _clear(settings: Settings, *, sure: bool) -> None:
    if not sure:
        say("Everything that the SQLite files here still hold is overwritten. It cannot be brought back.")
        _confirm("Type yes once the portal runs on the new databases and a backup of them is made")
    acts.clear(settings, clock=current_app.extensions["clock"])
    say("emptied: the files here only say where the data is")


COMMANDS: tuple[click.Command, ...] = (move,)
