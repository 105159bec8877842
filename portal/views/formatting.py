"""Gives templates the portal's way of writing dates, times and lengths, and the addresses of static files."""

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from flask.templating import Environment

from portal import filters
from portal.booking import places
from portal.views.context import programme


class SharedGlobals(Environment):
    """No template of ours has globals of its own: they share those of all, which are looked up for each import and each
    page and would otherwise lie under a mapping in Python."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals


def install(app: Flask) -> None:
    """Make them filters and globals of templates."""
    for function in (
        filters.day,
        filters.weekday_day,
        filters.time,
        filters.day_time,
        filters.when,
        filters.by_when,
        filters.last_day,
        filters.minutes,
        filters.file_size,
        filters.noun,
    ):
        app.add_template_filter(function)
    app.add_template_filter(filters.count, "counted")
    app.add_template_filter(lambda value: filters.days(value, programme().minutes_in_day), "days")
    app.add_template_filter(places.words, "place_words")
    app.add_template_filter(places.address_in)
    app.add_template_filter(places.link_in)
    app.add_template_global(places.map_link)
    app.add_template_global(filters.span)
    app.add_template_global(filters.month_name)
