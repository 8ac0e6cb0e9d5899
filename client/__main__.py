"""The `whisper-bento` command of the client; `python -m client` is the same.

In a checkout the operator's command, `cli`, hands on to it what is the client's. What a command
needs is imported when it is run, so that help takes no time.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from client import __version__
from client.backend.errors import ClientError, NoServiceError
from client.backend.protocol import OpenLocal
from client.context import Context

Run = Callable[[Sequence[str], Context], int]

FAILED, USAGE, UNSERVED, INTERRUPTED = 1, 2, 3, 130
DEFAULT = "transcribe"


def main(
    arguments: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    local: OpenLocal | None = None,
    commands: Mapping[str, str] | None = None,
) -> int:
    """Run a command; returns the exit status, which its help explains.

    `local` opens the models in this process for `--local`; the client alone has none. `commands`
    are all of the program, where it has more than these.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    _print_anything()
    if not given:
        print(_help(), file=sys.stderr)
        return USAGE
    if given[0] in ("-h", "--help"):
        return _told(lambda: _printed(_help()))
    if given[0] == "--version":
        return _told(lambda: _printed(f"whisper-bento {__version__}"))
    name = given.pop(0) if given[0] in COMMANDS else DEFAULT
    context = Context(environ, local, _ABOUT if commands is None else commands)
    return _told(lambda: COMMANDS[name][1](given, context))


def _told(run: Callable[[], int]) -> int:
    """The exit status; what is wrong is said in a line."""
    try:
        try:
            return run()
        finally:
            # Here, where it can still be told that nobody reads: help ends by an exception.
            print(end="", flush=True)
    except ClientError as error:
        _print_error(error)
        return UNSERVED if isinstance(error, NoServiceError) else USAGE
    except KeyboardInterrupt as interrupted:
        print(str(interrupted) or "interrupted; run it again to go on", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        # Whoever reads has read enough, or a disk is full; Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _print_error(error)
        return FAILED


def _print_error(error: Exception) -> None:
    from client.terminal.plain_lines import print_error
    from client.terminal.wording import shown

    print_error(sys.stderr, f"error: {shown(str(error))}")


def _printed(text: str) -> int:
    print(text)
    return 0


def _print_anything() -> None:
    """Let no text and no name be more than the terminal's encoding can show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _transcribe(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import parsed, transcribe_parser

    given = parsed(transcribe_parser("transcribe", _ABOUT["transcribe"]), arguments)
    from client.transcribe import transcribe as run

    return run(given, "transcribe", context)


def _translate(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import parsed, transcribe_parser

    given = parsed(transcribe_parser("translate", _ABOUT["translate"]), arguments)
    from client.transcribe import transcribe as run

    return run(given, "translate", context)


def _detect(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import detect_parser, parsed

    given = parsed(detect_parser(), arguments)
    from client.detect import detect as run

    return run(given, context.environ)


def _status(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import parsed, status_parser

    given = parsed(status_parser(), arguments)
    from client.status import status as run

    return run(given, context.environ)


def _watch(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import parsed, watch_parser

    given = parsed(watch_parser(), arguments)
    from client.transcribe import watch as run

    return run(given, context)


def _jobs(arguments: Sequence[str], context: Context) -> int:
    from client.job_arguments import parsed_action

    action, given = parsed_action(arguments)
    from client.jobs import jobs as run

    return run(action, given, context.environ)


def _completion(arguments: Sequence[str], context: Context) -> int:
    from client.arguments import completion_parser, parsed

    given = parsed(completion_parser(), arguments)
    from client.completion import completion as run

    return run(given, context.commands)


_ABOUT = {
    "transcribe": "text of recordings; `whisper-bento FILE` is the same",
    "translate": "text of recordings, in English",
    "detect": "which language recordings are in",
    "status": "what the server is, and what it does",
    "watch": "transcribe what comes into a folder",
    "jobs": "background jobs: list, show, wait, cancel, rm",
    "completion": "complete commands and options in a shell",
}
_RUN: dict[str, Run] = {
    "transcribe": _transcribe,
    "translate": _translate,
    "detect": _detect,
    "status": _status,
    "watch": _watch,
    "jobs": _jobs,
    "completion": _completion,
}
# What each is for, and what runs it.
COMMANDS: dict[str, tuple[str, Run]] = {name: (_ABOUT[name], _RUN[name]) for name in _RUN}


def _help() -> str:
    lines = "\n".join(f"  {name:12}{about}" for name, (about, _) in COMMANDS.items())
    return (
        "usage: whisper-bento [COMMAND] FILE|DIR|-...\n\n"
        "Recordings to text, by a whisper-bento server.\n\n"
        f"commands (default: {DEFAULT}):\n{lines}\n\n"
        "whisper-bento COMMAND --help says what a command takes."
    )


if __name__ == "__main__":
    sys.exit(main())
