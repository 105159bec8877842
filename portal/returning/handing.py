"""Handing the package over by download: once, as one archive of the folder, by somebody who is written down."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from privacy.envelopes import read_pieces
from privacy.errors import HolderErased
from privacy.returns import acts
from privacy.returns.course import Act, Course, CourseRefused, Step
from privacy.work import Work


class NotHere(CourseRefused):
    """The package was downloaded before, or its folder is not on this machine."""


def folder(course: Course) -> Path | None:
    """The folder of the package that was built last, if it can be read from here."""
    event = course.event(Step.BUILD)
    try:
        said = (event.body or {}).get("folder") if event is not None else None
    except HolderErased:
        said = None
    path = Path(said) if said else None
    return path if path is not None and (path / "package.json").is_file() else None


def downloaded(course: Course) -> bool:
    return bool(course.of_step(Step.HAND_OVER, Act.BEGUN))


def begin(work: Work, *, return_id: UUID) -> Path:
    """Note that somebody downloads the package; returns its folder. Raises NotHere, or what the course refuses."""
    course = acts.read(work.db, return_id, lock=True)
    if downloaded(course):
        raise NotHere("The package was downloaded once already. Take the folder from the machine instead")
    found = folder(course)
    if found is None:
        raise NotHere("The folder of the package cannot be read from here. Take it from the machine instead")
    acts.happen(
        work,
        return_id=return_id,
        step=Step.HAND_OVER,
        act=Act.BEGUN,
        digests=[course.package or ""],
        body={"how": "download"},
    )
    return found


class _Pipe:
    """Takes what an archive writes and gives it on; an archive in a pipe cannot go back."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def archived(found: Path) -> Iterator[bytes]:
    """A folder as one zip archive, piece by piece; stored, since what is sealed does not get smaller."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # write is all it asks
        for path in sorted(one for one in found.rglob("*") if one.is_file()):
            name = f"{found.name}/{path.relative_to(found).as_posix()}"
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
                for piece in read_pieces(path):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()
