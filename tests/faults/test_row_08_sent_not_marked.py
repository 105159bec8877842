"""Row 8: the worker is killed between sending a mail and noting that it went, again and again.

Workers are real processes and the mail server a real one, which kills whoever gave it a mail as soon as it has
answered that it took it. Half of the workers are held still at that moment, so that they surely noted nothing.
"""

import os
import random
import signal
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.mailing import queue as mail
from portal.mailing.post import CLAIMED_FOR
from portal.models import Mail, MailState
from privacy.work import unit_of_work
from tests.conftest import Stack
from tests.counts import FULL, count
from tests.doing import Doing
from tests.faults.doings import within
from tests.faults.mail_server import MailServer
from tests.faults.server import PATIENCE, environ_of
from tests.faults.world import World, fill

KILLS, MAILS = count(8, 100), count(30, 320)
KINDS = ["sqlite", "postgresql"] if FULL else ["postgresql"]


class Killer:
    """Kills the worker that is at work after it gave away so many more mails."""

    def __init__(self, *, seed: int) -> None:
        self.chance = random.Random(seed)
        self.server = MailServer(then=self._answered, before=self._taken)
        self.kills = 0
        self._worker: int | None = None
        self._left = 0
        self._held = False

    def aim(self, worker: int) -> None:
        self._left, self._held = self.chance.randint(1, 4), self.chance.random() < 0.5
        self._worker = worker

    def _taken(self) -> None:
        if self._worker is not None:
            self._left -= 1
            if not self._left and self._held:
                os.kill(self._worker, signal.SIGSTOP)

    def _answered(self) -> None:
        if self._worker is not None and not self._left:
            os.kill(self._worker, signal.SIGKILL)
            self._worker = None
            self.kills += 1


@pytest.mark.parametrize("kind", KINDS, indirect=True, scope="module")
def test_row_08_a_worker_killed_between_sending_and_noting(instance: Stack) -> None:
    world = fill(instance, leaders=MAILS, held=0)
    with world.db() as db, unit_of_work(db, instance.clock, "system:test") as work:
        for leader in world.leaders:
            mail.queue(work, template="invitation", about=leader.participation_id, to=leader.id)
    killer, moment = Killer(seed=8), instance.clock()
    with killer.server as server:
        while _waiting(world):
            # What the one before had claimed is free again by then.
            moment += CLAIMED_FOR + timedelta(minutes=1)
            environ = {**environ_of(instance), **server.environ, "PORTAL_NOW": moment.isoformat()}
            worker = Doing(environ, "worker", log=instance.instance.settings.instance / "worker.log")
            if killer.kills < KILLS:
                killer.aim(worker.pid)
                assert within(PATIENCE, lambda worker=worker: not worker.is_running or not _waiting(world))
                worker.kill()
            else:
                assert within(2 * PATIENCE, lambda: not _waiting(world))
                os.kill(worker.pid, signal.SIGTERM)
                worker.finish()
    twice = server.doubled.total()
    print(f"{killer.kills} kills, {server.arrived.total()} mails taken, {twice} of them again")
    assert killer.kills == KILLS
    with world.db() as db:
        gone = db.execute(select(Mail.id, Mail.state, Mail.carried_by)).all()
    assert {state for _, state, _ in gone} == {MailState.SENT}
    assert {f"<{one}@localhost>" for one, _, carrier in gone if carrier in (None, one)} == set(server.arrived)
    assert KILLS // 4 <= twice <= KILLS, "no more of them than kills, and those who noted nothing sent again"


def _waiting(world: World) -> int:
    with world.db() as db:
        return db.scalar(select(func.count()).where(Mail.state == MailState.WAITING)) or 0
