"""Documents: YAML or JSON read strictly, and plain data turned into frozen dataclasses and back.

A document is written by a person, so everything wrong with it is collected as faults, each with
its place, and reported together. Nothing here knows what a questionnaire is: the dataclasses'
own type hints say which keys there are and what each may hold.
"""

import dataclasses
import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, NoReturn, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import yaml

MAX_CHARACTERS = 200_000
MAX_DEPTH = 40
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Fault:
    """One thing wrong with a document; the place is a trail of codes, outermost first. `line` counts
    from 1, and is None where no line can be named."""

    place: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" + (f" (line {self.line})" if self.line else "")


class Unsound(ValueError):
    """A document that can't be used; `faults` holds everything found, in the order of the document."""

    def __init__(self, name: str, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("\n".join([f"{name} can't be used:", *map(str, faults)]))


class Placed(dict[str, Any]):
    """A mapping that knows the line it begins on."""

    line: int


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML without its traps.

    Refused: anchors and aliases (a few lines of them can expand to gigabytes), tags, and the same
    key twice. Only true, false, null and plain numbers are read as anything but text, so that an
    option may be called yes or no, and 3 March stays as written.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the name and type that PyYAML looks for

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's parser has no types
        if event.anchor:
            raise _refused("anchors (&) and aliases (*) can't be used", event.start_mark)
        if getattr(event, "tag", None):
            raise _refused("tags (!) can't be used", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a key must be text", key.start_mark)
            if key.value in seen:
                raise _refused(f"the key {key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _placed(loader: _StrictLoader, node: yaml.MappingNode) -> Iterator[Placed]:
    data = Placed()
    data.line = node.start_mark.line + 1
    yield data
    data.update(loader.construct_mapping(node))


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _placed)


def _refused(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]{0,14})", "-0123456789"),
    ("float", r"-?[0-9]{1,15}\.[0-9]{1,15}", "-0123456789"),
):
    _whole = re.compile(rf"^(?:{_pattern})$")
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, list(_first))


def parse(text: str, *, name: str) -> object:
    """Plain data (dict, list, str, int, float, bool, None) from a text: JSON where the name ends so,
    else strict YAML. Raises Unsound."""
    if len(text) > MAX_CHARACTERS:
        raise Unsound(name, [Fault(name, f"is longer than {MAX_CHARACTERS:,} characters")])
    try:
        data = _parse_json(text, name=name) if name.endswith(".json") else _parse_yaml(text, name=name)
    except RecursionError as error:
        raise Unsound(name, [Fault(name, "is nested too deep")]) from error
    _require_plain(data, name=name)
    return data


def _parse_yaml(text: str, *, name: str) -> object:
    try:
        return cast(object, _StrictLoader(text).get_single_data())
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}" if error.problem_mark else name
        raise Unsound(name, [Fault(line, error.problem or "can't be read as YAML")]) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Unsound(name, [Fault(name, "holds a character that YAML doesn't allow")]) from error


def _parse_json(text: str, *, name: str) -> object:
    try:
        return cast(
            object,
            json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number, parse_float=_finite),
        )
    except json.JSONDecodeError as error:
        raise Unsound(name, [Fault(f"line {error.lineno}", f"{error.msg}, column {error.colno}")]) from error
    except ValueError as error:
        raise Unsound(name, [Fault(name, str(error))]) from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"the key {key} stands twice in one place")
        seen[key] = value
    return seen


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _require_plain(data: object, *, name: str) -> None:
    """Refuse what could be read but not kept or shown: deep nesting, half characters, control characters."""
    level: list[object] = [data]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            match item:
                case dict():
                    inner += [*item.keys(), *item.values()]
                case list():
                    inner += item
                case str() if _UNKEPT.search(item):
                    message = f"holds a character that can't be shown, in ‘{_UNKEPT.sub('□', item[:60])}’"
                    raise Unsound(name, [Fault(name, message)])
        if not inner:
            return
        level = inner
    raise Unsound(name, [Fault(name, "is nested too deep")])


_UNKEPT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def lines(data: object, *, place: str) -> dict[str, int]:
    """The line on which each place of a YAML document begins; of JSON none is known."""
    found: dict[str, int] = {}

    def walk(node: object, place: str) -> None:
        if isinstance(node, Placed):
            found.setdefault(place, node.line)
        if isinstance(node, dict):
            for name, value in node.items():
                if isinstance(value, list):
                    for number, item in enumerate(value, start=1):
                        walk(item, _item_place(place, name, number, item))
                else:
                    walk(value, place)

    walk(data, place)
    return found


def on_line(fault: Fault, known: Mapping[str, int]) -> Fault:
    """The same fault with the line of its place, or of the nearest place around it."""
    place = fault.place
    while place not in known and " > " in place:
        place = place.rpartition(" > ")[0]
    return dataclasses.replace(fault, line=fault.line or known.get(place))


def read(kind: type[T], data: object, *, place: str, faults: list[Fault]) -> T | None:
    """The dataclass `kind` from plain data, or None when a key it can't do without is unusable.

    Every fault is added to `faults`; the rest is read on, so that all of them are found at once. A class
    whose keys depend on what it holds has a `from_data` of its own, and a `to_data` for the way back.
    """
    if not isinstance(data, dict):
        faults.append(Fault(place, "must be a list of keys with values"))
        return None
    fields = {field.name: field for field in dataclasses.fields(cast(Any, kind)) if field.init}
    faults.extend(Fault(place, f"has an unknown key, {key}") for key in data if key not in fields)
    hints, values = _hints(cast(Any, kind)), dict[str, Any]()
    for name, field in fields.items():
        before = len(faults)
        if name in data:
            value = _value(hints[name], data[name], place=place, name=name, faults=faults)
            if len(faults) == before or value is not None:
                values[name] = value
        elif _needed(field):
            faults.append(Fault(place, f"has no {name}"))
    if any(_needed(field) and name not in values for name, field in fields.items()):
        return None
    return kind(**values)


def dump(value: object) -> Any:
    """Plain data from what `read` gives. What stands at its default is left out, so that a new
    optional key never changes the hash of a questionnaire that doesn't use it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        own = {
            field.name: dump(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if _needed(field) or getattr(value, field.name) != _default(field)
        }
        return value.to_data(own) if hasattr(value, "to_data") else own
    match value:
        case frozenset():
            return sorted(value)
        case tuple():
            return [dump(item) for item in value]
        case Mapping():
            return dict(value)
        case _:
            return value


class _Dumper(yaml.SafeDumper):
    """Writes numbers as the strict reader knows them, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Inline:
    """A value that is written on one line."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _inline(dumper: yaml.SafeDumper, data: _Inline) -> yaml.Node:
    node = dumper.represent_data(data.value)
    assert isinstance(node, yaml.CollectionNode)
    node.flow_style = True
    return node


def _float(dumper: yaml.SafeDumper, data: float) -> yaml.Node:
    text = f"{data:.15f}".rstrip("0")
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{text}0" if text.endswith(".") else text)


_Dumper.add_representer(_Inline, _inline)
_Dumper.add_representer(float, _float)


def write_yaml(data: Mapping[str, Any], *, inline: tuple[str, ...]) -> str:
    """YAML that `parse` reads back to the same data; what stands under the keys `inline` on one line each."""
    return yaml.dump(
        _with_inline(data, inline), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110
    )


def _with_inline(node: Any, names: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_with_inline(item, names) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        key: (
            ([_Inline(item) for item in value] if value and isinstance(value[0], dict) else _Inline(value))
            if key in names and isinstance(value, list)
            else _Inline(value)
            if key in names and isinstance(value, dict)
            else _with_inline(value, names)
        )
        for key, value in node.items()
    }


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _needed(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _default(field: "dataclasses.Field[Any]") -> object:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _value(hint: Any, data: object, *, place: str, name: str, faults: list[Fault]) -> Any:
    """A value of the hinted type, or None with a fault."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if data is None and NoneType in arguments:
            return None
        hint = next((member for member in arguments if type(data) is member), arguments[0])
        return _value(hint, data, place=place, name=name, faults=faults)
    if origin in (tuple, frozenset) and isinstance(data, list):
        items = (
            _value(arguments[0], item, place=_item_place(place, name, number, item), name=name, faults=faults)
            for number, item in enumerate(data, start=1)
        )
        return origin(item for item in items if item is not None)
    if hasattr(hint, "from_data"):
        return hint.from_data(data, place=place, faults=faults)
    if dataclasses.is_dataclass(hint):
        return read(cast(type, hint), data, place=place, faults=faults)
    if type(data) is hint or (origin is Mapping and _all_text(data)):
        return data
    faults.append(Fault(place, f"{name} must be {_PLAIN[origin or hint]}"))
    return None


def _all_text(data: object) -> bool:
    return isinstance(data, dict) and all(isinstance(text, str) for pair in data.items() for text in pair)


_PLAIN = {
    str: "text",
    int: "a number",
    bool: "true or false",
    tuple: "a list",
    frozenset: "a list",
    Mapping: "a list of keys, each with a text",
}


def _item_place(place: str, name: str, number: int, item: object) -> str:
    code = item.get("code") if isinstance(item, dict) else None
    return f"{place} > {code if isinstance(code, str) else f'{name} {number}'}"
