"""What a browser gets when it is signed in or proved more, and where its person goes on to."""

from flask import flash, redirect, url_for
from flask import session as form_session
from markupsafe import Markup
from werkzeug import Response

from portal.access import devices, factors, levels
from portal.access.levels import Reading
from portal.access.passkeys import Site
from portal.actors import roles_of, with_roles
from portal.models import Level, Person
from portal.views import cookies, form_tokens
from portal.views.context import instance, programme, session, the_actor, today
from portal.views.next_page import keep_next, kept_next

NEW_NOTICE = Markup("Our {} says what we hold about you, and what you can ask for.")


def let_in(tokens: devices.Tokens, next_path: str | None, *, asks: bool = True) -> Response:
    """Keep the cookies of a sign-in and go on; with `asks`, first to what is asked or offered on the first way in."""
    # A form token from before the sign-in may have been seen by somebody else.
    form_session.clear()
    form_tokens.issue_to(tokens.person_id)
    keep_next(next_path)
    person = session().get_one(Person, tokens.person_id, options=with_roles(), populate_existing=True)
    response = onward(person if asks else None)
    cookies.keep(response, cookies.SESSION, tokens.session)
    if tokens.device is not None:
        cookies.keep(response, cookies.DEVICE, tokens.device, lasts=devices.DEVICE_LIFE)
    cookies.forget(response, cookies.ASK, cookies.PASSKEY)
    if tokens.notice:
        link = Markup('<a class="govuk-notification-banner__link" href="{}">privacy notice</a>')
        flash(NEW_NOTICE.format(link.format(url_for("home.privacy_notice"))), "notice")
    return response


def stepped_up(token: str) -> Response:
    """Keep the new cookie of a browser that gave a proof, and go on to where its person wanted."""
    wanted = kept_next()
    form_session.clear()
    form_tokens.issue_to(the_actor().person_id)
    response = redirect(wanted or url_for("home.start"), 303)
    cookies.keep(response, cookies.SESSION, token)
    return response


def onward(person: Person | None) -> Response:
    """Where somebody goes on to: a question or an offer that is still open, else the page that they wanted."""
    open_page = _open_page(person) if person is not None else None
    return redirect(url_for(open_page) if open_page else kept_next() or url_for("home.start"), 303)


def _open_page(person: Person) -> str | None:
    held = roles_of(person, today())
    if levels.enters_at(held) is Level.PROOF:
        # They are led to what they have to prove by every page.
        return None
    asked = programme().reading is Reading.SHARED_MAILBOXES and not levels.is_shared(person, on=today())
    if asked and person.mailbox_shared is None:
        return "proofs.mailbox"
    offered = person.passkey_offered_at is not None or factors.has_passkey(session(), person.id)
    return None if offered else "proofs.offer"


def site() -> Site:
    """Where passkeys of this portal belong."""
    return Site(programme().service_name, instance().settings.public_url)
