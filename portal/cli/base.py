"""What commands share: an open instance, plain errors, JSON on standard output and messages on standard error."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial, wraps
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal import logs
from portal.days import day_in
from portal.db import db
from portal.instance import Instance, InstanceClosed, InstanceFault
from portal.programme import ProgrammeFaults
from privacy.errors import Frozen, KeyFault
from privacy.progress import Progress

P = ParamSpec("P")
T = TypeVar("T")

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")


class Day(click.ParamType[date]):
    """A date such as 2027-01-31."""

    name = "DATE"

    def convert(
        self, value: str | date, param: click.Parameter | None, context: click.Context | None
    ) -> date:
        if isinstance(value, date):
            return value
        try:
            return day_in(value)
        except ValueError as problem:
            self.fail(f"{value}: {problem}", param, context)


DAY = Day()


def say(text: str) -> None:
    """A message or progress: standard error."""
    click.echo(text, err=True)


def fail(text: str) -> NoReturn:
    """End with a plain message and code 1."""
    raise click.ClickException(text)


def print_json(document: object) -> None:
    """One JSON document on standard output and nothing else."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


@contextmanager
def plainly(*faults: type[Exception]) -> Iterator[None]:
    """Say what went wrong in its own words, and end with 1: for these, a database and a disk."""
    try:
        yield
    except faults as fault:
        fail(str(fault))
    except OperationalError as error:
        fail(f"the database cannot be reached: {type(error.orig).__name__}")
    except OSError as error:
        fail(f"{error.filename or 'the disk'}: {error.strerror}")


def sessions(instance: Instance) -> Callable[[], DbSession]:
    """Sessions of the database besides the one of the command, each opened anew."""
    return partial(DbSession, db.engine, info={"vault": instance.vault})


@contextmanager
def shown(label: str) -> Iterator[Progress]:
    """A bar with rows and the time left."""
    with click.progressbar(
        length=1, label=label, show_pos=True, show_eta=True, file=sys.stderr, width=30
    ) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell


def the_instance() -> Instance:
    """The instance, opened if need be. Raises InstanceFault, ProgrammeFaults, KeyFault."""
    instance: Instance = current_app.extensions.get("instance") or current_app.extensions["open"]()
    return instance


def with_instance(command: Callable[Concatenate[Instance, P], T]) -> Callable[P, T]:
    """Open the instance, call the command with it, and say plainly why it cannot be opened."""

    @with_appcontext
    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        logs.configure_ours()
        try:
            instance = the_instance()
        except (InstanceFault, ProgrammeFaults, KeyFault) as fault:
            fail(str(fault))
        try:
            return command(instance, *args, **kwargs)
        except Frozen as fault:
            fail(str(fault))

    return opened


def with_instance_if_open(command: Callable[Concatenate[Instance | None, P], T]) -> Callable[P, T]:
    """The same for what also runs when the instance was closed at the end of the contract: then it gets None."""

    @with_appcontext
    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            instance: Instance | None = the_instance()
        except InstanceClosed:
            instance = None
        except OperationalError as error:
            # Whoever keeps this running tries again; where a person started it, they learn why it did not.
            fail(f"the database cannot be reached: {type(error.orig).__name__}")
        except (InstanceFault, ProgrammeFaults, KeyFault) as fault:
            fail(str(fault))
        try:
            return command(instance, *args, **kwargs)
        except Frozen as fault:
            fail(str(fault))

    return opened
