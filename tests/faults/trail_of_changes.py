"""What is in a database, row by row, and which lines of the trail a change of it calls for: those, and no other."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import CompoundSelect, exists, literal, select, union_all
from sqlalchemy.orm import Session as DbSession

from portal.models import AttendanceState, PackageState, WaitingState
from privacy import reach
from privacy.records import Record
from privacy.rights import ErasureState

Row = Mapping[str, Any]
Rows = dict[str, dict[Any, Row]]
Lines = Counter[tuple[str, str]]
TRAIL = ("audit_entry", "audit_head")


@cache
def _which_have_rows() -> CompoundSelect[str]:
    return union_all(
        *(select(literal(table.name)).where(exists().select_from(table)) for table in reach.tables())
    )


def rows_of(db: DbSession) -> Rows:
    """Every row of every table, by table and key."""
    found: Rows = {table.name: {} for table in reach.tables()}
    for name in db.scalars(_which_have_rows()).all():
        table = Record.metadata.tables[name]
        key = [column.name for column in table.primary_key]
        rows = db.execute(select(table)).mappings()
        found[name] = {tuple(row[part] for part in key): dict(row) for row in rows}
    return found


def data_of(rows: Rows) -> Rows:
    """The rows without the trail."""
    return {table: held for table, held in rows.items() if table not in TRAIL}


def written(before: Rows, after: Rows) -> Lines:
    """The lines that the trail got."""
    known = before["audit_entry"]
    return Counter(
        (row["action"], row["object"]) for key, row in after["audit_entry"].items() if key not in known
    )


def called_for(before: Rows, after: Rows) -> Lines:
    """The lines that this change of the rows calls for: one for each thing that was done."""
    lines: Lines = Counter()
    for table, read in READERS.items():
        for old, new in changes(before, after, table):
            if new is not None:
                lines.update(read(old, new, after))
            elif table == "legal_hold" and old is not None and old["lifted_at"] is None:
                # What waited for it went at once, and the row of the hold with it.
                lines["hold.lifted", f"hold:{old['id']}"] += 1
    return lines


def changes(before: Rows, after: Rows, table: str) -> Iterator[tuple[Row | None, Row | None]]:
    """Each row that came, went or changed, as it was and as it is."""
    old, new = before[table], after[table]
    for key in old.keys() | new.keys():
        if old.get(key) != new.get(key):
            yield old.get(key), new.get(key)


def _session(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    this = f"session:{new['id']}"
    if old is None:
        yield ("session.booked", this)
        return
    if new["cancelled_at"] != old["cancelled_at"]:
        yield ("session.cancelled", this)
    elif new["sequence"] != old["sequence"]:
        yield ("session.moved", this)
    if new["recorded_at"] != old["recorded_at"]:
        yield ("session.recorded", this)
        for seat in rows["attendance"].values():
            if seat["session_id"] == new["id"] and seat["state"] != AttendanceState.CANCELLED:
                yield ("attendance.recorded", f"attendance:{seat['id']}")


def _attendance(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if rows["session"][(new["session_id"],)]["capacity"] is None:
        return
    was = None if old is None else old["state"]
    # Of what is recorded as called off after all, people have the places that they had.
    if new["state"] == AttendanceState.BOOKED and was in (None, AttendanceState.CANCELLED):
        yield ("place.booked", f"attendance:{new['id']}")
    if new["state"] == AttendanceState.CANCELLED and was == AttendanceState.BOOKED:
        yield ("place.cancelled", f"attendance:{new['id']}")


def _waiting(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    this = f"waiting:{new['id']}"
    was = None if old is None else old["state"]
    if new["state"] == WaitingState.WAITING and was != WaitingState.WAITING:
        yield ("waiting.joined", this)
    if new["state"] == WaitingState.LEFT and was == WaitingState.WAITING:
        yield ("waiting.left", this)
    if new["passed_over"] is not None and (old is None or old["passed_over"] != new["passed_over"]):
        yield ("waiting.passed_over", this)


def _mail(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is None and new["template"] == "place_freed":
        for seat in rows["attendance"].values():
            if (seat["session_id"], seat["person_id"]) == (new["about"], new["person_id"]):
                yield ("place.promoted", f"attendance:{seat['id']}")


def _delegation(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is None:
        yield ("assistant.named", f"delegation:{new['id']}")
    elif new["ended_at"] is not None and old["ended_at"] is None:
        yield ("assistant.ended", f"delegation:{new['id']}")


def _person(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    this = f"person:{new['id']}"
    if old is None:
        yield ("person.added", this)
    elif new["mailbox_shared"] and not old["mailbox_shared"]:
        yield ("mailbox.told", this)


def _package(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is not None and new["state"] != old["state"]:
        yield ("package.changed", f"package:{new['id']}")
        if new["state"] == PackageState.ENDED:
            yield ("package.ended", f"package:{new['id']}")


def _participation(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is not None and new["to_on"] != old["to_on"]:
        yield ("member.left", f"package:{new['package_id']}")


def _response(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if new["submitted_at"] is not None and (old is None or old["submitted_at"] is None):
        yield ("response.submitted", f"response:{new['id']}")


def _hold(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is None:
        yield ("hold.placed", f"hold:{new['id']}")
    elif new["lifted_at"] is not None and old["lifted_at"] is None:
        yield ("hold.lifted", f"hold:{new['id']}")


def _erasure(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    if old is None:
        yield ("erasure.begun", f"erasure:{new['id']}")
    if new["state"] == ErasureState.ERASED:
        yield ("erasure.done", f"erasure:{new['id']}")


def _figure(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    yield ("figures.counted", f"figure:{new['id']}")


def _backup(old: Row | None, new: Row, rows: Rows) -> Iterator[tuple[str, str]]:
    words = {"backup": "backup.made", "restore": "backup.restored", "drill": "backup.drilled"}
    yield (words[new["kind"].value], f"backup_run:{new['id']}")


READERS = {
    "session": _session,
    "attendance": _attendance,
    "waiting": _waiting,
    "mail": _mail,
    "delegation": _delegation,
    "person": _person,
    "package": _package,
    "participation": _participation,
    "response": _response,
    "legal_hold": _hold,
    "erasure": _erasure,
    "figure": _figure,
    "backup_run": _backup,
}
