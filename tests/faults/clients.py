"""Browsers of many people at once: connections that are kept, cookies, forms filled in as the page gave them.

A form that got no answer, or was asked to be sent again, is sent again as it was: with the same key, from the same
page.
"""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.faults.server import PATIENCE
from tests.pages_client import parsed

BROKEN = (OSError, http.client.HTTPException)
CLOSED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TYPED = {"session_next", "session_better"}
"""The fields of a form that people write into."""
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back; `tries` is how often it was asked for."""

    status: int
    location: str
    body: str
    tries: int = 1

    @property
    def tree(self) -> Any:
        return parsed(self.body)


class NotAnswered(AssertionError):
    """Nothing came back, however often it was sent."""


@dataclass
class Tally:
    """What all clients met. A context, at whose end their connections are closed and who still tries gives up.

    `broke` counts requests that got no answer, by what went wrong; `reopened` those that met a kept connection which
    the server had just closed, and which browsers send again by themselves. `texts` counts what was typed into forms
    that were answered with an error of the server: `kept`, where it stands on the page, or `lost`; `unread` pages
    that could not be read, by path.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    broke: Counter[str] = field(default_factory=Counter)
    reopened: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    clients: "list[Client]" = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Tally":
        return self

    def __exit__(self, *error: object) -> None:
        """Nobody sends anything any more."""
        self.over.set()
        for client in self.clients:
            client.close()

    def note(self, answer: Answer, path: str, fields: Fields | None) -> None:
        self.statuses[answer.status] += 1
        if answer.status < 500:
            return
        if fields is None:
            self.unread[path] += 1
        typed = [text for name, text in fields or () if name in TYPED and text]
        self.texts.update("kept" if escape(text) in answer.body else "lost" for text in typed)

    @property
    def failures(self) -> dict[int, int]:
        """Answers of 500 and more."""
        return {status: count for status, count in self.statuses.items() if status >= 500}


class Client:
    """The browser of one person. What broke or was answered 503 it sends again, for so many seconds."""

    def __init__(self, port: int, cookie: str, tally: Tally, *, patience: float = PATIENCE) -> None:
        self.port, self.tally, self.patience = port, tally, patience
        self.cookies = {"sid": cookie}
        self._wire: http.client.HTTPConnection | None = None
        tally.clients.append(self)

    def get(self, path: str) -> Answer:
        return self._asked("GET", path, None)

    def post(self, path: str, fields: Fields) -> Answer:
        return self._asked("POST", path, fields)

    def follow(self, answer: Answer) -> Answer:
        """Go where redirects lead."""
        while answer.status == 303:
            answer = self.get(answer.location)
        return answer

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _asked(self, method: str, path: str, fields: Fields | None) -> Answer:
        until, tries = time.monotonic() + self.patience, 0
        while True:
            if self.tally.over.is_set():
                raise NotAnswered("the test is over")
            tries += 1
            kept = self._wire is not None
            try:
                answer = self._once(method, path, fields, tries)
            except BROKEN as problem:
                self.close()
                if kept and isinstance(problem, CLOSED):
                    self.tally.reopened += 1
                    continue
                self.tally.broke[type(problem).__name__] += 1
                if time.monotonic() >= until:
                    raise NotAnswered(f"{method} {path}: {type(problem).__name__}") from problem
            else:
                self.tally.note(answer, path, fields)
                if answer.status != 503 or time.monotonic() >= until:
                    return answer
            self.tally.over.wait(random.uniform(0.02, 0.2))

    def _once(self, method: str, path: str, fields: Fields | None, tries: int) -> Answer:
        if self._wire is None:
            self._wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE / 2)
        body = None if fields is None else urlencode(fields)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Host": f"localhost:{self.port}", "Cookie": cookies, **(FORM if body is not None else {})}
        self._wire.request(method, path, body, headers)
        response = self._wire.getresponse()
        text = response.read().decode("utf-8", "replace")
        for header in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
        if response.will_close:
            self.close()
        location = urlsplit(response.headers.get("Location", ""))
        where = f"{location.path}?{location.query}" if location.query else location.path
        return Answer(response.status, where, text, tries)


def form_at(answer: Answer, path: str) -> Any:
    """The form of a page that posts to a path."""
    for form in answer.tree.iter("form"):
        if form.get("method") == "post" and urlsplit(form.get("action")).path == path:
            return form
    raise LookupError(f"no form for {path}: {answer.status} {' '.join(answer.tree.itertext())[:1500]}")


def filled(form: Any, *, words: str, chosen: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """What a form sends: what it carries, the second of each row of choices or what was chosen, and words."""
    sent: dict[str, str] = {}
    radios: dict[str, list[str]] = {}
    for box in form.iter("input"):
        kind, name, value = box.get("type", "text"), box.get("name"), box.get("value", "")
        if kind == "radio":
            radios.setdefault(name, []).append(value)
        elif kind == "hidden":
            sent[name] = value
        elif kind == "text":
            sent[name] = words
    for area in form.iter("textarea"):
        sent[area.get("name")] = words
    for name, values in radios.items():
        sent[name] = values[min(1, len(values) - 1)]
    return list({**sent, **(chosen or {})}.items())
