"""Writes docs/command-line.md from the commands themselves: `python -m app.cli.reference > docs/command-line.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from app.cli.commands import Command
from app.cli.program import program

INTRODUCTION = """\
# The command line

Everything that the window does with files, jobs and people can be done from a terminal or a script.

```
causeway workspace create ~/causeway/agency
causeway import members.csv --stream members --identifier email --timestamp-field updated_at
causeway profile get maja@shop.example
causeway auth add file-service-sftp --name "Agency SFTP" --value host=sftp.agency.example --value user=maja
causeway import outgoing/members.csv.gz --stream members --authorization "Agency SFTP"
causeway export all people.csv
```

This page is written by the program (`python -m app.cli.reference`); `--help` behind any command says the same.

## What holds for every command

| option | what it does |
| --- | --- |
| `--workspace DIR` | The workspace's folder. Without it the variable `CAUSEWAY_WORKSPACE` counts, \
and without that the workspace that was used last; on the very first start one is made. |
| `--json` | One JSON document on standard output and nothing else there; messages stay on standard error. |
| `--debug` | On an error, shows the technical details, for a report. |
| `--help` | Explains the command. |

| exit code | meaning |
| --- | --- |
| 0 | Done. |
| 1 | An error, explained in a sentence on standard error. \
With `--json` the document is `{"error": {"kind", "message", "advice", "details"}}`, beside what else is known. |
| 2 | Wrong use: an unknown command or option, something missing, a value of the wrong kind. |

- One process at a time is in charge of a workspace: a window, `causeway engine`, or a command that changes something.
  While another one is in charge, such a command ends with 1 and says so; commands that only read go on working.
- Ctrl-C and SIGTERM stop a run cleanly: what was saved stays, the exit code is 1, and the same command goes on where it
  was.
- Secrets are asked for at a prompt, or read from standard input with `--secrets-stdin`; they are never an argument.
  On a computer without a keyring secrets lie in a file under a passphrase, which is asked for at a prompt or, with
  `--passphrase-stdin`, read from the first line of standard input (before the JSON of `--secrets-stdin`).
- Where a command asks before it destroys something, `--yes` is the answer of a script.
- Times in JSON are UTC (`2026-11-22T04:15:00.000000Z`); tables show them in the time zone of the computer.
- A progress bar appears only on a terminal.
"""
EXAMPLES = {
    "import": """\
causeway import members.csv --stream members --identifier email --identifier phone
causeway import purchases.txt --stream purchases --no-header --delimiter whitespace \\
    --columns customer,day,items,amount --identifier customer --timestamp-field day
causeway import outgoing/members.csv --stream members --authorization "Agency SFTP" --json""",
    "transfer": """\
causeway transfer members.csv members.jsonl.gz
causeway transfer out/members.csv.gz.pgp ~/Desktop/ --from "Agency SFTP" --unpack
causeway transfer members.csv in/members.csv.pgp --to "Partner SFTP" --encrypt-key partner.asc \\
    --column email --column last_name=LASTNAME --delimiter pipe --encoding cp1252 --save "Members for partner"
causeway transfer "Members for partner" --source members-week-48.csv
causeway transfer members.causeway-transfer.yaml --authorization "Partner SFTP=Our server"
causeway transfer members.csv members.tsv --preview""",
    "auth add": """\
causeway auth add file-service-sftp --name "Agency SFTP" --value host=sftp.agency.example --value user=maja
causeway auth add file-service-sftp --name "Agency SFTP" --value host=sftp.agency.example --value user=maja \\
    --accept-host-key SHA256:… --secrets-stdin < secrets.json""",
    "job create": """\
causeway job create --type file-service-csv-import --name "Loyalty members" --authorization "Agency SFTP" \\
    -o filename=outgoing/members.csv -o stream=members -o identifiers=email,phone""",
    "lql eval": """\
causeway lql eval 'tolower(email) IF visits > 3 ELSE "new"' --event '{"email": "Ann@x.com", "visits": "4"}'
causeway lql eval --cases cases.jsonl""",
}


def document() -> str:
    """The whole page."""
    parts = [INTRODUCTION, "## Commands\n", "\n".join(_section(program, "causeway", own_only=True))]
    parts += ["\n".join(_section(command, path)) for path, command in commands()]
    return "\n".join(parts).rstrip() + "\n"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that can be called, by its words ("job list"), in the order of --help."""
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        if isinstance(command, click.Group):
            for child in command.list_commands(context):
                found = command.get_command(context, child)
                if found is not None:
                    yield f"{name} {child}", found
        elif command is not None:
            yield name, command


def _section(command: click.Command, path: str, *, own_only: bool = False) -> Iterator[str]:
    title = path if own_only else f"causeway {path}"
    context = click.Context(command)
    arguments = [entry.make_metavar(context) for entry in command.params if isinstance(entry, click.Argument)]
    yield f"### {title}\n"
    yield f"`{' '.join([title, *arguments])}`\n"
    for paragraph in (command.help or "").strip().split("\n\n"):
        yield " ".join(line.strip() for line in paragraph.splitlines()) + "\n"
    options = [entry for entry in command.params if isinstance(entry, click.Option)]
    options = [option for option in options if not _is_common(command, option)]
    if options:
        yield "| option | what it does |\n| --- | --- |"
        for option in options:
            yield f"| `{_spelling(option)}` | {_explanation(option)} |"
        yield ""
    if path in EXAMPLES:
        yield f"```\n{EXAMPLES[path]}\n```\n"


def _is_common(command: click.Command, option: click.Option) -> bool:
    return isinstance(command, Command) and option.name in ("workspace", "json", "debug")


def _spelling(option: click.Option) -> str:
    value = "" if option.is_flag else " " + option.make_metavar(click.Context(click.Command("")))
    return ", ".join(option.opts) + value.replace("|", "\\|")


def _explanation(option: click.Option) -> str:
    notes = ["Required."] if option.required else []
    if option.show_default:
        notes.append(f"Default: {option.default}.")
    return " ".join([(option.help or "").replace("|", "\\|"), *notes])


if __name__ == "__main__":
    sys.stdout.write(document())
