"""A part of the walk: how people set up their sign-in, and what the team and administrators do about it."""

import pyotp
from sqlalchemy import select

from portal.models import Factor, FactorKind, Level
from tests.canary_walk import Walk
from tests.pages_client import PageClient

OWN = "/your-sign-in"
NOT_A_PASSKEY = '{"id":"AA","rawId":"AA","type":"public-key","response":{}}'


def prove_themselves(walk: Walk) -> None:
    """The chief executive and a colleague set up how they sign in; what was lost is restored."""
    team = walk.signed_in(walk.address["admin"])
    desk = f"/team/people/{walk.person(walk.address['chief'])}/sign-in"
    password = walk.canaries.word("a password")
    first = _by_mail(walk, "chief")
    walk.post(first, "/sign-in/start-code", status=422, recovery="0000-0000")
    walk.post(first, "/sign-in/start-code", recovery=_start_code(walk, team, desk))
    walk.post(first, f"{OWN}/password", status=422, new_password="short")
    walk.post(first, f"{OWN}/password", new_password=password)
    page = walk.post(first, f"{OWN}/codes", on=OWN, status=200)
    codes = [page.words(code) for code in page.all("code")]
    second, third = _by_mail(walk, "chief"), _by_mail(walk, "chief")
    walk.post(second, "/sign-in/prove", status=422, password="not the one")
    walk.post(second, "/sign-in/prove", password=password)
    walk.post(third, "/sign-in/recovery-code", status=422, recovery="0000-0000-0000")
    walk.post(third, "/sign-in/recovery-code", recovery=codes[0])
    for act in ("confirm", "refuse"):
        reader = _by_mail(walk, "chief")
        walk.post(reader, f"{OWN}/password", new_password=walk.canaries.word(f"a password to {act}"))
        waiting = walk.one(select(Factor.id).where(Factor.confirmed_at.is_(None), Factor.ended_at.is_(None)))
        walk.post(team, f"{desk}/{waiting}/{act}", on=desk)
    last = _by_mail(walk, "chief", level=Level.PROOF)
    known = walk.one(select(Factor.id).where(Factor.kind == FactorKind.PASSWORD, Factor.ended_at.is_(None)))
    walk.post(last, f"{OWN}/{known}/end", on=OWN)
    walk.post(team, f"{desk}/restore", on=desk, status=200)
    _on_the_way_in(walk)
    _app(walk)
    _passkeys(walk)


def _by_mail(walk: Walk, who: str, *, level: Level = Level.MAIL) -> PageClient:
    return walk.browser().sign_in(walk.person(walk.address[who]), level=level)


def _start_code(walk: Walk, helper: PageClient, desk: str) -> str:
    page = walk.post(helper, f"{desk}/start-code", on=desk, status=200)
    return page.words(page.all("p", class_="govuk-heading-xl")[0])


def _on_the_way_in(walk: Walk) -> None:
    leader = _by_mail(walk, "leader")
    walk.post(leader, "/sign-in/mailbox", status=422, shared="")
    walk.post(leader, "/sign-in/mailbox", shared="no")
    walk.post(leader, "/sign-in/passkey-offer")
    walk.post(leader, f"{OWN}/mailbox", on=OWN)
    token = leader.get("/your-sign-in").token()
    walk.send(leader, "/sign-in/prove/mail", {"csrf_token": token}, status=303)
    walk.send(leader, "/sign-in/prove/demo", {"csrf_token": token}, status=404)


def _app(walk: Walk) -> None:
    administrator = walk.signed_in(walk.address["admin"])
    colleague = _by_mail(walk, "colleague")
    desk = f"/team/people/{walk.person(walk.address['colleague'])}/sign-in"
    walk.post(colleague, "/sign-in/start-code", recovery=_start_code(walk, administrator, desk))
    walk.post(colleague, f"{OWN}/password", new_password=walk.canaries.word("a colleague's password"))
    page = colleague.get(f"{OWN}/app")
    key = page.words(page.all("code")[0])
    walk.post(colleague, f"{OWN}/app", status=422, totp="000000")
    walk.post(colleague, f"{OWN}/app", totp=pyotp.TOTP(key).at(walk.stack.clock()))


def _passkeys(walk: Walk) -> None:
    """What a browser without passkeys can send; with one see tests/security/test_row_06_passkeys.py."""
    leader, nobody = _by_mail(walk, "leader", level=Level.PROOF), walk.browser()
    token, before = leader.get(OWN).token(), nobody.get("/sign-in").token()
    for client, known, path, status in (
        (leader, token, f"{OWN}/passkeys", 303),
        (leader, token, "/sign-in/prove/passkey", 422),
        (nobody, before, "/sign-in/passkey", 422),
    ):
        walk.send(client, f"{path}/begin", {"csrf_token": known}, status=200)
        walk.send(client, path, {"csrf_token": known, "answer": NOT_A_PASSKEY}, status=status)
