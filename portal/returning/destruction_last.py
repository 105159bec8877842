"""The second certificate: when the last backup has gone, and whatever else was still to expire.

The worker asks each minute. A folder of backups that could not be reached is emptied once it can be; one that never
can be again is confirmed by hand. After that the ledger of erasures has nothing left to guard, and goes too.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import delete

from portal.returning import closing
from portal.returning.destruction_course import Going, going_on, lines_of, write_certificate
from portal.returning.destruction_places import FOLDER, Left, alone
from privacy.backup_folder import TOMBSTONES, Busy, backups
from privacy.backup_manifest import BackupFault, Kind
from privacy.clock import london_date
from privacy.keystore import SUBJECT_KEY
from privacy.returns import stores
from privacy.returns.course import Step
from privacy.returns.destroy import clear_backups
from privacy.returns.journal import Journal
from privacy.returns.places import patient
from privacy.returns.stores import BACKUPS

LAST = "last_backup"


def settle(left: Left) -> list[str]:
    """Write every second certificate that is due; returns the references of these returns. Harmless to repeat.

    Where another process is at it, nothing is done.
    """
    done: list[str] = []
    if not waiting(left):
        return done
    with suppress(Busy), alone(left.settings):
        for reference in waiting(left):
            going = going_on(left, reference)
            if not list(_outstanding(going)):
                _certify(going)
                done.append(reference)
    return done


def waiting(left: Left) -> list[str]:
    """The returns with a first certificate and no second one. Reads the folder alone."""
    root = left.settings.instance / FOLDER
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if Journal.is_there(folder):
            entries = Journal(folder).entries()
            if "certificate" in entries and LAST not in entries:
                found.append(folder.name)
    return found


def _outstanding(going: Going) -> Iterator[str]:
    """What has not gone yet. A folder that can be reached again is emptied on the way."""
    today = london_date(going.left.clock())
    for line in lines_of(going):
        until = line.said.expires_on if line.said is not None else None
        if until is not None and until >= today:
            yield line.store.name
    with going.left.session() as db:
        said = stores.confirmations(db, going.course.of.id).get(BACKUPS)
    began_at = going.journal.entries()["backups"].at
    if said is not None and said.entered_at > began_at:
        if said.expires_on is not None and said.expires_on >= today:
            yield BACKUPS
        return
    for number, _, _ in going.journal.facts("backups")["outstanding"]:
        folder = _folder(going, number)
        gone = clear_backups(folder) is not None if going.full else _newer_alone(going, folder)
        if not gone:
            yield f"{BACKUPS} in folder {number}"


def _folder(going: Going, number: int) -> Path:
    """A folder of backups by its number in the certificate."""
    return Path(going.journal.facts("inventory")["backups"][number - 1][0])


def _newer_alone(going: Going, folder: Path) -> bool:
    """Whether every backup in a folder was made after a part was destroyed; a folder out of reach does not say."""
    destroyed_at = going.journal.entries()["scrub"].at
    try:
        found = [one for kind in Kind for one in backups(folder, kind)] if folder.is_dir() else None
    except BackupFault:
        return False
    return found is not None and all(one.manifest.made_at > destroyed_at for one in found)


def _certify(going: Going) -> None:
    if going.full:
        with patient(going.left.vault.engine) as connection:
            connection.execute(delete(SUBJECT_KEY).where(SUBJECT_KEY.c.wrapped.is_(None)))
        for place in going.places.backups:
            shutil.rmtree(place.folder / TOMBSTONES, ignore_errors=True)
    files = write_certificate(going, number=2)
    going.journal.note(LAST, at=going.left.clock(), files=files)
    going.happened(Step.LAST_BACKUP, digests=[files["certificate-2.json"], files["certificate-2.pdf"]])
    if going.full:
        said = closing.read(going.left.settings.instance)
        if said is not None:
            closing.mark(
                going.left.settings.instance, closing.settled(said, on=london_date(going.left.clock()))
            )
