"""What is looked at before a page is: how much was sent, and from where."""

from collections.abc import Collection
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit

from flask import Flask, Request, abort, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from portal.views import uploads

MAX_BODY_BYTES = 1024 * 1024
FIELDS_AT_MOST = 1000
"""Of one form, whichever way it is encoded; the longest of our own has a third of it."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class FormParser(FormDataParser):
    """Counts the fields before it takes them apart, and refuses a body that goes on beyond what may be sent.

    Werkzeug itself counts only the fields of forms with files, and of a body that does not say how long it is
    (chunked) it takes the beginning and leaves the rest.
    """

    def parse(self, stream: IO[bytes], mimetype: str, content_length: int | None, options: Any = None) -> Any:
        if mimetype == "application/x-www-form-urlencoded":
            body = stream.read()
            # Asking for more raises where the limit was reached.
            if stream.read(1) or body.count(b"&") >= FIELDS_AT_MOST:
                raise RequestEntityTooLarge
            stream = BytesIO(body)
        return super().parse(stream, mimetype, content_length, options)


class Limited(Request):
    """A request that keeps uploads in memory: spooled to a temporary file, names would lie there in clear."""

    form_data_parser_class = FormParser

    def _get_file_stream(self, *args: object, **kwargs: object) -> BytesIO:
        return uploads.stream()


def limits() -> dict[str, int]:
    """The app's configuration of how much may be sent."""
    return {
        "MAX_CONTENT_LENGTH": MAX_BODY_BYTES,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY_BYTES,
        "MAX_FORM_PARTS": FIELDS_AT_MOST,
    }


def comes_from_elsewhere() -> bool:
    """Whether another site sent this form. Browsers say so themselves; older ones only whose page it was.

    Our own pages ask for no referrer, so their origin may read `null`.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("Origin", "null")
    hosts: Collection[str | None] = current_app.config["TRUSTED_HOSTS"]
    return origin != "null" and urlsplit(origin).hostname not in hosts


def install(app: Flask) -> None:
    """Refuse what other sites send before anything else looks at it."""

    @app.before_request
    def _refuse() -> None:
        if request.method not in SAFE and comes_from_elsewhere():
            abort(403)
