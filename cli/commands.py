"""Command table: subcommands with help, and the nearest name where one is misspelt."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an error in one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


@dataclass(frozen=True)
class Command:
    """A subcommand; `run` takes its arguments and returns the exit status."""

    summary: str
    run: Callable[[Sequence[str]], int]


def dispatch(
    prog: str,
    about: str,
    commands: Mapping[str, Command],
    arguments: Sequence[str],
    version: str | None = None,
) -> int:
    """Run the command that the first argument names; returns its exit status.

    Without a command the help goes to stderr, with status 2.
    """
    if arguments and arguments[0] in commands:
        return commands[arguments[0]].run(arguments[1:])
    parser = Parser(
        prog=prog,
        usage="%(prog)s COMMAND [ARGUMENT ...]",
        description=f"{about}\n\n{_listing(commands)}",
        epilog=f"{prog} COMMAND --help says what a command takes.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    # Not listed: the commands fill a terminal.
    parser.add_argument("-h", "--help", action="help", help=argparse.SUPPRESS)
    if version is not None:
        parser.add_argument("--version", action="version", version=version, help=argparse.SUPPRESS)
    if arguments and not arguments[0].startswith("-"):
        parser.error(f"there is no command {arguments[0]!r}{_suggestion(arguments[0], commands)}")
    # --help and --version end here, and so does an option that is unknown.
    parser.parse_args(arguments)
    parser.print_help(sys.stderr)
    return 2


def become(module: str, arguments: Sequence[str], environ: Mapping[str, str]) -> NoReturn:
    """Run a Python module in place of this process: signals and exit status are its own."""
    sys.stdout.flush()
    command = [sys.executable, "-m", module, *arguments]
    os.execve(sys.executable, command, environ)  # noqa: S606 - no shell is wanted


def _listing(commands: Mapping[str, Command]) -> str:
    width = max(map(len, commands))
    lines = (f"  {name:{width}}  {command.summary}" for name, command in commands.items())
    return "\n".join(["commands:", *lines])


def _suggestion(name: str, commands: Mapping[str, Command]) -> str:
    near = get_close_matches(name, commands, n=1, cutoff=0.5)
    return f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(commands)}"
