"""What the page of one return shows: each step with its state, its day, who answers for it, and the evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal import filters
from portal.cases.page import actor_words
from portal.models import Council, Person
from portal.programme import Programme, contract_period
from portal.returning import countdown, words
from portal.returning.countdown import Due
from privacy.clock import london_date, start_of_day
from privacy.errors import HolderErased
from privacy.returns import acts
from privacy.returns.course import TWO_PEOPLE, Course, ScopeKind, Step
from privacy.returns.tables import DataReturnEvent

GONE = "Gone with the data"
_SHOWN = {"words": "What was said", "how": "How", "reason": "Why"}
"""What of a body is shown, and how it is called; codes and signatures are not."""


@dataclass(frozen=True)
class Written:
    """One event in words: pairs of a label and what stands there."""

    event: DataReturnEvent
    by: str
    facts: Sequence[tuple[str, str]]

    @property
    def when(self) -> str:
        """When it happened: the day alone, where no more is known."""
        at = self.event.at
        is_day = at == start_of_day(london_date(at))
        return filters.day(at) if is_day else filters.day_time(at)


@dataclass(frozen=True)
class Line:
    """One step: whether it is done, next or later; its day; what was written down for it."""

    step: Step
    words: words.Words
    state: str
    due: Due
    written: Sequence[Written]

    @property
    def waits_for_second(self) -> bool:
        """Whether one of two people has answered for it."""
        return self.state == "next" and self.step in TWO_PEOPLE and len(self.written) == 1


@dataclass(frozen=True)
class ReturnPage:
    """Everything on the page of a return."""

    course: Course
    about: str
    lines: Sequence[Line]
    withdrawn: Written | None

    @property
    def next(self) -> Line | None:
        return next((line for line in self.lines if line.state == "next"), None)


def page(db: DbSession, programme: Programme, course: Course, *, now: datetime) -> ReturnPage:
    """The page of a return; reads only."""
    named = _named(db, course)
    today = london_date(now)
    ends_on = contract_period(db, programme, on=today).ends_on
    dues = {due.step: due for due in countdown.dues(course, ends_on, today=today)}
    withdrawn = course.withdrawn
    return ReturnPage(
        course=course,
        about=about(db, course),
        lines=[
            Line(
                step=step,
                words=words.STEPS[step],
                state="done" if course.done(step) else "next" if step is course.next else "later",
                due=dues[step],
                written=[_written(event, named, course) for event in course.of_step(step)],
            )
            for step in course.steps
        ],
        withdrawn=_written(withdrawn, named, course) if withdrawn is not None else None,
    )


def about(db: DbSession, course: Course) -> str:
    """What a return is about, in words: a person by reference alone."""
    match course.scope.kind:
        case ScopeKind.COUNCIL:
            council = db.get(Council, course.scope.id)
            return council.short_name if council is not None else "A council"
        case ScopeKind.PERSON:
            person = db.get(Person, course.scope.id)
            return person.ref if person is not None else "Somebody whose data has gone"
    return "Everything"


def _named(db: DbSession, course: Course) -> Mapping[UUID, str]:
    """Those who acted, by name, in one query."""
    ids = [UUID(event.by[7:]) for event in course.events if event.by.startswith("person:")]
    found = db.scalars(select(Person).where(Person.id.in_(ids))).all() if ids else []
    return {person.id: person.name or person.ref for person in found}


def _written(event: DataReturnEvent, named: Mapping[UUID, str], course: Course) -> Written:
    by = "The command line" if event.by == "system:command" else actor_words(event.by, named)
    return Written(event, by, _facts(event, course))


def _facts(event: DataReturnEvent, course: Course) -> list[tuple[str, str]]:
    found = [("Letter", event.letter)] if event.letter else []
    if event.value_on is not None:
        found.append(("Day", filters.day(event.value_on)))
    found += [
        (label, digest) for label, digest in zip(_digest_labels(event), event.digests or (), strict=False)
    ]
    found += [
        (name.replace("_", " ").capitalize(), f"{count:,}") for name, count in (event.numbers or {}).items()
    ]
    body = _body(event)
    for name, label in _SHOWN.items():
        if body.get(name):
            text = str(body[name])
            found.append((label, words.HOW.get(text, text) if name == "how" else text))
    if event.step is Step.DIRECTION and course.answered(Step.FINGERPRINT):
        found += [("Certificate", str(name)) for name in body.get("names", [])]
    return found


def _digest_labels(event: DataReturnEvent) -> Sequence[str]:
    match event.step:
        case Step.DIRECTION:
            # Shown here, it would be read out from the screen instead of over the telephone.
            return ()
        case Step.FINGERPRINT:
            return ("Fingerprint",) * len(event.digests or ())
        case Step.RECEIPT:
            return ("Digest of package.json", "Digest of the signature")
        case Step.BUILD | Step.VERIFY | Step.HAND_OVER:
            return ("Digest of package.json",)
    return ("Digest",) * len(event.digests or ())


def _body(event: DataReturnEvent) -> Mapping[str, Any]:
    try:
        body: Mapping[str, Any] = event.body or {}
    except HolderErased:
        return {"words": GONE}
    return body


def load(db: DbSession, return_id: UUID) -> Course | None:
    """A return; None where there is none."""
    try:
        return acts.read(db, return_id)
    except LookupError:
        return None
