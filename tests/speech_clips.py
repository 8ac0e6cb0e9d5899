"""The labelled recordings under tests/speech, or in the folder that WHISPER_SPEECH names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

OWN_SPEECH = Path(__file__).parent / "speech"
FORMATS = OWN_SPEECH / "clips" / "formats"
BROKEN = OWN_SPEECH / "clips" / "broken"


@dataclass(frozen=True)
class Clip:
    """A recording and what is said in it; `language` is a code, or `none` without speech."""

    path: Path
    text: str
    language: str
    seconds: float
    source: str
    licence: str
    kind: str

    @property
    def is_long(self) -> bool:
        """Whether it needs more than one window."""
        return self.seconds > 30

    @property
    def is_speech(self) -> bool:
        """Whether anybody speaks in it."""
        return self.language != "none"

    @property
    def is_format_variant(self) -> bool:
        """Whether it is another clip again, in another container."""
        return self.kind.startswith("format variant")

    def __str__(self) -> str:
        return self.path.stem


def clips(language: str | None = None, kind: str | None = None) -> list[Clip]:
    """Clips of that language whose kind contains that text; all of them by default.

    Format variants of one clip are left out unless `kind` asks for them.
    """
    return [
        clip
        for clip in _read(Path(os.environ.get("WHISPER_SPEECH", OWN_SPEECH)))
        if language in (None, clip.language)
        and (kind in clip.kind if kind else not clip.is_format_variant)
    ]


def jfk() -> Clip:
    """The clip of openai-whisper's own tests: 11 s of English."""
    return next(clip for clip in _read(OWN_SPEECH) if clip.path.name == "jfk.flac")


def _read(folder: Path) -> list[Clip]:
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [_clip(folder, json.loads(line)) for line in lines]


def _clip(folder: Path, entry: dict[str, object]) -> Clip:
    return Clip(
        path=folder / str(entry["path"]),
        text=str(entry["text"]),
        language=str(entry["language"]),
        seconds=float(str(entry["seconds"])),
        source=str(entry["source"]),
        licence=str(entry["licence"]),
        kind=str(entry["kind"]),
    )
