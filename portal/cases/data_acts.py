"""What a case leads to: the acts on somebody's data that the Controller decided, each written down in its case.

    rectification            put it right
    restriction, objection   restrict it, or lift that
    erasure                  see what would go, and erase it

Each cites the written instruction that it rests on (cl 17.1, 17.4). What access and portability take is put together
on the case's own page (portal/cases/package.py). An erasure takes the person out of
its own case first: what was asked, and how the answer reaches whoever asked, is needed until the case is closed, and
goes then (`forget_done`).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select
from sqlalchemy.orm import Session as DbSession

from portal.desk import approvals, person_rights, restriction
from portal.models import Person, SecondAct
from privacy import erasure, purge, registers, sent_before
from privacy.audit import Action
from privacy.cases import acts
from privacy.cases.rules import CaseRefused, NotPossible
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, CaseFile, CaseKind, Event
from privacy.clock import Clock, london_date
from privacy.erasure import NobodyThere
from privacy.registers import Register, RegisterEntry
from privacy.rights import Erasure, Rectification
from privacy.work import Work, unit_of_work

ACTOR = "system:case_acts"

Sessions = Callable[[], DbSession]


class CaseAct(StrEnum):
    """What can be done from a case."""

    RECTIFY = "rectify"
    RESTRICT = "restrict"
    LIFT = "lift"
    ERASE = "erase"


WORDS: Mapping[CaseAct, str] = {
    CaseAct.RECTIFY: "Put something right",
    CaseAct.RESTRICT: "Restrict their data",
    CaseAct.LIFT: "Lift the restriction",
    CaseAct.ERASE: "Erase their data",
}
OF_KIND: Mapping[CaseKind, Sequence[CaseAct]] = {
    CaseKind.RECTIFICATION: (CaseAct.RECTIFY,),
    CaseKind.RESTRICTION: (CaseAct.RESTRICT, CaseAct.LIFT),
    CaseKind.OBJECTION: (CaseAct.RESTRICT, CaseAct.LIFT),
    CaseKind.ERASURE: (CaseAct.ERASE,),
}


class NobodyNamed(CaseRefused):
    """It is not known yet whom the case is about."""

    field = "who"


class NotInForce(CaseRefused):
    """The register holds no such instruction that is in force."""

    field = "entry"


def of(story: Story, person: Person | None) -> list[CaseAct]:
    """What can be done from a case now, about the person it names."""
    if person is None or story.case.exercise:
        return []
    skipped = CaseAct.LIFT if person.restricted_at is None else CaseAct.RESTRICT
    if Event.ACTED not in story.possible():
        return []
    return [act for act in OF_KIND.get(story.case.kind, ()) if act is not skipped]


def why_not(story: Story, person: Person | None) -> str:
    """Why nothing can be done from a case, in words; empty where something can."""
    if of(story, person):
        return ""
    if story.case.exercise:
        return "This is an exercise: nobody's data is touched."
    if story.case.kind not in OF_KIND:
        return "Nothing is done with somebody's data in this kind of case."
    if story.closed is not None:
        return "This case is closed."
    if person is None:
        return "Say first whom the case is about."
    return "First comes: the Controller decided."


def subject(db: DbSession, story: Story) -> Person | None:
    """Whom a case is about, while they are there."""
    return db.get(Person, story.case.subject_id) if story.case.subject_id is not None else None


def instructions(db: DbSession, story: Story, *, on: date) -> list[RegisterEntry]:
    """The instructions in force on a day that an act can cite: that of the case's decision first, then the newest."""
    decided = story.last(Event.CONTROLLER_DECIDED)
    ground = decided.entry_id if decided is not None else None
    found = registers.holding(db, Register.INSTRUCTION, on=on)
    return sorted(found, key=lambda entry: entry.id != ground)


# ---- acts


def rectify(
    work: Work,
    *,
    case_id: UUID,
    entry_id: UUID,
    code: str,
    value: str,
    reason: str,
    told: Sequence[str],
    rectification_id: UUID | None = None,
) -> None:
    """Put one value right; the same form again (`rectification_id`, which its event in the case has too) changes
    nothing. Raises a CaseRefused, and what `person_rights.rectify` raises."""
    story, person_id = _begin(work, case_id, CaseAct.RECTIFY)
    put_right = partial(
        person_rights.rectify,
        work,
        person_id=person_id,
        code=code,
        value=value,
        reason=reason,
        told=told,
        rectification_id=rectification_id,
    )
    cited = {"case_id": case_id, "kind": Event.ACTED, "entry_id": entry_id}
    if sent_before.found(work, CaseEvent, rectification_id, **cited) is not None:
        # It only looks whether the rest is the same, too.
        put_right()
        return
    sent_before.require(sent_before.found(work, Rectification, rectification_id) is None)
    entry = _instruction(work, entry_id)
    story.require(Event.ACTED, at=work.now, now=work.now)
    items = person_rights.rectifiable(work.db, person_id)
    said = next((item.said for item in items if item.code == code), code)
    put_right()
    _acted(work, case_id, entry, what=f"Put right: {said}", event_id=rectification_id)


def restrict(work: Work, *, case_id: UUID, entry_id: UUID, lift: bool) -> None:
    """Restrict the person's data, or lift that; what is so already changes nothing. Raises a CaseRefused."""
    story, person_id = _begin(work, case_id, CaseAct.LIFT if lift else CaseAct.RESTRICT)
    if (work.db.get_one(Person, person_id).restricted_at is None) is lift:
        return
    entry = _instruction(work, entry_id)
    story.require(Event.ACTED, at=work.now, now=work.now)
    (restriction.lift if lift else restriction.restrict)(work, person_id=person_id, letter=entry.letter)
    _acted(work, case_id, entry, what="The restriction was lifted" if lift else "Their data was restricted")


def erase(work: Work, *, case_id: UUID, entry_id: UUID) -> Erasure | None:
    """Erase the person's data, as far as no hold keeps it, once a second person agreed; they are asked where nobody
    was, and None comes. Call `erasure.finish` afterwards. Raises a CaseRefused."""
    story, person_id = _begin(work, case_id, CaseAct.ERASE)
    entry = _instruction(work, entry_id)
    story.require(Event.ACTED, at=work.now, now=work.now)
    thing = approvals.person(person_id)
    if not approvals.agreed(work, act=SecondAct.ERASURE, thing=thing, letter=entry.letter):
        return None
    held = erasure.plan(work.db, person_id).held
    _acted(
        work,
        case_id,
        entry,
        what="The erasure was begun; it waits for a hold to be lifted" if held else "Their data was erased",
    )
    # Their row goes: the case, sealed with its own key, stays to be answered and closed.
    story.case.subject_id = None
    work.db.flush()
    return erasure.begin(work, person_id=person_id, letter=entry.letter)


def _begin(work: Work, case_id: UUID, act: CaseAct) -> tuple[Story, UUID]:
    """The case, locked after its person: an erasure locks people before what is about them."""
    person_id = work.db.scalar(select(Case.subject_id).where(Case.id == case_id))
    if person_id is not None and not purge.exists(work.db, person_id, lock=True):
        raise NobodyThere(str(person_id))
    story = acts.read(work.db, case_id, lock=True)
    if act not in OF_KIND.get(story.case.kind, ()) or story.case.exercise:
        raise NotPossible("This is not done in this kind of case")
    if person_id is None or story.case.subject_id != person_id:
        raise NobodyNamed("Say first whom the case is about")
    return story, person_id


def _instruction(work: Work, entry_id: UUID) -> RegisterEntry:
    found = registers.holding(work.db, Register.INSTRUCTION, on=london_date(work.now))
    entry = next((one for one in found if one.id == entry_id), None)
    if entry is None:
        raise NotInForce("The register holds no such instruction that is in force. Enter it first")
    return entry


def _acted(
    work: Work, case_id: UUID, entry: RegisterEntry, *, what: str, event_id: UUID | None = None
) -> None:
    body = {"what": what}
    acts.happen(work, case_id=case_id, kind=Event.ACTED, body=body, entry_id=entry.id, event_id=event_id)


# ---- what goes with the end of an erasure


def forget_done(sessions: Sessions, clock: Clock) -> int:
    """Empty what was asked, and by whom, in cases of erasure that are done and closed: returns how many.

    That the case was, when, what was decided and done stays. Any number of workers may run it at any time.
    """
    with sessions() as db:
        waiting = db.scalars(select(Case.id).where(_to_forget())).all()
        waiting = [case_id for case_id in waiting if case_id in acts.closed(db, waiting)]
    for case_id in waiting:
        with sessions() as db, unit_of_work(db, clock, ACTOR, frozen_too=True) as work:
            case = acts.read(work.db, case_id, lock=True).case
            if work.db.scalar(select(Case.id).where(Case.id == case_id, _to_forget())) is None:
                # Another worker did a moment ago.
                continue
            case.contact, case.asked = None, None
            work.db.execute(delete(CaseFile).where(CaseFile.case_id == case_id, CaseFile.event_id.is_(None)))
            work.record(Action.CASE_EMPTIED, object=f"case:{case_id}", holder=case_id)
    return len(waiting)


def _to_forget() -> ColumnElement[bool]:
    erased = exists().where(CaseEvent.case_id == Case.id, CaseEvent.kind == Event.ACTED)
    return and_(
        Case.kind == CaseKind.ERASURE,
        Case.subject_id.is_(None),
        or_(Case.contact_sealed.is_not(None), Case.asked_sealed.is_not(None)),
        erased,
    )
