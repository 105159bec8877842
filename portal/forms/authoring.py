"""Forms of the team's work on questionnaires. The words of a question come beside them, as many as it has."""

from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, TextAreaField
from wtforms.validators import InputRequired, Length

from portal.answers.authoring import FILES_AT_MOST
from portal.forms.base import Form, HiddenNumberField
from surveys.corrections import REASON_AT_MOST


class WordingForm(Form):
    reason = TextAreaField(
        "Why the words change",
        description="For the record. Don't name people.",
        validators=[
            InputRequired("Say why the words change"),
            Length(max=REASON_AT_MOST, message=f"The reason must be {REASON_AT_MOST:,} characters or fewer"),
        ],
    )
    same = BooleanField(
        "It still means the same, so that answers before and after can be compared",
        validators=[
            InputRequired(
                "Confirm that it still means the same. If it doesn't, upload a changed file instead"
            )
        ],
    )
    seen = HiddenNumberField()


class UploadForm(Form):
    files = MultipleFileField(
        "Files",
        description=f"YAML or JSON, up to {FILES_AT_MOST}. Send both waves together when a statement that they "
        "share changes.",
    )


class PublishForm(Form):
    """The second act: a button, and what the rule may say instead."""
