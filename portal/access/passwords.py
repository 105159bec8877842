"""Passwords: what may be one, and its hash.

At least 8 characters, any of them, none demanded; the common ones are refused (ASVS 6.2, NCSC). Nothing is cut or
trimmed; the same letters typed on another keyboard are the same password (NFKC).

A hash takes as much of the processor as 150 pages, and 64 MiB: each process makes one at a time, and whoever finds
too many before them is told to come again, so that a crowd at this door keeps nobody from the others.
"""

import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from privacy.transactions import TurnNotCome

AT_LEAST = 8
AT_MOST = 200
PART_AT_LEAST = 4
"""A word of one's own, such as a name, counts from this length."""
TURN_WITHIN_SECONDS = 2.0
_HASHER = PasswordHasher()  # Argon2id with the parameters of RFC 9106 for servers with little memory
_ONE = threading.Lock()


@cache
def _common() -> frozenset[str]:
    """The 30,000 passwords seen most often in lists that were stolen."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - 12 MB, for whoever sets a password

    return frozenset(FREQUENCY_LISTS["passwords"])


def fault(password: str, *, own_words: Sequence[str] = ()) -> str | None:
    """What is wrong with a new password, in words; None for one that can be used. `own_words`: name and address."""
    if len(password) < AT_LEAST:
        return f"The password must have {AT_LEAST} characters or more"
    if len(password) > AT_MOST:
        return f"The password must have {AT_MOST} characters or fewer"
    plain = unicodedata.normalize("NFKC", password).casefold()
    # What stays when figures and marks are taken off its ends: such as the word in Password1234567.
    core = plain.strip("".join(letter for letter in set(plain) if not letter.isalpha()))
    if plain in _common() or core in _common() or len(set(plain)) < PART_AT_LEAST:
        return (
            "This password is one of the first that are guessed. Choose another, such as three words in a row"
        )
    if _letters(plain) in _own(own_words):
        return "This is your name or address. Choose something else"
    return None


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalpha())


def _own(words: Sequence[str]) -> set[str]:
    """Which of somebody's own words are no password, whatever figures and marks stand in them; parts count too."""
    found = {_letters(word.partition("@")[0]) for word in words}
    found |= {_letters(part) for word in words for part in word.replace("@", " ").replace(".", " ").split()}
    return {word for word in found if len(word) >= PART_AT_LEAST}


@contextmanager
def _alone() -> Iterator[None]:
    if not _ONE.acquire(timeout=TURN_WITHIN_SECONDS):
        raise TurnNotCome
    try:
        yield
    finally:
        _ONE.release()


def hashed(password: str) -> str:
    """What is stored of a password, sealed besides. Raises TurnNotCome where too many are before this one."""
    with _alone():
        return _HASHER.hash(unicodedata.normalize("NFKC", password))


def fits(stored: str, password: str) -> bool:
    """Whether it is the password. Takes about a tenth of a second, so it is asked outside a transaction.

    Raises TurnNotCome where too many are before this one.
    """
    if len(password) > AT_MOST:
        return False
    try:
        with _alone():
            return _HASHER.verify(stored, unicodedata.normalize("NFKC", password))
    except (VerifyMismatchError, InvalidHashError):
        return False
