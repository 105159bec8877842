"""What the desk writes down in a case: events with their files, who has it, whom it is about, how it ends.

The floor says what can happen (privacy/cases); this adds what hangs on it up here: files are kept with the event
they prove, an open request holds the person's data (portal/cases/holds.py), and a case that ends lets it go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session as DbSession

from portal.cases import holds as case_holds
from portal.cases import intake as desk_cases
from portal.cases.holds import LetGo
from portal.cases.intake import Attachment
from portal.desk import person_rights
from portal.models import Person, Role
from portal.people import in_office
from portal.programme import Programme
from privacy import erasure, purge, registers, sent_before
from privacy.cases import acts
from privacy.cases.rules import CaseRefused, Incomplete, OutOfOrder
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseEvent, CaseFile, CaseKind, Channel, Event
from privacy.clock import as_utc, london_date, start_of_day, wall
from privacy.erasure import NoInstruction, NotInForce
from privacy.registers import Register, RegisterEntry
from privacy.work import Work

ENTERING = (Event.CONTROLLER_DECIDED, Event.REPLY_AUTHORISED)
"""The events that are an instruction themselves: its wording goes into the register with them."""
LETTING_GO = (Event.CLOSED, Event.REOPENED, Event.SUBJECT_KNOWN)
"""The events that place or lift a hold."""


class NobodyKnown(CaseRefused):
    """Nobody has this reference or address; `field` is where it was typed."""

    field = "who"


class WouldErase(CaseRefused):
    """An erasure waits behind what the case holds, and nobody has said that it is meant to go on."""

    field = "erases"

    def __init__(self, ref: str) -> None:
        super().__init__(f"An erasure of the data of {ref} waits for this. Tick the box to erase it now")


class OwnCase(CaseRefused):
    """Nobody handles what is about themselves."""

    field = "who"


@dataclass(frozen=True, kw_only=True)
class Happened:
    """One event as a form gives it.

    Without `on` it happened just now; without `minute` (of the London day) some time on that day. `who` is a
    reference or address, `letter` the reference of a written instruction. `erases`: an erasure that waits for the
    case may go on. `event_id` makes a form that is sent twice count once.
    """

    kind: Event
    on: date | None = None
    minute: int | None = None
    body: Mapping[str, str] = field(default_factory=dict)
    value_on: date | None = None
    person_id: UUID | None = None
    who: str | None = None
    letter: str | None = None
    erases: bool = False
    event_id: UUID | None = None
    files: Sequence[Attachment] = ()


def write_down(work: Work, *, case_id: UUID, what: Happened) -> Sequence[LetGo]:
    """Write an event down with its files. Whose data the case held until then, so that an erasure may go on.

    The same form again changes nothing. Raises LookupError without the case, what `acts.happen` raises, NobodyKnown,
    OwnCase, WouldErase or SentBefore.
    """
    person_id = what.person_id
    if what.who is not None:
        person_id = who(work.db, what.who, actor=work.actor, field="who")
    if what.kind in LETTING_GO:
        _lock_people(work, case_id, person_id)
    story = acts.read(work.db, case_id, lock=True)
    if _is_sent(work, story, what, person_id=person_id):
        return ()
    at = _moment(story, what, now=work.now)
    story.require(what.kind, at=at, now=work.now)
    let_go = _let_go(work.db, story.case, what.kind, person_id)
    for followed in let_go:
        if followed.erases and not what.erases:
            raise WouldErase(followed.ref)
    event = acts.happen(
        work,
        case_id=case_id,
        kind=what.kind,
        at=at,
        body={name: text for name, text in what.body.items() if text},
        value_on=what.value_on,
        person_id=person_id,
        entry_id=_cited(work, what, case_id=case_id, on=london_date(at)) if what.letter else None,
        event_id=what.event_id,
    )
    work.db.flush()
    for file in what.files:
        desk_cases.attach(work, case_id=case_id, file=file, event_id=event.id)
    case = work.db.get_one(Case, case_id)
    match what.kind:
        case Event.CLOSED:
            case_holds.lift(work, case)
        case Event.REOPENED:
            case_holds.place(work, case)
        case Event.SUBJECT_KNOWN:
            case_holds.move(work, case)
        case _:
            pass
    return let_go


def _is_sent(work: Work, story: Story, what: Happened, *, person_id: UUID | None) -> bool:
    """Whether the same form has written this down. Raises SentBefore where it said something else."""
    event = acts.sent(work, case_id=story.case.id, kind=what.kind, said=what.body, event_id=what.event_id)
    if event is None:
        return False
    entry = work.db.get(RegisterEntry, event.entry_id) if event.entry_id is not None else None
    sent_before.require(
        (event.person_id, event.value_on) == (person_id, what.value_on)
        and (entry.letter if entry is not None else None) == (what.letter or None)
        and _is_moment(story, event, what)
        and _are_files(work.db, CaseFile.event_id == event.id, what.files)
    )
    return True


def _is_moment(story: Story, event: CaseEvent, what: Happened) -> bool:
    """Whether an event has the moment that a form says; what happened just now says another one each time."""
    if what.on is None:
        return event.at == event.entered_at
    if what.minute is not None:
        return event.at == wall(what.on, what.minute)
    alone = (event.entered_at, story.case.received_at, start_of_day(what.on))
    return london_date(event.at) == what.on and event.at in alone


def _are_files(db: DbSession, which: ColumnElement[bool], files: Sequence[Attachment]) -> bool:
    kept = db.scalars(select(CaseFile).where(which))
    return sorted((one.name or "", one.content or b"") for one in kept) == sorted(
        (file.name, file.content) for file in files
    )


def _let_go(db: DbSession, case: Case, kind: Event, person_id: UUID | None) -> Sequence[LetGo]:
    """What the case will hold no longer once this happened."""
    if kind not in (Event.CLOSED, Event.SUBJECT_KNOWN):
        return ()
    return case_holds.lets_go(db, case, still=person_id if kind is Event.SUBJECT_KNOWN else None)


def _lock_people(work: Work, case_id: UUID, also: UUID | None) -> None:
    """People before cases, as an erasure locks them: otherwise each could wait for the other."""
    about = work.db.scalar(select(Case.subject_id).where(Case.id == case_id))
    for person_id in sorted({one for one in (about, also) if one is not None}):
        purge.exists(work.db, person_id, lock=True)


def _moment(story: Story, what: Happened, *, now: datetime) -> datetime:
    """When it happened. A day alone is its start, but not before the receipt of that day. Raises OutOfOrder."""
    received_at = story.case.received_at
    if what.on is None or (what.minute is None and what.on == london_date(now)):
        return now
    if what.minute is None:
        same_day = what.on == london_date(received_at)
        return received_at if same_day else start_of_day(what.on)
    at = wall(what.on, what.minute)
    # Times are typed to the minute: what was received within that minute came before.
    if london_date(at) == london_date(received_at) and at < received_at.replace(second=0, microsecond=0):
        raise OutOfOrder("That is earlier than the case was received. Enter when it happened")
    return at


def _cited(work: Work, what: Happened, *, case_id: UUID, on: date) -> UUID:
    """The instruction with a reference, in force now or on the day of the event. A decision that comes in writing is
    entered in the register with the event; whatever changes data cites one that is there (cl 17.1, 17.4(a)). Raises
    Incomplete."""
    letter = what.letter or ""
    try:
        return erasure.instruction(work.db, letter, now=work.now).id
    except NotInForce as problem:
        # What happened while it was in force can be written down later.
        for entry in registers.holding(work.db, Register.INSTRUCTION, on=on):
            if entry.letter == letter:
                return entry.id
        raise Incomplete(str(problem), name="letter") from problem
    except NoInstruction as problem:
        if what.kind not in ENTERING:
            raise Incomplete(str(problem), name="letter") from problem
    # The register is read by more people than the case is: what was decided stays in the case.
    ref = work.db.scalar(select(Case.ref).where(Case.id == case_id))
    entry = registers.enter(
        work,
        register=Register.INSTRUCTION,
        letter=letter,
        from_on=on,
        body=f"A decision in case {ref}. Its words stand in the case.",
    )
    work.db.flush()
    return entry.id


def who(db: DbSession, text: str, *, actor: str, field: str) -> UUID:
    """Whom somebody means by a reference or an e-mail address. Raises NobodyKnown or OwnCase with that field."""
    person = person_rights.find(db, text)
    refusal: CaseRefused
    if person is None:
        refusal = NobodyKnown("Nobody has this reference or address")
    elif f"person:{person.id}" == actor:
        refusal = OwnCase("This is you. Let your deputy take in what you ask for yourself")
    else:
        return person.id
    refusal.field = field
    raise refusal


def case_with(db: DbSession, reference: str) -> UUID:
    """The case with a reference. Raises Incomplete."""
    found = db.scalar(select(Case.id).where(Case.ref == reference.strip().upper()))
    if found is None:
        raise Incomplete("No case has this reference", name="copy_of")
    return found


def officers(db: DbSession, *, now: datetime) -> Sequence[Person]:
    """Who can have a case: those who are data protection officer today, by name."""
    return in_office.holders(db, {Role.DPO}, on=london_date(now))


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A case as the form of intake gives it; `about` and `copy_of` as they were typed."""

    case_id: UUID
    kind: CaseKind
    channel: Channel
    received_at: datetime
    asked: str
    contact: Mapping[str, str]
    about: str = ""
    copy_of: str = ""
    owner_id: UUID | None = None
    deputy_id: UUID | None = None
    exercise: bool = False
    files: Sequence[Attachment] = ()


def take_in(work: Work, programme: Programme, arrived: Arrived) -> UUID:
    """Open a case that somebody writes down, tell the Controller, and give it to somebody; returns its id.

    The same form again gives the first case. Raises InFuture, NobodyKnown, OwnCase, Incomplete or SentBefore.
    """
    about = who(work.db, arrived.about, actor=work.actor, field="about") if arrived.about else None
    copy_of = case_with(work.db, arrived.copy_of) if arrived.copy_of else None
    if _is_taken_in(work, arrived, about=about, copy_of=copy_of):
        return arrived.case_id
    case = desk_cases.take_in(
        work,
        programme,
        kind=arrived.kind,
        channel=arrived.channel,
        received_at=arrived.received_at,
        asked=arrived.asked,
        contact=arrived.contact,
        subject_id=about,
        files=arrived.files,
        exercise=arrived.exercise,
        copy_of=copy_of,
        case_id=arrived.case_id,
    )
    work.db.flush()
    for kind, person_id in ((Event.ASSIGNED, arrived.owner_id), (Event.DEPUTISED, arrived.deputy_id)):
        if person_id is not None:
            acts.happen(work, case_id=case.id, kind=kind, person_id=person_id)
            work.db.flush()
    return arrived.case_id


def _is_taken_in(work: Work, arrived: Arrived, *, about: UUID | None, copy_of: UUID | None) -> bool:
    """Whether the same form has opened the case. Raises SentBefore where it said something else."""
    case = sent_before.found(
        work,
        Case,
        arrived.case_id,
        kind=arrived.kind,
        channel=arrived.channel,
        received_at=as_utc(arrived.received_at),
        asked=arrived.asked,
        contact=dict(arrived.contact),
        subject_id=about,
        copy_of=copy_of,
        exercise=arrived.exercise,
    )
    if case is None:
        return False
    given = {event.kind: event.person_id for event in case.events if event.entered_at == case.entered_at}
    came_with_it = and_(
        CaseFile.case_id == case.id, CaseFile.event_id.is_(None), CaseFile.added_at == case.entered_at
    )
    sent_before.require(
        (given.get(Event.ASSIGNED), given.get(Event.DEPUTISED)) == (arrived.owner_id, arrived.deputy_id)
        and _are_files(work.db, came_with_it, arrived.files)
    )
    return True
