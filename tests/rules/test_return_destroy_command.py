"""`flask return store` and `flask return destroy`; what a closed site shows, and what still runs there."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from portal.app import create_app, show_closed
from portal.programme import Programme
from portal.returning import closing, destruction_checks, destruction_places
from portal.returning.closing import Closing
from privacy.returns.stores import ConfirmationRefused
from tests.ended_world import NAMES, PHONE, Ended, ended
from tests.pages_client import PageClient, check_page


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Ended]:
    made = ended(tmp_path, {})
    yield made
    made.end()


def run(world: Ended, *args: str | Path, typed: str | None = None) -> Result:
    """In a process of its own, as far as an app is one: nothing of an earlier command is open."""
    app = create_app(world.settings, world.clock)
    try:
        return app.test_cli_runner().invoke(args=[*map(str, args)], input=typed)
    finally:
        with app.app_context():
            world.let_go(app)


def destroy(world: Ended, *args: str | Path, typed: str | None = None) -> Result:
    return run(world, "return", "destroy", "--receipt", world.order.receipt or "", *args, typed=typed)


def confirm_all(world: Ended) -> None:
    said = ("--on", "2023-03-01", "--by", "Systems engineer", "--witness", "Information officer")
    for name in world.to_confirm():
        result = run(world, "return", "store", name, "--method", "delete", *said, "--evidence", "T-1")
        assert result.exit_code == 0, result.output


def test_a_dry_run_lists_every_store_and_destroys_nothing(world: Ended) -> None:
    result = destroy(world, "--dry-run")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"Dry run of {world.reference}: nothing is destroyed"
    assert "store    key store: crypto_erase; wrapped data keys, and the dates of destroyed ones" in lines
    assert "store    shared mailbox: by hand, NOT CONFIRMED; the team's mail" in lines
    assert "table    person: 2 rows, 0 stay" in lines
    assert any(line.startswith("against  not confirmed yet: shared mailbox") for line in lines)
    assert any(line.startswith(f"backups  {world.folder / 'backups'}: deleted") for line in lines)
    found = json.loads(destroy(world, "--json").stdout)
    assert {one["name"] for one in found["stores"] if not one["confirmed"] and one["by_hand"]} == set(
        world.to_confirm()
    )
    assert closing.read(world.settings.instance) is None


def test_a_store_that_is_not_there_is_no_store(world: Ended) -> None:
    said = ("--on", "2023-03-01", "--by", "Engineer", "--witness", "Officer")
    result = run(world, "return", "store", "cellar", "--method", "delete", *said)
    assert result.exit_code == 1
    assert "Stores that are confirmed: shared mailbox, escrow, log" in result.output
    result = run(world, "return", "store", "log", "--method", "expiry", *said)
    assert "Enter the day of expiry" in result.output
    result = run(world, "return", "store", "log", "--method", "delete", *said[:4], "--witness", "engineer")
    assert "The witness must be somebody else" in result.output


def test_nobody_is_named_in_what_is_kept_of_a_store(world: Ended) -> None:
    """It could never be taken back, and nothing could be certified."""
    sound = {"who": "Engineer", "witness": "Officer", "evidence": "T-1"}
    for field, text in ("who", NAMES[0]), ("witness", f"seen by {NAMES[1]}"), ("evidence", PHONE):
        with pytest.raises(ConfirmationRefused, match="This names somebody") as refused:
            world.confirm_one("log", **{**sound, field: text})
        assert refused.value.field == field
    world.confirm()
    with world.session() as db:
        assert not destruction_checks.against(world.left, db, world.course, world.order)


def test_destroying_takes_every_store_a_witness_and_a_yes(world: Ended) -> None:
    result = destroy(world, "--yes", "--witness", "Officer")
    assert result.exit_code == 1
    assert "not confirmed yet" in result.output
    confirm_all(world)
    result = destroy(world, "--yes")
    assert result.exit_code == 1
    assert "give their role with --witness" in result.output
    for typed in ("y\n", ""):
        assert destroy(world, "--witness", "Officer", typed=typed).exit_code == 1
    assert closing.read(world.settings.instance) is None


def test_it_destroys_and_the_same_command_goes_on(world: Ended) -> None:
    confirm_all(world)
    result = destroy(world, "--witness", "Officer", "--paid-on", "2024-05-02", typed="yes\n")

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(f"{world.reference} is destroyed, verified and certified\n")
    assert "looking for anything that is left" in result.stderr
    assert "certificate-2.pdf" in result.stderr, "nothing was outstanding"
    said = json.loads((world.result / "certificate-1.json").read_text())
    assert said["kept"]["until"] == "2031-03-31"

    again = destroy(world, "--yes")
    assert again.exit_code == 0, again.output
    nothing_else_runs(world)


def test_two_at_once_do_not_destroy_together(world: Ended) -> None:
    """Each would write over the journal and the traces of the other, and neither could be verified."""
    confirm_all(world)
    with destruction_places.alone(world.settings):
        result = destroy(world, "--yes", "--witness", "Officer")
        assert result.exit_code == 1
        assert "another process is at work" in result.output
    assert closing.read(world.settings.instance) is None


def nothing_else_runs(world: Ended) -> None:
    for command in (
        ("init",),
        ("demo",),
        ("people", "list"),
        ("backup", "create", world.folder / "b", "--certificate", world.reader.certificate),
        ("privacy", "audit", "verify"),
        ("return", "build", "--certificate", world.reader.certificate, "--out", world.folder / "out"),
    ):
        result = run(world, *command)
        assert result.exit_code == 1, command
        assert "closed at the end of the contract" in result.output, command
    assert run(world, "worker", "--once").exit_code == 0


def test_every_page_of_a_running_site_is_the_closing_page_at_once(world: Ended) -> None:
    """Of a process that began before: it lets go of keys and files, and asks no database any more."""
    client = PageClient(world.stack.app, world.instance)
    client.get("/sign-in")
    world.confirm()

    world.begin()

    for path in ("/", "/sign-in", "/your-support", "/privacy-desk/trail", "/no/such/page"):
        page = client.get(path, status=410)
        assert page.heading == "This portal is closed"
        assert "is being deleted now" in page.words()
    assert "instance" not in world.stack.app.extensions
    assert client.http.post("/sign-in", data={"email": "a@b.example"}).status_code == 410
    assert client.http.get("/healthz").data == b"closed\n"
    world.destroy()
    page = client.get("/", status=410)
    assert "The last of it went on 1 March 2023" in page.words()
    assert "everything was handed back to the Department for Education" in page.words()
    assert world.reference in page.words()


def test_a_process_that_starts_afterwards_shows_it_too(world: Ended, programme_file: Programme) -> None:
    world.confirm()
    world.destroy()
    app = create_app(world.settings, world.clock)
    show_closed(app)
    response = app.test_client().get("/", headers={"Host": "localhost"})
    assert response.status_code == 410
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    address = response.get_data(as_text=True).split('rel="stylesheet" href="')[1].split('"')[0]
    with app.test_client().get(address) as style:
        assert style.status_code == 200, "its style is served"
    for contact in ("controller_dpo", "dpo"):
        assert programme_file.contacts[contact] in response.get_data(as_text=True)


@pytest.fixture
def programme_file(world: Ended) -> Programme:
    return world.instance.programme


def test_the_page_says_what_is_known(world: Ended) -> None:
    app = create_app(world.settings, world.clock)
    show_closed(app)
    client = PageClient(app, world.instance)
    page = client.get("/", status=410)
    assert "All data about people that was held here was deleted." in page.words(), "by the database alone"
    today = world.clock().date()
    said = Closing("T-2", rehearsal=True, held=True, closed_on=today, outstanding=True)
    closing.mark(world.settings.instance, said)
    page = client.get("/", status=410)
    assert "Nobody can open them" in page.words()
    assert "Every person and council here was made up." in page.words()
    assert (
        "but for what the law makes us keep for now. The last of the rest went on 1 March 2023"
        in page.words()
    )
    assert check_page(page, "/") is None
    closing.mark(world.settings.instance, closing.settled(said, on=today + timedelta(days=9)))
    assert "The last of the rest went on 10 March 2023" in client.get("/", status=410).words()
