"""Forms about notices to the Controller, and the rota of who is told when one does not arrive."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import HiddenField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import DatePartsField, Form, HiddenNumberField
from portal.forms.programme import ChosenRadioField, ChosenSelectField, day
from portal.forms.times import HiddenOnceField, MinuteField, instant_of
from portal.models import Mailbox, Person
from privacy.cases.tables import NoticeKind, Way

TEXT_AT_MOST = 8000
EVIDENCE_AT_MOST = 1000
KINDS = {
    NoticeKind.FURTHER: "Further information",
    NoticeKind.OUTCOME: "The outcome of this incident",
    NoticeKind.UNLAWFUL: "An instruction looks unlawful to us",
}


class FurtherForm(Form):
    """The next phase of a case."""

    kind = ChosenRadioField("What is this notice?", said="Choose what this notice is")
    text = TextAreaField(
        "What the Controller is to be told",
        validators=[
            InputRequired("Enter what the Controller is to be told"),
            Length(max=TEXT_AT_MOST, message=f"Use {TEXT_AT_MOST:,} characters or fewer"),
        ],
    )
    phase = HiddenNumberField()
    """The number that this notice was to have: a form that is sent twice makes one notice."""

    def offer(self, kinds: Iterable[NoticeKind]) -> None:
        self.kind.choices = [SelectChoice(kind.value, KINDS[kind]) for kind in kinds]

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "kind": NoticeKind(self.kind.data),
            "text": self.text.data,
            "number": self.phase.data,
        }


class TakenThereForm(Form):
    """That a notice was posted, or left by hand; `sending_id` is the id of this way."""

    sending_id = HiddenOnceField()
    way = ChosenRadioField(
        "How did it go?",
        said="Choose how it went",
        choices=[
            SelectChoice(Way.POST.value, "Posted, first class"),
            SelectChoice(Way.HAND.value, "Left by hand at the Controller's address"),
        ],
    )
    to = ChosenRadioField("Who is it for?", said="Choose who it is for")
    on = DatePartsField("On which day?", said="The day", validators=[InputRequired("Enter the day")])
    at = MinuteField(
        "At what time?", description="For example, 2:30pm", validators=[InputRequired("Enter the time")]
    )
    evidence = TextAreaField(
        "What shows it?",
        description="Such as the number of the receipt, or who took it.",
        validators=[
            InputRequired("Enter what shows it"),
            Length(max=EVIDENCE_AT_MOST, message=f"Use {EVIDENCE_AT_MOST:,} characters or fewer"),
        ],
    )

    def offer(self, names: Iterable[tuple[Mailbox, str]]) -> None:
        self.to.choices = [SelectChoice(to.value, name[0].upper() + name[1:]) for to, name in names]

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes. Raises MissingTime."""
        return {
            "way": Way(self.way.data),
            "to": Mailbox(self.to.data),
            "at": instant_of(self.on, self.at),
            "sending_id": self.sending_id.id_to_make,
            "evidence": self.evidence.data,
        }


class AgainForm(Form):
    to = HiddenField()


class DutyForm(Form):
    """Somebody for the rota; `duty_id` is the id of this turn."""

    duty_id = HiddenOnceField()
    person_id = ChosenSelectField("Who is on duty?", said="Choose who is on duty")
    from_on = DatePartsField(
        "From which day?", said="The first day", validators=[InputRequired("Enter the first day")]
    )
    to_on = DatePartsField(
        "Until which day?",
        said="The last day",
        description="This day is included.",
        validators=[InputRequired("Enter the last day")],
    )

    def offer(self, people: Iterable[Person]) -> None:
        self.person_id.choices = [SelectChoice(str(one.id), one.name or one.ref) for one in people]

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "person_id": UUID(self.person_id.data),
            "duty_id": self.duty_id.id_to_make,
            "from_on": day(self.from_on),
            "to_on": day(self.to_on),
        }
