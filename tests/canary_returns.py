"""The last part of the walk: the data goes back to the Department, step by step, and is kept after all."""

from typing import Any
from uuid import UUID

from portal.returning import steps
from privacy.envelopes import open_stream
from privacy.records import new_id
from privacy.returns import acts
from privacy.returns.course import Course, Step
from privacy.returns.signing import receipt_lines
from privacy.work import unit_of_work
from tests.canary_walk import Walk, date_of
from tests.readers import Reader, make_reader, signed

PACKAGE = "cd" * 32


def hand_back(walk: Walk) -> None:
    """A direction, its fingerprint by two people, a test, the freeze, receipt, authority; then it is withdrawn."""
    dpo, admin = walk.signed_in(walk.address["colleague"]), walk.signed_in(walk.address["admin"])
    folder = walk.stack.instance.settings.instance.parent
    department = make_reader(folder, "department")
    certificate: Any = (department.certificate.read_bytes(), "department.pem")
    today = walk.stack.clock.now
    on = date_of("on", today.day, today.month, today.year)
    no_end: dict[str, Any] = {f"ends_on-{part}": "" for part in ("day", "month", "year")}
    direction = {"letter": "DFE 31", "certificates": certificate, "wanted": "both", **on, **no_end}
    walk.post(dpo, "/desk/returns/new", status=422, kind="early", **direction)
    walk.post(dpo, "/desk/returns/new", kind="full", **direction)
    path = f"/desk/returns/{_course(walk).of.id}"

    def take(step: str, status: int = 303, by: Any = dpo, **said: Any) -> None:
        walk.post(by, f"{path}/steps/{step}", on=path, status=status, **said)

    walk.send(dpo, f"{path}/rehearse", {"csrf_token": dpo.get(path).token()}, status=404)
    take("fingerprint", 422)
    for by in (dpo, admin):
        take("fingerprint", by=by, fingerprint=_course(walk).fingerprints[0])
    take("test_volume")
    take("test_read_back", 422, code="ABC-DEF")
    take("test_read_back", code=_code(walk, department))
    take("freeze", sure="y")
    _built(walk)
    walk.post(dpo, f"{path}/package", on=path, status=200)
    take("hand_over", **on)
    unsigned: Any = (b"no signature", "receipt.p7s")
    take("receipt", 422, file=unsigned)
    receipt: Any = (signed(receipt_lines(PACKAGE)[0], department), "receipt.p7s")
    take("receipt", file=receipt, certificate=certificate)
    take("authority", letter="DFE 40", **on)
    take("authority", by=admin, letter="DFE 40", **on)
    take("destroy", sure="y")
    confirmed = {"who": "Systems engineer", "witness": "Officer", "evidence": "", **date_of("done_on", 1)}
    expiry: dict[str, Any] = {f"expires_on-{part}": "" for part in ("day", "month", "year")}
    walk.post(dpo, f"{path}/stores", store="escrow", method="delete", **confirmed, **expiry)
    walk.post(dpo, f"{path}/withdraw", letter="DFE 41", **no_end)


def _course(walk: Walk) -> Course:
    with walk.db() as db:
        found = acts.under_way(db)
        assert found is not None
        return acts.read(db, UUID(str(found.of.id)))


def _code(walk: Walk, department: Reader) -> str:
    with walk.db() as db:
        course = acts.under_way(db)
        assert course is not None
        path = steps.folder_of(walk.stack.instance.settings.instance, course) / steps.TEST_VOLUME
    text = b"".join(open_stream(path, department.key)).decode()
    return text.split("code in it is ")[1].split()[0]


def _built(walk: Walk) -> None:
    """What the machine does: a package lies in a folder, and was verified."""
    folder = walk.stack.instance.settings.instance / "returns" / str(new_id())
    folder.mkdir(parents=True)
    (folder / "package.json").write_bytes(b"{}")
    for step, body in ((Step.BUILD, {"folder": str(folder)}), (Step.VERIFY, None)):
        with (
            walk.db() as db,
            unit_of_work(db, walk.stack.clock, "system:command", frozen_too=True) as work,
        ):
            course = acts.under_way(work.db)
            assert course is not None
            acts.happen(work, return_id=course.of.id, step=step, digests=[PACKAGE], body=body)
