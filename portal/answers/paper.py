"""Answers from paper, or given before this portal was used: typed in page by page, or taken from a file.

They carry the day they were given on and where they come from. A file is taken whole or not at all:

    email,package,answered_on,source,role_confidence,...

One row for each person; `package` may be empty where somebody is in one package only. The further columns are
codes of questions, with `.detail` and `.quote` where a question has them. A cell holds an option's code or its
words, several of them set apart by semicolons.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import joinedload

from portal import imports
from portal.answers.questionnaires import Asked
from portal.imports import Fault, FileFaults, Row
from portal.models import Package, PackageState, Participation, Person
from privacy.audit import Action
from privacy.clock import london_date
from privacy.columns import AddressKeys
from privacy.records import new_id
from privacy.work import Work
from surveys import responses
from surveys.drafts import start
from surveys.models import Mode, Wave
from surveys.questionnaires import Questionnaire
from surveys.questions import Cleaned, Posted, Question, Value, clean
from surveys.routing import path
from surveys.sittings import Asking, find, sit
from surveys.standings import standings
from surveys.versions import current

COLUMNS = ("email", "package", "answered_on", "source")
WAVES = (Wave.BASELINE, Wave.POST)
SOURCE_AT_MOST = 300
OPEN_TO_PAPER = frozenset(PackageState) - {PackageState.PROPOSED, PackageState.WITHDRAWN}


class AlreadyAnswered(Exception):
    """There are answers already, begun or sent."""


class WrongDay(ValueError):
    """The day on which they were given can't be so."""


@dataclass(frozen=True)
class _Entry:
    line: int
    asking: Asking
    answered_on: date
    source: str
    answers: Mapping[str, Value | None]


def begin(work: Work, asked: Asked, *, answered_on: date, source: str) -> None:
    """Start typing paper answers in; the pages are those that everybody sees.

    Raises AlreadyAnswered or WrongDay.
    """
    fault = _day_fault(answered_on, today=london_date(work.now))
    if fault is not None:
        raise WrongDay(fault)
    if find(work.db, asked.asking) is not None:
        raise AlreadyAnswered
    sitting = sit(work.db, asked.asking)
    response = start(work, sitting, {}, mode=Mode.PAPER, answered_on=answered_on, source=source)
    if response is None:
        raise AlreadyAnswered
    work.record(
        Action.PAPER_STARTED,
        object=f"response:{response.id}",
        holder=asked.participation_id,
        wave=asked.asking.wave,
        answered_on=answered_on,
    )


def check_file(db: DbSession, data: bytes, *, wave: Wave, today: date) -> int:
    """How many people's answers a file holds. Raises FileFaults with every fault; writes nothing."""
    return len(_entries(db, data, wave=wave, today=today))


def import_file(work: Work, data: bytes, *, wave: Wave) -> int:
    """Take the answers of a file as sent; returns how many. Raises FileFaults; then nothing was written."""
    entries = _entries(work.db, data, wave=wave, today=london_date(work.now))
    for entry in entries:
        try:
            responses.submit_answers(
                work,
                entry.asking,
                answers=entry.answers,
                mode=Mode.PAPER,
                answered_on=entry.answered_on,
                source=entry.source,
            )
        except responses.AlreadySent as problem:
            message = "Somebody saved answers of this person at the same moment. Send the file again"
            raise FileFaults([Fault(entry.line, message)]) from problem
    work.record(Action.ANSWERS_IMPORTED, object=f"import:{new_id()}", wave=wave, count=len(entries))
    return len(entries)


def _entries(db: DbSession, data: bytes, *, wave: Wave, today: date) -> list[_Entry]:
    sheet = imports.read(data, columns=COLUMNS, others=True)
    questionnaire = current(db, code=wave.value).questionnaire
    faults = [*sheet.faults, *_unknown_columns(sheet.rows[0], questionnaire)] if sheet.rows else sheet.faults
    people = _people(db, [row["email"] for row in sheet.rows])
    answered = {
        key[0]
        for key in standings(db, [part.id for parts in people.values() for part in parts])
        if key[1] is wave
    }
    entries: list[_Entry] = []
    first: dict[UUID, int] = {}
    for row in sheet.rows:
        entry, found = _entry(row, questionnaire, people, wave=wave, today=today)
        faults = [*faults, *(Fault(row.line, message) for message in found)]
        if entry is None:
            continue
        respondent_id = entry.asking.respondent_id
        if respondent_id in first:
            faults.append(
                Fault(row.line, f"The same person and package stand in line {first[respondent_id]}")
            )
        elif respondent_id in answered:
            faults.append(Fault(row.line, "There are answers of this person already"))
        first.setdefault(respondent_id, row.line)
        entries.append(entry)
    if faults:
        raise FileFaults(faults, sheet.notes)
    return entries


def _unknown_columns(row: Row, questionnaire: Questionnaire) -> list[Fault]:
    known = {
        key for question in questionnaire.questions for key in (question.code, *question.companion_keys())
    }
    return [
        Fault(1, f"The column “{imports.shortened(name)}” is no question of this questionnaire")
        for name in row.cells
        if name not in known and name not in COLUMNS
    ]


def _people(db: DbSession, addresses: Sequence[str]) -> dict[str, list[Participation]]:
    """The participations that can hold answers, by the address as it stands in the file."""
    keys = AddressKeys(db)
    indexes = {address: keys.indexes(address) for address in addresses if address}
    rows = db.execute(
        select(Person.email_index, Participation)
        .join(Participation, Participation.person_id == Person.id)
        .join(Participation.package)
        .where(
            Person.email_index.in_([index for found in indexes.values() for index in found]),
            Package.state.in_(OPEN_TO_PAPER),
        )
        .options(joinedload(Participation.package))
    ).all()
    return {address: [part for index, part in rows if index in found] for address, found in indexes.items()}


def _entry(
    row: Row,
    questionnaire: Questionnaire,
    people: Mapping[str, Sequence[Participation]],
    *,
    wave: Wave,
    today: date,
) -> tuple[_Entry | None, list[str]]:
    part, faults = _participation(row, people)
    answered_on, day_faults = _day(row["answered_on"], today=today)
    faults += day_faults
    if not row["source"] or len(row["source"]) > SOURCE_AT_MOST:
        faults.append(f"The source is missing, or longer than {SOURCE_AT_MOST} characters")
    if part is None or answered_on is None:
        return None, faults
    answers, wrong = _answers(row, questionnaire, role=part.role.value)
    asking = Asking(respondent_id=part.id, wave=wave, role=part.role.value)
    return _Entry(row.line, asking, answered_on, row["source"], answers), faults + wrong


def _participation(
    row: Row, people: Mapping[str, Sequence[Participation]]
) -> tuple[Participation | None, list[str]]:
    parts = [
        part
        for part in people.get(row["email"], ())
        if not row["package"] or part.package.ref.casefold() == row["package"].casefold()
    ]
    if len(parts) == 1:
        return parts[0], []
    shown = imports.shortened(row["email"])
    if parts:
        return None, [f"“{shown}” is in more than one package. Name the package by its reference"]
    return None, [
        f"Nobody with the address “{shown}” takes part" + (" in this package" if row["package"] else "")
    ]


def _day(text: str, *, today: date) -> tuple[date | None, list[str]]:
    try:
        day = imports.read_date(text)
    except ValueError as problem:
        return None, [f"answered_on: {problem}"]
    fault = _day_fault(day, today=today)
    return day, [f"answered_on: {fault}"] if fault is not None else []


def _day_fault(day: date, *, today: date) -> str | None:
    return "The day is still to come" if day > today else None


def _answers(
    row: Row, questionnaire: Questionnaire, *, role: str
) -> tuple[dict[str, Value | None], list[str]]:
    answers: dict[str, Value | None] = {}
    faults: list[str] = []
    for question in questionnaire.questions:
        if not question.asks or not question.asked_of(role):
            continue
        found = _read(question, row)
        if found.error is not None:
            faults.append(f"{question.code}: {found.error}")
        answers.update(found.stored)
    way = path(questionnaire, answers, role=role)
    asked = [question for stop in way.pages for question in stop.questions]
    faults += [
        f"{question.code}: {question.what_is_missing()}"
        for question in asked
        if question.required and answers.get(question.code) is None and question.code not in _at_fault(faults)
    ]
    # What nobody was asked on this path was not left empty.
    kept = {key for question in asked for key in (question.code, *question.companion_keys())}
    return {key: value for key, value in answers.items() if value is not None or key in kept}, faults


def _at_fault(faults: Sequence[str]) -> set[str]:
    return {fault.partition(":")[0] for fault in faults}


def _read(question: Question, row: Row) -> Cleaned:
    """A cell as a form would post it. What is missing is found later, once the path is known."""
    text = row.cells.get(question.code, "")
    posted: dict[str, Sequence[str]] = {
        key: [row.cells.get(key, "")] for key in question.companion_keys() if row.cells.get(key)
    }
    if question.kind == "date":
        posted |= _date_parts(question.code, text)
    elif question.kind == "choices":
        posted[question.code] = [_option(question, part.strip()) for part in text.split(";") if part.strip()]
    else:
        posted[question.code] = [_option(question, text)]
    cleaned = clean(question, posted)
    if cleaned.error is not None and not text:
        return Cleaned(stored=dict.fromkeys((question.code, *question.companion_keys())))
    return cleaned


def _option(question: Question, text: str) -> str:
    """The code of the option that a cell names by its words; else the cell as it is."""
    words = text.casefold()
    return next((option.code for option in question.listed() if option.label.casefold() == words), text)


def _date_parts(code: str, text: str) -> Posted:
    try:
        day = imports.read_date(text)
    except ValueError:
        return {f"{code}.day": [text]} if text else {}
    return {f"{code}.day": [str(day.day)], f"{code}.month": [str(day.month)], f"{code}.year": [str(day.year)]}
