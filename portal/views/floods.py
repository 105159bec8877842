"""Floods: how many requests of one account and of one network are answered in a minute.

Counted by Flask-Limiter: in memory for one process, in the store of LIMITS_STORE for several. If that store is away,
each process counts for itself until it is back. What is dear is counted in the database (portal/access/limits.py).
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, abort, request
from flask_limiter import ApplicationLimit, Limiter
from limits import RateLimitItem, RateLimitItemPerMinute

from portal import tls
from portal.access.asking import network_of
from portal.settings import Settings
from portal.views import flood_counts
from portal.views.context import current_actor, instance
from portal.views.request_logs import SILENT

PER_ACCOUNT = 300
"""A form that saves itself while somebody types sends 40 a minute."""
PER_NETWORK = 3000
"""All of a council comes from one address."""
STORE_SECONDS = 0.25
"""Longer than that no request waits for the store."""


def _network() -> str:
    found = network_of(instance().vault.ring, request.remote_addr)
    return "" if found is None else found.hex()


def _account() -> str:
    actor = current_actor()
    if actor is None:
        return ""
    return instance().vault.ring.digest("token", "flood|v1", actor.person_id.bytes).hex()


class Floods(Limiter):
    """Flask-Limiter, which in one process counts by the shortest way: its own goes through every kind of limit that it
    knows, and costs as much as a tenth of a page. Over a shared store, which may be away, it does all by itself."""

    def __init__(self, app: Flask, store: str | None) -> None:
        self._shared = store is not None
        # A watcher on this machine, or a relay before us, is nobody; before sign-in only the network counts.
        self._counted = [
            (RateLimitItemPerMinute(PER_NETWORK), _network),
            (RateLimitItemPerMinute(PER_ACCOUNT), _account),
        ]
        super().__init__(
            lambda: "",
            app=app,
            application_limits=[_limit(item, key) for item, key in self._counted],
            storage_uri=store or flood_counts.URI,
            storage_options=store_options(store) if store else {},
            key_prefix="portal",
            in_memory_fallback_enabled=self._shared,
        )
        self.request_filter(lambda: request.endpoint in SILENT)

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if self._shared:
            super()._check_request_limit(callable_name, in_middleware)
        elif self.enabled and request.endpoint is not None and request.endpoint not in SILENT:
            for item, key in self._counted:
                whose = key()
                if whose and not self.limiter.hit(item, whose):
                    abort(429)


def store_options(store: str) -> dict[str, Any]:
    """How a shared store is asked: not for long, and over TLS that is not too old."""
    options: dict[str, Any] = {"socket_timeout": STORE_SECONDS, "socket_connect_timeout": STORE_SECONDS}
    return {**options, "ssl_min_version": tls.OLDEST} if store.startswith("rediss:") else options


def _limit(item: RateLimitItem, key: Callable[[], str]) -> ApplicationLimit:
    return ApplicationLimit(f"{item.amount} per minute", key_function=key, exempt_when=lambda: not key())


def install(app: Flask, settings: Settings) -> Limiter:
    """Count every request to a page from here on."""
    return Floods(app, settings.limits_store)
