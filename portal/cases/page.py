"""What the page of one case shows: where it stands, its clocks, what happened, and who is meant by each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.cases import calendars as desk_calendars
from portal.cases import clocks as case_clocks
from portal.cases import files as case_files
from portal.cases import matches as case_matches
from portal.cases import words as case_words
from portal.cases.clocks import Line
from portal.cases.files import Kept
from portal.cases.matches import Looked, Match
from portal.models import Person
from privacy.cases import acts
from privacy.cases.rules import NAMING, RULES
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, Event
from privacy.errors import HolderErased
from privacy.registers import RegisterEntry

ERASED = "Erased"


@dataclass(frozen=True)
class Written:
    """One event in words. `words` are pairs of a label and what was typed; `letter` the instruction it rests on."""

    event: CaseEvent
    label: str
    by: str
    words: Sequence[tuple[str, str]]
    named: str
    letter: str
    files: Sequence[Kept]


@dataclass(frozen=True)
class CasePage:
    """Everything on the page of a case, newest event first."""

    story: Story
    asked: str
    contact: Mapping[str, Any]
    lines: Sequence[Line]
    events: Sequence[Written]
    files: Sequence[Kept]
    matches: Sequence[Match]
    about: Person | None
    account: Person | None
    owner: str
    deputy: str
    repeats: Case | None
    by: str

    @property
    def case(self) -> Case:
        return self.story.case


def page(db: DbSession, story: Story, *, now: datetime) -> CasePage:
    """The page of a case; reads only."""
    case = story.case
    people = _people(db, story)
    contact = case_matches.contact_of(story)
    files = case_files.of_case(db, case)
    named = {person_id: person.name or person.ref for person_id, person in people.items()}
    looked = Looked(case.kind, case.received_at, contact, case.subject_id, case.id)
    return CasePage(
        story=story,
        asked=_opened(lambda: case.asked),
        contact=contact,
        lines=case_clocks.of_case(story, now=now, holidays=desk_calendars.calendars(db)),
        events=_written(db, story, named, files),
        files=[file for file in files if file.event_id is None],
        matches=case_matches.matches(db, looked),
        about=people.get(case.subject_id) if case.subject_id is not None else None,
        account=case_matches.belongs_to(db, contact) if case.subject_id is None else None,
        owner=_name(named, story.owner_id),
        deputy=_name(named, story.deputy_id),
        repeats=db.get(Case, case.copy_of) if case.copy_of is not None else None,
        by=actor_words(case.by, named),
    )


def _name(named: Mapping[UUID, str], person_id: UUID | None) -> str:
    return "Nobody" if person_id is None else named.get(person_id, ERASED)


def _opened(read: Any) -> str:
    """Words that were sealed; what is said of them once they are erased."""
    try:
        return read() or ERASED
    except HolderErased:
        return ERASED


def _people(db: DbSession, story: Story) -> Mapping[UUID, Person]:
    """Everybody whom the case names, in one query."""
    actors = [story.case.by, *(event.by for event in story.events)]
    ids = {_person_in(actor) for actor in actors} | {event.person_id for event in story.events}
    wanted = [one for one in {*ids, story.case.subject_id} if one is not None]
    return {person.id: person for person in db.scalars(select(Person).where(Person.id.in_(wanted)))}


def _person_in(actor: str) -> UUID | None:
    kind, _, tail = actor.partition(":")
    try:
        return UUID(tail) if kind == "person" else None
    except ValueError:
        return None


def actor_words(actor: str, named: Mapping[UUID, str]) -> str:
    """Who did something: a name, or the portal itself."""
    person_id = _person_in(actor)
    if person_id is None:
        return "The portal"
    return named.get(person_id, "Somebody who was erased")


def _written(
    db: DbSession, story: Story, named: Mapping[UUID, str], files: Sequence[Kept]
) -> Sequence[Written]:
    cited = [event.entry_id for event in story.events if event.entry_id is not None]
    letters = dict(
        db.execute(select(RegisterEntry.id, RegisterEntry.letter).where(RegisterEntry.id.in_(cited))).all()
    )
    return [
        Written(
            event=event,
            label=RULES[event.kind].label,
            by=actor_words(event.by, named),
            words=_words(event),
            named=_name(named, event.person_id) if event.kind in NAMING else "",
            letter=letters.get(event.entry_id, "") if event.entry_id is not None else "",
            files=[file for file in files if file.event_id == event.id],
        )
        for event in reversed(story.events)
    ]


def _words(event: CaseEvent) -> Sequence[tuple[str, str]]:
    """What was typed, field by field; of what a rule needs and is no longer there, that it was erased."""
    try:
        body = event.body or {}
    except HolderErased:
        body = {}
    shown = [
        *RULES[event.kind].body,
        *(name for name in ("left_out", "text") if name not in RULES[event.kind].body),
    ]
    found = [(_label(name, event.kind), str(body[name])) for name in shown if body.get(name)]
    return found if found or not RULES[event.kind].body else [("", ERASED)]


def _label(name: str, kind: Event) -> str:
    if name == "text" and "text" not in RULES[kind].body:
        return "Note"
    return case_words.FIELDS[name].label.rstrip("?")


def load(db: DbSession, case_id: UUID) -> Story | None:
    """The story of a case; None where there is none."""
    try:
        return acts.read(db, case_id)
    except LookupError:
        return None
