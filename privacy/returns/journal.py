"""The journal of a destruction: which steps are done, on the disk before the next one begins.

What it tells of is being destroyed, the database included; so it is a file of its own, of references, digests and
counts, and whoever is killed on the way goes on by it (cl 17.4(e)).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy.envelopes import sync_folder

FILE = "journal.jsonl"


class JournalBroken(Exception):
    """The journal of a destruction cannot be read: nobody can tell by it how far that has come."""


@dataclass(frozen=True)
class Entry:
    """A step that was done, when (aware UTC), and what it found."""

    step: str
    at: datetime
    facts: Mapping[str, Any]


class Journal:
    """The journal in a folder (made if missing, 0700); each step has one entry, the first that was written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._path = folder / FILE

    @classmethod
    def is_there(cls, folder: Path) -> bool:
        """Whether a destruction was begun in this folder."""
        return (folder / FILE).is_file()

    def entries(self) -> dict[str, Entry]:
        """What is done, by step, in order. Raises JournalBroken."""
        found: dict[str, Entry] = {}
        for line in self._lines():
            try:
                known = json.loads(line)
                entry = Entry(known["step"], datetime.fromisoformat(known["at"]), known["facts"])
            except (ValueError, KeyError, TypeError) as error:
                raise JournalBroken(f"{self._path} has a line that cannot be read") from error
            found.setdefault(entry.step, entry)
        return found

    def facts(self, step: str) -> Mapping[str, Any]:
        """What a step found; KeyError where it is not done."""
        return self.entries()[step].facts

    def note(self, step: str, *, at: datetime, **facts: Any) -> None:
        """Note a step as done. It is on the disk when this returns."""
        line = json.dumps({"step": step, "at": at.isoformat(), "facts": facts}, separators=(",", ":"))
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            # A line that was cut off when its writer was killed says nothing.
            whole = file.read().rpartition(b"\n")
            file.seek(len(whole[0]) + len(whole[1]))
            file.truncate()
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync_folder(self.folder)

    def _lines(self) -> list[bytes]:
        if not self._path.is_file():
            return []
        return self._path.read_bytes().split(b"\n")[:-1]
