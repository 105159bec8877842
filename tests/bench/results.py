"""What the figures cost: both KPIs over 100,000 people who answered before and after, and the board's one row.

Time is that of counting, with everything read and opened anew each turn. Memory is the most that the process and those
it counts with have at once, pages that they share once (the kernel's proportional set size).
"""

import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter, sleep
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    Attendance,
    AttendanceState,
    Package,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from portal.programme import load
from portal.results import board
from privacy import keys
from privacy.columns import seal
from privacy.engines import open_engine, sqlite_url
from privacy.keystore import METADATA, DataKeys, Vault
from privacy.records import Record
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Mode, Respondent, Response, ResponseState, Wave
from surveys.questionnaires import load_definition
from surveys.questions import Value
from tests.bench import memory

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)
AT_ONCE = 5_000
PEOPLE, TURNS = 100_000, 5
ROOT = Path(__file__).resolve().parents[2]
POINTS = ("not_at_all", "slightly", "fairly", "very", "completely", "prefer_not")


def clock() -> datetime:
    return NOW


class Cohort:
    """A programme in a folder: everybody had a session, everybody's support has ended, everybody answered both
    waves. An empty folder gets one without people."""

    def __init__(self, folder: Path) -> None:
        fresh = not (folder / "keys").exists()
        keys.create(folder / "keys")
        self.engine = open_engine(sqlite_url(folder / "data.sqlite"))
        self.vault = Vault(
            keys.load(folder / "keys"), open_engine(sqlite_url(folder / "keystore.sqlite")), clock
        )
        self.chance = random.Random(2023)
        if fresh:
            METADATA.create_all(self.vault.engine)
            Record.metadata.create_all(self.engine)
        with self.session() as db:
            versions.publish_shipped(db, clock)
            self.versions = {
                wave: versions.current(db, code=wave.value).id for wave in (Wave.BASELINE, Wave.POST)
            }

    def session(self) -> DbSession:
        return DbSession(self.engine, info={"vault": self.vault})

    def close(self) -> None:
        self.engine.dispose()
        self.vault.engine.dispose()

    def add(self, people: int) -> None:
        for start in range(0, people, AT_ONCE):
            self._add([uuid4() for _ in range(min(AT_ONCE, people - start))])

    def _add(self, ids: list[UUID]) -> None:
        own_keys = DataKeys(self.vault)
        own_keys.ensure(ids)
        rows: dict[type[Record], list[dict[str, Any]]] = {
            kind: [] for kind in (Person, Package, Respondent, Participation, Session, Attendance, Response)
        }
        for one in ids:
            ended_on = date(2022, 6, 1) + timedelta(days=self.chance.randrange(150))
            person_id, package_id = uuid4(), uuid4()
            rows[Person].append({"id": person_id, "ref": f"P-{one.hex[:9]}", "created_at": NOW})
            rows[Package].append(
                {
                    "id": package_id,
                    "ref": f"K-{one.hex[:9]}",
                    "strand": self.chance.choice(list(Strand)),
                    "state": PackageState.ENDED,
                    "starts_on": ended_on - timedelta(days=120),
                    "ends_on": ended_on,
                    "planned_minutes": 2100,
                    "created_at": NOW - timedelta(days=400),
                }
            )
            rows[Respondent].append({"id": one, "audience": Role.LEAD_MEMBER.value})
            rows[Participation].append(
                {
                    "id": one,
                    "package_id": package_id,
                    "person_id": person_id,
                    "role": Role.LEAD_MEMBER,
                    "from_on": ended_on - timedelta(days=120),
                }
            )
            starts_at = datetime(ended_on.year, ended_on.month, ended_on.day, 10, tzinfo=UTC) - timedelta(
                days=100
            )
            rows[Session].append(
                {
                    "id": package_id,
                    "package_id": package_id,
                    "mentor_id": person_id,
                    "kind": SessionKind.ONE_TO_ONE,
                    "state": SessionState.HELD,
                    "starts_at": starts_at,
                    "ends_at": starts_at + timedelta(hours=1),
                    "place": Place.REMOTE,
                    "uid": one.hex,
                    "sequence": 0,
                    "created_at": starts_at,
                    "by": "system:bench",
                }
            )
            rows[Attendance].append(
                {
                    "id": one,
                    "session_id": package_id,
                    "person_id": person_id,
                    "participation_id": one,
                    "state": AttendanceState.ATTENDED,
                    "booked_at": starts_at,
                    "by": "system:bench",
                }
            )
            ended_at = datetime(ended_on.year, ended_on.month, ended_on.day, 12, tzinfo=UTC)
            for wave, days in ((Wave.BASELINE, -125), (Wave.POST, 20)):
                rows[Response].append(self._response(own_keys, one, wave, ended_at + timedelta(days=days)))
        with self.engine.begin() as connection:
            for kind, values in rows.items():
                connection.execute(insert(kind), values)

    def _response(self, own_keys: DataKeys, holder: UUID, wave: Wave, at: datetime) -> dict[str, Any]:
        row_id = uuid4()
        values: dict[str, Any] = {
            "answers_sealed": self._answers(wave),
            "judgement_sealed": self._judgement(at) if wave is Wave.POST else None,
        }
        columns = Response.__table__.columns
        return {
            "id": row_id,
            "ref": row_id.hex[:12],
            "respondent_id": holder,
            "version_id": self.versions[wave],
            "wave": wave,
            "occasion": "once",
            "state": ResponseState.SUBMITTED,
            "mode": Mode.SELF,
            "revision": 1,
            "started_at": at,
            "saved_at": at,
            "submitted_at": at,
        } | {
            column: value
            and seal(
                own_keys,
                json.dumps(value, separators=(",", ":")).encode(),
                table="response",
                column=column,
                row=row_id,
                holder=holder,
                at_least=columns[column].info["at_least"],
            )
            for column, value in values.items()
        }

    def _answers(self, wave: Wave) -> dict[str, Value]:
        asked = load_definition_once(wave)
        answers: dict[str, Value] = {code: self.chance.choice(POINTS[1:]) for code in asked}
        if wave is Wave.POST:
            answers |= {
                "confidence_change": "little_more",
                "impact_have": "yes",
                "impact_changed": "Fewer children move far from home than a year ago. " * 3,
                "impact_for": ["care"],
                "impact_when": "Since March",
                "impact_evidence": ["data"],
                "impact_part": "I asked for the figures each month. " * 3,
            }
        return answers

    def _judgement(self, at: datetime) -> dict[str, Any]:
        verdict = self.chance.choice(["accepted", "accepted", "partly"])
        at = at + timedelta(days=1)
        return {"verdicts": [{"verdict": verdict, "note": "", "by": "person:x", "at": at.isoformat()}]}


_scales: dict[Wave, list[str]] = {}


def load_definition_once(wave: Wave) -> list[str]:
    if wave not in _scales:
        _scales[wave] = [one.code for one in load_definition(wave.value).questions if one.kind == "scale"]
    return _scales[wave]


def rows() -> Iterator[tuple[str, float, str, float, float]]:
    """Name, value, unit, limit and spread."""
    with tempfile.TemporaryDirectory() as name:
        cohort = Cohort(Path(name))
        cohort.add(PEOPLE)
        cohort.close()
        told = _told(name, lambda pid: None)
        most = [0.0]
        _told(name, lambda pid: most.append(sum(map(memory.share, _family(pid)))))
    for what, unit, limit in (("both KPIs of 100,000 people", "s", 2.0), ("the board's one row", "ms", 20.0)):
        times = told[unit]
        yield what, statistics.median(times), unit, limit, max(times) - min(times)
    yield "memory to count 100,000 people", max(most), "MB", 250.0, 0.0


def _told(folder: str, look: Callable[[int], None]) -> dict[str, list[float]]:
    """What a process of its own tells of counting; `look` is called with its id again and again. Looking at memory
    holds a process up, so its time is taken when nobody looks."""
    command = [sys.executable, "-m", "tests.bench.results", folder]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as counting:
        while counting.poll() is None:
            look(counting.pid)
            sleep(0.05)
        assert counting.stdout is not None
        told: dict[str, list[float]] = json.loads(counting.stdout.read())
    return told


def _family(pid: int) -> list[int]:
    """A process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return [pid]
    return [pid, *map(int, children.split())]


def count(folder: Path) -> dict[str, list[float]]:
    """Seconds to count both KPIs, and milliseconds to read what is kept of them, turn by turn."""
    cohort, programme = Cohort(folder), load(ROOT / "programme.toml")
    seconds, milliseconds = [], []
    for _ in range(TURNS):
        began = perf_counter()
        with cohort.session() as db:
            document = board.count(db, programme, as_of=NOW.date())
        seconds.append(perf_counter() - began)
        assert sum(one["base"] for one in document["kpis"]) == PEOPLE
    with cohort.session() as db, unit_of_work(db, clock, "system:bench") as work:
        board.keep(work, document)
    for _ in range(TURNS):
        began = perf_counter()
        with cohort.session() as db:
            kept = board.kept(db)
        milliseconds.append((perf_counter() - began) * 1000)
        assert kept is not None
        assert kept.document == document
    cohort.close()
    return {"s": seconds, "ms": milliseconds}


if __name__ == "__main__":
    print(json.dumps(count(Path(sys.argv[1]))))
