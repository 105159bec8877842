"""The part of a report on what people said: grids and pictures of protected tables, and of nothing behind them."""

from collections.abc import Iterator, Sequence
from datetime import date

from portal.filters import day
from portal.models import Strand
from portal.packages.strands import STRANDS, WHOM
from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.periods import Kind
from portal.results.pictures import Step, Twice, percent
from portal.results.releases import Content
from portal.results.report_parts import UNRELIABLE, Grid, Section, Share, Value
from surveys import theme_tables
from surveys.protected import HIDDEN, Protected
from surveys.results import Verdict

WHO = {strand: f"{whom} who answered" for strand, whom in WHOM.items()}
FINDINGS = {
    "change": ("higher", "are more confident in their role than before"),
    "impact": (Verdict.ACCEPTED.value, "gave an example of impact that was accepted"),
}
"""What two of the tables say: the category that tells it, and the words."""
PICTURED = ("change", "impact", "direct")


def answers(content: Content) -> Section:
    """What people said before and after, for each strand; of an annual review, in its contract year."""
    year = content.period if content.kind is Kind.ANNUAL else None
    words: list[str] = []
    grids: list[Grid] = []
    for strand in Strand:
        tables = [one for one in content.tables(strand, year) if one.code != theme_tables.CODE]
        last = content.last_block(strand)
        if not tables or last is None:
            words.append(
                f"{STRANDS[strand]}: no answers are shown yet. They are shown once "
                f"{content.rules['new_pairs']} people can be compared."
            )
            continue
        words.append(
            f"{STRANDS[strand]}: answers of people whose last questionnaire closed by {day(last.to_on)}."
            + ("" if last.released_as_of == content.as_of else " Too few have come in since to show them.")
        )
        grids += _grids(strand, tables, up_to=last.to_on)
        hidden = [table.title for table in tables if not table.rows]
        if len(hidden) == len(tables):
            words.append("None of their answers is shown: too few people gave each, or all gave the same.")
        elif hidden:
            words.append(f"Too few people answered these, or all gave the same answer: {'; '.join(hidden)}.")
    return Section(code="answers", title="What people said", words=words, grids=grids)


def _grids(strand: Strand, tables: Sequence[Protected], *, up_to: date) -> Iterator[Grid]:
    before = next((one for one in tables if one.code == "before"), None)
    for table in tables:
        picture = None
        if table.code in PICTURED:
            picture = _distribution(strand, table)
        elif table.code == "after" and before is not None:
            picture = _side_by_side(strand, before, table)
        yield Grid(
            caption=f"{STRANDS[strand]}. {table.title}",
            lead={
                "Support": STRANDS[strand],
                "Question": table.title,
                "People counted": HIDDEN if table.base is None else table.base,
                "Answers up to": up_to,
            },
            head=["Answer", "People", "Share"],
            rows=rows_of(table),
            notes=notes_of(table),
            picture=picture,
            silent=not table.rows,
        )


def rows_of(table: Protected) -> list[list[Value]]:
    """The rows of a protected table: what, how many, which share of all."""
    if not table.rows:
        return [["All answers", HIDDEN, HIDDEN]]
    found: list[list[Value]] = []
    for row in table.rows:
        share = table.share(row)
        shown: Value = Share(share) if share is not None else HIDDEN if row.count is None else UNRELIABLE
        found.append([row.label, HIDDEN if row.count is None else row.count, shown])
    return found


def notes_of(table: Protected) -> list[str]:
    """Whom a protected table counts, and what of it is not shown."""
    counted = [] if table.base is None else [f"Counted: {table.base} {table.base_words}."]
    return [*counted, *([table.why] if table.why else []), *table.notes]


def _distribution(strand: Strand, table: Protected) -> Picture | None:
    """A bar for each row; None where nothing of the table is shown."""
    if not table.rows:
        return None
    shares = table.base is not None and table.base >= table.shares_from
    return pictures.distribution(
        finding=_finding(strand, table),
        what=table.title,
        steps=[Step(row.label, HIDDEN if row.count is None else row.count) for row in table.rows],
        base=table.base if shares else None,
    )


def _side_by_side(strand: Strand, before: Protected, after: Protected) -> Picture | None:
    """Two bars for each answer; None where the two tables do not show the same ones."""
    if not before.rows or [row.codes for row in before.rows] != [row.codes for row in after.rows]:
        return None
    kinds = [
        Twice(
            then.label,
            HIDDEN if then.count is None else then.count,
            HIDDEN if now.count is None else now.count,
        )
        for then, now in zip(before.rows, after.rows, strict=True)
    ]
    middles = (before.middle(), after.middle())
    if middles[0] is None or middles[1] is None:
        told = f"{STRANDS[strand]}: confidence in the role before and after support"
    else:
        told = (
            f"{STRANDS[strand]}: in the middle of all {WHO[strand]} stood “{middles[0].label}” before support "
            f"and “{middles[1].label}” after"
        )
    return pictures.side_by_side(finding=told, what="confidence in the role", kinds=kinds)


def _finding(strand: Strand, table: Protected) -> str:
    if table.code in FINDINGS:
        code, words = FINDINGS[table.code]
        row = table.row(code)
        if row is not None and row.count is not None and table.base is not None:
            return f"{row.count} of {table.base} {WHO[strand]}{_percent(table.share(row))} {words}"
    most = max((row.count or 0 for row in table.rows), default=0)
    first = [row for row in table.rows if row.count == most]
    if table.base is None or len(first) != 1 or not most:
        return f"{STRANDS[strand]}. {table.title}"
    share = _percent(table.share(first[0]))
    return f"{STRANDS[strand]}. {table.title} Most often: {first[0].label}, {most} of {table.base}{share}"


def _percent(share: float | None) -> str:
    return "" if share is None else f" ({percent(share)})"
