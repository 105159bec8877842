"""`flask questionnaires`: check a definition, publish it, list what is published."""

from dataclasses import asdict
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.orm import Session as DbSession

from portal.cli.base import JSON, fail, print_json, say, with_instance
from portal.cli.exports import export
from portal.db import db
from portal.instance import Instance, InstanceFault
from portal.programme import ProgrammeFaults
from privacy.errors import KeyFault
from privacy.work import unit_of_work
from surveys import versions
from surveys.documents import Unsound
from surveys.questionnaires import Examined, Questionnaire, examine

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("questionnaires")
def questionnaires() -> None:
    """What people are asked."""


def _examined(paths: tuple[Path, ...]) -> list[Examined]:
    found = []
    for path in paths:
        try:
            found.append(examine(path.read_text(encoding="utf-8-sig"), name=path.name))
        except UnicodeDecodeError:
            fail(f"{path.name} is not UTF-8 text")
    return found


def _sound(files: list[Examined], session: DbSession | None) -> list[Questionnaire]:
    """The questionnaires of these files; ends with every fault, also those beside each other and other waves."""
    whole = [one.questionnaire for one in files if one.questionnaire]
    misfits = versions.misfits(session, whole)
    told = []
    for one in files:
        code = one.questionnaire.code if one.questionnaire else ""
        faults = [*one.faults, *one.placed(misfits.get(code, []))]
        told += [str(Unsound(one.name, faults))] if faults else []
    if told:
        fail("\n".join(told))
    return whole


def _session_if_there() -> DbSession | None:
    try:
        if "instance" not in current_app.extensions:
            current_app.extensions["open"]()
    except (InstanceFault, ProgrammeFaults, KeyFault):
        return None
    return db.session()


@questionnaires.command("check")
@click.argument("paths", metavar="FILE...", type=FILE, nargs=-1, required=True)
@with_appcontext
def check(paths: tuple[Path, ...]) -> None:
    """Name every fault of a definition with its place; ends with 1 if there is any.

    Measures are held against the other waves in force, or against those that are shipped where no instance has
    been made. Files that change together are checked together.
    """
    for one in _sound(_examined(paths), _session_if_there()):
        click.echo(f"{one.code}: {len(one.questions)} questions on {len(one.pages)} pages, no fault")


@questionnaires.command("publish")
@click.argument("paths", metavar="FILE...", type=FILE, nargs=-1, required=True)
@with_instance
def publish(instance: Instance, paths: tuple[Path, ...]) -> None:
    """Freeze definitions as the next versions, all or none; what is in force already is left as it is."""
    found = _sound(_examined(paths), db.session())
    try:
        with unit_of_work(db.session(), instance.clock, "system:command") as work:
            made = versions.publish_together(work, found)
    except Unsound as unsound:
        fail(str(unsound))
    for questionnaire, (number, new) in zip(found, made, strict=True):
        say(f"{questionnaire.code} {number} {'published' if new else 'is in force already'}")


@questionnaires.command("list")
@JSON
@with_instance
def list_(instance: Instance, as_json: bool) -> None:
    """Every published version, with the responses that were sent on it."""
    found = versions.listed(db.session())
    if as_json:
        rows = [{**asdict(one), "published_at": one.published_at.isoformat()} for one in found]
        print_json({"questionnaires": rows})
        return
    for one in found:
        click.echo(
            f"{one.code} {one.version}  {', '.join(one.waves) or 'self-assessment'}  {one.responses} sent, "
            f"{one.drafts} in progress"
        )


questionnaires.add_command(export)

COMMANDS: tuple[click.Command, ...] = (questionnaires,)
