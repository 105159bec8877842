"""What a view does before it shows somebody's answers to staff. The one write that a GET may cause."""

from dataclasses import replace

from portal import policies
from portal.answers import purposes
from portal.views.context import clock_now, session, the_actor, work
from surveys import readings
from surveys.readings import Reading


def note_reading(reading: Reading) -> None:
    """Leave a line in the trail, once a day for each purpose, with what the reader said today, where they are asked."""
    actor, now = the_actor(), clock_now()
    if policies.may_run_programme(actor):
        reading = replace(reading, stated=purposes.stated(session(), actor.person_id, now=now))
    if not readings.noted_today(session(), reading, reader=actor.ref, now=now):
        with work() as unit:
            readings.note(unit, reading)
