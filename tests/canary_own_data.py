"""A part of the walk: what people do about their own data, without an account too, and what a case leads to."""

from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.desk import housekeeping
from portal.models import Person
from privacy import person_exports
from privacy.cases import acts
from privacy.cases.tables import Case, CaseKind, Channel, Event
from privacy.registers import RegisterEntry
from privacy.rights import PersonExport
from privacy.work import unit_of_work
from tests.canary_walk import Walk, date_of
from tests.seconding import second_agrees

HOME = "/your-data"


def look_after_own_data(walk: Walk) -> None:
    """The officer lets people help themselves; the leader corrects, asks, answers and downloads; a stranger asks."""
    dpo, leader = walk.signed_in(walk.address["officer"]), walk.signed_in(walk.address["leader"])
    standing = "/privacy-desk/instructions/standing/new"
    walk.post(dpo, standing, status=422, letter="INSTR 2", **date_of("from_on", 1))
    both: dict[str, Any] = {"own_download": "yes", "own_correction": "yes"}
    walk.post(dpo, standing, letter="INSTR 2", **both, **date_of("from_on", 1))
    walk.post(leader, f"{HOME}/details")
    walk.post(leader, f"{HOME}/address")
    walk.post(leader, f"{HOME}/ask/objection")
    case_id = walk.one(select(Case.id).where(Case.kind == CaseKind.OBJECTION))
    with walk.db() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        question = {"question": walk.canaries.word("what the officer asks the leader")}
        acts.happen(work, case_id=case_id, kind=Event.CLARIFICATION_ASKED, body=question)
    walk.post(leader, f"{HOME}/requests/{case_id}/answer")
    walk.post(leader, f"{HOME}/requests/{case_id}/more")
    walk.post(leader, f"{HOME}/copy", on=HOME)
    sessions = partial(DbSession, walk.stack.engine, info={"vault": walk.stack.instance.vault})
    person_exports.run(housekeeping.desk(walk.stack.instance, sessions))
    person_id = walk.person(walk.address["leader"])
    copy = walk.one(select(PersonExport.id).where(PersonExport.by == f"person:{person_id}"))
    walk.post(leader, f"{HOME}/copies/{copy}", on=f"{HOME}/copy", status=200)
    walk.post(walk.browser(), "/your-rights")
    _act_on_cases(walk)


def _act_on_cases(walk: Walk) -> None:
    """The officer puts right, restricts and erases what is held about the chief executive, from a case each."""
    dpo, person_id = walk.signed_in(walk.address["officer"]), walk.person(walk.address["chief"])
    entry = str(walk.one(select(RegisterEntry.id).where(RegisterEntry.letter == "INSTR 1")))
    at = f"/desk/cases/{_decided(walk, CaseKind.RECTIFICATION, person_id)}/act"
    walk.post(dpo, f"{at}/rectify", entry=entry, item=f"person:{person_id}:name")
    at = f"/desk/cases/{_decided(walk, CaseKind.RESTRICTION, person_id)}/act"
    walk.post(dpo, f"{at}/restrict", entry=entry)
    at = f"/desk/cases/{_decided(walk, CaseKind.ERASURE, person_id)}/act"
    ref = walk.one(select(Person.ref).where(Person.id == person_id))
    walk.post(dpo, f"{at}/erase", entry=entry, confirm=ref)
    with walk.db() as db:
        second_agrees(db, walk.stack.clock)
    walk.post(dpo, f"{at}/erase", entry=entry, confirm=ref)


def _decided(walk: Walk, kind: CaseKind, person_id: UUID) -> UUID:
    """A case that the Controller has decided."""
    entry_id = walk.one(select(RegisterEntry.id).where(RegisterEntry.letter == "INSTR 1"))
    with walk.db() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        case_id = acts.open_case(
            work,
            kind=kind,
            channel=Channel.POST,
            received_at=work.now,
            asked=walk.canaries.word(f"what the chief executive asks, {kind}"),
            subject_id=person_id,
        ).id
        for event, name, cited in (
            (Event.CONTROLLER_NOTIFIED, "evidence", None),
            (Event.CONTROLLER_DECIDED, "decision", entry_id),
        ):
            body = {name: walk.canaries.word(f"{name} of the {kind}")}
            acts.happen(work, case_id=case_id, kind=event, body=body, entry_id=cited)
    return case_id
