"""Running the migrations that a database lacks: for `flask init`, `flask upgrade`, `flask move` and others."""

import time

from alembic import command
from flask import current_app
from psycopg.errors import LockNotAvailable
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from portal.cli.base import fail, say
from portal.db import db

TRIES = 5
PAUSE_SECONDS = 2


def migrate(engine: Engine | None = None) -> None:
    """Run the migrations that a database lacks: the portal's own, or another one's. All of them or none.

    Where others use a table for long, it is tried again, and they do not wait behind it (portal/migrations/env.py).
    """
    config = current_app.extensions["migrate"].migrate.get_config()
    config.attributes["engine"] = engine or db.engine
    for left in reversed(range(TRIES)):
        try:
            command.upgrade(config, "head")
        except OperationalError as error:
            if not isinstance(error.orig, LockNotAvailable):
                raise
            if not left:
                fail(
                    "a table is in use all the time: nothing was changed. Run it again when less is going on"
                )
            say("a table is in use: trying again")
            time.sleep(PAUSE_SECONDS)
        else:
            return
