"""The same number of everything: people, councils, packages, sessions, answers, for lists that may grow."""

import json
from collections import defaultdict
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session as DbSession

from portal.cases import intake as desk_cases
from portal.cases.intake import Attachment
from portal.models import (
    Attendance,
    AttendanceState,
    Blackout,
    BrowserSession,
    CallRequest,
    Clearance,
    ClearanceKind,
    Council,
    CouncilFact,
    CouncilKind,
    CouncilRefusal,
    Delegation,
    Fact,
    Goal,
    GoalAct,
    GoalEvent,
    GoalState,
    Ground,
    HolidayChange,
    Hours,
    Interest,
    Leave,
    Mail,
    MailState,
    MentorChoice,
    NoteKind,
    Offer,
    OfferState,
    Office,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Partner,
    PartnerContact,
    PartnerKind,
    Person,
    Place,
    ProgrammeNote,
    ProgrammeNoteKind,
    Reopening,
    Review,
    Role,
    Session,
    SessionKind,
    SessionNote,
    SessionState,
    Share,
    Strand,
    Suspicion,
    SuspicionCause,
    Way,
)
from portal.references import new_reference
from privacy.cases import acts
from privacy.cases.tables import CaseKind, Channel, Event
from privacy.clock import london_date
from privacy.columns import AddressKeys
from privacy.records import Record, new_id
from privacy.registers import Register, RegisterEntry
from privacy.risks import Risk
from privacy.subprocessors import SubProcessor
from privacy.work import unit_of_work
from surveys import readings, responses
from surveys.models import Mode, Respondent, Wave
from surveys.questionnaires import load_definition
from surveys.readings import Reading
from surveys.routing import path
from surveys.sittings import Asking
from tests.cleared import needed
from tests.conftest import Stack

_numbers = count(1)


class Crowd:
    """`size` of everything that hangs on one council, one mentor, one leader and one group."""

    def __init__(self, stack: Stack, db: DbSession, size: int) -> None:
        self.stack, self.size = stack, size
        with unit_of_work(db, stack.clock, "system:test") as work:
            self.work = work
            self.now = work.now
            self.today = london_date(work.now)
            self.rows: dict[str, list[Record]] = defaultdict(list)
            self.ended: list[Participation] = []
            self._make()
            # Table by table, and so that each holder's key is made together with many others.
            for table in Record.metadata.sorted_tables:
                work.db.add_all(self.rows.pop(table.name, []))
                work.db.flush()
            self._answer()
            self._ask_the_desk()
            self._ask_for_own_data()
        del self.work

    def _make(self) -> None:
        self.council = self._council().id
        self.team = self.person(Role.TEAM).id
        self.auditor = self.person(Role.AUDITOR).id
        self.administrator = self.person(Role.ADMINISTRATOR).id
        self.dpo = self.person(Role.DPO).id
        self.mentor = self.person(Role.MENTOR).id
        self.leader = self.person(Role.LEAD_MEMBER, self.council).id
        self.assistant = self.person(Role.ASSISTANT).id
        self._assist(self.leader)
        for _ in range(self.size):
            self._council()
            self._one_more()
        self._group()

    def _one_more(self) -> None:
        """One more leader with a package that waits for things, and one of everything for the one leader."""
        somebody = self.person(Role.LEAD_MEMBER, self.council).id
        self.add(
            Office,
            person_id=self.leader,
            council_id=self._council().id,
            role=Role.COUNCIL_LEADER,
            from_on=self.today,
        )
        self.person(Role.OBSERVER)
        self._assist(somebody)
        self.person(Role.DPO)
        self._fact()
        self._register()
        self._deliver()
        self._partner()
        for state in (PackageState.PROPOSED, PackageState.AGREED, PackageState.BASELINE, PackageState.ENDED):
            part = self.package(somebody, state=state)
            self.add(
                CallRequest,
                participation_id=part.id,
                wave="baseline",
                asked_at=self.now,
                phone="07700 900123",
                when="Friday",
            )
            self.add(
                Reopening,
                participation_id=part.id,
                wave="baseline",
                occasion="once",
                asked_at=self.now,
                wish="The second one",
            )
        self.add(
            Mail,
            person_id=somebody,
            template="invitation",
            about=uuid4(),
            step="once",
            state=MailState.FAILED,
            queued_at=self.now,
            due_at=self.now,
            tries=9,
        )
        self.add(
            BrowserSession,
            person_id=self.leader,
            token=uuid4().bytes * 2,
            level=1,
            device=True,
            browser="test",
            created_at=self.now,
            seen_at=self.now,
            ends_at=self.now + timedelta(days=9),
        )
        served = self.package(self.leader, state=PackageState.ACTIVE, mentors=[self.mentor])
        for days in (-3, 3):
            session = self.session(served.package_id, days=days)
            self.seat(session, self.leader, served.id)
        self.add(
            Offer,
            batch_id=uuid4(),
            package_id=served.package_id,
            mentor_id=self.mentor,
            starts_at=self.now + timedelta(days=5),
            ends_at=self.now + timedelta(days=5, hours=1),
            place=Place.REMOTE,
            state=OfferState.OPEN,
            made_at=self.now,
            where="Somewhere",
        )
        self.add(
            Hours,
            person_id=self.mentor,
            on_day=self.today + timedelta(days=next(_numbers) % 50),
            spans=[[540, 1020]],
        )
        self._shut(served.package_id)

    def _ask_the_desk(self) -> None:
        """One more case of the same address, each with an event and a file; `case` has as many of either."""
        given: dict[str, Any] = {"received_at": self.now, "asked": "Send it", "channel": Channel.EMAIL}
        contact = {"name": "Ada", "email": "ada@example.org"}
        for _ in range(self.size):
            case = acts.open_case(self.work, kind=CaseKind.ACCESS, contact=contact, **given)
            self.work.db.flush()
            acts.happen(self.work, case_id=case.id, kind=Event.NOTE, body={"text": "A call"})
            self.case = case.id
        for _ in range(self.size):
            self.work.db.flush()
            event = acts.happen(self.work, case_id=self.case, kind=Event.NOTE, body={"text": "A call"})
            note = Attachment("note.txt", "text/plain; charset=utf-8", b"A word")
            self.work.db.flush()
            desk_cases.attach(self.work, case_id=self.case, file=note, event_id=event.id)

    def _shut(self, package_id: UUID) -> None:
        """Leave of the mentor over one more session, a time without sessions, a bank holiday that the team added."""
        ahead = 400 + next(_numbers)
        self.session(package_id, days=ahead)
        on = self.today + timedelta(days=ahead)
        days = {"from_on": on, "from_minute": 0, "to_on": on, "to_minute": 1440, "made_at": self.now}
        self.add(Leave, person_id=self.mentor, **days)
        self.add(Blackout, council_id=self.council, name="Recess", by="system:test", **days)
        extra = self.today + timedelta(days=next(_numbers))
        self.add(HolidayChange, on_day=extra, closed=True, name="Extra", made_at=self.now, by="system:test")

    def _deliver(self) -> None:
        """One more record of the mentor, one more interest, choice and instruction, and another who can be chosen."""
        self.add(
            Clearance,
            person_id=self.mentor,
            kind=ClearanceKind.DBS,
            from_on=self.today,
            expires_on=self.today + timedelta(days=30),
            recorded_at=self.now,
            by="system:test",
            note="Letter",
        )
        self.add(
            Interest,
            person_id=self.mentor,
            council_id=self._council().id,
            from_on=self.today,
            declared_at=self.now,
            by="system:test",
            nature="A job",
        )
        package = self.package(self.leader, state=PackageState.ACTIVE, mentors=[self.mentor])
        self.add(
            MentorChoice,
            package_id=package.package_id,
            mentor_id=self.mentor,
            chosen_at=self.now,
            by="system:test",
            overridden=True,
            reasons={"why": "Near", "set_aside": "Only one", "stops": [], "table": {}},
        )
        self.add(
            RegisterEntry,
            register=Register.INSTRUCTION,
            letter="I 1",
            from_on=self.today,
            entered_at=self.now,
            by="system:test",
            body="As agreed",
        )
        self.person(Role.MENTOR)
        self.person(Role.TEAM)

    def _group(self) -> None:
        """A group with many members, mentors, goals and sessions; the leader is in it."""
        first = self.package(
            self.leader, strand=Strand.GROUP, state=PackageState.ACTIVE, mentors=[self.mentor]
        )
        self.group = first.package_id
        workshop = self.session(self.group, days=-1, capacity=60)
        one = self.package(self.leader, state=PackageState.ACTIVE, mentors=[self.mentor])
        self.one_to_one, self.workshop, self.leader_part = one.package_id, workshop.id, one.id
        for number in range(self.size):
            member = self.person(Role.COMMITTEE_MEMBER, self.council).id
            part = self.join(self.group, member, Role.COMMITTEE_MEMBER)
            self.add(Share, participation_id=part.id, mentor_id=self.mentor, shared_at=self.now)
            if number % 2:
                # Those without a seat are not read along with the session.
                self.seat(workshop, member, part.id)
            mentor = self.person(Role.MENTOR).id
            for package_id in (self.group, one.package_id):
                self.add(PackageMentor, package_id=package_id, person_id=mentor, from_on=self.today)
                self.add(
                    Goal,
                    package_id=package_id,
                    state=GoalState.OPEN,
                    agreed_on=self.today,
                    number=number,
                    text="To do something well",
                )
            self.add(Hours, person_id=mentor, weekday=3, spans=[[540, 1020]])
            self.session(self.group, days=number + 5, capacity=5)
            session = self.session(one.package_id, days=number + 5)
            self.seat(session, self.leader, one.id)
        self.noted = session.id
        self._note(one, session.id)

    def _assist(self, leader_id: UUID) -> None:
        """One more whom the assistant books for."""
        known = {"from_on": self.today, "named_at": self.now, "named_by": "system:test", "called": "Pat"}
        self.add(Delegation, leader_id=leader_id, assistant_id=self.assistant, **known)

    def _note(self, one: Participation, session_id: UUID) -> None:
        """Notes on a session, and a goal that was often looked back at."""
        sealed = {"package_id": one.package_id, "participation_id": one.id, "text": "Some words"}
        agreed = {"state": GoalState.OPEN, "agreed_on": self.today, "number": 0}
        self.goal = self.add(Goal, **sealed, **agreed).id
        for _ in range(self.size):
            author = self.person(Role.MENTOR).id
            note = {"author_id": author, "kind": NoteKind.SHARED, "written_at": self.now}
            self.add(SessionNote, session_id=session_id, **note, **sealed)
            event = {"act": GoalAct.SAID, "at": self.now, "by": f"person:{author}"}
            self.add(GoalEvent, goal_id=self.goal, **event, **sealed)

    def _answer(self) -> None:
        """Everybody whose support ended has answered before and after it, with an example of impact."""
        for part in self.ended:
            for wave in (Wave.BASELINE, Wave.POST):
                answers = dict(whole_answers(wave, part.role.value))
                asking = Asking(respondent_id=part.id, wave=wave, role=part.role.value)
                responses.submit_answers(self.work, asking, answers=answers, mode=Mode.SELF)

    # ---- one of a kind

    def add(self, kind: type[Record], /, **values: Any) -> Any:
        row = kind(id=values.pop("id", new_id()))
        for name, value in values.items():
            setattr(row, name, value)
        self.rows[row.__tablename__].append(row)
        return row

    def _council(self) -> Council:
        number = next(_numbers)
        made: Council = self.add(
            Council,
            gss=f"E98{number:06d}",
            code=f"Y{number}",
            name=f"Shire {number} Council",
            short_name=f"Shire {number}",
            kind=CouncilKind.COUNTY,
            region="North West",
            replaced_by=[],
        )
        return made

    def _partner(self) -> None:
        """A partner of the council with a contact, and a review that was held."""
        known: dict[str, Any] = {"kind": PartnerKind.COMMISSIONER, "from_on": self.today}
        partner = self.add(Partner, council_id=self.council, name=f"Partner {next(_numbers)}", **known)
        how: dict[str, Any] = {
            "on_day": self.today,
            "way": Way.CALL,
            "recorded_at": self.now,
            "by": "system:test",
        }
        self.add(PartnerContact, partner_id=partner.id, about="The improvement board", **how)
        held: dict[str, Any] = {"held_on": self.today, "recorded_at": self.now, "by": "system:test"}
        self.add(Review, council_id=self.council, notes="On the way", **held)

    def _ask_for_own_data(self) -> None:
        """One more request of the leader's, and one more reading of their answers."""
        for _ in range(self.size):
            case = acts.open_case(
                self.work,
                kind=CaseKind.OBJECTION,
                channel=Channel.PORTAL,
                received_at=self.now,
                asked="Stop it",
                subject_id=self.leader,
            )
            self.work.db.flush()
            acts.happen(self.work, case_id=case.id, kind=Event.ACKNOWLEDGED)
            reading = Reading(response_id=new_id(), respondent_id=self.leader_part, purpose="reading")
            readings.note(self.work, reading)

    def _register(self) -> None:
        """One more sub-processor, risk and remark, a suspicion of another day, and a lesson."""
        number = 1 + sum(isinstance(row, Suspicion) for row in self.rows[Suspicion.__tablename__])
        relay = SubProcessor(name=f"Relay {number}", does="Carries mail", location="Leeds")
        scores: dict[str, Any] = {"likelihood": 3, "severity": 3, "left_likelihood": 1, "left_severity": 3}
        risk = Risk(title=f"Risk {number}", harm="Harm", measures="Keys", owner="Officer", **scores)
        for register, code, what in (
            (Register.SUB_PROCESSOR, f"S{number}", relay),
            (Register.RISK, f"R{number}", risk),
        ):
            self.add(
                RegisterEntry,
                register=register,
                letter=code,
                from_on=self.today,
                entered_at=self.now,
                by="system:test",
                body=json.dumps(asdict(what)),
            )
        self.add(
            Suspicion,
            cause=SuspicionCause.SEAL,
            on_day=self.today - timedelta(days=number + self.size * 100),
            found_at=self.now,
            up_to=number,
        )
        lesson = {"kind": ProgrammeNoteKind.LESSON, "text": f"Lesson {number}"}
        self.add(ProgrammeNote, noted_at=self.now, by="system:test", **lesson)

    def _fact(self) -> None:
        self.add(
            CouncilFact,
            council_id=self.council,
            fact=Fact.AGREED,
            value=Ground.INADEQUATE.value,
            from_on=self.today,
            recorded_at=self.now,
            by="system:test",
            agreed_with="Somebody",
            evidence="A report",
        )
        self.add(
            CouncilRefusal,
            council_id=self.council,
            refused_at=self.now,
            refused_by="system:test",
            ended_at=self.now,
            ended_by="system:test",
            reason="Too early",
            news="A report",
        )

    def person(self, role: Role, council_id: UUID | None = None) -> Person:
        number = next(_numbers)
        address = f"crowd{number}@council.example"
        person: Person = self.add(
            Person,
            ref=new_reference("P"),
            created_at=self.now,
            name=f"Person {number}",
            email=address,
            phone="07700 900123",
            email_index=AddressKeys(self.work.db).index(address),
        )
        self.add(
            Office,
            person_id=person.id,
            council_id=council_id,
            role=role,
            from_on=self.today - timedelta(days=300),
            to_on=self.today + timedelta(days=300) if role is Role.AUDITOR else None,
        )
        for row in needed(self.work, person.id, role):
            self.rows[row.__tablename__].append(row)
        return person

    def package(
        self,
        person_id: UUID,
        *,
        state: PackageState,
        strand: Strand = Strand.ONE_TO_ONE,
        mentors: list[UUID] | None = None,
    ) -> Participation:
        ended = state is PackageState.ENDED
        package = self.add(
            Package,
            ref=new_reference("K"),
            strand=strand,
            state=state,
            council_id=self.council,
            starts_on=self.today - timedelta(days=90),
            ends_on=self.today - timedelta(days=9) if ended else None,
            planned_minutes=2100,
            created_at=self.now,
            baseline_waived_at=self.now if mentors else None,
        )
        for mentor_id in mentors or ():
            self.add(PackageMentor, package_id=package.id, person_id=mentor_id, from_on=package.starts_on)
        self.add(
            Goal,
            package_id=package.id,
            state=GoalState.OPEN,
            agreed_on=self.today,
            number=0,
            text="To do something well",
        )
        part = self.join(package.id, person_id, Role.LEAD_MEMBER)
        if ended:
            self.ended.append(part)
        return part

    def join(self, package_id: UUID, person_id: UUID, role: Role) -> Participation:
        """Leaders are invited; members of the committee are yet to be."""
        respondent = self.add(Respondent, audience=role.value)
        part: Participation = self.add(
            Participation,
            id=respondent.id,
            package_id=package_id,
            person_id=person_id,
            role=role,
            from_on=self.today - timedelta(days=90),
            invited_at=self.now if role is Role.LEAD_MEMBER else None,
        )
        return part

    def session(self, package_id: UUID, *, days: int, capacity: int | None = None) -> Session:
        starts_at = datetime(2023, 3, 1, 10, tzinfo=UTC) + timedelta(days=days)
        number = next(_numbers)
        kind = SessionKind.WORKSHOP if capacity else SessionKind.ONE_TO_ONE
        made: Session = self.add(
            Session,
            package_id=package_id,
            mentor_id=self.mentor,
            kind=kind,
            state=SessionState.BOOKED,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            place=Place.REMOTE,
            capacity=capacity,
            uid=f"crowd-{number}",
            sequence=0,
            created_at=self.now,
            by="system:test",
            where="https://meet.example",
            title="A talk" if capacity else None,
        )
        return made

    def seat(self, session: Session, person_id: UUID, participation_id: UUID) -> None:
        self.add(
            Attendance,
            session_id=session.id,
            person_id=person_id,
            participation_id=participation_id,
            state=AttendanceState.BOOKED,
            booked_at=self.now,
            by="system:test",
        )


@cache
def whole_answers(questionnaire: str, role: str) -> dict[str, Any]:
    """An answer to whatever is required, with an example of impact. The same object each time."""
    answers: dict[str, Any] = {"impact_have": "yes"} if questionnaire == Wave.POST else {}
    while True:
        lacking = [
            question
            for stop in path(load_definition(questionnaire), answers, role=role).pages
            for question in stop.questions
            if question.required and answers.get(question.code) is None
        ]
        if not lacking:
            return answers
        for question in lacking:
            listed = question.listed()
            code = listed[1].code if listed else "Something"
            answers[question.code] = [code] if question.kind == "choices" else code
