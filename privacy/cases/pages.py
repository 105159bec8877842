"""HTML read as texts in a plain frame of headings, paragraphs, lists and tables, and written anew from it.

Signs within a paragraph, such as bold, are dropped: a name that is half bold is one text. Attributes, comments,
scripts and styles are not read at all, so nothing can hide in them. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser

BLOCKS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "caption", "th", "td", "dt", "dd"})
FRAMES = frozenset({"ul", "ol", "table", "thead", "tbody", "tr", "dl", "section"})
# What a browser shows on lines of its own, and what it never shows.
BREAKS = frozenset(
    {"br", "div", "hr", "pre", "blockquote", "article", "header", "footer", "main", "body", "nav"}
)
UNSEEN = frozenset(
    {"script", "style", "template", "head", "title", "noscript", "svg", "math", "iframe", "object"}
)
_SCOPED = {"th": '<th scope="row">'}

HEAD = (
    '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>Copy</title>'
    '<meta http-equiv="Content-Security-Policy" content="default-src &#x27;none&#x27;; '
    'style-src &#x27;unsafe-inline&#x27;">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
    "body{font:1.1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;"
    "border-bottom:1px solid #b1b4b6;overflow-wrap:anywhere}caption{text-align:left;font-weight:bold}"
    "</style></head><body><main>\n"
    "<p>■■■ stands where something about other people was taken out.</p>\n"
)
FOOT = "</main></body></html>\n"

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Mark:
    """A sign of the frame that begins or ends, or a block whose text is the next one."""

    tag: str
    ends: bool = False


@dataclass(frozen=True)
class Page:
    """The frame of a page and the texts of its blocks in order."""

    frame: Sequence[Mark]
    texts: Sequence[str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.frame: list[Mark] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self._block = "p"
        self._words: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen.append(tag)
        elif tag == "br":
            self._words.append("\n")
        elif tag in BLOCKS | BREAKS | FRAMES:
            self._flush()
            self._block = tag if tag in BLOCKS else "p"
            if tag in FRAMES:
                self._open.append(tag)
                self.frame.append(Mark(tag))
            if tag == "body":
                # A head that was never closed ends here.
                self._unseen.clear()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        elif tag in BLOCKS | BREAKS:
            self._flush()
            self._block = "p"
        elif tag in self._open:
            self._flush()
            while (closed := self._open.pop()) != tag:
                self.frame.append(Mark(closed, ends=True))
            self.frame.append(Mark(tag, ends=True))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._words.append(data)

    def finish(self) -> Page:
        self.close()
        self._flush()
        while self._open:
            self.frame.append(Mark(self._open.pop(), ends=True))
        return Page(self.frame, self.texts)

    def _flush(self) -> None:
        text = "".join(self._words).strip()
        self._words = []
        if text:
            self.frame.append(Mark(self._block))
            self.texts.append(text)


def read(text: str) -> Page:
    """The frame and the texts of a page, as well as it is written."""
    reader = _Reader()
    reader.feed(text)
    return reader.finish()


def write(page: Page, texts: Sequence[str]) -> str:
    """A page of the same frame with other texts, all of them escaped."""
    left = iter(texts)
    return HEAD + "\n".join(_lines(page, left)) + "\n" + FOOT


def _lines(page: Page, left: Iterator[str]) -> Iterator[str]:
    for mark in page.frame:
        if mark.tag in FRAMES:
            yield f"</{mark.tag}>" if mark.ends else f"<{mark.tag}>"
        else:
            yield f"{_SCOPED.get(mark.tag, f'<{mark.tag}>')}{escape(next(left))}</{mark.tag}>"


def bare(text: str) -> Iterator[str]:
    """What a page of ours holds besides its own head, foot and signs, read without the parser: once with the signs
    left out, and once with each as a space. A page with a sign that is not ours comes back as it is."""
    inner = text.removeprefix(HEAD).removesuffix(FOOT)
    ours = len(inner) == len(text) - len(HEAD) - len(FOOT) and all(map(_is_ours, _TAG.findall(inner)))
    if not ours:
        yield text
    yield unescape(_TAG.sub("", inner))
    yield unescape(_TAG.sub(" ", inner))


def _is_ours(tag: str) -> bool:
    return tag in _SCOPED.values() or tag.strip("</>") in BLOCKS | FRAMES
