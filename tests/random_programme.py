"""Writes a random programme into a database: everything that can befall the people who are counted.

Support that runs, ended, ends later, was given up; people in several packages, who left early, whose data is
restricted or erased; answers early, in time, at the very last moment, late, on paper, corrected, taken back, never
finished; scores at the ends of the scale, left empty, kept to oneself; verdicts changed, and given too late. Rows are
written as they are, not by the rules that take answers from people, so that no rule hides what another gets wrong.
"""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, insert, text

from portal.models import (
    PARTICIPANT,
    Attendance,
    AttendanceState,
    Package,
    PackageState,
    Participation,
    Person,
    Place,
    Session,
    SessionKind,
    SessionState,
    Strand,
)
from privacy.columns import seal
from privacy.keystore import DataKeys, Vault
from privacy.records import Record
from surveys.models import Mode, Respondent, Response, ResponsePast, ResponseState, Wave
from surveys.questionnaires import load_definition
from surveys.results import Verdict

LONDON = ZoneInfo("Europe/London")
AS_OF = date(2023, 3, 1)
POINTS = ("not_at_all", "slightly", "fairly", "very", "completely")
SCALES = {
    wave: [one.code for one in load_definition(wave.value).questions if one.kind == "scale"]
    for wave in (Wave.BASELINE, Wave.POST)
}
TABLES = (
    *(
        "attendance",
        "session",
        "response_past",
        "response",
        "participation",
        "respondent",
        "package",
        "person",
    ),
)
Rows = dict[type[Record], list[dict[str, Any]]]


class RandomProgramme:
    """Makes one programme after another; `chance` decides everything, so a seed tells one from all others."""

    def __init__(self, engine: Engine, vault: Vault, versions: dict[Wave, UUID]) -> None:
        self.engine = engine
        self.vault = vault
        self.versions = versions
        self.chance = random.Random(0)
        self.rows: Rows = {}
        self.keys = DataKeys(vault)
        self.bright = False

    def make(self, seed: int, *, people: int) -> None:
        """Write one, in place of the one before."""
        self.chance = random.Random(seed)
        self.keys = DataKeys(self.vault)
        self.rows = {}
        # In some programmes nearly everybody answers in time and can show something: there figures reach the target.
        self.bright = self.chance.random() < 0.3
        self.clear()
        mentor = self._person()
        crowd = [self._person() for _ in range(people)]
        restricted = {one for one in crowd if self.chance.random() < 0.05}
        erased = {one for one in crowd if self.chance.random() < 0.05} - restricted
        for package_id, package, members in self._packages(crowd):
            for person_id in members:
                self._participation(
                    package_id, package, person_id, mentor, person_id in restricted, person_id in erased
                )
        with self.engine.begin() as connection:
            for kind in (
                Person,
                Package,
                Respondent,
                Participation,
                Session,
                Attendance,
                Response,
                ResponsePast,
            ):
                if kind in self.rows:
                    connection.execute(insert(kind), _alike(self.rows[kind]))
        with self.vault.engine.begin() as connection:
            for holder in self._erased:
                connection.execute(
                    text("update subject_key set wrapped = null where holder_id = :holder"),
                    {"holder": holder.hex},
                )

    def clear(self) -> None:
        self._erased: list[UUID] = []
        with self.engine.begin() as connection:
            for table in TABLES:
                connection.execute(text(f"delete from {table}"))
        with self.vault.engine.begin() as connection:
            connection.execute(text("delete from subject_key"))

    def _id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)

    def _add(self, table: type[Record], /, **values: Any) -> None:
        self.rows.setdefault(table, []).append(values)

    def _person(self) -> UUID:
        person_id = self._id()
        self._add(Person, id=person_id, ref=person_id.hex[:12], created_at=datetime(2022, 1, 1, tzinfo=UTC))
        return person_id

    def _packages(self, crowd: Sequence[UUID]) -> Iterator[tuple[UUID, dict[str, Any], list[UUID]]]:
        waiting = list(crowd) + [one for one in crowd if self.chance.random() < 0.25]
        while waiting:
            group = self.chance.random() < 0.4
            size = self.chance.randint(2, 5) if group else 1
            members = list(dict.fromkeys(waiting[:size]))
            waiting = waiting[size:]
            state = self.chance.choices(list(PackageState), weights=(1, 1, 1, 4, 14, 1))[0]
            starts_on = date(2022, 3, 1) + timedelta(days=self.chance.randrange(340))
            ended = state is PackageState.ENDED
            ends_on = starts_on + timedelta(days=self.chance.randrange(1, 200))
            if ended and self.chance.random() < 0.3:
                # Days whose window closes about the day that is counted, and ends of months.
                ends_on = self.chance.choice(
                    [
                        date(2022, 11, 28),
                        date(2022, 11, 29),
                        date(2022, 11, 30),
                        date(2022, 12, 1),
                        date(2022, 12, 2),
                    ]
                )
                starts_on = min(starts_on, ends_on)
            package: dict[str, Any] = {
                "id": self._id(),
                "strand": Strand.GROUP if group else Strand.ONE_TO_ONE,
                "state": state,
                "starts_on": starts_on,
                "ends_on": ends_on if ended or self.chance.random() < 0.1 else None,
                "planned_minutes": 2100,
                "created_at": datetime(2022, 1, 1, tzinfo=UTC),
            }
            package["ref"] = package["id"].hex[:12]
            self._add(Package, **package)
            yield package["id"], package, members

    def _participation(
        self,
        package_id: UUID,
        package: dict[str, Any],
        person_id: UUID,
        mentor: UUID,
        restricted: bool,
        erased: bool,
    ) -> None:
        part_id = self._id()
        role = self.chance.choice(sorted(PARTICIPANT))
        starts_on, ends_on = package["starts_on"], package["ends_on"]
        from_on = starts_on + timedelta(days=self.chance.choice((-30, 0, 0, 0, 5)))
        left = self.chance.random() < 0.1
        to_on = starts_on + timedelta(days=self.chance.randrange(-10, 120)) if left else None
        self.keys.ensure([part_id])
        self._add(
            Respondent,
            id=part_id,
            audience=role.value,
            restricted_at=datetime(2023, 1, 5, tzinfo=UTC) if restricted else None,
        )
        self._add(
            Participation,
            id=part_id,
            package_id=package_id,
            person_id=None if erased else person_id,
            role=role,
            from_on=from_on,
            to_on=to_on,
        )
        if erased:
            self._erased.append(part_id)
        first = self._session(package_id, part_id, person_id, mentor, starts_on)
        end = min(day for day in (to_on, ends_on, date(2023, 6, 1)) if day is not None)
        self._response(part_id, Wave.BASELINE, self._moment_before(end, first), end)
        self._response(part_id, Wave.POST, self._moment_after(end), end)

    def _session(
        self, package_id: UUID, part_id: UUID, person_id: UUID, mentor: UUID, starts_on: date
    ) -> datetime | None:
        if self.chance.random() < 0.4:
            return None
        state = self.chance.choice(list(SessionState))
        seat = self.chance.choice(list(AttendanceState))
        starts_at = datetime(starts_on.year, starts_on.month, starts_on.day, 10, tzinfo=UTC) + timedelta(
            days=self.chance.randrange(60)
        )
        session_id = self._id()
        self._add(
            Session,
            id=session_id,
            package_id=package_id,
            mentor_id=mentor,
            kind=SessionKind.ONE_TO_ONE,
            state=state,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            place=Place.REMOTE,
            uid=session_id.hex,
            sequence=0,
            created_at=starts_at,
            by="system:test",
        )
        self._add(
            Attendance,
            id=self._id(),
            session_id=session_id,
            person_id=person_id,
            participation_id=part_id,
            state=seat,
            booked_at=starts_at,
            by="system:test",
        )
        return starts_at

    def _moment_before(self, end: date, first: datetime | None) -> datetime:
        """When a baseline is sent: mostly long before, sometimes at the very moment or after."""
        midnight = datetime(end.year, end.month, end.day, tzinfo=LONDON).astimezone(UTC)
        edge = midnight if first is None or self.chance.random() < 0.1 else min(midnight, first)
        return self._near(edge, usual=edge - timedelta(days=self.chance.randrange(1, 60)))

    def _moment_after(self, end: date) -> datetime:
        """When a post questionnaire is sent: from the day support ended, to after its window."""
        day = end + timedelta(days=self.chance.randrange(0, 70))
        usual = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        month, year = (end.month + 3, end.year) if end.month <= 9 else (end.month - 9, end.year + 1)
        last = min(end.day, 28)
        edge = datetime(year, month, last, tzinfo=LONDON) + timedelta(days=self.chance.randrange(0, 4))
        return self._near(edge.astimezone(UTC), usual=usual)

    def _near(self, edge: datetime, *, usual: datetime) -> datetime:
        if self.chance.random() < (1 if self.bright else 0.8):
            return usual
        return edge + self.chance.choice(
            (
                timedelta(0),
                -timedelta(microseconds=1),
                timedelta(minutes=30),
                timedelta(days=1),
                -timedelta(hours=1),
            )
        )

    def _response(self, holder: UUID, wave: Wave, at: datetime, end: date) -> None:
        if self.chance.random() < (0.02 if self.bright else 0.2):
            return
        row_id = self._id()
        weights = (0, 1, 0) if self.bright else (2, 14, 1)
        state = self.chance.choices(list(ResponseState), weights=weights)[0]
        paper = self.chance.random() < 0.1
        answered_on = (
            at.astimezone(LONDON).date() - timedelta(days=self.chance.randrange(0, 20)) if paper else None
        )
        mode = Mode.PAPER if paper else self.chance.choice((Mode.SELF, Mode.INTERVIEW))
        sent = state is not ResponseState.DRAFT
        corrections = self.chance.choice((0, 0, 0, 0, 1, 2)) if sent and not self.bright else 0
        moments = sorted(
            [at, *(at + timedelta(days=self.chance.randrange(1, 60)) for _ in range(corrections))]
        )
        for moment in moments[:-1]:
            past_id = self._id()
            answers, judgement = self._sealed(holder, "response_past", past_id, wave, moment)
            self._add(
                ResponsePast,
                id=past_id,
                response_id=row_id,
                respondent_id=holder,
                revision=self.chance.getrandbits(40),
                submitted_at=moment,
                answers_sealed=answers,
                judgement_sealed=judgement,
            )
        answers, judgement = self._sealed(holder, "response", row_id, wave, moments[-1])
        self._add(
            Response,
            id=row_id,
            ref=row_id.hex[:12],
            respondent_id=holder,
            version_id=self.versions[wave],
            wave=wave,
            occasion="once",
            state=state,
            mode=mode,
            revision=self.chance.getrandbits(40),
            started_at=at - timedelta(hours=1),
            saved_at=moments[-1],
            submitted_at=moments[-1] if sent else None,
            answered_on=answered_on,
            answers_sealed=answers,
            judgement_sealed=judgement,
        )

    def _sealed(
        self, holder: UUID, table: str, row: UUID, wave: Wave, at: datetime
    ) -> tuple[bytes, bytes | None]:
        judged = wave is Wave.POST and self.chance.random() < (1 if self.bright else 0.7)
        judgement = self._judgement(at) if judged else None
        return (
            self._seal(self._answers(wave), holder, table, "answers_sealed", row),
            None if judgement is None else self._seal(judgement, holder, table, "judgement_sealed", row),
        )

    def _seal(self, value: Any, holder: UUID, table: str, column: str, row: UUID) -> bytes:
        data = json.dumps(value, ensure_ascii=False).encode()
        return seal(self.keys, data, table=table, column=column, row=row, holder=holder, at_least=1024)

    def _answers(self, wave: Wave) -> dict[str, Any]:
        points: Any = POINTS[3:] if self.chance.random() < 0.3 else POINTS
        if self.bright:
            points = POINTS[:3] if wave is Wave.BASELINE else POINTS[3:]
        answers: dict[str, Any] = {
            code: self.chance.choice(points * 9 if self.bright else (*points * 3, "prefer_not", None))
            for code in SCALES[wave]
        }
        if wave is Wave.POST:
            answers["confidence_change"] = self.chance.choice(
                ("much_more", "little_more", "same", "less", "prefer_not", None)
            )
            have = ("yes",) if self.bright else ("yes", "yes", "yes", "no", None)
            answers["impact_have"] = self.chance.choice(have)
            answers["impact_changed"] = "Fewer children move “far” from home 🙂"
        return {
            code: value for code, value in answers.items() if value is not None or self.chance.random() < 0.5
        }

    def _judgement(self, at: datetime) -> dict[str, Any]:
        given = []
        for _ in range(1 if self.bright else self.chance.choice((0, 1, 1, 2))):
            at += timedelta(days=self.chance.randrange(1, 2 if self.bright else 60))
            verdict = self.chance.choice([*Verdict, Verdict.ACCEPTED, Verdict.ACCEPTED])
            verdict = Verdict.ACCEPTED if self.bright else verdict
            given.append({"verdict": verdict.value, "note": "Said", "by": "person:x", "at": at.isoformat()})
        themes = {"themes": {"impact_changed": {"codes": ["data"]}}}
        # A text may be sorted before anybody gives a verdict.
        return {"verdicts": given, **themes} if given else themes


def _alike(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the same keys, as one statement wants them."""
    names = {name for row in rows for name in row}
    return [{name: row.get(name) for name in names} for row in rows]
