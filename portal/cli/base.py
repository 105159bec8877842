"""What commands share: an open instance, plain errors, JSON on standard output and messages on standard error."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, NoReturn, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext

from portal import logs
from portal.instance import Instance, InstanceClosed, InstanceFault
from portal.programme import ProgrammeFaults
from privacy.errors import Frozen, KeyFault

P = ParamSpec("P")
T = TypeVar("T")


def say(text: str) -> None:
    """A message or progress: standard error."""
    click.echo(text, err=True)


def fail(text: str) -> NoReturn:
    """End with a plain message and code 1."""
    raise click.ClickException(text)


def print_json(document: object) -> None:
    """One JSON document on standard output and nothing else."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def with_instance(command: Callable[Concatenate[Instance, P], T]) -> Callable[P, T]:
    """Open the instance, call the command with it, and say plainly why it cannot be opened."""

    @with_appcontext
    @wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> T:
        logs.configure_ours()
        try:
            instance: Instance = current_app.extensions.get("instance") or current_app.extensions["open"]()
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
            instance: Instance | None = (
                current_app.extensions.get("instance") or current_app.extensions["open"]()
            )
        except InstanceClosed:
            instance = None
        except (InstanceFault, ProgrammeFaults, KeyFault) as fault:
            fail(str(fault))
        try:
            return command(instance, *args, **kwargs)
        except Frozen as fault:
            fail(str(fault))

    return opened
