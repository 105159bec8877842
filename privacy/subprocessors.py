"""Sub-processors: who works for the processor with the data, and what has to be there before (cl 17.11).

Four things come first: notice to the Controller, its written consent, a written agreement on the same terms, and the
information that it asks for. What was entered stays; the newest entry of a sub-processor holds.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from privacy.clock import london_date
from privacy.registers import Register, RegisterEntry, enter, latest, next_code
from privacy.work import Work

DATES = ("notified_on", "consented_on", "agreed_on", "ended_on")


@dataclass(frozen=True, kw_only=True)
class SubProcessor:
    """A sub-processor as it stands. `hosts` are the mail servers that are its own; `transfer` is on what a transfer
    abroad rests (cl 17.4(d)), empty where the data stays in the United Kingdom."""

    name: str
    does: str
    location: str
    abroad: bool = False
    transfer: str = ""
    hosts: tuple[str, ...] = ()
    notified_on: date | None = None
    consented_on: date | None = None
    consent: str = ""
    agreed_on: date | None = None
    informed: str = ""
    ended_on: date | None = None

    def lacking(self, *, on: date) -> list[str]:
        """What is missing on a day for the data to go there, in words; empty where it may."""
        found = [words for name, words in NEEDED.items() if not _by(getattr(self, name), on)]
        if not self.informed.strip():
            found.append("what the Department was told about it")
        if self.abroad and not self.transfer.strip():
            found.append("on what the transfer abroad rests")
        return found

    def in_force(self, *, on: date) -> bool:
        """Whether it may be used on a day: nothing is missing, and it has not ended."""
        return not self.lacking(on=on) and not self.ended(on=on)

    def ended(self, *, on: date) -> bool:
        """`ended_on` is the last day."""
        return self.ended_on is not None and self.ended_on < on


NEEDED: Mapping[str, str] = {
    "notified_on": "notice to the Department",
    "consented_on": "the Department's written consent",
    "agreed_on": "a written agreement",
}


def _by(day: date | None, on: date) -> bool:
    return day is not None and day <= on


class Refused(ValueError):
    """It cannot be entered like that; `field` names what is wrong."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Kept:
    """A sub-processor with its code, the newest entry, and how often it was entered."""

    code: str
    entry: RegisterEntry
    what: SubProcessor = field(repr=False)


def keep(
    work: Work, what: SubProcessor, *, code: str | None = None, entry_id: UUID | None = None
) -> RegisterEntry:
    """Enter a sub-processor, or under its code what is new about it. Raises Refused or SentBefore."""
    today = london_date(work.now)
    for name in DATES:
        if (day := getattr(what, name)) is not None and name != "ended_on" and day > today:
            raise Refused("This day is still to come. Enter it once it has happened", field=name)
    if what.consented_on is not None:
        if what.notified_on is None or what.consented_on < what.notified_on:
            raise Refused("Consent follows notice: enter the day of the notice first", field="consented_on")
        if not what.consent.strip():
            raise Refused("Enter the reference of the letter of consent", field="consent")
    work.wait_turn("sub-processors")
    body = {**asdict(what), **{name: _iso(getattr(what, name)) for name in DATES}}
    return enter(
        work,
        register=Register.SUB_PROCESSOR,
        letter=code or next_code(work.db, Register.SUB_PROCESSOR, first="S"),
        from_on=today,
        body=json.dumps(body, ensure_ascii=False),
        entry_id=entry_id,
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def sub_processors(db: DbSession) -> list[Kept]:
    """Every sub-processor as it was entered last, by code."""
    return [
        Kept(code, entry, read(entry))
        for code, entry in latest(db, Register.SUB_PROCESSOR).items()
        if entry.body
    ]


def read(entry: RegisterEntry) -> SubProcessor:
    """What an entry says."""
    data: dict[str, Any] = json.loads(entry.body or "{}")
    known = {one.name for one in fields(SubProcessor)}
    days = {name: date.fromisoformat(data[name]) if data.get(name) else None for name in DATES}
    return SubProcessor(
        **{**{key: data[key] for key in data if key in known}, **days, "hosts": tuple(data["hosts"])}
    )


def hosts(db: DbSession, *, on: date) -> Iterator[tuple[str, Kept]]:
    """The mail servers of every sub-processor, in lower case, with whose they are, those of no use too."""
    for kept in sub_processors(db):
        if not kept.what.ended(on=on):
            yield from ((host.lower(), kept) for host in kept.what.hosts)
