"""The demo: a fictional programme with people at every stage of the path, filled once, through the product's rules."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from portal import demo as fiction
from portal import programme as programmes
from portal.app import create_app
from portal.db import db
from portal.demo.answers import Outcome
from portal.demo.cast import GROUPS, LEADERS, Stage, gather
from portal.demo.data import AREAS, FIRST_PARTS, LAST_PARTS, REGIONS
from portal.mailing import reminders
from portal.models import (
    CORPORATE,
    CallRequest,
    Council,
    CouncilFact,
    Hours,
    Mail,
    MailState,
    Offer,
    OfferState,
    Office,
    Package,
    PackageState,
    Participation,
    Person,
    Role,
    Session,
    SessionState,
    Strand,
)
from portal.people import staff
from portal.results import releases
from portal.settings import Settings
from privacy import audit
from privacy.audit import Action, AuditEntry
from privacy.clock import london_date
from privacy.records import Record
from surveys import theme_tables
from surveys.models import Response, ResponseState, Wave
from tests.postgres import fresh_database

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
TODAY = london_date(NOW)

# Some of the councils that run children's services in England.
REAL = (
    *("barking", "barnet", "bexley", "brent", "bromley", "camden", "croydon", "ealing", "enfield", "hackney"),
    *(
        "harrow",
        "hounslow",
        "lambeth",
        "merton",
        "newham",
        "sutton",
        "barnsley",
        "bolton",
        "bury",
        "calderdale",
    ),
    *("doncaster", "dudley", "gateshead", "kirklees", "knowsley", "leeds", "oldham", "rochdale", "salford"),
    *("sefton", "solihull", "stockport", "tameside", "trafford", "wakefield", "walsall", "wigan", "wirral"),
    *(
        "bedford",
        "blackpool",
        "derby",
        "halton",
        "hartlepool",
        "hull",
        "luton",
        "medway",
        "plymouth",
        "poole",
    ),
    *(
        "reading",
        "redcar",
        "rutland",
        "slough",
        "stoke",
        "swindon",
        "thurrock",
        "torbay",
        "warrington",
        "york",
    ),
    *("cambridge", "cornwall", "cumbria", "devon", "dorset", "durham", "essex", "gloucester", "hampshire"),
    *(
        "hertford",
        "kent",
        "lancashire",
        "leicester",
        "lincoln",
        "norfolk",
        "northumber",
        "nottingham",
        "oxford",
    ),
    *(
        "shropshire",
        "somerset",
        "stafford",
        "suffolk",
        "surrey",
        "sussex",
        "warwick",
        "wiltshire",
        "worcester",
    ),
)


def app_for(folder: Path, **environ: Any) -> Flask:
    settings = Settings.from_environ(
        {"PORTAL_INSTANCE": str(folder / "instance"), "PUBLIC_URL": "http://localhost", **environ},
        root=folder,
    )
    return create_app(settings, lambda: NOW)


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def close(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    if "instance" in app.extensions:
        app.extensions["instance"].vault.engine.dispose()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """An instance that `flask demo` made, on either database."""
    environ = {}
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ = {
            "DATABASE_URL": fresh_database(server, name="demo"),
            "KEYSTORE_URL": fresh_database(server, name="demo_keystore"),
        }
    app = app_for(tmp_path_factory.mktemp("demo"), **environ)
    try:
        result = run(app, "demo")
        assert result.exit_code == 0, result.output
        yield app
    finally:
        # Also if it cannot be filled: a connection left open fails whatever test runs when it is swept up.
        close(app)


@pytest.fixture
def filled(made: Flask) -> Iterator[Flask]:
    """The same with its context: a command that runs inside a test uses it."""
    with made.app_context():
        yield made


def rows_in(table: type[Record]) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_it_holds_what_is_promised(filled: Flask) -> None:
    assert rows_in(Council) == 24
    assert {council.region for council in db.session.scalars(select(Council))} == set(REGIONS)
    strands = Counter(db.session.scalars(select(Package.strand)))
    assert strands == {Strand.ONE_TO_ONE: 30, Strand.GROUP: 7}
    one_to_one = db.session.scalars(
        select(Participation.role).join(Package).where(Package.strand == Strand.ONE_TO_ONE)
    ).all()
    assert len(one_to_one) == 30
    assert sum(role in CORPORATE for role in one_to_one) == 15
    sizes = db.session.scalars(
        select(func.count())
        .select_from(Participation)
        .join(Package)
        .where(Package.strand == Strand.GROUP)
        .group_by(Package.id)
    ).all()
    assert sorted(sizes) == [7, 8, 9, 9, 9, 9, 10]
    offices = Counter(db.session.scalars(select(Office.role)))
    assert (offices[Role.MENTOR], offices[Role.TEAM]) == (14, 3)
    assert all(offices[role] == 1 for role in (Role.OBSERVER, Role.AUDITOR, Role.ADMINISTRATOR))
    assert offices[Role.DPO] == 2, "one can stand in for the other"
    with_hours = db.session.scalars(select(Hours.person_id).distinct()).all()
    assert len(with_hours) == 14


def test_people_stand_at_every_stage(filled: Flask) -> None:
    assert set(db.session.scalars(select(Package.state))) == set(PackageState)
    answered = {(wave, state) for wave, state in db.session.execute(select(Response.wave, Response.state))}
    assert {(wave, ResponseState.SUBMITTED) for wave in Wave} <= answered
    assert (Wave.BASELINE, ResponseState.DRAFT) in answered
    assert rows_in(CallRequest) == 1
    assert set(db.session.scalars(select(Offer.state))) == {OfferState.OPEN}
    held = Counter(tuple(row) for row in db.session.execute(select(Session.state, Session.starts_at > NOW)))
    assert held[(SessionState.BOOKED, True)] >= 5, "sessions to come"
    assert held[(SessionState.BOOKED, False)] >= 2, "sessions that nobody has recorded yet"
    assert held[(SessionState.HELD, False)] > 80
    short = db.session.scalars(select(Package).where(Package.short_reason_sealed.is_not(None))).all()
    assert [bool(package.short_reason) for package in short] == [True]
    assert any(london_date(starts) == TODAY for starts in db.session.scalars(select(Session.starts_at)))


def test_every_role_can_be_entered(filled: Flask) -> None:
    listed = dict(staff.demo_people(db.session(), on=TODAY))
    assert all(listed[role] for role in Role)
    names = [person.name or "" for person in db.session.scalars(select(Person))]
    assert len(set(names)) == len(names)
    assert any(len(name) > 60 for name in names)
    assert any("\u0600" <= letter <= "\u06ff" for name in names for letter in name), "right to left"
    assert all((person.email or "").endswith(".example") for person in db.session.scalars(select(Person)))


def test_no_council_is_a_real_one(filled: Flask) -> None:
    named = " ".join(
        f"{council.name} {council.short_name}".lower() for council in db.session.scalars(select(Council))
    )
    assert [name for name in REAL if name in named] == []
    assert all(gss.startswith("E99") for gss in db.session.scalars(select(Council.gss)))
    assert rows_in(CouncilFact) > 48
    made = [f"{first}{last}".lower() for first in FIRST_PARTS for last in LAST_PARTS]
    assert [name for name in REAL if name in made] == []


def test_its_figures_are_plausible(filled: Flask) -> None:
    result = run(filled, "report", "kpi", "--json")
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)["kpis"]
    assert (first["base"], first["both"], first["share"]) == (12, 9, 0.75)
    assert (second["base"], second["both"]) == (37, 22)
    assert first["silent"] == second["silent"] == 1
    assert first["open"] == 3
    assert first["running"] > 0


def test_what_was_released_shows_themes_and_quotes(filled: Flask) -> None:
    newest = releases.latest(db.session())
    assert newest is not None
    assert newest.instruction == "DFE/LETTER/4"
    themed = newest.table(Strand.GROUP, theme_tables.CODE)
    assert themed is not None
    assert any(row.count for row in themed.rows)
    assert newest.quotes(Strand.GROUP)
    change = newest.table(Strand.GROUP, "change")
    assert change is not None
    assert change.is_whole


def test_the_trail_holds_and_runs_in_order(filled: Flask) -> None:
    ring = filled.extensions["instance"].vault.ring
    lines = audit.verify(db.session(), ring)
    assert lines > 1000
    acts = db.session.execute(
        select(AuditEntry.at, AuditEntry.actor, AuditEntry.action).order_by(AuditEntry.seq)
    )
    # The first line says when the instance was made, which is today.
    trail = acts.all()[1:]
    assert [at for at, _, _ in trail] == sorted(at for at, _, _ in trail)
    assert all(at <= NOW for at, _, _ in trail)
    assert any(actor.startswith("person:") for _, actor, _ in trail)


def test_only_a_handful_of_mails_waits(filled: Flask) -> None:
    states = Counter(db.session.scalars(select(Mail.state)))
    waiting = db.session.scalars(select(Mail.template).where(Mail.state == MailState.WAITING)).all()
    assert sorted(waiting) == ["invitation", "offers", "post_open"]
    assert states[MailState.SENT] > 200
    assert set(states) <= {MailState.SENT, MailState.WAITING, MailState.DROPPED}


def test_the_worker_has_nothing_to_catch_up_on(filled: Flask) -> None:
    programme = filled.extensions["instance"].programme
    assert not reminders.find(db.session(), programme, now=NOW - 2 * fiction.STILL_WAITING)


def test_a_second_run_changes_nothing(filled: Flask) -> None:
    own: Path = filled.extensions["settings"].instance / "programme.toml"
    before = (audit.verify(db.session(), filled.extensions["instance"].vault.ring), own.read_text())
    db.session.remove()
    result = run(filled, "demo", "--people", "60", "--seed", "9")
    assert result.exit_code == 0
    assert "nothing was changed" in result.stderr
    assert (audit.verify(db.session(), filled.extensions["instance"].vault.ring), own.read_text()) == before


def test_a_filling_that_was_cut_short_starts_again(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    with app.app_context():
        assert run(app, "demo", "--people", "4").exit_code == 0
        trail = audit.verify(db.session(), app.extensions["instance"].vault.ring)
        done = select(AuditEntry).where(AuditEntry.action == Action.INSTANCE_FILLED.word)
        # As if it had been stopped just before the end: the last line says that all of it was done.
        entry = db.session.scalars(done).one()
        entry.action = Action.INSTANCE_MADE.word
        db.session.commit()
        result = run(app, "demo", "--people", "4")
        assert result.exit_code == 0, result.output
        assert "starting again" in result.stderr
        assert rows_in(Package) == 5
        assert rows_in(AuditEntry) > trail
    close(app)


def test_real_data_is_refused(tmp_path: Path) -> None:
    app = app_for(tmp_path)
    assert run(app, "init").exit_code == 0
    result = run(app, "demo")
    assert result.exit_code == 1
    assert "cannot become a demo" in result.output
    assert not (tmp_path / "instance" / "programme.toml").exists()
    close(app)


def test_the_programme_file_has_dates_around_today(tmp_path: Path) -> None:
    path = tmp_path / "programme.toml"
    assert fiction.write_programme(path, today=TODAY)
    programme = programmes.load(path)
    assert programme.contract.starts_on.isoformat() == "2025-03-01"
    assert programme.contract.ends_on.isoformat() == "2028-01-31"
    assert (programme.reference, programme.service_name) == ("con_9887", "Leadership support (demo)")
    addresses = [reach for name, reach in programme.contacts.items() if "phone" not in name]
    assert all(address.endswith(".example") for address in addresses)
    assert not fiction.write_programme(path, today=TODAY), "what is there stays"


def test_the_same_seed_gives_the_same_names() -> None:
    def names(seed: int, leaders: int = 30) -> list[str]:
        return [one.email for one in gather(people=leaders, rng=Random(seed)).people]

    assert names(1) == names(1)
    assert names(1) != names(2)
    assert len(set(names(3, leaders=600))) == len(names(3, leaders=600))


def test_the_cast_has_every_stage_and_outcome() -> None:
    stages = {stage for _, stage, _ in LEADERS} | {stage for _, stage, _, _ in GROUPS}
    assert stages == set(Stage)
    outcomes = {outcome for _, _, outcome in LEADERS} | {one for *_, ends in GROUPS for one in ends}
    assert outcomes >= set(Outcome)
    assert len(AREAS) == len({area.short_name for area in AREAS})
