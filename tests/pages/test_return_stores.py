"""The page of what a return destroys: every store, and somebody's word on each that the portal cannot reach."""

from uuid import UUID

import pytest
from sqlalchemy.orm import Session as DbSession

from portal.models import Role
from privacy import outside
from privacy.holdings import Store
from privacy.returns import acts, stores
from privacy.returns.course import Step
from privacy.returns.stores import Method
from privacy.returns.tables import Act, ReturnKind, Wanted
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient

ON = {"done_on-day": "28", "done_on-month": "2", "done_on-year": "2023"}
NO_EXPIRY = {"expires_on-day": "", "expires_on-month": "", "expires_on-year": ""}
SAID = {"store": "shared mailbox", "method": "delete", "who": "Systems engineer", "witness": "Officer"}


@pytest.fixture
def returned(db: DbSession, clock: SetClock) -> UUID:
    with unit_of_work(db, clock, "system:test") as work:
        outside.describe(
            work, Store("shared mailbox", "the team's mail", "a password", "a year", outside=True)
        )
        made = acts.open_return(work, kind=ReturnKind.FULL, wanted=Wanted.BOTH).id
        acts.happen(work, return_id=made, step=Step.DIRECTION, letter="DFE 31", digests=["ab"])
    return made


@pytest.fixture
def officer(stack: Stack, make: Factory) -> PageClient:
    return PageClient(stack.app, stack.instance).sign_in(make.person("Ona", role=Role.DPO).id)


def path(returned: UUID) -> str:
    return f"/desk/returns/{returned}/stores"


def test_every_store_is_listed_with_how_it_goes(officer: PageClient, returned: UUID) -> None:
    page = officer.get(path(returned))
    rows = [[page.words(cell) for cell in row] for row in page.all("tr")]
    assert ["shared mailbox: the team's mail", "By hand", "Waits"] in rows
    ways = {row[0].partition(":")[0]: row[1:] for row in rows}
    assert ways["key store"] == ["Its keys are destroyed", "By the portal"]
    assert ways["escrow"] == ["By hand", "Waits"]
    assert "First comes: the certificate's fingerprint" in page.words()
    choices = [page.words(one) for one in page.all("option")]
    assert choices[1:3] == ["shared mailbox", "escrow"]
    assert "key store" not in choices


def test_somebody_says_that_a_store_was_destroyed(
    officer: PageClient, returned: UUID, db: DbSession, clock: SetClock
) -> None:
    page = officer.follow(officer.post(path(returned), {**SAID, **ON, **NO_EXPIRY, "evidence": "T-12"}))

    assert "It is written down." in page.words()
    row = next([page.words(cell) for cell in row] for row in page.all("tr") if "mailbox" in page.words(row))
    assert row[1:] == [
        "Deleted",
        "Confirmed 28 February 2023, by Systems engineer, seen by Officer, T-12",
    ]
    said = stores.confirmations(db, returned)["shared mailbox"]
    assert (said.method, said.witness) == (Method.DELETE, "Officer")
    clock.pass_time(minutes=1)
    later = {"expires_on-day": "1", "expires_on-month": "4", "expires_on-year": "2023"}
    officer.post(path(returned), {**SAID, **ON, **later, "method": "expiry", "evidence": ""})
    assert "Expires by itself: 1 April 2023" in officer.get(path(returned)).words(), "the newest counts"


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"witness": "systems engineer"}, "The witness must be somebody else"),
        ({"method": "expiry"}, "Enter the day of expiry, for what expires by itself alone"),
        ({"done_on-year": "2024"}, "This day lies in the future"),
        ({"store": ""}, "Choose the store"),
        ({"who": ""}, "Enter the role of who did it"),
        ({"method": ""}, "Choose what happened to it"),
    ],
)
def test_what_is_wrong_is_said_and_kept(
    officer: PageClient, returned: UUID, db: DbSession, wrong: dict[str, str], message: str
) -> None:
    data = {**SAID, **ON, **NO_EXPIRY, "evidence": "T-12", **wrong}
    page = officer.post(path(returned), data, status=422)
    assert message in page.words()
    assert page.all("input", name="evidence")[0].get("value") == "T-12"
    assert not stores.confirmations(db, returned)


def test_it_can_be_said_while_everything_is_frozen(
    officer: PageClient, returned: UUID, db: DbSession, clock: SetClock
) -> None:
    with unit_of_work(db, clock, "system:test", frozen_too=True) as work:
        for who in ("system:one", "system:two"):
            acts.happen(
                work,
                return_id=returned,
                step=Step.FINGERPRINT,
                act=Act.CONFIRMED,
                by=who,
                digests=["ab"],
            )
        for step in (Step.TEST_VOLUME, Step.TEST_READ_BACK, Step.FREEZE):
            acts.happen(work, return_id=returned, step=step)
    officer.post(path(returned), {**SAID, **ON, **NO_EXPIRY, "evidence": ""})
    assert "shared mailbox" in stores.confirmations(db, returned)


def test_who_reads_alone_sees_no_form(stack: Stack, make: Factory, returned: UUID) -> None:
    auditor = PageClient(stack.app, stack.instance).sign_in(make.person("Ada", role=Role.AUDITOR).id)
    page = auditor.get(path(returned))
    assert page.heading.startswith("What return T-")
    assert not page.all("form", action=path(returned))
    assert auditor.http.post(path(returned)).status_code == 400, "no form, no token"
