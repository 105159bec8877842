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
from portal.answers import purposes
from portal.views.context import clock_now, current_actor, session
from portal.views.errors import typed
from portal.views.kept_forms import keep_and_lead_back
from portal.views.next_page import keep_next, own_page
from portal.views.signed_in import asked_by_a_page

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


@dataclass(frozen=True)
class Guard:
    """What stands before a view. `reason` is why a public view needs no policy.

    `reads` is asked like the policy where a view shows what somebody wrote: who has not proved enough to read it is led
    to where they can, and back (portal/access/levels.py). `fresh`: a proof must be minutes old. `unproved`: it opens
    before everything is proved, for those who always have to; only the pages on which they prove it do.
    `asks_why` is asked like the policy too: whether to open this takes a purpose, which is asked once a day.
    """

    policy: Callable[..., bool] | None
    reason: str | None = None
    reads: Callable[..., bool] | None = None
    fresh: bool = False
    unproved: bool = False
    asks_why: Callable[..., bool] | None = None

    def wants_proof(self, actor: Actor, *things: Any) -> bool:
        """Whether the actor has to prove more, before this thing opens."""
        return (self.reads is not None and not self.reads(actor, *things)) or (
            self.fresh and not actor.is_fresh
        )


def guarded(
    load: Callable[..., Any] | None, policy: Callable[..., bool], **further: Any
) -> Callable[[Callable[..., ResponseReturnValue]], Callable[..., ResponseReturnValue]]:
    """Let a view run only for those whom the policy allows, and who have proved enough (`further`: see Guard).

    With a loader, it gets the route's values and returns the thing or None; the policy is asked with actor and
    thing, and the view is called with the thing and those route values its loader did not take. Without one,
    the policy is asked with the actor alone and the view gets the route's values.
    """
    guard, taken = Guard(policy, **further), _names(load)

    def decorate(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
        @wraps(view)
        def guarded_view(**values: Any) -> ResponseReturnValue:
            actor = current_actor()
            if actor is None:
                return ask_to_sign_in()
            if not actor.is_in and not guard.unproved:
                return ask_to_prove()
            things = (
                [] if load is None else [load(**{name: values[name] for name in values if name in taken})]
            )
            if any(thing is None for thing in things) or not policy(actor, *things):
                return _not_for(actor)
            if guard.wants_proof(actor, *things):
                return ask_to_prove()
            if guard.asks_why is not None and guard.asks_why(actor, *things) and lacks_purpose(actor):
                return ask_why()
            return view(*things, **{name: value for name, value in values.items() if name not in taken})

        guarded_view.guard = guard  # type: ignore[attr-defined]  # the mark that the shape test reads
        return guarded_view

    return decorate


def _names(load: Callable[..., Any] | None) -> set[str]:
    """The values of a route that a loader takes."""
    if load is None:
        return set()
    return set(load.__code__.co_varnames[: load.__code__.co_argcount + load.__code__.co_kwonlyargcount])


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


def lacks_purpose(actor: Actor) -> bool:
    """Whether somebody opens a page, or sends its form, for which they have not said today what for."""
    return purposes.stated(session(), actor.person_id, now=clock_now()) is None


def ask_why() -> ResponseReturnValue:
    """Lead to where the purpose is asked, and back."""
    return _first(url_for("purposes.state"))


def ask_to_prove() -> ResponseReturnValue:
    """Lead to where more is proved, and back."""
    return _first(url_for("proofs.prove"))


def _first(address: str) -> ResponseReturnValue:
    """Lead there first, and then to the page that was asked for, or to what was typed into a form."""
    kept = keep_and_lead_back()
    if kept is None and asked_by_a_page():
        return render_template("errors/_signed_out.html"), 286
    keep_next(kept.headers.get("HX-Redirect") or kept.location if kept is not None else _page_asked_for())
    if request.headers.get("HX-Request") == "true":
        return "", 401, {"HX-Redirect": address}
    return redirect(address, 303)


def _page_asked_for() -> str:
    """The page of this request; for a button, which no page has for its address, the nearest page above it."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    path = request.path
    while path and own_page(path) is None:
        path = path.rpartition("/")[0]
    return path


def ask_to_sign_in() -> ResponseReturnValue:
    """Lead to sign-in and back to the page that was asked for, or to what was typed into a form that was sent."""
    kept = keep_and_lead_back()
    if kept is not None:
        return kept
    if asked_by_a_page():
        # Led away from the page, whoever left it would lose what they typed there. 286 ends the asking.
        return render_template("errors/_signed_out.html"), 286
    keep_next(_page_asked_for())
    address = url_for("account.sign_in")
    words = typed(with_questions=True)
    if words:
        # Nobody is known to keep it for: the page itself keeps it.
        return render_template("errors/error.html", code=401, typed=words, again=address), 401
    if request.headers.get("HX-Request") == "true":
        # A redirect would put the sign-in page inside the fragment.
        return "", 401, {"HX-Redirect": address}
    return redirect(address, 303)
