"""Forms for notes on sessions, for goals, and for what people need."""

from collections.abc import Iterable

from wtforms import TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form
from portal.forms.programme import ChosenRadioField
from portal.forms.times import HiddenOnceField
from portal.models import NoteKind
from portal.packages import goals, notes
from portal.people import needs
from privacy.registers import DataItem

KINDS = {
    NoteKind.SHARED: "The leader and their mentors",
    NoteKind.PRIVATE: "Only me",
}


class NoteTextForm(Form):
    """The words of a note."""

    text = TextAreaField(
        "Note",
        validators=[
            InputRequired("Write a note"),
            Length(max=notes.AT_MOST, message=f"Use {notes.AT_MOST:,} characters or fewer"),
        ],
    )


class NoteForm(NoteTextForm):
    """A new note on a session; `note_id` is its own id. Where only one kind can be written, the page asks nothing and
    posts it."""

    note_id = HiddenOnceField()
    kind = ChosenRadioField(
        "Who can read it?",
        said="Say who can read the note",
        choices=[SelectChoice(kind.value, words) for kind, words in KINDS.items()],
    )

    def offer(self, kinds: Iterable[NoteKind]) -> None:
        """Which kinds can be chosen."""
        self.kind.choices = [SelectChoice(kind.value, KINDS[kind]) for kind in kinds]


class RemarkForm(Form):
    """How a goal is going, in words; `event_id` is the id of what is said."""

    event_id = HiddenOnceField()
    remark = TextAreaField(
        "How is it going?",
        validators=[
            InputRequired("Enter what you want to say"),
            Length(max=goals.REMARK_AT_MOST, message=f"Use {goals.REMARK_AT_MOST:,} characters or fewer"),
        ],
    )


class RewordForm(Form):
    """A goal in other words."""

    goals = TextAreaField(
        "Goal",
        validators=[
            InputRequired("Enter a goal"),
            Length(max=goals.GOAL_AT_MOST, message=f"Use {goals.GOAL_AT_MOST:,} characters or fewer"),
        ],
    )


_needs = Length(max=needs.AT_MOST, message=f"Use {needs.AT_MOST:,} characters or fewer")


class NeedsForm(Form):
    """What somebody needs in a session; only what an instruction lists is asked for."""

    adjustments = TextAreaField(
        "Adjustments",
        description="For example a hearing loop, large print, or a room without steps.",
        validators=[_needs],
    )
    dietary = TextAreaField(
        "Dietary needs", description="For example vegetarian, halal, or no nuts.", validators=[_needs]
    )

    def ask(self, kinds: Iterable[DataItem]) -> None:
        """Leave out what may not be asked for."""
        for item in set(needs.WORDS) - set(kinds):
            del self[item.value]

    @property
    def said(self) -> dict[DataItem, str | None]:
        """What the rule takes."""
        return {item: self[item.value].data or None for item in needs.WORDS if item.value in self}
