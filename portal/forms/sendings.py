"""The form of mail to many."""

from collections.abc import Sequence

from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from portal.forms.base import Form
from portal.forms.programme import SomeCheckboxesField
from portal.mailing.sendings import Addressee


class ChosenForm(Form):
    """Who gets it. What is offered may have changed since the page was shown: who can get nothing any more is passed
    over, and the next page shows who is left."""

    chosen = SomeCheckboxesField(
        "Who gets one", said="Choose from the list", validators=[DataRequired("Choose who gets one")]
    )

    def offer(self, going: Sequence[Addressee], *, ticked: bool) -> None:
        self.chosen.choices = [SelectChoice(one.key, one.person.name or one.person.ref) for one in going]
        if not self.is_submitted() and ticked:
            self.chosen.data = [one.key for one in going]
        elif self.chosen.data:
            known = {one.key for one in going}
            self.chosen.data = [key for key in self.chosen.data if key in known]
