"""What mails about somebody's sign-in say: read again, when they are sent, from what they are about."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session as DbSession

from portal.access.telling import ADDRESS, NEWS, RESTORED_ONE, TO_CONFIRM, News
from portal.mailing.contexts import AddressedContext, Around, Context, Letter, RoleContext
from portal.mailing.letters import one_line
from portal.models import AddressChange, BrowserSession, Delegation, Factor, FactorKind, Mail, Person

WORDS: Mapping[FactorKind, str] = {
    FactorKind.PASSKEY: "a passkey",
    FactorKind.PASSWORD: "a password",
    FactorKind.APP: "an authenticator app",
    FactorKind.RECOVERY: "recovery codes",
    FactorKind.START: "a start code",
}

ASSISTANTS = {News.ASSISTANT_NAMED, News.ASSISTANT_ENDED}


def account_news(db: DbSession, row: Mail, reader: Person, around: Around) -> Letter | None:
    """What happened, when and where; none if what it is about is gone."""
    what = News(row.step)
    match what:
        case News.NEW_BROWSER | News.DEVICE_KEPT:
            session = db.get(BrowserSession, row.about)
            return _news(what, session.created_at, around, browser=session.browser) if session else None
        case News.ASSISTANT_NAMED:
            named = db.get(Delegation, row.about)
            return _news(what, named.named_at, around) if named and named.ended_at is None else None
        case News.ASSISTANT_ENDED:
            ended = db.get(Delegation, row.about)
            return _news(what, ended.ended_at, around) if ended and ended.ended_at else None
        case News.ADDRESS_NEW:
            change = db.get(AddressChange, row.about)
            return _news(what, change.at, around) if change else None
        case News.PAUSED:
            return _news(what, row.queued_at, around)
    factor = db.get(Factor, row.about)
    if factor is None:
        return None
    return _news(what, row.queued_at, around, factor=WORDS[factor.kind], browser=factor.browser)


def _news(what: News, at: datetime, around: Around, *, factor: str = "", browser: str = "") -> Letter:
    return Letter(
        {
            "what": what.value,
            "at": at,
            "factor": factor,
            "browser": browser,
            "link": around.link("own_assistant" if what in ASSISTANTS else "own_sign_in"),
        }
    )


def factor_restored(db: DbSession, row: Mail, reader: Person, around: Around) -> Letter | None:
    """Whose sign-in an administrator restored, by reference."""
    start = db.get(Factor, row.about)
    if start is None:
        return None
    return Letter(
        {"ref": start.person.ref, "at": start.made_at, "mine": start.made_by == f"person:{reader.id}"}
    )


def factor_waits(db: DbSession, row: Mail, around: Around) -> Letter | None:
    """Who waits to be rung; none once it is settled."""
    factor = db.get(Factor, row.about)
    if factor is None or factor.confirmed_at is not None or factor.ended_at is not None:
        return None
    return Letter({"ref": factor.person.ref, "link": around.link("confirm_factor", factor.person_id)})


def address_changed(db: DbSession, row: Mail, around: Around) -> tuple[str, str, Letter] | None:
    """To the address of before: that it is none of theirs any more."""
    change = db.get(AddressChange, row.about)
    if change is None or not change.before:
        return None
    name = one_line(change.person.name or "")
    return change.before, name, Letter({"called": name, "at": change.at})


CONTEXTS: Mapping[str, Context] = {NEWS: account_news, RESTORED_ONE: factor_restored}
ROLE_CONTEXTS: Mapping[str, RoleContext] = {TO_CONFIRM: factor_waits}
ADDRESSED: Mapping[str, AddressedContext] = {ADDRESS: address_changed}
