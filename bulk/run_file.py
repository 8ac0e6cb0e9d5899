"""Run file: what the results of an output folder were made of, by which a resume is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bulk.durable import locked, write_whole
from bulk.errors import OutputError, output_error
from bulk.options import options_hash
from client.backend.errors import UsageError

NAME = "run.json"
_VERSION = 1


@dataclass(frozen=True)
class RunFile:
    """`run.json`; `manifest` is its absolute path.

    Ids are of one manifest: in another one the same id may be of another recording.

    `arguments` are those by which `bulk retry` runs it again, in JSON's types; keys of servers are
    not among them.
    """

    manifest: str
    model_tag: str
    options: Mapping[str, Any]
    arguments: Mapping[str, Any]

    @property
    def options_hash(self) -> str:
        """The hash of the options, as each result has it."""
        return options_hash(self.options)

    def differences(self, other: RunFile) -> list[str]:
        """What another run has otherwise: manifest, model and options, one text each."""
        names = sorted(self.options.keys() | other.options.keys())
        pairs: list[tuple[str, object, object]] = [("model_tag", self.model_tag, other.model_tag)]
        if _place(self.manifest) != _place(other.manifest):
            pairs.append(("manifest", self.manifest, other.manifest))
        pairs += [(name, self.options.get(name), other.options.get(name)) for name in names]
        return [
            f"{name}: {_shown(mine)} -> {_shown(others)}"
            for name, mine, others in pairs
            if mine != others
        ]


def read_run(folder: Path) -> RunFile | None:
    """The folder's run file; None if it has none.

    Raises:
        OutputError: it cannot be read, or is none.
    """
    path = folder / NAME
    try:
        found = json.loads(path.read_text("utf-8"))
        if found["version"] != _VERSION:
            raise OutputError(f"{path} is of another version of this program")
        return RunFile(
            str(found["manifest"]),
            str(found["model_tag"]),
            dict(found["options"]),
            dict(found["arguments"]),
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise output_error(path, error) from error
    except (ValueError, KeyError, TypeError):
        raise OutputError(f"{path} is no run file; is this the folder of a bulk run?") from None


def check_run(folder: Path, manifest: str, options: Mapping[str, Any]) -> None:
    """Find out, before a model is loaded, whether the folder's run had these, too.

    Raises:
        UsageError, OutputError: as `settle_run`.
    """
    there = read_run(folder)
    if there is not None:
        _check(folder, there, replace(there, manifest=manifest, options=options))


def settle_run(folder: Path, run: RunFile, *, is_forced: bool) -> None:
    """Write the run file, or hold the run against the one that is there.

    Forced, the new one takes its place; results that are there stay as they are.

    Raises:
        UsageError: the manifest, the model or an option differs; the message names what.
        OutputError: the folder cannot be read or written.
    """
    busy = f"{folder}: another run begins at this moment; try again"
    with locked(folder / ".lock-run", busy, is_awaited=True):
        there = read_run(folder)
        if there is not None and not is_forced:
            _check(folder, there, run)
        if there != run:
            content = {**asdict(run), "options_hash": run.options_hash, "version": _VERSION}
            write_whole(folder / NAME, json.dumps(content, indent=2).encode() + b"\n")


def _check(folder: Path, there: RunFile, run: RunFile) -> None:
    if found := there.differences(run):
        raise UsageError(
            f"{folder} has results of another run ({'; '.join(found)}): "
            "take another folder, or --force to go on with both"
        )


def _place(manifest: str) -> Path:
    """The manifest by its folder, which relative paths are relative to, without links."""
    path = Path(manifest)
    return Path(os.path.realpath(path.parent)) / path.name


def _shown(value: object) -> str:
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
