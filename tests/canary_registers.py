"""A part of the walk: the registers of the desk, the access review, suspicions, and an exercise of an incident."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import suspicions
from portal.models import AccessDecision, Person, Suspicion, SuspicionCause
from portal.registers import access_review
from privacy.audit import Action
from privacy.cases.tables import Case
from privacy.records import new_id
from privacy.registers import Register, RegisterEntry
from privacy.work import unit_of_work
from tests.canary_walk import Walk, date_of

REGISTERS = "/desk/registers"
SCORES: dict[str, Any] = {"likelihood": "3", "severity": "3", "left_likelihood": "2", "left_severity": "2"}


def keep_registers(walk: Walk) -> None:
    """Schedule 3a, remarks, a sub-processor, risks and the parts of the assessment that people write."""
    dpo = walk.signed_in(walk.address["colleague"])
    walk.post(dpo, "/privacy-desk/instructions/schedule-3a", letter="CON 1", **date_of("from_on", 1, 2))
    walk.post(dpo, f"{REGISTERS}/processing/response")
    days: dict[str, Any] = {**date_of("notified_on", 1, 2), **date_of("consented_on", 2, 2)}
    days |= {f"{name}-{part}": "" for name in ("agreed_on", "ended_on") for part in ("day", "month", "year")}
    path = f"{REGISTERS}/sub-processors"
    walk.post(dpo, f"{path}/new", status=422, **(days | date_of("notified_on", 3, 2)))
    walk.post(dpo, f"{path}/new", **days)
    entry = walk.one(select(RegisterEntry.id).where(RegisterEntry.register == Register.SUB_PROCESSOR))
    walk.post(dpo, f"{path}/{entry}", **days)
    path = f"{REGISTERS}/assessment"
    walk.post(dpo, f"{path}/words/necessity")
    walk.post(dpo, f"{path}/risks/new", status=422, **(SCORES | {"left_severity": "5"}))
    walk.post(dpo, f"{path}/risks/new", **SCORES)
    entry = walk.one(select(RegisterEntry.id).where(RegisterEntry.register == Register.RISK))
    walk.post(dpo, f"{path}/risks/{entry}", **SCORES)
    for page in (
        REGISTERS,
        f"{REGISTERS}/processing",
        f"{REGISTERS}/sub-processors",
        path,
        f"{path}/pack.pdf",
    ):
        assert dpo.http.get(page).status_code == 200, page
    walk.post(dpo, "/desk/audit/package", on="/desk/audit", status=200)


def look_into_things(walk: Walk) -> None:
    """Who can see what is confirmed; suspicions are decided; an exercise is held, with people on its list."""
    dpo = walk.signed_in(walk.address["colleague"])
    _review(walk)
    _suspect(walk)
    first, second = (walk.one(_of(cause)) for cause in (SuspicionCause.SEAL, SuspicionCause.DRILL))
    walk.post(dpo, f"/desk/suspicions/{first}/confirm")
    walk.post(dpo, f"/desk/suspicions/{second}/dismiss")
    walk.post(dpo, "/desk/exercises/new", scenario="own")
    case_id = walk.one(select(Case.id).where(Case.exercise))
    path = f"/desk/cases/{case_id}/affected"
    leader = walk.address["leader"]
    walk.post(dpo, path, status=422, packages="")
    walk.post(dpo, path, people=leader, packages="")
    walk.post(dpo, f"{path}/assess", on=path, status=422)
    walk.post(dpo, f"{path}/assess", on=path, table="person")
    walk.post(dpo, f"{path}/remove", on=path, person=str(walk.person(leader)))


def _of(cause: SuspicionCause) -> Any:
    return select(Suspicion.id).where(Suspicion.cause == cause)


def _review(walk: Walk) -> None:
    """In the days in which a review is open, one of the team waits in it."""
    now: datetime = walk.stack.clock.now
    member = walk.person(walk.address["mentor"])
    quarter_on = access_review.quarter_end(now.date())
    walk.stack.clock.now = now.replace(year=quarter_on.year, month=quarter_on.month, day=quarter_on.day)
    dpo = walk.signed_in(walk.address["colleague"])
    walk.post(dpo, f"{REGISTERS}/access", act="confirm", person=str(member))
    walk.stack.clock.now = now
    with walk.db() as db:
        assert (
            db.scalars(select(AccessDecision).where(AccessDecision.person_id == member)).first() is not None
        )
        assert db.get(Person, member) is not None


def _suspect(walk: Walk) -> None:
    """Two things that the worker finds."""
    with walk.db() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        work.record(Action.SEAL_REFUSED, object=f"person:{new_id()}", table="person", column="name_sealed")
        work.record(Action.BACKUP_DRILLED, object=f"backup_run:{new_id()}", name="b", ok=False, seconds=1)

    def sessions() -> DbSession:
        return walk.db()

    suspicions.run(walk.stack.instance, sessions)
