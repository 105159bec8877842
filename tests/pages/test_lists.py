"""Lists: what they are narrowed to shows and can be taken away, and each can be kept as a file, by reference."""

import csv
import io
from datetime import date

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.models import PackageState, Person, Role
from surveys import versions
from tests.conftest import SetClock
from tests.factories import Factory
from tests.pages_client import Page, PageClient


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def team(make: Factory, client: PageClient) -> Person:
    person = make.person(role=Role.TEAM)
    client.sign_in(person.id)
    return person


def in_force(page: Page) -> dict[str, str]:
    """The filters that show, each with where its link leads."""
    links = [link for listed in page.all("ul", class_="lp-chosen") for link in listed.iter("a")]
    return {
        page.words(link).removeprefix("Remove this filter: ").rstrip(" ×"): str(link.get("href"))
        for link in links
    }


def rows_of(client: PageClient, address: str) -> list[dict[str, str]]:
    text = client.http.get(address).get_data().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def link_to(page: Page, ends: str) -> str:
    (found,) = [str(a.get("href")) for a in page.all("a") if ends in str(a.get("href"))]
    return found


def test_what_a_list_is_narrowed_to_shows_and_each_can_be_taken_away(
    client: PageClient, make: Factory, team: Person
) -> None:
    make.person("Ada Lead")
    make.person("Ada Chief", role=Role.CHIEF_EXECUTIVE)
    page = client.search("/team/people", "Ada", role="chief_executive")
    assert list(in_force(page)) == ["“Ada”", "Role: Chief Executive"]
    assert "Ada Lead" not in page.words()
    whole = client.get(in_force(page)["Role: Chief Executive"])
    assert list(in_force(whole)) == ["“Ada”"]
    assert "Ada Lead" in whole.words()
    assert not in_force(client.get(in_force(whole)["“Ada”"]))


@pytest.mark.parametrize(
    "address, shown",
    [
        ("/team/packages?state=active&strand=group&nonsense=1", ["State: Active", "Kind: Group"]),
        ("/team/pipeline?state=agreed", ["State: Agreed"]),
        ("/team/councils?qualifies=yes&kind=county", ["Type: County", "Qualifies: Yes"]),
        ("/reports/outstanding?wave=post", ["Questionnaire: Questions after your support"]),
        ("/team/resources?retired=yes&kind=nothing", ["State: Retired"]),
    ],
)
def test_each_list_does(client: PageClient, team: Person, address: str, shown: list[str]) -> None:
    assert list(in_force(client.get(address))) == shown


def test_the_desk_does(client: PageClient, make: Factory) -> None:
    client.sign_in(make.person(role=Role.DPO).id)
    assert list(in_force(client.get("/desk/cases?stand=all&late=yes"))) == [
        "Shown: Both",
        "Late: Late ones only",
    ]


def test_a_list_is_kept_as_it_is_narrowed_and_names_nobody(
    client: PageClient, make: Factory, team: Person
) -> None:
    council = make.council("=Northshire")
    ada = make.person("Ada Lead", council=council)
    make.person("Bea Chief", role=Role.CHIEF_EXECUTIVE)
    listed = client.search("/team/people", "Ada")
    (row,) = rows_of(client, link_to(listed, "list.csv"))
    assert row == {
        "Reference": ada.ref,
        "Roles": "Lead Member for children's services",
        "Councils": "'=Northshire Council",
        "Account closed": "No",
        "Restricted": "No",
    }

    package = make.package(ada, council=council, starts_on=date(2023, 2, 1))
    make.package(make.person("Cyd Lead"), state=PackageState.AGREED)
    found = rows_of(client, link_to(client.get("/team/packages?state=active"), "packages/list.csv"))
    assert [one["Reference"] for one in found] == [package.ref]


def test_who_has_not_answered_is_kept_as_a_file(client: PageClient, make: Factory, team: Person) -> None:
    ada = make.person("Ada Lead")
    make.package(ada, state=PackageState.ENDED, starts_on=date(2022, 12, 1), ends_on=date(2023, 2, 20))
    page = client.get("/reports/outstanding?wave=post")
    (row,) = rows_of(client, link_to(page, "outstanding/list.csv"))
    assert (row["Reference"], row["Questionnaire"], row["Last day"], row["Stands"]) == (
        ada.ref,
        "Questions after your support",
        "2023-05-20",
        "Not begun",
    )
    assert rows_of(client, "/reports/outstanding/list.csv?wave=interim") == []


def test_a_file_holds_more_than_a_page(client: PageClient, make: Factory, team: Person) -> None:
    for number in range(52):
        make.person(f"Person {number:02}")
    page = client.get("/team/people")
    assert "53 people" in page.words()
    assert len(rows_of(client, "/team/people/list.csv")) == 53


@pytest.mark.parametrize("role", [Role.LEAD_MEMBER, Role.MENTOR, Role.OBSERVER, Role.DPO])
def test_nobody_else_keeps_them(client: PageClient, make: Factory, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    for address in ("/team/people/list.csv", "/team/packages/list.csv", "/reports/outstanding/list.csv"):
        assert client.http.get(address).status_code == 404, address
