"""`create_app`: the only place where the parts are joined. It touches no disk; `open_app` opens the instance."""

from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

from flask import Flask, Response, request
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect

from portal.assets import Assets
from portal.cli import register_commands
from portal.db import db
from portal.instance import Instance, open_instance
from portal.settings import Settings
from portal.views import (
    access_review,
    account,
    agenda,
    agreeing,
    answers,
    assessment,
    assistants,
    auditing,
    authoring,
    balance,
    boards,
    bookings,
    calculator,
    calendars,
    case_acts,
    case_files,
    cases,
    churn,
    clearances,
    closed,
    closed_times,
    comparison,
    council_facts,
    councils,
    desk_tools,
    documents,
    duty,
    errors,
    exports,
    formatting,
    goals,
    groups,
    handovers,
    home,
    hours,
    incidents,
    instructions,
    interests,
    letters,
    matches,
    mentors,
    navigation,
    needs,
    notes,
    notices,
    packages,
    paper,
    parking,
    partners,
    people,
    person_desk,
    pipeline,
    privacy_desk,
    profiles,
    programme_notes,
    public_requests,
    questionnaires,
    redactions,
    registers,
    releases,
    reports,
    resources,
    return_stores,
    returns,
    safekeeping,
    searches,
    seats,
    self_service,
    series,
    standstill,
    sub_processors,
    suspicions,
    team,
    test_mails,
    themes,
    uploads,
    verdicts,
    your_data,
    your_support,
)
from portal.views.fragments import htmx
from privacy import engines
from privacy.clock import Clock, clock_from, system_clock

ROOT = Path(__file__).resolve().parent.parent
BLUEPRINTS = (
    access_review.bp,
    account.bp,
    agenda.bp,
    agreeing.bp,
    answers.bp,
    assistants.bp,
    assessment.bp,
    auditing.bp,
    authoring.bp,
    balance.bp,
    bookings.bp,
    calculator.bp,
    calendars.bp,
    case_acts.bp,
    case_files.bp,
    cases.bp,
    churn.bp,
    clearances.bp,
    closed_times.bp,
    comparison.bp,
    council_facts.bp,
    councils.bp,
    desk_tools.bp,
    documents.bp,
    duty.bp,
    exports.bp,
    goals.bp,
    groups.bp,
    handovers.bp,
    home.bp,
    hours.bp,
    incidents.bp,
    instructions.bp,
    interests.bp,
    letters.bp,
    matches.bp,
    mentors.bp,
    needs.bp,
    notes.bp,
    notices.bp,
    packages.bp,
    paper.bp,
    parking.bp,
    partners.bp,
    people.bp,
    person_desk.bp,
    pipeline.bp,
    privacy_desk.bp,
    profiles.bp,
    programme_notes.bp,
    public_requests.bp,
    questionnaires.bp,
    registers.bp,
    redactions.bp,
    releases.bp,
    reports.bp,
    boards.bp,
    resources.bp,
    return_stores.bp,
    returns.bp,
    seats.bp,
    searches.bp,
    self_service.bp,
    series.bp,
    sub_processors.bp,
    suspicions.bp,
    safekeeping.bp,
    team.bp,
    test_mails.bp,
    themes.bp,
    verdicts.bp,
    your_data.bp,
    your_support.bp,
)
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
MAX_BODY_BYTES = 1024 * 1024

csrf = CSRFProtect()
migrate = Migrate()


class InMemory:
    """A request that keeps uploads in memory: spooled to a temporary file, names would lie there in clear."""

    def _get_file_stream(self, *args: object, **kwargs: object) -> BytesIO:
        return uploads.stream()


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """Join the parts. The app answers pages once `open_app` has opened its instance."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engines.options(settings.database_url),
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        TRUSTED_HOSTS=settings.trusted_hosts,
        # A token lives as long as the browser session: an hour's limit would cost people what they typed.
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_NAME="__Host-form" if settings.secure else "form",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
    )
    app.extensions["settings"] = settings
    app.extensions["open"] = partial(open_app, app)
    app.extensions["clock"] = clock or (
        clock_from(settings.now, since=settings.now_since) if settings.now else system_clock
    )
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "portal" / "migrations"))
    closed.install(app)
    # Before the form token is looked for, which reads the body.
    app.before_request(resources.allow_large_files)
    app.before_request(uploads.allow_files)
    csrf.init_app(app)
    htmx.init_app(app)
    app.request_class = type("PortalRequest", (InMemory, app.request_class), {})
    formatting.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    account.install(app)
    standstill.install(app)
    errors.install(app)
    navigation.install(app)
    register_commands(app)
    app.after_request(_protect)
    with app.app_context():
        engines.prepare(db.engine)
    return app


def open_app(app: Flask) -> Instance:
    """Open the instance behind an app: keys, programme, canary, assets. See open_instance for what it raises."""
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        instance = open_instance(settings, engine=db.engine, clock=app.extensions["clock"])
    app.extensions["instance"] = instance
    db.session.session_factory.configure(info={"vault": instance.vault})
    app.secret_key = instance.vault.ring.derive("token", "form|v1")
    _serve_assets(app)
    return instance


def show_closed(app: Flask) -> None:
    """Make an app ready whose instance was closed: it shows the closing page, and opens nothing."""
    app.extensions["closed"] = True
    _serve_assets(app)


def _serve_assets(app: Flask) -> None:
    assets = Assets(ROOT / "static")
    app.extensions["assets"] = assets
    app.wsgi_app = assets.wrap(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's own documentation does


def _protect(response: Response) -> Response:
    headers = response.headers
    headers["Content-Security-Policy"] = CONTENT_POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    headers.setdefault("Cache-Control", "no-store")
    return response
