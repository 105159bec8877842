"""A day to look at: another than today, asked for by GET, so that what is shown has an address."""

from datetime import date

from wtforms.validators import Optional, StopValidation

from portal.days import YEARS
from portal.forms.base import DatePartsField, Form


class AsOfForm(Form):
    """The day whose figures are shown. `asked` is None where none was asked for, or no real one.

    Links name it whole (`?as_of=2023-03-27`), the form in three parts.
    """

    class Meta(Form.Meta):
        csrf = False

    as_of = DatePartsField("Show another day", said="The day", validators=[Optional()])

    def validate_as_of(self, field: DatePartsField) -> None:
        if field.data is not None and field.data.year not in YEARS:
            raise StopValidation(f"The day must be in the years {YEARS[0]} to {YEARS[-1]}")

    @property
    def asked(self) -> date | None:
        return None if self.errors else self.as_of.data
