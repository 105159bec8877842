"""The demo's codebook: entered in the first weeks, and before each release what was written since is sorted by it."""

from datetime import date, timedelta

from portal.answers import theming
from portal.demo.agenda import Act, Agenda
from portal.demo.cast import Cast
from portal.models import Role
from portal.programme import Programme
from privacy.clock import wall
from privacy.work import Work
from surveys import themes
from surveys.models import Wave
from surveys.themes import Theme, Written

BOOK = (
    (
        Theme(
            code="data",
            label="Knowing what is going on",
            definition="Data, audits and visits that show how the service really is",
            include="Reading figures, asking for them, front-line visits",
            exclude="Figures given only as evidence of a change",
            example="I ask for the waits by area now, not only for the average.",
        ),
        ("data", "figures", "measures", "audits", "visit a front-line", "page"),
    ),
    (
        Theme(
            code="voices",
            label="Hearing children and families",
            definition="Children, young people, parents and carers are heard and get an answer",
            example="Two young people open every meeting of the board.",
        ),
        ("young people", "parents", "children in care had", "families in the room", "care leavers"),
    ),
    (
        Theme(
            code="together",
            label="Working together at the top",
            definition="Members, chief executives, directors and partners decide and act as one",
            include="Cabinet and officers, police, health, finance",
            example="The four of us meet each month without papers.",
        ),
        ("chief executive", "finance", "police", "directorate", "panel", "cabinet"),
    ),
    (
        Theme(
            code="challenge",
            label="Asking and following up",
            definition="Good questions, decisions that are followed up, meetings that decide",
            exclude="Questions asked of the programme",
            example="No recommendation is made before we know what became of the last.",
        ),
        ("questions", "recommendations", "meeting", "agenda", "minutes", "one subject"),
    ),
    (
        Theme(
            code="mentor",
            label="Somebody who has done it",
            definition="What a mentor, or a visit to another council, has made possible",
            example="My mentor had sat in my chair.",
        ),
        ("mentor", "another council", "other councils", "session", "workshop", "coaching"),
    ),
)
QUOTED_EVERY = 2
"""Of the texts that may be quoted, every second has a quote made of it."""


def enter_codebook(agenda: Agenda, cast: Cast, *, on: date) -> None:
    """One theme after another, on a day of the first weeks."""
    team = next(one for one in cast.staff if one.role is Role.TEAM)
    for minute, (theme, _) in enumerate(BOOK):
        agenda.at(wall(on, 14 * 60) + timedelta(minutes=minute), _putting(theme), by=team)


def _putting(theme: Theme) -> Act:
    def act(work: Work) -> None:
        themes.put(work, theme, seen=themes.book(work.db).number)

    return act


def sorting(programme: Programme) -> Act:
    """Sort what is unread of the questionnaires after support; feedback and other answers stay in the queue."""

    def act(work: Work) -> None:
        unread = [one for one in themes.texts(work.db) if one.given is None and one.wave is Wave.POST]
        # The demo's people share a few texts: each is quoted once.
        quotable = {one.text: one for one in unread if one.may_quote and one.question != "impact_part"}
        quoted = [(one.response_id, one.question) for one in list(quotable.values())[::QUOTED_EVERY]]
        for one in unread:
            theming.sort(
                work,
                programme,
                response_id=one.response_id,
                question=one.question,
                codes=_codes(one),
                quote=_quote(one) if (one.response_id, one.question) in quoted else None,
                seen="",
            )

    return act


def _codes(text: Written) -> list[str]:
    said = text.text.casefold()
    return [theme.code for theme, words in BOOK if any(word in said for word in words)]


def _quote(text: Written) -> str:
    """The first sentence."""
    return text.text.split(". ")[0].rstrip(".") + "."
