"""The `models` command: list, verify, export and delete imported checkpoints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from cli.commands import Command, Parser, dispatch
from cli.import_model import megabytes
from models.checkpoints import store
from models.checkpoints.catalogue import checkpoint_name
from models.checkpoints.durable_files import locked
from models.errors import CheckpointError, UnknownCheckpointError


def main(arguments: Sequence[str]) -> int:
    """Run one of them; returns the exit status: 0, or 1 where a checkpoint is damaged.

    Raises:
        WhisperError: there is no such checkpoint, or a file cannot be written.
    """
    commands = {
        "list": Command("every checkpoint in the model store", _list),
        "verify": Command("every file against its SHA-256", _verify),
        "export": Command("one file, for `import --from` on another machine", _export),
        "delete": Command("remove a checkpoint", _delete),
    }
    return dispatch("whisper-bento models", "What is in the model store.", commands, arguments)


def _list(arguments: Sequence[str]) -> int:
    Parser(prog="whisper-bento models list").parse_args(arguments)
    rows = [("TAG", "SIZE", "LAYERS", "SOURCE", "CREATED")]
    for stored in store.list_checkpoints():
        layers = f"{stored.dims.n_audio_layer}+{stored.dims.n_text_layer}"
        created = stored.created.astimezone().strftime("%Y-%m-%d %H:%M")
        rows.append((stored.tag, megabytes(stored.size), layers, stored.source, created))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())
    return _report(store.damaged_tags())


def _verify(arguments: Sequence[str]) -> int:
    parser = Parser(prog="whisper-bento models verify")
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


def _export(arguments: Sequence[str]) -> int:
    parser = Parser(prog="whisper-bento models export")
    parser.add_argument("tag", metavar="TAG", help="or a name: its newest version")
    parser.add_argument("file", metavar="FILE", type=Path, help="to be imported with --from")
    given = parser.parse_args(arguments)
    stored = _stored(given.tag)
    # torch is imported from here on only
    from models.checkpoints.sources.archive import export_archive

    with locked(store.scratch_area() / "export.lock"):
        sha256 = export_archive(stored, given.file)
    print(
        f"{stored.tag}  {megabytes(given.file.stat().st_size)}  in {given.file}  SHA-256 {sha256}"
    )
    return 0


def _delete(arguments: Sequence[str]) -> int:
    parser = Parser(prog="whisper-bento models delete")
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
