"""Loads what a route names; None where there is no such thing."""

from uuid import UUID

from sqlalchemy.orm import selectinload

from portal import questionnaires
from portal.models import (
    Attendance,
    CallRequest,
    Council,
    Goal,
    Offer,
    Office,
    Package,
    Participation,
    Person,
    Session,
)
from portal.questionnaires import Asked
from portal.views.context import clock_now, programme, session


def load_package(package_id: UUID) -> Package | None:
    return session().get(Package, package_id)


def load_session(session_id: UUID) -> Session | None:
    with_people = selectinload(Session.attendances).joinedload(Attendance.person)
    return session().get(Session, session_id, options=[with_people])


def load_offer(offer_id: UUID) -> tuple[Offer, Package] | None:
    """An offer with its package."""
    offer = session().get(Offer, offer_id)
    return None if offer is None else (offer, session().get_one(Package, offer.package_id))


def load_council(council_id: UUID) -> Council | None:
    return session().get(Council, council_id)


def load_person(person_id: UUID) -> Person | None:
    return session().get(Person, person_id)


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
    return questionnaires.asked(
        session(),
        programme(),
        participation_id=participation_id,
        wave=wave,
        occasion=occasion,
        now=clock_now(),
    )
