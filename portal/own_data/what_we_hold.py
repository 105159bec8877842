"""What is held about somebody, in words that they use: the register of holdings, put into groups.

What it is called stands here; how much there is, why, and for how long comes from the tables' own declarations. A
table that is not named here is shown under its own name: nothing that is held is left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, func, literal, or_, select, true, union_all
from sqlalchemy.orm import Session as DbSession

from portal.cases import held_words
from portal.own_data import cases as own_cases
from privacy import outside, reach
from privacy.cases.tables import Case
from privacy.records import Keep
from privacy.rights import LegalHold, PersonExport

YOU, SUPPORT, ANSWERS, SIGNING_IN, MAIL, WORK, RIGHTS, OTHER = (
    "Who you are",
    "Your support",
    "Your answers",
    "How you sign in",
    "Mail that we send you",
    "Your work for the programme",
    "What you ask about your data",
    "Records and copies",
)
GROUPS = (YOU, SUPPORT, ANSWERS, SIGNING_IN, MAIL, WORK, RIGHTS, OTHER)

WORDS: Mapping[str, tuple[str, str]] = {
    "person": (YOU, "Your name, e-mail address and phone number, and what you need in a session"),
    "office": (YOU, "Your roles, in which council, from when to when"),
    "delegation": (YOU, "Who books for you"),
    "delegation.assistant_id": (YOU, "Whom you book for"),
    "participation": (SUPPORT, "The support that you take part in"),
    "attendance": (SUPPORT, "Your places in sessions, and whether you came"),
    "goal": (SUPPORT, "Your goals"),
    "goal_event": (SUPPORT, "What became of your goals"),
    "session_note": (SUPPORT, "Notes of your sessions"),
    "offer": (SUPPORT, "Times that were offered to you or by you"),
    "occupied": (SUPPORT, "Quarter hours in which you are booked"),
    "waiting": (SUPPORT, "Your places on waiting lists"),
    "mentor_choice": (SUPPORT, "Why a mentor was chosen"),
    "feed": (SUPPORT, "The link by which your own calendar shows your sessions"),
    "response": (ANSWERS, "Your answers to questionnaires"),
    "response_past": (ANSWERS, "Earlier answers that you changed"),
    "respondent": (ANSWERS, "A number that stands for you where answers are counted"),
    "reopening": (ANSWERS, "That you wanted to change your answers"),
    "share": (ANSWERS, "Answers that you share with your mentor"),
    "share.mentor_id": (WORK, "Answers that are shared with you"),
    "call_request": (ANSWERS, "That you wanted to be rung, and when"),
    "kept_search": (SIGNING_IN, "What you looked for in a list, for a day"),
    "parked_form": (ANSWERS, "A form that we kept for you because you were signed out"),
    "sent_file": (WORK, "A long file that you sent, and what came of it"),
    "sign_in": (SIGNING_IN, "That you asked for a code"),
    "browser_session": (SIGNING_IN, "The browsers that you are or were signed in with"),
    "factor": (SIGNING_IN, "Passkeys, passwords and codes with which you prove that it is you"),
    "guess": (SIGNING_IN, "That somebody tried to prove that it is you"),
    "address_change": (SIGNING_IN, "That your e-mail address was changed"),
    "notice_shown": (SIGNING_IN, "Which privacy notice you were shown"),
    "mail": (MAIL, "When we wrote to you, and what about"),
    "refusal": (MAIL, "That a mail did not reach you"),
    "booking_limit": (WORK, "How many sessions you take on"),
    "hours": (WORK, "The hours that you publish"),
    "leave": (WORK, "When you are away"),
    "package_mentor": (WORK, "The support that you give"),
    "session.mentor_id": (WORK, "The sessions that you give"),
    "session_note.author_id": (WORK, "Notes that you wrote"),
    "mentor_profile": (WORK, "Your profile: what you say of yourself, and your experience"),
    "clearance": (WORK, "Your checks, training and undertakings"),
    "interest": (WORK, "Interests that you declared"),
    "duty": (WORK, "The weekends on which you can be rung"),
    "access_decision": (WORK, "That somebody looked at what you can see here"),
    "casefile_event.person_id": (WORK, "Cases that you were given"),
    "casefile": (RIGHTS, "What you asked"),
    "casefile_event": (RIGHTS, "What was done about it"),
    "casefile_file": (RIGHTS, "Files that belong to it"),
    "casefile_letter": (RIGHTS, "Letters that we wrote to you"),
    "casefile_redaction": (RIGHTS, "That other people's data was taken out of a copy"),
    "casefile_redacted_file": (RIGHTS, "The files from which it was taken out"),
    "casefile_redaction_mark": (RIGHTS, "The places in them"),
    "notice": (RIGHTS, "What we told the Department about it"),
    "notice_sending": (RIGHTS, "How that reached the Department"),
    "casefile_affected": (RIGHTS, "That something which went wrong concerns you"),
    "person_export": (RIGHTS, "Copies of your data that were made"),
    "rectification": (RIGHTS, "What was put right"),
    "legal_hold": (RIGHTS, "That something must be kept for now"),
}
TRAIL = "A record of who did what with your data, and of what you did. It names no names"
COPIES = (
    (
        "Backups: locked copies of all this, in case a computer breaks",
        "To lose nothing",
        "for some weeks",
    ),
    (
        "Entries of your sessions in your own calendar and in that of those you meet",
        "So that you find each other",
        "as long as each likes",
    ),
)
_HOW = {
    "together": ", of your group together",
    "around": ", that you are in",
    "naming": ", where you are named",
}
_CLAUSES = re.compile(r"\s*\([^)]*\)")


@dataclass(frozen=True)
class Item:
    """One kind of thing that is held. `rows` None: it is not counted."""

    what: str
    rows: int | None
    why: str
    keep: str


@dataclass(frozen=True)
class Group:
    """Things that belong together."""

    title: str
    items: Sequence[Item]


def held(db: DbSession, person_id: UUID) -> list[Group]:
    """What is held about somebody, group by group, empty kinds left out; two queries."""
    found: dict[str, list[Item]] = {title: [] for title in GROUPS}
    tables = {table.name: table for table in reach.tables()}
    for row in db.execute(union_all(*_counts(person_id))):
        name, rows = str(row[0]), int(row[1])
        if rows:
            title, what = WORDS.get(name, (OTHER, name.replace("_", " ").replace(".", ", ").capitalize()))
            declared = reach.holding(tables[name.partition(".")[0]])
            found[title].append(Item(what, rows, plain(declared.purpose), declared.keep.words))
    found[OTHER].append(Item(TRAIL, None, "To show that the rules were kept", Keep.ACCOUNTS.words))
    found[OTHER] += [Item(what, None, why, keep) for what, why, keep in COPIES]
    found[OTHER] += [Item(f"{one.name}: {one.holds}", None, "", one.keep) for one in outside.stores(db)]
    return [Group(title, items) for title, items in found.items() if items]


def called(store: str) -> str:
    """What a store of an export is called there: as the page calls it, or as the desk does what is not one's own."""
    table, _, how = store.partition("-")
    if not how and table in WORDS:
        return WORDS[table][1]
    return held_words.words(table) + _HOW.get(how, "")


def _counts(person_id: UUID) -> list[Select[str, int]]:
    own = [
        (table.name, table, and_(reach.about(table, person_id), _may_know(table, person_id)))
        for table in reach.personal_tables()
    ]
    named = [
        (f"{link.table.name}.{link.column.name}", link.table, link.column == person_id)
        for link in reach.mentions()
    ]
    order = {name: number for number, name in enumerate(WORDS)}
    return [
        select(literal(name), func.count()).select_from(table).where(theirs)
        for name, table, theirs in sorted((*own, *named), key=lambda one: order.get(one[0], len(order)))
    ]


def _may_know(table: Table, person_id: UUID) -> ColumnElement[bool]:
    """Rows of cases other than their own requests are kept apart, as `own_cases.ids` says."""
    mine = own_cases.ids(person_id)
    if table.name == Case.__tablename__:
        return table.c.id.in_(mine)
    if "case_id" not in table.c:
        return true()
    of_theirs = table.c.case_id.in_(mine)
    if table.name == PersonExport.__tablename__:
        # One that the desk made for a case of its own tells that there is such a case.
        return or_(of_theirs, table.c.by == f"person:{person_id}")
    return of_theirs if table.name == LegalHold.__tablename__ else or_(table.c.case_id.is_(None), of_theirs)


def plain(purpose: str) -> str:
    """A purpose as the register has it, without its clauses, as a sentence begins."""
    text = _CLAUSES.sub("", purpose)
    return text[:1].upper() + text[1:]
