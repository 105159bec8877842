"""Letters, notices and certificates as PDF/UA: a paper is data, one template sets it.

typst writes tagged PDF that a screen reader can read, and refuses characters for which it has no letter shape. A
notice must not fail for one emoji in somebody's name: what cannot be set is replaced, visibly, and the paper says so.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from privacy.later import Later

if TYPE_CHECKING:
    import typst
else:
    typst = Later("typst")


from privacy.clock import day_words

TEMPLATE = files("privacy").joinpath("papers.typ")
REPLACEMENT = "[?]"
NOTE = "Some characters could not be printed. [?] stands in their place."
_NOT_SET = re.compile(r"the text `\"(.+?)\"` could not be displayed", re.DOTALL)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_TRIES = 40


class PaperFailed(Exception):
    """The paper could not be set, for another reason than its characters."""


@dataclass(frozen=True)
class Block:
    """A part of a paper: a heading, a paragraph, a list, or a table whose first row is its head."""

    kind: Literal["heading", "paragraph", "list", "facts", "table"]
    text: str = ""
    rows: Sequence[Sequence[str]] = ()


def heading(text: str) -> Block:
    return Block("heading", text)


def paragraph(text: str) -> Block:
    return Block("paragraph", text)


def bullets(items: Sequence[str]) -> Block:
    return Block("list", rows=[[item] for item in items])


def facts(pairs: Sequence[tuple[str, str]]) -> Block:
    """Names with what they are, as a table of two columns."""
    return Block("facts", rows=pairs)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> Block:
    return Block("table", caption, [head, *rows])


@dataclass(frozen=True)
class Paper:
    """A paper. `references` stand at its head, the contract's among them (cl 6.2); `sender` is who writes."""

    title: str
    sender: str
    on: date
    references: Sequence[tuple[str, str]]
    blocks: Sequence[Block]
    to: Sequence[str] = ()
    mark: str = ""
    """A word across the head, such as EXERCISE or REHEARSAL."""


def render(paper: Paper) -> bytes:
    """The paper as PDF/UA-1. Raises PaperFailed."""
    data = asdict(paper) | {"on": day_words(paper.on), "iso": paper.on.timetuple()[:3]}
    text = _settable(json.dumps(data, ensure_ascii=False))
    source = TEMPLATE.read_text(encoding="utf-8").encode()
    for _ in range(_TRIES):
        try:
            made = typst.compile(
                source, format="pdf", pdf_standards="ua-1", sys_inputs={"paper": _noted(text)}
            )
        except typst.TypstError as error:
            # The message names the first fault, the diagnostic all of them.
            text = _without(text, f"{error} {error.diagnostic}")
        except BaseException as error:
            # typst is compiled: a fault within it arrives as a panic, which is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise PaperFailed("typst gave up") from error
        else:
            assert isinstance(made, bytes)
            return made
    raise PaperFailed("too many characters cannot be printed")


def _settable(text: str) -> str:
    """The JSON text without control and unassigned characters, which no font has."""
    loaded = json.loads(text)

    def clean(node: object) -> object:
        if isinstance(node, str):
            return "".join(
                character
                if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cn", "Cs", "Co")
                else REPLACEMENT
                for character in node
            )
        if isinstance(node, dict):
            return {key: clean(value) for key, value in node.items()}
        return [clean(item) for item in node] if isinstance(node, list) else node

    return json.dumps(clean(loaded), ensure_ascii=False)


def _without(text: str, trouble: str) -> str:
    """The text with what typst named replaced. Raises PaperFailed where it names nothing of the kind."""
    named = {
        _ESCAPED.sub(lambda code: chr(int(code[1], 16)), found) for found in _NOT_SET.findall(trouble)
    } - {""}
    without = text
    # The longest first: a cluster goes as a whole, not letter by letter.
    for one in sorted(named, key=lambda one: (-len(one), one)):
        without = without.replace(one, REPLACEMENT)
    if without == text:
        raise PaperFailed(trouble[:300])
    return without


def _noted(text: str) -> str:
    if REPLACEMENT not in text:
        return text
    data = json.loads(text)
    return json.dumps({**data, "blocks": [*data["blocks"], asdict(paragraph(NOTE))]}, ensure_ascii=False)
