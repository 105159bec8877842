"""Forms with which the desk works a case: the record of a search, what is taken out of files, letters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast
from uuid import UUID

from wtforms import BooleanField, EmailField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, StopValidation

from portal.cases.letter_templates import TEXT_AT_MOST, TITLE_AT_MOST
from portal.cases.letter_words import GROUNDS
from portal.cases.letters import WORD_AT_MOST, To, Written
from portal.cases.redaction import MARK_AT_MOST, REASON_AT_MOST, Choice, Settled
from portal.cases.search import FOUND_AT_MOST, Searched, SearchPlace
from portal.forms.base import DatePartsField, Form
from portal.forms.programme import ChosenRadioField, ChosenSelectField, SomeCheckboxesField
from portal.forms.times import HiddenOnceField
from privacy.cases.letters import PURPOSES, LetterKind
from privacy.cases.redactions import Ground, RedactionMark
from privacy.cases.tables import Way


def _at_most(length: int) -> Length:
    return Length(max=length, message=f"Use {length:,} characters or fewer")


# ---- the record of a search


class SearchFields(Form):
    """Where was looked, and why that is enough; `search_form` adds a field for what was found in each place."""

    event_id = HiddenOnceField()
    places = SomeCheckboxesField("What was searched?", said="Choose from the list")
    text = TextAreaField(
        "What was searched for?",
        description="Such as names, addresses and dates. Leave it empty if it was everything.",
        validators=[_at_most(2000)],
    )
    proportionate = TextAreaField(
        "Why is this search enough?",
        description="It has to be reasonable and proportionate. Say why what you left out need not be searched.",
        validators=[InputRequired("Enter why this search is enough"), _at_most(4000)],
    )

    @property
    def searched(self) -> Searched:
        found = {
            field.name.removeprefix("found_"): field.data
            for field in self
            if field.name.startswith("found_") and field.data
        }
        return Searched(
            frozenset(self.places.data or []), found, self.proportionate.data or "", self.text.data or ""
        )


def search_form(places: Sequence[SearchPlace], before: Searched | None) -> SearchFields:
    """The form for these places; it begins with what was said last time, or with what the product itself counted."""
    fields = {
        f"found_{place.code}": StringField(
            f"What was found in “{place.name}”?", validators=[_at_most(FOUND_AT_MOST)]
        )
        for place in places
    }
    counted = [place.code for place in places if place.rows is not None]
    begin = {
        "places": sorted(before.codes) if before is not None else counted,
        "text": before.text if before is not None else "",
        "proportionate": before.proportionate if before is not None else "",
        **{f"found_{code}": note for code, note in (before.found.items() if before is not None else ())},
    }
    form = cast(SearchFields, type("SearchForm", (SearchFields,), fields)(data=begin))
    form.places.choices = [SelectChoice(place.code, place.name) for place in places]
    return form


# ---- redaction


def _ground_choices() -> list[SelectChoice]:
    return [SelectChoice(ground.value, words) for ground, words in GROUNDS.items()]


class ChooseFilesForm(Form):
    """The files of a round."""

    files = SomeCheckboxesField("Which files are to be handed over?", said="Choose from the list")

    def offer(self, choices: Iterable[Choice]) -> None:
        self.files.choices = [SelectChoice(str(one.file.id), one.file.name or "") for one in choices]

    @property
    def chosen(self) -> list[UUID]:
        return [UUID(value) for value in self.files.data or []]


class AddMarkForm(Form):
    """Something else to take out."""

    text = StringField(
        "Take out",
        description="It is found in small and capital letters, with and without accents, spaces and hyphens.",
        validators=[InputRequired("Enter what is to be taken out"), _at_most(MARK_AT_MOST)],
    )
    ground = ChosenSelectField("Why", said="Choose why", choices=_ground_choices())
    reason = StringField("The reason, if it is another one", validators=[_at_most(REASON_AT_MOST)])
    inside = BooleanField("Also within longer words")


class SendBackForm(Form):
    """Why copies are not good yet."""

    reason = TextAreaField(
        "What has to change?",
        validators=[InputRequired("Enter what has to change"), _at_most(REASON_AT_MOST)],
    )


class MarksFields(Form):
    """What becomes of each mark; `marks_form` adds the fields."""

    marks: Sequence[RedactionMark] = ()

    @property
    def settled(self) -> Mapping[UUID, Settled]:
        return {
            mark.id: Settled(
                self[f"taken_{mark.id.hex}"].data,
                Ground(self[f"ground_{mark.id.hex}"].data),
                self[f"reason_{mark.id.hex}"].data or "",
            )
            for mark in self.marks
        }


def marks_form(marks: Sequence[RedactionMark]) -> MarksFields:
    """The form for these marks, as they stand."""
    fields: dict[str, object] = {}
    begin: dict[str, object] = {}
    for mark in marks:
        key = mark.id.hex
        fields[f"taken_{key}"] = BooleanField("Take it out")
        fields[f"ground_{key}"] = ChosenSelectField("Why", said="Choose why", choices=_ground_choices())
        fields[f"reason_{key}"] = StringField(
            "The reason, if it is another one", validators=[_at_most(REASON_AT_MOST)]
        )
        begin |= {
            f"taken_{key}": mark.taken_out,
            f"ground_{key}": mark.ground.value,
            f"reason_{key}": mark.reason,
        }
    form = cast(MarksFields, type("MarksForm", (MarksFields,), fields)(data=begin))
    form.marks = marks
    return form


# ---- letters


class LetterForm(Form):
    """A letter as it is written; the word is its reason or its question. `letter_id` is the id of a new one."""

    letter_id = HiddenOnceField()
    name = StringField("Name", validators=[InputRequired("Enter the name of whom it goes to"), _at_most(200)])
    email = EmailField("E-mail address", validators=[_at_most(254)])
    address = TextAreaField("Postal address", validators=[_at_most(500)])
    word = TextAreaField("Reason", validators=[_at_most(WORD_AT_MOST)])
    title = StringField("Heading", validators=[InputRequired("Enter a heading"), _at_most(TITLE_AT_MOST)])
    text = TextAreaField("The letter", validators=[InputRequired("Enter the letter"), _at_most(TEXT_AT_MOST)])

    def begin_with(self, kind: LetterKind) -> None:
        """Leave out the word where this kind of letter has none."""
        word = PURPOSES[kind].word
        if word is None:
            del self.word
        else:
            self.word.label.text = "Question" if word == "question" else "Reason"
            self.word.description = f"It stands in the letter where {{{word}}} is, and in the case."

    @property
    def written(self) -> Written:
        lines = [line.strip() for line in (self.address.data or "").splitlines() if line.strip()]
        to = To(self.name.data or "", self.email.data or "", lines)
        word = self["word"].data or "" if "word" in self else ""
        return Written(self.title.data or "", self.text.data or "", to, word)


def letter_data(written: Written) -> dict[str, object]:
    """What a form of this letter begins with."""
    return {
        "name": written.to.name,
        "email": written.to.email,
        "address": "\n".join(written.to.lines),
        "word": written.word,
        "title": written.title,
        "text": written.text,
    }


class CarriedForm(Form):
    """That somebody posted a letter, or handed it over."""

    way = ChosenRadioField(
        "How did it go?",
        said="Choose how it went",
        choices=[SelectChoice(Way.POST.value, "By post"), SelectChoice(Way.HAND.value, "Handed over")],
    )
    on = DatePartsField("When?", said="The day", validators=[InputRequired("Enter the day")])
    evidence = StringField(
        "What shows it?",
        description="Such as a receipt of the post office, or who saw it.",
        validators=[InputRequired("Enter what shows it"), _at_most(500)],
    )


class TemplateForm(Form):
    """A new version of a template; `entry_id` is the id of its entry."""

    entry_id = HiddenOnceField()
    title = StringField("Heading", validators=[InputRequired("Enter a heading"), _at_most(TITLE_AT_MOST)])
    text = TextAreaField("Text", validators=[InputRequired("Enter the text"), _at_most(TEXT_AT_MOST)])

    def validate_text(self, field: TextAreaField) -> None:
        if "{}" in (field.data or ""):
            raise StopValidation("Write a name in the braces, or leave them out")
