"""Destroying the data of a return: what stands against it, a dry run of every store, and how it is begun.

Nothing begins before the Department's receipt and its authority, two people who answer for it, a word from somebody on
every store that the software cannot reach, and a look at what was written since the package was built (cl 17.4(e)).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.instance import CLOSED
from portal.models import InstanceFact, Person
from portal.programme import contract_period
from portal.returning import closing, destruction_part, kept_records, naming
from portal.returning.closing import Closing
from portal.returning.destruction_checks import DestroyRefused, Order, against, lines
from portal.returning.destruction_places import ACTOR, Left, folder_of, loose, places
from privacy.clock import add_months, london_date
from privacy.holdings import Store
from privacy.keystore import SUBJECT_KEY
from privacy.returns import acts, kept, stores
from privacy.returns.course import Act, Course, ScopeKind, Step
from privacy.returns.journal import Journal
from privacy.returns.stores import ConfirmationRefused, Line, Method, Said, StoreConfirmation
from privacy.returns.tables import DataReturn
from privacy.rights import Cause
from privacy.work import Work, unit_of_work

BEGUN = "begun"
"""The first entry of the journal: what was said when the destruction began, which nothing else holds any more."""
REVIEW_MONTHS = 3


@dataclass(frozen=True)
class DryRun:
    """Everything that would go, and what stands against it. Tables are name, rows now, rows that stay.

    Of a part, the rows are those about its people, emptied where others need them; no key of the ring, no file of the
    instance and no backup goes with it.
    """

    course: Course
    stores: Sequence[Line]
    tables: Sequence[tuple[str, int, int]]
    data_keys: int
    exceptions: Sequence[kept.Exempt]
    against: Sequence[str]
    keys: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[Path] = ()
    backups: Sequence[tuple[Path, bool]] = ()


def dry_run(left: Left, db: DbSession, course: Course, order: Order | None = None) -> DryRun:
    """Every store with its method, counted. Changes nothing."""
    course = acts.read(db, course.of.id)
    found = places(left, reference=course.of.ref, letter="")
    known, refused = lines(left, db, course), against(left, db, course, order)
    if course.scope.kind is not ScopeKind.ALL:
        part = destruction_part.inventory(left, found, course)
        return DryRun(
            course,
            stores=known,
            tables=[(name, count, 0) for name, count in sorted(part["rows"].items())],
            data_keys=part["data_keys"],
            exceptions=[
                kept.Exempt(table, rows, Cause(cause), date.fromisoformat(since))
                for table, rows, cause, since in part["exceptions"]
            ],
            against=refused,
        )
    spared, rows = kept.spared(db), kept.counts(db)
    going = {table.name: len(spared.keys(table)) for table in kept.going()}
    with left.vault.engine.connect() as connection:
        asked = select(func.count()).select_from(SUBJECT_KEY).where(SUBJECT_KEY.c.wrapped.is_not(None))
        data_keys = connection.scalar(asked) or 0
    return DryRun(
        course,
        stores=known,
        tables=[(name, count, going.get(name, count)) for name, count in sorted(rows.items()) if count],
        keys=left.vault.ring.fingerprints(),
        data_keys=data_keys,
        files=loose(left.settings, [place.folder for place in found.backups]),
        backups=[(place.folder, place.folder.is_dir()) for place in found.backups],
        exceptions=spared.exceptions,
        against=refused,
    )


def to_confirm(left: Left, db: DbSession, course: Course) -> list[Line]:
    """The stores that somebody confirms; once everything else is certified, backups that stayed out of reach too."""
    folder = folder_of(left.settings, course.of.ref)
    if not Journal.is_there(folder):
        return [line for line in lines(left, db, course) if line.by_hand]
    entries = Journal(folder).entries()
    found = [
        Line(Store(name, holds, "", ""), None, by_hand=True)
        for name, holds, _, by_hand in entries[BEGUN].facts["stores"]
        if by_hand
    ]
    if "backups" in entries and entries["backups"].facts["outstanding"]:
        found.append(Line(Store(stores.BACKUPS, "", "", ""), None, by_hand=True))
    return found


def confirm(
    work: Work, return_id: UUID, *, store: str, said: Said, known: Sequence[Line]
) -> StoreConfirmation:
    """Write down what somebody says of a store. Raises ConfirmationRefused, also where it names somebody: what is said
    stays for years, and nobody can take it back."""
    if not acts.read(work.db, return_id).begun:
        for field, text in (("who", said.who), ("witness", said.witness), ("evidence", said.evidence or "")):
            if naming.names_somebody(work.db, text):
                raise ConfirmationRefused(
                    field, "This names somebody. Enter a role, or a reference that names nobody"
                )
    return stores.confirm(work, return_id, store=store, said=said, known=known)


# ---- beginning


def begin(left: Left, course: Course, order: Order) -> Journal:
    """Begin; from now on nobody takes it back. Raises DestroyRefused. Killed in it, it is begun again.

    The site closes before the first row goes.
    """
    folder = folder_of(left.settings, course.of.ref)
    if not Journal.is_there(folder):
        if course.of.rehearsal:
            _play_by_hand(left, course)
        with left.session() as db:
            found = against(left, db, course, order)
            if found:
                raise DestroyRefused("; ".join(found))
            said = _said(left, db, acts.read(db, course.of.id), order)
        Journal(folder).note(BEGUN, at=left.clock(), **said)
    with left.session() as db, unit_of_work(db, left.clock, ACTOR, frozen_too=True) as work:
        acts.happen(
            work,
            return_id=course.of.id,
            step=Step.DESTROY,
            act=Act.BEGUN,
            event_id=event_id(course.of.id, Step.DESTROY, Act.BEGUN),
        )
        if course.scope.kind is ScopeKind.ALL:
            work.db.execute(update(InstanceFact).values(name=CLOSED))
            work.db.execute(
                update(DataReturn).where(DataReturn.id == course.of.id).values(closed_at=work.now)
            )
    if course.scope.kind is ScopeKind.ALL and closing.read(left.settings.instance) is None:
        returned = course.package is not None
        closing.mark(left.settings.instance, Closing(course.of.ref, course.of.rehearsal, returned))
    return Journal(folder)


def _play_by_hand(left: Left, course: Course) -> None:
    """In a rehearsal nobody goes to a safe: what is done by hand answers at once."""
    said = Said(Method.NONE, london_date(left.clock()), who="A rehearsal", witness="Nobody")
    with left.session() as db:
        waiting = [line for line in lines(left, db, course) if line.waits]
    with left.session() as db, unit_of_work(db, left.clock, ACTOR, frozen_too=True) as work:
        for line in waiting:
            stores.confirm(work, course.of.id, store=line.store.name, said=said, known=waiting)


def event_id(return_id: UUID, step: Step, act: Act) -> UUID:
    """The same for the same event, so that it is written down once."""
    return uuid5(return_id, f"{step}.{act}")


def _said(left: Left, db: DbSession, course: Course, order: Order) -> dict[str, Any]:
    """What only the open instance knows, and the certificate needs."""
    today = london_date(left.clock())
    ends_on = contract_period(db, left.programme, on=today).ends_on
    paid_on = order.paid_on or max(ends_on, today)
    direction, authority = course.event(Step.DIRECTION), course.event(Step.AUTHORITY)
    if direction is None or authority is None:
        raise DestroyRefused("the direction and the authority to delete have not been recorded")
    receipt = course.event(Step.RECEIPT)
    signed = (receipt.digests or [])[1:] if receipt is not None else []
    return {
        "return_id": str(course.of.id),
        "scope": _scope(course),
        "direction": direction.letter,
        "directed_on": london_date(direction.at).isoformat(),
        "authority": authority.letter,
        "answered_by": _references(db, course.answered_by(Step.DESTROY)),
        "package": course.package,
        "receipt": signed[0] if signed else None,
        "by": order.who,
        "witness": order.witness,
        "stores": [
            [line.store.name, line.store.holds, line.method.value if line.method else None, line.by_hand]
            for line in lines(left, db, course)
        ],
        "review_on": (order.review_on or add_months(today, REVIEW_MONTHS)).isoformat(),
        "kept_until": kept_records.kept_until(paid_on, left.programme.year_ends).isoformat(),
        "look_in": [str(path.resolve()) for path in order.look_in],
    }


def _scope(course: Course) -> str:
    match course.scope.kind:
        case ScopeKind.COUNCIL:
            return f"The data of one council and of {len(course.of.people or [])} people there"
        case ScopeKind.PERSON:
            return "The data of one person"
    return "All personal data held under the contract"


def _references(db: DbSession, actors: Sequence[str]) -> list[str]:
    """Who answered, by their own reference: an actor's id leads to nobody afterwards."""
    ids = {UUID(actor.partition(":")[2]): actor for actor in actors if actor.startswith("person:")}
    found = {person.id: person.ref for person in db.scalars(select(Person).where(Person.id.in_(ids)))}
    return [
        found.get(UUID(actor.partition(":")[2]), actor) if actor.startswith("person:") else actor
        for actor in actors
    ]


def unfinished(left: Left) -> str | None:
    """The reference of a destruction that was begun here and has no certificate yet."""
    root = left.settings.instance / "destruction"
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if Journal.is_there(folder) and "certificate" not in Journal(folder).entries():
            return folder.name
    return None
