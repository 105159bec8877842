"""The commands. Their names are a public interface; what they do stands in the rule modules."""

from flask import Flask

from portal.cli import (
    backup,
    councils,
    demo,
    instance,
    keys,
    mail,
    packages,
    people,
    privacy,
    questionnaires,
    reports,
    returns,
    serve,
)


def register_commands(app: Flask) -> None:
    """Put every command and group on the app's command line."""
    for module in (
        backup,
        councils,
        demo,
        instance,
        keys,
        mail,
        packages,
        people,
        privacy,
        questionnaires,
        reports,
        returns,
        serve,
    ):
        for command in module.COMMANDS:
            app.cli.add_command(command)
