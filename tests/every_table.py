"""A row in every table, so that what is declared is also tried: sealed values, files, references, JSON, ids.

What the product's own rules can make quickly is made by them; the rest is filled in from the declarations.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, Column, Date, Integer, LargeBinary, Table, Uuid, func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Strand
from portal.references import new_reference
from privacy import chain_checks, reach
from privacy.clock import Clock
from privacy.columns import SealedBytes, SealedJson, sealed_columns
from privacy.records import Instant, Record, Word, new_id
from privacy.returns import acts
from privacy.returns.tables import ReturnKind, Wanted
from privacy.work import unit_of_work
from surveys.models import Mode, Response, ResponseState, Wave
from surveys.versions import current, publish_shipped
from tests.factories import Factory

KEPT = frozenset({"audit_entry", "audit_head", "instance_fact"})
"""What other things write: a made-up line would break the trail."""
_numbers = count(1)
"""Whatever is later in a row is later, and larger: a day to, after a day from."""
OR_ELSE = frozenset({"mail.mailbox", "partner.package_id", "resource_use.package_id"})
"""Columns that are empty where another one is set."""
READ = {"correction.body": "{}"}
"""What the product reads, and so cannot be anything."""
TYPED = "=1+1, typed with “quotes”, a comma\r\nand é"
CONTENT = b"%PDF-1.7 a file \x00\xff"


def fill(db: DbSession, clock: Clock, make: Factory) -> None:
    """A small programme by the product's rules, then a row in each table that is empty still."""
    publish_shipped(db, clock)
    council = make.council("Northshire")
    make.council("Southshire")
    leader = make.person("Lena Leader", council=council, email="lena@northshire.example")
    mentor = make.mentor("Max Mentor")
    package = make.package(leader, mentor=mentor, council=council, title="Support for Lena")
    others = [make.person(f"Member {number}", council=council) for number in range(3)]
    group = make.package(*others, mentor=mentor, council=council, strand=Strand.GROUP)
    for one in (package, group):
        answered(db, clock, one.id)
    with unit_of_work(db, clock, "system:test") as work:
        # A return that was called off: one that is made up would freeze the rest.
        returned = acts.open_return(work, kind=ReturnKind.FULL, wanted=Wanted.BOTH, rehearsal=True)
        acts.withdraw(work, return_id=returned.id, letter="DfE-9", reason="The contract was extended")
    with unit_of_work(db, clock, "system:test") as work:
        chain_checks.check(work)
    with unit_of_work(db, clock, "system:test") as work:
        for table in reach.tables():
            if table.name not in KEPT and not work.db.scalar(select(func.count()).select_from(table)):
                work.db.add(row(work.db, table, clock))
                work.db.flush()


def answered(db: DbSession, clock: Clock, package_id: UUID) -> None:
    """A baseline of everybody in a package, some of it odd."""
    participation = Record.metadata.tables["participation"]
    asked = select(participation.c.id).where(participation.c.package_id == package_id)
    version = current(db, code="baseline")
    with unit_of_work(db, clock, "system:test") as work:
        for respondent_id in work.db.scalars(asked).all():
            response = Response(
                id=new_id(),
                ref=new_reference("R"),
                respondent_id=respondent_id,
                version_id=version.id,
                wave=Wave.BASELINE,
                occasion="once",
                state=ResponseState.SUBMITTED,
                mode=Mode.SELF,
                revision=next(_numbers),
                started_at=work.now,
                saved_at=work.now,
                submitted_at=work.now,
            )
            response.answers = {
                question.code: "@sum, said aloud" for question in list(version.questionnaire.questions)[:4]
            }
            work.db.add(response)


def row(db: DbSession, table: Table, clock: Clock) -> Any:
    """A made-up row that points at rows which are there."""
    kind: Any = reach.mapper_of(table).class_
    made = kind()
    for column in table.columns:
        held = column.info["held"]
        if not held.sealed and str(column) not in OR_ELSE and not _own(column):
            setattr(made, reach.mapper_of(table).get_property_by_column(column).key, value(db, column, clock))
    for descriptor, name in _sealed(kind):
        setattr(made, name, typed(descriptor))
    return made


def _own(column: Column[Any]) -> bool:
    return bool(column.foreign_keys) and reach.target_of(column).table is column.table


def _sealed(kind: type) -> Iterator[tuple[Any, str]]:
    for one in sealed_columns(kind):
        yield one, next(name for cls in kind.__mro__ for name, found in vars(cls).items() if found is one)


def typed(descriptor: Any) -> Any:
    match descriptor:
        case SealedBytes():
            return CONTENT
        case SealedJson():
            return {"text": TYPED, "numbers": [1, 2.5, None, True]}
    return TYPED


def value(db: DbSession, column: Column[Any], clock: Clock) -> Any:
    if not column.foreign_keys:
        return READ.get(str(column)) or plain(column, clock)
    target = reach.target_of(column)
    ids = db.scalars(select(target).order_by(target)).all()
    # Two keys that point at one table, as neighbours do, need two rows, in order.
    keys = [
        key.name for key in reach.key(column.table) if key.foreign_keys and reach.target_of(key) is target
    ]
    assert ids, column
    return ids[keys.index(column.name) if column.name in keys else 0]


def plain(column: Column[Any], clock: Clock) -> Any:
    match column.type:
        case Uuid():
            return new_id()
        case Instant():
            return clock() + timedelta(hours=next(_numbers), microseconds=123450)
        case Date():
            return date(2023, 1, 1) + timedelta(days=next(_numbers))
        case Boolean():
            return True
        case Integer():
            # Minutes of a day stay within it, however often this is done in one process.
            return next(_numbers) % 1440 if "minute" in column.name else next(_numbers)
        case JSON():
            return ["1", {"é": [True, None]}]
        case LargeBinary():
            return b"\x01" * 32
        case Word() as word:
            return next(iter(word.vocabulary))
    return "-x"
