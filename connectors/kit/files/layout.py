"""How a receiver wants a file of people: its columns, how they are written, its name, what follows it.

A provider says it as a `Layout`; `standard_layout` makes the usual one of the usual options
(connectors/kit/shared.yaml), and `dataclasses.replace` changes what is special.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

from connectors.kit.errors import InputError
from connectors.kit.types import ExportSource, ProfileField

Form = Literal["csv", "multi-csv", "json"]
Packing = Literal["none", "gz", "zip"]
Naming = Literal["name", "slug"]

DEFAULT_NAME = "{segment_slug}_{date_time}"
JOIN = "&"
EXTENSIONS: Mapping[str, str] = {"csv": ".csv", "multi-csv": ".csv", "json": ".json"}
NAMED_DELIMITERS = {"t": "\t", "\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
PACKINGS: Mapping[str, Packing] = {"": "none", "none": "none", "gz": "gz", "gzip": "gz", "zip": "zip"}


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of a profile field; its header is the field's name unless it has one of its own. `join` stands between
    several values instead of the layout's."""

    field: str
    header: str = ""
    join: str | None = None


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text in each row."""

    header: str
    text: str


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether somebody is in an audience, in words."""

    header: str
    audience: str
    yes: str = "1"
    no: str = ""


@dataclass(frozen=True, slots=True)
class Audiences:
    """Those of some audiences that somebody is in, joined as several values of a field are."""

    header: str
    audiences: tuple[str, ...]
    by: Naming = "slug"
    join: str | None = None


@dataclass(frozen=True, slots=True)
class RowAudience:
    """The audience that a row is about, where there is one for each person and audience (`Layout.row_per_audience`)."""

    header: str
    by: Naming = "slug"


@dataclass(frozen=True, slots=True)
class Made:
    """What a function makes of the texts of other columns, row by row; it is called with one text for each."""

    header: str
    of: tuple[Column, ...]
    make: Callable[..., str]


Column = FieldValue | Constant | Membership | Audiences | RowAudience | Made


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that is whole, by its name without folders; the sums are hexadecimal."""

    name: str
    size: int
    md5: str
    sha256: str
    rows: int


Follower = Callable[[Finished], tuple[str, bytes]]
"""What is to follow a file once it has arrived: a name beside it, and what is in it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A file of people. Whoever is in at least one of `audiences` is in it, or `limit` of them chosen at random; people
    without a value in one of the fields `needed` are left out.

    `name` is a pattern (connectors/kit/files/naming.py), `values` are placeholders of the provider's own. Times in it
    are as `time_format` says, in the zone named `zone` ("": this computer's). `quoting` "never" is for receivers
    that know no quotes: delimiters and line breaks in values become blanks. `guard` puts an apostrophe before text that
    a spreadsheet would run. `max_bytes` is how large a file gets before it is packed; what is more goes into further
    ones. Without people a file is written all the same if `write_empty`.
    """

    columns: tuple[Column, ...]
    audiences: tuple[str, ...]
    form: Form = "csv"
    delimiter: str = ","
    join: str = JOIN
    header: bool = True
    line_end: Literal["\r\n", "\n"] = "\r\n"
    quoting: Literal["minimal", "all", "never"] = "minimal"
    guard: bool = False
    row_per_audience: bool = False
    needed: tuple[str, ...] = ()
    limit: int | None = None
    name: str = DEFAULT_NAME
    folder: str = ""
    extension: str = ".csv"
    time_format: str = ""
    zone: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    packing: Packing = "none"
    max_bytes: int = 0
    write_empty: bool = True
    follow: Follower | None = None


def standard_layout(source: ExportSource, options: Mapping[str, Any], form: Form = "csv") -> Layout:
    """The layout that the usual options ask for. Raises InputError for one that can't be followed."""
    audiences = chosen_audiences(options)
    for audience in audiences:
        source.audience(audience)
    delimiter = chosen_delimiter(options)
    join = JOIN if options.get("join") is None else str(options["join"])
    return Layout(
        columns=unique_headers([*field_columns(source, options), *added_columns(options, audiences)]),
        audiences=audiences,
        form=form,
        delimiter=delimiter,
        join=join,
        header=bool(options.get("write_headers", True)),
        guard=form != "json" and bool(options.get("formula_guard", True)),
        limit=whole_number(options, "size_limit", "number of people") or None,
        name=str(options.get("filename") or DEFAULT_NAME),
        folder=str(options.get("directory") or ""),
        extension=EXTENSIONS[form],
        time_format=str(options.get("time_format") or ""),
        zone=str(options.get("timezone") or ""),
        packing=chosen_packing(options),
        max_bytes=whole_number(options, "max_bytes", "size of a file"),
        write_empty=bool(options.get("write_empty", True)),
    )


def chosen_audiences(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Who is to be exported, by the option segment_id or segment_ids. Raises InputError when nobody is chosen."""
    several = options.get("segment_ids") or options.get("segment_id") or ()
    chosen = (several,) if isinstance(several, str) else tuple(map(str, several))
    if not chosen:
        raise InputError("No audience is chosen.", advice="Choose who is to be exported.")
    return tuple(dict.fromkeys(chosen))


def field_columns(source: ExportSource, options: Mapping[str, Any], *without: str) -> list[Column]:
    """The fields that the option `fields` names, all if it names none, in their order. Raises InputError for one that
    there is not."""
    known = {one.name: one for one in source.fields}
    chosen = [str(name) for name in options.get("fields") or known]
    return [FieldValue(require_field(known, name).name) for name in dict.fromkeys(chosen) if name not in without]


def require_field(known: Mapping[str, ProfileField], name: str) -> ProfileField:
    """A field by its name. Raises InputError when there is none."""
    if name not in known:
        raise InputError(
            f"There is no profile field “{name}” (any more).", advice="Choose the fields of the job again."
        )
    return known[name]


def added_columns(options: Mapping[str, Any], audiences: Sequence[str]) -> list[Column]:
    """Columns about audiences: those that were exported by name or slug, and all that were chosen beside them."""
    exported = tuple(audiences)
    more = tuple(map(str, options.get("segments") or exported))
    asked: list[tuple[str, Column]] = [
        ("append_segment_name", Audiences("audience_name", exported, "name")),
        ("append_segment_slug", Audiences("audience_slug", exported, "slug")),
        ("export_segments", Audiences("audiences", more, "slug")),
    ]
    return [column for name, column in asked if options.get(name)]


def unique_headers(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns, with a number after a header that was there before."""
    used: set[str] = set()
    made: list[Column] = []
    for column in columns:
        header, number = header_of(column), 1
        while header.casefold() in used:
            number += 1
            header = f"{header_of(column)}_{number}"
        used.add(header.casefold())
        made.append(column if header == header_of(column) else replace(column, header=header))
    return tuple(made)


def header_of(column: Column) -> str:
    """What stands above a column."""
    return column.header or column.field if isinstance(column, FieldValue) else column.header


def chosen_delimiter(options: Mapping[str, Any]) -> str:
    """The option `delimiter`: one character, or its name. Raises InputError."""
    typed = str(options.get("delimiter") or ",")
    delimiter = NAMED_DELIMITERS.get(typed.lower(), typed)
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise InputError(
            f"“{typed}” can't stand between the columns.", advice="Use one character, for example , ; | or tab."
        )
    return delimiter


def chosen_packing(options: Mapping[str, Any]) -> Packing:
    """The option `compress`. Raises InputError."""
    typed = str(options.get("compress") or "").lower()
    if typed not in PACKINGS:
        raise InputError(f"Files can't be compressed as “{typed}”.", advice="Choose none, gz or zip.")
    return PACKINGS[typed]


def whole_number(options: Mapping[str, Any], name: str, what: str) -> int:
    """An option that counts, 0 where it is empty. Raises InputError."""
    value = options.get(name)
    if value in (None, ""):
        return 0
    try:
        number = int(cast(str, value))
    except (TypeError, ValueError):
        number = -1
    if number < 0 or float(cast(str, value)) != number:
        raise InputError(f"“{value}” is no {what}.", advice="Enter a whole number, or leave it empty for no limit.")
    return number
