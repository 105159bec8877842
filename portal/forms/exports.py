"""The form of an export."""

from collections.abc import Sequence

from wtforms import BooleanField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.programme import ChosenRadioField, SomeCheckboxesField
from portal.results.exports import REASON_AT_MOST, Order
from surveys.export_files import Format
from surveys.versions import Published

FORMATS = (
    SelectChoice(Format.XLSX.value, "Spreadsheet (XLSX)"),
    SelectChoice(Format.CSV.value, "CSV files"),
    SelectChoice(Format.JSONL.value, "JSON lines"),
)


class ExportForm(Form):
    codes = SomeCheckboxesField(
        "Questionnaires",
        said="Choose questionnaires from the list",
        validators=[InputRequired("Choose at least one questionnaire")],
    )
    format = ChosenRadioField("Format", said="Choose a format", choices=FORMATS, default=Format.XLSX.value)
    partial = BooleanField("Also what people began and didn't finish in time")
    who = ChosenRadioField(
        "Who answered",
        said="Choose whether names are in it",
        choices=(
            SelectChoice("codes", "A code for each person"),
            SelectChoice("names", "Names and councils"),
        ),
        default="codes",
    )
    reason = TextAreaField(
        "Why names are needed",
        validators=[
            Length(max=REASON_AT_MOST, message=f"The reason must be {REASON_AT_MOST:,} characters or fewer")
        ],
    )

    def offer(self, published: Sequence[Published]) -> None:
        """Which questionnaires can be chosen."""
        self.codes.choices = [SelectChoice(one.code, one.questionnaire.title) for one in published]

    def order(self) -> Order:
        """What was asked for; the form was checked."""
        return Order(
            codes=tuple(dict.fromkeys(self.codes.data)),
            format=Format(self.format.data),
            named=self.who.data == "names",
            partial=self.partial.data,
            reason=self.reason.data or "",
        )
