"""Invitations and reminders to many: who gets what is shown first, and decided again when it goes."""

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session as DbSession

from portal.mailing import queue as mail
from portal.mailing import reminders, sendings
from portal.mailing.sendings import Addressee
from portal.models import Mail, MailState, Package, PackageState, Person, Refusal, Role
from privacy.audit import Action, AuditEntry
from privacy.work import unit_of_work
from surveys import versions
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.outbox import Outbox
from tests.pages_client import Page, PageClient

INVITATIONS, REMINDERS = "/team/mail/invitations", "/team/mail/reminders"


@pytest.fixture(autouse=True)
def _published(db: DbSession, clock: SetClock) -> None:
    versions.publish_shipped(db, clock)


@pytest.fixture
def team(make: Factory, client: PageClient) -> Person:
    person = make.person(role=Role.TEAM)
    client.sign_in(person.id)
    return person


@pytest.fixture
def outbox(stack: Stack, tmp_path: Path) -> Outbox:
    return Outbox(stack, tmp_path)


def ended(make: Factory, name: str) -> Package:
    """Support that ended on 20 February: the last questionnaire is open until 20 May."""
    return make.package(
        make.person(name), state=PackageState.ENDED, starts_on=date(2022, 12, 1), ends_on=date(2023, 2, 20)
    )


def ticked(page: Page) -> list[str]:
    return [
        str(box.get("value")) for box in page.all("input", name="chosen") if box.get("checked") is not None
    ]


def test_an_invitation_goes_to_those_chosen_and_is_looked_at_before(
    client: PageClient, make: Factory, db: DbSession, team: Person, outbox: Outbox
) -> None:
    ada, bea, cyd = (make.person(name) for name in ("Ada Lead", "Bea Lead", "Cyd Lead"))
    for person in (ada, bea, cyd):
        make.package(person, state=PackageState.AGREED)
    page = client.get(INVITATIONS)
    assert len(ticked(page)) == 3
    kept = [key for key, name in zip(ticked(page), ("Ada", "Bea", "Cyd"), strict=True) if name != "Bea"]
    assert "Goes today" in page.words()

    check = client.post(INVITATIONS, {"chosen": kept}, status=200)
    assert check.heading == "Check what goes out"
    assert "2 invitations" in check.words()
    assert "Hello" in check.words(), "the words that go are shown"
    first, second = (check.words(cell) for cell in check.all("th", scope="row"))
    assert f"The invitation to {first}" in check.words(), "whose words they are"
    other = client.post(INVITATIONS, {"chosen": kept, "read": kept[1]}, status=200)
    assert f"The invitation to {second}" in other.words()
    assert f"Hello {second}" in other.words()
    assert not db.scalars(select(Mail)).all(), "looking queues nothing"

    done = client.follow(client.post(INVITATIONS, {"chosen": kept, "send": "yes"}))
    assert "2 invitations will go out." in done.words()
    assert len(ticked(done)) == 1
    assert len(outbox.new()) == 2
    again = client.follow(client.post(INVITATIONS, {"chosen": kept, "send": "yes"}))
    assert "Nobody whom you chose can get one any more. Nothing was sent." in again.words()
    assert "Choose who gets one" in client.post(INVITATIONS, {}, status=422).words()
    assert not outbox.new()


def test_of_a_package_only_those_chosen_are_invited(
    client: PageClient, make: Factory, db: DbSession, team: Person
) -> None:
    council = make.council("Northshire")
    people = [make.person(name, role=Role.COMMITTEE_MEMBER, council=council) for name in ("Ada M", "Bea M")]
    package = make.package(*people, state=PackageState.AGREED, council=council)
    first = str(package.participations[0].id)
    client.post(INVITATIONS, {"chosen": [first], "send": "yes"})
    db.rollback()
    assert [part.invited_at is not None for part in package.participations] == [True, False]
    assert package.state is PackageState.BASELINE
    assert ticked(client.get(INVITATIONS)) == [str(package.participations[1].id)]


def test_reminders_say_who_gets_none_and_why(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock, team: Person
) -> None:
    quiet, refused, shut, busy, plain = (
        ended(make, name) for name in ("Quiet Q", "Refused R", "Shut S", "Busy B", "Plain P")
    )
    ids = {
        name: package.participations[0].person_id
        for name, package in {"quiet": quiet, "refused": refused, "shut": shut, "busy": busy}.items()
    }
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Person, ids["quiet"]).reminders_stopped_at = work.now
        work.db.get_one(Person, ids["shut"]).disabled_at = work.now
        work.db.add(Refusal(person_id=ids["refused"], code=550, first_at=work.now, last_at=work.now))
        for step in ("one", "two"):
            mail.queue(work, template="offers", about=quiet.id, to=ids["busy"], step=step)
    with unit_of_work(db, clock, "system:test") as work:
        for row in work.db.scalars(select(Mail)):
            row.state, row.sent_at = MailState.SENT, work.now
    page = client.get(REMINDERS)
    words = page.words()
    assert set(ticked(page)) == {f"{one.participations[0].id}:post:once" for one in (busy, plain)}
    assert "Goes on Wednesday 8 March 2023" in words, "two mails went today: the next may on the eighth day"
    for why in ("They want no reminders", "Their address takes no mail", "Their account is closed"):
        assert why in words, why


def test_a_reminder_by_hand_goes_once_a_day_and_takes_no_step_of_its_own_accord(
    client: PageClient,
    make: Factory,
    db: DbSession,
    clock: SetClock,
    stack: Stack,
    team: Person,
    outbox: Outbox,
) -> None:
    package = ended(make, "Ada Lead")
    part = package.participations[0]
    assert part.person is not None
    key = f"{part.id}:post:once"
    done = client.follow(client.post(REMINDERS, {"chosen": [key], "send": "yes"}))
    assert "1 reminder will go out." in done.words()
    assert "A reminder of it waits to be sent" in done.words()
    assert [str(one["To"]) for one in outbox.new()] == [f"Ada Lead <{part.person.email}>"]
    assert "They were reminded today" in client.get(REMINDERS).words()
    db.rollback()
    noted = db.scalars(select(AuditEntry).where(AuditEntry.action == Action.REMINDER_QUEUED.word)).all()
    assert len(noted) == 1

    log = client.get(f"/team/packages/{package.id}").words()
    assert "Reminder of the last questionnaire: sent by hand" in log
    with DbSession(stack.engine, info={"vault": stack.instance.vault}) as own:
        found = reminders.find(own, stack.instance.programme, now=clock.now)
    assert [one.step for one in found] == ["post:once:week"], "the step that came on 27 February still does"


def test_who_has_answered_meanwhile_gets_none(
    client: PageClient, make: Factory, db: DbSession, clock: SetClock, team: Person
) -> None:
    package = ended(make, "Ada Lead")
    key = f"{package.participations[0].id}:post:once"
    assert ticked(client.get(REMINDERS)) == [key]
    with unit_of_work(db, clock, "system:test") as work:
        work.db.get_one(Package, package.id).state = PackageState.WITHDRAWN
    client.post(REMINDERS, {"chosen": [key], "send": "yes"})
    assert not db.scalars(select(Mail)).all()


def test_nothing_left_says_so_and_other_lists_are_not_found(client: PageClient, team: Person) -> None:
    assert "Everybody whose support is agreed is invited." in client.get(INVITATIONS).words()
    assert "Nobody has a questionnaire left to answer." in client.get(REMINDERS).words()
    client.get("/team/mail/everything", status=404)


@pytest.mark.parametrize("role", [Role.LEAD_MEMBER, Role.MENTOR, Role.OBSERVER, Role.DPO])
def test_nobody_else_sends(client: PageClient, make: Factory, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.get(INVITATIONS, status=404)
    client.get(REMINDERS, status=404)


def test_a_package_that_is_given_up_meanwhile_holds_up_no_other(
    make: Factory, db: DbSession, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        make.package(make.person(name), state=PackageState.AGREED) for name in ("Ada L", "Bea L")
    )
    keys = [str(one.participations[0].id) for one in (first, second)]
    first_id = first.id
    found = sendings.to_invite

    def meanwhile(own: DbSession, *, now: datetime) -> list[Addressee]:
        """What was chosen is as it was; the next moment the first package is withdrawn."""
        listed = found(own, now=now)
        own.execute(update(Package).where(Package.id == first_id).values(state=PackageState.WITHDRAWN))
        return listed

    with unit_of_work(db, clock, "person:test") as work:
        monkeypatch.setattr(sendings, "to_invite", meanwhile)
        assert sendings.invite(work, keys=keys) == 1
    db.rollback()
    assert [one.participations[0].invited_at is not None for one in (first, second)] == [False, True]
