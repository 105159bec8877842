"""Exports: one row for each response that was sent, under a pseudonym, with the answers that count.

A respondent's pseudonym comes from a key and the purpose: it is the same in every export of one purpose, so that
waves can be paired, and another one in another purpose, so that a named file opens no other. Rows are in the order
of respondents' random ids, which tells nothing, and dates are days, not moments.

Rows stream: responses are read in batches, each with its own keys, and nothing of a batch is kept after it. What a
response lacks has a code (`Missing`); a withdrawn response stands as a row without answers, a draft never stands,
and what was never finished in its time (partial) only where it is asked for.
"""

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from privacy.clock import london_date, start_of_day
from privacy.columns import keys_of, unseal_column
from privacy.errors import HolderErased
from privacy.keys import KeyRing
from privacy.keystore import DataKeys
from surveys.export_columns import Cell, Column, cell, columns, label
from surveys.models import SENT, Mode, Respondent, Response, ResponseState, Version, Wave
from surveys.questions import Question, Value
from surveys.restriction import usable
from surveys.routing import path
from surveys.versions import Published, Unpublished, compiled
from surveys.waves import Stand, Window, stand

BATCH = 500
LEAD = (
    *("respondent", "questionnaire", "wave", "occasion", "version"),
    *("state", "late", "mode", "submitted_on", "answered_on"),
)
"""The columns before the answers; what the roof adds stands before these."""

_NUMBERED = re.compile(r".+-([0-9]{1,4})")


class State(StrEnum):
    """How a row counts. PARTIAL: begun, and not finished in its time. Only SUBMITTED is in any figure."""

    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    PARTIAL = "partial"


class Head(NamedTuple):
    """A response as the database has it; its answers are still sealed."""

    id: UUID
    ref: str
    respondent_id: UUID
    audience: str
    wave: Wave
    occasion: str
    version_id: UUID
    state: ResponseState
    mode: Mode
    answered_on: date | None
    submitted_at: datetime | None
    answers_sealed: bytes | None


@dataclass(frozen=True)
class Beside:
    """What only the roof knows of a response: its window, and what a named export adds, by heading."""

    window: Window | None = None
    named: Mapping[str, str] = field(default_factory=dict)


Around = Callable[[Sequence[Head]], Mapping[UUID, Beside]]
"""Looks a batch of responses up, by their ids."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is exported. `named` holds the headings that the roof adds; none is a pseudonymous export."""

    codes: tuple[str, ...]
    partial: bool = False
    named: tuple[str, ...] = ()

    @property
    def purpose(self) -> str:
        return "named" if self.named else "analysis"


@dataclass(frozen=True)
class Row:
    """One response, opened: the answers on its path, and the codes of the questions it was asked."""

    head: Head
    respondent: str
    number: int
    state: State
    late: bool | None
    named: Mapping[str, str]
    published: Published
    answers: Mapping[str, Value]
    asked: frozenset[str]

    def question(self, column: Column) -> Question | None:
        """The question behind a column, in the words that were shown; None where it was not asked."""
        if column.question not in self.asked:
            return None
        return self.published.questionnaire.placed[column.question][1]

    def lead(self) -> dict[str, Cell]:
        """The cells of LEAD, by heading. `late` is 1 or 0, or empty where the wave has no window."""
        sent = self.head.submitted_at
        return {
            "respondent": self.respondent,
            "questionnaire": self.published.code,
            "wave": self.head.wave.value,
            "occasion": self.number,
            "version": self.published.number,
            "state": self.state.value,
            "late": None if self.late is None else int(self.late),
            "mode": self.head.mode.value,
            "submitted_on": london_date(sent) if sent else None,
            "answered_on": self.head.answered_on,
        }

    def cell(self, column: Column) -> Cell:
        """The value of a column as a code, a number, a text or a date."""
        return None if self.state is State.WITHDRAWN else cell(column, self.question(column), self.answers)

    def label(self, column: Column) -> Cell:
        """The same in the words that were shown."""
        return label(column, self.question(column), self.cell(column))


class Bases:
    """Who stands behind the figures of a question: submitted responses, those asked, and those who answered."""

    def __init__(self) -> None:
        self.responses: Counter[UUID] = Counter()
        self.asked: Counter[tuple[UUID, str]] = Counter()
        self.answered: Counter[tuple[UUID, str]] = Counter()
        self.states: Counter[State] = Counter()

    def add(self, row: Row) -> None:
        """Count a row; only what was submitted is a base."""
        self.states[row.state] += 1
        if row.state is State.SUBMITTED:
            version = row.head.version_id
            self.responses[version] += 1
            self.asked.update((version, code) for code in row.asked)
            self.answered.update((version, code) for code in row.asked if code in row.answers)


class Source:
    """Everything that one export reads, as of one moment. Raises Unpublished for a code that nobody published."""

    def __init__(
        self,
        db: Session,
        selection: Selection,
        *,
        now: datetime,
        around: Around,
        tell: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self.db = db
        self.selection = selection
        self.now = now
        self._around = around
        self._tell = tell
        self.versions, self.published_on = _versions(db, selection.codes)
        self._published = {version.id: version for version in self.versions}
        self.columns = columns(self.versions, taken=(*selection.named, *LEAD))
        self._ring = keys_of(db).vault.ring

    def count(self) -> Counter[str]:
        """How many rows it will have, by code of the questionnaire; no answer is opened."""
        rows = self.db.execute(
            select(Response.version_id, func.count())
            .join(Response.respondent)
            .where(Response.version_id.in_(list(self._published)), Response.state.in_(SENT), usable())
            .group_by(Response.version_id)
        )
        found = Counter[str]()
        for version_id, number in rows:
            found[self._published[version_id].code] += number
        if self.selection.partial:
            for heads in self._batches(only=ResponseState.DRAFT):
                beside = self._around(heads)
                states = ((head, self._state(head, beside.get(head.id, Beside()))) for head in heads)
                found.update(
                    self._published[head.version_id].code for head, state in states if state is not None
                )
        return found

    def rows(self) -> Iterator[Row]:
        """Every row, those of one respondent together. Somebody whose key was destroyed is left out."""
        numbers = _Numbers()
        for heads in self._batches():
            # Keys of their own for each batch: those of the session would pile up.
            keys = DataKeys(keys_of(self.db).vault)
            keys.fetch(head.respondent_id for head in heads)
            beside = self._around(heads)
            for head in heads:
                row = self._row(head, numbers.of(head), beside.get(head.id, Beside()), keys)
                if row is not None:
                    yield row
            self._tell(len(heads))

    def _batches(self, *, only: ResponseState | None = None) -> Iterator[list[Head]]:
        asked: Any = (
            select(
                Response.id,
                Response.ref,
                Response.respondent_id,
                Respondent.audience,
                Response.wave,
                Response.occasion,
                Response.version_id,
                Response.state,
                Response.mode,
                Response.answered_on,
                Response.submitted_at,
                Response.answers_sealed,
            )
            .join(Respondent, Respondent.id == Response.respondent_id)
            .where(Response.version_id.in_(list(self._published)), usable())
            .order_by(Response.respondent_id, Response.wave, Response.started_at, Response.id)
        )
        if only is not None:
            asked = asked.where(Response.state == only)
        with self.db.execute(asked.execution_options(yield_per=BATCH)) as found:
            for batch in found.partitions():
                yield [Head(*row) for row in batch]

    def _state(self, head: Head, beside: Beside) -> State | None:
        """How a response stands; None where it is not exported."""
        if head.state in SENT:
            return State(head.state.value)
        if not self.selection.partial or beside.window is None:
            return None
        left = stand(beside.window, now=self.now, started=True, submitted_at=None) is Stand.PARTIAL
        return State.PARTIAL if left else None

    def _row(self, head: Head, number: int, beside: Beside, keys: DataKeys) -> Row | None:
        state = self._state(head, beside)
        if state is None or head.answers_sealed is None:
            return None
        try:
            answers = unseal_column(
                keys, Response.answers_sealed, head.answers_sealed, row=head.id, holder=head.respondent_id
            )
        except HolderErased:
            return None
        published = self._published[head.version_id].as_of(head.submitted_at)
        way = path(published.questionnaire, {} if state is State.WITHDRAWN else answers, role=head.audience)
        return Row(
            head=head,
            respondent=pseudonym(self._ring, head.respondent_id, purpose=self.selection.purpose),
            number=number,
            state=state,
            late=_late(head, beside.window),
            named=beside.named,
            published=published,
            answers=way.counting,
            asked=frozenset(one.code for stop in way.pages for one in stop.questions if one.asks),
        )


class _Numbers:
    """The number of an occasion: its own, or that of the session in the order in which feedback was begun."""

    def __init__(self) -> None:
        self._of: tuple[UUID, Wave] | None = None
        self._number = 0

    def of(self, head: Head) -> int:
        key = (head.respondent_id, head.wave)
        self._number = self._number + 1 if key == self._of else 1
        self._of = key
        own = _NUMBERED.fullmatch(head.occasion)
        return int(own[1]) if own else self._number


def _late(head: Head, window: Window | None) -> bool | None:
    if window is None or head.submitted_at is None:
        return None
    said_at = head.submitted_at if head.answered_on is None else start_of_day(head.answered_on)
    return window.late(said_at)


def pseudonym(ring: KeyRing, respondent_id: UUID, *, purpose: str) -> str:
    """What stands for a respondent; led by a letter, so that no spreadsheet takes it for a number."""
    digest = ring.digest("export", f"respondent|v1|{purpose}", respondent_id.bytes)
    return f"R{base64.b32encode(digest).decode()[:12]}"


def _versions(db: Session, codes: Sequence[str]) -> tuple[list[Published], dict[UUID, date]]:
    """All versions of these questionnaires in the order of the codes, newest first, and when they came out."""
    found = db.execute(
        select(Version.id, Version.code, Version.published_at)
        .where(Version.code.in_(codes))
        .order_by(Version.number.desc())
    ).all()
    lost = set(codes) - {row.code for row in found}
    if lost:
        raise Unpublished(", ".join(sorted(lost)))
    published = compiled(db, [row.id for row in found])
    ordered = [published[row.id] for code in dict.fromkeys(codes) for row in found if row.code == code]
    return ordered, {row.id: london_date(row.published_at) for row in found}
