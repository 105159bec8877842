"""Compiled templates are kept for the next process; what cannot be kept or read keeps nobody from a page."""

import sys
from importlib.util import cache_from_source
from pathlib import Path
from unittest.mock import patch

import pytest
from jinja2 import DictLoader, Environment

from portal.app import ROOT, create_app
from portal.cli import compiling
from portal.views.compiled import CompiledTemplates
from privacy import errors
from surveys import kinds
from tests.conftest import Stack


@pytest.fixture(autouse=True)
def _bytecode_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def shown(folder: Path, text: str) -> tuple[str, bool]:
    """What a new process shows of a template, and whether it had to compile it."""
    environment = Environment(
        loader=DictLoader({"a.html": text}), bytecode_cache=CompiledTemplates(folder), autoescape=True
    )
    with patch.object(environment, "compile", wraps=environment.compile) as compiling:
        return environment.get_template("a.html").render(name="Ann"), compiling.called


def test_what_was_compiled_once_is_read_until_its_text_changes(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    assert shown(folder, "Hello {{ name }}") == ("Hello Ann", True)
    assert shown(folder, "Hello {{ name }}") == ("Hello Ann", False)
    assert shown(folder, "Goodbye {{ name }}") == ("Goodbye Ann", True)
    assert len(list(folder.iterdir())) == 1


def test_what_was_cut_short_is_compiled_again(tmp_path: Path) -> None:
    shown(tmp_path, "Hello {{ name }}")
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for length in range(0, len(whole), 7):
        kept.write_bytes(whole[:length])
        assert shown(tmp_path, "Hello {{ name }}") == ("Hello Ann", True), length


def test_where_nothing_can_be_kept_pages_show_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    assert shown(in_the_way, "Hello {{ name }}") == ("Hello Ann", True)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert shown(tmp_path / "kept", "Hello {{ name }}") == ("Hello Ann", True)
    assert not (tmp_path / "kept").exists()


def test_all_are_compiled_beforehand_for_a_server_that_may_not_write(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(stack.instance.settings)
    # Python is not to write anything unasked; here it is asked.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(app.jinja_env, "bytecode_cache", CompiledTemplates(tmp_path))
    modules = [Path(cache_from_source(str(module.__file__))) for module in (compiling, errors, kinds)]
    for module in modules:
        module.unlink(missing_ok=True)
    done = app.test_cli_runner().invoke(args=["compile"])
    assert done.exit_code == 0
    kept = len(list(tmp_path.iterdir()))
    assert f"The software and {kept} templates are compiled" in done.output
    assert all(module.is_file() for module in modules)
    assert kept >= len(list((ROOT / "templates").rglob("*.html"))) > 300


def test_it_says_when_nothing_can_be_kept(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(stack.instance.settings)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(app.jinja_env, "bytecode_cache", CompiledTemplates(tmp_path / "file"))
    done = app.test_cli_runner().invoke(args=["compile"])
    assert (done.exit_code, "cannot be written to" in done.output) == (1, True)
