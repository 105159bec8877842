"""Runs one rule of booking for a form: what the rule refuses is shown on the form, with the status that fits."""

from collections.abc import Callable
from typing import TypeVar

from wtforms import Field

from portal.booking.acts import (
    Away,
    BaselineMissing,
    Full,
    NoSessionsThen,
    NotOffered,
    NotServing,
    SupportClosed,
)
from portal.booking.diary import Refused, TimeTaken
from portal.booking.offers import OfferChosen, OfferGone, OfferShut
from portal.booking.standing import FormUsed, MentorChanged
from portal.booking.unusual import UnusualTime
from portal.forms.base import Form
from portal.forms.times import renew_ids
from portal.groups.sessions import SessionFull
from portal.packages.acts import PackageRefused
from portal.packages.notes import NoteSent
from portal.people.assisting import NotOpenNow
from portal.programme import OutsideContract
from portal.views.context import work
from privacy.work import Work

T = TypeVar("T")

QUICKER = (
    TimeTaken,
    NotOffered,
    OfferGone,
    OfferChosen,
    SessionFull,
    Away,
    Full,
    NoSessionsThen,
    OfferShut,
    MentorChanged,
)
"""Somebody else was quicker, or the list that was shown is no longer true."""

TELLING = (BaselineMissing, SupportClosed, NotServing)
"""What tells how support stands."""


def attempt(form: Form, field: Field | None, act: Callable[[Work], T], *, discreet: bool = False) -> T | None:
    """Run the rule in a unit of work; None when it refused, and then the message stands beside the field. About an
    unusual time it stands beside the form's box `sure`.

    `discreet`: an assistant acts, and is not told why nothing can be booked yet (portal/people/assisting.py).
    """
    try:
        with work() as unit:
            return act(unit)
    except (Refused, PackageRefused, OutsideContract) as problem:
        said = NotOpenNow() if discreet and isinstance(problem, TELLING) else problem
        form.refuse(form["sure"] if isinstance(problem, UnusualTime) else field, said)
        form.refused_by = said
        if isinstance(problem, FormUsed | NoteSent):
            renew_ids(form)
        return None


def status_of(form: Form) -> int:
    """200 for a page that was asked for, 409 where somebody was quicker, else 422 for what was refused."""
    if isinstance(getattr(form, "refused_by", None), QUICKER):
        return 409
    return 422 if form.errors else 200
