"""Instances to move: a filled one on SQLite, of which each test takes a copy, and empty PostgreSQL databases."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Table, select, text
from sqlalchemy.orm import Session as DbSession

from portal import schema
from portal.instance import Instance, open_instance
from portal.moving import acts
from portal.moving.acts import Outcome
from portal.moving.ends import Journey
from portal.settings import Settings
from privacy import reach
from privacy.clock import Clock
from privacy.engines import open_engine
from privacy.records import Record
from tests.conftest import START
from tests.postgres import fresh_database
from tests.returning import unheard, world


def stamp(engine: Engine) -> None:
    """Say that tables made straight from the models are those of this release."""
    with engine.begin() as connection:
        connection.execute(text("create table if not exists alembic_version (version_num varchar(32))"))
        connection.execute(text("delete from alembic_version"))
        connection.execute(text("insert into alembic_version values (:now)"), {"now": schema.newest()})


def make_tables(engine: Engine) -> None:
    """What the migrations do, in a tenth of the time."""
    Record.metadata.create_all(engine)
    stamp(engine)


def filled(folder: Path) -> Path:
    """The folder of an instance on SQLite with a row in every table, somebody erased, and values at the edges."""
    with world(folder, None) as made:
        stamp(made.stack.engine)
        with made.stack.engine.begin() as connection:
            # JSON's own null is another thing than no value, and both must arrive.
            connection.exec_driver_sql("update data_return set people = 'null'")
        instance = made.stack.instance.settings.instance
    return instance


@dataclass(frozen=True)
class Here:
    """A copy of the filled instance, and where it goes."""

    settings: Settings
    environ: Mapping[str, str]
    url: str
    keystore_url: str

    def journey(self, clock: Clock = lambda: START) -> Journey:
        there = self.settings.elsewhere(database_url=self.url, keystore_url=self.keystore_url)
        return Journey(self.settings, there, clock, make_tables)

    def move(self) -> Outcome:
        return acts.move(self.journey(), tell=lambda what, done, total: unheard(done, total))

    @contextmanager
    def engine(self, *, new: bool = False) -> Iterator[Engine]:
        made = open_engine(self.url if new else self.settings.database_url)
        try:
            yield made
        finally:
            made.dispose()

    @contextmanager
    def opened(self, *, new: bool = False) -> Iterator[tuple[Instance, DbSession]]:
        """The instance as it is opened for serving, where it was or where it is now."""
        settings = self.journey().to if new else self.settings
        with self.engine(new=new) as engine:
            instance = open_instance(settings, engine=engine, clock=lambda: START)
            try:
                with DbSession(engine, info={"vault": instance.vault}) as db:
                    yield instance, db
            finally:
                instance.vault.engine.dispose()


def prepared(server: str, *, name: str = "prepared") -> str:
    """The name of a database with the tables of this release and nothing in them, to make copies of."""
    engine = open_engine(fresh_database(server, name=name))
    make_tables(engine)
    engine.dispose()
    return name


def here(template: Path, folder: Path, server: str, *, name: str, like: str | None = None) -> Here:
    """A copy of its own for a test, and two databases: one without any table, or `like` another, and an empty one."""
    shutil.copytree(template, folder / "instance")
    environ = {"PORTAL_INSTANCE": str(folder / "instance"), "PUBLIC_URL": "http://localhost"}
    url = fresh_database(server, name=name, like=like)
    return Here(
        Settings.from_environ(environ, root=folder),
        environ,
        url,
        fresh_database(server, name=f"{name}_keystore"),
    )


def values(engine: Engine, tables: Sequence[Table] | None = None) -> dict[str, list[Any]]:
    """Every row of every table as the product reads it: ids, aware instants, dates, JSON, bytes."""
    found = {}
    with engine.connect() as connection:
        for table in tables or reach.tables():
            rows = connection.execute(select(table)).all()
            found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    return found
