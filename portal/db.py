"""The Flask-SQLAlchemy object, and how a request lets go of it."""

from typing import Any

from flask import current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy.exc import DBAPIError

from privacy.records import Record


class OwnSession(Session):
    """A session with the keys of the app that it is made for: several apps of one process each have their own."""

    def __init__(self, db: SQLAlchemy, **options: Any) -> None:
        super().__init__(db, **options)
        if (instance := current_app.extensions.get("instance")) is not None:
            self.info["vault"] = instance.vault


db = SQLAlchemy(metadata=Record.metadata, session_options={"class_": OwnSession})


def let_go(error: BaseException | None = None) -> None:
    """End the session of a request. Where its connection broke since, there is nothing to roll back any more: the
    answer that was made goes out all the same."""
    try:
        db.session.remove()
    except DBAPIError:
        db.session.remove()
