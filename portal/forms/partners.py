"""Forms about partners and the contacts with them."""

from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, day
from portal.models import PartnerKind, Way

KINDS = {
    PartnerKind.REGIONAL_LEAD: "Regional lead",
    PartnerKind.COMMISSIONER: "Commissioner",
    PartnerKind.SEND_ADVISER: "NHS England SEND adviser",
    PartnerKind.SECTOR_PARTNER: "Sector partner",
}
WAYS = {Way.MEETING: "Meeting", Way.CALL: "Call", Way.MAIL: "E-mail"}


class PartnerForm(Form):
    kind = ChosenRadioField(
        "What are they here?",
        said="Choose what they are here",
        choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()],
    )
    name = StringField(
        "Name",
        validators=[
            InputRequired("Enter a name"),
            Length(max=200, message="The name must be 200 characters or fewer"),
        ],
    )
    reached = TextAreaField(
        "Where they work, and how to reach them",
        validators=[Length(max=500, message="Use 500 characters or fewer")],
    )
    from_on = DatePartsField(
        "Since when do they work here?",
        said="The first day",
        validators=[InputRequired("Enter the first day")],
    )

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes."""
        return {
            "kind": PartnerKind(self.kind.data),
            "name": self.name.data,
            "reached": self.reached.data or "",
            "from_on": day(self.from_on),
        }


class PartnerEndForm(Form):
    on = DatePartsField(
        "What was their last day?", said="The last day", validators=[InputRequired("Enter the last day")]
    )


class ContactForm(Form):
    on = DatePartsField(
        "When was it?", said="The day", validators=[InputRequired("Enter the day of the contact")]
    )
    way = ChosenRadioField(
        "How were you in contact?",
        said="Choose how you were in contact",
        choices=[SelectChoice(way.value, words) for way, words in WAYS.items()],
    )
    about = TextAreaField(
        "What was it about?",
        validators=[
            InputRequired("Say what it was about"),
            Length(max=4000, message="Use 4,000 characters or fewer"),
        ],
    )

    @property
    def said(self) -> dict[str, Any]:
        """What the rule takes."""
        return {"on": day(self.on), "way": Way(self.way.data), "about": self.about.data}
