"""What a notice says, composed when it is saved: titles, facts and sentences in plain values, and the paper of them.

Neutral where others may read along: names and words of a request stand in the paper alone, never in the mail.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from portal.filters import by_when, day_time, when
from portal.models import Mailbox
from portal.programme import Programme
from privacy.cases.story import Clock, ClockName, Holidays, Story
from privacy.cases.tables import Case, CaseKind, Channel, Notice, NoticeKind
from privacy.clock import london_date
from privacy.deadlines import words
from privacy.papers import Block, Paper, facts, heading, paragraph


class Body(TypedDict):
    """A notice in plain values. `said` is what somebody typed for it; empty for the first notice."""

    title: str
    facts: list[tuple[str, str]]
    parts: list[tuple[str, str]]
    said: str


KINDS: Mapping[CaseKind, str] = {
    CaseKind.ACCESS: "a request to see personal data",
    CaseKind.RECTIFICATION: "a request to correct personal data",
    CaseKind.ERASURE: "a request to erase personal data",
    CaseKind.RESTRICTION: "a request to restrict what is done with personal data",
    CaseKind.OBJECTION: "an objection to what is done with personal data",
    CaseKind.PORTABILITY: "a request to take personal data elsewhere",
    CaseKind.COMPLAINT: "a complaint about data protection",
    CaseKind.THIRD_PARTY: "a request of somebody else for personal data",
    CaseKind.REGULATOR: "a letter from the regulator",
    CaseKind.FOI: "a request under the Freedom of Information Act",
    CaseKind.INCIDENT: "a suspected or known incident with personal data",
}
CHANNELS: Mapping[Channel, str] = {
    Channel.PORTAL: "in the portal, signed in",
    Channel.PUBLIC_PAGE: "on the portal's public page; who it is has not been checked",
    Channel.EMAIL: "by e-mail",
    Channel.POST: "by post",
    Channel.PHONE: "by phone",
    Channel.IN_PERSON: "in person",
    Channel.SYSTEM: "noticed by the portal itself",
}
CLOCKS: Mapping[ClockName, str] = {
    ClockName.REQUEST: "Answer due",
    ClockName.INCIDENT: "Report due",
    ClockName.FOI_PASS_ON: "To be passed on by",
    ClockName.FOI_ANSWER: "Answer due under section 10",
    ClockName.COMPLAINT: "Receipt to be acknowledged by",
}
TITLES: Mapping[NoticeKind, str] = {
    NoticeKind.FURTHER: "Further information",
    NoticeKind.OUTCOME: "Outcome of an incident",
    NoticeKind.UNLAWFUL: "An instruction looks unlawful",
}


def called(to: str, programme: Programme) -> str:
    """Who a contact of the programme file is."""
    return {
        Mailbox.DPO: "our data protection officer",
        Mailbox.DEPARTMENT: f"{programme.department}, contract manager",
        Mailbox.CONTROLLER_DPO: f"{programme.department}, data protection officer",
    }[Mailbox(to)]


def phone(to: str, programme: Programme) -> str:
    """The number to ring when mail does not reach a contact."""
    return programme.contacts["phone" if to == Mailbox.DPO else f"{to}_phone"]


def first(case: Case, *, now: datetime, holidays: Holidays) -> Body:
    """That a case is here: what, when, from whom, and until when it is to be dealt with."""
    what = KINDS[case.kind]
    incident = case.kind is CaseKind.INCIDENT
    told = [
        ("What", what[0].upper() + what[1:]),
        ("Discovered" if incident else "Received", when(case.received_at)),
        ("How", CHANNELS[case.channel]),
        ("Written down", day_time(case.entered_at)),
        *((_named(name), str(value)) for name, value in (case.contact or {}).items() if value),
        *_due(Story(case), now=now, holidays=holidays),
    ]
    return Body(
        title=f"Notice of {what}",
        facts=told,
        parts=[
            ("What happened" if incident else "What was asked", case.asked or "Nothing was written down."),
            ("What comes next", _next(case.kind)),
        ],
        said="",
    )


def further(story: Story, *, kind: NoticeKind, text: str, now: datetime, holidays: Holidays) -> Body:
    """What has become known since, in somebody's words."""
    case = story.case
    what = KINDS[case.kind]
    return Body(
        title=f"{TITLES[kind]}: {what}",
        facts=[
            ("What", what[0].upper() + what[1:]),
            ("Discovered" if case.kind is CaseKind.INCIDENT else "Received", when(case.received_at)),
            *_due(story, now=now, holidays=holidays),
        ],
        parts=[("What we can tell you now", text.strip())],
        said=text.strip(),
    )


def _due(story: Story, *, now: datetime, holidays: Holidays) -> list[tuple[str, str]]:
    clocks = story.clocks(now=now, holidays=holidays)
    return [(CLOCKS[clock.name], _until(clock)) for clock in clocks if clock.name in CLOCKS]


def _until(clock: Clock) -> str:
    if clock.deadline is None:
        return ""
    if clock.deadline.due_on is None:
        return by_when(clock.deadline.due_at)
    return words(clock.deadline.due_on) + (", later once an answer has come" if clock.deadline.paused else "")


def _next(kind: CaseKind) -> str:
    match kind:
        case CaseKind.INCIDENT:
            return "We contain it, find out what happened, and tell you more as soon as we know it."
        case CaseKind.FOI:
            return "We do not answer the person who asks. Tell us what information you need from us."
        case _:
            return "We prepare what is needed and wait for your decision. More follows as soon as we know it."


def _named(name: str) -> str:
    return name.replace("_", " ").capitalize()


def reference(notice: Notice) -> str:
    return f"{notice.case.ref}, notice {notice.number}"


def paper(notice: Notice, programme: Programme, *, to: str) -> Paper:
    """The notice as a paper with the references that the contract wants at its head (cl 6.2, 22.1)."""
    body = notice.body or {}
    blocks: list[Block] = [facts([(str(name), str(value)) for name, value in body.get("facts", [])])]
    for title, text in body.get("parts", []):
        blocks += [heading(str(title)), paragraph(str(text))]
    blocks.append(
        paragraph(f"Answers reach us at {programme.contacts['dpo']} and {programme.contacts['phone']}.")
    )
    addressee = called(to, programme)
    return Paper(
        title=str(body.get("title", "")),
        sender=programme.sender,
        on=london_date(notice.made_at),
        references=[
            ("Contract", f"{programme.reference}, {programme.title}"),
            ("Case", notice.case.ref),
            ("Notice", f"{notice.number}, {day_time(notice.made_at)}"),
        ],
        blocks=blocks,
        to=[addressee[0].upper() + addressee[1:]],
        mark="EXERCISE" if notice.case.exercise else "",
    )


def plain(made: Paper) -> str:
    """The same as text, for when no PDF can be made of it."""
    lines = [made.title, ""]
    for block in made.blocks:
        match block.kind:
            case "facts":
                lines += [f"{name}: {value}" for name, value in block.rows]
            case _:
                lines += [block.text]
        lines.append("")
    return "\n".join(lines).strip()
