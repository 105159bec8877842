"""Forms for risks and lessons."""

from wtforms import TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.programme import ChosenRadioField
from portal.models import ProgrammeNoteKind
from portal.results.programme_notes import AT_MOST

KINDS = {ProgrammeNoteKind.RISK: "A risk", ProgrammeNoteKind.LESSON: "A lesson"}
_long = Length(max=AT_MOST, message=f"Use {AT_MOST:,} characters or fewer")


class ProgrammeNoteForm(Form):
    """A new risk or lesson."""

    kind = ChosenRadioField(
        "What is it?",
        said="Say what it is",
        choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()],
    )
    text = TextAreaField("In a sentence or two", validators=[InputRequired("Write what it is"), _long])


class CloseNoteForm(Form):
    """What came of it."""

    outcome = TextAreaField("What came of it?", validators=[InputRequired("Write what came of it"), _long])
