"""Words that occur nowhere else, for forms to be filled with, and the search for them in the bytes of files."""

import base64
import hashlib
import json
import quopri
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from urllib.parse import quote, quote_plus

# Every canary holds the first, words typed into text the second as well: beyond ASCII, each encoding differs.
MARK, ACCENTED = "zyqxwv", "zyqxéwv"
PHONE = "07700 900"


class Canaries:
    """Makes canaries: each of its own, told by its tail."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def word(self, label: str) -> str:
        """A name or the beginning of a sentence, of some 25 letters."""
        return f"{self._tailed(label).capitalize()} {ACCENTED.capitalize()}"

    def address(self, label: str) -> str:
        return f"{self._tailed(label)}@council.example"

    def phone(self, label: str) -> str:
        """A number that nobody has: the range is kept for fiction."""
        self.made[number := f"{PHONE}{100 + len(self.made)}"] = label
        return number

    def known(self, text: str) -> Iterator[str]:
        """What the canaries in a text were typed into."""
        return (label for tail, label in self.made.items() if tail in text.lower())

    def _tailed(self, label: str) -> str:
        digest = hashlib.sha256(label.encode()).digest()
        tail = "".join(chr(ord("a") + byte % 26) for byte in digest[:8])
        self.made[tail] = label
        return MARK + tail


def forms(text: str) -> set[bytes]:
    """The shapes in which a text may lie in a file, lower case."""
    shapes = {
        text.encode("utf-8"),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        text.encode("latin-1"),
        quote(text).encode(),
        quote_plus(text).encode(),
        json.dumps(text)[1:-1].encode(),
        quopri.encodestring(text.encode()),
        text.encode().hex().encode(),
    }
    for encoding, before in product(("utf-8", "utf-16-le"), range(3)):
        shapes |= _base64(text.encode(encoding), before)
    return {shape.lower() for shape in shapes}


def _base64(data: bytes, before: int) -> set[bytes]:
    """The letters that do not depend on what stands `before` bytes before the data, or after it."""
    first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
    coded = base64.b64encode(bytes(before) + data)[first:last]
    return {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}


def needles(canaries: Canaries) -> set[bytes]:
    """What to look for: the marks in every shape, and the phone numbers with and without their gap."""
    phones = {made for made in canaries.made if made.startswith(PHONE)}
    # As typed, without the gap, and as the world dials it.
    dialled = {phone.replace(" ", "") for phone in phones} | {phone[1:].replace(" ", "") for phone in phones}
    return set().union(*(forms(text) for text in {MARK, ACCENTED} | phones | dialled))


def found(data: bytes, wanted: Iterable[bytes]) -> list[bytes]:
    """Around the first place of each thing that is found, whatever its case, some bytes to know it by."""
    lowered = data.lower()
    places = {lowered.find(needle) for needle in wanted} - {-1}
    return [lowered[max(0, place - 40) : place + 80] for place in sorted(places)]


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
