"""`flask keys`: which keys there are, rotation, retirement, escrow and its drill."""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from portal.cli.base import JSON, fail, print_json, say, sessions, with_instance
from portal.cli.seconded import seconded
from portal.db import db
from portal.desk import key_keeping, key_report
from portal.instance import Instance
from portal.models import SecondAct
from privacy import backup_records, rotation
from privacy import keys as key_files
from privacy.audit import LooseDetail
from privacy.backup_folder import key_ids_in_use
from privacy.backup_manifest import BackupFault
from privacy.certificates import CertificateUnusable, KeyUnusable, PassphraseMissing
from privacy.envelopes import EnvelopeBroken, EnvelopeFailed, OpensslMissing
from privacy.errors import KeyFault
from privacy.escrow import EscrowFault, opened
from privacy.key_sources import KeysFixed
from privacy.rotation import KeyNeeded, NoSuchKey, Progress, RotationStuck

T = TypeVar("T")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
REFUSED = (
    BackupFault,
    CertificateUnusable,
    EnvelopeBroken,
    EnvelopeFailed,
    EscrowFault,
    KeyFault,
    KeyNeeded,
    KeysFixed,
    KeyUnusable,
    NoSuchKey,
    OpensslMissing,
    RotationStuck,
    key_keeping.DrillFailed,
)


@click.group("keys")
def keys() -> None:
    """Key-encryption keys and master secrets: without them all data is lost."""


@keys.command("status")
@JSON
@with_instance
def status(instance: Instance, as_json: bool) -> None:
    """Every key: what it opens, how old it is, and what would be lost with it."""
    document = key_report.status_document(instance, db.session(), now=instance.clock())
    if as_json:
        print_json(document)
        return
    for row in (*document["keys"], *document["masters"]):
        wraps = f"wraps {row['wraps']} data keys, " if row["id"].startswith("K") else ""
        click.echo(
            f"{row['id']}  {row['state']}  {wraps}{row['age_days']} days old  {row['fingerprint'] or ''}"
        )
        click.echo(f"    lost with it: {row['lost_with_it']}")
    for name, act in document["acts"].items():
        click.echo(f"last {name}: {act['at']}  {' '.join(act['keys'])}")
    for warning in document["warnings"]:
        say(f"warning: {warning}")


@keys.command("rotate")
@click.option("--keep-addresses", is_flag=True, help="Leave the index of e-mail addresses as it is.")
@with_instance
def rotate(instance: Instance, keep_addresses: bool) -> None:
    """Put new keys in force and bring everything to them, while the site runs. Killed, it is gone on with."""
    try:
        done = key_keeping.rotate(
            instance,
            sessions(instance),
            kept=_kept(instance),
            with_addresses=not keep_addresses,
            tell=_progress,
        )
    except REFUSED as problem:
        fail(str(problem))
    say(f"{done.key_id} is in force and wraps {done.count} data keys more.")
    if done.indexed is not None:
        say(f"{done.indexed.key_id} is in force and indexes {done.indexed.count} addresses more.")
        if done.indexed.unread:
            say(f"These addresses do not open, and nobody signs in by them: {', '.join(done.indexed.unread)}")
    say("Make a new escrow (`flask keys escrow`): the one before does not hold the new keys.")


@keys.command("retire")
@click.argument("key_id", metavar="KEY")
@click.option("--instruction", required=True, help="The reference of the instruction that this rests on.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--given-up",
    "given_up",
    type=FOLDER,
    multiple=True,
    help="A folder whose backups are gone for good, or need not open any more.",
)
@with_instance
def retire(instance: Instance, key_id: str, instruction: str, yes: bool, given_up: tuple[Path, ...]) -> None:
    """Destroy KEY (such as K1) for good, once neither live data nor a kept backup of the key store needs it."""
    if not yes:
        click.confirm(f"Destroy {key_id} for good?", abort=True, err=True)
    # What was begun and killed goes on by the instruction that was in force then.
    if not rotation.is_retired(instance.vault, key_id, instruction=instruction):
        seconded(instance, act=SecondAct.KEY, thing=f"key:{key_id}", letter=instruction)
    needed, away = _in_backups(instance, given_up)
    if away:
        fail(
            f"backups were made in {', '.join(map(str, away))}, which cannot be looked into: "
            "bring it back, or give it up with --given-up"
        )
    kept_in = needed.get(key_id, [])
    try:
        gone = key_keeping.retire(
            instance, sessions(instance), key_id=key_id, instruction=instruction, kept_in=kept_in
        )
    except LooseDetail:
        fail("the instruction must be a reference of letters, figures and - / . : _")
    except REFUSED as problem:
        fail(str(problem))
    say(
        f"{key_id} is retired."
        if gone
        else f"{key_id} is retired. Take it out of what the descriptor is given."
    )


@keys.command("escrow")
@click.option(
    "--certificate", "certificates", type=FILE, multiple=True, required=True, help="Of one person; give two."
)
@click.option("--out", "folder", type=FOLDER, required=True, help="Where the file goes.")
@with_instance
def escrow(instance: Instance, certificates: tuple[Path, ...], folder: Path) -> None:
    """Seal all keys to the certificates of two different people, either of whom can open them."""
    try:
        path = key_keeping.make_escrow(instance, sessions(instance), certificates=certificates, folder=folder)
    except REFUSED as problem:
        fail(str(problem))
    click.echo(path)
    say(
        f"{path.with_suffix('.txt').name} beside it says who opens it, and how: print it, and keep both together."
    )
    say(
        "Keep it in another place than the keys, the database and its backups, and drill it: `flask keys drill`."
    )


@keys.command("drill")
@click.option("--escrow", "path", type=FILE, required=True, help="What `flask keys escrow` wrote.")
@click.option("--key", type=FILE, required=True, help="The private key of one of the two people.")
@click.option("--certificate", type=FILE, required=True, help="The certificate of the same person.")
@with_instance
def drill(instance: Instance, path: Path, key: Path, certificate: Path) -> None:
    """Prove that the escrow opens, and that the keys in it open the data. Notes who did it and when."""
    run = partial(
        key_keeping.drill, instance, sessions(instance), path=path, key=key, certificate=certificate
    )
    try:
        done = _with_passphrase(run)
    except REFUSED as problem:
        fail(str(problem))
    say(f"{done.person} opened the escrow; its keys ({done.keys}) open the data.")


@keys.command("restore")
@click.option("--escrow", "path", type=FILE, required=True, help="What `flask keys escrow` wrote.")
@click.option("--key", type=FILE, required=True, help="The private key of one of the two people.")
@click.option("--certificate", type=FILE, required=True, help="The certificate of the same person.")
@click.option("--out", "folder", type=FOLDER, required=True, help="A key folder that is empty or missing.")
def restore(path: Path, key: Path, certificate: Path, folder: Path) -> None:
    """Write the keys in an escrow into a new key folder, on a machine that has none."""
    try:
        ring, _ = _with_passphrase(partial(opened, path, key=key, certificate=certificate))
        written = key_files.unpack(ring, folder)
    except REFUSED as problem:
        fail(str(problem))
    for file in written:
        say(f"key written: {file}")


def _with_passphrase(run: Callable[..., T]) -> T:
    try:
        return run(passphrase=None)
    except PassphraseMissing:
        text = click.prompt("Passphrase of the private key", hide_input=True, err=True)
        return run(passphrase=text.encode())


def _in_backups(instance: Instance, given_up: Sequence[Path] = ()) -> tuple[dict[str, list[str]], list[Path]]:
    """Which keys the retained backups need, by hand or by the worker made, and the folders that are away."""
    folders = set(backup_records.folders(db.session())) - {folder.resolve() for folder in given_up}
    if instance.settings.backups is not None:
        folders |= {instance.settings.backups.folder.resolve()} - {folder.resolve() for folder in given_up}
    needed: dict[str, list[str]] = {}
    away = []
    for folder in sorted(folders):
        if folder.is_dir():
            for key_id, names in key_ids_in_use(folder).items():
                needed[key_id] = needed.get(key_id, []) + [str(folder / name) for name in names]
        else:
            away.append(folder)
    return needed, away


def _kept(instance: Instance) -> set[str]:
    """The ids of keys whose files a rotation leaves: all of them while a folder of backups is away."""
    needed, away = _in_backups(instance)
    return {*needed, *(instance.vault.ring.fingerprints() if away else ())}


def _progress(what: str) -> Progress:
    """A count that runs on a terminal, and says nothing in a log."""
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        if sys.stderr.isatty():
            click.echo(f"\r{what}: {done}", err=True, nl=False)

    return tell


COMMANDS: tuple[click.Command, ...] = (keys,)
