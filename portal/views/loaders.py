"""Loads what a route names; None where there is no such thing."""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload, selectinload

from portal.answers import questionnaires
from portal.answers.questionnaires import Asked
from portal.cases import letters as case_letters
from portal.mentors import balance, profiles
from portal.mentors.balance import Balance
from portal.mentors.clearances import GATED
from portal.models import (
    Attendance,
    Blackout,
    CallRequest,
    Clearance,
    Council,
    CouncilFact,
    Delegation,
    Goal,
    Interest,
    Offer,
    Office,
    Package,
    Participation,
    Partner,
    Person,
    Role,
    Session,
    SessionNote,
    Suspicion,
)
from portal.people import delegations, needs
from portal.registers import audit_cases
from portal.registers.audit_cases import SeenCase
from portal.resources import shelves
from portal.resources.shelves import Shown
from portal.results import releases
from portal.results.releases import Release
from portal.returning import page as return_page
from portal.views.context import clock_now, current_actor, programme, session, today
from privacy import risks, subprocessors
from privacy.cases import acts, notices
from privacy.cases.letters import CaseLetter
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseKind, Notice
from privacy.returns.course import Course
from privacy.risks import Kept as Risk
from privacy.subprocessors import Kept as SubProcessor


def load_case(case_id: UUID) -> Case | None:
    return session().get(Case, case_id)


def load_letter(case_id: UUID, letter_id: UUID) -> CaseLetter | None:
    """A letter of that case."""
    letter = case_letters.load(session(), letter_id)
    return letter if letter is not None and letter.case_id == case_id else None


def load_notice(notice_id: UUID) -> Notice | None:
    """A notice to the Controller, with the ways it took."""
    return notices.read(session(), notice_id)


def load_package(package_id: UUID) -> Package | None:
    return session().get(Package, package_id)


def load_package_with_people(package_id: UUID) -> Package | None:
    """The same with who takes part and who mentors, which policies ask, in one query."""
    return session().scalars(_PACKAGE_WITH_PEOPLE, {"package": package_id}).unique().one_or_none()


_PACKAGE_WITH_PEOPLE = (
    select(Package)
    .where(Package.id == bindparam("package"))
    .options(joinedload(Package.participations), joinedload(Package.mentors))
)
"""Made once: each booking and each list of times asks it."""


def load_session(session_id: UUID) -> Session | None:
    with_people = selectinload(Session.attendances).joinedload(Attendance.person)
    return session().get(Session, session_id, options=[with_people])


def load_attendance(attendance_id: UUID) -> Attendance | None:
    """Somebody's place in a session."""
    return session().get(Attendance, attendance_id)


def load_resource(resource_id: UUID) -> Shown | None:
    """A resource, with those whom it reaches."""
    return shelves.shown(session(), resource_id, on=today())


def load_offer(offer_id: UUID) -> tuple[Offer, Package] | None:
    """An offer with its package."""
    offer = session().get(Offer, offer_id)
    return None if offer is None else (offer, session().get_one(Package, offer.package_id))


def load_council(council_id: UUID) -> Council | None:
    return session().get(Council, council_id)


def load_fact(council_id: UUID, fact_id: UUID) -> CouncilFact | None:
    """A fact about that council."""
    fact = session().get(CouncilFact, fact_id)
    return fact if fact is not None and fact.council_id == council_id else None


def load_partner(partner_id: UUID) -> Partner | None:
    return session().get(Partner, partner_id)


def load_person(person_id: UUID) -> Person | None:
    return session().get(Person, person_id)


def load_clearance(person_id: UUID, clearance_id: UUID) -> Clearance | None:
    """A record of that person."""
    row = session().get(Clearance, clearance_id)
    return row if row is not None and row.person_id == person_id else None


def load_interest(interest_id: UUID) -> Interest | None:
    return session().get(Interest, interest_id)


def load_deliverer(person_id: UUID) -> Person | None:
    """Somebody who holds or held an office of those who deliver or run the programme."""
    person = load_person(person_id)
    holds = person is not None and any(office.role in GATED for office in person.offices)
    return person if holds else None


def load_mentor(person_id: UUID) -> Person | None:
    """Somebody who is, was or will be a mentor."""
    person = load_person(person_id)
    holds = person is not None and any(office.role is Role.MENTOR for office in person.offices)
    return person if holds else None


def load_person_with_group(person_id: UUID) -> Person | None:
    """A person, while an instruction lists political groups (sch 3a); else there is nothing to see."""
    return load_person(person_id) if profiles.may_hold_groups(session(), on=today()) else None


def load_balance() -> Balance | None:
    """Mentors and leaders by political group, while an instruction lists it (sch 3a)."""
    return balance.balance(session(), on=today())


def load_blackout(blackout_id: UUID) -> Blackout | None:
    return session().get(Blackout, blackout_id, options=[joinedload(Blackout.council)])


def load_delegation(delegation_id: UUID) -> Delegation | None:
    """Who books for whom, while it holds."""
    row = session().get(Delegation, delegation_id)
    return row if row is not None and row.live_on(today()) else None


def load_leader(person_id: UUID) -> Person | None:
    """A leader in office, who can have an assistant."""
    person = load_person(person_id)
    return person if person is not None and delegations.may_have_one(person, today()) else None


def load_note(note_id: UUID) -> SessionNote | None:
    return session().get(SessionNote, note_id)


def load_any_goal(goal_id: UUID) -> Goal | None:
    """A goal of any package."""
    return session().get(Goal, goal_id)


def load_person_with_needs(person_id: UUID) -> Person | None:
    """A person, while an instruction lists any need (sch 3a); else there is nothing to see."""
    return load_person(person_id) if needs.asked(session(), on=today()) else None


def load_office(person_id: UUID, office_id: UUID) -> Office | None:
    """An office of that person."""
    office = session().get(Office, office_id)
    return office if office is not None and office.person_id == person_id else None


def load_goal(package_id: UUID, goal_id: UUID) -> Goal | None:
    """A goal of that package."""
    goal = session().get(Goal, goal_id)
    return goal if goal is not None and goal.package_id == package_id else None


def load_member(package_id: UUID, participation_id: UUID) -> Participation | None:
    """Somebody's part in that package; None once they were erased."""
    part = session().get(Participation, participation_id)
    fits = part is not None and part.package_id == package_id and part.person_id is not None
    return part if fits else None


def load_call(call_id: UUID) -> CallRequest | None:
    return session().get(CallRequest, call_id)


def load_asked(participation_id: UUID, wave: str, occasion: str) -> Asked | None:
    """One questionnaire of one participation; None if nobody is or ever was asked that."""
    actor = current_actor()
    return questionnaires.asked(
        session(),
        programme(),
        participation_id=participation_id,
        wave=wave,
        occasion=occasion,
        now=clock_now(),
        by=actor.person_id if actor is not None else None,
    )


def load_sub_processor(sub_processor_id: UUID) -> SubProcessor | None:
    """A sub-processor by its newest entry; an earlier one leads nowhere."""
    return next(
        (one for one in subprocessors.sub_processors(session()) if one.entry.id == sub_processor_id), None
    )


def load_risk(risk_id: UUID) -> Risk | None:
    """A risk by its newest entry."""
    return next((one for one in risks.risks(session()) if one.entry.id == risk_id), None)


def load_seen_case(case_id: UUID) -> SeenCase | None:
    """A case without anybody in it."""
    return audit_cases.case(session(), case_id, now=clock_now())


def load_suspicion(suspicion_id: UUID) -> Suspicion | None:
    """A suspicion that has a draft."""
    found = session().get(Suspicion, suspicion_id)
    return found if found is not None and found.case_id is not None else None


def load_incident(case_id: UUID) -> Story | None:
    """A case, if it is an incident."""
    try:
        story = acts.read(session(), case_id)
    except LookupError:
        return None
    return story if story.case.kind is CaseKind.INCIDENT else None


def load_return(return_id: UUID) -> Course | None:
    """A return of data with its events."""
    return return_page.load(session(), return_id)


def load_release(release_id: UUID) -> Release | None:
    """What was released, opened and checked."""
    return releases.read(session(), release_id)
