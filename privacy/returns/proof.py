"""That it is destroyed: counted, looked for and tried out, with what was taken down before (privacy/returns/traces.py).

Everything is looked at before anything is said of it: a destruction that fails here is put right and verified again,
and there is no certificate until nothing is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import JSON, String, Table, select
from sqlalchemy.orm import Session as DbSession

from privacy.keys import load_left
from privacy.keystore import Vault
from privacy.returns import kept
from privacy.returns.journal import Journal
from privacy.returns.places import Places, server_folders
from privacy.returns.searching import Looked, look, shapes
from privacy.returns.traces import FILE, Traces, keys_left, still_open

TEXTS = frozenset({".csv", ".json", ".jsonl", ".txt"})


class NotDestroyed(Exception):
    """Something is left; `left` says what and where, a line for each. Put it right and verify again."""

    def __init__(self, left: list[str]) -> None:
        super().__init__("; ".join(left))
        self.left = left


@dataclass(frozen=True)
class Proof:
    """What was looked at, and that nothing was found."""

    tables: int
    files: int
    size: int
    marks: int
    planted: int
    samples: int
    texts: int
    server: bool

    def facts(self) -> dict[str, Any]:
        return dict(vars(self))


def verify(places: Places, *, draft: str) -> Proof:
    """Look for everything. `draft` is what the certificate will say, which must name nobody either.

    Raises NotDestroyed; OSError or ValueError where the traces cannot be read.
    """
    journal, traces = Journal(places.folder), Traces.read(places.folder)
    left: list[str] = []
    with places.session() as db:
        over = kept.left_over(db, journal.facts("inventory")["kept_rows"])
        left += [f"table {name} holds {rows} rows too many" for name, rows in over.items()]
        texts = 0
        for where, text in chain(kept_texts(db), _files(places)):
            texts += 1
            if traces.known.hits(text):
                left.append(f"{where} names somebody")
    if traces.known.hits(draft):
        left.append("the certificate names somebody: use roles for who did it and who saw it")
    left += _keys(places, journal, traces)
    found, server = search(places, traces, left)
    if left:
        raise NotDestroyed(left)
    return Proof(
        tables=len(kept.going()),
        files=found.files,
        size=found.size,
        marks=len(traces.marks),
        planted=len(traces.planted),
        samples=len(traces.samples),
        texts=texts,
        server=server,
    )


def _keys(places: Places, journal: Journal, traces: Traces) -> Iterator[str]:
    """Tried with the keys as they lie there now, not with those that this process has read before."""
    ring = load_left(places.key_folder) if places.key_folder is not None else places.vault.ring
    if still_open(traces.samples, Vault(ring, places.vault.engine, places.clock)):
        yield "a value that was sealed still opens"
    for key_id in keys_left(ring, journal.facts("ring")["destroyed"].values()):
        yield f"key {key_id} is still there"


def search(places: Places, traces: Traces, left: list[str]) -> tuple[Looked, bool]:
    """Look through every file, and add to `left` what is found; whether the database's own files were among them."""
    server = [folder for engine in places.engines for folder in server_folders(engine)]
    words = {shape for word in traces.planted for shape in shapes(word)}
    found = look([*places.look_in, *server], words | set(traces.marks), but=[places.folder / FILE])
    left += [f"{path} holds traces of what was destroyed" for path in found.found]
    left += [f"{path} cannot be read" for path in found.unread]
    return found, bool(server) or places.engine.dialect.name == "sqlite"


def kept_texts(db: DbSession) -> Iterator[tuple[str, str]]:
    """Every text in the tables that are kept as accounts, with where it stands."""
    for table in kept.staying():
        yield from _texts_of(db, table)


def _files(places: Places) -> Iterator[tuple[str, str]]:
    """Every line of the files that are kept."""
    for path in sorted(places.folder.rglob("*")):
        if path.is_file() and path.name != FILE and path.suffix in TEXTS:
            with path.open(encoding="utf-8", errors="replace") as file:
                for number, line in enumerate(file, start=1):
                    yield f"line {number} of {path.name}", line


def _texts_of(db: DbSession, table: Table) -> Iterator[tuple[str, str]]:
    columns = [column for column in table.columns if isinstance(column.type, (String, JSON))]
    if not columns:
        return
    for row in db.execute(select(*columns).execution_options(yield_per=1000)):
        yield f"table {table.name}", "\n".join(str(value) for value in row if value is not None)


def forget(places: Places) -> None:
    """Wipe the traces, the keyed set and its key with them."""
    Traces.forget(places.folder)
