"""Whatever is sent to a form, the answer is a page of ours: never a failure, whoever sends it.

Every form of every page is found as people find it, and sent with some of its fields as they are and some as nobody
meant them; where a route has no form on any page that was opened, it gets fields of others. The databases are put
back before each try, so that a try stands for itself.
"""

import io
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session as DbSession
from werkzeug.datastructures import MultiDict

from portal import views
from portal.db import db as flask_db
from privacy.scrub import checkpoint
from surveys import versions
from tests.conftest import Stack, make_stack
from tests.counts import FULL, count
from tests.factories import Factory
from tests.pages.test_access import STAFF, addresses, tables, whose
from tests.pages_client import Page, PageClient
from tests.two_sides import TOOL, Side

PARTS = 6
VIEWS = Path(views.__file__).parent
ASKED = re.compile(r'\b(?:args\.get|asked\.get|number_asked)\(\s*"(\w+)"')
REQUESTS = count(0, 20_000)
"""In the proof; the sample sends each form once."""
SHARE = 0.4
"""Of the fields, in the sample of those that have their turn."""
ORDER = ("leader", "mentor", "team", "dpo", "administrator", "member", "colleague", "former", "assistant")
"""Who is asked first for a form that several have."""

NASTY = (
    *(
        "",
        " ",
        "\0",
        "\n",
        "\r\nBcc: a@b.example",
        "\ufeff",
        "\ud7ff",
        "\u202e",
        "é" * 3000,
        "x" * 70_000,
        "🦉" * 200,
    ),
    *("0", "-1", "1e9", "9" * 400, "9" * 5000, "0x10", "NaN", "inf", "²", "١٢", "1.5", "1,000", "00", "+1"),
    *(
        "2023-02-30",
        "0001-01-01",
        "9999-12-31",
        "31/31/2023",
        "2023-03-26T01:30",
        "24:00",
        "25:99",
        "12:60am",
        "noon",
    ),
    *(
        "on",
        "y",
        "yes",
        "no",
        "true",
        "null",
        "None",
        "undefined",
        "[]",
        "{}",
        '{"a": 1}',
        "{{7*7}}",
        "${7*7}",
    ),
    *(
        "'",
        '"',
        "';--",
        "%",
        "_",
        "\\",
        "../../etc/passwd",
        "<script>",
        "]]>",
        "&#0;",
        "javascript:1",
        "//evil.example",
    ),
    *(
        "00000000-0000-0000-0000-000000000000",
        "not-an-id",
        "lead_member",
        "ended",
        "ana@",
        "@",
        "a@b@c",
        "ana@xn--",
    ),
    *(
        "=1+1",
        "a" * 255 + "@council.example",
        "07700 900123",
        "http://[",
        "https://[::1",
        "a:b:c",
        ":",
        ",",
        ";",
        "|",
    ),
)
NUMBERS = ("²", "-1", "9" * 20, "9" * 400, "9" * 5000, "0" * 50 + "1", "٣", "1e9")
"""What is no number of ours, and passes for one here or there."""
VALUES = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.integers().map(str),
    st.dates().map(str),
    st.uuids().map(str),
)


@dataclass(frozen=True)
class Target:
    """A form as somebody found it: what it would send if nothing was changed."""

    who: str
    endpoint: str
    method: str
    path: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()


@dataclass
class World:
    """The pages, who looks at them, the forms they found, and how the databases were then."""

    stack: Stack
    cookies: dict[str, dict[str, str]]
    tokens: dict[str, str]
    targets: list[Target]
    pages: list[tuple[str, str]]
    """Who opened which address."""
    kept: Path

    def restore(self) -> None:
        with self.stack.app.app_context():
            flask_db.session.remove()
        for engine in (self.stack.engine, self.stack.instance.vault.engine):
            path = file_of(engine)
            engine.dispose()
            for ending in ("-wal", "-shm"):
                path.with_name(path.name + ending).unlink(missing_ok=True)
            shutil.copyfile(self.kept / path.name, path)

    def browser(self, who: str) -> PageClient:
        client = PageClient(self.stack.app, self.stack.instance)
        for name, value in self.cookies[who].items():
            client.http.set_cookie(name, value)
        return client

    def send(self, target: Target, data: MultiDict[str, Any]) -> int:
        http = self.browser(target.who).http
        if target.method == "GET":
            answer = http.get(target.path, query_string=data)
        else:
            data["csrf_token"] = self.tokens[target.who]
            answer = http.post(target.path, data=data)
        answer.get_data()
        answer.close()
        # The client puts a large form into a file, and leaves it open.
        answer.request.environ["wsgi.input"].close()
        return answer.status_code


def file_of(engine: Engine) -> Path:
    return Path(str(engine.url.database))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fuzzing")
    stack = make_stack(folder, {})
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        side = Side(make, "first")
        people = {role.value: make.person(role=role).id for role in STAFF}
        people |= {name: getattr(side, name) for name in ORDER if hasattr(side, name)}
        tool = versions.current(db, code=TOOL).id
    found = Finder(stack, side, tool, people)
    made = World(stack, found.cookies, found.tokens, found.targets(), found.pages, folder)
    with stack.app.app_context():
        flask_db.session.remove()
    for engine in (stack.engine, stack.instance.vault.engine):
        assert checkpoint(engine)
        engine.dispose()
        shutil.copyfile(file_of(engine), folder / file_of(engine).name)
    yield made
    stack.close()


class Finder:
    """Opens pages and collects their forms."""

    def __init__(self, stack: Stack, side: Side, tool: UUID, people: dict[str, UUID]) -> None:
        self.stack, self.side, self.tool = stack, side, tool
        self.routes = stack.app.url_map.bind("localhost")
        self.clients = {"nobody": PageClient(stack.app, stack.instance)}
        for who, person_id in people.items():
            self.clients[who] = PageClient(stack.app, stack.instance).sign_in(person_id)
        self.tokens: dict[str, str] = {}
        self.cookies: dict[str, dict[str, str]] = {}
        self.pages: list[tuple[str, str]] = []
        for who, client in self.clients.items():
            self.tokens[who] = client.get("/sign-in" if who == "nobody" else "/your-devices").token()
            jar = (client.http.get_cookie(name) for name in ("sid", "form"))
            self.cookies[who] = {cookie.key: cookie.value for cookie in jar if cookie is not None}

    def targets(self) -> list[Target]:
        found: dict[tuple[str, ...], Target] = {}
        opened: set[str] = set()
        for row, address in addresses(self.stack, self.side).items():
            openers = self.openers(row)
            if not FULL and row.partition(",")[0] in opened:
                continue  # in the sample each page is opened once, in the proof with each thing and by everybody
            opened |= {row.partition(",")[0]} if openers else set()
            for who in openers:
                answer = self.clients[who].http.get(address)
                self.pages.append((who, address))
                if answer.mimetype == "text/html":
                    for target in self.forms(Page(answer), who, address):
                        names = sorted({name for name, _ in target.fields})
                        key = (who if FULL else "", target.endpoint, target.method, *names)
                        found.setdefault(key, target)
                answer.close()
        reached = {target.endpoint for target in found.values() if target.method == "POST"}
        return [*found.values(), *self.others(list(found.values()), reached)]

    def openers(self, row: str) -> list[str]:
        """Who sees a page, by the table of the pages; whoever may be tried where it is not in it."""
        lines = [re.split(r"\s{2,}", line) for line in tables()[0].splitlines()]
        cells = {line[0]: dict(zip(lines[0][1:], line[1:], strict=True)) for line in lines[1:]}
        if row not in cells:
            return ["team"]
        seeing = [who for who in (*ORDER, "observer", "auditor", "nobody") if cells[row].get(who) == "sees"]
        return seeing if FULL else seeing[:1]

    def forms(self, page: Page, who: str, address: str) -> Iterator[Target]:
        for form in [*page.all("form", method="post"), *page.all("form", method="get")]:
            method = form.get("method").upper()
            action = urlsplit(form.get("action") or address)
            endpoint = str(self.routes.match(action.path, method=method)[0])
            path = f"{action.path}?{action.query}" if action.query and method == "POST" else action.path
            files = tuple(field.get("name") for field in form.iter("input") if field.get("type") == "file")
            fields = tuple(self.fields(form)) + (tuple(parse_qsl(action.query)) if method == "GET" else ())
            yield Target(who, endpoint, method, path, fields, files)

    def fields(self, form: Any) -> Iterator[tuple[str, str]]:
        for field in form.iter("input"):
            name, kind = field.get("name"), field.get("type", "text")
            if name and name != "csrf_token" and kind != "file":
                yield name, field.get("value", "on" if kind in {"checkbox", "radio"} else "")
        for field in form.iter("textarea"):
            yield field.get("name"), "".join(field.itertext())
        for field in form.iter("select"):
            values = [option.get("value", "") for option in field.iter("option")]
            yield field.get("name"), next((value for value in values if value), "")
        for field in form.iter("button"):
            if field.get("name"):
                yield field.get("name"), field.get("value", "")

    def others(self, found: list[Target], reached: set[str]) -> Iterator[Target]:
        """What takes a form that stands on none of these pages."""
        names = sorted({name for target in found for name, _ in target.fields})
        things = whose(self.side, self.tool)
        for rule in self.stack.app.url_map.iter_rules():
            if "POST" not in (rule.methods or ()) or rule.endpoint in reached:
                continue
            values = next(iter(things.get(",".join(sorted(rule.arguments)), [("", {})])))[1]
            for name in rule.arguments - set(values):
                # The id of something else stands for what nobody has here.
                single = things.get(name, [("", {name: self.side.request})])[0][1]
                values = {**values, **single}
            path = self.routes.build(rule.endpoint, values, method="POST")
            chosen = random.Random(rule.endpoint).sample(names, 12)
            who = {"account": "nobody", "mentors": "mentor", "bookings": "leader"}
            yield Target(
                who.get(rule.endpoint.partition(".")[0], "team"),
                rule.endpoint,
                "POST",
                path,
                tuple((name, "") for name in chosen),
                ("file",),
            )


def spoiled(target: Target, values: list[str], chance: random.Random) -> MultiDict[str, Any]:
    """The fields of a form with some of them changed, left out, sent twice, or sent as a file."""
    data: MultiDict[str, Any] = MultiDict()
    changed = chance.choice((0.15, 0.4, 1.0))
    for name, value in target.fields:
        how = chance.random() if chance.random() < changed else 1.0
        if how < 0.08:
            continue
        data.add(name, chance.choice(values) if how < 0.9 else value)
        if 0.8 < how < 0.9:
            data.add(name, chance.choice(values))
    if chance.random() < 0.3:
        data.add(
            chance.choice(
                (
                    "role",
                    "person_id",
                    "_method",
                    "_external",
                    "_scheme",
                    "endpoint",
                    "csrf_token",
                    "page",
                    "a[b]",
                )
            ),
            chance.choice(values),
        )
    if target.method == "POST":
        for name in target.files:
            content = chance.choice(values).encode(errors="replace")
            named = chance.choice(("a.csv", "a.pdf", "../x.xlsx", "", "é" * 300 + ".txt", "a\0.csv"))
            data.add(name, chance.choice(("", (io.BytesIO(content * chance.choice((1, 50))), named))))
    return data


@pytest.mark.parametrize("part", range(PARTS))
def test_row_48_no_form_fails_whatever_is_sent_to_it(world: World, part: int) -> None:
    mine = world.targets[part::PARTS]
    examples = max(1, REQUESTS // PARTS // len(mine))

    @settings(
        max_examples=examples,
        derandomize=not FULL,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink] if FULL else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(VALUES, min_size=8, max_size=8), st.integers(0, 2**32))
    def run(values: list[str], seed: int) -> None:
        world.restore()
        chance = random.Random(f"{seed} {part}")
        for target in mine:
            data = spoiled(target, [*values, *chance.sample(NASTY, 8)], chance)
            try:
                status = world.send(target, data)
            except Exception as error:
                error.add_note(
                    f"{target.who} sent to {target.method} {target.path}: {list(data.items(multi=True))!r}"[
                        :3000
                    ]
                )
                raise
            assert status < 500, (target, status)

    run()


@pytest.mark.parametrize("part", range(PARTS))
def test_row_48_one_field_that_is_no_number_in_a_form_that_is_right(world: World, part: int) -> None:
    """What is wrong in many fields at once stops at the first of them; here each field has its turn."""
    chance = random.Random(part)
    for target in world.targets[part::PARTS]:
        world.restore()
        for name in dict(target.fields):
            for value in NUMBERS if FULL else chance.sample(NUMBERS, chance.random() < SHARE):
                data: MultiDict[str, Any] = MultiDict(target.fields)
                data[name] = value
                status = world.send(target, data)
                assert status < 500, (target, name, value, status)


def test_row_48_no_address_fails_whatever_it_asks_for(world: World) -> None:
    """Each page, with everything that any page reads from its address."""
    names = {"page"} | {name for path in VIEWS.glob("*.py") for name in ASKED.findall(path.read_text())}
    assert {"month", "as_of", "with", "strand"} <= names
    names |= {f"as_of-{part}" for part in ("day", "month", "year")}
    world.restore()
    chance, values = random.Random(48), (*NUMBERS, *NASTY)
    for who, page in world.pages:
        for value in chance.sample(values, count(1, 6)):
            asked: MultiDict[str, Any] = MultiDict(dict.fromkeys(names, value))
            status = world.send(Target(who, "", "GET", urlsplit(page).path, ()), asked)
            assert status < 500, (who, page, value, status)


def test_row_48_every_form_of_every_route_is_among_them(world: World) -> None:
    posts = {rule.endpoint for rule in world.stack.app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    assert {target.endpoint for target in world.targets if target.method == "POST"} == posts
    on_a_page = [target for target in world.targets if target.files != ("file",)]
    assert len(on_a_page) > 150
    assert {target.who for target in on_a_page} >= {"leader", "mentor", "team", "dpo", "nobody"}
