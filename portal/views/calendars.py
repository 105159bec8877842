"""Everybody's own calendar: sessions to come, a file of them, and the secret address that a calendar follows."""

from hashlib import sha256

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import policies
from portal.mailing import feeds, invitations
from portal.models import Person
from portal.views.context import clock_now, instance, programme, session, the_actor, today, work
from portal.views.files import attach
from portal.views.guards import guarded, public

bp = Blueprint("calendars", __name__)

# A calendar that asks again too soon is answered without a body; nobody in between may keep it.
FEED_CACHE = "private, max-age=300"


@bp.get("/your-calendar")
@guarded(None, policies.may_follow_sessions)
def show() -> ResponseReturnValue:
    return _page(token=None)


@bp.get("/your-calendar/sessions.ics")
@guarded(None, policies.may_follow_sessions)
def coming() -> ResponseReturnValue:
    reader = _reader()
    found = feeds.coming(session(), reader, now=clock_now())
    body = feeds.download(programme(), reader, found, public_url=instance().settings.public_url)
    answer = Response(body, mimetype="text/calendar")
    attach(answer, f"sessions-{today().isoformat()}.ics")
    return answer


@bp.post("/your-calendar/address")
@guarded(None, policies.may_follow_sessions, reads=policies.may_read)
def renew() -> ResponseReturnValue:
    # Shown on this page alone: a redirect would have to keep the secret somewhere.
    person_id = the_actor().person_id
    with work() as unit:
        token = feeds.renew(unit, person_id=person_id)
    return _page(token=token)


@bp.post("/your-calendar/address/end")
@guarded(None, policies.may_follow_sessions)
def end() -> ResponseReturnValue:
    person_id = the_actor().person_id
    with work() as unit:
        feeds.end(unit, person_id=person_id)
    flash("The address is ended. Calendars that followed it show nothing new.", "success")
    return redirect(url_for("calendars.show"), 303)


@bp.get("/calendar/<token>.ics")
@public("a calendar program cannot sign in: the address is a secret of 256 bits, which its owner can end")
def feed(token: str) -> ResponseReturnValue:
    reader = feeds.reader_of(session(), token, now=clock_now())
    if reader is None:
        abort(404)
    public_url = instance().settings.public_url
    body = feeds.published(session(), programme(), reader, public_url=public_url, now=clock_now())
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Cache-Control"] = FEED_CACHE
    answer.set_etag(sha256(body).hexdigest()[:32])
    return answer.make_conditional(request)


def _reader() -> Person:
    return session().get_one(Person, the_actor().person_id)


def _page(*, token: str | None) -> str:
    reader = _reader()
    address = None
    if token is not None:
        address = instance().settings.public_url + url_for("calendars.feed", token=token)
    return render_template(
        "calendars/show.html",
        coming=feeds.coming(session(), reader, now=clock_now()),
        feed=feeds.of(session(), reader.id),
        address=address,
        heading_of=lambda held: invitations.heading_of(held, programme()),
        others_of=lambda held: invitations.others_of(held, reader),
    )
