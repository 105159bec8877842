"""Before and after: what one respondent said in both waves, as far as the KPIs ask (sch 4 KPIs)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from surveys.measures import ROLE_CONFIDENCE
from surveys.models import Mode, Wave
from surveys.results import Read, Verdict, revisions

CHANGE = "confidence_change"
"""The post questionnaire's direct question, with the options that mean more confident."""
MORE = frozenset({"much_more", "little_more"})


@dataclass(frozen=True)
class Pair:
    """What one respondent said before and after; no wave of it need be there.

    `before` and `after` are the scores on confidence in the role; `mode` is how the post questionnaire came in.
    """

    before: float | None
    after: float | None
    at_top_before: bool
    answered_at: datetime | None
    mode: Mode | None
    says_more: bool
    example: bool
    verdict: Verdict | None

    @property
    def answered(self) -> bool:
        """Whether the post questionnaire was sent."""
        return self.answered_at is not None

    @property
    def matched(self) -> bool:
        """Both scores are known, so there is something to compare."""
        return self.before is not None and self.after is not None

    @property
    def confident(self) -> bool:
        """More confident: a matched rise on the role-confidence measure."""
        return self.before is not None and self.after is not None and self.after > self.before

    @property
    def impact(self) -> bool:
        """Demonstrated: an example that a reviewer accepted; a tick alone is none."""
        return self.example and self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True)
class Said:
    """Every revision of both waves that one respondent sent, oldest first, until an instant."""

    reads: Sequence[Read]
    until: datetime

    def pair(self, closing: Mapping[Wave, datetime] | None = None) -> Pair:
        """The latest revision of each wave; with `closing`, the latest that came before its wave closed."""
        baseline = self._latest(Wave.BASELINE, closing)
        post = self._latest(Wave.POST, closing)
        return Pair(
            before=baseline.score(ROLE_CONFIDENCE) if baseline else None,
            after=post.score(ROLE_CONFIDENCE) if post else None,
            at_top_before=baseline is not None and baseline.at_top(ROLE_CONFIDENCE),
            answered_at=post.row.submitted_at if post else None,
            mode=post.row.mode if post else None,
            says_more=post is not None and post.answers.get(CHANGE) in MORE,
            example=post is not None and post.has_example,
            verdict=post.verdict(until=self.until) if post else None,
        )

    def _latest(self, wave: Wave, closing: Mapping[Wave, datetime] | None) -> Read | None:
        sent = [
            one
            for one in self.reads
            if one.row.wave is wave and (closing is None or one.row.said_at < closing[wave])
        ]
        return sent[-1] if sent else None


def said(db: Session, *, until: datetime) -> dict[UUID, Said]:
    """What every respondent sent of both waves before an instant; verdicts as they stood then."""
    found: dict[UUID, list[Read]] = {}
    for one in revisions(db, waves=(Wave.BASELINE, Wave.POST), until=until):
        found.setdefault(one.row.respondent_id, []).append(one)
    return {respondent_id: Said(reads, until) for respondent_id, reads in found.items()}
