"""Pictures of ten pages at 1280 and 390 pixels, in static/screenshots: `make screenshots`.

A demo of its own is filled and served at a fixed day, so that pictures change only when pages do. README shows four
of them; those are committed, the rest is for looking at.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import launch

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "static" / "screenshots"
NOW = "2026-03-04T08:30:00+00:00"
WIDTHS = {1280: 960, 390: 844}
"""The width of a window, and its height."""
TEAM, OFFICER = "margaret.ellison@programme.example", "data-protection.officer@programme.example"
MENTOR = "delroy.fairweather@mentors.example"
INVITED, READY = "neville.yarwood@brackenshire.example", "callum.castellan@calderhythe.example"
BOOKED, ENDED = "mei.venning@kingsmarrow.example", "wyn.darcy@oxmere.example"
# A page: who looks, where they begin, and the links they follow from there.
PAGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "sign-in": ("", "/sign-in", ()),
    "your-support": (BOOKED, "/your-support", ()),
    "question": (INVITED, "/your-support", ("Start",)),
    "times": (READY, "/your-support", ("See times",)),
    "days": (READY, "/your-support", ("See times", "Choose a day in a calendar")),
    "before-and-after": (ENDED, "/your-support", ("See how confident you felt",)),
    "mentor": (MENTOR, "/mentor", ()),
    "team": (TEAM, "/team", ()),
    "figures": (TEAM, "/reports/kpi", ()),
    "desk": (OFFICER, "/desk", ()),
}


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo that is served while the block runs."""
    with tempfile.TemporaryDirectory() as folder:
        told = os.environ | {"PORTAL_INSTANCE": folder, "PORTAL_NOW": NOW}
        flask = shutil.which("flask", path=str(Path(sys.executable).parent)) or "flask"
        subprocess.run([flask, "demo"], cwd=ROOT, env=told, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with subprocess.Popen(
            [flask, "serve", "--port", str(port)], cwd=ROOT, env=told, stderr=subprocess.DEVNULL
        ) as served:
            try:
                wait_for(f"http://localhost:{port}")
                yield f"http://localhost:{port}"
            finally:
                served.terminate()


def wait_for(address: str) -> None:
    """Until it answers; raises TimeoutError after a minute."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address} does not answer")


def small(picture: bytes) -> bytes:
    """The same picture with 128 colours, which is all that letters on plain grounds need, and packed well."""
    packed = BytesIO()
    image = Image.open(BytesIO(picture)).convert("RGB")
    image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        packed, "PNG", optimize=True
    )
    return packed.getvalue()


def enter(page: Page, address: str, who: str) -> None:
    """Into the demo as somebody, who need not be among the few that the page lists."""
    page.goto(f"{address}/sign-in")
    button = page.locator("button[name=demo_person]").first
    button.evaluate("(button, who) => { button.value = who; }", who)
    button.click()


def take(browser: Browser, address: str, name: str) -> None:
    who, start, links = PAGES[name]
    context = browser.new_context(viewport={"width": 1280, "height": WIDTHS[1280]}, reduced_motion="reduce")
    page = context.new_page()
    if who:
        enter(page, address, who)
    page.goto(f"{address}{start}")
    for link in links:
        page.get_by_role("link", name=link).or_(page.get_by_role("button", name=link)).first.click()
        page.wait_for_load_state()
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        FOLDER.joinpath(f"{name}-{width}.png").write_bytes(small(page.screenshot()))
    context.close()


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with demo() as address, launch() as browser:
        for name in PAGES:
            take(browser, address, name)
    sizes = [path.stat().st_size for path in FOLDER.glob("*.png")]
    print(f"{len(sizes)} pictures in {FOLDER.relative_to(ROOT)}, {sum(sizes) // 1024} KB")


if __name__ == "__main__":
    main()
