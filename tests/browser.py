"""The browser that journeys walk in: Chromium, an installed one first, else Playwright's own.

`python -m tests.browser` fails with a plain line when there is none.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

INSTALLED = ("chromium", "chromium-browser", "google-chrome")

# Without these Chromium looks for updates and its maker's hosts at every start.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


class ChromiumMissing(Exception):
    """No Chromium is on the PATH and Playwright has none of its own."""


def chromium_path() -> str:
    """The path of the program to start; raises ChromiumMissing."""
    if installed := installed_chromium():
        return installed
    with sync_playwright() as playwright:
        return _own(playwright.chromium.executable_path)


def installed_chromium() -> str | None:
    """The first Chromium on the PATH, if any."""
    return next((path for name in INSTALLED if (path := shutil.which(name))), None)


@contextmanager
def launch() -> Iterator[Browser]:
    """A headless browser that keeps off the network; closed at the end."""
    # Chromium's sandbox refuses to run as root.
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        program = installed_chromium() or _own(playwright.chromium.executable_path)
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def _own(path: str) -> str:
    if not Path(path).exists():
        raise ChromiumMissing(
            "Chromium is missing. Run: make setup (or install one named " + ", ".join(INSTALLED) + ")"
        )
    return path


if __name__ == "__main__":
    try:
        chromium_path()
    except ChromiumMissing as missing:
        sys.exit(str(missing))
