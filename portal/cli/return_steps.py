"""`flask return step NAME`: the steps of a return from the command line, also when those who built it have gone.

Building, verifying and destroying have commands of their own (portal/cli/returns.py). On a demo a step that is given
nothing answers at once, as a rehearsal.
"""

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session as DbSession

from portal.actors import roles_on
from portal.cli.base import DAY, fail, plainly, say, with_instance
from portal.db import db
from portal.desk import person_rights
from portal.instance import Instance
from portal.models import Role
from portal.registers.contract import EndRefused
from portal.returning import opening, packaging, rehearsal, steps, withdrawing, words
from portal.returning.opening import Direction
from portal.returning.steps import Said
from privacy.certificates import CertificateUnusable
from privacy.clock import london_date
from privacy.envelopes import EnvelopeFailed, OpensslMissing
from privacy.returns import acts
from privacy.returns.course import TWO_PEOPLE, Act, Course, CourseRefused, ReturnKind, Step, Wanted
from privacy.work import Work, unit_of_work

ACTOR = "system:command"
ANSWERING = frozenset({Role.DPO, Role.ADMINISTRATOR})
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
NAMES = [step.value.replace("_", "-") for step in Step]


@click.command("step")
@click.argument("name", required=False, type=click.Choice([*NAMES, "withdraw"]), metavar="[NAME]")
@click.option("--ref", help="Which return, where several are under way.")
@click.option("--kind", type=click.Choice([kind.value for kind in ReturnKind]), default="full")
@click.option("--wanted", type=click.Choice([wanted.value for wanted in Wanted]), default="both")
@click.option("--about", default="", help="The council's code, or the person, for a part.")
@click.option("--ended", type=click.Choice(list(words.ENDED)), help="How the contract is ended early.")
@click.option("--ends-on", type=DAY, help="The new last day of the contract.")
@click.option("--letter", default="", help="The reference of the Department's letter.")
@click.option("--on", type=DAY, help="The day of the letter, or on which it happened.")
@click.option("--words", "said", default="", help="What the letter says, who was rung, to whom it went.")
@click.option("--certificate", "certificates", type=FILE, multiple=True, help="PEM; again for a second one.")
@click.option(
    "--person", help="Who answers for it, by reference or address: fingerprint, authority, destroy."
)
@click.option(
    "--fingerprint", "fingerprints", multiple=True, help="As it was read out; again for a second one."
)
@click.option("--code", default="", help="The code that the Department found in the test volume.")
@click.option("--how", type=click.Choice(list(words.HOW)), help="How the package was handed over.")
@click.option("--receipt", type=FILE, help="The file with the Department's signature.")
@with_instance
def step(instance: Instance, /, name: str | None, ref: str | None, **given: Any) -> None:
    """Take the step NAME of a return, or show how far it has come."""
    taken = Step(name.replace("-", "_")) if name in NAMES else None
    try:
        if taken is Step.DIRECTION:
            course = acts.read(db.session(), _open(instance, given))
        else:
            course = _course(ref)
            if name == "withdraw":
                _withdraw(instance, course, given)
            elif taken is not None:
                _take(instance, course, taken, given)
            course = acts.read(db.session(), course.of.id)
    except (CourseRefused, EndRefused, CertificateUnusable, EnvelopeFailed, OpensslMissing) as refusal:
        fail(str(refusal))
    _show(course)


def _sessions(instance: Instance) -> DbSession:
    db.session.rollback()
    return DbSession(db.engine, info={"vault": instance.vault})


def _course(ref: str | None) -> Course:
    """The return with a reference, or the one that is under way."""
    with plainly(LookupError):
        course = acts.named(db.session(), ref)
    return course or fail("no return is under way")


def _open(instance: Instance, given: dict[str, Any]) -> UUID:
    if instance.demo and not (given["letter"] or given["certificates"]):
        return rehearsal.begin(instance, partial(_sessions, instance), actor=ACTOR)
    if not given["letter"] or given["on"] is None or not given["said"]:
        fail("a direction takes --letter, --on and --words")
    direction = Direction(
        kind=ReturnKind(given["kind"]),
        wanted=Wanted(given["wanted"]),
        letter=given["letter"],
        on=given["on"],
        wording=given["said"],
        certificates=[path.read_bytes() for path in given["certificates"]],
        about=given["about"],
        ended=given["ended"] or "",
        ends_on=given["ends_on"],
    )
    with _work(instance) as work:
        folder = instance.settings.instance / "scratch"
        return opening.direct(work, instance.programme, direction, folder=folder, rehearsal=instance.demo).id


def _work(instance: Instance) -> AbstractContextManager[Work]:
    return unit_of_work(db.session(), instance.clock, ACTOR, frozen_too=True)


def _take(instance: Instance, course: Course, taken: Step, given: dict[str, Any]) -> None:
    said = _said(given)
    if rehearsal.can(instance, course) and said == Said():
        rehearsal.next_step(
            instance, partial(_sessions, instance), return_id=course.of.id, actor=ACTOR, step=taken
        )
        return
    by = _by(instance, course, taken, given["person"])
    return_id, root = course.of.id, instance.settings.instance
    with _work(instance) as work:
        steps.take(work, return_id=return_id, step=taken, said=said, root=root, by=by)
    packaging.taken(instance, taken)


def _said(given: dict[str, Any]) -> Said:
    receipt, certificates = given["receipt"], given["certificates"]
    return Said(
        on=given["on"],
        letter=given["letter"],
        words=given["said"],
        fingerprint="\n".join(given["fingerprints"]),
        code=given["code"],
        how=given["how"] or "",
        file=receipt.read_bytes() if receipt is not None else b"",
        certificate=certificates[0].read_bytes() if certificates else b"",
    )


def _by(instance: Instance, course: Course, taken: Step, person: str | None) -> str | None:
    """Who answers for a step that takes two people: an officer, then an officer or an administrator."""
    if taken not in TWO_PEOPLE:
        return None
    if person is None:
        fail("two people answer for this step, one after the other: name each with --person")
    found = person_rights.find(db.session(), person)
    roles = roles_on(found, london_date(instance.clock())) if found is not None else frozenset()
    first = not course.of_step(taken, Act.CONFIRMED)
    if found is None or not roles & (ANSWERING if not first else {Role.DPO}):
        fail(f"{person} is no data protection officer{'' if first else ' and no administrator'} today")
    return f"person:{found.id}"


def _withdraw(instance: Instance, course: Course, given: dict[str, Any]) -> None:
    if not given["said"]:
        fail("say why with --words")
    return_id = course.of.id
    with _work(instance) as work:
        withdrawing.withdraw(
            work,
            instance.programme,
            return_id=return_id,
            reason=given["said"],
            letter=given["letter"],
            ends_on=given["ends_on"],
        )


def _show(course: Course) -> None:
    click.echo(f"{course.of.ref}{' REHEARSAL' if course.of.rehearsal else ''}")
    for one in course.steps:
        event = course.event(one)
        mark = "done" if event is not None else "next" if one is course.next else ""
        at = london_date(event.at).isoformat() if event is not None else ""
        click.echo(f"{one.value.replace('_', '-'):16} {mark:5} {at}".rstrip())
    if course.withdrawn is not None:
        say("This return was withdrawn.")
    elif (following := course.next) is not None and following in words.COMMANDS:
        say(f"Next: {words.COMMANDS[following]}")


STEP_COMMANDS: tuple[click.Command, ...] = (step,)
