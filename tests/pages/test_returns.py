"""The pages of a return: the direction, each step's own form, who may take it, the freeze, the countdown."""

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session as DbSession
from werkzeug.test import TestResponse

from portal.models import Person, Role
from portal.returning import steps
from privacy.clock import system_clock
from privacy.envelopes import open_stream
from privacy.returns import acts
from privacy.returns.course import Course, Step
from privacy.work import unit_of_work
from tests.conftest import SetClock, Stack, otherwise
from tests.factories import Factory
from tests.pages_client import Page, PageClient
from tests.readers import Reader, make_reader

PACKAGE = "ab" * 32
DIRECTION = {
    "kind": "full",
    "wanted": "both",
    "ended": "",
    "letter": "DFE 31",
    "on-day": "1",
    "on-month": "3",
    "on-year": "2023",
    "wording": "Return everything, then delete it.",
}


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return make_reader(tmp_path_factory.mktemp("department"), "department")


class Desk:
    """An officer and an administrator, each in a browser of their own."""

    def __init__(self, stack: Stack, db: DbSession, make: Factory, department: Reader) -> None:
        self.stack, self.db, self.department = stack, db, department
        self.officer = PageClient(stack.app, stack.instance).sign_in(make.person("Ona", role=Role.DPO).id)
        admin = make.person("Ike", role=Role.ADMINISTRATOR)
        self.admin = PageClient(stack.app, stack.instance).sign_in(admin.id)

    def direct(self, status: int = 303, **changed: Any) -> Page:
        certificate = (BytesIO(self.department.certificate.read_bytes()), "department.pem")
        form = self.officer.get("/desk/returns/new")
        return_id = str(form.all("input", name="return_id")[0].get("value"))
        data = {**DIRECTION, "return_id": return_id, "certificates": certificate, **changed}
        return self.officer.post("/desk/returns/new", data, page="/desk/returns/new", status=status)

    @property
    def course(self) -> Course:
        self.db.rollback()
        return acts.courses(self.db)[0]

    @property
    def path(self) -> str:
        return f"/desk/returns/{self.course.of.id}"

    def take(self, by: PageClient, step: str, status: int = 303, **data: Any) -> Page:
        event_id = next((one.get("value") for one in by.get(self.path).all("input", name="event_id")), "")
        sent = {"event_id": str(event_id), **data}
        return by.post(f"{self.path}/steps/{step}", sent, page=self.path, status=status)

    def code(self) -> str:
        folder = steps.folder_of(self.stack.instance.settings.instance, self.course)
        text = b"".join(open_stream(folder / steps.TEST_VOLUME, self.department.key)).decode()
        return text.split("code in it is ")[1].split()[0]

    def freeze(self) -> None:
        """Go to the freeze, on the pages."""
        self.direct()
        for by in (self.officer, self.admin):
            self.take(by, "fingerprint", fingerprint=self.course.fingerprints[0], words="Rang them")
        self.take(self.officer, "test_volume")
        self.take(self.officer, "test_read_back", code=self.code(), words="By telephone")
        self.take(self.officer, "freeze", sure="y")

    def machine(self, step: Step, **facts: Any) -> None:
        with unit_of_work(self.db, self.stack.clock, "system:command", frozen_too=True) as work:
            acts.happen(work, return_id=self.course.of.id, step=step, digests=[PACKAGE], **facts)


@pytest.fixture
def desk(stack: Stack, db: DbSession, make: Factory, department: Reader) -> Desk:
    return Desk(stack, db, make, department)


def test_from_the_direction_to_the_freeze_by_two_people(desk: Desk) -> None:
    desk.freeze()
    page = desk.officer.get(desk.path)
    assert "Next: The package built" in page.words()
    assert "flask return build --certificate" in page.words()
    assert desk.course.frozen_at is not None
    assert "The data is being handed back" in page.words(), "the banner"


def test_the_fingerprint_is_shown_only_once_two_people_have_heard_it(desk: Desk) -> None:
    desk.direct()
    fingerprint = desk.course.fingerprints[0]
    assert fingerprint not in desk.officer.get(desk.path).text
    page = desk.take(desk.officer, "fingerprint", status=422, fingerprint="cd" * 32, words="Rang them")
    assert "do not go on" in page.words()
    desk.take(desk.officer, "fingerprint", fingerprint=fingerprint, words="Rang them")
    again = desk.take(desk.officer, "fingerprint", status=422, fingerprint=fingerprint, words="Rang them")
    assert "It takes somebody else" in again.words()
    assert "One person has answered for it" in desk.admin.get(desk.path).words()


def test_an_administrator_answers_second_and_takes_no_other_step(desk: Desk) -> None:
    desk.direct()
    desk.admin.post(f"{desk.path}/steps/fingerprint", {}, page="/accounts", status=404)
    desk.admin.get("/desk/returns/new", status=404)
    desk.admin.get(f"{desk.path}/withdraw", status=404)
    assert "The data protection officer takes this step" in desk.admin.get(desk.path).words()


def test_a_step_that_is_not_next_is_refused_and_a_page_left_open_says_so(desk: Desk) -> None:
    desk.direct()
    page = desk.take(desk.officer, "freeze", status=409, sure="y")
    assert "First comes: the certificate's fingerprint" in page.words()
    desk.officer.post(f"{desk.path}/steps/build", {}, page=desk.path, status=404)


def test_what_is_wrong_with_a_direction_stands_beside_its_field(desk: Desk) -> None:
    key = (BytesIO(desk.department.key.read_bytes()), "key.pem")
    page = desk.direct(422, certificates=key)
    assert "This certificate holds a private key" in page.words()
    page = desk.direct(422, kind="early")
    assert "Choose how the contract is ended" in page.words()
    page = desk.direct(422, **{"on-day": "2"})
    assert "This day lies in the future" in page.words()


def test_the_package_is_downloaded_once_whole(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "package.json").write_bytes(b"{}")
    (folder / "vol-0001.zip.cms").write_bytes(b"x" * 700_000)
    desk.freeze()
    desk.machine(Step.BUILD, body={"folder": str(folder)})
    desk.machine(Step.VERIFY)
    desk.officer.get(desk.path)
    response = _post(desk.officer, f"{desk.path}/package", page=desk.path)
    with zipfile.ZipFile(io.BytesIO(response.get_data())) as archive:
        assert {name.split("/")[1]: len(archive.read(name)) for name in archive.namelist()} == {
            "package.json": 2,
            "vol-0001.zip.cms": 700_000,
        }
    assert "cannot be downloaded again" in desk.officer.get(desk.path).words()
    desk.officer.post(f"{desk.path}/package", {}, page=desk.path)
    assert "was downloaded once already" in desk.officer.get(desk.path).words()
    day: dict[str, Any] = {"on-day": "1", "on-month": "3", "on-year": "2023"}
    desk.take(desk.officer, "hand_over", how="download", words="Sent by their transfer service", **day)
    line = desk.officer.http.get(f"{desk.path}/receipt.txt").get_data()
    assert line == f"{PACKAGE}  package.json\n".encode()


def _post(client: PageClient, path: str, *, page: str) -> TestResponse:
    token = client.get(page).token()
    return client.http.post(path, data={"csrf_token": token})


# ---- frozen


def test_frozen_people_get_a_plain_page_and_can_still_ask_for_their_data(
    desk: Desk, make: Factory, stack: Stack
) -> None:
    leader = PageClient(stack.app, stack.instance).sign_in(make.person("Lea").id)
    leader.get("/your-support")
    desk.freeze()
    for path in ("/your-support", "/", "/your-calendar", "/your-data/details"):
        page = leader.get(path, status=503)
        assert page.heading == "The programme's data is being handed back"
    ask = "/your-data/ask/access"
    case_id = str(leader.get(ask).all("input", name="case_id")[0].get("value"))
    leader.post(ask, {"case_id": case_id, "text": "What do you hold about me?"}, page=ask)
    assert "What do you hold about me" in desk.officer.get(f"/desk/cases/{case_id}").words()
    leader.get("/contact")
    leader.post("/sign-out", {}, page="/your-data")


def test_frozen_staff_read_and_write_only_what_goes_on_and_keep_what_they_typed(
    desk: Desk, make: Factory, stack: Stack
) -> None:
    team = PageClient(stack.app, stack.instance).sign_in(make.person("Tam", role=Role.TEAM).id)
    leader = make.person("Lea")
    path = f"/team/people/{leader.id}"
    team.get(path)
    desk.freeze()
    page = team.get("/team")
    assert "Nothing can be changed" in page.words()
    token = {"csrf_token": page.token()}
    typed = "A long text that somebody has typed into this form before it was frozen"
    response = team.http.post("/team/packages/new", data={**token, "title": typed})
    assert response.status_code == 503
    assert typed in response.get_data(as_text=True)
    desk.officer.get("/desk/cases/new")


def test_a_withdrawal_lets_everything_move_again(desk: Desk, make: Factory, stack: Stack) -> None:
    leader_id = make.person("Lea").id
    leader = PageClient(stack.app, stack.instance).sign_in(leader_id)
    desk.freeze()
    leader.get("/your-support", status=503)
    page = f"{desk.path}/withdraw"
    extended = {"ends_on-day": "30", "ends_on-month": "9", "ends_on-year": "2024"}
    answer = desk.officer.post(page, {"reason": "Extended", **extended}, status=422)
    assert "Enter the reference of the letter" in answer.words()
    desk.officer.post(page, {"reason": "Extended", "letter": "DFE 32", **extended})
    leader.get("/your-support")
    assert "30 September 2024" in desk.officer.get("/desk/returns").words()


def test_nobody_sees_a_return_of_their_own_data(desk: Desk, make: Factory, db: DbSession) -> None:
    officer = make.person("Una", role=Role.DPO)
    ref = db.get_one(Person, officer.id).ref
    desk.direct(kind="partial", about=ref)
    own = PageClient(desk.stack.app, desk.stack.instance).sign_in(officer.id)
    own.get(desk.path, status=404)
    assert f"About: {ref}" in desk.officer.get(desk.path).words()


# ---- the countdown


def test_the_countdown_stands_where_people_look_each_day(
    stack: Stack, make: Factory, clock: SetClock
) -> None:
    officer = make.person("Ona", role=Role.DPO).id
    team = make.person("Tam", role=Role.TEAM).id
    for moment, shown in (
        (datetime(2023, 9, 1, 12, tzinfo=UTC), False),
        (datetime(2023, 10, 20, 12, tzinfo=UTC), True),
    ):
        clock.now = moment
        for person_id, path in ((officer, "/desk"), (team, "/team")):
            page = _confirmed(stack, person_id).get(path)
            assert ("The contract ends on 31 March 2024" in page.words()) is shown, (path, moment)


def _confirmed(stack: Stack, person_id: UUID) -> PageClient:
    return PageClient(stack.app, stack.instance).sign_in(person_id)


@pytest.mark.parametrize(
    "own", [False, True], ids=["the portal plays the Department", "a certificate of one's own"]
)
def test_on_a_demo_each_step_answers_at_once_where_the_portal_plays_the_department(
    own: bool, stack: Stack, db: DbSession, make: Factory, clock: SetClock, department: Reader
) -> None:
    # Its certificate is made now, by the machine's clock.
    clock.now = system_clock() + timedelta(hours=1)
    desk = Desk(stack, db, make, department)
    with otherwise(stack, replace(stack.instance, demo=True)):
        assert "Leave the certificates empty to rehearse" in desk.officer.get("/desk/returns/new").words()
        none: dict[str, Any] = {"certificates": (BytesIO(), "")}
        desk.direct(**({} if own else none))
        rehearse = desk.officer.get(desk.path).all("form", action=f"{desk.path}/rehearse")
        assert bool(rehearse) is not own
        if not own:
            for step in (Step.FINGERPRINT, Step.TEST_VOLUME, Step.TEST_READ_BACK):
                assert desk.course.next is step
                desk.officer.post(f"{desk.path}/rehearse", page=desk.path)
            assert desk.course.next is Step.FREEZE
