"""Lists of cases: narrowed, looked for by reference, as a file; and the desk's own page of what needs doing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.cases import words as case_words
from portal.cases.clocks import Line
from portal.csv_files import Cell, csv_of, yes_no
from portal.models import Person
from privacy.cases import acts
from privacy.cases.story import ClockName, Holidays, Story
from privacy.cases.tables import CaseKind, Event
from privacy.clock import london_date

PER_PAGE = 50


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which cases are asked for. `stand` is open, closed or all; `owner` an id, "nobody", or empty for any."""

    text: str = ""
    kind: CaseKind | None = None
    stand: str = "open"
    owner: str = ""
    late: bool = False
    exercises: bool = True


@dataclass(frozen=True)
class Row:
    """A case as a list shows it. `line` is the clock that runs out first, None where none runs."""

    story: Story
    line: Line | None
    late: bool
    owner: str
    owner_ref: str


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    rows: Sequence[Row]
    page: int
    pages: int
    total: int


def rows(db: DbSession, wanted: Wanted, *, now: datetime) -> list[Row]:
    """The cases that fit, what is due first at the front; closed ones after them, the newest first."""
    closed = {"open": False, "closed": True}.get(wanted.stand)
    kinds = [wanted.kind] if wanted.kind is not None else []
    found = [
        story
        for story in acts.stories(db, closed=closed, kinds=kinds)
        if (wanted.exercises or not story.case.exercise) and _is_owned(story, wanted.owner)
    ]
    people = _people(db, found)
    holidays = desk_calendars.calendars(db)
    made = [
        _row(story, people, now=now, lines=case_clocks.of_case(story, now=now, holidays=holidays))
        for story in found
        if _has_reference(story, wanted.text, people)
    ]
    return sorted((row for row in made if row.late or not wanted.late), key=_order)


def page(found: Sequence[Row], number: int) -> Page:
    """One page of a list; a page that does not exist is the nearest that does."""
    pages = max(1, -(-len(found) // PER_PAGE))
    number = min(max(number, 1), pages)
    return Page(found[(number - 1) * PER_PAGE : number * PER_PAGE], number, pages, len(found))


def _order(row: Row) -> tuple[bool, bool, float]:
    ended = row.story.closed
    if ended is not None:
        return True, True, -ended.at.timestamp()
    if row.line is None:
        return False, True, row.story.case.received_at.timestamp()
    return False, False, (row.line.due_at or row.line.clock.since).timestamp()


def _row(story: Story, people: Mapping[UUID, Person], *, now: datetime, lines: Sequence[Line]) -> Row:
    open_now = story.closed is None
    owner = people.get(story.owner_id) if story.owner_id is not None else None
    return Row(
        story=story,
        line=case_clocks.soonest(lines) if open_now else None,
        late=any(line.is_late for line in lines if line.clock.ours and line.runs) and open_now,
        owner=(owner.name or "") if owner is not None else "",
        owner_ref=owner.ref if owner is not None else "",
    )


def _is_owned(story: Story, owner: str) -> bool:
    if not owner:
        return True
    return story.owner_id is None if owner == "nobody" else str(story.owner_id) == owner


def _has_reference(story: Story, text: str, people: Mapping[UUID, Person]) -> bool:
    """Whether the case, or the person that it is about, has a reference with these letters in it."""
    wanted = text.strip().upper()
    about = people.get(story.case.subject_id) if story.case.subject_id is not None else None
    return not wanted or wanted in story.case.ref or (about is not None and wanted in about.ref)


def _people(db: DbSession, stories: Sequence[Story]) -> Mapping[UUID, Person]:
    """Those who have these cases, and those whom they are about, in one query."""
    named = {story.owner_id for story in stories} | {story.case.subject_id for story in stories}
    ids = [one for one in named if one is not None]
    return {person.id: person for person in db.scalars(select(Person).where(Person.id.in_(ids)))}


def as_csv(found: Sequence[Row]) -> bytes:
    """The list as a file: references and times, nobody's name and no word of anybody."""
    head = (
        "Case",
        "Kind",
        "How it came",
        "Received (London time)",
        "State",
        "Next step",
        "Clock",
        "Due (London time)",
        "Time left",
        "Who has it",
        "Exercise",
    )
    body = (
        (
            row.story.case.ref,
            case_words.SHORT[row.story.case.kind],
            case_words.CHANNELS[row.story.case.channel],
            _received(row.story),
            case_words.STATES[row.story.state][0],
            step.label if (step := row.story.next_step()) is not None else "",
            row.line.label if row.line is not None else "",
            _due(row.line) if row.line is not None else "",
            row.line.left if row.line is not None else "",
            row.owner_ref or "Nobody",
            yes_no(row.story.case.exercise),
        )
        for row in found
    )
    return csv_of(head, body)


def _received(story: Story) -> date | datetime:
    """When it came; the day alone, where nobody knows the time."""
    return london_date(story.case.received_at) if story.by_day else story.case.received_at


def _due(line: Line) -> Cell:
    """When a clock runs out, in a form that can be sorted."""
    deadline = line.clock.deadline
    if deadline is None:
        return line.due
    return deadline.due_on or deadline.due_at


# ---- the desk's own page


@dataclass(frozen=True)
class Late:
    """A clock of ours that ran out, and why, as far as what happened tells."""

    line: Line
    why: Sequence[str]


@dataclass(frozen=True)
class Undecided:
    """A case in which the Controller has to decide, and since when it can."""

    story: Story
    since: datetime


@dataclass(frozen=True)
class Desk:
    """Everything that waits at the desk, each list whole."""

    suspected: Sequence[Story]
    not_told: Sequence[Line]
    late: Sequence[Late]
    due: Sequence[Line]
    theirs: Sequence[Line]
    undecided: Sequence[Undecided]
    unknown: Sequence[Line]
    open: Sequence[Story]

    @property
    def is_quiet(self) -> bool:
        return not (self.suspected or self.not_told or self.late or self.undecided)


def desk(db: DbSession, *, now: datetime) -> Desk:
    """What is due by time left, what is late and why, what the Controller has not decided, and all that is open."""
    stories = acts.stories(db)
    holidays = desk_calendars.calendars(db)
    lines = case_clocks.running(stories, now=now, holidays=holidays)
    timed = [line for line in lines if line.clock.deadline is not None]
    ours = [line for line in timed if line.clock.ours]
    late = [Late(line, _why(line.story)) for line in lines if line.clock.ours and line.is_late]
    return Desk(
        suspected=[story for story in stories if story.is_draft],
        not_told=[line for line in lines if line.clock.name is ClockName.NOTIFY and not line.story.is_draft],
        late=[*late, *_unexplained(stories, now=now, holidays=holidays)],
        due=[line for line in ours if not line.is_late],
        theirs=[line for line in timed if not line.clock.ours],
        undecided=[found for story in stories if (found := _undecided(story)) is not None],
        unknown=[line for line in timed if line.clock.deadline is not None and not line.clock.deadline.known],
        open=[story for story in stories if not story.is_draft],
    )


def _why(story: Story) -> list[str]:
    explained = [said for event in story.of(Event.LATE_EXPLAINED) if (said := _reason(event.body))]
    return [*case_clocks.why_late(story), *(f"Explained: {said}" for said in explained)]


def _reason(body: object) -> str:
    return str(body.get("reason") or "") if isinstance(body, dict) else ""


def _unexplained(stories: Sequence[Story], *, now: datetime, holidays: Holidays) -> list[Late]:
    """Incidents reported later than 24 hours after discovery, which nobody has explained yet (annex 1)."""
    return [
        Late(line, ["It was reported late. The Department wants to know why"])
        for story in stories
        if not story.of(Event.LATE_EXPLAINED)
        for line in case_clocks.of_case(story, now=now, holidays=holidays)
        if line.clock.name is ClockName.INCIDENT and not line.runs and line.is_late
    ]


def _undecided(story: Story) -> Undecided | None:
    step = story.next_step()
    if step is None or step.code != "decide":
        return None
    return Undecided(story, max(event.at for event in story.events))
