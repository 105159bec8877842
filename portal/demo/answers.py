"""Answers for the demo, made along the way through the published questionnaire, so that they are whole."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from portal.demo import words
from portal.demo.words import Story
from portal.models import Role
from surveys.measures import ROLE_CONFIDENCE
from surveys.questionnaires import Questionnaire
from surveys.questions import Question, Value
from surveys.results import Verdict
from surveys.routing import path

Filled = dict[str, Value | None]
TOP = 5


class Outcome(StrEnum):
    """How the post questionnaire comes out. STEADY: an accepted example, but no rise in confidence."""

    ACCEPTED = "accepted"
    PARTLY = "partly"
    NOT_YET = "not_yet"
    WAITING = "waiting"
    STEADY = "steady"
    NO_EXAMPLE = "no_example"
    SILENT = "silent"

    @property
    def verdict(self) -> Verdict | None:
        """What the team says of the example; None where there is nothing to say yet."""
        if self is Outcome.STEADY:
            return Verdict.ACCEPTED
        return Verdict(self.value) if self.value in list(Verdict) else None

    @property
    def rises(self) -> bool:
        return self not in (Outcome.STEADY, Outcome.NO_EXAMPLE, Outcome.SILENT)


@dataclass
class Voice:
    """Somebody's way of answering; `before` keeps their baseline scores for the comparison."""

    rng: Random
    role: Role
    before: dict[str, int] = field(default_factory=dict)

    def baseline(self, questionnaire: Questionnaire) -> Filled:
        """A baseline: most feel slightly or fairly confident."""
        for measure, _, _ in questionnaire.measured():
            self.before[measure] = self.rng.choices((1, 2, 3, 4), (2, 5, 5, 1))[0]
        # Somebody who begins at the top cannot rise.
        self.before[ROLE_CONFIDENCE] = self.rng.choice((2, 2, 3))
        free: Filled = {
            "time_in_role": self.rng.choice(
                ("under_6_months", "under_1_year", "under_3_years", "over_3_years")
            ),
            "most_wanted": self._maybe(words.WANTED, 0.8),
            "hardest_now": self._maybe(words.HARDEST, 0.6),
        }
        return self._walk(questionnaire, self.before, free)

    def post(self, questionnaire: Questionnaire, outcome: Outcome, *, story: Story, month: str) -> Filled:
        """A post questionnaire with that outcome; `month` is when the change of the example came."""
        rise = self.rng.choice((1, 1, 2)) if outcome.rises else 0
        scores = {
            measure: min(TOP, score + self.rng.choice((0, 1, 1, 2) if outcome.rises else (0, 0, 1)))
            for measure, score in self.before.items()
        }
        scores[ROLE_CONFIDENCE] = self.before[ROLE_CONFIDENCE] + rise
        scores["role_confidence_then"] = max(1, self.before[ROLE_CONFIDENCE] - self.rng.choice((0, 0, 1)))
        free: Filled = {
            "confidence_change": ("same", "little_more", "much_more")[rise],
            "impact_have": "no" if outcome is Outcome.NO_EXAMPLE else "yes",
            "impact_hindered": self.rng.choice(words.NO_EXAMPLE),
            "most_useful": self._maybe(words.USEFUL, 0.8),
            "impact_changed": story.changed,
            "impact_for": list(story.better_for),
            "impact_when": story.when.format(month=month),
            "impact_evidence": list(story.evidence),
            "impact_part": story.part,
        }
        return self._walk(questionnaire, scores, free)

    def feedback(self, questionnaire: Questionnaire) -> Filled:
        """Feedback on a session: mostly good."""
        scores = {
            "session_useful": self.rng.choice((2, 3, 4, 4)),
            "session_fitted": self.rng.choice((3, 3, 4)),
        }
        free: Filled = {
            "session_use": self.rng.choice(("yes", "yes", "yes", "unsure", "no")),
            "session_next": self._maybe(words.NEXT, 0.8),
            "session_better": self._maybe(words.BETTER, 0.4),
        }
        return self._walk(questionnaire, scores, free)

    def interim(self, questionnaire: Questionnaire) -> Filled:
        """While support runs: as before, or a little more confident."""
        scores = {
            measure: min(TOP, score + self.rng.choice((0, 0, 1))) for measure, score in self.before.items()
        }
        free: Filled = {
            "support_helping": self.rng.choice(("yes", "yes", "partly")),
            "support_change": self._maybe(words.BETTER, 0.4),
        }
        return self._walk(questionnaire, scores, free)

    def scrutiny(self, questionnaire: Questionnaire, *, turn: int) -> Filled:
        """A self-assessment of scrutiny, a little stronger with each turn from 0."""
        scores = {
            measure: min(4, self.rng.choice((1, 2, 2)) + turn) for measure, _, _ in questionnaire.measured()
        }
        free: Filled = {
            "made_a_change": "yes" if turn else "no",
            "change_named": words.STRONGER,
            "first_step": self._maybe(words.NEXT, 0.8),
        }
        return self._walk(questionnaire, scores, free)

    def _maybe(self, sayings: tuple[str, ...], share: float) -> str | None:
        return self.rng.choice(sayings) if self.rng.random() < share else None

    def _walk(self, questionnaire: Questionnaire, scores: dict[str, int], free: Filled) -> Filled:
        def say(question: Question) -> Value | None:
            if question.measure is None:
                return free[question.code]
            wanted = scores[question.measure]
            return next(option.code for option in question.listed() if option.score == wanted)

        return walk(questionnaire, role=self.role, say=say, may_quote=lambda: self.rng.random() < 0.5)


def walk(
    questionnaire: Questionnaire,
    *,
    role: Role,
    say: Callable[[Question], Value | None],
    may_quote: Callable[[], bool],
) -> Filled:
    """Answer question after question, as long as the path shows one that has no answer yet."""
    answers: Filled = {}
    while True:
        fresh = [
            question
            for stop in path(questionnaire, answers, role=role).pages
            for question in stop.questions
            if question.asks and question.code not in answers
        ]
        if not fresh:
            return answers
        for question in fresh:
            value = answers[question.code] = say(question)
            if isinstance(value, list):
                # Several choices are stored in the order in which they are listed.
                answers[question.code] = [option.code for option in question.listed() if option.code in value]
            for key in question.companion_keys():
                quoted = key.endswith(".quote") and value is not None and may_quote()
                answers[key] = "yes" if quoted else None
