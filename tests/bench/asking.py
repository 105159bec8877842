"""Asks pages as browsers do: within this process, where CPU time can be told apart, or as bytes for a server."""

import io
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

STATEMENTS = tuple(f"statement_{number}" for number in range(1, 11))
POINTS = ("not_at_all", "slightly", "fairly", "very", "completely", "prefer_not")
IPAD = (
    "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 "
    "Safari/604.1"
)


@dataclass(frozen=True)
class Leader:
    """Somebody who is signed in; `cookie` is that of their browser."""

    id: UUID
    participation_id: UUID
    package_id: UUID
    cookie: str
    address: str

    @property
    def page(self) -> str:
        """The page with the ten statements."""
        return f"/questionnaires/{self.participation_id}/baseline/once/1"

    @property
    def times(self) -> str:
        return f"/packages/{self.package_id}/times"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rb'name="%s" value="([^"]*)"' % name.encode(), self.body)
        if found is None:
            raise LookupError(name)
        return found[1].decode()

    def times(self) -> list[str]:
        """The values of the times on offer."""
        return [one.decode() for one in re.findall(rb'name="time" type="radio" value="([^"]+)"', self.body)]


class Asker:
    """Calls an app as its server would. One form cookie and token serve everybody, as they are nobody's."""

    def __init__(self, app: Any) -> None:
        self._app = app
        page = self.ask("/sign-in")
        self.token = page.field("csrf_token")
        set_cookie = next(value for name, value in page.headers if name.lower() == "set-cookie")
        self.form_cookie = set_cookie.partition(";")[0]

    def ask(self, path: str, fields: Mapping[str, str] | None = None, *, cookie: str | None = None) -> Answer:
        cookies = [getattr(self, "form_cookie", ""), f"sid={cookie}" if cookie else ""]
        body = b"" if fields is None else urlencode({"csrf_token": self.token, **fields}).encode()
        environ = _environ(path, body, "; ".join(filter(None, cookies)), posts=fields is not None)
        heard: list[Any] = []
        result = self._app(environ, lambda status, headers, exc_info=None: heard.append((status, headers)))
        try:
            whole = b"".join(result)
        finally:
            if hasattr(result, "close"):
                result.close()
        status, headers = heard[-1]
        return Answer(int(status[:3]), headers, whole)


def _environ(path: str, body: bytes, cookies: str, *, posts: bool) -> dict[str, Any]:
    place, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST" if posts else "GET",
        "PATH_INFO": place,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_USER_AGENT": IPAD,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if cookies:
        environ["HTTP_COOKIE"] = cookies
    if posts:
        environ |= {
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
        }
    return environ


def ten_answers(leader: Leader, *, turn: int = 0) -> dict[str, str]:
    """What somebody says to the ten statements: always the same of the same person in the same turn."""
    return {code: POINTS[(leader.id.bytes[number] + turn) % 5] for number, code in enumerate(STATEMENTS)}


def request_bytes(
    path: str, *, cookies: str = "", fields: Mapping[str, str] | None = None, host: str = "localhost"
) -> bytes:
    """A request as it goes over the line, on a connection that stays open."""
    body = b"" if fields is None else urlencode(fields).encode()
    lines = [
        f"{'GET' if fields is None else 'POST'} {path} HTTP/1.1",
        f"Host: {host}",
        f"User-Agent: {IPAD}",
        "Accept: text/html",
    ]
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if fields is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
