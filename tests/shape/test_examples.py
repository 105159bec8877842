"""The examples of how to run the portal: that systemd and nginx would take them, and that they say what is so."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from portal.app import create_app
from portal.cli.serve import serve
from portal.cli.working import worker
from portal.settings import Mode, Settings
from portal.views.uploads import SENT_AT_MOST

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "portal" / "cli" / "examples"
UNITS = sorted(EXAMPLES.glob("*.service"))
NGINX = EXAMPLES / "nginx.conf"
COMMAND = EXAMPLES / "portal"
SETTINGS = EXAMPLES / "settings"
READ = (ROOT / "portal" / "settings.py").read_text(encoding="utf-8")


class Unit:
    """A unit file, whose names may come several times."""

    def __init__(self, path: Path) -> None:
        self.values: dict[str, list[str]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            if "=" in line and not line.startswith("#"):
                name, _, value = line.partition("=")
                self.values.setdefault(name, []).append(value)
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read(path, encoding="utf-8")
        self.sections = parser.sections()


def lines_of(text: str, *, optional: bool = False) -> dict[str, str]:
    """The names and values of a file of settings; the optional ones are those that a sign makes a comment."""
    found = re.findall(rf"^{'#' if optional else ''}([A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a name twice"
    return dict(found)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_is_there_and_again_whenever_it_ends(path: Path) -> None:
    unit = Unit(path)
    assert unit.sections == ["Unit", "Service", "Install"]
    (command,) = unit.values["ExecStart"]
    program, name, *options = command.split()
    assert program == f"{unit.values['WorkingDirectory'][0]}/.venv/bin/flask"
    known = {one.name: one for one in (serve, worker)}
    assert not options or options[0] in known[name].params[0].opts
    assert unit.values["Restart"] == ["always"]
    assert int(unit.values["RestartSec"][0]) < 60
    assert unit.values["User"] != ["root"]


def test_the_settings_are_those_of_production(tmp_path: Path) -> None:
    text = SETTINGS.read_text(encoding="utf-8")
    plain, optional = lines_of(text), lines_of(text, optional=True)
    assert plain.keys().isdisjoint(optional)
    assert [name for name in plain | optional if f'"{name}"' not in READ] == [], "nothing reads it"
    settings = Settings.from_environ(plain, root=tmp_path)
    assert (settings.mode, settings.proxies, settings.processes) == (Mode.PRODUCTION, 1, 1)
    assert not settings.keys.is_relative_to(settings.instance), "keys lie apart from the data"
    many = Settings.from_environ({**plain, **optional}, root=tmp_path)
    assert many.limits_store
    assert many.backups is not None


@pytest.mark.parametrize("path", [*UNITS, COMMAND], ids=lambda path: path.name)
def test_services_and_commands_run_alike(path: Path) -> None:
    """As one account, with one file of settings, on the folders that it names."""
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.search(r"(User|--uid)=portal\b", text)
    assert re.search(r"(Group|--gid)=portal\b", text)
    assert re.search(r"(WorkingDirectory|--working-directory)=/srv/portal\b", text)
    assert "EnvironmentFile=/etc/portal/settings" in text
    assert "/srv/portal/.venv/bin/flask" in text
    assert "UMask=0077" in text
    assert "StateDirectoryMode=0700" in text
    folders = re.search(r"StateDirectory='?([a-z -]+)", text)
    assert folders is not None
    plain = lines_of(SETTINGS.read_text(encoding="utf-8"))
    assert {f"/var/lib/{name}" for name in folders[1].split()} == {
        plain["PORTAL_INSTANCE"],
        plain["PORTAL_KEYS"],
    }


def test_the_units_are_restricted_alike() -> None:
    web, worker = (path.read_text(encoding="utf-8").partition("UMask")[2] for path in sorted(UNITS))
    kept = [text[text.index("NoNewPrivileges") : text.index("[Install]")] for text in (web, worker)]
    assert kept[0] == kept[1]
    assert "SystemCallFilter=@system-service" in kept[0]


def test_the_command_passes_on_what_it_is_given(tmp_path: Path) -> None:
    """To a systemd-run that prints what it was asked."""
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", encoding="utf-8")
    stand_in.chmod(0o755)
    done = subprocess.run(
        [COMMAND, "people", "link", "a b"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.splitlines()
    assert words[-4:] == ["/srv/portal/.venv/bin/flask", "people", "link", "a b"]
    assert "--pipe" in words


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_takes_it(path: Path, tmp_path: Path) -> None:
    """Where systemd is; its programs and folders are put where this machine has some."""
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    here = re.sub(r"/srv/portal/.venv/bin/flask", "/bin/true", path.read_text(encoding="utf-8"))
    copy = tmp_path / path.name.replace("@.", "@1.")
    copy.write_text(here.replace("/srv/portal", "/tmp"), encoding="utf-8")
    done = subprocess.run([program, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if path.name.partition(".")[0].rstrip("@") in line]
    assert not ours, done.stderr


def test_nginx_passes_on_what_the_portal_needs_and_no_more() -> None:
    text = re.sub(r"#.*", "", NGINX.read_text(encoding="utf-8"))
    assert text.count("{") == text.count("}")
    statements = [line.strip() for line in text.splitlines() if line.strip()]
    assert all(line[-1] in "{};" for line in statements)
    port = serve.params[0].default
    assert f"server 127.0.0.1:{port};" in statements
    assert f"client_max_body_size {SENT_AT_MOST // 1024**2}m;" in statements
    # As many addresses as PORTAL_PROXIES says: this proxy's view of who came, behind what they said themselves.
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in statements
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in statements
    assert "access_log off;" in statements
    asked = re.search(r"location = (\S+) \{([^}]*)\}", text)
    assert asked is not None
    assert ("allow 127.0.0.1;" in asked[2], "deny all;" in asked[2]) == (True, True)
    app = create_app(Settings.from_environ({}, root=ROOT))
    assert asked[1] in {rule.rule for rule in app.url_map.iter_rules()}
    waits = re.search(r"proxy_read_timeout (\d+)s", text)
    assert waits is not None
    assert int(waits[1]) > 60, "longer than the longest statement"
