"""`flask privacy` about people's data: export, restrict, hold, erase, retention, and their registers."""

import sys
from pathlib import Path
from uuid import UUID

import click

from portal.cases import holds as case_holds
from portal.cases.holds import HeldByCase
from portal.cli.base import JSON, fail, print_json, say, sessions, with_instance
from portal.cli.seconded import no_instruction, seconded
from portal.db import db
from portal.desk import approvals, backups, housekeeping, person_reading, person_rights, restriction
from portal.filters import day
from portal.instance import Instance
from portal.models import Person, SecondAct
from privacy import erasure, outside, person_exports, processing, registers, retention, sparing
from privacy.clock import london_date
from privacy.erasure import NobodyThere, NoInstruction
from privacy.holdings import Store
from privacy.registers import Register, Standing
from privacy.rights import Cause, Erasure, ErasureState, Lifted
from privacy.work import unit_of_work

ACTOR = "system:command"
FILE = click.Path(dir_okay=False, path_type=Path)
INSTRUCTION = click.option(
    "--instruction", "letter", required=True, help="The reference of the Controller's instruction."
)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")


def _person(text: str) -> Person:
    try:
        return person_rights.require(db.session(), text)
    except NobodyThere:
        fail(f"nobody has the reference or address {text}")


@click.command("export")
@click.argument("person", metavar="PERSON")
@click.option("--out", type=FILE, required=True, help="The file to write; its folder must be there.")
@click.option(
    "--instruction", "letter", help="The reference of the Controller's instruction; a demo needs none."
)
@with_instance
def export(instance: Instance, person: str, out: Path, letter: str | None) -> None:
    """Write everything held about PERSON (reference or address) into one archive, in clear.

    A second person has to have agreed to it under that instruction.
    """
    if out.exists() or not out.parent.is_dir():
        fail(f"{out} is there already" if out.exists() else f"the folder {out.parent} is not there")
    person_id = _person(person).id
    if letter is None and not instance.demo:
        fail("name the instruction that this rests on: --instruction")
    seconded(instance, act=SecondAct.EXPORT, thing=approvals.person(person_id), letter=letter or "")
    desk = housekeeping.desk(instance, sessions(instance))
    with click.progressbar(length=1, label="stores", file=sys.stderr) as bar:

        def tell(answered: int, asked: int) -> None:
            bar.length = asked
            bar.update(answered - bar.pos)

        try:
            with desk.sessions() as own:
                data = person_exports.whole(desk, own, person_id, tell=tell)
        except person_exports.StoreFailed as failed:
            fail(f"nothing was written: the store {failed} did not answer")
    with desk.sessions() as own, unit_of_work(own, instance.clock, ACTOR) as work:
        person_exports.note_written(work, person_id)
    person_exports.write_out(out, data)
    say(f"written: {out}. It is in clear: keep it safe, and look at what it says of other people.")


@click.command("erase")
@click.argument("person", metavar="PERSON")
@INSTRUCTION
@DRY_RUN
@with_instance
def erase(instance: Instance, person: str, letter: str, dry_run: bool) -> None:
    """Erase PERSON (reference or address) by an instruction of the Controller."""
    person_id, ref = (found := _person(person)).id, found.ref
    plan = erasure.plan(db.session(), person_id)
    for line in plan.lines:
        click.echo(
            f"{line.table}: {line.gone} go, {line.emptied} emptied, {line.kept} stay {line.why}".rstrip()
        )
    if plan.held:
        say("Everything is under a legal hold: the erasure waits until it is lifted.")
    if dry_run:
        return
    seconded(instance, act=SecondAct.ERASURE, thing=approvals.person(person_id), letter=letter)
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            begun = erasure.begin(work, person_id=person_id, letter=letter).id
        erasure.finish(housekeeping.places(instance, sessions(instance)))
    except NoInstruction as problem:
        no_instruction(letter, problem)
    except OSError as error:
        fail(f"the data is gone; the backup folder cannot be reached ({error}): the worker will go on")
    state = db.session().get_one(Erasure, begun, populate_existing=True).state
    say(f"{ref}: {'waits for a hold to be lifted' if state is ErasureState.HELD else state.value}")
    copies = backups.last_copies(instance.settings.backups, on=london_date(instance.clock()))
    if copies is not None and state is not ErasureState.HELD:
        say(
            f"In backups nothing opens it from {day(copies.shut)}; the last of them is gone by {day(copies.gone)}."
        )


@click.command("restrict")
@click.argument("person", metavar="PERSON")
@INSTRUCTION
@click.option("--lift", is_flag=True, help="Lift the restriction; tell the person before.")
@with_instance
def restrict(instance: Instance, person: str, letter: str, lift: bool) -> None:
    """Keep the data of PERSON and use it no more, until it is lifted."""
    person_id = _person(person).id
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            (restriction.lift if lift else restriction.restrict)(work, person_id=person_id, letter=letter)
    except NoInstruction as problem:
        no_instruction(letter, problem)
    say("the restriction is lifted" if lift else "the data is restricted")


@click.command("hold")
@click.argument("person", metavar="PERSON")
@click.option("--cause", type=click.Choice([one.value for one in Cause]), default="legal", show_default=True)
@click.option(
    "--item", nargs=2, type=(str, click.UUID), help="Table and id of one row; everything if left out."
)
@click.option("--lift", type=click.UUID, help="Lift the hold with this id; an erasure that waited begins.")
@click.option(
    "--why",
    type=click.Choice([Lifted.OVER.value, Lifted.TOLD.value, Lifted.MISTAKE.value]),
    default="over",
    show_default=True,
    help="Why it is lifted; the trail says it.",
)
@with_instance
def hold(
    instance: Instance, person: str, cause: str, item: tuple[str, UUID] | None, lift: UUID | None, why: str
) -> None:
    """Keep data of PERSON from erasure, or lift such a hold; without --lift prints the id of the new one."""
    person_id = _person(person).id
    try:
        with unit_of_work(db.session(), instance.clock, ACTOR) as work:
            if lift is not None:
                case_holds.lift_by_hand(work, hold_id=lift, person_id=person_id, why=Lifted(why))
            else:
                placed = erasure.place_hold(work, person_id=person_id, cause=Cause(cause), item=item)
                click.echo(str(placed.id))
    except HeldByCase as problem:
        fail(str(problem))
    except sparing.NotTheirs:
        fail("there is no such row about this person")
    except LookupError as problem:
        fail(str(problem))
    if lift is not None:
        erasure.finish(housekeeping.places(instance, sessions(instance)))


@click.command("retention")
@DRY_RUN
@JSON
@with_instance
def retain(instance: Instance, dry_run: bool, as_json: bool) -> None:
    """Let go what has been kept as long as its table declares; the worker does so each night."""
    found = (
        retention.due(db.session(), now=instance.clock())
        if dry_run
        else housekeeping.tidy(instance, sessions(instance), db.engine)
    )
    if as_json:
        print_json({"tables": [vars(one) for one in found]})
        return
    for one in found:
        click.echo(f"{one.table}: {one.rows} {'would go' if dry_run else 'went'}, kept {one.keep}")


@click.command("instruction")
@click.argument("letter")
@click.option("--text", required=True, help="What the Controller wrote.")
@click.option(
    "--lets",
    multiple=True,
    type=click.Choice([one.value for one in Standing]),
    help="What it lets people do themselves; can be given more than once.",
)
@with_instance
def instruction(instance: Instance, letter: str, text: str, lets: tuple[str, ...]) -> None:
    """Enter an instruction of the Controller under its reference LETTER, in force from today."""
    with unit_of_work(db.session(), instance.clock, ACTOR) as work:
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter=letter[:30],
            from_on=london_date(work.now),
            items={Standing(one): True for one in lets},
            body=text,
        )
    say(f"entered: {letter[:30]}")


@click.command("store")
@click.argument("name")
@click.option("--holds", required=True, help="What lies there.")
@click.option("--protection", required=True, help="What protects it.")
@click.option("--keep", required=True, help="How long it is kept.")
@click.option("--export", "how_export", default="by hand", show_default=True)
@click.option("--erase", "how_erase", default="by hand", show_default=True)
@with_instance
def store(
    instance: Instance, name: str, holds: str, protection: str, keep: str, how_export: str, how_erase: str
) -> None:
    """Describe a store outside the software, such as a shared mailbox or a mentor's notebook."""
    described = Store(name, holds, protection, keep, how_export, how_erase, outside=True)
    with unit_of_work(db.session(), instance.clock, ACTOR) as work:
        outside.describe(work, described)
    say(f"entered: {name}")


@click.command("record-of-processing")
@click.option("--assessment", is_flag=True, help="Description and measures for an impact assessment instead.")
@with_instance
def record(instance: Instance, assessment: bool) -> None:
    """The record of processing of Article 30(2), as JSON, from the declarations and the register of stores."""
    parties = person_reading.parties(instance.programme)
    known = outside.stores(db.session())
    print_json((processing.assessment if assessment else processing.record)(parties, known))


PERSON_COMMANDS: tuple[click.Command, ...] = (
    *(export, erase, restrict, hold, retain, instruction, store, record),
)
