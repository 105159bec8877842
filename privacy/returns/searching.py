"""Looking through files, byte by byte, for what must be in none of them; memory stays the same for any size."""

import base64
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from privacy.envelopes import PIECE_BYTES

READ_BYTES = 16 * PIECE_BYTES
HEAD_BYTES = 5


@dataclass(frozen=True)
class Looked:
    """What a look through files found: how many files and bytes, the files with something in them, and those that
    could not be read."""

    files: int
    size: int
    found: tuple[Path, ...]
    unread: tuple[Path, ...]


def shapes(word: str) -> set[bytes]:
    """How a word may lie in a file: as text, as numbers, in base64 wherever it begins."""
    data = {word.encode(), word.encode("utf-16-le"), word.encode("utf-16-be"), word.encode().hex().encode()}
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(word.encode())) * 8 // 6
        coded = base64.b64encode(bytes(before) + word.encode())[first:last]
        data |= {coded, coded.replace(b"+", b"-").replace(b"/", b"_")}
    return data


def look(roots: Iterable[Path], needles: Iterable[bytes], *, but: Iterable[Path] = ()) -> Looked:
    """Look through every file below the roots (each once), but for some."""
    wanted, skipped = _by_head(needles), {path.resolve() for path in but}
    count = size = 0
    found, unread = [], []
    for path in files(roots):
        if path.resolve() in skipped:
            continue
        try:
            if _holds(path, wanted):
                found.append(path)
            size += path.stat().st_size
        except FileNotFoundError:
            continue
        except OSError:
            unread.append(path)
            continue
        count += 1
    return Looked(count, size, tuple(found), tuple(unread))


def files(roots: Iterable[Path]) -> Iterator[Path]:
    """Every regular file below the roots, each once; links are not followed."""
    seen: set[Path] = set()
    for root in roots:
        here = [root] if root.is_file() else _below(root)
        for path in here:
            if path.is_file() and not path.is_symlink() and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            yield Path(folder) / name


def _by_head(needles: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """The needles by how they begin: sealed values all begin alike, and are looked for in one go."""
    found: dict[bytes, list[bytes]] = {}
    for needle in sorted(set(needles)):
        found.setdefault(needle[:HEAD_BYTES], []).append(needle)
    return found


def _holds(path: Path, needles: Mapping[bytes, Sequence[bytes]]) -> bool:
    longest = max((len(needle) for group in needles.values() for needle in group), default=1)
    before = b""
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            data = before + piece
            if any(_found(data, head, group) for head, group in needles.items()):
                return True
            before = data[-(longest - 1) :] if longest > 1 else b""
    return False


def _found(data: bytes, head: bytes, needles: Sequence[bytes]) -> bool:
    place = data.find(head)
    while place >= 0:
        if any(data.startswith(needle, place) for needle in needles):
            return True
        place = data.find(head, place + 1)
    return False
