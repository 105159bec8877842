"""What has to hold after whatever was done, in whatever order: checked on the rows, not by what wrote them."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, func, select
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.models import AttendanceState, SessionState
from portal.results import kpi
from privacy import audit, reach
from privacy.clock import london_date
from privacy.columns import sealed_columns
from privacy.records import Erase, Kind
from surveys.models import Response
from tests.faults.trail_of_changes import TRAIL, Row, Rows
from tests.reference import Reference
from tests.rules.test_reference import _agree, _counted

QUARTER = 900
SEATED = {AttendanceState.BOOKED, AttendanceState.ATTENDED}


def seats(rows: Rows) -> dict[UUID, list[UUID]]:
    """Who has a place in each session."""
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for seat in rows["attendance"].values():
        if seat["state"] in SEATED:
            found[seat["session_id"]].append(seat["person_id"])
    return found


def margin(session: Row, instance: Instance) -> timedelta:
    """What a mentor's time is kept free for before and after."""
    return timedelta(minutes=instance.programme.margin_minutes(session["place"]))


def nobody_is_in_two_places(rows: Rows, instance: Instance, *, now: datetime, gone: set[UUID]) -> None:
    """Property 3: the quarter hours that are taken are those of the sessions to come, each once, and no session of
    somebody lies over another."""
    sitting = seats(rows)
    expected: dict[Any, Any] = {}
    stretches: dict[UUID, list[tuple[datetime, datetime]]] = defaultdict(list)
    for session in rows["session"].values():
        if session["state"] == SessionState.CANCELLED:
            continue
        start, end, edge = session["starts_at"], session["ends_at"], margin(session, instance)
        for person_id in sitting[session["id"]]:
            stretches[person_id].append((start, end))
        stretches[session["mentor_id"]].append((start, end))
        if session["state"] != SessionState.BOOKED:
            continue
        spans = dict.fromkeys(sitting[session["id"]], (start, end))
        spans[session["mentor_id"]] = (start - edge, end + edge)
        for person_id, (first, past) in spans.items():
            for cell in range(int(first.timestamp()) // QUARTER, int(past.timestamp()) // QUARTER):
                assert expected.setdefault((person_id, cell), session["id"]) == session["id"]
    booked = {row["id"] for row in rows["session"].values() if row["state"] == SessionState.BOOKED}
    taken = {key: row["session_id"] for key, row in rows["occupied"].items() if row["session_id"] in booked}
    assert taken == {key: at for key, at in expected.items() if key[0] not in gone}
    for row in rows["occupied"].values():
        assert rows["session"][(row["session_id"],)]["cancelled_at"] is None, "what was called off is free"
    for person_id, found in stretches.items():
        found.sort()
        for (_, end), (start, _) in pairwise(found):
            assert end <= start, person_id


def no_place_is_given_twice(rows: Rows, *, gone: set[UUID]) -> None:
    """Never more people than places; one leader, while they are there, in a one-to-one session."""
    sitting = seats(rows)
    for session in rows["session"].values():
        people = sitting[session["id"]]
        assert len(people) == len(set(people))
        if session["capacity"] is not None:
            assert len(people) <= session["capacity"]
        elif session["state"] == SessionState.BOOKED:
            assert len(people) == 1 or (not people and gone)


def everybody_is_told(before: Rows, after: Rows, lines: Counter[tuple[str, str]], *, gone: set[UUID]) -> None:
    """A session that was booked, moved or cancelled is told to its mentor and to whoever has a place."""
    queued = [row for key, row in after["mail"].items() if key not in before["mail"]]
    told = {(row["about"], row["person_id"]) for row in queued if row["template"] == "session"}
    sitting = seats(after)
    for action, thing in lines:
        if action in {"session.booked", "session.moved", "session.cancelled"}:
            session = after["session"][(UUID(thing.partition(":")[2]),)]
            for person_id in {session["mentor_id"], *sitting[session["id"]]} - gone:
                assert (session["id"], person_id) in told, action


def the_trail_holds(db: DbSession, instance: Instance, rows: Rows) -> None:
    """Every line is there, in order, unaltered."""
    assert audit.verify(db, instance.vault.ring) == len(rows["audit_entry"])


def answers_are_there(db: DbSession, given: Mapping[tuple[UUID, str], Any]) -> None:
    """Property 2: what was acknowledged opens to what was said, once."""
    found = {(row.respondent_id, row.wave.value): row.answers for row in db.scalars(select(Response))}
    assert found == dict(given)


def figures_can_be_recomputed(db: DbSession, instance: Instance, *, now: datetime) -> None:
    """Property 6: another program that reads the rows comes to the same figures."""
    as_of, engine = london_date(now), db.get_bind().engine
    reference = Reference(engine, instance.vault.engine, instance.vault.ring.keks, as_of=as_of)
    for figure in kpi.kpi(db, instance.programme, as_of=as_of):
        _agree(_counted(figure), reference.kpi(figure.strand.value), figure.strand.value)


def nothing_stands_in_clear(rows: Rows, words: Mapping[UUID, str]) -> None:
    """Property 4: without the keys no word of anybody is to be read, in whatever column."""
    whole = repr({table: rows[table] for table in rows if rows[table]}).casefold()
    assert not [word for word in words.values() if word.casefold() in whole]


def the_erased_are_gone(
    db: DbSession, instance: Instance, rows: Rows, gone: set[UUID], words: Mapping[UUID, str]
) -> None:
    """Property 5: no row is about them, no key opens, no value that still opens names them; where their id stands,
    the register of holdings says that it may."""
    for person_id in gone:
        for table in (one for one in reach.personal_tables() if rows[one.name]):
            left = db.scalar(select(func.count()).select_from(table).where(reach.about(table, person_id)))
            if left:
                row = rows["person"][(person_id,)]
                assert table.name == "person", f"{table.name} still has rows about somebody who was erased"
                assert not [name for name in ("email_index", "name_sealed", "email_sealed") if row[name]]
        assert instance.vault.keys([person_id]).get(person_id) == {}
        _stands_only_where_declared(rows, person_id)
    if gone:
        opened = repr(list(_opened(db, rows))).casefold()
        assert not [words[one] for one in gone if words[one].casefold() in opened]


def _stands_only_where_declared(rows: Rows, person_id: UUID) -> None:
    marks = {str(person_id), person_id.hex}
    for table in reach.tables():
        for row in rows[table.name].values():
            for column in table.columns:
                value = row[column.name]
                same = value == person_id if isinstance(column.type, Uuid) else _holds(value, marks)
                if same and column.table.name not in TRAIL:
                    held = column.info["held"]
                    assert held.kind is Kind.PSEUDONYMOUS or column is reach.root().c.id, column
                    assert held.erase is Erase.KEEP, column


def _holds(value: object, marks: set[str]) -> bool:
    return isinstance(value, (str, list, dict)) and any(mark in repr(value) for mark in marks)


def _opened(db: DbSession, rows: Rows) -> list[Any]:
    """Everything sealed that still opens."""
    found: list[Any] = []
    for table in reach.tables():
        kind: Any = reach.mapper_of(table).class_
        descriptors = sealed_columns(kind)
        if not rows[table.name] or not descriptors:
            continue
        names = [
            (one, next(name for cls in kind.__mro__ for name, held in vars(cls).items() if held is one))
            for one in descriptors
        ]
        for row in db.scalars(select(kind)):
            found += [getattr(row, name) for one, name in names if getattr(row, one.column) is not None]
    return found
