"""A programme to measure: leaders signed in, each with one-to-one support and ten statements to answer; and a crowd.

Everything is written in bulk and is what the product itself would have written: sealed with each holder's own key,
found by the same index. What a page costs beside the crowd is then what it would cost in such a programme.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session as DbSession

from portal.models import (
    Attendance,
    AttendanceState,
    BrowserSession,
    Hours,
    Level,
    Mail,
    MailState,
    Office,
    Package,
    PackageMentor,
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
from privacy.columns import AddressKeys, keys_of, seal
from privacy.records import Record, new_id
from privacy.work import unit_of_work
from surveys import versions
from surveys.kinds import Scale
from surveys.models import Mode, Respondent, Response, ResponseState, Version, Wave
from surveys.questionnaires import Page, Questionnaire, Section, canonical, content_hash
from surveys.questions import Option
from tests.bench.asking import POINTS, STATEMENTS, Leader
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.pages_client import signed_in

AT_ONCE = 5_000
ON_SQLITE: Mapping[str, str] = {}
ON = date(2023, 1, 9)
Rows = dict[type[Record], list[dict[str, Any]]]
_numbers = count(1)


def ten_statements() -> Questionnaire:
    """A first questionnaire whose first page has ten statements on a scale of five, as the shipped ones ask them."""
    words = (
        "Not confident at all",
        "Slightly confident",
        "Fairly confident",
        "Very confident",
        "Completely confident",
    )
    scored = [
        Option(code=code, label=label, score=score)
        for score, (code, label) in enumerate(zip(POINTS, words, strict=False), 1)
    ]
    options = (*scored, Option(code=POINTS[-1], label="Prefer not to say", apart=True))

    def statement(code: str, text: str) -> Scale:
        return Scale(
            code=code,
            text=text,
            required=True,
            options=options,
            error="Choose how confident you feel in {text}",
        )

    ten = Page(
        code="ten",
        title="What good looks like",
        intro="How confident do you feel in each of these, today?",
        questions=tuple(
            statement(
                code, f"Knowing what good children's social care looks like, in part {number} of your work"
            )
            for number, code in enumerate(STATEMENTS, 1)
        ),
    )
    last = Page(code="rest", title="Your role", questions=(statement("role", "Your role in all of it"),))
    section = Section(code="confidence", title="How confident you feel", pages=(ten, last))
    return Questionnaire(
        code="baseline", title="Before your support starts", waves=("baseline",), sections=(section,)
    )


@dataclass
class World:
    """A programme in a folder of its own."""

    stack: Stack
    version_id: UUID
    mentor_ids: list[UUID]
    leaders: list[Leader] = field(default_factory=list)

    def session(self) -> DbSession:
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def close(self) -> None:
        self.stack.close()

    def add_leaders(self, count: int, *, mentors: Sequence[UUID] = ()) -> list[Leader]:
        """Leaders with one-to-one support, signed in with the mailed code; their baseline is open, and they can book
        before it, so that each page can be measured with everybody. Each has all of these mentors, or one of all."""
        added: list[Leader] = []
        with self.session() as db, unit_of_work(db, self.stack.clock, "system:bench") as work:
            rows, people = _empty(), [new_id() for _ in range(count)]
            browsers: list[BrowserSession] = []
            self._people(work.db, people, rows)
            for number, person_id in enumerate(people):
                participation_id, package_id = new_id(), new_id()
                own = mentors or [self.mentor_ids[number % len(self.mentor_ids)]]
                self._package(rows, package_id, mentors=own)
                self._part(rows, participation_id, package_id, person_id)
                row, token = signed_in(person_id, level=Level.MAIL, now=self.stack.clock())
                browsers.append(row)
                added.append(Leader(person_id, participation_id, package_id, token, _address(person_id)))
            _write(work.db, rows)
            work.db.add_all(browsers)
        return added

    def add_rush(self, *, seekers: int, times: int) -> list[Leader]:
        """Leaders who share mentors with two times a day each: so many of them in all, on each day."""
        with self.session() as db:
            make = Factory(db, self.stack.clock, self.stack.instance.programme)
            mentors = [make.mentor(open_all_week=False).id for _ in range(times // 2)]
            with unit_of_work(db, self.stack.clock, "system:bench") as work:
                work.db.add_all(
                    Hours(id=new_id(), person_id=one, weekday=weekday, spans=[[540, 600], [630, 690]])
                    for one in mentors
                    for weekday in range(5)
                )
        return self.add_leaders(seekers, mentors=mentors)

    def add_crowd(self, people: int, *, packages: int) -> None:
        """People in groups who all have answered, with a session behind them and a mail that went."""
        in_each = -(-people // packages)
        left = people
        with self.session() as db:
            while left:
                now, left = (
                    min(left, AT_ONCE // in_each * in_each),
                    max(0, left - AT_ONCE // in_each * in_each),
                )
                with unit_of_work(db, self.stack.clock, "system:bench") as work:
                    self._crowd(work.db, [new_id() for _ in range(now)], in_each=in_each)
                db.info.pop("data_keys", None)

    def _crowd(self, db: DbSession, people: list[UUID], *, in_each: int) -> None:
        rows, parts = _empty(), {one: new_id() for one in people}
        self._people(db, people, rows)
        keys = keys_of(db)
        keys.ensure(parts.values())
        for number, group in enumerate(_groups(people, in_each)):
            package_id, session_id = new_id(), new_id()
            mentor_id = self.mentor_ids[number % len(self.mentor_ids)]
            self._package(rows, package_id, mentors=[mentor_id], strand=Strand.GROUP)
            rows[Session].append(self._session(session_id, package_id, mentor_id))
            for person_id in group:
                self._part(rows, parts[person_id], package_id, person_id)
                rows[Attendance].append(self._attendance(session_id, person_id, parts[person_id]))
                rows[Response].append(self._response(keys, parts[person_id]))
                rows[Mail].append(self._mail(person_id, parts[person_id]))
        _write(db, rows)

    def _people(self, db: DbSession, people: list[UUID], rows: Rows) -> None:
        keys, addresses = keys_of(db), AddressKeys(db)
        keys.ensure(people)
        for one in people:
            address = _address(one)
            place: dict[str, Any] = {"table": "person", "row": one, "holder": one, "at_least": 64}
            rows[Person].append(
                {
                    "id": one,
                    "ref": f"P-{next(_numbers):x}",
                    "email_index": addresses.index(address),
                    "name_sealed": seal(
                        keys, f"Person {one.hex[:6]}".encode(), column="name_sealed", **place
                    ),
                    "email_sealed": seal(keys, address.encode(), column="email_sealed", **place),
                    "created_at": self.stack.clock(),
                    "meets_children": False,
                    "mailbox_shared": False,
                    "passkey_offered_at": self.stack.clock(),
                }
            )
            rows[Office].append({"id": new_id(), "person_id": one, "role": Role.LEAD_MEMBER, "from_on": ON})

    def _package(
        self, rows: Rows, package_id: UUID, *, mentors: Sequence[UUID], strand: Strand = Strand.ONE_TO_ONE
    ) -> None:
        rows[Package].append(
            {
                "id": package_id,
                "ref": f"K-{next(_numbers):x}",
                "strand": strand,
                "state": PackageState.ACTIVE,
                "starts_on": ON,
                "planned_minutes": 2100,
                "created_at": self.stack.clock() - timedelta(days=30),
                "baseline_waived_at": self.stack.clock(),
            }
        )
        rows[PackageMentor] += [
            {"id": new_id(), "package_id": package_id, "person_id": mentor, "from_on": ON}
            for mentor in mentors
        ]

    def _part(self, rows: Rows, participation_id: UUID, package_id: UUID, person_id: UUID) -> None:
        rows[Respondent].append({"id": participation_id, "audience": Role.LEAD_MEMBER.value})
        rows[Participation].append(
            {
                "id": participation_id,
                "package_id": package_id,
                "person_id": person_id,
                "role": Role.LEAD_MEMBER,
                "from_on": ON,
            }
        )

    def _session(self, session_id: UUID, package_id: UUID, mentor_id: UUID) -> dict[str, Any]:
        starts_at = self.stack.clock() - timedelta(days=14)
        return {
            "id": session_id,
            "package_id": package_id,
            "mentor_id": mentor_id,
            "kind": SessionKind.WORKSHOP,
            "state": SessionState.HELD,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=2),
            "place": Place.REMOTE,
            "capacity": 20,
            "delivered_minutes": 120,
            "recorded_at": starts_at + timedelta(hours=3),
            "uid": f"{session_id}@bench.example",
            "sequence": 0,
            "created_at": starts_at - timedelta(days=7),
            "by": "system:bench",
        }

    def _attendance(self, session_id: UUID, person_id: UUID, participation_id: UUID) -> dict[str, Any]:
        return {
            "id": new_id(),
            "session_id": session_id,
            "person_id": person_id,
            "participation_id": participation_id,
            "state": AttendanceState.ATTENDED,
            "booked_at": self.stack.clock() - timedelta(days=20),
            "by": "system:bench",
            "uid": f"{person_id}-{session_id}@bench.example",
            "sequence": 0,
        }

    def _response(self, keys: Any, participation_id: UUID) -> dict[str, Any]:
        response_id, at = new_id(), self.stack.clock() - timedelta(days=10)
        answers = {code: POINTS[participation_id.bytes[number] % 5] for number, code in enumerate(STATEMENTS)}
        return {
            "id": response_id,
            "ref": f"R-{next(_numbers):x}",
            "respondent_id": participation_id,
            "version_id": self.version_id,
            "wave": Wave.BASELINE,
            "occasion": "once",
            "state": ResponseState.SUBMITTED,
            "mode": Mode.SELF,
            "revision": int.from_bytes(response_id.bytes[:7]),
            "started_at": at,
            "saved_at": at,
            "submitted_at": at,
            "answers_sealed": seal(
                keys,
                json.dumps(answers, separators=(",", ":")).encode(),
                table="response",
                column="answers_sealed",
                row=response_id,
                holder=participation_id,
                at_least=1024,
            ),
        }

    def _mail(self, person_id: UUID, participation_id: UUID) -> dict[str, Any]:
        at = self.stack.clock() - timedelta(days=30)
        return {
            "id": new_id(),
            "person_id": person_id,
            "template": "invitation",
            "about": participation_id,
            "step": "once",
            "state": MailState.SENT,
            "queued_at": at,
            "due_at": at,
            "sent_at": at,
            "tries": 1,
        }


def make_world(
    folder: Path, *, leaders: int, mentors: int = 10, environ: Mapping[str, str] = ON_SQLITE
) -> World:
    """A programme with this many leaders who are signed in, and nobody else; `environ` names its databases."""
    folder.mkdir(exist_ok=True)
    stack = make_stack(folder, dict(environ))
    stack.app.extensions["floods"].enabled = True
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        with unit_of_work(db, stack.clock, "system:bench") as work:
            asked = ten_statements()
            version = Version(
                id=new_id(),
                code=asked.code,
                number=2,
                hash=content_hash(asked),
                body=canonical(asked),
                published_at=work.now,
            )
            work.db.add(version)
        make = Factory(db, stack.clock, stack.instance.programme)
        mentor_ids = [make.mentor().id for _ in range(mentors)]
        version_id = versions.current(db, code="baseline").id
    world = World(stack, version_id, mentor_ids)
    world.leaders = world.add_leaders(leaders)
    return world


def _address(person_id: UUID) -> str:
    return f"{person_id.hex[:12]}@council.example"


def _empty() -> Rows:
    """In the order in which they refer to one another."""
    kinds = (
        Person,
        Office,
        Package,
        PackageMentor,
        Respondent,
        Participation,
        Session,
        Attendance,
        Response,
        Mail,
    )
    return {kind: [] for kind in kinds}


def _groups(people: Iterable[UUID], size: int) -> Iterator[list[UUID]]:
    every = iter(people)
    while group := list(islice(every, size)):
        yield group


def _write(db: DbSession, rows: Rows) -> None:
    for kind, some in rows.items():
        if some:
            db.connection().execute(insert(kind.__table__), some)  # type: ignore[arg-type]  # a mapped class's table
