"""Moving, going on, taking it back, and emptying what is left behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as DbSession

from portal.instance import open_canary
from portal.moving.ends import FACT, Ends, Journey, open_ends, require_kinds, thing
from portal.moving.looking import look
from portal.settings import Settings
from privacy import audit
from privacy.audit import Action
from privacy.backup_postgres import alone
from privacy.clock import Clock
from privacy.engines import open_engine
from privacy.keystore import METADATA
from privacy.moving import mark as marks
from privacy.moving import target as targets
from privacy.moving.copying import compare, compare_table, copy, send
from privacy.moving.mark import Mark, passing
from privacy.moving.tables import Counted, stored
from privacy.moving.target import Course, MoveRefused, address
from privacy.progress import NamedProgress
from privacy.records import new_id
from privacy.scrub import vacuum
from privacy.transactions import writing
from privacy.work import Work, unit_of_work

ACTOR = "system:move"


@dataclass(frozen=True)
class Outcome:
    """What each table holds, the same on both sides; empty where everything had arrived before."""

    tables: dict[str, Counted] = field(default_factory=dict)
    keys: dict[str, Counted] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(one.rows for one in (*self.tables.values(), *self.keys.values()))


def move(journey: Journey, *, tell: NamedProgress) -> Outcome:
    """Move everything, or go on where it was stopped. Raises as `plan` does, and NotTheSame."""
    require_kinds(journey)
    targets.require_server(journey.to.database_url)
    with alone(journey.to.database_url), open_ends(journey) as ends:
        found = look(journey, ends)
        if found.begun is not None and found.arrived:
            _end(journey, ends, found.begun)
            return Outcome()
        if journey.keys_move:
            targets.make_database(journey.to.keystore_url, by=journey.to.database_url)
        begun = _marked(journey, ends, found.begun)
        _prepare(journey, ends, begun.id)
        counter = _Counter(tell, found.total)
        if journey.keys_move:
            copy(ends.keys, tell=counter.of("copying"))
        copy(ends.data, tell=counter.of("copying"))
        keys = compare(ends.keys, tell=counter.of("comparing")) if journey.keys_move else {}
        outcome = Outcome(compare(ends.data, tell=counter.of("comparing")), keys)
        begun = replace(begun, settling_at=journey.clock())
        _put(journey, ends, begun)
        outcome.tables[FACT.name] = _settle(journey, ends, begun, outcome.rows + 1)
        _end(journey, ends, begun)
    return outcome


class _Counter:
    def __init__(self, tell: NamedProgress, total: int) -> None:
        self._tell, self._total = tell, total
        self._done: dict[str, int] = {}

    def of(self, what: str) -> Callable[[int], None]:
        def more(rows: int) -> None:
            self._done[what] = self._done.get(what, 0) + rows
            self._tell(what, self._done[what], self._total)

        return more


def _marked(journey: Journey, ends: Ends, begun: Mark | None) -> Mark:
    """Mark both files, so that nothing begins on them any more; every work that began before has ended then."""
    if begun is None:
        keystore = address(journey.to.keystore_url) if journey.keys_move else None
        begun = Mark(new_id(), journey.clock(), address(journey.to.database_url), keystore)
        with _working(ends, journey.clock) as work:
            _mark(work.db.connection(), begun)
            work.record(Action.MOVE_BEGUN, object=thing(begun.id))
    _put(journey, ends, begun)
    return begun


def _put(journey: Journey, ends: Ends, mark: Mark) -> None:
    for engine in (ends.source, *([ends.vault.engine] if journey.keys_move else [])):
        with writing(engine) as connection:
            _mark(connection, mark)


def _mark(connection: Connection, mark: Mark) -> None:
    """Mark a file, under its write lock: another move may have begun since it was looked at."""
    found = marks.marked(connection)
    if found is not None and found.id != mark.id:
        raise MoveRefused(f"another move has begun meanwhile, to {found.database}")
    marks.put(connection, mark)


@contextmanager
def _working(ends: Ends, clock: Clock) -> Iterator[Work]:
    with (
        DbSession(ends.source, info={"vault": ends.vault}) as db,
        unit_of_work(db, clock, ACTOR, frozen_too=True) as work,
    ):
        yield work


def _prepare(journey: Journey, ends: Ends, move_id: UUID) -> None:
    """The tables of this release, empty, and room for notes."""
    if journey.keys_move:
        METADATA.create_all(ends.new_vault.engine)
        with ends.new_vault.engine.begin() as connection:
            Course.begin(connection, move_id)
    journey.migrate(ends.target)
    with ends.target.begin() as connection:
        Course.begin(connection, move_id)


def _settle(journey: Journey, ends: Ends, begun: Mark, rows: int) -> Counted:
    """Make it an instance there. With the commit of this the new database is the one."""
    with (
        ends.source.connect() as source,
        DbSession(ends.target, info={"vault": ends.new_vault}) as db,
        unit_of_work(db, journey.clock, ACTOR, frozen_too=True) as work,
    ):
        there = db.connection()
        columns = list(FACT.columns)
        send(there, FACT, columns, stored(source, FACT, columns))
        same = compare_table(source, there, FACT)
        ends.new_vault.require_ring()
        open_canary(db)
        audit.verify(db, ends.new_vault.ring)
        targets.end(there)
        work.record(Action.MOVE_DONE, object=thing(begun.id), rows=rows)
    return same


def _end(journey: Journey, ends: Ends, begun: Mark) -> None:
    if journey.keys_move:
        with ends.new_vault.engine.begin() as connection:
            targets.end(connection)
    _put(journey, ends, replace(begun, done_at=journey.clock()))


# ---- Afterwards


def begun_here(settings: Settings) -> Mark | None:
    """The mark on the data of these settings."""
    if make_url(settings.database_url).get_backend_name() != "sqlite":
        return None
    engine = passing(open_engine(settings.database_url))
    try:
        with engine.connect() as connection:
            return marks.marked(connection)
    finally:
        engine.dispose()


def undo(settings: Settings, *, clock: Clock) -> None:
    """Take the mark off: the data here is used again. What is in the other database stays there. Raises MoveRefused."""
    with _left(settings, clock) as (begun, ends):
        if not inspect(ends.source).has_table(FACT.name):
            raise MoveRefused(
                "the files here were emptied after the move: the data is in the new database alone"
            )
        # The key store first: with its mark alone nothing could begin, and this would not be found again.
        for engine in _files(ends):
            with writing(engine) as connection:
                marks.take_off(connection)
        with _working(ends, clock) as work:
            work.record(Action.MOVE_UNDONE, object=thing(begun.id))


def clear(settings: Settings, *, clock: Clock) -> None:
    """Overwrite what the files here still hold of data that has moved: no erasure would reach it. The marks stay.

    Raises MoveRefused before the move has ended.
    """
    with _left(settings, clock) as (begun, ends):
        if begun.done_at is None:
            raise MoveRefused("the move has not ended: run `flask move` with its addresses again")
        # The data first: stopped in between, `undo` finds that it has gone, and this can be run again.
        for engine in reversed(_files(ends)):
            with writing(engine) as connection:
                marks.empty(connection)
            vacuum(engine)


def _files(ends: Ends) -> list[Engine]:
    return [one for one in (ends.vault.engine, ends.source) if one.dialect.name == "sqlite"]


@contextmanager
def _left(settings: Settings, clock: Clock) -> Iterator[tuple[Mark, Ends]]:
    begun = begun_here(settings)
    if begun is None:
        raise MoveRefused("nothing has been moved from here")
    with open_ends(Journey(settings, settings, clock, lambda engine: None)) as ends:
        yield begun, ends
