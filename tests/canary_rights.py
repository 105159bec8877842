"""The walk's last part: what the data protection officer does with one person's data, and then with all of it."""

from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.desk import housekeeping, key_keeping
from portal.models import Approval, Person, Role
from privacy import person_exports
from privacy.rights import LegalHold, PersonExport
from tests.canary_walk import Walk
from tests.pages_client import PageClient

DESK = "/privacy-desk/people"


def answer_for_data(walk: Walk) -> None:
    """Find, export, put right, restrict, hold and erase a member."""
    officer = walk.canaries.address("officer")
    team = walk.signed_in(walk.address["admin"])
    walk.address["officer"] = officer
    role: dict[str, Any] = {"email": officer, "role": "dpo", "council": ""}
    days: dict[str, Any] = {"starts_on-day": "1", "starts_on-month": "1", "starts_on-year": "2023"}
    none: dict[str, Any] = {"ends_on-day": "", "ends_on-month": "", "ends_on-year": ""}
    walk.post(team, "/team/people/new", **role, **days, **none)
    walk.clear(officer, Role.DPO)
    dpo = walk.signed_in(officer)
    walk.post(dpo, f"{DESK}/instructions", letter="INSTR 1")
    member = walk.address["member"]
    walk.post(dpo, DESK, who=member)
    person_id = walk.person(member)
    at = f"{DESK}/{person_id}"
    walk.post(dpo, f"{at}/export", on=at, letter="INSTR 1")
    somebody_else_agrees(walk, team)
    walk.post(dpo, f"{at}/export", on=at, letter="INSTR 1")
    sessions = partial(DbSession, walk.stack.engine, info={"vault": walk.stack.instance.vault})
    person_exports.run(housekeeping.desk(walk.stack.instance, sessions))
    export = walk.one(select(PersonExport.id))
    walk.post(dpo, f"{at}/export/{export}", on=at, status=200)
    walk.post(dpo, f"{at}/rectify", item=f"person:{person_id}:name")
    walk.post(dpo, f"{at}/restrict", letter="INSTR 1")
    walk.post(dpo, f"{at}/hold")
    ref = walk.one(select(Person.ref).where(Person.id == person_id))
    walk.post(dpo, f"{at}/erase", letter="INSTR 1", confirm=ref)
    somebody_else_agrees(walk, team)
    walk.post(dpo, f"{at}/erase", letter="INSTR 1", confirm=ref)
    walk.post(dpo, f"{at}/hold/{walk.one(select(LegalHold.id))}/lift", why="over")
    key_keeping.rotate(walk.stack.instance, sessions, with_addresses=False)
    walk.post(dpo, "/second-person/keys", on="/second-person", key="K1", letter="INSTR 1")
    asked = walk.one(select(Approval.id).where(Approval.agreed.is_(None)))
    walk.post(team, f"/second-person/{asked}/refuse")


def somebody_else_agrees(walk: Walk, second: PageClient) -> None:
    """The second person, an administrator, agrees to what waits."""
    asked = walk.one(select(Approval.id).where(Approval.agreed.is_(None)))
    walk.post(second, f"/second-person/{asked}/agree", on="/second-person")
