"""What a move would do, and whether it may: both sides are looked at, and nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, Table, inspect, select
from sqlalchemy.orm import Session as DbSession

from portal import schema
from portal.instance import CLOSED, InstanceClosed, InstanceFault, open_canary
from portal.models import InstanceFact
from portal.moving.ends import FACT, Ends, Journey, open_ends, require_kinds, thing
from privacy import audit, reach
from privacy.audit import Action, AuditEntry
from privacy.backup_postgres import alone
from privacy.keystore import METADATA
from privacy.moving import mark as marks
from privacy.moving import target as targets
from privacy.moving.mark import Mark
from privacy.moving.tables import misfits
from privacy.moving.target import MoveRefused, address


@dataclass(frozen=True)
class Plan:
    """What a move would do, or will go on with. `rows` by table of the data, `keys` by table of the key store."""

    rows: dict[str, int]
    keys: dict[str, int]
    begun: Mark | None
    arrived: bool

    @property
    def total(self) -> int:
        return sum(self.rows.values()) + sum(self.keys.values())


def plan(journey: Journey) -> Plan:
    """Look at both sides and change nothing. Raises MoveRefused, InstanceFault, KeyFault or ChainBroken."""
    require_kinds(journey)
    targets.require_server(journey.to.database_url)
    with alone(journey.to.database_url), open_ends(journey) as ends:
        return look(journey, ends)


def look(journey: Journey, ends: Ends) -> Plan:
    begun = _look_at_source(journey, ends)
    rows, keys = _fitting(ends.source, reach.tables()), _fitting(ends.vault.engine, METADATA.sorted_tables)
    if not journey.keys_move:
        keys = {}
    elif targets.is_there(journey.to.keystore_url):
        targets.require_server(journey.to.keystore_url)
        targets.require_apart(journey.to.database_url, journey.to.keystore_url)
    if begun is not None and has_arrived(ends, begun):
        return Plan(rows, keys, begun, arrived=True)
    _require_room(journey, ends, begun)
    return Plan(rows, keys, begun, arrived=False)


def _look_at_source(journey: Journey, ends: Ends) -> Mark | None:
    """Raises what opening an instance raises; the mark that is on it, if any."""
    if not inspect(ends.source).has_table(FACT.name):
        raise InstanceFault("there is no instance here to move")
    with ends.source.connect() as connection:
        begun = marks.marked(connection)
    found = schema.version(ends.source)
    if found != schema.newest():
        raise MoveRefused(
            f"the tables here are of version {found}, and this release works with {schema.newest()}: "
            "run `flask upgrade` first"
        )
    ends.vault.require_ring()
    with DbSession(ends.source, info={"vault": ends.vault}) as db:
        if db.scalars(select(InstanceFact.name)).first() == CLOSED:
            raise InstanceClosed
        open_canary(db)
        audit.verify(db, ends.vault.ring)
    return begun


def _fitting(engine: Engine, tables: Sequence[Table]) -> dict[str, int]:
    """How many rows each table has. Raises MoveRefused for what PostgreSQL would not take, all of it at once."""
    rows, faults = {}, []
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            return {}
        for table in tables:
            rows[table.name], found = misfits(connection, table)
            faults += found
    if faults:
        raise MoveRefused("PostgreSQL would not take this: " + "; ".join(faults))
    return rows


def _require_room(journey: Journey, ends: Ends, begun: Mark | None) -> None:
    where = address(journey.to.database_url)
    known = targets.under_way(ends.target)
    if known is not None and (begun is None or known != begun.id):
        raise MoveRefused(f"{where} holds the beginning of another move: drop the database and make it anew")
    if known is not None:
        return
    if begun is not None and begun.database != where:
        raise MoveRefused(
            f"a move to {begun.database} has begun: name that again, or stay here with `flask move --undo` first"
        )
    found = schema.version(ends.target)
    if found not in (None, schema.newest()):
        raise MoveRefused(
            f"the tables in {where} are of version {found}, and those here of {schema.newest()}: "
            "name an empty database"
        )
    if not targets.is_empty(ends.target, reach.tables()):
        raise MoveRefused(f"{where} is not empty: name an empty database")
    if journey.keys_move and targets.is_there(journey.to.keystore_url):
        _require_room_for_keys(ends.new_vault.engine, address(journey.to.keystore_url), begun)


def _require_room_for_keys(engine: Engine, where: str, begun: Mark | None) -> None:
    known = targets.under_way(engine)
    if known is None and not targets.is_empty(engine, METADATA.sorted_tables):
        raise MoveRefused(f"{where} is not empty: name an empty database with --keystore-to")
    if known is not None and (begun is None or known != begun.id):
        raise MoveRefused(f"{where} holds the beginning of another move: drop the database and make it anew")


def has_arrived(ends: Ends, begun: Mark) -> bool:
    """Whether this move was settled there, and only the end is missing."""
    if not inspect(ends.target).has_table(AuditEntry.__tablename__):
        return False
    with DbSession(ends.target) as db:
        settled = select(AuditEntry.seq).where(
            AuditEntry.action == Action.MOVE_DONE.word, AuditEntry.object == thing(begun.id)
        )
        return db.scalars(settled.limit(1)).first() is not None
