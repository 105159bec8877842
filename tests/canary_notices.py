"""A part of the walk: the desk tells the Controller more, sends again, posts, and keeps its rota."""

from sqlalchemy import select

from portal.cases import intake as desk_cases
from portal.models import Duty, Mailbox
from privacy.cases import notices
from privacy.cases.tables import CaseKind, Channel, Notice, Sending
from privacy.work import unit_of_work
from tests.canary_walk import Walk, date_of


def tell_controller(walk: Walk) -> None:
    """A case whose first notice one contact's server refused, and what the desk does then."""
    dpo = walk.signed_in(walk.address["officer"])
    with walk.db() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        case_id = desk_cases.take_in(
            work,
            walk.stack.instance.programme,
            kind=CaseKind.INCIDENT,
            channel=Channel.PHONE,
            received_at=work.now,
            asked=walk.canaries.word("what happened"),
            contact={"name": walk.canaries.word("who reported it")},
        ).id
        refused = work.db.scalars(
            select(Sending).where(Sending.case_id == case_id, Sending.to == Mailbox.DEPARTMENT)
        ).one()
        notices.failed(work, refused, why="The mail server refused the address (550)")
    notice = f"/desk/notices/{walk.one(select(Notice.id).where(Notice.case_id == case_id))}"
    walk.post(dpo, f"{notice}/again")
    today = walk.stack.clock().date()
    on = date_of("on", today.day, today.month, today.year)
    walk.post(dpo, f"{notice}/carried", status=422, **on, at="25:00")
    walk.post(dpo, f"{notice}/carried", **on, at=f"{walk.stack.clock():%H:%M}")
    walk.post(dpo, f"/desk/cases/{case_id}/notices/new", status=422, kind="")
    walk.post(dpo, f"/desk/cases/{case_id}/notices/new")
    days = {**date_of("from_on", today.day, today.month, today.year)}
    until = date_of("to_on", today.day, today.month, today.year)
    walk.post(dpo, "/desk/duty", **days, **until)
    walk.post(dpo, f"/desk/duty/{walk.one(select(Duty.id))}/remove", on="/desk/duty")
    assert walk.deliver(), "notices go out"
