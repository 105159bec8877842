"""What names other people in texts: names that are known, e-mail addresses, phone numbers. Proposals, for a person
to look through. Pure.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from privacy.cases.folding import Phrase, Texts, fold_phrase
from privacy.cases.redactions import MarkKind

INSIDE_FROM = 7
"""Phrases with so many letters and digits are taken out within longer words too; shorter ones would spoil others."""

_TITLES = frozenset(
    (
        *(
            "cllr",
            "councillor",
            "mr",
            "mrs",
            "ms",
            "miss",
            "mx",
            "dr",
            "prof",
            "professor",
            "rev",
            "rt",
            "hon",
            "the",
        ),
        *(
            "sir",
            "dame",
            "lord",
            "lady",
            "baroness",
            "baron",
            "mp",
            "obe",
            "mbe",
            "cbe",
            "kbe",
            "dbe",
            "jp",
            "kc",
        ),
    )
)
_WORD = re.compile(r"[^\W_]+")
_SPACED = re.compile(r"\S+")
_EMAIL = re.compile(r"[\w.+'’-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w@./-])(?:\+\s?\d|00\d|0\d|\(\+?0)[\d\s().-]{7,20}\d(?![\w@])")
_DIGITS = range(10, 16)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBERED = re.compile(r", \d+ of \d+$")
"""How the page for people numbers the rows of a table: `Person, 1 of 3`."""


@dataclass(frozen=True)
class Known:
    """Somebody whose name is known. `near`: whoever asks has to do with them, so a first name alone may mean them."""

    name: str
    who: str
    near: bool = False


@dataclass(frozen=True)
class Own:
    """What is the requester's own, or the programme's: it is proposed nowhere.

    `ids_at` are the ends of what looks like an address and is an id of ours, such as that of a calendar entry.
    `fields` are the names of tables and fields in a record: nobody's name, whatever it looks like.
    """

    names: Collection[str] = ()
    addresses: Collection[str] = ()
    phones: Collection[str] = ()
    ids_at: Collection[str] = ()
    fields: Collection[str] = ()


@dataclass(frozen=True)
class Proposal:
    """Something to take out; `who` says whom it may mean."""

    kind: MarkKind
    text: str
    who: str


def parts(name: str) -> list[str]:
    """The parts of a name, titles and honours left out."""
    found = [word.strip(".,") for word in name.split()]
    named = [word for word in found if word and fold_phrase(word) not in _TITLES]
    return named or found


def spellings(kind: MarkKind, text: str) -> list[str]:
    """The ways in which something is written, folded."""
    folded = fold_phrase(text)
    match kind:
        case MarkKind.PHONE:
            found = [folded, *_numbers("".join(letter for letter in folded if letter.isdigit()))]
        case MarkKind.NAME:
            found = [folded, *_names([fold_phrase(part) for part in parts(text)])]
        case _:
            found = [folded]
    return list(dict.fromkeys(one for one in found if one))


def _numbers(digits: str) -> Iterator[str]:
    national = digits.removeprefix("00").removeprefix("44").removeprefix("0")
    if len(national) >= 9 and digits != national:
        yield from ("0" + national, "44" + national, "0044" + national, "440" + national, "00440" + national)


def _names(named: Sequence[str]) -> Iterator[str]:
    yield "".join(named)
    if len(named) > 1:
        first, *middle, last = named
        initials = "".join(part[:1] for part in (first, *middle))
        yield from (first + last, last + first, first[:1] + last, initials + last, last + "".join(named[:-1]))


def phrases(kind: MarkKind, text: str, *, inside: bool) -> list[Phrase]:
    """What is looked for on behalf of a mark."""
    return [Phrase(folded, inside) for folded in spellings(kind, text)]


def goes_inside(text: str) -> bool:
    """Whether a mark is taken out within longer words too, unless somebody says otherwise."""
    return len(fold_phrase(text)) >= INSIDE_FROM


# ---- proposals


def propose(texts: Sequence[str], known: Iterable[Known], own: Own) -> list[Proposal]:
    """What may name others in texts that are read one after another: names first, then addresses and numbers."""
    fields = {fold_phrase(one) for one in own.fields}
    unique = [one for one in dict.fromkeys(texts) if fold_phrase(_NUMBERED.sub("", one)) not in fields]
    found = [*_known(unique, known, own), *_addresses(unique, own), *_phones(unique, own)]
    by_text: dict[tuple[MarkKind, str], Proposal] = {}
    for one in found:
        by_text.setdefault((one.kind, fold_phrase(one.text)), one)
    return list(by_text.values())


class _Words:
    """The words of some texts: with their apostrophes and hyphens, and without; those that begin with a capital."""

    def __init__(self, texts: Sequence[str]) -> None:
        pieces = {piece for text in texts for piece in _SPACED.findall(text)}
        words = {word for piece in pieces for word in _WORD.findall(piece)}
        self.all = {fold_phrase(one) for one in (*pieces, *words)}
        self.capital = {
            fold_phrase(one)
            for one in (*words, *(piece.strip("\"'“”‘’([{,;:") for piece in pieces))
            if one[:1].isupper()
        }

    def has(self, part: str) -> bool:
        return fold_phrase(part) in self.all or all(
            fold_phrase(one) in self.all for one in _WORD.findall(part)
        )


def _known(texts: Sequence[str], known: Iterable[Known], own: Own) -> Iterator[Proposal]:
    words = _Words(texts)
    read: Texts | None = None
    theirs = {fold_phrase(part) for name in own.names for part in parts(name)}
    whole = {fold_phrase("".join(parts(name))) for name in own.names}
    for one in known:
        named = parts(one.name)
        if not named or not (words.has(named[-1]) or one.near) or fold_phrase("".join(named)) in whole:
            continue
        read = read or Texts(texts)
        told = any(read.holds(phrase) for phrase in phrases(MarkKind.NAME, one.name, inside=False))
        if told and len(named) > 1:
            yield Proposal(MarkKind.NAME, " ".join(named), one.who)
        last, first = named[-1], named[0]
        if _alone(last, words, theirs, read):
            told = True
            yield Proposal(MarkKind.WORDS, last, one.who)
        if (told or one.near) and len(named) > 1 and _alone(first, words, theirs, read):
            yield Proposal(MarkKind.WORDS, first, one.who)


def _alone(part: str, words: _Words, theirs: set[str], read: Texts) -> bool:
    """Whether a part of a name stands in the texts as a name would: with a capital, and not the requester's own."""
    folded = fold_phrase(part)
    if len(folded) < 2 or folded in theirs:
        return False
    capital = folded in words.capital or any(
        fold_phrase(one) in words.capital for one in _WORD.findall(part)[:1]
    )
    return capital and read.holds(Phrase(folded, inside=False))


def _addresses(texts: Sequence[str], own: Own) -> Iterator[Proposal]:
    left_in = {fold_phrase(one) for one in own.addresses}
    for text in texts:
        for match in _EMAIL.finditer(text):
            if fold_phrase(match[0]) not in left_in and not _is_id(match[0], own):
                yield Proposal(MarkKind.EMAIL, match[0].strip(".'’-"), "")


def _is_id(address: str, own: Own) -> bool:
    local, _, domain = address.lower().partition("@")
    return _ID.fullmatch(local) is not None and domain.endswith(tuple(own.ids_at))


def _phones(texts: Sequence[str], own: Own) -> Iterator[Proposal]:
    left_in = {folded for one in own.phones for folded in spellings(MarkKind.PHONE, one)}
    for text in texts:
        for match in _PHONE.finditer(text):
            digits = [letter for letter in match[0] if letter.isdigit()]
            if len(digits) in _DIGITS and not left_in & set(spellings(MarkKind.PHONE, match[0])):
                yield Proposal(MarkKind.PHONE, " ".join(match[0].split()), "")
