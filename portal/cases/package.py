"""Everything held about whom a case is about, as a file of the case: the export of one person, kept sealed.

Every store answers or nothing is kept. It is put together before the case is locked: reading takes longer than writing.
"""

from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from portal.cases import intake as desk_cases
from portal.cases.intake import Attachment
from privacy import person_exports
from privacy.audit import Action
from privacy.cases import acts
from privacy.cases.documents import ZIP
from privacy.cases.rules import CaseRefused
from privacy.cases.tables import Case, CaseEvent, Event
from privacy.erasure import NobodyThere
from privacy.person_exports import Desk
from privacy.person_file import build
from privacy.work import Work


class NobodyKnown(CaseRefused):
    """It is not known whom the case is about, or they are erased."""

    field = "subject"


def put_together(desk: Desk, db: DbSession, case: Case) -> tuple[bytes, int]:
    """The archive and how many stores answered. Raises NobodyKnown, and StoreFailed where one does not answer.

    What may name others is not listed in it, since redaction proposes that, and more.
    """
    if case.subject_id is None:
        raise NobodyKnown("First say whom this case is about")
    try:
        cover, gathered, _ = person_exports.put_together(desk, db, case.subject_id)
    except NobodyThere as problem:
        raise NobodyKnown("Nothing is held about this person any more") from problem
    return build(cover, replace(gathered, flags=[])), cover.answered


def keep(work: Work, *, case_id: UUID, archive: bytes, stores: int) -> CaseEvent:
    """Keep the archive with the case. Raises what stands against it (privacy.cases.rules)."""
    ref = work.db.get_one(Case, case_id).ref
    event = acts.happen(
        work,
        case_id=case_id,
        kind=Event.PACKAGE_MADE,
        body={"text": f"{stores} stores answered", "file": "kept with the case"},
    )
    work.db.flush()
    name = f"{ref}-package-{event.number}.zip"
    desk_cases.attach(
        work,
        case_id=case_id,
        file=Attachment(name=name, media_type=ZIP, content=archive),
        event_id=event.id,
    )
    subject_id = work.db.get_one(Case, case_id).subject_id
    work.record(Action.PERSON_EXPORTED, object=f"case:{case_id}", holder=subject_id, stores=stores)
    return event
