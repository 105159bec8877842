"""Long files of rows: put aside sealed, taken by a worker in one transaction, with a page that tells how far it is.

Short ones are taken while the page waits (portal/views/files.py). A worker claims a file for a quarter of an hour; it
writes the rows and that they are taken at once, so one that dies leaves a file that is taken again, once.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session as DbSession

from portal import imports
from portal.actors import open_roles
from portal.councils import file as council_file
from portal.filters import count
from portal.imports import Fault, FileFaults
from portal.instance import Instance
from portal.models import Person, Role, SentFile, SentFileState
from portal.packages import file as packages_file
from portal.people import file as people_file
from portal.programme import Programme
from privacy.clock import london_date
from privacy.errors import Frozen
from privacy.records import new_id
from privacy.returns import standstill
from privacy.work import Work, unit_of_work

ACTOR = "system:files"
LINES_AT_ONCE = 500
"""A longer file is not taken while the page waits."""
CLAIMED_FOR = timedelta(minutes=15)
STEPS = (SentFileState.WAITING, SentFileState.CHECKING, SentFileState.TAKING, SentFileState.TAKEN)
OPEN = frozenset({SentFileState.WAITING, SentFileState.CHECKING, SentFileState.TAKING})

log = structlog.get_logger("files")
Sessions = Callable[[], DbSession]


@dataclass(frozen=True)
class Kind:
    """What the rows of a file are: what checks them for an actor on a day, what takes them, both giving what an import
    did with its `notes`, and what is said of that."""

    check: Callable[[DbSession, Programme, bytes, str, datetime], Any]
    take: Callable[[Work, Programme, bytes], Any]
    said: Callable[[Any], str]


def _people(taken: people_file.Taken) -> str:
    new_people = count(taken.people, "new person", "new people")
    return f"Taken: {new_people} and {count(taken.offices, 'new role', 'new roles')}."


def _councils(taken: council_file.Taken) -> str:
    kept = count(taken.kept, "council", "councils")
    return f"{kept} in the file: {taken.added} new, {taken.changed} changed."


def _packages(taken: packages_file.Taken) -> str:
    return (
        f"Taken: {count(taken.packages, 'new package', 'new packages')}"
        f" and {count(taken.sessions, 'session', 'sessions')}."
    )


# By the name of the pages that list them and take a file of them.
KINDS: Mapping[str, Kind] = {
    "councils": Kind(
        lambda db, programme, data, actor, now: council_file.check_file(db, programme, data),
        council_file.import_file,
        _councils,
    ),
    "people": Kind(
        lambda db, programme, data, actor, now: people_file.check_file(
            db, programme, data, actor=actor, now=now
        ),
        people_file.import_file,
        _people,
    ),
    "packages": Kind(
        lambda db, programme, data, actor, now: packages_file.check_file(db, programme, data, now=now),
        packages_file.import_file,
        _packages,
    ),
}


def is_long(data: bytes) -> bool:
    """Whether a file is for the worker."""
    return data.count(b"\n") > LINES_AT_ONCE


def put(work: Work, *, person_id: UUID, kind: str, data: bytes) -> UUID:
    """Put a file aside for the worker."""
    row = SentFile(
        id=new_id(),
        person_id=person_id,
        kind=kind,
        state=SentFileState.WAITING,
        lines=data.count(b"\n"),
        sent_at=work.now,
    )
    row.data = data
    work.db.add(row)
    return row.id


def keep_refused(work: Work, *, person_id: UUID, kind: str, data: bytes, found: FileFaults) -> UUID | None:
    """Keep a file that was refused while its page waited, for the file to correct; None where there would be none."""
    if imports.marked(data, found.faults) is None:
        return None
    file_id = put(work, person_id=person_id, kind=kind, data=data)
    row = work.db.get_one(SentFile, file_id)
    row.state, row.ended_at, row.outcome = SentFileState.REFUSED, work.now, _refused(found)
    return file_id


def is_to_correct(sent: SentFile) -> bool:
    """Whether the rows of a file can be had with what is wrong with each: they are kept where it was refused for it."""
    return sent.state is SentFileState.REFUSED and sent.data_sealed is not None


def to_correct(sent: SentFile) -> bytes | None:
    """Those rows; None where they are not to be had."""
    return imports.marked(sent.data or b"", _faults(sent)) if is_to_correct(sent) else None


def _faults(sent: SentFile) -> list[Fault]:
    return [Fault(line, message) for line, message in (sent.outcome or {}).get("faults", ())]


def _refused(found: FileFaults) -> dict[str, object]:
    return {
        "said": "",
        "notes": found.notes,
        "faults": [[fault.line, fault.message] for fault in found.faults],
    }


def steps_done(state: SentFileState) -> int:
    """How many of the three steps (sent, checked, taken) are behind a file."""
    return STEPS.index(state) if state in STEPS else 0


# ---- what the worker does


def run(instance: Instance, sessions: Sessions) -> int:
    """Take what waits, one file after the other; returns how many. Any number of workers may run it.

    While everything is frozen nothing is taken: what waits is taken afterwards.
    """
    with sessions() as db:
        if standstill.is_frozen(db):
            return 0
    taken = 0
    while (found := _claim(instance, sessions)) is not None:
        _take(instance, sessions, found)
        taken += 1
    return taken


def _claim(instance: Instance, sessions: Sessions) -> UUID | None:
    """The file that waits longest, now ours; None if there is none."""
    with sessions() as db:
        free = or_(SentFile.claimed_until.is_(None), SentFile.claimed_until <= instance.clock())
        waiting = (
            select(SentFile.id).where(SentFile.state.in_(OPEN), free).order_by(SentFile.sent_at, SentFile.id)
        )
        # Most rounds there is nothing: the write lock is taken only when there is.
        if db.scalars(waiting.limit(1)).first() is None:
            return None
        with unit_of_work(db, instance.clock, ACTOR) as work:
            found = work.db.scalars(waiting.limit(1).with_for_update(skip_locked=True)).first()
            if found is not None:
                work.db.execute(
                    update(SentFile)
                    .where(SentFile.id == found)
                    .values(claimed_until=work.now + CLAIMED_FOR, state=SentFileState.CHECKING)
                )
        return found


def _take(instance: Instance, sessions: Sessions, file_id: UUID) -> None:
    try:
        with sessions() as db:
            row = db.get(SentFile, file_id)
            if row is None or row.state not in OPEN:
                return
            kind, actor, data = KINDS[row.kind], f"person:{row.person_id}", row.data or b""
            kind.check(db, instance.programme, data, actor, instance.clock())
        _note(instance, sessions, file_id, SentFileState.TAKING)
        with sessions() as db, unit_of_work(db, instance.clock, actor) as work:
            if _open(work, file_id) is None:
                return
            _require_team(work, file_id)
            taken = kind.take(work, instance.programme, data)
            outcome = {"said": kind.said(taken), "notes": taken.notes, "faults": []}
            _end(work, file_id, SentFileState.TAKEN, outcome)
        log.info("file.taken", file=str(file_id))
    except FileFaults as faults:
        _note(instance, sessions, file_id, SentFileState.REFUSED, _refused(faults))
        log.info("file.refused", file=str(file_id), count=len(faults.faults))
    except OperationalError:
        # Locked or away: the next round takes it, or a later one where not even this can be written.
        with suppress(OperationalError), sessions() as db, unit_of_work(db, instance.clock, ACTOR) as work:
            if (row := _open(work, file_id)) is not None:
                row.claimed_until = None
        raise
    except Frozen as frozen:
        if not frozen.part:
            raise
        outcome = {"said": "", "notes": [f"{frozen}."], "faults": []}
        _note(instance, sessions, file_id, SentFileState.REFUSED, outcome)
    except Exception as error:  # noqa: BLE001 - one file that cannot be taken must not stop the worker
        _note(instance, sessions, file_id, SentFileState.FAILED)
        log.error("file.failed", file=str(file_id), trouble=type(error).__name__)


def _require_team(work: Work, file_id: UUID) -> None:
    """Who sent it may have lost the right to since."""
    sender = work.db.get_one(Person, work.db.get_one(SentFile, file_id).person_id)
    if sender.disabled_at is not None or Role.TEAM not in open_roles(sender, london_date(work.now)):
        raise FileFaults([], ["You may not send files any more."])


def _note(
    instance: Instance,
    sessions: Sessions,
    file_id: UUID,
    state: SentFileState,
    outcome: dict[str, object] | None = None,
) -> None:
    with sessions() as db, unit_of_work(db, instance.clock, ACTOR) as work:
        row = _open(work, file_id)
        if row is None:
            return
        if state in OPEN:
            row.state = state
        else:
            _end(work, file_id, state, outcome)


def _open(work: Work, file_id: UUID) -> SentFile | None:
    """The file, locked; None where it was taken meanwhile by a worker that had lost its claim, or let go."""
    asked = select(SentFile).where(SentFile.id == file_id, SentFile.state.in_(OPEN))
    return work.db.scalars(asked.with_for_update()).first()


def _end(work: Work, file_id: UUID, state: SentFileState, outcome: dict[str, object] | None) -> None:
    row = work.db.get_one(SentFile, file_id)
    row.state, row.ended_at, row.claimed_until = state, work.now, None
    row.outcome = outcome
    faults = _faults(row) if state is SentFileState.REFUSED else ()
    if not faults or imports.marked(row.data or b"", faults) is None:
        row.data = None
