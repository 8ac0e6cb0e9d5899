"""Options of the commands, in groups, and the types of their values."""

from __future__ import annotations

import argparse
from pathlib import Path

from client.backend.request import DEFAULT_MODEL, FORMATS

DEFAULT_URL = "http://127.0.0.1:8000/v1"


def add_request(parser: argparse.ArgumentParser) -> None:
    """Options of what a recording is asked for, by openai-whisper's names."""
    add = parser.add_argument_group("text").add_argument
    add("--model", "-m", default=DEFAULT_MODEL, help=_MODEL)
    add("--language", "-l", help="spoken, as a code or by name (default: detected)")
    add("--initial-prompt", metavar="TEXT", help="text that the recording might follow")
    add("--keyword", action="append", default=[], metavar="WORD", help=_KEYWORD)
    add("--temperature", type=float, help="0 to 1 (default: 0, and higher where that fails)")
    add("--condition-on-previous-text", type=truth, metavar="BOOL", help="default: False")
    add("--carry-initial-prompt", type=truth, metavar="BOOL", help="default: False")
    for name in ("compression-ratio", "logprob", "no-speech"):
        add(f"--{name}-threshold", metavar="NUMBER", help=_THRESHOLD)
    add_layout(parser)


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Options of how a transcript is written."""
    add = parser.add_argument_group("layout").add_argument
    add("--word-timestamps", type=truth, metavar="BOOL", default=False, help=_WORDS)
    add(
        "--max-line-width",
        type=int,
        metavar="N",
        help=f"characters a line of srt and vtt; {_AT_START}",
    )
    add("--max-line-count", type=int, metavar="N", help=f"lines a cue; {_AT_START}")
    add("--max-words-per-line", type=int, metavar="N", help=f"words a line; {_AT_START}")
    add("--highlight-words", type=truth, metavar="BOOL", default=False, help=_HIGHLIGHT)


def add_work(parser: argparse.ArgumentParser) -> None:
    """Options of which recordings are worked on, and of their files."""
    add = parser.add_argument_group("recordings").add_argument
    add("--recursive", action="store_true", help="folders within folders as well")
    add("--archive", type=Path, metavar="FILE", help="note what is done by content, and skip it")
    add("--jobs", "-j", type=count, default=4, metavar="N", help=_JOBS)
    add_outputs(parser)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Options of files, and of what is shown."""
    add = parser.add_argument_group("files").add_argument
    add("--output-dir", "-o", type=Path, metavar="DIR", help=_FOLDER)
    add(
        "--output-format",
        *("-f",),
        action="append",
        choices=(*FORMATS, "all"),
        metavar="FORMAT",
        help="txt, srt, vtt, tsv, json or all; may be given again (default: txt)",
    )
    add("--overwrite", action="store_true", help="also what is there and newer than its recording")
    add("--json-lines", action="store_true", help="a line of JSON each, to standard output")
    add("--progress", choices=("auto", "bar", "plain", "none"), default="auto", help="on stderr")
    add("--verbose", type=truth, metavar="BOOL", default=True, help="False: --progress none")


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Options of what transcribes: the server, or the models in this process."""
    add_server(parser)
    parser.add_argument("--local", action="store_true", help=_LOCAL)


def add_server(parser: argparse.ArgumentParser) -> None:
    """Options of the server."""
    add = parser.add_argument_group("server").add_argument
    add("--url", help=f"else WHISPER_URL, OPENAI_BASE_URL or {DEFAULT_URL}")
    add("--api-key", metavar="KEY", help="else OPENAI_API_KEY")
    add("--api-key-file", type=Path, metavar="FILE", help="has the key, if nothing else does")
    add("--timeout", type=seconds, metavar="S", help=_TIMEOUT)
    add("--retries", type=retries, default=2, metavar="N", help=_RETRIES)


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


MODEL_HELP = "a model of the server (default: whisper-1, which is the server's default)"
_MODEL = (
    "a model of the server or, without one, of the model store (default: whisper-1, which is the "
    "default model there)"
)
_KEYWORD = "a word to expect; may be given again"
_THRESHOLD = "a number, or None for no threshold (default: the server's)"
_AT_START = "of a job: give it with --background as well"
_WORDS = f"times of words in json; {_AT_START}"
_FOLDER = "default: beside each recording; of jobs: the current folder"
_JOBS = "recordings that are worked on at once (default: 4)"
_RETRIES = "how often a request that failed is sent again (default: 2)"
_LOCAL = "no server: the models in this process, of a checkout or an image"
_HIGHLIGHT = f"underline each word of srt and vtt while it is said; {_AT_START}"
_TIMEOUT = "seconds to wait for a server that is busy or not up (default: until it is not busy)"
