"""A BagIt bag (RFC 8493): the data below `data/`, digests of every file, and digests of those lists.

    bag/bagit.txt, bag-info.txt, READ-ME.txt, manifest-sha256.txt, tagmanifest-sha256.txt
    bag/data/...

`sha256sum -c manifest-sha256.txt` checks it with what every Linux machine has. A bag by itself shows that it is whole,
not who made it: the digest of its last list is in the signed `package.json`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from privacy.returns.volumes import Entry, Squeezer

TOP = "bag"
READ_ME = "READ-ME.txt"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


@dataclass
class Bag:
    """Remembers what goes into it. `tagmanifest` is the digest of the last list, known once all is packed."""

    squeezer: Squeezer
    info: Mapping[str, str]
    read_me: str
    files: int = 0
    size: int = 0
    tagmanifest: str = ""
    _manifest: list[str] = field(default_factory=list)

    def pack(self, payload: Iterable[Entry]) -> Iterator[Entry]:
        """The files of the bag, below its one folder, and behind them its own."""
        for entry in payload:
            self._manifest.append(_line(entry))
            self.files += 1
            self.size += entry.size
            yield _below(entry)
        info = {**self.info, "Payload-Oxum": f"{self.size}.{self.files}"}
        own = [
            self.squeezer.whole("bagit.txt", _DECLARATION),
            self.squeezer.whole(
                "bag-info.txt", "".join(f"{name}: {value}\n" for name, value in info.items()).encode()
            ),
            self.squeezer.whole(READ_ME, self.read_me.encode()),
            self.squeezer.whole("manifest-sha256.txt", "".join(self._manifest).encode()),
        ]
        last = self.squeezer.whole("tagmanifest-sha256.txt", "".join(map(_line, own)).encode())
        self.tagmanifest = last.sha256
        yield from map(_below, (*own, last))


def _line(entry: Entry) -> str:
    return f"{entry.sha256}  {entry.name}\n"


def _below(entry: Entry) -> Entry:
    return replace(entry, name=f"{TOP}/{entry.name}")
