"""Themes: what people wrote in their own words, sorted by codes of a codebook; figures count people, never mentions.

A codebook is a numbered version and never changes; a change makes the next number, so a figure can name the book
it was made with. What a text was given lies sealed with its answers, in the response's judgement:
`{themes: {question: {codes, book, by, at, quote?}}}`. A text that was corrected is unread again.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from privacy.audit import Action
from privacy.records import new_id
from privacy.work import Work
from surveys import results
from surveys.kinds import Text
from surveys.models import Codebook, Response, Wave
from surveys.results import Read

WAVES = (Wave.BASELINE, Wave.INTERIM, Wave.POST, Wave.FEEDBACK)
"""A self-assessment is one's own and is read by nobody."""

MANY = 40
_GAP = re.compile(r"\[[^\[\]]*\]|…|\.\.\.")
_SPACE = re.compile(r"\s+")


class ThemesRefused(Exception):
    """What was asked for cannot be; the message is for people, `field` the input that it belongs to."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class ChangedMeanwhile(ThemesRefused):
    """Somebody else has changed the codebook, or sorted the text, since the page was shown. Nothing was changed."""


class NoSuchText(LookupError):
    """There is no such text: it was withdrawn, corrected or erased, or never there."""


# ---- the codebook


@dataclass(frozen=True, kw_only=True)
class Theme:
    """A code with what it is for: what belongs to it, what doesn't, and an example in nobody's words."""

    code: str
    label: str
    definition: str
    include: str = ""
    exclude: str = ""
    example: str = ""


@dataclass(frozen=True)
class Book:
    """A version of the codebook; number 0 is the one before anything was entered."""

    number: int
    themes: Sequence[Theme]

    def theme(self, code: str) -> Theme | None:
        return next((theme for theme in self.themes if theme.code == code), None)


def book(db: Session, number: int | None = None) -> Book:
    """A version of the codebook, by default the newest. Raises LookupError for a number that there is not."""
    asked = select(Codebook).order_by(Codebook.number.desc()).limit(1)
    row = db.scalars(asked if number is None else asked.where(Codebook.number == number)).first()
    if row is None:
        if number:
            raise LookupError(f"no codebook {number}")
        return Book(0, ())
    return Book(row.number, tuple(Theme(**one) for one in json.loads(row.body or "[]")))


def put(work: Work, theme: Theme, *, seen: int | None) -> Book:
    """Add a theme, or change the one with its code; the label must be its own. Raises ThemesRefused."""
    now = _locked_book(work, seen)
    others = [one for one in now.themes if one.code != theme.code]
    if any(one.label.casefold() == theme.label.casefold() for one in others):
        raise ThemesRefused("There is a theme with this name. Choose another", field="label")
    if len(others) == MANY:
        raise ThemesRefused(f"A codebook has at most {MANY} themes. Take one out first", field="label")
    known = now.theme(theme.code)
    themes = [theme if one is known else one for one in now.themes] if known else [*now.themes, theme]
    return now if known == theme else _publish(work, now, themes)


def take_out(work: Work, code: str, *, seen: int | None) -> Book:
    """Take a theme out; texts keep it, and figures of earlier books with it. Raises ThemesRefused."""
    now = _locked_book(work, seen)
    if now.theme(code) is None:
        raise ThemesRefused("This theme is not in the codebook any more")
    return _publish(work, now, [one for one in now.themes if one.code != code])


def new_code() -> str:
    """A code for a new theme. It says nothing, since it stands in addresses."""
    return new_id().hex[:8]


def labels(db: Session) -> dict[str, str]:
    """The last name of every theme there ever was, by its code: texts keep themes that were taken out."""
    found: dict[str, str] = {}
    for row in db.scalars(select(Codebook).order_by(Codebook.number)):
        found |= {one["code"]: one["label"] for one in json.loads(row.body or "[]")}
    return found


def _locked_book(work: Work, seen: int | None) -> Book:
    work.wait_turn("codebook")
    now = book(work.db)
    if now.number != seen:
        raise ChangedMeanwhile("Somebody else has changed the codebook. Look at it, then change yours again")
    return now


def _publish(work: Work, now: Book, themes: Sequence[Theme]) -> Book:
    made = Codebook(id=new_id(), number=now.number + 1, made_at=work.now, by=work.actor)
    made.body = json.dumps([asdict(theme) for theme in themes], ensure_ascii=False)
    work.db.add(made)
    work.record(Action.CODEBOOK_CHANGED, object=f"codebook:{made.id}", number=made.number)
    return Book(made.number, tuple(themes))


# ---- texts and what they were given


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """What a text was given: codes of a book, none if nothing of it fits; a quote if one was made of it."""

    codes: tuple[str, ...]
    book: int
    by: str
    at: datetime
    quote: str | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """A text somebody wrote: which question it answers, and whether they said that it may be quoted without a name."""

    response_id: UUID
    respondent_id: UUID
    ref: str
    wave: Wave
    question: str
    asked: str
    text: str
    may_quote: bool
    submitted_at: datetime
    given: Sorted | None


def texts(db: Session) -> list[Written]:
    """Every text that was sent, oldest first: one query, and one for each 2,000 keys."""
    return [text for read in results.read(db, waves=WAVES) for text in written(read)]


def text(db: Session, *, response_id: UUID, question: str) -> Written:
    """One text. Raises NoSuchText."""
    read = results.read_one(db, response_id=response_id)
    if read is not None and read.row.wave in WAVES:
        for one in written(read):
            if one.question == question:
                return one
    raise NoSuchText(question)


def written(read: Read) -> Iterator[Written]:
    """The texts of one response."""
    for code, (_, question) in read.published.questionnaire.placed.items():
        said = read.answers.get(code)
        if isinstance(question, Text) and isinstance(said, str) and code in read.asked:
            yield Written(
                response_id=read.row.id,
                respondent_id=read.row.respondent_id,
                ref=read.row.ref,
                wave=read.row.wave,
                question=code,
                asked=question.text,
                text=said,
                may_quote=read.answers.get(f"{code}.quote") == "yes",
                submitted_at=read.row.submitted_at,
                given=_given(read.themes.get(code)),
            )


def _given(stored: Mapping[str, Any] | None) -> Sorted | None:
    if stored is None:
        return None
    return Sorted(
        codes=tuple(stored["codes"]),
        book=stored["book"],
        by=stored["by"],
        at=datetime.fromisoformat(stored["at"]),
        quote=stored.get("quote"),
    )


def sort(
    work: Work,
    *,
    response_id: UUID,
    question: str,
    codes: Iterable[str],
    quote: str | None = None,
    seen: str = "",
) -> None:
    """Give a text its themes, and make a quote of it where its author lets it be quoted.

    `seen` is `stamp` of what the page showed. The names in a quote are for the caller to look for. Raises
    NoSuchText, ChangedMeanwhile, ThemesRefused.
    """
    response = work.db.get(Response, response_id, with_for_update=True, populate_existing=True)
    found = text(work.db, response_id=response_id, question=question)
    if response is None:
        raise NoSuchText(question)
    now, chosen = book(work.db), tuple(dict.fromkeys(codes))
    known = {theme.code for theme in now.themes} | set(found.given.codes if found.given else ())
    if not set(chosen) <= known:
        raise ChangedMeanwhile("A theme that you chose was taken out. Choose again", field="codes")
    words = _SPACE.sub(" ", quote or "").strip() or None
    _check_quote(found, words)
    if found.given is not None and (found.given.codes, found.given.quote) == (chosen, words):
        return
    if stamp(found) != seen:
        raise ChangedMeanwhile("Somebody else has just sorted this answer. Look at it, then decide again")
    fresh = {"codes": list(chosen), "book": now.number, "by": work.actor, "at": work.now.isoformat()}
    judgement = dict(response.judgement or {})
    given = {**judgement.get("themes", {}), question: fresh | ({"quote": words} if words else {})}
    response.judgement = {**judgement, "themes": given}
    work.record(Action.THEMES_GIVEN, object=f"response:{response_id}", holder=response.respondent_id)


def stamp(found: Written) -> str:
    """Marks the state of a text, so that two who sort it at once notice each other."""
    return found.given.at.isoformat() if found.given else ""


def _check_quote(found: Written, quote: str | None) -> None:
    if quote is None:
        return
    if not found.may_quote:
        raise ThemesRefused("They did not say that this may be quoted", field="quote")
    if not is_taken_from(quote, found.text):
        raise ThemesRefused(
            "A quote is what they wrote. Leave words out with …, and put what stands for a name in [brackets]",
            field="quote",
        )


def is_taken_from(quote: str, text: str) -> bool:
    """Whether a quote is made of a text's own words in their order, but for what stands in [brackets] and for gaps."""
    rest, place = _SPACE.sub(" ", text), 0
    pieces = [piece.strip() for piece in _GAP.split(_SPACE.sub(" ", quote)) if piece.strip()]
    for piece in pieces:
        at = rest.find(piece, place)
        if at < 0:
            return False
        place = at + len(piece)
    return bool(pieces)


def people_by_theme(found: Iterable[Written]) -> dict[str, set[UUID]]:
    """Who wrote of each theme: respondents, each once however often they mention it."""
    people: dict[str, set[UUID]] = {}
    for one in found:
        for code in one.given.codes if one.given else ():
            people.setdefault(code, set()).add(one.respondent_id)
    return people
