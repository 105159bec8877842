"""For whom a form was issued: its token says it, so that what one person typed is not kept for another.

The token is Flask-WTF's own, signed as ever; the value in it ends with a keyed digest of the value and its person.
"""

import hmac
import secrets
from uuid import UUID

from flask import current_app, request
from flask import session as form_session
from itsdangerous import BadData, URLSafeTimedSerializer

from portal.views.context import instance

FIELD = "csrf_token"
"""In the form and in the form's session."""
_SALT = "wtf-csrf-token"
_MARKED = "."


def issue_to(person_id: UUID) -> None:
    """From now on forms of this browser are issued to somebody, who has just signed in."""
    chosen = secrets.token_hex(20)
    form_session[FIELD] = f"{chosen}{_MARKED}{_mark(chosen, person_id)}"


def issued_to_another(person_id: UUID) -> bool:
    """Whether the form of this request was issued to somebody else. False where it does not say for whom, as a form
    from before a sign-in or from before the key was changed."""
    sent = request.form.get(FIELD) or request.headers.get("X-CSRFToken", "")
    try:
        value = URLSafeTimedSerializer(current_app.secret_key or "", salt=_SALT).loads(sent)
    except BadData:
        return False
    chosen, marked, mark = str(value).partition(_MARKED)
    return bool(marked) and not hmac.compare_digest(mark, _mark(chosen, person_id))


def _mark(chosen: str, person_id: UUID) -> str:
    return instance().vault.ring.digest("token", "form|v1", chosen.encode(), person_id.bytes).hex()
