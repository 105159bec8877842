"""Taking over from another contractor: a package becomes an instance of this software, with keys of its own (cl 15).

An instance that is there already is never loaded into. What was frozen when the package was built is frozen here too:
nobody is written to before the return that came along is withdrawn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, inspect, select
from sqlalchemy.orm import Session as DbSession

from portal.instance import CANARY, DEMO, REAL
from portal.models import InstanceFact, Person
from portal.returning.packaging import APART
from portal.settings import Settings
from privacy.clock import Clock
from privacy.columns import AddressKeys
from privacy.engines import open_engine
from privacy.keystore import METADATA, Vault
from privacy.progress import Progress, untold
from privacy.records import new_id
from privacy.returns.load import LoadRefused, Made, Target, load
from privacy.returns.verify import described, verify
from privacy.scratch import scratch


@dataclass(frozen=True)
class TakenOver:
    """What was loaded, and the key files that were made for it."""

    rows: int
    keys: list[Path]


def take_over(
    settings: Settings,
    folder: Path,
    key: Path,
    *,
    engine: Engine,
    clock: Clock,
    migrate: Callable[[], object],
    schema: str | None,
    fingerprint: str | None = None,
    progress: Progress = untold,
) -> TakenOver:
    """Verify a package, open it in a private folder, and load it. `fingerprint` is that of who may have signed it.

    Raises PackageBroken, or LoadRefused: then there is no instance.
    """
    settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    if inspect(engine).has_table(InstanceFact.__tablename__):
        with DbSession(engine) as db:
            if db.scalars(select(InstanceFact.id)).first() is not None:
                raise LoadRefused("there is an instance already: a package is loaded into an empty one only")
    with scratch(settings.instance / "scratch") as own:
        verify(folder, key=key, fingerprint=fingerprint, out=own / "opened", scratch=own)
        package = described(folder)
        if None not in (schema, package["schema"]) and package["schema"] != schema:
            raise LoadRefused(
                f"its tables are of version {package['schema']}, and this release works with {schema}"
            )
        written = settings.key_source.create() if settings.key_source.is_empty() else []
        keystore = open_engine(settings.keystore_url)
        try:
            METADATA.create_all(keystore)
            migrate()
            vault = Vault(settings.key_source.load(), keystore, clock, reload=settings.key_source.load)
            target = Target(engine, vault, _keyed, lambda db: _settle(db, package, clock), APART)
            rows = load(own / "opened" / "bag", package, target, progress=progress)
        finally:
            keystore.dispose()
    return TakenOver(rows, written)


def _keyed(db: DbSession) -> Made:
    addresses = AddressKeys(db)
    return {
        f"{Person.__tablename__}.{Person.email_index.key}": lambda row: (
            addresses.index(row["email"]) if row["email"] else None
        )
    }


def _settle(db: DbSession, package: dict[str, Any], clock: Clock) -> None:
    """With this row there is an instance."""
    fact = InstanceFact(id=new_id(), name=DEMO if package["rehearsal"] else REAL, recorded_at=clock())
    fact.canary = CANARY
    db.add(fact)
