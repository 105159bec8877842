"""Exports of one person's data: asked for, built by a worker, sealed at rest, fetched once within seven days.

Built in a private folder and sealed with the person's own key, so that erasing them leaves nothing to open. How
old an export is, is asked when it is fetched and not by a timer. If one store does not answer, nothing is
released (Articles 12(3) and 15).
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, true, update
from sqlalchemy.orm import Session as DbSession

from privacy import purge, reach
from privacy.audit import Action
from privacy.cases import acts
from privacy.cases.rules import CaseRefused
from privacy.cases.tables import Event
from privacy.clock import Clock
from privacy.columns import keys_of, seal, unseal
from privacy.erasure import NobodyThere
from privacy.holdings import said
from privacy.person_data import Gathered, Reader, Row, Store, flags, stores
from privacy.person_file import Cover, build
from privacy.processing import HOW_LONG, WHY
from privacy.progress import Progress, untold
from privacy.records import Keep, new_id
from privacy.rights import ExportState, PersonExport
from privacy.work import Work, unit_of_work

ACTOR = "system:person_exports"
KEPT = timedelta(days=Keep.RELEASED.days or 0)
CLAIMED_FOR = timedelta(minutes=10)
SUFFIX = ".sealed"
LEFT_OUT = "Not in this copy"
NOT_HERE = "Somebody else wrote this: it is looked at first, and follows"

log = structlog.get_logger("person_exports")

Sessions = Callable[[], DbSession]


Look = Callable[[Store], tuple[Store, int]]
"""Takes out of a store what nobody has looked at yet; how many rows and passages that was."""


def nothing_typed(db: DbSession, person_id: UUID) -> Look:
    """Nothing that anybody typed, where nobody says more."""

    def look(store: Store) -> tuple[Store, int]:
        return without(store, lambda name, row: True)

    return look


def without(store: Store, hidden: Callable[[str, Row], bool]) -> tuple[Store, int]:
    """A store without the typed values for which `hidden` holds, and how many those are."""
    rows, count = [], 0
    for row in store.rows:
        gone = {name for name in row.free if row.values[name] and hidden(name, row)}
        count += len(gone)
        values = {name: NOT_HERE if name in gone else value for name, value in row.values.items()}
        # What would stand in words for a value that is left out is left out with it.
        words = () if gone & row.coded else row.words
        rows.append(Row(values, words, row.free, row.coded - gone))
    return replace(store, rows=rows), count


class StoreFailed(Exception):
    """A store did not answer: nothing is released. The message names it."""


class NotReleased(LookupError):
    """There is no such file any more: fetched, too old, erased, or never ready."""


@dataclass(frozen=True)
class Desk:
    """What building an export needs. `about` is what the record of processing says to the person; `own` makes what
    takes out of the copy that somebody asks for themselves what has to be looked at first; `called` is what people
    call a store."""

    sessions: Sessions
    clock: Clock
    folder: Path
    readers: Mapping[str, Reader]
    about: Mapping[str, Sequence[str]]
    own: Callable[[DbSession, UUID], Look] = nothing_typed
    called: Callable[[str], str] = said


def ask(work: Work, *, person_id: UUID, case_id: UUID | None = None) -> PersonExport:
    """Ask for an export; one that waits or is being built already for the same case is given back.

    For a case, that it was made is written there. Raises NobodyThere.
    """
    if not purge.exists(work.db, person_id, lock=True):
        raise NobodyThere(str(person_id))
    waiting = work.db.scalars(
        select(PersonExport).where(
            PersonExport.person_id == person_id,
            PersonExport.case_id == case_id,
            PersonExport.by == work.actor,
            PersonExport.state.in_((ExportState.ASKED, ExportState.BUILDING)),
        )
    ).first()
    if waiting is not None:
        return waiting
    export = PersonExport(
        id=new_id(),
        person_id=person_id,
        case_id=case_id,
        state=ExportState.ASKED,
        asked_at=work.now,
        by=work.actor,
        stores=0,
        answered=0,
    )
    work.db.add(export)
    return export


def of_person(db: DbSession, person_id: UUID) -> Sequence[PersonExport]:
    """Somebody's exports, newest first."""
    return db.scalars(
        select(PersonExport)
        .where(PersonExport.person_id == person_id)
        .order_by(PersonExport.asked_at.desc(), PersonExport.id)
    ).all()


def is_released(export: PersonExport, *, now: datetime) -> bool:
    """Whether it can be fetched."""
    return export.state is ExportState.READY and export.ready_at is not None and now < export.ready_at + KEPT


# ---- building


def run(desk: Desk) -> int:
    """Build what was asked for; returns how many. Any number of workers may run it at any time."""
    done = 0
    while (claimed := _claim(desk)) is not None:
        export_id, person_id, own = claimed
        try:
            _build(desk, export_id, person_id, own=own)
        except StoreFailed as failed:
            _mark(
                desk, export_id, state=ExportState.FAILED, failed_store=str(failed)[:60], claimed_until=None
            )
            log.error("person_export.failed", export=str(export_id), store=str(failed))
        done += 1
    return done


def is_own(export: PersonExport) -> bool:
    """Whether the person asked for it themselves."""
    return export.by == f"person:{export.person_id}"


def _claim(desk: Desk) -> tuple[UUID, UUID, bool] | None:
    with desk.sessions() as db:
        if db.execute(select(PersonExport.id).where(_waits(desk.clock())).limit(1)).first() is None:
            return None
    with desk.sessions() as db, unit_of_work(db, desk.clock, ACTOR, frozen_too=True) as work:
        one = work.db.scalars(
            select(PersonExport)
            .where(_waits(work.now))
            .order_by(PersonExport.asked_at, PersonExport.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if one is None:
            return None
        one.state, one.claimed_until = ExportState.BUILDING, work.now + CLAIMED_FOR
        return one.id, one.person_id, is_own(one)


def _waits(now: datetime) -> ColumnElement[bool]:
    left = and_(PersonExport.state == ExportState.BUILDING, PersonExport.claimed_until <= now)
    return or_(PersonExport.state == ExportState.ASKED, left)


def _build(desk: Desk, export_id: UUID, person_id: UUID, *, own: bool) -> None:
    def tell(answered: int, asked: int) -> None:
        _mark(desk, export_id, stores=asked, answered=answered)

    with desk.sessions() as db:
        cover, gathered, left_out = put_together(desk, db, person_id, tell=tell, own=own)
        data = build(cover, gathered)
        keys = keys_of(db)
        keys.fetch([person_id])
        sealed = seal(
            keys, data, table=PersonExport.__tablename__, column="file", row=export_id, holder=person_id
        )
    path = desk.folder / f"{export_id}{SUFFIX}"
    _write(path, sealed)
    ready = {
        "state": ExportState.READY,
        "ready_at": desk.clock(),
        "claimed_until": None,
        "left_out": left_out,
    }
    if not _mark(desk, export_id, record=person_id, **ready):
        # Erased meanwhile, and the row with them.
        path.unlink(missing_ok=True)


def whole(desk: Desk, db: DbSession, person_id: UUID, *, tell: Progress = untold) -> bytes:
    """The file of everything held about somebody, as of one moment. Raises StoreFailed or NobodyThere."""
    cover, gathered, _ = put_together(desk, db, person_id, tell=tell)
    return build(cover, gathered)


def put_together(
    desk: Desk,
    db: DbSession,
    person_id: UUID,
    *,
    tell: Progress = untold,
    own: bool = False,
) -> tuple[Cover, Gathered, int]:
    """What the file is built of, and how many passages are left out of it: with `own`, those that others wrote.

    Raises StoreFailed or NobodyThere.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.rollback()
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    people = reach.root()
    reference = db.scalar(select(people.c.ref).where(people.c.id == person_id))
    if reference is None:
        raise NobodyThere(str(person_id))
    asked = stores(db, person_id, readers=desk.readers)
    answered: list[Store] = []
    left_out = 0
    look = desk.own(db, person_id) if own else None
    tell(0, len(asked))
    for one in asked:
        try:
            store = one.answer()
        except Exception as error:
            raise StoreFailed(one.name) from error
        if look is not None:
            store, more = look(store)
            left_out += more
        answered.append(replace(store, name=one.name))
        tell(len(answered), len(asked))
    held = [store for store in answered if store.rows]
    about = {
        **desk.about,
        WHY: list(dict.fromkeys(store.purpose for store in held)),
        HOW_LONG: sorted({store.keep for store in held}),
        **({LEFT_OUT: _left_out(left_out)} if left_out else {}),
    }
    cover = Cover(reference, desk.clock(), len(answered), len(asked), about, desk.called)
    # What they wrote or see anyway needs no look before they get it.
    named = [] if own else flags(db, person_id, answered)
    return cover, Gathered(person_id, answered, named), left_out


def _left_out(count: int) -> list[str]:
    passages = "1 passage" if count == 1 else f"{count} passages"
    return [
        f"{passages} that somebody else wrote. We check that other people are not named in it, and send it on."
    ]


def _mark(desk: Desk, export_id: UUID, *, record: UUID | None = None, **values: object) -> bool:
    """Note how far it is; False if its row is gone."""
    with desk.sessions() as db, unit_of_work(db, desk.clock, ACTOR, frozen_too=True) as work:
        known = work.db.execute(
            update(PersonExport)
            .where(PersonExport.id == export_id)
            .values(**values)
            .returning(PersonExport.answered, PersonExport.left_out, PersonExport.case_id)
            .execution_options(synchronize_session=False)
        ).first()
        if known is not None and record is not None:
            work.record(
                Action.PERSON_EXPORTED, object=f"person_export:{export_id}", holder=record, stores=known[0]
            )
            if known.case_id is not None:
                body = {"export": str(export_id), "stores": known.answered, "left_out": known.left_out}
                # Closed in the meantime: then nobody waits for it.
                with suppress(CaseRefused):
                    acts.happen(work, case_id=known.case_id, kind=Event.PACKAGE_MADE, body=body)
    return known is not None


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def note_written(work: Work, person_id: UUID) -> None:
    """Note that an export was taken out by a command, before its file gets its name."""
    export = PersonExport(
        id=new_id(),
        person_id=person_id,
        state=ExportState.FETCHED,
        asked_at=work.now,
        by=work.actor,
        stores=0,
        answered=0,
        ready_at=work.now,
        fetched_at=work.now,
    )
    work.db.add(export)
    work.record(Action.PERSON_EXPORT_FETCHED, object=f"person_export:{export.id}", holder=person_id)


def write_out(path: Path, data: bytes) -> None:
    """Write a file that its owner alone can read, whole or not at all."""
    _write(path, data)


# ---- fetching


def fetch(
    work: Work, folder: Path, *, export_id: UUID, person_id: UUID, by_themselves: bool = False
) -> bytes:
    """The archive, once: from here on it is fetched. `by_themselves`: one that the person asked for.

    Raises NotReleased.
    """
    own = PersonExport.by == f"person:{person_id}" if by_themselves else true()
    taken = work.db.execute(
        update(PersonExport)
        .where(
            PersonExport.id == export_id,
            PersonExport.person_id == person_id,
            own,
            PersonExport.state == ExportState.READY,
            PersonExport.ready_at > work.now - KEPT,
        )
        .values(state=ExportState.FETCHED, fetched_at=work.now)
        .returning(PersonExport.id)
        .execution_options(synchronize_session=False)
    ).first()
    path = folder / f"{export_id}{SUFFIX}"
    if taken is None or not path.is_file():
        raise NotReleased(str(export_id))
    keys = keys_of(work.db)
    data = unseal(
        keys,
        path.read_bytes(),
        table=PersonExport.__tablename__,
        column="file",
        row=export_id,
        holder=person_id,
    )
    work.record(Action.PERSON_EXPORT_FETCHED, object=f"person_export:{export_id}", holder=person_id)
    return data


def sweep(db: DbSession, folder: Path, *, now: datetime) -> int:
    """Remove the files of exports that were fetched, are too old or are gone; returns how many went."""
    removed = 0
    for path in _files(folder):
        export = db.get(PersonExport, UUID(path.name.partition(".")[0]), populate_existing=True)
        building = export is not None and export.state is ExportState.BUILDING
        if export is None or not (building or is_released(export, now=now)):
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (path for path in folder.iterdir() if SUFFIX in path.name)
