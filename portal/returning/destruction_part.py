"""Destroying a part: one person, or one council with its people. The site goes on for everybody else.

Each person is erased as the Department may order at any time (privacy/erasure.py): rows, keys, the ledger in every
folder of backups. What is sealed for the council itself goes with its key. That somebody was supported stays and
counts, without the person. The steps have the names of those of everything (privacy/returns/destroy.py).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, func, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.desk import backups, housekeeping
from portal.instance import Instance
from portal.models import Council, Person
from portal.returning.destruction_places import ACTOR, Left
from privacy import erasure, ledger, purge, reach, registers
from privacy.clock import london_date
from privacy.columns import sealed_columns
from privacy.keystore import SUBJECT_KEY
from privacy.records import Record
from privacy.registers import Register, RegisterEntry
from privacy.returns import kept
from privacy.returns.course import Course, ScopeKind
from privacy.returns.destroy import Facts, Tell, rebuild
from privacy.returns.journal import Entry, Journal
from privacy.returns.places import Places
from privacy.returns.proof import NotDestroyed, Proof, search
from privacy.returns.traces import Traces, still_open, take_part
from privacy.rights import Erasure, ErasureState
from privacy.work import Work, unit_of_work


def destroy(
    left: Left, places: Places, course: Course, *, tell: Tell = lambda step: None
) -> dict[str, Entry]:
    """Do every step that is not done; returns the whole journal. Raises StillInUse or OSError."""
    part, journal = _Part(left, places, course), Journal(places.folder)
    steps: dict[str, Callable[[], Facts]] = {
        "inventory": part.inventory,
        "traces": part.traces,
        "rows": part.rows,
        "keys": part.keys,
        "ring": lambda: {"destroyed": {}, "outside": {}},
        "files": lambda: {"files": 0},
        "backups": part.backups,
        "scrub": part.scrub,
    }
    for step, act in steps.items():
        if step not in journal.entries():
            tell(step)
            journal.note(step, at=left.clock(), **act())
    return journal.entries()


def inventory(left: Left, places: Places, course: Course) -> Facts:
    """What would go: rows by table, data keys, and what a legal hold keeps. Changes nothing."""
    return _Part(left, places, course).inventory()


class _Part:
    """The steps of a part."""

    def __init__(self, left: Left, places: Places, course: Course) -> None:
        self._left = left
        self._places = places
        self._people = sorted(UUID(one) for one in course.of.people or ())
        self._council = course.scope.id if course.scope.kind is ScopeKind.COUNCIL else None

    def inventory(self) -> Facts:
        with self._left.session() as db:
            holders = sorted(self._holders(db))
            held = [hold for person_id in self._people for hold in erasure.holds(db, person_id)]
            return {
                "rows": self._counts(db),
                "data_keys": self._keys_of(holders),
                "holders": [str(one) for one in holders],
                "ring": {},
                "kept_rows": {},
                "exceptions": [
                    [one.item_table or "person", 1, one.cause.value, london_date(one.placed_at).isoformat()]
                    for one in held
                ],
                "people": [str(one) for one in self._people],
                "backups": [[str(place.folder), None, None] for place in self._places.backups],
            }

    def traces(self) -> Facts:
        with self._left.session() as db:
            known = _known(db, self._people)
            held = kept.spared(db).holders
            found = take_part(db, self._left.vault, people=self._people, known=known, but=held)
        found.write(self._places.folder)
        return {"marks": len(found.marks), "samples": len(found.samples), "known": len(found.known.digests)}

    def rows(self) -> Facts:
        """One work for each person: an erasure that another has begun is gone on with."""
        with self._left.session() as db, unit_of_work(db, self._left.clock, ACTOR, frozen_too=True) as work:
            ground_id = self._ground(work)
        for person_id in self._people:
            with (
                self._left.session() as db,
                unit_of_work(db, self._left.clock, ACTOR, frozen_too=True) as work,
            ):
                if purge.exists(work.db, person_id) and not _is_begun(work.db, person_id):
                    ground = work.db.get_one(RegisterEntry, ground_id)
                    erasure.begin_on(work, person_id=person_id, ground=ground)
        if self._council is not None:
            with (
                self._left.session() as db,
                unit_of_work(db, self._left.clock, ACTOR, frozen_too=True) as work,
            ):
                purge.empty_holders(work.db, sorted(self._of_council(work.db)))
        with self._left.session() as db:
            return {"rows": self._counts(db)}

    def _ground(self, work: Work) -> UUID:
        """The entry of the authority to delete, made where the register has none. That it was in force stood against
        nothing when destroying began (destruction_checks.py); what has replaced it since takes nothing back."""
        letter = self._places.letter
        known = registers.entries(work.db, Register.INSTRUCTION)
        found = next((entry for entry in known if entry.letter == letter), None)
        if found is None:
            found = registers.enter(
                work, register=Register.INSTRUCTION, letter=letter, from_on=london_date(work.now), body=""
            )
        return found.id

    def keys(self) -> Facts:
        """The people's keys and the ledger, as for every erasure; then those of what is the council's."""
        instance = Instance(
            self._left.settings, self._left.programme, self._left.vault, self._left.clock, demo=False
        )
        erasure.finish(housekeeping.places(instance, self._left.session))
        holders = [UUID(one) for one in Journal(self._places.folder).facts("inventory")["holders"]]
        if self._council is not None:
            theirs = [one for one in holders if one not in self._people]
            ledger.destroy(self._left.vault, theirs, now=self._left.clock(), instruction=self._places.letter)
            housekeeping.spread_ledger(instance, self._left.session)
        return {"data_keys": self._keys_of(holders)}

    def backups(self) -> Facts:
        """Backups of everybody go on being made; those that hold the part expire one by one."""
        asked, today = self._left.settings.backups, london_date(self._left.clock())
        last = backups.last_copies(asked, on=today)
        return {
            "deleted": [],
            "outstanding": [
                [
                    number,
                    place.newest_at.isoformat() if place.newest_at else None,
                    last.gone.isoformat() if last is not None else None,
                ]
                for number, place in enumerate(self._places.backups, start=1)
            ],
        }

    def scrub(self) -> Facts:
        for engine in self._places.engines:
            rebuild(engine)
        return {}

    # ---- what belongs to the part

    def _counts(self, db: DbSession) -> dict[str, int]:
        """Rows about these people, by table."""
        found = {
            table.name: db.scalar(
                select(func.count())
                .select_from(table)
                .where(or_(*(reach.about(table, one) for one in self._people)))
            )
            or 0
            for table in reach.personal_tables()
            if self._people
        }
        return {name: count for name, count in found.items() if count}

    def _keys_of(self, holders: Sequence[UUID]) -> int:
        with self._left.vault.engine.connect() as connection:
            row = SUBJECT_KEY.c
            asked = select(func.count()).select_from(SUBJECT_KEY)
            return connection.scalar(asked.where(row.holder_id.in_(holders), row.wrapped.is_not(None))) or 0

    def _holders(self, db: DbSession) -> set[UUID]:
        found = {holder for one in self._people for holder in purge.holders(db, one)}
        return found | (self._of_council(db) if self._council is not None else set())

    def _of_council(self, db: DbSession) -> set[UUID]:
        """Whose keys seal what belongs to the council and is about nobody: facts, partners, its packages."""
        council = Record.metadata.tables[Council.__tablename__]
        found = {self._council} if self._council is not None else set()
        waiting: list[tuple[Table, set[Any]]] = [(council, set(found))]
        while waiting:
            target, ids = waiting.pop()
            for table, keys, holders in _below(db, target, ids):
                found |= holders
                if keys:
                    waiting.append((table, keys))
        return found


def _below(db: DbSession, target: Table, ids: set[Any]) -> Iterator[tuple[Table, set[Any], set[UUID]]]:
    """The rows about nobody that point at others, with the ids and whose keys seal what is in them."""
    for table in reach.tables():
        columns = [one for one in table.columns if one.foreign_keys and reach.target_of(one).table is target]
        if reach.path(table) or table is target or not columns:
            continue
        kind: Any = reach.mapper_of(table).class_
        rows = db.scalars(select(kind).where(or_(*(column.in_(ids) for column in columns)))).all()
        sealed = sealed_columns(kind)
        yield (
            table,
            {row.id for row in rows} if "id" in table.c else set(),
            {one.holder(row) for row in rows for one in sealed if getattr(row, one.column) is not None},
        )


def _known(db: DbSession, people: Sequence[UUID]) -> Iterator[str]:
    for person in db.scalars(select(Person).where(Person.id.in_(people))):
        yield from filter(None, (person.name, person.email, person.phone))


def _is_begun(db: DbSession, person_id: UUID) -> bool:
    """Whether an erasure of somebody whose row stays, emptied, was begun already."""
    return db.execute(select(Erasure.id).where(Erasure.person_id == person_id).limit(1)).first() is not None


def verify(places: Places, *, draft: str) -> Proof:
    """Look for what was about these people, as for everything. Raises NotDestroyed."""
    journal, traces = Journal(places.folder), Traces.read(places.folder)
    left: list[str] = []
    with places.session() as db:
        for one in journal.facts("inventory")["people"]:
            states = set(db.scalars(select(Erasure.state).where(Erasure.person_id == UUID(one))))
            if not states or ErasureState.ERASING in states:
                left.append(f"person:{one} has not been erased")
    if traces.known.hits(draft):
        left.append("the certificate names somebody: use roles for who did it and who saw it")
    if still_open(traces.samples, places.vault):
        left.append("a value that was sealed still opens")
    found, server = search(places, traces, left)
    if left:
        raise NotDestroyed(left)
    return Proof(
        tables=len(reach.personal_tables()),
        files=found.files,
        size=found.size,
        marks=len(traces.marks),
        planted=0,
        samples=len(traces.samples),
        texts=1,
        server=server,
    )
