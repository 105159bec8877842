"""What a view does before it shows somebody's answers to staff. The one write that a GET may cause."""

from portal.views.context import clock_now, session, the_actor, work
from surveys import readings
from surveys.readings import Reading


def note_reading(reading: Reading) -> None:
    """Leave a line in the trail, once a day."""
    if not readings.noted_today(session(), reading, reader=the_actor().ref, now=clock_now()):
        with work() as unit:
            readings.note(unit, reading)
