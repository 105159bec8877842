"""What each mail says: one function per template, which reads again what the mail is about.

None means that there is no reason left to send it. Mails carry no credential (a sign-in apart, which is good
for minutes and in one browser only), and say nothing about questionnaires: assistants read them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.answers import windows
from portal.booking import moves, open_offers
from portal.groups import seats
from portal.mailing import day_ahead, invitations, reminders
from portal.mailing.calendar import Event
from portal.mailing.letters import Enclosure, one_line
from portal.mailing.queue import number_of
from portal.mentors import clearances
from portal.models import (
    Attendance,
    Mail,
    MailState,
    Offer,
    OfferState,
    Package,
    PackageState,
    Participation,
    Person,
    Session,
    SessionState,
    SignIn,
)
from portal.people import delegations
from portal.programme import Programme
from privacy.clock import london_date
from privacy.columns import keys_of
from privacy.work import Work
from surveys.models import Wave
from surveys.sittings import ONCE
from surveys.standings import standings

PATHS = {
    "support": "/your-support/next",
    "link": "/sign-in/l/{}",
    "session": "/sessions/{}",
    "offer": "/offers/{}",
    "times": "/packages/{}/times",
    "clearance": "/your-clearance",
    "person": "/team/people/{}",
    "decide": "/sessions/{}/decide",
    "freed_place": "/sessions/{}/freed-place",
    "assisting": "/who-you-book-for",
    "notice": "/desk/notices/{}",
    "access_review": "/desk/registers/access",
    "second_person": "/second-person",
    "not_agreed": "/second-person/{}",
    "suspicions": "/desk/suspicions",
    "case": "/desk/cases/{}",
    "council": "/team/councils/{}",
    "agreeing": "/councils-to-agree",
    "own_sign_in": "/your-sign-in",
    "own_assistant": "/your-assistant",
    "confirm_factor": "/team/people/{}/sign-in",
}


FEEDBACK = "feedback"
"""What a session's feedback is called in the log of mail: it is asked within another mail, never alone."""


@dataclass(frozen=True)
class Around:
    """What a mail may use besides its own row: the facts, the portal's address, the moment."""

    programme: Programme
    public_url: str
    now: datetime

    def link(self, page: str, *parts: object) -> str:
        return self.public_url + PATHS[page].format(*parts)


@dataclass(frozen=True)
class Letter:
    """What the template is filled with, and what goes with it: a calendar entry, files. Answers go to `reply_to`,
    where that is another mailbox than the programme's."""

    context: Mapping[str, Any] = field(default_factory=dict)
    event: Event | None = None
    enclosures: tuple[Enclosure, ...] = ()
    reply_to: str | None = None


Context = Callable[[DbSession, Mail, Person, Around], Letter | None]
RoleContext = Callable[[DbSession, Mail, Around], Letter | None]
"""What a mail to a role's mailbox says."""
AddressedContext = Callable[[DbSession, Mail, Around], tuple[str, str, Letter] | None]
"""What a mail says whose address stands sealed in what it is about: that address, a name, and what it says."""


@dataclass(frozen=True)
class Receipt:
    """That a mail server took a mail: when, under which id, what it answered, and whether a file was in it."""

    message_id: str
    answer: str | None
    enclosed: bool
    at: datetime


class Heard(Protocol):
    """Is told in the same work that a mail went, or that it was refused for good or given up."""

    def went(self, work: Work, mail: Mail, receipt: Receipt) -> None: ...

    def given_up(self, work: Work, mail: Mail, why: str) -> None: ...


def sign_in(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """The code and the link; none once the sign-in was used, replaced or too old."""
    asked = db.get(SignIn, mail.about)
    if asked is None or asked.used_at is not None or asked.expires_at <= around.now:
        return None
    ring = keys_of(db).vault.ring
    return Letter(
        {
            "code": accounts.code_of(ring, asked.id),
            "link": around.link("link", accounts.link_token(ring, asked.id)),
            "good_until": asked.expires_at,
        }
    )


def invitation(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """Where the portal is; none if the support is over or somebody else's by now."""
    part = _part(db, mail)
    if part is None or part.package.state in {PackageState.ENDED, PackageState.WITHDRAWN}:
        return None
    return Letter({"link": around.link("support")})


def post_open(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That something is left to do, and until when; none if it is done, or too late (sch 4 KPIs), or the reader
    wants no reminders."""
    return _outstanding(db, mail, reader, around, f"{Wave.POST}:{ONCE}:opening")


def reminder(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That something is still left to do; none for the same reasons."""
    return _outstanding(db, mail, reader, around, mail.step)


def _outstanding(db: DbSession, mail: Mail, reader: Person, around: Around, step: str) -> Letter | None:
    part = db.get(Participation, mail.about)
    if part is None or part.person_id != mail.person_id or reader.reminders_stopped_at is not None:
        return None
    opening = reminders.opening_of(db, around.programme, part, step, now=around.now)
    if opening is None:
        return None
    last_day = opening.window.last_day
    # The end of a baseline that no session is booked for is the contract's: no day to name.
    named = opening.wave is not Wave.BASELINE or step.endswith(("closing", "last"))
    return Letter(
        {
            "link": around.link("support"),
            "last_day": last_day if named else None,
            "today": step.endswith("last"),
        }
    )


def feedback_of(db: DbSession, reader: Person, around: Around) -> list[UUID]:
    """The sessions of late that the reader can still say something about, and was not told so yet."""
    parts = db.scalars(select(Participation).where(Participation.person_id == reader.id)).all()
    if not parts or reader.reminders_stopped_at is not None:
        return []
    open_now = [
        (one.participation_id, one.occasion)
        for one in windows.openings(db, around.programme, parts, now=around.now)
        if one.wave is Wave.FEEDBACK and around.now in one.window
    ]
    if not open_now:
        return []
    begun = {
        (key[0], key[2]) for key in standings(db, [part.id for part in parts]) if key[1] is Wave.FEEDBACK
    }
    told = set(db.scalars(select(Mail.about).where(Mail.person_id == reader.id, Mail.template == FEEDBACK)))
    return [
        UUID(occasion)
        for part_id, occasion in open_now
        if (part_id, occasion) not in begun and UUID(occasion) not in told
    ]


def _part(db: DbSession, mail: Mail) -> Participation | None:
    part = db.get(Participation, mail.about)
    if part is None or part.person_id != mail.person_id or part.to_on is not None:
        return None
    return part


def session(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """A session as it stands now, for the reader's calendar; none once it is over or a newer mail waits."""
    about = db.get(Session, mail.about)
    if about is None or about.state is SessionState.HELD or about.ends_at <= around.now:
        return None
    number, whose_id = number_of(mail.step)
    others = _of_the_same(db, mail)
    if any(one.number > number for one in others) or _kept_from(about, reader, around):
        return None
    if whose_id is not None and not _books_for(db, reader, whose_id, around):
        return None
    # Read for somebody else, it is the session as that person has it.
    whose = db.get_one(Person, whose_id) if whose_id is not None else None
    person = whose or reader
    url = around.link("session", about.id)
    known = invitations.known_to(about, person.id)
    event = invitations.entry(
        about,
        around.programme,
        reader=reader,
        url=url,
        stamp_at=around.now,
        known=known,
        cancelled=known.gone,
        whose=whose,
    )
    since = next((seat.booked_at for seat in about.attendances if seat.person_id == person.id), None)
    words = {
        **words_of(about, around.programme, person),
        "link": url,
        "cancelled": known.gone,
        "whole": known.called_off,
        "changed": bool(told := [one for one in others if one.told(since)]),
        "moved": _moved(db, about, reader, number, told),
    }
    called = one_line(invitations.name_of(whose)) if whose is not None else ""
    return Letter({**words, "own_place": _own_place(about, person), "whose": called}, event)


def _books_for(db: DbSession, reader: Person, leader_id: UUID, around: Around) -> bool:
    return leader_id in delegations.leaders_of(db, reader.id, london_date(around.now))


@dataclass(frozen=True)
class _Other:
    """Another mail to the same reader about the same session, read for the same person."""

    number: int
    state: MailState
    queued_at: datetime

    def told(self, since: datetime | None) -> bool:
        """Whether it told of the session, or of the place that is held `since` then."""
        return self.state is MailState.SENT and (since is None or self.queued_at >= since)


def _of_the_same(db: DbSession, mail: Mail) -> list[_Other]:
    same = select(Mail.step, Mail.state, Mail.queued_at).where(
        Mail.person_id == mail.person_id,
        Mail.template == mail.template,
        Mail.about == mail.about,
        Mail.id != mail.id,
    )
    _, whose = number_of(mail.step)
    others = [(number_of(step), state, queued_at) for step, state, queued_at in db.execute(same)]
    return [_Other(number, state, queued_at) for (number, of), state, queued_at in others if of == whose]


def _moved(db: DbSession, about: Session, reader: Person, number: int, told: Sequence[_Other]) -> list[str]:
    """How it was moved, where that is all that happened since its reader last heard of it.

    Numbers rise by one with each change. Where one was passed over, what it was moved from last may be a time that
    they never heard of, and something else may have changed as well.
    """
    heard = max(told, key=lambda one: one.number, default=None)
    if heard is None or number != heard.number + 1:
        return []
    if about.moved_at is None or about.moved_at <= heard.queued_at or moves.is_of_mentor_before(about):
        return []
    found = moves.last(db, about, reader.id)
    return [one_line(sentence) for sentence in found.words] if found is not None else []


def _kept_from(about: Session, reader: Person, around: Around) -> bool:
    """Whether the reader gives the session and their clearance is missing or has lapsed (annex 1): neither page nor
    calendar shows it to them then, and no mail does."""
    gives = about.mentor_id == reader.id
    return gives and bool(clearances.page_gaps(reader, on=london_date(around.now)))


def _own_place(about: Session, reader: Person) -> bool:
    return about.capacity is not None and about.mentor_id != reader.id


def words_of(about: Session, programme: Programme, reader: Person) -> dict[str, Any]:
    """What mails say about a session: what, when, with whom, where and how to get there."""
    return {
        "heading": one_line(invitations.heading_of(about, programme)),
        "others": [one_line(name) for name in invitations.others_of(about, reader)],
        "where": one_line(invitations.where_of(about)),
        "travel": [one_line(line) for line in (about.travel or "").splitlines() if line.strip()],
        "called_off": one_line(about.called_off or ""),
        "starts_at": about.starts_at,
        "ends_at": about.ends_at,
    }


def day_before(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That a session is near, as it stands now; none once it has begun, was called off or moved, or is not the
    reader's any more. A moved one has a reminder of its own, with the new time as its step."""
    about = db.get(Session, mail.about)
    if about is None or about.state is not SessionState.BOOKED or about.starts_at <= around.now:
        return None
    if _kept_from(about, reader, around):
        return None
    if mail.step != day_ahead.step_of(about) or not invitations.known_to(about, reader.id).theirs:
        return None
    today = london_date(about.starts_at) == london_date(around.now)
    link = around.link("session", about.id)
    words = {**words_of(about, around.programme, reader), "link": link, "today": today}
    return Letter({**words, "own_place": _own_place(about, reader)})


def test_mail(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """Nothing but that mail arrives."""
    return Letter()


def group_session(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That places can be booked in a session of the reader's group; none if they have one, or it is off, or the
    reader is no longer in the group."""
    about = db.get(Session, mail.about)
    if about is None or about.state is not SessionState.BOOKED or about.starts_at <= around.now:
        return None
    if reader.id not in {one.person_id for one in seats.members_for(db, about)}:
        return None
    taken = db.scalars(
        select(Attendance.id).where(Attendance.session_id == about.id, Attendance.person_id == reader.id)
    ).first()
    if taken is not None:
        return None
    return Letter({**words_of(about, around.programme, reader), "link": around.link("session", about.id)})


def offers(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """The times that a mentor offers, each with the page that confirms it; none if none is left."""
    rows = db.scalars(
        select(Offer)
        .where(Offer.batch_id == mail.about, Offer.state == OfferState.OPEN, Offer.starts_at > around.now)
        .order_by(Offer.starts_at)
    ).all()
    package = db.get(Package, rows[0].package_id) if rows else None
    if package is None or package.state in {PackageState.ENDED, PackageState.WITHDRAWN}:
        return None
    mentor = db.get(Person, rows[0].mentor_id)
    return Letter(
        {
            "mentor": one_line(invitations.name_of(mentor)),
            "times": [(row.starts_at, row.ends_at, around.link("offer", row.id)) for row in rows],
        }
    )


def offers_back(db: DbSession, mail: Mail, reader: Person, around: Around) -> Letter | None:
    """That times which a mentor offered were taken back; none once they have passed, or if the reader never heard of
    them."""
    if not open_offers.reached(db, mail.about, reader.id):
        return None
    rows = db.scalars(
        select(Offer)
        .where(Offer.batch_id == mail.about, Offer.taken_back_at.is_not(None), Offer.starts_at > around.now)
        .order_by(Offer.starts_at)
    ).all()
    package = db.get(Package, rows[0].package_id) if rows else None
    if package is None or package.state in {PackageState.ENDED, PackageState.WITHDRAWN}:
        return None
    mentor = db.get(Person, rows[0].mentor_id)
    return Letter(
        {
            "mentor": one_line(invitations.name_of(mentor)),
            "times": [(row.starts_at, row.ends_at) for row in rows],
            "link": around.link("times", package.id),
        }
    )


CONTEXTS: Mapping[str, Context] = {
    function.__name__: function
    for function in (
        sign_in,
        invitation,
        post_open,
        reminder,
        session,
        day_before,
        group_session,
        offers,
        offers_back,
        test_mail,
    )
}
