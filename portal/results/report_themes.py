"""The part of a report on what people wrote: themes with how many wrote of each, and quotes that name nobody."""

from collections.abc import Mapping

from portal.models import Role, Strand
from portal.packages.strands import STRANDS
from portal.results import pictures
from portal.results.block_texts import CODEBOOK
from portal.results.drawing import Picture
from portal.results.periods import Kind
from portal.results.pictures import Step
from portal.results.releases import Content
from portal.results.report_answers import WHO, notes_of, rows_of
from portal.results.report_parts import Grid, Quotation, Section
from surveys import theme_tables
from surveys.protected import HIDDEN, Protected
from surveys.theme_tables import Quoted

SOMEBODY = {Strand.ONE_TO_ONE: "A leader", Strand.GROUP: "A member of a group"}
EXPLAINED = (
    "The programme team reads what people write in their own words and sorts it by themes. A person counts once for "
    "each theme, however often they write of it."
)


def themes(content: Content, roles: Mapping[Role, str]) -> Section:
    """What people wrote after their support; of an annual review, in its contract year."""
    year = content.period if content.kind is Kind.ANNUAL else None
    words, grids, quotes = [EXPLAINED], [], []
    for strand in Strand:
        quotes += quotations(content, strand, roles, year=year)
        table = content.table(strand, theme_tables.CODE, year)
        if table is None:
            words.append(f"{STRANDS[strand]}: no answers are sorted by themes yet.")
            continue
        if not table.rows:
            words.append(f"{STRANDS[strand]}: too few people wrote of each theme for numbers to be shown.")
        grids.append(_grid(content, strand, table))
    return Section(code="themes", title="What people wrote", words=words, grids=grids, quotes=quotes)


def quotations(
    content: Content, strand: Strand, roles: Mapping[Role, str], *, year: str | None = None
) -> list[Quotation]:
    """What is quoted of a strand, each with who says it and, where their numbers are shown, on which themes."""
    table = content.table(strand, theme_tables.CODE, year)
    labels = {code: row.label for row in table.rows if row.count for code in row.codes} if table else {}
    return [
        Quotation(one.text, _by(one, strand, roles, [labels[code] for code in one.codes if code in labels]))
        for one in content.quotes(strand, year)
    ]


def _by(quote: Quoted, strand: Strand, roles: Mapping[Role, str], on: list[str]) -> str:
    who = SOMEBODY[strand] if quote.role is None else roles[Role(quote.role)]
    return f"{who}, on: {'; '.join(on)}" if on else who


def _grid(content: Content, strand: Strand, table: Protected) -> Grid:
    blocks = [one for one in content.blocks if one.strand is strand and one.codebook]
    books = sorted({one.codebook for one in blocks})
    versions = " and ".join(str(number) for number in books)
    return Grid(
        caption=f"{STRANDS[strand]}. {table.title}",
        lead={
            "Support": STRANDS[strand],
            "People counted": HIDDEN if table.base is None else table.base,
            "Answers up to": max(one.to_on for one in blocks),
            "Codebook": versions,
        },
        head=["Theme", "People", "Share"],
        rows=rows_of(table),
        notes=[*notes_of(table), f"Sorted by the codebook, version {versions}.", *_meant(content, table)],
        picture=_picture(strand, table),
        silent=not table.rows,
    )


def _meant(content: Content, table: Protected) -> list[str]:
    """What the themes of a table are about, as the codebook of the release has it."""
    meant = dict(content.texts.get(CODEBOOK, {}).get("meant", ()))
    return [f"{row.label}: {meant[code]}" for row in table.rows for code in row.codes if meant.get(code)]


def _picture(strand: Strand, table: Protected) -> Picture | None:
    shown = sorted((row for row in table.rows if row.count), key=lambda row: row.count or 0, reverse=True)
    if not shown or table.base is None:
        return None
    most, share = shown[0], table.share(shown[0])
    percent = "" if share is None else f" ({pictures.percent(share)})"
    return pictures.distribution(
        finding=f"{most.count} of {table.base} {WHO[strand]}{percent} wrote about: {most.label}",
        what="how many people wrote of each theme",
        steps=[Step(row.label, HIDDEN if row.count is None else row.count) for row in table.rows],
        base=None if share is None else table.base,
    )
