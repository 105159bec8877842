"""Every statement before and after, in words and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session as DbSession

from portal.models import Role, Strand
from portal.programme import Programme
from portal.results import items, pictures
from portal.results.drawing import Picture
from portal.results.items import Item, Items
from portal.results.pictures import Shift
from surveys.shifts import TOO_FEW


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The statements with the picture of their medians; None where nobody can be compared."""

    strand: Strand
    role: Role | None
    found: Items
    picture: Picture | None
    rows: Sequence[Sequence[str | int]]


def page(db: DbSession, programme: Programme, *, strand: Strand, role: Role | None, as_of: date) -> Shown:
    """How every statement moved among those of a strand, in one role or all."""
    found = items.items(db, programme, strand=strand, role=role, as_of=as_of)
    return Shown(
        strand=strand,
        role=role,
        found=found,
        picture=_picture(found),
        rows=[_row(item) for item in found.items],
    )


def _picture(found: Items) -> Picture | None:
    compared = [item for item in found.items if item.shift.base]
    if not compared:
        return None
    rose = sum((item.shift.after.median or 0) > (item.shift.before.median or 0) for item in compared)
    points = compared[0].scale
    return pictures.paired_change(
        finding=f"The middle answer rose on {rose} of {len(compared)} statements",
        what="the middle answer before and after support",
        shifts=[_shift(item) for item in compared],
        ends=(points[0][1], points[-1][1]),
    )


def _shift(item: Item) -> Shift:
    low, high = item.shift.scores[0], item.shift.scores[-1]
    before, after = item.shift.before.median, item.shift.after.median
    return Shift(
        item.text,
        None if before is None else (before - low) / (high - low),
        None if after is None else (after - low) / (high - low),
        _words(item, before),
        _words(item, after),
    )


def _words(item: Item, middle: float | None) -> str:
    """The middle answer in the scale's words; halfway between two of them where it lies there."""
    labels = dict(item.scale)
    if middle is None:
        return "Nobody"
    if middle in labels:
        return labels[middle]
    lower = max((score for score in labels if score < middle), default=middle)
    upper = min((score for score in labels if score > middle), default=middle)
    return f"Between “{labels.get(lower, lower)}” and “{labels.get(upper, upper)}”"


def _row(item: Item) -> list[str | int]:
    change = item.shift.change
    p_value = change.p_value
    return [
        item.text,
        change.pairs,
        change.higher,
        change.stayed_at_top,
        change.unchanged,
        change.lower,
        TOO_FEW.capitalize() if p_value is None else "under 0.001" if p_value < 0.001 else f"{p_value:.3f}",
    ]
