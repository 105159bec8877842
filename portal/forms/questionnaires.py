"""The form of those who would rather talk. Question pages need none: the engine reads and checks them."""

from wtforms import StringField, TelField
from wtforms.validators import InputRequired, Length, Regexp

from portal.forms.base import Form


class RingMeForm(Form):
    phone = TelField(
        "Phone number",
        validators=[
            InputRequired("Enter the phone number to ring"),
            Length(max=40, message="The phone number must be 40 characters or fewer"),
            Regexp(
                r"^\+?(?:[^0-9]*[0-9]){6,15}[^0-9]*$",
                message="The phone number must have 6 to 15 digits, such as 07700 900 982",
            ),
        ],
    )
    when = StringField(
        "When is a good time?",
        description="For example, weekdays after 4pm. You can leave this empty.",
        validators=[Length(max=200, message="When to ring must be 200 characters or fewer")],
    )
