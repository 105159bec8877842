"""What people type is found in no file of the instance: every form is filled with words that occur nowhere else."""

import contextlib
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from portal.models import (
    BrowserSession,
    CallRequest,
    Council,
    Goal,
    Offer,
    OfferState,
    Office,
    Package,
    Role,
    Session,
    SessionKind,
    Strand,
)
from privacy.scrub import checkpoint
from surveys import versions
from surveys.models import Response, Wave
from tests.canaries import ACCENTED, MARK, Canaries, files, forms, found, needles
from tests.canary_answers import change_minds, reword, take_in_paper, take_out
from tests.canary_case_work import work_request
from tests.canary_councils import know_councils, let_people_go
from tests.canary_delivery import clear_people, hand_over
from tests.canary_desk import run_desk
from tests.canary_groups import gather_groups, no_date
from tests.canary_notes import assist_and_note
from tests.canary_notices import tell_controller
from tests.canary_own_data import look_after_own_data
from tests.canary_registers import keep_registers, look_into_things
from tests.canary_releases import release_and_agree
from tests.canary_reports import note_risks
from tests.canary_returns import hand_back
from tests.canary_rights import answer_for_data
from tests.canary_searches import end_browsers, look_for_things
from tests.canary_sign_in import prove_themselves
from tests.canary_themes import sort_answers
from tests.canary_times import shut_times
from tests.canary_walk import COUNCILS, NO_DAY, PEOPLE, TEN, Walk, date_of
from tests.conftest import make_stack

# Where a form cannot be met with success, and why.
# Forms that are answered on the spot: by what would change, by the next page of a preview, by an address, by a file.
ON_THE_SPOT = {
    "auditing.package",
    "authoring.upload",
    "authoring.preview_page",
    "calendars.renew",
    "desk_tools.renew",
    "exports.export",
    "person_desk.fetch",
    "your_data.fetch",
    "redactions.release",
    "returns.download",
    "factors.begin_passkey",
    "factors.codes",
    "proofs.begin_passkey_proof",
    "proofs.begin_passkey_sign_in",
    "sign_in_help.restore",
    "sign_in_help.start_code",
    "staying.stay",
}
BY_BUTTON = "a demo alone lets people in by a button, and everybody in it is made up"
BY_PASSKEY = "it takes a browser with a passkey: tests/security/test_row_06_passkeys.py"
NEVER_DONE = {
    "returns.rehearse": "a demo alone rehearses",
    "account.enter_demo": BY_BUTTON,
    "proofs.prove_in_demo": BY_BUTTON,
    "proofs.prove_by_passkey": BY_PASSKEY,
    "proofs.sign_in_by_passkey": BY_PASSKEY,
}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The whole walk, once, on an embedded database of its own; what is printed and logged is kept."""
    stack = make_stack(tmp_path_factory.mktemp("canaries"), {})
    walk = Walk(stack)
    with walk.db() as db:
        versions.publish_shipped(db, stack.clock)
    log = logging.StreamHandler(walk.printed)
    logging.getLogger().addHandler(log)
    with contextlib.redirect_stdout(walk.printed), contextlib.redirect_stderr(walk.printed):
        for step in STEPS:
            step(walk)
        strangers = walk.browser(), walk.signed_in(walk.address["observer"])
        walk.let_through = walk.strangers_repeat(*strangers)
    logging.getLogger().removeHandler(log)
    yield walk
    stack.close()


def set_up(walk: Walk) -> None:
    """Accounts, councils and people: by files and by forms."""
    admin, people = walk.administrator(), walk.address
    walk.post(walk.browser(), walk.operator_link(admin))
    walk.give_office(admin, Role.TEAM)
    team = walk.signed_in(admin)
    people["admin"] = admin
    councils = COUNCILS.format(notes=walk.canaries.word("a column of the file that nobody reads"))
    walk.post(team, "/team/councils/import", file=walk.file(councils))
    for who, role, council in (
        ("leader", "lead_member", "Northshire"),
        ("mentor", "mentor", ""),
        ("observer", "observer", ""),
    ):
        people[who] = walk.canaries.address(who)
        row = f"{walk.canaries.word(who)},{people[who]},{role},{council},2022-01-01,"
        walk.post(team, "/team/people/import", status=200, check="yes", file=walk.file(PEOPLE, row))
        walk.post(team, "/team/people/import", status=422, file=walk.file(PEOPLE, f"{row}x", row))
        walk.post(team, "/team/people/import", file=walk.file(PEOPLE, row))
    north, east = (str(walk.one(select(Council.id).where(Council.code == code))) for code in ("NOR", "EAS"))
    for who, role, council in (
        ("chief", "chief_executive", east),
        ("second_mentor", "mentor", ""),
        ("member", "committee_member", north),
        ("late_member", "committee_member", north),
        ("colleague", "team", ""),
    ):
        people[who] = walk.canaries.address(who)
        first_day = date_of("starts_on", 1, 1)
        typed: dict[str, Any] = {
            "email": people[who],
            "role": role,
            "council": council,
            **first_day,
            "ends_on-day": "",
        }
        typed |= {"ends_on-month": "", "ends_on-year": ""}
        walk.post(team, "/team/people/new", status=422, **(typed | {"role": ""}))
        walk.post(team, "/team/people/new", **typed)
    leader = f"/team/people/{walk.person(people['leader'])}"
    walk.post(team, f"{leader}/edit", email=people["leader"])
    ends: dict[str, Any] = {"ends_on-day": "", "ends_on-month": "", "ends_on-year": ""}
    walk.post(
        team, f"{leader}/offices", role="council_leader", council=north, **date_of("starts_on", 1), **ends
    )
    office = walk.one(select(Office.id).where(Office.role == Role.COUNCIL_LEADER))
    walk.post(team, f"{leader}/offices/{office}/end", **date_of("on", 20))
    walk.post(team, f"{leader}/disable", on=leader)
    walk.post(team, f"{leader}/enable", on=leader)
    account = f"/accounts/{walk.person(people['colleague'])}"
    walk.post(team, f"{account}/disable")
    walk.post(team, f"{account}/enable", on="/accounts")
    walk.post(team, "/team/programme", letter="VAR 7", **date_of("ends_on", 31, 5, 2024))


def come_in(walk: Walk) -> None:
    """Signing in by link, by code, and on a kept device; a search that meets a sign-in that has ended."""
    leader = walk.browser()
    address = walk.address["leader"]
    walk.post(leader, "/sign-in", email=address)
    link = _found_in(walk.deliver(), r"http://localhost(/sign-in/l/\S+)")
    walk.post(leader, "/sign-in/finish", on=link, device="y")
    walk.signed_in(address)
    other = walk.one(select(BrowserSession.id).where(BrowserSession.browser == "test"))
    walk.post(leader, f"/your-devices/{other}/end", on="/your-devices")
    leader.http.delete_cookie("sid")
    walk.post(leader, "/sign-in/continue", on="/sign-in")
    walk.post(leader, "/sign-out", on="/your-support")
    searched = f"/team/people?q={walk.canaries.word('search').split()[0]}"
    wanted = leader.get(searched, status=303).response.headers["Location"]
    walk.post(leader, "/sign-in", on=wanted, email=address)
    walk.post(leader, "/sign-in/finish", on="/sign-in/code", code="000000", status=422)
    walk.post(leader, "/sign-in", email=walk.canaries.address("somebody who is not known"))
    walk.send(leader, "/sign-in/demo", {"demo_person": address, "csrf_token": leader.get("/sign-in").token()})


def agree_support(walk: Walk) -> None:
    """Packages of each kind, with what the team may do to them before support begins."""
    team = walk.signed_in(walk.address["admin"])
    walk.post(team, "/team/people", q=walk.canaries.word("search"))
    north, east = (walk.one(select(Council.id).where(Council.code == code)) for code in ("NOR", "EAS"))
    leader, chief = (walk.person(walk.address[who]) for who in ("leader", "chief"))
    mentor = str(walk.person(walk.address["mentor"]))
    member = walk.person(walk.address["member"])
    path = "/team/packages/new?strand={}&council={}"
    agreed = {"agreed": "yes", "ground": "inadequate", **date_of("agreed_on", 1, 2)}
    starts = {**date_of("starts_on", 1), "planned_days": "5"}
    one: dict[str, Any] = {"leader": f"{leader}:lead_member"}
    walk.post(team, path.format("one_to_one", north), status=422, **agreed, **starts, leader="")
    walk.post(team, path.format("one_to_one", north), **agreed, **starts, **one)
    walk.post(team, f"/team/packages/{walk.package('leader')}/mentors", mentors=mentor)
    proposal = {**agreed, "agreed": "no", "leader": f"{chief}:chief_executive"}
    walk.post(team, path.format("one_to_one", east), **proposal, **starts)
    second = f"/team/packages/{walk.one(select(Package.id).where(Package.council_id == east))}"
    walk.post(team, f"{second}/agree", ground="decline", **date_of("agreed_on", 1, 2))
    walk.post(team, f"{second}/waive")
    walk.post(team, path.format("group", north), **starts, members=f"{member}:committee_member")
    group = f"/team/packages/{walk.one(select(Package.id).where(Package.strand == Strand.GROUP))}"
    late = f"{walk.person(walk.address['late_member'])}:committee_member"
    walk.post(team, f"{group}/members", members=late, **date_of("from_on", 1))
    for who in ("mentor", "second_mentor"):
        walk.post(team, f"{group}/mentors", mentors=str(walk.person(walk.address[who])))
    leaving = f"{group}/mentors/{walk.person(walk.address['second_mentor'])}/end"
    walk.post(team, leaving)
    walk.post(team, f"{group}/goals")
    goal = walk.one(select(Goal.id).join(Package).where(Package.strand == Strand.GROUP))
    walk.post(team, f"{group}/goals/{goal}", on=group)
    walk.post(team, f"{group}/invite")
    first = f"/team/packages/{walk.package('leader')}"
    walk.post(team, f"{first}/invite")
    walk.post(team, f"{second}/withdraw")
    assert _says(walk.deliver(), "From: "), "invitations go out"


def answer_and_book(walk: Walk) -> None:
    """The leader asks to be rung, answers all the same, and books; the mentor's hours and offers."""
    mentor, leader = walk.signed_in(walk.address["mentor"]), walk.signed_in(walk.address["leader"])
    week: dict[str, Any] = {"part": "week", **NO_DAY}
    for weekday in ("monday", "thursday", "friday"):
        week |= {f"{weekday}_1_from": "540", f"{weekday}_1_to": "1020"}
    walk.post(mentor, "/mentor/hours", **week)
    day = {"part": "day", "day_1_from": "600", "day_1_to": "720", **date_of("on", 14)}
    walk.post(mentor, "/mentor/hours", **day)
    forget = "-".join(day[f"on-{part}"].zfill(2) for part in ("year", "month", "day"))
    walk.post(mentor, "/mentor/hours", forget=forget, **NO_DAY)
    start = walk.questionnaire("leader", "baseline")
    walk.post(leader, f"{start}/ring-me")
    walk.post(leader, f"{start}/ring-me/stop", on=f"{start}/ring-me")
    walk.post(leader, f"{start}/ring-me")
    team = walk.signed_in(walk.address["admin"])
    call = walk.one(select(CallRequest.id).where(CallRequest.done_at.is_(None)))
    walk.post(team, f"/team/calls/{call}")
    walk.post(team, f"/team/calls/{call}/done", on="/team")
    walk.answer(leader, start)
    package = walk.package("leader")
    times = f"/packages/{package}/times"
    walk.post(leader, times, having="time")
    booked = f"/sessions/{walk.one(select(Session.id))}"
    walk.post(leader, f"{booked}/move")
    walk.post(mentor, f"{booked}/move", at="3pm", **date_of("on", 3))
    walk.post(leader, f"{booked}/cancel")
    free = {"free-at": "10am", **date_of("free-on", 2)}
    walk.post(mentor, times, having="free-at", status=422, **(free | {"free-at": "10:07am"}))
    walk.post(mentor, times, having="free-at", **free)
    offered: dict[str, Any] = {}
    for row, on in enumerate((6, 9, 10), 1):
        offered |= {f"at_{row}": "11am", **date_of(f"on_{row}", on)}
    for row in (4, 5):
        offered |= {f"at_{row}": "", f"on_{row}-day": "", f"on_{row}-month": "", f"on_{row}-year": ""}
    still_open = select(Offer.id).where(Offer.state == OfferState.OPEN)
    walk.post(mentor, f"/packages/{package}/offers", **offered)
    walk.post(mentor, f"/offers/{walk.one(still_open)}/take-back")
    walk.post(mentor, f"/packages/{package}/offers", **offered)
    sent = walk.deliver()
    assert _says(sent, ACCENTED), "letters name people"
    assert any(part.get_content_type() == "text/calendar" for one in sent for part in one.walk())
    walk.post(leader, f"/offers/{walk.one(still_open)}")
    follow_by_calendar(walk)


def follow_by_calendar(walk: Walk) -> None:
    """The leader makes an address for their calendar and ends it; the team sees whether mail arrives."""
    leader, team = walk.signed_in(walk.address["leader"]), walk.signed_in(walk.address["admin"])
    walk.post(leader, "/your-calendar/address", on="/your-calendar", status=200)
    walk.post(leader, "/your-calendar/address/end", on="/your-calendar")
    person = f"/team/people/{walk.person(walk.address['leader'])}"
    walk.post(team, "/team/test-mail", on="/team")
    walk.post(team, f"{person}/test-mail", on=person)
    assert _says(walk.deliver(), "There is nothing for you to do")


def meet(walk: Walk) -> None:
    """A session that is recorded, one that is logged, and what the leader says of it."""
    walk.stack.clock.now = TEN + timedelta(hours=3)
    mentor, leader = walk.signed_in(walk.address["mentor"]), walk.signed_in(walk.address["leader"])
    held = walk.one(select(Session.id).where(Session.starts_at == TEN))
    walk.post(mentor, f"/sessions/{held}/record", outcome="held", minutes="60")
    package = walk.package("leader")
    walk.post(mentor, f"/packages/{package}/log", at="4pm", minutes="90", **date_of("on", 1))
    walk.answer(leader, walk.questionnaire("leader", "feedback", str(held)))


def support_a_group(walk: Walk) -> None:
    """A group session with places; the team fills a member's questionnaire in with them."""
    mentor, member = walk.signed_in(walk.address["mentor"]), walk.signed_in(walk.address["member"])
    group = walk.package("member")
    walk.answer(walk.signed_in(walk.address["admin"]), walk.questionnaire("member", "baseline"))
    when = {"at": "2pm", **date_of("on", 7)}
    plan = {"capacity": "5", "minimum": "", "host": "", **no_date("decide_on")}
    walk.post(mentor, f"/packages/{group}/schedule", **plan, **when)
    session = f"/sessions/{walk.one(select(Session.id).where(Session.kind != SessionKind.ONE_TO_ONE))}"
    walk.post(member, f"{session}/place", on=session)
    walk.post(member, f"{session}/place/give-up")
    walk.post(member, f"{session}/place", on=session)
    came = str(walk.person(walk.address["member"]))
    walk.post(mentor, f"/packages/{group}/log", at="11am", minutes="90", attended=came, **date_of("on", 1))


def look_back(walk: Walk) -> None:
    """Support ends, the last questionnaire with an example of impact, and the verdict on it."""
    walk.stack.clock.now += timedelta(days=9)
    leader, team = walk.signed_in(walk.address["leader"]), walk.signed_in(walk.address["admin"])
    walk.post(team, f"/team/packages/{walk.package('leader')}/end", **date_of("on", 10))
    assert _says(walk.deliver(), "From: ")
    walk.answer(leader, walk.questionnaire("leader", "post"))
    response = walk.one(select(Response.id).where(Response.wave == Wave.POST))
    walk.post(team, "/team/why-you-read", purpose="judging")
    walk.post(team, f"/team/verdicts/{response}", verdict="accepted")
    walk.post(team, f"/team/verdicts/{response}", verdict="partly")
    for path in ("/team", "/team/verdicts", "/reports/kpi", f"/team/packages/{walk.package('leader')}"):
        team.get(path)
    walk.post(team, f"/team/packages/{walk.package('leader')}/end/move", **date_of("on", 11))
    late = walk.part("late_member")
    group = f"/team/packages/{walk.package('late_member')}"
    walk.post(team, f"{group}/members/{late}/end", **date_of("on", 9))
    walk.give_office(walk.address["admin"], Role.DPO)
    walk.post(team, "/privacy-desk/trail", q=walk.canaries.word("search"))
    walk.post(team, "/privacy-desk/trail/check", on="/privacy-desk/trail")


STEPS = (
    set_up,
    clear_people,
    come_in,
    prove_themselves,
    agree_support,
    answer_and_book,
    assist_and_note,
    hand_over,
    meet,
    shut_times,
    support_a_group,
    gather_groups,
    look_back,
    change_minds,
    take_in_paper,
    take_out,
    reword,
    know_councils,
    let_people_go,
    keep_registers,
    look_into_things,
    sort_answers,
    note_risks,
    release_and_agree,
    answer_for_data,
    tell_controller,
    look_after_own_data,
    work_request,
    run_desk,
    look_for_things,
    end_browsers,
    hand_back,
)


def _says(messages: list[EmailMessage], words: str) -> bool:
    return any(words.lower() in _text(message).lower() for message in messages)


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    return f"From: {message['From']}\n{body.get_content() if body else ''}"


def _found_in(messages: list[EmailMessage], pattern: str) -> str:
    match = re.search(pattern, "\n".join(map(_text, messages)))
    assert match, "no such line in the mail"
    return match[1]


# ---- what was typed lies in no file


def test_nothing_that_was_typed_lies_in_a_file_of_the_instance(walked: Walk) -> None:
    wanted = needles(walked.canaries)
    assert len(walked.canaries.made) > 100, "names, addresses, numbers, answers and sentences"
    folder = walked.stack.instance.settings.instance
    names = {path.name for path in files(folder)}
    assert {"portal.sqlite", "portal.sqlite-wal"} <= names, names
    leaks = {path.name: found(path.read_bytes(), wanted) for path in files(folder)}
    assert {name: places for name, places in leaks.items() if places} == {}


def test_nothing_lies_there_once_the_log_is_written_back(walked: Walk) -> None:
    for engine in (walked.stack.engine, walked.stack.instance.vault.engine):
        assert checkpoint(engine)
    wanted = needles(walked.canaries)
    for path in files(walked.stack.instance.settings.instance):
        assert found(path.read_bytes(), wanted) == [], path.name


def test_nothing_that_was_typed_is_printed_or_logged(walked: Walk) -> None:
    assert found(walked.printed.getvalue().encode(), needles(walked.canaries)) == []


def test_every_form_was_sent_and_taken(walked: Walk) -> None:
    posting = {
        rule.endpoint for rule in walked.stack.app.url_map.iter_rules() if "POST" in (rule.methods or set())
    }
    met = walked.met.items()
    taken = {endpoint for endpoint, statuses in met if (200 if endpoint in ON_THE_SPOT else 303) in statuses}
    assert posting - taken == set(NEVER_DONE), "send the new form in a step of the walk"
    assert set(walked.met) == posting


def test_strangers_who_send_the_same_are_refused(walked: Walk) -> None:
    assert walked.let_through == []


# ---- the search finds what is there


@pytest.mark.parametrize("shape", sorted(forms(ACCENTED) | forms(MARK)))
def test_the_search_finds_every_shape(shape: bytes) -> None:
    assert found(b"\x00\xff before " + shape.upper() + b" after \x07", needles(Canaries()))


def test_the_search_finds_what_lies_in_clear(tmp_path: Path) -> None:
    stack = make_stack(tmp_path, {})
    canaries = Canaries()
    with stack.engine.begin() as connection:
        typed = canaries.word("a name in a column that is not sealed")
        connection.execute(text("insert into audit_head values (1, 1, :typed)"), {"typed": typed.encode()})
    folder = stack.instance.settings.instance
    in_log = [path.name for path in files(folder) if found(path.read_bytes(), needles(canaries))]
    assert in_log == ["portal.sqlite-wal"]
    assert checkpoint(stack.engine)
    in_file = [path.name for path in files(folder) if found(path.read_bytes(), needles(canaries))]
    assert in_file == ["portal.sqlite"]
    stack.close()
