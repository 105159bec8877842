"""WebKitGTK, the nearest engine to Safari on an iPad, by the W3C's WebDriver protocol over HTTP.

Debian's `webkit2gtk-driver` has driver and browser, `xvfb` a screen for it; `make webkit` installs both.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key under which the protocol passes an element."""
SCREEN = "1024x1366x24"


class WebKitMissing(Exception):
    """The driver, its browser or a screen for it is not installed."""


class DriverRefused(Exception):
    """The driver answered with an error; `kind` is the protocol's word for it, such as `stale element reference`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Window:
    """A browser with one window and cookies of its own."""

    def __init__(self, driver: str, program: str) -> None:
        self._driver = driver
        options = {"binary": program, "args": ["--automation"]}
        wanted = {"alwaysMatch": {"webkitgtk:browserOptions": options}}
        self._session = f"/session/{self._call('POST', '/session', capabilities=wanted)['sessionId']}"
        self._tell("timeouts", script=15_000, pageLoad=30_000, implicit=0)

    def _call(self, method: str, path: str, **body: Any) -> Any:
        data = json.dumps(body).encode() if method == "POST" else None
        asked = urllib.request.Request(self._driver + path, data=data, method=method)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            told = json.load(error)["value"]
            raise DriverRefused(told["error"], told["message"]) from error

    def _tell(self, command: str, **body: Any) -> Any:
        return self._call("POST", f"{self._session}/{command}", **body)

    def open(self, url: str) -> None:
        self._tell("url", url=url)

    def run(self, script: str, *values: Any) -> Any:
        """The value of a JavaScript function body; elements go in and out as they are."""
        return self._tell("execute/sync", script=script, args=list(values))

    def click(self, element: Any) -> None:
        self._tell(f"element/{element[ELEMENT]}/click")

    def type(self, element: Any, text: str) -> None:
        self._tell(f"element/{element[ELEMENT]}/value", text=text)

    def add_cookie(self, name: str, value: str) -> None:
        self._tell("cookie", cookie={"name": name, "value": value, "path": "/", "httpOnly": True})

    def close(self) -> None:
        self._call("DELETE", self._session)


class WebKit:
    """The running driver: opens windows."""

    def __init__(self, driver: str, program: str) -> None:
        self._driver, self._program = driver, program

    def window(self) -> Window:
        return Window(self._driver, self._program)


@contextmanager
def launch() -> Iterator[WebKit]:
    """The driver on a free port, with a screen that nobody sees. Raises WebKitMissing."""
    programs = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    if not (programs and driver and screen):
        raise WebKitMissing("WebKitGTK is missing. Install the packages webkit2gtk-driver and xvfb.")
    reading, writing = os.pipe()
    shown = subprocess.Popen(
        [screen, "-displayfd", str(writing), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as told:
        display = f":{told.readline().strip()}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "DISPLAY": display, "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1"}
    running = subprocess.Popen(
        [driver, f"--port={port}"], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield WebKit(f"http://127.0.0.1:{port}", str(programs[-1]))
    finally:
        for process in (running, shown):
            process.terminate()
            process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise WebKitMissing("The driver of WebKitGTK does not answer")
