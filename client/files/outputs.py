"""Output files: their names, whether they are there already, and how they are written."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TypeVar

from client.backend.errors import UsageError
from client.backend.request import Format, Recording

AnyPath = TypeVar("AnyPath", bound=PurePath)


class Outputs:
    """Where the files of recordings go: beside each, or below a folder.

    They are named as openai-whisper names them, `talk.srt` for `talk.mp3`. Where two recordings
    would have the same file, or one would have its own, the suffix is kept: `talk.mp3.srt`. So no
    two recordings of one folder have the same file.
    """

    def __init__(self, formats: tuple[Format, ...], folder: Path | None) -> None:
        self._formats, self._folder = formats, folder
        self._stems = Counter[str]()
        self._sources = set[str]()

    def know(self, recordings: Iterable[Recording]) -> None:
        """The recordings that there are, in place of those that were known before."""
        every = list(recordings)
        # A recording's whole name counts too: `talk.mp3.wav` has the stem `talk.mp3`.
        self._stems = Counter(
            key for each in every for key in {_key(self._stem(each)), _key(self._whole(each))}
        )
        self._sources = {_key(each.path) for each in every}

    def of(self, recording: Recording) -> dict[Format, Path]:
        """The files of a recording, by format."""
        stem = self._stem(recording)
        found = {name: with_format(stem, name) for name in self._formats}
        is_taken = any(_key(path) in self._sources for path in found.values())
        if self._stems[_key(stem)] > 1 or is_taken:
            whole = self._whole(recording)
            return {name: with_format(whole, name) for name in self._formats}
        return found

    def check(self, recordings: Iterable[Recording]) -> None:
        """Find out whether each has files of its own, before one takes another's place.

        Below a folder, recordings of the same name from different folders do not.

        Raises:
            UsageError: two of them would have the same file.
        """
        if self._folder is None:
            return
        owners: dict[str, Recording] = {}
        for recording in recordings:
            for path in self.of(recording).values():
                owner = owners.setdefault(_key(path), recording)
                if owner is not recording:
                    raise UsageError(
                        f"{owner.name} and {recording.name} would have the same file, {path}: "
                        "give each its own --output_dir, or leave that out"
                    )

    def _whole(self, recording: Recording) -> Path:
        return self._stem(recording).with_name(recording.below.name)

    def _stem(self, recording: Recording) -> Path:
        if self._folder is None:
            return recording.path.with_name(recording.path.stem)
        return self._folder / recording.below.with_name(recording.below.stem)


def with_format(stem: AnyPath, name: Format) -> AnyPath:
    """The path with the format's suffix behind all that it has."""
    return stem.with_name(f"{stem.name}.{name}")


def are_done(recording: Path, outputs: Iterable[Path]) -> bool:
    """Whether every output is there, and none is older than the recording."""
    try:
        since = recording.stat().st_mtime_ns
        return all(path.stat().st_mtime_ns >= since for path in outputs)
    except OSError:
        return False


def write_all(texts: Mapping[Path, str]) -> None:
    """Write files, each under another name first: what has its name is whole.

    Nothing is left behind where one of them cannot be written.

    Raises:
        OSError: it cannot.
    """
    written: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            written[path] = _written(path.parent, text)
        for path, partial in written.items():
            partial.replace(path)
    finally:
        for partial in written.values():
            with suppress(FileNotFoundError):
                partial.unlink()


def _written(folder: Path, text: str) -> Path:
    """A new file with this text, on the disk."""
    partial = folder / f".whisper-bento-{secrets.token_hex(8)}.part"
    try:
        with partial.open("x", encoding="utf-8", newline="", errors="replace") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise
    return partial


def _key(path: Path) -> str:
    """Paths of the same file have the same, where capital letters make no difference, too."""
    return str(path.parent.resolve() / path.name).casefold()
