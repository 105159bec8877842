"""A funnel in words and as a picture."""

from collections.abc import Mapping
from dataclasses import dataclass

from portal.packages.strands import STRANDS
from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.funnel import Funnel
from portal.results.funnel import Step as FunnelStep
from portal.results.pictures import Step, percent

PICTURED = ("eligible", "started", "sent", "matched")
"""The steps that all have the same base and follow from each other."""


@dataclass(frozen=True)
class Shown:
    """A funnel with its picture; None where the wave was open to nobody."""

    funnel: Funnel
    picture: Picture | None

    def share(self, count: int, base: int) -> str:
        return percent(count / base) if base else ""


def page(found: Funnel) -> Shown:
    """What the page shows of one strand."""
    if not found.eligible:
        return Shown(found, None)
    steps = {step.stage.name: step for step in found.steps}
    return Shown(
        found,
        pictures.funnel(
            finding=_finding(steps, STRANDS[found.strand].lower()),
            what="from those it was open to, to those whose answers can be compared",
            steps=[Step(steps[name].stage.label, steps[name].count) for name in PICTURED if name in steps],
        ),
    )


def _finding(steps: Mapping[str, FunnelStep], strand: str) -> str:
    """Who sent it in time, of those who have no time left: whoever still has some is not in default."""
    sent, due = steps["in_window"], steps["due"].count
    if not due:
        return f"{steps['sent'].count} of {steps['eligible'].count} with {strand} sent it so far"
    said = f"{sent.count} of {due} with {strand} whose last day has passed sent it in time"
    return f"{said} ({percent(sent.count / due)})"
