"""The rows of a file of running support: read and checked one by one, and gathered by package.

    package,line,council,strand,title,email,role,starts_on,ends_on,days,at,minutes,kind,place,attended,text

`package` is the file's own word for a package, on each of its rows. `line` says what a row tells; cells that it does
not name stay empty.

    package   council (empty: national), strand, title, starts_on, ends_on (if it is over), days (planned),
              text (why it ended with less than the minimum)
    goal      text
    member    email, role, starts_on (else that of the package), ends_on (if they left)
    mentor    email, starts_on (else that of the package), ends_on (if they left)
    session   email (the mentor), starts_on (the day), at (such as 14:30), minutes, kind, place, title,
              attended (addresses set apart by semicolons; empty: everybody)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

from portal import imports
from portal.booking.delivery import MINUTES_AT_MOST, MINUTES_STEP
from portal.imports import Fault, Row
from portal.models import PARTICIPANT, Place, Role, SessionKind, Strand
from portal.packages.goals import GOAL_AT_MOST
from portal.programme import Programme
from privacy.clock import MissingTime, wall

COLUMNS = (
    *("package", "line", "council", "strand", "title", "email", "role", "starts_on", "ends_on"),
    *("days", "at", "minutes", "kind", "place", "attended", "text"),
)
TITLE_AT_MOST = 120
REASON_AT_MOST = 2000
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
Words = TypeVar("Words", bound=StrEnum)


@dataclass(frozen=True)
class MemberRow:
    line: int
    email: str
    role: Role
    from_on: date | None
    to_on: date | None


@dataclass(frozen=True)
class MentorRow:
    line: int
    email: str
    from_on: date | None
    to_on: date | None


@dataclass(frozen=True)
class SessionRow:
    """A session that was held. `attended` holds addresses; empty: everybody who took part then."""

    line: int
    email: str
    starts_at: datetime
    minutes: int
    kind: SessionKind
    place: Place
    title: str
    attended: tuple[str, ...]


@dataclass(frozen=True)
class Head:
    """The row of the package itself. `days` is the planned time."""

    line: int
    council: str
    strand: Strand
    title: str
    starts_on: date
    ends_on: date | None
    days: Decimal
    reason: str


@dataclass
class Gathered:
    """All rows of one package."""

    key: str
    line: int
    head: Head | None = None
    goals: list[str] = field(default_factory=list)
    members: list[MemberRow] = field(default_factory=list)
    mentors: list[MentorRow] = field(default_factory=list)
    sessions: list[SessionRow] = field(default_factory=list)


class WrongCell(ValueError):
    """A cell cannot be read; the message says why."""


def gather(rows: list[Row], programme: Programme) -> tuple[list[Gathered], list[Fault]]:
    """The rows by package, in the order of the file, and what is wrong with single rows."""
    found: dict[str, Gathered] = {}
    faults = []
    for row in rows:
        if not KEY.fullmatch(row["package"]):
            faults.append(Fault(row.line, "The package needs a short word of the file's own, such as A1"))
            continue
        package = found.setdefault(row["package"].casefold(), Gathered(row["package"], row.line))
        try:
            _take(package, row, programme)
        except ValueError as problem:
            faults.append(Fault(row.line, str(problem)))
    faults += [
        Fault(package.line, f"Package {package.key} has no row with the line “package”")
        for package in found.values()
        if package.head is None
    ]
    return list(found.values()), faults


def _take(package: Gathered, row: Row, programme: Programme) -> None:
    match row["line"].casefold():
        case "package":
            if package.head is not None:
                raise WrongCell(f"Package {package.key} has a row already, in line {package.head.line}")
            package.head = _head(row)
        case "goal":
            package.goals.append(_text(row, "text", at_most=GOAL_AT_MOST, needed="The goal is missing"))
        case "member":
            role = _role(row["role"], programme)
            package.members.append(
                MemberRow(row.line, _email(row["email"]), role, _day(row, "starts_on"), _day(row, "ends_on"))
            )
        case "mentor":
            package.mentors.append(
                MentorRow(row.line, _email(row["email"]), _day(row, "starts_on"), _day(row, "ends_on"))
            )
        case "session":
            package.sessions.append(_session(row))
        case _:
            raise WrongCell("The line is one of package, goal, member, mentor and session")


def _head(row: Row) -> Head:
    starts_on, ends_on = _day(row, "starts_on"), _day(row, "ends_on")
    if starts_on is None:
        raise WrongCell("starts_on is missing")
    if ends_on is not None and ends_on < starts_on:
        raise WrongCell("The package ends before it starts")
    return Head(
        line=row.line,
        council=row["council"],
        strand=_word(row["strand"], {"one_to_one": Strand.ONE_TO_ONE, "group": Strand.GROUP}, "strand"),
        title=_text(row, "title", at_most=TITLE_AT_MOST),
        starts_on=starts_on,
        ends_on=ends_on,
        days=_days(row["days"]),
        reason=_text(row, "text", at_most=REASON_AT_MOST),
    )


def _session(row: Row) -> SessionRow:
    day = _day(row, "starts_on")
    if day is None:
        raise WrongCell("The day of the session is missing in starts_on")
    if not row["minutes"].isascii() or not row["minutes"].isdecimal():
        raise WrongCell("minutes must be a whole number")
    minutes = int(row["minutes"][:6])
    if not MINUTES_STEP <= minutes <= MINUTES_AT_MOST or minutes % MINUTES_STEP:
        raise WrongCell("A session lasts from 5 minutes to 8 hours, in steps of 5 minutes")
    kinds = {kind.value: kind for kind in SessionKind}
    return SessionRow(
        line=row.line,
        email=_email(row["email"]),
        starts_at=_instant(day, row["at"]),
        minutes=minutes,
        kind=_word(row["kind"], kinds, "kind"),
        place=_word(row["place"], {place.value: place for place in Place}, "place"),
        title=_text(row, "title", at_most=TITLE_AT_MOST),
        attended=tuple(_email(one.strip()) for one in row["attended"].split(";") if one.strip()),
    )


def _instant(day: date, text: str) -> datetime:
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise WrongCell(f"“{imports.shortened(text)}” is not a time. Write it like 14:30")
    try:
        return wall(day, int(found[1]) * 60 + int(found[2]))
    except MissingTime as problem:
        raise WrongCell("The clocks went forward then: there was no such time") from problem


def _day(row: Row, column: str) -> date | None:
    try:
        return imports.read_date(row[column]) if row[column] else None
    except ValueError as problem:
        raise WrongCell(f"{column}: {problem}") from problem


def _days(text: str) -> Decimal:
    try:
        days = Decimal(text)
    except InvalidOperation as problem:
        raise WrongCell("days must be a number of days, such as 5 or 7.5") from problem
    if not days.is_finite() or not 0 <= days <= 100:
        raise WrongCell("days must be a number from 0 to 100")
    return days


def _email(text: str) -> str:
    if text.count("@") != 1:
        raise WrongCell(
            f"“{imports.shortened(text)}” is not an e-mail address" if text else "email is missing"
        )
    return text


def _role(text: str, programme: Programme) -> Role:
    known = {role.value: role for role in PARTICIPANT} | {
        _folded(programme.roles[role]): role for role in PARTICIPANT
    }
    found = known.get(text) or known.get(_folded(text))
    if found is None:
        raise WrongCell(f"“{imports.shortened(text)}” is not a role of somebody who is supported")
    return found


def _word(text: str, known: Mapping[str, Words], column: str) -> Words:
    found = known.get(_folded(text).replace(" ", "_").replace("-", "_"))
    if found is None:
        raise WrongCell(f"{column} is one of {', '.join(known)}")
    return found


def _text(row: Row, column: str, *, at_most: int, needed: str | None = None) -> str:
    text = row[column]
    if needed is not None and not any(letter.isalnum() for letter in text):
        raise WrongCell(needed)
    if len(text) > at_most or imports.has_control_characters(text):
        raise WrongCell(f"{column} is longer than {at_most:,} characters, or has a line break")
    return text


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").split())
