"""Keys and backups as the data protection officer sees them; a sealed value that was moved is refused (case P-i)."""

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session as DbSession

from portal.desk import key_keeping
from portal.mailing import post
from portal.models import BrowserSession, Mail, Role
from privacy import audit
from tests.canary_walk import MailBag
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages_client import PageClient
from tests.readers import make_reader


def test_the_page_says_when_each_was_last_done(
    stack: Stack, make: Factory, client: PageClient, clock: SetClock, tmp_path: Path
) -> None:
    client.sign_in(make.person(role=Role.DPO).id)
    page = client.get("/privacy-desk/keys-and-backups")
    assert page.heading == "Keys and backups"
    assert "There is no escrow of the keys" in page.words()
    assert "There is no backup" in page.words()
    ada, bo = make_reader(tmp_path, "Ada Lead"), make_reader(tmp_path, "Bo Second")
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    path = key_keeping.make_escrow(
        stack.instance, sessions, certificates=[ada.certificate, bo.certificate], folder=tmp_path
    )
    clock.pass_time(days=1)
    key_keeping.drill(stack.instance, sessions, path=path, key=bo.key, certificate=bo.certificate)
    key_keeping.check_canary(stack.instance, sessions)
    client.sign_in(make.person(role=Role.AUDITOR).id)
    words = client.get("/privacy-desk/keys-and-backups").words()
    assert "no escrow" not in words
    assert "Wednesday 1 March 2023" in words
    assert "Thursday 2 March 2023" in words
    assert "CN=Bo Second" in words


@pytest.mark.parametrize("role", [Role.TEAM, Role.OBSERVER, Role.ADMINISTRATOR, Role.MENTOR])
def test_nobody_else_sees_it(client: PageClient, make: Factory, role: Role) -> None:
    client.sign_in(make.person(role=role).id)
    client.get("/privacy-desk/keys-and-backups", status=404)


def test_a_moved_address_is_refused_recorded_and_signs_nobody_in(
    stack: Stack, make: Factory, db: DbSession, client: PageClient
) -> None:
    """Case P-i: one person's sealed address over another's, in the hope of getting their sign-in mail."""
    thief, victim = make.person(), make.person(email="victim@council.example")
    db.execute(
        text(
            "update person set email_sealed = (select email_sealed from person where ref = :t) where ref = :v"
        ),
        {"t": thief.ref, "v": victim.ref},
    )
    db.commit()
    client.post("/sign-in", {"email": "victim@council.example"})
    bag = MailBag()
    sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
    while post.deliver(stack.instance, sessions, bag):
        pass
    assert bag.messages == [], "no mail goes to either"
    db.rollback()
    assert db.scalars(select(Mail.trouble)).all() == ["SealBroken"]
    lines = [entry for entry in audit.entries(db) if entry.action == "seal.refused"]
    assert [entry.details for entry in lines] == ['{"column":"email_sealed","table":"person"}']
    assert lines[0].object == f"person:{victim.id}"
    assert db.scalars(select(BrowserSession)).all() == []


def test_a_page_with_a_moved_value_shows_nothing_of_it_and_leaves_a_line(
    make: Factory, db: DbSession, client: PageClient
) -> None:
    other, shown = make.person("Somebody Else"), make.person("Shown")
    db.execute(
        text(
            "update person set name_sealed = (select name_sealed from person where ref = :o) where ref = :s"
        ),
        {"o": other.ref, "s": shown.ref},
    )
    db.commit()
    client.sign_in(make.person(role=Role.TEAM).id)
    page = client.get(f"/team/people/{shown.id}", status=500)
    assert "Somebody Else" not in page.text
    db.rollback()
    assert "seal.refused" in {entry.action for entry in audit.entries(db)}
