"""Who counts in the figures, and how each of them stands: where support and its last window are, and what they said.

Everything that is shown of the two KPIs, and every list behind a figure, is taken from here. A person counts once in
a strand, with the participation whose window closed last (sch 4 KPIs). What was sent while the windows were open is
`in_time`; `ever` takes what was sent last, late or not.

A census takes a fixed number of queries, and opens the answers of those whose window has closed and of nobody else.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session as DbSession

from portal.answers.parts import TAKES_PART
from portal.models import Attendance, Package, PackageState, Participation, Session, SessionState
from portal.programme import Programme, terms
from portal.results import hands
from privacy.bulk import day, ids, moment, streamed, within
from privacy.clock import end_of_day
from surveys import pairs
from surveys.lenses import Wanted
from surveys.models import Respondent
from surveys.pairs import FIRST, LAST, OF_PAIRS, Closing, Pair, Said
from surveys.waves import Terms, Window, baseline_window, post_window

STARTED = (PackageState.ACTIVE, PackageState.ENDED)
NOTHING = Pair()


class Where(StrEnum):
    """Where somebody stands. RUNNING: support goes on. OPEN: the post questionnaire is open, not yet due. CLOSED: its
    last day lies before the day that is counted; they are the base. ERASED, RESTRICTED: counted as supported and in
    no other figure."""

    RUNNING = "running"
    OPEN = "open"
    CLOSED = "closed"
    ERASED = "erased"
    RESTRICTED = "restricted"


class Seen(NamedTuple):
    """How one person stands, without who it is. Many stand alike, so they are counted, not kept.

    `partial`: began the post questionnaire, and did not finish it before the grace was over.
    """

    strand: str
    where: Where
    in_time: Pair = NOTHING
    ever: Pair = NOTHING
    partial: bool = False


class Part(NamedTuple):
    """One person of a strand: the participation that counts, by the 16 bytes of its id, and where it stands."""

    id: bytes
    strand: str
    audience: str
    ended_on: date | None
    where: Where


class Shared(NamedTuple):
    """How somebody stands with one of several participations: only the one with the highest place counts."""

    person: object
    place: tuple[int, datetime, bytes]
    seen: Seen


class Census:
    """Everybody whose support has started by a London day, as they stood at the end of it."""

    def __init__(self, db: DbSession, programme: Programme, *, as_of: date) -> None:
        self.as_of = as_of
        self.until = end_of_day(as_of)
        self._calendar = _Calendar(terms(db, programme, on=as_of), as_of=as_of)
        self._people: list[Part] | None = None

    def people(self, db: DbSession) -> list[Part]:
        """Each person once in a strand, with the participation that counts."""
        if self._people is None:
            parts = _parts(db, self._calendar, as_of=self.as_of, first=FIRST, last=LAST)
            self._people = _people(parts, self._calendar)
        return self._people

    def base(self, db: DbSession) -> Mapping[bytes, Part]:
        """Of them those whose window has closed, by participation."""
        return {part.id: part for part in self.people(db) if part.where is Where.CLOSED}

    def counted(self, db: DbSession) -> Counter[Seen]:
        """How many stand how; with many people, counted by every core."""
        known = db.scalar(select(func.count()).select_from(Participation)) or 0
        several = _with_several(db)
        return _once(hands.counted(db, partial(self._count, several), people=known))

    def seen(self, db: DbSession) -> Iterator[tuple[Part, Seen]]:
        """Everybody with how they stand: the lists behind the figures."""
        stands = {part.id: self._see(part, closing, said) for part, closing, said in self.told(db)}
        for part in self.people(db):
            if part.where is Where.CLOSED:
                yield part, stands.get(part.id) or Seen(part.strand, part.where)
            else:
                yield part, Seen(part.strand, part.where)

    def told(self, db: DbSession, *, wanted: Wanted = OF_PAIRS) -> Iterator[tuple[Part, Closing, Said]]:
        """What those of the base said who sent or began anything, and when their waves closed; in the order of ids.
        What was sent before its wave closed is in time."""
        return self._heard(db, self.base(db), wanted=wanted, first=FIRST, last=LAST)

    def _heard(
        self, db: DbSession, base: Mapping[bytes, Part], *, wanted: Wanted, first: bytes, last: bytes
    ) -> Iterator[tuple[Part, Closing, Said]]:
        sessions = _first_sessions(db, first=first, last=last)
        audiences = {part_id: part.audience for part_id, part in base.items()}
        for part_id, said in pairs.said(
            db, audiences=audiences, until=self.until, wanted=wanted, first=first, last=last
        ):
            part = base[part_id]
            yield part, self._calendar.closing(part, sessions.get(part_id)), said

    def _count(
        self, several: frozenset[object], db: DbSession, first: bytes, last: bytes
    ) -> Counter[Seen | Shared]:
        """How the participations of a stretch of ids stand, those of people who have several apart."""
        found: Counter[Seen | Shared] = Counter()
        base: dict[bytes, Part] = {}
        shared: dict[bytes, object] = {}
        for person, part in _parts(db, self._calendar, as_of=self.as_of, first=first, last=last):
            if person in several:
                shared[part.id] = person
            if part.where is Where.CLOSED:
                base[part.id] = part
            else:
                found[self._of(part, Seen(part.strand, part.where), shared)] += 1
        silent = set(base)
        for part, closing, said in self._heard(db, base, wanted=OF_PAIRS, first=first, last=last):
            found[self._of(part, self._see(part, closing, said), shared)] += 1
            silent.discard(part.id)
        found.update(self._of(base[one], Seen(base[one].strand, Where.CLOSED), shared) for one in silent)
        return found

    def _of(self, part: Part, seen: Seen, shared: Mapping[bytes, object]) -> Seen | Shared:
        if part.id not in shared:
            return seen
        return Shared(shared[part.id], self._calendar.place(part), seen)

    def _see(self, part: Part, closing: Closing, said: Said) -> Seen:
        in_time, ever = said.both(closing)
        partial = said.begun and not ever.answered and self._over(part)
        return Seen(part.strand, Where.CLOSED, in_time, ever, partial)

    def _over(self, part: Part) -> bool:
        """Whether the grace is over too, so that nothing more comes in."""
        window = self._calendar.day(part.ended_on).post
        return window is not None and window.finish_by <= self.until


class _Day(NamedTuple):
    """What follows for those whose support ended on one day: the windows, and where they stand."""

    ended_on: date | None
    where: Where
    post: Window | None
    baseline_closes_at: datetime | None


class _Calendar:
    """Windows by the day support ended: there are few such days, and many people."""

    def __init__(self, in_force: Terms, *, as_of: date) -> None:
        self._terms = in_force
        self._as_of = as_of
        self._days: dict[Any, _Day] = {None: _Day(None, Where.RUNNING, None, None)}

    def day(self, raw: Any) -> _Day:
        """Of a date, or its text; of None while support runs."""
        found = self._days.get(raw)
        if found is None:
            found = self._days[raw] = self._made(day(raw))
        return found

    def _made(self, ended_on: date) -> _Day:
        post = post_window(ended_on, terms=self._terms)
        # When it opens decides nothing here: what came before is in time.
        baseline = baseline_window(post.opens_at, first_session_at=None, ended_on=ended_on, terms=self._terms)
        if post.closed_before(self._as_of):
            where = Where.CLOSED
        else:
            where = Where.OPEN if post.opens_at < end_of_day(self._as_of) else Where.RUNNING
        return _Day(ended_on, where, post, baseline.closes_at)

    def place(self, part: Part) -> tuple[int, datetime, bytes]:
        """Of somebody's participations the one with the highest place counts: whose window closed last, else one
        whose is open."""
        post = self.day(part.ended_on).post
        return _RANK[part.where], _NEVER if post is None else post.closes_at, part.id

    def closing(self, part: Part, first_session_at: datetime | None) -> Closing:
        """Of somebody whose support has ended: the baseline closes with the first session, or with support."""
        _, _, post, closes_at = self.day(part.ended_on)
        assert post is not None
        assert closes_at is not None
        if first_session_at is not None and first_session_at < closes_at:
            closes_at = first_session_at
        return closes_at, post.closes_at


def _parts(
    db: DbSession, calendar: _Calendar, *, as_of: date, first: bytes, last: bytes
) -> Iterator[tuple[object, Part]]:
    """Every participation of a stretch of ids whose support has started by the day, with whose it is as the database
    has it, to tell people apart: nobody's once erased. Words and days are kept once, not for each of them."""
    asked = (
        select(
            Participation.id,
            Participation.person_id,
            Package.strand,
            Respondent.audience,
            Respondent.restricted_at,
            Participation.to_on,
            case((Package.state == PackageState.ENDED, Package.ends_on)),
            Package.starts_on,
        )
        .join(Package, Package.id == Participation.package_id)
        .join(Respondent, Respondent.id == Participation.id)
        .where(
            Package.state.in_(STARTED),
            Package.starts_on <= as_of,
            Participation.from_on <= as_of,
            within(Participation.id, first, last),
        )
    )
    id_of = ids(db.connection())
    # Days stay as the driver has them, which has them in their order: few are different from each other.
    for raw, person, strand, audience, restricted, left_on, ended_on, starts_on in streamed(
        db.connection(), asked
    ):
        if left_on is not None:
            if left_on < starts_on:
                continue
            ended_on = left_on if ended_on is None else min(left_on, ended_on)
        stands = calendar.day(ended_on)
        where = stands.where
        if person is None:
            where = Where.ERASED
        elif restricted is not None:
            where = Where.RESTRICTED
        yield person, Part(id_of(raw), intern(str(strand)), intern(str(audience)), stands.ended_on, where)


_RANK = {Where.CLOSED: 2, Where.OPEN: 1, Where.RUNNING: 0, Where.ERASED: 0, Where.RESTRICTED: 0}


def _people(parts: Iterable[tuple[object, Part]], calendar: _Calendar) -> list[Part]:
    """Each person once in a strand, with the participation that counts."""
    found: dict[tuple[str, object], Part] = {}
    for person, part in parts:
        # Nobody knows any more which of those who were erased were the same person.
        key = part.strand, person or part.id
        other = found.get(key)
        if other is None or calendar.place(other) < calendar.place(part):
            found[key] = part
    return list(found.values())


def _with_several(db: DbSession) -> frozenset[object]:
    """Who has more than one participation, as the database has their ids."""
    person = Participation.person_id
    asked = select(person).where(person.is_not(None)).group_by(person).having(func.count() > 1)
    return frozenset(row[0] for row in streamed(db.connection(), asked))


def _once(counted: Counter[Seen | Shared]) -> Counter[Seen]:
    """Each person once in a strand, as in `_people`."""
    found: Counter[Seen] = Counter()
    best: dict[tuple[str, object], Shared] = {}
    for stands, number in counted.items():
        if isinstance(stands, Seen):
            found[stands] += number
            continue
        key = stands.seen.strand, stands.person
        if key not in best or best[key].place < stands.place:
            best[key] = stands
    found.update(stands.seen for stands in best.values())
    return found


_NEVER = datetime.max.replace(tzinfo=UTC)


def _first_sessions(db: DbSession, *, first: bytes, last: bytes) -> Mapping[bytes, datetime]:
    """When everybody's first session started or is to start, by participation, for a stretch of ids."""
    asked = (
        select(Attendance.participation_id, func.min(Session.starts_at))
        .join(Session, Session.id == Attendance.session_id)
        .where(
            Attendance.state.in_(TAKES_PART),
            Session.state != SessionState.CANCELLED,
            within(Attendance.participation_id, first, last),
        )
        .group_by(Attendance.participation_id)
    )
    id_of = ids(db.connection())
    return {id_of(row[0]): moment(row[1]) for row in streamed(db.connection(), asked)}
