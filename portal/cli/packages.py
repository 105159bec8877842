"""`flask packages`."""

import click

from portal.cli.imports import packages_import


@click.group("packages")
def packages() -> None:
    """Packages of support."""


packages.add_command(packages_import)

COMMANDS: tuple[click.Command, ...] = (packages,)
