"""Forms of the codebook, and of a text that is sorted by it."""

from collections.abc import Mapping
from typing import Any

from wtforms import HiddenField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.forms.base import Form, HiddenNumberField
from surveys.themes import Book, Sorted

LABEL_AT_MOST, WORDS_AT_MOST, QUOTE_AT_MOST = 60, 600, 1000
_words = Length(max=WORDS_AT_MOST, message=f"Use {WORDS_AT_MOST} characters or fewer")


class ThemeForm(Form):
    """A theme of the codebook."""

    label = StringField(
        "Name",
        description="Two or three words, such as: Working with scrutiny",
        validators=[
            InputRequired("Enter a name"),
            Length(max=LABEL_AT_MOST, message=f"The name must be {LABEL_AT_MOST} characters or fewer"),
        ],
    )
    definition = TextAreaField(
        "What it is about", validators=[InputRequired("Write what it is about"), _words]
    )
    include = TextAreaField("What belongs to it (optional)", validators=[_words])
    exclude = TextAreaField("What doesn't (optional)", validators=[_words])
    example = TextAreaField(
        "An example (optional)",
        description="Make one up. Nothing that somebody wrote belongs here.",
        validators=[_words],
    )
    seen = HiddenNumberField()


class SortForm(Form):
    """The themes of a text, and what may be quoted of it."""

    codes = SelectMultipleField("Which themes is it about?", validate_choice=False)
    quote = TextAreaField(
        "What may be quoted",
        description=(
            "Leave it empty for no quote. Use their words. Leave words out with …, and put what stands for a name "
            "in [brackets], such as: [a colleague] now brings the data."
        ),
        validators=[Length(max=QUOTE_AT_MOST, message=f"Use {QUOTE_AT_MOST:,} characters or fewer")],
    )
    seen = HiddenField()

    def offer(self, book: Book, given: Sorted | None, labels: Mapping[str, str]) -> None:
        """The themes of the book, and those that the text has from an earlier one."""
        known = [SelectChoice(theme.code, theme.label) for theme in book.themes]
        codes = {theme.code for theme in book.themes}
        earlier = [
            SelectChoice(code, f"{labels.get(code, code)} (not in the codebook any more)")
            for code in (given.codes if given else ())
            if code not in codes
        ]
        self.codes.choices = [*known, *earlier]


def beginning(given: Sorted | None, stamp: str) -> dict[str, Any]:
    """What the form of a text begins with."""
    return {
        "codes": list(given.codes) if given else [],
        "quote": (given.quote or "") if given else "",
        "seen": stamp,
    }
