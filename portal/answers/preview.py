"""A walk through a questionnaire as somebody in a role would meet it, for the team to try.

It takes the path that answers take, and no response is made: what is answered on the way is handed from page to
page by whoever walks, so that it reaches neither the database nor any figure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from surveys.questions import Cleaned, Posted, Value, clean, display, worded
from surveys.routing import Path, Stop, path
from surveys.versions import Published


class NotYet(Exception):
    """Something on the page can't be taken as it is; `errors` are in the order of the page."""

    def __init__(self, errors: list[Cleaned]) -> None:
        super().__init__(f"{len(errors)} answers can't be taken")
        self.errors = errors


@dataclass(frozen=True)
class Walk:
    """Where a preview stands: the version, the role, and the answers so far."""

    published: Published
    role: str
    answers: Mapping[str, Value | None] = field(default_factory=dict)

    @cached_property
    def path(self) -> Path:
        return path(self.published.questionnaire, self.answers, role=self.role)

    def number(self, code: str) -> int:
        """The index of a page, or of the first one where the page isn't on the path."""
        return next((number for number, stop in enumerate(self.path.pages) if stop.code == code), 0)

    def answer(self, code: str, posted: Posted) -> "Walk":
        """The walk with a page answered. Raises NotYet."""
        cleaned = [clean(question, posted) for question in self.path.pages[self.number(code)].questions]
        errors = [found for found in cleaned if found.error]
        if errors:
            raise NotYet(errors)
        given = {key: value for found in cleaned for key, value in found.stored.items()}
        return replace(self, answers={**self.answers, **given})

    def after(self, code: str) -> Stop | None:
        """The page after this one; None at the end."""
        following = self.number(code) + 1
        return self.path.pages[following] if following < len(self.path.pages) else None

    def before(self, code: str) -> Stop:
        """The page before this one, or the first."""
        return self.path.pages[max(self.number(code) - 1, 0)]

    def told(self, places: Mapping[str, str]) -> list[tuple[str, list[tuple[str, str]]]]:
        """Everything that was answered, in words, page by page."""
        return [
            (
                stop.title,
                [
                    (asked.text, "\n".join(display(asked, self.answers)) or "Not answered")
                    for asked in (worded(one, role=self.role, places=places) for one in stop.questions)
                    if asked.asks
                ],
            )
            for stop in self.path.pages
        ]
