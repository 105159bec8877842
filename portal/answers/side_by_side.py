"""Somebody's own answers before and after support as a picture, with a text that says the finding."""

from collections.abc import Sequence

from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.pictures import Shift
from surveys.comparison import Statement


def picture(statements: Sequence[Statement], *, own: bool) -> Picture | None:
    """A line for each statement; None where no question was asked both times. `own`: it is they who look."""
    if not statements:
        return None
    ends = {one.ends for one in statements}
    return pictures.paired_change(
        finding=_finding(statements, whose="your" if own else "their"),
        what="the answer before support and the answer after it",
        shifts=[
            Shift(one.text, one.before.place, one.after.place, one.before.words, one.after.words)
            for one in statements
        ],
        ends=ends.pop() if len(ends) == 1 else ("Lowest", "Highest"),
    )


def _finding(statements: Sequence[Statement], *, whose: str) -> str:
    """How many answers rose and fell, of those with a place on the scale both times."""
    both = [
        (one.before.place, one.after.place)
        for one in statements
        if one.before.place is not None and one.after.place is not None
    ]
    if not both:
        return f"None of {whose} answers can be compared"
    rose, fell = sum(after > before for before, after in both), sum(after < before for before, after in both)
    same = len(both) - rose - fell
    return f"Of {len(both)} of {whose} answers {rose} went up, {same} stayed the same and {fell} went down"
