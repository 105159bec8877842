"""Shows kept answers to Chromium at any width, and says in words what is wrong with them there."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.access.states import Shot

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
MEASURE = Path(__file__).with_name("measure.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
"""Levels A and AA of WCAG 2.0 to 2.2."""
WIDTHS = (1280, 810, 320)
"""A desk, an iPad held upright, and the narrowest that WCAG 1.4.10 knows: 1280 pixels at 400 %."""
STARTED = "document.querySelector('[data-govuk-skip-link-init]') !== null"


class _Kept(WSGIRequestHandler):
    """The browser keeps its connection, and nothing is printed."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Watching:
    """Windows of a browser onto one address, and whatever is said in them."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url
        self.expected = 200
        self.messages: list[str] = []

    @contextmanager
    def window(self, width: int, *, height: int = 1080, scale: int = 1, cookie: Any = None) -> Iterator[Page]:
        """A page of that many CSS pixels; `scale` device pixels to each, as when zoomed in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale, reduced_motion="reduce"
        )
        context.add_cookies([cookie] if cookie else [])
        page = context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.messages.append(f"script: {error}"))
        page.on("request", self._stays)
        yield page
        context.close()

    def _note(self, kind: str, text: str) -> None:
        # The browser notes itself that a page was answered with the status that it was meant to have.
        own = f"the server responded with a status of {self.expected} " in text
        if kind in ("error", "warning") and not own:
            self.messages.append(f"console: {text}")

    def _stays(self, request: Any) -> None:
        if not request.url.startswith(self.url):
            self.messages.append(f"asks elsewhere: {request.url}")

    def said(self) -> list[str]:
        """What was said since it was asked before."""
        found, self.messages = self.messages, []
        return found


class Showing(Watching):
    """A server that gives one kept answer at its own address, and what is static from the app."""

    def __init__(self, app: Flask, browser: Browser) -> None:
        self.app = app
        self.shot: Shot | None = None
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Kept)
        super().__init__(browser, f"http://localhost:{self._server.port}")
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path, shot = environ["PATH_INFO"], self.shot
        if path.startswith("/static/"):
            return self.app(environ, start_response)
        if shot is None or path != urlsplit(shot.address).path:
            # A page that asks for news of itself.
            start_response("204 No Content", [])
            return []
        start_response(f"{shot.status} Answered", [one for one in shot.headers if one[0] != "Set-Cookie"])
        return [shot.text.encode()]

    def show(self, page: Page, shot: Shot) -> None:
        """Open a kept answer; returns once its scripts have run."""
        self.shot, self.expected = shot, shot.status
        page.goto(f"{self.url}{shot.address}")
        ready(page)

    def put(self, page: Page, shot: Shot) -> None:
        """Put a page's body in the place of the one that is shown: how it is laid out, without the way there."""
        page.evaluate("(text) => access.put(text)", shot.text)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def ready(page: Page) -> None:
    """Wait until a page's scripts have run, and bring what measures it."""
    page.wait_for_function(STARTED)
    page.evaluate(MEASURE)


def violations(page: Page) -> list[str]:
    """What axe finds, one line an element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(
        "(tags) => axe.run({runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [
        f"axe {one['id']}: {node['html'][:160]} {' '.join(node['failureSummary'].split())[:200]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def layout(page: Page) -> list[str]:
    """What is wider than the window, cut off, or too small to hit."""
    found: list[str] = page.evaluate("access.layout()")
    return found


def unfold(page: Page) -> None:
    """Open what is folded: details, the menu of a small screen, and what a choice shows."""
    page.evaluate("access.unfold()")
