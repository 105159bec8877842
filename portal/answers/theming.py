"""What people wrote, sorted by themes: the queue of what nobody has read, figures of people, and quotes.

Quotes name nobody: a text is quoted only where its author said so, without the council, and with the role only where
enough people of that role answered. Names that the product knows are looked for before a quote is kept.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.answers import places
from portal.answers.places import Place
from portal.cases import known_people
from portal.mentors import serving
from portal.models import Participation, Role, Strand
from portal.programme import Programme
from privacy.cases import marks
from privacy.cases.marks import Known, Own
from privacy.work import Work
from surveys import themes
from surveys.models import Response, ResponseState, Wave
from surveys.themes import Book, Theme, ThemesRefused, Written

PURPOSE = "themes"


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose text it is, before it is opened: the person, None once erased, and who gave the support."""

    response_id: UUID
    respondent_id: UUID
    question: str
    person_id: UUID | None
    given_by: frozenset[UUID]


@dataclass(frozen=True, kw_only=True)
class Item:
    """A text with the office and council it comes from; `given_by` and `person_id` say who must not read it."""

    written: Written
    place: Place

    @property
    def person_id(self) -> UUID | None:
        return self.place.person_id

    @property
    def given_by(self) -> frozenset[UUID]:
        return self.place.given_by


@dataclass(frozen=True, kw_only=True)
class ThemeCount:
    """How many people wrote of a theme, by strand: each once, in however many answers."""

    theme: Theme
    people: dict[Strand, int]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far the sorting is. `wrote`: people with a text that was sorted, by strand, the base of the counts.
    `left_out`: themes of earlier books that texts still have."""

    book: Book
    unread: Sequence[Item]
    sorted: int
    quotes: int
    wrote: dict[Strand, int]
    counts: Sequence[ThemeCount]
    left_out: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What may be quoted: the words, the kind of support, and the role where it is shared by enough."""

    text: str
    strand: Strand
    role: Role | None
    codes: tuple[str, ...]
    response_id: UUID
    question: str


def standing(db: DbSession) -> Standing:
    """Everything that was written and sent, counted; opens every text, names nobody."""
    found_in, book = places.of(db), themes.book(db)
    items = [
        Item(written=one, place=found_in[one.respondent_id])
        for one in themes.texts(db)
        if one.respondent_id in found_in
    ]
    done = [one for one in items if one.written.given is not None]
    by_theme = {
        strand: themes.people_by_theme(one.written for one in done if one.place.strand is strand)
        for strand in Strand
    }
    known, names = {theme.code for theme in book.themes}, themes.labels(db)
    left = {code for found in by_theme.values() for code in found} - known
    return Standing(
        book=book,
        unread=[one for one in items if one.written.given is None],
        sorted=len(done),
        quotes=sum(one.written.given is not None and one.written.given.quote is not None for one in done),
        wrote={strand: len({_who(one) for one in done if one.place.strand is strand}) for strand in Strand},
        counts=[
            ThemeCount(
                theme=theme,
                people={
                    strand: _people(by_theme[strand].get(theme.code, set()), found_in) for strand in Strand
                },
            )
            for theme in book.themes
        ],
        left_out=sorted(names.get(code, code) for code in left),
    )


def _who(item: Item) -> UUID:
    return item.place.person_id or item.written.respondent_id


def _people(respondents: set[UUID], found_in: dict[UUID, Place]) -> int:
    """People behind respondents: who had support twice counts once."""
    return len({found_in[one].person_id or one for one in respondents})


def next_unread(found: Standing, *, may_read: Callable[[Item], bool]) -> Item | None:
    """The text that has waited longest, of those that this reader may read."""
    return next((item for item in found.unread if may_read(item)), None)


def whose(db: DbSession, *, response_id: UUID, question: str) -> Whose | None:
    """Whose text it would be, unopened; None if no such questionnaire was sent."""
    part = db.scalars(
        select(Participation)
        .join(Response, Response.respondent_id == Participation.id)
        .where(
            Response.id == response_id,
            Response.wave.in_(themes.WAVES),
            Response.state == ResponseState.SUBMITTED,
        )
    ).one_or_none()
    if part is None:
        return None
    given_by = serving.givers(db, [part.package_id]).get(part.package_id, frozenset())
    return Whose(
        response_id=response_id,
        respondent_id=part.id,
        question=question,
        person_id=part.person_id,
        given_by=given_by,
    )


def item(db: DbSession, *, response_id: UUID, question: str) -> Item:
    """A text, opened. Raises NoSuchText."""
    written = themes.text(db, response_id=response_id, question=question)
    return Item(
        written=written,
        place=places.of(db, participation_id=written.respondent_id)[written.respondent_id],
    )


def sort(
    work: Work,
    programme: Programme,
    *,
    response_id: UUID,
    question: str,
    codes: Sequence[str],
    quote: str | None,
    seen: str,
) -> None:
    """Give a text its themes. Raises as `surveys.themes.sort`, and ThemesRefused for a quote with a name in it."""
    if quote:
        found = item(work.db, response_id=response_id, question=question)
        if named := names_in(work.db, programme, quote, found.place):
            raise ThemesRefused(
                f"This may name somebody: {', '.join(named)}. Put [brackets] in its place", field="quote"
            )
    themes.sort(work, response_id=response_id, question=question, codes=codes, quote=quote, seen=seen)


def names_in(db: DbSession, programme: Programme, text: str, place: Place) -> list[str]:
    """What in a text names a person, the council, an address or a number. A first name alone is looked for among
    those who have to do with its author."""
    people = known_people.everybody(db, programme, around=place.person_id)
    known = [*(Known(words, "") for words in place.council_words), *people]
    return [one.text for one in marks.propose([text], known, Own())]


def quotes(db: DbSession, programme: Programme) -> list[Quote]:
    """What may be quoted, newest first, from people who let it be."""
    found_in = places.of(db)
    written = [one for one in themes.texts(db) if one.respondent_id in found_in]
    sizes = _answered_by_role(written, found_in)
    enough = programme.disclosure.smallest_base
    quoted: list[Quote] = []
    for one in sorted(written, key=lambda one: one.submitted_at, reverse=True):
        if one.given is None or one.given.quote is None or not one.may_quote:
            continue
        place = found_in[one.respondent_id]
        quoted.append(
            Quote(
                text=one.given.quote,
                strand=place.strand,
                role=place.role if sizes[place.strand, place.role] >= enough else None,
                codes=one.given.codes,
                response_id=one.response_id,
                question=one.question,
            )
        )
    return quoted


def _answered_by_role(
    written: Sequence[Written], found_in: dict[UUID, Place]
) -> Counter[tuple[Strand, Role]]:
    """How many people of each role wrote after their support, by strand."""
    people = {
        (found_in[one.respondent_id].strand, found_in[one.respondent_id].role, one.respondent_id)
        for one in written
        if one.wave is Wave.POST
    }
    return Counter((strand, role) for strand, role, _ in people)
