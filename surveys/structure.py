"""What a questionnaire is made of: sections of pages of questions, all of it frozen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from surveys.conditions import Condition
from surveys.questions import Question

ROLES = (
    "lead_member",
    "council_leader",
    "scrutiny_chair",
    "committee_member",
    "chief_executive",
    "corporate_leader",
)
WAVES = ("baseline", "interim", "post", "feedback")
PLACES = frozenset({"role", "council", "session"})
"""The placeholders that a text may hold, in braces; who asks knows what to fill in."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """Questions answered and saved together. Its intro says what they have in common."""

    code: str
    title: str
    questions: tuple[Question, ...]
    intro: str = ""
    show_if: Condition | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    code: str
    title: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, kw_only=True)
class Questionnaire:
    """`waves` is empty for a self-assessment tool; an empty `audience` is every role."""

    code: str
    title: str
    sections: tuple[Section, ...]
    waves: tuple[str, ...] = ()
    audience: frozenset[str] = frozenset()

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        return tuple(page for section in self.sections for page in section.pages)

    @cached_property
    def placed(self) -> Mapping[str, tuple[Page, Question]]:
        """Each question with its page, by the question's code, in the order they are asked."""
        return {question.code: (page, question) for page in self.pages for question in page.questions}

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for page in self.pages for question in page.questions)

    def measured(self) -> Iterator[tuple[str, Page, Question]]:
        """Each measure with the one question that carries it."""
        for page, question in self.placed.values():
            if question.measure:
                yield question.measure, page, question

    def asks(self, role: str | None) -> bool:
        """Whether it is for somebody in this role."""
        return not self.audience or role in self.audience

    def trail(self, code: str) -> str:
        """Where a question stands, as a fault names it."""
        return next(
            f"{section.code} > {page.code} > {code}"
            for section in self.sections
            for page in section.pages
            if any(question.code == code for question in page.questions)
        )

    def seconds(self, *, role: str | None) -> int:
        """The longest it should take an average leader: every question that the role may be asked."""
        return sum(question.seconds for question in self.questions if question.asked_of(role))
