"""Runs one rule of the team's work for a form: what it refuses stands beside the field that it concerns."""

from collections.abc import Callable
from typing import TypeVar

from wtforms import Field

from portal.councils.refusals import Settled
from portal.forms.base import Form
from portal.forms.times import renew_ids
from portal.mentors.clearances import RecordRefused
from portal.packages.churn import Overtaken
from portal.packages.states import FormUsed, NotPossible, PackageRefused
from portal.people.register import PersonRefused
from portal.programme import OutsideContract
from portal.registers.contract import EndRefused
from portal.views.context import work
from privacy.sent_before import SentBefore
from privacy.work import Work

T = TypeVar("T")

# Where a form calls the field otherwise than the rule does.
ALSO = {"members": "leader", "goals": "goal_1"}


def carry_out(form: Form, act: Callable[[Work], T], *, outside: str = "starts_on") -> T | None:
    """Run the rule in a unit of work; None when it refused, and the form says why.

    `outside` is the field with the day that may lie outside the contract.
    """
    try:
        with work() as unit:
            return act(unit)
    except SentBefore as problem:
        say_sent_before(form, problem)
    except OutsideContract as problem:
        form.refuse(_field(form, outside), problem)
    except (PackageRefused, PersonRefused, EndRefused, RecordRefused) as problem:
        form.refuse(_field(form, problem.field), problem)
        form.too_late = isinstance(problem, NotPossible | Overtaken | Settled)
        if isinstance(problem, FormUsed):
            renew_ids(form)
    return None


def say_sent_before(form: Form, problem: SentBefore) -> None:
    """Say so on a form that was sent again with something else in it; what was typed stays, and sent once more it
    makes a second one."""
    form.refuse(None, problem)
    form.too_late = True
    renew_ids(form)


def status_of(form: Form) -> int:
    """200 for a page that was asked for, 409 where somebody was quicker, else 422 for what was refused."""
    if getattr(form, "too_late", False):
        return 409
    return 422 if form.errors else 200


def _field(form: Form, name: str | None) -> Field | None:
    found = [one for one in (name, ALSO.get(name or "")) if one is not None and one in form]
    return form[found[0]] if found else None
