"""What a composed mail looks like to a program that only sees its bytes."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.mailing.letters import AddressUnusable, CalendarMismatch, compose, one_line, usable_address

SENT_AT = datetime(2027, 3, 1, 9, 15, tzinfo=UTC)
CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nX-NAME:Siân\r\nEND:VCALENDAR\r\n".encode()
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Type",
    "Content-Transfer-Encoding",
    "MIME-Version",
]


def letter(
    *,
    name: str = "Siân Ŵyn-Žák",
    recipient: str = "sian@northmoor.example",
    subject: str = "Your session is booked",
    text: str = "Hello Siân\n\nYour session is booked.\n",
    html: str | None = None,
    message_id: str = "<1@portal.example>",
    calendar: bytes | None = None,
    method: str | None = None,
) -> EmailMessage:
    return compose(
        sender="bookings@portal.example",
        sender_name="Leadership support",
        recipient=recipient,
        recipient_name=name,
        subject=subject,
        text=text,
        html=html,
        message_id=message_id,
        date=SENT_AT,
        calendar=calendar,
        method=method,
    )


def received(mail: EmailMessage) -> EmailMessage:
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def shape(part: EmailMessage) -> object:
    if not part.is_multipart():
        return part.get_content_type()
    return part.get_content_type(), [shape(each) for each in part.iter_parts()]  # type: ignore[arg-type]


class TestShape:
    def test_text_alone_is_one_part(self) -> None:
        assert shape(received(letter())) == "text/plain"

    def test_text_and_html(self) -> None:
        mail = received(letter(html="<p>Hello Siân</p>"))
        assert shape(mail) == ("multipart/alternative", ["text/plain", "text/html"])

    def test_a_calendar_is_a_part_to_act_on_and_a_file(self) -> None:
        mail = received(letter(html="<p>Hello</p>", calendar=CALENDAR, method="REQUEST"))
        assert shape(mail) == (
            "multipart/mixed",
            [("multipart/alternative", ["text/plain", "text/html", "text/calendar"]), "application/ics"],
        )
        acted_on, attached = (
            part for part in mail.walk() if part.get_content_type() in {"text/calendar", "application/ics"}
        )
        assert acted_on.get_payload(decode=True) == attached.get_payload(decode=True) == CALENDAR
        assert acted_on["Content-Type"].params == {"charset": "utf-8", "method": "REQUEST"}
        assert acted_on["Content-Transfer-Encoding"] == "base64"
        assert attached.get_filename() == "invite.ics"

    def test_a_calendar_without_html(self) -> None:
        mail = received(letter(calendar=CALENDAR, method="REQUEST"))
        assert shape(mail) == (
            "multipart/mixed",
            [("multipart/alternative", ["text/plain", "text/calendar"]), "application/ics"],
        )

    @pytest.mark.parametrize("calendar, method", [(CALENDAR, "CANCEL"), (CALENDAR, None), (None, "REQUEST")])
    def test_calendar_and_method_must_agree(self, calendar: bytes | None, method: str | None) -> None:
        with pytest.raises(CalendarMismatch):
            letter(calendar=calendar, method=method)


class TestHeaders:
    def test_the_whole_head_to_the_byte(self) -> None:
        head, _, body = letter(name="Cllr Niamh O'Shea & Team, Leader").as_bytes().partition(b"\r\n\r\n")
        assert head.decode() == (
            "From: Leadership support <bookings@portal.example>\r\n"
            'To: "Cllr Niamh O\'Shea & Team, Leader" <sian@northmoor.example>\r\n'
            "Subject: Your session is booked\r\n"
            "Date: Mon, 01 Mar 2027 09:15:00 +0000\r\n"
            "Message-ID: <1@portal.example>\r\n"
            "Auto-Submitted: auto-generated\r\n"
            'Content-Type: text/plain; charset="utf-8"\r\n'
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "MIME-Version: 1.0"
        )
        assert body == b"Hello Si=C3=A2n\r\n\r\nYour session is booked.\r\n"

    @pytest.mark.parametrize(
        "name",
        [
            "Cllr Niamh O’Shea-D'Arcy & Team",
            "Siân Ŵyn-Žák",
            'Evil\r\nBcc: other@portal.example";X-',
            "مريم السعيد",
            "Lead Member, Northmoor <other@portal.example>, " + "x" * 80,
            "=?utf-8?q?other?=",
            "T" * 300,
        ],
    )
    def test_names_stay_names(self, name: str) -> None:
        mail = received(letter(name=name, subject=f"Session with {name}"))
        assert mail.keys() == HEADERS
        assert mail["Subject"] == one_line(f"Session with {name}")
        (address,) = mail["To"].addresses
        assert address.addr_spec == "sian@northmoor.example"

    def test_marks_that_turn_the_line_go_and_letters_stay(self) -> None:
        assert one_line("\u202eevil\u202c مريم\u200c") == "evil مريم\u200c"

    @pytest.mark.parametrize(
        "text", ["a\r\nb", "a\nb", "a\u2028b", "a\x85b", "a\x00b", " a \t b ", "a\x0b\x0cb", "a\x7fb"]
    )
    def test_one_line_is_one_line(self, text: str) -> None:
        assert one_line(text) == "a b"

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "sian",
            "a b@c.example",
            "a@b.example\r\nBcc: c@d.example",
            "a@b.example, c@d.example",
            "ŵ@b.example",
            # What the parser of the standard library fails on, each in a way of its own.
            "a@b@c.example",
            "+,@(<+",
            '"_-1@[b;',
            "+@[_+",
            '"_@:"@',
        ],
    )
    def test_an_address_that_no_header_can_carry_is_refused_and_not_repeated(self, address: str) -> None:
        with pytest.raises(AddressUnusable) as refused:
            letter(recipient=address)
        assert not address or address not in str(refused.value)

    @given(address=st.text(alphabet="ab.@\"\\\\<>()[]:;, '-_+=é1", min_size=1, max_size=12))
    def test_any_other_is_taken_or_refused(self, address: str) -> None:
        try:
            assert "@" in usable_address(address)
        except AddressUnusable:
            assert not re.fullmatch(r"[a-z]+@[a-z]+", address)

    @pytest.mark.parametrize(
        "message_id", ["1@portal.example", "<1@portal.example>\r\nBcc: a@b.example", "<>"]
    )
    def test_a_message_id_must_be_one(self, message_id: str) -> None:
        with pytest.raises(ValueError, match="not a message id"):
            letter(message_id=message_id)

    def test_nothing_in_it_tells_that_it_was_opened(self) -> None:
        mail = letter(html="<p>Hello</p>").as_bytes().lower()
        for sign in (b"disposition-notification-to", b"return-receipt-to", b"<img", b"http"):
            assert sign not in mail


awkward = st.lists(
    st.sampled_from(["é", "a", " ", '"', ";", ",", "\\", "=?utf-8?q?x?=", "@", "<", "(", "م", "x" * 40, "."]),
    max_size=12,
).map("".join)


@given(name=st.one_of(st.text(max_size=200), awkward))
@example(name="x" * 80 + '", <other@portal.example>')
def test_any_name_comes_back_as_it_went(name: str) -> None:
    sent = letter(name=name, subject=name, text=name).as_bytes()
    assert all(len(line) <= 78 for line in sent.split(b"\r\n"))
    mail = message_from_bytes(sent)
    assert mail.keys() == HEADERS
    (pair,) = getaddresses([mail["To"].replace("\r\n", "")])
    assert pair[1] == "sian@northmoor.example"
    assert str(make_header(decode_header(pair[0]))) == one_line(name)
    assert str(make_header(decode_header(mail["Subject"]))) == one_line(name)


@given(text=st.text())
def test_any_text_can_be_sent(text: str) -> None:
    body = received(letter(text=text)).get_content()
    sent = text.encode("utf-8", "replace").decode()
    assert body.split() == sent.split()


def test_long_lines_and_dots_arrive_whole() -> None:
    text = "x" * 5000 + "\n.\nFrom me\n"
    assert received(letter(text=text)).get_content().replace("\r\n", "\n") == text
