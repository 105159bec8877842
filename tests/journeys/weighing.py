"""What a page costs on the wire the first time somebody sees it, and the next; and whom the browser asks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, CDPSession, Page

FIRST_VIEW_BYTES = 90_000
ICON_TURNS = 200
A_YEAR = "max-age=31536000, public, immutable"


@dataclass
class View:
    """One page as a browser fetched it: bytes over the wire with their headers, and each answer."""

    path: str
    size: int = 0
    hosts: set[str] = field(default_factory=set)
    answers: dict[str, dict[str, str]] = field(default_factory=dict)
    """Headers by address, of what came over the wire."""

    @property
    def files(self) -> dict[str, dict[str, str]]:
        return {url: headers for url, headers in self.answers.items() if urlsplit(url).path[:8] == "/static/"}


class Wire:
    """What a browser's page asks for and gets, noted down in `now`."""

    def __init__(self, wire: CDPSession, now: View) -> None:
        self.now = now
        self._awaited: dict[str, str] = {}
        wire.send("Network.enable")
        wire.on("Network.requestWillBeSent", self._asked)
        wire.on("Network.requestServedFromCache", self._kept)
        wire.on("Network.responseReceived", self._answered)
        wire.on("Network.loadingFinished", self._arrived)
        wire.on("Network.loadingFailed", self._kept)

    def wait(self, page: Page) -> None:
        """Until everything that was asked for has come."""
        for turn in range(2000):
            # Of its icon a browser that is busy does not always tell the end.
            awaited = [url for url in self._awaited.values() if turn < ICON_TURNS or "/favicon." not in url]
            if not awaited:
                return
            page.wait_for_timeout(10)
        raise AssertionError(f"{self.now.path}: never came: {list(self._awaited.values())}")

    def _asked(self, event: Any) -> None:
        self._awaited[event["requestId"]] = event["request"]["url"]
        self.now.hosts.add(host_of(event["request"]["url"]))

    def _kept(self, event: Any) -> None:
        self._awaited.pop(event["requestId"], None)

    def _answered(self, event: Any) -> None:
        answer = event["response"]
        if answer.get("fromDiskCache") or answer.get("fromPrefetchCache"):
            self._kept(event)
        elif event["requestId"] in self._awaited:
            headers = {name.lower(): text for name, text in answer["headers"].items()}
            self.now.answers[answer["url"]] = headers

    def _arrived(self, event: Any) -> None:
        if event["requestId"] in self._awaited:
            del self._awaited[event["requestId"]]
            self.now.size += int(event["encodedDataLength"])


def views(
    browser: Browser, url: str, path: str, cookies: Sequence[Any] = (), *, times: int = 1
) -> list[View]:
    """A page in a browser that has nothing yet, and so often in the same browser."""
    context = browser.new_context(base_url=url)
    context.add_cookies(list(cookies))
    page = context.new_page()
    seen = [View(path) for _ in range(times)]
    wire = Wire(context.new_cdp_session(page), seen[0])
    for wire.now in seen:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"
        wire.wait(page)
    context.close()
    return seen


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def first_view(browser: Browser, url: str, path: str, cookies: Sequence[Any] = ()) -> int:
    """Hold a page to the budget; returns its bytes."""
    (seen,) = views(browser, url, path, cookies)
    assert seen.hosts == {host_of(url)}, f"{path} asks {seen.hosts}"
    assert len(seen.files) >= 4, f"{path} came with {list(seen.files)}"
    for name, headers in seen.files.items():
        assert headers["cache-control"] == A_YEAR, name
        assert headers["content-encoding"] == "gzip", name
    pages = [headers for name, headers in seen.answers.items() if name not in seen.files]
    assert all("content-encoding" not in headers for headers in pages), f"{path}: secrets stand in pages"
    assert seen.size < FIRST_VIEW_BYTES, f"{path}: {seen.size:,} bytes, {sorted(seen.answers)}"
    return seen.size


def second_view(browser: Browser, url: str, path: str, cookies: Sequence[Any] = ()) -> int:
    """The bytes of a page for a browser that has its files: it asks for none of them again."""
    first, again = views(browser, url, path, cookies, times=2)
    assert again.hosts == {host_of(url)}
    assert again.files.keys().isdisjoint(first.files), f"{path} fetched again: {list(again.files)}"
    return again.size
