"""Pages that few meet: two tabs, another browser, no clearance yet, a balance of groups, a freeze."""

import re
from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session as DbSession

from portal.models import Package, PackageState, Role
from privacy import registers
from privacy.registers import DataItem, Register
from privacy.work import unit_of_work
from surveys import versions
from tests.access.states import World
from tests.answering import address, fill, hidden
from tests.canary_walk import Walk
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.pages.test_access import client_of
from tests.pages.test_returns import Desk
from tests.pages_client import Page
from tests.readers import make_reader

ADDRESS = "ada@council.example"


def rare(folder: Path) -> World:
    """One after the other, in a world of their own; what freezes it comes last."""
    stack = make_stack(folder, {})
    world = World(stack, "rare")
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        leader = make.person("Ada Lead", email=ADDRESS)
        package = make.package(leader, mentor=make.mentor())
        people = {
            "nobody": None,
            "leader": leader.id,
            "gated": make.person(role=Role.MENTOR, cleared=False).id,
            "team": make.person(role=Role.TEAM).id,
            "dpo": make.person(role=Role.DPO).id,
        }
        world.clients |= {who: client_of(stack, who, person_id) for who, person_id in people.items()}
        world.clients["team"].say_why()
        world.look("gated", "/mentor")
        _two_tabs(world, package)
        over = make.package(
            leader, state=PackageState.ENDED, starts_on=date(2022, 1, 1), ends_on=date(2022, 3, 1)
        )
        world.look("leader", f"{address(over, 'post')}/1")
        _another_browser(stack)
        _by_group(world, db, f"/team/people/{leader.id}")
        Desk(stack, db, make, make_reader(folder, "department")).freeze()
        world.look("leader", "/your-support")
    return world


def _two_tabs(world: World, package: Package) -> None:
    """What was saved in the one in the meantime, and what is sent from the other."""
    first = f"{address(package)}/1"
    http = world.clients["leader"].http
    old, new = Page(http.get(first)), Page(http.get(first))
    http.post(first, data=fill(new))
    http.post(first, data={**fill(old), **hidden(old), "role_confidence": "not_at_all"})


def _another_browser(stack: Stack) -> None:
    """The link of the mail is opened where nobody asked for it, and its code is shown."""
    walk = Walk(stack)
    walk.browser().post("/sign-in", {"email": ADDRESS})
    mail = "".join(str(message.get_body(("plain",))) for message in walk.deliver())
    link = re.search(r"http://localhost(/sign-in/l/[\w-]+)", mail)
    assert link, mail
    walk.browser().get(link[1])


def _by_group(world: World, db: DbSession, person: str) -> None:
    """Political groups show while an instruction lists them."""
    with unit_of_work(db, world.stack.clock, "system:test") as work:
        registers.enter(
            work,
            register=Register.INSTRUCTION,
            letter="INS 1",
            from_on=work.now.date(),
            items={DataItem.POLITICAL_GROUP: True},
        )
    group = f"{person}/political-group"
    world.clients["team"].post(group, {"political_group": "green", "wish": "same"})
    world.look("team", "/reports/balance")
    world.look("team", person)
