"""Releases: what left the team, frozen. Pages for the Department's observer, reports and their files are made from a
release and from nothing else; `portal.results.releasing` makes them.

Answers come in *blocks*: the people of one strand whose last questionnaire closed from a day to a day, protected
once and never counted again. A release repeats the blocks of earlier ones and adds a new one where enough new pairs
have come in; else it goes out with the last released figures, which carry their day. Blocks have nobody's questionnaire
in common, so no two releases can be subtracted to find somebody.

The numbers of the two KPIs are shown whatever their size where the Department has instructed so in writing
(`Release.instruction` is the letter). Without it they are held to the rules of all other numbers, and None stands for
a number that is kept back: "[c]" for people, "c" in tidy CSV (surveys.disclosure.HIDDEN, HIDDEN_TIDY).

    read(db, release_id) -> Release | None      of_period(db, kind, period)      list_of(db) -> newest first
    release.tables(strand, year=None)           all blocks of a strand (or of a contract year) added up
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.models import Strand
from portal.programme import ContractYear, Period
from portal.results.periods import Kind, report_period
from portal.results.service_levels import YearLevels
from surveys.disclosure import Protected, added
from surveys.models import Release as ReleaseRow
from surveys.statistics import wilson
from surveys.theme_tables import Quoted


class ReleaseAltered(Exception):
    """What is stored is not what was released: its digest differs."""


@dataclass(frozen=True, kw_only=True)
class KpiNumbers:
    """A KPI of a whole strand, counted in people. `as_of` is the day the numbers are of: the release's, or an earlier
    one where the newer numbers could not be shown; `base_for_shares`: how many people a share needs, which is one
    where the Department has instructed that the numbers be shown."""

    id: str
    strand: Strand
    target: float
    definition: str
    expected: str
    as_of: date
    numerator: int | None
    denominator: int | None
    not_due: int | None
    silent: int | None
    base_for_shares: int

    @property
    def share(self) -> float | None:
        """The share of the base, 0 to 1; None where a number it needs is kept back, or nobody is counted."""
        if self.numerator is None or not self.denominator or self.denominator < self.base_for_shares:
            return None
        return self.numerator / self.denominator

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % range of the share."""
        if self.share is None or self.numerator is None or self.denominator is None:
            return None
        return wilson(self.numerator, self.denominator)

    @property
    def met(self) -> bool | None:
        return None if self.share is None else self.share >= self.target

    @property
    def met_with_confidence(self) -> bool | None:
        return None if self.interval is None else self.interval[0] >= self.target


@dataclass(frozen=True, kw_only=True)
class Block:
    """The people of a strand whose last questionnaire closed in these days (both included, the day after its last
    day), and who answered in time: `answered` of them. `years` are the contract years in which they came in.
    `released_as_of`: the day of the release that showed it first. `codebook`: the version that what they wrote was
    sorted by, 0 for none; `quotes`: what they let be quoted."""

    strand: Strand
    years: tuple[str, ...]
    from_on: date
    to_on: date
    released_as_of: date
    answered: int
    tables: tuple[Protected, ...]
    codebook: int = 0
    quotes: tuple[Quoted, ...] = ()

    def table(self, code: str) -> Protected | None:
        """A table by its code: change, impact, before, after, direct, change:MEASURE, or themes."""
        return next((table for table in self.tables if table.code == code), None)


@dataclass(frozen=True, kw_only=True)
class RegionCount:
    """Councils with support that started in a contract year, by region: about no answers, so never protected."""

    year: str
    strand: Strand
    region: str
    councils: int


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a release says; `texts` is what else belongs to it, such as risks, lessons and the codebook."""

    reference: str
    kind: Kind
    period: str
    as_of: date
    instruction: str | None
    kpis: Sequence[KpiNumbers]
    blocks: Sequence[Block]
    levels: Sequence[YearLevels]
    targets: Mapping[str, int]
    regions: Sequence[RegionCount]
    rules: Mapping[str, int]
    texts: Mapping[str, Any]

    @property
    def title(self) -> str:
        """`Quarterly report, January to March 2023`."""
        return titled(self.kind, self.period)

    def tables(self, strand: Strand, year: str | None = None) -> list[Protected]:
        """The tables of a strand, or of the blocks that lie in one contract year, added up in one order."""
        blocks = self._of(strand, year)
        codes = dict.fromkeys(table.code for block in blocks for table in block.tables)
        return [
            added([table for block in blocks if (table := block.table(code)) is not None]) for code in codes
        ]

    def table(self, strand: Strand, code: str, year: str | None = None) -> Protected | None:
        """One table of a strand, added up; None where no block has it."""
        return next((one for one in self.tables(strand, year) if one.code == code), None)

    def quotes(self, strand: Strand, year: str | None = None) -> list[Quoted]:
        """What is quoted of a strand, or of one contract year, in the order of the words."""
        return sorted(
            (quote for block in self._of(strand, year) for quote in block.quotes), key=lambda one: one.text
        )

    def _of(self, strand: Strand, year: str | None) -> list[Block]:
        return [one for one in self.blocks if one.strand is strand and (year is None or one.years == (year,))]

    def answered(self, strand: Strand) -> int:
        """How many answered, in all blocks of a strand."""
        return sum(block.answered for block in self.blocks if block.strand is strand)

    def last_block(self, strand: Strand) -> Block | None:
        """The newest block of a strand: its `to_on` is the day up to which its answers are counted."""
        return max(
            (one for one in self.blocks if one.strand is strand), key=lambda one: one.to_on, default=None
        )

    def canonical(self) -> str:
        """Stable JSON: the same content gives the same text."""
        whole = asdict(self)
        data = {name: whole[name] for name in Content.__dataclass_fields__} | {
            "blocks": [
                asdict(block) | {"tables": [table.as_json() for table in block.tables]}
                for block in self.blocks
            ]
        }
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=_plain)

    @classmethod
    def from_canonical(cls, text: str) -> Self:
        data = json.loads(text)
        return cls(
            **{
                **data,
                "kind": Kind(data["kind"]),
                "as_of": date.fromisoformat(data["as_of"]),
                "kpis": [
                    KpiNumbers(**_typed(one, strand=Strand, as_of=date.fromisoformat)) for one in data["kpis"]
                ],
                "blocks": [_block(one) for one in data["blocks"]],
                "levels": [
                    YearLevels(**_typed(one, starts_on=date.fromisoformat, ends_on=date.fromisoformat))
                    for one in data["levels"]
                ],
                "regions": [RegionCount(**_typed(one, strand=Strand)) for one in data["regions"]],
            }
        )


@dataclass(frozen=True, kw_only=True)
class Release(Content):
    """A frozen release. `digest` is the SHA-256 of its canonical JSON in hex; `approved_on` and `approved_letter`: the
    Department approved that an annual review be passed on (sch 4 Publicity)."""

    id: UUID
    made_at: datetime
    digest: str
    approved_on: date | None
    approved_letter: str | None


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A release without what it says."""

    id: UUID
    kind: Kind
    period: str
    as_of: date
    made_at: datetime
    approved_on: date | None

    @property
    def title(self) -> str:
        return titled(self.kind, self.period)


def titled(kind: Kind, period: str) -> str:
    """What a report of a period is called, whatever becomes of the contract's end."""
    return report_period(kind, period, years=[ContractYear(period, Period(date.min, date.max))]).title


def read(db: DbSession, release_id: UUID) -> Release | None:
    """A release, opened and checked. Raises ReleaseAltered."""
    row = db.get(ReleaseRow, release_id)
    return _opened(row) if row is not None else None


def of_period(db: DbSession, kind: Kind, period: str) -> Release | None:
    """The release of a period; None while there is none. Raises ReleaseAltered."""
    row = db.scalars(select(ReleaseRow).where(ReleaseRow.kind == kind, ReleaseRow.period == period)).first()
    return _opened(row) if row is not None else None


def all_of(db: DbSession) -> list[Release]:
    """Every release, opened, in the order in which they were made. Raises ReleaseAltered."""
    return [
        _opened(row) for row in db.scalars(select(ReleaseRow).order_by(ReleaseRow.made_at, ReleaseRow.id))
    ]


def latest(db: DbSession) -> Release | None:
    """The release with the newest figures. Raises ReleaseAltered."""
    newest = select(ReleaseRow).order_by(ReleaseRow.as_of.desc(), ReleaseRow.made_at.desc()).limit(1)
    row = db.scalars(newest).first()
    return _opened(row) if row is not None else None


def list_of(db: DbSession) -> list[Listed]:
    """All releases, newest figures first; nothing is opened."""
    columns = (
        ReleaseRow.id,
        ReleaseRow.kind,
        ReleaseRow.period,
        ReleaseRow.as_of,
        ReleaseRow.made_at,
        ReleaseRow.approved_on,
    )
    rows = db.execute(select(*columns).order_by(ReleaseRow.as_of.desc(), ReleaseRow.made_at.desc()))
    return [
        Listed(id=row[0], kind=Kind(row[1]), period=row[2], as_of=row[3], made_at=row[4], approved_on=row[5])
        for row in rows
    ]


def reviews(db: DbSession) -> list[Listed]:
    """The annual reviews that the Department lets be passed on (sch 4 Publicity), newest first."""
    return [one for one in list_of(db) if one.kind is Kind.ANNUAL and one.approved_on is not None]


def digest(text: str) -> str:
    """The SHA-256 of a canonical text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def _opened(row: ReleaseRow) -> Release:
    text = row.body or ""
    if digest(text) != row.hash:
        raise ReleaseAltered(f"release {row.id}")
    content = Content.from_canonical(text)
    return Release(
        **{name: getattr(content, name) for name in Content.__dataclass_fields__},
        id=row.id,
        made_at=row.made_at,
        digest=row.hash,
        approved_on=row.approved_on,
        approved_letter=row.approved_letter,
    )


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a release")


def _typed(data: Mapping[str, Any], **kinds: Any) -> dict[str, Any]:
    return {name: kinds[name](value) if name in kinds else value for name, value in data.items()}


def _block(data: dict[str, Any]) -> Block:
    typed = _typed(
        data,
        strand=Strand,
        years=tuple,
        from_on=date.fromisoformat,
        to_on=date.fromisoformat,
        released_as_of=date.fromisoformat,
        tables=lambda found: tuple(Protected.from_json(one) for one in found),
        quotes=lambda found: tuple(Quoted(**_typed(one, codes=tuple)) for one in found),
    )
    return Block(**typed)
