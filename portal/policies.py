"""Who may do what: one pure function per act, asked by guards and templates alike."""

from typing import Protocol
from uuid import UUID

from portal.access.parking import Parked
from portal.actors import Actor, holds_staff
from portal.answers.questionnaires import Asked
from portal.answers.shares import Shared
from portal.cases.redaction import Waits
from portal.desk import approvals
from portal.mentors.clearances import GATED
from portal.mentors.serving import serves_from
from portal.models import (
    STAFF,
    Approval,
    Attendance,
    AttendanceState,
    Clearance,
    Delegation,
    Goal,
    NoteKind,
    Offer,
    Office,
    Package,
    Person,
    Role,
    SentFile,
    Session,
    SessionNote,
    SessionState,
    Strand,
)
from portal.own_data.cases import OwnCase
from portal.resources.shelves import Shown
from portal.results.periods import Kind
from portal.results.releases import Release
from privacy.cases.letters import CaseLetter
from privacy.cases.tables import Case, Notice
from privacy.returns.course import Course
from surveys.models import Wave
from surveys.versions import Published


class Supported(Protocol):
    """Somebody who is supported: the person, None once erased, and who has a hand in giving it."""

    @property
    def person_id(self) -> UUID | None: ...

    @property
    def given_by(self) -> frozenset[UUID]: ...


def may_run_programme(actor: Actor) -> bool:
    """Councils, people, packages, verdicts: the programme team's work (P5)."""
    return Role.TEAM in actor.roles


def may_see_sent_file(actor: Actor, sent: SentFile) -> bool:
    """How far a file is, and its faults: for whoever of the team sent it."""
    return may_run_programme(actor) and sent.person_id == actor.person_id


def may_see_team_page(actor: Actor, thing: object) -> bool:
    """A page of the team about one thing."""
    return may_run_programme(actor)


def is_mentor_of(actor: Actor, package: Package) -> bool:
    """From the day they are put on it, so that they can offer times before it starts, to their last day; not while
    their clearance has lapsed."""
    return Role.MENTOR in actor.roles and any(
        serving.person_id == actor.person_id and serves_from(serving, actor.today)
        for serving in package.mentors
    )


def gives_session(actor: Actor, session: Session) -> bool:
    """The mentor of a session, unless their office has ended or their clearance has lapsed."""
    return session.mentor_id == actor.person_id and Role.MENTOR in actor.roles


def takes_part(actor: Actor, package: Package) -> bool:
    """In the package today. Who has left office takes part in nothing, whatever still stands in their name."""
    return not actor.former and actor.person_id in _members(package)


def books_for(actor: Actor, package: Package) -> bool:
    """The assistant of somebody in the package."""
    return bool(actor.leaders & _members(package))


def _members(package: Package) -> set[UUID | None]:
    return {part.person_id for part in package.participations if part.to_on is None}


def may_come(actor: Actor, session: Session) -> bool:
    """Whose group a session is for: the members of its package and of those joined to a joint workshop."""
    return any(takes_part(actor, package) for package in _packages(session))


def may_come_for(actor: Actor, session: Session) -> list[UUID]:
    """For whom somebody takes places in a group session: themselves first, then those whose assistant they are."""
    if session.capacity is None:
        return []
    members = set().union(*(_members(package) for package in _packages(session)))
    own = [actor.person_id] if may_come(actor, session) else []
    return own + sorted(one for one in actor.leaders if one in members)


def _packages(session: Session) -> list[Package]:
    return [session.package, *(one.package for one in session.joined)]


def only_books(actor: Actor, package: Package) -> bool:
    """An assistant who is nothing else here: times and places are all that they see."""
    return books_for(actor, package) and not may_see_package(actor, package)


def only_books_session(actor: Actor, session: Session) -> bool:
    """The same for a session."""
    if gives_session(actor, session) or may_see_package(actor, session.package):
        return False
    return not (session.capacity is not None and may_come(actor, session))


def may_see_package(actor: Actor, package: Package) -> bool:
    return may_run_programme(actor) or is_mentor_of(actor, package) or takes_part(actor, package)


def may_serve_package(actor: Actor, package: Package) -> bool:
    """Offer times, log and record sessions: its mentors and the team."""
    return may_run_programme(actor) or is_mentor_of(actor, package)


def may_book(actor: Actor, package: Package) -> bool:
    """Book a one-to-one session: the leader, their assistant, a mentor of the package, or the team."""
    return package.strand is Strand.ONE_TO_ONE and (
        may_see_package(actor, package) or books_for(actor, package)
    )


def may_see_session(actor: Actor, session: Session) -> bool:
    return (
        gives_session(actor, session)
        or may_see_package(actor, session.package)
        or may_take_place(actor, session)
        or may_book(actor, session.package)
    )


def may_record(actor: Actor, session: Session) -> bool:
    """Record that a session took place: its mentor or the team."""
    return gives_session(actor, session) or may_serve_package(actor, session.package)


def may_change_session(actor: Actor, session: Session) -> bool:
    """Move or cancel: whoever may book it; a group session only its mentor and the team.

    Whether it can still be changed is for the rule to say.
    """
    return may_record(actor, session) or may_book(actor, session.package)


def may_take_place(actor: Actor, session: Session) -> bool:
    """Take or give up a place in a group session, or wait for one: the members of the group and their assistants."""
    return bool(may_come_for(actor, session))


def may_run_group(actor: Actor, session: Session) -> bool:
    """See who has a place or waits, and change what is planned: the session's mentors and the team."""
    return session.capacity is not None and may_record(actor, session)


def may_register(actor: Actor, session: Session) -> bool:
    """Add and remove somebody, replace a member of a set, decide go or no-go: the team."""
    return session.capacity is not None and may_run_programme(actor)


def may_see_certificate(actor: Actor, seat: Attendance) -> bool:
    """A certificate of attendance: whoever came to a group session that was held, and the team."""
    came = seat.state is AttendanceState.ATTENDED and seat.session.state is SessionState.HELD
    given = came and seat.session.capacity is not None
    return given and (seat.person_id == actor.person_id or may_run_programme(actor))


def may_open_resource(actor: Actor, shown: Shown) -> bool:
    """Open a file that the team keeps: the team, those whom it reaches where it is attached, those of its roles, and
    mentors where it is for a role or a kind of session at all."""
    takes_part = actor.person_id in shown.members and not actor.former
    # Who may not serve, such as for want of a clearance, holds that role no more.
    serves = actor.person_id in shown.mentors and Role.MENTOR in actor.roles
    for_all = not shown.resource.retired_at and shown.is_for(actor.roles)
    return may_run_programme(actor) or takes_part or serves or for_all


def may_choose_offer(actor: Actor, offer_and_package: tuple[Offer, Package]) -> bool:
    """Choose a time that a mentor offers: the leader, or their assistant."""
    return takes_part(actor, offer_and_package[1]) or books_for(actor, offer_and_package[1])


def may_take_back_offer(actor: Actor, offer_and_package: tuple[Offer, Package]) -> bool:
    """Take back times that were offered: the mentor who offers them, and the team."""
    offer, package = offer_and_package
    return may_run_programme(actor) or (is_mentor_of(actor, package) and offer.mentor_id == actor.person_id)


def may_publish_hours(actor: Actor) -> bool:
    return Role.MENTOR in actor.roles


def may_set_leave(actor: Actor, mentor: Person) -> bool:
    """When a mentor is away: they themselves, and the team for somebody who fell ill."""
    return may_run_programme(actor) or (may_publish_hours(actor) and actor.person_id == mentor.id)


def may_book_series(actor: Actor, package: Package) -> bool:
    """Several one-to-one sessions in one go: those who serve the package."""
    return package.strand is Strand.ONE_TO_ONE and may_serve_package(actor, package)


def may_mentor(actor: Actor) -> bool:
    return Role.MENTOR in actor.roles


def may_answer(actor: Actor, asked: Supported) -> bool:
    """Answer a questionnaire: the person who is asked, and nobody for them."""
    return asked.person_id == actor.person_id


def may_interview(actor: Actor, asked: Supported) -> bool:
    """Fill a questionnaire in with somebody who would rather talk (sch 4: questionnaire or interview). A
    self-assessment tool is answered for oneself alone (sch 5 Tools)."""
    return may_run_programme(actor) and stands_apart(actor, asked) and not _is_tool(asked)


def may_ask_to_change(actor: Actor, asked: Asked) -> bool:
    """Ask the team to open what was sent; a tool is answered again instead."""
    return may_answer(actor, asked) and not _is_tool(asked)


def _is_tool(asked: Supported) -> bool:
    return isinstance(asked, Asked) and asked.asking.wave is Wave.TOOL


def may_answer_or_interview(actor: Actor, asked: Supported) -> bool:
    return may_answer(actor, asked) or may_interview(actor, asked)


def may_read_shared(actor: Actor, shared: Shared) -> bool:
    """Read answers that a participant shares: the mentors they are shared with, while they serve."""
    return actor.person_id in shared.readers and is_mentor_of(actor, shared.package)


def may_compare(actor: Actor, shared: Shared) -> bool:
    """Read somebody's before and after: themselves, and mentors they share it with."""
    return shared.person_id == actor.person_id or may_read_shared(actor, shared)


def owns_shared(actor: Actor, shared: Shared) -> bool:
    """Share and take back: the person whose answers they are."""
    return shared.person_id == actor.person_id


def may_see_kept(actor: Actor, parked: Parked) -> bool:
    """A form that was kept for its writer; it is only looked for among the actor's own. What staff typed can be about
    others, so it waits until they are cleared again."""
    return not actor.gaps or actor.is_participant


def may_export(actor: Actor, published: Published) -> bool:
    """Take answers out: the team, but for a tool, which somebody answers for themselves (sch 5 Tools)."""
    return may_run_programme(actor) and not published.is_tool


def may_judge(actor: Actor, example: Supported) -> bool:
    """Read an example of impact and give a verdict: the team, but for those who gave or got the support."""
    return may_run_programme(actor) and stands_apart(actor, example)


def stands_apart(actor: Actor, supported: Supported) -> bool:
    """Neither who is supported nor somebody who gives it: no mentor learns what their leaders answer."""
    return actor.person_id != supported.person_id and actor.person_id not in supported.given_by


def may_read_kpi(actor: Actor) -> bool:
    """The two KPI figures: the team and the Department's observer (sch 4 KPIs)."""
    return bool(actor.roles & {Role.TEAM, Role.OBSERVER})


def may_agree_councils(actor: Actor) -> bool:
    """Agree which councils get support: the Department's observer (sch 4 SLAs)."""
    return Role.OBSERVER in actor.roles


def may_agree_council(actor: Actor, proposal: object) -> bool:
    return may_agree_councils(actor)


def may_read_release(actor: Actor, release: Release) -> bool:
    """A release and its files: the team and the Department's observer (sch 4 Reporting). An annual review that the
    Department lets be passed on: everybody who is signed in (sch 4 Publicity)."""
    return may_read_kpi(actor) or release.approved_on is not None


def may_approve_release(actor: Actor, release: Release) -> bool:
    """Record that an annual review may be passed on: the team, once (sch 4 Publicity)."""
    return may_run_programme(actor) and release.kind is Kind.ANNUAL and release.approved_on is None


def may_read_register(actor: Actor) -> bool:
    """The register of holdings: the data protection officer and the Controller's auditor (cl 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_read_safekeeping(actor: Actor) -> bool:
    """How keys and backups are kept: the data protection officer and the Controller's auditor (cl 17.3, 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_answer_for_data(actor: Actor) -> bool:
    """Export, rectify, restrict, hold and erase: the data protection officer alone (cl 17.4, 17.8)."""
    return Role.DPO in actor.roles


def may_answer_for(actor: Actor, person: Person) -> bool:
    """The same about somebody; not about oneself."""
    return may_answer_for_data(actor) and actor.person_id != person.id


def may_run_desk(actor: Actor) -> bool:
    """Cases, notices and registers: the data protection officer, and deputies, who hold the same role (cl 17.10)."""
    return Role.DPO in actor.roles


def may_see_case(actor: Actor, case: Case) -> bool:
    """A case; nobody handles what is about themselves."""
    return may_run_desk(actor) and case.subject_id != actor.person_id


def may_act_on(actor: Actor, case: Case) -> bool:
    """Do from a case what the Controller decided about somebody's data; never one's own (cl 17.4)."""
    return may_see_case(actor, case) and may_answer_for_data(actor)


def may_ask(actor: Actor, right: object) -> bool:
    """Ask for a right over one's own data: everybody who is signed in."""
    return may_see_own(actor)


def may_see_own_case(actor: Actor, case: OwnCase) -> bool:
    """See and add to what one asked: whose data it is about."""
    return case.subject_id == actor.person_id


def may_see_letter(actor: Actor, letter: CaseLetter) -> bool:
    return may_see_case(actor, letter.case)


def may_see_notice(actor: Actor, notice: Notice) -> bool:
    return may_see_case(actor, notice.case)


def may_read_trail(actor: Actor) -> bool:
    """The audit trail: the data protection officer and the Controller's auditor (cl 14, 17.9)."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_see_approvals(actor: Actor) -> bool:
    """What takes two people, and who can be the second: officers and administrators."""
    return bool(actor.roles & approvals.SECONDS)


def may_be_second(actor: Actor, approval: Approval) -> bool:
    """Agree to what somebody else asked for; nobody to what they asked themselves, or what is about them."""
    return may_see_approvals(actor) and approval.is_open_to(actor.ref)


def may_see_answer(actor: Actor, approval: Approval) -> bool:
    """Why a second person did not agree: whoever asked, and those who can be the second person."""
    asked = actor.ref == approval.asked_by and may_ask_for_two(actor)
    return approval.agreed is False and (asked or may_see_approvals(actor))


def may_ask_for_two(actor: Actor) -> bool:
    """Ask for what takes two people: the team for answers with names, officers and administrators for the rest."""
    return may_run_programme(actor) or may_see_approvals(actor)


def may_approve_copies(actor: Actor, waits: Waits) -> bool:
    """Approve what was taken out of a case's files: whoever may see the case, but for who made the copies."""
    return may_see_case(actor, waits.case) and waits.made_by != actor.ref


def opens_for_others(actor: Actor, supported: Supported) -> bool:
    """Whether opening somebody's answers takes a purpose: for all but themselves."""
    return actor.person_id != supported.person_id


def may_manage_accounts(actor: Actor) -> bool:
    """Staff accounts: the administrator (P9)."""
    return Role.ADMINISTRATOR in actor.roles


def may_manage_account(actor: Actor, person: Person) -> bool:
    return may_manage_accounts(actor)


def is_staff(person: Person) -> bool:
    """Whether somebody holds, held or will hold an office that runs or watches the programme."""
    return any(office.role in STAFF for office in person.offices)


def may_add_person(actor: Actor) -> bool:
    """The team adds participants and mentors, the administrator staff (P9)."""
    return may_run_programme(actor) or may_manage_accounts(actor)


def may_see_person(actor: Actor, person: Person) -> bool:
    """What is known of somebody: the team of everybody, the administrator of staff (P9)."""
    return may_run_programme(actor) or (may_manage_accounts(actor) and is_staff(person))


def may_see_office(actor: Actor, office: Office) -> bool:
    return may_see_person(actor, office.person)


def may_change_person(actor: Actor, person: Person) -> bool:
    """Change address and roles, close the account: of staff the administrator, of others the team."""
    if holds_staff(person, actor.today):
        return may_manage_accounts(actor)
    return may_run_programme(actor) or (may_manage_accounts(actor) and is_staff(person))


def may_read(actor: Actor, *things: object) -> bool:
    """Read earlier answers, goals, notes and own data: who has proved more than the mailbox holds, where others read
    that. Whether it is theirs at all is asked before."""
    return actor.reads


def may_read_kept(actor: Actor, parked: Parked) -> bool:
    """Read a form that was kept: in the browser in which it was written, else as everything else."""
    here = {actor.browser_session_id, actor.follows} - {None}
    return may_read(actor) or parked.browser_session_id in here


def may_say_mailbox(actor: Actor, *, shared: bool) -> bool:
    """Say that others read one's mailbox: anybody. That nobody does: who has proved more than a reader could."""
    return shared or actor.reads


def may_help_sign_in(actor: Actor, person: Person) -> bool:
    """Hand over a start code, say that it was them, take away what they lost: of staff an administrator, of others
    the team; nobody for themselves."""
    return actor.person_id != person.id and may_change_person(actor, person)


def may_see_own(actor: Actor) -> bool:
    """Pages that show people only what is theirs."""
    return True


def may_follow_sessions(actor: Actor) -> bool:
    """Have one's own sessions in one's own calendar: those who are in sessions, and nobody else."""
    return actor.is_participant or may_mentor(actor)


def may_see_agenda(actor: Actor) -> bool:
    """Sessions as a calendar: a mentor their own, the team all."""
    return bool(actor.roles & {Role.MENTOR, Role.TEAM})


def may_see_support(actor: Actor) -> bool:
    """ "Your support": everybody who receives some, and who has left and comes back to answer."""
    return actor.is_participant or actor.former


def may_name_assistant(actor: Actor) -> bool:
    """Name and end one's own assistant: leaders in office."""
    return actor.is_participant


def may_assist(actor: Actor) -> bool:
    """ "Who you book for": assistants."""
    return Role.ASSISTANT in actor.roles


def may_stop_assisting(actor: Actor, delegation: Delegation) -> bool:
    """End a delegation from the assistant's side."""
    return delegation.assistant_id == actor.person_id


def may_see_own_needs(actor: Actor) -> bool:
    """What one needs in sessions: those who take part in them."""
    return actor.is_participant


def may_see_needs(actor: Actor, session: Session) -> bool:
    """What people need in a session: its mentor and the team. Until when is for portal/people/needs.py to say."""
    return gives_session(actor, session) or may_run_programme(actor)


def may_write_note(actor: Actor, session: Session, kind: NoteKind) -> bool:
    """A shared note: the leader and the mentors of a one-to-one session. A private one: its mentors. The team has no
    part in either."""
    serves = gives_session(actor, session) or is_mentor_of(actor, session.package)
    if kind is NoteKind.PRIVATE:
        return serves
    return session.capacity is None and (serves or takes_part(actor, session.package))


def may_write_notes(actor: Actor, session: Session) -> bool:
    """Write a note of one kind or the other."""
    return any(may_write_note(actor, session, kind) for kind in NoteKind)


def may_read_note(actor: Actor, note: SessionNote) -> bool:
    """A shared note: whoever may write one there. A private one: its author, while they serve."""
    return may_write_note(actor, note.session, note.kind) and (
        note.kind is NoteKind.SHARED or note.author_id == actor.person_id
    )


def may_change_note(actor: Actor, note: SessionNote) -> bool:
    """Change or delete a note: its author."""
    return note.author_id == actor.person_id and may_read_note(actor, note)


def may_see_goal(actor: Actor, goal: Goal) -> bool:
    """See a goal and look back at it: whose it is, the mentors of the package, the team."""
    if may_serve_package(actor, goal.package):
        return True
    return takes_part(actor, goal.package) and (
        goal.participation_id is None
        or any(
            part.id == goal.participation_id and part.person_id == actor.person_id
            for part in goal.package.participations
        )
    )


def may_change_goal(actor: Actor, goal: Goal) -> bool:
    """Reword a goal, or say that it is met or dropped: the mentors of the package and the team."""
    return may_serve_package(actor, goal.package)


def may_record_clearance(actor: Actor, person: Person) -> bool:
    """Record what clears somebody (annex 1): the team, and the administrator of staff. Nobody clears themselves."""
    return actor.person_id != person.id and may_see_person(actor, person)


def may_see_own_clearance(actor: Actor) -> bool:
    """What is recorded of oneself: all who need clearance, also while it is missing."""
    return bool(actor.gaps) or bool(actor.roles & GATED)


def may_end_clearance(actor: Actor, row: Clearance) -> bool:
    return may_record_clearance(actor, row.person)


def may_declare_interests(actor: Actor) -> bool:
    """Declare one's own interests (annex 2): all who deliver or run the programme."""
    return bool(actor.roles & GATED)


def may_give_session(actor: Actor, session: Session) -> bool:
    """Give a session to another mentor: the team."""
    return may_run_programme(actor)


def may_see_balance(actor: Actor, counts: object) -> bool:
    """Counts by political group, which give nobody away: the team and the Department's observer (annex 2, 3)."""
    return may_read_kpi(actor)


def may_read_instructions(actor: Actor) -> bool:
    """What the Controller has instructed (sch 3a): the team acts on it, the officer enters it, the auditor reads it."""
    return bool(actor.roles & {Role.TEAM, Role.DPO, Role.AUDITOR})


def may_enter_instructions(actor: Actor) -> bool:
    """Enter an instruction of the Controller: the data protection officer (P6)."""
    return Role.DPO in actor.roles


def may_read_registers(actor: Actor) -> bool:
    """The registers of the desk: the data protection officer keeps them, the Controller's auditor reads them."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_keep_registers(actor: Actor) -> bool:
    """Enter sub-processors, risks, remarks and schedule 3a: the data protection officer (P6)."""
    return may_run_desk(actor)


def may_read_conflicts(actor: Actor) -> bool:
    """The statement of conflicts of interest: the team makes it, the officer and the auditor read it (annex 2)."""
    return may_run_programme(actor) or may_read_registers(actor)


def may_see_access_review(actor: Actor) -> bool:
    """Who can see what: the officer confirms it, administrators confirm the officers, the auditor reads it."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR, Role.ADMINISTRATOR})


def may_review_access(actor: Actor) -> bool:
    """Confirm what others can see; about whom is for the rule to say."""
    return bool(actor.roles & {Role.DPO, Role.ADMINISTRATOR})


def may_audit(actor: Actor) -> bool:
    """Read cases without names, their clocks, and take the package: the auditor; the officer sees what they see."""
    return bool(actor.roles & {Role.DPO, Role.AUDITOR})


def may_see_for_audit(actor: Actor, thing: object) -> bool:
    return may_audit(actor)


def may_weigh_suspicions(actor: Actor) -> bool:
    """Confirm or dismiss what the product suspects: the data protection officer (cl 17.5)."""
    return may_run_desk(actor)


def may_weigh_suspicion(actor: Actor, suspicion: object) -> bool:
    return may_weigh_suspicions(actor)


def may_handle_incident(actor: Actor, incident: object) -> bool:
    """Say who is affected by an incident: the data protection officer."""
    return may_run_desk(actor)


def may_keep_entry(actor: Actor, entry: object) -> bool:
    return may_keep_registers(actor)


def may_see_returns(actor: Actor) -> bool:
    """Returns of data: the officer runs them, an administrator answers as the second person, the auditor reads."""
    return bool(actor.roles & {Role.DPO, Role.ADMINISTRATOR, Role.AUDITOR})


def may_see_return(actor: Actor, course: Course) -> bool:
    """A return; nobody handles one of their own data."""
    return may_see_returns(actor) and course.scope.id != actor.person_id


def may_run_returns(actor: Actor) -> bool:
    """Enter a direction, take the steps of a return, withdraw it: the data protection officer (cl 17.4(e))."""
    return may_run_desk(actor)


def may_run_return(actor: Actor, course: Course) -> bool:
    return may_run_returns(actor) and may_see_return(actor, course)


def may_take_step(actor: Actor, course: Course) -> bool:
    """Take the next step: the officer; as the second of two people, after an officer, an administrator too."""
    step = course.next
    second = step is not None and Role.ADMINISTRATOR in actor.roles and bool(course.answered_by(step))
    return may_run_return(actor, course) or (second and may_see_return(actor, course))
