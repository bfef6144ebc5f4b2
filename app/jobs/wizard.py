"""Setting up a job step by step, without a window: what was chosen, what is still missing, what will be made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from app.audiences.selection import read_selection
from app.catalog import Catalog, JobType, Option, Provider
from app.errors import Refused
from app.jobs.columns import (
    LIST,
    OWN_EXPRESSION,
    SET_TYPES,
    Attempt,
    ColumnChoice,
    Kept,
    Programs,
    other_kinds,
    records_of,
    shared_targets,
    type_of,
)
from app.jobs.export_preview import audiences_of
from app.jobs.file_names import file_stem, is_dated
from app.jobs.model import JobDraft, JobInfo
from app.jobs.queries import get_job
from app.jobs.schedule import ONCE, read_schedule
from app.lql import columns_of, parse_expression
from app.schema.column_types import COLUMN_TYPES, column_expression, set_expression
from app.schema.fields import Field, field_name, list_fields
from app.schema.model import FIELD_NAME, IDENTIFIER_KINDS
from app.schema.words import kind_word
from connectors.kit.errors import InputError
from connectors.kit.types import Choice as Choice
from connectors.kit.types import Preview as Preview
from connectors.kit.types import PreviewColumn
from connectors.kit.types import Rejected as Rejected

if TYPE_CHECKING:
    from app.engine import Engine

STEPS = ("provider", "job_type", "authorization", "configure", "review")
TABLE_OPTIONS = ("types", "targets", "identifiers", "expressions", "kinds")
"""Options that the engine reads in every import; the wizard fills them from its columns."""
UNSEEN_TYPES = frozenset({"stream", "column", "columns", "mapping"})
"""Types of options that change nothing of how a source is read, so a preview does not depend on them."""
NAMED_AUDIENCES = 2
SERIES = "continuous_update"
"""The option of imports of files that goes on with further files of the same kind."""


class Wizard:
    """The choices of one job to be. Going back loses nothing, and what is chosen anew keeps what still fits.

    `fields` are those of the workspace; `streams` says of each stream which of its columns are mapped
    already, and how.
    """

    def __init__(
        self, catalog: Catalog, fields: Iterable[Field] = (), streams: Mapping[str, Mapping[str, Kept]] | None = None
    ) -> None:
        self.catalog = catalog
        self.fields = {field.name.lower(): field for field in fields}
        self.streams = {name: dict(columns) for name, columns in (streams or {}).items()}
        self.step = STEPS[0]
        self.provider: Provider | None = None
        self.job_type: JobType | None = None
        self.authorization_id: int | None = None
        self.name = ""
        self.description = ""
        self.schedule: dict[str, Any] = {}
        """When the job runs, as app.jobs.schedule reads it; empty for once."""
        self.editing: int | None = None
        self.preview: Preview | None = None
        self._values: dict[str, dict[str, Any]] = {}
        self._own: set[str] = set()
        """What the user entered, so that no suggestion replaces it: "name" and names of options."""
        self._types: dict[str, str] = {}
        self._targets: dict[str, str] = {}
        self._identifiers: dict[str, bool] = {}
        self._expressions: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._saved: dict[str, Any] = {}
        self._programs = Programs()

    @classmethod
    def for_job(
        cls, catalog: Catalog, fields: Iterable[Field], streams: Mapping[str, Mapping[str, Kept]], job: JobInfo
    ) -> Wizard:
        """The steps of a job that exists, at its configuration."""
        wizard = cls(catalog, fields, streams)
        wizard.choose_provider(job.provider)
        wizard.choose_job_type(job.job_type)
        wizard.choose_authorization(job.authorization_id)
        wizard.editing = job.id
        wizard.name, wizard.description, wizard.schedule = job.name, job.description, dict(job.schedule)
        wizard._saved = {name: job.options[name] for name in TABLE_OPTIONS if name in job.options}
        wizard._types = dict(job.options.get("types") or {})
        wizard._targets = dict(job.options.get("targets") or {})
        wizard._identifiers = dict.fromkeys(job.options.get("identifiers") or (), True)
        wizard._expressions = dict(job.options.get("expressions") or {})
        wizard._kinds = dict(job.options.get("kinds") or {})
        for name, value in job.options.items():
            if name not in TABLE_OPTIONS:
                wizard.values[name] = value
        wizard._own = {"name", *job.options}
        wizard.step = "configure"
        return wizard

    # the steps

    def choose_provider(self, slug: str) -> None:
        """Raises NotFound. A provider with one job type leaves nothing to choose there."""
        provider = self.catalog.provider(slug)
        if provider == self.provider:
            return
        self.provider = provider
        self.job_type = None
        self.authorization_id = None
        self.preview = None
        if len(provider.jobs) == 1:
            self.choose_job_type(provider.jobs[0].slug)

    def choose_job_type(self, slug: str) -> None:
        """Raises NotFound. What was entered for this type before is there again."""
        job_type = self.catalog.job_type(slug)
        if job_type == self.job_type:
            return
        self.provider = self.catalog.provider_of_job_type(slug)
        self.job_type = job_type
        self.preview = None
        if slug not in self._values:
            self._values[slug] = {option.name: option.default for option in job_type.options}
        self._suggest_export_name()

    def choose_authorization(self, authorization_id: int | None) -> None:
        """None takes the choice back, for instance when the authorization was deleted meanwhile."""
        if authorization_id != self.authorization_id:
            self.authorization_id = authorization_id
            self.preview = None

    def methods(self) -> tuple[str, ...]:
        """The ways to sign in that fit the job type."""
        return self.job_type.authorizations if self.job_type is not None else ()

    @property
    def values(self) -> dict[str, Any]:
        """The options of the job type as they stand."""
        return self._values[self.job_type.slug] if self.job_type is not None else {}

    def set_value(self, name: str, value: Any) -> None:
        """The user entered an option."""
        self.values[name] = value
        # What the user empties may be suggested again.
        (self._own.discard if value in (None, "") else self._own.add)(name)
        if self._option(name).type in ("audience", "audiences"):
            self._suggest_export_name()
        elif self._option(name).type == "file" and not self.exports:
            self.preview = None
            self._suggest_names(str(value or ""))
            self._suggest_series()

    def set_name(self, name: str) -> None:
        """The user named the job."""
        self.name = name
        (self._own.add if name.strip() else self._own.discard)("name")

    def set_schedule(self, document: dict[str, Any]) -> None:
        """The user said when the job runs."""
        self.schedule = document
        self._suggest_series()

    def asked(self) -> list[Option]:
        """The options that apply as the others stand, without those that the columns fill."""
        if self.job_type is None:
            return []
        return [
            option
            for option in self.job_type.options
            if option.name not in self.table_options() and option.applies(self.values)
        ]

    def table_options(self) -> tuple[str, ...]:
        """The options that are not asked for, as the columns of a preview fill them."""
        return TABLE_OPTIONS if self.job_type is not None and self.job_type.preview and not self.exports else ()

    def problems(self, step: str) -> list[str]:
        """What keeps the user from leaving a step, each a sentence; none when it is done."""
        if step == "provider":
            return [] if self.provider is not None else ["Choose a provider."]
        if step == "job_type":
            return [] if self.job_type is not None else ["Choose what the job is to do."]
        if step == "authorization":
            # A job that exists keeps the one it has, be it none any more.
            fits = self.authorization_id is not None or self.editing is not None
            return [] if fits else ["Choose an authorization, or make a new one."]
        if step == "configure":
            late = self.schedule_problem()
            return [*self.missing().values(), *self.column_problems(), *([late] if late else [])]
        return [problem for earlier in STEPS[:-1] for problem in self.problems(earlier)]

    def missing(self) -> dict[str, str]:
        """What is still to be entered: the option (or "name") and a sentence for it."""
        found = {} if self.name.strip() else {"name": "The job needs a name."}
        for option in self.asked():
            if option.required and self.values.get(option.name) in (None, "", [], {}):
                found[option.name] = f"“{option.label}” is missing. Fill it in."
            elif fault := self._fault(option, self.values.get(option.name)):
                found[option.name] = fault
        return found

    def _fault(self, option: Option, value: Any) -> str:
        """What is wrong with an answer, "" for nothing."""
        if not value:
            return ""
        if option.type == "date":
            try:
                date.fromisoformat(str(value))
            except ValueError:
                return f"“{value}” is no day. Write it like 2026-11-22."
        names = {"field": [value], "fields": value, "field-map": value}.get(option.type, ())
        unknown = next((str(name) for name in names if str(name).lower() not in self.fields), "")
        return f"There is no profile field “{unknown}”. Choose one from the list." if unknown else ""

    @property
    def exports(self) -> bool:
        """Whether the job sends what the workspace has; its preview then shows what will be sent."""
        return self.job_type is not None and self.job_type.kind == "export"

    def may_run_again(self) -> bool:
        """Whether the job type can be given a schedule."""
        return self.job_type is not None and self.job_type.runs_again

    def schedule_problem(self) -> str:
        """What is wrong with the schedule as it stands, "" for nothing."""
        try:
            read_schedule(self.schedule)
        except Refused as error:
            return f"{error.message} {error.advice}".strip()
        return ""

    def column_problems(self) -> list[str]:
        """What is wrong with the columns as they stand, each a sentence."""
        found = []
        for column in self.columns():
            if not column.imported:
                continue
            if column.target and not FIELD_NAME.fullmatch(column.target):
                found.append(
                    f"“{column.target}” can't be the name of a profile field: use letters without accents, digits and "
                    "underscores, and begin with a letter."
                )
            if column.type == OWN_EXPRESSION and not column.kept:
                fault = self._programs.fault(column.expression, self._kinds.get(column.name, ""))
                found += [f"The expression of {column.name} can't be read. {fault}"] if fault else []
            if column.identifier and not column.target:
                found.append(f"The identifier {column.name} must fill a profile field. Name one for it.")
            if column.identifier and not column.kept and column.kind not in IDENTIFIER_KINDS:
                found.append(
                    f"The identifier {column.name} must be text or a set; as {kind_word(column.kind).lower()} it "
                    "can't say who somebody is. Change its type."
                )
        return found

    def go_on(self) -> list[str]:
        """To the next step, unless something is missing: then stay and say what."""
        problems = self.problems(self.step)
        at = STEPS.index(self.step)
        if not problems and at + 1 < len(STEPS):
            self.step = STEPS[at + 1]
        return problems

    def go_back(self) -> bool:
        """To the step before; False at the first one. A job that exists keeps provider, type and authorization."""
        at = STEPS.index(self.step)
        first = STEPS.index("configure") if self.editing is not None else 0
        if at <= first:
            return False
        self.step = STEPS[at - 1]
        return True

    def go_to(self, step: str) -> bool:
        """To a step that was done before; False for one that can't be reached from here."""
        at = STEPS.index(step)
        first = STEPS.index("configure") if self.editing is not None else 0
        if not first <= at < STEPS.index(self.step):
            return False
        self.step = step
        return True

    # what the source holds

    def preview_wanted(self) -> bool:
        """Whether there is enough to look into the source."""
        job_type = self.job_type
        if job_type is None or not job_type.preview or self.authorization_id is None:
            return False
        # What is advanced says how something is done, not with what; of an export, what a place offers says where to.
        needed = [
            one
            for one in self.asked()
            if one.required
            and not one.advanced
            and (not one.choices_from if self.exports else one.type not in UNSEEN_TYPES)
        ]
        files = [one for one in self.asked() if one.type == "file"]
        if files and not self.exports and not any(self.values.get(one.name) for one in files):
            return bool(self.values.get("prefix"))
        values = [(option, self.values.get(option.name)) for option in needed]
        return all(value not in (None, "", [], {}) and not self._fault(option, value) for option, value in values)

    def preview_options(self) -> dict[str, Any]:
        """The options that a preview depends on: as long as they are the same, so is the preview."""
        return {
            option.name: self.values.get(option.name)
            for option in self.asked()
            if (self.exports or option.type not in UNSEEN_TYPES) and self.values.get(option.name) is not None
        }

    def apply_preview(self, preview: Preview) -> None:
        """Take over what the source seems to hold, where the user has not said otherwise."""
        self.preview = preview
        if self.job_type is None or self.exports:
            return
        names = {column.name for column in preview.columns}
        for option in self.job_type.options:
            if option.name in TABLE_OPTIONS:
                continue
            value = self.values.get(option.name)
            if option.type == "column" and value and value not in names:
                self._own.discard(option.name)
                value = self.values[option.name] = ""
            if option.type == "column" and option.name == "timestamp_field" and option.name not in self._own:
                self.values[option.name] = preview.timestamp or ""
            if option.type == "columns" and value:
                self.values[option.name] = [name for name in value if name in names]

    def forget_preview(self) -> None:
        """The source could not be read: what is known of its columns is no longer so."""
        self.preview = None

    def columns(self) -> list[ColumnChoice]:
        """The columns of the preview with what becomes of each, in the order of the source."""
        if self.preview is None or self.exports:
            return []
        chosen = set(self.values.get("fields") or ())
        kept = self.streams.get(str(self.values.get("stream") or ""), {})
        guessed = "identifiers" not in self._saved
        found = []
        for column in self.preview.columns:
            # The engine can't name a column with a backtick in a mapping.
            unnamed = "`" in column.name
            mapped = kept.get(column.name)
            # A list of objects fits no field, as the engine has it too; of plain values it is a set.
            nowhere = unnamed or (column.type == LIST and column.sample.startswith("[{"))
            target = self._targets.get(column.name, "" if nowhere else field_name(column.name))
            target = mapped.field if mapped is not None else target
            field = self.fields.get(target.lower())
            # A field that names people does so for every stream that fills it.
            named = field is not None and field.is_identifier
            identifier = named or (self._identifiers.get(column.name, column.identifier and guessed) and not unnamed)
            plain = self._types.get(column.name, "text" if column.type == LIST else column.type)
            if named and COLUMN_TYPES[plain][1] not in IDENTIFIER_KINDS:
                plain = "text"
            expression = "" if unnamed else self._plain_expression(column, plain)
            expression = mapped.expression if mapped is not None else self._expressions.get(column.name, expression)
            brought = self._kinds.get(column.name, "") or ("string" if unnamed else self._programs.kind(expression))
            found.append(
                ColumnChoice(
                    column.name,
                    column.sample,
                    plain if unnamed else type_of(column.name, expression),
                    identifier,
                    target,
                    kept=mapped is not None or unnamed,
                    imported=not chosen or column.name in chosen or identifier,
                    expression=expression,
                    kind=brought,
                    plain=plain,
                )
            )
        return found

    def set_type(self, column: str, column_type: str) -> None:
        """The user says what a column holds. Raises Refused for a type that there is not."""
        if column_type in SET_TYPES:
            self._expressions[column] = set_expression(column, column_type.removeprefix("set:"))
        elif column_type in COLUMN_TYPES:
            self._expressions.pop(column, None)
            self._types[column] = column_type
            if self._looks_like(column) == LIST:
                # Left alone, lists become sets.
                self._expressions[column] = column_expression(column, column_type)[0]
        else:
            known = ", ".join((*COLUMN_TYPES, *SET_TYPES))
            raise Refused(f"There is no type “{column_type}”.", advice=f"Choose one of: {known}.")
        self._kinds.pop(column, None)

    @staticmethod
    def _plain_expression(column: PreviewColumn, plain: str) -> str:
        return set_expression(column.name, "") if column.type == LIST else column_expression(column.name, plain)[0]

    def _looks_like(self, column: str) -> str:
        """What the preview takes a column for."""
        columns = self.preview.columns if self.preview is not None else ()
        return next((known.type for known in columns if known.name == column), "text")

    def set_expression(self, column: str, expression: str, kind: str = "") -> None:
        """The user writes what becomes of a column; `kind` is of the field, "" for what the expression brings.

        An empty expression goes back to the column's type. Raises LqlError for what can't be read.
        """
        expression = expression.strip()
        if not expression:
            self._expressions.pop(column, None)
            self._kinds.pop(column, None)
            return
        kept_as = self._programs.compiled(expression, kind).kind
        self._expressions[column] = expression
        if kind and kind != self._programs.kind(expression):
            self._kinds[column] = kept_as
        else:
            self._kinds.pop(column, None)

    def chosen_kind(self, column: str) -> str:
        """The kind that the user chose for what the expression of a column brings; "" where it stays what it is."""
        return self._kinds.get(column, "")

    def try_expression(self, column: str, expression: str, kind: str = "") -> Attempt:
        """What an expression makes of the first rows with different values of a column. Raises LqlError."""
        preview = self.preview
        names = [known.name for known in preview.columns] if preview is not None else []
        at = names.index(column) if column in names else -1
        texts = ["".join(row[at : at + 1]) for row in preview.rows] if preview is not None else []
        events = records_of(preview) if preview is not None else []
        return self._programs.attempt(expression.strip(), kind, texts, events)

    def set_target(self, column: str, target: str) -> None:
        """The user names the field that a column fills; an empty name fills none."""
        self._targets[column] = target.strip()

    def set_identifier(self, column: str, identifier: bool) -> None:
        """The user says whether a column says who somebody is. What does so is text, be it made of digits."""
        self._identifiers[column] = identifier
        if not identifier or column in self._expressions:
            return
        guess = self._looks_like(column)
        if guess != LIST and COLUMN_TYPES[self._types.get(column, guess)][1] not in IDENTIFIER_KINDS:
            self._types[column] = "text"

    def new_fields(self) -> list[str]:
        """The profile fields that the first run will add."""
        found: dict[str, str] = {}
        for column in self.columns():
            name = column.target.lower()
            if column.imported and not column.kept and name and name not in self.fields:
                found.setdefault(name, column.target)
        return list(found.values())

    def notes(self) -> list[str]:
        """What the user should know about the columns as they stand, besides the preview's own notes."""
        columns = [column for column in self.columns() if column.imported]
        found = []
        if columns and not any(column.identifier for column in columns):
            found.append(
                "No column is an identifier: the rows are kept as events, and no people come of them. Tick the columns "
                "that say who somebody is."
            )
        stream = str(self.values.get("stream") or "")
        if any(column.kept for column in columns) and stream in self.streams:
            found.append(
                f"The stream {stream} exists already: columns that it knows keep what becomes of them; the Schema page "
                "changes that."
            )
        return [
            *found,
            *shared_targets(columns),
            *other_kinds(columns, self.fields),
            *self._programs.missing_columns(columns),
        ]

    # what becomes of it

    def draft(self) -> JobDraft:
        """The job as it stands. Raises Refused with the first thing that is missing."""
        problems = self.problems("review")
        if problems or self.job_type is None:
            raise Refused(problems[0])
        options: dict[str, Any] = {}
        for option in self.asked():
            value = self.values.get(option.name)
            if value not in (None, "", [], {}) and (option.required or value != option.default):
                options[option.name] = value
        options |= self._table_options()
        schedule = read_schedule(self.schedule) if self.may_run_again() else ONCE
        return JobDraft(
            self.name.strip(), self.job_type.slug, self.authorization_id, options, self.description, schedule
        )

    def _table_options(self) -> dict[str, Any]:
        """What the columns say, in the words of the options; without a preview, what was saved before."""
        assert self.job_type is not None
        known = {option.name for option in self.job_type.options}
        columns = [column for column in self.columns() if column.imported]
        if not columns:
            return {name: value for name, value in self._saved.items() if name in known}
        found: dict[str, Any] = {
            "identifiers": [column.name for column in columns if column.identifier],
            "types": {column.name: column.plain for column in columns},
        }
        own = {column.name: column.expression for column in columns if column.name in self._expressions}
        if own:
            found["expressions"] = own
        kinds = {name: kind for name, kind in self._kinds.items() if name in own}
        if kinds:
            found["kinds"] = kinds
        targets = {
            column.name: column.target
            for column in columns
            if column.target != field_name(column.name) and (not column.kept or column.name in self._targets)
        }
        if targets:
            found["targets"] = targets
        return {name: value for name, value in found.items() if name in known}

    def _option(self, name: str) -> Option:
        assert self.job_type is not None
        return next(option for option in self.job_type.options if option.name == name)

    def _suggest_export_name(self) -> None:
        """Name an export after whom it is about, where the user has not named it."""
        if self.job_type is None or self.provider is None or not self.exports or "name" in self._own:
            return
        with suppress(InputError):
            who = [read_selection(audience).audience.name for audience in audiences_of(self.job_type, self.values)]
            if "people" not in self.job_type.data:
                who = ["Events"]
            elif len(who) > NAMED_AUDIENCES:
                who = [f"{len(who)} audiences"]
            if who:
                self.name = f"{' and '.join(who)} to {self.provider.name}"

    def _suggest_names(self, file: str) -> None:
        """Name the job and its stream after the file, where the user has not named them."""
        stem = file_stem(file)
        if not stem or self.job_type is None:
            return
        if "name" not in self._own:
            self.name = field_name(stem).replace("_", " ").capitalize()
        for option in self.job_type.options:
            if option.type == "stream" and option.name not in self._own:
                self.values[option.name] = field_name(stem)

    def _suggest_series(self) -> None:
        """What is imported again and again from a file with a date in its name goes on with the later files."""
        if SERIES not in self.values or SERIES in self._own or self.job_type is None or self.editing is not None:
            return
        files = [str(self.values.get(option.name) or "") for option in self.job_type.options if option.type == "file"]
        self.values[SERIES] = bool(self.schedule) and any(is_dated(file) for file in files)


def load_wizard(engine: Engine, job_id: int | None = None) -> Wizard:
    """A wizard over the workspace's fields and streams; of the job, if one is named. Raises NotFound."""
    with engine.workspace.database.read() as connection:
        fields = list_fields(connection)
        streams: dict[str, dict[str, Kept]] = {row[0]: {} for row in connection.execute("select name from streams")}
        for stream, field, expression in connection.execute(
            """select streams.name, fields.name, expression from mappings
            join streams on streams.id = stream_id join fields on fields.id = field_id order by mappings.id"""
        ):
            for column in columns_of(parse_expression(expression)):
                streams[stream][column] = Kept(field, expression)
    if job_id is None:
        return Wizard(engine.catalog, fields, streams)
    return Wizard.for_job(engine.catalog, fields, streams, get_job(engine, job_id))
