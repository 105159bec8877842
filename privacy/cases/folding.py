"""Where a phrase stands in texts, however it is written: case, accents, spaces, apostrophes and hyphens aside.

Texts and phrases are folded to their letters and digits before they are compared, so that `O'Shea-D'Arcy` finds
`o’shea d’arcy`, `OSheaDArcy` in either Unicode form, and `07700 900123` finds `(07700) 900-123`. A phrase is found
across the border of two texts too, as a reader would read on. Pure.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

TAKEN_OUT = "■■■"
"""What stands where something was taken out: no letter and no digit, always as long."""

_BREAK = TAKEN_OUT[0]
_ALIKE = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "þ": "th",
    "ħ": "h",
    "ŋ": "n",
}
_ATTACHED = ("Mn", "Mc", "Me", "Cf")


def _fold_one(character: str) -> str:
    if character == _BREAK:
        return _BREAK
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(_digit(one) for one in plain if one.isalnum() and unicodedata.category(one)[0] != "M")


def _digit(character: str) -> str:
    number = unicodedata.decimal(character, None)
    return str(number) if number is not None else _ALIKE.get(character, character)


class _Folded(dict[int, str]):
    """What each character folds to; worked out once for each that is met."""

    def __missing__(self, code: int) -> str:
        self[code] = _fold_one(chr(code))
        return self[code]


_FOLDED = _Folded()


def fold(text: str) -> str:
    """The letters and digits of a text in one form; a place where something was taken out stays a break."""
    return text.translate(_FOLDED)


def fold_phrase(text: str) -> str:
    """The same of a phrase that is looked for."""
    return fold(text.replace(_BREAK, ""))


@dataclass(frozen=True)
class Phrase:
    """What is looked for, folded. `inside`: also within longer words; else only as whole words."""

    folded: str
    inside: bool


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of one of the texts: its number, from a character up to another."""

    text: int
    start: int
    end: int


class Texts:
    """Texts that are read one after another, ready to be searched for many phrases."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        folded = [fold(text) for text in texts]
        self._whole = "".join(folded)
        # Where each text begins in the whole; what follows the last is the whole's end.
        self._begins = list(accumulate((len(one) for one in folded), initial=0))
        self._maps: dict[int, list[int]] = {}

    def holds(self, phrase: Phrase) -> bool:
        return next(self.find(phrase), None) is not None

    def find(self, phrase: Phrase) -> Iterator[Sequence[Span]]:
        """Each place where the phrase stands, as the spans it takes: several where it goes on in the next text."""
        if not phrase.folded:
            return
        at = self._whole.find(phrase.folded)
        while at >= 0:
            spans = self._spans(at, at + len(phrase.folded))
            if phrase.inside or self._stands_alone(spans, at, at + len(phrase.folded)):
                yield spans
            at = self._whole.find(phrase.folded, at + 1)

    def _spans(self, start: int, end: int) -> list[Span]:
        spans = []
        number = bisect_right(self._begins, start) - 1
        while number < len(self.texts) and self._begins[number] < end:
            begin, stop = self._begins[number], self._begins[number + 1]
            if begin < stop:
                origin = self._map(number)
                first, last = max(start, begin) - begin, min(end, stop) - begin - 1
                spans.append(Span(number, origin[first], origin[last] + 1))
            number += 1
        return spans

    def _map(self, number: int) -> list[int]:
        """For each folded character of a text, which of its own it comes from."""
        if number not in self._maps:
            self._maps[number] = [
                place for place, character in enumerate(self.texts[number]) for _ in _FOLDED[ord(character)]
            ]
        return self._maps[number]

    def _stands_alone(self, spans: Sequence[Span], start: int, end: int) -> bool:
        """Whether neither a letter nor a digit goes on at either end."""
        first, last = spans[0], spans[-1]
        origin = self._map(first.text)
        place = start - self._begins[first.text]
        if place and origin[place - 1] == origin[place]:
            return False
        origin, place = self._map(last.text), end - self._begins[last.text]
        if place < len(origin) and origin[place - 1] == origin[place]:
            return False
        before = reversed(self.texts[first.text][: first.start])
        return not (_goes_on(before) or _goes_on(iter(self.texts[last.text][last.end :])))


def _goes_on(characters: Iterator[str]) -> bool:
    for character in characters:
        if unicodedata.category(character) not in _ATTACHED:
            return bool(_FOLDED[ord(character)].strip(_BREAK))
    return False


def without(texts: Sequence[str], phrases: Sequence[Phrase]) -> tuple[list[str], list[int]]:
    """The texts built anew from what remains, and how often each phrase was taken out.

    Again until nothing is found: what remains is all that is read, so nothing is covered only.
    """
    counts = [0] * len(phrases)
    remaining = list(texts)
    while True:
        read = Texts(remaining)
        found: set[Span] = set()
        for number, phrase in enumerate(phrases):
            for spans in read.find(phrase):
                counts[number] += 1
                found.update(spans)
        if not found:
            return remaining, counts
        for place, spans in _by_text(found).items():
            remaining[place] = _cut(remaining[place], spans)


def _by_text(found: set[Span]) -> dict[int, list[Span]]:
    """The spans of each text, in order, those that meet joined."""
    by_text: dict[int, list[Span]] = {}
    for span in sorted(found):
        joined = by_text.setdefault(span.text, [])
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(span.text, joined[-1].start, max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return by_text


def _cut(text: str, spans: Sequence[Span]) -> str:
    parts, done = [], 0
    for span in spans:
        parts += [text[done : span.start], TAKEN_OUT]
        done = span.end
        # Accents and joiners belong to the letter before them: they go with it.
        while done < len(text) and unicodedata.category(text[done]) in _ATTACHED:
            done += 1
    return "".join([*parts, text[done:]])
