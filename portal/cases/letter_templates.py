"""The templates of the desk's letters: shipped with the product, and kept by the data protection officer in versions.

A template is its heading, an empty line, and the text: paragraphs, `# ` before a heading, `- ` before each line of a
list. What stands in braces is filled in from the case. A version is an entry of the register and never changed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from privacy import registers
from privacy.cases.letters import LetterKind
from privacy.cases.rules import Incomplete
from privacy.clock import london_date
from privacy.papers import Block, bullets, heading, paragraph
from privacy.registers import Register, RegisterEntry
from privacy.work import Work

SHIPPED = Path(__file__).resolve().parents[2] / "templates" / "letters"
TEXT_AT_MOST = 8000
TITLE_AT_MOST = 150
BLANKS: Mapping[str, str] = {
    "name": "whom the letter goes to",
    "case": "the reference of the case",
    "request": "what they ask, such as: request for a copy of your data",
    "received": "the day on which it reached us",
    "today": "the day of the letter",
    "due": "the last day for the answer, where there is one",
    "extended_due": "the last day for the answer once the time is extended",
    "when": "a sentence with the last day, or that we answer as soon as we can",
    "pause": "a sentence on the time while we wait for their answer",
    "reason": "the reason that you give",
    "question": "the question that you ask",
    "outcome": "what came of it, by the kind of case",
    "left_out": "what was left out of a copy, and why",
    "routes": "how to complain, by the law of the day",
    "department": "the Department's name",
    "controller_dpo": "the Department's data protection officer",
    "dpo": "our data protection officer",
    "phone": "our phone number",
    "contract": "the reference of the contract",
    "service": "the name of the service",
}
"""What can stand in braces, and what it says."""

_BLANK = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class Template:
    """One version. `number` 0 and no id: the shipped one."""

    kind: LetterKind
    number: int
    title: str
    text: str
    id: UUID | None = None
    entered_at: datetime | None = None


def shipped(kind: LetterKind) -> Template:
    """The template that comes with the product."""
    title, _, text = (SHIPPED / f"{kind}.txt").read_text(encoding="utf-8").partition("\n")
    return Template(kind, 0, title.strip(), text.strip())


def versions(db: DbSession, kind: LetterKind) -> list[Template]:
    """Every version of a template, newest first; the shipped one last."""
    kept = [entry for entry in reversed(registers.entries(db, Register.LETTER)) if entry.letter == kind.value]
    return [
        *reversed([_template(kind, number, entry) for number, entry in enumerate(kept, 1)]),
        shipped(kind),
    ]


def current(db: DbSession, kind: LetterKind) -> Template:
    """The version in force."""
    return versions(db, kind)[0]


def all_current(db: DbSession) -> list[Template]:
    """The version in force of every kind of letter; one query."""
    kept: dict[str, list[RegisterEntry]] = {}
    for entry in reversed(registers.entries(db, Register.LETTER)):
        kept.setdefault(entry.letter, []).append(entry)
    return [
        _template(kind, len(found), found[-1]) if (found := kept.get(kind.value)) else shipped(kind)
        for kind in LetterKind
    ]


def _template(kind: LetterKind, number: int, entry: RegisterEntry) -> Template:
    title, _, text = (entry.body or "").partition("\n")
    return Template(kind, number, title.strip(), text.strip(), entry.id, entry.entered_at)


def change(
    work: Work, *, kind: LetterKind, title: str, text: str, entry_id: UUID | None = None
) -> RegisterEntry:
    """Keep a new version; letters that are written already stay as they are. Raises Incomplete or SentBefore."""
    require_known(title, name="title")
    require_known(text, name="text")
    return registers.enter(
        work,
        register=Register.LETTER,
        letter=kind.value,
        from_on=london_date(work.now),
        body=f"{title.strip()}\n\n{text.strip()}",
        entry_id=entry_id,
    )


def require_known(text: str, *, name: str) -> None:
    """Raises Incomplete for something in braces that nothing fills in."""
    loose = next((found for found in _BLANK.findall(text) if found not in BLANKS), None)
    if loose is not None:
        raise Incomplete(f"Nothing is called {{{loose}}}. Use one of the names below", name=name)


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with what stands in braces filled in; what fills a whole paragraph and is empty takes it away."""
    done = _BLANK.sub(lambda found: values.get(found[1], found[0]), text)
    return re.sub(r"\n{3,}", "\n\n", done).strip()


def left(text: str) -> list[str]:
    """What still stands in braces, and has a name."""
    return [found for found in _BLANK.findall(text) if found in BLANKS]


def blocks(text: str) -> list[Block]:
    """The text of a letter as the blocks of a paper, which the page shows too."""
    found: list[Block] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        found += _blocks([line.strip() for line in part.splitlines() if line.strip()])
    return found


def _blocks(lines: Sequence[str]) -> Iterable[Block]:
    """One part of a text, which may begin with a heading and go on with a list."""
    gathered: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith("# "):
            yield from _gathered(gathered)
            gathered = []
            yield heading(line[2:].strip())
        elif gathered and line.startswith("- ") != gathered[0].startswith("- "):
            yield from _gathered(gathered)
            gathered = [lines[number]]
        else:
            gathered.append(line)
    yield from _gathered(gathered)


def _gathered(lines: Sequence[str]) -> Iterable[Block]:
    if lines and lines[0].startswith("- "):
        yield bullets([line[2:].strip() for line in lines])
    elif lines:
        yield paragraph("\n".join(lines))
