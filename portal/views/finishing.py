"""Finishes an erasure within the request that began it; where that fails the worker goes on."""

from functools import partial

import structlog
from sqlalchemy.orm import Session as DbSession

from portal.db import db
from portal.desk import housekeeping
from portal.views.context import instance
from privacy import erasure

log = structlog.get_logger("erasure")


def finish_erasures() -> None:
    """Destroy the keys and spread the ledger of whatever is *erasing*."""
    # The request's own session would keep SQLite's log from being cut.
    db.session.remove()
    opened = instance()
    sessions = partial(DbSession, db.engine, info={"vault": opened.vault})
    try:
        erasure.finish(housekeeping.places(opened, sessions))
    except OSError as error:
        log.error("erasure.unfinished", trouble=type(error).__name__)
