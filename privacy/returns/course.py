"""The course of a return: which steps it takes, which are done, and what may come next. Pure, and never stored.

    direction -> fingerprint (two people) -> test_volume -> test_read_back -> freeze -> build -> verify -> hand_over
    -> receipt -> authority (two people) -> destroy (two people, then the work) -> verified -> certificate
    -> last_backup

No step can be left out, and none comes before the one in front of it (cl 15, 17.4(e), sch 3a). A step that is done
again takes back what came after it: a second package needs a second receipt. Once destroying has begun, nothing is
taken back. Where the direction is to delete alone, nothing is handed over, and the steps about that fall away.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from privacy.returns.tables import Act, DataReturn, DataReturnEvent, ReturnKind, ScopeKind, Step, Wanted

__all__ = [
    "AGAIN_UNTIL",
    "EVERYTHING",
    "HANDING_OVER",
    "LABELS",
    "TWO_PEOPLE",
    "Act",
    "Course",
    "CourseRefused",
    "Ended",
    "ReturnKind",
    "SamePerson",
    "Scope",
    "ScopeKind",
    "Step",
    "StepsMissing",
    "Wanted",
]

LABELS = {
    Step.DIRECTION: "The Department's written direction",
    Step.FINGERPRINT: "The certificate's fingerprint, confirmed by two people",
    Step.TEST_VOLUME: "A test volume sent",
    Step.TEST_READ_BACK: "The test volume read back",
    Step.FREEZE: "The site frozen",
    Step.BUILD: "The package built",
    Step.VERIFY: "The package verified here",
    Step.HAND_OVER: "The package handed over",
    Step.RECEIPT: "The Department's signed receipt",
    Step.AUTHORITY: "The Department's written authority to delete, confirmed by two people",
    Step.DESTROY: "The data destroyed",
    Step.VERIFIED: "The destruction verified",
    Step.CERTIFICATE: "The certificate of destruction",
    Step.LAST_BACKUP: "The last backup expired, and a second certificate",
}
"""What each step leaves behind, in words."""

HANDING_OVER = frozenset(
    {
        Step.FINGERPRINT,
        Step.TEST_VOLUME,
        Step.TEST_READ_BACK,
        Step.BUILD,
        Step.VERIFY,
        Step.HAND_OVER,
        Step.RECEIPT,
    }
)
"""The steps that only a return has which hands something over."""

TWO_PEOPLE = frozenset({Step.FINGERPRINT, Step.AUTHORITY, Step.DESTROY})
"""The steps for which two different people answer. The first two are done with that; destroying follows as work."""

AGAIN_UNTIL = {
    Step.TEST_VOLUME: Step.FREEZE,
    Step.BUILD: Step.DESTROY,
    Step.VERIFY: Step.HAND_OVER,
    Step.HAND_OVER: Step.RECEIPT,
}
"""What can be done again, and the step that ends that once it is begun or done."""

FREE_IN_REHEARSAL = frozenset({Step.BUILD, Step.VERIFY})
"""What a rehearsal may do without the steps before."""


class CourseRefused(Exception):
    """A return cannot go on like this; the message can be shown beside the field `field`, where one is named."""

    field: str | None = None


class StepsMissing(CourseRefused):
    """Other steps come first: `missing`, in order. A step among its own missing ones lacks its two people."""

    def __init__(self, step: Step, missing: Sequence[Step]) -> None:
        lacking = missing[0]
        first = LABELS[lacking] if lacking is not step else "two people who answer for destroying the data"
        super().__init__(f"First comes: {first[0].lower()}{first[1:]}")
        self.step = step
        self.missing = tuple(missing)


class Ended(CourseRefused):
    """The return was withdrawn, or the step is done and cannot be done again."""


class SamePerson(CourseRefused):
    """Somebody who answered for the step already answers again: it takes somebody else."""


@dataclass(frozen=True)
class Scope:
    """How much goes back; `id` is that of the council or person."""

    kind: ScopeKind = ScopeKind.ALL
    id: UUID | None = None

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """`all`, `council:<id>` or `person:<id>`. Raises ValueError."""
        kind, _, tail = text.partition(":")
        scope = cls(ScopeKind(kind), UUID(tail) if tail else None)
        if (scope.kind is ScopeKind.ALL) is not (scope.id is None):
            raise ValueError(text)
        return scope

    def __str__(self) -> str:
        return self.kind.value if self.id is None else f"{self.kind.value}:{self.id}"


EVERYTHING = Scope()


@dataclass(frozen=True)
class Course:
    """A return with its events. Pure: nothing is read from the database."""

    of: DataReturn
    events: Sequence[DataReturnEvent] = ()

    @property
    def scope(self) -> Scope:
        return Scope.parse(self.of.scope)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps that this return takes, in order."""
        deletes_alone = self.of.wanted is Wanted.DELETE
        return tuple(step for step in Step if not (deletes_alone and step in HANDING_OVER))

    @cached_property
    def _standing(self) -> dict[Step, list[DataReturnEvent]]:
        """The events that count, by step: what was done again took back what came after it."""
        found: dict[Step, list[DataReturnEvent]] = {}
        for event in sorted(self.events, key=lambda one: one.number):
            again = any(one.act is Act.DONE for one in found.get(event.step, ()))
            if event.act is Act.DONE and again:
                for step in self.steps[self.steps.index(event.step) :]:
                    found.pop(step, None)
            found.setdefault(event.step, []).append(event)
        return found

    def of_step(self, step: Step, *acts: Act) -> list[DataReturnEvent]:
        """The events of a step that count, in order; of these acts, where any is named."""
        return [event for event in self._standing.get(step, []) if not acts or event.act in acts]

    def event(self, step: Step) -> DataReturnEvent | None:
        """The event by which a step was done; None while it is not. Of two people, the second's."""
        if step in TWO_PEOPLE and step is not Step.DESTROY:
            confirmed = self.of_step(step, Act.CONFIRMED)
            return confirmed[-1] if self._enough(confirmed) else None
        return next(iter(reversed(self.of_step(step, Act.DONE))), None)

    def done(self, step: Step) -> bool:
        return self.event(step) is not None

    def answered_by(self, step: Step) -> list[str]:
        """Who answers for a step so far: actors, in order."""
        return [event.by for event in self.of_step(step, Act.CONFIRMED)]

    def answered(self, step: Step) -> bool:
        """Whether as many answer for a step as it takes; in a rehearsal one does."""
        return step not in TWO_PEOPLE or self._enough(self.of_step(step, Act.CONFIRMED))

    def _enough(self, confirmed: Sequence[DataReturnEvent]) -> bool:
        return len({event.by for event in confirmed}) >= (1 if self.of.rehearsal else 2)

    @property
    def withdrawn(self) -> DataReturnEvent | None:
        """The event that called it off, if it was."""
        return next((event for event in self.events if event.act is Act.WITHDRAWN), None)

    @property
    def begun(self) -> bool:
        """Whether destroying has begun, which nobody takes back."""
        return bool(self.of_step(Step.DESTROY, Act.BEGUN, Act.DONE))

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.withdrawn is not None or self.next is None

    @property
    def next(self) -> Step | None:
        """The first step that is not done; None where none is left, or the return was withdrawn."""
        if self.withdrawn is not None:
            return None
        return next((step for step in self.steps if not self.done(step)), None)

    @property
    def frozen_at(self) -> datetime | None:
        """Since when nothing may change; None before, and after a withdrawal."""
        event = self.event(Step.FREEZE)
        return event.at if event is not None and self.withdrawn is None else None

    @property
    def package(self) -> str | None:
        """The digest of the `package.json` that was built last."""
        event = self.event(Step.BUILD)
        return event.digests[0] if event is not None and event.digests else None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """The fingerprints of the certificates that the direction names."""
        event = self.event(Step.DIRECTION)
        return tuple(event.digests or ()) if event is not None else ()

    def missing(self, step: Step) -> tuple[Step, ...]:
        """The steps that come first and are not done; destroying itself, while two people do not answer for it."""
        if self.of.rehearsal and step in FREE_IN_REHEARSAL:
            return ()
        before = self.steps[: self.steps.index(step)]
        lacking = tuple(one for one in before if not self.done(one))
        return (*lacking, step) if step is Step.DESTROY and not self.answered(step) else lacking

    def may(self, step: Step, act: Act = Act.DONE) -> bool:
        """Whether a step can be done (or confirmed, or begun) now."""
        try:
            self.require(step, act)
        except CourseRefused:
            return False
        return True

    def require(self, step: Step, act: Act = Act.DONE, *, by: str | None = None) -> None:
        """Raises what stands against a step: Ended, StepsMissing, or SamePerson where `by` has answered already."""
        if self.withdrawn is not None:
            raise Ended("This return was withdrawn. Open another one")
        if act is Act.WITHDRAWN:
            if self.begun:
                raise Ended("Destroying has begun. It cannot be withdrawn any more")
            return
        if step not in self.steps:
            raise Ended("The direction is to delete alone: this return has no such step")
        missing = [one for one in self.missing(step) if not (act is Act.CONFIRMED and one is step)]
        if missing:
            raise StepsMissing(step, missing)
        if act is Act.CONFIRMED:
            self._require_other(step, by)
        elif step in TWO_PEOPLE and step is not Step.DESTROY:
            raise StepsMissing(step, [step])
        elif self.done(step) and not self._may_again(step):
            raise Ended("This step is done")

    def _require_other(self, step: Step, by: str | None) -> None:
        if step not in TWO_PEOPLE:
            raise Ended("This step takes no confirmation")
        if self.answered(step):
            raise Ended("Two people have answered for this step")
        if by is not None and by in self.answered_by(step):
            raise SamePerson("You have answered for this step. It takes somebody else")

    def _may_again(self, step: Step) -> bool:
        end = AGAIN_UNTIL.get(step)
        return end is not None and not self.of_step(end, Act.BEGUN, Act.DONE)
