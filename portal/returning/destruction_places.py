"""Where this instance's data lies, told to the floor that destroys it; and what only the roof knows of the tables."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as DbSession

from portal import programme as programmes
from portal.desk import backups
from portal.instance import Instance, programme_path
from portal.models import Council, CouncilKind, Person
from portal.programme import Programme
from portal.references import new_reference
from portal.returning import closing, kept_records
from portal.returning.naming import known_by
from portal.settings import Settings
from privacy import backup_records, keys
from privacy.backup_folder import locked
from privacy.backup_records import BackupRun, RunKind
from privacy.backup_sqlite import SIDE_FILES
from privacy.clock import Clock, london_date
from privacy.engines import open_engine
from privacy.errors import KeyFault
from privacy.key_sources import KeyFolder
from privacy.keys import KeyRing
from privacy.keystore import Vault
from privacy.records import new_id
from privacy.returns.places import BackupPlace, Hooks, Places
from privacy.work import unit_of_work

ACTOR = "system:destruction"
FOLDER = "destruction"
PLANTED_IN = ("outbox", "person-exports", "scratch")
"""Folders of the instance in which words are planted."""


@dataclass(frozen=True)
class Left:
    """What can be opened of an instance that is being destroyed, or was: whichever keys are still there."""

    settings: Settings
    programme: Programme
    vault: Vault
    engine: Engine
    clock: Clock

    def session(self) -> DbSession:
        return DbSession(self.engine, info={"vault": self.vault})


def open_left(settings: Settings, *, engine: Engine, clock: Clock) -> Left:
    """Open whatever is there. Raises ProgrammeFaults, or KeyFault where keys that come from outside are not given."""
    vault = Vault(_ring(settings), open_engine(settings.keystore_url), clock, reload=lambda: _ring(settings))
    return Left(settings, programmes.load(programme_path(settings)), vault, engine, clock)


def left_of(instance: Instance, engine: Engine) -> Left:
    """The same for an instance that is open."""
    return Left(instance.settings, instance.programme, instance.vault, engine, instance.clock)


def _ring(settings: Settings) -> KeyRing:
    try:
        return settings.key_source.load()
    except KeyFault:
        if not isinstance(settings.key_source, KeyFolder):
            raise
        return keys.load_left(settings.keys)


def folder_of(settings: Settings, reference: str) -> Path:
    """Where the journal of a destruction lies, and afterwards what is kept."""
    return settings.instance / FOLDER / reference


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep destroying to this process: two at once would write over each other's journal and traces. One that is killed
    gives it up. Raises Busy."""
    root = settings.instance / FOLDER
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with locked(root):
        yield


def places(left: Left, *, reference: str, letter: str, look_in: Sequence[Path] = ()) -> Places:
    """Everything of this instance that is destroyed."""
    settings = left.settings
    is_folder = isinstance(settings.key_source, KeyFolder)
    known = backup_places(left)
    return Places(
        engine=left.engine,
        vault=left.vault,
        source=settings.key_source,
        clock=left.clock,
        folder=folder_of(settings, reference),
        key_folder=settings.keys if is_folder else None,
        loose=lambda: loose(settings, [place.folder for place in known]),
        backups=known,
        look_in=[
            settings.instance,
            settings.keys,
            *(place.folder for place in known),
            *_database_files(settings),
            *look_in,
        ],
        letter=letter,
        hooks=Hooks(
            known=known_by,
            plant=lambda words: plant(left, words),
            keep=lambda db, folder: kept_records.write(db, folder, now=left.clock()),
        ),
    )


# ---- files


def loose(settings: Settings, backup_folders: Sequence[Path]) -> list[Path]:
    """Everything in the instance's folder that is wiped: whatever is not the database, a key, or kept."""
    stay = {
        settings.instance / FOLDER,
        settings.instance / closing.MARK,
        settings.instance / f"{closing.MARK}.part",
        programme_path(settings),
        settings.keys,
        *_database_files(settings),
        *backup_folders,
    }
    kept = {path.resolve() for path in stay}
    return [
        path
        for path in sorted(settings.instance.iterdir())
        if not any(one == path.resolve() or path.resolve() in one.parents for one in kept)
    ]


def _database_files(settings: Settings) -> list[Path]:
    found = []
    for url in (settings.database_url, settings.keystore_url):
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            path = Path(parsed.database)
            found += [path, *(path.with_name(path.name + end) for end in SIDE_FILES)]
    return found


def backup_places(left: Left) -> list[BackupPlace]:
    """Every folder that backups were made in, with the newest known one and the day by which the last expires."""
    asked = left.settings.backups
    with left.session() as db:
        newest = _newest(db)
        folders = {*backup_records.folders(db), *([asked.folder] if asked else [])}
    found = []
    for folder in sorted(folders):
        at = newest.get(str(folder.resolve()))
        last = backups.last_copies(asked, on=london_date(at)) if at is not None else None
        found.append(BackupPlace(folder, at, last.gone if last is not None else None))
    return found


def _newest(db: DbSession) -> Mapping[str, datetime]:
    rows = db.execute(
        select(BackupRun.folder, func.max(BackupRun.began_at))
        .where(BackupRun.kind == RunKind.BACKUP, BackupRun.folder.is_not(None))
        .group_by(BackupRun.folder)
    )
    return {str(folder): at for folder, at in rows}


# ---- what only the roof knows


def plant(left: Left, words: Sequence[str]) -> None:
    """Put words where data lies: in clear and sealed in the database, and in each folder that is wiped."""
    in_rows, in_names, in_files = words
    with left.session() as db, unit_of_work(db, left.clock, ACTOR, frozen_too=True) as work:
        work.db.add(
            Council(
                id=new_id(),
                gss=in_rows[:9],
                code=in_rows[:10],
                name=in_rows,
                short_name=in_rows,
                kind=CouncilKind.COUNTY,
                region=in_rows,
                replaced_by=[in_rows],
            )
        )
        person = Person(id=new_id(), ref=new_reference("P"), created_at=work.now)
        person.name = in_names
        work.db.add(person)
    instance = left.settings.instance
    for folder in (instance / name for name in PLANTED_IN):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / f"{in_files}.txt").write_text(f"{in_names} {in_files}\n", encoding="utf-8")
