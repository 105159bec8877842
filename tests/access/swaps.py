"""Parts of pages that are exchanged by htmx: each is worked as somebody would, and what comes of it is looked at."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.access.showing import Watching, layout, ready, unfold, violations

FETCHING = "[hx-get], [hx-post]"
SETTLES = """() => {
  window.settled = false;
  document.body.addEventListener("htmx:afterSettle", () => { window.settled = true; });
}"""


def fetching(page: Page) -> int:
    """How many elements of a page fetch something."""
    return page.locator(FETCHING).count()


def worked(watching: Watching, page: Page, address: str, number: int) -> Iterator[str]:
    """Open a page, work one of its elements that fetch, and say what is wrong afterwards."""
    page.goto(f"{watching.url}{address}")
    ready(page)
    part = page.locator(FETCHING).nth(number)
    tag = part.evaluate("(element) => element.localName")
    page.evaluate(SETTLES)
    # Buttons that only show something else, such as days of a calendar, are not drawn as the one that sends a form.
    sends = part.locator("button.govuk-button")
    goes_wrong = tag == "form" and sends.count() > 0
    if "every" in (part.get_attribute("hx-trigger") or ""):
        page.clock.run_for(61_000)
    elif goes_wrong:
        # Nothing is chosen and nothing written: the form comes back in its place, with what is wrong.
        watching.expected = 422
        part.evaluate("(form) => { for (const field of form.elements) { field.checked = false; } }")
        sends.last.click()
    elif tag == "form":
        part.locator("button[type=submit]").last.click()
    else:
        part.click()
    for _ in range(100):
        page.clock.run_for(100)
        if page.evaluate("window.settled"):
            break
        page.wait_for_timeout(20)
    else:
        yield "nothing came in its place"
    if goes_wrong:
        yield from _in_error(page)
    unfold(page)
    yield from layout(page)
    yield from violations(page)
    yield from watching.said()
    watching.expected = 200


def _in_error(page: Page) -> Iterator[str]:
    if not page.evaluate("document.activeElement.matches('.govuk-error-summary')"):
        yield "the error summary has no focus"
    if not page.title().startswith("Error: "):
        yield f"the title does not say that something is wrong: {page.title()}"
