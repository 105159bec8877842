"""Which of the free times a page shows: a part of the list, or their days as a calendar.

The buttons that show others belong to the form that books or moves, so that what is typed there goes along.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from flask import request

from portal.booking import choices
from portal.booking.choices import Choice
from portal.forms.times import Picked, TravelForm
from portal.models import Place
from privacy.clock import start_of_day

TIMES_ON_A_PAGE = 30
BUTTONS = {"from", "meet", "days"}
"""What they are called: times from an instant on, times for another way to meet, and the days."""


Find = Callable[..., list[Choice]]
"""Looks for the times of one package or session: `bookings.times` with what those are."""


@dataclass(frozen=True)
class FreeTimes:
    """What is shown. `earlier` and `more` say where the list before and after begins, `begins` where this one does;
    `chosen` was chosen on another part of the list, and `gone` is true where it is not free any more. `days` counts
    the times of each day, where those are asked for instead of a list."""

    choices: Sequence[Choice]
    begins: str | None = None
    earlier: str | None = None
    more: str | None = None
    chosen: Choice | None = None
    gone: bool = False
    days: Mapping[date, int] = field(default_factory=dict)
    as_days: bool = False

    @property
    def months(self) -> list[tuple[date, list[list[date]]]]:
        return choices.months(self.days)

    def start_of(self, day: date) -> str:
        """Where the list of a day begins."""
        return start_of_day(day).isoformat()


def others_asked() -> bool:
    """Whether one of the buttons was pressed: then nothing is booked, and nothing is wrong."""
    return request.method == "POST" and not BUTTONS.isdisjoint(request.form)


def place_asked(form: TravelForm) -> Place:
    """How people are to meet: a mentor who has to go somewhere has other times."""
    text = request.form.get("meet") or form.place.data
    return Place(text) if text in list(Place) else Place.REMOTE


def shown(find: Find, *, picked: Picked | None = None, limit: int = TIMES_ON_A_PAGE) -> FreeTimes:
    """The part of the list that is asked for; one more is looked for, to know whether there are more."""
    if "days" in request.form:
        return FreeTimes([], days=choices.days(find(limit=None)), as_days=True)
    begins = _instant(request.form.get("from", request.args.get("from")))
    found = find(limit=limit + 1, after=begins)
    listed = found[:limit]
    before = find(limit=None, before=begins)[-limit:] if begins is not None else []
    elsewhere = picked if picked is not None and others_asked() and not _among(listed, picked) else None
    chosen = _chosen(find, elsewhere) if elsewhere is not None else None
    return FreeTimes(
        listed,
        begins=begins.isoformat() if begins is not None else None,
        earlier=before[0].starts_at.isoformat() if before else None,
        more=found[limit].starts_at.isoformat() if len(found) > limit else None,
        chosen=chosen,
        gone=elsewhere is not None and chosen is None,
    )


def _chosen(find: Find, picked: Picked) -> Choice | None:
    """The time that was chosen on another part of the list, where it is free."""
    first = find(limit=1, after=picked.starts_at, mentor_id=picked.mentor_id)
    return next((one for one in first if one.starts_at == picked.starts_at), None)


def _among(listed: Sequence[Choice], picked: Picked) -> bool:
    return any((one.starts_at, one.mentor_id) == (picked.starts_at, picked.mentor_id) for one in listed)


def _instant(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and found.utcoffset() is not None else None
