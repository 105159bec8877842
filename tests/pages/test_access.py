"""Who sees which page and which words: what the app does, compared with the table in access.txt.

The pages are opened once by each visitor, on the embedded database: what a policy says rests on no database.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column, Engine, select
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from portal.headers import CONTENT_POLICY
from portal.models import Level, Role
from privacy import erasure, registers
from privacy.audit import Action, AuditEntry
from privacy.keystore import SUBJECT_KEY
from privacy.records import Record
from privacy.registers import DataItem, Register
from privacy.rights import Cause
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import Stack, make_stack
from tests.factories import Factory
from tests.pages_client import Page, PageClient, parsed
from tests.two_sides import TOOL, TYPED, Side

TABLE = Path(__file__).with_name("access.txt")
MAILBOX = "mailbox"
"""Whoever reads the leader's mailbox, and signs in by the code in it."""
STAFF = (Role.TEAM, Role.OBSERVER, Role.DPO, Role.AUDITOR, Role.ADMINISTRATOR)
# Names of those they book for and whom these meet, times and places: an assistant sees nothing else.
ASSISTANTS_SEE = {
    "leader's name",
    "member's name",
    "assistant's name",
    "mentor's name",
    "what the mentor says of themselves",
    "place of the leader's session",
    "way to the leader's session",
    "title of the workshop",
    "place of the workshop",
    "place of an offered time",
    "name of a time without sessions",
}
MAILBOX_SEES = {
    "leader's name",
    "mentor's name",
    "mentor's address",
    "what the mentor says of themselves",
    "place of the leader's session",
    "way to the leader's session",
    "place of an offered time",
    "name of a time without sessions",
}
"""What it takes to book; nothing that the leader wrote."""
REGISTERED = {
    "mentor's name",
    "interest that the mentor declared",
    "why the mentor was chosen",
    "what the Department directed",
    "why somebody needs names",
    "why a second person did not agree",
}
"""What stands in registers that are there to be read (annex 2, cl 17.4(c)), in the returns (cl 17.4(e)), and what a
second person reads and writes."""
REPORTED = {
    "risk of the programme, which reports carry",
    "why the Department did not agree a council",
    "what was new when it was asked again",
}
"""What the team and the Department write for each other to read (sch 4 SLAs, sch 5)."""
NOTED = (Action.RESPONSE_OPENED.word, Action.FIGURE_OPENED.word)
"""Lines that are written when staff look, once a day: they are there to show that they did."""
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def whose(side: Side, version_id: UUID) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """What an address is filled with on this side, by the names that it asks for."""
    once, feedback = {"occasion": "once"}, {"wave": "feedback", "occasion": str(side.held)}
    leader, member = {"participation_id": side.part}, {"participation_id": side.member_part}
    former, colleague = {"participation_id": side.former_part}, {"participation_id": side.colleague_part}
    waves = [
        ("member's first questionnaire", {**member, "wave": "baseline", **once}),
        ("leader's first questionnaire", {**leader, "wave": "baseline", **once}),
        ("leader's feedback", {**leader, **feedback}),
        ("former leader's last one", {**former, "wave": "post", **once}),
        ("colleague's first questionnaire, shared", {**colleague, "wave": "baseline", **once}),
        ("colleague's tool", {**colleague, "wave": "tool", "occasion": f"{TOOL}-1"}),
    ]
    packages = [("leader's package", side.package), ("group", side.group), ("former package", side.past)]
    sessions = [("session to come", side.session), ("session held", side.held), ("workshop", side.workshop)]
    return {
        "package_id": [(name, {"package_id": value}) for name, value in packages],
        "session_id": [(name, {"session_id": value}) for name, value in sessions],
        "offer_id": [("offer", {"offer_id": side.offer})],
        "delegation_id": [("the member's assistant", {"delegation_id": side.delegation})],
        "blackout_id": [("time without sessions", {"blackout_id": side.blackout})],
        "council_id": [("council", {"council_id": side.council})],
        "council_id,fact_id": [("council", {"council_id": side.council, "fact_id": side.fact})],
        "partner_id": [("partner", {"partner_id": side.partner})],
        "person_id": [("leader", {"person_id": side.leader}), ("mentor", {"person_id": side.mentor})],
        "package_id,person_id": [
            ("leader's package", {"package_id": side.package, "person_id": side.mentor})
        ],
        "person_id,session_id": [("member's place", {"person_id": side.member, "session_id": side.workshop})],
        "hold_id,person_id": [("mentor's", {"person_id": side.mentor, "hold_id": side.hold})],
        "office_id,person_id": [("leader", {"person_id": side.leader, "office_id": side.office})],
        "response_id": [("former leader's example", {"response_id": side.response})],
        "question,response_id": [
            ("former leader's example", {"response_id": side.response, "question": "impact_changed"})
        ],
        "theme_code": [("theme", {"theme_code": "t1"})],
        "occasion,participation_id,wave": waves,
        "number,occasion,participation_id,wave": [(name, {**value, "number": 1}) for name, value in waves],
        "token": [("made-up link", {"token": "made-up"})],
        "participation_id": [("leader", leader), ("former leader", former)],
        "participation_id,wave": [
            ("leader's first questionnaire", {**leader, "wave": "baseline"}),
            ("former leader's last one", {**former, "wave": "post"}),
        ],
        "package_id,participation_id": [
            ("leader's package", {"package_id": side.package, **leader}),
            ("group", {"package_id": side.group, **member}),
            ("former package", {"package_id": side.past, **former}),
        ],
        "clearance_id,person_id": [("mentor's", {"person_id": side.mentor, "clearance_id": side.clearance})],
        "interest_id": [("mentor's", {"interest_id": side.interest})],
        "attendance_id": [("member's place in a workshop held", {"attendance_id": side.attendance})],
        "resource_id": [("workshop's file", {"resource_id": side.resource})],
        "goal_id": [
            ("leader's goal", {"goal_id": side.leader_goal}),
            ("group's goal", {"goal_id": side.goal}),
        ],
        "note_id": [
            ("leader's shared note", {"note_id": side.shared_note}),
            ("mentor's private note", {"note_id": side.note}),
        ],
        "case_id": [("case", {"case_id": side.case}), ("leader's request", {"case_id": side.request})],
        "approval_id": [
            ("answers that wait for a second person", {"approval_id": side.asked}),
            ("answers to which none agreed", {"approval_id": side.not_agreed}),
        ],
        "word": [("right", {"word": "erasure"})],
        "version": [("privacy notice", {"version": "2021-06-01"})],
        "case_id,kind": [("acknowledge", {"case_id": side.request, "kind": "acknowledge"})],
        "case_id,letter_id": [("letter", {"case_id": side.request, "letter_id": side.letter})],
        "kind": [("acknowledge", {"kind": "acknowledge"})],
        "case_id,file_id": [("case", {"case_id": side.case, "file_id": side.case_file})],
        "notice_id": [("notice", {"notice_id": side.notice})],
        "sub_processor_id": [("sub-processor", {"sub_processor_id": side.sub_processor})],
        "risk_id": [("risk", {"risk_id": side.risk})],
        "suspicion_id": [("suspicion", {"suspicion_id": side.suspicion})],
        "return_id": [("return of the leader's data", {"return_id": side.data_return})],
        "release_id": [("release", {"release_id": side.release})],
        "kind,period": [("release of a month", {"kind": "monthly", "period": "2022-12"})],
        "proposed_id": [("council that waits", {"proposed_id": side.proposed})],
        "release_id,word": [("tidy file", {"release_id": side.release, "word": "csv"})],
        "programme_note_id": [("risk", {"programme_note_id": side.programme_note})],
        "group,strand": [("everybody supported", {"strand": "one_to_one", "group": "supported"})],
        "stage,strand,wave": [
            ("who began the last one", {"wave": "post", "strand": "one_to_one", "stage": "started"})
        ],
        "name,year": [("councils of a year", {"year": "2022-23", "name": "one_to_one_councils"})],
        "activity": [("answers", {"activity": "response"})],
        "name": [("necessity", {"name": "necessity"})],
        "call_id": [("call to the member", {"call_id": side.call})],
        "file_id": [("long file of one of the team", {"file_id": side.sent_file})],
        "sending": [("invitations", {"sending": "invitations"}), ("reminders", {"sending": "reminders"})],
        "parked_id": [("leader's kept form", {"parked_id": side.kept})],
        "code": [("last questionnaire", {"code": "post"}), ("tool", {"code": TOOL})],
        "version_id": [("tool", {"version_id": version_id})],
    }


@dataclass(frozen=True)
class Opened:
    """What one visitor was answered at one address."""

    status: int
    location: str
    text: str
    lacking: frozenset[str]

    @property
    def word(self) -> str:
        if self.status == 303:
            return {"/sign-in": "sign-in", "/sign-in/prove": "proof"}.get(self.location, "goes on")
        return {200: "sees", 404: "404", 410: "gone"}.get(self.status, f"?{self.status}")


@dataclass(frozen=True)
class Crawl:
    """Every page as each visitor was answered, and the databases before and after."""

    stack: Stack
    visitors: dict[str, UUID | None]
    rows: dict[str, dict[str, Opened]]
    sides: tuple[Side, Side]
    before: dict[str, list[str]]
    after: dict[str, list[str]]


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawl]:
    stack = make_stack(tmp_path_factory.mktemp("access"), {})
    sides, visitors = populated(stack)
    first, _ = sides
    clients = {name: client_of(stack, name, person_id) for name, person_id in visitors.items()}
    clients["team"].say_why()
    before = digest(stack)
    rows = {
        row: {name: opened(client.http.get(address)) for name, client in clients.items()}
        for row, address in addresses(stack, first).items()
    }
    yield Crawl(stack, visitors, rows, sides, before, digest(stack))
    stack.close()


def populated(stack: Stack) -> tuple[tuple[Side, Side], dict[str, UUID | None]]:
    """Two sides on a fresh stack, and everybody who comes to look, by the names of the table."""
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as db:
        versions.publish_shipped(db, stack.clock)
        make = Factory(db, stack.clock, stack.instance.programme)
        first, second = Side(make, "first"), Side(make, "second")
        with unit_of_work(db, stack.clock, "system:test") as work:
            registers.enter(
                work,
                register=Register.INSTRUCTION,
                letter="INS 1",
                from_on=make.today,
                items={DataItem.ADJUSTMENTS: True, DataItem.DIETARY: True},
            )
            first.hold = erasure.place_hold(work, person_id=first.mentor, cause=Cause.LEGAL).id
        staff = {role.value: make.person(role=role).id for role in STAFF}
        staff[Role.TEAM.value] = first.sender
    visitors = {
        "nobody": None,
        "leader": first.leader,
        "member": first.member,
        "colleague": first.colleague,
        "former": first.former,
        "assistant": first.assistant,
        "mentor": first.mentor,
        "other leader": second.leader,
        "other mentor": second.mentor,
        **staff,
        MAILBOX: first.leader,
    }
    return (first, second), visitors


def client_of(stack: Stack, name: str, person_id: UUID | None) -> PageClient:
    client = PageClient(stack.app, stack.instance)
    level = Level.MAIL if name == MAILBOX else Level.PROOF
    return client if person_id is None else client.sign_in(person_id, level=level)


def addresses(stack: Stack, side: Side) -> dict[str, str]:
    """Each page that can be opened, once, or once for each thing of a side."""
    found = {}
    with DbSession(stack.engine) as db:
        things = whose(side, versions.current(db, code=TOOL).id)
    routes = stack.app.url_map.bind("localhost")
    for rule in sorted(stack.app.url_map.iter_rules(), key=lambda rule: rule.endpoint):
        if "GET" not in (rule.methods or ()):
            continue
        if not rule.arguments:
            found[rule.endpoint] = routes.build(rule.endpoint)
            continue
        for name, values in things[",".join(sorted(rule.arguments))]:
            found[f"{rule.endpoint}, {name}"] = routes.build(rule.endpoint, values)
    second_step = f"strand=group&council={side.council}"
    found["packages.new, second step"] = f"/team/packages/new?{second_step}"
    found["agenda.day, of the session"] = f"/agenda/day?on={side.meets_on}&mentor={side.mentor}"
    return found


def opened(response: TestResponse) -> Opened:
    wanted = HEADERS if response.status_code != 308 else {}
    lacking = frozenset(name for name, value in wanted.items() if response.headers.get(name) != value)
    location = response.headers.get("Location", "")
    return Opened(response.status_code, location, Page(response).text, lacking)


def digest(stack: Stack) -> dict[str, list[str]]:
    """Every row of both databases, but for when a browser was last seen, and the lines that note a reading."""
    found = {"subject_key": _rows(stack.instance.vault.engine, *SUBJECT_KEY.columns)}
    for table in Record.metadata.sorted_tables:
        if table.name != "audit_head":
            columns = [column for column in table.columns if column.name != "seen_at"]
            found[table.name] = _rows(stack.engine, *columns)
    found["audit_entry"] = [row for row in found["audit_entry"] if not any(word in row for word in NOTED)]
    return found


def _rows(engine: Engine, *columns: Column[Any]) -> list[str]:
    with engine.connect() as connection:
        return sorted(map(repr, connection.execute(select(*columns))))


# ---- pages


def table(head: str, names: list[str], rows: dict[str, list[str]]) -> str:
    """A table for people: one line a row, in columns."""
    first = max(map(len, [head, *rows])) + 2
    widths = [max(map(len, column)) + 2 for column in zip(names, *rows.values(), strict=True)]
    lines = [
        line[0].ljust(first) + "".join(cell.ljust(width) for cell, width in zip(line[1], widths, strict=True))
        for line in [(head, names), *rows.items()]
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def pages_table(crawl: Crawl) -> str:
    rows = {name: [cell.word for cell in cells.values()] for name, cells in crawl.rows.items()}
    return table("page", list(crawl.visitors), rows)


def words_table(crawl: Crawl) -> str:
    """Who meets which typed words of the first side on any page."""
    texts = {
        visitor: "\n".join(cells[visitor].text for cells in crawl.rows.values()) for visitor in crawl.visitors
    }
    rows = {
        what: ["sees" if f"first{word}" in text else "-" for text in texts.values()]
        for word, what in TYPED.items()
    }
    return table("what was typed", list(crawl.visitors), rows)


def test_row_21_pages_open_to_whom_the_table_says(crawl: Crawl) -> None:
    assert pages_table(crawl).splitlines() == tables()[0].splitlines()


def test_row_23_words_are_seen_by_whom_the_table_says(crawl: Crawl) -> None:
    assert words_table(crawl).splitlines() == tables()[1].splitlines()


def tables() -> list[str]:
    """The tables of the file; what stands before the first, and empty lines, are for people."""
    _, *found = TABLE.read_text().split("\n\n")
    return found


def test_the_table_itself_keeps_words_from_those_who_may_not_read_them(crawl: Crawl) -> None:
    """Whatever the table comes to say, this holds."""
    outside = {"nobody", "other leader", "other mentor", "observer", "dpo", "auditor"}
    for line in tables()[1].splitlines()[1:]:
        what, *cells = re.split(r"\s{2,}", line)
        seen = {name for name, cell in zip(crawl.visitors, cells, strict=True) if cell == "sees"}
        if (whom := theirs_alone(what)) is not None:
            assert seen == whom, what
        if what.endswith(("of a case", "of their request")):
            continue
        if what in REGISTERED:
            seen -= {"dpo", "auditor"}
        if what in REPORTED:
            seen -= {"observer"}
        assert not seen & outside, what
        assert "assistant" not in seen or what in ASSISTANTS_SEE, what
        assert MAILBOX not in seen or what in MAILBOX_SEES, what


def theirs_alone(what: str) -> set[str] | None:
    """Who sees words of these kinds, and nobody else; None for words that a table row alone decides."""
    writer = what.split("'", maxsplit=1)[0]
    if what.endswith("of a case"):
        return {"dpo"}
    if what.endswith("of their request"):
        return {"leader", "dpo"}
    if what.endswith("answer to a tool"):
        return {writer}
    if what.endswith("shared with the mentor"):
        return {writer, "mentor", "team"}
    if ("answer" in what and "come from" not in what) or "example" in what:
        return {writer, "team"}
    told = {"leader's shared note": {"leader", "mentor"}, "mentor's private note": {"mentor"}}
    return {"leader"} if "kept" in what else told.get(what)


def test_row_22_no_side_meets_words_of_the_other(crawl: Crawl) -> None:
    """The other side has a page of each list too, and the first side's people see nothing of it there."""
    for cells in crawl.rows.values():
        for visitor in ("leader", "member", "colleague", "former", "mentor"):
            assert not [word for word in TYPED if f"second{word}" in cells[visitor].text]


def test_nobody_is_led_to_sign_in_from_each_guarded_page_and_back(crawl: Crawl) -> None:
    made = crawl.stack.app
    for name, cells in crawl.rows.items():
        policy = vars(made.view_functions[name.split(",")[0]])["guard"].policy
        if name == "account.code":
            continue  # open to anybody who has asked for a code
        assert (cells["nobody"].word == "sign-in") is (policy is not None), name


def test_looking_changes_nothing(crawl: Crawl) -> None:
    changed = {name for name, rows in crawl.after.items() if rows != crawl.before[name]}
    assert changed == set()


def test_a_reading_is_noted_once_a_day(crawl: Crawl) -> None:
    with DbSession(crawl.stack.engine) as db:
        noted = db.scalars(select(AuditEntry).where(AuditEntry.action.in_(NOTED))).all()
    lines = [(line.actor, line.object, line.details) for line in noted]
    assert lines, "the team has read answers"
    assert len(set(lines)) == len(lines)


def test_row_22_ids_that_nothing_has_are_not_found(crawl: Crawl) -> None:
    routes = crawl.stack.app.url_map.bind("localhost")
    client = client_of(crawl.stack, "team", crawl.visitors["team"])
    made_up = {"wave": "baseline", "occasion": "once", "number": 1}
    for rule in crawl.stack.app.url_map.iter_rules():
        if rule.arguments and rule.arguments != {"token"} and "GET" in (rule.methods or ()):
            values = {name: made_up.get(name, uuid4()) for name in rule.arguments}
            assert client.http.get(routes.build(rule.endpoint, values)).status_code == 404, rule.endpoint


# ---- ids of the other side, in forms that one's own pages show


def swaps(crawl: Crawl) -> dict[str, str]:
    """Each id of the first side, with the same thing's id on the second."""
    ids = ({name: str(value) for name, value in vars(side).items()} for side in crawl.sides)
    first, second = ({name: value for name, value in one.items() if len(value) == 36} for one in ids)
    return {value: second[name] for name, value in first.items() if name in second}


def forms_of(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The forms of a page that are sent by POST: where to, and their fields as they stand."""
    tree = parsed(text)
    for form in tree.iter("form"):
        if form.get("method") == "post" and (address := form.get("action")) != "/sign-out":
            fields = (field for tag in ("input", "select", "option") for field in form.iter(tag))
            named = {field.get("name", ""): field.get("value") or "" for field in fields}
            yield address or "", {name: value for name, value in named.items() if name}


WHOSE = ("leader", "member", "colleague", "former", "assistant", "mentor")


def swapped(crawl: Crawl, visitor: str) -> dict[tuple[str, str], tuple[str, dict[str, str]]]:
    """What a visitor's own forms send with one id swapped: once for each route and field, "" for the address."""
    routes, other = crawl.stack.app.url_map.bind("localhost"), swaps(crawl)
    found: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}
    pages = {cells[visitor].text for cells in crawl.rows.values() if "<form" in cells[visitor].text}
    for address, fields in (form for text in sorted(pages) for form in forms_of(text)):
        endpoint, values = routes.match(urlsplit(address).path, method="POST")
        for name, mine in values.items():
            if str(mine) in other:
                moved = address.replace(str(mine), other[str(mine)])
                found.setdefault((endpoint, f"<{name}>"), (moved, fields))
        for name, value in fields.items():
            if value in other:
                found.setdefault((endpoint, name), (address, {**fields, name: other[value]}))
    return found


def test_row_22_ids_of_the_other_side_in_ones_own_forms_are_not_found(crawl: Crawl) -> None:
    """An id of the other side in an address is not found; in a field, it changes nothing of theirs."""
    before, wrong, tried = digest(crawl.stack), [], 0
    for visitor in WHOSE:
        http = client_of(crawl.stack, visitor, crawl.visitors[visitor]).http
        token = Page(http.get("/your-devices")).token()
        for (endpoint, name), (address, fields) in swapped(crawl, visitor).items():
            tried += 1
            status = http.post(address, data={**fields, "csrf_token": token}).status_code
            if status >= 500 or (name.startswith("<") and status != 404):
                wrong.append(f"{visitor}: {status} {endpoint} {name}")
    assert wrong == []
    assert tried > 50
    theirs, after = {UUID(one).hex for one in swaps(crawl).values()}, digest(crawl.stack)
    changed = [row for name, rows in after.items() for row in set(rows) - set(before[name])]
    assert [row for row in changed if any(one in row.replace("-", "") for one in theirs)] == []


# ---- headers


def test_every_answer_carries_the_security_headers(crawl: Crawl) -> None:
    lacking = {
        f"{name} ({visitor}): {', '.join(sorted(cell.lacking))}"
        for name, cells in crawl.rows.items()
        for visitor, cell in cells.items()
        if cell.lacking
    }
    assert lacking == set()


def test_so_do_the_pages_of_what_went_wrong(crawl: Crawl) -> None:
    http = client_of(crawl.stack, "nobody", None).http
    token = Page(http.get("/sign-in")).token()
    for expected, response in (
        (404, http.get("/nowhere")),
        (405, http.get("/sign-out")),
        (400, http.post("/sign-in", data={"email": "somebody@council.example"})),
        (413, http.post("/sign-in", data={"csrf_token": token, "email": "x" * (2 * 1024 * 1024)})),
        (422, http.post("/sign-in", data={"csrf_token": token, "email": "nobody"})),
        (303, http.post("/sign-in", data={"csrf_token": token, "email": "somebody@council.example"})),
        (400, http.get("/", headers={"Host": "elsewhere.example"})),
    ):
        found = opened(response)
        assert (found.status, found.lacking) == (expected, frozenset()), response.request.path
