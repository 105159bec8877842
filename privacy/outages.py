"""What it means that a database cannot be written to or reached: it is busy, full, or away. Pure.

Nothing was acknowledged then: the transaction is rolled back, or its end is unknown, which is why every form can be
sent again with the same key. Anything else that a database refuses is a fault of ours, and no outage.
"""

import errno
from collections.abc import Iterator
from enum import StrEnum

from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from privacy.moving.mark import Moved
from privacy.transactions import TurnNotCome


class Outage(StrEnum):
    """Why: others were writing for too long, there is no room on the disk, or nobody answers."""

    BUSY = "busy"
    FULL = "full"
    AWAY = "away"


NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_SQLITE = {
    5: Outage.BUSY,
    6: Outage.BUSY,  # locked within this process
    8: Outage.AWAY,  # read only
    10: Outage.AWAY,  # trouble of the disk
    13: Outage.FULL,
    14: Outage.AWAY,  # cannot be opened
    15: Outage.AWAY,  # its locks do not work
    4874: Outage.FULL,  # no room for the index of the write-ahead log
}
_POSTGRES = {
    "25006": Outage.AWAY,  # read only: a standby answers, or a server that was one a moment ago
    "40001": Outage.BUSY,  # could not be put in an order with others
    "40P01": Outage.BUSY,  # deadlock
    "53100": Outage.FULL,
    "53400": Outage.FULL,  # a limit of its configuration, such as that of temporary files
    "55P03": Outage.BUSY,  # lock_timeout
    "57014": Outage.BUSY,  # statement_timeout
}
_POSTGRES_AWAY = ("08", "53", "57P", "58")
"""Connection lost, no memory or no connection left, shut down, trouble of its system."""


def outage(error: BaseException) -> Outage | None:
    """What outage an error comes of; None where it comes of none."""
    found = {kind for one in _chain(error) if (kind := _kind(one)) is not None}
    # After a full disk SQLite has rolled back by itself, and what is tried then fails in other ways.
    return next((kind for kind in (Outage.FULL, Outage.BUSY, Outage.AWAY) if kind in found), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _kind(error: BaseException) -> Outage | None:
    match error:
        case OSError(errno=number) if number in NO_ROOM:
            return Outage.FULL
        case PoolExhausted() | TurnNotCome():
            return Outage.BUSY
        case PendingRollbackError() | Moved():
            return Outage.AWAY
        case DBAPIError(orig=TurnNotCome()):
            return Outage.BUSY
        case DBAPIError(orig=told) if (code := getattr(told, "sqlite_errorcode", None)) is not None:
            return _of_sqlite(code)
        case DBAPIError(orig=told):
            return _of_postgres(error, getattr(told, "sqlstate", None))
        case _ if (code := getattr(error, "sqlite_errorcode", None)) is not None:
            # The driver's own, from below the engine: each transaction begins there by asking for the mark.
            return _of_sqlite(code)
    return None


def _of_sqlite(code: int) -> Outage | None:
    return _SQLITE.get(code, _SQLITE.get(code & 0xFF))


def _of_postgres(error: DBAPIError, sqlstate: str | None) -> Outage | None:
    if sqlstate is None:
        # The driver says it, not the server: there is none, or the connection is gone.
        return Outage.AWAY if error.connection_invalidated or _is_of_the_line(error) else None
    if sqlstate in _POSTGRES:
        return _POSTGRES[sqlstate]
    return Outage.AWAY if sqlstate.startswith(_POSTGRES_AWAY) else None


def _is_of_the_line(error: DBAPIError) -> bool:
    return type(error).__name__ in {"OperationalError", "InterfaceError"}
