"""A site whose data was destroyed: what tells that it is closed, and what its one page says.

The mark is a file in the instance's folder, so that every process of this machine sees it at its next request, and
without a database. The database says it too, for processes that start elsewhere.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from privacy.backup_manifest import write_whole

MARK = "closed.json"


@dataclass(frozen=True)
class Closing:
    """What the closing page says. `closed_on` is None while the destruction goes on; `last_on` the day by which the
    last backup expires, None where none is outstanding or nobody knows. `returned`: the data was handed over before;
    `held`: the law makes us keep some of it for now."""

    reference: str = ""
    rehearsal: bool = False
    returned: bool = False
    held: bool = False
    closed_on: date | None = None
    outstanding: bool = False
    last_on: date | None = None
    certificate: str | None = None


def mark(instance: Path, closing: Closing) -> None:
    """Close the site, or say more of it. On the disk when this returns."""
    write_whole(
        instance / MARK,
        {
            "reference": closing.reference,
            "rehearsal": closing.rehearsal,
            "returned": closing.returned,
            "held": closing.held,
            "closed_on": closing.closed_on.isoformat() if closing.closed_on else None,
            "outstanding": closing.outstanding,
            "last_on": closing.last_on.isoformat() if closing.last_on else None,
            "certificate": closing.certificate,
        },
    )


def read(instance: Path) -> Closing | None:
    """What is said of a closed site; None of one that is open."""
    try:
        found: dict[str, Any] = json.loads((instance / MARK).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Closing(
        reference=found["reference"],
        rehearsal=found["rehearsal"],
        returned=found["returned"],
        held=found["held"],
        closed_on=_day(found["closed_on"]),
        outstanding=found["outstanding"],
        last_on=_day(found["last_on"]),
        certificate=found["certificate"],
    )


def settled(said: Closing, *, on: date) -> Closing:
    """The same once nothing is outstanding any more: that day the last of it went."""
    return replace(said, outstanding=False, last_on=None, closed_on=on)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
