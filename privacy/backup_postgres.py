"""Backing up and loading a PostgreSQL database: `pg_dump` reads one moment, `psql` writes it back in one transaction.

The programs are looked for in the folder that the setting names, on the PATH, and where Debian puts them. They must
not be older than the server.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session

from privacy.backup_folder import Busy
from privacy.backup_manifest import BackupFault
from privacy.backup_sqlite import Snapshot
from privacy.engines import open_engine
from privacy.envelopes import PIECE_BYTES
from privacy.later import Later

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
else:
    psycopg, sql = Later("psycopg"), Later("psycopg.sql")

DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_TABLES = (
    "select quote_ident(schemaname), quote_ident(tablename), tablename from pg_catalog.pg_tables "
    "where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
)


class ProgramMissing(BackupFault):
    """pg_dump or psql is missing, or older than the server."""


def program(name: str, *, server: int, folder: Path | None) -> str:
    """The path of a PostgreSQL program that is at least as new as the server. Raises ProgramMissing.

    `server` is a major version such as 17; `folder` the one that was set, where it alone counts.
    """
    if folder is not None:
        candidates = [folder / name]
    else:
        on_path = shutil.which(name)
        installed = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: _major(path) or 0, reverse=True)
        candidates = [Path(on_path)] if on_path else []
        candidates += installed
    seen = {path: _major(path) for path in candidates if path.is_file()}
    for path, major in seen.items():
        if major is not None and major >= server:
            return str(path)
    if not seen:
        where = f"in {folder}" if folder else f"on the PATH or below {DEBIAN}"
        raise ProgramMissing(f"{name} is not {where}: install PostgreSQL's client {server} or newer")
    found = ", ".join(f"{path} ({major or 'unknown'})" for path, major in seen.items())
    raise ProgramMissing(f"{name} is older than the server, which is {server}: found {found}")


def _major(path: Path) -> int | None:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    match = _VERSION.search(said)
    return int(match[1]) if match else None


def parameters(url: str | URL) -> dict[str, Any]:
    """An address as libpq names its parts."""
    parsed = make_url(url)
    parts = {**parsed.translate_connect_args(username="user", database="dbname"), **parsed.query}
    return {name: str(value) for name, value in parts.items() if value}


@contextmanager
def _environ(url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """A connection string without the password, and an environment whose password file only its owner reads.

    Neither the command line nor the environment of another process is a place for a password.
    """
    parts = parameters(url)
    password = parts.pop("password", None)
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGCONNECT_TIMEOUT": "10"}
    if password is None:
        yield psycopg.conninfo.make_conninfo(**parts), environ
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        escaped = re.sub(r"([\\:])", r"\\\1", password)
        file.write(f"*:*:*:*:{escaped}\n")
        file.flush()
        yield psycopg.conninfo.make_conninfo(**parts), {**environ, "PGPASSFILE": file.name}


@contextmanager
def snapshot(url: str, programs: Path | None) -> Iterator[Snapshot]:
    """One moment of the database: counted here and dumped by `pg_dump`, from the same exported snapshot."""
    with psycopg.connect(**parameters(url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        moment = _first(connection, "select pg_export_snapshot()")
        version = connection.info.server_version // 10000
        dump = program("pg_dump", server=version, folder=programs)
        rows = _rows(connection)
        yield Snapshot(
            source=f"postgresql {version}",
            schema=_first(connection, "select version_num from alembic_version")
            if "alembic_version" in rows
            else None,
            rows=rows,
            chain=(_first(connection, "select seq from audit_head") or 0) if "audit_head" in rows else 0,
            total=_first(connection, "select pg_database_size(current_database())"),
            pieces=_dumped(url, dump, moment),
        )


def _first(connection: "psycopg.Connection[Any]", query: str) -> Any:
    row = connection.execute(sql.SQL(query)).fetchone()
    return row[0] if row else None


def _rows(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    found = {}
    for schema, table, name in connection.execute(_TABLES).fetchall():
        counted = connection.execute(f"select count(*) from {schema}.{table}").fetchone()  # noqa: S608 - quoted by the server
        found[str(name)] = int(counted[0]) if counted else 0
    return found


def _dumped(url: str, dump: str, moment: str) -> Iterator[bytes]:
    command = [dump, f"--snapshot={moment}", "--format=plain", "--no-owner", "--no-privileges"]
    with (
        _environ(url) as (conninfo, environ),
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [*command, f"--dbname={conninfo}"], stdout=subprocess.PIPE, stderr=errors, env=environ
        ) as child,
    ):
        assert child.stdout is not None
        try:
            while piece := child.stdout.read(PIECE_BYTES):
                yield piece
        except BaseException:
            child.kill()
            raise
        # What was read is whole only if the program says so: one that was killed just stops.
        if child.wait() != 0:
            raise BackupFault(f"pg_dump ended with {child.returncode}: {_said(errors)}")


def _said(errors: IO[bytes]) -> str:
    """The first line of what a program complained about."""
    errors.seek(0)
    lines = errors.read(2000).decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "it said nothing"


# ---- In


ASIDE = "portal_restoring"
"""The schema in which the table that marks an instance lies until a restore is done."""


_RESTORING = 9889
_LOADING = 9890
COUNT_ROWS = """do $$
declare one record;
begin
  for one in select tablename from pg_catalog.pg_tables where schemaname = 'public' loop
    execute 'analyze public.' || quote_ident(one.tablename);
  end loop;
end $$"""
"""After a load the server knows nothing of what is in the tables, until it looks by itself a minute or more later: a
list of 100,000 answers that is asked for meanwhile was seen to take hours."""

# What an earlier try left goes in the same transaction that loads, under its lock: that try's psql may still be
# reading what its feeder sent before it died.
_FIRST = f"""begin;
select pg_advisory_xact_lock({_LOADING});
do $$
declare one record;
begin
  if exists (select from pg_catalog.pg_namespace where nspname = '{ASIDE}') then
    for one in select schemaname, tablename from pg_catalog.pg_tables where schemaname in ('public', '{ASIDE}')
    loop
      execute format('drop table %I.%I cascade', one.schemaname, one.tablename);
    end loop;
    drop schema {ASIDE};
  end if;
end $$;
"""  # noqa: S608 - put together from the constants above


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Keep other restores out of this database; a killed one gives it up. Raises Busy."""
    with psycopg.connect(**parameters(url), autocommit=True) as connection:
        try:
            # For a moment: the server takes a while to notice that a killed process is gone.
            connection.execute("set lock_timeout = '5s'")
            connection.execute(f"select pg_advisory_lock({_RESTORING})")
            connection.execute("set lock_timeout = '5min'")
            connection.execute(f"select pg_advisory_lock({_LOADING})")
        except psycopg.errors.LockNotAvailable as error:
            raise Busy("another process restores into this database") from error
        connection.execute(f"select pg_advisory_unlock({_LOADING})")
        yield


def is_empty(url: str) -> bool:
    """Whether a database has no tables, or only those of a restore that was cut off (see `load`)."""
    with psycopg.connect(**parameters(url)) as connection:
        schemas = {schema for schema, _, _ in connection.execute(_TABLES).fetchall()}
    return not schemas or ASIDE in schemas


def load(
    url: str,
    source: Iterable[bytes],
    *,
    programs: Path | None,
    marker: str,
) -> dict[str, int]:
    """Fill the database from a dump in one transaction; returns its rows.

    In the same transaction the table `marker` is put aside: as long as the table that marks an instance is not among
    the others, nothing opens this database (see `open_aside` and `bring_back`). What a cut-off restore left is
    removed first. The caller has checked the whole dump before: `psql` obeys what is in it. Raises BackupFault.
    """
    with psycopg.connect(**parameters(url)) as connection:
        version = connection.info.server_version // 10000
    tool = program("psql", server=version, folder=programs)
    last = f'\n{COUNT_ROWS};\ncreate schema {ASIDE};\nalter table public."{marker}" set schema {ASIDE};'
    with _environ(url) as (conninfo, environ), tempfile.TemporaryFile() as errors:
        child = subprocess.Popen(
            [
                tool,
                f"--dbname={conninfo}",
                "--no-psqlrc",
                "--quiet",
                "--set=ON_ERROR_STOP=1",
                "--output=/dev/null",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environ,
        )
        assert child.stdin is not None
        _fill(child, child.stdin, source, last.encode())
        if child.returncode != 0:
            raise BackupFault(f"psql ended with {child.returncode}: {_said(errors)}")
    with psycopg.connect(**parameters(url)) as connection:
        return _rows(connection)


def open_aside(url: str) -> Engine:
    """An engine that finds what was put aside, too."""
    engine = open_engine(url)

    @event.listens_for(engine, "connect")
    def _also(connection: Any, record: Any) -> None:
        connection.execute(f"set search_path to public, {ASIDE}")
        connection.commit()

    return engine


def bring_back(db: Session, marker: str) -> None:
    """Put the table back among the others: with the commit of this transaction the instance is there."""
    connection = db.connection()
    connection.exec_driver_sql(f'alter table {ASIDE}."{marker}" set schema public')
    connection.exec_driver_sql(f"drop schema {ASIDE}")


def _fill(
    child: "subprocess.Popen[bytes]",
    feed: IO[bytes],
    source: Iterable[bytes],
    last: bytes,
) -> None:
    try:
        # Not --single-transaction: that commits when its feeder dies, with half of it read.
        feed.write(_FIRST.encode())
        for piece in source:
            feed.write(piece)
        feed.write(last + b"\ncommit;\n")
        feed.close()
    except BrokenPipeError:
        # It ended early; its own words say why.
        pass
    except BaseException:
        child.kill()
        child.wait()
        raise
    child.wait()


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """A new database on the same server for a drill, dropped afterwards; those of drills that died go first.

    Raises BackupFault if this account may not make databases.
    """
    parsed = make_url(url)
    prefix = f"{parsed.database}_drill_"
    name = f"{prefix}{os.getpid()}"
    with psycopg.connect(**parameters(url), autocommit=True) as connection:
        left = connection.execute(
            "select datname from pg_database where starts_with(datname, %s)", [prefix]
        ).fetchall()
        for (other,) in left:
            # One that is still in use is another drill's.
            with suppress(psycopg.errors.ObjectInUse):
                connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(other)))
        try:
            connection.execute(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        except psycopg.errors.InsufficientPrivilege as error:
            raise BackupFault(
                "a drill needs a database of its own: let this account make one (alter role ... createdb)"
            ) from error
        try:
            yield parsed.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )
