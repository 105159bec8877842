"""Which forms count towards which limit. One table, asked before a form is looked at."""

import math

from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from portal.access import limits
from portal.access.asking import network_of
from portal.access.limits import ASKING, BOOKING, EXPORT, IMPORT, MAIL, SEARCH, Limit, TooOften
from portal.views import free_times
from portal.views.context import current_actor, instance, work
from portal.views.errors import typed

COUNTED: dict[Limit, frozenset[str]] = {
    BOOKING: frozenset(
        {
            "bookings.cancel",
            "bookings.give_up",
            "bookings.move",
            "bookings.offer",
            "bookings.place",
            "bookings.times",
            "mentors.log",
            "mentors.schedule",
            "seats.freed_place",
            "seats.stop_waiting",
            "seats.wait",
            "series.book",
        }
    ),
    MAIL: frozenset(
        {
            "assistants.of_leader",
            "assistants.own",
            "letters.send",
            "mentors.offer",
            "notices.again",
            "notices.further",
            "packages.invite",
            "people.reminders",
            "sendings.choose",
            "test_mails.to_oneself",
            "test_mails.to_person",
        }
    ),
    EXPORT: frozenset(
        {
            "auditing.package",
            "exports.export",
            "person_desk.export",
            "person_desk.fetch",
            "searches.package",
            "your_data.copy",
            "your_data.fetch",
        }
    ),
    IMPORT: frozenset(
        {
            "authoring.upload",
            "councils.import_file",
            "packages.import_file",
            "paper.import_file",
            "people.import_file",
        }
    ),
    ASKING: frozenset(
        {
            "answers.change",
            "questionnaires.ring_me",
            "your_data.address",
            "your_data.ask",
            "your_data.details",
            "your_data.more",
        }
    ),
    SEARCH: frozenset(
        {
            "cases.listing",
            "councils.index",
            "packages.index",
            "people.index",
            "person_desk.find",
            "privacy_desk.trail",
            "resources.index",
        }
    ),
}
BY_ENDPOINT = {endpoint: limit for limit, endpoints in COUNTED.items() for endpoint in endpoints}


def install(app: Flask) -> None:
    """Count, and answer 429 with what was typed where it is too much."""

    @app.before_request
    def _count() -> ResponseReturnValue | None:
        limit, actor = BY_ENDPOINT.get(request.endpoint or ""), current_actor()
        if request.method != "POST" or limit is None or actor is None or _only_looks():
            return None
        network = network_of(instance().vault.ring, request.remote_addr)
        with work() as unit:
            held_back = limits.count(unit, limit, person_id=actor.person_id, network=network)
        return _too_often(held_back) if held_back is not None else None


def _only_looks() -> bool:
    """Whether a button of the form was pressed that shows other times, and books none."""
    return request.endpoint == "bookings.times" and free_times.others_asked()


def _too_often(held_back: TooOften) -> Response:
    seconds = math.ceil(held_back.again_in.total_seconds())
    page = render_template("errors/error.html", code=429, typed=typed(), minutes=math.ceil(seconds / 60))
    return make_response(page, 429, {"Retry-After": str(seconds)})
