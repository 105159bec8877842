"""For whom somebody acts: themselves, or one of those whose assistant they are. A form says it in its field `for`."""

from uuid import UUID

from flask import abort, request, url_for

from portal import policies
from portal.models import Package, Session
from portal.views.context import the_actor

FIELD = "for"


def whose_place(held: Session) -> UUID:
    """Whose place in a group session a form is about: the actor's own, unless it says otherwise. 404 for others."""
    people = policies.may_come_for(the_actor(), held)
    wanted = request.values.get(FIELD)
    found = people[:1] if wanted is None else [one for one in people if str(one) == wanted]
    if not found:
        abort(404)
    return found[0]


def is_own(person_id: UUID) -> bool:
    return person_id == the_actor().person_id


def back_from_booking(package: Package) -> str:
    """Where the pages about booking lead back to: each to the page that lists what they book."""
    actor = the_actor()
    if policies.only_books(actor, package):
        return url_for("assistants.index")
    if policies.may_serve_package(actor, package):
        return url_for("mentors.package", package_id=package.id)
    return url_for("your_support.index")


def back_from_session(held: Session) -> str:
    """The same from the page of a session."""
    actor = the_actor()
    if policies.may_record(actor, held):
        return url_for("mentors.package", package_id=held.package_id)
    return url_for("assistants.index" if policies.only_books_session(actor, held) else "your_support.index")
