"""Where the data lies that is to be destroyed, and what the destruction has to be told by those who know the tables."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session as DbSession

from privacy.clock import Clock
from privacy.key_sources import KeySource
from privacy.keystore import Vault
from privacy.transactions import writing


@dataclass(frozen=True)
class BackupPlace:
    """A folder that backups were made in. `newest_at` is when the newest known one was made; `gone_on` the day by
    which the last one expires, where this machine cannot reach the folder."""

    folder: Path
    newest_at: datetime | None
    gone_on: date | None


@dataclass(frozen=True)
class Hooks:
    """What those do who know the tables: say what people are known by, put words into rows and files that go, and
    write what the law keeps into a folder, from what is still there (returning what each file is, by its name)."""

    known: Callable[[DbSession], Iterable[str]]
    plant: Callable[[Sequence[str]], None]
    keep: Callable[[DbSession, Path], dict[str, str]]


@dataclass(frozen=True)
class Places:
    """Everything that is destroyed, and with what.

    `folder` holds the journal, and afterwards what is kept and the certificate. `loose` gives the files and folders
    that are wiped; `look_in` are the folders whose every file is looked through in the end. `key_folder` is None
    where the keys come from outside. `letter` is the Department's authority; `code` names the return in the ledger.
    """

    engine: Engine
    vault: Vault
    source: KeySource
    clock: Clock
    folder: Path
    key_folder: Path | None
    loose: Callable[[], Iterable[Path]]
    backups: Sequence[BackupPlace]
    look_in: Sequence[Path]
    letter: str
    hooks: Hooks

    def session(self) -> DbSession:
        return DbSession(self.engine, info={"vault": self.vault})

    @property
    def engines(self) -> tuple[Engine, Engine]:
        return self.engine, self.vault.engine

    @property
    def kept(self) -> Path:
        """Where the files lie that the law keeps."""
        return self.folder / "kept"


@contextmanager
def patient(engine: Engine) -> Iterator[Connection]:
    """A writing transaction that may take as long as the data is large."""
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("set local statement_timeout = 0")
        yield connection


def server_folders(engine: Engine) -> list[Path]:
    """The folder in which PostgreSQL keeps this database, if it is on this machine and may be read; else none.

    Its write-ahead log is not in it: that is a store of its own.
    """
    if engine.dialect.name != "postgresql":
        return []
    try:
        with engine.connect() as connection:
            data = connection.exec_driver_sql("show data_directory").scalar_one()
            oid = connection.exec_driver_sql(
                "select oid from pg_database where datname = current_database()"
            ).scalar_one()
        folder = Path(data) / "base" / str(oid)
        return [folder] if folder.is_dir() else []
    except (DBAPIError, OSError):
        return []
