"""Rows 21 to 26, 35, 36 and 39: who may do what, steps, and what is typed stays what it is.

The table of who sees what is tests/pages/access.txt; what compares it with the code is tests/pages/test_access.py.
"""

from functools import partial

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from werkzeug.datastructures import MultiDict

from portal.cases import intake as desk_cases
from portal.desk import approval_mails, approvals, key_keeping
from portal.desk.approvals import NotWaiting, SamePerson
from portal.mailing.contexts import Around
from portal.models import Approval, Mail, Person, Role, SecondAct, Strand
from privacy import erasure, registers
from privacy.audit import AuditEntry
from privacy.cases.tables import CaseKind, Channel
from privacy.registers import Register
from privacy.work import unit_of_work
from surveys import versions
from surveys.models import Mode, Response, ResponseState
from tests.answering import address, answer, fill
from tests.conftest import SetClock, Stack, stack_of
from tests.factories import Factory
from tests.pages_client import PageClient, parsed
from tests.seconding import agreed

# Keys are turned over here.
stack = stack_of("permission")

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


# ---- 21: every view says whom it lets in


def test_row_21_no_view_stands_without_a_rule(stack: Stack) -> None:
    bare = [
        rule.endpoint
        for rule in stack.app.url_map.iter_rules()
        if not (guard := vars(stack.app.view_functions[rule.endpoint]).get("guard"))
        or not (guard.policy or guard.reason)
    ]
    assert bare == []


# ---- 23: named answers take a purpose, once a day, which whoever answered is told


def test_row_23_a_purpose_is_asked_once_a_day_and_told(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    versions.publish_shipped(db, clock)
    leader, team = make.person("Ada Lead"), make.person(role=Role.TEAM)
    package = make.package(leader, mentor=make.mentor())
    start = address(package)
    client.sign_in(leader.id)
    answer(client, start)
    client.post(f"{start}/submit", page=f"{start}/check")
    client.sign_in(team.id)
    for _ in range(2):
        asked = client.get(f"{start}/copy", status=303)
        assert asked.response.headers["Location"] == "/team/why-you-read"
        client.post("/team/why-you-read", {"purpose": "nothing"}, status=422)
        there = client.post("/team/why-you-read", {"purpose": "question"})
        assert there.response.headers["Location"] == f"{start}/copy"
        for _ in range(2):
            client.get(f"{start}/copy")
        clock.pass_time(days=1)
        client.sign_in(team.id)
    db.rollback()
    stated = db.scalars(select(AuditEntry.details).where(AuditEntry.action == "purpose.stated")).all()
    assert stated == ['{"purpose":"question"}'] * 2
    told = client.sign_in(leader.id).get("/your-data").words()
    assert "To answer a question or a complaint" in told


# ---- 24: what a form does not ask is not taken


def test_row_24_fields_that_no_form_asks_are_ignored(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    versions.publish_shipped(db, clock)
    leader, other = make.person("Ada Lead"), make.person("Bo Other")
    package = make.package(leader, mentor=make.mentor())
    extra = {
        "role": "administrator",
        "roles": "administrator",
        "person_id": str(other.id),
        "respondent_id": str(other.id),
        "state": "submitted",
        "mode": "paper",
        "level": "2",
        "disabled_at": "2023-01-01",
    }
    client.sign_in(leader.id)
    start = address(package)
    client.post(f"{start}/1", {**fill(client.get(f"{start}/1")), **extra})
    client.post(f"{start}/ring-me", {"phone": "07700 900 982", "when": "Mornings", **extra})
    db.rollback()
    response = db.scalars(select(Response)).one()
    assert (response.state, response.mode) == (ResponseState.DRAFT, Mode.SELF)
    assert response.respondent_id == package.participations[0].id
    client.get("/accounts", status=404)
    db.expire_all()
    assert {office.role for office in db.get_one(Person, leader.id).offices} == {Role.LEAD_MEMBER}


# ---- 25: no step is skipped


def test_row_25_answers_are_not_sent_before_they_are_there(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    versions.publish_shipped(db, clock)
    leader = make.person("Ada Lead")
    package = make.package(leader, mentor=make.mentor())
    start = address(package)
    client.sign_in(leader.id)
    for _ in range(2):
        sent = client.post(f"{start}/submit", page=f"{start}/1")
        assert sent.response.headers["Location"] in (start, f"{start}/1", f"{start}/2")
        db.rollback()
        assert set(db.scalars(select(Response.state))) <= {ResponseState.DRAFT}
        client.post(f"{start}/1", fill(client.get(f"{start}/1")))


def test_row_25_what_takes_two_people_is_not_done_by_one(
    db: DbSession, clock: SetClock, make: Factory, stack: Stack
) -> None:
    """Who asked, and whose data it is, cannot be the second person; an answer is given once, and ends."""
    person = make.person("Ada Lead")
    thing = approvals.person(person.id)
    with unit_of_work(db, clock, "person:first") as work:
        assert not approvals.agreed(work, act=SecondAct.EXPORT, thing=thing)
    approval_id = db.scalars(select(Approval.id)).one()
    for actor in ("person:first", thing):
        with pytest.raises(SamePerson), unit_of_work(db, clock, actor) as work:
            approvals.agree(work, approval_id=approval_id)
    with unit_of_work(db, clock, "person:second") as work:
        approvals.agree(work, approval_id=approval_id)
    with pytest.raises(NotWaiting), unit_of_work(db, clock, "person:third") as work:
        approvals.refuse(work, approval_id=approval_id, why="No")
    with unit_of_work(db, clock, "person:first") as work:
        assert approvals.agreed(work, act=SecondAct.EXPORT, thing=thing)
        assert not approvals.agreed(work, act=SecondAct.ERASURE, thing=thing), "another act"
        assert not approvals.agreed(work, act=SecondAct.EXPORT, thing="person:another"), "another person"
    with unit_of_work(db, clock, "person:fourth") as work:
        assert not approvals.agreed(work, act=SecondAct.EXPORT, thing=thing), "somebody else asked"
    clock.pass_time(days=7)
    with unit_of_work(db, clock, "person:first") as work:
        assert not approvals.agreed(work, act=SecondAct.EXPORT, thing=thing), "too long ago"


def test_row_25_whoever_can_be_the_second_person_is_told_and_nobody_once_it_is_answered(
    db: DbSession, clock: SetClock, make: Factory
) -> None:
    first, second = make.person("Dee First", role=Role.DPO), make.person("Di Second", role=Role.DPO)
    administrator, itself = (make.person(role=Role.ADMINISTRATOR) for _ in range(2))
    for other in (Role.TEAM, Role.AUDITOR, Role.OBSERVER):
        make.person(role=other)
    third, fourth = second.id, administrator.id
    with unit_of_work(db, clock, f"person:{first.id}") as work:
        approvals.ask(work, act=SecondAct.ERASURE, thing=approvals.person(itself.id))
        approvals.ask(work, act=SecondAct.ERASURE, thing=approvals.person(itself.id))
    told = select(Mail).where(Mail.template == approvals.TEMPLATE)
    mails = db.scalars(told).all()
    assert {one.person_id for one in mails} == {third, fourth}
    assert len(mails) == 2
    around = Around(make.programme, "http://localhost", clock())
    reader = db.get_one(Person, third)
    letter = approval_mails.second_person(db, mails[0], reader, around)
    assert letter is not None
    assert letter.context["what"] == "Erase somebody's data"
    with unit_of_work(db, clock, f"person:{third}") as work:
        approvals.agree(work, approval_id=mails[0].about)
    assert approval_mails.second_person(db, mails[0], reader, around) is None


def test_row_25_the_second_person_agrees_on_a_page(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory, stack: Stack
) -> None:
    dpo, second = make.person("Dee First", role=Role.DPO), make.person("Di Second", role=Role.DPO)
    key = {"key": "K1", "letter": "INS-7"}
    here = "/second-person"
    client.sign_in(dpo.id)
    assert "No old key is there to destroy" in client.get(here).words()
    refused = client.post(f"{here}/keys", key, page=here, status=422)
    assert "Choose the key to destroy" in refused.words()
    make.db.rollback()
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    key_keeping.rotate(stack.instance, sessions, with_addresses=False)
    refused = client.post(f"{here}/keys", key | {"key": "K2"}, page=here, status=422)
    assert "Choose the key to destroy" in refused.words(), "it is in force"
    refused = client.post(f"{here}/keys", key, page=here, status=422)
    assert "holds no instruction" in refused.words()
    agreed(db, clock, act=SecondAct.KEY, thing="key:K9", letter="INS-7")
    client.follow(client.post(f"{here}/keys", key, page=here))
    db.rollback()
    approval_id = db.scalars(select(Approval.id).where(Approval.agreed.is_(None))).one()
    own = client.get(here)
    assert "Somebody else has to answer" in own.words()
    client.post(f"{here}/{approval_id}/agree", page=here, status=404)
    client.sign_in(make.person(role=Role.TEAM).id)
    client.post(f"{here}/{approval_id}/agree", page="/your-devices", status=404)
    assert "Second person (" not in client.sign_in(dpo.id).get("/desk").words(), "not one's own"
    administrator = make.person(role=Role.ADMINISTRATOR)
    assert "Second person (1)" in client.sign_in(administrator.id).get("/accounts").words(), (
        "where they come in"
    )
    assert "Second person (1)" in client.sign_in(second.id).get("/desk").words()
    page = client.get(here)
    assert "Destroy the key K1 for good" in page.words()
    assert "Asked by Dee First" in page.words()
    assert (
        "It can be done until" in client.follow(client.post(f"{here}/{approval_id}/agree", page=here)).words()
    )
    refuse = f"{here}/{approval_id}/refuse"
    late = client.post(refuse, {"why": "It is needed still"}, status=409)
    assert "Somebody answered it just now" in late.words()
    assert "It is needed still" in late.text, "and what was typed is there"


def test_row_25_who_does_not_agree_says_why_and_whoever_asked_is_told(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    team, second = make.person("Tom Field", role=Role.TEAM), make.person("Di Second", role=Role.DPO)
    others = [make.person(role=role).id for role in (Role.TEAM, Role.OBSERVER)]
    team_id, second_id = team.id, second.id
    with unit_of_work(db, clock, f"person:{team_id}") as work:
        asked = approvals.ask(work, act=SecondAct.ANSWERS, thing="answers:post", reason="To ring them").id
    here = f"/second-person/{asked}"
    client.sign_in(second_id).get(here, status=404)
    assert client.get("/second-person").all("a", href=f"{here}/refuse")
    assert "Asked by Tom Field" in client.get(f"{here}/refuse").words()
    for nothing in ("", "  "):
        assert (
            "Say why you do not agree" in client.post(f"{here}/refuse", {"why": nothing}, status=422).words()
        )
    why = {"why": "Ring them without their answers"}
    told = client.follow(client.post(f"{here}/refuse", why)).words()
    assert "You did not agree. It is not done, and whoever asked is told." in told
    db.rollback()
    row = db.scalars(select(Mail).where(Mail.template == approvals.REFUSED)).one()
    assert (row.person_id, row.about) == (team_id, asked)
    around = Around(make.programme, "http://localhost", clock())
    letter = approval_mails.refused(db, row, db.get_one(Person, team_id), around)
    assert letter is not None
    assert letter.context["link"] == f"http://localhost{here}"
    db.rollback()
    page = client.sign_in(team_id).get(here).words()
    assert "Di Second did not agree" in page
    assert "Ring them without their answers" in page
    client.get("/second-person", status=404)
    for other in others:
        client.sign_in(other).get(here, status=404)
    with unit_of_work(db, clock, f"person:{team_id}") as work:
        assert not approvals.agreed(work, act=SecondAct.ANSWERS, thing="answers:post"), "asked anew"
    assert len(db.scalars(select(Approval.id)).all()) == 2


def test_row_25_an_officer_who_asked_finds_on_the_page_that_nobody_agreed(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    dpo, second = make.person(role=Role.DPO).id, make.person(role=Role.DPO).id
    thing = approvals.person(make.person().id)
    with unit_of_work(db, clock, f"person:{dpo}") as work:
        asked = approvals.ask(work, act=SecondAct.EXPORT, thing=thing).id
    with unit_of_work(db, clock, f"person:{second}") as work:
        approvals.refuse(work, approval_id=asked, why="A case is open")
    page = client.sign_in(dpo).get("/second-person")
    assert "Not agreed" in page.words()
    assert "A case is open" in client.get(f"/second-person/{asked}").words()
    assert "Nothing waits" in client.sign_in(second).get("/second-person").words()
    clock.pass_time(days=14)
    assert "Nothing waits" in client.sign_in(dpo).get("/second-person").words()


def test_row_25_the_second_person_sees_what_it_is_about(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    dpo, second = make.person("Dee First", role=Role.DPO), make.person("Di Second", role=Role.DPO)
    person, administrator = make.person("Ada Quill"), make.person(role=Role.ADMINISTRATOR)
    person_id, ref = person.id, person.ref
    with unit_of_work(db, clock, f"person:{dpo.id}") as work:
        registers.enter(
            work, register=Register.INSTRUCTION, letter="DFE/9", from_on=make.today, body="Erase Ada's data."
        )
        case = desk_cases.take_in(
            work,
            make.programme,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=clock(),
            asked="All of it",
            subject_id=person_id,
        )
        case_id, case_ref = case.id, case.ref
        work.db.flush()
        asked = approvals.ask(
            work, act=SecondAct.ERASURE, thing=approvals.person(person_id), letter="DFE/9"
        ).id
    page = client.sign_in(second.id).get("/second-person")
    for words in ("Erase Ada's data.", "Hold since", f"Open case {case_ref}"):
        assert words in page.words()
    assert page.all("a", href=f"/privacy-desk/people/{person_id}")
    assert page.all("a", href=f"/desk/cases/{case_id}")
    assert "Ada Quill" not in page.text
    page = client.sign_in(administrator.id).get("/second-person")
    assert "Erase Ada's data." in page.words()
    assert not page.all("a", href=f"/privacy-desk/people/{person_id}")
    with unit_of_work(db, clock, f"person:{second.id}") as work:
        approvals.agree(work, approval_id=asked)
    with unit_of_work(db, clock, f"person:{dpo.id}") as work:
        erasure.begin(work, person_id=person_id, letter="DFE/9")
    words = client.sign_in(second.id).get("/second-person").words()
    assert "waits for a hold to be lifted" in words
    assert "It can be done until" not in words
    with unit_of_work(db, clock, f"person:{dpo.id}") as work:
        for hold in erasure.holds(work.db, person_id):
            erasure.lift_hold(work, hold_id=hold.id)
    words = client.get("/second-person").words()
    assert "Nothing waits" in words
    assert ref not in words


def test_row_25_nobody_restores_their_own_sign_in(client: PageClient, make: Factory) -> None:
    """Another administrator does; both are told (tests/security/test_row_08_reset.py)."""
    own = make.person(role=Role.ADMINISTRATOR)
    client.sign_in(own.id)
    client.post(f"/team/people/{own.id}/sign-in/restore", page="/your-devices", status=404)


# ---- 35: what people type is text, wherever it stands

STRINGS = (
    "<canaryx onload=canaryx()>",
    '"><canaryx>',
    "'><canaryx a='",
    '" onfocus="canaryx()" autofocus="',
    "</title><canaryx>",
    "</textarea></script><canaryx>",
    "<!--<canaryx>",
    "javascript:canaryx()",
    "{{ 7 * 191 }}canaryx",
    "{% raw %}canaryx",
    "${7*191}canaryx<%= 7*191 %>",
    "&lt;canaryx&gt;&#60;canaryx&#62;",
)


def test_row_35_nothing_that_is_typed_becomes_markup(
    client: PageClient, db: DbSession, make: Factory, clock: SetClock
) -> None:
    """Names, councils and titles that try to be more, on the pages of the team, the mentor and the leader."""
    versions.publish_shipped(db, clock)
    team, mentor = make.person(role=Role.TEAM), make.mentor(f"Mo {STRINGS[0]}")
    people, packages = [], []
    for number, text in enumerate(STRINGS):
        council = make.council(f"{text}{number}")
        person = make.person(f"Ada {text}", council=council, email=f"canary{number}@council.example")
        people.append(person.id)
        mentor = db.merge(mentor)
        package = make.package(
            person, mentor=mentor, council=council, strand=Strand.GROUP, title=f"Set {text}"
        )
        packages.append(package.id)
    pages = {
        team.id: [
            *("/team", "/team/people", "/team/councils", "/team/packages"),
            *(f"/team/people/{one}" for one in people),
            *(f"/team/packages/{one}" for one in packages),
        ],
        mentor.id: ["/mentor", f"/mentor/packages/{packages[0]}", f"/packages/{packages[0]}/schedule"],
        **{one: ["/your-support"] for one in people},
    }
    seen = ""
    for person_id, addresses in pages.items():
        client.sign_in(person_id)
        for path in addresses:
            answer = client.http.get(path)
            text = answer.get_data(as_text=True)
            assert "1337" not in text, f"{path} evaluates what was typed"
            tree = parsed(text)
            for element in tree.iter():
                assert element.tag != "canaryx", path
                for name, value in element.attrib.items():
                    assert not (str(name).startswith("on") and "canaryx" in value), path
                    assert not (
                        name in ("href", "src", "action") and value.strip().startswith("javascript:")
                    ), path
            seen += "".join(tree.itertext())
    assert [text for text in STRINGS if f"Ada {text}" not in seen] == [], "it is read as it was typed"


# ---- 36: bound parameters, no shell, wildcards are letters


def test_row_36_wildcards_in_a_search_are_letters(client: PageClient, make: Factory) -> None:
    make.person("Ada Lead")
    client.sign_in(make.person(role=Role.TEAM).id)
    assert "Ada Lead" in client.search("/team/people", "Ada").words()
    for words in ("%", "_da Lead", "A%d", "' or '1'='1", ".*", "Ada Lea[d]"):
        assert "Ada Lead" not in client.search("/team/people", words).words(), words


# ---- 39: the server decides on type, range, list and combination


def test_row_39_a_field_that_comes_twice_or_is_in_no_list(
    client: PageClient, db: DbSession, clock: SetClock, make: Factory
) -> None:
    versions.publish_shipped(db, clock)
    leader = make.person("Ada Lead")
    package = make.package(leader, mentor=make.mentor())
    start = address(package)
    client.sign_in(leader.id)
    page = client.get(f"{start}/1")
    typed = fill(page)
    token = page.token()
    radio = next(field.get("name") for field in page.all("input", type="radio"))
    wrong = client.http.post(f"{start}/1", data={**typed, "csrf_token": token, radio: "no-such-option"})
    assert wrong.status_code == 422
    twice = MultiDict({**typed, "csrf_token": token})
    twice.add(radio, "no-such-option")
    assert client.http.post(f"{start}/1", data=twice).status_code in (303, 422)
    db.rollback()
    answers = [one.answers for one in db.scalars(select(Response))]
    assert "no-such-option" not in str(answers)
