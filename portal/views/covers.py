"""Answers on pages that open before everything is proved: what was not typed in this browser is kept covered there.

Whoever reads the mailbox can then book and answer, and reads nothing (portal/access/levels.py). A covered question is
shown empty; left empty, it keeps the answer that it has.
"""

from collections.abc import Collection

from portal.access import typed
from portal.answers.questionnaires import Asked
from portal.views.context import session, the_actor
from privacy.work import Work
from surveys.questions import Answers, Posted, Question, Value
from surveys.responses import Stale
from surveys.routing import Stop
from surveys.sittings import Sitting, keys_on

COVERED = "covered"
"""What a mark says instead of a digest of answers, from which short answers could be guessed."""


def covered(asked: Asked, sitting: Sitting) -> frozenset[str]:
    """The keys of stored answers that may not be shown here and now."""
    actor = the_actor()
    if actor.reads or not sitting.answers:
        return frozenset()
    return typed.covered(
        session(),
        browser_session_id=actor.browser_session_id,
        asking=asked.asking,
        answers=sitting.answers,
    )


def uncovered(answers: Answers, hidden: Collection[str]) -> dict[str, Value | None]:
    """The answers without those that may not be shown."""
    return {key: value for key, value in answers.items() if key not in hidden}


def on_page(stop: Stop, hidden: Collection[str]) -> bool:
    """Whether a page has such an answer."""
    return any(key in hidden for key in keys_on(stop.questions))


def mark(sitting: Sitting, stop: Stop, hidden: Collection[str]) -> str:
    """The mark that the page's form carries."""
    real = sitting.mark(stop)
    return f"{real.partition('-')[0]}-{COVERED}" if on_page(stop, hidden) else real


def met(sitting: Sitting, stop: Stop, sent: str) -> str:
    """The mark that a form with a cover stands for, while nothing was saved since it was shown."""
    real = sitting.mark(stop)
    revision, _, rest = sent.partition("-")
    return real if rest == COVERED and revision == real.partition("-")[0] else sent


def filled(stop: Stop, sent: Posted, answers: Answers, hidden: Collection[str]) -> Posted:
    """What was sent, with the stored answer put in where a covered question was left empty."""
    whole = dict(sent)
    for question in stop.questions:
        left_empty = not any(text.strip() for name in _names(question) for text in sent.get(name, ()))
        if question.code in hidden and left_empty:
            whole |= _as_posted(question, answers)
    return whole


def note_typed(unit: Work, asked: Asked, sitting: Sitting, stop: Stop, sent: Posted) -> None:
    """Note what was typed here, for pages that show it again."""
    actor = the_actor()
    if actor.reads:
        return
    own = [
        one
        for one in stop.questions
        if any(text.strip() for name in _names(one) for text in sent.get(name, ()))
    ]
    typed.note(
        unit,
        browser_session_id=actor.browser_session_id,
        asking=asked.asking,
        keys=keys_on(own),
        answers=sitting.answers,
    )


def without_theirs(stale: Stale, hidden: Collection[str]) -> Stale:
    """A conflict that does not say what was saved elsewhere."""
    return Stale(stop=stale.stop, theirs=uncovered(stale.theirs, hidden), ours=stale.ours)


def _names(question: Question) -> list[str]:
    return [question.code, *question.companion_keys(), *_parts(question)]


def _parts(question: Question) -> list[str]:
    return [f"{question.code}.{part}" for part in ("day", "month", "year")] if question.kind == "date" else []


def _as_posted(question: Question, answers: Answers) -> dict[str, list[str]]:
    """An answer as a form sends it."""
    value = answers.get(question.code)
    posted = {key: [str(kept)] for key in question.companion_keys() if (kept := answers.get(key)) is not None}
    if question.kind == "date" and isinstance(value, str):
        year, month, day = value.split("-")
        return posted | dict(zip(_parts(question), ([day], [month], [year]), strict=True))
    if value is not None:
        posted[question.code] = list(value) if isinstance(value, list) else [str(value)]
    return posted
