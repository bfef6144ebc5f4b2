"""`causeway job`: create, run, pause, look at, undo and delete jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from app.cli import output
from app.cli.commands import Group
from app.cli.passphrase import passphrase_option, unlock, unlock_for_job
from app.cli.recipes import export_recipe, import_recipe
from app.cli.resolve import authorization_named, job_named
from app.cli.schedules import ScheduleOptions, schedule_options
from app.cli.session import Ended, Session
from app.clock import text_of
from app.errors import NotFound, Refused

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs import JobInfo, RunInfo

LEVELS = ("info", "warning", "error")
AWAKE = "`causeway engine` runs or the window is open"


@click.group(cls=Group)
def job() -> None:
    """Create, run, pause, look at, undo and delete jobs. JOB is a job's number or its name."""


@job.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """Every job with its status, the one that ran last first."""
    from app.jobs import list_jobs

    with session.reading() as engine:
        found = list_jobs(engine)
    session.answer(
        {"jobs": found},
        lambda: (
            output.print_table(
                ("Job", "Name", "Type", "Authorization", "Status", "Last run", "Next run"),
                [
                    (
                        str(entry.id),
                        entry.name,
                        f"{entry.provider_name} · {entry.type_name}",
                        entry.authorization_name,
                        f"{entry.status}: {entry.reason}" if entry.reason else entry.status,
                        output.local_time(entry.last_run_at),
                        output.local_time(entry.next_run_at),
                    )
                    for entry in found
                ],
                right=("Job",),
            )
            if found
            else output.tell("There is no job yet. `causeway import FILE --stream NAME` makes one and runs it.")
        ),
    )


@job.command()
@click.argument("name", metavar="JOB")
@click.pass_obj
def show(session: Session, name: str) -> None:
    """One job with its options and its last run."""
    from app.jobs import job_runs, rejected_count

    with session.reading() as engine:
        found = job_named(engine, name)
        runs = job_runs(engine, found.id)
        rejected = rejected_count(engine, found.id)
    last = runs[0] if runs else None
    session.answer(
        {"job": found, "last_run": last, "runs": len(runs), "rejected": rejected},
        lambda: _show(found, last, len(runs), rejected),
    )


def _authorization(found: JobInfo) -> str:
    since = output.local_time(found.failing_since)
    return f"{found.authorization_name}, failing since {since}" if since else found.authorization_name


def _show(found: JobInfo, last: RunInfo | None, runs: int, rejected: int) -> None:
    output.print_facts(
        (
            ("Job", f"{found.id} · {found.name}"),
            ("Description", found.description),
            ("Type", f"{found.provider_name} · {found.type_name}"),
            ("Authorization", _authorization(found)),
            ("Status", f"{found.status}: {found.reason}" if found.reason else found.status),
            ("Runs", found.schedule_text),
            ("Next run", output.local_time(found.next_run_at)),
            ("Will be removed", output.local_time(found.removed_at)),
            ("Created", " by ".join(filter(None, (output.local_time(found.created_at), found.created_by)))),
            ("Last changed", output.local_time(found.updated_at)),
            ("Runs so far", runs),
            ("Last run", f"{output.local_time(last.started_at)}, {last.status}" if last else ""),
            ("Rejected rows", f"{rejected:,}"),
        )
    )
    output.tell("\nOptions")
    output.print_facts((f"  {name}", value) for name, value in found.options.items())


@job.command()
@click.option("--type", "type_", metavar="TYPE", required=True, help="The job type; `causeway catalog` lists them.")
@click.option("--name", required=True, help="What to call the job.")
@click.option("--description", default="", help="A line about what it is for.")
@click.option("--authorization", metavar="NAME", help="The authorization to use: its name or number.")
@click.option("-o", "--option", "pairs", multiple=True, metavar="NAME=VALUE", help="One option of the job type.")
@click.option(
    "--options",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="JSON-FILE",
    help="A file with a JSON object of options; - reads standard input.",
)
@schedule_options
@click.pass_obj
def create(
    session: Session,
    type_: str,
    name: str,
    description: str,
    authorization: str | None,
    pairs: tuple[str, ...],
    file: Path | None,
    when: ScheduleOptions,
) -> None:
    """Make a job. `causeway job run` starts it; one with --every runs by itself while the engine or the window is open.

    Lists are written with commas (-o identifiers=email,phone), tables as JSON (-o 'types={"zip": "text"}').
    """
    from app.cli.options import read_options
    from app.jobs import JobDraft, create_job, get_job, resume_job
    from app.jobs.schedule import ONCE

    with session.changing() as engine:
        job_type = engine.catalog.job_type(type_)
        options = read_options(job_type, pairs, file)
        chosen = authorization_named(engine, authorization).id if authorization else None
        schedule = when.schedule() if when.given() else ONCE
        job_id = create_job(engine, JobDraft(name, type_, chosen, options, description, schedule))
        if schedule.again:
            resume_job(engine, job_id)
        made = get_job(engine, job_id)
    follows = f"It runs: {made.schedule_text}, and for the first time as soon as {AWAKE}."
    if not schedule.again:
        follows = f"`causeway job run {job_id}` starts it."
    session.answer({"job": made}, lambda: output.tell(f"Made job {job_id}, {made.name}. {follows}"))


@job.command()
@click.argument("name", metavar="JOB")
@passphrase_option
@click.pass_obj
def run(session: Session, name: str) -> None:
    """Run JOB to its end. Ctrl-C stops it; running it again goes on where it was. An alert begins to listen."""
    from app.cli.running import run_and_tell

    with session.changing() as engine:
        found = job_named(engine, name)
        # An alert only begins to listen; nothing is sent from here.
        if found.kind != "alert":
            unlock_for_job(session, engine, found)
        run_and_tell(session, engine, found.id)


@job.command()
@click.argument("name", metavar="JOB")
@click.pass_obj
def pause(session: Session, name: str) -> None:
    """Let JOB do nothing until `causeway job resume`. It keeps its place and the time of its next run."""
    from app.jobs import get_job, pause_job

    with session.changing() as engine:
        found = job_named(engine, name)
        pause_job(engine, found.id)
        paused = get_job(engine, found.id)
    session.answer({"job": paused}, lambda: output.tell(f"{found.name} is paused."))


@job.command()
@click.argument("name", metavar="JOB")
@click.pass_obj
def resume(session: Session, name: str) -> None:
    """Let a paused or failed JOB go on, at its next run if that is still to come, else at once."""
    from app.jobs import get_job, resume_job

    with session.changing() as engine:
        found = job_named(engine, name)
        resume_job(engine, found.id)
        resumed = get_job(engine, found.id)
    session.answer(
        {"job": resumed},
        lambda: output.tell(f"{found.name} is due {output.local_time(resumed.next_run_at)}, when {AWAKE}."),
    )


@job.command()
@click.argument("name", metavar="JOB")
@click.option("--next", "count", type=click.IntRange(1, 100), metavar="N", default=5, help="Show so many next runs.")
@schedule_options
@click.pass_obj
def schedule(session: Session, name: str, count: int, when: ScheduleOptions) -> None:
    """Show when JOB runs, or change it with --every (--every once takes the schedule away)."""
    from app.jobs import edit_job, get_job
    from app.jobs.schedule import next_runs, read_schedule

    with session.changing() if when.given() else session.reading() as engine:
        found = job_named(engine, name)
        if when.given():
            edit_job(engine, found.id, schedule=when.schedule())
        shown = get_job(engine, found.id)
        begin = engine.clock.now()
        runs = [text_of(run) for run in next_runs(read_schedule(shown.schedule), begin, count)]

    def people() -> None:
        output.tell(f"{shown.name} runs: {shown.schedule_text}")
        for run in runs:
            output.tell(f"  {output.local_time(run)}")

    session.answer({"job": shown.id, "schedule": shown.schedule, "says": shown.schedule_text, "runs": runs}, people)


@job.command()
@click.argument("name", metavar="JOB")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(session: Session, name: str, yes: bool) -> None:
    """Delete JOB with its runs, log and rejected rows. The people and events that it brought stay."""
    from app.jobs import delete_job

    with session.changing() as engine:
        found = job_named(engine, name)
        session.confirm(f"Delete {found.name} with its runs, log and rejected rows?", yes)
        delete_job(engine, found.id)
    session.answer({"deleted": found.id, "name": found.name}, lambda: output.tell(f"{found.name} was deleted."))


@job.command()
@click.argument("name", metavar="JOB")
@click.option("--search", default="", metavar="TEXT", help="Only lines with this text.")
@click.option("--event", "events", multiple=True, metavar="EVENT", help="Only this event (started, synced …).")
@click.option("--level", "levels", multiple=True, type=click.Choice(LEVELS), help="Only this level.")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=50,
    show_default=True,
    help="The last so many lines.",
)
@click.pass_obj
def logs(
    session: Session, name: str, search: str, events: tuple[str, ...], levels: tuple[str, ...], limit: int
) -> None:
    """The log of JOB, oldest line first."""
    from app.jobs import job_log
    from app.jobs.model import JobEvent

    known = get_args(JobEvent)
    for event in events:
        if event not in known:
            raise click.BadParameter(f"“{event}” is none of: {', '.join(known)}.", param_hint="--event")
    with session.reading() as engine:
        found = job_named(engine, name)
        lines = job_log(engine, found.id, search=search, events=events, levels=levels, limit=limit)[::-1]

    def people() -> None:
        for line in lines:
            level = "" if line.level == "info" else f" {line.level}:"
            output.tell(f"{output.local_time(line.at)}  {line.event:<9}{level} {output.clean(line.message)}")

    session.answer({"job": found.id, "lines": lines}, people)


@job.command()
@click.argument("name", metavar="JOB")
@click.pass_obj
def runs(session: Session, name: str) -> None:
    """The runs of JOB with what each one did, the last one first."""
    from app.jobs import job_runs

    with session.reading() as engine:
        found = job_named(engine, name)
        listed = job_runs(engine, found.id)
    session.answer(
        {"job": found.id, "runs": listed},
        lambda: output.print_table(
            ("Run", "Started", "Ended", "Trigger", "Status", "Read", "Added", "Updated", "Rejected"),
            [
                (
                    str(entry.id),
                    output.local_time(entry.started_at),
                    output.local_time(entry.ended_at),
                    entry.trigger,
                    f"{entry.status}, goes on from run {entry.continues}" if entry.continues else entry.status,
                    entry.read,
                    entry.added,
                    entry.updated,
                    entry.rejected,
                )
                for entry in listed
            ],
            right=("Run", "Read", "Added", "Updated", "Rejected"),
        ),
    )


@job.command()
@click.argument("name", metavar="JOB")
@click.option(
    "--run", "run_id", type=int, metavar="RUN", help="The run to undo; else the last one that brought something."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def undo(session: Session, name: str, run_id: int | None, yes: bool) -> None:
    """Undo an import of JOB: people become what they would be without its rows.

    All people are rebuilt without the rows of that run, which are then deleted; a run that went on where another one
    stopped is one import with it. What would change is shown before. Ctrl-C interrupts it; the same command, or
    `causeway schema rebuild`, goes on.
    """
    from app.cli.rebuilding import rebuild_people
    from app.jobs.rebuilding import plan_undo, undo_import

    with session.changing() as engine:
        found = job_named(engine, name)
        chosen = _run_to_undo(engine, found, run_id)
        plan = plan_undo(engine, chosen)
        document: dict[str, Any] = {"job": found.id, "run": chosen, "plan": plan}
        if not yes:
            output.say(f"The import of run {chosen} of {found.name}: {plan.sentence()}")
            try:
                session.confirm("Undo it?", yes)
            except Refused as error:
                raise Ended(error, document) from error
        result = rebuild_people(engine, lambda engine: undo_import(engine, chosen), document)
    session.answer(
        {**document, "status": "completed", "undone": result.undone, "people": result.people},
        lambda: output.tell(
            f"The import of run {chosen} of {found.name} was undone. "
            f"The workspace now holds {output.number(result.people, 'person', 'people')}."
        ),
    )


def _run_to_undo(engine: Engine, job: JobInfo, run_id: int | None) -> int:
    """The run that is meant. Raises NotFound."""
    from app.jobs import job_runs
    from app.jobs.rebuilding import can_undo

    listed = job_runs(engine, job.id)
    if run_id is None:
        run_id = next((run.id for run in listed if can_undo(run)), None)
        if run_id is None:
            raise NotFound(
                f"No run of {job.name} brought anything that could be undone.",
                advice=f"`causeway job runs {job.id}` shows its runs.",
            )
    elif run_id not in [run.id for run in listed]:
        raise NotFound(
            f"{job.name} has no run {run_id}.", advice=f"`causeway job runs {job.id}` shows those there are."
        )
    return run_id


@job.command()
@click.argument("name", metavar="JOB")
@click.option("--run", "run_id", type=int, metavar="RUN", help="Only those of one run.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), metavar="N", default=50, show_default=True, help="At most so many rows."
)
@click.option("--offset", type=click.IntRange(0), metavar="N", default=0, help="Leave out the first ones.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write all of them to a CSV file."
)
@click.pass_obj
def rejected(session: Session, name: str, run_id: int | None, limit: int, offset: int, save: Path | None) -> None:
    """Rows that JOB could not take: line in the file, reason, and the row."""
    from app.jobs import rejected_count, rejected_rows, save_rejected

    with session.reading() as engine:
        found = job_named(engine, name)
        total = rejected_count(engine, found.id, run_id=run_id)
        saved = save_rejected(engine, found.id, save.expanduser(), run_id=run_id) if save is not None else None
        rows = rejected_rows(engine, found.id, run_id=run_id, offset=offset, limit=limit) if save is None else []
    document: dict[str, Any] = {"job": found.id, "total": total}
    document |= {"rows": rows} if save is None else {"file": save, "saved": saved}

    def people() -> None:
        if save is not None:
            output.tell(f"{output.number(saved or 0, 'row')} written to {output.path_text(save)}.")
        elif not rows:
            output.tell("No row was rejected.")
        else:
            output.print_table(
                ("Run", "Line", "Reason", "Row"),
                [(str(row.run_id), row.line, row.reason, row.text) for row in rows],
                right=("Run", "Line"),
            )
            if total > offset + len(rows):
                output.say(f"{len(rows):,} of {total:,} rows; --save FILE writes all of them.")

    session.answer(document, people)


@job.command()
@click.argument("name", metavar="JOB")
@click.option(
    "--run", "run_id", type=int, metavar="RUN", help="The run that rejected them; else the last one that did."
)
@passphrase_option
@click.pass_obj
def retry(session: Session, name: str, run_id: int | None) -> None:
    """Read only the rejected rows of JOB again, for example after its options were changed.

    Those that can be taken now leave the list, the others stay in it. The file must still be the one that held them.
    """
    from app.cli.running import retry_and_tell

    with session.changing() as engine:
        found = job_named(engine, name)
        unlock_for_job(session, engine, found)
        retry_and_tell(session, engine, found.id, run_id)


@job.command()
@click.argument("name", metavar="JOB")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--run", "run_id", type=int, metavar="RUN", help="Only one run.")
@passphrase_option
@click.pass_obj
def evidence(session: Session, name: str, file: Path, run_id: int | None) -> None:
    """Write what JOB was to do and did to FILE, a zip to hand over.

    It holds the configuration, the versions of everything, runs with their counts, log, rejected rows, what was opened
    or asked for, and a page to read. Secrets are blanked.
    """
    from app.jobs.evidence import write_evidence

    target = file.expanduser().absolute()
    with session.reading() as engine:
        found = job_named(engine, name)
        unlock(session, engine)
        written = write_evidence(engine, found.id, target, run_id=run_id)
    session.answer(
        {"job": found.id, "run": run_id, "file": target, "written": written},
        lambda: output.tell(
            f"{output.number(written.runs, 'run')}, {output.number(written.lines, 'line')} of log and "
            f"{output.number(written.rejected, 'rejected row')} of {found.name} written to {output.path_text(target)}."
        ),
    )


job.add_command(export_recipe)
job.add_command(import_recipe)
