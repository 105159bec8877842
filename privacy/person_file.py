"""The file that a person is given: JSON and CSV for machines, one page for people, all names of entries our own.

Whatever was typed is data here: escaped on the page, no formula in CSV, and never part of an entry's name.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from textwrap import indent
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from privacy.clock import day_words, london, time_words
from privacy.holdings import said
from privacy.person_data import DIGEST, Gathered, Row, Store, Value

TAKEN_FOR_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
STYLE = (
    "body{font:1.1rem/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#0b0c0c}"
    "table{border-collapse:collapse;width:100%;margin-bottom:1.5rem}tr{break-inside:avoid}h2,h3,caption{break-after:avoid}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem;"
    "border-bottom:1px solid #b1b4b6;overflow-wrap:anywhere;white-space:pre-line}"
    "th{width:30%;overflow-wrap:break-word}caption{text-align:left;font-weight:bold}"
    "@media(max-width:40rem){th{width:45%}}"
    "@page{margin:2cm}section{margin-top:2.5rem}.flag{border-left:.4rem solid #b10e1e;padding-left:1rem}"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+]00:00")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_REFERENCE = re.compile(
    r"(?:[a-z_]+:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:@[a-z0-9.-]+)?|[0-9a-f]{64}"
)
_CODE = re.compile(r"[a-z]+(?:_[a-z0-9]+)+")
_PORTAL = "system:"
EMPTY_VALUES: tuple[Value, ...] = (None, "", [], {})
EMPTY = "Nothing is held of this kind"
FILES = (
    "The folder “data” has the same for other software: two files of each kind. They also hold the numbers by which "
    "records are tied together, which are left out here."
)
SET_IN = "\N{NO-BREAK SPACE}" * 4
NO_SCRIPT = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class Cover:
    """What stands on the front: whose data, when, and how many of the stores answered. `about` is what Article
    15(1) asks for beside the data, as headings with lines; `called` is what people call a store."""

    reference: str
    made_at: datetime
    answered: int
    asked: int
    about: Mapping[str, Sequence[str]]
    called: Callable[[str], str] = said

    @property
    def says(self) -> str:
        return f"{self.answered} of {self.asked} stores answered"


def build(cover: Cover, gathered: Gathered) -> bytes:
    """The archive, whole: one person's data is never much."""
    out = io.BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, text in entries(cover, gathered):
            shown = london(cover.made_at)
            entry = ZipInfo(name, shown.timetuple()[:6])
            entry.compress_type = ZIP_DEFLATED
            archive.writestr(entry, text)
    return out.getvalue()


def entries(cover: Cover, gathered: Gathered) -> Iterator[tuple[str, str]]:
    """Each entry of the archive with its text."""
    yield "index.html", page(cover, gathered)
    yield "cover.json", _json(_cover(cover, gathered))
    for number, store in enumerate(gathered.stores, 1):
        # Tables are named by us, never by what somebody typed.
        name = f"data/{number:02d}-{store.name}"
        yield f"{name}.json", _json({"why": store.why, "rows": [dict(row.values) for row in store.rows]})
        yield f"{name}.csv", _csv(store)


def _cover(cover: Cover, gathered: Gathered) -> dict[str, object]:
    return {
        "person": cover.reference,
        "made_at": cover.made_at.isoformat(),
        "stores": cover.says,
        "held": {f"{store.name} ({store.why})": len(store.rows) for store in gathered.stores},
        "check_for_other_people": [vars(flag) for flag in gathered.flags],
        "about": {heading: list(lines) for heading, lines in cover.about.items()},
    }


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _csv(store: Store) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = list(dict.fromkeys(name for row in store.rows for name in row.values))
    out.write("\ufeff")
    writer.writerow(columns or [EMPTY])
    for row in store.rows:
        writer.writerow([_cell(row.values.get(name)) for name in columns])
    return out.getvalue()


def _cell(value: Value) -> str | int | float | None:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(TAKEN_FOR_FORMULAS):
        return f"'{value}"
    return value


# ---- the page for people


def page(cover: Cover, gathered: Gathered) -> str:
    """One page without script, readable by screen readers: headings in order, tables with captions and heads.

    It is for people (Article 12: intelligible). What ties records together, such as ids and digests, is in the files
    for machines alone; what nothing is held of stands in one list.
    """
    title = f"Data held about {cover.reference}"
    shown = london(cover.made_at)
    parts = [
        "<!doctype html>",
        f'<html lang="en-GB"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(NO_SCRIPT)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><main>",
        f"<h1>{escape(title)}</h1>",
        f"<p>Put together on {day_words(shown)}. {escape(cover.says)}. Times are London time.</p>",
        *_about(cover.about),
        *_flags(cover, gathered),
        "<h2>What is held</h2>",
        f"<p>{FILES}</p>",
    ]
    numbered = list(enumerate(gathered.stores, 1))
    for number, store in numbered:
        if store.rows:
            parts += _section(cover, number, store)
    parts += _empty(cover, [store for _, store in numbered if not store.rows])
    return "\n".join([*parts, "</main></body></html>", ""])


def _about(about: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for heading, lines in about.items():
        yield f"<h2>{escape(heading)}</h2><ul>"
        yield from (f"<li>{escape(_capital(line))}</li>" for line in lines)
        yield "</ul>"


def _flags(cover: Cover, gathered: Gathered) -> Iterator[str]:
    if not gathered.flags:
        return
    heads = {store.name: store.heads for store in gathered.stores}
    yield '<h2>Check before this is handed over</h2><p class="flag">These passages may name other people.</p><ul>'
    for flag in gathered.flags:
        where = f"{cover.called(flag.store)}, {flag.row}, {_head(heads[flag.store], flag.column)}"
        yield f"<li>{escape(f'{where}: {flag.word}')}</li>"
    yield "</ul>"


def _section(cover: Cover, number: int, store: Store) -> Iterator[str]:
    called = cover.called(store.name)
    yield f'<section aria-labelledby="s{number}"><h3 id="s{number}">{escape(called)}</h3>'
    yield f"<p>{escape(_capital(store.purpose))}. {escape(_capital(store.why))}. Kept {escape(store.keep)}.</p>"
    shown = [list(_pairs(row, store.heads)) for row in store.rows]
    alone = sum(not pairs for pairs in shown)
    if len(shown) > 1 and all(len(pairs) == 1 for pairs in shown):
        yield from table_of(f"{called}, {len(shown):,} in all", (pair for pairs in shown for pair in pairs))
    else:
        for place, pairs in enumerate(shown, 1):
            if pairs:
                yield from table_of(f"{called}, {place} of {len(shown)}", pairs)
    if alone:
        records = "1 record holds" if alone == 1 else f"{alone:,} records hold"
        yield f"<p>{records} nothing but such numbers.</p>"
    yield f"<p>For other software: {number:02d}-{escape(store.name)}.</p></section>"


def _empty(cover: Cover, stores: Sequence[Store]) -> Iterator[str]:
    if not stores:
        return
    yield "<h2>What nothing is held of</h2><ul>"
    yield from (
        f"<li>{escape(called)}</li>" for called in dict.fromkeys(cover.called(one.name) for one in stores)
    )
    yield "</ul>"


def table_of(caption: str, pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield f"<table><caption>{escape(caption)}</caption><tbody>"
    for name, text in pairs:
        yield f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>'
    yield "</tbody></table>"


def _pairs(row: Row, heads: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in row.values.items():
        # What stands below in words is not shown in codes; the files for machines have both.
        if value in EMPTY_VALUES or name in row.coded:
            continue
        if name in row.free:
            # What was typed is never changed; who judged it, and by which record, is no word of theirs. The codes
            # in a value that we put together are ours.
            yield _head(heads, name), as_read(_untied(value) if isinstance(value, str) else _worded(value))
        elif not _ties(value) and (text := as_read(_worded(value))):
            yield _head(heads, name), text
    yield from row.words


def _ties(value: Value) -> bool:
    """Whether a value of ours only ties records together: an id, or a digest."""
    return isinstance(value, str) and (value == DIGEST or _REFERENCE.fullmatch(value) is not None)


def _untied(value: Value) -> Value:
    """A value without the ids in it."""
    match value:
        case dict():
            return {name: _untied(one) for name, one in value.items() if not _ties(one)}
        case list():
            return [_untied(one) for one in value if not _ties(one)]
    return value


def _worded(value: Value) -> Value:
    """A value of ours in words: what somebody typed is never changed."""
    match _untied(value):
        case dict() as found:
            return {name: _worded(one) for name, one in found.items()}
        case list() as listed:
            return [_worded(one) for one in listed]
        case str() as text if text.startswith(_PORTAL):
            return "the portal"
        case str() as text if _CODE.fullmatch(text):
            return text.replace("_", " ")
    return value


def as_read(value: Value) -> str:
    """A value as people write it: days and times of day in London, lists line by line."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return "\n".join(_named(name, one) for name, one in value.items() if one not in EMPTY_VALUES)
    if isinstance(value, list):
        return "\n".join(map(_line, value))
    if isinstance(value, str) and (_MOMENT.fullmatch(value) or _DAY.fullmatch(value)):
        # What somebody typed can look like a day and be none.
        with suppress(ValueError):
            return day_words(date.fromisoformat(value)) if len(value) == len("2023-03-01") else _moment(value)
    return str(value)


def _named(name: str, value: Value) -> str:
    """A value inside another with its name: below it, and set in, where it has lines of its own."""
    text = as_read(value)
    if isinstance(value, dict | list) and "\n" in text:
        return f"{said(name)}:\n{indent(text, SET_IN)}"
    return f"{said(name)}: {text}"


def _line(value: Value) -> str:
    """A line of a list. A pair that begins with a word is a name with its value."""
    match value:
        case [str() as name, one]:
            return f"{name}: {as_read(one)}"
    return as_read(value)


def _moment(value: str) -> str:
    at = datetime.fromisoformat(value)
    return f"{day_words(london(at))}, {time_words(at)}"


def _head(heads: Mapping[str, str], name: str) -> str:
    return heads.get(name) or said(name)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
