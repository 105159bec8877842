"""Signing in the whole way by the mailed code, and looking at what a browser holds afterwards."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, devices
from portal.db import db as flask_db
from portal.models import SignIn
from tests.pages_client import Page, PageClient


def come_in(client: PageClient, address: str, *, device: bool = False) -> Page:
    """The whole way by the mailed code."""
    asked = client.post("/sign-in", {"email": address})
    assert asked.response.location == "/sign-in/code"
    with DbSession(engine_of(client)) as db:
        verifier = devices.digest(cookie(client, "ask") or "")
        asked_id = db.scalars(select(SignIn.id).where(SignIn.verifier == verifier)).one()
    code = accounts.code_of(client.instance.vault.ring, asked_id)
    kept = {"device": "y"} if device else {}
    return client.post("/sign-in/finish", {"code": code, **kept}, page="/sign-in/code")


def engine_of(client: PageClient) -> Engine:
    with client.app.app_context():
        return flask_db.engine


def cookie(client: PageClient, name: str) -> str | None:
    found = client.http.get_cookie(name)
    return found.value if found else None


def is_in(client: PageClient) -> bool:
    answer = client.http.get("/your-devices")
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def copied(client: PageClient) -> PageClient:
    """Another browser with the same cookies."""
    thief = PageClient(client.app, client.instance)
    for name in ("sid", "device", "form"):
        value = cookie(client, name)
        if value is not None:
            thief.http.set_cookie(name, value)
    return thief
