"""Forms of one-to-one bookings and of a session's own pages.

`booking` and `met` hold what the rules take, `time_field` is where a refused time is shown.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import Field, SelectField
from wtforms.fields.choices import SelectChoice

from portal.forms.base import Form, SureBooleanField
from portal.forms.times import MEANT, HiddenIdField, LengthSelectField, PickedField, TravelForm, WhenForm


class BookForm(TravelForm):
    """A time of the list; `session_id` is the new session's own id."""

    session_id = HiddenIdField()
    time = PickedField("Choose a time")

    @property
    def time_field(self) -> Field:
        return self.time

    @property
    def booking(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id.id_to_make,
            "mentor_id": self.time.picked.mentor_id,
            "starts_at": self.time.picked.starts_at,
            **self.met,
        }


class FreeTimeForm(WhenForm, TravelForm):
    """Any time, for those who serve the package."""

    session_id = HiddenIdField()
    mentor_id = SelectField("Mentor")
    minutes = LengthSelectField()
    sure = SureBooleanField(MEANT)

    def offer_mentors(self, mentors: Sequence[tuple[UUID, str]]) -> None:
        """Who can be chosen."""
        self.mentor_id.choices = [SelectChoice(str(mentor_id), name) for mentor_id, name in mentors]

    @property
    def is_sent(self) -> bool:
        """Whether this one of the page's two forms was sent."""
        return self.on.raw_data is not None

    @property
    def time_field(self) -> Field:
        return self.at

    @property
    def booking(self) -> dict[str, Any]:
        return {
            "session_id": self.session_id.id_to_make,
            "mentor_id": UUID(self.mentor_id.data),
            "starts_at": self.starts_at,
            "minutes": self.minutes.data,
            "free_time": True,
            **self.met,
        }


class MoveForm(TravelForm):
    """Another time of the list or the same one, and how people meet."""

    time = PickedField("Choose a time")

    @property
    def time_field(self) -> Field:
        return self.time

    @property
    def starts_at(self) -> datetime:
        return self.time.picked.starts_at


class FreeMoveForm(WhenForm, TravelForm):
    """Another day and time, typed, and how people meet."""

    sure = SureBooleanField(MEANT)

    @property
    def time_field(self) -> Field:
        return self.at


class OfferChoiceForm(Form):
    """Confirms an offered time; `session_id` is the new session's own id."""

    session_id = HiddenIdField()


class CancelForm(Form):
    """Confirms a cancellation; there is nothing to fill in."""
