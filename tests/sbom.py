"""The list of parts: `python -m tests.sbom` writes sbom.json (CycloneDX 1.6), from what is locked.

What is served: the packages of requirements.txt, and of package-lock.json what is not for development alone.
"""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parent.parent
WRITTEN = ROOT / "sbom.json"
NPM = "node_modules/"


class NotWhole(Exception):
    """The list of parts is no CycloneDX document; the message says why."""


def build() -> dict[str, Any]:
    """The document. Raises NotWhole, or CalledProcessError if the Python part cannot be made."""
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.txt"]
    options = [
        "--pyproject",
        "pyproject.toml",
        "--of",
        "JSON",
        "--sv",
        "1.6",
        "--output-reproducible",
        "-o",
        "-",
    ]
    made = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    document: dict[str, Any] = json.loads(made)
    document["components"] = sorted(
        [*document["components"], *npm_parts()], key=lambda part: (part["purl"], part["bom-ref"])
    )
    document["dependencies"] = [
        *document["dependencies"],
        *({"ref": part["bom-ref"]} for part in npm_parts()),
    ]
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    if fault is not None:
        raise NotWhole(repr(fault))
    return document


def npm_parts() -> list[dict[str, Any]]:
    """The packages of npm, as components."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [
        _part(name.rpartition(NPM)[2], entry)
        for name, entry in packages.items()
        if name.startswith(NPM) and not entry.get("dev")
    ]


def _part(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    kind, _, digest = entry["integrity"].partition("-")
    purl = f"pkg:npm/{name.replace('@', '%40')}@{entry['version']}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": entry["version"],
        "purl": purl,
        "hashes": [{"alg": kind.replace("sha", "SHA-"), "content": base64.b64decode(digest).hex()}],
    }


if __name__ == "__main__":
    WRITTEN.write_text(json.dumps(build(), indent=2) + "\n")
    print(f"{WRITTEN.name}: {len(json.loads(WRITTEN.read_text())['components'])} parts")
