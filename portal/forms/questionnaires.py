"""The form of those who would rather talk. Question pages need none: the engine reads and checks them."""

from wtforms import StringField, TelField
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.phones import a_phone_number


class RingMeForm(Form):
    phone = TelField(
        "Phone number",
        validators=[
            InputRequired("Enter the phone number to ring"),
            *a_phone_number(may_stay=False),
        ],
    )
    when = StringField(
        "When is a good time?",
        description="For example, weekdays after 4pm. You can leave this empty.",
        validators=[Length(max=200, message="When to ring must be 200 characters or fewer")],
    )
