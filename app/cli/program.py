"""The program: finds the command, runs it, and turns whatever goes wrong into a sentence and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

import click

from app import __version__
from app.cli import output
from app.cli.commands import Program, workspace_option
from app.cli.session import Ended, OpenWindow, Session
from app.errors import CausewayError
from app.login_start import IN_TRAY
from connectors.kit.errors import ConnectorError

DONE, FAILED, WRONG_USE = 0, 1, 2

HELP = """Moves customer data between your marketing tools and this computer.

Without a command the window opens on the workspace that was used last.
"""


@click.group(
    cls=Program,
    help=HELP,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="causeway", message="%(prog)s %(version)s")
@workspace_option
@click.option("--debug", is_flag=True, help="On an error, show the technical details.")
@click.option(IN_TRAY, is_flag=True, help="Open the window in the tray; minimized, where the desktop has none.")
@click.pass_context
def program(context: click.Context, workspace: Any, debug: bool, in_tray: bool) -> int | None:
    session: Session = context.obj
    session.workspace, session.debug, session.in_tray = workspace, debug, in_tray
    if context.invoked_subcommand is not None:
        return None
    from app.cli.screen import open_on_screen

    return open_on_screen(session)


def main(argv: Sequence[str] | None, open_window: OpenWindow, open_in_tray: OpenWindow | None = None) -> int:
    """Run `causeway ARGV`; the exit code is 0 for done, 1 for an error that was explained, 2 for wrong use.

    `open_window` is handed an engine that is open and not started; it starts it, stops it, and returns the exit code
    when its window was closed. `open_in_tray` does the same for a window that is not seen at first.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows "?" rather than ending the program.
        with suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    session = Session(open_window, open_in_tray=open_in_tray)
    with _terminated_by_signal():
        code = _run(arguments, session)
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            _forget_output()
        return code


def _run(arguments: list[str], session: Session) -> int:
    asked_for_json = "--json" in arguments
    try:
        _check_text(arguments)
        with program.make_context("causeway", arguments, obj=session) as context:
            return int(program.invoke(context) or DONE)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        error.show()
        if asked_for_json:
            output.print_json({"error": {"kind": "WrongUse", "message": error.format_message()}})
        return WRONG_USE
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _forget_output()
        return DONE
    except (click.Abort, KeyboardInterrupt, EOFError):
        if asked_for_json:
            output.print_json({"error": {"kind": "Stopped", "message": "Stopped."}})
        output.say("Stopped.")
        return FAILED
    except Exception as error:
        _explain(error, session)
        return FAILED


def _explain(error: Exception, session: Session) -> None:
    """Tell an error: a sentence and what to do; with --json as a document too; with --debug with all details."""
    document: dict[str, Any] = {}
    if isinstance(error, Ended):
        document, error = error.document, error.error
    match error:
        case CausewayError() | ConnectorError():
            message, advice, details = error.message, error.advice, error.details
        case click.ClickException():
            message, advice, details = error.format_message(), "", ""
        case OSError() if error.filename is not None:
            message, advice, details = f"{error.filename}: {error.strerror}.", "", repr(error)
        case _:
            message = f"Causeway met a defect of its own ({type(error).__name__})."
            advice = "Run the same with --debug and report what it shows; nothing half done was saved."
            details = str(error)
    if session.json:
        told = {"kind": type(error).__name__, "message": message, "advice": advice, "details": details}
        output.print_json({"error": told, **document})
    output.say(" ".join(part for part in (message, advice) if part))
    if session.debug:
        import traceback

        if details:
            output.say(details)
        output.say("".join(traceback.format_exception(error)))


def _check_text(arguments: list[str]) -> None:
    for argument in arguments:
        if argument != argument.encode("utf-8", "replace").decode():
            shown = argument.encode("utf-8", "replace").decode()
            raise click.UsageError(f"“{shown}” is not valid text (UTF-8). Rename the file, then try again.")


def _forget_output() -> None:
    """Nobody reads standard output any more: let the rest, and what Python flushes at its end, go nowhere."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


@contextmanager
def _terminated_by_signal() -> Iterator[None]:
    """SIGTERM ends a command like Ctrl-C does, so that it can tidy up and say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
