"""Small YAML files that come from somebody else: read with bounds, every fault told with its line and key.

They have no aliases and tags, are small and flat, and plain words mean what they mean in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from app.errors import NotFound, Refused
from app.yaml_faults import Path as Place
from app.yaml_faults import doubles, key_of, line_of, told

MOST_BYTES = 1 << 20
MOST_NODES = 50_000
DEEPEST = 8
LONGEST_TEXT = 20_000
MOST_FAULTS = 20
"""More are not told: whoever mends these finds the rest at the next try."""
LONGEST_FAULT = 300
TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of such files: the key of its first line, the format that this program knows, what people call it
    ("recipe"), and the package and name of the JSON schema that says its form."""

    key: str
    format: int
    name: str
    package: str
    schema: str


class Document:
    """A file's values, right in form, and where each of them stands. `faults` are told as they are in `read`."""

    def __init__(self, kind: Kind, name: str, root: yaml.Node, values: dict[str, Any]) -> None:
        self.values = values
        self._kind = kind
        self._name = name
        self._root = root

    def refuse(self, faults: Sequence[tuple[Place, str]]) -> None:
        """Raises Refused where there is any fault that its form does not show."""
        if faults:
            raise _refused(self._name, self._kind, [_at(self._root, place, message) for place, message in faults])


def write(head: str, document: Mapping[str, Any]) -> str:
    """Values as the text of a file that begins with the line `head`; `read` reads it."""
    return head + yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def load(file: Path, kind: Kind) -> str:
    """The text of a file. Raises NotFound, and Refused for what can't be one."""
    advice = f"Choose a {kind.name} file."
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", advice="Check its name.") from None
    except OSError as error:
        raise Refused(f"{file} can't be read: {error.strerror}.", advice=advice) from error
    if len(data) > MOST_BYTES:
        raise Refused(f"{file.name} is larger than a {kind.name} can be ({MOST_BYTES >> 20} MB).", advice=advice)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused(f"{file.name} is no {kind.name}: it is no text in UTF-8.", advice=advice) from None


def read(text: str, name: str, kind: Kind) -> Document:
    """The values of a text, which messages call `name`. Raises Refused with everything that is wrong with its form."""
    found = list(_text_faults(text, kind))
    root: yaml.Node | None = None
    document: Any = None
    if not found:
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            document = loader.construct_document(root) if root is not None else None
        except (yaml.YAMLError, ValueError) as error:
            found = [_yaml_fault(error)]
    if root is None:
        raise _refused(name, kind, found or ["the file is empty"])
    if isinstance(document, dict) and document.get(kind.key) not in (None, kind.format):
        version = str(document[kind.key])[:20]
        raise Refused(
            f"{name} is a {kind.name} of the format {version}, which this Causeway does not know.",
            advice=f"Install the newest version of Causeway, or ask for a {kind.name} made with this one.",
        )
    found = [_at(root, place, f"the key {key} is there twice") for place, key in doubles(root)]
    schema = json.loads(resources.files(kind.package).joinpath(kind.schema).read_text("utf-8"))
    flaws = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda flaw: list(map(str, flaw.path)))
    found += [_at(root, place, message) for flaw in flaws for place, message in told(flaw)]
    if found:
        raise _refused(name, kind, found)
    return Document(kind, name, root, document)


def _at(root: yaml.Node, place: Place, message: str) -> str:
    return f"line {line_of(root, place)}, {key_of(place)}: {message}"


def _refused(name: str, kind: Kind, found: Sequence[str]) -> Refused:
    """Everything that is wrong, the first of it in the sentence."""
    bounded = [fault[:LONGEST_FAULT] for fault in found[:MOST_FAULTS]]
    return Refused(
        f"{name} can't be used as a {kind.name}: {bounded[0]}.",
        advice="Correct the file, or ask for another one." if len(found) == 1 else "The details name all faults.",
        details="\n".join(bounded),
    )


class _Loader(yaml.SafeLoader):
    """Reads YAML's plain words as JSON would: no dates, no sexagesimal numbers, no "yes" and "no"."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own way to be configured


_NUMBERS = list("-0123456789")
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(true|false)\Z"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(null|~|)\Z"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(0|[1-9][0-9]{0,17})\Z"), _NUMBERS)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z"), _NUMBERS)


class _Dumper(yaml.SafeDumper):
    """Writes the same object twice rather than with an alias, and long texts in lines of their own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(TEXT_TAG, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


def _text_faults(text: str, kind: Kind) -> Iterator[str]:
    """What makes a text no such file whatever it says: bounds are looked at before anything is built."""
    depth = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            line = _line(event.start_mark)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                yield f"line {line}: a {kind.name} has no aliases (& and *)"
                return
            if isinstance(event, yaml.NodeEvent):
                nodes += 1
                if getattr(event, "tag", None):
                    yield f"line {line}: a {kind.name} has no tags (!)"
                    return
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                yield f"line {line}: it is nested deeper than {DEEPEST} levels"
                return
            if nodes > MOST_NODES:
                yield f"line {line}: it has more than {MOST_NODES:,} values"
                return
            if isinstance(event, yaml.ScalarEvent):
                if len(event.value) > LONGEST_TEXT:
                    yield f"line {line}: a text is longer than {LONGEST_TEXT:,} characters"
                elif any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in event.value):
                    yield f"line {line}: a text holds what is no character"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        yield _yaml_fault(error)


def _line(mark: Any) -> int:
    return int(mark.line) + 1


def _yaml_fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    line = f"line {_line(mark)}: " if mark is not None else ""
    return f"{line}{getattr(error, 'problem', None) or 'it is no YAML'}"
