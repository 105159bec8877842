"""An instance of its own for each module, on each database where both matter."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Stack, make_stack
from tests.postgres import fresh_database

_numbers = count(1)


@pytest.fixture(scope="module")
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database; a module says which (tests/faults/databases.py)."""
    return str(request.param)


@pytest.fixture(scope="module")
def instance(
    kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """Empty, and nobody's but the module's: servers run on it."""
    number = next(_numbers)
    environ = {}
    if kind == "postgresql":
        server: str = request.getfixturevalue("postgres_server")
        environ = {
            "DATABASE_URL": fresh_database(server, name=f"faults{number}"),
            "KEYSTORE_URL": fresh_database(server, name=f"faults{number}_keys"),
        }
    folder: Path = tmp_path_factory.mktemp(f"faults{number}")
    made = make_stack(folder, environ, synced=True)
    yield made
    made.close()
