"""`flask compile`: what every process of a server would compile for itself, once and beforehand."""

import sys
from typing import cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.base import fail, say
from portal.views.compiled import CompiledTemplates


@click.command("compile")
@with_appcontext
def compile_templates() -> None:
    """Compile all templates, for servers that may not write into their own folder."""
    if sys.dont_write_bytecode:
        say("templates are not compiled beforehand: PYTHONDONTWRITEBYTECODE is set")
        return
    environment = current_app.jinja_env
    cache = cast(CompiledTemplates, environment.bytecode_cache)
    if not cache.can_keep():
        fail(f"{cache.directory} cannot be written to: give this command as whoever installs the portal")
    names = environment.list_templates()
    for name in names:
        environment.get_template(name)
    say(f"{len(names)} templates are compiled")


COMMANDS: tuple[click.Command, ...] = (compile_templates,)
