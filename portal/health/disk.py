"""Room on the disks where the portal keeps its data, and whether the database has said that there is none.

A full disk cannot be noted in the database. So it is looked at where it is asked for; and since a database on another
machine has a disk that nobody here sees, each process remembers for a minute that a write was refused.
"""

import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from sqlalchemy.engine import make_url

from portal.settings import Settings
from privacy.clock import ticks

REMEMBERED_SECONDS = 60.0
NONE_LEFT, NONE_LEFT_BYTES = 0.01, 64 * 1024**2
LITTLE_LEFT, LITTLE_LEFT_BYTES = 0.05, 1024**3
"""Part of the disk, and bytes, of which the smaller counts: a large disk has room with less of it free."""


class Room(StrEnum):
    """How much is left."""

    ENOUGH = "enough"
    LITTLE = "little"
    NONE = "none"


class Disks:
    """The disks of one process's settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refused_at: float | None = None

    def refused(self) -> None:
        """The database has just said that it has no room."""
        self._refused_at = ticks()

    def room(self) -> Room:
        """The least of all disks that data is written to; NONE for a minute after a write was refused."""
        if self._refused_at is not None and ticks() < self._refused_at + REMEMBERED_SECONDS:
            return Room.NONE
        found = {_room(free, total) for _, free, total in self.free()}
        return next((room for room in (Room.NONE, Room.LITTLE) if room in found), Room.ENOUGH)

    def free(self) -> Iterator[tuple[str, int, int]]:
        """What is written there, bytes that are free, and all bytes. A folder that is away is left out."""
        for name, folder in self._folders().items():
            if folder.is_dir():
                usage = shutil.disk_usage(folder)
                yield name, usage.free, usage.total

    def _folders(self) -> dict[str, Path]:
        settings = self._settings
        found = {"instance": settings.instance}
        for name, url in (("database", settings.database_url), ("keystore", settings.keystore_url)):
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                found[name] = Path(parsed.database).parent
        if settings.backups is not None:
            found["backups"] = settings.backups.folder
        return found


def _room(free: int, total: int) -> Room:
    if free < min(total * NONE_LEFT, NONE_LEFT_BYTES):
        return Room.NONE
    return Room.LITTLE if free < min(total * LITTLE_LEFT, LITTLE_LEFT_BYTES) else Room.ENOUGH
