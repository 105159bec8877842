"""What every answer says to the browser, whoever made it: a page, an error, a static file, or nothing at all.

It stands outside of everything else, so that no answer leaves without it.
"""

from collections.abc import Callable, Iterable
from typing import Any

import structlog

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]

CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TIED_TO_HTTPS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}
"""Two years; only where people come over HTTPS, which PUBLIC_URL says and no request."""
UNCACHED = "no-store"
"""Unless the answer says itself how long it may be kept, as static files and calendar feeds do."""
NO_ANSWER = b"Sorry, something went wrong on our side. Try again in a few minutes.\n"

log = structlog.get_logger("server")


class Protected:
    """An app whose every answer carries the headers; where it fails with none, a plain one is given."""

    def __init__(self, app: App, *, secure: bool, raises: bool = False) -> None:
        """`raises`: a failure goes on to who called, as tests want it."""
        self._app = app
        self._raises = raises
        self._headers = {**HEADERS, **(TIED_TO_HTTPS if secure else {})}
        self._names = {name.lower() for name in self._headers}

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            return start_response(status, self._with_ours(headers), exc_info)

        try:
            return self._app(environ, start)
        except Exception:
            if self._raises:
                raise
            # Even the error page failed: no trace leaves, and the browser still hears what it may not do.
            log.exception("page.failed")
            start("500 Internal Server Error", [("Content-Type", "text/plain; charset=utf-8")])
            return [NO_ANSWER]

    def _with_ours(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        kept = [(name, value) for name, value in headers if name.lower() not in self._names]
        kept += self._headers.items()
        if not any(name.lower() == "cache-control" for name, _ in headers):
            kept.append(("Cache-Control", UNCACHED))
        return kept
