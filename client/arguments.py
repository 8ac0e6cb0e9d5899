"""Arguments of the commands, in openai-whisper's words where it has them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from client.backend.request import DEFAULT_MODEL
from client.options import MODEL_HELP, add_backend, add_request, add_server, add_work

PROGRAM = "whisper-bento"
SHELLS = ("bash", "zsh", "fish")
# openai-whisper's options that have no meaning here, and why.
_SETTING = "it is a setting of the server and of --local, {} (docs/settings.md)"
_ELSEWHERE = {
    _SETTING.format("WHISPER_DEVICE"): ("--device",),
    _SETTING.format("WHISPER_DTYPE"): ("--fp16",),
    _SETTING.format("WHISPER_THREADS"): ("--threads",),
    _SETTING.format("BENTOML_HOME"): ("--model-dir",),
    "the engine decides it": (
        *("--beam-size", "--best-of", "--patience", "--length-penalty", "--suppress-tokens"),
        *("--temperature-increment-on-fallback", "--prepend-punctuations"),
        *("--append-punctuations", "--clip-timestamps", "--hallucination-silence-threshold"),
    ),
}


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an error in one line, with exit status 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see {self.prog} --help)\n")


def parsed(parser: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """What was given; in the names of options `_` is the same as `-`.

    Options may stand before, between and behind the recordings; what follows `--` is none.
    """
    end = list(arguments).index("--") if "--" in arguments else len(arguments)
    options, names = [_hyphened(each) for each in arguments[:end]], list(arguments[end + 1 :])
    _refuse_elsewhere(parser, options)
    if not names:
        return parser.parse_intermixed_args(options)
    # argparse drops `--` in its own way, differently from one Python to the next.
    marks = [f"./{each}" if each.startswith("-") else each for each in names]
    return parser.parse_intermixed_args([*options, *marks])


def transcribe_parser(command: str, about: str) -> Parser:
    """The options of `transcribe` and of `translate`."""
    found = Parser(prog=f"{PROGRAM} {command}", description=about, epilog=_EPILOG)
    found.add_argument("files", nargs="+", metavar="FILE|DIR|-", help="recordings; - is stdin")
    add_request(found)
    if command == "transcribe":
        found.add_argument(
            "--task", choices=("transcribe", "translate"), default="transcribe", help=_TASK
        )
    add_work(found)
    add_backend(found)
    found.add_argument("--background", action="store_true", help=_BACKGROUND)
    found.add_argument("--colors", action="store_true", help=_COLORS)
    return found


def watch_parser() -> Parser:
    """The options of `watch`."""
    found = Parser(prog=f"{PROGRAM} watch", description=_WATCH, epilog=_EPILOG)
    found.add_argument("folder", metavar="DIR", type=Path, help="where recordings come")
    add_request(found)
    add_work(found)
    add_backend(found)
    return found


def detect_parser() -> Parser:
    """The options of `detect`."""
    found = Parser(prog=f"{PROGRAM} detect", description=_DETECT)
    found.add_argument("files", nargs="+", metavar="FILE|DIR|-", help="recordings; - is stdin")
    found.add_argument("--model", "-m", default=DEFAULT_MODEL, help=MODEL_HELP)
    found.add_argument("--recursive", action="store_true", help="folders within folders as well")
    found.add_argument("--json-lines", action="store_true", help="a line of JSON each")
    add_server(found)
    return found


def status_parser() -> Parser:
    """The options of `status`."""
    found = Parser(prog=f"{PROGRAM} status", description="What the server is, and what it does.")
    add_server(found)
    return found


def completion_parser() -> Parser:
    """The options of `completion`."""
    found = Parser(prog=f"{PROGRAM} completion", description=_COMPLETION)
    found.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return found


def _hyphened(argument: str) -> str:
    if not argument.startswith("--"):
        return argument
    name, mark, value = argument.partition("=")
    return f"{name.replace('_', '-')}{mark}{value}"


def _refuse_elsewhere(parser: Parser, options: Sequence[str]) -> None:
    given: set[Any] = {each.partition("=")[0] for each in options}
    for why, names in _ELSEWHERE.items():
        if found := sorted(given & set(names)):
            parser.error(f"{found[0]} is not an option here: {why}")


_TASK = "translate: to English, as the command of that name (default: transcribe)"
_COLORS = "the text on a terminal by confidence: words in red, yellow or green"
_BACKGROUND = "as jobs: print their ids at once, for `whisper-bento jobs`"
_COMPLETION = "Print a script that completes commands and options, to be sourced by a shell."
_DETECT = "The language of recordings: its code, name and probability, a line each."
_WATCH = "Transcribe what is in a folder and what comes there, until Ctrl-C."
_EPILOG = (
    "Exit status: 0 all done or skipped, 1 some failed, 2 wrong usage, 3 no server, key refused or "
    "no such model, 130 interrupted. Options may be written with _ for -."
)
