"""`flask report monthly|quarterly|annual`: the files of a report, from the release of its period.

Where the period is over and was not released yet, it is released first; afterwards the same files come again.
"""

import hashlib
import sys
from pathlib import Path

import click

from portal.cli.base import JSON, fail, print_json, say, with_instance
from portal.db import db
from portal.instance import Instance
from portal.results import releases, releasing, reports
from portal.results.periods import TITLES, Kind, NoSuchPeriod
from portal.results.releases import Release
from portal.results.releasing import NotReleased
from portal.results.reports import Format
from privacy.work import unit_of_work

FOLDER = click.Path(file_okay=False, path_type=Path)
WRITTEN_LIKE = {Kind.MONTHLY: "2023-03", Kind.QUARTERLY: "2023-Q1", Kind.ANNUAL: "2022-23"}


def _command(kind: Kind) -> click.Command:
    @click.command(
        kind.value, help=f"{TITLES[kind]}: Word, HTML, XLSX and CSV, from the release of a period."
    )
    @click.option("--period", required=True, help=f"The period, written like {WRITTEN_LIKE[kind]}.")
    @click.option("--out", type=FOLDER, required=True, help="The folder to write the files in.")
    @click.option("--force", is_flag=True, help="Write over files that were changed.")
    @JSON
    @with_instance
    def command(instance: Instance, period: str, out: Path, force: bool, as_json: bool) -> None:
        release = _released(instance, kind, period)
        written = _write(release, instance, out, force=force)
        if as_json:
            print_json(
                {
                    "kind": kind,
                    "period": period,
                    "as_of": release.as_of,
                    "hash": release.digest,
                    "files": [{"name": path.name, "sha256": digest} for path, digest in written],
                }
            )
        say(f"Written to {out}: {', '.join(path.name for path, _ in written)}")

    return command


def _released(instance: Instance, kind: Kind, period: str) -> Release:
    """The release of a period, made if need be."""
    found = releases.of_period(db.session(), kind, period)
    if found is not None:
        return found
    try:
        with unit_of_work(db.session(), instance.clock, "system:command") as work:
            releasing.make(work, instance.programme, kind=kind, period=period)
    except (NoSuchPeriod, NotReleased) as problem:
        fail(str(problem))
    say(f"The figures of {period} are released: they stay as they are now")
    made = releases.of_period(db.session(), kind, period)
    assert made is not None
    return made


def _write(release: Release, instance: Instance, out: Path, *, force: bool) -> list[tuple[Path, str]]:
    """Write all files, each whole or not at all; the team's own words in a Word file are not written over."""
    with click.progressbar(
        reports.files(release, instance.programme), length=len(Format), label="Files", file=sys.stderr
    ) as made:
        files = [(out / name, data) for name, data in made]
    changed = [path for path, data in files if path.exists() and path.read_bytes() != data]
    if changed and not force:
        fail(f"{changed[0]} is there already and was changed: choose another folder, or add --force")
    out.mkdir(parents=True, exist_ok=True)
    for path, data in files:
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.replace(path)
    return [(path, hashlib.sha256(data).hexdigest()) for path, data in files]


REPORT_COMMANDS: tuple[click.Command, ...] = tuple(map(_command, Kind))
