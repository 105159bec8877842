"""Where a package can go from where it is.

    proposed --agree--> agreed --invite--> baseline --activate--> active --end--> ended
                           |                                        ^
                           +---------------- activate --------------+
    agreed, baseline --disagree--> proposed
    proposed, agreed, baseline --withdraw--> withdrawn

Proposed waits for the Department (sch 4), and a package is that again when the agreement is withdrawn before it began.
Baseline: people are invited and asked before support begins. A package becomes active with its first session, and
people who join later are invited without a change of state.
"""

from enum import StrEnum

from portal.models import PackageState


class Act(StrEnum):
    """What can be done with a package. CHANGE: its goals, members, mentors, or a waived baseline. MOVE_END: correct
    the day that support ended."""

    AGREE = "agree"
    DISAGREE = "disagree"
    INVITE = "invite"
    ACTIVATE = "activate"
    CHANGE = "change"
    END = "end"
    MOVE_END = "move_end"
    WITHDRAW = "withdraw"


class PackageRefused(Exception):
    """Something that a package cannot be; `field` names what it concerns, the message says why."""

    field: str | None = None


class NotPossible(PackageRefused):
    """The act does not fit the state of the package."""

    def __init__(self, state: PackageState, act: Act) -> None:
        super().__init__(_WORDS.get((state, act)) or f"This package is {state}. That cannot be done any more")
        self.state = state
        self.act = act


class FormUsed(PackageRefused):
    """The id that the form carries belongs to something else."""

    def __init__(self) -> None:
        super().__init__(
            "This page was sent before with something else in it. Check it, and send it once more"
        )


_WORDS = {
    (PackageState.PROPOSED, Act.INVITE): "The Department has not agreed this council yet",
    (PackageState.PROPOSED, Act.ACTIVATE): "The Department has not agreed this council yet",
    (PackageState.ACTIVE, Act.WITHDRAW): "Support has begun. End it instead",
}


def after(state: PackageState, act: Act) -> PackageState:
    """The state after an act. Raises NotPossible."""
    match state, act:
        case PackageState.PROPOSED, Act.AGREE:
            return PackageState.AGREED
        case PackageState.AGREED | PackageState.BASELINE, Act.DISAGREE:
            return PackageState.PROPOSED
        case PackageState.AGREED | PackageState.BASELINE, Act.INVITE:
            return PackageState.BASELINE
        case PackageState.ACTIVE, Act.INVITE | Act.ACTIVATE:
            return PackageState.ACTIVE
        case PackageState.AGREED | PackageState.BASELINE, Act.ACTIVATE:
            return PackageState.ACTIVE
        case (
            PackageState.PROPOSED | PackageState.AGREED | PackageState.BASELINE | PackageState.ACTIVE,
            Act.CHANGE,
        ):
            return state
        case PackageState.ACTIVE, Act.END:
            return PackageState.ENDED
        case PackageState.ENDED, Act.MOVE_END:
            return state
        case PackageState.PROPOSED | PackageState.AGREED | PackageState.BASELINE, Act.WITHDRAW:
            return PackageState.WITHDRAWN
    raise NotPossible(state, act)


def possible(state: PackageState) -> frozenset[Act]:
    """What can be done in a state, for the buttons of a page."""
    found = set()
    for act in Act:
        try:
            after(state, act)
        except NotPossible:
            continue
        found.add(act)
    return frozenset(found)
