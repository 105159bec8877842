"""What people do about their own data: ask, download a copy, put details right, answer and add to what they asked.

Each opens a case, whose first notice to the Controller is queued in the same work (cl 17.5). What a standing
instruction lets people do is done at once and cites it; without one it waits, as everything else, for the
Controller's decision. Nothing here ends a case without a word: the desk closes it, or `close_done` once the
Controller was told and nothing is left to do.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session as DbSession

from portal.cases import acts as casework
from portal.cases import intake as desk_cases
from portal.desk import person_rights
from portal.models import Person
from portal.own_data.cases import TITLES
from portal.people import register as people
from portal.programme import Programme
from privacy import person_exports, registers, sent_before
from privacy.cases import acts
from privacy.cases.rules import CaseRefused
from privacy.cases.tables import Case, CaseEvent, CaseKind, Channel, Event
from privacy.clock import Clock, london_date
from privacy.registers import RegisterEntry, Standing
from privacy.rights import ExportState, PersonExport
from privacy.work import Work, unit_of_work

ACTOR = "system:own_requests"
TEXT_AT_MOST = 4000
DETAILS: Mapping[str, str] = {"name": "Name", "phone": "Phone number"}
"""What people put right themselves. Not the address: whoever reads that mailbox signs in, so somebody asks first."""

log = structlog.get_logger("own_requests")

Sessions = Callable[[], DbSession]


class NotAllowed(Exception):
    """No standing instruction lets people do this themselves: it has to be asked for."""


class NotYours(LookupError):
    """Another case has this id, of somebody else."""


class NotPutRight(Exception):
    """A detail cannot be like this; `field` names it, the message says why."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


# ---- asking


def ask(
    work: Work, programme: Programme, *, person_id: UUID, case_id: UUID, kind: CaseKind, text: str
) -> Case:
    """Ask for something. `case_id` comes with the form: sent twice, the first is given back. Raises NotYours, and
    SentBefore where something else was asked."""
    person = _locked(work, person_id)
    known = _sent_before(work, case_id, person_id, kind=kind, asked=text or TITLES[kind])
    if known is not None:
        return known
    return _take_in(work, programme, person, kind=kind, text=text or TITLES[kind], case_id=case_id)


def _sent_before(work: Work, case_id: UUID, person_id: UUID, **says: Any) -> Case | None:
    """What the same form asked for before. Raises NotYours or SentBefore."""
    known = work.db.get(Case, case_id)
    if known is not None and known.subject_id != person_id:
        raise NotYours(str(case_id))
    return sent_before.found(work, Case, case_id, **says)


def _take_in(
    work: Work,
    programme: Programme,
    person: Person,
    *,
    kind: CaseKind,
    text: str,
    case_id: UUID | None = None,
) -> Case:
    contact = {"name": person.name, "email": person.email, "phone": person.phone}
    return desk_cases.take_in(
        work,
        programme,
        kind=kind,
        channel=Channel.PORTAL,
        received_at=work.now,
        asked=text,
        contact={name: value for name, value in contact.items() if value},
        subject_id=person.id,
        case_id=case_id,
    )


def _locked(work: Work, person_id: UUID) -> Person:
    """The person, so that two browsers of theirs go one after the other; and people before cases, as erasure does."""
    return work.db.get_one(Person, person_id, with_for_update=True, populate_existing=True)


def _allowed(work: Work, act: Standing) -> RegisterEntry:
    entry = registers.standing(work.db, act, on=london_date(work.now))
    if entry is None:
        raise NotAllowed(act)
    return entry


# ---- downloading


def newest_copy(db: DbSession, person_id: UUID) -> PersonExport | None:
    """The copy that somebody asked for last, themselves."""
    return db.scalars(
        select(PersonExport)
        .where(PersonExport.person_id == person_id, PersonExport.by == f"person:{person_id}")
        .order_by(PersonExport.asked_at.desc(), PersonExport.id)
        .limit(1)
    ).first()


def is_anothers(db: DbSession, export_id: UUID, *, person_id: UUID) -> bool:
    """Whether an export is there and was not asked for by this person themselves."""
    export = db.get(PersonExport, export_id)
    return export is not None and not (export.person_id == person_id and person_exports.is_own(export))


def download(work: Work, programme: Programme, *, person_id: UUID) -> PersonExport:
    """Ask for a copy, as a standing instruction allows; one that waits or can be fetched is given back.

    Raises NotAllowed.
    """
    entry = _allowed(work, Standing.OWN_DOWNLOAD)
    person = _locked(work, person_id)
    before = newest_copy(work.db, person_id)
    if before is not None and (
        before.state in (ExportState.ASKED, ExportState.BUILDING)
        or person_exports.is_released(before, now=work.now)
    ):
        return before
    case = _take_in(
        work, programme, person, kind=CaseKind.ACCESS, text="A copy of what you hold about me, to download"
    )
    acts.happen(work, case_id=case.id, kind=Event.STANDING, entry_id=entry.id)
    return person_exports.ask(work, person_id=person_id, case_id=case.id)


def fetched(work: Work, *, export_id: UUID) -> None:
    """Write down in its case that the copy was downloaded: the answer, where nothing was left out of it."""
    export = work.db.get_one(PersonExport, export_id, populate_existing=True)
    if export.case_id is None:
        return
    with suppress(CaseRefused):
        if export.left_out:
            text = f"They downloaded the copy. Left out of it: {export.left_out}, written by others"
            acts.happen(work, case_id=export.case_id, kind=Event.NOTE, body={"text": text})
        else:
            searched = f"All {export.answered} stores that the register of holdings names, by the software"
            enough = "Every store answered: a store that does not, stops the copy"
            acts.happen(
                work,
                case_id=export.case_id,
                kind=Event.SEARCHED,
                body={"searched": searched, "proportionate": enough},
            )
            how = "They downloaded it from their own page"
            acts.happen(work, case_id=export.case_id, kind=Event.ANSWERED, body={"how": how})


# ---- putting right


def correct(
    work: Work, programme: Programme, *, person_id: UUID, case_id: UUID, wanted: Mapping[str, str]
) -> Case | None:
    """Put own details right; None where nothing is new. `wanted` is by name of DETAILS.

    With a standing instruction it is done at once, and what it was stays (Article 16). Without one it is asked for.
    `case_id` comes with the form: sent twice, the first is given back. Raises NotPutRight, NotYours or SentBefore.
    """
    person = _locked(work, person_id)
    known = _sent_before(work, case_id, person_id)
    if known is not None:
        sent_before.require(_asks_for(known, person, wanted))
        return known
    new = {name: value for name, value in wanted.items() if value != (getattr(person, name) or "")}
    if "name" in new and (fault := people.name_fault(new["name"])):
        raise NotPutRight(fault, field="name")
    if not new:
        return None
    said = "\n".join(_line(name, value) for name, value in new.items())
    entry = registers.standing(work.db, Standing.OWN_CORRECTION, on=london_date(work.now))
    text = f"{_RIGHT}\n{said}"
    case = _take_in(work, programme, person, kind=CaseKind.RECTIFICATION, text=text, case_id=case_id)
    if entry is None:
        return case
    acts.happen(work, case_id=case.id, kind=Event.STANDING, entry_id=entry.id)
    for name, value in new.items():
        person_rights.rectify(
            work,
            person_id=person_id,
            code=f"person:{person_id}:{name}",
            value=value,
            reason="They put it right themselves",
        )
    what = ", ".join(DETAILS[name] for name in new)
    acts.happen(work, case_id=case.id, kind=Event.ACTED, body={"what": what}, entry_id=entry.id)
    acts.happen(work, case_id=case.id, kind=Event.ANSWERED, body={"how": "Their own page shows it at once"})
    return case


_RIGHT = "This is right:"


def _line(name: str, value: str) -> str:
    return f"{DETAILS[name]}: {value or 'none'}"


def _asks_for(case: Case, person: Person, wanted: Mapping[str, str]) -> bool:
    """Whether a case asks for just these details, apart from those that are so anyway."""
    asked = set((case.asked or "").splitlines()) - {_RIGHT}
    lines = {_line(name, value): (getattr(person, name) or "") == value for name, value in wanted.items()}
    return asked <= set(lines) and all(so for line, so in lines.items() if line not in asked)


def ask_for_address(
    work: Work, programme: Programme, *, person_id: UUID, case_id: UUID, address: str
) -> Case:
    """Ask for another e-mail address: the desk makes sure first that it is theirs. Raises NotPutRight, NotYours or
    SentBefore."""
    if not people.is_address(address):
        raise NotPutRight("Enter an e-mail address like name@council.gov.uk", field="email")
    text = f"My e-mail address should be: {address}"
    return ask(work, programme, person_id=person_id, case_id=case_id, kind=CaseKind.RECTIFICATION, text=text)


# ---- going on


def answer(work: Work, *, case_id: UUID, text: str) -> None:
    """Answer what the desk asked. Raises a CaseRefused where nothing is asked any more."""
    acts.happen(work, case_id=case_id, kind=Event.CLARIFICATION_ANSWERED, body={"answer": text})


def add(work: Work, *, case_id: UUID, text: str, takes_back: bool) -> None:
    """Say more about a request, or that it is not needed any more; the desk deals with it, the case stays open."""
    body = {"text": text, **({"takes_back": "yes"} if takes_back else {})}
    acts.happen(work, case_id=case_id, kind=Event.NOTE, body=body)


# ---- closing what is done


def close_done(sessions: Sessions, clock: Clock) -> int:
    """Close what a standing instruction decided, once it is answered and the Controller has been told.

    Returns how many. Any number of workers may run it at any time.
    """
    with sessions() as db:
        waiting = db.scalars(select(Case.id).where(*_done())).all()
    closed = 0
    for case_id in waiting:
        with sessions() as db, unit_of_work(db, clock, ACTOR, frozen_too=True) as work, suppress(CaseRefused):
            body = {
                "outcome": "Done as the standing instruction allows",
                "evidence": "The events of this case, and the trail",
                "left_out": "They did it themselves, so nothing else was needed",
            }
            what = casework.Happened(kind=Event.CLOSED, body=body, erases=True)
            casework.write_down(work, case_id=case_id, what=what)
            closed += 1
    return closed


def _done() -> list[ColumnElement[bool]]:
    def happened(kind: Event) -> ColumnElement[bool]:
        return exists().where(CaseEvent.case_id == Case.id, CaseEvent.kind == kind)

    # One that was opened again is somebody's to close.
    wanted = (Event.STANDING, Event.ANSWERED, Event.CONTROLLER_NOTIFIED)
    return [*(happened(kind) for kind in wanted), ~happened(Event.CLOSED)]
