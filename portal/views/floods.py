"""Floods: how many requests of one account and of one network are answered in a minute.

Counted by Flask-Limiter: in memory for one process, in the store of LIMITS_STORE for several. If that store is away,
each process counts for itself until it is back. What is dear is counted in the database (portal/access/limits.py).
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter

from portal.access.asking import network_of
from portal.settings import Settings
from portal.views.context import current_actor, instance

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


def _limit(at_most: int, key: Callable[[], str]) -> ApplicationLimit:
    # A watcher on this machine, or a relay before us, is nobody; before sign-in only the network counts.
    return ApplicationLimit(f"{at_most} per minute", key_function=key, exempt_when=lambda: not key())


def install(app: Flask, settings: Settings) -> Limiter:
    """Count every request to a page from here on."""
    shared = settings.limits_store is not None
    options: dict[str, Any] = (
        {"socket_timeout": STORE_SECONDS, "socket_connect_timeout": STORE_SECONDS} if shared else {}
    )
    limiter = Limiter(
        lambda: "",
        app=app,
        application_limits=[_limit(PER_NETWORK, _network), _limit(PER_ACCOUNT, _account)],
        storage_uri=settings.limits_store or "memory://",
        storage_options=options,
        key_prefix="portal",
        in_memory_fallback_enabled=shared,
    )
    limiter.request_filter(lambda: request.endpoint == "home.healthz")
    return limiter
