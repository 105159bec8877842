"""Before and after: what one respondent said in both waves, as far as figures ask (sch 4 KPIs).

Read in the order of respondents, a hundred thousand of them in a second or two: only the questions that are asked for
are looked at, and nothing of somebody is kept when the next one comes. What was sent, reopened and sent again has
several revisions, each with its own moment, so that a figure of an earlier day, or of an open window, takes what had
been said by then. What was withdrawn is never read, nor what somebody said whose key was destroyed.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing as closing_after
from datetime import datetime
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Select, and_, literal, or_, select
from sqlalchemy.orm import Session

from privacy.bulk import Ciphers, HolderKeys, day, ids, moment, opener, streamed, within
from privacy.clock import start_of_day
from privacy.columns import keys_of
from privacy.errors import HolderErased
from surveys.lenses import Lens, Lenses, Picked, Wanted
from surveys.measures import ROLE_CONFIDENCE
from surveys.models import Response, ResponsePast, ResponseState, Version, Wave
from surveys.results import HAS_EXAMPLE, Verdict, gives_example
from surveys.versions import compiled

CHANGE = "confidence_change"
"""The post questionnaire's direct question, with the options that mean more confident."""
MORE = frozenset({"much_more", "little_more"})
THEN = "role_confidence_then"
"""The measure that looks back: how confident they were before, as they see it now."""
OF_PAIRS = Wanted(measures=(ROLE_CONFIDENCE, THEN), codes=(CHANGE, HAS_EXAMPLE))
WAVES = (Wave.BASELINE, Wave.POST)
FIRST, LAST = bytes(16), bytes([255] * 16)

Closing = tuple[datetime, datetime]
"""When somebody's baseline and their post questionnaire close: the first instants that are too late."""


class Pair(NamedTuple):
    """What one respondent said before and after; no wave of it need be there. Many people say the same, so pairs are
    counted, not kept.

    `before`, `after` and `then` are scores on confidence in the role, `then` looking back. `mode` is how the post
    questionnaire came in, None where it did not.
    """

    before: float | None = None
    after: float | None = None
    then: float | None = None
    at_top_before: bool = False
    mode: str | None = None
    says_more: bool = False
    example: bool = False
    verdict: Verdict | None = None

    @property
    def answered(self) -> bool:
        """Whether the post questionnaire was sent."""
        return self.mode is not None

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


class Given(msgspec.Struct):
    """A verdict, and when it was given."""

    verdict: Verdict
    at: datetime


class Judgement(msgspec.Struct):
    """What was said of an example, newest last."""

    verdicts: list[Given] = []


class Told(NamedTuple):
    """A revision that was sent, as far as it was asked for."""

    wave: str
    mode: str
    said_at: datetime
    lens: Lens
    picked: Picked
    verdicts: Sequence[Given]

    def score(self, measure: str) -> float | None:
        """The score on a measure; None without a scored answer."""
        return self.lens.score(measure, self.picked)

    def verdict(self, *, until: datetime) -> Verdict | None:
        """The newest verdict given before an instant."""
        return next((one.verdict for one in reversed(self.verdicts) if one.at < until), None)


class Said(NamedTuple):
    """Every revision of both waves that one respondent sent, oldest first, until an instant. `begun`: there is a post
    questionnaire that was begun and never sent."""

    told: Sequence[Told]
    until: datetime
    begun: bool = False

    def latest(self, wave: Wave, closing: Closing | None = None) -> Told | None:
        """The latest revision of a wave; with `closing`, the latest that came before the wave closed."""
        closes_at = None if closing is None else closing[wave is Wave.POST]
        for one in reversed(self.told):
            if one.wave == wave and (closes_at is None or one.said_at < closes_at):
                return one
        return None

    def both(self, closing: Closing) -> tuple[Pair, Pair]:
        """What was said in time, and what was said last, late or not: nearly always the same."""
        ever = self.pair()
        for one in self.told:
            if one.said_at >= closing[one.wave == Wave.POST]:
                return self.pair(closing), ever
        return ever, ever

    def pair(self, closing: Closing | None = None) -> Pair:
        """The latest of each wave; without a post questionnaire, what the baseline alone says."""
        baseline, post = self.latest(Wave.BASELINE, closing), self.latest(Wave.POST, closing)
        before, at_top = None, False
        if baseline is not None:
            before, at_top = baseline.lens.stands(ROLE_CONFIDENCE, baseline.picked)
        if post is None:
            return Pair(before=before, at_top_before=at_top)
        lens, picked = post.lens, post.picked
        example = gives_example(picked)
        return Pair(
            before,
            lens.score(ROLE_CONFIDENCE, picked),
            lens.score(THEN, picked),
            at_top,
            post.mode,
            picked.get(CHANGE) in MORE,
            example,
            post.verdict(until=self.until) if example else None,
        )


def said(
    db: Session,
    *,
    audiences: Mapping[bytes, str],
    until: datetime,
    wanted: Wanted = OF_PAIRS,
    first: bytes = FIRST,
    last: bytes = LAST,
) -> Iterator[tuple[bytes, Said]]:
    """What each of these respondents sent of both waves before an instant, in the order of their ids.

    `audiences` says whom to read, by id, and as whom they are asked; nobody else's answers are opened. `first` and
    `last` narrow it to a stretch of ids. Who sent nothing is left out.
    """
    id_of = ids(db.connection())
    opens = _Opening(_lenses(db, wanted), id_of)
    vault = keys_of(db).vault
    with (
        closing_after(_rows(db, until=until, first=first, last=last)) as rows,
        vault.engine.connect() as connection,
        HolderKeys(vault, connection, first=first, last=last) as keys,
    ):
        for raw, own in groupby(rows, key=_HOLDER):
            holder = id_of(raw)
            audience = audiences.get(holder)
            if audience is None:
                continue
            try:
                ciphers = keys.of(holder)
            except HolderErased:
                continue
            rows_sent = list(own)
            told = [opens.told(ciphers, holder, audience, row) for row in rows_sent if row[_SENT] is not None]
            if len(told) > 1:
                told.sort(key=_MOMENT)
            yield holder, Said([one for _, one in told], until, len(told) < len(rows_sent))


def _lenses(db: Session, wanted: Wanted) -> Lenses:
    ids = db.scalars(select(Version.id).where(Version.code.in_(WAVES))).all()
    return Lenses(compiled(db, ids), wanted)


_HOLDER: Callable[[Any], Any] = itemgetter(1)
_SENT = 7
"""The place of the moment at which a row was sent, in a row; there is none of a draft."""
_MOMENT: Callable[[tuple[datetime, Told]], datetime] = itemgetter(0)
_judged = msgspec.json.Decoder(Judgement).decode


class _Opening:
    """Opens rows, each with what opens its own table."""

    def __init__(self, lenses: Lenses, id_of: Callable[[Any], bytes]) -> None:
        self._lenses = lenses
        self._id_of = id_of
        self._present = opener(Response.answers_sealed), opener(Response.judgement_sealed)
        self._past = opener(ResponsePast.answers_sealed), opener(ResponsePast.judgement_sealed)

    def told(self, ciphers: Ciphers, holder: bytes, audience: str, row: Any) -> tuple[datetime, Told]:
        """What a row says, and when it was sent."""
        raw_id, _, past, wave, version, mode, answered_on, sent, answers, judgement = row
        held_by, sent_at = self._id_of(raw_id), moment(sent)
        open_answers, open_judgement = self._past if past else self._present
        lens = self._lenses.of(version, audience)
        picked = lens.read(open_answers(ciphers, answers, held_by, holder))
        verdicts: Sequence[Given] = ()
        if judgement is not None:
            verdicts = _judged(open_judgement(ciphers, judgement, held_by, holder)).verdicts
        said_at = sent_at if answered_on is None else start_of_day(day(answered_on))
        return sent_at, Told(wave, mode, said_at, lens, picked, verdicts)


def _rows(db: Session, *, until: datetime, first: bytes, last: bytes) -> Generator[Any, None, None]:
    """Revisions in the order of their respondents; what was said before a correction is seldom, and not streamed."""
    past = (
        _columns(ResponsePast)
        .join(Response, Response.id == ResponsePast.response_id)
        .where(
            Response.state == ResponseState.SUBMITTED,
            ResponsePast.submitted_at < until,
            # It follows from the join, and has SQLite begin with the few that were corrected.
            Response.id.in_(select(ResponsePast.response_id)),
        )
    )
    begun = and_(
        Response.state == ResponseState.DRAFT, Response.wave == Wave.POST, Response.started_at < until
    )
    sent = and_(Response.state == ResponseState.SUBMITTED, Response.submitted_at < until)
    present = _columns(Response).where(or_(sent, begun))
    ordered = _narrowed(present, first, last).order_by(Response.respondent_id)
    corrected = list(streamed(db.connection(), _narrowed(past, first, last)))
    with closing_after(streamed(db.connection(), ordered)) as rows:
        yield from merge(rows, sorted(corrected, key=_HOLDER), key=_HOLDER) if corrected else rows


def _columns(held: type[Response] | type[ResponsePast]) -> Any:
    """What a row of this table says, and of which response."""
    return select(
        held.id.label("held_by"),
        Response.respondent_id,
        literal(int(held is ResponsePast)),
        Response.wave,
        Response.version_id,
        Response.mode,
        held.answered_on,
        held.submitted_at,
        held.answers_sealed,
        held.judgement_sealed,
    )


def _narrowed(asked: Select[Any], first: bytes, last: bytes) -> Select[Any]:
    return asked.where(Response.wave.in_(WAVES), within(Response.respondent_id, first, last))
