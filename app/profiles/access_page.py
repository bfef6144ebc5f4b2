"""The page that answers somebody who asks what is kept about them: one HTML file, to read, to send and to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import IO, Any

import orjson

from app.html_page import beginning
from app.profiles.dossier import Dossier
from app.profiles.person import FieldValue, PersonEvent
from connectors.kit.times import format_time


def write_page(out: IO[str], dossier: Dossier, events: Iterable[PersonEvent]) -> None:
    """Write the page. It loads nothing from anywhere and runs nothing; all that came from files is escaped."""
    for part in _parts(dossier, events):
        out.write(part)


def _parts(dossier: Dossier, events: Iterable[PersonEvent]) -> Iterator[str]:
    person = dossier.person
    yield (
        f"{beginning(person.title)}<h1>{escape(person.title)}</h1>\n"
        f'<p class="soft">Everything that the workspace “{escape(dossier.workspace)}” holds about this person, '
        f"written on {_time(dossier.written_at)}. Times are UTC.</p>\n"
    )
    yield from _table(
        "Known by",
        "What says that a row is about this person.",
        ("Identifier", "Value", "First came from", "Since"),
        (
            (_name(known.field), _cell(known.value), _from(known.job, known.stream), _when(known.at))
            for known in person.known_by
        ),
        "No identifier.",
    )
    yield from _table(
        "What is known",
        "Each value with the source that it came from, and as of when.",
        ("Field", "Value", "From", "As of"),
        (
            (_field_name(field), _value(field.value, field.type), _from(field.job, field.stream), _when(field.at))
            for field in person.fields
        ),
        "No field has a value.",
    )
    yield from _table(
        "What happened",
        "",
        ("When", "What"),
        ((_when(entry.at), _cell(entry.words)) for entry in dossier.history),
        "Nothing is kept of how this person came here.",
    )
    yield from _table(
        "Sources",
        "The imports that brought rows about this person.",
        ("Job", "Read from", "When", "Rows"),
        (
            (
                _cell(run.job),
                _cell(" · ".join(part for part in (run.provider, run.source) if part)),
                f'<td class="time">{_time(run.started_at)}</td>',
                f"<td>{run.events:,}</td>",
            )
            for run in dossier.runs
        ),
        "The jobs that brought this person were deleted since.",
    )
    if dossier.rejected:
        yield from _table(
            "Rejected rows",
            "Rows that could not be taken, and that name this person.",
            ("Job", "Line", "Why", "Row"),
            (
                (
                    _cell(row.job),
                    f"<td>{row.line:,}</td>",
                    _cell(row.reason),
                    f"<td><code>{escape(row.text)}</code></td>",
                )
                for row in dossier.rejected
            ),
            "",
        )
    yield from _table(
        "Raw events",
        f"All {person.event_count:,} rows as they came, newest first.",
        ("When", "From", "What came"),
        ((_when(event.at), _from(event.job, event.stream), f"<td>{_listed(event.data)}</td>") for event in events),
        "No rows are kept of this person.",
    )
    yield "</main>\n</body>\n</html>\n"


def _table(
    title: str, told: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]], nothing: str
) -> Iterator[str]:
    yield f"<section>\n<h2>{title}</h2>\n"
    if told:
        yield f'<p class="soft">{told}</p>\n'
    begun = False
    for row in rows:
        if not begun:
            begun = True
            heads = "".join(f'<th scope="col">{column}</th>' for column in columns)
            yield f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n"
        yield f"<tr>{''.join(row)}</tr>\n"
    yield "</tbody>\n</table>\n</section>\n" if begun else f"<p>{nothing}</p>\n</section>\n"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


def _code(text: str) -> str:
    return f"<td><code>{escape(text)}</code></td>"


def _name(text: str) -> str:
    return f'<td class="name">{escape(text)}</td>'


def _field_name(field: FieldValue) -> str:
    label = field.label if field.label.replace(" ", "_").lower() != field.name.lower() else ""
    told = f'<div class="soft">{escape(label)}</div>' if label else ""
    return f'<td><span class="name">{escape(field.name)}</span>{told}</td>'


def _value(value: Any, kind: str) -> str:
    if kind == "date":
        return _cell(_time(value))
    if isinstance(value, bool):
        return f"<td>{'Yes' if value else 'No'}</td>"
    if isinstance(value, list):
        return _cell(", ".join(map(_text, value)))
    if isinstance(value, dict):
        return f"<td>{_listed(value)}</td>"
    return _cell(_text(value))


def _listed(values: dict[str, Any]) -> str:
    """Keys and values of a row or a map."""
    return f"<dl>{''.join(f'<dt>{escape(key)}</dt><dd>{escape(_text(one))}</dd>' for key, one in values.items())}</dl>"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _from(job: str, stream: str) -> str:
    return _cell(" · ".join(part for part in (job, stream) if part) or "No longer known")


def _when(at: int | None) -> str:
    return f'<td class="time">{"" if at is None else _time(format_time(at))}</td>'


def _time(text: str) -> str:
    """A kept time to the second, as people write it."""
    return f"{text[:10]} {text[11:19]}"
