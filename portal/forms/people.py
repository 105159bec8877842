"""Forms about people and the offices they hold."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from wtforms import EmailField, SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.forms.base import DatePartsField, Form, SureBooleanField
from portal.forms.phones import a_phone_number
from portal.forms.programme import ChosenSelectField
from portal.models import Council, Role
from portal.people.register import ADDRESS_AT_MOST, NAME_AT_MOST, Authority
from portal.programme import Programme

BOTH_HOLD_IT = "Both hold the role in these days"


class ContactForm(Form):
    """What is known of a person."""

    name = StringField(
        "Name",
        validators=[
            InputRequired("Enter a name"),
            Length(max=NAME_AT_MOST, message=f"The name must be {NAME_AT_MOST} characters or fewer"),
        ],
    )
    email = EmailField(
        "E-mail address",
        validators=[
            InputRequired("Enter an e-mail address"),
            Length(max=ADDRESS_AT_MOST, message=f"The address must be {ADDRESS_AT_MOST} characters or fewer"),
        ],
    )
    phone = TelField("Phone number, if known", validators=a_phone_number())

    @property
    def contact(self) -> dict[str, Any]:
        """What the rules take."""
        return {
            "name": self.name.data,
            "email": self.email.data,
            "phone": self.phone.data or None,
        }


class OfficeFields(Form):
    """A role, where it is held, from when to when."""

    role = ChosenSelectField("Role", said="Choose a role")
    council = SelectField("Council, for a role in a council", validate_choice=False)
    starts_on = DatePartsField(
        "First day in the role",
        said="The first day",
        validators=[InputRequired("Enter the first day in the role")],
    )
    ends_on = DatePartsField("Last day in the role, if known", said="The last day", validators=[Optional()])
    sure = SureBooleanField(BOTH_HOLD_IT)

    def offer(self, programme: Programme, councils: Iterable[Council], *, by: Authority) -> None:
        """What the one who fills it in can choose."""
        self.role.choices = [
            SelectChoice(role.value, programme.roles[role]) for role in Role if role in by.roles
        ]
        self.council.choices = [SelectChoice(str(council.id), council.name) for council in councils]

    @property
    def office(self) -> dict[str, Any]:
        """What the rules take."""
        offered = {choice.value for choice in self.council.choices}
        return {
            "role": Role(self.role.data),
            "council_id": UUID(self.council.data) if self.council.data in offered else None,
            "starts_on": self.starts_on.data,
            "ends_on": self.ends_on.data,
        }


class OfficeForm(OfficeFields):
    """A further office of somebody who is known."""


class PersonForm(ContactForm, OfficeFields):
    """A new person with an office."""


class EndOfficeForm(Form):
    on = DatePartsField(
        "Last day in the role", said="The last day", validators=[InputRequired("Enter the last day")]
    )
    sure = SureBooleanField(BOTH_HOLD_IT)
