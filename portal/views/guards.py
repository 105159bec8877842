"""The one decorator of views: it loads the thing, asks the policy, and marks the view.

Answers 404 where the actor may not even know, and leads to sign-in where nobody is signed in. A test walks the
URL map: every view carries a mark.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.actors import Actor
from portal.views.context import current_actor
from portal.views.errors import typed
from portal.views.kept_forms import keep_and_lead_back
from portal.views.next_page import own_page
from portal.views.signed_in import ASKED_BY_PAGES

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True)
class Guard:
    """What stands before a view. `reason` is why a public view needs no policy."""

    policy: Callable[..., bool] | None
    reason: str | None = None


def guarded(
    load: Callable[..., Any] | None, policy: Callable[..., bool]
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Let a view run only for those whom the policy allows.

    With a loader, it gets the route's values and returns the thing or None; the policy is asked with actor and
    thing, and the view is called with the thing and those route values its loader did not take. Without one,
    the policy is asked with the actor alone and the view gets the route's values.
    """

    def decorate(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        taken = (
            set(load.__code__.co_varnames[: load.__code__.co_argcount + load.__code__.co_kwonlyargcount])
            if (load is not None)
            else set()
        )

        @wraps(view)
        def guarded_view(**values: Any) -> ResponseReturnValue:
            actor = current_actor()
            if actor is None:
                return ask_to_sign_in()
            if load is None:
                return view(**values) if policy(actor) else _not_for(actor)
            thing = load(**{name: value for name, value in values.items() if name in taken})
            if thing is None or not policy(actor, thing):
                return _not_for(actor)
            return view(thing, **{name: value for name, value in values.items() if name not in taken})

        guarded_view.guard = Guard(policy)  # type: ignore[attr-defined]  # the mark that the shape test reads
        return guarded_view

    return decorate


def _not_for(actor: Actor) -> ResponseReturnValue:
    """404; or, for those whose clearance is missing or has lapsed, what they lack and whom to ask (annex 1)."""
    if not actor.gaps:
        abort(404)
    return render_template("clearances/gated.html", gaps=actor.gaps, typed=typed()), 403


def public(reason: str) -> Callable[[View], View]:
    """Mark a view that anybody may open, and say why."""

    def decorate(view: View) -> View:
        view.guard = Guard(None, reason)  # type: ignore[attr-defined]  # the mark that the shape test reads
        return view

    return decorate


def ask_to_sign_in() -> ResponseReturnValue:
    """Lead to sign-in and back to the page that was asked for, or to what was typed into a form that was sent."""
    kept = keep_and_lead_back()
    if kept is not None:
        return kept
    if request.endpoint in ASKED_BY_PAGES and request.headers.get("HX-Request") == "true":
        # Led away from the page, whoever left it would lose what they typed there. 286 ends the asking.
        return render_template("errors/_signed_out.html"), 286
    wanted = own_page(request.full_path.rstrip("?") if request.method == "GET" else request.path)
    address = url_for("account.sign_in", to=wanted)
    words = typed()
    if words:
        # Nobody is known to keep it for: the page itself keeps it.
        return render_template("errors/error.html", code=401, typed=words, again=address), 401
    if request.headers.get("HX-Request") == "true":
        # A redirect would put the sign-in page inside the fragment.
        return "", 401, {"HX-Redirect": address}
    return redirect(address, 303)
