"""What the letters of a case say: what fills their templates, by the law of the day, and their paper."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy.orm import Session as DbSession

from portal.cases import letter_templates
from portal.cases import redaction as case_redaction
from portal.cases.calendars import calendars
from portal.programme import Programme
from privacy.cases.letters import CaseLetter
from privacy.cases.redactions import Ground, Round
from privacy.cases.story import ClockName, Holidays, Story
from privacy.cases.tables import CaseEvent, CaseKind, Event
from privacy.clock import london_date
from privacy.deadlines import COMPLAINT_RULE, NEW_REQUEST_RULE, words
from privacy.papers import Paper

REQUESTS: Mapping[CaseKind, str] = {
    CaseKind.ACCESS: "request for a copy of your data",
    CaseKind.RECTIFICATION: "request to put your data right",
    CaseKind.ERASURE: "request to delete your data",
    CaseKind.RESTRICTION: "request to limit how your data is used",
    CaseKind.OBJECTION: "objection to how your data is used",
    CaseKind.PORTABILITY: "request to take your data elsewhere",
    CaseKind.COMPLAINT: "complaint about how your data is used",
    CaseKind.THIRD_PARTY: "request for somebody else's data",
    CaseKind.REGULATOR: "letter",
    CaseKind.FOI: "request for information",
    CaseKind.INCIDENT: "report",
}
_OUTCOMES: Mapping[CaseKind, str] = {
    CaseKind.ACCESS: "A copy of your data comes with this letter.",
    CaseKind.RECTIFICATION: "We have put your data right, and told everybody who had it from us.",
    CaseKind.ERASURE: (
        "We have removed your data from our live systems. In backups it cannot be read once the copies of its keys "
        "have expired; the backups themselves are overwritten after that."
    ),
    CaseKind.RESTRICTION: "We keep your data and do not use it. We write to you before that changes.",
    CaseKind.OBJECTION: "We have stopped using your data in the way you object to.",
    CaseKind.PORTABILITY: "The data that you gave us comes with this letter, in files that other software can read.",
    CaseKind.COMPLAINT: "We have looked into your complaint. This is what we found.",
    CaseKind.THIRD_PARTY: "This is what we can give you, and why.",
    CaseKind.REGULATOR: "This is our answer.",
    CaseKind.FOI: "The Department has authorised us to answer you. This is the information you asked for.",
}
GROUNDS: Mapping[Ground, str] = {
    Ground.OTHER_PERSON: "It is about another person, who has not agreed that you see it",
    Ground.CONFIDENCE: "It was said in confidence",
    Ground.LEGAL_ADVICE: "It is legal advice, or belongs to legal proceedings",
    Ground.OFFENCE: "Seeing it could get in the way of finding out about an offence",
    Ground.OTHER: "Another reason",
}
"""Why something is left out of a copy, as the form asks it and the letter says it."""


def values(db: DbSession, programme: Programme, story: Story, *, now: datetime) -> Mapping[str, str]:
    """What fills a template, but for the words that the writer of the letter gives."""
    case = story.case
    holidays = calendars(db)
    due = _due(story, now=now, holidays=holidays)
    extended = Story(case, [*story.events, CaseEvent(kind=Event.EXTENDED, at=now, number=0)])
    contact = case.contact or {}
    return {
        "name": str(contact.get("name") or "").strip() or "Sir or Madam",
        "case": case.ref,
        "request": REQUESTS[case.kind],
        "received": words(london_date(case.received_at)),
        "today": words(london_date(now)),
        "due": words(due) if due is not None else "",
        "extended_due": _said(_due(extended, now=now, holidays=holidays)),
        "when": _when(due),
        "pause": _pause(story),
        "outcome": _OUTCOMES.get(case.kind, ""),
        "left_out": _left_out(db, story),
        "routes": routes(programme, case.kind, on=london_date(now)),
        "department": programme.department,
        "controller_dpo": programme.contacts["controller_dpo"],
        "dpo": programme.contacts["dpo"],
        "phone": programme.contacts["phone"],
        "contract": programme.reference,
        "service": programme.service_name,
    }


def _due(story: Story, *, now: datetime, holidays: Holidays) -> date | None:
    clocks = story.clocks(now=now, holidays=holidays)
    clock = next((one for one in clocks if one.name is ClockName.REQUEST), None)
    return clock.deadline.due_on if clock is not None and clock.deadline is not None else None


def _said(day: date | None) -> str:
    return words(day) if day is not None else ""


def _when(due: date | None) -> str:
    if due is None:
        return "You get an answer as soon as we have looked into it."
    return f"You get an answer by {words(due)} at the latest."


def _pause(story: Story) -> str:
    paused = story.case.kind is CaseKind.ACCESS and london_date(story.case.received_at) >= NEW_REQUEST_RULE
    return (
        "The days until your answer reaches us do not count towards the time that we have." if paused else ""
    )


def _left_out(db: DbSession, story: Story) -> str:
    """Why something was taken out of the copies, each reason once; never what it was."""
    redaction = case_redaction.current(db, story.case.id)
    if redaction is None or redaction.state is not Round.APPROVED:
        return ""
    grounds = {mark.ground for mark in redaction.marks if mark.taken_out and mark.ground is not Ground.OTHER}
    said = [GROUNDS[ground] for ground in Ground if ground in grounds]
    said += list(
        dict.fromkeys(
            mark.reason
            for mark in redaction.marks
            if mark.taken_out and mark.ground is Ground.OTHER and mark.reason
        )
    )
    withheld = [file.why for file in redaction.files if file.withheld and file.why]
    if withheld:
        said.append(f"{len(withheld)} of the files cannot be given without it")
    if not said:
        return ""
    return "\n".join(["We left something out of the copy. The reasons:", *(f"- {one}" for one in said)])


def routes(programme: Programme, kind: CaseKind, *, on: date) -> str:
    """How to complain, by the law of the day: section 164A of the Data Protection Act 2018 took the place of
    Article 77 on 19 June 2026."""
    office = programme.regulator
    reached = f"{office['name']}, {office['address']}, {office['phone']}, {office['site']}"
    if kind is CaseKind.FOI:
        return (
            f"- Ask the {programme.department} to review the answer: {programme.contacts['department']}.\n"
            f"- Then you can complain to the {reached} (section 50 of the Freedom of Information Act 2000)."
        )
    law = " It has to acknowledge a complaint within 30 days (section 164A of the Data Protection Act 2018)."
    return (
        f"- Complain to the {programme.department}, which decides how your data is used: "
        f"{programme.contacts['controller_dpo']}.{law if on >= COMPLAINT_RULE else ''}\n"
        f"- Complain to the {reached}.\n"
        "- Ask a court to order that the law is kept (section 167 of the Data Protection Act 2018)."
    )


def paper(letter: CaseLetter, programme: Programme, *, on: date) -> Paper:
    """A letter as it is printed."""
    case, to = letter.case, letter.to or {}
    return Paper(
        title=letter.title or "",
        sender=programme.sender,
        on=on,
        references=[("Our reference", case.ref), ("Contract", programme.reference)],
        blocks=letter_templates.blocks(letter.text or ""),
        to=[line for line in (str(to.get("name") or ""), *map(str, to.get("lines") or ())) if line],
        mark="EXERCISE" if case.exercise else "",
    )
