"""A phone number, as every form takes it: something that can be rung."""

from collections.abc import Callable
from typing import Any

from wtforms import TelField
from wtforms.validators import Length, StopValidation

PHONE_AT_MOST = 40
DIGITS = range(6, 16)
"""How many a number has; whatever stands between them is kept."""


def a_phone_number(*, may_stay: bool = True) -> list[Callable[[Any, TelField], None]]:
    """The validators of a phone number. With `may_stay`, one that was stored before is taken as it is."""

    def check(_: Any, field: TelField) -> None:
        text = field.data or ""
        if not text or (may_stay and text == field.object_data):
            return
        if sum(letter in "0123456789" for letter in text) not in DIGITS:
            raise StopValidation("The phone number must have 6 to 15 digits, such as 07700 900 982")

    too_long = f"The phone number must be {PHONE_AT_MOST} characters or fewer"
    return [Length(max=PHONE_AT_MOST, message=too_long), check]
