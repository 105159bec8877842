"""What every page shows around its content: service name, links by role, who is signed in."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, request, url_for

from portal.actors import Actor
from portal.health.disk import Disks, Room
from portal.models import PARTICIPANT, Role
from portal.views.context import clock_now, current_actor, instance
from portal.views.searches_kept import search_id
from portal.views.staying import time_left
from privacy.clock import london_date


@dataclass(frozen=True)
class Link:
    """A link of the service navigation."""

    text: str
    href: str
    current: bool


LINKS: tuple[tuple[frozenset[Role], str, str], ...] = (
    (PARTICIPANT, "Your support", "your_support.index"),
    (PARTICIPANT, "Your calendar", "calendars.show"),
    (frozenset({Role.ASSISTANT}), "Who you book for", "assistants.index"),
    (PARTICIPANT, "Your data", "your_data.index"),
    (frozenset({Role.MENTOR}), "Your mentoring", "mentors.home"),
    (frozenset({Role.MENTOR}), "Your hours", "hours.show"),
    (frozenset({Role.TEAM}), "Today", "team.home"),
    (frozenset({Role.TEAM, Role.MENTOR}), "Calendar", "agenda.month"),
    (frozenset({Role.TEAM}), "Packages", "packages.index"),
    (frozenset({Role.TEAM}), "People", "people.index"),
    (frozenset({Role.TEAM}), "Councils", "councils.index"),
    (frozenset({Role.TEAM}), "Results", "reports.kpi"),
    (frozenset({Role.OBSERVER}), "Results", "releases.index"),
    (frozenset({Role.OBSERVER}), "Councils to agree", "agreeing.index"),
    (frozenset({Role.DPO}), "Desk", "cases.index"),
    (frozenset({Role.DPO, Role.AUDITOR}), "What is held", "privacy_desk.data_map"),
    (frozenset({Role.DPO}), "Data of one person", "person_desk.find"),
    (frozenset({Role.DPO, Role.AUDITOR}), "Audit trail", "privacy_desk.trail"),
    (frozenset({Role.DPO, Role.AUDITOR}), "Registers", "registers.index"),
    (frozenset({Role.AUDITOR}), "Cases", "auditing.cases"),
    (frozenset({Role.DPO, Role.AUDITOR}), "Keys and backups", "safekeeping.index"),
    (frozenset({Role.ADMINISTRATOR}), "Accounts", "account.accounts"),
    (frozenset({Role.ADMINISTRATOR}), "Access review", "access_review.index"),
    # Officers find it on the desk, which says how many wait for them.
    (frozenset({Role.ADMINISTRATOR}), "Second person", "approvals.index"),
    (frozenset({Role.ADMINISTRATOR, Role.AUDITOR}), "Return of the data", "returns.index"),
)


def links_for(actor: Actor | None) -> list[Link]:
    """The links of somebody's roles, in one order for everybody."""
    if actor is None or not actor.is_in:
        return []
    return [
        Link(text, url_for(endpoint), request.endpoint == endpoint)
        for roles, text, endpoint in LINKS
        # Who has left office and comes back to answer has the page with what there is to answer.
        if roles & actor.roles or (actor.former and endpoint == "your_support.index")
    ]


def home_for(actor: Actor) -> str:
    """Where somebody starts: the first page of their roles."""
    if not actor.is_in:
        return url_for("proofs.prove")
    links = links_for(actor)
    if not links and actor.gaps:
        return url_for("clearances.own")
    return links[0].href if links else url_for("account.devices")


def _room(actor: Actor | None) -> Room:
    """How much room the disks have, which those who can do something about it are told on every page."""
    disks: Disks = current_app.extensions["disks"]
    return disks.room() if actor is not None and actor.is_staff else Room.ENOUGH


def install(app: Flask) -> None:
    """Give it to every template."""

    @app.context_processor
    def _around() -> dict[str, Any]:
        actor = current_actor()
        open_instance = instance()
        return {
            "actor": actor,
            "time_left": time_left(),
            "search_id": search_id,
            "navigation": links_for(actor),
            "service_name": open_instance.programme.service_name,
            "contacts": open_instance.programme.contacts,
            "programme": open_instance.programme,
            "demo": open_instance.demo,
            "room": _room(actor),
            "year": london_date(clock_now()).year,
        }
