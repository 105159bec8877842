"""Numbers in the address of a page, which anybody can type."""

from flask import request

from portal.forms.base import LARGEST


def number_asked(name: str) -> int | None:
    """The number with a name; None where there is none, and where nothing of ours counts so far."""
    number = request.args.get(name, type=int)
    return number if number is not None and abs(number) <= LARGEST else None


def page_asked() -> int:
    """The page of a list that is asked for; the first where it is none."""
    return max(1, number_asked("page") or 1)
