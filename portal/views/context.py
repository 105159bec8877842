"""What views share of the running instance: clock, database session, actor, unit of work."""

from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import cast

from flask import current_app, g, request
from sqlalchemy.orm import Session as DbSession

from portal.actors import Actor
from portal.db import db
from portal.instance import Instance
from portal.programme import Programme
from portal.returning import duties
from privacy.clock import london_date
from privacy.transactions import PATIENCE
from privacy.work import Work, unit_of_work


def instance() -> Instance:
    """The open instance. Raises KeyError in an app that was not opened."""
    return cast(Instance, current_app.extensions["instance"])


def programme() -> Programme:
    return instance().programme


def clock_now() -> datetime:
    """The moment, once per request, so that one page never speaks of two."""
    now: datetime | None = g.get("now")
    if now is None:
        now = g.now = instance().clock()
    return now


def today() -> date:
    """The London date."""
    return london_date(clock_now())


def session() -> DbSession:
    """The database session of this request."""
    return db.session()


def current_actor() -> Actor | None:
    """Who is signed in; None for nobody."""
    return cast(Actor | None, g.get("actor"))


def the_actor() -> Actor:
    """Who is signed in, behind a guard that made sure somebody is."""
    actor = current_actor()
    if actor is None:
        raise LookupError("no guard stands before this view")
    return actor


def work(
    actor: str | None = None, *, frozen_too: bool = False, patience: float = PATIENCE
) -> AbstractContextManager[Work]:
    """A unit of work of this request, by the signed-in person or, before sign-in, a named system actor.

    Raises Frozen while the data is being returned, but for pages whose duties go on (portal/returning/duties.py).
    """
    goes_on = frozen_too or duties.may_write(request.endpoint)
    who = actor or the_actor().ref
    return unit_of_work(session(), instance().clock, who, frozen_too=goes_on, patience=patience)
