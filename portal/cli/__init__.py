"""The commands. Their names are a public interface; what they do stands in the rule modules.

They are looked up when one is given: a process that only answers pages never loads them, nor what they need, such as
migrations, imports, copies and the demo.
"""

import importlib
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup
from flask_sqlalchemy import SQLAlchemy

MODULES = (
    "backup",
    "compiling",
    "councils",
    "demo",
    "instance",
    "keys",
    "mail",
    "move",
    "packages",
    "people",
    "privacy",
    "questionnaires",
    "reports",
    "returns",
    "serve",
    "working",
)
"""Each has its commands and groups in COMMANDS."""


class CommandLine(AppGroup):
    """The group behind `flask`."""

    _filled = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._fill()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._fill()
        return super().get_command(ctx, cmd_name)

    def _fill(self) -> None:
        if self._filled:
            return
        self._filled = True
        for name in MODULES:
            for command in importlib.import_module(f"portal.cli.{name}").COMMANDS:
                self.add_command(command)


class Migrations:
    """Stands in the app's extensions for Flask-Migrate, until something is asked of it."""

    def __init__(self, app: Flask, db: SQLAlchemy, folder: Path) -> None:
        self._app, self._db, self._folder = app, db, folder

    def __getattr__(self, name: str) -> Any:
        flask_migrate: Any = importlib.import_module("flask_migrate")
        flask_migrate.Migrate(self._app, self._db, directory=str(self._folder))
        return getattr(self._app.extensions["migrate"], name)
