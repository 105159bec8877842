"""One walk through every form of the product, as each role, with a canary in every field that takes words."""

import io
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from portal.access import accounts
from portal.mailing import post
from portal.models import Office, Participation, Role
from portal.people import staff
from portal.views.guards import Guard
from privacy.work import unit_of_work
from tests.canaries import Canaries
from tests.cleared import needed
from tests.conftest import Stack
from tests.form_filling import filled, form_of
from tests.pages_client import Page, PageClient

COUNCILS = """\
local-authority-code,official-name,nice-name,gss-code,start-date,end-date,replaced-by,nation,region,local-authority-type,notes
NOR,Northshire County Council,Northshire,E10000901,,,,England,North West,CTY,{notes}
EAS,Eastshire Council,Eastshire,E06000903,,,,England,South West,UA,
"""
PEOPLE = "name,email,role,council,starts_on,ends_on"
TEN = datetime(2023, 3, 2, 10, 0, tzinfo=UTC)
File = tuple[bytes, str]


ABOUT_THEMSELVES = {
    "your_data.details",
    "your_data.copy",
    "factors.add_passkey",
    "factors.app",
    "factors.begin_passkey",
    "factors.codes",
    "factors.mailbox",
    "factors.password",
    "proofs.begin_passkey_proof",
    "proofs.mailbox",
    "proofs.offer",
    "proofs.prove_by_mail",
    "proofs.prove_by_passkey",
    "proofs.prove_by_password",
    "proofs.recovery",
    "proofs.start",
}
"""Forms that everybody who is signed in may send: they act on the sender's own data and on nobody else's."""


class MailBag:
    """A mail server that keeps what it is given in memory."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    def send(self, message: EmailMessage, *, at: datetime) -> None:
        self.messages.append(message)


def date_of(name: str, day: int, month: int = 3, year: int = 2023) -> dict[str, Any]:
    """The three boxes of a date."""
    return {f"{name}-day": str(day), f"{name}-month": str(month), f"{name}-year": str(year)}


NO_DAY: dict[str, Any] = dict.fromkeys(("on-day", "on-month", "on-year"), "")
"""No single day, on the page of a mentor's hours."""


class Walk:
    """Posts forms as a browser does and remembers each: where, what, and with what status it was met."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.canaries = Canaries()
        self.bag = MailBag()
        self.address: dict[str, str] = {}
        self.printed = io.StringIO()
        self.let_through: list[str] = []
        self.met: dict[str, set[int]] = defaultdict(set)
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.routes = stack.app.url_map.bind("localhost")

    # ---- people and browsers

    def db(self) -> DbSession:
        return DbSession(self.stack.engine, info={"vault": self.stack.instance.vault})

    def one(self, query: Any) -> Any:
        """The id that a query finds; the last one where there are several."""
        with self.db() as db:
            return db.scalars(query).all()[-1]

    def person(self, address: str) -> UUID:
        with self.db() as db:
            person = accounts.find(db, address)
            assert person is not None, address
            return person.id

    def package(self, who: str) -> UUID:
        """The package that somebody takes part in."""
        person_id = self.person(self.address[who])
        found: UUID = self.one(select(Participation.package_id).where(Participation.person_id == person_id))
        return found

    def part(self, who: str) -> UUID:
        """Somebody's part in a package."""
        person_id = self.person(self.address[who])
        found: UUID = self.one(select(Participation.id).where(Participation.person_id == person_id))
        return found

    def questionnaire(self, who: str, wave: str, occasion: str = "once") -> str:
        """Where somebody answers it."""
        return f"/questionnaires/{self.part(who)}/{wave}/{occasion}"

    def browser(self) -> PageClient:
        return PageClient(self.stack.app, self.stack.instance)

    def signed_in(self, address: str) -> PageClient:
        return self.browser().sign_in(self.person(address))

    def administrator(self) -> str:
        """The first account, made where the machine is: the address."""
        name, address = (self.canaries.word("administrator"), self.canaries.address("administrator"))
        with self.db() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            staff.add_administrator(work, address=address, name=name)
            work.db.flush()
            person = accounts.find(work.db, address)
            assert person is not None
            work.db.add_all(needed(work, person.id, Role.ADMINISTRATOR))
        return address

    def operator_link(self, address: str) -> str:
        person_id = self.person(address)
        with self.db() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            return f"/sign-in/o/{accounts.make_operator_link(work, person_id=person_id)}"

    def give_office(self, address: str, role: Role) -> None:
        person_id = self.person(address)
        with self.db() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            from_on = work.now.date() - timedelta(days=30)
            work.db.add(Office(person_id=person_id, role=role, from_on=from_on))

    def clear(self, address: str, role: Role) -> None:
        """Record what somebody needs before pages with personal data open to them."""
        person_id = self.person(address)
        with self.db() as db, unit_of_work(db, self.stack.clock, "system:test") as work:
            work.db.add_all(needed(work, person_id, role))

    # ---- forms

    def post(
        self,
        client: PageClient,
        path: str,
        *,
        on: str | None = None,
        having: str | None = None,
        status: int = 303,
        **typed: Any,
    ) -> Page:
        """Fill in and send the form for `path` that stands on the page `on` (default: on its own)."""
        form = form_of(client.get(on or path), urlsplit(path).path, having=having)
        label = f"{self.endpoint(path)} {len(self.sent)}"
        data = filled(form, self.canaries, label=label, typed=typed)
        return self.send(client, path, data, status=status)

    def send(self, client: PageClient, path: str, data: dict[str, Any], *, status: int | None = None) -> Page:
        page = Page(client.http.post(path, data=_with_files(data)))
        # A download is written while it is read.
        page.response.get_data()
        assert status in (None, page.status), f"{path}: {page.status}\n{page.words()[:1500]}"
        self.met[self.endpoint(path)].add(page.status)
        self.sent.append((path, data))
        return page

    def endpoint(self, path: str) -> str:
        return str(self.routes.match(urlsplit(path).path, method="POST")[0])

    def file(self, *rows: str, ending: str = "csv") -> File:
        """A file as it is sent: bytes, and a name that tells something."""
        return ("\n".join(rows).encode(), f"{self.canaries.word(f'file {len(self.sent)}')}.{ending}")

    def deliver(self) -> list[EmailMessage]:
        """What the post sends now."""
        before = len(self.bag.messages)
        while post.deliver(self.stack.instance, self.db, self.bag):
            pass
        return self.bag.messages[before:]

    def answer(self, client: PageClient, start: str, *, again: bool = False) -> None:
        """Answer a questionnaire page by page, with words wherever there is room for them, and send it; `again`
        from its first page, where it was answered before."""
        page = client.get(f"{start}/1") if again else client.follow(client.get(start, status=303))
        while page.heading != "Check your answers":
            path = next(
                form.get("action") for form in page.all("form", method="post") if start in form.get("action")
            )
            form = form_of(page, path)
            data = filled(form, self.canaries, label=f"{start.split('/')[3]} {path[-1]}", typed=wordy(form))
            page = client.follow(self.send(client, path, data, status=303))
        self.post(client, f"{start}/submit", on=f"{start}/check")

    def keep(self, client: PageClient, path: str, field: str) -> str:
        """Send a form whose token is over; returns where it is kept. It isn't taken, so it is not remembered."""
        typed = {field: self.canaries.word(f"kept {path} {len(self.sent)}"), "csrf_token": "over"}
        answer = client.http.post(path, data=typed)
        assert answer.status_code == 303, answer.status_code
        return str(answer.headers["Location"])

    def strangers_repeat(self, *clients: PageClient) -> list[str]:
        """Everything that was sent, once more by those who may not; returns what was not refused."""
        let_through = []
        for client in clients:
            for path, data in self.sent:
                # Signed in, the page of one's devices has a token; after a sign-out, the other one.
                asked = client.http.get("/your-devices")
                token = Page(asked if asked.status_code == 200 else client.http.get("/sign-in")).token()
                answer = client.http.post(path, data=_with_files({**data, "csrf_token": token}))
                to_sign_in = answer.headers.get("Location", "").startswith("/sign-in")
                # Whoever is not signed in keeps what they typed on a page that says so.
                refused = answer.status_code == 404 or to_sign_in
                refused |= answer.status_code == 401 and asked.status_code != 200
                if not refused and not self.is_public(path) and self.endpoint(path) not in ABOUT_THEMSELVES:
                    let_through.append(f"{answer.status_code} {path}")
        return let_through

    def is_public(self, path: str) -> bool:
        guard: Guard = vars(self.stack.app.view_functions[self.endpoint(path)])["guard"]
        return guard.policy is None


def wordy(form: Any) -> dict[str, str]:
    """Choices that have a text of their own, and a yes where more is asked after it."""
    chosen = {}
    for field in form.iter("input"):
        name, value = field.get("name"), field.get("value")
        if field.get("type") in ("checkbox", "radio") and value in ("other", "yes"):
            chosen[name] = value
        elif field.get("type") == "checkbox":
            chosen.setdefault(name, value)
    return chosen


def _with_files(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (io.BytesIO(value[0]), value[1]) if isinstance(value, tuple) else value
        for name, value in data.items()
    }
