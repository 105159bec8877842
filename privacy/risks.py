"""Risks to people's rights and freedoms, as the data protection officer keeps them for the assessment (cl 17.3(c)).

Likelihood and severity go from 1 to 5, before and after the measures; the score is their product.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session as DbSession

from privacy.clock import london_date
from privacy.registers import Register, RegisterEntry, enter, latest, next_code
from privacy.work import Work

STEPS = range(1, 6)
HIGH = 12
MIDDLE = 6


@dataclass(frozen=True, kw_only=True)
class Risk:
    """A risk as it stands. `owner` is who answers for it, by role; `closed` ones are kept and no longer count."""

    title: str
    harm: str
    measures: str
    owner: str
    likelihood: int
    severity: int
    left_likelihood: int
    left_severity: int
    closed: bool = False

    @property
    def score(self) -> int:
        return self.likelihood * self.severity

    @property
    def left(self) -> int:
        """The score that is left once the measures work."""
        return self.left_likelihood * self.left_severity


class LeftIsMore(ValueError):
    """The measures would make the risk greater."""


@dataclass(frozen=True)
class Kept:
    """A risk with its code and its newest entry."""

    code: str
    entry: RegisterEntry
    what: Risk


def word(score: int) -> str:
    """What a score means."""
    return "high" if score >= HIGH else "medium" if score >= MIDDLE else "low"


def keep(work: Work, risk: Risk, *, code: str | None = None, entry_id: UUID | None = None) -> RegisterEntry:
    """Enter a risk, or under its code what is new about it. Raises LeftIsMore or SentBefore."""
    if risk.left > risk.score:
        raise LeftIsMore("What is left cannot be more than the risk without measures")
    work.wait_turn("risks")
    return enter(
        work,
        register=Register.RISK,
        letter=code or next_code(work.db, Register.RISK, first="R"),
        from_on=london_date(work.now),
        body=json.dumps(asdict(risk), ensure_ascii=False),
        entry_id=entry_id,
    )


def risks(db: DbSession) -> list[Kept]:
    """Every risk as it was entered last, the greatest that is left first, closed ones last."""
    found = [
        Kept(code, entry, read(entry)) for code, entry in latest(db, Register.RISK).items() if entry.body
    ]
    return sorted(found, key=lambda one: (one.what.closed, -one.what.left, -one.what.score))


def read(entry: RegisterEntry) -> Risk:
    """What an entry says."""
    data: dict[str, Any] = json.loads(entry.body or "{}")
    return Risk(**data)
