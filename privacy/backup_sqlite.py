"""Backing up and loading an SQLite database: SQLite's own backup interface, a moment of the whole while it is used."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlalchemy.engine import make_url

from privacy.backup_manifest import BackupFault
from privacy.engines import BUSY_MS
from privacy.envelopes import read_pieces
from privacy.scratch import scratch

PAGES_AT_ONCE = 4096
SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True)
class Snapshot:
    """One moment of a database. `pieces` can be read once; `total` is a guess at their bytes, for progress."""

    source: str
    schema: str | None
    rows: dict[str, int]
    chain: int
    total: int
    pieces: Iterator[bytes]


def path_of(url: str) -> Path:
    """The file of an SQLite address."""
    return Path(make_url(url).database or "")


@contextmanager
def snapshot(url: str, folder: Path) -> Iterator[Snapshot]:
    """Copy a moment of the database into a scratch folder below `folder`; writers are not held up in WAL mode."""
    path = path_of(url)
    if not path.is_file():
        raise BackupFault(f"{path} is missing")
    with scratch(folder) as own:
        copy = own / "database.sqlite"
        copy.touch(mode=0o600)
        with closing(_connect(path)) as source, closing(_connect(copy)) as target:
            # Within one read a write by somebody else cannot make the copying begin again, and again.
            source.execute("begin")
            source.execute("select count(*) from sqlite_master").fetchone()
            source.backup(target, pages=PAGES_AT_ONCE)
            source.execute("rollback")
            # Else the file asks for a log of writes beside it wherever it is opened.
            target.execute("pragma journal_mode=delete")
            rows = _rows(target)
            yield Snapshot(
                source=f"sqlite {dbapi2.sqlite_version}",
                schema=_one(target, rows, "alembic_version", "select version_num from alembic_version"),
                rows=rows,
                chain=_one(target, rows, "audit_head", "select seq from audit_head") or 0,
                total=copy.stat().st_size,
                pieces=read_pieces(copy),
            )


def _connect(path: Path) -> Any:
    connection = dbapi2.connect(str(path), timeout=BUSY_MS / 1000, isolation_level=None)
    connection.execute("pragma synchronous=full")
    return connection


def _rows(connection: Any) -> dict[str, int]:
    names = connection.execute(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'"
    ).fetchall()
    return {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for (name,) in names}  # noqa: S608 - a table's own name


def _one(connection: Any, rows: dict[str, int], table: str, query: str) -> Any:
    row = connection.execute(query).fetchone() if table in rows else None
    return row[0] if row else None


def is_empty(url: str) -> bool:
    """Whether nothing is there that a restored database would replace."""
    path = path_of(url)
    if not path.is_file() or not path.stat().st_size:
        return True
    with closing(_connect(path)) as connection:
        return not connection.execute("select count(*) from sqlite_master").fetchone()[0]


def load(path: Path, source: Iterable[bytes]) -> dict[str, int]:
    """Write the file anew from a backup's bytes; returns its rows. Raises BackupFault if it is no sound database."""
    remove(path)
    path.touch(mode=0o600)
    with path.open("wb") as file:
        for piece in source:
            file.write(piece)
    with closing(_connect(path)) as connection:
        try:
            return _rows(connection)
        except dbapi2.DatabaseError as error:
            raise BackupFault(f"what was restored is no SQLite database: {error}") from error


def settle(path: Path) -> None:
    """Bring everything written into the one file and onto the disk, so that it can be renamed alone."""
    with closing(_connect(path)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("pragma journal_mode=delete")


def remove(path: Path) -> None:
    """Remove a database file and what lies beside it."""
    for name in (path.name, *(path.name + end for end in SIDE_FILES)):
        path.with_name(name).unlink(missing_ok=True)
