"""Reading BER as CMS files use it: a stream whose lengths may be open, and small values read whole."""

from collections.abc import Iterator
from typing import BinaryIO

INTEGER, OCTETS, OBJECT, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x30, 0x31
CONTEXT_0, CONTEXT_0_PLAIN = 0xA0, 0x80
SMALL_BYTES = 256 * 1024
_PIECE_BYTES = 1024 * 1024


class Malformed(Exception):
    """The bytes are not what the format asks for at this place."""


class Stream:
    """Walks a file element by element; never holds more than one piece of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def _take(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise Malformed("it ends too early")
        return data

    def head(self) -> tuple[int, int | None]:
        """Tag and length of the next element; None: it lasts until an end mark."""
        tag = self._take(1)[0]
        first = self._take(1)[0]
        if first < 0x80:
            return tag, first
        if first == 0x80:
            return tag, None
        if first > 0x84:
            raise Malformed("a length is too long")
        return tag, int.from_bytes(self._take(first & 0x7F), "big")

    def enter(self, tag: int) -> int | None:
        """Step into a constructed element; returns its length."""
        found, length = self.head()
        if found != tag:
            raise Malformed(f"tag {found:#x} stands where {tag:#x} should")
        return length

    def whole(self, tag: int) -> bytes:
        """The content of a small element of known length."""
        length = self.enter(tag)
        if length is None or length > SMALL_BYTES:
            raise Malformed("a small value has no length, or a big one")
        return self._take(length)

    def pieces(self, length: int) -> Iterator[bytes]:
        """`length` bytes, piece by piece."""
        while length:
            piece = self._take(min(length, _PIECE_BYTES))
            length -= len(piece)
            yield piece

    def octets(self) -> Iterator[bytes]:
        """The bytes of an implicitly tagged [0] OCTET STRING, in one part or in many."""
        tag, length = self.head()
        if tag == CONTEXT_0_PLAIN and length is not None:
            yield from self.pieces(length)
            return
        if tag != CONTEXT_0:
            raise Malformed("the content is missing")
        ends = None if length is None else self._file.tell() + length
        while ends is None or self._file.tell() < ends:
            part, size = self.head()
            if ends is None and (part, size) == (0, 0):
                return
            if part != OCTETS or size is None:
                raise Malformed("the content is not made of strings of bytes")
            yield from self.pieces(size)

    def leave(self, length: int | None) -> None:
        """Step out of an element of open length: its end mark must come here."""
        if length is None and self._take(2) != b"\0\0":
            raise Malformed("an end mark is missing")

    def end(self) -> None:
        """Nothing may follow."""
        if self._file.read(1):
            raise Malformed("something follows its end")


def items(data: bytes) -> list[tuple[int, bytes]]:
    """Tag and content of each element in a small value of definite lengths."""
    found = []
    place = 0
    while place < len(data):
        if place + 2 > len(data):
            raise Malformed("it ends too early")
        tag, length = data[place], data[place + 1]
        place += 2
        if length >= 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[place : place + count], "big")
            place += count
            if not count:
                raise Malformed("a small value has no length")
        if place + length > len(data):
            raise Malformed("it ends too early")
        found.append((tag, data[place : place + length]))
        place += length
    return found
