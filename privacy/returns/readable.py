"""The front page inside a package, and what else people read there: no script, nothing from elsewhere.

Whatever was typed is escaped; names of files are our own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from privacy.clock import day_words, london
from privacy.person_file import NO_SCRIPT, STYLE
from privacy.returns.about import About
from privacy.returns.chapters import Chapter
from privacy.returns.table_files import LEDGER, Facts, part_name

INDEX = "data/readable/index.html"
_READ_ME = """\
{mark}Data returned under contract {contract}

Open data/readable/index.html in a browser: it lists everything that is here.

data/readable/     pages to read
data/tables/       every table: CSV for spreadsheets, JSON lines as the faithful copy, and what its columns are
data/files/        files that people were given, or that belong to cases, under the digests that the tables name
data/registers/    instructions, sub-processors, risks, requests and incidents
data/audit/        the heads of the audit trail, and the program that checks the trail

In this folder, the first line checks that every file is as it was written; the second checks the audit trail, with a
head from the mails that were sent each day.

    sha256sum -c manifest-sha256.txt
    python3 data/audit/verify.py . --head NUMBER:DIGEST

This is personal data in clear. Keep it where only those who need it can open it.
"""
_MARK = ".mark{background:#b10e1e;color:#fff;padding:.5rem 1rem;font-weight:bold}"
_WIDE = (
    "body{max-width:76rem}main{overflow-x:auto}table.list th{width:auto}"
    "table.list th,table.list td{overflow-wrap:break-word}"
    "table.list th.reference{white-space:nowrap}table.list td.number{text-align:right;white-space:nowrap}"
)


@dataclass(frozen=True)
class Exclusion:
    """What is not in the package, and why: of a table, of a column, or of values."""

    what: str
    count: int
    why: str


def page(title: str, body: Iterable[str], *, rehearsal: bool) -> Iterator[str]:
    """A whole page, line by line; `body` is HTML already."""
    yield "<!doctype html>\n"
    yield f'<html lang="en-GB"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(NO_SCRIPT)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<style>{STYLE}{_MARK}{_WIDE}</style></head><body><main>\n"
    if rehearsal:
        yield '<p class="mark">REHEARSAL: made-up data, made to try this out</p>\n'
    yield f"<h1>{escape(title)}</h1>\n"
    for line in body:
        yield f"{line}\n"
    yield "</main></body></html>\n"


def index(
    about: About,
    tables: Sequence[tuple[Facts, str]],
    chapters: Sequence[Chapter],
    exclusions: Sequence[Exclusion],
) -> str:
    """The front page. Each table comes with what it is for."""
    made = london(about.made_at)
    body = [
        f"<p>Returned by {escape(about.processor)} to the {escape(about.controller)}.",
        f"Put together on {day_words(made)}. {escape(_scope(about))}</p>",
        "<h2>To read</h2><ul>",
        *(f'<li><a href="{_link(one.path)}">{escape(one.title)}</a></li>' for one in chapters),
        '<li><a href="../reconcile.csv">How many rows there were, how many are here, and what was left out</a></li>',
        '<li><a href="../escapes.csv">Cells in which an apostrophe stands before what a spreadsheet would take',
        "for a formula</a></li></ul>",
        "<h2>Every table</h2>",
        "<p>The CSV files open in a spreadsheet. The JSON lines are the faithful copy: one line for each row,",
        "with nothing changed. All times in both are UTC. A spreadsheet may take a number such as 0044 for 44,",
        "and rounds numbers of more than 15 digits: look such numbers up in the JSON lines.</p>",
        *_tables(tables),
        *_left_out(exclusions),
    ]
    return "".join(page(f"Data returned under contract {about.contract}", body, rehearsal=about.rehearsal))


def read_me(about: About) -> str:
    """What lies at the top of the folder, for whoever finds it opened."""
    mark = "REHEARSAL: made-up data, made to try this out.\n\n" if about.rehearsal else ""
    return _READ_ME.format(mark=mark, contract=about.contract)


def _scope(about: About) -> str:
    return "It holds everything." if about.scope == "all" else "It holds a part: one council or one person."


def _tables(tables: Sequence[tuple[Facts, str]]) -> Iterator[str]:
    yield '<table class="list"><caption>Tables, what they are for, and their files</caption><thead><tr>'
    yield from (f'<th scope="col">{name}</th>' for name in ("Table", "What it is for", "Rows", "Files"))
    yield "</tr></thead><tbody>"
    for facts, purpose in tables:
        files = [
            f'<a href="{_link(part_name(facts.name, part, end))}">{end.upper()}{f" {part}" if part > 1 else ""}</a>'
            for part in range(1, facts.parts + 1)
            for end in ("csv", "jsonl")
        ]
        if facts.name != LEDGER:
            files.append(f'<a href="{_link(part_name(facts.name, 1, "schema.json"))}">Columns</a>')
        yield (
            f'<tr><th scope="row">{escape(facts.name)}</th><td>{escape(purpose)}</td>'
            f'<td class="number">{facts.rows:,}</td><td>{" ".join(files)}</td></tr>'
        )
    yield "</tbody></table>"


def _left_out(exclusions: Sequence[Exclusion]) -> Iterator[str]:
    yield "<h2>What was left out</h2>"
    if not exclusions:
        yield "<p>Nothing.</p>"
        return
    yield "<ul>"
    for one in exclusions:
        yield f"<li>{escape(one.what)} ({one.count:,}): {escape(one.why)}</li>"
    yield "</ul>"


def _link(path: str) -> str:
    """From the front page to a file of the bag."""
    return escape(f"../{path.removeprefix('data/')}")
