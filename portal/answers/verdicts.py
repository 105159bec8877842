"""Verdicts on examples of impact: read beside a rubric, given, changed, never lost (sch 4 KPIs).

An example is the structured part of a post questionnaire that was sent. What was said of it lies sealed with
the answers, newest last; the trail knows that a verdict was given, not which.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import places
from portal.answers.places import Place
from portal.mentors import serving
from portal.models import Participation, Person, Role, Strand
from privacy.audit import Action
from privacy.work import Work
from surveys import results
from surveys.models import Response, Wave
from surveys.questions import Question
from surveys.results import Read, Verdict

PURPOSE = "verdict"
_PERSON = re.compile(r"person:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
WORDS = {
    Verdict.ACCEPTED: "Accepted",
    Verdict.PARTLY: "Partly",
    Verdict.NOT_YET: "Not yet",
}
RUBRIC = (
    ("It has happened", "Something is different now. A plan or a hope isn't enough."),
    ("Somebody is better off", "It says who: children, families, staff, or the council's own leadership."),
    ("Something shows it", "Data, an audit, an inspection, a decision, or what people say or have seen."),
    ("The leader had a part", "It says what they did, and how the support helped."),
)


class NoExample(LookupError):
    """The response has no example to judge."""


class JudgedMeanwhile(Exception):
    """Somebody else gave a verdict, or the example was corrected, since the page was shown. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose example a response is: the person, None once erased, and who had a hand in giving the support."""

    response_id: UUID
    respondent_id: UUID
    person_id: UUID | None
    given_by: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Item:
    """An example in the list. Who it is from stands in office and council; the name isn't needed to judge."""

    response_id: UUID
    person_id: UUID | None
    given_by: frozenset[UUID]
    ref: str
    role: Role
    council: str
    strand: Strand
    submitted_at: datetime
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One verdict: who gave it, when, and why. `by` is a reference, `by_name` how people call them."""

    verdict: Verdict
    note: str
    by: str
    by_name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Example:
    """An example, opened for its reviewer: questions with the answers in words, verdicts newest first."""

    item: Item
    respondent_id: UUID
    parts: Sequence[tuple[Question, list[str]]]
    judgements: Sequence[Judgement]


def items(db: DbSession) -> list[Item]:
    """Every example, those that wait for a verdict first, longest waiting first."""
    found = [one for one in results.read(db, waves=[Wave.POST]) if one.has_example]
    found_in = places.of(db)
    listed = [_item(one, found_in[one.row.respondent_id]) for one in found]
    return sorted(listed, key=lambda item: (item.verdict is not None, item.submitted_at))


def waiting(db: DbSession) -> int:
    """How many examples have no verdict yet."""
    return sum(one.has_example and not one.judgement for one in results.read(db, waves=[Wave.POST]))


def whose(db: DbSession, *, response_id: UUID) -> Whose | None:
    """Whose example it is, before it is opened; None if it isn't a post questionnaire that was sent."""
    part = db.scalars(
        select(Participation)
        .join(Response, Response.respondent_id == Participation.id)
        .where(Response.id == response_id, Response.wave == Wave.POST, Response.submitted_at.is_not(None))
    ).one_or_none()
    if part is None:
        return None
    given_by = serving.givers(db, [part.package_id]).get(part.package_id, frozenset())
    return Whose(response_id=response_id, respondent_id=part.id, person_id=part.person_id, given_by=given_by)


def example(db: DbSession, *, response_id: UUID) -> Example:
    """One example, opened. Raises NoExample."""
    found = results.read_one(db, response_id=response_id)
    if found is None or not found.has_example:
        raise NoExample(str(response_id))
    place = places.of(db, participation_id=found.row.respondent_id)[found.row.respondent_id]
    names = _names(db, [one["by"] for one in found.judgement])
    given = [
        Judgement(
            verdict=Verdict(one["verdict"]),
            note=one["note"],
            by=one["by"],
            by_name=names.get(one["by"], "Somebody who is no longer known"),
            at=datetime.fromisoformat(one["at"]),
        )
        for one in reversed(found.judgement)
    ]
    return Example(
        item=_item(found, place),
        respondent_id=found.row.respondent_id,
        parts=found.example(),
        judgements=given,
    )


def give(work: Work, *, response_id: UUID, verdict: Verdict, note: str, seen: str | None = None) -> None:
    """Add a verdict; earlier ones stay. `seen` is the `stamp` of what the reviewer read; None is whatever there is.

    The same verdict and note again, by the same person, changes nothing. Raises NoExample, JudgedMeanwhile.
    """
    response = work.db.get(Response, response_id, with_for_update=True, populate_existing=True)
    found = results.read_one(work.db, response_id=response_id)
    if response is None or found is None or response.wave is not Wave.POST or not found.has_example:
        raise NoExample(str(response_id))
    given: list[dict[str, Any]] = [dict(one) for one in found.judgement]
    fresh = {"verdict": verdict.value, "note": note, "by": work.actor, "at": work.now.isoformat()}
    if given and {**given[-1], "at": ""} == {**fresh, "at": ""}:
        return
    if seen is not None and seen != _stamp(found.row.submitted_at, given):
        raise JudgedMeanwhile(str(response_id))
    response.judgement = {**(response.judgement or {}), "verdicts": [*given, fresh]}
    work.record(Action.VERDICT_GIVEN, object=f"response:{response_id}", holder=response.respondent_id)


def stamp(example: Example) -> str:
    """Says of an example as it was read what was written, by when it was sent, and how many verdicts there were."""
    return _stamp(example.item.submitted_at, example.judgements)


def _stamp(submitted_at: datetime, given: Sequence[object]) -> str:
    return f"{submitted_at.isoformat()} {len(given)}"


def _names(db: DbSession, references: Sequence[str]) -> dict[str, str]:
    """Names of the people that references such as `person:id` point at."""
    ids = [found[1] for one in references if (found := _PERSON.fullmatch(one))]
    people = db.scalars(select(Person).where(Person.id.in_(map(UUID, ids))))
    return {f"person:{person.id}": person.name or person.ref for person in people}


def _item(found: Read, place: Place) -> Item:
    newest = found.judgement[-1]["verdict"] if found.judgement else None
    return Item(
        response_id=found.row.id,
        person_id=place.person_id,
        given_by=place.given_by,
        ref=found.row.ref,
        role=place.role,
        council=place.council,
        strand=place.strand,
        submitted_at=found.row.submitted_at,
        verdict=Verdict(newest) if newest else None,
    )
