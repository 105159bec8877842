"""How people meet, in words, and what the one box for an address, a link, or both holds."""

import re
from urllib.parse import quote

from portal.models import Place

WORDS = {
    Place.REMOTE: "Online or by phone",
    Place.IN_PERSON: "In person",
    Place.HYBRID: "In person, and online for some",
}
# A plain link that people follow or not: nothing of it is loaded into a page of ours.
MAP_SEARCH = "https://www.openstreetmap.org/search?query="
_LINK = re.compile(r"https?://\S+")


def words(place: Place) -> str:
    """How people meet, as pages and mails say it."""
    return WORDS[place]


def link_in(where: str | None) -> str | None:
    """The first link in what was typed; None where there is none."""
    found = _LINK.search(where or "")
    return found.group().rstrip(".,;)") if found else None


def address_in(where: str | None) -> str | None:
    """What was typed without its link, where people could go; None where nothing is left."""
    link = link_in(where)
    rest = (where or "").replace(link, " ", 1) if link else where or ""
    return " ".join(rest.split()).strip(" ,;-") or None


def map_link(place: Place, where: str | None) -> str | None:
    """A map search for the address of a session that somebody goes to."""
    address = address_in(where)
    return MAP_SEARCH + quote(address, safe="") if address and place is not Place.REMOTE else None
