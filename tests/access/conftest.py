"""What the tests of this folder look at, gathered once: the pages in every state, and a browser to show them in."""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import pytest
from playwright.sync_api import Browser
from sqlalchemy.orm import Session as DbSession

from privacy.registers import Standing
from tests.access.rare import rare
from tests.access.showing import WIDTHS, Showing, Watching
from tests.access.states import Shot, World, distinct, empty, filled, in_error, walked
from tests.access.swaps import fetching, worked
from tests.counts import FULL
from tests.journeys.conftest import browser
from tests.pages.test_your_data import allow
from tests.served import Served

__all__ = ["browser"]


@dataclass(frozen=True)
class Pages:
    """The world that is filled, what was shown to whom there, a page of every shape in any state, the templates of all
    pages that were seen, and the routes that have a page where nothing has happened."""

    world: World
    shown: list[tuple[str, Shot]]
    shots: list[Shot]
    templates: set[str]
    empty: set[str]

    def one_each(self, of: int) -> list[Shot]:
        """One page of each template and status; in the sample of a fixed share of them."""
        first = {(shot.template, shot.status): shot for shot in reversed(self.shots)}
        chosen = {key for key in first if FULL or crc32(repr(key).encode()) % of == 0}
        return [shot for key, shot in first.items() if key in chosen]

    def share(self, of: int) -> list[Shot]:
        """Every shape of page; in the sample one page of a fixed share of the templates."""
        return self.shots if FULL else self.one_each(of)


@pytest.fixture(scope="module")
def filled_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, list[tuple[str, Shot]]]]:
    world, shown = filled(tmp_path_factory.mktemp("filled"))
    shown.append(("leader", _being_copied(world)))
    yield world, shown
    world.close()


@pytest.fixture(scope="module")
def exchanged(
    filled_world: tuple[World, list[tuple[str, Shot]]], browser: Browser
) -> tuple[set[str], list[str]]:
    """Every element that fetches something, on every shape of page that has one, worked in the app itself: on which
    templates, and what was wrong. Before forms are sent wrong, which pauses some of the visitors."""
    world, shown = filled_world
    theirs = {
        shot.shape: (who, shot) for who, shot in shown if "hx-get=" in shot.text or "hx-post=" in shot.text
    }
    served = Served(world.stack)
    watching, found, templates = Watching(browser, served.url), [], set()
    for who, shot in theirs.values():
        sid = world.clients[who].http.get_cookie("sid")
        assert sid is not None
        cookie = {"name": "sid", "value": sid.value, "url": served.url, "httpOnly": True}
        with watching.window(WIDTHS[-1], cookie=cookie) as page:
            page.clock.install()
            page.goto(f"{served.url}{shot.address}")
            for number in range(fetching(page)):
                found += told(shot, list(worked(watching, page, shot.address, number)))
                templates.add(shot.template)
    served.stop()
    return templates, found


@pytest.fixture(scope="module")
def pages(
    tmp_path_factory: pytest.TempPathFactory,
    filled_world: tuple[World, list[tuple[str, Shot]]],
    exchanged: tuple[set[str], list[str]],
) -> Pages:
    world, shown = filled_world
    in_error(world, shown)
    others = [bare := empty(tmp_path_factory.mktemp("empty"))]
    if FULL:
        others += [walked(tmp_path_factory.mktemp("walked")), rare(tmp_path_factory.mktemp("rare"))]
    for other in others:
        other.close()
    shots = [*world.shots, *(shot for other in others for shot in other.shots)]
    return Pages(
        world,
        shown,
        distinct(shots),
        {shot.template for shot in shots},
        {shot.endpoint for shot in bare.shots if shot.status == 200},
    )


def _being_copied(world: World) -> Shot:
    """The page that asks by itself how far a copy of one's own data is."""
    with DbSession(world.stack.engine, info={"vault": world.stack.instance.vault}) as db:
        allow(db, world.stack.clock, Standing.OWN_DOWNLOAD)
    world.clients["leader"].post("/your-data/copy", page="/your-data")
    shot = world.look("leader", "/your-data/copy")
    assert shot is not None
    return shot


@pytest.fixture(scope="module")
def showing(pages: Pages, browser: Browser) -> Iterator[Showing]:
    shown = Showing(pages.world.stack.app, browser)
    yield shown
    shown.stop()


def told(shot: Shot, found: list[str]) -> list[str]:
    return [f"{one}\n    {shot}" for one in found]
