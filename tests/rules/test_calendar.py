"""Calendar files, byte for byte, and read back by a second library that had no part in writing them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from portal.mailing.calendar import Event, feed, invitation
from portal.mailing.letters import AddressUnusable, compose, one_line
from privacy.clock import NaiveInstant, wall

AUTUMN = date(2027, 10, 31)
MAILBOX = "bookings@portal.example"
EVENT = Event(
    uid="5f0c2d1e-1111-4222-8333-444455556666@portal.example",
    sequence=0,
    starts_at=datetime(2027, 3, 30, 13, 0, tzinfo=UTC),
    ends_at=datetime(2027, 3, 30, 14, 30, tzinfo=UTC),
    stamp_at=datetime(2027, 3, 1, 9, 15, 30, tzinfo=UTC),
    summary="Session with Cllr Niamh O’Shea-D'Arcy & Team",
    description="One-to-one session, 1 hour 30 minutes.\nMove or cancel this in the portal.",
    location="Room 2; County Hall, Northmoor",
    url="https://portal.example/sessions/K7QX",
    organizer_name="Leadership support",
    organizer_email=MAILBOX,
    attendee_name="Siân Ŵyn-Žák",
    attendee_email="sian@northmoor.example",
)
GOLDEN = """\
BEGIN:VCALENDAR
PRODID:-//Leadership support portal//Sessions//EN
VERSION:2.0
METHOD:REQUEST
BEGIN:VEVENT
UID:5f0c2d1e-1111-4222-8333-444455556666@portal.example
SEQUENCE:0
DTSTAMP:20270301T091530Z
DTSTART:20270330T130000Z
DTEND:20270330T143000Z
STATUS:CONFIRMED
SUMMARY:Session with Cllr Niamh O’Shea-D'Arcy & Team
DESCRIPTION:One-to-one session\\, 1 hour 30 minutes.\\nMove or cancel this i
 n the portal.
LOCATION:Room 2\\; County Hall\\, Northmoor
URL:https://portal.example/sessions/K7QX
ORGANIZER;CN="Leadership support":mailto:bookings@portal.example
ATTENDEE;CN="Siân Ŵyn-Žák";CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=RE
 Q-PARTICIPANT;RSVP=FALSE:mailto:sian@northmoor.example
END:VEVENT
END:VCALENDAR
"""
GOLDEN_FEED = """\
BEGIN:VCALENDAR
PRODID:-//Leadership support portal//Sessions//EN
VERSION:2.0
METHOD:PUBLISH
X-WR-CALNAME:Your sessions
REFRESH-INTERVAL;VALUE=DURATION:PT1H
BEGIN:VEVENT
UID:5f0c2d1e-1111-4222-8333-444455556666@portal.example
SEQUENCE:4
DTSTAMP:20270301T091530Z
DTSTART:20270330T130000Z
DTEND:20270330T143000Z
STATUS:CANCELLED
SUMMARY:Cancelled: Session
ORGANIZER;CN="Leadership support":mailto:bookings@portal.example
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
"""


def read(file: bytes) -> vobject.base.Component:
    """The file's one entry, as the second library sees it."""
    (calendar,) = vobject.readComponents(file.decode())
    (entry,) = calendar.vevent_list
    return entry


def assert_sound(file: bytes) -> None:
    """Every line ends in CRLF, is at most 75 octets long and valid UTF-8 by itself, so no letter is split."""
    assert file.endswith(b"\r\n")
    lines = file.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert b"\r" not in b"".join(lines)
    for line in lines:
        assert len(line) <= 75
        line.decode()


def test_an_invitation_is_this_text_to_the_byte() -> None:
    assert invitation(EVENT).decode() == GOLDEN.replace("\n", "\r\n")
    assert invitation(EVENT) == invitation(replace(EVENT))
    assert_sound(invitation(EVENT))


def test_a_feed_is_this_text_to_the_byte_and_names_no_attendee() -> None:
    event = replace(
        EVENT, summary="Session", description="", location="", url=None, sequence=4, cancelled=True
    )
    assert feed([event], name="Your sessions").decode() == GOLDEN_FEED.replace("\n", "\r\n")


def test_a_feed_is_in_order_of_time_whatever_order_it_is_given() -> None:
    later = replace(EVENT, uid="later@portal.example", starts_at=EVENT.starts_at + timedelta(hours=1))
    assert feed([later, EVENT], name="Yours") == feed([EVENT, later], name="Yours")
    assert_sound(feed([EVENT, later], name="Yours"))


def test_an_empty_feed_can_be_read() -> None:
    (calendar,) = vobject.readComponents(feed([], name="Yours").decode())
    assert calendar.method.value == "PUBLISH"


def test_a_second_library_reads_what_was_meant() -> None:
    entry = read(invitation(EVENT))
    assert entry.summary.value == EVENT.summary
    assert entry.description.value == EVENT.description
    assert entry.location.value == EVENT.location
    assert (entry.dtstart.value, entry.dtend.value) == (EVENT.starts_at, EVENT.ends_at)
    assert entry.organizer.value == f"mailto:{MAILBOX}"
    (attendee,) = entry.attendee_list
    assert attendee.value == f"mailto:{EVENT.attendee_email}"
    assert attendee.params == {
        "CN": [EVENT.attendee_name],
        "CUTYPE": ["INDIVIDUAL"],
        "PARTSTAT": ["ACCEPTED"],
        "ROLE": ["REQ-PARTICIPANT"],
        "RSVP": ["FALSE"],
    }


def test_the_two_half_past_ones_are_two_times() -> None:
    first, second = (
        replace(EVENT, starts_at=start, ends_at=start + timedelta(hours=1))
        for start in (wall(AUTUMN, 90, fold=0), wall(AUTUMN, 90, fold=1))
    )
    assert b"DTSTART:20271031T003000Z" in invitation(first)
    assert b"DTSTART:20271031T013000Z" in invitation(second)
    assert b"VTIMEZONE" not in invitation(first)


def test_moved_three_times_then_its_place_then_cancelled() -> None:
    hour = timedelta(hours=1)
    history = [EVENT]
    for number in (1, 2, 3):
        moved = EVENT.starts_at + number * hour
        history.append(replace(EVENT, sequence=number, starts_at=moved, ends_at=moved + hour))
    history.append(replace(history[-1], sequence=4, location="Town Hall"))
    history.append(replace(history[-1], sequence=5, cancelled=True))

    mails = []
    for number, event in enumerate(history):
        sent = replace(event, stamp_at=EVENT.stamp_at + number * hour)
        file = invitation(sent)
        mail = compose(
            sender=MAILBOX,
            sender_name="Leadership support",
            recipient=sent.attendee_email,
            recipient_name=sent.attendee_name,
            subject=sent.summary,
            text=sent.description,
            html=None,
            message_id=f"<{number}@portal.example>",
            date=sent.stamp_at,
            calendar=file,
            method=sent.method,
        )
        mails.append(message_from_bytes(mail.as_bytes(), policy=policy.default))

    methods, entries = [], []
    for mail in mails:
        (part,) = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
        (attached,) = mail.iter_attachments()
        file = attached.get_content()
        assert file == part.get_payload(decode=True)
        assert_sound(file)
        (calendar,) = vobject.readComponents(file.decode())
        assert calendar.method.value == part["content-type"].params["method"]
        assert part["content-type"].params["charset"] == "utf-8"
        methods.append(calendar.method.value)
        entries.append(calendar.vevent)
        assert calendar.vevent.organizer.value == f"mailto:{mail['from'].addresses[0].addr_spec}"
        assert [each.value for each in calendar.vevent.attendee_list] == [
            f"mailto:{mail['to'].addresses[0].addr_spec}"
        ]

    assert methods == ["REQUEST"] * 5 + ["CANCEL"]
    assert [entry.sequence.value for entry in entries] == ["0", "1", "2", "3", "4", "5"]
    assert {entry.uid.value for entry in entries} == {EVENT.uid}
    assert len({entry.organizer.value for entry in entries}) == 1
    assert [entry.status.value for entry in entries] == ["CONFIRMED"] * 5 + ["CANCELLED"]
    stamps = [entry.dtstamp.value for entry in entries]
    assert stamps == sorted(set(stamps))


NAMES = [
    "Cllr Niamh O’Shea-D'Arcy & Team",
    "Siân Ŵyn-Žák",
    'Evil\r\nATTENDEE:mailto:other@portal.example";X-FAKE=1',
    "مريم السعيد",
    "נועה בן־דוד",
    "T" * 300,
    "Backslash \\n and ; , : ^ in a name",
]


@pytest.mark.parametrize("name", NAMES)
def test_row_38_names_come_back_plain_and_add_no_line(name: str) -> None:
    file = invitation(replace(EVENT, summary=name, location=name, attendee_name=name, organizer_name=name))
    assert_sound(file)
    unfolded = file.decode().replace("\r\n ", "").splitlines()
    assert [line.partition(":")[0].partition(";")[0] for line in unfolded] == [
        line.partition(":")[0].partition(";")[0] for line in GOLDEN.replace("\n ", "").splitlines()
    ]
    entry = read(file)
    assert entry.summary.value == one_line(name)
    assert entry.location.value == one_line(name)
    assert len(entry.attendee_list) == 1
    assert entry.attendee.value == f"mailto:{EVENT.attendee_email}"
    assert set(entry.attendee.params) == {"CN", "CUTYPE", "PARTSTAT", "ROLE", "RSVP"}
    # A caret is the sign that RFC 6868 doubles; the second library leaves it doubled.
    assert [entry.attendee.params["CN"][0].replace("^^", "^")] == [one_line(name).replace('"', "'")]


@pytest.mark.parametrize("octets", range(60, 80))
def test_an_emoji_at_the_fold_is_not_split(octets: int) -> None:
    summary = "x" * (octets - 1 - len("SUMMARY:")) + "👩🏽‍🏫 and more"
    file = invitation(replace(EVENT, summary=summary))
    assert_sound(file)
    assert read(file).summary.value == summary


@given(summary=st.text(max_size=120), description=st.text(max_size=200), name=st.text(max_size=80))
def test_no_text_breaks_the_file(summary: str, description: str, name: str) -> None:
    file = invitation(replace(EVENT, summary=summary, description=description, attendee_name=name))
    assert_sound(file)
    entry = read(file)
    assert entry.uid.value == EVENT.uid
    assert entry.summary.value == one_line(summary)
    assert len(entry.attendee_list) == 1


def test_an_address_that_would_add_a_line_is_refused() -> None:
    with pytest.raises(AddressUnusable):
        invitation(replace(EVENT, attendee_email="sian@northmoor.example\r\nX-FAKE:1"))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveInstant):
        invitation(replace(EVENT, starts_at=datetime(2027, 3, 30, 13)))  # noqa: DTZ001  # the case itself
