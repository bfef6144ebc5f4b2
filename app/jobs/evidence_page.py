"""The page of an evidence pack that people read: what the job was to do, what it did, what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import orjson

from app.clock import moment_of
from app.html_page import beginning
from app.jobs.model import JobInfo, LogLine, RunInfo

FILES = (
    ("configuration.json", "the job's configuration and its authorization, without secrets"),
    ("schema.json", "the profile fields, and how rows fill them"),
    ("versions.json", "the program, its libraries and this computer's system"),
    ("runs.json", "every run with its counts"),
    ("log.csv", "the whole log"),
    ("rejected-rows.csv", "every row that could not be taken, with its line and the reason"),
    ("files.csv", "the files that were read and written, with their sizes and sums"),
    ("requests.jsonl", "what was opened or asked for, secrets blanked"),
)


COUNTS = {
    "Rows read": "read",
    "People added": "added",
    "People updated": "updated",
    "People removed": "removed",
    "Rows omitted": "omitted",
    "Rows rejected": "rejected",
}
"""What a run counts, in words."""

ACTIONS = {
    "open": "Opened",
    "list": "Listed the folder",
    "fetch": "Fetched",
    "send": "Sent",
    "move": "Moved",
    "delete": "Deleted",
    "send mail": "Sent mail",
}
PLACES = ("server", "place", "host", "port", "folder")
"""Of what is told, what says where it was."""
NAMES = {"sha256": "SHA-256", "tag": "version", "modified": "last changed"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the page tells. `requests` and `warnings` are the first hundred of them."""

    workspace: str
    job: JobInfo
    run_id: int | None
    written_at: str
    runs: list[RunInfo]
    configuration: dict[str, Any]
    versions: dict[str, Any]
    lines: int
    rejected: int
    requests: list[dict[str, Any]]
    warnings: list[LogLine]
    reasons: list[tuple[str, int]]


def page(evidence: Evidence, blank: Callable[[str], str]) -> Iterator[str]:
    """The page in parts. Everything that came from elsewhere is blanked and escaped."""
    for part in _Page(blank).parts(evidence):
        yield blank(part)


class _Page:
    """How texts get into the page."""

    def __init__(self, blank: Callable[[str], str]) -> None:
        self._blank = blank

    def parts(self, evidence: Evidence) -> Iterator[str]:
        job = evidence.job
        what = f"Run {evidence.run_id} of “{job.name}”" if evidence.run_id is not None else f"“{job.name}”"
        yield beginning(self._blank(f"Evidence: {job.name}"))
        yield f"<h1>{self._text(what)}</h1>\n"
        yield (
            f'<p class="soft">What the job did in the workspace “{self._text(evidence.workspace)}”, as of '
            f"{_time(evidence.written_at)}, by Causeway {evidence.versions['causeway']}. Times are UTC.</p>\n"
        )
        yield from self._section("In figures", self._facts(_figures(evidence)))
        yield from self._section("The job", self._facts(_about(evidence)))
        yield from self._section(
            "Configuration", self._facts((name, _plain(value)) for name, value in job.options.items())
        )
        yield from self._section(
            "Runs",
            self._table(
                ("Run", "Began", "Took", "Started by", "Ended", *(name.capitalize() for name in COUNTS.values())),
                (
                    (
                        run.id,
                        _time(run.started_at),
                        _took(run),
                        run.trigger,
                        f"{run.status}: {run.message}" if run.message else run.status,
                        *(f"{getattr(run, name):,}" for name in COUNTS.values()),
                    )
                    for run in evidence.runs
                ),
            ),
        )
        yield from self._section(
            "Opened and asked for",
            self._table(
                ("Run", "When", "What", "Where", "Size", "More"),
                map(_asked, evidence.requests),
            ),
        )
        yield from self._section("Why rows were rejected", self._table(("Reason", "Rows"), evidence.reasons))
        yield from self._section(
            "Warnings and errors",
            self._table(
                ("When", "Level", "Message"), ((_time(line.at), line.level, line.message) for line in evidence.warnings)
            ),
        )
        yield from self._section("Files beside this page", self._facts(FILES))
        yield "</main>\n</body>\n</html>\n"

    def _text(self, value: Any) -> str:
        return escape(self._blank(str(value)))

    def _section(self, title: str, content: str) -> Iterator[str]:
        if content:
            yield f"<section>\n<h2>{self._text(title)}</h2>\n{content}</section>\n"

    def _facts(self, pairs: Iterable[tuple[str, Any]]) -> str:
        told = [f"<dt>{self._text(name)}</dt><dd>{self._text(value)}</dd>\n" for name, value in pairs if value != ""]
        return f"<dl>\n{''.join(told)}</dl>\n" if told else ""

    def _table(self, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
        body = "".join(f"<tr>{''.join(f'<td>{self._text(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
        if not body:
            return ""
        heads = "".join(f"<th>{self._text(name)}</th>" for name in header)
        return f"<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def _figures(evidence: Evidence) -> Iterator[tuple[str, str]]:
    runs = evidence.runs
    yield "Runs", f"{len(runs):,}"
    for what, name in COUNTS.items():
        yield what, f"{sum(getattr(run, name) for run in runs):,}"
    yield "Rejected rows kept", f"{evidence.rejected:,}"
    yield "Lines of log", f"{evidence.lines:,}"


def _about(evidence: Evidence) -> Iterator[tuple[str, str]]:
    job = evidence.job
    yield "Description", job.description
    yield "Type", f"{job.provider_name} · {job.type_name}"
    yield "Authorization", job.authorization_name
    authorization = evidence.configuration["authorization"] or {"settings": {}}
    for name, value in authorization["settings"].items():
        yield f"· {name}", str(value)
    yield "Runs when", job.schedule_text
    yield "Status", f"{job.status}: {job.reason}" if job.reason else job.status
    yield "Created", f"{_time(job.created_at)}{f' by {job.created_by}' if job.created_by else ''}"
    yield "Last changed", _time(job.updated_at)
    yield "Schema", f"version {evidence.versions['schema']}"
    yield "Program", f"Causeway {evidence.versions['causeway']} on {evidence.versions['system']}"


def _asked(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """A row of what was opened or asked for: a request of the web, a file, or whatever else a provider tells of."""
    left = {name: value for name, value in entry.items() if value not in (None, "")}
    run, at, action = left.pop("run", ""), left.pop("at"), left.pop("action", "")
    if "method" in left and "address" in left:
        what, where = f"{left.pop('method')} {left.pop('address')}", ""
    else:
        name, to = _plain(left.pop("name", "")), _plain(left.pop("to", ""))
        what = " ".join(part for part in (ACTIONS.get(str(action), str(action)), name, to and f"to {to}") if part)
        where = " ".join(_plain(left.pop(part)) for part in PLACES if part in left)
    size = left.pop("size", None)
    more = " · ".join(f"{_named(name)}: {_plain(value)}" for name, value in left.items())
    return run, _time(at), what, where, f"{size:,} bytes" if isinstance(size, int) else _plain(size or ""), more


def _named(name: str) -> str:
    return NAMES.get(name, name.replace("_", " "))


def _took(run: RunInfo) -> str:
    if run.ended_at is None:
        return "still runs"
    return f"{(moment_of(run.ended_at) - moment_of(run.started_at)).total_seconds():,.1f} s"


def _time(text: str) -> str:
    """2026-11-22 08:30:00"""
    return text[:19].replace("T", " ")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
