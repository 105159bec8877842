"""Row 11: a rolling restart, as for a new release, with twenty people in the middle of a form."""

import itertools
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import Stack
from tests.faults.checks import nothing_lost
from tests.faults.clients import Client, Tally, filled, form_at
from tests.faults.databases import on
from tests.faults.doings import Acknowledged, within
from tests.faults.server import PATIENCE, Server, children_of
from tests.faults.world import Leader, World, fill

WRITERS = 20

pytestmark = on("sqlite")


@pytest.fixture(scope="module")
def world(instance: Stack) -> World:
    return fill(instance, leaders=WRITERS, held=1)


class Writer:
    """Somebody who types, and whose form saves itself every now and then; sends it when told to."""

    def __init__(self, leader: Leader, port: int, tally: Tally, finish: threading.Event) -> None:
        self.leader, self.finish = leader, finish
        self.client = Client(port, leader.cookie, tally, patience=0)
        self.start = leader.feedback(leader.held[0])
        self.text = ""
        self.saves = 0

    def write(self, known: Acknowledged) -> None:
        page = self.client.get(f"{self.start}/1")
        page = self.client.follow(
            self.client.post(f"{self.start}/1", filled(form_at(page, f"{self.start}/1"), words=""))
        )
        form = dict(filled(form_at(page, f"{self.start}/2"), words=""))
        for number in itertools.count():
            if self.finish.is_set():
                break
            self.text = f"{self.text} word{number}".strip()[:900]
            self._save_itself(form)
            time.sleep(random.uniform(0.1, 0.4))
        check = self.client.follow(self.client.post(f"{self.start}/2", self._typed(form)))
        send = f"{self.start}/submit"
        sent = self.client.post(send, filled(form_at(check, send), words=""))
        assert (sent.status, sent.location) == (303, f"{self.start}/receipt")
        known.submitted[self.leader.participation_id, self.leader.held[0]] = self.text

    def _typed(self, form: dict[str, str], **more: str) -> list[tuple[str, str]]:
        return list({**form, "session_better": self.text, **more}.items())

    def _save_itself(self, form: dict[str, str]) -> None:
        """As the script of the page does: the answer holds the mark that the form carries from then on."""
        answer = self.client.post(f"{self.start}/2", self._typed(form, _writing="1"))
        assert answer.status == 200, f"{answer.status}: {answer.body[:500]}"
        form["_revision"] = json.loads(answer.body)["mark"]
        self.saves += 1


def test_row_11_a_rolling_restart_in_the_middle_of_forms(world: World) -> None:
    known, finish = Acknowledged(), threading.Event()
    with Server(world.stack) as server, ThreadPoolExecutor(WRITERS) as threads, Tally() as tally:
        writers = [Writer(leader, server.port, tally, finish) for leader in world.leaders]
        at_work = [threads.submit(writer.write, known) for writer in writers]
        try:
            assert within(PATIENCE, lambda: all(writer.saves for writer in writers))
            before, saves = set(server.children()), sum(writer.saves for writer in writers)
            server.hang_up()
            renewed = within(PATIENCE, lambda: not before & set(server.children()))
            assert renewed, f"of {before} some are left: {children_of(server.pid)}"
            assert within(PATIENCE, lambda: sum(writer.saves for writer in writers) > saves + 2 * WRITERS)
        finally:
            finish.set()
        for one in at_work:
            one.result()
    print(f"{dict(tally.statuses)}; {tally.reopened} connections opened again")
    assert not tally.failures
    assert not tally.broke
    assert len(known.submitted) == WRITERS
    nothing_lost(world, known)
