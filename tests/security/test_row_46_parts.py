"""Row 46: what it is made of is listed, locked with hashes, and not older than the advisories that are known.

An auditor that cannot reach its service finds nothing and says so as if all were well. This list needs no service:
each line is the release in which something known was put right, and what it was.
"""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from packaging.version import Version

from tests import sbom
from tests.locks import requirements

ROOT = Path(__file__).resolve().parents[2]

PYTHON = {
    "cbor2": ("5.8.0", "CVE-2024-26134 and CVE-2025-68131: crash, and memory shared between two readings"),
    "cryptography": ("46.0.7", "CVE-2024-12797, CVE-2026-26007, CVE-2026-34073, CVE-2026-39892"),
    "flask": (
        "3.1.3",
        "CVE-2023-30861, GHSA-4grg-w6v8-c28g, CVE-2026-27205: sessions in caches, old keys first",
    ),
    "jinja2": ("3.1.6", "CVE-2024-22195, CVE-2024-34064, CVE-2024-56201, CVE-2025-27516"),
    "mako": (
        "1.3.12",
        "CVE-2022-40023, CVE-2026-41205, CVE-2026-44307: slow patterns, files outside the folder",
    ),
    "psycopg-binary": ("3.2.5", "CVE-2025-1094 in the libpq that comes with it"),
    "pyopenssl": ("26.0.0", "CVE-2026-27448, CVE-2026-27459"),
    "pysqlite3": ("0.6.1", "SQLite 3.53: the write-ahead log of 3.7.0 to 3.51.2 can lose pages"),
    "pyyaml": ("5.4", "CVE-2020-1747, CVE-2020-14343: code in a file"),
    "redis": ("4.5.4", "CVE-2023-28858, CVE-2023-28859: answers to somebody else's question"),
    "werkzeug": (
        "3.1.9",
        "CVE-2023-25577, CVE-2023-46136, CVE-2024-34069, GHSA-q34m-jh98-gwm2, GHSA-87hc-h4r5-73f7",
    ),
}
NPM = {
    "immutable": ("5.1.5", "CVE-2026-29063: prototype pollution"),
}
SQLITE = ("3.51.3", "the write-ahead log can lose pages")


def locked(name: str, *, here: bool = False) -> dict[str, str]:
    """The pins of a lock, or of what it has for this Python and this machine."""
    return {
        one.name: str(one.specifier).removeprefix("==")
        for one in requirements(name)
        if not here or one.marker is None or one.marker.evaluate()
    }


def too_old(pins: dict[str, str], least: dict[str, tuple[str, str]]) -> list[str]:
    """What is older than it may be; what the list names and nobody uses is said as well: the list must not rot."""
    found = [f"{name} is in the list, and not among the parts" for name in least if name not in pins]
    return found + [
        f"{name} {pins[name]}: {why}"
        for name, (version, why) in least.items()
        if name in pins and Version(pins[name]) < Version(version)
    ]


def test_row_46_no_part_is_older_than_what_is_known_of_it() -> None:
    assert too_old(locked("requirements.txt"), PYTHON) == []
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    npm = {name.rpartition("node_modules/")[2]: entry["version"] for name, entry in packages.items() if name}
    assert too_old(npm, NPM) == []
    assert Version(pysqlite3.sqlite_version) >= Version(SQLITE[0]), SQLITE[1]


def test_row_46_the_check_finds_what_is_too_old_and_what_is_missing() -> None:
    least = {"flask": ("3.1.3", "sessions"), "gone": ("1.0", "nothing")}
    assert too_old({"flask": "3.1.2"}, least) == [
        "gone is in the list, and not among the parts",
        "flask 3.1.2: sessions",
    ]
    assert too_old({"flask": "3.1.10", "gone": "1.0"}, least) == []


def test_row_46_what_runs_is_what_is_locked() -> None:
    """Every part that is served, as it is installed here."""
    for name, pinned in locked("requirements.txt", here=True).items():
        assert version(name) == pinned, name


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As `make sbom` writes it, and valid by its schema (sbom.NotWhole otherwise)."""
    return sbom.build()


def test_row_46_the_list_of_parts_names_every_part_with_its_hashes(document: dict[str, Any]) -> None:
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    listed = {}
    for part in document["components"]:
        hashes = [*part.get("hashes", ())]
        hashes += [one for place in part.get("externalReferences", ()) for one in place.get("hashes", ())]
        assert hashes, part["name"]
        assert {one["alg"] for one in hashes} <= {"SHA-256", "SHA-512"}
        listed[part["name"]] = part["version"]
    assert locked("requirements.txt").items() <= listed.items()
    for name in ("govuk-frontend", "htmx.org"):
        assert name in listed
    assert "axe-core" not in listed, "it only tests"


def test_row_46_the_list_is_made_and_the_code_is_looked_through_by_make() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^sbom: .*\n\t\$\(BIN\)/python -m tests\.sbom$", makefile, re.MULTILINE)
    lint = makefile.split("\nlint:")[1].split("\n\n")[0]
    assert "bandit" in lint
    assert re.search(r"^test: setup lint", makefile, re.MULTILINE)
    assert "sbom.json" in (ROOT / ".gitignore").read_text().split()
