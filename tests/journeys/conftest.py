"""The real product as processes: set up by its commands, served by its server, its mail read from the outbox."""

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import ClassVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import commands
from tests.browser import launch
from tests.conftest import Stack
from tests.served import Served

ROOT = Path(__file__).resolve().parents[2]
FLASK = Path(sys.executable).with_name("flask")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Portal:
    """An instance in a folder of its own, served on a free port; `at` starts it again at another moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.moment = "2023-03-01T09:00:00+00:00"
        self._served_at = 0.0
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "PORTAL_INSTANCE": str(self.folder),
            "PUBLIC_URL": self.url,
            "PORTAL_NOW": self.moment,
        }

    def command(self, *words: str, stdin: str = "", fails: bool = False) -> str:
        """Run `flask ...`; returns what it printed on standard output."""
        ended = commands.run(words, environ=self.environ, folder=ROOT, stdin=stdin)
        assert (ended.code != 0) is fails, f"flask {' '.join(words)}: {ended.out}{ended.err}"
        return ended.out if not fails else ended.err

    def now(self) -> datetime:
        """What the server's clock says, within a second."""
        return datetime.fromisoformat(self.moment) + timedelta(seconds=time.monotonic() - self._served_at)

    def serve(self) -> None:
        """Start server and worker, and wait until a page answers."""
        with (self.folder / "serve.log").open("ab") as log:
            self._server = subprocess.Popen(
                [FLASK, "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._served_at = time.monotonic()
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "serve.log").read_text()[-3000:])

    def stop(self) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGTERM)
            try:
                self._server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(self._server.pid, signal.SIGKILL)
                self._server.wait()
            self._server = None

    def at(self, moment: str) -> None:
        """Go on at another moment (an ISO instant)."""
        self.stop()
        self.moment = moment
        self.serve()

    def mails(self, to: str) -> list[EmailMessage]:
        """The mails that were sent to an address, oldest first."""
        found = []
        for path in sorted((self.folder / "outbox").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if to in str(message["To"]):
                found.append(message)
        return found

    def mail(self, to: str, *, subject: str, count: int = 1) -> EmailMessage:
        """Wait for the newest mail to an address whose subject holds a word, once there are that many."""
        for _ in range(300):
            found = [
                message for message in self.mails(to) if subject.lower() in str(message["Subject"]).lower()
            ]
            if len(found) >= count:
                return found[-1]
            time.sleep(0.1)
        came = [str(message["Subject"]) for message in self.mails(to)]
        raise AssertionError(f"no mail to {to} about {subject}, but {came}\n{self._said()}")

    def _said(self) -> str:
        """What server and worker logged of late, but for pages that were answered."""
        lines = (self.folder / "serve.log").read_text().splitlines()
        return "\n".join(
            [line for line in lines if '"status": 2' not in line and '"status": 3' not in line][-60:]
        )


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def links_of(message: EmailMessage) -> list[str]:
    return re.findall(r"https?://\S+", text_of(message))


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = Portal(tmp_path / "instance")
    yield made
    made.stop()


def _shown_on(page: Page) -> str:
    """At once, whatever stands there."""
    return str(page.evaluate("(document.querySelector('main') ?? document.body)?.innerText.slice(0, 1500)"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a journey stops, say what was on each page."""
    report = yield
    if report.when == "call" and report.failed:
        for person in Person.everybody:
            shown = (
                f"{person.page.url}\n{_shown_on(person.page)}" if not person.page.is_closed() else "closed"
            )
            report.sections.append((f"page of {person.address}", shown))
    if report.when == "call":
        Person.everybody.clear()
    return report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module: another that starts its own in the same process must find none running."""
    with launch() as running:
        yield running


@pytest.fixture
def served(stack: Stack) -> Iterator[Served]:
    """The stack in this process, whose clock a test moves on."""
    running = Served(stack)
    yield running
    running.stop()


class Person:
    """Somebody at a browser of their own, who signs in by the mailed code."""

    everybody: ClassVar[list["Person"]] = []
    taps = 0

    def __init__(self, browser: Browser, portal: Portal, address: str, *, javascript: bool = True) -> None:
        self.portal = portal
        self.address = address
        self.context: BrowserContext = browser.new_context(
            base_url=portal.url, java_script_enabled=javascript, viewport={"width": 810, "height": 1080}
        )
        self.context.set_default_timeout(10_000)
        self.page: Page = self.context.new_page()
        self.messages: list[str] = []
        Person.everybody.append(self)
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))

    def _note(self, kind: str, text: str) -> None:
        # The browser itself logs answers such as 409 and 422; those pages are meant.
        if kind == "error" and "status of 4" not in text:
            self.messages.append(text)

    def open(self, path: str) -> None:
        self.page.goto(path)

    def tap_button(self, name: str | re.Pattern[str]) -> None:
        """Press a button, and count it."""
        self.taps += 1
        self.page.get_by_role("button", name=name).first.click()

    def tap_radio(self, name: str | re.Pattern[str]) -> None:
        self.taps += 1
        self.page.get_by_role("radio", name=name).first.check()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def send(self, name: str) -> None:
        """Press a button that sends what was written, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.press(name)

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name).first.click()

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label).first.fill(text)

    def open_until(self, path: str, text: str) -> None:
        """Open a page again and again until it says what the worker has done; that takes it some seconds."""
        for _ in range(60):
            self.open(path)
            if self.page.get_by_text(text).count():
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"{path} never said {text!r}, but {self.reads()[:500]}")

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def reads(self) -> str:
        return self.page.locator("main").inner_text()
