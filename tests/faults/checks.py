"""After a fault: what was acknowledged is there, once, with its lines in the trail and its mails, and all is whole."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, MetaData, and_, exists, func, select
from sqlalchemy.orm import Session as DbSession

from portal.booking.intervals import QUARTER
from portal.models import (
    Attendance,
    AttendanceState,
    Mail,
    Occupied,
    Participation,
    Session,
    SessionKind,
    SessionState,
)
from portal.programme import Programme
from privacy import audit
from privacy.audit import Action, AuditEntry
from privacy.engines import open_engine
from privacy.keystore import METADATA
from privacy.records import Record
from surveys.models import Response, ResponseState, Wave
from tests.conftest import Stack
from tests.faults.doings import Acknowledged
from tests.faults.world import World


def nothing_lost(world: World, *known: Acknowledged) -> None:
    """Everything that holds after any fault, for what was acknowledged and for what was not."""
    with world.db() as db:
        _feedback(db, [entry for one in known for entry in one.submitted.items()])
        booked = {session: who for one in known for session, who in one.booked.items()}
        _bookings(db, world.stack.instance.programme, booked)
        _places(db)
        assert audit.verify(db, world.stack.instance.vault.ring) > 0
    whole(world.stack)


def _feedback(db: DbSession, known: Iterable[tuple[tuple[UUID, UUID], str]]) -> None:
    rows = db.scalars(select(Response).where(Response.wave == Wave.FEEDBACK)).all()
    by_key = {(row.respondent_id, row.occasion): row for row in rows}
    assert len(by_key) == len(rows), "one response for each occasion"
    for (part_id, session_id), words in known:
        row = by_key.get((part_id, str(session_id)))
        assert row is not None, "an acknowledged submission is lost"
        assert row.state is ResponseState.SUBMITTED, "an acknowledged submission is a draft"
        assert row.answers is not None
        assert row.answers["session_better"] == words, "what was typed is what is stored"
    sent = [f"response:{row.id}" for row in rows if row.state is ResponseState.SUBMITTED]
    _one_line_each(db, Action.RESPONSE_SUBMITTED, sent)


def _bookings(db: DbSession, programme: Programme, known: dict[UUID, UUID]) -> None:
    """One-to-one sessions that were booked: held ones were there before."""
    rows = db.scalars(
        select(Session).where(Session.kind == SessionKind.ONE_TO_ONE, Session.state == SessionState.BOOKED)
    ).all()
    missing = set(known) - {row.id for row in rows}
    assert not missing, f"{len(missing)} acknowledged bookings are lost"
    one_to_one = AuditEntry.details.contains(f'"{SessionKind.ONE_TO_ONE}"')
    _one_line_each(db, Action.SESSION_BOOKED, [f"session:{row.id}" for row in rows], one_to_one)
    seats = _people(db, select(Attendance.session_id, Attendance.person_id))
    mails = _people(db, select(Mail.about, Mail.person_id).where(Mail.template == "session"))
    cells = Counter(map(tuple, db.execute(select(Occupied.session_id, Occupied.person_id))))
    for row in rows:
        (leader_id,) = seats[row.id]
        assert known.get(row.id, leader_id) == leader_id
        assert sorted(mails.get(row.id, [])) == sorted([leader_id, row.mentor_id]), (
            "one mail for each of both"
        )
        minutes = programme.session_minutes
        assert cells[row.id, leader_id] == minutes // QUARTER
        assert cells[row.id, row.mentor_id] == (minutes + 2 * programme.margin_minutes(row.place)) // QUARTER


def _people(db: DbSession, asked: Any) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for about, person_id in db.execute(asked):
        found.setdefault(about, []).append(person_id)
    return found


def _one_line_each(db: DbSession, action: Action, objects: Sequence[str], *more: ColumnElement[bool]) -> None:
    lines = Counter(db.scalars(select(AuditEntry.object).where(AuditEntry.action == action.word, *more)))
    assert lines == Counter(objects), f"{action.word}: a line for each, and none beside"


def _places(db: DbSession) -> None:
    """No group session has more people than places, and nobody sits in it in no part of theirs."""
    taken = db.execute(
        select(Session.id, Session.capacity, func.count(Attendance.id))
        .join(Attendance, Attendance.session_id == Session.id)
        .where(Attendance.state == AttendanceState.BOOKED, Session.capacity.is_not(None))
        .group_by(Session.id, Session.capacity)
    )
    assert all(count <= capacity for _, capacity, count in taken)
    strangers = db.scalar(
        select(func.count())
        .select_from(Attendance)
        .join(Participation, Participation.id == Attendance.participation_id)
        .where(Participation.person_id != Attendance.person_id)
    )
    assert strangers == 0


def whole(stack: Stack) -> None:
    """Both databases are whole: their own check where they have one, and every key and reference of the tables."""
    for url, metadata in (
        (stack.instance.settings.database_url, Record.metadata),
        (stack.instance.settings.keystore_url, METADATA),
    ):
        engine = open_engine(url)
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                assert connection.exec_driver_sql("pragma integrity_check").scalars().all() == ["ok"]
                assert connection.exec_driver_sql("pragma foreign_key_check").all() == []
            else:
                _keys_hold(connection, metadata)
        engine.dispose()


def _keys_hold(connection: Connection, metadata: MetaData) -> None:
    """Read from the tables themselves, not from the indexes that are to be believed."""
    connection.exec_driver_sql("set enable_indexscan = off")
    connection.exec_driver_sql("set enable_indexonlyscan = off")
    connection.exec_driver_sql("set enable_bitmapscan = off")
    for table in metadata.sorted_tables:
        key = list(table.primary_key.columns)
        doubled = select(func.count()).select_from(table).group_by(*key).having(func.count() > 1)
        assert connection.execute(doubled).all() == [], table.name
        for reference in table.foreign_keys:
            other = reference.column.table.alias()
            there = exists().where(other.c[reference.column.name] == reference.parent)
            lost = select(func.count()).where(and_(reference.parent.is_not(None), ~there))
            assert connection.scalar(lost) == 0, f"{table.name}.{reference.parent.name}"
