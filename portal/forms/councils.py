"""Forms about councils: the agreement with the Department."""

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.councils import Agreement
from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField
from portal.models import Ground

GROUNDS = {
    Ground.INADEQUATE: "Ofsted judged it inadequate",
    Ground.REQUIRES_IMPROVEMENT: "Ofsted judged that it requires improvement",
    Ground.SEND_STATEMENT: "Written statement of action on SEND, or the like",
    Ground.DECLINE: "Other evidence of decline",
}


class AgreedForm(Form):
    """Whether the Department has agreed; the details are asked beside it."""

    agreed = ChosenRadioField(
        "Has the Department agreed this council?",
        said="Say whether the Department has agreed",
        choices=[SelectChoice("yes", "Yes"), SelectChoice("no", "Not yet. Make a proposal")],
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
    ground = ChosenRadioField(
        "On what ground",
        said="Choose the ground",
        choices=[SelectChoice(ground.value, words) for ground, words in GROUNDS.items()],
    )
    evidence = TextAreaField(
        "What is the evidence",
        description="For example, the date of the Ofsted report.",
        validators=[
            InputRequired("Enter the evidence"),
            Length(max=2000, message="The evidence must be 2,000 characters or fewer"),
        ],
    )

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
