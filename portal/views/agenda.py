"""Sessions as a calendar, for mentors their own and for the team all; how hours are used; a day on paper."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal import policies
from portal.booking import agenda, leave, use
from portal.booking.agenda import Whose
from portal.councils import register as councils
from portal.mailing import invitations
from portal.models import Person, Session
from portal.people import directory, needs
from portal.people.needs import Need
from portal.views.context import clock_now, programme, session, the_actor, today
from portal.views.guards import guarded

bp = Blueprint("agenda", __name__, url_prefix="/agenda")


@bp.get("")
@guarded(None, policies.may_see_agenda)
def days() -> ResponseReturnValue:
    first = agenda.day_of(request.args.get("from", ""), today=today())
    whose = _whose()
    return render_template(
        "agenda/days.html",
        days=agenda.days_from(session(), first=first, whose=whose),
        first=first,
        before=first - timedelta(days=agenda.DAYS_AHEAD),
        after=first + timedelta(days=agenda.DAYS_AHEAD),
        **_around(whose),
    )


@bp.get("/month")
@guarded(None, policies.may_see_agenda)
def month() -> ResponseReturnValue:
    first = agenda.month_of(request.args.get("month", ""), today=today())
    whose = _whose()
    shown = agenda.month(session(), first=first, whose=whose)
    return render_template("agenda/month.html", month=shown, today=today(), **_around(whose))


@bp.get("/day")
@guarded(None, policies.may_see_agenda)
def day() -> ResponseReturnValue:
    """What a mentor takes along. The needs of those they meet stand on it only for that mentor."""
    on = agenda.day_of(request.args.get("on", ""), today=today())
    mentors = _mentors()
    wanted = _id(request.args.get("mentor")) or the_actor().person_id
    mentor = next((one for one in mentors if one.id == wanted), None)
    whose = Whose(mentor_id=mentor.id if mentor is not None else None)
    return render_template(
        "agenda/day.html",
        on=on,
        away=leave.by_day(session(), whose.mentor_id, first=on, last=on).get(on, ()),
        mentor=mentor,
        sessions=agenda.between(session(), first=on, last=on, whose=whose) if mentor is not None else [],
        needs=_needs() if mentor is not None and mentor.id == the_actor().person_id else None,
        mentors=mentors,
        whole=policies.may_run_programme(the_actor()),
        heading_of=_heading_of,
        where_of=invitations.where_of,
        before=on - timedelta(days=1),
        after=on + timedelta(days=1),
    )


@bp.get("/hours", endpoint="use")
@guarded(None, policies.may_see_agenda)
def use_of_hours() -> ResponseReturnValue:
    mentors = _mentors()
    whose = _whose().mentor_id
    people = [one for one in mentors if one.id == whose] if whose else mentors
    months = use.months_around(today())
    found = use.by_month(session(), [one.id for one in people], months=months)
    chosen = agenda.month_of(request.args.get("month", ""), today=today())
    chosen = chosen if chosen in months else today().replace(day=1)
    return render_template(
        "agenda/use.html",
        by_month=[(first, use.total([found[one.id][first] for one in people])) for first in months],
        by_mentor=[(one, found[one.id][chosen]) for one in people],
        chosen=chosen,
        mentors=mentors,
        mentor_id=whose,
        whole=policies.may_run_programme(the_actor()),
    )


def _needs() -> Callable[[Session], list[Need]]:
    """What those who come to a session need, read for all sessions at once."""
    kinds, now = needs.asked(session(), on=today()), clock_now()
    return lambda held: needs.in_session(held, kinds, now=now)


def _whose() -> Whose:
    """For the team what the filters say; a mentor sees their own."""
    actor = the_actor()
    if not policies.may_run_programme(actor):
        return Whose(mentor_id=actor.person_id)
    return Whose(_id(request.args.get("mentor")), _id(request.args.get("council")))


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _mentors() -> Sequence[Person]:
    """Whom the team can choose from; a mentor has themselves alone."""
    actor = the_actor()
    if not policies.may_run_programme(actor):
        return [session().get_one(Person, actor.person_id)]
    return directory.mentors(session(), on=today())


def _around(whose: Whose) -> dict[str, Any]:
    """What the two views of the calendar share: filters for the team, and how a session is called."""
    whole = policies.may_run_programme(the_actor())
    chosen = {"mentor": whose.mentor_id, "council": whose.council_id} if whole else {}
    return {
        "whole": whole,
        "mentors": _mentors() if whole else [],
        "councils": councils.listed(session()) if whole else [],
        "chosen": {name: str(value) for name, value in chosen.items() if value},
        "heading_of": _heading_of,
        "month_text": lambda first: f"{first:%Y-%m}",
    }


def _heading_of(held: Session) -> str:
    return invitations.heading_of(held, programme())
