"""What the data protection officer does about one person: finds them, sees what is held, puts it right.

Nobody sees a word of it here: tables, numbers and states. The words are in the export, which is the person's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.cases import held_words
from portal.desk import approvals
from portal.models import Person, SecondAct
from portal.people import register as people
from privacy import erasure, holdings, person_exports, reach, sent_before
from privacy.audit import Action
from privacy.clock import london_date
from privacy.columns import SealedText, sealed_columns
from privacy.erasure import NobodyThere
from privacy.records import Record, new_id
from privacy.rights import Erasure, ErasureState, LegalHold, PersonExport, Rectification
from privacy.sparing import require_item
from privacy.work import Work

OWN = ("name", "email", "phone", "adjustments")
"""What of a person's own row can be put right."""
VALUE_AT_MOST = 4000


class NotRectified(Exception):
    """The value cannot stand there; the message says why."""


class NothingSuch(LookupError):
    """There is no such value about this person that could be put right."""


@dataclass(frozen=True)
class Item:
    """A value that can be put right, by table, row and name; `said` is how people call it."""

    table: str
    row: UUID
    name: str
    said: str

    @property
    def code(self) -> str:
        return f"{self.table}:{self.row}:{self.name}"


@dataclass(frozen=True)
class Held:
    """How many rows of a table are about somebody."""

    table: str
    rows: int
    purpose: str
    keep: str


@dataclass(frozen=True)
class Overview:
    """What the page of one person shows: numbers and states, never a word."""

    person: Person
    held: Sequence[Held]
    exports: Sequence[PersonExport]
    holds: Sequence[LegalHold]
    rectified: Sequence[Rectification]
    erasure: Erasure | None


def find(db: DbSession, text: str) -> Person | None:
    """Somebody by reference or e-mail address, in any case and with spaces around."""
    word = text.strip()
    if "@" in word:
        return accounts.find(db, word)
    return accounts.person_who(db, Person.ref == word.upper())


def overview(db: DbSession, person: Person) -> Overview:
    """What is held about somebody, table by table."""
    found = []
    for table in reach.personal_tables():
        rows = db.scalar(select(func.count()).select_from(table).where(reach.about(table, person.id)))
        declared = reach.holding(table)
        if rows:
            found.append(Held(table.name, rows, declared.purpose, declared.keep.words))
    return Overview(
        person=person,
        held=sorted(found, key=lambda one: one.table),
        exports=person_exports.of_person(db, person.id),
        holds=erasure.holds(db, person.id),
        rectified=db.scalars(
            select(Rectification)
            .where(Rectification.person_id == person.id)
            .order_by(Rectification.at.desc(), Rectification.id)
        ).all(),
        erasure=_erasure(db, person.id),
    )


def _erasure(db: DbSession, person_id: UUID) -> Erasure | None:
    return db.scalars(
        select(Erasure)
        .where(Erasure.person_id == person_id, Erasure.state != ErasureState.ERASED)
        .order_by(Erasure.begun_at.desc())
    ).first()


# ---- putting right


def rectifiable(db: DbSession, person_id: UUID) -> list[Item]:
    """Every text about somebody that can be put right: their contact details, and what else is sealed text."""
    found = [Item("person", person_id, name, called("person", name)) for name in OWN]
    for table in reach.personal_tables():
        if table.name == reach.root().name or [one.name for one in reach.key(table)] != ["id"]:
            continue
        for name, column in _texts(reach.mapper_of(table).class_):
            filled = and_(reach.about(table, person_id), table.c[column].is_not(None))
            for number, row in enumerate(
                db.scalars(select(table.c.id).where(filled).order_by(table.c.id)), 1
            ):
                said = f"{held_words.words(table.name)} {number}: {called(table.name, name)}"
                found.append(Item(table.name, row, name, said))
    return found


def called(table: str, name: str) -> str:
    """What people call a text, by its table and the name under which it is read."""
    known = Record.metadata.tables[table]
    return holdings.called(known.columns[dict(_texts(reach.mapper_of(known).class_))[name]])


def _texts(kind: type[Record]) -> Iterator[tuple[str, str]]:
    """The sealed texts of a class: the name under which each is read, and its column."""
    for cls in kind.__mro__:
        for name, value in vars(cls).items():
            if isinstance(value, SealedText) and value in sealed_columns(kind):
                yield name, value.column


def rectify(
    work: Work,
    *,
    person_id: UUID,
    code: str,
    value: str,
    reason: str,
    told: Sequence[str] = (),
    told_on: date | None = None,
    rectification_id: UUID | None = None,
) -> Rectification:
    """Put one value right; what it was, why, and who was told stays, sealed (Articles 16 and 19).

    The same form again (`rectification_id`) gives the first. Raises NothingSuch, NotRectified or SentBefore.
    """
    first = sent_before.found(
        work, Rectification, rectification_id, person_id=person_id, after=value or None, reason=reason
    )
    if first is not None:
        sent_before.require(
            code == Item(first.item_table, first.item_id, first.item_column, "").code
            and [who for who, _ in first.told or ()] == list(told)
        )
        return first
    item = next((one for one in rectifiable(work.db, person_id) if one.code == code), None)
    if item is None:
        raise NothingSuch(code)
    table = require_item(work.db, person_id, item.table, item.row)
    kind = reach.mapper_of(table).class_
    row = work.db.get(kind, item.row, with_for_update=True, populate_existing=True)
    if row is None:
        raise NothingSuch(code)
    before = getattr(row, item.name)
    _set(work, row, item.name, value)
    entry = Rectification(
        id=rectification_id or new_id(),
        person_id=person_id,
        item_table=item.table,
        item_id=item.row,
        item_column=item.name,
        at=work.now,
        by=work.actor,
    )
    day = (told_on or london_date(work.now)).isoformat()
    entry.before, entry.after, entry.reason = before, value or None, reason
    entry.told = [[who, day] for who in told]
    work.db.add(entry)
    work.record(
        Action.PERSON_RECTIFIED,
        object=f"rectification:{entry.id}",
        holder=person_id,
        table=item.table,
        column=item.name,
    )
    return entry


def _set(work: Work, row: Record, name: str, value: str) -> None:
    if isinstance(row, Person) and name == "email":
        try:
            people.set_address(work, row, value)
        except people.PersonRefused as problem:
            raise NotRectified(str(problem)) from problem
        return
    if isinstance(row, Person) and name == "name" and (fault := people.name_fault(value)):
        raise NotRectified(fault)
    setattr(row, name, value or None)


def export(work: Work, *, person_id: UUID, letter: str) -> bool:
    """Ask for everything held about somebody, once a second person agreed; they are asked where nobody was.

    Returns whether it was asked for. Raises NoInstruction or NotInForce.
    """
    thing = approvals.person(person_id)
    if not approvals.agreed(work, act=SecondAct.EXPORT, thing=thing, letter=letter):
        return False
    person_exports.ask(work, person_id=person_id)
    return True


def erase(work: Work, *, person_id: UUID, letter: str) -> Erasure | None:
    """Begin to erase somebody's data, once a second person agreed; they are asked where nobody was, and None comes.

    Call `erasure.finish` afterwards. Raises NoInstruction, NotInForce or NobodyThere.
    """
    thing = approvals.person(person_id)
    if not approvals.agreed(work, act=SecondAct.ERASURE, thing=thing, letter=letter):
        return None
    return erasure.begin(work, person_id=person_id, letter=letter)


def require(db: DbSession, text: str) -> Person:
    """Somebody by reference or address. Raises NobodyThere."""
    person = find(db, text)
    if person is None:
        raise NobodyThere(text)
    return person
