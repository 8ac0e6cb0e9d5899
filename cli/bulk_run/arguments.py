"""Arguments of `bulk` and its commands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bulk.shard import Shard
from client.arguments import Parser
from client.options import DEFAULT_URL, add_request, count, seconds

PROGRAM = "whisper-bento bulk"
RUNNERS = ("local", "http")
# What a run file keeps of a run's arguments for `bulk retry`: no keys, nothing of one run alone.
KEPT = (
    *("manifest", "runner", "task", "model", "language", "initial_prompt", "keyword"),
    *("temperature", "condition_on_previous_text", "carry_initial_prompt"),
    *("compression_ratio_threshold", "logprob_threshold", "no_speech_threshold"),
    *("word_timestamps", "max_line_width", "max_line_count", "max_words_per_line"),
    *("highlight_words", "srt", "vtt"),
    *("url", "api_key_file", "in_flight", "gpus", "scratch", "disk_gib", "max_restarts"),
)
_PATHS = ("manifest", "api_key_file", "scratch")
# Their types in a run file; of the others a text or null.
_LISTS = ("keyword", "url")
_NEEDED: dict[str, type] = {
    **dict.fromkeys(("manifest", "runner", "task", "model"), str),
    **dict.fromkeys(("word_timestamps", "highlight_words", "srt", "vtt"), bool),
    "disk_gib": float,
    "max_restarts": int,
}
_OPTIONAL: dict[str, type] = {
    "temperature": float,
    **dict.fromkeys(("condition_on_previous_text", "carry_initial_prompt"), bool),
    **dict.fromkeys(("max_line_width", "max_line_count", "max_words_per_line"), int),
    **dict.fromkeys(("in_flight", "gpus"), int),
}


def run_parser() -> Parser:
    """The options of `bulk run`."""
    found = Parser(prog=f"{PROGRAM} run", description=_RUN, epilog=_EPILOG)
    found.add_argument("manifest", metavar="MANIFEST", type=Path, help="lines of JSON; .gz too")
    found.add_argument("--out", metavar="DIR", type=Path, required=True, help="for the parts")
    found.add_argument("--force", action="store_true", help="go on with other options or model")
    found.add_argument("--shard", type=shard, default=Shard(), metavar="I/N", help=_SHARD)
    add_request(found)
    found.add_argument(
        "--task", choices=("transcribe", "translate"), default="transcribe", help="or to English"
    )
    found.add_argument("--srt", action="store_true", help="a file for each in DIR/srt")
    found.add_argument("--vtt", action="store_true", help="a file for each in DIR/vtt")
    _add_runner(found)
    _add_shown(found)
    return found


def retry_parser() -> Parser:
    """The options of `bulk retry`: the others are those of the run."""
    found = Parser(prog=f"{PROGRAM} retry", description=_RETRY, epilog=_EPILOG)
    found.add_argument("out", metavar="DIR", type=Path, help="of a run")
    add = found.add_argument_group("server").add_argument
    add("--url", action="append", help="in place of the run's; may be given again")
    add("--api-key", metavar="KEY", help="else OPENAI_API_KEY")
    add("--timeout", type=seconds, metavar="S", default=60.0, help=_TIMEOUT)
    _add_shown(found)
    return found


def status_parser() -> Parser:
    """The options of `bulk status`."""
    found = Parser(prog=f"{PROGRAM} status", description=_STATUS)
    found.add_argument("out", metavar="DIR", type=Path, help="of a run")
    found.add_argument("--compact", action="store_true", help="first make one part of all")
    found.add_argument("--json", action="store_true", help="as JSON")
    return found


def listing_parser() -> Parser:
    """The options of `bulk make-manifest`."""
    found = Parser(prog=f"{PROGRAM} make-manifest", description=_LISTING)
    found.add_argument("place", metavar="DIR|URL", help="a folder, or s3://, gs://, ...")
    found.add_argument("--out", metavar="FILE", type=Path, help="else standard output")
    return found


def kept(given: argparse.Namespace) -> dict[str, Any]:
    """What a run file keeps, in JSON's types; paths become absolute."""
    found = {name: getattr(given, name) for name in KEPT}
    for name in _PATHS:
        if found[name] is not None:
            found[name] = str(found[name].absolute())
    return found


def restored(arguments: dict[str, Any], retry: argparse.Namespace) -> argparse.Namespace:
    """The arguments of a run that is run again, with the retry's own.

    Raises:
        KeyError: some are missing.
        TypeError: one is of a type that the command line gives none of.
    """
    values = {name: arguments[name] for name in KEPT}
    for name, value in values.items():
        if not _is_kept(name, value):
            raise TypeError(f"{name}: {value!a}")
    for name in _PATHS:
        if values[name] is not None:
            values[name] = Path(values[name])
    own = vars(retry).copy()
    if own["url"] is None:
        del own["url"]
    return argparse.Namespace(**{**values, "force": False, "shard": Shard(), **own})


def _is_kept(name: str, value: object) -> bool:
    """Whether the command line gives the argument such a value."""
    if name in _LISTS:
        is_list = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return is_list or (value is None and name == "url")
    if name in _NEEDED:
        return type(value) is _NEEDED[name]
    return value is None or type(value) is _OPTIONAL.get(name, str)


def shard(text: str) -> Shard:
    """A shard, such as 0/4."""
    try:
        return Shard.parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def restarts(text: str) -> int:
    """A number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def port(text: str) -> int:
    """A port."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _add_runner(found: Parser) -> None:
    add = found.add_argument_group("runner").add_argument
    add("--runner", choices=RUNNERS, default="local", help="default: local, the models here")
    add("--in-flight", type=count, metavar="N", help="rows at once, of each engine or server")
    add("--gpus", type=count, metavar="N", help="of local, an engine each (default: all)")
    add("--max-restarts", type=restarts, default=5, metavar="N", help="of local's engines (5)")
    add("--url", action="append", help=f"of http: a server, may be given again ({DEFAULT_URL})")
    add("--api-key", metavar="KEY", help="of http, else OPENAI_API_KEY")
    add("--api-key-file", type=Path, metavar="FILE", help="has the key, if nothing else does")
    add("--timeout", type=seconds, metavar="S", default=60.0, help=_TIMEOUT)
    add("--scratch", type=Path, metavar="DIR", help="where downloads go (default: TMPDIR)")
    add("--disk-gib", type=gibibytes, default=2.0, metavar="N", help="what they may take (2)")


def _add_shown(found: Parser) -> None:
    add = found.add_argument_group("progress").add_argument
    add("--progress", choices=("auto", "bar", "plain", "none"), default="auto", help="on stderr")
    add("--metrics-port", type=port, metavar="N", help="Prometheus metrics while it runs")
    add("--metrics-host", default="127.0.0.1", metavar="HOST", help="default: 127.0.0.1")


def gibibytes(text: str) -> float:
    """Gibibytes, more than none."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of gibibytes")
    return value


_RUN = "Transcribe what a manifest names, and go on where an earlier run has stopped."
_RETRY = "Do rows again that failed for reasons that may have passed."
_STATUS = "What the rows of a run came to. Exit status: 1 if some failed or are left."
_LISTING = "A manifest of the recordings below a folder or a URL, by their names alone."
_SHARD = "the rows of one worker of several: 0/4 to 3/4"
_TIMEOUT = "seconds to wait when no server is there (default: 60)"
_EPILOG = (
    "Exit status: 0 all done, 1 some failed or it could not go on, 2 wrong usage, 3 nothing could "
    "be done, 130 interrupted. A summary in JSON goes to standard output."
)
