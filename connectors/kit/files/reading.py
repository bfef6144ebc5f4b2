"""One file as records: unpacked, read as the options say, with event times and only the fields that are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from typing import Any, Literal

from connectors.kit.errors import InputError
from connectors.kit.files.diff import Digests
from connectors.kit.files.nested import Tree, project, tree_of, value_at
from connectors.kit.formats.chain import Keys, unpacked
from connectors.kit.formats.csv import CsvBatch, CsvOptions, CsvPosition, CsvReader, open_csv
from connectors.kit.formats.detect import encoding_name
from connectors.kit.formats.json import JsonBatch, JsonPosition, JsonReader, open_json
from connectors.kit.formats.streams import ByteStream
from connectors.kit.times import parse_time
from connectors.kit.types import Batch, Credentials

BATCH_ROWS = 20_000
DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "whitespace": "white space"}
FORMS = {"lines": "one JSON object per line", "array": "JSON array", "objects": "JSON objects"}

Form = Literal["csv", "json"]
Lines = frozenset[int]


@contextmanager
def opened(
    stream: ByteStream,
    form: Form,
    options: Mapping[str, Any],
    credentials: Credentials,
    position: Mapping[str, Any] | None = None,
) -> Iterator[CsvFile | JsonFile]:
    """The records in a file from `position` on. Raises InputError for a file that can't be read so; closes `stream`."""
    with closing(stream), unpacked(stream, keys=pgp_keys(credentials), member=_text(options, "member")) as plain:
        if form == "csv":
            at = None if position is None else CsvPosition(**position)
            yield CsvFile(open_csv(plain, csv_options(options), position=at), options, plain.steps)
        else:
            going_on = None if position is None else JsonPosition(**position)
            yield JsonFile(open_json(plain, position=going_on), options, plain.steps)


def pgp_keys(credentials: Credentials) -> Keys | None:
    """What an authorization has to decrypt files with."""
    private_key = credentials.secrets.get("pgpprivatekey")
    return Keys(private_key, credentials.secrets.get("pgppassphrase") or None) if private_key else None


def _text(options: Mapping[str, Any], name: str) -> str | None:
    return str(options.get(name) or "") or None


def csv_options(options: Mapping[str, Any]) -> CsvOptions:
    """What a job's options say of a table."""
    names = options.get("columns") or ""
    columns = names if isinstance(names, list) else [name.strip() for name in str(names).split(",") if name.strip()]
    quote = str(options.get("quote") or '"')
    delimiter = _text(options, "delimiter")
    return CsvOptions(
        delimiter="\t" if delimiter == "t" else delimiter,
        quote="" if quote == "none" else quote,
        encoding=_text(options, "encoding"),
        columns=columns or None,
        header=bool(options.get("header", True)),
    )


def time_columns(options: Mapping[str, Any]) -> list[str]:
    """The columns that say when a row was true, the weightiest first; the first that can be read counts."""
    further = options.get("timestamps") or []
    names = [options.get("timestamp_field"), *([further] if isinstance(further, str) else further)]
    return list(dict.fromkeys(str(name) for name in names if name))


class CsvFile:
    """A table; its rows are records with the same keys in the same order.

    `summary` says how it is read, `notes` what is odd about it; `times_from` are the columns that say when a row was
    true, the weightiest first.
    """

    def __init__(self, reader: CsvReader, options: Mapping[str, Any], steps: tuple[str, ...]) -> None:
        """Raises InputError when a column is missing that the options name."""
        self.reader = reader
        self.columns = tuple(reader.columns)
        self.times_from = time_columns(options)
        self.notes = reader.notes
        self.summary = (
            *steps,
            encoding_name(reader.encoding),
            DELIMITER_NAMES.get(reader.delimiter, reader.delimiter),
            f"{len(reader.columns):,} columns",
        )
        self._times = [self._index(name, "timestamp field") for name in self.times_from]
        identifiers = list(options.get("identifiers") or ())
        for name in identifiers:
            self._index(name, "identifier")
        fields = list(options.get("fields") or ())
        self._chosen: list[int] | None = None
        if fields:
            wanted = {self._index(name, "field") for name in (*fields, *identifiers)}
            self._chosen = sorted(wanted)

    def _index(self, name: str, what: str) -> int:
        if name in self.columns:
            return self.columns.index(name)
        raise InputError(
            f"The file has no column “{name}”, which is chosen as {what}.",
            advice=f"Its columns are: {', '.join(self.columns[:20])}{' …' if len(self.columns) > 20 else ''}.",
        )

    def parts(self, again: Lines | None = None, previous: Digests | None = None) -> Iterator[Batch]:
        """The records in parts of some hundred kilobytes, each with where it ends as its cursor ("position").

        With `again`, only those that begin at these lines, and the cursor names the lines that were there ("lines").
        With `previous`, only those that were not in the previous file.
        """
        # The records are made while a part's texts are still in the processor's cache: half the time.
        chosen = self._chosen
        names = self.columns if chosen is None else tuple(self.columns[index] for index in chosen)
        for part in self.reader.batches(BATCH_ROWS):
            cursor: dict[str, Any] = {"position": asdict(part.position)}
            if again is not None:
                cursor = {"lines": _only(part, again)}
                if not cursor["lines"]:
                    continue
            read = part.rows if previous is None else previous.new_rows(part.rows)
            rows = read if chosen is None else [[row[index] for index in chosen] for row in read]
            yield Batch(
                records=[dict(zip(names, row, strict=True)) for row in rows],
                cursor=cursor,
                columns=names,
                times=self._times_of(read),
                rejected=part.rejected,
            )

    def _times_of(self, rows: list[list[str]]) -> list[int | None]:
        if not self._times:
            return []
        first, *others = self._times
        times = [parse_time(row[first]) for row in rows]
        for other in others:
            times = [parse_time(row[other]) if time is None else time for time, row in zip(times, rows, strict=True)]
        return times


def _only(part: CsvBatch | JsonBatch, wanted: Lines) -> list[int]:
    """Leave in a part only the rows that begin at wanted lines; which lines these are."""
    places = [place for place, line in enumerate(part.lines) if line in wanted]
    if isinstance(part, CsvBatch):
        part.rows = [part.rows[place] for place in places]
    else:
        part.records = [part.records[place] for place in places]
    part.rejected = [row for row in part.rejected if row.line in wanted]
    return [*(part.lines[place] for place in places), *(row.line for row in part.rejected)]


class JsonFile:
    """Objects of JSON; each is a record as it is, levels and lists included. Otherwise like a `CsvFile`."""

    def __init__(self, reader: JsonReader, options: Mapping[str, Any], steps: tuple[str, ...]) -> None:
        self.reader = reader
        self.times_from = time_columns(options)
        self.notes: list[str] = []
        self.summary = (*steps, encoding_name(reader.encoding), FORMS[reader.form])
        fields = list(options.get("fields") or ())
        self._tree: Tree | None = tree_of([*fields, *(options.get("identifiers") or ())]) if fields else None

    def parts(self, again: Lines | None = None) -> Iterator[Batch]:
        """As those of a `CsvFile`; a part is about a megabyte."""
        for part in self.reader.batches(BATCH_ROWS):
            cursor: dict[str, Any] = {"position": asdict(part.position)}
            if again is not None:
                cursor = {"lines": _only(part, again)}
                if not cursor["lines"]:
                    continue
            records = part.records
            yield Batch(
                records=records if self._tree is None else [project(record, self._tree) for record in records],
                cursor=cursor,
                times=[self._time_of(record) for record in records] if self.times_from else [],
                rejected=part.rejected,
            )

    def _time_of(self, record: Mapping[str, Any]) -> int | None:
        for name in self.times_from:
            value = value_at(record, name)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                time = parse_time(str(value))
                if time is not None:
                    return time
        return None
