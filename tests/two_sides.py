"""Two of everyone and everything: what belongs to one side must not open for the other.

Whatever people could have typed is a word of its own, such as `firstleadergoal`, so that it can be looked for.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.access import parking
from portal.answers import shares, verdicts
from portal.booking import blackouts, leave
from portal.cases import intake as desk_cases
from portal.cases import letters as case_letters
from portal.cases import redaction as case_redaction
from portal.cases.intake import Attachment
from portal.cases.letters import To, Written
from portal.councils import partners, reviews
from portal.desk import approvals
from portal.mentors import clearances, interests, profiles
from portal.mentors.profiles import Profile
from portal.models import (
    Attendance,
    AttendanceState,
    CallRequest,
    ClearanceKind,
    CouncilFact,
    CouncilRefusal,
    Delegation,
    Fact,
    Goal,
    GoalState,
    Ground,
    MentorChoice,
    NoteKind,
    Offer,
    OfferState,
    Package,
    PackageState,
    PartnerKind,
    Person,
    Place,
    ProgrammeNoteKind,
    Reopening,
    ResourceKind,
    Role,
    SecondAct,
    SentFile,
    SentFileState,
    Session,
    SessionKind,
    SessionNote,
    SessionState,
    Strand,
    Suspicion,
    SuspicionCause,
    Way,
)
from portal.packages import goals, notes
from portal.programme import Period
from portal.resources import shelf as resources
from portal.resources.shelf import Described
from portal.results import programme_notes
from privacy import risks, subprocessors
from privacy.cases import notices
from privacy.cases.letters import LetterKind
from privacy.cases.redactions import Ground as TakenFor
from privacy.cases.tables import CaseFile, CaseKind, Channel
from privacy.records import Record, new_id
from privacy.returns import acts as data_returns
from privacy.returns.course import ReturnKind, Scope, ScopeKind, Step, Wanted
from privacy.risks import Risk
from privacy.subprocessors import SubProcessor
from privacy.work import Work, unit_of_work
from surveys import responses, themes
from surveys.models import Mode, Wave
from surveys.results import Verdict
from surveys.sittings import Asking
from surveys.themes import Theme
from tests.crowd import whole_answers
from tests.factories import Factory
from tests.released import a_release, store

# What people type, and what it is; each side has it with its own name before it.
TYPED = {
    "leadername": "leader's name",
    "leaderaddress": "leader's address",
    "leaderphone": "leader's phone number",
    "leaderneeds": "leader's needs in a session",
    "leaderdiet": "leader's dietary needs",
    "assistantname": "assistant's name",
    "assistantcalled": "assistant's name, as the leader wrote it",
    "sharednote": "leader's shared note",
    "privatenote": "mentor's private note",
    "goalremark": "what was said of the leader's goal",
    "goalbefore": "how the leader's goal was worded before",
    "leaderanswer": "leader's answer",
    "leadergoal": "leader's goal",
    "membername": "member's name",
    "memberaddress": "member's address",
    "memberanswer": "member's answer",
    "groupgoal": "group's goal",
    "grouptitle": "group's title",
    "calltime": "when to ring the member",
    "callnotes": "notes of the call with the member",
    "memberwish": "what the member wants to change",
    "kept": "what the leader typed into a form that was kept",
    "sentline": "a line of a long file that one of the team sent",
    "sentfault": "what is wrong with such a file",
    "colleagueshared": "colleague's answer, shared with the mentor",
    "colleaguetool": "colleague's answer to a tool",
    "formersource": "where the former's first answers come from",
    "formername": "former's name",
    "formerexample": "former's example of impact",
    "themewords": "a theme of the codebook",
    "verdictnote": "note with the verdict",
    "mentorname": "mentor's name",
    "mentoraddress": "mentor's address",
    "sessionplace": "place of the leader's session",
    "workshoptitle": "title of the workshop",
    "workshopplace": "place of the workshop",
    "offerplace": "place of an offered time",
    "sessiontravel": "way to the leader's session",
    "closedname": "name of a time without sessions",
    "resourcetitle": "title of a file for the workshop",
    "resourceabout": "what that file is",
    "resourcefile": "content of that file",
    "waiver": "why the questionnaire was waived",
    "agreedwith": "who agreed for the Department",
    "evidence": "evidence for the agreement",
    "factreason": "why a fact of the council was taken back",
    "refusalreason": "why the Department did not agree a council",
    "refusalnews": "what was new when it was asked again",
    "partnername": "name of a partner of the council",
    "partnerreached": "how that partner is reached",
    "contactabout": "what was spoken about with that partner",
    "reviewnotes": "what came of a review of the council",
    "withdrawal": "why a package was withdrawn",
    "mentorabout": "what the mentor says of themselves",
    "mentorskills": "what the team records of the mentor",
    "clearancenote": "evidence of the mentor's clearance",
    "interestnature": "interest that the mentor declared",
    "choicewhy": "why the mentor was chosen",
    "namesreason": "why somebody needs names",
    "notagreedreason": "why a second person did not agree",
    "caseasked": "what was told, of a case",
    "casecontact": "who told it, of a case",
    "casefile": "name of a file, of a case",
    "requestasked": "leader's words, of their request",
    "letterwords": "words of a letter, of a case",
    "markwords": "what is taken out of a file, of a case",
    "directionwords": "what the Department directed",
    "riskwords": "risk of the programme, which reports carry",
}


TOOL = "scrutiny_self_assessment"


class Side:
    """One council with its leader, group, mentor, former leader, and everything between them."""

    def __init__(self, make: Factory, name: str) -> None:
        self.make, self.db, self.name = make, make.db, name
        council = make.council(f"{name.capitalize()}shire")
        self.council, self.away = council.id, make.council(f"{name.capitalize()}away").id
        proposed = make.council(f"{name.capitalize()}proposed")
        self.proposed = proposed.id
        self.hold = uuid4()
        make.package(council=proposed, state=PackageState.PROPOSED)
        mentor = self._person("mentor", role=Role.MENTOR)
        leader, member, former = (
            self._person(who, council=council) for who in ("leader", "member", "former")
        )
        self.mentor, self.leader, self.member, self.former = mentor.id, leader.id, member.id, former.id
        colleague = make.person(council=council, role=Role.SCRUTINY_CHAIR)
        self.colleague = colleague.id
        self.office = leader.offices[0].id
        package = make.package(leader, mentor=mentor, council=council)
        self.package, self.part = package.id, package.participations[0].id
        mentor = self.db.get_one(Person, self.mentor)
        group = make.package(
            member, colleague, mentor=mentor, council=council, strand=Strand.GROUP, title=f"{name}grouptitle"
        )
        self.group = group.id
        parts = {part.person_id: part.id for part in group.participations}
        self.member_part, self.colleague_part = parts[self.member], parts[self.colleague]
        ended: dict[str, Any] = {"state": PackageState.ENDED, "ends_on": make.today - timedelta(days=20)}
        past = make.package(former, council=council, starts_on=make.today - timedelta(days=200), **ended)
        self.past, self.former_part = past.id, past.participations[0].id
        self.sender = make.person(role=Role.TEAM).id
        assistant = self._person("assistant")
        self.assistant = assistant.id
        with unit_of_work(self.db, make.clock, "system:test") as work:
            self._clear(work)
            self._tell(work)
            self._meet(work)
            self._shut(work)
            self._gather(work)
            self._agree(work)
            self._assist(work)
            self._file(work)
            self._register(work)
            self._report(work)
            self._return(work)
        self._answer()

    def _person(self, who: str, **more: Any) -> Person:
        return self.make.person(
            f"{self.name}{who}name", email=f"{self.name}{who}address@council.example", **more
        )

    def _add(self, work: Work, kind: type[Record], /, **values: Any) -> UUID:
        row: Any = kind(id=new_id())
        for name, value in values.items():
            setattr(row, name, value)
        work.db.add(row)
        work.db.flush()
        found: UUID = row.id
        return found

    def _clear(self, work: Work) -> None:
        """What is recorded of the mentor, and why they were chosen."""
        today = self.make.today
        profile = Profile(public_sector="Councils", one_to_one="Peers", skills=f"{self.name}mentorskills")
        profiles.write_record(
            work, person_id=self.mentor, profile=replace(profile, capacity=9, trained_on=today)
        )
        profiles.write_about(work, person_id=self.mentor, about=f"{self.name}mentorabout")
        self.clearance = clearances.record(
            work,
            person_id=self.mentor,
            kind=ClearanceKind.DBS,
            from_on=today,
            expires_on=today + timedelta(days=900),
            note=f"{self.name}clearancenote",
        ).id
        self.interest = interests.declare(
            work,
            person_id=self.mentor,
            council_id=self.away,
            nature=f"{self.name}interestnature",
            from_on=today,
        ).id
        self._add(
            work,
            MentorChoice,
            package_id=self.package,
            mentor_id=self.mentor,
            chosen_at=work.now,
            by="system:test",
            overridden=False,
            reasons={"why": f"{self.name}choicewhy", "set_aside": None, "stops": [], "table": {}},
        )

    def _tell(self, work: Work) -> None:
        """What is known of people, and who wants to be rung."""
        leader = work.db.get_one(Person, self.leader)
        leader.phone, leader.adjustments = f"{self.name}leaderphone", f"{self.name}leaderneeds"
        leader.dietary = f"{self.name}leaderdiet"
        self.call = self._add(
            work,
            CallRequest,
            participation_id=self.member_part,
            wave="baseline",
            asked_at=work.now,
            phone="07700 900123",
            when=f"{self.name}calltime",
            notes=f"{self.name}callnotes",
        )
        self._add(
            work,
            Reopening,
            participation_id=self.member_part,
            wave="baseline",
            occasion="once",
            asked_at=work.now,
            wish=f"{self.name}memberwish",
        )
        fields = [("notes", f"{self.name}kept")]
        self.kept = parking.park(work, person_id=self.leader, path="/your-support/reminders", fields=fields)
        self.sent_file = self._add(
            work,
            SentFile,
            person_id=self.sender,
            kind="people",
            state=SentFileState.REFUSED,
            lines=600,
            sent_at=work.now,
            data=f"name,email\n{self.name}sentline,x\n".encode(),
            outcome={"said": "", "notes": [], "faults": [[2, f"{self.name}sentfault"]]},
        )
        package = work.db.get_one(Package, self.package)
        package.baseline_waived_at, package.waiver = work.now, f"{self.name}waiver"

    def _shut(self, work: Work) -> None:
        """A time in which the council has no sessions, and leave of the mentor."""
        on = self.make.today + timedelta(days=40)
        self.blackout = blackouts.add(
            work, council_id=self.council, name=f"{self.name}closedname", from_on=on, to_on=on
        ).id
        leave.add(work, mentor_id=self.mentor, from_on=on, to_on=on)

    def _meet(self, work: Work) -> None:
        """A session that was held, one to come, a workshop, and an offer."""
        self.meets_on = self.make.today + timedelta(days=2)
        one: dict[str, Any] = {
            "package_id": self.package,
            "kind": SessionKind.ONE_TO_ONE,
            "where": f"{self.name}sessionplace",
            "travel": f"{self.name}sessiontravel",
        }
        self.held = self._session(work, days=-2, state=SessionState.HELD, **one)
        self.session = self._session(work, days=2, **one)
        self.workshop = self._session(
            work,
            days=3,
            package_id=self.group,
            kind=SessionKind.WORKSHOP,
            capacity=5,
            title=f"{self.name}workshoptitle",
            where=f"{self.name}workshopplace",
        )
        for session, person, part in (
            (self.held, self.leader, self.part),
            (self.session, self.leader, self.part),
            (self.workshop, self.member, self.member_part),
        ):
            state = AttendanceState.ATTENDED if session == self.held else AttendanceState.BOOKED
            self._add(
                work,
                Attendance,
                session_id=session,
                person_id=person,
                participation_id=part,
                state=state,
                booked_at=work.now,
                by="system:test",
            )
        starts_at = work.now + timedelta(days=5)
        self.offer = self._add(
            work,
            Offer,
            batch_id=uuid4(),
            package_id=self.package,
            mentor_id=self.mentor,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            place=Place.REMOTE,
            state=OfferState.OPEN,
            made_at=work.now,
            where=f"{self.name}offerplace",
        )

    def _report(self, work: Work) -> None:
        """A risk that was noted, and a release that carries it."""
        text = f"{self.name}riskwords"
        self.programme_note = programme_notes.add(work, kind=ProgrammeNoteKind.RISK, text=text).id
        work.db.flush()
        release = a_release(
            id=new_id(),
            period="2022-Q4" if self.name == "first" else "2022-Q3",
            texts=programme_notes.for_report(work.db, Period(self.make.today, self.make.today)),
        )
        self.release = store(work, release)

    def _gather(self, work: Work) -> None:
        """A workshop that the member came to, and a file for the one that is to come."""
        been = self._session(
            work,
            days=-4,
            state=SessionState.HELD,
            package_id=self.group,
            kind=SessionKind.WORKSHOP,
            capacity=5,
        )
        self.attendance = self._add(
            work,
            Attendance,
            session_id=been,
            person_id=self.member,
            participation_id=self.member_part,
            state=AttendanceState.ATTENDED,
            booked_at=work.now,
            by="system:test",
        )
        described = Described(
            title=f"{self.name}resourcetitle",
            about=f"{self.name}resourceabout",
            kind=ResourceKind.PRE_READING,
            roles=[],
            session_kinds=[],
            crown=True,
        )
        content = f"{self.name}resourcefile".encode()
        self.resource = resources.add_file(work, described=described, content=content).id
        resources.attach(work, resource_ids=[self.resource], session_id=self.workshop)

    def _session(
        self, work: Work, *, days: int, state: SessionState = SessionState.BOOKED, **more: Any
    ) -> UUID:
        starts_at = work.now + timedelta(days=days, hours=1)
        times: dict[str, Any] = {
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=1),
            "created_at": work.now,
        }
        known: dict[str, Any] = {
            "mentor_id": self.mentor,
            "state": state,
            "place": Place.REMOTE,
            "by": "system:test",
        }
        minutes = 60 if state is SessionState.HELD else None
        return self._add(
            work, Session, **times, **known, sequence=0, uid=f"{uuid4()}", delivered_minutes=minutes, **more
        )

    def _agree(self, work: Work) -> None:
        """Goals, and the agreement with the Department."""
        for package_id, part, text in (
            (self.package, self.part, "leadergoal"),
            (self.group, None, "groupgoal"),
        ):
            self.goal = self._add(
                work,
                Goal,
                package_id=package_id,
                participation_id=part,
                state=GoalState.OPEN,
                agreed_on=self.make.today,
                number=1,
                text=f"{self.name}{text}",
            )
            if part is not None:
                self.leader_goal = self.goal
        self._add(
            work,
            CouncilFact,
            council_id=self.council,
            fact=Fact.AGREED,
            value=Ground.INADEQUATE.value,
            from_on=self.make.today - timedelta(days=90),
            recorded_at=work.now,
            by="system:test",
            agreed_with=f"{self.name}agreedwith",
            evidence=f"{self.name}evidence",
        )
        self._know(work)

    def _assist(self, work: Work) -> None:
        """Who books for the leader and for the member, notes on the session to come, what was said of the goal; and
        the former is out of office."""
        today = self.make.today
        for office in work.db.get_one(Person, self.former).offices:
            office.to_on = today - timedelta(days=20)
        for office in work.db.get_one(Person, self.assistant).offices:
            work.db.delete(office)
        for leader in (self.leader, self.member):
            self.delegation = self._add(
                work,
                Delegation,
                leader_id=leader,
                assistant_id=self.assistant,
                from_on=today,
                named_at=work.now,
                named_by="system:test",
                called=f"{self.name}assistantcalled",
            )
        for author, kind, word in (
            (self.leader, NoteKind.SHARED, "sharednote"),
            (self.mentor, NoteKind.PRIVATE, "privatenote"),
        ):
            text = f"{self.name}{word}"
            self.note = notes.write(work, session_id=self.session, author_id=author, kind=kind, text=text).id
        work.db.flush()
        self.shared_note = work.db.scalars(
            select(SessionNote.id).where(
                SessionNote.session_id == self.session, SessionNote.kind == NoteKind.SHARED
            )
        ).one()
        goal = {"package_id": self.package, "goal_id": self.leader_goal}
        goals.revisit(work, **goal, remark=f"{self.name}goalremark")
        work.db.get_one(Goal, self.leader_goal).text = f"{self.name}goalbefore"
        work.db.flush()
        goals.reword(work, **goal, text=f"{self.name}leadergoal")

    def _file(self, work: Work) -> None:
        """A case, with the notice of it to the Controller."""
        self.case = desk_cases.take_in(
            work,
            self.make.programme,
            kind=CaseKind.INCIDENT,
            channel=Channel.PHONE,
            received_at=work.now,
            asked=f"{self.name}caseasked",
            contact={"name": f"{self.name}casecontact"},
            files=[Attachment(f"{self.name}casefile.txt", "text/plain; charset=utf-8", b"A word")],
        ).id
        self.case_file = work.db.scalars(select(CaseFile.id).where(CaseFile.case_id == self.case)).one()
        self.notice = notices.of_case(work.db, self.case)[0].id
        self.request = desk_cases.take_in(
            work,
            self.make.programme,
            kind=CaseKind.OBJECTION,
            channel=Channel.PORTAL,
            received_at=work.now,
            asked=f"{self.name}requestasked",
            contact={"name": "Somebody"},
            subject_id=self.leader,
        ).id
        self._work_on(work)

    def _work_on(self, work: Work) -> None:
        """The draft of a letter about the leader's request, and something that is taken out of a file of it."""
        written = Written("A letter", f"{self.name}letterwords", To("Somebody"))
        self.letter = case_letters.draft(
            work, case_id=self.request, kind=LetterKind.ACKNOWLEDGE, written=written
        ).id
        content = f"It was {self.name}markwords who said it".encode()
        file = desk_cases.attach(
            work, case_id=self.request, file=Attachment("a.txt", "text/plain; charset=utf-8", content)
        )
        work.db.flush()
        case_redaction.begin(work, self.make.programme, case_id=self.request, file_ids=[file.id])
        work.db.flush()
        text = f"{self.name}markwords"
        case_redaction.add(work, case_id=self.request, text=text, ground=TakenFor.OTHER_PERSON)

    def _register(self, work: Work) -> None:
        """What the desk's registers hold: a sub-processor, a risk, a suspicion; and what waits for a second person."""
        for_answers: dict[str, Any] = {"act": SecondAct.ANSWERS, "reason": f"{self.name}namesreason"}
        self.asked = approvals.ask(work, thing=f"answers:post+{self.name}", **for_answers).id
        refused = approvals.ask(work, thing=f"answers:baseline+{self.name}", **for_answers)
        refused.asked_by, self.not_agreed = f"person:{self.sender}", refused.id
        refused.refusal, refused.agreed = f"{self.name}notagreedreason", False
        refused.answered_at, refused.answered_by = work.now, work.actor
        relay = SubProcessor(name="Relay Ltd", does="Carries mail", location="Leeds")
        self.sub_processor = subprocessors.keep(work, relay).id
        scores: dict[str, Any] = {"likelihood": 3, "severity": 3, "left_likelihood": 1, "left_severity": 3}
        words: dict[str, Any] = {
            "title": "Names become known",
            "harm": "Harm",
            "measures": "Keys",
            "owner": "The officer",
        }
        self.risk = risks.keep(work, Risk(**words, **scores)).id
        draft = desk_cases.take_in(
            work,
            self.make.programme,
            kind=CaseKind.INCIDENT,
            channel=Channel.SYSTEM,
            received_at=work.now,
            asked="A line of the trail",
        )
        cause = SuspicionCause.SEAL if self.name == "first" else SuspicionCause.DRILL
        self.suspicion = self._add(
            work,
            Suspicion,
            cause=cause,
            on_day=self.make.today,
            found_at=work.now,
            up_to=1,
            case_id=draft.id,
        )

    def _return(self, work: Work) -> None:
        """A direction to return what is about the leader."""
        made = data_returns.open_return(
            work,
            kind=ReturnKind.PARTIAL,
            wanted=Wanted.BOTH,
            scope=Scope(ScopeKind.PERSON, self.leader),
        )
        self.data_return = made.id
        words = {"words": f"{self.name}directionwords"}
        data_returns.happen(work, return_id=made.id, step=Step.DIRECTION, letter="DFE 31", body=words)

    def _know(self, work: Work) -> None:
        """A fact of the council that was taken back, a partner with a contact, a review, a package given up."""
        today = self.make.today
        self.fact = self._add(
            work,
            CouncilFact,
            council_id=self.council,
            fact=Fact.OFSTED,
            value="inadequate",
            from_on=today - timedelta(days=400),
            recorded_at=work.now,
            by="system:test",
            corrected_at=work.now,
            evidence="Report",
            reason=f"{self.name}factreason",
        )
        for council_id in (self.council, self.proposed):
            self._add(
                work,
                CouncilRefusal,
                council_id=council_id,
                refused_at=work.now,
                refused_by="system:test",
                ended_at=work.now,
                ended_by="system:test",
                reason=f"{self.name}refusalreason",
                news=f"{self.name}refusalnews",
            )
        said: dict[str, Any] = {"name": f"{self.name}partnername", "reached": f"{self.name}partnerreached"}
        self.partner = partners.add(
            work, kind=PartnerKind.COMMISSIONER, from_on=today, council_id=self.council, **said
        ).id
        work.db.flush()
        partners.note(work, partner_id=self.partner, on=today, way=Way.CALL, about=f"{self.name}contactabout")
        reviews.record(work, council_id=self.council, held_on=today, notes=f"{self.name}reviewnotes")
        work.db.get_one(Package, self.past).withdrawal = f"{self.name}withdrawal"

    def _answer(self) -> None:
        """Before support, the colleague's shared with the mentor; a tool, for oneself alone; the former leader before
        support on paper and after it, with a verdict."""
        self._send(self.part, Wave.BASELINE, most_wanted=f"{self.name}leaderanswer")
        self._send(self.member_part, Wave.BASELINE, most_wanted=f"{self.name}memberanswer")
        shared = self._send(
            self.colleague_part,
            Wave.BASELINE,
            role=Role.SCRUTINY_CHAIR,
            most_wanted=f"{self.name}colleagueshared",
        )
        self._tool()
        self._send(self.former_part, Wave.BASELINE, source=f"{self.name}formersource")
        self.response = self._send(self.former_part, Wave.POST, impact_changed=f"{self.name}formerexample")
        with unit_of_work(self.db, self.make.clock, "system:test") as work:
            shares.share(work, participation_id=self.colleague_part, response_id=shared)
        with unit_of_work(self.db, self.make.clock, "person:reviewer") as work:
            note = f"{self.name}verdictnote"
            verdicts.give(work, response_id=self.response, verdict=Verdict.ACCEPTED, note=note)
        self._theme()

    def _theme(self) -> None:
        """The codebook's first theme, which the former leader's example is sorted by."""
        with unit_of_work(self.db, self.make.clock, "person:reviewer") as work:
            book = themes.book(work.db)
            if not book.themes:
                words = f"{self.name}themewords"
                book = themes.put(work, Theme(code="t1", label=words, definition=words), seen=book.number)
            themes.sort(work, response_id=self.response, question="impact_changed", codes=["t1"])

    def _send(
        self,
        part: UUID,
        wave: Wave,
        *,
        role: Role = Role.LEAD_MEMBER,
        source: str | None = None,
        **chosen: Any,
    ) -> UUID:
        answers = {**whole_answers(wave, role.value), **chosen}
        paper: dict[str, Any] = {}
        if source is not None:
            paper = {"answered_on": self.make.today - timedelta(days=190), "source": source}
        with unit_of_work(self.db, self.make.clock, "system:test") as work:
            asking = Asking(respondent_id=part, wave=wave, role=role.value)
            mode = Mode.SELF if source is None else Mode.PAPER
            return responses.submit_answers(work, asking, answers=answers, mode=mode, **paper).id

    def _tool(self) -> None:
        """The colleague has answered a tool once."""
        role = Role.SCRUTINY_CHAIR.value
        answers = {**whole_answers(TOOL, role), "first_step": f"{self.name}colleaguetool"}
        asking = Asking(respondent_id=self.colleague_part, wave=Wave.TOOL, occasion=f"{TOOL}-1", role=role)
        with unit_of_work(self.db, self.make.clock, "system:test") as work:
            responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF)
