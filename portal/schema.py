"""The version of the tables: of this release, and of a database. Versions are numbers that only grow: 001, 002.

A migration adds and takes nothing away, so the release before it goes on working while hosts are brought over one by
one: a database may be newer than a release, and never older.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Engine, inspect, text

VERSIONS = Path(__file__).resolve().parent / "migrations" / "versions"


@cache
def newest() -> str:
    """The version that this release works with: that of its last migration."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def version(engine: Engine) -> str | None:
    """The version of a database's tables; None where no migration has been run."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("select version_num from alembic_version")).scalar()


def is_older(found: str | None) -> bool:
    """Whether this release needs tables that a database of this version has not got yet."""
    return found is not None and found < newest()
