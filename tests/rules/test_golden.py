"""Every mail to the byte, as tests/golden/*.eml holds it: the same on both databases.

When a mail is meant to change, write the files anew and look at what changed in them:

    GOLDEN=write .venv/bin/pytest tests/rules/test_golden.py -k sqlite

Everything in them is fixed, ids too. The one thing that each instance makes for itself, the secrets of a sign-in, is
replaced before comparing.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, UUID, uuid5

import pytest
import vobject
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, telling
from portal.access.telling import News
from portal.cases import notices
from portal.desk import approvals
from portal.mailing import day_ahead
from portal.mailing import queue as mail
from portal.mailing import writing as mail_writing
from portal.mailing.registry import ADDRESSED, CONTEXTS, ROLE_CONTEXTS
from portal.models import (
    AccessDecision,
    AddressChange,
    Approval,
    Attendance,
    AttendanceState,
    BrowserSession,
    Clearance,
    ClearanceKind,
    Council,
    CouncilKind,
    CouncilRefusal,
    Delegation,
    Factor,
    FactorKind,
    GroupPlan,
    Mail,
    Mailbox,
    MailState,
    Offer,
    OfferState,
    Office,
    Package,
    PackageMentor,
    PackageState,
    Participation,
    Person,
    Place,
    Role,
    SecondAct,
    Session,
    SessionKind,
    SessionState,
    SignIn,
    Strand,
    Suspicion,
    SuspicionCause,
    Waiting,
    WaitingState,
)
from portal.registers import access_mails
from privacy.cases.letters import CaseLetter, LetterKind, LetterState
from privacy.cases.tables import (
    Case,
    CaseEvent,
    CaseFile,
    CaseKind,
    Channel,
    Event,
    Notice,
    NoticeKind,
    Sending,
    Way,
)
from privacy.chain_checks import ChainCheck
from privacy.columns import address_index
from privacy.work import Work, unit_of_work
from surveys import versions
from surveys.models import Respondent
from tests.cleared import needed
from tests.conftest import SetClock, Stack
from tests.rules.test_calendar import assert_sound

FOLDER = Path(__file__).resolve().parents[1] / "golden"
WRITES = os.environ.get("GOLDEN") == "write"
NOW = datetime(2023, 3, 1, 9, 0, tzinfo=UTC)
TEN = datetime(2023, 3, 30, 9, 0, tzinfo=UTC)
"""Ten in the morning in London, for summer time has begun."""


def fixed(name: str) -> UUID:
    """The same id for the same name, every time."""
    return uuid5(NAMESPACE_DNS, f"{name}.golden.example")


@dataclass
class World:
    """A leader and a group with one mentor, in words of several scripts; everything has a fixed id."""

    work: Work
    clock: SetClock
    ids: dict[str, UUID] = field(default_factory=dict)

    def build(self) -> None:
        self.person("leader", "Cllr Niamh O’Shea-D'Arcy & Team", Role.LEAD_MEMBER)
        self.person("member", "Siân Ŵyn-Žák", Role.COMMITTEE_MEMBER)
        self.person("mentor", "Ada Merriweather", Role.MENTOR)
        self.person("team", "Tom Field", Role.TEAM)
        self.person("assistant", "Pat Assist", Role.ASSISTANT)
        self.add(
            Delegation(
                id=fixed("delegation"),
                leader_id=fixed("leader"),
                assistant_id=fixed("assistant"),
                from_on=date(2023, 3, 1),
                named_at=NOW,
                named_by="system:test",
            )
        )
        self.package("one", "leader", Strand.ONE_TO_ONE, PackageState.BASELINE)
        self.package("ended", "leader", Strand.ONE_TO_ONE, PackageState.ENDED, ends_on=date(2023, 2, 20))
        self.package("group", "member", Strand.GROUP, PackageState.ACTIVE)
        self.session("meeting", "one", "leader", where="https://meet.example/niamh")
        self.session(
            "workshop",
            "group",
            "member",
            kind=SessionKind.WORKSHOP,
            capacity=12,
            title="Holding to account; a workshop, with “what if”",
            place=Place.IN_PERSON,
            where="Room 2; County Hall, Northmoor",
            travel="Ten minutes from the station.\nThe entrance is in Mill Lane.",
        )

    def add(self, row: Any, **sealed: Any) -> Any:
        for name, value in sealed.items():
            setattr(row, name, value)
        self.work.db.add(row)
        self.work.db.flush()
        return row

    def person(self, name: str, said: str, role: Role) -> None:
        address = f"{name}@golden.example"
        row = Person(
            id=fixed(name),
            ref=f"P-{name.upper()}",
            created_at=NOW,
            email_index=address_index(self.work.ring, address),
        )
        self.add(row, name=said, email=address)
        self.add(Office(id=fixed(f"{name} office"), person_id=row.id, role=role, from_on=date(2022, 1, 1)))
        self.work.db.add_all(needed(self.work, row.id, role))

    def package(self, name: str, member: str, strand: Strand, state: PackageState, **more: Any) -> None:
        row = Package(
            id=fixed(name),
            ref=f"K-{name.upper()}",
            strand=strand,
            state=state,
            starts_on=date(2022, 12, 1),
            planned_minutes=2100,
            created_at=NOW,
            **more,
        )
        self.add(row)
        self.add(Respondent(id=fixed(f"{name} part"), audience=Role.LEAD_MEMBER.value))
        self.add(
            Participation(
                id=fixed(f"{name} part"),
                package_id=row.id,
                person_id=fixed(member),
                role=Role.LEAD_MEMBER,
                from_on=row.starts_on,
                invited_at=NOW - timedelta(days=20),
            )
        )
        self.add(
            PackageMentor(
                id=fixed(f"{name} mentor"),
                package_id=row.id,
                person_id=fixed("mentor"),
                from_on=row.starts_on,
            )
        )

    def session(self, name: str, package: str, member: str, *, where: str, **more: Any) -> None:
        sealed = {key: more.pop(key) for key in ("title", "travel") if key in more}
        known = {"kind": SessionKind.ONE_TO_ONE, "place": Place.REMOTE, **more}
        row = Session(
            id=fixed(name),
            package_id=fixed(package),
            mentor_id=fixed("mentor"),
            state=SessionState.BOOKED,
            starts_at=TEN,
            ends_at=TEN + timedelta(hours=1),
            uid=f"{fixed(name)}@golden.example",
            sequence=2,
            created_at=NOW - timedelta(days=9),
            by="system:test",
            **known,
        )
        self.add(row, where=where, **sealed)
        group = row.capacity is not None
        self.add(
            Attendance(
                id=fixed(f"{name} seat"),
                session_id=row.id,
                person_id=fixed(member),
                participation_id=fixed(f"{package} part"),
                state=AttendanceState.BOOKED,
                booked_at=NOW - timedelta(days=9),
                by="system:test",
                uid=f"{fixed(f'{name} seat')}@golden.example" if group else None,
                sequence=0 if group else None,
            )
        )

    def queue(self, template: str, *, about: UUID, to: str | Mailbox, step: str = "once") -> None:
        addressee = to if isinstance(to, Mailbox) else fixed(to)
        mail.queue(self.work, template=template, about=about, to=addressee, step=step)

    def notice(self, *, exercise: bool = False) -> None:
        """A case with its first notice, saved and not sent."""
        case = Case(
            id=fixed("case"),
            ref="C-7KX4M2",
            kind=CaseKind.ACCESS,
            channel=Channel.EMAIL,
            received_at=NOW - timedelta(hours=1),
            entered_at=NOW - timedelta(minutes=20),
            by="system:test",
            exercise=exercise,
        )
        self.add(case, asked="Send me all that you hold", contact={"name": "Ada Quill"})
        made_at, by = NOW - timedelta(minutes=20), "system:test"
        notice = Notice(
            id=fixed("notice"), case_id=case.id, number=1, kind=NoticeKind.FIRST, made_at=made_at, by=by
        )
        self.add(notice, body={"title": "Notice of a request to see personal data", "facts": [], "parts": []})
        for to in notices.recipients(case):
            self.add(
                Sending(
                    id=fixed(f"sending {to}"),
                    notice_id=notice.id,
                    case_id=case.id,
                    way=Way.EMAIL,
                    to=to,
                    made_at=made_at,
                    by=by,
                )
            )


Arrange = Callable[[World], None]


def sign_in(world: World) -> None:
    asked = SignIn(
        id=fixed("sign-in"),
        person_id=fixed("mentor"),
        chain=fixed("chain"),
        verifier=b"v" * 32,
        level=1,
        asked_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
    )
    world.add(asked)
    world.queue("sign_in", about=asked.id, to="mentor")


def ended_delegation(world: World) -> UUID:
    world.work.db.get_one(Delegation, fixed("delegation")).ended_at = NOW
    return fixed("delegation")


def no_longer_assisting(world: World) -> None:
    world.queue("assistant", about=ended_delegation(world), to="assistant", step="ended")


def own_sign_in(what: News) -> Arrange:
    """News about somebody's sign-in."""

    def arrange(world: World) -> None:
        match what:
            case News.NEW_BROWSER | News.DEVICE_KEPT:
                about = world.add(a_session()).id
            case News.ADDRESS_NEW:
                change = AddressChange(id=fixed("change"), person_id=fixed("leader"), at=NOW)
                about = world.add(change, before="before@golden.example").id
            case News.ASSISTANT_ENDED:
                about = ended_delegation(world)
            case News.ASSISTANT_NAMED:
                about = fixed("delegation")
            case News.PAUSED:
                about = fixed("guess")
            case News.CODE_USED | News.RESTORED:
                about = world.add(a_factor(FactorKind.START)).id
            case _:
                about = world.add(a_factor(FactorKind.PASSWORD)).id
        world.queue(telling.NEWS, about=about, to="leader", step=what.value)

    return arrange


def a_factor(kind: FactorKind, *, confirmed: bool = True) -> Factor:
    return Factor(
        id=fixed("factor"),
        person_id=fixed("leader"),
        kind=kind,
        browser="Safari on iPad",
        made_at=NOW,
        made_by=f"person:{fixed('team')}",
        confirmed_at=NOW if confirmed else None,
    )


def a_session() -> BrowserSession:
    return BrowserSession(
        id=fixed("browser session"),
        person_id=fixed("leader"),
        token=b"t" * 32,
        level=1,
        device=False,
        browser="Safari on iPad",
        created_at=NOW,
        seen_at=NOW,
        ends_at=NOW + timedelta(hours=12),
    )


def address_changed(world: World) -> None:
    change = AddressChange(id=fixed("change"), person_id=fixed("leader"), at=NOW)
    world.add(change, before="before@golden.example")
    mail.queue(world.work, template=telling.ADDRESS, about=change.id, to=None)


def factor_waits(world: World) -> None:
    world.add(a_factor(FactorKind.PASSKEY, confirmed=False))
    world.queue(telling.TO_CONFIRM, about=fixed("factor"), to=Mailbox.TEAM)


def council_refused(world: World) -> None:
    council = Council(
        id=fixed("council"),
        gss="E10000001",
        code="NOR",
        name="Northshire County Council",
        short_name="Northshire",
        kind=CouncilKind.COUNTY,
        region="North",
        replaced_by=[],
    )
    world.add(council)
    refusal = CouncilRefusal(
        id=fixed("refusal"), council_id=council.id, refused_at=NOW, refused_by="system:test"
    )
    world.add(refusal, reason="It was supported last year")
    world.queue("council_refused", about=refusal.id, to=Mailbox.TEAM)


def council_asked_again(world: World) -> None:
    council_refused(world)
    world.work.db.flush()
    world.work.db.execute(delete(Mail))
    row = world.work.db.get_one(CouncilRefusal, fixed("refusal"))
    row.ended_at, row.ended_by, row.news = NOW, "system:test", "A new report"
    package = world.work.db.get_one(Package, fixed("one"))
    package.council_id, package.state = row.council_id, PackageState.PROPOSED
    world.person("observer", "Olive Grant", Role.OBSERVER)
    world.queue("council_asked_again", about=row.id, to="observer")


def factor_restored(to: str) -> Arrange:
    def arrange(world: World) -> None:
        world.add(a_factor(FactorKind.START))
        world.queue(telling.RESTORED_ONE, about=fixed("factor"), to=to)

    return arrange


def second_person(world: World) -> None:
    row = Approval(
        id=fixed("approval"),
        act=SecondAct.ERASURE,
        thing=f"person:{fixed('leader')}",
        asked_at=NOW,
        asked_by=f"person:{fixed('officer')}",
        ends_at=NOW + approvals.WAITS,
    )
    world.add(row)
    world.queue(approvals.TEMPLATE, about=row.id, to="team")


def second_person_refused(world: World) -> None:
    second_person(world)
    world.work.db.flush()
    world.work.db.execute(delete(Mail))
    row = world.work.db.get_one(Approval, fixed("approval"))
    row.agreed, row.answered_at, row.answered_by = False, NOW, f"person:{fixed('administrator')}"
    world.queue(approvals.REFUSED, about=row.id, to="team")


def assisted(world: World) -> None:
    step = mail.numbered(2, whose=fixed("leader"))
    world.queue("session", about=fixed("meeting"), to="assistant", step=step)


def cancelled(world: World) -> None:
    row = world.work.db.get_one(Session, fixed("meeting"))
    row.state, row.sequence = SessionState.CANCELLED, 3
    world.queue("session", about=row.id, to="leader", step="3")


def changed(world: World) -> None:
    """Its reader was told of it before."""
    world.add(
        Mail(
            id=fixed("first mail"),
            person_id=fixed("leader"),
            template="session",
            about=fixed("meeting"),
            step="1",
            state=MailState.SENT,
            queued_at=NOW,
            due_at=NOW,
            sent_at=NOW,
            tries=0,
        )
    )
    world.queue("session", about=fixed("meeting"), to="leader", step="2")


def moved(world: World) -> None:
    """By its mentor, after its reader was told of it."""
    row = world.work.db.get_one(Session, fixed("meeting"))
    row.moved_at, row.moved_by = NOW + timedelta(minutes=1), f"person:{fixed('mentor')}"
    row.moved_from_at, row.moved_from_place = TEN - timedelta(days=1), Place.IN_PERSON
    row.moved_from_where = "County Hall"
    changed(world)


def place_given_up(world: World) -> None:
    seat = world.work.db.get_one(Attendance, fixed("workshop seat"))
    seat.state, seat.sequence = AttendanceState.CANCELLED, 1
    world.queue("session", about=seat.session_id, to="member", step="1")


def day_before(name: str, to: str) -> Arrange:
    def arrange(world: World) -> None:
        row = world.work.db.get_one(Session, fixed(name))
        row.starts_at, row.ends_at = NOW + timedelta(days=1), NOW + timedelta(days=1, hours=1)
        world.queue("day_before", about=row.id, to=to, step=day_ahead.step_of(row))

    return arrange


def group_session(world: World) -> None:
    world.work.db.delete(world.work.db.get_one(Attendance, fixed("workshop seat")))
    world.work.db.flush()
    world.queue("group_session", about=fixed("workshop"), to="member")


def offers(world: World) -> None:
    for number in range(2):
        starts_at = TEN + timedelta(days=number)
        world.add(
            Offer(
                id=fixed(f"offer {number}"),
                batch_id=fixed("batch"),
                package_id=fixed("one"),
                mentor_id=fixed("mentor"),
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1),
                place=Place.REMOTE,
                state=OfferState.OPEN,
                made_at=NOW,
            )
        )
    world.queue("offers", about=fixed("batch"), to="leader")


def offers_back(world: World) -> None:
    offers(world)
    for row in world.work.db.scalars(select(Offer)):
        row.state, row.taken_back_at = OfferState.WITHDRAWN, NOW
    world.work.db.flush()
    world.work.db.execute(update(Mail).values(state=MailState.SENT, sent_at=NOW))
    world.queue("offers_back", about=fixed("batch"), to="leader")


def waiting_over(world: World) -> None:
    row = world.work.db.get_one(Session, fixed("workshop"))
    row.state, row.called_off = SessionState.CANCELLED, "Too few people could come."
    world.add(
        Waiting(
            id=fixed("waiting"),
            session_id=row.id,
            person_id=fixed("member"),
            participation_id=fixed("group part"),
            number=1,
            state=WaitingState.OVER,
            joined_at=NOW,
            by="system:test",
        )
    )
    world.queue("waiting_over", about=row.id, to="member")


def go_no_go(world: World) -> None:
    world.add(GroupPlan(session_id=fixed("workshop"), minimum=6, decide_on=date(2023, 3, 20)))
    world.queue("go_no_go", about=fixed("workshop"), to="team")


def clearance(to: str) -> Arrange:
    """The mentor's training runs out in a fortnight."""

    def arrange(world: World) -> None:
        for row in world.work.db.query(Clearance).filter_by(person_id=fixed("mentor")):
            if row.kind is ClearanceKind.TRAINING:
                row.expires_on = date(2023, 3, 15)
                world.queue("clearance", about=row.id, to=to, step="14")

    return arrange


def gathered(world: World) -> None:
    world.queue("invitation", about=fixed("one part"), to="leader")
    offers(world)


def notice(to: Mailbox, *, exercise: bool = False) -> Arrange:
    def arrange(world: World) -> None:
        world.notice(exercise=exercise)
        world.queue("notice", about=fixed(f"sending {to}"), to=to)

    return arrange


def notice_stuck(world: World) -> None:
    world.notice()
    world.queue("notice_stuck", about=fixed("notice"), to=Mailbox.DPO)


def audit_head(world: World) -> None:
    world.add(
        ChainCheck(id=fixed("check"), at=NOW, by="system:test", ok=True, lines=1204, digest="9f2c" * 16)
    )
    world.queue("audit_head", about=fixed("check"), to=Mailbox.CONTROLLER_DPO, step="2023-03-01")


def access(template: str, to: str) -> Arrange:
    """In the last days of a review that one of the team waits in."""

    def arrange(world: World) -> None:
        world.person("officer", "Dee Pio", Role.DPO)
        waits = delete(AccessDecision).where(AccessDecision.person_id == fixed("team"))
        world.work.db.flush()
        world.work.db.execute(waits)
        world.clock.now = datetime(2023, 4, 8, 9, 0, tzinfo=UTC)
        world.queue(template, about=access_mails.about(date(2023, 3, 31)), to=to)

    return arrange


def suspicion(world: World) -> None:
    case = Case(
        id=fixed("draft"),
        ref="C-9QW3RT",
        kind=CaseKind.INCIDENT,
        channel=Channel.SYSTEM,
        received_at=NOW,
        entered_at=NOW,
        by="system:test",
    )
    world.add(case, asked="A sealed value did not open. Line 7 of the audit trail.", contact={})
    seen = Suspicion(
        id=fixed("suspicion"),
        cause=SuspicionCause.SEAL,
        on_day=date(2023, 3, 1),
        found_at=NOW,
        up_to=7,
        case_id=case.id,
    )
    world.add(seen)
    world.queue("suspicion", about=seen.id, to=Mailbox.DPO)


def suspicion_again(world: World) -> None:
    """More of the same has come, and somebody has decided meanwhile."""
    suspicion(world)
    note = CaseEvent(
        id=fixed("again"),
        case_id=fixed("draft"),
        number=2,
        kind=Event.NOTE,
        at=NOW,
        entered_at=NOW,
        by="system:suspicions",
    )
    closed = CaseEvent(
        id=fixed("dismissed"),
        case_id=fixed("draft"),
        number=1,
        kind=Event.CLOSED,
        at=NOW,
        entered_at=NOW,
        by="system:test",
    )
    world.add(closed, body={"outcome": "Dismissed: no incident", "evidence": "A disk was swapped"})
    world.add(
        note, body={"text": "A sealed value did not open, again. Line 9 of the audit trail.", "lines": 1}
    )


def case_letter(world: World) -> None:
    """A letter to somebody without an account, whose address stands in the letter."""
    case = Case(
        id=fixed("request"),
        ref="C-7KX4M2",
        kind=CaseKind.ACCESS,
        channel=Channel.POST,
        received_at=NOW,
        entered_at=NOW,
        by="system:test",
    )
    world.add(case, asked="Send me all that you hold", contact={})
    file = CaseFile(
        id=fixed("letter file"),
        case_id=case.id,
        added_at=NOW,
        by="system:test",
        media_type="application/pdf",
        size=4,
    )
    world.add(file, name="letter.pdf", content=b"%PDF")
    letter = CaseLetter(
        id=fixed("letter"),
        case_id=case.id,
        number=1,
        kind=LetterKind.ACKNOWLEDGE,
        state=LetterState.QUEUED,
        made_at=NOW,
        by="system:test",
        way=Way.EMAIL,
        file_id=file.id,
    )
    text = "Dear Siân,\n\n# What we do\n\n- We look\n- We answer\n\nIts reference is C-7KX4M2."
    to = {"name": "Siân Ŵyn-Žák", "email": "sian@golden.example", "lines": []}
    world.add(letter, title="We have your request", text=text, to=to)
    mail.queue(world.work, template="case_letter", about=letter.id, to=None)


def simple(template: str, about: str, to: str, step: str = "once") -> Arrange:
    return lambda world: world.queue(template, about=fixed(about), to=to, step=step)


MAILS: dict[str, Arrange] = {
    "sign_in": sign_in,
    "invitation": simple("invitation", "one part", "leader"),
    "post_open": simple("post_open", "ended part", "leader"),
    "reminder": simple("reminder", "ended part", "leader", "post:once:week"),
    "session": simple("session", "meeting", "leader", "2"),
    "session, to the mentor": simple("session", "meeting", "mentor", "2"),
    "session, for an assistant": assisted,
    "assistant": simple("assistant", "delegation", "assistant"),
    "assistant, no longer": no_longer_assisting,
    "session, changed": changed,
    "session, moved": moved,
    "session, cancelled": cancelled,
    "session, a place": simple("session", "workshop", "member", "0"),
    "session, a place given up": place_given_up,
    "day_before": day_before("meeting", "leader"),
    "day_before, a place": day_before("workshop", "member"),
    "group_session": group_session,
    "offers": offers,
    "offers_back": offers_back,
    "gathered": gathered,
    "test_mail": simple("test_mail", "leader", "leader"),
    "place_freed": simple("place_freed", "workshop", "member"),
    "waiting_over": waiting_over,
    "go_no_go": go_no_go,
    "clearance": clearance("mentor"),
    "clearance, to the team": clearance("team"),
    "notice": notice(Mailbox.DEPARTMENT),
    "notice, an exercise": notice(Mailbox.DPO, exercise=True),
    "notice_stuck": notice_stuck,
    "audit_head": audit_head,
    "access_review": access("access_review", "officer"),
    "access_lapsing": access("access_lapsing", "team"),
    "suspicion": suspicion,
    "suspicion, again": suspicion_again,
    "case_letter": case_letter,
    **{f"account_news, {what.value}": own_sign_in(what) for what in News},
    "address_changed": address_changed,
    "factor_waits": factor_waits,
    "council_refused": council_refused,
    "council_asked_again": council_asked_again,
    "second_person": second_person,
    "second_person_refused": second_person_refused,
    "factor_restored, by oneself": factor_restored("team"),
    "factor_restored, by another": factor_restored("mentor"),
}


def written(stack: Stack, db: DbSession, clock: SetClock, arrange: Arrange) -> bytes:
    """The mail, with fixed ids, as the post would send it now."""
    versions.publish_shipped(db, clock)
    with unit_of_work(db, clock, "system:test") as work:
        world = World(work, clock)
        world.build()
        arrange(world)
        work.db.flush()
        rows = work.db.query(Mail).order_by(Mail.template).all()
        for number, row in enumerate(rows):
            work.db.execute(update(Mail).where(Mail.id == row.id).values(id=fixed(f"mail {number}")))
        together = [fixed(f"mail {number}") for number in range(len(rows))]
    db.expire_all()
    parcel = mail_writing.write(db, stack.instance, together)
    assert parcel is not None, "there is no reason to send it"
    for part in parcel.message.walk():
        if part.get_content_type() == "application/pdf":
            # A paper is set with the fonts of the machine; tests/rules/test_notices.py reads one.
            part.set_payload("A PDF.\r\n")
            part.replace_header("Content-Transfer-Encoding", "7bit")
    return parcel.message.as_bytes()


def without_secrets(stack: Stack, raw: bytes) -> bytes:
    """A sign-in mail as if every instance had the same keys; its lines are joined, for secrets are broken over two."""
    ring, sign_in_id = stack.instance.vault.ring, fixed("sign-in")
    joined = raw.replace(b"=\r\n", b"")
    for secret, stand_in in (
        (accounts.code_of(ring, sign_in_id), "123456"),
        (accounts.link_token(ring, sign_in_id), "SECRET"),
    ):
        assert secret.encode() in joined
        joined = joined.replace(secret.encode(), stand_in.encode())
    return joined


def path_of(name: str) -> Path:
    return FOLDER / f"{name.replace(',', '').replace(' ', '-')}.eml"


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_the_golden_one(stack: Stack, db: DbSession, clock: SetClock, name: str) -> None:
    raw = written(stack, db, clock, MAILS[name])
    if name == "sign_in":
        raw = without_secrets(stack, raw)
    assert raw.count(b"\n") == raw.count(b"\r\n"), "every line ends as mail servers want it"
    path, shown = path_of(name), raw.replace(b"\r\n", b"\n")
    if WRITES:
        path.write_bytes(shown)
    assert shown.decode() == path.read_text(), f"{path.name} says something else; see the top of this file"


def test_every_template_has_a_golden_mail_and_no_file_is_left_over() -> None:
    templates = {name.partition(",")[0] for name in MAILS}
    assert {*CONTEXTS, *ROLE_CONTEXTS, *ADDRESSED, mail_writing.GATHERED} == templates, (
        "add the new mail to MAILS, then write the files anew"
    )
    assert {path.name for path in FOLDER.iterdir()} == {path_of(name).name for name in MAILS}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.eml")), ids=lambda path: path.stem)
def test_a_golden_mail_is_sound_and_its_calendar_is_read_by_a_second_library(path: Path) -> None:
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert not mail.defects
    html = mail.get_body(("html",))
    assert html is not None
    # Its own style says how it looks, and fetches nothing.
    for outside in ("<img", "src=", "<link", "url(", "@import", "<script", "http-equiv"):
        assert outside not in html.get_content()
    calendars: list[Any] = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    for part in calendars:
        file = part.get_payload(decode=True)
        assert_sound(file)
        (read,) = vobject.readComponents(file.decode())
        assert read.method.value == part["Content-Type"].params["method"]
        assert [one.value for one in read.vevent.attendee_list] == [
            f"mailto:{mail['To'].addresses[0].addr_spec}"
        ]
        assert read.vevent.organizer.value == f"mailto:{mail['From'].addresses[0].addr_spec}"
        assert read.vevent.dtstart.value.tzinfo is not None
    assert bool(calendars) is path.stem.startswith("session")
