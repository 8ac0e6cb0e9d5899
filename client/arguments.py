"""Arguments of the commands, in openai-whisper's words where it has them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from client.backend.request import FORMATS

DEFAULT_URL = "http://127.0.0.1:8000/v1"
PROGRAM = "whisper-bento"
# openai-whisper's options that have no meaning here, and why.
_ELSEWHERE = {
    "the server decides it": (
        *("--device", "--fp16", "--model-dir", "--threads", "--beam-size", "--best-of"),
        *("--patience", "--length-penalty", "--suppress-tokens", "--highlight-words"),
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
            "--task", choices=("transcribe", "translate"), default="transcribe", help="as a command"
        )
    add_work(found)
    add_server(found)
    return found


def watch_parser() -> Parser:
    """The options of `watch`."""
    found = Parser(prog=f"{PROGRAM} watch", description=_WATCH, epilog=_EPILOG)
    found.add_argument("folder", metavar="DIR", type=Path, help="where recordings come")
    add_request(found)
    add_work(found)
    add_server(found)
    return found


def detect_parser() -> Parser:
    """The options of `detect`."""
    found = Parser(prog=f"{PROGRAM} detect", description=_DETECT)
    found.add_argument("files", nargs="+", metavar="FILE|DIR|-", help="recordings; - is stdin")
    found.add_argument("--model", "-m", default="whisper-1", help=_MODEL)
    found.add_argument("--recursive", action="store_true", help="folders within folders as well")
    found.add_argument("--json-lines", action="store_true", help="a line of JSON each")
    add_server(found)
    return found


def status_parser() -> Parser:
    """The options of `status`."""
    found = Parser(prog=f"{PROGRAM} status", description="What the server is, and what it does.")
    add_server(found)
    return found


def add_request(parser: Parser) -> None:
    """Options of what a recording is asked for, by openai-whisper's names."""
    add = parser.add_argument_group("text").add_argument
    add("--model", "-m", default="whisper-1", help=_MODEL)
    add("--language", "-l", help="spoken, as a code or by name (default: detected)")
    add("--initial-prompt", metavar="TEXT", help="text that the recording might follow")
    add("--keyword", action="append", default=[], metavar="WORD", help="a word to expect; again")
    add("--temperature", type=float, help="0 to 1 (default: 0, and higher where that fails)")
    add("--condition-on-previous-text", type=truth, metavar="BOOL", help="default: False")
    add("--carry-initial-prompt", type=truth, metavar="BOOL", help="default: False")
    for name in ("compression-ratio", "logprob", "no-speech"):
        add(f"--{name}-threshold", metavar="NUMBER", help="None: none")
    add("--word-timestamps", type=truth, metavar="BOOL", default=False, help="in json")
    add("--max-line-width", type=int, metavar="N", help="characters a line of srt and vtt")
    add("--max-line-count", type=int, metavar="N", help="lines a cue")
    add("--max-words-per-line", type=int, metavar="N", help="words a line")


def add_work(parser: Parser) -> None:
    """Options of what is done with the text."""
    add = parser.add_argument_group("files").add_argument
    add("--output-dir", "-o", type=Path, metavar="DIR", help="default: beside each recording")
    add(
        "--output-format",
        *("-f",),
        action="append",
        choices=(*FORMATS, "all"),
        metavar="FORMAT",
        help="txt, srt, vtt, tsv, json or all; may be given again (default: txt)",
    )
    add("--recursive", action="store_true", help="folders within folders as well")
    add("--overwrite", action="store_true", help="also what is there and newer than its recording")
    add("--archive", type=Path, metavar="FILE", help="note what is done by content, and skip it")
    add("--jobs", "-j", type=count, default=4, metavar="N", help="at once (default: 4)")
    add("--json-lines", action="store_true", help="a line of JSON each, to standard output")
    add("--progress", choices=("auto", "bar", "plain", "none"), default="auto", help="on stderr")
    add("--verbose", type=truth, metavar="BOOL", default=True, help="False: --progress none")


def add_server(parser: Parser) -> None:
    """Options of the server."""
    add = parser.add_argument_group("server").add_argument
    add("--url", help=f"else WHISPER_URL, OPENAI_BASE_URL or {DEFAULT_URL}")
    add("--api-key", metavar="KEY", help="else OPENAI_API_KEY")
    add("--api-key-file", type=Path, metavar="FILE", help="has the key, if nothing else does")
    add("--timeout", type=seconds, metavar="S", help=_TIMEOUT)
    add("--retries", type=retries, default=2, metavar="N", help="of what fails on its way (2)")


def truth(text: str) -> bool:
    """True or False, in any case."""
    values = {"true": True, "false": False}
    if (value := values.get(text.lower())) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")
    return value


def count(text: str) -> int:
    """A number from 1 on."""
    return _whole(text, 1)


def retries(text: str) -> int:
    """A number from 0 on."""
    return _whole(text, 0)


def seconds(text: str) -> float:
    """Seconds, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
    return int(text)


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


_MODEL = "a model that the server has (default: whisper-1, which is its default)"
_TIMEOUT = "seconds to wait for a server that is busy or not up (default: until it is not busy)"
_DETECT = "The language of recordings: its code, name and probability, a line each."
_WATCH = "Transcribe what is in a folder and what comes there, until Ctrl-C."
_EPILOG = (
    "Exit status: 0 all done or skipped, 1 some failed, 2 wrong usage, 3 no server, key refused or "
    "no such model, 130 interrupted. Options may be written with _ for -."
)
