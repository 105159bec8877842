"""The product's commands, each in a process of its own, forked from one that has read the program already.

Reading it anew costs four fifths of a command. That a command also starts from nothing is shown wherever a test starts
the server.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.cli import main

_READ = multiprocessing.get_context("forkserver")
_READ.set_forkserver_preload(["portal.app"])


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def run(words: Sequence[str], *, environ: Mapping[str, str], folder: Path, stdin: str = "") -> Ended:
    """Run `flask ...` in a folder, in this environment."""
    with TemporaryDirectory() as place:
        files = [Path(place, name) for name in ("in", "out", "err")]
        files[0].write_text(stdin)
        process = _READ.Process(target=_flask, args=(list(words), dict(environ), folder, files))
        process.start()
        process.join()
        assert process.exitcode is not None
        return Ended(process.exitcode, files[1].read_text(), files[2].read_text())


def _flask(words: list[str], environ: dict[str, str], folder: Path, files: list[Path]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(folder)
    for number, file in enumerate(files):
        opened = os.open(file, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 - the process's own
    sys.argv = ["flask", *words]
    main()
