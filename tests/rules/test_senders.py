"""What hands mail over: to a server that is played here word by word, so that it can say whatever a server may say.

The whole way over a real one, protected and greeted, is in test_smtp.py.
"""

import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest

from portal.mailing.senders import AddressRefused, ServerAway, SmtpSender, Unprotected
from portal.settings import Smtp

AT = datetime(2023, 3, 1, 9, 0, tzinfo=UTC)


class MailServer(socketserver.ThreadingTCPServer):
    """What it heard, and what it says to a word instead of yes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("0.0.0.0", 0), Talk)
        self.heard: list[bytes] = []
        self.says: dict[bytes, str] = {}

    def sender(self, host: str = "127.0.0.1") -> SmtpSender:
        return SmtpSender(Smtp(host, self.server_address[1]))


class Talk(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs; it offers no encryption."""

    server: MailServer

    def handle(self) -> None:
        self.say("220 here")
        in_data = False
        for line in self.rfile:
            word = line.strip().upper()
            self.server.heard.append(line)
            says = self.server.says
            if in_data:
                in_data = word != b"."
                if not in_data:
                    self.say(says.get(b".", "250 taken"))
            elif word[:4] in says:
                self.say(says[word[:4]])
            elif word.startswith(b"DATA"):
                in_data = True
                self.say("354 go on")
            elif word.startswith(b"QUIT"):
                self.say("221 bye")
                return
            else:
                self.say("250 yes")

    def say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def a_message() -> EmailMessage:
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"] = "team@programme.example", "ana@council.example"
    message.set_content("words")
    return message


def test_a_server_on_this_machine_gets_the_mail_and_its_answer_is_kept(mail_server: MailServer) -> None:
    mail_server.says[b"."] = "250 2.0.0 Ok: queued as 4PQ7x1"
    answer = mail_server.sender().send(a_message(), at=AT)
    assert b"words\r\n" in mail_server.heard
    assert answer == "250 2.0.0 Ok: queued as 4PQ7x1"


def test_one_line_carries_a_round_and_a_new_one_goes_on_where_the_server_hung_up(
    mail_server: MailServer,
) -> None:
    sender = mail_server.sender()
    with sender.round():
        sender.send(a_message(), at=AT)
        sender.send(a_message(), at=AT)
        assert sender._kept is not None
        mail_server.says[b"MAIL"] = "421 too many"
        with pytest.raises(ServerAway):
            sender.send(a_message(), at=AT)
        mail_server.says.clear()
        sender.send(a_message(), at=AT)
        sender._kept.sock.shutdown(socket.SHUT_RDWR)
        sender.send(a_message(), at=AT)
    heard = [line.strip().upper()[:4] for line in mail_server.heard]
    assert heard.count(b"WORD") == 4, "each that went, once"
    assert heard.count(b"EHLO") == 4, "the first, after the refusal, after it, after the break"


@pytest.mark.parametrize("word", [b"RCPT", b"."])
def test_an_address_that_is_refused_for_good_is_told_by_its_answer_alone(
    mail_server: MailServer, word: bytes
) -> None:
    mail_server.says[word] = "550 5.1.1 <ana@council.example> is not here"
    with pytest.raises(AddressRefused) as refused:
        mail_server.sender().send(a_message(), at=AT)
    assert refused.value.code == 550
    assert refused.value.__suppress_context__
    assert "ana" not in str(refused.value)


@pytest.mark.parametrize(
    "word, answer", [(b"RCPT", "451 later"), (b".", "452 full"), (b"MAIL", "550 not you")]
)
def test_what_may_pass_or_is_about_us_is_no_refused_address(
    mail_server: MailServer, word: bytes, answer: str
) -> None:
    mail_server.says[word] = answer
    with pytest.raises(OSError, match=r"."):
        mail_server.sender().send(a_message(), at=AT)


def test_a_server_elsewhere_that_offers_no_encryption_gets_nothing(mail_server: MailServer) -> None:
    # To the sender, any other address is another machine.
    with pytest.raises(Unprotected):
        mail_server.sender("127.0.0.2").send(a_message(), at=AT)
    assert not [line for line in mail_server.heard if b"@" in line]


def test_a_server_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match=r"."):
        SmtpSender(Smtp("127.0.0.1", 1)).send(a_message(), at=AT)
