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

    @property
    def settings(self) -> dict[str, str]:
        return dict(one.split("=", 1) for one in self.values["Environment"])


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


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_sets_what_the_portal_reads(path: Path, tmp_path: Path) -> None:
    """With the file that it names, which an administrator fills in, the settings are those of production."""
    unit = Unit(path)
    file = {
        "PUBLIC_URL": "https://portal.example",
        "SMTP_HOST": "mail.example",
        "DATABASE_URL": "postgresql:///portal",
        "KEYSTORE_URL": "postgresql:///portal_keys",
        "LIMITS_STORE": "redis://localhost:6379",
    }
    settings = Settings.from_environ({**file, **unit.settings}, root=tmp_path)
    assert settings.mode is Mode.PRODUCTION
    assert settings.proxies == 1
    assert str(settings.keys) == unit.settings["PORTAL_KEYS"]
    assert not settings.keys.is_relative_to(settings.instance), "keys lie apart from the data"
    assert {f"/var/lib/{name}" for name in unit.values["StateDirectory"][0].split()} == {
        str(settings.instance),
        str(settings.keys),
    }
    read = (ROOT / "portal" / "settings.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in read for name in unit.settings)


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
