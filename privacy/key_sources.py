"""Where the keys come from: a folder of files (0400), or a file descriptor that a container is given.

A folder can be added to, so that a rotation makes its new key by itself. A descriptor is read once; to rotate,
the processes are started with the new key among the others, and then the rotation takes that one.
"""

import os
from pathlib import Path
from typing import Protocol

from privacy import keys
from privacy.errors import KeyFault
from privacy.keys import KeyRing, file_of


class KeysFixed(Exception):
    """The keys come from outside, and the one that is wanted is not among them; the message says what to do."""


class KeySource(Protocol):
    """A place that keys come from."""

    def load(self) -> KeyRing:
        """Raises KeyFault naming what is missing, truncated or readable by others."""

    def create(self) -> list[Path]:
        """The keys of a new instance; returns the files written. What is there is left alone."""

    def is_empty(self) -> bool:
        """Whether it holds no key-encryption key."""

    def add(self, key_id: str) -> None:
        """Make a new key; one that is there already is left alone. Raises KeysFixed where that is not for us."""

    def remove(self, key_id: str) -> bool:
        """Destroy a key; False where somebody else has to."""


class KeyFolder:
    """A folder (0700) with one file for each key (0400), outside the database and its backups."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> KeyRing:
        return keys.load(self.path)

    def create(self) -> list[Path]:
        return keys.create(self.path)

    def is_empty(self) -> bool:
        return not list(self.path.glob("kek-*.key"))

    def add(self, key_id: str) -> None:
        path = self.path / file_of(key_id)
        if not path.exists():
            keys.write_key(path, os.urandom(keys.KEY_BYTES))

    def remove(self, key_id: str) -> bool:
        (self.path / file_of(key_id)).unlink(missing_ok=True)
        keys.sync(self.path)
        return True


class KeyDescriptor:
    """The keys as text (privacy.keys.bundle) from a file descriptor, or from one that a parent process holds.

    A pipe can be read once only: what was read stays in this object, and `handed_on` lends it to children.
    """

    def __init__(self, descriptor: int | str) -> None:
        self.descriptor = descriptor
        self._text: str | None = None
        self._held: int | None = None

    def __repr__(self) -> str:
        return f"KeyDescriptor({self.descriptor!r})"

    def load(self) -> KeyRing:
        return keys.from_bundle(self._read(), where=f"descriptor {self.descriptor}: ")

    def create(self) -> list[Path]:
        self.load()
        return []

    def is_empty(self) -> bool:
        return "kek-" not in self._read()

    def add(self, key_id: str) -> None:
        if file_of(key_id) not in self._read():
            raise KeysFixed(
                f"the keys come from a file descriptor: start again with {file_of(key_id)} among them, "
                "and then rotate"
            )

    def remove(self, key_id: str) -> bool:
        return False

    def handed_on(self) -> str:
        """A path by which children of this process can read the keys, as long as it lives. Nothing is on a disk."""
        if self._held is None:
            self._held = os.memfd_create("keys", os.MFD_CLOEXEC)
            os.write(self._held, self._read().encode())
        return f"/proc/{os.getpid()}/fd/{self._held}"

    def _read(self) -> str:
        if self._text is None:
            try:
                with open(self.descriptor, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - a number
                    self._text = file.read()
            except OSError as error:
                raise KeyFault(f"descriptor {self.descriptor} cannot be read: {error.strerror}") from error
        return self._text
