"""Cases as the portal takes them in: opening one notifies the Controller, so that nobody has to remember (cl 17.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.cases import holds as case_holds
from portal.cases import notices
from portal.programme import Programme
from privacy.cases import acts
from privacy.cases.rules import NotPossible
from privacy.cases.tables import Case, CaseFile, CaseKind, Channel, Event
from privacy.records import new_id
from privacy.work import Work


@dataclass(frozen=True)
class Attachment:
    """A file that came with something, its kind already found from its content."""

    name: str
    media_type: str
    content: bytes


def take_in(
    work: Work,
    programme: Programme,
    *,
    kind: CaseKind,
    channel: Channel,
    received_at: datetime,
    asked: str,
    contact: Mapping[str, Any] | None = None,
    subject_id: UUID | None = None,
    files: Sequence[Attachment] = (),
    exercise: bool = False,
    draft: bool = False,
    copy_of: UUID | None = None,
    case_id: UUID | None = None,
) -> Case:
    """Write a case down and, in the same work, queue the first notice to the Controller on every channel.

    An exercise is told to the desk alone. A draft is what the product itself suspects, which is also what the channel
    SYSTEM means: nobody outside is told until `confirm`. `received_at` is an aware instant. Raises InFuture.
    """
    draft = draft or channel is Channel.SYSTEM
    case = acts.open_case(
        work,
        kind=kind,
        channel=Channel.SYSTEM if draft else channel,
        received_at=received_at,
        asked=asked,
        contact=contact,
        subject_id=subject_id,
        exercise=exercise,
        copy_of=copy_of,
        case_id=case_id,
    )
    work.db.flush()
    case_holds.place(work, case)
    for file in files:
        attach(work, case_id=case.id, file=file)
    if not draft:
        work.db.flush()
        notices.first(work, case)
    return case


def attach(work: Work, *, case_id: UUID, file: Attachment, event_id: UUID | None = None) -> CaseFile:
    """Keep a file of a case, sealed with a key of its own."""
    row = CaseFile(
        id=new_id(),
        case_id=case_id,
        event_id=event_id,
        added_at=work.now,
        by=work.actor,
        media_type=file.media_type,
        size=len(file.content),
    )
    row.name, row.content = file.name, file.content
    work.db.add(row)
    return row


def confirm(work: Work, programme: Programme, *, case_id: UUID) -> Case:
    """Make a case of a draft: it is no longer a suspicion only, and the first notice goes. Raises LookupError,
    and NotPossible for what is no draft."""
    story = acts.read(work.db, case_id, lock=True)
    if not story.is_draft:
        raise NotPossible("This case was confirmed already, or was never a draft")
    acts.happen(work, case_id=case_id, kind=Event.CONFIRMED)
    work.db.flush()
    notices.first(work, story.case)
    return story.case
