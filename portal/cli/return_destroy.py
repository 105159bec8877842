"""`flask return store` and `flask return destroy`: what is destroyed by hand is confirmed, the rest is done here.

First a dry run: every store is listed with its method, and what stands against it. Then it asks; without `yes` nothing
is destroyed. What was begun goes on with the same command, also when the keys and the people are gone.
"""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.base import DAY, fail, plainly, print_json, say, the_instance
from portal.db import db
from portal.instance import InstanceClosed, InstanceFault
from portal.programme import ProgrammeFaults
from portal.returning import destruction, destruction_course, destruction_last, destruction_places
from portal.returning.destruction import DryRun
from portal.returning.destruction_checks import DestroyRefused, Order
from portal.returning.destruction_course import Certified
from portal.returning.destruction_places import Left
from portal.settings import Settings
from privacy.backup_folder import Busy
from privacy.envelopes import EnvelopeFailed, OpensslMissing
from privacy.errors import ChainBroken, KeyFault
from privacy.key_sources import KeysFixed
from privacy.papers import PaperFailed
from privacy.returns import acts
from privacy.returns.course import Course, CourseRefused
from privacy.returns.destroy import StillInUse
from privacy.returns.journal import JournalBroken
from privacy.returns.proof import NotDestroyed
from privacy.returns.stores import ConfirmationRefused, Method, Said
from privacy.work import unit_of_work

P = ParamSpec("P")
T = TypeVar("T")

ACTOR = "system:command"
BY_HAND = [method.value for method in Method if method is not Method.THEIRS]
SHOWN = {
    "inventory": "counting what is there",
    "keep": "writing down what the law keeps",
    "traces": "taking down what to look for afterwards",
    "spare": "setting apart what is under a legal hold",
    "rows": "deleting rows",
    "keys": "destroying data keys",
    "ring": "destroying the other keys",
    "files": "wiping files",
    "backups": "removing backups",
    "scrub": "building the files of the databases anew",
    "verify": "looking for anything that is left",
    "certificate": "writing the certificate",
}
FAULTS = (
    Busy,
    ChainBroken,
    CourseRefused,
    DestroyRefused,
    EnvelopeFailed,
    InstanceFault,
    JournalBroken,
    KeyFault,
    KeysFixed,
    OpensslMissing,
    PaperFailed,
    ProgrammeFaults,
    StillInUse,
)


def with_what_is_left(command: Callable[Concatenate[Left, P], T]) -> Callable[P, T]:
    """Open the instance, or whatever is left of it; say plainly why neither can be done, and end with 1."""

    @with_appcontext
    @wraps(command)
    @plainly(*FAULTS)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            left = _left()
            try:
                return command(left, *args, **kwargs)
            finally:
                left.vault.engine.dispose()
        except NotDestroyed as found:
            for line in found.left:
                say(f"left: {line}")
            fail("not everything is destroyed: put this right, and give the command again")

    return opened


def _left() -> Left:
    settings: Settings = current_app.extensions["settings"]
    try:
        instance = the_instance()
    except InstanceClosed:
        return destruction_places.open_left(settings, engine=db.engine, clock=current_app.extensions["clock"])
    return destruction_places.left_of(instance, db.engine)


def _course(left: Left, ref: str | None, *, or_last: bool = False) -> Course:
    """The return with a reference, or the one that is under way; `or_last`: else the one that destroyed last."""
    with left.session() as session, plainly(LookupError):
        course = acts.named(session, ref)
        if course is None and or_last:
            course = next((one for one in acts.courses(session) if one.begun), None)
        session.expunge_all()
    return course or fail("no return is under way")


# ---- what is destroyed by hand


@click.command("store")
@click.argument("name")
@click.option("--method", type=click.Choice(BY_HAND), required=True, help="How it was destroyed.")
@click.option("--on", type=DAY, required=True, help="The day on which that was done.")
@click.option("--by", "who", required=True, help="The role of whoever did it; not a name.")
@click.option("--witness", required=True, help="The role of whoever saw it; not a name.")
@click.option("--expires", type=DAY, help="The day on which what is left expires.")
@click.option("--evidence", help="The reference of what proves it.")
@click.option("--ref", help="Which return, where several are under way.")
@with_what_is_left
def store(left: Left, /, name: str, ref: str | None, **given: Any) -> None:
    """Confirm that the store NAME, which the portal cannot reach, was destroyed."""
    course = _course(left, ref)
    said = Said(
        method=Method(given["method"]),
        done_on=given["on"],
        who=given["who"],
        witness=given["witness"],
        evidence=given["evidence"],
        expires_on=given["expires"],
    )
    with left.session() as session:
        known = destruction.to_confirm(left, session, course)
    try:
        with left.session() as session, unit_of_work(session, left.clock, ACTOR, frozen_too=True) as work:
            destruction.confirm(work, course.of.id, store=name, said=said, known=known)
    except ConfirmationRefused as refusal:
        fail(f"{refusal}. Stores that are confirmed: {', '.join(line.store.name for line in known)}")
    say(f"confirmed: {name}")


# ---- what is destroyed here


@click.command("destroy")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The Department's signature over the digest of the package.",
)
@click.option("--dry-run", is_flag=True, help="List what would go, and destroy nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--by", "who", default="Operator of the portal", show_default=True, help="A role; not a name.")
@click.option("--witness", help="The role of whoever sees it; not a name.")
@click.option("--paid-on", type=DAY, help="The day of the last payment; the contract's last day if left out.")
@click.option("--review-on", type=DAY, help="When what is under a legal hold is looked at again.")
@click.option(
    "--look-in",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="Look for traces here too, such as a folder of logs.",
)
@click.option("--ref", help="Which return, where several are under way.")
@click.option(
    "--json", "as_json", is_flag=True, help="The dry run as one JSON document; nothing is destroyed."
)
@with_what_is_left
def destroy(left: Left, /, ref: str | None, dry_run: bool, yes: bool, as_json: bool, **given: Any) -> None:
    """List every store with its method; then, after a `yes`, destroy, verify it, and write the certificate."""
    course = _course(left, ref, or_last=True)
    order = Order(
        receipt=given["receipt"],
        who=given["who"],
        witness=given["witness"] or ("A rehearsal" if course.of.rehearsal else ""),
        paid_on=given["paid_on"],
        review_on=given["review_on"],
        look_in=given["look_in"],
    )
    alone = dry_run or as_json
    if alone or not course.begun:
        with left.session() as session:
            found = destruction.dry_run(left, session, course, order)
        print_json(_document(found)) if as_json else _show(found)
        if alone:
            return
        _require_ready(found, order)
    if not yes:
        question = f"Destroy the data of {course.of.ref}? Nobody can bring it back. Type yes to go on"
        if click.prompt(question, err=True).strip().casefold() != "yes":
            fail("nothing was destroyed")
    with destruction_places.alone(left.settings):
        destruction.begin(left, course, order)
        done = _go_on(left, course)
    destruction_last.settle(left)
    _tell(done)


def _require_ready(found: DryRun, order: Order) -> None:
    if found.course.of.rehearsal:
        # What people would do by hand answers at once, when it begins.
        return
    if found.against:
        fail("nothing was destroyed: see what stands against it")
    if not order.witness.strip():
        fail("somebody else has to see it: give their role with --witness. Nothing was destroyed")


def _go_on(left: Left, course: Course) -> Certified:
    # Nothing of this session may look on while files are built anew.
    db.session.remove()
    return destruction_course.go_on(left, course.of.ref, tell=lambda step: say(SHOWN[step]))


def _tell(done: Certified) -> None:
    for name in sorted(path.name for path in done.folder.iterdir() if path.is_file()):
        say(f"written: {done.folder / name}")
    for one in done.outstanding:
        say(f"outstanding: {one.what}{f', until {one.until}' if one.until else ''}")
    click.echo(f"{done.reference} is destroyed, verified and certified")


def _show(found: DryRun) -> None:
    """The dry run for people."""
    click.echo(f"Dry run of {found.course.of.ref}: nothing is destroyed")
    for line in found.stores:
        how = line.method.value if line.method else "by hand"
        if line.by_hand:
            how = f"by hand, confirmed: {line.said.method.value}" if line.said else "by hand, NOT CONFIRMED"
        click.echo(f"store    {line.store.name}: {how}; {line.store.holds}")
    for name, rows, stays in found.tables:
        click.echo(f"table    {name}: {rows} rows, {stays} stay")
    click.echo(f"keys     {found.data_keys} data keys")
    for key_id, shown in sorted(found.keys.items()):
        click.echo(f"key      {key_id}: {shown}")
    for path in found.files:
        click.echo(f"file     {path}")
    for folder, reachable in found.backups:
        click.echo(f"backups  {folder}: {'deleted' if reachable else 'out of reach, outstanding'}")
    for one in found.exceptions:
        click.echo(f"hold     {one.table}: {one.rows} rows stay, {one.cause.value}, since {one.since}")
    for text in found.against:
        click.echo(f"against  {text}")


def _document(found: DryRun) -> dict[str, Any]:
    return {
        "return": found.course.of.ref,
        "stores": [
            {
                "name": line.store.name,
                "holds": line.store.holds,
                "method": line.said.method.value if line.said else line.method and line.method.value,
                "by_hand": line.by_hand,
                "confirmed": line.said is not None,
            }
            for line in found.stores
        ],
        "tables": [{"table": name, "rows": rows, "stay": stays} for name, rows, stays in found.tables],
        "data_keys": found.data_keys,
        "keys": dict(found.keys),
        "files": [str(path) for path in found.files],
        "backups": [{"folder": str(folder), "reachable": reachable} for folder, reachable in found.backups],
        "exceptions": [
            {"table": one.table, "rows": one.rows, "cause": one.cause.value, "since": one.since.isoformat()}
            for one in found.exceptions
        ],
        "against": list(found.against),
    }


DESTROY_COMMANDS: tuple[click.Command, ...] = (store, destroy)
