"""Taking other people's data out of files before they are handed over: marks, copies, a second person, release.

    begin      a round over chosen files: what names others is proposed as marks
    settle     each mark is taken out or left in, with its reason; marks are added and dropped by hand
    make       copies are built anew from what remains, scanned, and kept sealed beside their sources
    approve    by another account than the one that made them, after another scan; or sent back, with a reason
    release    each time a copy is handed out it is scanned once more

A copy in which anything that was to be taken out still stands is never kept, approved or released (Article 15(4)).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession
from sqlalchemy.orm import defer, selectinload

from portal.cases import known_people
from portal.cases.intake import Attachment, attach
from portal.programme import Programme
from privacy.audit import Action
from privacy.cases import acts, documents, marks
from privacy.cases.documents import CannotRedact
from privacy.cases.folding import Phrase, fold_phrase
from privacy.cases.redactions import Ground, MarkKind, RedactedFile, Redaction, RedactionMark, Round
from privacy.cases.rules import CaseRefused, Incomplete, NotPossible
from privacy.cases.story import Story
from privacy.cases.tables import Case, CaseFile, Event
from privacy.records import new_id
from privacy.work import Work

OURS = frozenset(
    {Event.REDACTED, Event.CONTROLLER_NOTIFIED, Event.IDENTITY_RECEIVED, Event.AUTHORITY_RECEIVED}
)
"""Files that prove these events are never handed over with an answer: copies, notices, proof of identity."""
MARK_AT_MOST = 300
REASON_AT_MOST = 1000


class StillThere(CaseRefused):
    """A scan found something that was to be taken out; nothing is released. The message never says what."""

    field = "marks"


class SamePerson(CaseRefused):
    """Whoever made the copies cannot approve them."""

    field = "approve"


class NotReleased(LookupError):
    """There is no such copy, or it was not approved."""


@dataclass(frozen=True)
class Choice:
    """A file of the case that could be handed over. `why_not`: why it cannot be redacted here."""

    file: CaseFile
    package: bool
    why_not: str | None


@dataclass(frozen=True)
class Settled:
    """What becomes of a mark."""

    taken_out: bool
    ground: Ground
    reason: str = ""


# ---- rounds


@dataclass(frozen=True)
class Waits:
    """Copies of a case that wait for a second person; `made_by` cannot be that person."""

    case: Case
    made_at: datetime
    made_by: str


def waiting(db: DbSession) -> list[Waits]:
    """The copies of open cases that somebody has to approve, oldest first."""
    made = (
        select(Redaction, Case)
        .join(Case, Case.id == Redaction.case_id)
        .where(Redaction.state == Round.MADE)
        .order_by(Redaction.made_at, Redaction.id)
    )
    found = [(row[0], row[1]) for row in db.execute(made)]
    closed = acts.closed(db, [case.id for _, case in found])
    return [
        Waits(case, row.made_at or row.begun_at, row.made_by or row.by)
        for row, case in found
        if case.id not in closed
    ]


def current(db: DbSession, case_id: UUID) -> Redaction | None:
    """The newest round of a case; with its files and marks."""
    return db.scalars(
        select(Redaction)
        .where(Redaction.case_id == case_id)
        .order_by(Redaction.number.desc())
        .limit(1)
        .options(
            selectinload(Redaction.files).joinedload(RedactedFile.source).defer(CaseFile.content_sealed),
            selectinload(Redaction.files).joinedload(RedactedFile.copy).defer(CaseFile.content_sealed),
            selectinload(Redaction.marks),
        )
        .execution_options(populate_existing=True)
    ).first()


def choices(db: DbSession, story: Story) -> list[Choice]:
    """The files that could be handed over, newest first; the package that was put together for it before all."""
    kinds = {event.id: event.kind for event in story.events}
    letters = {Event.ACKNOWLEDGED, Event.EXTENDED, Event.CLARIFICATION_ASKED, Event.REFUSED, Event.ANSWERED}
    rows = db.scalars(
        select(CaseFile)
        .where(CaseFile.case_id == story.case.id)
        .options(defer(CaseFile.content_sealed))
        .order_by(CaseFile.added_at.desc(), CaseFile.id)
    ).all()
    found = []
    for row in rows:
        kind = kinds.get(row.event_id) if row.event_id is not None else None
        if kind not in OURS | letters:
            found.append(Choice(row, kind is Event.PACKAGE_MADE, documents.why_not(row.media_type)))
    return sorted(found, key=lambda one: not one.package)


def begin(work: Work, programme: Programme, *, case_id: UUID, file_ids: Collection[UUID]) -> Redaction:
    """Begin a round over these files. What cannot be read here is withheld, and says why.

    Raises Incomplete without a file, and NotPossible where a round is open or waits, or the case is closed.
    """
    story = acts.read(work.db, case_id, lock=True)
    story.require(Event.REDACTED, at=work.now, now=work.now)
    latest = current(work.db, case_id)
    if latest is not None and latest.state in (Round.OPEN, Round.MADE):
        raise NotPossible("A redaction of this case is open. Finish that one first")
    chosen = [one.file for one in choices(work.db, story) if one.file.id in file_ids]
    if not chosen:
        raise Incomplete("Choose at least one file", name="files")
    redaction = _open(work, case_id)
    texts: list[str] = []
    for number, file in enumerate(chosen, 1):
        row = _file(redaction, number, file.id)
        try:
            texts += documents.read(file.media_type, file.content or b"").texts
        except CannotRedact as problem:
            row.withheld, row.why = True, str(problem)
    own = known_people.own(work.db, programme, story.case)
    proposals = marks.propose(texts, known_people.known(work.db, programme, story.case), own)
    fields = {fold_phrase(name) for name in own.fields}
    for number, one in enumerate(proposals, 1):
        mark = _mark(work, redaction, number, one.kind, one.text, inside=marks.goes_inside(one.text))
        mark.proposed, mark.who = True, one.who or None
        # It would go wherever the record calls a field so: that is for whoever looks it through to say.
        mark.taken_out = fold_phrase(one.text) not in fields
    return redaction


def _open(work: Work, case_id: UUID) -> Redaction:
    taken = select(func.max(Redaction.number)).where(Redaction.case_id == case_id)
    redaction = Redaction(
        id=new_id(),
        case_id=case_id,
        number=1 + (work.db.scalar(taken) or 0),
        state=Round.OPEN,
        begun_at=work.now,
        by=work.actor,
        files=[],
        marks=[],
    )
    work.db.add(redaction)
    return redaction


def _file(redaction: Redaction, number: int, source_id: UUID) -> RedactedFile:
    row = RedactedFile(
        id=new_id(), case_id=redaction.case_id, number=number, source_id=source_id, withheld=False
    )
    redaction.files.append(row)
    return row


def _mark(
    work: Work, redaction: Redaction, number: int, kind: MarkKind, text: str, *, inside: bool
) -> RedactionMark:
    mark = RedactionMark(
        id=new_id(),
        case_id=redaction.case_id,
        number=number,
        kind=kind,
        ground=Ground.OTHER_PERSON,
        inside=inside,
        proposed=False,
        taken_out=True,
        added_at=work.now,
        by=work.actor,
    )
    mark.text = text
    redaction.marks.append(mark)
    return mark


# ---- marks


def add(
    work: Work, *, case_id: UUID, text: str, ground: Ground, reason: str = "", inside: bool | None = None
) -> RedactionMark:
    """Add something to take out; `inside` None: as its length suggests.

    Raises Incomplete without two letters or digits, without the reason that its ground needs, or where it is
    marked already; NotPossible without an open round.
    """
    redaction = _in_state(work, case_id, Round.OPEN)
    folded = fold_phrase(text)
    if len(folded) < 2:
        raise Incomplete("Enter at least two letters or digits", name="text")
    _require_reason(ground, reason)
    if any(fold_phrase(mark.text or "") == folded for mark in redaction.marks):
        raise Incomplete("This is in the list already", name="text")
    kind = _kind_of(text)
    chosen = marks.goes_inside(text) if inside is None else inside
    number = 1 + max((mark.number for mark in redaction.marks), default=0)
    mark = _mark(work, redaction, number, kind, text.strip(), inside=chosen)
    mark.ground, mark.reason = ground, reason or None
    return mark


def _kind_of(text: str) -> MarkKind:
    if "@" in text:
        return MarkKind.EMAIL
    if sum(letter.isdigit() for letter in text) >= 9 and not any(letter.isalpha() for letter in text):
        return MarkKind.PHONE
    named = marks.parts(text)
    is_name = 1 < len(named) <= 4 and all(part[:1].isupper() for part in named)
    return MarkKind.NAME if is_name else MarkKind.WORDS


def _require_reason(ground: Ground, reason: str) -> None:
    if ground is Ground.OTHER and not reason.strip():
        raise Incomplete("Enter the reason", name="reason")


def settle(work: Work, *, case_id: UUID, settled: Mapping[UUID, Settled]) -> int:
    """Say what becomes of each mark; how many are taken out. What was added by hand and is dropped goes altogether.

    Raises Incomplete for a ground that needs words and has none, NotPossible without an open round.
    """
    redaction = _in_state(work, case_id, Round.OPEN)
    for mark in list(redaction.marks):
        said = settled.get(mark.id)
        if said is None:
            continue
        if said.taken_out:
            _require_reason(said.ground, said.reason)
        elif not mark.proposed:
            redaction.marks.remove(mark)
            work.db.delete(mark)
            continue
        mark.taken_out, mark.ground, mark.reason = said.taken_out, said.ground, said.reason or None
    return sum(mark.taken_out for mark in redaction.marks)


def phrases(redaction: Redaction) -> list[Phrase]:
    """What is looked for on behalf of every mark that is taken out."""
    return [
        phrase
        for mark in redaction.marks
        if mark.taken_out
        for phrase in marks.phrases(mark.kind, mark.text or "", inside=mark.inside)
    ]


# ---- copies


def make(work: Work, *, case_id: UUID) -> Redaction:
    """Build the copies and keep them beside their sources; a second person is waited for from then on.

    Raises NotPossible without an open round, StillThere if the scan finds what was to be taken out.
    """
    redaction = _in_state(work, case_id, Round.OPEN)
    case = work.db.get_one(Case, case_id)
    looked_for = phrases(redaction)
    redaction.state, redaction.made_at, redaction.made_by = Round.MADE, work.now, work.actor
    body = {
        "text": f"{_counted(sum(mark.taken_out for mark in redaction.marks), 'mark')} in "
        f"{_counted(sum(not file.withheld for file in redaction.files), 'file')}",
        "redaction": str(redaction.id),
    }
    if withheld := [file for file in redaction.files if file.withheld]:
        body["withheld"] = f"{_counted(len(withheld), 'file')}: {withheld[0].why}"
        body["text"] += f". Withheld whole: {body['withheld']}"
    event = acts.happen(work, case_id=case_id, kind=Event.REDACTED, body=body)
    work.db.flush()
    for file in redaction.files:
        if not file.withheld:
            source = work.db.get_one(CaseFile, file.source_id)
            made = documents.redact(source.media_type, source.content or b"", looked_for)
            _scan(made.media_type, made.content, looked_for)
            name = f"{case.ref}-copy-{event.number}-{file.number}.{made.ending}"
            kept = attach(
                work,
                case_id=case_id,
                file=Attachment(name=name, media_type=made.media_type, content=made.content),
                event_id=event.id,
            )
            work.db.flush()
            file.copy_id = kept.id
    return redaction


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _scan(media_type: str, content: bytes, looked_for: Sequence[Phrase]) -> None:
    if documents.still_there(media_type, content, looked_for):
        raise StillThere("The scan found something that was to be taken out. Nothing is released")


def _scan_all(db: DbSession, redaction: Redaction) -> None:
    looked_for = phrases(redaction)
    for file in redaction.files:
        if file.copy_id is not None:
            copy = db.get_one(CaseFile, file.copy_id)
            _scan(copy.media_type, copy.content or b"", looked_for)


def approve(work: Work, *, case_id: UUID) -> Redaction:
    """Approve the copies, as somebody else than who made them, after another scan.

    Raises SamePerson, StillThere, or NotPossible without copies that wait.
    """
    redaction = _in_state(work, case_id, Round.MADE)
    if redaction.made_by == work.actor:
        raise SamePerson("You made these copies. Somebody else has to approve them")
    _scan_all(work.db, redaction)
    _settle(work, redaction, Round.APPROVED)
    body = {
        "redaction": str(redaction.id),
        "text": "Scanned again: nothing that was taken out is in the copies",
    }
    acts.happen(work, case_id=case_id, kind=Event.REDACTION_APPROVED, body=body)
    return redaction


def send_back(work: Work, *, case_id: UUID, reason: str) -> Redaction:
    """Send the copies back, or take them back: the next round begins with the same files and marks.

    Raises Incomplete without a reason, NotPossible without copies that wait.
    """
    redaction = _in_state(work, case_id, Round.MADE)
    acts.happen(
        work,
        case_id=case_id,
        kind=Event.REDACTION_RETURNED,
        body={"reason": reason, "redaction": str(redaction.id)},
    )
    _settle(work, redaction, Round.SENT_BACK)
    return _again(work, redaction)


def again(work: Work, *, case_id: UUID) -> Redaction:
    """Begin the next round from copies that were approved. Raises NotPossible."""
    redaction = _in_state(work, case_id, Round.APPROVED)
    acts.read(work.db, case_id).require(Event.REDACTED, at=work.now, now=work.now)
    return _again(work, redaction)


def _again(work: Work, redaction: Redaction) -> Redaction:
    following = _open(work, redaction.case_id)
    for file in redaction.files:
        row = _file(following, file.number, file.source_id)
        row.withheld, row.why = file.withheld, file.why
    for mark in redaction.marks:
        copy = _mark(work, following, mark.number, mark.kind, mark.text or "", inside=mark.inside)
        copy.ground, copy.proposed, copy.taken_out = mark.ground, mark.proposed, mark.taken_out
        copy.who, copy.reason = mark.who, mark.reason
    return following


def _settle(work: Work, redaction: Redaction, state: Round) -> None:
    redaction.state, redaction.settled_at, redaction.settled_by = state, work.now, work.actor


def drop(work: Work, *, case_id: UUID) -> None:
    """Give up a round that is open, with its marks: other files are to be chosen. Raises NotPossible."""
    redaction = _in_state(work, case_id, Round.OPEN)
    for row in (*redaction.marks, *redaction.files):
        work.db.delete(row)
    work.db.flush()
    work.db.delete(redaction)


def _in_state(work: Work, case_id: UUID, state: Round) -> Redaction:
    """The newest round, under the lock of its case. Raises NotPossible if it does not stand so."""
    acts.read(work.db, case_id, lock=True)
    redaction = current(work.db, case_id)
    if redaction is None or redaction.state is not state:
        raise NotPossible(_ELSE[state])
    return redaction


_ELSE = {
    Round.OPEN: "No redaction is open, or its copies were made in the meantime. Look at it again",
    Round.MADE: "No copies wait for approval. Somebody was quicker. Look at it again",
    Round.APPROVED: "No approved copies are here. Look at it again",
}


def released(db: DbSession, case_id: UUID) -> Sequence[RedactedFile]:
    """The copies that may be handed over: those of the newest round, once it is approved."""
    redaction = current(db, case_id)
    if redaction is None or redaction.state is not Round.APPROVED:
        return []
    return [file for file in redaction.files if file.copy_id is not None]


def release(work: Work, *, case_id: UUID, file_id: UUID) -> CaseFile:
    """A copy to hand over; `file_id` is that of the copy. Scanned once more, and noted.

    Raises NotReleased or StillThere.
    """
    redaction = current(work.db, case_id)
    if redaction is None or not any(one.copy_id == file_id for one in released(work.db, case_id)):
        raise NotReleased(str(file_id))
    copy = work.db.get_one(CaseFile, file_id)
    _scan(copy.media_type, copy.content or b"", phrases(redaction))
    work.record(Action.COPY_RELEASED, object=f"case_file:{file_id}", holder=case_id, case=case_id)
    return copy
