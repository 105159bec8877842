"""The base of every form, and the fields that the library lacks."""

import hashlib
import unicodedata
from contextlib import suppress
from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    IntegerField,
    PasswordField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.utils import unset_value
from wtforms.validators import StopValidation
from wtforms.widgets import HiddenInput

from portal.mailing import letters

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
PARTS = ("day", "month", "year")
YEARS = range(1900, 2101)
LARGEST = 2**31 - 1


def one_line(value: str | None) -> str | None:
    """Typed text on one line, no space at the ends, empty when nothing of it can be seen. None stays None."""
    if value is None:
        return None
    line = letters.one_line(value)
    # Marks that join letters or emoji stay; alone they are no text.
    return line if without_marks(line) else ""


def without_marks(value: str) -> str:
    """The text without what can't be seen, such as the marks of direction around a date that was pasted."""
    return "".join(letter for letter in value if unicodedata.category(letter) != "Cf")


def plain_line(value: str | None) -> str | None:
    """What is typed to be read by rules, such as a date or an address: one line without marks."""
    return None if value is None else letters.one_line(without_marks(value))


def many_lines(value: str | None) -> str | None:
    """Typed text with its line ends as one character each, as counters count them. None stays None."""
    if value is None:
        return None
    return value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()


class OwnWords:
    """Stands where the library looks for translations: whatever it has to say, we say in our words."""

    def gettext(self, message: str) -> str:
        if "integer" in message:
            return "Enter a whole number"
        return "Choose from the list" if "hoice" in message else "Check what you entered"

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular)


class WholeNumberField(IntegerField):
    """A whole number, typed: none that databases or the library's comparisons could not hold."""

    data: int | None

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata([plain_line(value) or "" for value in valuelist[:1]])
        if self.data is not None and abs(self.data) > LARGEST:
            self.data = None
            raise ValueError("Enter a smaller number")


class HiddenNumberField(WholeNumberField):
    """A number that the page carries along, such as what somebody saw; None where what comes back is none."""

    widget = HiddenInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        with suppress(ValueError):
            super().process_formdata(valuelist)


class Form(FlaskForm):
    """Tidies what is typed into text fields before it is checked, and takes errors from rules."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> OwnWords:
            return OwnWords()

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            kind = unbound_field.field_class
            filters = list(unbound_field.kwargs.get("filters", ()))
            if issubclass(kind, TextAreaField):
                filters.insert(0, many_lines)
            elif issubclass(kind, EmailField | TelField):
                filters.insert(0, plain_line)
            elif issubclass(kind, StringField) and not issubclass(kind, PasswordField | HiddenField):
                filters.insert(0, one_line)
            return unbound_field.bind(form=form, filters=filters, **options)

    def named(self, name: str) -> Field | None:
        """The field with a name; None where a rule speaks of one that is not in this form."""
        return next((field for field in self if field.name == name), None)

    def refuse(self, field: Field | None, problem: object) -> None:
        """Show a broken rule beside a field, or above the form when it belongs to none."""
        if field is None:
            self.form_errors.append(str(problem))
        else:
            field.errors = [*field.errors, str(problem)]


class SureBooleanField(BooleanField):
    """A box that answers the question it was shown with, and no other: its value names that question, so that a tick
    does not stand for a time or a person that was chosen after it."""

    answered = ""

    def process_formdata(self, valuelist: list[Any]) -> None:
        self.answered = str(valuelist[0]) if valuelist else ""
        super().process_formdata(valuelist)

    def answers(self, question: str) -> bool:
        """Whether it was ticked beside this question."""
        return bool(self.data) and self.answered == _named(question)

    @property
    def value(self) -> str:
        """What the box is sent with: the name of what is asked now, or of what was answered."""
        return _named(self.errors[-1]) if self.errors else self.answered

    @property
    def ticked(self) -> bool:
        """Whether it is shown ticked: not beside a question that is new."""
        return bool(self.data) and not self.errors


def _named(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:16]


class DatePartsField(Field):
    """A date in three boxes, posted as name-day, name-month and name-year. A month can be typed as a word.

    `data` is the date or None; `parts` what was typed; `wrong_parts` the boxes at fault, None when none is.
    For a date that must be there use InputRequired. `said` begins its messages, such as "The start date".
    """

    def __init__(self, label: str = "", *, said: str = "The date", **options: Any) -> None:
        super().__init__(label, **options)
        self.said = said
        self.parts: dict[str, str] = dict.fromkeys(PARTS, "")
        self.wrong_parts: list[str] | None = None

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        super().process(None, data, extra_filters)
        if isinstance(self.data, date):
            shown = self.data
            self.parts = {"day": str(shown.day), "month": str(shown.month), "year": str(shown.year)}
        names = [f"{self.name}-{part}" for part in PARTS]
        if formdata is not None and any(name in formdata for name in names):
            self._take([(plain_line(formdata.get(name, "")) or "")[:20] for name in names])

    def _take(self, typed: list[str]) -> None:
        self.parts = dict(zip(PARTS, typed, strict=True))
        self.raw_data = [" ".join(typed)] if any(typed) else []
        self.data = None
        missing = [part for part in PARTS if not self.parts[part]]
        if len(missing) == len(PARTS):
            return
        if missing:
            self.wrong_parts = missing
            self.process_errors.append(f"{self.said} must include a {' and a '.join(missing)}")
            return
        day, month, year = typed
        if year.isdigit() and len(year) != 4:
            self.wrong_parts = ["year"]
            self.process_errors.append(f"{self.said} needs a year of four figures, such as 2023")
            return
        try:
            self.data = date(_year(year), _month(month), int(day))
        except (ValueError, OverflowError):
            self.wrong_parts = list(PARTS)
            self.process_errors.append(f"{self.said} must be a real date, such as 27 3 2023")

    def pre_validate(self, form: Any) -> None:
        if self.process_errors:
            # Whatever else is asked of the date makes no sense while it is none.
            raise StopValidation()

    def _value(self) -> str:
        return self.data.isoformat() if self.data else ""


def _month(text: str) -> int:
    word = text.lower()
    if not word.isdigit() and len(word) >= 3:
        return next((number for number, name in enumerate(MONTHS, 1) if name.startswith(word)), 0)
    return int(text)


def _year(text: str) -> int:
    if len(text) != 4:
        raise ValueError("a year has four figures")
    year = int(text)
    if year not in YEARS:
        raise ValueError("a year that nobody means")
    return year
