"""`flask backup` and `flask mail release`: backups are made, checked, restored, drilled; mail goes again after it."""

import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import schema
from portal.cli.base import JSON, fail, plainly, print_json, say, sessions, with_instance
from portal.cli.mail import group as mail
from portal.db import db
from portal.desk import backups
from portal.desk.backups import Order
from portal.instance import Instance, InstanceFault
from portal.settings import Settings
from privacy.backup import BackupFault, Keep, Kind, verify
from privacy.backup_folder import backups as found_in
from privacy.backup_manifest import Backup
from privacy.backup_records import release_mail
from privacy.certificates import (
    CertificateUnusable,
    KeyUnusable,
    PassphraseMissing,
    PrivateKey,
    read_private_key,
)
from privacy.envelopes import EnvelopeBroken, EnvelopeFailed, OpensslMissing
from privacy.errors import ChainBroken, KeyFault
from privacy.work import unit_of_work

ACTOR = "system:command"
FAULTS = (
    BackupFault,
    CertificateUnusable,
    ChainBroken,
    EnvelopeBroken,
    EnvelopeFailed,
    InstanceFault,
    KeyFault,
    KeyUnusable,
    OpensslMissing,
)

folder_argument = click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
key_option = click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The private key (PEM) of one of the certificates.",
)
name_option = click.option("--name", help="A backup's name, as `list` shows it. The newest, if left out.")


class KeepType(click.ParamType[Keep]):
    """How many, or for how long."""

    name = "COUNT|TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Keep:
        try:
            return value if isinstance(value, Keep) else Keep.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Shown:
    """Progress on a terminal; elsewhere only what is begun."""

    def __init__(self) -> None:
        self._what = ""
        self._share = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        share = min(100, done * 100 // total) if total else 0
        if sys.stderr.isatty():
            if (what, share) != (self._what, self._share):
                click.echo(f"\r\x1b[K{what}: {share}%", err=True, nl=share == 100)
        elif what != self._what:
            say(what)
        self._what, self._share = what, share


def _key(path: Path) -> PrivateKey:
    try:
        return read_private_key(path)
    except PassphraseMissing:
        text = click.prompt(f"Passphrase of {path}", hide_input=True, err=True)
        return read_private_key(path, passphrase=str(text).encode())


@click.group("backup")
def backup() -> None:
    """Backups of the database and of the key store, sealed to certificates."""


@backup.command("create")
@folder_argument
@click.option(
    "--certificate",
    "certificates",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    required=True,
    help="Whom to seal it to (PEM); give it again for more readers, each of whom can open it alone.",
)
@click.option(
    "--keep", type=KeepType(), help="Remove older ones: a number of backups, or a time such as 35d."
)
@click.option("--keep-keys", type=KeepType(), help="The same for backups of the key store, such as 7d.")
@plainly(*FAULTS)
@with_instance
def create(
    instance: Instance,
    folder: Path,
    certificates: tuple[Path, ...],
    keep: Keep | None,
    keep_keys: Keep | None,
) -> None:
    """Back up the database, then the key store, while the portal runs."""
    order = Order(folder, certificates, keep, keep_keys or keep)
    made = backups.create(instance, sessions(instance), order, tell=Shown())
    for manifest in (made.data, made.keys):
        say(f"{manifest.kind}/{manifest.name}: {sum(manifest.rows.values())} rows")
    for name in made.pruned:
        say(f"removed: {name}")


@backup.command("list")
@folder_argument
@JSON
@plainly(*FAULTS)
def list_backups(folder: Path, as_json: bool) -> None:
    """What lies in a folder of backups."""
    found = [one.manifest for kind in Kind for one in found_in(folder, kind)]
    if as_json:
        print_json({"backups": [{"name": one.name, **one.document()} for one in found]})
        return
    for one in found:
        click.echo(
            f"{one.kind}/{one.name}  {one.source}  {sum(one.rows.values())} rows  {one.envelope.sealed_bytes} bytes"
        )


@backup.command("verify")
@folder_argument
@click.option(
    "--key",
    "key_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With a private key (PEM) they are opened too.",
)
@name_option
@plainly(*FAULTS)
@with_instance
def verify_backups(instance: Instance, folder: Path, key_path: Path | None, name: str | None) -> None:
    """Check that every backup, or one of them, is what was written."""
    key = _key(key_path) if key_path else None
    chosen: list[Backup] = [
        one for kind in Kind for one in found_in(folder, kind) if name in {None, one.manifest.name}
    ]
    if not chosen:
        fail(f"{folder} holds no such backup")
    for one in chosen:
        one.require_genuine(instance.vault.ring)
        verify(one, key)
        click.echo(f"{one.manifest.kind}/{one.manifest.name} holds")


@backup.command("restore")
@folder_argument
@key_option
@name_option
@plainly(*FAULTS)
@with_appcontext
def restore(folder: Path, key_path: Path, name: str | None) -> None:
    """Restore into this instance, which must be empty; the key folder must be in its place."""
    settings: Settings = current_app.extensions["settings"]
    done = backups.restore(
        settings,
        folder,
        _key(key_path),
        clock=current_app.extensions["clock"],
        schema=schema.newest(),
        name=name,
        tell=Shown(),
    )
    say(
        f"restored {done.name}: {done.rows} rows, {done.lines} lines of the trail hold, {done.seconds:.1f} seconds"
    )
    say(f"{done.tombstones} erasures are on record; {done.purged} people were erased again")
    say("Everybody has to sign in anew. Mail is held: look through it, then run `flask mail release`.")


@backup.command("drill")
@folder_argument
@key_option
@name_option
@plainly(*FAULTS)
@with_instance
def drill(instance: Instance, folder: Path, key_path: Path, name: str | None) -> None:
    """Restore into a scratch place, check rows, canary, trail and ledger, and note the time it took."""
    done = backups.drill(
        instance,
        sessions(instance),
        folder,
        _key(key_path),
        schema=schema.newest(),
        name=name,
        tell=Shown(),
    )
    click.echo(
        f"{done.name} can be restored: {done.rows} rows, {done.lines} lines hold, {done.seconds:.1f} seconds"
    )


@mail.command("release")
@plainly(*FAULTS)
@with_instance
def release(instance: Instance) -> None:
    """Let mail go again that has been held since a restore."""
    with unit_of_work(db.session(), instance.clock, ACTOR, frozen_too=True) as work:
        released = release_mail(work)
    say("Mail goes again." if released else "Mail was not held.")


COMMANDS: tuple[click.Command, ...] = (backup,)
