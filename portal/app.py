"""`create_app`: the only place where the parts are joined. It touches no disk; `open_app` opens the instance."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import Session as DbSession
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.assets import Assets
from portal.cli import CommandLine, Migrations
from portal.db import db, let_go
from portal.headers import Protected
from portal.health.counts import Counts
from portal.health.disk import Disks
from portal.health.readiness import Readiness
from portal.instance import Instance, open_instance
from portal.settings import Settings
from portal.views import (
    access_review,
    account,
    account_factors,
    account_people,
    account_prove,
    agenda,
    agreeing,
    answers,
    approvals,
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
    floods,
    formatting,
    fragments,
    goals,
    groups,
    handovers,
    home,
    hours,
    incidents,
    instructions,
    interests,
    letters,
    limiting,
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
    purposes,
    questionnaires,
    redactions,
    registers,
    releases,
    reports,
    request_logs,
    resources,
    return_stores,
    returns,
    safekeeping,
    searches,
    seats,
    self_service,
    sendings,
    sent_files,
    series,
    standstill,
    staying,
    sub_processors,
    suspicions,
    team,
    test_mails,
    themes,
    transport,
    uploads,
    verdicts,
    your_data,
    your_support,
)
from portal.views.compiled import CompiledTemplates
from privacy import engines
from privacy.clock import Clock, clock_from, system_clock

ROOT = Path(__file__).resolve().parent.parent
BLUEPRINTS = (
    access_review.bp,
    account.bp,
    account_factors.bp,
    account_people.bp,
    account_prove.bp,
    agenda.bp,
    agreeing.bp,
    answers.bp,
    approvals.bp,
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
    purposes.bp,
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
    sendings.bp,
    sent_files.bp,
    series.bp,
    staying.bp,
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

csrf = CSRFProtect()


class Portal(Flask):
    """Flask, but for one thing: no function of ours is asynchronous, and each is asked about it on every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """Join the parts. The app answers pages once `open_app` has opened its instance."""
    app = Portal(__name__, template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engines.options(settings.database_url),
        **transport.limits(),
        TRUSTED_HOSTS=settings.trusted_hosts,
        # A token lives as long as the browser session: an hour's limit would cost people what they typed.
        WTF_CSRF_TIME_LIMIT=None,
        # It would ask for a referrer, which our pages tell browsers not to send; transport.py looks at what they send.
        WTF_CSRF_SSL_STRICT=False,
        SESSION_COOKIE_NAME="__Host-form" if settings.secure else "form",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
    )
    app.jinja_environment = formatting.SharedGlobals
    app.jinja_options = {"bytecode_cache": CompiledTemplates()}
    app.extensions["settings"] = settings
    app.extensions["disks"] = Disks(settings)
    app.extensions["counts"] = Counts(settings.counts_to)
    app.extensions["open"] = partial(open_app, app)
    app.extensions["clock"] = clock or (
        clock_from(settings.now, since=settings.now_since) if settings.now else system_clock
    )
    db.init_app(app)
    app.teardown_appcontext(let_go)
    app.extensions["migrate"] = Migrations(app, db, ROOT / "portal" / "migrations")
    closed.install(app)
    request_logs.install(app)
    # In this order before each request. What looks for the form token reads the body.
    transport.install(app)
    account.install(app)
    app.extensions["floods"] = floods.install(app, settings)
    app.before_request(resources.allow_large_files)
    app.before_request(uploads.allow_files)
    csrf.init_app(app)
    limiting.install(app)
    fragments.install(app)
    app.request_class = type("PortalRequest", (transport.Limited, app.request_class), {})
    formatting.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    standstill.install(app)
    errors.install(app)
    navigation.install(app)
    app.cli = CommandLine(app.name)
    with app.app_context():
        engines.prepare(db.engine)
    return app


def open_app(app: Flask) -> Instance:
    """Open the instance behind an app: keys, programme, canary, assets. See open_instance for what it raises."""
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        engine = db.engine
        instance = open_instance(settings, engine=engine, clock=app.extensions["clock"])
    app.extensions["instance"] = instance
    sessions = partial(DbSession, engine, info={"vault": instance.vault})
    app.extensions["readiness"] = Readiness(instance, sessions, app.extensions["disks"])
    app.secret_key = instance.vault.ring.derive("token", "form|v1")
    _serve_assets(app)
    return instance


def show_closed(app: Flask) -> None:
    """Make an app ready whose instance was closed: it shows the closing page, and opens nothing."""
    app.extensions["closed"] = True
    _serve_assets(app)


def _serve_assets(app: Flask) -> None:
    settings: Settings = app.extensions["settings"]
    assets = Assets(ROOT / "static")
    app.extensions["assets"] = assets
    app.jinja_env.globals["asset"] = assets.url
    app.jinja_env.globals["page_head"] = app.jinja_env.get_template("_head.html").module
    served = assets.wrap(app.wsgi_app)
    hops = settings.proxies
    if hops:
        # Exactly as many as there are: what a client puts before them is never read. The host is not theirs to say.
        served = ProxyFix(served, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0)
    app.wsgi_app = Protected(served, secure=settings.secure, raises=app.testing)  # type: ignore[method-assign]  # as Flask's own documentation does
