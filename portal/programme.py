"""The facts of the programme: dates, targets, windows, words and contacts, read from one file and checked whole.

Everything that the contract sets and the code needs stands in that file, with its clause, and nowhere else.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.access.levels import Reading
from portal.models import Place, Role, SessionKind, Strand
from privacy.clock import add_months, day_words
from privacy.registers import Register, Standing, day_in_force
from surveys.disclosure import Rules
from surveys.waves import Terms


class ProgrammeFaults(Exception):
    """The programme file cannot be used; `faults` holds one line for each key that is wrong."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__(f"{path}: " + "; ".join(faults))
        self.path = path
        self.faults = faults


class OutsideContract(Exception):
    """A package or a session lies outside the contract period; the message names dates and file."""


@dataclass(frozen=True)
class Period:
    """From a day to a day, both included."""

    starts_on: date
    ends_on: date

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.starts_on <= day <= self.ends_on


@dataclass(frozen=True)
class ContractYear:
    """A contract year, named after the calendar years it touches, such as `2021-22`."""

    name: str
    period: Period


@dataclass(frozen=True)
class Kpi:
    """A key performance indicator: its target is a share (sch 4 KPIs)."""

    id: str
    strand: Strand
    target: float
    expected: str
    definition: str


@dataclass(frozen=True)
class Programme:
    """The facts, typed. Times are minutes, hours or days as the name says.

    `standing` is the reference of the letter by which people may do something themselves; empty while there is none.
    `reading` is who needs more than the mailed code to read what is theirs (portal/access/levels.py).
    `own_mail_hosts` are mail servers of the programme itself, as against those of a sub-processor (cl 17.11).
    """

    path: Path
    service_name: str
    sender: str
    reference: str
    title: str
    department: str
    contract: Period
    year_ends: tuple[int, int]
    extension_months_at_most: int
    kpis: Mapping[Strand, Kpi]
    sla: Mapping[str, int]
    disclosure: Rules
    minutes_in_day: int
    minimum_days: int
    review_months: int
    post_months: int
    feedback_days: int
    interim_months: tuple[int, ...]
    interim_days: int
    grace_days: int
    session_minutes: int
    buffer_minutes: int
    travel_minutes: int
    notice_hours: int
    horizon_days: int
    most_per_day: int
    most_per_week: int
    roles: Mapping[Role, str]
    session_kinds: Mapping[SessionKind, str]
    contacts: Mapping[str, str]
    regulator: Mapping[str, str]
    standing: Mapping[Standing, str]
    own_mail_hosts: frozenset[str]
    reading: Reading

    @property
    def minimum_minutes(self) -> int:
        """What a one-to-one package has at least (sch 4 SLAs)."""
        return self.minimum_days * self.minutes_in_day

    def margin_minutes(self, place: Place) -> int:
        """What a mentor's time is kept free for before and after a session: the buffer, or the way there."""
        return self.buffer_minutes if place is Place.REMOTE else max(self.buffer_minutes, self.travel_minutes)


SLA_KEYS = (
    "one_to_one_councils",
    "corporate_councils",
    "political_councils",
    "group_councils",
    "joint_workshops_at_most",
    "action_learning_sets_at_most",
)
CONTACT_KEYS = ("team", "dpo", "department", "controller_dpo")
PHONE_KEYS = ("phone", "department_phone", "controller_dpo_phone")


REGULATOR_KEYS = ("name", "address", "phone", "site")
"""Whom people can complain to; names and addresses of regulators change."""

LETTER_LENGTH = 30
"""Of the reference of a letter, in characters, as the register keeps it."""


LATER: Mapping[str, Mapping[str, Any]] = {
    "disclosure": {
        "smallest_cell": 5,
        "smallest_base": 10,
        "one_answer_base": 20,
        "new_pairs": 10,
        "sources": 3,
    },
    "sign_in": {"second_proof": "shared_mailboxes"},
}
"""Sections that a programme file of an earlier release lacks, as they were shipped."""


class _Reader:
    """Reads keys one by one, remembers what was wrong, and in the end which keys nobody asked for."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.faults: list[str] = []
        self.seen: set[str] = set()

    def read(self, key: str, kind: type, fits: Callable[[Any], bool], words: str) -> Any:
        self.seen.add(key)
        value: Any = self.data
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is None:
            self.faults.append(f"{key} is missing")
        elif type(value) is not kind or not fits(value):
            self.faults.append(f"{key} must be {words}")
        else:
            return value
        return None

    def text(self, key: str) -> str:
        return self.read(key, str, lambda value: bool(value.strip()), "text") or ""

    def address(self, key: str) -> str:
        return self.read(key, str, lambda value: value.count("@") == 1, "an e-mail address of a role") or ""

    def count(self, key: str, least: int = 1) -> int:
        return self.read(key, int, lambda value: value >= least, f"a whole number from {least}") or least

    def months(self, key: str) -> tuple[int, ...]:
        """Whole numbers in rising order; 0 or an empty list for none."""
        self.seen.add(key)
        table, _, name = key.rpartition(".")
        value = self.data.get(table, {}).get(name)
        listed = [] if value == 0 and not isinstance(value, bool) else value
        if value is None:
            self.faults.append(f"{key} is missing")
        elif not isinstance(listed, list) or not _rising(listed):
            self.faults.append(f"{key} must be 0, or a list of whole months in rising order such as [4, 8]")
        else:
            return tuple(listed)
        return ()

    def letter(self, key: str) -> str:
        """The reference of a letter; empty, or left out, while there is none."""
        self.seen.add(key)
        table, _, name = key.rpartition(".")
        value = self.data.get(table, {}).get(name, "")
        if not isinstance(value, str) or len(value) > LETTER_LENGTH:
            self.faults.append(f"{key} must be the reference of a letter, or empty")
            return ""
        return value.strip()

    def hosts(self, key: str) -> frozenset[str]:
        """Names of hosts, in lower case; none where the key is left out."""
        self.seen.add(key)
        table, _, name = key.rpartition(".")
        value = self.data.get(table, {}).get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            self.faults.append(f'{key} must be a list of host names such as ["mail.programme.example"]')
            return frozenset()
        return frozenset(one.strip().lower() for one in value)

    def reading(self, key: str) -> Reading:
        """Who needs a second proof to read what is theirs; those with shared mailboxes where the key is left out."""
        self.seen.add(key)
        table, _, name = key.rpartition(".")
        value = self.data.get(table, {}).get(name, Reading.SHARED_MAILBOXES)
        if value not in set(Reading):
            self.faults.append(f"{key} must be one of {', '.join(Reading)}")
            return Reading.SHARED_MAILBOXES
        return Reading(value)

    def share(self, key: str) -> float:
        return self.read(key, float, lambda value: 0 < value <= 1, "a share such as 0.75") or 1.0

    def day(self, key: str) -> date:
        return self.read(key, date, lambda value: True, "a date such as 2021-06-01") or date.min

    def year_end(self, key: str) -> tuple[int, int]:
        text = self.text(key)
        try:
            parsed = date.fromisoformat(f"2023-{text}")
        except ValueError:
            self.faults.append(f"{key} must be a month and day such as 03-31")
            return (12, 31)
        return (parsed.month, parsed.day)

    def strangers(self) -> None:
        def walk(prefix: str, value: Any) -> None:
            if isinstance(value, Mapping):
                for name, inner in value.items():
                    walk(f"{prefix}.{name}" if prefix else name, inner)
            elif prefix not in self.seen:
                self.faults.append(f"{prefix} is not a known key")

        walk("", self.data)


def _rising(values: list[Any]) -> bool:
    return all(type(value) is int and value >= 1 for value in values) and values == sorted(set(values))


def load(path: Path) -> Programme:
    """Read and check a programme file. Raises ProgrammeFaults with every fault, by key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProgrammeFaults(path, [f"cannot be read ({error.strerror})"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProgrammeFaults(path, [str(error)]) from error
    reader = _Reader({**LATER, **data})
    programme = Programme(
        path=path,
        service_name=reader.text("service.name"),
        sender=reader.text("service.sender"),
        reference=reader.text("contract.reference"),
        title=reader.text("contract.title"),
        department=reader.text("contract.department"),
        contract=Period(reader.day("contract.starts_on"), reader.day("contract.ends_on")),
        year_ends=reader.year_end("contract.year_ends"),
        extension_months_at_most=reader.count("contract.extension_months_at_most"),
        kpis={strand: _kpi(reader, strand) for strand in Strand},
        sla={key: reader.count(f"sla.{key}") for key in SLA_KEYS},
        disclosure=Rules(
            smallest_cell=reader.count("disclosure.smallest_cell", 5),
            smallest_base=reader.count("disclosure.smallest_base", 10),
            one_answer_base=reader.count("disclosure.one_answer_base", 10),
            new_pairs=reader.count("disclosure.new_pairs", 10),
            sources=reader.count("disclosure.sources", 2),
        ),
        minutes_in_day=reader.count("support.minutes_in_day", 60),
        minimum_days=reader.count("support.minimum_days"),
        review_months=reader.count("support.review_months"),
        post_months=reader.count("windows.post_months"),
        feedback_days=reader.count("windows.feedback_days"),
        interim_months=reader.months("windows.interim_months"),
        interim_days=reader.count("windows.interim_days"),
        grace_days=reader.count("windows.grace_days", 0),
        session_minutes=reader.count("booking.session_minutes", 15),
        buffer_minutes=reader.count("booking.buffer_minutes", 0),
        travel_minutes=reader.count("booking.travel_minutes", 0),
        notice_hours=reader.count("booking.notice_hours", 0),
        horizon_days=reader.count("booking.horizon_days"),
        most_per_day=reader.count("booking.most_per_day"),
        most_per_week=reader.count("booking.most_per_week"),
        roles={role: reader.text(f"roles.{role}") for role in Role},
        session_kinds={kind: reader.text(f"session_kinds.{kind}") for kind in SessionKind},
        contacts={
            **{name: reader.address(f"contacts.{name}") for name in CONTACT_KEYS},
            **{name: reader.text(f"contacts.{name}") for name in PHONE_KEYS},
        },
        own_mail_hosts=reader.hosts("mail.own_hosts"),
        reading=reader.reading("sign_in.second_proof"),
        regulator={name: reader.text(f"regulator.{name}") for name in REGULATOR_KEYS},
        standing={act: reader.letter(f"standing_instructions.{act}") for act in Standing},
    )
    if programme.contract.starts_on > programme.contract.ends_on:
        reader.faults.append("contract.ends_on must not be before contract.starts_on")
    for key in ("session_minutes", "buffer_minutes", "travel_minutes"):
        if getattr(programme, key) % 15:
            reader.faults.append(f"booking.{key} must be whole quarter hours")
    reader.strangers()
    if reader.faults:
        raise ProgrammeFaults(path, reader.faults)
    return programme


def _kpi(reader: _Reader, strand: Strand) -> Kpi:
    key = f"kpi.{strand}"
    return Kpi(
        id=reader.text(f"{key}.id"),
        strand=strand,
        target=reader.share(f"{key}.target"),
        expected=reader.text(f"{key}.expected"),
        definition=reader.text(f"{key}.definition"),
    )


def contract_period(db: DbSession, programme: Programme, *, on: date) -> Period:
    """The contract period as it stands on a day: the file's, or what the register says instead (cl 2.2, 10)."""
    ends_on = day_in_force(db, Register.CONTRACT_END, on=on) or programme.contract.ends_on
    return Period(programme.contract.starts_on, ends_on)


def terms(db: DbSession, programme: Programme, *, on: date) -> Terms:
    """What windows are computed with, the contract's end as it stands on a day."""
    return terms_until(programme, contract_period(db, programme, on=on).ends_on)


def terms_until(programme: Programme, ends_on: date) -> Terms:
    """The same with the day on which the contract ends."""
    return Terms(
        post_months=programme.post_months,
        feedback_days=programme.feedback_days,
        interim_months=programme.interim_months,
        interim_days=programme.interim_days,
        grace_days=programme.grace_days,
        contract_ends_on=ends_on,
    )


def latest_end(programme: Programme) -> date:
    """The furthest that an extension can reach (cl 2.2)."""
    return add_months(programme.contract.ends_on, programme.extension_months_at_most)


def require_inside(db: DbSession, programme: Programme, day: date, *, what: str, on: date) -> None:
    """Raises OutsideContract naming the dates and the file they come from."""
    period = contract_period(db, programme, on=on)
    if day not in period:
        raise OutsideContract(
            f"{what} is on {day_words(day)}, outside the contract, which runs from {day_words(period.starts_on)} "
            f"to {day_words(period.ends_on)} (see {programme.path.name})"
        )


def contract_years(period: Period, year_ends: tuple[int, int]) -> list[ContractYear]:
    """The contract years of a period; each ends on the same day of the year, the last with the contract."""
    years = []
    starts_on = period.starts_on
    while starts_on <= period.ends_on:
        ends_on = date(starts_on.year, *year_ends)
        if ends_on < starts_on:
            ends_on = date(starts_on.year + 1, *year_ends)
        ends_on = min(ends_on, period.ends_on)
        name = (
            f"{starts_on.year}-{(starts_on.year + 1) % 100:02d}"
            if starts_on.year < ends_on.year or ((starts_on.month, starts_on.day) > year_ends)
            else f"{starts_on.year - 1}-{starts_on.year % 100:02d}"
        )
        years.append(ContractYear(name, Period(starts_on, ends_on)))
        starts_on = ends_on + timedelta(days=1)
    return years
