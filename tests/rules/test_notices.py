"""Notices to the Controller: queued with the case, sent with their paper, evidence of them, and who is told if not."""

import smtplib
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session as DbSession

from portal.booking import holidays
from portal.cases import acts as casework
from portal.cases import clocks as case_clocks
from portal.cases import duty, notice_watch, notices
from portal.cases import intake as desk_cases
from portal.cases.acts import Happened
from portal.cases.calendars import calendars
from portal.mailing import post
from portal.mailing import queue as mail
from portal.mailing.senders import AddressRefused
from portal.models import Mail, Mailbox, MailState, Person, Role
from portal.registers import audit_heads
from privacy.audit import AuditEntry
from privacy.cases import acts
from privacy.cases import notices as kept
from privacy.cases.rules import Incomplete, InFuture, NotPossible, OutOfOrder
from privacy.cases.story import ClockName, State, Story
from privacy.cases.tables import CaseKind, Channel, Event, Notice, NoticeKind, Sending, Way
from privacy.chain_checks import ChainCheck
from privacy.clock import london_date
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack
from tests.factories import Factory
from tests.pages.test_queries import statements
from tests.rules.test_erasure import erase, instruct, places_of

NOW = datetime(2023, 3, 1, 9, tzinfo=UTC)
BOTH = {"contract-manager@department.example", "data-protection@department.example"}


class Tray:
    """A sender that keeps what it was given, and refuses some addresses or everything while it is told to."""

    def __init__(self) -> None:
        self.sent: list[EmailMessage] = []
        self.refused: set[str] = set()
        self.trouble: Exception | None = None

    def send(self, message: EmailMessage, *, at: datetime) -> str | None:
        if self.trouble is not None:
            raise self.trouble
        if message["To"] in self.refused:
            raise AddressRefused(550)
        self.sent.append(message_from_bytes(message.as_bytes(), policy=policy.default))
        return "250 2.0.0 Ok: queued as 4PQ7x1"

    def to(self) -> list[str]:
        return sorted(str(message["To"]) for message in self.sent)


class Desk:
    """The desk of one test: takes in, delivers, watches."""

    def __init__(self, stack: Stack, db: DbSession, clock: SetClock) -> None:
        self.stack, self.db, self.clock, self.tray = stack, db, clock, Tray()
        self.sessions = partial(DbSession, stack.engine, info={"vault": stack.instance.vault})
        self.programme = stack.instance.programme

    def take_in(self, kind: CaseKind = CaseKind.ACCESS, **more: Any) -> UUID:
        said = {
            "channel": Channel.EMAIL,
            "received_at": self.clock(),
            "asked": "Send me all that you hold",
            "contact": {"name": "Ada Quill", "email": "ada@example.org"},
            **more,
        }
        with self.work() as unit:
            return desk_cases.take_in(unit, self.programme, kind=kind, **said).id

    def work(self) -> Any:
        return unit_of_work(self.db, self.clock, "person:desk")

    def deliver(self) -> int:
        return post.deliver(self.stack.instance, self.sessions, self.tray)

    def watch(self) -> int:
        return notice_watch.run(self.stack.instance, self.sessions)

    def told(self, case_id: UUID) -> list[notices.Ways]:
        self.db.rollback()
        self.db.expire_all()
        return notices.of_case(self.db, case_id)

    def stuck(self) -> list[notices.Stuck]:
        self.db.rollback()
        self.db.expire_all()
        return notices.stuck(self.db, self.programme, now=self.clock())

    def story(self, case_id: UUID) -> Story:
        self.db.rollback()
        self.db.expire_all()
        return acts.read(self.db, case_id)

    def later(self, **by: float) -> None:
        self.clock.now += timedelta(**by)


@pytest.fixture
def desk(stack: Stack, db: DbSession, clock: SetClock) -> Desk:
    return Desk(stack, db, clock)


def read_paper(message: EmailMessage) -> str:
    (enclosed,) = message.iter_attachments()
    assert enclosed.get_content_type() == "application/pdf"
    data: Any = enclosed.get_payload(decode=True)
    reader: Any = PdfReader(BytesIO(data))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"].value
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def words_of(message: EmailMessage) -> str:
    return message.get_body(("plain",)).get_content().replace("\r\n", "\n")


# ---- the first notice


def test_saving_a_case_queues_its_notice_to_every_contact_in_the_same_work(desk: Desk) -> None:
    case_id = desk.take_in()
    mails = desk.db.scalars(select(Mail).order_by(Mail.mailbox)).all()
    assert [(mail.mailbox, mail.person_id) for mail in mails] == [
        (Mailbox.CONTROLLER_DPO, None),
        (Mailbox.DEPARTMENT, None),
    ]
    assert [(one.notice.number, one.notice.kind) for one in desk.told(case_id)] == [(1, NoticeKind.FIRST)]


@pytest.mark.parametrize("kind", CaseKind)
def test_each_kind_has_its_notice(desk: Desk, kind: CaseKind) -> None:
    desk.take_in(kind)
    body = desk.db.scalars(select(Notice)).one().body
    assert body is not None
    assert body["title"].startswith("Notice of ")
    assert "Ada Quill" in str(body["facts"])


def test_a_case_that_is_refused_leaves_no_notice(desk: Desk) -> None:
    with pytest.raises(InFuture):
        desk.take_in(received_at=desk.clock() + timedelta(days=1))
    assert desk.db.scalars(select(Mail)).all() == []


def test_the_mail_is_neutral_and_the_paper_says_it(desk: Desk) -> None:
    case_id = desk.take_in()
    ref = desk.story(case_id).case.ref
    assert desk.deliver() == 2
    assert set(desk.tray.to()) == BOTH
    for message in desk.tray.sent:
        assert message["Subject"] == f"con_9887, {ref}, notice 1"
        assert message["Reply-To"] == "data-protection@programme.example"
        assert "Ada" not in words_of(message)
        assert "Send me all" not in words_of(message)
        paper = read_paper(message)
        for said in (
            "con_9887",
            ref,
            "Ada Quill",
            "ada@example.org",
            "Send me all that you hold",
            "3 April 2023",
        ):
            assert said in paper


def test_what_the_server_said_stops_the_clock_with_its_evidence(desk: Desk) -> None:
    case_id = desk.take_in()
    assert desk.story(case_id).state is State.NOT_NOTIFIED
    desk.later(minutes=2)
    desk.deliver()
    story = desk.story(case_id)
    assert story.state is State.WITH_CONTROLLER
    event = story.of(Event.CONTROLLER_NOTIFIED)[0]
    assert event.at == NOW + timedelta(minutes=2)
    assert event.by == "system:post"
    assert "250 2.0.0 Ok: queued as 4PQ7x1" in event.body["evidence"]
    assert desk.tray.sent[0]["Message-ID"] in " ".join(
        one.body["evidence"] for one in story.of(Event.CONTROLLER_NOTIFIED)
    )
    clock = story.clocks(now=desk.clock())[0]
    assert clock.minutes(now=desk.clock() + timedelta(days=1)) == 2
    lines = desk.db.scalars(select(AuditEntry.action)).all()
    assert [line for line in lines if line.startswith("notice.")] == [
        "notice.made",
        "notice.sent",
        "notice.sent",
    ]


def test_a_mail_that_goes_twice_counts_once(desk: Desk) -> None:
    case_id = desk.take_in()
    desk.deliver()
    with desk.work() as unit:
        for sending in unit.db.scalars(select(Sending)).all():
            kept.delivered(unit, sending, at=unit.now, evidence={"what": "again"})
    assert len(desk.story(case_id).of(Event.CONTROLLER_NOTIFIED)) == 2


def test_nothing_said_stands_in_clear(desk: Desk) -> None:
    desk.take_in()
    desk.deliver()
    for table in (Notice.__table__, Sending.__table__, Mail.__table__):
        for row in desk.db.execute(select(table)):
            assert not any(isinstance(value, bytes) and b"Ada" in value for value in row)
            assert "Ada" not in str([value for value in row if not isinstance(value, bytes)])


# ---- the paper


@pytest.mark.parametrize("odd", ["\x00", "\U0001f600", "\ue000", "مريم"])
def test_no_letter_holds_a_notice_up(desk: Desk, odd: str) -> None:
    desk.take_in(asked=f"Send {odd} all", contact={"name": f"Ada {odd} Quill"})
    assert desk.deliver() == 2
    assert "all" in read_paper(desk.tray.sent[0])


def test_a_paper_that_fails_never_holds_up_the_notice(desk: Desk) -> None:
    case_id = desk.take_in()
    with desk.work() as unit:
        notice = unit.db.scalars(select(Notice)).one()
        # A paper without a title is none that can be read aloud: it is refused.
        notice.body = {**(notice.body or {}), "title": ""}
    assert desk.deliver() == 2
    assert "Send me all that you hold" in words_of(desk.tray.sent[0])
    assert not list(desk.tray.sent[0].iter_attachments())
    assert desk.story(case_id).of(Event.CONTROLLER_NOTIFIED)
    (told,) = desk.told(case_id)
    # Without its PDF it tells the Controller, and is no service under cl 22.2.3.
    assert [served for _, served in told.ways] == [None, None]
    assert all("PDF" in one.evidence["paper"] for one, _ in told.ways)


# ---- when it counts as served


@pytest.mark.parametrize(
    "sent, served",
    [
        (datetime(2023, 3, 1, 9, tzinfo=UTC), datetime(2023, 3, 1, 9, tzinfo=UTC)),
        (datetime(2023, 3, 1, 17, tzinfo=UTC), datetime(2023, 3, 1, 17, tzinfo=UTC)),
        (datetime(2023, 3, 1, 17, 0, 1, tzinfo=UTC), datetime(2023, 3, 2, 9, tzinfo=UTC)),
        (datetime(2023, 3, 3, 18, tzinfo=UTC), datetime(2023, 3, 6, 9, tzinfo=UTC)),
        # Good Friday and Easter Monday; the clocks went forward on 26 March.
        (datetime(2023, 4, 6, 16, 30, tzinfo=UTC), datetime(2023, 4, 11, 8, tzinfo=UTC)),
    ],
)
def test_an_e_mail_outside_office_hours_is_served_on_the_next_working_day(
    desk: Desk, sent: datetime, served: datetime
) -> None:
    desk.clock.now = sent
    case_id = desk.take_in()
    desk.deliver()
    assert {when for one in desk.told(case_id) for _, when in one.ways} == {served}


def test_a_holiday_of_the_table_moves_service(desk: Desk) -> None:
    with desk.work() as unit:
        holidays.add(unit, on=date(2023, 3, 2), name="A day of mourning", for_clocks=True)
    desk.clock.now = datetime(2023, 3, 1, 18, tzinfo=UTC)
    case_id = desk.take_in()
    desk.deliver()
    assert {served for _, served in desk.told(case_id)[0].ways} == {datetime(2023, 3, 3, 9, tzinfo=UTC)}


def passed_on(desk: Desk, case_id: UUID) -> tuple[datetime | None, bool]:
    """When an FOI request counts as passed on, and whether that is late."""
    known = calendars(desk.db)
    (line,) = [
        one
        for one in case_clocks.of_case(desk.story(case_id), now=desk.clock(), holidays=known)
        if one.clock.name is ClockName.FOI_PASS_ON
    ]
    return line.clock.met_at, line.is_late


@pytest.mark.parametrize(
    "sent, served, late",
    [
        # Received on Wednesday 1 March, so due on Friday 3 March (cl 13.2.1).
        (datetime(2023, 3, 2, 18, tzinfo=UTC), datetime(2023, 3, 3, 9, tzinfo=UTC), False),
        (datetime(2023, 3, 3, 17, tzinfo=UTC), datetime(2023, 3, 3, 17, tzinfo=UTC), False),
        (datetime(2023, 3, 3, 17, 0, 1, tzinfo=UTC), datetime(2023, 3, 6, 9, tzinfo=UTC), True),
        (datetime(2023, 3, 4, 18, tzinfo=UTC), datetime(2023, 3, 6, 9, tzinfo=UTC), True),
        # The contract asks for the hours of a day and not for a working day: see `served_by_email`.
        (datetime(2023, 3, 4, 11, tzinfo=UTC), datetime(2023, 3, 4, 11, tzinfo=UTC), True),
    ],
    ids=["evening before", "last minute", "evening of the day", "weekend evening", "weekend noon"],
)
def test_an_foi_request_is_passed_on_when_its_notice_is_served(
    desk: Desk, sent: datetime, served: datetime, late: bool
) -> None:
    case_id = desk.take_in(CaseKind.FOI, received_at=NOW)
    assert passed_on(desk, case_id) == (None, False)
    desk.clock.now = sent
    desk.deliver()
    assert passed_on(desk, case_id) == (served, late)
    # What is due at once counts from when it went.
    assert desk.story(case_id).clocks(now=sent)[0].met_at == sent


@pytest.mark.parametrize(
    "way, at, served, late",
    [
        (Way.HAND, datetime(2023, 3, 3, 18, 30, tzinfo=UTC), datetime(2023, 3, 3, 18, 30, tzinfo=UTC), False),
        (Way.POST, datetime(2023, 3, 1, 10, tzinfo=UTC), datetime(2023, 3, 3, 10, tzinfo=UTC), False),
        (Way.POST, datetime(2023, 3, 3, 10, tzinfo=UTC), datetime(2023, 3, 5, 10, tzinfo=UTC), True),
    ],
)
def test_an_foi_request_that_was_taken_there_counts_from_then_and_not_from_its_writing_down(
    desk: Desk, way: Way, at: datetime, served: datetime, late: bool
) -> None:
    case_id = desk.take_in(CaseKind.FOI)
    notice_id = desk.told(case_id)[0].notice.id
    desk.clock.now = datetime(2023, 3, 7, 9, tzinfo=UTC)
    with desk.work() as unit:
        notices.carried(
            unit, notice_id=notice_id, way=way, to=Mailbox.DEPARTMENT, at=at, evidence="Receipt RN 4411"
        )
    assert passed_on(desk, case_id) == (served, late)


def test_an_foi_request_passed_on_by_hand_and_written_down_the_day_after(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.FOI)
    desk.clock.now = datetime(2023, 3, 4, 9, tzinfo=UTC)
    what = Happened(
        kind=Event.CONTROLLER_NOTIFIED, on=date(2023, 3, 3), body={"evidence": "Read out on the phone"}
    )
    with desk.work() as unit:
        casework.write_down(unit, case_id=case_id, what=what)
    assert passed_on(desk, case_id) == (datetime(2023, 3, 3, tzinfo=UTC), False)


def test_an_foi_request_whose_pdf_could_not_be_made_is_not_passed_on_yet(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.FOI)
    with desk.work() as unit:
        notice = unit.db.scalars(select(Notice)).one()
        notice.body = {**(notice.body or {}), "title": ""}
    desk.deliver()
    assert passed_on(desk, case_id) == (None, False)


def test_a_notice_that_is_marked_late_counts_from_when_it_went(desk: Desk) -> None:
    """Others may write for a while between sending and marking."""
    case_id = desk.take_in(CaseKind.FOI)
    went = desk.clock.now = datetime(2023, 3, 3, 16, 59, 50, tzinfo=UTC)
    send = desk.tray.send

    def slowly(message: EmailMessage, *, at: datetime) -> str | None:
        answer = send(message, at=at)
        desk.later(minutes=1)
        return answer

    desk.tray.send = slowly  # type: ignore[method-assign]
    post.deliver(desk.stack.instance, desk.sessions, desk.tray, limit=1)
    assert passed_on(desk, case_id) == (went, False)


def test_by_post_and_by_hand_with_time_and_evidence(desk: Desk) -> None:
    case_id = desk.take_in()
    notice_id = desk.told(case_id)[0].notice.id
    posted, left = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    desk.later(hours=3)
    with desk.work() as unit:
        notices.carried(
            unit,
            notice_id=notice_id,
            way=Way.POST,
            to=Mailbox.DEPARTMENT,
            at=posted,
            evidence="Receipt RN 4411",
        )
        notices.carried(
            unit,
            notice_id=notice_id,
            way=Way.HAND,
            to=Mailbox.CONTROLLER_DPO,
            at=left,
            evidence="The front desk",
        )
    ways = {one.way: served for one, served in desk.told(case_id)[0].ways if one.delivered}
    assert ways == {Way.POST: posted + timedelta(hours=48), Way.HAND: left}
    first, second = desk.story(case_id).of(Event.CONTROLLER_NOTIFIED)
    assert (first.at, first.by, first.body["evidence"]) == (posted, "person:desk", "Receipt RN 4411")
    assert (second.at, second.body["way"]) == (left, "hand")


@pytest.mark.parametrize(
    "at, evidence, refusal",
    [
        (NOW + timedelta(hours=1), "Receipt", InFuture),
        (NOW - timedelta(hours=1), "Receipt", OutOfOrder),
        (NOW, "  ", Incomplete),
    ],
)
def test_what_was_taken_there_needs_a_time_that_can_be_and_evidence(
    desk: Desk, at: datetime, evidence: str, refusal: type[Exception]
) -> None:
    notice_id = desk.told(desk.take_in())[0].notice.id
    with pytest.raises(refusal), desk.work() as unit:
        notices.carried(
            unit, notice_id=notice_id, way=Way.POST, to=Mailbox.DEPARTMENT, at=at, evidence=evidence
        )


# ---- phases


def test_further_information_goes_in_numbered_phases(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.INCIDENT)
    desk.deliver()
    with desk.work() as unit:
        notices.further(unit, case_id=case_id, text="Two people are affected", number=2)
    with pytest.raises(NotPossible, match="Notice 2"), desk.work() as unit:
        notices.further(unit, case_id=case_id, text="Two people are affected", number=2)
    desk.deliver()
    assert [one.notice.number for one in desk.told(case_id)] == [1, 2]
    assert "Two people are affected" in read_paper(desk.tray.sent[-1])
    assert "notice 2" in desk.tray.sent[-1]["Subject"]


def test_an_outcome_follows_an_investigation_and_becomes_its_event(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.INCIDENT)
    desk.deliver()
    with pytest.raises(NotPossible), desk.work() as unit:
        notices.further(unit, case_id=case_id, text="All is well", kind=NoticeKind.OUTCOME)
    with desk.work() as unit:
        acts.happen(unit, case_id=case_id, kind=Event.INVESTIGATED, body={"found": "A lost letter"})
    with desk.work() as unit:
        notices.further(unit, case_id=case_id, text="It was found unopened", kind=NoticeKind.OUTCOME)
    desk.deliver()
    assert len(desk.story(case_id).of(Event.OUTCOME_TOLD)) == 2


def test_an_instruction_that_looks_unlawful_is_answered_by_a_notice(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.ERASURE)
    desk.deliver()
    with desk.work() as unit:
        notices.further(unit, case_id=case_id, text="It breaks Article 17", kind=NoticeKind.UNLAWFUL)
    assert not desk.story(case_id).of(Event.UNLAWFUL_TOLD)
    desk.deliver()
    assert desk.story(case_id).of(Event.UNLAWFUL_TOLD)[0].body["reason"] == "It breaks Article 17"


def test_a_case_that_was_closed_before_its_notice_went_keeps_the_evidence(desk: Desk) -> None:
    case_id = desk.take_in()
    with desk.work() as unit:
        body = {"outcome": "Sent twice", "evidence": "C-1", "left_out": "C-1 has it"}
        acts.happen(unit, case_id=case_id, kind=Event.CLOSED, body=body)
    desk.deliver()
    assert len(desk.story(case_id).of(Event.NOTE)) == 2
    with pytest.raises(NotPossible), desk.work() as unit:
        notices.further(unit, case_id=case_id, text="More")


# ---- exercises and drafts


def test_an_exercise_is_told_to_the_desk_alone(desk: Desk, make: Factory) -> None:
    case_id = desk.take_in(CaseKind.INCIDENT, exercise=True)
    desk.deliver()
    assert desk.tray.to() == ["data-protection@programme.example"]
    (message,) = desk.tray.sent
    assert message["Subject"].startswith("EXERCISE. ")
    assert "This is an exercise" in words_of(message)
    assert read_paper(message).startswith("EXERCISE")
    assert desk.story(case_id).of(Event.CONTROLLER_NOTIFIED)
    with desk.work() as unit:
        notices.further(unit, case_id=case_id, text="More of it")
    desk.deliver()
    assert set(desk.tray.to()) == {"data-protection@programme.example"}
    notice_id = desk.told(case_id)[0].notice.id
    with pytest.raises(NotPossible), desk.work() as unit:
        notices.carried(unit, notice_id=notice_id, way=Way.HAND, to=Mailbox.DEPARTMENT, at=NOW, evidence="x")


def test_a_suspicion_tells_nobody_outside_until_it_is_confirmed(desk: Desk) -> None:
    case_id = desk.take_in(CaseKind.INCIDENT, channel=Channel.SYSTEM, draft=True)
    assert desk.deliver() == 0
    assert desk.story(case_id).state is State.DRAFT
    with pytest.raises(NotPossible), desk.work() as unit:
        notices.further(unit, case_id=case_id, text="More")
    desk.later(hours=1)
    with desk.work() as unit:
        desk_cases.confirm(unit, desk.programme, case_id=case_id)
    with pytest.raises(NotPossible), desk.work() as unit:
        desk_cases.confirm(unit, desk.programme, case_id=case_id)
    assert desk.deliver() == 2
    story = desk.story(case_id)
    assert (story.is_draft, story.case.received_at) == (False, NOW)


# ---- what does not arrive


@pytest.fixture
def people(make: Factory) -> dict[str, Person]:
    return {
        "officer": make.person("Olive Officer", role=Role.DPO, email="olive@programme.example"),
        "deputy": make.person("Dev Deputy", role=Role.DPO, email="dev@programme.example"),
        "weekend": make.person("Will Weekend", role=Role.TEAM, email="will@programme.example"),
        "team": make.person("Tom Field", role=Role.TEAM, email="tom@programme.example"),
    }


def put_on_duty(desk: Desk, person: Person) -> None:
    today = london_date(desk.clock())
    with desk.work() as unit:
        duty.put(unit, person_id=person.id, from_on=today, to_on=today, today=today)


def test_after_15_minutes_the_desk_the_deputy_and_who_is_on_duty_are_told_whom_to_ring(
    desk: Desk, people: dict[str, Person]
) -> None:
    # A Saturday, and the mail server is away.
    desk.clock.now = datetime(2023, 3, 4, 20, tzinfo=UTC)
    put_on_duty(desk, people["weekend"])
    case_id = desk.take_in(CaseKind.INCIDENT)
    desk.tray.trouble = smtplib.SMTPConnectError(421, b"away")
    desk.deliver()
    desk.later(minutes=14, seconds=59)
    assert (desk.watch(), desk.stuck()) == (0, [])
    desk.later(seconds=1)
    assert [(one.phone, one.minutes) for one in desk.stuck()] == [("01632 960111", 15), ("01632 960110", 15)]
    assert (desk.watch(), desk.watch()) == (1, 0)
    # The clock stands still; what the desk is told goes by another server, say.
    desk.db.rollback()
    waiting = desk.db.scalars(select(Mail).where(Mail.template == notices.STUCK)).all()
    assert {mail.mailbox or mail.person_id for mail in waiting} == {
        Mailbox.DPO,
        *(people[name].id for name in ("officer", "deputy", "weekend")),
    }
    desk.tray.trouble = None
    desk.tray.refused = BOTH
    desk.deliver()
    assert sorted(message["To"].addresses[0].addr_spec for message in desk.tray.sent) == [
        "data-protection@programme.example",
        "dev@programme.example",
        "olive@programme.example",
        "will@programme.example",
    ]
    said = words_of(desk.tray.sent[0])
    for words in ("01632 960110", "01632 960111", desk.story(case_id).case.ref):
        assert words in said
    assert "Ada" not in said


def test_a_refusal_is_told_at_once_and_only_for_whom_it_was(desk: Desk, people: dict[str, Person]) -> None:
    case_id = desk.take_in()
    desk.tray.refused = {"contract-manager@department.example"}
    desk.deliver()
    assert desk.watch() == 1
    (one,) = desk.stuck()
    assert (one.to, "550" in one.why) == (Mailbox.DEPARTMENT, True)
    # The other contact was told: the Controller is notified, and the clock stopped.
    assert desk.story(case_id).state is State.WITH_CONTROLLER
    lines = desk.db.scalars(select(AuditEntry.action)).all()
    assert "notice.failed" in lines


def test_it_is_no_longer_missing_once_it_went_another_way(desk: Desk, people: dict[str, Person]) -> None:
    case_id = desk.take_in()
    desk.tray.refused = set(BOTH)
    desk.deliver()
    desk.watch()
    notice_id = desk.told(case_id)[0].notice.id
    with desk.work() as unit:
        notices.carried(
            unit, notice_id=notice_id, way=Way.HAND, to=Mailbox.DEPARTMENT, at=NOW, evidence="The front desk"
        )
    assert [one.to for one in desk.stuck()] == [Mailbox.CONTROLLER_DPO]
    with desk.work() as unit:
        notices.send_again(unit, notice_id=notice_id, to=Mailbox.CONTROLLER_DPO)
    assert desk.stuck() == []
    with pytest.raises(NotPossible), desk.work() as unit:
        notices.send_again(unit, notice_id=notice_id, to=Mailbox.CONTROLLER_DPO)
    desk.tray.refused = set()
    # The word to the desk has no reason left either.
    desk.deliver()
    assert desk.tray.to() == ["data-protection@department.example"]
    states = desk.db.scalars(select(Mail.state).where(Mail.template == notices.STUCK)).all()
    assert set(states) == {MailState.DROPPED}
    assert desk.watch() == 0


def test_a_closed_case_asks_for_no_call(desk: Desk) -> None:
    case_id = desk.take_in()
    desk.tray.refused = set(BOTH)
    desk.deliver()
    with desk.work() as unit:
        body = {"outcome": "Twice", "evidence": "C-1", "left_out": "C-1 has it"}
        acts.happen(unit, case_id=case_id, kind=Event.CLOSED, body=body)
    assert (desk.stuck(), desk.watch()) == ([], 0)


def test_notices_go_before_other_mail_that_is_due(desk: Desk, make: Factory) -> None:
    leader = make.person("Lee Leader", email="lee@council.example", council=make.council())
    with desk.work() as unit:
        mail.queue(unit, template="test_mail", about=leader.id, to=leader.id, due_at=NOW - timedelta(days=1))
    desk.take_in()
    desk.deliver()
    assert {str(message["To"]) for message in desk.tray.sent[:2]} == BOTH


def test_each_contact_that_gets_nothing_is_told_of(desk: Desk) -> None:
    """One refuses at once, the mail to the other never goes: word goes out of each, and not of the first alone."""
    desk.tray.refused = {"contract-manager@department.example"}
    desk.take_in()
    with desk.work() as unit:
        other = Mail.mailbox == Mailbox.CONTROLLER_DPO
        unit.db.execute(update(Mail).where(other).values(due_at=NOW + timedelta(days=1)))
    desk.deliver()
    asked = select(func.count()).select_from(Mail).where(Mail.template == notices.STUCK)
    assert desk.watch() == 1
    first = desk.db.scalar(asked) or 0
    desk.db.rollback()
    desk.later(minutes=16)
    assert desk.watch() == 1
    assert desk.db.scalar(asked) == 2 * first > 0


# ---- the rota


def test_the_rota(desk: Desk, people: dict[str, Person], make: Factory) -> None:
    today = london_date(NOW)
    leader = make.person("Lee Leader", email="lee@council.example", council=make.council())
    refused: list[dict[str, Any]] = [
        {"person_id": people["team"].id, "from_on": today, "to_on": today - timedelta(days=1)},
        {"person_id": people["team"].id, "from_on": date(2022, 1, 1), "to_on": date(2022, 1, 2)},
        {"person_id": people["team"].id, "from_on": today, "to_on": today + timedelta(days=31)},
        {"person_id": leader.id, "from_on": today, "to_on": today},
    ]
    for wrong in refused:
        with pytest.raises(duty.DutyRefused), desk.work() as unit:
            duty.put(unit, **wrong, today=today)
    with desk.work() as unit:
        row = duty.put(
            unit, person_id=people["team"].id, from_on=today, to_on=today + timedelta(days=1), today=today
        )
        duty_id = row.id
    assert duty.on_duty(desk.db, on=today + timedelta(days=1)) == {people["team"].id}
    assert duty.on_duty(desk.db, on=today + timedelta(days=2)) == set()
    for _ in range(2):
        with desk.work() as unit:
            duty.take_off(unit, duty_id=duty_id)
    assert list(duty.coming(desk.db, on=today)) == []


# ---- the head of the trail


def run_heads(desk: Desk) -> bool:
    return audit_heads.run(desk.stack.instance, desk.sessions)


def test_the_head_of_the_trail_goes_to_the_controller_once_a_day(desk: Desk) -> None:
    desk.clock.now = datetime(2023, 3, 1, 8, 59, tzinfo=UTC)
    desk.take_in()
    desk.deliver()
    desk.tray.sent.clear()
    assert run_heads(desk) is False
    desk.later(minutes=1)
    assert (run_heads(desk), run_heads(desk)) == (True, False)
    desk.deliver()
    (message,) = desk.tray.sent
    assert message["To"] == "data-protection@department.example"
    head = desk.db.scalars(select(ChainCheck)).one().head
    assert head in words_of(message)
    assert audit_heads.last_sent(desk.db) == desk.clock()
    desk.later(days=1)
    assert run_heads(desk) is True


def test_a_trail_that_does_not_hold_sends_no_head(desk: Desk) -> None:
    desk.take_in()
    desk.deliver()
    desk.tray.sent.clear()
    line = desk.db.scalars(select(AuditEntry).order_by(AuditEntry.seq)).first()
    assert line is not None
    line.object = "case:another"
    desk.db.commit()
    assert run_heads(desk) is False
    assert desk.deliver() == 0
    desk.db.rollback()
    assert desk.db.scalars(select(ChainCheck.ok)).all() == [False]
    # It is looked at once a day, not once a minute.
    assert run_heads(desk) is False
    assert len(desk.db.scalars(select(ChainCheck)).all()) == 1


# ---- after an erasure


def test_a_notice_that_was_erased_before_it_went_has_nothing_to_say(desk: Desk, make: Factory) -> None:
    person_id = make.person("Ada Quill", email="ada@council.example").id
    make.db.rollback()
    case_id = desk.take_in(CaseKind.ERASURE, subject_id=person_id)
    instruct(desk.stack)
    erase(places_of(desk.stack), person_id)
    assert desk.deliver() == 2
    assert desk.tray.sent == []
    # What is told after that is new, and goes.
    with desk.work() as unit:
        notices.further(unit, case_id=case_id, text="It was done as decided")
    assert desk.deliver() == 2
    assert "It was done as decided" in read_paper(desk.tray.sent[0])
    desk.later(minutes=20)
    assert len(desk.stuck()) == 2


# ---- many of them


def test_what_is_missing_is_found_with_the_same_number_of_reads(desk: Desk) -> None:
    reads = []
    for _ in range(2):
        for _ in range(3):
            desk.take_in()
        desk.later(minutes=20)
        desk.db.rollback()
        desk.db.expunge_all()
        with statements(desk.stack) as seen:
            found = desk.stuck()
            assert all(one.why for one in found)
        reads.append((len(found), len(seen)))
    (few, first), (many, second) = reads
    assert (few, many) == (6, 12)
    assert first == second, reads
