"""What a participant does at a browser, the same words for every engine: Chromium, or WebKitGTK (`make webkit`).

Each press, link and choice is a tap, and is counted.
"""

import os
import time
from abc import ABC, abstractmethod
from typing import Any
from uuid import UUID

from playwright.sync_api import Browser, Error

from tests.journeys.conftest import Person
from tests.served import Served
from tests.webdriver import DriverRefused, WebKit, Window

WEBKIT = os.environ.get("ENGINE") == "webkit"
PATIENCE_SECONDS = 20

FIND = """
const [kind, words] = arguments;
const text = (element) => (element.innerText || element.textContent || "").replace(/\\s+/g, " ").trim();
const has = (element) => text(element).toLowerCase().includes(words.toLowerCase());
const shown = (element) => element.getClientRects().length > 0 && !element.closest("[aria-hidden=true]");
if (kind === "control" || kind === "choice") {
  const labels = [...document.querySelectorAll("label")];
  const label = labels.find((one) => text(one) === words) ?? labels.find(has);
  return label ? document.getElementById(label.htmlFor) : null;
}
const found = [...document.querySelectorAll(kind === "button" ? "button" : "a[href]")].filter(shown);
return found.find((one) => text(one) === words) ?? found.find(has) ?? null;
"""


class Tablet(ABC):
    """A participant's browser. Words are looked for whole first, then as a part."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.taps = 0

    @abstractmethod
    def open(self, path: str) -> None:
        """Go to an address or path."""

    @abstractmethod
    def tap(self, kind: str, words: str) -> None:
        """Press a button, follow a link, or choose (`button`, `link`, `choice`)."""

    @abstractmethod
    def fill(self, label: str, text: str) -> None: ...

    @abstractmethod
    def run(self, script: str) -> Any:
        """The value of a JavaScript expression on the page."""

    @abstractmethod
    def enter(self, person_id: UUID) -> None:
        """Be signed in, without the way in."""

    @abstractmethod
    def close(self) -> None:
        """End, and see that the browser noted no error."""

    @abstractmethod
    def forgive(self) -> None:
        """The line or server was away on purpose, which a browser notes itself."""

    def open_mail(self, link: str) -> None:
        self.taps += 1
        self.open(link)

    def press(self, name: str) -> None:
        self.taps += 1
        self.tap("button", name)

    def follow(self, name: str) -> None:
        self.taps += 1
        self.tap("link", name)

    def choose(self, name: str) -> None:
        self.taps += 1
        self.tap("choice", name)

    def comes(self, script: str, wanted: Any = True) -> None:
        """Wait until an expression has a value; a page may be on its way."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while (seen := self._tried(script)) != wanted:
            assert time.monotonic() < ends_at, (
                f"{script}: {seen!r} instead of {wanted!r}\n{self.words()[:1500]}"
            )
            self.wait(0.03)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    @abstractmethod
    def _tried(self, script: str) -> Any:
        """The same, or None between two pages, where there is none to ask."""

    def words(self) -> str:
        return str(self.run("document.body.innerText"))

    def sees(self, words: str) -> None:
        self.comes(f"document.body.innerText.replace(/\\s+/g, ' ').includes({words!r})")

    def heading(self, words: str) -> None:
        self.comes("document.querySelector('h1')?.innerText", words)

    def alerts(self, words: str) -> None:
        self.comes(f"document.getElementById('alert').innerText.includes({words!r})")

    def announces(self, words: str) -> None:
        self.comes(f"document.getElementById('status').textContent.includes({words!r})")

    def focus_is(self, selector: str) -> None:
        self.comes(f"document.activeElement.matches({selector!r})")


class Chromium(Tablet):
    """Chromium by Playwright, with JavaScript or without."""

    def __init__(self, browser: Browser, served: Served, *, javascript: bool = True) -> None:
        super().__init__(served)
        # Of the portal, only its address is used.
        self.person = Person(browser, served, "participant", javascript=javascript)  # type: ignore[arg-type]
        self.page, self.context = self.person.page, self.person.context

    def open(self, path: str) -> None:
        self.page.goto(path)

    def tap(self, kind: str, words: str) -> None:
        if kind == "choice":
            self.page.get_by_label(words, exact=True).or_(self.page.get_by_label(words)).first.check()
        elif kind == "link":
            self.person.follow(words)
        else:
            self.page.get_by_role("button", name=words).first.click()

    def fill(self, label: str, text: str) -> None:
        self.person.fill(label, text)

    def run(self, script: str) -> Any:
        # Also where pages may run no script of their own: an isolated world may.
        return self.page.evaluate(script)

    def _tried(self, script: str) -> Any:
        try:
            return self.run(script)
        except Error:
            return None

    def wait(self, seconds: float) -> None:
        self.page.wait_for_timeout(seconds * 1000)

    def enter(self, person_id: UUID) -> None:
        self.context.add_cookies([self.served.cookie(person_id)])

    def forgive(self) -> None:
        self.person.messages.clear()

    def close(self) -> None:
        self.context.close()
        assert self.person.messages == [], self.person.messages


class Gtk(Tablet):
    """WebKitGTK by WebDriver."""

    def __init__(self, webkit: WebKit, served: Served) -> None:
        super().__init__(served)
        self.window: Window = webkit.window()

    def open(self, path: str) -> None:
        self.window.open(path if path.startswith("http") else self.served.url + path)

    def _find(self, kind: str, words: str) -> Any:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while (found := self.window.run(FIND, kind, words)) is None:
            assert time.monotonic() < ends_at, f"no {kind} {words!r}\n{self.words()[:1500]}"
            self.wait(0.05)
        return found

    def tap(self, kind: str, words: str) -> None:
        self.window.click(self._find(kind, words))

    def fill(self, label: str, text: str) -> None:
        box = self._find("control", label)
        self.window.run("arguments[0].select()", box)
        self.window.type(box, text)

    def run(self, script: str) -> Any:
        return self.window.run(f"return {script}")

    def _tried(self, script: str) -> Any:
        try:
            return self.run(script)
        except DriverRefused:
            return None

    def enter(self, person_id: UUID) -> None:
        self.open("/healthz")
        cookie = self.served.cookie(person_id)
        self.window.add_cookie(cookie["name"], cookie["value"])

    def forgive(self) -> None:
        """It tells nobody."""

    def close(self) -> None:
        self.window.close()
