"""Many people want the same few times at the same moment: each takes one, is told if it has gone, and takes another of
those that are left, until they have one or none is left."""

import http.client
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlencode
from uuid import uuid4

from tests.bench.asking import Answer, Asker, Leader

TRIES_AT_MOST = 40


@dataclass(frozen=True)
class Outcome:
    """How many have a time, how many times there were, and after how many seconds everybody knew."""

    won: int
    times: int
    seconds: float


class _Seeker:
    """A browser of somebody who looks at the list of times."""

    def __init__(self, port: int, leader: Leader, asker: Asker) -> None:
        self._wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._leader, self._asker = leader, asker
        self._headers = {"Cookie": f"{asker.form_cookie}; sid={leader.cookie}", "Host": "localhost"}
        self._chance = random.Random(leader.id.int)
        self.offered = self._ask("GET").times()

    def _ask(self, method: str, **fields: str) -> Answer:
        headers = self._headers | ({"Content-Type": "application/x-www-form-urlencoded"} if fields else {})
        body = urlencode({"csrf_token": self._asker.token, **fields}) if fields else None
        self._wire.request(method, self._leader.times, body=body, headers=headers)
        answer = self._wire.getresponse()
        return Answer(answer.status, answer.getheaders(), answer.read())

    def seek(self, wanted: frozenset[str]) -> bool:
        """Take a time of these; whether they got one."""
        left = wanted
        for _ in range(TRIES_AT_MOST):
            if not left:
                return False
            time = self._chance.choice(sorted(left))
            answer = self._ask("POST", session_id=str(uuid4()), time=time, place="remote")
            if answer.status == 303:
                return True
            assert answer.status == 409, answer.status
            left = (left - {time}) & frozenset(answer.times())
        raise AssertionError("times are offered again and again and cannot be booked")


def rush(port: int, leaders: Sequence[Leader], asker: Asker, *, times: int) -> Outcome:
    """All of these want a time at once, of the first so many on their list."""
    seekers = [_Seeker(port, one, asker) for one in leaders]
    wanted = frozenset(seekers[0].offered[:times])
    with ThreadPoolExecutor(len(seekers)) as pool:
        began = perf_counter()
        got = list(pool.map(lambda seeker: seeker.seek(wanted), seekers))
        seconds = perf_counter() - began
    return Outcome(sum(got), len(wanted), seconds)
