"""`flask compile`: what every process of a server would compile for itself, once and beforehand."""

import compileall
from typing import cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.app import ROOT
from portal.cli.base import fail, say
from portal.views.compiled import CompiledTemplates

SOFTWARE = ("portal", "privacy", "surveys")


@click.command("compile")
@with_appcontext
def compile_everything() -> None:
    """Compile software and templates, for servers that may not write into their own folder.

    Also where PYTHONDONTWRITEBYTECODE is set: that is about what Python writes unasked.
    """
    environment = current_app.jinja_env
    cache = cast(CompiledTemplates, environment.bytecode_cache)
    if not cache.can_keep():
        fail(f"{cache.directory} cannot be written to: give this command as whoever installs the portal")
    for package in SOFTWARE:
        if not compileall.compile_dir(ROOT / package, quiet=2):
            fail(f"{ROOT / package} cannot be compiled: give this command as whoever installs the portal")
    cache.keeps = True
    names = environment.list_templates()
    for name in names:
        environment.get_template(name)
    say(f"The software and {len(names)} templates are compiled")


COMMANDS: tuple[click.Command, ...] = (compile_everything,)
