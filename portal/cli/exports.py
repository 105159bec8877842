"""`flask questionnaires export`: answers as files, under pseudonyms, with no limit to their number."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from portal.cli.base import fail, say, with_instance
from portal.db import db
from portal.instance import Instance
from portal.results import exports
from portal.results.exports import Order, OwnAlone
from privacy.work import unit_of_work
from surveys.export_files import DoesNotFit, Format, documents, write_xlsx
from surveys.exports import Source
from surveys.versions import Unpublished

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("export")
@click.argument("code", metavar="CODE")
@click.option("--format", "format_", type=click.Choice([one.value for one in Format]), required=True)
@click.option("--out", type=FILE, required=True, help="The file to write; its folder must be there.")
@click.option("--partial", is_flag=True, help="Also what was begun and not finished in time, marked.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@with_instance
def export(instance: Instance, code: str, format_: str, out: Path, partial: bool, force: bool) -> None:
    """Write every response to CODE into a file, under a code for each person; names are never in it.

    CSV and JSON lines come with a codebook and notes in files beside it, CSV also with one of labels.
    """
    order = Order(codes=(code,), format=Format(format_), partial=partial)
    paths = _paths(out, order.format)
    _refuse(paths, force=force)
    try:
        with unit_of_work(db.session(), instance.clock, "system:command") as work:
            made = exports.make(work, instance.programme, order)
        with click.progressbar(
            length=made.rows * (2 if order.format is Format.CSV else 1), label=code, file=sys.stderr
        ) as bar:
            read = exports.source(db.session(), instance.programme, order, now=made.made_at, tell=bar.update)
            _write(read, order.format, paths)
    except OwnAlone:
        fail(f"{code} is a self-assessment: it is answered for oneself alone, and nobody else reads it")
    except Unpublished:
        fail(f"no questionnaire called {code} was published")
    except DoesNotFit as problem:
        fail(f"it does not fit into a spreadsheet ({problem}): export it as csv or jsonl")
    say(f"{made.rows} responses written to {', '.join(str(path) for path in paths)}")


def _paths(out: Path, format: Format) -> list[Path]:
    """The file that was asked for, and those beside it."""
    ends = {
        Format.CSV: [".labels.csv", ".codebook.csv", ".notes.txt"],
        Format.JSONL: [".codebook.jsonl", ".notes.txt"],
        Format.XLSX: [],
    }[format]
    return [out, *(out.with_name(f"{out.stem}{end}") for end in ends)]


def _refuse(paths: Iterable[Path], *, force: bool) -> None:
    for path in paths:
        if not path.parent.is_dir():
            fail(f"the folder {path.parent} is not there")
        if path.exists() and not force:
            fail(f"{path} is there already: choose another name, or add --force")


def _write(read: Source, format: Format, paths: list[Path]) -> None:
    """Write all files under other names first, so that none is ever half there under its own."""
    parts = [path.with_name(f"{path.name}.part") for path in paths]
    try:
        if format is Format.XLSX:
            _make(parts[0])
            write_xlsx(read, parts[0], scratch=parts[0].parent)
        else:
            for part, (_, texts) in zip(parts, documents(read, format), strict=True):
                _fill(part, texts)
        for part, path in zip(parts, paths, strict=True):
            part.replace(path)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _make(path: Path) -> None:
    """Make a file that its owner alone can read: what people said will be in it."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)


def _fill(path: Path, texts: Iterable[str]) -> None:
    _make(path)
    with path.open("w", encoding="utf-8", newline="") as file:
        for text in texts:
            file.write(text)
        file.flush()
        os.fsync(file.fileno())
