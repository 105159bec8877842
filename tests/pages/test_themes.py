"""Themes: what people wrote, read one after another, sorted by a codebook; quotes with consent and without names."""

import re
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import theming
from portal.models import Office, Package, PackageState, Person, Role, Strand
from portal.programme import Programme
from privacy.audit import Action, AuditEntry
from privacy.records import new_id
from privacy.work import unit_of_work
from surveys import responses, themes, versions
from surveys.models import Mode, Response, Wave
from surveys.questions import Value
from surveys.sittings import Asking
from surveys.themes import ChangedMeanwhile, Theme, ThemesRefused
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages.test_verdicts import EXAMPLE, STATEMENTS
from tests.pages_client import PageClient

SAID = "Nadia Quillfeather of Northshire now brings us\nthe data before each meeting. We ask about it."


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def team(make: Factory) -> Person:
    return make.person("Tia Team", role=Role.TEAM)


@pytest.fixture
def package(make: Factory) -> Package:
    make.person("Nadia Quillfeather")
    return support(make)


def support(make: Factory, name: str = "Ada Lead") -> Package:
    return make.package(
        make.person(name),
        mentor=make.mentor(),
        council=make.council("Northshire"),
        state=PackageState.ENDED,
        starts_on=date(2022, 9, 1),
        ends_on=date(2023, 2, 1),
    )


def sent(db: DbSession, clock: SetClock, package: Package, *, text: str = SAID, quoted: bool = True) -> UUID:
    """A post questionnaire with one example, whose first text is this."""
    answers: dict[str, Value | None] = {
        **dict.fromkeys(STATEMENTS, "fairly"),
        "confidence_change": "much_more",
        **EXAMPLE,
        "impact_changed": text,
        "impact_changed.quote": "yes" if quoted else None,
    }
    asking = Asking(respondent_id=package.participations[0].id, wave=Wave.POST, role="lead_member")
    with unit_of_work(db, clock, "system:test") as work:
        return responses.submit_answers(work, asking, answers=answers, mode=Mode.SELF).id


def codebook(db: DbSession, clock: SetClock, *labels: str) -> None:
    for label in labels:
        with unit_of_work(db, clock, "person:somebody") as work:
            now = themes.book(work.db)
            themes.put(
                work,
                Theme(code=label.lower(), label=label, definition=f"About {label}"),
                seen=now.number,
            )


def sort(db: DbSession, clock: SetClock, programme: Programme, response_id: UUID, **asked: Any) -> None:
    given = {"question": "impact_changed", "codes": ["data"], "quote": None, "seen": "", **asked}
    with unit_of_work(db, clock, "person:somebody") as work:
        theming.sort(work, programme, response_id=response_id, **given)


def test_from_the_first_theme_to_the_last_answer(
    client: PageClient, db: DbSession, clock: SetClock, team: Person, package: Package, programme: Programme
) -> None:
    response_id = sent(db, clock, package)
    client.sign_in(team.id).say_why("sorting")
    assert "The codebook has no theme yet" in client.get("/team/themes").words()
    form = {"label": "Data", "definition": "Using data to lead", "exclude": "Data protection"}
    client.post("/team/themes/codebook/new", form)
    page = client.get("/team/themes")
    assert "Codebook, version 1" in page.words()
    address = page.all("a", class_="govuk-button")[0].get("href")
    assert str(response_id) in address
    shown = client.get(address)
    assert "Using data to lead Not: Data protection" in shown.words()
    waiting = len(theming.standing(db).unread)
    code = shown.all("input", name="codes")[0].get("value")
    then = client.post(address, {"codes": code, "seen": ""})
    while "Sort an answer" in (page := client.follow(then)).heading:
        address = then.response.headers["Location"]
        then = client.post(address, {"seen": ""})
        waiting -= 1
    assert waiting == 1
    assert "Every answer is sorted" in page.words()
    assert "1 leader and 0 group members wrote something that is sorted" in page.words()
    db.rollback()
    (count,) = theming.standing(db).counts
    assert count.people == {Strand.ONE_TO_ONE: 1, Strand.GROUP: 0}
    opened = db.scalars(select(AuditEntry).where(AuditEntry.action == Action.RESPONSE_OPENED.word)).all()
    assert [(line.details, line.object) for line in opened] == [
        ('{"purpose":"themes","stated":"sorting"}', f"response:{response_id}")
    ], "each reader, once a day"


def test_a_person_counts_once_for_a_theme(
    db: DbSession, clock: SetClock, make: Factory, programme: Programme, package: Package
) -> None:
    codebook(db, clock, "Data", "Voice")
    first, second = sent(db, clock, package), sent(db, clock, support(make, "Bo Chair"))
    sort(db, clock, programme, first, codes=["data", "voice"])
    sort(db, clock, programme, first, codes=["data"], question="impact_part")
    sort(db, clock, programme, second, codes=["data"])
    counts = {one.theme.code: one.people[Strand.ONE_TO_ONE] for one in theming.standing(db).counts}
    assert len(themes.new_code()) == 8
    assert counts == {"data": 2, "voice": 1}
    assert theming.standing(db).wrote[Strand.ONE_TO_ONE] == 2


def test_a_verdict_and_themes_stand_side_by_side(
    client: PageClient, db: DbSession, clock: SetClock, programme: Programme, team: Person, package: Package
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    sort(db, clock, programme, response_id)
    client.sign_in(team.id).say_why().post(
        f"/team/verdicts/{response_id}", {"verdict": "accepted", "note": ""}
    )
    db.rollback()
    judgement = db.get_one(Response, response_id).judgement or {}
    assert judgement["themes"]["impact_changed"]["codes"] == ["data"]
    assert judgement["verdicts"][0]["verdict"] == "accepted"


@pytest.mark.parametrize(
    "quote, problem",
    [
        ("[A colleague] now brings us\nthe data … ring 01632 960 123", "may name somebody"),
        ("Quillfeather of [a council] now brings us the data", "may name somebody"),
        ("[A colleague] of Northshire now brings us the data", "may name somebody"),
        ("[A colleague] now brings us all the data", "A quote is what they wrote"),
        ("We ask about it. … the data before each meeting", "A quote is what they wrote"),
        ("[Somebody said something]", "A quote is what they wrote"),
    ],
)
def test_a_quote_is_their_words_and_names_nobody(
    client: PageClient,
    db: DbSession,
    clock: SetClock,
    team: Person,
    package: Package,
    quote: str,
    problem: str,
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    client.sign_in(team.id).say_why()
    page = client.post(
        f"/team/themes/{response_id}/impact_changed",
        {"codes": "data", "quote": quote, "seen": ""},
        status=422,
    )
    assert problem in page.words()
    assert page.all("textarea", name="quote")[0].text.strip() == quote, "nothing typed is lost"
    assert page.all("input", name="codes", checked="")
    assert "0 quotes" in client.get("/team/themes").words()


def test_a_quote_stands_without_council_and_with_a_role_that_many_have(
    client: PageClient, db: DbSession, clock: SetClock, programme: Programme, team: Person, package: Package
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    sort(
        db, clock, programme, response_id, quote="[A colleague] … now brings us the data before each meeting."
    )
    page = client.sign_in(team.id).say_why().get("/team/themes/quotes").words()
    assert "[A colleague] … now brings us the data before each meeting." in page
    assert "A leader, Data." in page
    assert "Northshire" not in page
    assert "Lead Member" not in page
    (quote,) = theming.quotes(db, programme)
    assert quote.role is None


def test_a_text_without_consent_is_not_quoted(
    client: PageClient, db: DbSession, clock: SetClock, programme: Programme, team: Person, package: Package
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package, quoted=False)
    page = client.sign_in(team.id).say_why().get(f"/team/themes/{response_id}/impact_changed")
    assert not page.all("textarea", name="quote")
    with pytest.raises(ThemesRefused, match="did not say that this may be quoted"):
        sort(db, clock, programme, response_id, quote="We ask about it.")
    assert theming.standing(db).sorted == 0


def test_two_who_sort_or_change_at_once_notice_each_other(
    client: PageClient, db: DbSession, clock: SetClock, programme: Programme, team: Person, package: Package
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    sort(db, clock, programme, response_id)
    client.sign_in(team.id).say_why()
    path = f"/team/themes/{response_id}/impact_changed"
    assert "has just sorted this answer" in client.post(path, {"seen": ""}, status=409).words()
    with pytest.raises(ChangedMeanwhile), unit_of_work(db, clock, "person:somebody") as work:
        themes.take_out(work, "data", seen=0)
    seen = client.get("/team/themes/codebook/data").all("input", name="seen")[0].get("value")
    client.post("/team/themes/codebook/data/remove", {"seen": seen}, page="/team/themes/codebook/data")
    left = client.get("/team/themes").words()
    assert "Some answers still have themes that were taken out: Data" in left
    assert themes.book(db, 1).theme("data") is not None, "a figure can name the book it was made with"


def test_whoever_has_a_part_in_the_support_reads_nothing(
    client: PageClient, db: DbSession, clock: SetClock, package: Package
) -> None:
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    mentor_id = package.mentors[0].person_id
    with unit_of_work(db, clock, "system:test") as work:
        work.db.add(Office(id=new_id(), person_id=mentor_id, role=Role.TEAM, from_on=date(2023, 1, 1)))
    client.sign_in(mentor_id).say_why()
    assert "for a colleague: you have a part in that support" in client.get("/team/themes").words()
    client.get(f"/team/themes/{response_id}/impact_changed", status=404)


def test_a_corrected_text_is_unread_again(
    db: DbSession, clock: SetClock, programme: Programme, package: Package
) -> None:
    assert themes.is_taken_from("now brings us the data", SAID)
    assert not re.search("now brings us the data", SAID), "line ends count as spaces"
    codebook(db, clock, "Data")
    response_id = sent(db, clock, package)
    sort(db, clock, programme, response_id)
    assert theming.standing(db).sorted == 1
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Response, response_id).judgement = None
    assert theming.standing(db).sorted == 0
