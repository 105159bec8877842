"""What people read in a package beside the tables: who is who, answers in words, the registers.

It is read from the same moment as the tables, with the rules by which the product reads: a question stands in the words
in which it was asked (cl 15).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import selectinload

from portal.desk.person_reading import parties
from portal.filters import day
from portal.instance import Instance
from portal.models import Office, Participation, Person, Role
from portal.programme import Programme
from portal.registers import audit_cases, record_pages
from privacy import chain_checks, holdings, outside, processing
from privacy.records import Record
from privacy.registers import Register, RegisterEntry
from privacy.returns.chapters import Cell, Chapter, Page, Sheet
from privacy.returns.readable import page
from privacy.returns.selection import Selection
from surveys.models import Respondent, Response
from surveys.questions import Question, display
from surveys.routing import on_path
from surveys.versions import Published, compiled

AT_ONCE = 100
ANSWERS = (
    "response",
    "person",
    "questionnaire",
    "version",
    "wave",
    "occasion",
    "state",
    "key",
    "question",
    "answer",
    "in words",
    "counts",
)


CASES = "Requests, complaints and incidents, with their clocks"
PROCESSING = "The record of processing (Article 30(2))"
MACHINES = "for other software (JSON)"


def chapters(instance: Instance, *, rehearsal: bool) -> list[Chapter]:
    """Every chapter, in the order of the front page."""
    programme = instance.programme
    return [
        Page("readable/people.html", "People", partial(_people, roles=programme.roles, rehearsal=rehearsal)),
        Page("readable/answers.html", "Answers, in words", partial(_said, rehearsal=rehearsal)),
        Sheet("answers", "Answers, a row for each", ANSWERS, _answers),
        *_pages(instance, rehearsal=rehearsal),
        *(_register(register) for register in Register),
        _document("registers/cases.json", f"{CASES}, {MACHINES}", _cases(instance)),
        _document("registers/processing.json", f"{PROCESSING}, {MACHINES}", _record(programme)),
        _document("registers/data-map.json", f"Every column and every store, {MACHINES}", _data_map),
        _document("audit/heads.json", "Heads of the audit trail, as they were taken", _heads),
    ]


def _pages(instance: Instance, *, rehearsal: bool) -> list[Chapter]:
    """Registers and records in words; what is for other software stands beside them."""

    def one(name: str, title: str, read: Callable[[DbSession], Iterable[str]]) -> Page:
        def text(db: DbSession, selection: Selection) -> Iterable[str]:
            return page(title, read(db), rehearsal=rehearsal)

        return Page(f"readable/{name}.html", title, text, of_everything=True)

    def cases(db: DbSession) -> Iterable[str]:
        yield "<p>What was asked, and who asked it, stands in the tables casefile and casefile_event.</p>"
        yield from record_pages.cases(audit_cases.cases(db, now=instance.clock()))

    def processed(db: DbSession) -> Iterable[str]:
        return record_pages.processing(parties(instance.programme), outside.stores(db))

    return [
        one("registers", "Registers, in words", record_pages.registers),
        one("cases", CASES, cases),
        one("processing", PROCESSING, processed),
        one("columns", "Every column of every table, in words", lambda db: record_pages.columns()),
    ]


# ---- people


def _people(
    db: DbSession, selection: Selection, *, roles: Mapping[Role, str], rehearsal: bool
) -> Iterator[str]:
    return page("People", _listed(db, selection, roles), rehearsal=rehearsal)


def _listed(db: DbSession, selection: Selection, roles: Mapping[Role, str]) -> Iterator[str]:
    yield '<table class="list"><caption>Everybody in this package</caption><thead><tr>'
    yield "".join(f'<th scope="col">{one}</th>' for one in ("Reference", "Name", "E-mail", "Offices"))
    yield "</tr></thead><tbody>"
    people = select(Person).options(selectinload(Person.offices).selectinload(Office.council))
    asked = people.order_by(Person.ref).execution_options(yield_per=AT_ONCE)
    for person in db.scalars(asked):
        if not selection.has(Record.metadata.tables[Person.__tablename__], person.id):
            continue
        held = sorted(person.offices, key=lambda one: (one.from_on, str(one.id)))
        offices = "\n".join(_office(one, roles) for one in held)
        texts = (person.name or "erased", person.email or "", offices)
        cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
        yield f'<tr><th scope="row" class="reference">{escape(person.ref)}</th>{cells}</tr>'
    yield "</tbody></table>"


def _office(office: Office, roles: Mapping[Role, str]) -> str:
    where = f", {office.council.name}" if office.council else ""
    until = f" to {day(office.to_on)}" if office.to_on else ""
    return f"{roles[office.role]}{where}, from {day(office.from_on)}{until}"


# ---- answers


@dataclass(frozen=True)
class _Given:
    """A response, who gave it (None: erased), as whom they were asked, and what it answers."""

    response: Response
    person: Person | None
    audience: str
    published: Published


def _answers(db: DbSession, selection: Selection) -> Iterator[Sequence[Cell]]:
    """Every answer that was saved, also what lies off the path; `counts` says whether it counts."""
    for one in _responses(db, selection):
        response, published = one.response, one.published
        answers = response.answers or {}
        counting = on_path(published.questionnaire, answers, role=one.audience)
        for key, value in answers.items():
            question = published.questionnaire.placed.get(key.partition(".")[0], (None, None))[1]
            yield (
                response.ref,
                one.person.ref if one.person else "",
                published.code,
                published.number,
                response.wave.value,
                response.occasion,
                response.state.value,
                key,
                question.wording(one.audience) if question else "",
                _value(value),
                _in_words(question, key, answers),
                key in counting,
            )


def _in_words(question: Question | None, key: str, answers: dict[str, Any]) -> str:
    return "\n".join(display(question, answers)) if question is not None and key == question.code else ""


def _value(value: Any) -> Cell:
    return value if isinstance(value, str | int | float | None) else json.dumps(value, ensure_ascii=False)


def _said(db: DbSession, selection: Selection, *, rehearsal: bool) -> Iterator[str]:
    return page("Answers", _worded(db, selection), rehearsal=rehearsal)


def _worded(db: DbSession, selection: Selection) -> Iterator[str]:
    for one in _responses(db, selection):
        response, questionnaire = one.response, one.published.questionnaire
        title = f"{questionnaire.title}: {response.ref}"
        yield f'<section aria-labelledby="{response.id}"><h2 id="{response.id}">{escape(title)}</h2>'
        sent = f"sent on {day(response.submitted_at)}" if response.submitted_at else "not sent"
        who = f"{one.person.name} ({one.person.ref})" if one.person else "Somebody who was erased"
        yield f"<p>{escape(who)}, {sent}.</p><table><caption>{escape(title)}</caption><tbody>"
        for question in questionnaire.questions:
            if lines := display(question, response.answers or {}):
                text = escape("\n".join(lines))
                yield f'<tr><th scope="row">{escape(question.wording(one.audience))}</th><td>{text}</td></tr>'
        yield "</tbody></table></section>"


def _responses(db: DbSession, selection: Selection) -> Iterator[_Given]:
    """Every response, in the words in which its questions were asked."""
    known: dict[UUID, Published] = {}
    asked = (
        select(Response, Person, Respondent.audience)
        .join(Respondent, Respondent.id == Response.respondent_id)
        .outerjoin(Participation, Participation.id == Respondent.id)
        .outerjoin(Person, Person.id == Participation.person_id)
        .order_by(Response.ref)
    )
    for rows in db.execute(asked.execution_options(yield_per=AT_ONCE)).partitions():
        # The keys of those who came before are not kept.
        db.info.pop("data_keys", None)
        for response, person, audience in rows:
            if selection.has(Record.metadata.tables[Response.__tablename__], response.id):
                if response.version_id not in known:
                    known.update(compiled(db, [response.version_id]))
                published = known[response.version_id].as_of(response.submitted_at)
                yield _Given(response, person, audience, published)


# ---- registers


def _register(register: Register) -> Sheet:
    title = f"{record_pages.REGISTERS[register]}, as a table"
    columns = ("letter", "from", "sets", "items", "grounds", "replaces", "entered at", "by", "words")
    return Sheet(
        f"registers/{register.value}",
        title,
        columns,
        partial(_entries, register=register),
        of_everything=True,
    )


def _entries(db: DbSession, selection: Selection, *, register: Register) -> Iterator[Sequence[Cell]]:
    asked = select(RegisterEntry).where(RegisterEntry.register == register)
    for entry in db.scalars(asked.order_by(RegisterEntry.entered_at, RegisterEntry.id)):
        yield (
            entry.letter,
            entry.from_on.isoformat(),
            entry.value_on.isoformat() if entry.value_on else "",
            json.dumps(entry.items) if entry.items else "",
            json.dumps(entry.grounds) if entry.grounds else "",
            str(entry.replaces_id or ""),
            entry.entered_at.isoformat(),
            entry.by,
            entry.body or "",
        )


def _document(name: str, title: str, read: Callable[[DbSession], object]) -> Page:
    def text(db: DbSession, selection: Selection) -> Iterable[str]:
        return [json.dumps(read(db), ensure_ascii=False, indent=1), "\n"]

    return Page(name, title, text, of_everything=True)


def _cases(instance: Instance) -> Callable[[DbSession], object]:
    def read(db: DbSession) -> object:
        return [audit_cases.document(one) for one in audit_cases.cases(db, now=instance.clock())]

    return read


def _record(programme: Programme) -> Callable[[DbSession], object]:
    return lambda db: processing.record(parties(programme), outside.stores(db))


def _data_map(db: DbSession) -> object:
    return holdings.data_map(outside.stores(db))


def _heads(db: DbSession) -> object:
    return [
        {"at": one.at.isoformat(), "lines": one.lines, "digest": one.digest} for one in chain_checks.heads(db)
    ]
