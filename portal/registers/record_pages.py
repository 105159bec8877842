"""Registers, cases, the record of processing and every column, as pages for whoever reads a returned package or an
audit package.

The same stand beside them as documents and tables for machines. Nothing on them is about one council or one person.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import held_words
from portal.filters import day, day_time
from portal.models import Person
from portal.own_data.self_service import WORDS
from portal.registers.audit_cases import SeenCase
from portal.registers.instructions import BASES, CONDITIONS, ITEMS, ROWS
from privacy import holdings
from privacy.holdings import Store, head
from privacy.person_file import as_read, table_of
from privacy.processing import MEASURES, TRANSFERS, Parties, activities
from privacy.registers import Register, RegisterEntry

REGISTERS: Mapping[Register, str] = {
    Register.CONTRACT_END: "Days on which the contract ends, instead of the one agreed at first",
    Register.INSTRUCTION: "Instructions of the Controller",
    Register.SCHEDULE: "Versions of schedule 3a",
    Register.SUB_PROCESSOR: "Sub-processors",
    Register.RISK: "Risks",
    Register.REMARK: "Remarks on the record of processing and the impact assessment",
    Register.STORE: "Places outside the software where personal data lies",
    Register.LETTER: "Templates of letters",
}
GROUNDS = {**BASES, **CONDITIONS}
COLUMNS = ("Column", "What it holds", "What it is for", "What it is", "How it lies in the database")


# ---- registers


def registers(db: DbSession) -> Iterator[str]:
    """Every entry of every register, in the order in which they were entered."""
    refs = {f"person:{person_id}": ref for person_id, ref in db.execute(select(Person.id, Person.ref))}
    for register, title in REGISTERS.items():
        yield f"<h2>{escape(title)}</h2>"
        asked = select(RegisterEntry).where(RegisterEntry.register == register)
        entries = db.scalars(asked.order_by(RegisterEntry.entered_at, RegisterEntry.id)).all()
        if not entries:
            yield "<p>Nothing was entered.</p>"
        for entry in entries:
            yield from table_of(_called(entry), _entry(entry, refs))


def _called(entry: RegisterEntry) -> str:
    """A letter's reference or a code of ours; a remark is called after what it is about."""
    if entry.register is not Register.REMARK:
        return entry.letter
    about = entry.letter.removeprefix("_")
    return head(about) if about != entry.letter else held_words.words(about)


def _entry(entry: RegisterEntry, refs: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "From", day(entry.from_on)
    if entry.value_on:
        yield "Sets the day", day(entry.value_on)
    yield from ((_item(name), as_read(value)) for name, value in _fields(entry.items).items())
    for name, grounds in _fields(entry.grounds).items():
        yield f"{_item(name)}: rests on", "\n".join(GROUNDS.get(one, one) for one in grounds)
    if entry.replaces_id:
        yield "Replaces", "an earlier entry"
    yield from _words(entry.body or "")
    by = refs.get(entry.by, "the portal" if entry.by.startswith("system:") else "somebody who was erased")
    yield "Entered", f"{day_time(entry.entered_at)}, by {by}"


def _fields(found: object) -> Mapping[str, Any]:
    """Fields of ours; nothing where something else was written: the tables have it as it is."""
    return found if isinstance(found, dict) else {}


def _item(name: str) -> str:
    return next((words for item, words in (*ITEMS.items(), *WORDS.items()) if item.value == name), head(name))


def _words(body: str) -> Iterator[tuple[str, str]]:
    """What was written: a text, or a form of ours with its fields."""
    try:
        found = _fields(json.loads(body))
    except ValueError:
        found = {}
    if not found and body:
        yield "Words", body
    for name, value in found.items():
        if value not in (None, "", []):
            yield ROWS.get(name, head(name)), as_read(value)


# ---- cases


def cases(found: Sequence[SeenCase]) -> Iterator[str]:
    """Requests, complaints and incidents: what happened, and the clocks."""
    if not found:
        yield "<p>There were none.</p>"
    for case in found:
        yield f"<h2>{escape(f'{case.ref}: {case.kind}')}</h2>"
        facts = [
            ("Came by", case.channel),
            ("Received", day_time(case.received_at)),
            ("Written down", day_time(case.entered_at)),
            ("State", case.state),
            ("Exercise", as_read(case.exercise)),
        ]
        yield from table_of(f"{case.ref}: what it is", facts)
        happened = ((day_time(one.at), "\n".join([one.label, *one.words])) for one in case.events)
        yield from table_of(f"{case.ref}: what happened", happened)
        clocks = ((line.label, f"Due: {line.due}\n{line.left}") for line in case.clocks)
        yield from table_of(f"{case.ref}: clocks", clocks)


# ---- the record of processing, and the data map


def processing(parties: Parties, outside: Iterable[Store]) -> Iterator[str]:
    """The record of a processor in words (UK GDPR Article 30(2))."""
    facts = [
        ("Contract", parties.contract),
        ("Processor", f"{parties.processor}, {parties.processor_contact}"),
        ("Its data protection officer", parties.processor_dpo),
        ("Controller", f"{parties.controller}, {parties.controller_contact}"),
        ("Its data protection officer", parties.controller_dpo),
        ("Transfers abroad", TRANSFERS),
        ("Measures", "\n".join(MEASURES)),
    ]
    yield from table_of("For whom, and by whom", facts)
    yield from _listed("Categories of processing", ("What is held", "What for", "Personal data", "Kept"))
    for one in activities():
        data = "; ".join(one.data) or "none beside references"
        yield _row(held_words.words(one.table), one.purpose, data, one.keep)
    yield "</tbody></table>"
    yield from _listed("Where it lies", ("Place", "What lies there", "How it is protected", "Kept"))
    for store in (*holdings.STORES, *outside):
        yield _row(store.name, store.holds, store.protection, store.keep)
    yield "</tbody></table>"


def columns() -> Iterator[str]:
    """Every column of every table in words, as the tables themselves declare it."""
    yield (
        "<p>The names are those of the columns in the CSV files and the JSON lines. What is sealed in the database "
        "stands there in clear.</p>"
    )
    for table, group in groupby(holdings.columns(), key=lambda one: one.table):
        own = list(group)
        yield f'<section aria-labelledby="{escape(table)}"><h2 id="{escape(table)}">{escape(table)}</h2>'
        yield f"<p>{escape(held_words.words(table))}. Kept {escape(own[0].keep)}.</p>"
        yield from _listed(f"Columns of {table}", COLUMNS)
        for one in own:
            lies = "sealed" if one.sealed else "in clear"
            yield _row(one.column.removesuffix("_sealed"), one.holds, one.purpose, one.kind, lies)
        yield "</tbody></table></section>"


def _listed(caption: str, heads: Sequence[str]) -> Iterator[str]:
    yield f'<table class="list"><caption>{escape(caption)}</caption><thead><tr>'
    yield from (f'<th scope="col">{name}</th>' for name in heads)
    yield "</tr></thead><tbody>"


def _row(first: str, *cells: str) -> str:
    others = "".join(f"<td>{escape(text)}</td>" for text in cells)
    return f'<tr><th scope="row">{escape(first)}</th>{others}</tr>'
