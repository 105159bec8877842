"""Building a package: everything held, opened, in one bag, sealed to the Department's certificates (cl 15, 17.4(e)).

    ledger    who was erased, read first: whoever is erased while we read is in the next one
    moment    one snapshot of the database, from which all tables and chapters are read
    bag       JSON lines, CSV, schemas, files, chapters, reconcile.csv; lists of digests last
    volumes   zip archives, each streamed into `openssl cms -encrypt`, checked, and only then given its name
    folder    package.json and its signature; `package.json` gets its name last

Whatever ended the builder, there is no package, and the same command begins again. Nothing of it is ever on the disk in
clear. Memory stays the same for any number of rows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, func, select
from sqlalchemy.orm import Session as DbSession

from privacy import reach
from privacy.certificates import Certificate
from privacy.envelopes import Envelope, openssl
from privacy.keystore import SUBJECT_KEY, Vault
from privacy.progress import Progress, untold
from privacy.returns import chapters, folder, readable, reconciling, table_files
from privacy.returns.about import About
from privacy.returns.bag import Bag
from privacy.returns.chapters import Chapter
from privacy.returns.course import EVERYTHING, Scope
from privacy.returns.folder import BuildFailed
from privacy.returns.forms import TableForm, form_of
from privacy.returns.selection import Selection
from privacy.returns.signing import OwnKey
from privacy.returns.table_files import Escapes, Facts, Known
from privacy.returns.volumes import VOLUME_BYTES, Cut, Entry, Squeezer, TooBig

FORMAT = "return-1"

Seal = Callable[[str, Iterator[bytes]], Envelope]


@dataclass(frozen=True)
class Stores:
    """What a package is built from. `part` finds the rows of a scope that is not everything; `trail` checks the audit
    trail and gives its lines and head; `apart` names tables that each installation has for itself."""

    engine: Engine
    vault: Vault
    contract: str
    processor: str
    controller: str
    release: str
    schema: str | None = None
    chapters: Sequence[Chapter] = ()
    part: Callable[[DbSession, Scope], Selection] = lambda db, scope: Selection(scope)
    trail: Callable[[DbSession], Mapping[str, object]] = lambda db: {}
    apart: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Package:
    """What was built: the SHA-256 of `package.json`, the volumes by name, `rows`, `files`, `volumes`, `bytes`, and
    where the audit trail in it ends."""

    digest: str
    volumes: Mapping[str, Envelope]
    counts: Mapping[str, int]
    trail: Mapping[str, object]


@dataclass
class _Job:
    """What is known of a package while it is built."""

    stores: Stores
    about: About
    selection: Selection
    squeezer: Squeezer
    facts: list[Facts] = field(default_factory=list)
    forms: dict[str, TableForm] = field(default_factory=dict)
    trail: Mapping[str, object] = field(default_factory=dict)
    living_keys: int = 0


def build(
    stores: Stores,
    *,
    recipients: Sequence[Certificate],
    signer: OwnKey,
    out: Path,
    direction: str | None,
    scope: Scope = EVERYTHING,
    rehearsal: bool = False,
    now: datetime,
    progress: Progress = untold,
    check: OwnKey | None = None,
    limit: int = VOLUME_BYTES,
) -> Package:
    """Build a package into the folder `out`, which is empty, missing, or left unfinished by a builder.

    `check` is a key of ours to which it is sealed too, so that it can be opened here. Raises BuildFailed,
    EnvelopeFailed, OpensslMissing or OSError; then the folder holds no package.
    """
    openssl()
    about = About(
        contract=stores.contract,
        processor=stores.processor,
        controller=stores.controller,
        release=stores.release,
        schema=stores.schema,
        direction=direction,
        scope=str(scope),
        rehearsal=rehearsal,
        made_at=now,
    )
    with folder.kept(out):
        readers = [*recipients, *([check.reader] if check else [])]

        def seal(name: str, volume: Iterator[bytes]) -> Envelope:
            return folder.seal(volume, out, name, readers, check)

        try:
            made = _volumes(stores, about, scope, seal, limit=limit, progress=progress)
        except (table_files.RowFailed, reconciling.DoesNotAddUp, TooBig) as error:
            raise BuildFailed(str(error)) from error
        document = {
            "format": FORMAT,
            **about.document(),
            "recipients": [one.fingerprint for one in recipients],
            "check_key": check.fingerprint if check else None,
            "signer": signer.fingerprint,
            "files": folder.companions(out, about, signer, list(made.volumes)),
            **made.document(),
        }
        return Package(folder.finish(out, document, signer), made.volumes, made.counts, made.job.trail)


@dataclass(frozen=True)
class _Made:
    """The volumes, and what is in them."""

    volumes: Mapping[str, Envelope]
    bag: Bag
    job: "_Job"

    @property
    def counts(self) -> dict[str, int]:
        return {
            "rows": sum(one.rows for one in self.job.facts),
            "files": self.bag.files,
            "volumes": len(self.volumes),
            "bytes": sum(one.plain_bytes for one in self.volumes.values()),
        }

    def document(self) -> dict[str, object]:
        return {
            "volumes": {name: envelope.as_json() for name, envelope in self.volumes.items()},
            "bag": {
                "tagmanifest_sha256": self.bag.tagmanifest,
                "files": self.bag.files,
                "bytes": self.bag.size,
            },
            "tables": {one.name: {"rows": one.rows, "sha256": one.digest} for one in self.job.facts},
            "trail": self.job.trail,
            "counts": self.counts,
        }


def _volumes(
    stores: Stores, about: About, scope: Scope, seal: Seal, *, limit: int, progress: Progress
) -> _Made:
    """Read everything in one moment, and seal it volume by volume."""
    ledger, living = _ledger(stores.vault)
    volumes: dict[str, Envelope] = {}
    with moment(stores.engine) as connection, Squeezer() as squeezer:
        db = DbSession(bind=connection, info={"vault": stores.vault})
        selection = Selection(scope) if scope == EVERYTHING else stores.part(db, scope)
        job = _Job(stores, about, selection, squeezer, living_keys=living)
        bag = Bag(squeezer, _bag_info(about), readable.read_me(about))
        payload = _payload(job, connection, db, ledger, progress)
        for volume in Cut(bag.pack(payload), made_at=about.made_at, limit=limit):
            name = folder.volume_name(len(volumes) + 1, rehearsal=about.rehearsal)
            volumes[name] = seal(name, volume)
    return _Made(volumes, bag, job)


@contextmanager
def moment(engine: Engine) -> Iterator[Connection]:
    """A connection that sees one moment of the database until it ends."""
    with engine.connect() as connection:
        is_postgres = engine.dialect.name == "postgresql"
        if is_postgres:
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin() as transaction:
            if is_postgres:
                # Sorting millions of rows takes longer than any page may.
                connection.exec_driver_sql("set local statement_timeout = 0")
            yield connection
            transaction.rollback()


def _bag_info(about: About) -> dict[str, str]:
    marked = {"Rehearsal": "yes, the data is made up"} if about.rehearsal else {}
    return {
        "Source-Organization": about.processor,
        "External-Identifier": about.contract,
        "External-Description": f"Return of data under {about.contract}, scope {about.scope}",
        "Bagging-Date": about.made_at.date().isoformat(),
        "Bag-Software-Agent": f"leadership support portal {about.release}",
        **marked,
    }


# ---- what goes into the bag


def _ledger(vault: Vault) -> tuple[list[tuple[str, int, str, str, str]], int]:
    """The rows of the key store without a key, and how many keys there are."""
    keys = SUBJECT_KEY.c
    gone = select(keys.holder_id, keys.version, keys.created_at, keys.destroyed_on, keys.instruction)
    with vault.engine.connect() as connection:
        rows = [
            (
                str(row.holder_id),
                row.version,
                row.created_at.isoformat(),
                row.destroyed_on.isoformat(),
                row.instruction or "",
            )
            for row in connection.execute(
                gone.where(keys.destroyed_on.is_not(None)).order_by(keys.holder_id, keys.version)
            )
        ]
        living = connection.scalar(select(func.count()).where(keys.wrapped.is_not(None))) or 0
    return rows, living


def _payload(
    job: _Job,
    connection: Connection,
    db: DbSession,
    ledger: Sequence[tuple[str, int, str, str, str]],
    progress: Progress,
) -> Iterator[Entry]:
    squeezer, stores = job.squeezer, job.stores
    totals = {table: _count(connection, table) for table in _tables(stores)}
    job.trail = stores.trail(db) if job.selection.everything else {}
    wanted = (
        sum(totals.values()) if job.selection.keys is None else sum(map(len, job.selection.keys.values()))
    )
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, wanted)

    known = Known()
    escapes = Escapes(squeezer.file("data/escapes.csv"))
    escapes.writer.write(b"table,row,column\r\n")
    for table, total in totals.items():
        form = job.forms[table.name] = form_of(table)
        facts = Facts(table.name, total)
        yield from table_files.entries(
            connection,
            form,
            facts,
            vault=stores.vault,
            selection=job.selection,
            squeezer=squeezer,
            known=known,
            escapes=escapes,
            tell=tell,
        )
        job.facts.append(facts)
    if job.selection.everything:
        facts, made = table_files.ledger_entries(ledger, squeezer)
        job.facts.append(facts)
        yield from made
    yield from _readings(job, db)
    yield escapes.writer.close()


def _tables(stores: Stores) -> list[Table]:
    return [table for table in reach.tables() if table.name not in stores.apart]


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _readings(job: _Job, db: DbSession) -> Iterator[Entry]:
    """What people read: chapters, the front page, the count of everything, and the verifier of the trail."""
    told = [one for one in job.stores.chapters if job.selection.everything or not one.of_everything]
    for chapter in told:
        # Keys are not kept from one chapter to the next.
        db.info.pop("data_keys", None)
        yield chapters.entry(chapter, db, job.selection, job.squeezer)
        db.expunge_all()
    exclusions = reconciling.exclusions(job.facts, job.forms, apart=job.stores.apart, keys=job.living_keys)
    sheet = reconciling.sheet(job.facts, exclusions, everything=job.selection.everything)
    yield job.squeezer.whole("data/reconcile.csv", sheet)
    listed = [(one, reconciling.purpose(one.name)) for one in job.facts]
    front = readable.index(job.about, listed, told, exclusions)
    yield job.squeezer.whole(readable.INDEX, front.encode())
    yield job.squeezer.whole(
        "data/audit/verify.py", files("privacy").joinpath("audit_verifier.py").read_bytes()
    )
