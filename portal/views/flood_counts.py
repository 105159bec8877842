"""Counts of floods in this process's memory, for Flask-Limiter.

The library's own store starts a thread every ten milliseconds to let go of what is over; that costs more than a page.
Here what is over goes when something is counted.
"""

from threading import Lock

from limits.storage import Storage

from privacy.clock import system_clock, ticks

URI = "process://"


class ProcessStorage(Storage):
    """Fixed windows that begin with the first count of a key. All are equally long, so the oldest ends first: by ticks,
    for a clock that is put back would keep windows from ending."""

    STORAGE_SCHEME = ["process"]  # noqa: RUF012 - the library reads it off the class

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **options: float | str | bool
    ) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._lock = Lock()
        self._counts: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._lock:
            now = ticks()
            self._let_go(now)
            counted, ends_at = self._counts.get(key, (0, now + expiry))
            self._counts[key] = (counted + amount, ends_at)
            return counted + amount

    def get(self, key: str) -> int:
        counted, ends_at = self._counts.get(key, (0, 0.0))
        return counted if ends_at > ticks() else 0

    def get_expiry(self, key: str) -> float:
        """When the window of a key ends, in seconds since 1970."""
        now = ticks()
        return system_clock().timestamp() + self._counts.get(key, (0, now))[1] - now

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            gone = len(self._counts)
            self._counts.clear()
            return gone

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    def _let_go(self, now: float) -> None:
        while self._counts:
            oldest = next(iter(self._counts))
            if self._counts[oldest][1] > now:
                return
            del self._counts[oldest]
