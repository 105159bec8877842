"""A walk with the Tab key through a page: each control once, in order, seen; nothing that only a mouse can reach."""

from playwright.sync_api import Page


def walked_by_keyboard(page: Page) -> list[str]:
    """What is wrong on the way, in words; the page is as it was opened."""
    found: list[str] = page.evaluate("access.forMouseOnly()")
    expected = page.evaluate("access.begin()")
    met: list[int] = []
    for _ in range(expected):
        page.keyboard.press("Tab")
        stop = page.evaluate("access.where()")
        met.append(stop["at"])
        if stop["trouble"]:
            found.append(stop["trouble"])
    if met != list(range(expected)):
        missed = [page.evaluate("(at) => access.name(at)", at) for at in range(expected) if at not in met]
        found.append(f"met {met} of {expected} stops in this order; not met: {missed}")
    page.keyboard.press("Tab")
    # Round the page: the browser's own window has the focus, or the first stop again.
    if page.evaluate("access.where()")["at"] not in (-1, 0):
        found.append("the keyboard does not come round")
    return found
