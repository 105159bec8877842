"""A part of the walk: a request is worked from the search to the answer, by two officers."""

from typing import Any

from sqlalchemy import select

from portal.cases import intake as desk_cases
from portal.cases.intake import Attachment
from privacy import outside
from privacy.cases import acts, notices
from privacy.cases.letters import CaseLetter
from privacy.cases.redactions import RedactedFile
from privacy.cases.tables import CaseFile, CaseKind, Channel, Event, Way
from privacy.holdings import Store
from privacy.registers import Register, enter
from privacy.work import unit_of_work
from tests.canary_walk import Walk, date_of


def work_request(walk: Walk) -> None:
    """Search, put together, take out, approve, and write every kind of letter."""
    dpo, deputy = (walk.signed_in(walk.address[who]) for who in ("officer", "colleague"))
    at = f"/desk/cases/{_case(walk)}"
    walk.post(dpo, f"{at}/search", status=422, places="made-up")
    walk.post(dpo, f"{at}/search")
    walk.post(dpo, f"{at}/package")
    page = f"{at}/redaction"
    walk.post(dpo, f"{page}/begin", on=page, status=422, files="made-up")
    # What was put together is the first; the letter that came with the case is a PDF, and is withheld.
    walk.post(dpo, f"{page}/begin", on=page)
    walk.post(dpo, f"{page}/add", on=page, status=422, ground="")
    walk.post(dpo, f"{page}/add", on=page, ground="other", inside="y")
    walk.post(dpo, f"{page}/marks", on=page)
    walk.post(dpo, f"{page}/make", on=page)
    walk.send(dpo, f"{page}/approve", {"csrf_token": dpo.get(page).token()}, status=409)
    walk.post(deputy, f"{page}/back", on=page)
    walk.post(dpo, f"{page}/make", on=page)
    walk.post(deputy, f"{page}/approve", on=page)
    copy = walk.one(select(RedactedFile.copy_id).where(RedactedFile.copy_id.is_not(None)))
    walk.post(dpo, f"{page}/copies/{copy}", on=page, status=200)
    walk.post(dpo, f"{page}/again", on=page)
    walk.post(dpo, f"{page}/drop")
    _write(walk, at)


def _case(walk: Walk) -> object:
    """An access request about the leader, which the Controller has decided, and a store outside the software."""
    person_id = walk.person(walk.address["leader"])
    with walk.db() as db, unit_of_work(db, walk.stack.clock, "system:test") as work:
        store = Store("Team mailbox", walk.canaries.word("in the mailbox"), "none", "a year", outside=True)
        outside.describe(work, store)
        case = desk_cases.take_in(
            work,
            walk.stack.instance.programme,
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=work.now,
            asked=walk.canaries.word("asked for all"),
            contact={"name": walk.canaries.word("asker"), "email": walk.canaries.address("asker")},
            subject_id=person_id,
            files=[
                Attachment(walk.canaries.word("scan"), "application/pdf", b"%PDF-1.7"),
                Attachment("note.txt", "text/plain", walk.canaries.word("note").encode()),
            ],
        )
        work.db.flush()
        for sending in notices.of_case(work.db, case.id)[0].sendings:
            notices.delivered(work, sending, at=work.now, evidence={"what": "Taken"})
        entry = enter(work, register=Register.INSTRUCTION, letter="INSTR 2", from_on=work.now.date())
        work.db.flush()
        body = {"decision": walk.canaries.word("decision")}
        acts.happen(work, case_id=case.id, kind=Event.CONTROLLER_DECIDED, body=body, entry_id=entry.id)
        assert work.db.scalar(select(CaseFile.id).where(CaseFile.case_id == case.id).limit(1)) is not None
        return case.id


def _write(walk: Walk, at: str) -> None:
    """Letters by e-mail and by post, a draft that is changed and thrown away, and a template."""
    dpo = walk.signed_in(walk.address["officer"])
    walk.post(dpo, "/desk/letter-templates/acknowledge", status=422, text="{nobody}")
    walk.post(dpo, "/desk/letter-templates/acknowledge")
    asker: dict[str, Any] = {
        "email": walk.canaries.address("letter"),
        "address": walk.canaries.word("street"),
    }
    walk.post(dpo, f"{at}/letters/new/refuse", status=422, **asker, word="")
    for kind in ("acknowledge", "clarify", "extend"):
        walk.post(dpo, f"{at}/letters/new/{kind}", **asker)
    first, second, third = (
        f"{at}/letters/{walk.one(select(CaseLetter.id).where(CaseLetter.number == number))}"
        for number in (1, 2, 3)
    )
    walk.post(dpo, f"{first}/edit", **asker)
    walk.post(dpo, f"{first}/send", on=first)
    today = walk.stack.clock().date()
    on = date_of("on", today.day, today.month, today.year)
    walk.post(dpo, f"{second}/carried", on=second, status=422, way=Way.POST.value, **{**on, "on-day": "32"})
    walk.post(dpo, f"{second}/carried", on=second, way=Way.POST.value, **on)
    walk.post(dpo, f"{third}/discard")
    for path in (f"{at}/letters", first, f"{first}/pdf"):
        assert dpo.http.get(path).status_code == 200, path
    assert walk.deliver(), "the letter goes out"
