"""`flask compile`: what every process of a server would compile for itself, once and beforehand."""

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.base import say


@click.command("compile")
@with_appcontext
def compile_templates() -> None:
    """Compile all templates, for servers that may not write into their own folder."""
    environment = current_app.jinja_env
    names = environment.list_templates()
    for name in names:
        environment.get_template(name)
    say(f"{len(names)} templates are compiled")


COMMANDS: tuple[click.Command, ...] = (compile_templates,)
