"""From where to where: the databases of both sides, opened past the mark, and the keys over each key store."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, Table
from sqlalchemy.engine import make_url

from portal.models import InstanceFact
from portal.settings import Settings
from privacy import reach
from privacy.clock import Clock
from privacy.engines import open_engine
from privacy.keystore import METADATA, Vault
from privacy.moving.copying import Route
from privacy.moving.mark import passing
from privacy.moving.target import MoveRefused, address
from privacy.records import Record

BESIDE = "_keystore"
"""What is added to the name of the data's database where none is given for the key store."""
FACT: Table = Record.metadata.tables[InstanceFact.__tablename__]


@dataclass(frozen=True)
class Journey:
    """From the databases of one settings to those of others. `migrate` makes the tables of this release."""

    settings: Settings
    to: Settings
    clock: Clock
    migrate: Callable[[Engine], None]

    @property
    def keys_move(self) -> bool:
        return self.settings.keystore_url != self.to.keystore_url


@dataclass(frozen=True)
class Ends:
    """The engines of both sides, and the keys over each key store."""

    source: Engine
    target: Engine
    vault: Vault
    new_vault: Vault

    @property
    def data(self) -> Route:
        """All but the row that makes it an instance."""
        return Route(self.source, self.target, [one for one in reach.tables() if one is not FACT])

    @property
    def keys(self) -> Route:
        return Route(self.vault.engine, self.new_vault.engine, METADATA.sorted_tables)


@contextmanager
def open_ends(journey: Journey) -> Iterator[Ends]:
    ring = journey.settings.key_source.load()
    with ExitStack() as stack:

        def opened(url: str) -> Engine:
            engine = open_engine(url)
            stack.callback(engine.dispose)
            return passing(engine)

        yield Ends(
            opened(journey.settings.database_url),
            opened(journey.to.database_url),
            Vault(ring, opened(journey.settings.keystore_url), journey.clock),
            Vault(ring, opened(journey.to.keystore_url), journey.clock),
        )


def beside(url: str) -> str:
    """The database for the key store, next to that of the data."""
    parsed = make_url(url)
    return parsed.set(database=f"{parsed.database}{BESIDE}").render_as_string(hide_password=False)


def require_kinds(journey: Journey) -> None:
    kinds = [make_url(one.database_url).get_backend_name() for one in (journey.settings, journey.to)]
    if kinds[0] != "sqlite":
        raise MoveRefused(
            f"the data is in {address(journey.settings.database_url)} already: what moves is an instance on SQLite"
        )
    if kinds[1] != "postgresql" or make_url(journey.to.keystore_url).get_backend_name() != "postgresql":
        raise MoveRefused("the data moves to PostgreSQL: an address such as postgresql://user@host/portal")
    if make_url(journey.settings.keystore_url).get_backend_name() != "sqlite" and journey.keys_move:
        raise MoveRefused(
            "the key store is on PostgreSQL already: leave --keystore-to out, and it stays there"
        )


def thing(move_id: UUID) -> str:
    """How the trail calls a move."""
    return f"move:{move_id}"
