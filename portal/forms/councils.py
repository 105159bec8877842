"""Forms about councils: their dated record, the agreement with the Department, neighbours and reviews."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.councils.facts import Agreement, Intervention, Judgement, SendAction
from portal.councils.qualifying import GROUNDS
from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, SomeCheckboxesField, day
from portal.models import Council, CouncilFact, Fact, Ground

FACTS = {
    Fact.OFSTED: "Ofsted's overall judgement",
    Fact.LEADERSHIP: "Ofsted's judgement on leadership",
    Fact.SEND_STATEMENT: "Action on SEND after an inspection",
    Fact.DECLINE: "Evidence of decline",
    Fact.INTERVENTION: "Intervention by the Department",
    Fact.AGREED: "Agreed with the Department",
}
JUDGEMENTS = {
    Judgement.OUTSTANDING: "Outstanding",
    Judgement.GOOD: "Good",
    Judgement.REQUIRES_IMPROVEMENT: "Requires improvement",
    Judgement.INADEQUATE: "Inadequate",
}
VALUES: dict[Fact, dict[str, str]] = {
    Fact.OFSTED: {word.value: said for word, said in JUDGEMENTS.items()},
    Fact.LEADERSHIP: {word.value: said for word, said in JUDGEMENTS.items()},
    Fact.SEND_STATEMENT: {
        SendAction.STATEMENT.value: "Written statement of action",
        SendAction.PRIORITY_PLAN.value: "Priority action plan, or the like",
    },
    Fact.DECLINE: {"decline": "Performance is in decline"},
    Fact.INTERVENTION: {
        Intervention.NOTICE.value: "Improvement notice",
        Intervention.DIRECTION.value: "Direction",
        Intervention.COMMISSIONER.value: "Direction with a commissioner",
    },
    Fact.AGREED: {word.value: said for word, said in GROUNDS.items()},
}
REASON_AT_MOST = 1000


class AgreedForm(Form):
    """Whether the Department has agreed; the details are asked beside it."""

    agreed = ChosenRadioField(
        "Has the Department agreed this council?",
        said="Say whether the Department has agreed",
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "Not yet. Make a proposal")],
    )


def _ground() -> ChosenRadioField:
    return ChosenRadioField(
        "On what ground",
        said="Choose the ground",
        choices=[SelectChoice(ground.value, words) for ground, words in GROUNDS.items()],
    )


def _evidence() -> TextAreaField:
    return TextAreaField(
        "What is the evidence",
        description="For example, the date of the Ofsted report. Do not name people.",
        validators=[
            InputRequired("Enter the evidence"),
            Length(max=2000, message="The evidence must be 2,000 characters or fewer"),
        ],
    )


class AgreementForm(Form):
    """When, with whom and on what ground the Department agreed (sch 4 SLAs)."""

    agreed_on = DatePartsField(
        "When was it agreed",
        said="The day of the agreement",
        validators=[InputRequired("Enter the day of the agreement")],
    )
    agreed_with = StringField(
        "Who agreed for the Department",
        validators=[
            InputRequired("Enter who agreed for the Department"),
            Length(max=200, message="The name must be 200 characters or fewer"),
        ],
    )
    ground = _ground()
    evidence = _evidence()

    def ask_nothing_of_agreement(self) -> None:
        """Pass over the fields, whatever was typed: nothing was agreed yet."""
        for field in (self.agreed_on, self.agreed_with, self.ground, self.evidence):
            field.validators = [Optional()]
            field.process_errors = []
        self.ground.asked = False

    @property
    def agreement(self) -> Agreement:
        if self.agreed_on.data is None:
            raise LookupError("the form was not filled in")
        return Agreement(
            on=self.agreed_on.data,
            agreed_with=self.agreed_with.data,
            ground=Ground(self.ground.data),
            evidence=self.evidence.data,
        )


class AgreeingForm(Form):
    """The Department itself agrees a council: on what ground, and what shows it."""

    ground = _ground()
    evidence = _evidence()


def _reason(label: str) -> TextAreaField:
    return TextAreaField(
        label,
        validators=[
            InputRequired("Say why"),
            Length(max=REASON_AT_MOST, message=f"The reason must be {REASON_AT_MOST:,} characters or fewer"),
        ],
    )


class RefusingForm(Form):
    """The Department does not agree a council, and why."""

    reason = _reason("Why do you not agree?")


class AskAgainForm(Form):
    """What is new since the Department did not agree."""

    news = TextAreaField(
        "What is new?",
        description="The Department reads this. Do not name people.",
        validators=[
            InputRequired("Say what is new"),
            Length(max=2000, message="What is new must be 2,000 characters or fewer"),
        ],
    )


class FactForm(Form):
    """A dated fact: what, since when, and on what it rests."""

    value = ChosenRadioField("What is it?", said="Choose what it is")
    from_on = DatePartsField(
        "Since when", said="The first day", validators=[InputRequired("Enter the first day")]
    )
    to_on = DatePartsField("Last day, if it holds no longer", said="The last day", validators=[Optional()])
    evidence = TextAreaField(
        "What does it rest on?",
        description="For example, the date and address of the published report. "
        "The Department reads this. Do not name people.",
        validators=[
            InputRequired("Say what it rests on"),
            Length(max=2000, message="The evidence must be 2,000 characters or fewer"),
        ],
    )

    def shape(self, fact: Fact) -> None:
        """Offer the words of one kind of fact."""
        self.value.choices = [SelectChoice(value, said) for value, said in VALUES[fact].items()]
        if len(VALUES[fact]) == 1:
            self.value.data = next(iter(VALUES[fact]))

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "value": self.value.data,
            "from_on": day(self.from_on),
            "to_on": self.to_on.data,
            "evidence": self.evidence.data,
        }


class CorrectionForm(FactForm):
    """What should have been recorded instead, and why."""

    agreed_with = StringField(
        "Who agreed for the Department",
        validators=[
            InputRequired("Enter who agreed for the Department"),
            Length(max=200, message="The name must be 200 characters or fewer"),
        ],
    )
    reason = _reason("Why is it corrected?")

    def shape(self, fact: Fact) -> None:
        super().shape(fact)
        if fact is not Fact.AGREED:
            del self.agreed_with

    @classmethod
    def of(cls, fact: CouncilFact) -> "CorrectionForm":
        """The form with what stands there now."""
        return cls(
            value=fact.value,
            from_on=fact.from_on,
            to_on=fact.to_on,
            evidence=fact.evidence,
            agreed_with=fact.agreed_with,
        )

    @property
    def correction(self) -> dict[str, Any]:
        """What the rule takes."""
        with_whom = self.agreed_with.data if "agreed_with" in self else None
        return {**self.said, "agreed_with": with_whom, "reason": self.reason.data}


class TakeBackForm(Form):
    reason = _reason("Why is it taken back?")


class EndFactForm(Form):
    on = DatePartsField(
        "First day on which it holds no longer",
        said="The day",
        validators=[InputRequired("Enter the day")],
    )
    reason = _reason("Why does it hold no longer?")


class NeighboursForm(Form):
    neighbours = SomeCheckboxesField("Which councils are next to it?", said="Choose from the list")

    def offer(self, councils: Iterable[Council]) -> None:
        """Every council but itself."""
        self.neighbours.choices = [SelectChoice(str(council.id), council.short_name) for council in councils]

    @property
    def chosen(self) -> list[UUID]:
        return [UUID(value) for value in self.neighbours.data or ()]


class ReviewForm(Form):
    held_on = DatePartsField(
        "When was the review held?",
        said="The day of the review",
        validators=[InputRequired("Enter the day of the review")],
    )
    notes = TextAreaField(
        "What came of it",
        validators=[Length(max=4000, message="The notes must be 4,000 characters or fewer")],
    )

    @property
    def review(self) -> dict[str, Any]:
        """What the rule takes."""
        held_on: date = day(self.held_on)
        return {"held_on": held_on, "notes": self.notes.data or ""}
