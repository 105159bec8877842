"""The pages in every state, as answers that were really given: filled, empty, in error, and along a walk.

They are fetched without a browser, through the app, and kept whole. A browser is shown them afterwards
(tests/access/showing.py), at each width, as often as is wanted.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, template_rendered
from flask.testing import FlaskClient
from sqlalchemy.orm import Session as DbSession
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from portal.models import PackageState
from privacy.cases.letters import LetterKind
from surveys import versions
from tests.canary_walk import Walk
from tests.conftest import Stack, make_stack
from tests.counts import FULL
from tests.factories import Factory
from tests.pages.test_access import STAFF, addresses, client_of, populated, tables
from tests.pages.test_canaries import STEPS
from tests.pages_client import Page, PageClient, parsed

MOVED = (301, 302, 303, 308)


@dataclass(frozen=True)
class Shot:
    """One page as it was answered, once."""

    state: str
    endpoint: str
    template: str
    method: str
    address: str
    status: int
    headers: list[tuple[str, str]]
    text: str

    def __str__(self) -> str:
        who = self.tree.xpath("normalize-space(//*[contains(@class, 'lp-header__who')])") or "Signed out"
        return f"{self.state}: {self.method} {self.address} ({self.template}), {self.status}. {who}"

    @cached_property
    def tree(self) -> Any:
        return parsed(self.text)

    @cached_property
    def shape(self) -> str:
        """How it is built, whatever its words: pages of one shape are marked up and laid out alike."""
        return f"{self.status} {_shape(self.tree)}"


def _shape(element: Any) -> str:
    """Tags with what styles and scripts go by; of alike neighbours, such as rows of a table, one."""
    parts: list[str] = []
    for child in element:
        if isinstance(child.tag, str) and (part := _shape(child)) not in parts[-1:]:
            parts.append(part)
    looks = (element.get(name, "") for name in ("class", "type", "role", "hidden", "open"))
    return f"<{element.tag} {'|'.join(looks)}>{''.join(parts)}</>"


def distinct(shots: list[Shot]) -> list[Shot]:
    """The first of each shape."""
    return list({shot.shape: shot for shot in reversed(shots)}.values())[::-1]


class World:
    """A stack, its visitors, and every whole page that anybody was shown there."""

    def __init__(self, stack: Stack, state: str) -> None:
        self.stack, self.state = stack, state
        self.shots: list[Shot] = []
        self.no_page: set[str] = set()
        self.clients: dict[str, PageClient] = {}
        self._template = ""
        self._routes = stack.app.url_map.bind("localhost")
        template_rendered.connect(self._rendered, stack.app)
        stack.app.test_client_class = _recording(self)

    def _rendered(self, sender: Flask, template: Any, context: Any, **more: Any) -> None:
        self._template = template.name

    def keep(self, response: TestResponse) -> None:
        asked = response.request
        readable = response.mimetype == "text/html" and response.status_code not in MOVED
        text = response.get_data(as_text=True) if readable else ""
        if response.status_code == 200 and "<html" not in text:
            # A file, or a part of a page.
            self.no_page.add(self.endpoint(asked.path, asked.method))
        if "<html" in text:
            address = urlsplit(asked.url)._replace(scheme="", netloc="").geturl()
            shot = Shot(
                self.state,
                self.endpoint(asked.path, asked.method),
                self._template,
                asked.method,
                address,
                response.status_code,
                list(response.headers),
                text,
            )
            self.shots.append(shot)

    def endpoint(self, path: str, method: str) -> str:
        """Which page an address is, "" for none."""
        try:
            return str(self._routes.match(path, method=method)[0])
        except HTTPException:
            return ""

    def look(self, visitor: str, address: str) -> Shot | None:
        """What a visitor is shown at an address; None where they are led on, or it is no page."""
        before = len(self.shots)
        self.clients[visitor].http.get(address)
        return self.shots[-1] if len(self.shots) > before else None

    def close(self) -> None:
        self.stack.close()


def _recording(world: World) -> type[FlaskClient]:
    class Recording(FlaskClient):
        def open(self, *args: Any, **more: Any) -> TestResponse:
            response = super().open(*args, **more)
            world.keep(response)
            return response

    return Recording


# ---- filled


def seeing() -> dict[str, list[str]]:
    """Who sees each row of pages, by tests/pages/access.txt."""
    head, *rows = (re.split(r"\s{2,}", line) for line in tables()[0].splitlines())
    return {
        name: [who for who, cell in zip(head[1:], cells, strict=True) if cell == "sees"]
        for name, *cells in rows
    }


def filled(folder: Path) -> tuple[World, list[tuple[str, Shot]]]:
    """The world of tests/two_sides.py: each page as everybody who sees it is shown it; in the sample, one of them."""
    stack = make_stack(folder, {})
    (side, _), people = populated(stack)
    world = World(stack, "filled")
    world.clients |= {who: client_of(stack, who, person_id) for who, person_id in people.items()}
    world.clients["team"].say_why()
    table = seeing()
    shown = [
        (who, shot)
        for row, address in addresses(stack, side).items()
        for who in table.get(row, [])[: None if FULL else 1]
        if (shot := world.look(who, address))
    ]
    _about_to_send(world)
    return world, shown


def _about_to_send(world: World) -> None:
    """What goes to many is looked at before it goes."""
    for sending in ("invitations", "reminders"):
        http, address = world.clients["team"].http, f"/team/mail/{sending}"
        page = Page(http.get(address))
        chosen = [box.get("value") for box in page.all("input", name="chosen")]
        http.post(address, data={"csrf_token": page.token(), "chosen": chosen})


# ---- in error


def in_error(world: World, shown: list[tuple[str, Shot]]) -> None:
    """Send the forms of pages that were shown: all wrong, then all empty; in the sample, each form once."""
    world.state = "error"
    forms: dict[tuple[str, str, tuple[str, ...]], tuple[str, Any]] = {}
    for who, form in forms_of(shown):
        endpoint = world.endpoint(urlsplit(form.get("action")).path, "POST")
        names = tuple(sorted({one.get("name") for one in _visible(form)}))
        forms.setdefault((who if FULL else "", endpoint, names), (who, form))
    for fill in (_wrong, _empty):
        for who, form in forms.values():
            world.clients[who].http.post(form.get("action"), data=_sent(form, fill))
    _go_wrong(world)


def forms_of(shown: list[tuple[str, Shot]]) -> Iterator[tuple[str, Any]]:
    """The forms with something to fill in, and who was shown them."""
    for who, shot in shown:
        for form in shot.tree.iter("form"):
            if form.get("method") == "post" and _visible(form):
                yield who, form


def _go_wrong(world: World) -> None:
    """What is shown where there is no page, or no form of ours was sent."""
    http = world.clients["nobody"].http
    token = Page(http.get("/sign-in")).token()
    http.get("/nowhere")
    http.get("/sign-out")
    http.post("/sign-in", data={"email": "somebody@council.example"})
    http.post("/sign-in", data={"csrf_token": token, "email": "x" * (2 * 1024 * 1024)})
    http.post("/sign-in", headers={"Sec-Fetch-Site": "cross-site"})
    world.look("leader", "/team")
    for address in {shot.address for shot in world.shots if shot.endpoint == "cases.show"}:
        world.look("dpo", f"{address}/letters/new/{LetterKind.CLARIFY.value}")


def _visible(form: Any) -> list[Any]:
    fields = [one for tag in ("input", "select", "textarea") for one in form.iter(tag) if one.get("name")]
    return [one for one in fields if one.get("type") != "hidden"]


def _sent(form: Any, fill: Callable[[Any], str | None]) -> dict[str, str]:
    fields = {
        one.get("name"): one.get("value", "") for one in form.iter("input") if one.get("type") == "hidden"
    }
    filled_in = ((one.get("name"), fill(one)) for one in _visible(form))
    return {**fields, **{name: value for name, value in filled_in if value is not None}}


def _wrong(one: Any) -> str | None:
    """No day, nothing that is offered, no address, and more words than anything takes."""
    kind = one.get("type", "text")
    if kind == "file":
        return None
    if one.tag == "select" or kind in ("radio", "checkbox"):
        return "nothing-that-is-offered"
    return "99" if one.get("name").endswith(("-day", "-month", "-year")) else "x" * 12_000


def _empty(one: Any) -> str | None:
    return None if one.get("type") in ("file", "radio", "checkbox") else ""


# ---- empty


def empty(folder: Path) -> World:
    """Accounts, one council, and a package in which nothing has happened: each page of these, and of nothing."""
    stack = make_stack(folder, {})
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        council = make.council()
        leader, mentor = make.person(council=council), make.mentor(open_all_week=False)
        package = make.package(leader, council=council, state=PackageState.AGREED)
        things = {
            "council_id": council.id,
            "person_id": leader.id,
            "package_id": package.id,
            "participation_id": package.participations[0].id,
        }
        people: dict[str, UUID | None] = {"nobody": None, "leader": leader.id, "mentor": mentor.id}
        people |= {"member": make.person().id, **{role.value: make.person(role=role).id for role in STAFF}}
    world = World(stack, "empty")
    world.clients |= {who: client_of(stack, who, person_id) for who, person_id in people.items()}
    world.clients["team"].say_why()
    chosen: dict[str, set[str]] = defaultdict(set)
    for row, visitors in seeing().items():
        theirs = [who for who in visitors if who in people]
        chosen[row.split(",")[0]] |= set(theirs if FULL else theirs[:1])
    routes = stack.app.url_map.bind("localhost")
    for rule in stack.app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.arguments <= set(things):
            address = routes.build(rule.endpoint, {name: things[name] for name in rule.arguments})
            for who in sorted(chosen[rule.endpoint]):
                world.look(who, address)
    return world


# ---- along a walk


def walked(folder: Path) -> World:
    """Every page that the walk of the canaries opens, from an empty instance to the return of the data."""
    stack = make_stack(folder, {})
    world = World(stack, "walk")
    walk = Walk(stack)
    with walk.db() as db:
        versions.publish_shipped(db, stack.clock)
    for step in STEPS:
        step(walk)
    return world
