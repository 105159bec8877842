"""The cookies of signing in: `sid` of a signed-in browser, `device` of a kept one, `ask` of a waiting sign-in,
`passkey` of one by passkey.

Over HTTPS their names begin with `__Host-`, which ties them to this host; on plain HTTP some browsers would
drop such a cookie.
"""

from datetime import timedelta

from flask import request
from werkzeug import Response

from portal.views.context import instance

SESSION = "sid"
DEVICE = "device"
ASK = "ask"
PASSKEY = "passkey"


def _name(cookie: str) -> str:
    return f"__Host-{cookie}" if instance().settings.secure else cookie


def read(cookie: str) -> str | None:
    return request.cookies.get(_name(cookie)) or None


def keep(response: Response, cookie: str, value: str, *, lasts: timedelta | None = None) -> None:
    """Without `lasts` the browser forgets it when it is closed."""
    response.set_cookie(
        _name(cookie),
        value,
        max_age=lasts,
        path="/",
        secure=instance().settings.secure,
        httponly=True,
        samesite="Lax",
    )


def forget(response: Response, *cookies: str) -> None:
    for cookie in cookies:
        response.delete_cookie(
            _name(cookie), path="/", secure=instance().settings.secure, httponly=True, samesite="Lax"
        )
