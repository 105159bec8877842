"""The tables of one block: what a group of respondents said before and after, protected for readers outside the team.

One menu for everybody, and no other cut: the change in confidence, the example of impact, confidence before and after
(held against each other), the direct question, and the change in each statement. Who gave no answer, or would rather
not say, has a category of their own in each, so that all tables of a block are about the same people. Pure.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from surveys.disclosure import Cell, Kind, Protected, Rules, Table, protect
from surveys.linked import Linked, State, let_out
from surveys.measures import ROLE_CONFIDENCE
from surveys.pairs import CHANGE
from surveys.questions import Question
from surveys.results import Read, Verdict

NONE = "none"
ACCEPTED = Verdict.ACCEPTED.value
CHANGES = {
    "higher": "Higher than before",
    "stayed_at_top": "Stayed at the top",
    "unchanged": "The same",
    "lower": "Lower than before",
    NONE: "No answer before or after",
}
IMPACTS = {
    ACCEPTED: "Example accepted",
    Verdict.PARTLY.value: "Example accepted in part",
    Verdict.NOT_YET.value: "Example not accepted yet",
    "waiting": "Example waits for a verdict",
    NONE: "No example",
}
NO_ANSWER = "No answer, or would rather not say"


@dataclass(frozen=True)
class Sent:
    """What one respondent sent: the post questionnaire, the baseline if there is one, the verdict on the example."""

    before: Read | None
    after: Read
    verdict: Verdict | None

    @property
    def matched(self) -> bool:
        """Confidence in the role is known before and after."""
        return _change(self, ROLE_CONFIDENCE, top=None) != NONE


def protected(sent: Sequence[Sent], *, whom: str, rules: Rules) -> list[tuple[Table, Protected]]:
    """All tables of the menu for these people, each with what may be shown of it; `whom` says who they are, such as
    "leaders who answered"."""
    newest = max(sent, key=lambda one: one.after.published.number).after.published.questionnaire
    questions = {measure: question for measure, _, question in newest.measured()}
    role = questions.pop(ROLE_CONFIDENCE)
    linked = linked_tables(sent, role, whom=whom)
    found = list(zip(linked.tables, let_out(linked, rules), strict=True))
    direct = next((question for question in newest.questions if question.code == CHANGE), None)
    tables = [_direct(sent, direct, whom=whom)] if direct is not None else []
    before = {
        name for one in sent if one.before for name, _, _ in one.before.published.questionnaire.measured()
    }
    tables += [
        _table(
            f"change:{measure}",
            question.text,
            CHANGES,
            [_change(one, measure, top=_top(question)) for one in sent],
            whom=whom,
        )
        for measure, question in questions.items()
        if measure in before
    ]
    return found + [(table, protect(table, rules)) for table in tables]


def linked_tables(sent: Sequence[Sent], role: Question, *, whom: str) -> Linked:
    """The four tables on confidence in the role and on impact, with the places where somebody can be."""
    points = dict(_points(role))
    labels = {code: option for code, (option, _) in points.items()} | {NONE: NO_ANSWER}
    scores = {code: score for code, (_, score) in points.items()}
    by_score = {score: code for code, score in scores.items()}
    top = _top(role)

    def point(read: Read | None) -> str:
        return by_score.get(read.score(ROLE_CONFIDENCE), NONE) if read else NONE  # type: ignore[arg-type]  # None too

    people: list[State] = [
        _state(point(one.before), point(one.after), _impact(one), scores=scores, top=top) for one in sent
    ]
    states = [
        _state(before, after, impact, scores=scores, top=top)
        for before in labels
        for after in labels
        for impact in IMPACTS
    ]
    known = sum(_both(state) for state in people)
    places = list(zip(*people, strict=True))
    role_words = "Confidence in the role"
    tables = [
        _table("change", f"{role_words}: change", CHANGES, places[0], whom=whom, known={"higher": known}),
        _table("impact", "Example of impact", IMPACTS, places[1], whom=whom, known={ACCEPTED: known}),
        _table("before", f"{role_words}: before support", labels, places[2], whom=whom, scores=scores),
        _table("after", f"{role_words}: after support", labels, places[3], whom=whom, scores=scores),
    ]
    exact = ["both" if _both(state) else "" for state in states]
    return Linked(tables=tables, people=people, states=states, exact=exact)


def _state(before: str, after: str, impact: str, *, scores: dict[str, float], top: float | None) -> State:
    return (change_of(scores.get(before), scores.get(after), top=top), impact, before, after)


def _both(state: State) -> bool:
    """Whether somebody counts in the KPI's numerator, which is shown whatever its size."""
    return state[0] == "higher" and state[1] == ACCEPTED


def change_of(before: float | None, after: float | None, *, top: float | None) -> str:
    """The group of CHANGES that two scores fall into."""
    if before is None or after is None:
        return NONE
    if after != before:
        return "higher" if after > before else "lower"
    return "stayed_at_top" if before == top else "unchanged"


def _change(one: Sent, measure: str, *, top: float | None) -> str:
    return change_of(one.before.score(measure) if one.before else None, one.after.score(measure), top=top)


def _impact(one: Sent) -> str:
    if not one.after.has_example:
        return NONE
    return one.verdict.value if one.verdict is not None else "waiting"


def _points(question: Question) -> Iterator[tuple[str, tuple[str, float]]]:
    """The places of a scale, lowest first: code, words and score."""
    scored = [option for option in question.listed() if option.score is not None]
    for option in sorted(scored, key=lambda option: option.score or 0):
        yield option.code, (option.label, option.score or 0)


def _top(question: Question) -> float | None:
    return max((option.score for option in question.listed() if option.score is not None), default=None)


def _direct(sent: Sequence[Sent], question: Question, *, whom: str) -> Table:
    words = {option.code: option.label for option in question.listed() if not option.apart}
    given = [str(one.after.answers.get(question.code)) for one in sent]
    codes = [code if code in words else NONE for code in given]
    return _table("direct", question.text, words | {NONE: NO_ANSWER}, codes, whom=whom)


def _table(
    code: str,
    title: str,
    words: Mapping[str, str],
    codes: Sequence[str],
    *,
    whom: str,
    known: Mapping[str, int] | None = None,
    scores: Mapping[str, float] | None = None,
) -> Table:
    counts = Counter(codes)
    cells = [
        Cell(
            code=one,
            label=label,
            count=counts[one],
            known=(known or {}).get(one, 0),
            score=(scores or {}).get(one),
        )
        for one, label in words.items()
    ]
    return Table(code=code, title=title, base_words=whom, kind=Kind.ORDERED, cells=cells, base=len(codes))
