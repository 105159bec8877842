"""Volumes: one stream of compressed files, cut into zip archives that stay below a size.

Each file is compressed whole before it is placed, so that its size is known: no volume grows beyond its limit, and
the archives are of the plain old kind that every program opens. Compressing and digesting run in a thread of their
own, beside the reading of rows.
"""

import hashlib
import struct
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

VOLUME_BYTES = 508 * 1024 * 1024
"""A volume's size at most. To open one takes `openssl cms -decrypt` three times its size in memory, and above 2 GiB it
fails; with what sealing adds it stays below 512 MiB."""
_FILES_AT_MOST = 60_000
_PIECE = 512 * 1024
_WAITING_AT_MOST = 6
_LEVEL = 1
_UTF8, _DEFLATED, _OLDEST_READER = 0x0800, 8, 20
_MODE = 0o100600 << 16


class TooBig(ValueError):
    """One file alone is bigger than a volume."""


class Digest(Protocol):
    """What takes bytes into account: a hash of `hashlib`."""

    def update(self, data: bytes, /) -> None: ...


@dataclass(frozen=True)
class Entry:
    """A compressed file: its name with `/`, its size, CRC-32 and SHA-256 in clear, and the compressed pieces."""

    name: str
    size: int
    crc: int
    sha256: str
    pieces: Sequence[bytes]

    @property
    def packed(self) -> int:
        """How many bytes it is, compressed."""
        return sum(map(len, self.pieces))


class Squeezer:
    """The thread that compresses. Use it in a `with` block."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="squeeze")
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def file(self, name: str, *, also: Digest | None = None) -> "Writer":
        """A file to be written piece by piece; `also` sees what is written to it, in order."""
        return Writer(self, name, also)

    def whole(self, name: str, data: bytes) -> Entry:
        """A file at once."""
        writer = self.file(name)
        writer.write(data)
        return writer.close()

    def submit(self, writer: "Writer", data: bytes) -> Future[None]:
        if len(self._waiting) >= _WAITING_AT_MOST:
            self._waiting.popleft().result()
        task = self._pool.submit(writer.take, data)
        self._waiting.append(task)
        return task


class Writer:
    """One file in the making."""

    def __init__(self, squeezer: Squeezer, name: str, also: Digest | None) -> None:
        self.name = name
        self.size = 0
        self._squeezer = squeezer
        self._also = also
        self._pieces: list[bytes] = []
        self._held = 0
        self._last: Future[None] | None = None
        self._crc = 0
        self._digest = hashlib.sha256()
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._body: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._held += len(data)
        self.size += len(data)
        if self._held >= _PIECE:
            self._hand_over()

    def _hand_over(self) -> None:
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        self._last = self._squeezer.submit(self, data)

    def take(self, data: bytes) -> None:
        """In the thread: digest and compress one piece."""
        self._crc = zlib.crc32(data, self._crc)
        self._digest.update(data)
        if self._also is not None:
            self._also.update(data)
        self._body.append(self._deflate.compress(data))

    def close(self) -> Entry:
        """The finished file. What went wrong in the thread is raised here."""
        self._hand_over()
        assert self._last is not None
        self._last.result()
        self._body.append(self._deflate.flush())
        return Entry(self.name, self.size, self._crc, self._digest.hexdigest(), self._body)


class Cut:
    """Cuts entries into volumes: go through each volume's pieces to its end before the next one is asked for."""

    def __init__(self, entries: Iterable[Entry], *, made_at: datetime, limit: int = VOLUME_BYTES) -> None:
        self._entries = iter(entries)
        self._next = next(self._entries, None)
        self._stamp = struct.pack("<HH", *_dos_time(made_at))
        self._limit = limit

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        while self._next is not None:
            yield self._volume()

    def _volume(self) -> Iterator[bytes]:
        """The bytes of one archive. Raises TooBig."""
        place, listed, count = 0, bytearray(), 0
        while (entry := self._next) is not None and count < _FILES_AT_MOST:
            name, packed = entry.name.encode(), entry.packed
            own = 30 + 46 + 2 * len(name) + packed
            if place + len(listed) + own + 22 > self._limit:
                if not count:
                    raise TooBig(f"{entry.name} is bigger than a volume")
                break
            fields = struct.pack(
                "<HH4sLLLHH",
                _UTF8,
                _DEFLATED,
                self._stamp,
                entry.crc,
                packed,
                entry.size,
                len(name),
                0,
            )
            head = b"PK\3\4" + struct.pack("<H", _OLDEST_READER) + fields + name
            listed += b"PK\1\2" + struct.pack("<HH", 3 << 8 | _OLDEST_READER, _OLDEST_READER) + fields
            listed += struct.pack("<HHHLL", 0, 0, 0, _MODE, place) + name
            yield head
            yield from entry.pieces
            place += len(head) + packed
            count += 1
            self._next = next(self._entries, None)
        yield bytes(listed)
        yield b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, count, count, len(listed), place, 0)


def _dos_time(moment: datetime) -> tuple[int, int]:
    return (
        moment.hour << 11 | moment.minute << 5 | moment.second // 2,
        (moment.year - 1980) << 9 | moment.month << 5 | moment.day,
    )
