"""Forms that take files beside words: how much may be sent, and how no word is lost to a file that is too big.

What goes beyond a file's limit is read and thrown away, so that the form comes back with everything that was typed,
and no more than the limit is ever held in memory.
"""

from io import BytesIO

from flask import request

from portal.forms.programme import FILE_AT_MOST
from portal.resources.file_kinds import BYTES_AT_MOST
from portal.views.context import current_actor

TAKES_FILES = {"cases.new", "cases.happen", "returns.new", "returns.take"}
"""The endpoints of such forms; those that end in `import_file` take a file of rows."""
SENT_AT_MOST = 200 * 1024 * 1024
"""Beyond this nothing is read: a browser has then shown for minutes that it is sending."""


class Capped(BytesIO):
    """Keeps one byte more than a file may have, which is enough to see that it is too big."""

    def write(self, data: object) -> int:
        given = memoryview(data).cast("B")  # type: ignore[arg-type]  # whatever holds bytes
        room = BYTES_AT_MOST + 1 - self.tell()
        if room > 0:
            super().write(given[:room])
        return len(given)


def stream() -> BytesIO:
    """Where a file is put while its form is read."""
    return Capped() if request.endpoint in TAKES_FILES else BytesIO()


def allow_files() -> None:
    """Let these forms be large for whoever is signed in, before the form token is looked for, which reads the body."""
    endpoint = request.endpoint or ""
    if current_actor() is None:
        return
    if endpoint.endswith(".import_file"):
        request.max_content_length = FILE_AT_MOST
    elif endpoint in TAKES_FILES:
        request.max_content_length = SENT_AT_MOST
