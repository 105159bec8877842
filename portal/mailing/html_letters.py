"""The HTML part of a mail, made from its text by one template, so that both say the same.

Paragraphs, line ends and links are all there is, in the reader's own letters at a width that reads well: no picture
and nothing from elsewhere, so that it reads by ear, at any size and in any colours, and nobody learns that it was
opened. Every link shows its whole address.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2

from portal.mailing.letters import whole_characters

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
PAGE = "_page.html"
_LINK = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True)
class Piece:
    """Words, or a link with its address in sight."""

    text: str
    link: bool


def from_text(text: str, *, subject: str) -> str:
    """A whole page with the mail's text in it; everything in it is escaped once."""
    return (
        _environment()
        .get_template(PAGE)
        .render(
            subject=whole_characters(subject).strip(),
            paragraphs=[[_pieces(line) for line in lines] for lines in _paragraphs(whole_characters(text))],
        )
    )


def _paragraphs(text: str) -> list[list[str]]:
    """The lines of each paragraph; an address that stands alone belongs to the line that leads to it."""
    found: list[list[str]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines() if line.strip()]
        if found and found[-1][-1].endswith(":") and _LINK.fullmatch(lines[0]):
            found[-1] += lines
        else:
            found.append(lines)
    return found


def _pieces(line: str) -> list[Piece]:
    pieces, done = [], 0
    for match in _LINK.finditer(line):
        pieces += [Piece(line[done : match.start()], False), Piece(match[0], True)]
        done = match.end()
    return [piece for piece in (*pieces, Piece(line[done:], False)) if piece.text]


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
