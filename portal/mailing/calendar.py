"""Sessions as iCalendar files (RFC 5545, RFC 5546). Gives bytes; knows no database and no mail.

Times are written in UTC. A time with a zone name can't say which 1:30am it means on the night the clocks go
back, and the time zone block that the icalendar package writes for London changes an hour late in spring.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import icalendar
from icalendar import STATUS, vCalAddress

from portal.mailing.letters import one_line, usable_address
from privacy.clock import as_utc

PRODUCT = "-//Leadership support portal//Sessions//EN"

# How often a calendar program is asked to look at a feed again; many keep to a beat of their own.
FEED_REFRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One session as one person's calendar holds it.

    `uid` stays the same for ever, whatever changes. `sequence` rises by one with each change of time, place
    or state and with the cancellation; a mail sent again keeps it. `stamp_at` is when the mail was made, or
    for a feed when the session last changed. All three times are aware instants. The organiser is the
    programme's mailbox, always the same and equal to the sender of the mail; the attendee is the recipient
    and nobody else. Nothing about anybody's needs, goals or answers belongs in here: others see calendars.
    """

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    stamp_at: datetime
    summary: str
    description: str
    location: str
    url: str | None
    organizer_name: str
    organizer_email: str
    attendee_name: str
    attendee_email: str
    cancelled: bool = False

    @property
    def method(self) -> str:
        """What `invitation` states, for the MIME part to state too."""
        return "CANCEL" if self.cancelled else "REQUEST"


def invitation(event: Event) -> bytes:
    """The file that a mail to the attendee carries: it adds, changes or cancels the one entry of this UID.

    Raises AddressUnusable.
    """
    entry = _entry(event)
    entry.add("attendee", _attendee(event))
    return _written(_calendar(event.method), [entry])


def feed(events: Iterable[Event], *, name: str) -> bytes:
    """A whole calendar to subscribe to, in order of time; cancelled sessions show as cancelled, and take no time.

    Equal events give equal bytes. It names no attendees: RFC 5546 wants none in something published.
    """
    calendar = _calendar("PUBLISH")
    calendar.add("x-wr-calname", one_line(name))
    calendar.add("refresh-interval", FEED_REFRESH, parameters={"value": "DURATION"})
    ordered = sorted(events, key=lambda event: (event.starts_at, event.uid))
    return _written(calendar, [_followed(event) for event in ordered])


def _followed(event: Event) -> icalendar.Event:
    """An entry of a feed. Outlook shows one that is cancelled like any other, so its title says it too."""
    if not event.cancelled:
        return _entry(event)
    entry = _entry(replace(event, summary=f"Cancelled: {event.summary}"))
    entry.add("transp", "TRANSPARENT")
    return entry


def _calendar(method: str) -> icalendar.Calendar:
    # Put together by hand: Calendar.new() would add a random UID, and no two files would be equal.
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _entry(event: Event) -> icalendar.Event:
    entry = icalendar.Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", as_utc(event.stamp_at))
    entry.add("dtstart", as_utc(event.starts_at))
    entry.add("dtend", as_utc(event.ends_at))
    entry.add("status", STATUS.CANCELLED if event.cancelled else STATUS.CONFIRMED)
    entry.add("summary", one_line(event.summary))
    if event.description:
        entry.add("description", _paragraphs(event.description))
    if event.location:
        entry.add("location", one_line(event.location))
    if event.url:
        entry.add("url", event.url)
    entry.add(
        "organizer",
        vCalAddress.new(usable_address(event.organizer_email), cn=_parameter(event.organizer_name)),
    )
    return entry


def _attendee(event: Event) -> vCalAddress:
    # Agreed in the portal already: no mail program need ask, and no answer changes anything.
    return vCalAddress.new(
        usable_address(event.attendee_email),
        cn=_parameter(event.attendee_name),
        cutype="INDIVIDUAL",
        role="REQ-PARTICIPANT",
        partstat="ACCEPTED",
        rsvp=False,
    )


def _parameter(name: str) -> str:
    """A name for a parameter, which can't hold a double quote; few programs know RFC 6868's way round it."""
    return one_line(name).replace('"', "'")


def _paragraphs(text: str) -> str:
    return "\n".join(one_line(line) for line in text.splitlines())


def _written(calendar: icalendar.Calendar, entries: list[icalendar.Event]) -> bytes:
    for entry in entries:
        calendar.add_component(entry)
    return bytes(calendar.to_ical(sorted=False))
