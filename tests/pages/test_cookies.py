"""The cookies page names every cookie that the portal sets, what for and until when; and no other is set."""

import re
from datetime import timedelta

from werkzeug import Response
from werkzeug.http import parse_options_header

from portal.access import devices
from tests.coming_in import come_in, is_in
from tests.conftest import Stack
from tests.factories import Factory
from tests.pages_client import PageClient

LONGEST = max(devices.PARTICIPANT_LIFE.whole, devices.STAFF_LIFE.whole)


def told(client: PageClient) -> dict[str, str]:
    """The names on the page as they are on plain HTTP, and when each ends."""
    (table,) = client.get("/cookies").all("table", id="cookie-list")
    rows = [["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")][1:]
    assert all(len(row) == 3 and all(row) for row in rows)
    return {name.removeprefix("__Host-"): ends for name, _, ends in rows}


def given(answers: list[Response]) -> dict[str, timedelta | None]:
    """Each cookie that was set and how long a browser keeps it; None until it is closed."""
    found: dict[str, timedelta | None] = {}
    for header in [line for one in answers for line in one.headers.getlist("Set-Cookie")]:
        name, _, rest = header.partition("=")
        value, options = parse_options_header(rest)
        age = {key.lower(): one for key, one in options.items()}.get("max-age")
        if value.strip('"'):
            found[name] = timedelta(seconds=int(age)) if age else None
    return found


def lasting(words: str) -> timedelta:
    found = re.search(r"after (\d+) (minute|hour|day)s?", words, re.IGNORECASE)
    assert found, words
    return timedelta(**{f"{found[2]}s": int(found[1])})


def test_the_cookies_page_names_what_is_set_and_how_long(
    stack: Stack, make: Factory, client: PageClient
) -> None:
    make.person("Ana", email="ana@council.example", council=make.council())
    answers: list[Response] = []

    def noted(answer: Response) -> Response:
        answers.append(answer)
        return answer

    client.app.after_request_funcs.setdefault(None, []).append(noted)
    come_in(client, "ana@council.example", device=True)
    assert is_in(client)
    stranger = PageClient(stack.app, stack.instance)
    stranger.post("/sign-in/passkey/begin", page="/sign-in", status=200)
    stranger.get("/cookies")
    for path in ("/", "/contact", "/privacy-notice", "/accessibility", "/your-support", "/your-data"):
        client.http.get(path)

    ends, kept = told(client), given(answers)
    assert set(kept) == set(ends) == {"sid", "device", "ask", "passkey", "form"}
    for name, age in kept.items():
        if age is None:
            assert "close your browser" in ends[name], name
        else:
            assert lasting(ends[name]) == age, name
    # The browser forgets these two when it is closed; the server ends them besides.
    assert lasting(ends["form"]) == stack.app.config["PERMANENT_SESSION_LIFETIME"]
    assert lasting(ends["sid"]) == LONGEST
