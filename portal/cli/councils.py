"""`flask councils`."""

import click

from portal.cli.imports import councils_import


@click.group("councils")
def councils() -> None:
    """Councils that run children's services in England."""


councils.add_command(councils_import)

COMMANDS: tuple[click.Command, ...] = (councils,)
