"""Coming in as people do, step by step, through the pages: what the tests of signing in share."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyotp
from sqlalchemy.orm import Session as DbSession

from portal.access import codes, factors
from portal.models import FactorKind
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.outbox import Outbox
from tests.pages_client import Page, PageClient

PASSWORD = "slow river orange"


@dataclass
class Browser:
    """A browser without JavaScript, and the mailbox that its person reads."""

    stack: Stack
    outbox: Outbox

    def __post_init__(self) -> None:
        self.client = PageClient(self.stack.app, self.stack.instance)

    def ask(self, address: str) -> str:
        """Ask to sign in; returns the mail that went, empty if none did."""
        self.client.post("/sign-in", {"email": address})
        return self.outbox.sign_in_mail()

    def by_mail(self, address: str, **data: Any) -> Page:
        """Sign in with the mailed code; returns the redirect."""
        code = code_in(self.ask(address))
        return self.client.post("/sign-in/finish", {"code": code, **data}, page="/sign-in/code")

    def by_start_code(self, person_id: UUID) -> Page:
        return self.client.post(
            "/sign-in/start-code", {"recovery": start_code(self.stack, person_id)}, page="/sign-in/start-code"
        )

    def set_password(self, password: str = PASSWORD, *, status: int = 303, **data: Any) -> Page:
        sent = {"new_password": password, **data}
        return self.client.post("/your-sign-in/password", sent, status=status)

    def set_app(self) -> str:
        """Set up an authenticator app; returns its key."""
        page = self.client.get("/your-sign-in/app")
        key = page.words(page.all("code")[0])
        self.client.post("/your-sign-in/app", {"totp": self.app_code(key)})
        return key

    def app_code(self, key: str) -> str:
        return pyotp.TOTP(key).at(self.stack.clock())

    def by_password(self, password: str = PASSWORD, key: str | None = None, *, status: int = 303) -> Page:
        code = {"totp": self.app_code(key)} if key is not None else {}
        return self.client.post("/sign-in/prove", {"password": password, **code}, status=status)

    def set_up_staff(self, address: str, person_id: UUID) -> str:
        """The whole first way in of somebody who always proves more; returns the key of their app."""
        self.by_mail(address)
        self.by_start_code(person_id)
        self.set_password()
        return self.set_app()

    def opens(self, path: str) -> bool:
        """Whether a page shows itself, rather than leading elsewhere."""
        return self.client.http.get(path).status_code == 200

    def leads(self, path: str) -> str | None:
        """Where a page leads to; None if it shows itself."""
        return self.client.http.get(path).headers.get("Location")


def code_in(text: str) -> str:
    assert re.match(r"\d{6} ", text), text
    return text[:6]


def path_in(text: str) -> str:
    found = re.search(r"http://localhost(/sign-in/l/\S+)", text)
    assert found, text
    return found[1]


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def start_code(stack: Stack, person_id: UUID) -> str:
    """A start code as the team prints it."""
    with (
        DbSession(stack.engine, info={"vault": stack.instance.vault}) as db,
        unit_of_work(db, stack.clock, "system:test") as work,
    ):
        row = factors.hand_start_code(work, person_id=person_id)
        return codes.code_of(work.ring, FactorKind.START, row.id)
