"""Row 44: what leaves this machine goes over verified TLS, or not at all."""

import ipaddress
import socketserver
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from portal import tls
from portal.mailing import senders
from portal.mailing.senders import ServerAway, SmtpSender, Unprotected
from portal.settings import Settings, SettingsFaults, Smtp
from portal.views import floods
from privacy.clock import system_clock
from tests.conftest import START

AWAY = "127.0.0.2"
"""To the sender another machine, as every address but three is."""


class MailServer(socketserver.StreamRequestHandler):
    """As much of a mail server as a client needs, with STARTTLS where the test has a certificate for it."""

    def handle(self) -> None:
        context: ssl.SSLContext | None = self.server.context  # type: ignore[attr-defined]
        try:
            if self.server.from_the_first_byte:  # type: ignore[attr-defined]
                assert context is not None
                self._wrap(context)
            self._talk(context)
        except OSError:
            self.server.broken += 1  # type: ignore[attr-defined]
        finally:
            self.rfile.close()
            self.request.close()

    def _wrap(self, context: ssl.SSLContext) -> None:
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)

    def _talk(self, context: ssl.SSLContext | None) -> None:
        self._say("220 here")
        in_data = False
        while line := self.rfile.readline():
            word = line.strip().upper()
            self.server.heard.append(line)  # type: ignore[attr-defined]
            if in_data:
                in_data = word != b"."
                if not in_data:
                    self._say("250 taken")
            elif word.startswith(b"EHLO"):
                self._say("250-here\r\n250 STARTTLS" if context else "250 here")
            elif word == b"STARTTLS" and context is not None:
                self._say("220 go on")
                self._wrap(context)
            elif word == b"DATA":
                in_data = True
                self._say("354 go on")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 yes")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server(
    context: ssl.SSLContext | None, *, from_the_first_byte: bool = False
) -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("0.0.0.0", 0), MailServer) as server:
        server.daemon_threads = True
        server.heard, server.broken = [], 0  # type: ignore[attr-defined]
        server.context, server.from_the_first_byte = context, from_the_first_byte  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def certificate(folder: Path, *, address: str, days: int) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate of its own making, valid from `days` ago for 30 days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    begins = system_clock() - timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    chain = folder / f"{address}-{days}.pem"
    chain.write_bytes(
        made.public_bytes(Encoding.PEM) + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, chain


def letter() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "team@programme.example", "ana@council.example"
    message.set_content("words")
    return message


def send_to(server: socketserver.ThreadingTCPServer) -> None:
    port = server.server_address[1]
    SmtpSender(Smtp(AWAY, port, "user", "hush")).send(letter(), at=START)


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes this machine trust one certificate, as it trusts those of its system."""
    return lambda path: monkeypatch.setenv("SSL_CERT_FILE", str(path))


@pytest.mark.parametrize(
    "address, days, trusted",
    [(AWAY, 1, False), ("127.0.0.9", 1, True), (AWAY, 60, True)],
    ids=["by nobody we know", "for another server", "out of date"],
)
@pytest.mark.parametrize("from_the_first_byte", [False, True], ids=["STARTTLS", "TLS"])
def test_row_44_a_bad_certificate_gets_no_mail(
    tmp_path: Path,
    trusting: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    days: int,
    trusted: bool,
    from_the_first_byte: bool,
) -> None:
    context, chain = certificate(tmp_path, address=address, days=days)
    if trusted:
        trusting(chain)
    with mail_server(context, from_the_first_byte=from_the_first_byte) as server:
        if from_the_first_byte:
            monkeypatch.setattr(senders, "TLS_PORT", server.server_address[1])
        with pytest.raises(ssl.SSLCertVerificationError):
            send_to(server)
        heard = b"".join(server.heard)  # type: ignore[attr-defined]
    assert b"@" not in heard
    assert b"words" not in heard
    assert b"AUTH" not in heard


def test_row_44_a_good_certificate_gets_it(tmp_path: Path, trusting: Callable[[Path], None]) -> None:
    """The same server with the same steps: what is refused above is refused for its certificate alone."""
    context, chain = certificate(tmp_path, address=AWAY, days=1)
    trusting(chain)
    with mail_server(context) as server:
        SmtpSender(Smtp(AWAY, server.server_address[1])).send(letter(), at=START)
        heard = server.heard  # type: ignore[attr-defined]
    assert heard.index(b"STARTTLS\r\n") < next(place for place, line in enumerate(heard) if b"ana@" in line)
    assert b"words\r\n" in heard


def test_row_44_without_encryption_nothing_leaves() -> None:
    with mail_server(None) as server:
        with pytest.raises(Unprotected):
            send_to(server)
        assert b"@" not in b"".join(server.heard)  # type: ignore[attr-defined]


@contextmanager
def store(context: ssl.SSLContext) -> Iterator[socketserver.ThreadingTCPServer]:
    """A store that answers PONG to whatever it is asked, over TLS from the first byte."""

    class Store(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as line:
                self.server.heard.append(line.version())  # type: ignore[attr-defined]
                while asked := line.recv(4096):
                    line.sendall(b"+PONG\r\n" * asked.count(b"*"))

    with socketserver.ThreadingTCPServer((AWAY, 0), Store) as server:
        server.daemon_threads = True
        server.heard = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose settings for OpenSSL allow what is old, and a Python that takes them as they are."""
    made = ssl.create_default_context

    def context(*words: Any, **named: Any) -> ssl.SSLContext:
        return speaking(made(*words, **named), "DEFAULT@SECLEVEL=0")

    monkeypatch.setattr(ssl, "create_default_context", context)


def speaking(
    context: ssl.SSLContext, ciphers: str, *, newest: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context.set_ciphers(ciphers)
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = newest or ssl.TLSVersion.MAXIMUM_SUPPORTED
    return context


@pytest.fixture
def outdated(tmp_path: Path, trusting: Callable[[Path], None]) -> ssl.SSLContext:
    """A server with a good certificate that knows TLS 1.1 and nothing newer."""
    context, chain = certificate(tmp_path, address=AWAY, days=1)
    trusting(chain)
    return speaking(context, "DEFAULT@SECLEVEL=0", newest=ssl.TLSVersion.TLSv1_1)


@pytest.mark.parametrize("from_the_first_byte", [False, True], ids=["STARTTLS", "TLS"])
@pytest.mark.usefixtures("lenient")
def test_row_44_mail_does_not_go_over_an_old_version_of_tls(
    outdated: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, from_the_first_byte: bool
) -> None:
    with mail_server(outdated, from_the_first_byte=from_the_first_byte) as server:
        port = server.server_address[1]
        if from_the_first_byte:
            monkeypatch.setattr(senders, "TLS_PORT", port)
        with pytest.raises(ServerAway, match="SSLError"):
            send_to(server)
        heard = b"".join(server.heard)  # type: ignore[attr-defined]
        assert b"AUTH" not in heard
        assert b"@" not in heard
        with monkeypatch.context() as undone:
            undone.setattr(tls, "OLDEST", ssl.TLSVersion.TLSv1_1)
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                SmtpSender(Smtp(AWAY, port)).send(letter(), at=START)
        assert b"words\r\n" in server.heard, "nothing but the version stood in the way"  # type: ignore[attr-defined]


@pytest.mark.usefixtures("lenient")
def test_row_44_floods_are_not_counted_over_an_old_version_of_tls(outdated: ssl.SSLContext) -> None:
    with store(outdated) as server:
        url = f"rediss://{AWAY}:{server.server_address[1]}"
        options = floods.store_options(url)
        with (
            redis.Redis.from_url(url, protocol=2, **options) as asked,
            pytest.raises(redis.ConnectionError, match=r"(?i)protocol"),
        ):
            asked.ping()
        assert server.heard == []  # type: ignore[attr-defined]
        with redis.Redis.from_url(url, protocol=2, socket_timeout=5) as anyhow:
            assert anyhow.ping()
        assert set(server.heard) == {"TLSv1.1"}, "nothing but the version stood in the way"  # type: ignore[attr-defined]


def test_row_44_every_line_is_verified() -> None:
    context = tls.verified()
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def production(root: Path, **environ: Any) -> Settings:
    base = {
        "PORTAL_MODE": "production",
        "PUBLIC_URL": "https://portal.example",
        "SMTP_HOST": "mail.example",
        "PORTAL_PROXIES": "1",
        "PORTAL_PROCESSES": "1",
    }
    return Settings.from_environ({**base, **environ}, root=root)


def test_row_44_people_come_over_https_in_production(tmp_path: Path) -> None:
    assert production(tmp_path).secure
    with pytest.raises(SettingsFaults, match="must begin with https"):
        production(tmp_path, PUBLIC_URL="http://portal.example")


def test_row_44_databases_and_stores_elsewhere_are_verified_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaults, match="DATABASE_URL must end in"):
        production(tmp_path, DATABASE_URL="postgresql://db.example/portal")
    with pytest.raises(SettingsFaults, match="KEYSTORE_URL must end in"):
        production(tmp_path, KEYSTORE_URL="postgresql://db.example/keys?sslmode=require")
    with pytest.raises(SettingsFaults, match="must begin with rediss"):
        production(tmp_path, LIMITS_STORE="redis://store.example:6379")
    verified = "postgresql://db.example/portal?sslmode=verify-full"
    assert (
        "verify-full"
        in production(tmp_path, DATABASE_URL=verified, LIMITS_STORE="rediss://s.example").database_url
    )
    for here in ("postgresql://localhost/portal", "postgresql:///portal?host=/var/run/postgresql"):
        assert production(tmp_path, DATABASE_URL=here, LIMITS_STORE="redis://localhost").database_url
