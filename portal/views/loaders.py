"""Loads what a route names; None where there is no such thing."""

from uuid import UUID

from sqlalchemy.orm import selectinload

from portal.models import Attendance, Council, Goal, Offer, Office, Package, Person, Session
from portal.views.context import session


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
