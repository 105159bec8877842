"""What people read, as plain text: every page in all its states, every message, every mail, every question.

Pages are read from their templates and not as they come from the server: so each branch of an `if` is read, errors
and empty states too, whoever would see them.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, nodes

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "templates"
BLOCK = re.compile(
    r"</?(?:p|li|h[1-4]|t[hdr]|d[tdl]|label|legend|summary|div|caption|section|button|title|option|ul|ol)\b[^>]*>|<br>"
)
FILLERS = {
    **dict.fromkeys(("day", "last_day"), "3 March 2023"),
    **dict.fromkeys(("weekday_day", "day_time"), "Friday 3 March 2023"),
    **dict.fromkeys(("time",), "2:30pm"),
    **dict.fromkeys(("minutes", "days", "counted", "file_size"), "2 days"),
    "place_words": "in person",
}
"""What stands for a value, by the filter that writes it; anything else is a short name."""
NAME = "Ada"
PROSE = re.compile(r"[A-Z“‘(\d].*\s\S+\s.*\S$", re.DOTALL)


@dataclass(frozen=True)
class Text:
    """Sentences that somebody reads together, and where they stand in the code."""

    where: str
    sentences: tuple[str, ...]

    @property
    def words(self) -> str:
        return " ".join(self.sentences)


def sentences_in(block: str) -> Iterator[str]:
    """The sentences of a piece of running text; a heading, a link or a label of fewer than five words is none."""
    for found in re.split(r"(?<=[.?])\s+(?=[A-Z“\d])", " ".join(block.split())):
        sentence = found.strip(" :")
        if len(re.findall(r"[A-Za-z][\w’'-]*", sentence)) >= 5:
            yield sentence if sentence[-1] in ".?" else f"{sentence}."


# ---- pages


@cache
def environment() -> Environment:
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    made.filters = _Known(made.filters)
    return made


class _Known(dict[str, Any]):
    """Every filter is known: only its name matters."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Any:
        return str


def pages() -> Iterator[Text]:
    """Each template that is a page or a part of one."""
    for path in sorted(TEMPLATES.rglob("*.html")):
        name = path.relative_to(TEMPLATES).as_posix()
        if not name.startswith("mail/"):
            yield Text(name, _unique(_of_template(path.read_text())))


def _of_template(source: str) -> Iterator[str]:
    tree = environment().parse(source)
    # Twice: with the first branch of every condition, then with the last.
    for last in (False, True):
        told: list[str] = []
        apart: list[str] = []
        _tell(tree.body, last, told, apart)
        for block in (*_blocks("".join(told)), *apart):
            yield from sentences_in(block)


def _tell(body: Iterable[nodes.Node], last: bool, told: list[str], apart: list[str]) -> None:
    """What a template says: running text into `told`, texts that are handed to macros into `apart`."""
    for node in body:
        match node:
            case nodes.Output():
                told += (
                    part.data if isinstance(part, nodes.TemplateData) else _shown(part, last, apart)
                    for part in node.nodes
                )
            case nodes.If():
                branches = [
                    node.body,
                    *(one.body for one in node.elif_),
                    *([node.else_] if node.else_ else []),
                ]
                for branch in branches[1:-1]:
                    between: list[str] = []
                    _tell(branch, last, between, apart)
                    apart += _blocks("".join(between))
                _tell(branches[-1] if last else branches[0], last, told, apart)
            case nodes.For():
                _tell(node.body if not (last and node.else_) else node.else_, last, told, apart)
            case nodes.Assign():
                apart += _strings(node.node)
            case nodes.CallBlock():
                apart += _strings(node.call)
                told.append("<p>")
                _tell(node.body, last, told, apart)
                told.append("</p>")
            case nodes.Macro() | nodes.Block() | nodes.With() | nodes.AssignBlock() | nodes.FilterBlock():
                told.append("<p>")
                _tell(node.body, last, told, apart)
                told.append("</p>")


def _shown(part: nodes.Expr, last: bool, apart: list[str]) -> str:
    """A value as running text: words that stand in the template themselves, or what stands for a value."""
    match part:
        case nodes.Const(value=str() as value):
            return value
        case nodes.CondExpr():
            chosen = part.expr2 if last and part.expr2 is not None else part.expr1
            return _shown(chosen, last, apart)
        case nodes.Filter(name=name) if name in FILLERS:
            return FILLERS[name]
        case nodes.Concat():
            return "".join(_shown(one, last, apart) for one in part.nodes)
        case nodes.Call(node=nodes.Getattr(attr=attr)) if attr in {"name", "mail_address", "tag"}:
            return NAME
        case nodes.Call():
            apart += _strings(part)
            return "" if isinstance(part.node, nodes.Getattr) else NAME
    apart += [text for text in _strings(part) if PROSE.match(text)]
    return NAME


def _strings(node: nodes.Node) -> list[str]:
    """Whole texts among the values that a macro is given."""
    found = [node] if isinstance(node, nodes.Const) else list(node.find_all(nodes.Const))
    joined = [_shown(one, False, []) for one in node.find_all(nodes.Concat)]
    plain = [one.value for one in found if isinstance(one.value, str)]
    return [text for text in (*plain, *joined) if PROSE.match(text.strip())]


def _blocks(markup: str) -> list[str]:
    """The text of each block of a page, as a browser lays it out."""
    return unescape(re.sub(r"<[^>]*>", "", BLOCK.sub("\n\n", markup))).split("\n\n")


# ---- messages that pages show, from the code


def messages() -> Iterator[Text]:
    """What code says to people: labels and hints of forms, messages after an act, refusals."""
    for folder in ("portal", "surveys", "privacy"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(("portal/demo/", "portal/cli/", "portal/models/")):
                yield Text(name, _unique(_of_module(path.read_text())))


def _of_module(source: str) -> Iterator[str]:
    for text in _said(ast.parse(source)):
        if PROSE.match(text) and "\n" not in text and "_" not in text:
            yield from sentences_in(text)


def _said(node: ast.AST) -> Iterator[str]:
    """The texts in a piece of code, but for those that explain the code itself."""
    match node:
        case ast.Constant(value=str() as value):
            yield value
        case ast.JoinedStr(values=values):
            yield "".join(str(one.value) if isinstance(one, ast.Constant) else NAME for one in values)
        case ast.Expr(value=ast.Constant()) | ast.Assert() | ast.Import() | ast.ImportFrom():
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _said(child)


# ---- mails and questionnaires


def mails() -> Iterator[Text]:
    """Every mail as it is sent, subject first."""
    for path in sorted((ROOT / "tests" / "golden").glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=policy.default)
        body = letter.get_body(("plain",))
        assert body is not None, path.name
        text = re.sub(r"https?://\S+|\S+@\S+", "", body.get_content())
        blocks = [str(letter["Subject"]), *re.split(r"\n\s*\n", text)]
        yield Text(f"mail {path.stem}", _unique(one for block in blocks for one in sentences_in(block)))


def questionnaires() -> Iterator[Text]:
    """The words of each shipped questionnaire."""
    for path in sorted((ROOT / "surveys" / "definitions").glob("*.yaml")):
        found = [one for text in _texts(yaml.safe_load(path.read_text())) for one in sentences_in(text)]
        yield Text(f"questionnaire {path.stem}", _unique(found))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for one in value.values():
                yield from _texts(one)
        case list():
            for one in value:
                yield from _texts(one)


def _unique(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
