"""The demo's registers: schedule 3a, sub-processors, risks and remarks, and the access review of each quarter."""

from collections.abc import Callable
from datetime import date, timedelta

from portal.demo.agenda import Act, Agenda
from portal.demo.cast import Cast
from portal.models import Role
from portal.registers import access_review, instructions
from privacy import remarks, risks, subprocessors
from privacy.clock import london_date, wall
from privacy.remarks import Part
from privacy.risks import Risk
from privacy.subprocessors import SubProcessor
from privacy.work import Work

SCHEDULE = {
    "subject": "Support for the leaders of children's services, and finding out whether it helps them.",
    "duration": "As long as the contract runs.",
    "purposes": "Names and addresses to invite people and book time with them; answers to see what changed.",
    "data": "Names, work addresses and numbers, offices, sessions, goals, answers to questionnaires.",
    "people": "Political and corporate leaders of councils, their assistants, mentors, and the programme's staff.",
    "plan": "At the end everything goes back to the Department, and is then destroyed here.",
}
WORDS = {
    Part.PURPOSE: "Leaders get support that fits them, and the Department learns whether it works.",
    Part.NECESSITY: "Without names nobody can be invited; without answers before and after nobody sees a change.",
    Part.PROPORTION: "Figures would do for the reports, so nothing else leaves the programme.",
    Part.CONSULTED: "Two groups of members, before the first questionnaire.",
}
RISKS = (
    Risk(
        title="Candid answers become known",
        harm="A leader says what is wrong in their council, and is held to it in public.",
        measures="Answers are sealed, read by the team alone, and each reading is noted.",
        owner="Data protection officer",
        likelihood=3,
        severity=5,
        left_likelihood=1,
        left_severity=5,
    ),
    Risk(
        title="A mailbox that others read",
        harm="Assistants learn that somebody is asked about their confidence.",
        measures="Mails say nothing of questionnaires; private pages ask for more than a mailed code.",
        owner="Head of the programme team",
        likelihood=4,
        severity=3,
        left_likelihood=2,
        left_severity=3,
    ),
    Risk(
        title="The keys are lost",
        harm="People's goals and answers are gone for good.",
        measures="An escrow for two people, and a drill twice a year.",
        owner="Operator",
        likelihood=2,
        severity=4,
        left_likelihood=1,
        left_severity=4,
    ),
)


def keep_registers(agenda: Agenda, cast: Cast, *, opened_on: date) -> None:
    """What is entered in the first weeks, and then each quarter's review."""
    officer = next(one for one in cast.staff if one.role is Role.DPO)
    administrator = next(one for one in cast.staff if one.role is Role.ADMINISTRATOR)
    moment = wall(opened_on, 15 * 60)
    for number, act in enumerate(_entries(opened_on)):
        agenda.at(moment + timedelta(days=1 + number), act, by=officer)
    quarter_on, today = access_review.quarter_end(opened_on), london_date(agenda.now)
    while quarter_on < today - timedelta(days=5):
        at = wall(quarter_on + timedelta(days=3), 10 * 60)
        agenda.at(at, _reviewing(lambda: officer.known, Role.DPO), by=officer)
        agenda.at(
            at + timedelta(hours=1),
            _reviewing(lambda: administrator.known, Role.ADMINISTRATOR),
            by=administrator,
        )
        quarter_on = access_review.quarter_end(quarter_on + timedelta(days=1))


def _entries(opened_on: date) -> list[Act]:
    host = SubProcessor(
        name="Harbour Hosting Ltd",
        does="Runs the machine on which the portal and its backups lie.",
        location="Leeds, United Kingdom",
        notified_on=opened_on - timedelta(days=40),
        consented_on=opened_on - timedelta(days=25),
        consent="DFE/LETTER/2",
        agreed_on=opened_on - timedelta(days=20),
        informed="Its address, its certificates, and the agreement.",
    )
    scribe = SubProcessor(
        name="Quill Transcripts",
        does="Would write down interviews that are held by telephone.",
        location="Cardiff, United Kingdom",
        notified_on=opened_on - timedelta(days=5),
    )
    return [
        lambda work: _schedule(work, opened_on),
        lambda work: _drop(subprocessors.keep(work, host)),
        lambda work: _drop(subprocessors.keep(work, scribe)),
        lambda work: _drop([risks.keep(work, one) for one in RISKS[:1]]),
        lambda work: _drop(risks.keep(work, RISKS[1])),
        lambda work: _drop(risks.keep(work, RISKS[2])),
        lambda work: _drop([remarks.remark(work, on=part, text=text) for part, text in WORDS.items()]),
        lambda work: _drop(
            remarks.remark(work, on="response", text="Answers are opened one person at a time.")
        ),
    ]


def _schedule(work: Work, opened_on: date) -> None:
    instructions.set_schedule(work, letter="CON 1", from_on=opened_on, rows=SCHEDULE)


def _drop(done: object) -> None:
    """An act returns nothing."""


def _reviewing(who: Callable[[], object], role: Role) -> Act:
    def act(work: Work) -> None:
        today = london_date(work.now)
        found = access_review.review(work.db, quarter_on=access_review.open_on(today), on=today)
        theirs = [
            one.person.id
            for one in found
            if one.person.id != who() and access_review.may_decide([role], about=one.roles)
        ]
        access_review.decide(work, person_ids=theirs, kept=True, roles=[role])

    return act
