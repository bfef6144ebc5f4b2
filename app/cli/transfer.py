"""`causeway transfer`: a file from one place to another, changed on the way if that is wanted."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import output
from app.cli.commands import Command
from app.cli.passphrase import passphrase_option, unlock
from app.cli.resolve import authorization_named
from app.cli.running import Seen, figures, on_stop_signals, progress_bar
from app.cli.session import Ended, Session
from app.errors import CausewayError

if TYPE_CHECKING:
    from app.engine import Engine
    from app.jobs.worker import Outcome
    from app.transfer.model import End, Key, Transfer
    from app.transfer.preview import Sample
    from app.transfer.recipes import TransferRecipe
    from app.transfer.running import TransferRun
    from app.transfer.work import TransferResult

SIGNS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
"""Delimiters that are hard to type in a shell."""
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", re.IGNORECASE)
UNITS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
SHOWN_ROWS = 10


class TransferFailed(CausewayError):
    """The transfer ended early; nothing half-written is at its target."""


class TransferStopped(CausewayError):
    """Somebody stopped the transfer."""


@click.command(cls=Command)
@click.argument("what", nargs=-1, metavar="[FROM TO | NAME | FILE]")
@click.option(
    "--from", "source_place", metavar="NAME", help="The authorization whose place FROM lies in; else this computer."
)
@click.option(
    "--to", "target_place", metavar="NAME", help="The authorization whose place TO lies in; else this computer."
)
@click.option("--source", metavar="PATH", help="With a saved transfer or a recipe: another file to take.")
@click.option("--target", metavar="PATH", help="With a saved transfer or a recipe: another path to write to.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="COLUMN[=NEW]",
    help="Take over only these columns, in this order, with NEW under another name; repeatable.",
)
@click.option("--form", type=click.Choice(("csv", "json")), help="Write a table or JSON lines; else as TO's name says.")
@click.option("--encoding", help="Write in this encoding: utf-8, utf-8-sig (with a mark), utf-16, cp1252 …")
@click.option("--delimiter", help="Write this between columns: a character, tab, comma, semicolon or pipe.")
@click.option("--quote", help="Write this around values that need it: a character, or none.")
@click.option("--quote-all", is_flag=True, help="Write it around all values.")
@click.option(
    "--line-end", type=click.Choice(("lf", "crlf")), help="How lines end: lf as on Linux, crlf as on Windows."
)
@click.option("--header/--no-header", "header", default=None, help="Write a header row, or none; else as in FROM.")
@click.option("--split-rows", type=click.IntRange(1), metavar="N", help="Begin another file after so many rows.")
@click.option("--split-size", metavar="SIZE", help="Begin another file before one grows over SIZE: 500k, 50M, 2G.")
@click.option("--unpack", is_flag=True, help="Take off what FROM is packed and encrypted in.")
@click.option("--pack", type=click.Choice(("gz", "zip")), help="Pack what is written; else as TO's name says.")
@click.option("--decrypt-with", metavar="NAME", help="The authorization with the PGP private key; else that of --from.")
@click.option("--decrypt-key", type=click.Path(), metavar="FILE", help="An armored PGP private key.")
@click.option("--encrypt-for", metavar="NAME", help="The authorization with the PGP public key; else that of --to.")
@click.option("--encrypt-key", type=click.Path(), metavar="FILE", help="An armored PGP public key.")
@click.option(
    "--key-passphrase-stdin", is_flag=True, help="The passphrase of --decrypt-key is the next line of standard input."
)
@click.option("--read-form", type=click.Choice(("csv", "json")), help="What FROM is, if it is not found out.")
@click.option("--read-encoding", help="The encoding of FROM, if it is not found out.")
@click.option("--read-delimiter", help="What stands between the columns of FROM, if it is not found out.")
@click.option("--read-quote", help="What stands around values of FROM: a character, or none.")
@click.option(
    "--read-columns", metavar="NAMES", help="Names of the columns, with commas, of a FROM without a header row."
)
@click.option("--read-no-header", is_flag=True, help="The first row of FROM is data.")
@click.option("--member", metavar="NAME", help="The file to take from a zip with several.")
@click.option("--save", "name", metavar="NAME", help="Keep the transfer in the workspace under this name.")
@click.option(
    "--recipe",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the transfer to FILE, without secrets, instead of making it.",
)
@click.option(
    "--authorization",
    "pairs",
    multiple=True,
    metavar="NAME=AUTHORIZATION",
    help="Which authorization here stands for one of a recipe.",
)
@click.option("--preview", is_flag=True, help="Show the first rows before and after, and transfer nothing.")
@click.option("--list", "listing", is_flag=True, help="List the transfers that the workspace knows.")
@passphrase_option
@click.pass_obj
def transfer(session: Session, /, what: tuple[str, ...], **given: Any) -> None:
    """Transfer a file FROM one place TO another; or make the saved transfer NAME, or that of the recipe FILE.

    A path without an authorization lies on this computer. The names of the files say how to pack and convert:
    `members.csv.gz` to `members.jsonl` unpacks and writes JSON lines. Without any change the bytes are copied as they
    are. TO appears when it is whole, and replaces a file of that name; a folder as TO takes the name of FROM.
    Rejected rows are kept in a file beside TO, or in the workspace if TO is elsewhere.
    """
    from app.engine import Engine
    from app.transfer.saved import save_transfer

    if given["listing"]:
        with session.reading() as engine:
            _list(session, engine)
        return
    if len(what) not in (1, 2):
        raise click.UsageError("Say FROM and TO, or the name of a saved transfer, or a recipe file.")
    with Engine.open(session.folder()) as engine:
        wanted = _wanted(session, engine, what, given)
        if given["recipe"] is not None:
            _write_recipe(session, engine, wanted, given["recipe"].expanduser().absolute())
            return
        if wanted.authorizations():
            if engine.workspace.is_demo and engine.in_charge_elsewhere is None:
                # Its server, and the password for it, are there as long as somebody is in charge.
                from app.demo import start_sandbox

                start_sandbox(engine)
            _unlock(session, engine, wanted)
        passphrase = _passphrase(session, wanted, given["key_passphrase_stdin"])
        if given["preview"]:
            _preview(session, engine, wanted, passphrase)
            return
        if given["name"]:
            save_transfer(engine, wanted)
        _tell(session, *asyncio.run(_run(engine, wanted, passphrase)))


def _wanted(session: Session, engine: Engine, what: tuple[str, ...], given: dict[str, Any]) -> Transfer:
    from app.transfer.model import by_names

    if len(what) == 2:
        return by_names(_changed(engine, _bare(engine, what[0], what[1], given), given))
    if given["source_place"] or given["target_place"]:
        raise click.UsageError("--from and --to go with FROM and TO; a saved transfer knows its places.")
    wanted = _changed(engine, _saved(engine, what[0], given), given)
    ends: dict[str, End] = {}
    for key, end, path in (("source", wanted.source, given["source"]), ("target", wanted.target, given["target"])):
        if path:
            ends[key] = replace(end, path=path if end.authorization is not None else _absolute(path))
    return replace(wanted, **ends)  # type: ignore[arg-type]


def _bare(engine: Engine, source: str, target: str, given: dict[str, Any]) -> Transfer:
    from app.transfer.model import End, Transfer

    if given["source"] or given["target"] or given["pairs"]:
        raise click.UsageError("--source, --target and --authorization go with a saved transfer or a recipe.")
    places = [
        None if name is None else authorization_named(engine, name).id
        for name in (given["source_place"], given["target_place"])
    ]
    return Transfer(
        source=End(source if places[0] is not None else _absolute(source), places[0]),
        target=End(target if places[1] is not None else _absolute(target), places[1]),
        encrypt=_key_of_target(engine, places[1], given),
    )


def _key_of_target(engine: Engine, authorization: int | None, given: dict[str, Any]) -> Key | None:
    """Who has a key for the target's owner means to use it."""
    from app.transfer.model import Key
    from app.transfer.opening import offered

    if authorization is None or given["encrypt_for"] or given["encrypt_key"]:
        return None
    return Key(authorization) if authorization in [info.id for info in offered(engine).public_keys] else None


def _absolute(path: str) -> str:
    whole = str(Path(path).expanduser().absolute())
    return f"{whole}/" if path.endswith(("/", "\\")) else whole


def _saved(engine: Engine, name: str, given: dict[str, Any]) -> Transfer:
    """The transfer of a recipe file, or the one that is saved under this name."""
    from app.transfer.recipes import read_recipe
    from app.transfer.saved import transfer_named

    file = Path(name).expanduser()
    if file.suffix in (".yaml", ".yml") or file.is_file():
        recipe = read_recipe(engine, file)
        return replace(recipe.transfer(_chosen(engine, recipe, given["pairs"])), name="")
    if given["pairs"]:
        raise click.UsageError("--authorization goes with a recipe file.")
    return transfer_named(engine, name).transfer


def _chosen(engine: Engine, recipe: TransferRecipe, pairs: tuple[str, ...]) -> dict[str, int]:
    known = [wanted.name for wanted in recipe.authorizations]
    chosen = recipe.same()
    for pair in pairs:
        # The recipe's names are known, and may hold "=" themselves.
        name = next((one for one in sorted(known, key=len, reverse=True) if pair.startswith(f"{one}=")), None)
        if name is None:
            listed = ", ".join(known) or "none"
            raise click.UsageError(f"“{pair}” names no authorization of the recipe; it has: {listed}.")
        chosen[name] = authorization_named(engine, pair[len(name) + 1 :]).id
    return chosen


def _changed(engine: Engine, wanted: Transfer, given: dict[str, Any]) -> Transfer:
    """The transfer with what the options change."""
    from app.transfer.model import Column

    writing = {
        name: given[name] for name in ("form", "encoding", "quote", "line_end", "header") if given[name] is not None
    }
    if given["delimiter"] is not None:
        writing["delimiter"] = SIGNS.get(given["delimiter"], given["delimiter"])
    if given["quote_all"]:
        writing["quote_all"] = True
    reading = {
        name: given[f"read_{name}"] for name in ("form", "encoding", "quote") if given[f"read_{name}"] is not None
    }
    if given["read_delimiter"] is not None:
        reading["delimiter"] = SIGNS.get(given["read_delimiter"], given["read_delimiter"])
    if given["read_columns"]:
        reading["columns"] = tuple(name.strip() for name in given["read_columns"].split(","))
    if given["read_no_header"]:
        reading["header"] = False
    if given["member"]:
        reading["member"] = given["member"]
    whole: dict[str, Any] = {
        "split_rows": given["split_rows"],
        "split_bytes": _size(given["split_size"]),
        "unpack": given["unpack"],
        "pack": given["pack"],
        "name": given["name"],
        "decrypt": _key(engine, "decrypt-with", given["decrypt_with"], "decrypt-key", given["decrypt_key"]),
        "encrypt": _key(engine, "encrypt-for", given["encrypt_for"], "encrypt-key", given["encrypt_key"]),
        "columns": tuple(Column(name, to) for name, _, to in (text.partition("=") for text in given["columns"])),
    }
    return replace(
        wanted,
        writing=replace(wanted.writing, **writing),
        reading=replace(wanted.reading, **reading),
        **{name: value for name, value in whole.items() if value},
    )


def _key(engine: Engine, by_name: str, name: str | None, by_file: str, file: str | None) -> Key | None:
    from app.transfer.model import Key

    if name and file:
        raise click.UsageError(f"--{by_name} and --{by_file} exclude each other.")
    if name:
        return Key(authorization_named(engine, name).id)
    return Key(file=_absolute(file)) if file else None


def _size(text: str | None) -> int:
    if not text:
        return 0
    found = SIZE.fullmatch(text.strip())
    if found is None:
        raise click.UsageError(f"“{text}” is no size; write it as 500k, 50M or 2G.")
    return int(float(found.group(1)) * UNITS[found.group(2).lower()])


def _unlock(session: Session, engine: Engine, wanted: Transfer) -> None:
    from app.authorizations import get_authorization

    if any(get_authorization(engine, number).secret_names for number in wanted.authorizations()):
        unlock(session, engine)


def _passphrase(session: Session, wanted: Transfer, from_input: bool) -> str:
    """The passphrase of a private key in a file, if it has one."""
    if wanted.decrypt is None or not wanted.decrypt.file:
        return ""
    if from_input:
        return session.first_line()
    if session.interactive():
        name = Path(wanted.decrypt.file).name
        said: str = click.prompt(
            output.clean(f"Passphrase of {name} (empty if it has none)"),
            default="",
            show_default=False,
            hide_input=True,
            err=True,
        )
        return said
    return ""


def _write_recipe(session: Session, engine: Engine, wanted: Transfer, target: Path) -> None:
    from app.transfer.model import check
    from app.transfer.recipes import write_recipe

    check(wanted)
    unlock(session, engine)
    write_recipe(engine, wanted, target)
    session.answer({"file": target}, lambda: output.tell(f"The transfer is written to {output.path_text(target)}."))


def _list(session: Session, engine: Engine) -> None:
    from app.transfer.saved import list_transfers

    found = list_transfers(engine)
    listed = [
        {
            "name": one.name,
            "kept": one.kept,
            "from": {"place": one.source_name, "path": one.transfer.source.path},
            "to": {"place": one.target_name, "path": one.transfer.target.path},
            "used_at": one.used_at,
            "status": one.status,
            "rows": one.rows,
            "size": one.size,
        }
        for one in found
    ]

    def people() -> None:
        if not found:
            output.tell("No transfers yet. `causeway transfer FROM TO` makes the first one.")
            return
        output.print_table(
            ("name", "from", "to", "last used", "outcome"),
            ((one.name, one.source_name, one.target_name, output.local_time(one.used_at), one.status) for one in found),
        )

    session.answer(listed, people)


def _preview(session: Session, engine: Engine, wanted: Transfer, passphrase: str) -> None:
    from app.transfer.model import describe
    from app.transfer.preview import look, preview, replaced

    found = preview(look(engine, wanted, passphrase), wanted)
    there = replaced(engine, wanted)

    def people() -> None:
        output.tell(" · ".join(("Source", *found.summary, f"{found.size:,} bytes")))
        output.tell(describe(wanted))
        _show("Before", found.before)
        if found.after != found.before:
            _show("After", found.after)
        for row in found.rejected:
            output.say(f"Line {row.line:,}: {row.reason}")
        for note in found.notes:
            output.say(note)
        if there:
            output.say(f"{there} is there already and would be replaced.")

    document = {
        "description": describe(wanted),
        "summary": found.summary,
        "notes": found.notes,
        "before": found.before,
        "after": found.after,
        "rejected": found.rejected,
        "size": found.size,
        "replaces": there,
    }
    session.answer(document, people)


def _show(title: str, sample: Sample | None) -> None:
    if sample is not None:
        output.tell(f"\n{title}")
        output.print_table(sample.columns, sample.rows[:SHOWN_ROWS])


async def _run(engine: Engine, wanted: Transfer, passphrase: str) -> tuple[TransferRun, Outcome]:
    from app.transfer.running import TransferRun

    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    with on_stop_signals(lambda: loop.call_soon_threadsafe(stop.set)):
        run = await TransferRun.begin(engine, wanted, passphrase)
        finished = loop.create_task(run.finished())
        stopped = loop.create_task(stop.wait())
        with progress_bar(engine, lambda: _seen(run)):
            await asyncio.wait({finished, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not finished.done():
                await run.stop()
            outcome = await finished
        stopped.cancel()
        return run, outcome


def _seen(run: TransferRun) -> Seen | None:
    progress = run.progress
    if progress is None:
        return None
    numbers = figures(progress.fraction, progress.done, progress.unit, progress.rate, progress.seconds_left)
    return Seen(progress.activity, progress.done, progress.total, numbers)


def _tell(session: Session, run: TransferRun, outcome: Outcome) -> None:
    result = run.result
    if outcome.status == "cancelled":
        raise Ended(TransferStopped("The transfer was stopped. Nothing was written to its target."), {})
    if outcome.status != "completed" or result is None:
        error = TransferFailed(outcome.message, advice=outcome.advice, details=outcome.details)
        raise Ended(error, {"status": outcome.status})
    document = {
        "status": outcome.status,
        "files": result.files,
        "rows": result.rows,
        "rejected": result.rejected,
        "rejected_file": result.rejected_file,
        "copied_as_it_is": result.unchanged,
    }
    session.answer(document, lambda: _tell_people(result))


def _tell_people(result: TransferResult) -> None:
    for file in result.files:
        rows = f" · {output.number(file.rows, 'row')}" if file.rows else ""
        output.tell(f"{file.path} ({file.place}): {file.size:,} bytes{rows} · SHA-256 {file.sha256}")
    if result.rejected:
        output.say(
            f"{output.number(result.rejected, 'row')} could not be taken over; they are in {result.rejected_file}."
        )
