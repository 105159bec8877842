"""What people wrote, on its way into a release: themes with their numbers, and quotes that may be used that day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session as DbSession

from portal.answers import theming
from portal.models import Strand
from portal.programme import Programme
from portal.results.releases import Block
from surveys import theme_tables, themes
from surveys.answer_tables import Sent
from surveys.disclosure import Protected, Rules, Table, protect
from surveys.theme_tables import Allowed, Quoted
from surveys.themes import Book

CODEBOOK = "codebook"


@dataclass(frozen=True, kw_only=True)
class Wrote:
    """What the people of a block wrote: no table or one, each as it is and as it is shown."""

    tables: Sequence[tuple[Table, Protected]]
    codebook: int
    quotes: tuple[Quoted, ...]
    unsorted: int


@dataclass(frozen=True, kw_only=True)
class Texts:
    """The codebook, and the quotes that their authors let be used, as they are now."""

    book: Book
    allowed: Mapping[Strand, Sequence[Allowed]]
    rules: Rules

    def of(self, sent: Sequence[Sent], *, strand: Strand, whom: str) -> Wrote:
        table = theme_tables.table(sent, self.book, whom=whom)
        tables = [] if table is None else [(table, protect(table, self.rules))]
        shown = tables[0][1] if tables else None
        return Wrote(
            tables=tables,
            codebook=self.book.number if tables else 0,
            quotes=theme_tables.quotes(sent, self.allowed[strand], shown, self.rules),
            unsorted=theme_tables.unsorted(sent),
        )

    def still_allowed(self, block: Block) -> Block:
        """A block that was released, without the quotes that were taken back or erased since."""
        now = {one.text for one in self.allowed[block.strand]}
        return replace(block, quotes=tuple(one for one in block.quotes if one.text in now))

    def in_report(self) -> dict[str, Any]:
        """The codebook as a release keeps it: its number, and what each theme is about."""
        meant = [[one.code, one.definition] for one in self.book.themes]
        return {CODEBOOK: {"number": self.book.number, "meant": meant}}


def now(db: DbSession, programme: Programme) -> Texts:
    """As it stands now; opens every text that was sent."""
    quotes = theming.quotes(db, programme)
    return Texts(
        book=themes.book(db),
        allowed={
            strand: [
                Allowed(text=one.text, response_id=one.response_id, codes=one.codes)
                for one in quotes
                if one.strand is strand
            ]
            for strand in Strand
        },
        rules=programme.disclosure,
    )
