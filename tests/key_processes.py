"""Real processes that write, read and rotate beside a test, to be killed or asked how they fared.

    python -m tests.key_processes write|rotate

The instance is the one that the environment names, as for any other process of the product. `write` adds people
and reads and finds them again until its standard input closes, a line for each; `rotate` rotates once, in small
batches, a line for each.
"""

import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts, addresses
from portal.app import create_app, open_app
from portal.db import db
from portal.desk import key_keeping
from portal.models import Person
from portal.settings import Settings
from privacy import rotation
from privacy.clock import system_clock
from privacy.keystore import SUBJECT_KEY
from tests.conftest import Stack
from tests.factories import Factory

ROOT = Path(__file__).resolve().parent.parent


def start(stack: Stack, mode: str) -> "subprocess.Popen[str]":
    """A process on the same databases and keys; it has opened the instance once it has said a line."""
    settings = stack.instance.settings
    environ = {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "DATABASE_URL": settings.database_url,
        "KEYSTORE_URL": settings.keystore_url,
        "PUBLIC_URL": "http://localhost",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "tests.key_processes", mode],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def main(mode: str) -> None:
    app = create_app(Settings.from_environ(os.environ, root=ROOT), system_clock)
    instance = open_app(app)
    with app.app_context():
        sessions = partial(DbSession, db.engine, info={"vault": instance.vault})
        if mode == "rotate":
            # Small batches, a line after each: the test kills between any two, or within one.
            rotation.BATCH, addresses.BATCH = 100, 5
            key_keeping.rotate(instance, sessions, tell=lambda _: lambda _: print("batch", flush=True))
            return
        ended = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
        number = 0
        while not ended.is_set():
            number += 1
            with sessions() as session:
                make = Factory(session, system_clock, instance.programme)
                made = make.person(email=f"beside{os.getpid()}-{number}@council.example")
                person_id, name, address = made.id, made.name, made.email
            # A session of its own reads its keys anew, as the next request does.
            with sessions() as session:
                again = session.get(Person, person_id)
                assert again is not None
                assert again.name == name
                found = accounts.find(session, str(address))
                assert found is not None
                assert found.id == person_id
                others = session.scalars(select(Person).limit(20)).all()
                assert all(other.name and other.email for other in others)
            with instance.vault.engine.connect() as connection:
                kek_id = connection.scalar(
                    select(SUBJECT_KEY.c.kek_id).where(SUBJECT_KEY.c.holder_id == person_id)
                )
            print(address, kek_id, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
