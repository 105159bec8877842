"""A funnel in words and as a picture."""

from dataclasses import dataclass

from portal.results import pictures
from portal.results.drawing import Picture
from portal.results.funnel import Funnel
from portal.results.pictures import Step, percent
from portal.results.strands import STRANDS

PICTURED = ("eligible", "started", "in_window", "matched")
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
    sent = steps["in_window"].count
    return Shown(
        found,
        pictures.funnel(
            finding=f"{sent} of {found.eligible} with {STRANDS[found.strand].lower()} sent it in time "
            f"({percent(sent / found.eligible)})",
            what="from those it was open to, to those whose answers can be compared",
            steps=[Step(steps[name].stage.label, steps[name].count) for name in PICTURED if name in steps],
        ),
    )
