"""What a block says of what its people wrote after their support: how many wrote of each theme, and what is quoted.

The table is about the same people as all others of the block, those who wrote nothing included. A quote stands under
a theme only where the number of that theme is shown: four quotes under a number that is kept back would give it away.
Pure.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from surveys import themes
from surveys.answer_tables import Sent
from surveys.disclosure import Cell, Kind, Protected, Rules, Table
from surveys.themes import Book, Written

CODE = "themes"
TITLE = "What they wrote about"


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A quote that its author lets be used now. The response stays here."""

    text: str
    response_id: UUID
    codes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Quoted:
    """A quote as it leaves the team. `role` is None where too few share it; `codes` are themes whose number is
    shown."""

    text: str
    role: str | None
    codes: tuple[str, ...]


def table(sent: Sequence[Sent], book: Book, *, whom: str) -> Table | None:
    """How many wrote of each theme of the book; None while nothing is sorted, or the book is empty."""
    texts = [one for one in _texts(sent) if one.given is not None]
    if not book.themes or not texts:
        return None
    people = themes.people_by_theme(texts)
    cells = [Cell(code=one.code, label=one.label, count=len(people.get(one.code, ()))) for one in book.themes]
    return Table(code=CODE, title=TITLE, base_words=whom, kind=Kind.SEVERAL, cells=cells, base=len(sent))


def unsorted(sent: Sequence[Sent]) -> int:
    """How many texts nobody has sorted: they would count for no theme, for good."""
    return sum(one.given is None for one in _texts(sent))


def quotes(
    sent: Sequence[Sent], allowed: Sequence[Allowed], shown: Protected | None, rules: Rules
) -> tuple[Quoted, ...]:
    """What may be quoted of these people, in the order of the words, which tells nothing of who wrote when."""
    sizes = Counter(one.after.row.audience for one in sent)
    large = {role for role, size in sizes.items() if size >= rules.smallest_base}
    roles = {one.after.row.id: one.after.row.audience for one in sent}
    numbered = {code for row in shown.rows if row.count for code in row.codes} if shown else set()
    return tuple(
        Quoted(
            text=one.text,
            role=roles[one.response_id] if roles[one.response_id] in large else None,
            codes=tuple(code for code in one.codes if code in numbered),
        )
        for one in sorted(allowed, key=lambda one: one.text)
        if one.response_id in roles
    )


def _texts(sent: Sequence[Sent]) -> Iterator[Written]:
    return (text for one in sent for text in themes.written(one.after))
