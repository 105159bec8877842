"""An instance: its folder, its keys, its programme. Opened by what serves, works or commands; made by `init`.

Opening touches nothing: it reads keys and programme, opens the canary, and refuses by name what is missing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session as DbSession

from portal import programme as programmes
from portal import schema
from portal.models import InstanceFact
from portal.programme import Programme
from portal.settings import Mode, Settings
from privacy.audit import Action
from privacy.clock import Clock
from privacy.engines import open_engine
from privacy.errors import HolderErased, KeyFault, SealBroken
from privacy.file_systems import NotOnThisMachine, require_local
from privacy.keystore import METADATA, Vault
from privacy.moving.mark import Moved
from privacy.moving.target import under_way
from privacy.work import unit_of_work

CANARY = "This sentence opens only with the keys of this instance."
NOT_MADE = "this instance has not been made yet: run `flask init` (or `flask demo`)"
DEMO = "demo"
REAL = "real"
CLOSED = "closed"
SHIPPED_PROGRAMME = Path(__file__).resolve().parent.parent / "programme.toml"


class InstanceFault(Exception):
    """This instance cannot be opened or made; the message says why and what to do. Nothing was touched."""


class InstanceClosed(InstanceFault):
    """The data was returned and destroyed at the contract's end: there is nothing left to open."""

    def __init__(self) -> None:
        super().__init__("this instance was closed at the end of the contract: its data was destroyed")


@dataclass(frozen=True)
class Instance:
    """What an open instance lends to everything that runs on it."""

    settings: Settings
    programme: Programme
    vault: Vault
    clock: Clock
    demo: bool

    @property
    def outbox(self) -> Path:
        """Where sent mail lands when there is no SMTP server."""
        return self.settings.instance / "outbox"


def programme_path(settings: Settings) -> Path:
    """The file that was named, else the instance's own (a demo has one), else the one that is shipped."""
    own = settings.instance / "programme.toml"
    return settings.programme or (own if own.is_file() else SHIPPED_PROGRAMME)


@contextmanager
def _told() -> Iterator[None]:
    """What the files themselves forbid is a fault of the instance."""
    try:
        yield
    except (Moved, NotOnThisMachine) as fault:
        raise InstanceFault(str(fault)) from fault


@_told()
def open_instance(settings: Settings, *, engine: Engine, clock: Clock) -> Instance:
    """Open what `make` made. Raises InstanceFault (InstanceClosed), ProgrammeFaults or KeyFault; writes nothing."""
    _require_local(settings)
    _require_made(settings, engine)
    _require_tables(engine)
    ring = settings.key_source.load()
    keystore = open_engine(settings.keystore_url)
    try:
        if not _is_there(settings.keystore_url) or not inspect(keystore).has_table("subject_key"):
            raise InstanceFault("the key store is missing: without it nothing in the database can be opened")
        if not inspect(keystore).has_table("ring_key"):
            raise InstanceFault("the key store is older than this software: run `flask upgrade`")
        vault = Vault(ring, keystore, clock, reload=settings.key_source.load)
        vault.require_ring()
        programme = programmes.load(programme_path(settings))
        with DbSession(engine, info={"vault": vault}) as db:
            fact = open_canary(db)
            if fact.name == DEMO:
                _refuse_demo(settings)
            return Instance(settings, programme, vault, clock, demo=fact.name == DEMO)
    except BaseException:
        # Refused, nobody else knows of this engine: its connections would stay open until they are swept up.
        keystore.dispose()
        raise


def open_canary(db: DbSession) -> InstanceFact:
    """Prove that the keys of this session's vault open the data; returns what the instance is.

    Raises KeyFault, or InstanceFault where nothing has been made.
    """
    fact = db.scalars(select(InstanceFact)).first()
    if fact is None:
        raise InstanceFault(NOT_MADE)
    try:
        opened = fact.canary
    except (HolderErased, SealBroken) as error:
        raise KeyFault("the keys in the key folder are not the keys of this data") from error
    if opened != CANARY:
        raise KeyFault("the canary opens to something else: the data is not this instance's")
    return fact


@_told()
def make(
    settings: Settings, *, engine: Engine, clock: Clock, demo: bool, migrate: Callable[[], None]
) -> list[Path]:
    """Make keys, key store and tables where they are missing; returns the key files written.

    Raises InstanceFault where data is there and keys are not, or where a real instance would become a demo.
    """
    _require_local(settings)
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    if demo:
        _refuse_demo(settings)
    made_as = _made_as(engine)
    if made_as == CLOSED:
        raise InstanceClosed
    if demo and made_as == REAL:
        raise InstanceFault("this instance holds real data: it cannot become a demo")
    source = settings.key_source
    if made_as is not None and source.is_empty():
        raise InstanceFault(f"{settings.keys} holds no key-encryption key, and there is data that needs one")
    written = source.create() if made_as is None else []
    vault = Vault(source.load(), open_engine(settings.keystore_url), clock, reload=source.load)
    METADATA.create_all(vault.engine)
    migrate()
    if made_as is None:
        with DbSession(engine, info={"vault": vault}) as db, unit_of_work(db, clock, "system:init") as work:
            fact = InstanceFact(id=uuid4(), name=DEMO if demo else REAL, recorded_at=work.now)
            fact.canary = CANARY
            work.db.add(fact)
            work.record(Action.INSTANCE_MADE, object=f"instance:{fact.id}", demo=demo)
    vault.engine.dispose()
    return written


@_told()
def upgrade(settings: Settings, *, engine: Engine, migrate: Callable[[], None]) -> str | None:
    """Bring the tables of an instance to this release; returns the version that they were of. Raises InstanceFault."""
    _require_local(settings)
    _require_made(settings, engine)
    before = schema.version(engine)
    if before is not None and before > schema.newest():
        raise InstanceFault(
            f"the tables are of version {before}, and this release knows {schema.newest()}: use a newer release"
        )
    keystore = open_engine(settings.keystore_url)
    try:
        METADATA.create_all(keystore)
    finally:
        keystore.dispose()
    migrate()
    return before


def _refuse_demo(settings: Settings) -> None:
    if settings.mode is Mode.PRODUCTION:
        raise InstanceFault("a demo lets anybody in by a button: it is not for production mode")


def _is_there(url: str) -> bool:
    """Whether a database can be asked. Connecting to an SQLite file that is not there would make it."""
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()


def _require_local(settings: Settings) -> None:
    for url in (settings.database_url, settings.keystore_url):
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            require_local(Path(parsed.database))


def _require_made(settings: Settings, engine: Engine) -> None:
    made_as = _made_as(engine) if _is_there(settings.database_url) else None
    if made_as is None:
        raise InstanceFault(NOT_MADE)
    if made_as == CLOSED:
        raise InstanceClosed


def _require_tables(engine: Engine) -> None:
    """A newer database is no fault: it is one that other hosts were upgraded to first, and serves this release too."""
    found, needed = schema.version(engine), schema.newest()
    if schema.is_older(found):
        raise InstanceFault(
            f"the tables are of version {found}, and this release needs {needed}: run `flask upgrade`"
        )


def _made_as(engine: Engine) -> str | None:
    """What the instance in a database is; None where there is none. Raises InstanceFault while data moves into it."""
    if not inspect(engine).has_table("instance_fact"):
        return None
    with DbSession(engine) as db:
        found = db.scalars(select(InstanceFact.name)).first()
    if found is None and under_way(engine) is not None:
        raise InstanceFault("data is on its way into this database: finish `flask move` where it comes from")
    return found
