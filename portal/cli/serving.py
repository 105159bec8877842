"""The server of pages: processes behind one socket, each started again when it dies, for as long as the server runs.

Granian ends itself when the same process dies twice within seconds, and gives each process a socket of its own, which
dies with it. Here the socket stays open in the process that starts the others: who connects while one of them is being
started waits for it, and is not turned away.

The first processes are copies of this one, which has read the software and opened the instance already: they are ready
at once, and all of them share what nobody changes. What takes the place of one later is started anew, with the software
that is there then.
"""

import gc
import multiprocessing
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.server import MPServer

from portal.cli.processes import Pause

LOOK_EVERY_SECONDS = 1.0
READY_WITHIN_SECONDS = 60
SILENT_SECONDS = 5
ENDING = (signal.SIGINT, signal.SIGTERM)

log = structlog.get_logger("server")


class Bell:
    """An event that a signal may set while this very thread waits for it. In `threading.Event` that can lock itself
    up: the handler may run while the wait holds its lock. `SimpleQueue.put` is made for handlers."""

    def __init__(self) -> None:
        self._rung: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._rung.put(None)

    def wait(self, timeout: float) -> bool:
        """Whether it was set within so many seconds."""
        try:
            self._rung.get(timeout=timeout)
        except Empty:
            return False
        self._rung.put(None)
        return True

    def clear(self) -> None:
        with suppress(Empty):
            while True:
                self._rung.get_nowait()


class Server(MPServer):
    """Granian with processes, kept running. One that was killed is back at once; one that cannot start tries again,
    after a pause that grows."""

    def __init__(
        self,
        *args: Any,
        then: Callable[[], None],
        told: Callable[[int | None], None] = lambda code: None,
        **options: Any,
    ) -> None:
        """`then` is called when the first processes run: what needs threads begins there. `told` hears the exit code of
        each process that died; of one that was killed it is below zero."""
        super().__init__(*args, **options)
        self._then = then
        self._told = told
        self._pauses: dict[int, Pause] = {}
        self._not_before: dict[int, float] = {}
        self._ready = multiprocessing.get_context("spawn").Semaphore(0)
        self.main_loop_interrupt: Any = Bell()

    def serve_app(self, load: Callable[[str], Any]) -> None:
        """Serve what `load` makes of the target, in each process, until a signal ends it."""
        self.serve(target_loader=partial(_loaded, self._ready, load))

    def _init_shared_socket(self) -> None:
        listening = socket.create_server((self.bind_addr, self.bind_port), backlog=self.backlog)
        listening.setblocking(False)
        # Each connection takes it over. Without it the rest of an answer waits until its beginning was acknowledged,
        # and that may take the other side 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A process that ends closes what it took over and has heard nothing from yet: each is handed on with its
        # request, or after so many seconds without one. Where the system cannot do that, a reload may cost a request.
        if sys.platform == "linux":
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SILENT_SECONDS)
        listening.set_inheritable(True)
        holder: Any = SocketHolder
        held = holder(listening.fileno(), False, self.backlog)
        vars(self).update(_ssp=None, _sso=listening, _sfd=listening.fileno(), _shd=held)

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        # No process looks through what is there now for garbage: it would write on all of it, and so have its own.
        gc.collect()
        gc.freeze()
        # In a copy, a lock that another thread held would never be released; and not every system can do without.
        copies = sys.platform == "linux" and threading.active_count() == 1
        multiprocessing.set_start_method("fork" if copies else "spawn", force=True)
        # A copy has these handlers, and would hear a signal that ends it and do nothing: it waits until the copy has
        # those of its own (`hear_the_end`).
        if copies:
            signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            for number in range(self.workers):
                new: Any = self._spawn_worker(idx=number, target=spawn_target, callback_loader=target_loader)
                new.inner.start()
                self.wrks.append(new)
        finally:
            if copies:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            multiprocessing.set_start_method("spawn", force=True)
        # Not one by one: to watch a process takes a thread.
        for running in self._running():
            running._watch()  # noqa: SLF001 - what its `start` would have done
        try:
            self._then()
        except BaseException:
            self._stop_workers()  # type: ignore[no-untyped-call]  # it has no types
            raise

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while True:
            # Whatever was missed, such as a death during a restart, is seen a second later.
            self.main_loop_interrupt.wait(LOOK_EVERY_SECONDS)
            self.main_loop_interrupt.clear()
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)
            for number, running in enumerate(self._running()):
                if not running.is_alive():
                    self._start_again(number, running, spawn_target, target_loader)
            # What it holds would make the exit code of the server that of a failure.
            self.interrupt_children.clear()

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        """Put a new process in the place of each, one after the other; the old one goes when the new one is ready.

        One that does not become ready, such as of a release that is broken, ends, and the old one stays.
        """
        self.reload_signal = False
        for hook in self.hooks_reload:
            hook()
        for number, old in enumerate(self._running()):
            while self._ready.acquire(block=False):
                pass
            new: Any = self._spawn_worker(idx=number, target=spawn_target, callback_loader=target_loader)
            new.start()
            if not self._becomes_ready(new):
                log.error("server.not_renewed", process=number)
                new.terminate()
                return
            self.wrks[number] = new
            old.terminate()
            old.join(self.workers_kill_timeout)
            if old.is_alive():
                old.kill()
                old.join()

    def _running(self) -> list[Any]:
        return list(self.wrks)

    def _becomes_ready(self, new: Any) -> bool:
        ends = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < ends and new.is_alive() and not self.interrupt_signal:
            if self._ready.acquire(timeout=LOOK_EVERY_SECONDS):
                return True
        return False

    def _start_again(self, number: int, dead: Any, spawn_target: Any, target_loader: Any) -> None:
        if number not in self._not_before:
            code = dead.inner.exitcode
            self._told(code)
            pause = self._pauses.setdefault(number, Pause())
            waits = pause.after(time.monotonic() - dead.birth, killed=code is not None and code < 0)
            self._not_before[number] = time.monotonic() + waits
        if time.monotonic() >= self._not_before[number]:
            del self._not_before[number]
            self._respawn_workers([number], spawn_target, target_loader)


def hear_the_end() -> None:
    """In a process of pages: a signal that ends it does, also one that came before this."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _loaded(ready: Any, load: Callable[[str], Any], target: str) -> Any:
    app = load(target)
    ready.release()
    return app
