"""How often one account, one network and everybody may do what is dear: counted in the database, so that the sum over
all processes counts.

A window begins on the full hour. A try counts whether or not it comes to anything. Signing in has limits of its own
(portal/access/asking.py, accounts.py), and so has the public page (portal/own_data/public_requests.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from portal.models import LimitCount
from privacy.audit import Action
from privacy.records import new_id
from privacy.statements import run
from privacy.work import Work

WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """How often within an hour. Low for an account; high for a network, behind which a whole council may stand."""

    name: str
    account: int
    network: int
    overall: int


BOOKING = Limit("booking", 60, 600, 3000)
MAIL = Limit("mail", 120, 600, 3000)
EXPORT = Limit("export", 30, 120, 300)
IMPORT = Limit("import", 60, 240, 600)
ASKING = Limit("asking", 30, 300, 1000)
SEARCH = Limit("search", 300, 3000, 10000)


class TooOften(Exception):
    """More than the limit. The try was counted; `again_in` says when the next window begins."""

    def __init__(self, again_in: timedelta) -> None:
        super().__init__(f"again in {again_in}")
        self.again_in = again_in


def count(work: Work, limit: Limit, *, person_id: UUID, network: bytes | None) -> TooOften | None:
    """Count a try. Returned rather than raised, since what was counted has to be committed.

    `network` is what asking.network_of says; None where it cannot be told.
    """
    begins_at = _begin(work.now)
    account = work.ring.digest("token", "account|v1", person_id.bytes)
    networks = {} if network is None else {network: limit.network}
    at_most = {account: limit.account, **networks, b"": limit.overall}
    over = [counted - at_most[whose] for whose, counted in _counted(work, limit.name, at_most, begins_at)]
    if any(tries == 1 for tries in over):
        work.record(Action.LIMIT_REACHED, object=f"person:{person_id}", holder=person_id, what=limit.name)
    if any(tries > 0 for tries in over):
        return TooOften(begins_at + WITHIN - work.now)
    return None


def _begin(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


_COUNTS = cast(Table, LimitCount.__table__)
_MORE = {
    name: kind.insert(_COUNTS)
    .on_conflict_do_update(
        index_elements=[_COUNTS.c.what, _COUNTS.c.whose, _COUNTS.c.begins_at],
        set_={_COUNTS.c.count: _COUNTS.c.count + 1},
    )
    .returning(_COUNTS.c.whose, _COUNTS.c.count)
    for name, kind in (("postgresql", postgresql), ("sqlite", sqlite))
}
"""The first try of a window, or one more. Made once: it stands before every act that is counted."""


def _counted(
    work: Work, what: str, whose: Iterable[bytes], begins_at: datetime
) -> Iterable[tuple[bytes, int]]:
    """One more for each, in this order, and how many it has then."""
    each = [{"id": new_id(), "what": what, "whose": one, "begins_at": begins_at, "count": 1} for one in whose]
    return run(work.db, _MORE[work.db.get_bind().dialect.name], each)
