"""`flask return build | verify | import`: the data as one sealed package, checked, and taken over by a successor."""

from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import schema
from portal.cli.base import (
    JSON,
    plainly,
    print_json,
    say,
    sessions,
    shown,
    the_instance,
    with_instance,
)
from portal.cli.migrating import migrate
from portal.cli.return_destroy import DESTROY_COMMANDS
from portal.cli.return_steps import STEP_COMMANDS
from portal.db import db
from portal.instance import Instance, InstanceFault
from portal.programme import ProgrammeFaults
from portal.returning import packaging, taking_over
from portal.settings import Settings
from privacy.certificates import CertificateUnusable
from privacy.envelopes import EnvelopeFailed, OpensslMissing
from privacy.errors import KeyFault
from privacy.returns import signing
from privacy.returns.course import CourseRefused
from privacy.returns.folder import BuildFailed
from privacy.returns.load import LoadRefused
from privacy.returns.verify import PackageBroken, Verified, described, verify

FAULTS = (
    BuildFailed,
    CertificateUnusable,
    CourseRefused,
    EnvelopeFailed,
    InstanceFault,
    KeyFault,
    LoadRefused,
    LookupError,
    OpensslMissing,
    PackageBroken,
    ProgrammeFaults,
)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
FOLDER = click.Path(path_type=Path, file_okay=False)
FINGERPRINT = click.option(
    "--fingerprint", help="Of the certificate that may have signed it, as you were told by another way."
)


@click.group("return")
def return_() -> None:
    """The return of the data to the Department, and its destruction here."""


@return_.command("build")
@click.option(
    "--certificate",
    "certificates",
    type=FILE,
    multiple=True,
    required=True,
    help="Whom to seal it to (PEM); give it again for a second reader, who can open it alone.",
)
@click.option("--out", type=FOLDER, required=True, help="A folder that is empty, or not there yet.")
@click.option("--ref", help="Which return, where several are under way.")
@click.option("--about", help="On a demo, rehearse a part: a council's code, or a person's reference.")
@plainly(*FAULTS)
@with_instance
def build(
    instance: Instance, certificates: tuple[Path, ...], out: Path, ref: str | None, about: str | None
) -> None:
    """Build the package of a return; on a demo, a rehearsal of it. Begin again after whatever ended it."""
    with sessions(instance)() as session:
        course, scope = packaging.course_of(session, ref, demo=instance.demo, about=about)
        session.expunge_all()
    with shown("rows") as progress:
        made = packaging.make(
            instance,
            db.engine,
            sessions(instance),
            certificates=certificates,
            out=out,
            course=course,
            scope=scope,
            schema=schema.newest(),
            progress=progress,
        )
    say(f"written: {out}, {made.counts['rows']} rows in {made.counts['volumes']} sealed volumes")
    say(f"digest of package.json: {made.digest}")
    shown_as = signing.signing_key(instance.settings.keys, contract="").fingerprint
    say(f"Tell the Department by another way who signed it: the fingerprint of signer.pem is {shown_as}")
    say(f"Next: flask return verify {out}")


@return_.command("verify")
@click.argument("folder", type=FOLDER)
@click.option("--key", type=FILE, help="A private key (PEM) that opens it; without it, our own check key.")
@FINGERPRINT
@JSON
@plainly(*FAULTS)
@with_appcontext
def verify_package(folder: Path, key: Path | None, fingerprint: str | None, as_json: bool) -> None:
    """Verify a package from itself alone. What is inside is looked at where a key opens it; nothing stays open."""
    settings: Settings = current_app.extensions["settings"]
    found = verify(
        folder,
        key=key or _own_key(settings, folder),
        fingerprint=fingerprint,
        scratch=settings.instance / "scratch" if settings.instance.is_dir() else None,
    )
    if as_json:
        print_json(vars(found))
    else:
        _tell(found)
    try:
        instance = the_instance()
    except (InstanceFault, ProgrammeFaults, KeyFault):
        # A package is verified anywhere; only here it belongs to a return.
        return
    course = packaging.note_verified(instance, sessions(instance), found)
    if course is not None:
        say(f"written down in the return {course.of.ref}")


def _own_key(settings: Settings, folder: Path) -> Path | None:
    known = signing.known_check_key(settings.keys)
    fits = known is not None and described(folder).get("check_key") == known.fingerprint
    return known.path if known is not None and fits else None


def _tell(found: Verified) -> None:
    if found.rehearsal:
        click.echo("REHEARSAL: made-up data")
    click.echo(f"signed by the certificate with the fingerprint {found.signer}")
    click.echo(f"{found.volumes} sealed volumes are the files that were signed")
    if found.opened:
        click.echo(f"inside, {found.rows} rows are whole: counted, referred to, nobody who was erased")
    else:
        click.echo("nothing was opened, since no key was given: what is inside was not looked at")
    if found.trail:
        click.echo(f"its audit trail did not hold when it was built: {found.trail}")
    click.echo(f"digest of package.json: {found.digest}")


@return_.command("import")
@click.argument("folder", type=FOLDER)
@click.option("--key", type=FILE, required=True, help="The private key (PEM) of one of its readers.")
@FINGERPRINT
@plainly(*FAULTS)
@with_appcontext
def import_package(folder: Path, key: Path, fingerprint: str | None) -> None:
    """Load a package into this instance, which must be empty: instead of `flask init`, at a successor."""
    settings: Settings = current_app.extensions["settings"]
    with shown("rows") as progress:
        done = taking_over.take_over(
            settings,
            folder,
            key,
            engine=db.engine,
            clock=current_app.extensions["clock"],
            migrate=migrate,
            schema=schema.newest(),
            fingerprint=fingerprint,
            progress=progress,
        )
    for path in done.keys:
        say(f"key made: {path}")
    say("Keep a copy of the key folder in another place: without the keys all data is lost.")
    say(f"loaded: {done.rows} rows. Everybody has to sign in anew.")
    say(
        "If it was frozen, it is frozen here too: withdraw the return that came with it when you begin to work."
    )


for command in (*STEP_COMMANDS, *DESTROY_COMMANDS):
    return_.add_command(command)

COMMANDS: tuple[click.Command, ...] = (return_,)
