"""What was done, by whom, to what: appended, chained, never changed (cl 14, cl 17.8).

The vocabulary is closed: an action is `thing.verb` and declares the details it carries. Details hold
references, dates, numbers and codes, never a name, an address or an answer, so that the trail stays whole when
somebody is erased. Each line's MAC covers the line before it; the head is one row, locked last before commit,
so that the chain never makes two transactions wait for each other longer than a commit takes.
"""

import hmac
import json
import re
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, StrEnum
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from privacy.errors import ChainBroken
from privacy.keys import KeyRing, packed
from privacy.records import Holding, Keep, Record, plain, reference
from privacy.statements import run

Detail = str | int | bool | date | datetime | UUID | StrEnum | None
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,59}")


class Action(Enum):
    """Everything that leaves a line: `thing.verb`, with the names of the details it carries."""

    def __init__(self, word: str, details: frozenset[str]) -> None:
        self.word = word
        self.details = details

    INSTANCE_MADE = "instance.made", frozenset({"demo"})
    INSTANCE_FILLED = "instance.filled", frozenset({"people"})
    COUNCILS_IMPORTED = "councils.imported", frozenset({"added", "changed"})
    COUNCIL_FACT_RECORDED = "council.fact_recorded", frozenset({"fact", "value"})
    COUNCIL_FACT_CORRECTED = "council.fact_corrected", frozenset({"fact", "value"})
    COUNCIL_REFUSED = "council.refused", frozenset[str]()
    COUNCIL_ASKED_AGAIN = "council.asked_again", frozenset[str]()
    COUNCIL_FACT_ENDED = "council.fact_ended", frozenset({"fact", "on"})
    NEIGHBOURS_CHANGED = "neighbours.changed", frozenset({"added", "removed"})
    REVIEW_HELD = "review.held", frozenset({"on"})
    PARTNER_ADDED = "partner.added", frozenset({"kind", "to"})
    PARTNER_ENDED = "partner.ended", frozenset({"on"})
    PARTNER_CONTACTED = "partner.contacted", frozenset({"on", "way"})
    PEOPLE_IMPORTED = "people.imported", frozenset({"people", "offices"})
    PERSON_ADDED = "person.added", frozenset({"role"})
    PERSON_CHANGED = "person.changed", frozenset({"what"})
    PERSON_DISABLED = "person.disabled", frozenset[str]()
    PERSON_ENABLED = "person.enabled", frozenset[str]()
    OFFICE_ADDED = "office.added", frozenset({"role"})
    OFFICE_ENDED = "office.ended", frozenset({"role", "on"})
    INVITATION_QUEUED = "invitation.queued", frozenset[str]()
    SIGN_IN_ASKED = "sign_in.asked", frozenset[str]()
    SIGN_IN_DONE = "sign_in.done", frozenset({"by", "level"})
    PROOF_GIVEN = "proof.given", frozenset({"by", "level"})
    FACTOR_ADDED = "factor.added", frozenset({"kind", "confirmed"})
    FACTOR_CONFIRMED = "factor.confirmed", frozenset({"kind"})
    FACTOR_ENDED = "factor.ended", frozenset({"kind"})
    FACTORS_RESTORED = "factors.restored", frozenset[str]()
    START_CODE_MADE = "start_code.made", frozenset[str]()
    MAILBOX_TOLD = "mailbox.told", frozenset({"shared"})
    SIGN_IN_REFUSED = "sign_in.refused", frozenset({"why"})
    SIGN_OUT_DONE = "sign_out.done", frozenset[str]()
    SIGN_INS_ENDED = "sign_ins.ended", frozenset[str]()
    LIMIT_REACHED = "limit.reached", frozenset({"what"})
    DEVICE_KEPT = "device.kept", frozenset[str]()
    DEVICE_ENDED = "device.ended", frozenset[str]()
    LINK_MADE = "link.made", frozenset[str]()
    PACKAGE_CREATED = "package.created", frozenset({"strand", "planned_minutes"})
    PACKAGE_CHANGED = "package.changed", frozenset({"from_state", "to_state"})
    PACKAGE_ENDED = "package.ended", frozenset({"on", "delivered_minutes"})
    PACKAGE_FOLLOWED = "package.followed", frozenset({"by"})
    PACKAGES_IMPORTED = "packages.imported", frozenset({"packages", "members", "mentors", "sessions"})
    ROLE_PASSED_ON = "role.passed_on", frozenset({"role", "on", "moved", "ended"})
    MENTOR_ASSIGNED = "mentor.assigned", frozenset({"mentor"})
    MENTOR_UNASSIGNED = "mentor.unassigned", frozenset({"mentor"})
    MENTOR_CHOSEN = "mentor.chosen", frozenset({"mentor", "overridden"})
    PROFILE_CHANGED = "profile.changed", frozenset({"what"})
    CLEARANCE_RECORDED = "clearance.recorded", frozenset({"kind", "on", "expires_on"})
    CLEARANCE_ENDED = "clearance.ended", frozenset({"kind", "on"})
    INTEREST_DECLARED = "interest.declared", frozenset({"council"})
    INTEREST_CHANGED = "interest.changed", frozenset({"council"})
    SESSION_HANDED_OVER = "session.handed_over", frozenset({"from_mentor", "to_mentor"})
    MENTORING_HANDED_OVER = "mentoring.handed_over", frozenset({"to_mentor", "sessions", "left"})
    MEMBER_ADDED = "member.added", frozenset({"participation"})
    GOAL_AGREED = "goal.agreed", frozenset[str]()
    GOAL_CHANGED = "goal.changed", frozenset({"state"})
    GOAL_REVISITED = "goal.revisited", frozenset[str]()
    GOAL_REWORDED = "goal.reworded", frozenset[str]()
    NOTE_WRITTEN = "note.written", frozenset({"kind", "session"})
    NOTE_CHANGED = "note.changed", frozenset({"kind", "session"})
    NOTE_DELETED = "note.deleted", frozenset({"kind", "session"})
    ASSISTANT_NAMED = "assistant.named", frozenset({"assistant", "to_on"})
    ASSISTANT_ENDED = "assistant.ended", frozenset({"assistant"})
    BASELINE_OVERRIDDEN = "baseline.overridden", frozenset[str]()
    HOURS_PUBLISHED = "hours.published", frozenset[str]()
    LEAVE_ADDED = "leave.added", frozenset({"from_on", "to_on", "sessions"})
    LEAVE_REMOVED = "leave.removed", frozenset({"from_on", "to_on"})
    LIMITS_SET = "limits.set", frozenset({"per_day", "per_week"})
    BLACKOUT_ADDED = "blackout.added", frozenset({"council", "from_on", "to_on", "sessions"})
    BLACKOUT_REMOVED = "blackout.removed", frozenset({"council", "from_on", "to_on"})
    HOLIDAY_CHANGED = "holiday.changed", frozenset({"on", "closed"})
    TIMES_OFFERED = "times.offered", frozenset({"count"})
    TIMES_WITHDRAWN = "times.withdrawn", frozenset({"count"})
    SESSION_BOOKED = "session.booked", frozenset({"kind", "starts_at", "package"})
    SESSION_LOGGED = "session.logged", frozenset({"kind", "starts_at", "minutes", "package"})
    SESSION_MOVED = "session.moved", frozenset({"starts_at"})
    SESSION_CANCELLED = "session.cancelled", frozenset[str]()
    SESSION_RECORDED = "session.recorded", frozenset({"minutes", "outcome"})
    PLACE_BOOKED = "place.booked", frozenset({"session"})
    PLACE_CANCELLED = "place.cancelled", frozenset({"session"})
    PLACE_PROMOTED = "place.promoted", frozenset({"session"})
    WAITING_JOINED = "waiting.joined", frozenset({"session"})
    WAITING_LEFT = "waiting.left", frozenset({"session"})
    WAITING_PASSED_OVER = "waiting.passed_over", frozenset({"session", "why"})
    SESSION_PLANNED = "session.planned", frozenset({"places", "minimum", "decide_on"})
    SESSION_DECIDED = "session.decided", frozenset({"decision", "places"})
    SET_BOOKED = "set.booked", frozenset({"package", "dates", "members"})
    SET_MEMBER_REPLACED = "set.member_replaced", frozenset({"package", "by", "dates"})
    RESOURCE_ADDED = "resource.added", frozenset({"kind"})
    RESOURCE_CHANGED = "resource.changed", frozenset[str]()
    RESOURCE_RETIRED = "resource.retired", frozenset[str]()
    RESOURCE_OFFERED_AGAIN = "resource.offered_again", frozenset[str]()
    RESOURCE_DELETED = "resource.deleted", frozenset[str]()
    RESOURCES_ATTACHED = "resources.attached", frozenset({"count"})
    FEED_MADE = "feed.made", frozenset[str]()
    FEED_ENDED = "feed.ended", frozenset[str]()
    ADDRESS_REFUSED = "address.refused", frozenset({"code"})
    ADDRESS_CLEARED = "address.cleared", frozenset[str]()
    TEST_MAIL_QUEUED = "test_mail.queued", frozenset[str]()
    ATTENDANCE_RECORDED = "attendance.recorded", frozenset({"session", "outcome"})
    QUESTIONNAIRE_PUBLISHED = "questionnaire.published", frozenset({"code", "number"})
    QUESTIONNAIRE_CORRECTED = "questionnaire.corrected", frozenset({"code", "number", "correction"})
    RESPONSE_SUBMITTED = "response.submitted", frozenset({"wave", "mode"})
    RESPONSE_OPENED = "response.opened", frozenset({"purpose", "stated"})
    PURPOSE_STATED = "purpose.stated", frozenset({"purpose"})
    RESPONSE_REOPENED = "response.reopened", frozenset({"asked"})
    RESPONSE_WITHDRAWN = "response.withdrawn", frozenset({"wave"})
    REOPENING_ASKED = "reopening.asked", frozenset({"wave"})
    REOPENING_SETTLED = "reopening.settled", frozenset[str]()
    PAPER_STARTED = "paper.started", frozenset({"wave", "answered_on"})
    ANSWERS_IMPORTED = "answers.imported", frozenset({"wave", "count"})
    ANSWERS_SHARED = "answers.shared", frozenset({"mentor", "what"})
    ANSWERS_UNSHARED = "answers.unshared", frozenset({"what"})
    CASE_OPENED = "case.opened", frozenset({"kind", "channel"})
    CASE_WENT_ON = "case.went_on", frozenset({"event"})
    CASE_EMPTIED = "case.emptied", frozenset[str]()
    COPY_RELEASED = "copy.released", frozenset({"case"})
    NOTICE_MADE = "notice.made", frozenset({"kind", "number"})
    NOTICE_SENT = "notice.sent", frozenset({"way"})
    NOTICE_FAILED = "notice.failed", frozenset({"way"})
    DUTY_CHANGED = "duty.changed", frozenset({"from_on", "to_on"})
    REMINDER_QUEUED = "reminder.queued", frozenset({"wave"})
    REMINDERS_STOPPED = "reminders.stopped", frozenset[str]()
    REMINDERS_RESUMED = "reminders.resumed", frozenset[str]()
    PACKAGE_END_MOVED = "package.end_moved", frozenset({"from_on", "on"})
    MEMBER_LEFT = "member.left", frozenset({"participation", "on"})
    CALL_ASKED = "call.asked", frozenset({"wave"})
    CALL_TAKEN_BACK = "call.taken_back", frozenset[str]()
    CALL_DONE = "call.done", frozenset[str]()
    VERDICT_GIVEN = "verdict.given", frozenset[str]()
    CODEBOOK_CHANGED = "codebook.changed", frozenset({"number"})
    THEMES_GIVEN = "themes.given", frozenset[str]()
    EXPORT_MADE = "export.made", frozenset({"code", "format", "named", "partial", "rows"})
    FIGURES_COUNTED = "figures.counted", frozenset({"kind", "as_of"})
    FIGURE_OPENED = "figure.opened", frozenset({"figure", "as_of", "people"})
    RELEASE_MADE = "release.made", frozenset({"kind", "period"})
    RELEASE_APPROVED = "release.approved", frozenset({"on"})
    PROGRAMME_NOTED = "programme_note.made", frozenset({"kind"})
    PROGRAMME_NOTE_CLOSED = "programme_note.closed", frozenset[str]()
    KEYS_ROTATED = "keys.rotated", frozenset({"key", "count"})
    ADDRESSES_INDEXED = "addresses.indexed", frozenset({"key", "count"})
    KEY_RETIRED = "key.retired", frozenset({"instruction"})
    KEYS_ESCROWED = "keys.escrowed", frozenset({"key", "readers"})
    ESCROW_DRILLED = "escrow.drilled", frozenset({"key", "passed"})
    CANARY_FAILED = "canary.failed", frozenset({"why"})
    SEAL_REFUSED = "seal.refused", frozenset({"table", "column"})
    BACKUP_MADE = "backup.made", frozenset({"name", "ok", "seconds"})
    BACKUP_DRILLED = "backup.drilled", frozenset({"name", "ok", "seconds"})
    BACKUP_RESTORED = "backup.restored", frozenset({"name", "ok", "seconds"})
    MAIL_RELEASED = "mail.released", frozenset[str]()
    MOVE_BEGUN = "move.begun", frozenset[str]()
    MOVE_UNDONE = "move.undone", frozenset[str]()
    MOVE_DONE = "move.done", frozenset({"rows"})
    REGISTER_ENTERED = "register.entered", frozenset({"register"})
    ACCESS_REVIEWED = "access.reviewed", frozenset({"quarter", "kept"})
    SUSPICION_RAISED = "suspicion.raised", frozenset({"cause"})
    AFFECTED_ADDED = "affected.added", frozenset({"people"})
    AFFECTED_REMOVED = "affected.removed", frozenset[str]()
    AUDIT_EXPORTED = "audit.exported", frozenset({"lines"})
    APPROVAL_ASKED = "approval.asked", frozenset({"act", "instruction"})
    APPROVAL_ANSWERED = "approval.answered", frozenset({"act", "agreed"})
    HOLD_PLACED = "hold.placed", frozenset({"cause", "table"})
    HOLD_LIFTED = "hold.lifted", frozenset({"why"})
    ERASURE_BEGUN = "erasure.begun", frozenset({"instruction"})
    ERASURE_DONE = "erasure.done", frozenset({"partial"})
    ERASURE_REPLAYED = "erasure.replayed", frozenset[str]()
    PERSON_RESTRICTED = "person.restricted", frozenset({"instruction"})
    PERSON_RELEASED = "person.released", frozenset({"instruction"})
    PERSON_RECTIFIED = "person.rectified", frozenset({"table", "column"})
    PERSON_EXPORTED = "person.exported", frozenset({"stores"})
    PERSON_EXPORT_FETCHED = "person.export_fetched", frozenset[str]()
    RETENTION_DONE = "retention.done", frozenset({"table", "rows"})
    RETURN_OPENED = "return.opened", frozenset({"kind", "wanted", "rehearsal"})
    RETURN_WENT_ON = "return.went_on", frozenset({"step", "act"})
    STORE_CONFIRMED = "store.confirmed", frozenset({"method"})


class AuditEntry(Record):
    """One line of the trail. `actor`, `object` and `holder` are references of the form `kind:id`."""

    __tablename__ = "audit_entry"
    __holding__ = Holding("to show what was done with the data, and by whom (cl 17.8)", Keep.ACCOUNTS)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, info=plain())
    at: Mapped[datetime] = mapped_column(info=plain())
    actor: Mapped[str] = mapped_column(String(80), info=reference(holds="Who did it"))
    action: Mapped[str] = mapped_column(String(60), info=plain(holds="What was done"))
    object: Mapped[str] = mapped_column(String(80), info=reference(holds="What it was done to"))
    holder: Mapped[UUID | None] = mapped_column(Uuid, index=True, info=reference("whose data it concerns"))
    details: Mapped[str] = mapped_column(Text, info=plain("references, dates, numbers and codes as JSON"))
    mac: Mapped[bytes] = mapped_column(LargeBinary, info=plain("binds this line to the one before"))


class AuditHead(Record):
    """The last line's number and MAC; its row lock puts the writers of the chain in order."""

    __tablename__ = "audit_head"
    __holding__ = Holding("to append to the audit trail in order", Keep.ACCOUNTS)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, info=plain("always 1"))
    seq: Mapped[int] = mapped_column(BigInteger, info=plain())
    mac: Mapped[bytes] = mapped_column(LargeBinary, info=plain())


@dataclass(frozen=True)
class Line:
    """A line that waits for the end of its unit of work."""

    action: Action
    object: str
    holder: UUID | None
    details: str


class LooseDetail(ValueError):
    """A detail that the action does not declare, lacks, or that is free text."""


def line(action: Action, *, object: str, holder: UUID | None, details: dict[str, Detail]) -> Line:
    """Check a line against the vocabulary. Raises LooseDetail."""
    if set(details) != action.details:
        raise LooseDetail(f"{action.word} carries {sorted(action.details)}, not {sorted(details)}")
    packed_details = {name: _plain(name, value) for name, value in sorted(details.items())}
    return Line(action, object, holder, json.dumps(packed_details, separators=(",", ":")))


def _plain(name: str, value: Detail) -> str | int | bool | None:
    match value:
        case None | bool() | int():
            return value
        case datetime() | date():
            return value.isoformat()
        case UUID():
            return str(value)
        case str() if _CODE.fullmatch(value):
            return str(value)
    raise LooseDetail(f"detail {name} is no reference, date, number or code")


class Written(NamedTuple):
    """What the MAC of a line covers."""

    seq: int
    at: datetime
    actor: str
    action: str
    object: str
    holder: UUID | None
    details: str


# Made once: nearly every work ends with them, while the writers of the chain wait for one another.
_ENTRIES, _HEADS = cast(Table, AuditEntry.__table__), cast(Table, AuditHead.__table__)
_HEAD = select(_HEADS.c.seq, _HEADS.c.mac).where(_HEADS.c.id == 1).with_for_update()
_LAST = select(_ENTRIES.c.mac).where(_ENTRIES.c.seq == bindparam("last"))
_APPEND = insert(_ENTRIES)
_BEGIN = insert(_HEADS).values(id=1, seq=bindparam("last"), mac=bindparam("sealed"))
_MOVE = update(_HEADS).where(_HEADS.c.id == 1).values(seq=bindparam("last"), mac=bindparam("sealed"))


def append(db: Session, lines: list[Line], *, ring: KeyRing, at: datetime, actor: str) -> None:
    """Write the lines behind the head, under its row lock. Called last before commit."""
    if not lines:
        return
    head = run(db, _HEAD, {}).one_or_none()
    key = ring.derive("audit", "chain|v1")
    seq = head.seq if head is not None else 0
    mac = _last_mac(db, seq)
    if head is not None and not hmac.compare_digest(head.mac, _head_mac(key, seq, mac)):
        raise ChainBroken(f"the head of the trail is not that of line {seq}")
    rows = []
    for waiting in lines:
        seq += 1
        written = Written(
            seq, at, actor, waiting.action.word, waiting.object, waiting.holder, waiting.details
        )
        mac = _mac(key, mac, written)
        rows.append({**written._asdict(), "mac": mac})
    db.connection().execute(_APPEND, rows)
    run(db, _MOVE if head is not None else _BEGIN, {"last": seq, "sealed": _head_mac(key, seq, mac)})


class Chaining:
    """Binds the lines of a trail anew, from its first on, with the key of another ring: for whoever takes it over."""

    def __init__(self, ring: KeyRing) -> None:
        self._key = ring.derive("audit", "chain|v1")
        self._seq, self._mac = 0, b""

    def line(self, entry: AuditEntry) -> bytes:
        """The MAC of the next line."""
        self._seq, self._mac = entry.seq, _mac(self._key, self._mac, entry)
        return self._mac

    def head(self) -> bytes:
        """The MAC of the head behind the lines so far."""
        return _head_mac(self._key, self._seq, self._mac)


def _last_mac(db: Session, seq: int) -> bytes:
    return run(db, _LAST, {"last": seq}).scalar() or b""


def _head_mac(key: bytes, seq: int, mac: bytes) -> bytes:
    """A MAC that no line has: who cuts the tail cannot make an earlier line the head without the key."""
    return hmac.digest(key, packed(b"head", str(seq).encode(), mac), "sha256")


def _mac(key: bytes, before: bytes, entry: AuditEntry | Written) -> bytes:
    fields = (
        str(entry.seq),
        entry.at.isoformat(),
        entry.actor,
        entry.action,
        entry.object,
        str(entry.holder or ""),
        entry.details,
    )
    return hmac.digest(key, before + packed(*(field.encode() for field in fields)), "sha256")


def entries(db: Session, *, after: int = 0) -> Generator[AuditEntry, None, None]:
    """The whole trail in order, or what follows a line, read in batches; close it when you stop before its end."""
    lines = select(AuditEntry).where(AuditEntry.seq > after).order_by(AuditEntry.seq)
    query = lines.execution_options(yield_per=1000)
    with db.scalars(query) as found:
        yield from found


def verify(db: Session, ring: KeyRing, *, see: Callable[[AuditEntry], None] = lambda entry: None) -> int:
    """Recompute the chain; returns how many lines hold, each of which `see` is shown.

    Raises ChainBroken naming the first line that was altered, left out or put elsewhere, or the cut tail; where there
    are more such places, how many and the last.
    """
    key = ring.derive("audit", "chain|v1")
    seq, mac = 0, b""
    again = False
    breaks = _Breaks()
    while True:
        begun_at = seq
        with closing(entries(db, after=seq)) as trail:
            for entry in trail:
                # A break must not hide another: behind it the trail is followed from what stands there.
                if entry.seq != seq + 1:
                    breaks.add(f"line {seq + 1} is missing")
                elif not hmac.compare_digest(_mac(key, mac, entry), entry.mac):
                    breaks.add(f"line {entry.seq} was altered")
                if not breaks.count:
                    see(entry)
                seq, mac = entry.seq, entry.mac
        head = db.execute(select(AuditHead.seq, AuditHead.mac)).one_or_none()
        expected_head = (seq, _head_mac(key, seq, mac))
        if (tuple(head) == expected_head) if head is not None else not seq:
            break
        # Others may have written since the lines were read: then there are more of them.
        if head is None or head.seq <= seq or (again and seq == begun_at):
            breaks.add(f"the trail ends at line {seq}, and its head says otherwise")
            break
        again = True
    if breaks.count:
        raise ChainBroken(breaks.words)
    return seq


@dataclass
class _Breaks:
    """Where the trail does not hold: the first place, the last, and how many."""

    count: int = 0
    first: str = ""
    last: str = ""

    def add(self, place: str) -> None:
        self.first, self.last = self.first or place, place
        self.count += 1

    @property
    def words(self) -> str:
        if self.count == 1:
            return self.first
        return f"{self.first}; {self.count} places in all, the last: {self.last}"
