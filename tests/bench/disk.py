"""How much room somebody takes on disk: the data of a demo, whose people did what people do here, by their number."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session as DbSession

from portal.models import Participation
from privacy import scrub
from privacy.engines import open_engine, sqlite_url
from tests.bench.row import Row

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("portal.sqlite", "keystore.sqlite")


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        empty, demo = Path(name) / "empty", Path(name) / "demo"
        _flask("init", empty)
        _flask("demo", demo)
        used = _bytes(demo) - _bytes(empty)
        engine = open_engine(sqlite_url(demo / DATABASES[0]))
        with DbSession(engine) as db:
            people = db.scalar(select(func.count(Participation.person_id.distinct()))) or 0
        engine.dispose()
    yield Row("room on disk for a person of the demo", used / people / 1000, "kB", 200.0, 0.0)


def _flask(command: str, instance: Path) -> None:
    environ = {**os.environ, "PORTAL_INSTANCE": str(instance)}
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", command],
        cwd=ROOT,
        env=environ,
        check=True,
        capture_output=True,
    )


def _bytes(instance: Path) -> int:
    """Of both databases, once everything is out of the logs."""
    for name in DATABASES:
        engine = open_engine(sqlite_url(instance / name))
        assert scrub.checkpoint(engine)
        engine.dispose()
    return sum((instance / name).stat().st_size for name in DATABASES)
