"""The list of registers: what each shows, how much is in it, and whether something is left to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.cases import suspicions
from portal.instance import Instance
from portal.mailing import route as mail_route
from portal.registers import access_review, instructions, personnel
from privacy import chain_checks, outside, processing, risks, subprocessors
from privacy.clock import london_date


@dataclass(frozen=True)
class Line:
    """A register: its page, what is in it, and what to look at, empty where all is well."""

    endpoint: str
    name: str
    holds: str
    look_at: str = ""


def index(instance: Instance, db: DbSession, *, now: datetime) -> Sequence[Line]:
    """Every register at a moment; a fixed number of queries."""
    today = london_date(now)
    force = instructions.in_force(db, on=today)
    partners = [one for one in subprocessors.sub_processors(db) if not one.what.ended(on=today)]
    not_yet = sum(not one.what.in_force(on=today) for one in partners)
    staff = personnel.personnel(db, on=today)
    lacking = sum(bool(one.gaps) for one in staff)
    quarter_on = access_review.open_on(today)
    waits = sum(one.waits for one in access_review.review(db, quarter_on=quarter_on, on=today))
    open_risks = [one for one in risks.risks(db) if not one.what.closed]
    high = sum(one.what.left >= risks.HIGH for one in open_risks)
    drafts = suspicions.waiting(db)
    check = chain_checks.last(db)
    route = mail_route.refusal(db, instance.settings, instance.programme, now=now)
    return (
        Line(
            "instructions.index",
            "Instructions and schedule 3a",
            filters.count(len(force.instructions), "instruction in force", "instructions in force"),
            "" if force.version else "No version of schedule 3a is entered",
        ),
        Line(
            "registers.processing_record",
            "Record of processing",
            filters.count(len(processing.activities()), "category", "categories"),
        ),
        Line(
            "privacy_desk.data_map",
            "What is held",
            filters.count(len(outside.stores(db)), "store", "stores") + " outside the software",
        ),
        Line(
            "sub_processors.index",
            "Sub-processors",
            filters.count(len(partners), "sub-processor", "sub-processors"),
            route or (f"{not_yet} not to be used yet" if not_yet else ""),
        ),
        Line(
            "registers.people",
            "Personnel",
            filters.count(len(staff), "person", "people"),
            f"{lacking} lack something" if lacking else "",
        ),
        Line("interests.statement", "Conflicts of interest", "The statement for the Department"),
        Line(
            "access_review.index",
            "Access review",
            f"Quarter to {filters.day(quarter_on)}",
            f"{waits} wait" if waits else "",
        ),
        Line(
            "assessment.show",
            "Impact assessment pack",
            filters.count(len(open_risks), "risk", "risks"),
            f"{high} left high" if high else "",
        ),
        Line(
            "suspicions.index",
            "Suspicions",
            "What the portal itself suspects",
            f"{drafts} wait" if drafts else "",
        ),
        Line("incidents.exercises", "Exercises", "Drills of an incident"),
        Line(
            "auditing.cases",
            "Cases and clocks for the auditor",
            "Kinds, times and clocks, without names",
            "" if check is None or check.ok else "The audit trail does not hold",
        ),
        Line("safekeeping.index", "Keys and backups", "How old, when tried out"),
    )
