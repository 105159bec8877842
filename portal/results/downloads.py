"""Exports on their way to a browser: one archive that is packed while it is sent, or a spreadsheet.

A spreadsheet is written whole before its first byte can be sent. Its parts lie in a scratch folder of the
instance meanwhile, which its owner alone can open and which is gone when the file was sent.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from sqlalchemy import Engine
from sqlalchemy.orm import Session as DbSession

from portal.instance import Instance
from portal.results import exports
from portal.results.exports import Made
from privacy.clock import london
from privacy.scratch import scratch
from surveys.export_files import Format, documents, write_xlsx
from surveys.exports import Source

CHUNK = 64 * 1024
MIME = {Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ARCHIVE = "application/zip"


def ending(format: Format) -> str:
    """What the name of a download ends in; an archive says which format is in it."""
    return ".xlsx" if format is Format.XLSX else f".{format.value}.zip"


def stream(instance: Instance, engine: Engine, made: Made) -> Iterator[bytes]:
    """The bytes of a download. It reads in a database session of its own, as it outlives the request's."""
    with DbSession(engine, info={"vault": instance.vault}) as db:
        read = exports.source(db, instance.programme, made.order, now=made.made_at)
        if made.order.format is Format.XLSX:
            yield from _spreadsheet(read, instance.settings.instance / "scratch")
        else:
            yield from _archive(read, made)


def _spreadsheet(read: Source, folder: Path) -> Iterator[bytes]:
    with scratch(folder) as own:
        path = own / "export.xlsx"
        write_xlsx(read, path, scratch=own)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _archive(read: Source, made: Made) -> Iterator[bytes]:
    out = _Outflow()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for end, texts in documents(read, made.order.format):
            with archive.open(_entry(made.file_name(end), made.made_at), "w", force_zip64=True) as member:
                for text in texts:
                    member.write(text.encode())
                    if out.waiting >= CHUNK:
                        yield out.take()
    yield out.take()


def _entry(name: str, at: datetime) -> ZipInfo:
    shown = london(at)
    entry = ZipInfo(name, (shown.year, shown.month, shown.day, shown.hour, shown.minute, shown.second))
    entry.compress_type = ZIP_DEFLATED
    return entry


class _Outflow:
    """Takes what the archive writes, until it is sent. It can't be wound back, and the archive sees that."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What waits can still be taken."""

    def take(self) -> bytes:
        parts, self._parts, self.waiting = self._parts, [], 0
        return b"".join(parts)
