"""`flask questionnaires`: check a definition, publish it, list what is published."""

from dataclasses import asdict
from pathlib import Path

import click

from portal.cli.base import fail, print_json, say, with_instance
from portal.db import db
from portal.instance import Instance
from privacy.work import unit_of_work
from surveys import versions
from surveys.documents import Unsound
from surveys.questionnaires import Questionnaire, load

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("questionnaires")
def questionnaires() -> None:
    """What people are asked."""


def _read(path: Path) -> Questionnaire:
    try:
        return load(path.read_text(encoding="utf-8"), name=path.name)
    except UnicodeDecodeError:
        fail(f"{path.name} is not UTF-8 text")
    except Unsound as unsound:
        fail(str(unsound))


@questionnaires.command("check")
@click.argument("path", metavar="FILE", type=FILE)
def check(path: Path) -> None:
    """Name every fault of a definition with its place; ends with 1 if there is any."""
    found = _read(path)
    click.echo(f"{found.code}: {len(found.questions)} questions on {len(found.pages)} pages, no fault")


@questionnaires.command("publish")
@click.argument("path", metavar="FILE", type=FILE)
@with_instance
def publish(instance: Instance, path: Path) -> None:
    """Freeze a definition as the next version; the one in force is left as it is."""
    questionnaire = _read(path)
    try:
        with unit_of_work(db.session(), instance.clock, "system:command") as work:
            number, new = versions.publish(work, questionnaire)
    except Unsound as unsound:
        fail(str(unsound))
    say(f"{questionnaire.code} {number} {'published' if new else 'is in force already'}")


@questionnaires.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
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
            f"{one.code} {one.version}  {', '.join(one.waves) or 'no wave'}  {one.responses} sent, "
            f"{one.drafts} in progress"
        )


COMMANDS: tuple[click.Command, ...] = (questionnaires,)
