"""The form by which somebody says that a store was destroyed that the portal cannot reach."""

from collections.abc import Iterable

from wtforms import StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, ChosenSelectField, day
from privacy.returns.stores import WHO_AT_MOST, Method, Said

METHODS = {
    Method.DELETE: "It was deleted",
    Method.OVERWRITE: "It was written over, or the disk was destroyed",
    Method.CRYPTO_ERASE: "Its keys were destroyed, and it is sealed",
    Method.EXPIRY: "It expires by itself, on the day below",
    Method.NONE: "Nothing of it was ever there",
}


def _who(label: str, needed: str, hint: str) -> StringField:
    most = Length(max=WHO_AT_MOST, message=f"Use {WHO_AT_MOST} characters or fewer")
    return StringField(label, description=hint, validators=[InputRequired(needed), most])


class StoreForm(Form):
    """What somebody says of one store."""

    store = ChosenSelectField("Which store?", said="Choose the store")
    method = ChosenRadioField(
        "What happened to it?",
        said="Choose what happened to it",
        choices=[SelectChoice(method.value, said) for method, said in METHODS.items()],
    )
    done_on = DatePartsField("On which day?", said="The day", validators=[InputRequired("Enter the day")])
    expires_on = DatePartsField(
        "Day on which what is left expires, if it expires by itself",
        said="The day of expiry",
        validators=[Optional()],
    )
    who = _who("Who did it?", "Enter the role of who did it", "A role, not a name: this stays for years")
    witness = _who("Who saw it done?", "Enter the role of who saw it done", "The role of somebody else")
    evidence = StringField(
        "Reference of what proves it, if there is something",
        validators=[Length(max=WHO_AT_MOST, message=f"Use {WHO_AT_MOST} characters or fewer")],
    )

    def offer(self, names: Iterable[str]) -> None:
        """The stores that can be chosen."""
        self.store.choices = [SelectChoice(name, name) for name in names]

    @property
    def said(self) -> Said:
        """What the rule takes."""
        return Said(
            method=Method(self.method.data),
            done_on=day(self.done_on),
            who=self.who.data or "",
            witness=self.witness.data or "",
            evidence=self.evidence.data or None,
            expires_on=self.expires_on.data,
        )
