"""Verifying a package here: by the very program that lies in every package, run as a process of its own.

So what holds here holds at the Department, and nothing of the builder is trusted. It is taken from this release, not
from the package: whoever altered a package could have altered the program in it (cl 15).
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from privacy.returns.folder import PACKAGE, VERIFIER


class PackageBroken(Exception):
    """A package does not hold; `reason` says what, and can be shown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Verified:
    """What a package says, once it holds. `digest` is the SHA-256 of `package.json`; `opened`: what is inside was
    checked too; `signer` is the fingerprint of the certificate that signed it. `trail` says what was wrong
    with the audit trail when it was built, None where it held."""

    digest: str
    opened: bool
    signer: str
    contract: str
    direction: str | None
    scope: str
    rehearsal: bool
    rows: int
    volumes: int
    trail: str | None = None


def verify(
    folder: Path,
    *,
    key: Path | None = None,
    fingerprint: str | None = None,
    out: Path | None = None,
    scratch: Path | None = None,
) -> Verified:
    """Check a package; with a private key (PEM) also what is inside it, which `out` then keeps opened.

    `scratch` is the folder for what is open meanwhile, a private one of the system if left out; `fingerprint` that of
    the only certificate that may have signed it. Raises PackageBroken.
    """
    with ExitStack() as stack:
        program = stack.enter_context(as_file(files("privacy.returns").joinpath(VERIFIER)))
        command = [sys.executable, "-I", str(program), str(folder), "--json"]
        for name, value in (("--key", key), ("--fingerprint", fingerprint), ("--out", out)):
            command += [name, str(value)] if value is not None else []
        environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        if scratch is not None:
            scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            environ["TMPDIR"] = str(scratch)
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["the verifier ended without a word"]
        raise PackageBroken(said[-1].removeprefix("The package does not hold: "))
    return Verified(**json.loads(done.stdout))


def described(folder: Path) -> dict[str, Any]:
    """What the `package.json` in a folder says; verify it before anything rests on it. Raises PackageBroken."""
    try:
        found: dict[str, Any] = json.loads((folder / PACKAGE).read_bytes())
    except (OSError, ValueError) as error:
        raise PackageBroken(f"there is no {PACKAGE} in {folder}: it holds no finished package") from error
    return found
