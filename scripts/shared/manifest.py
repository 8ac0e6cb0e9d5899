"""Corpus manifest: the recordings, and what is said in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from scripts.shared.errors import BenchError

OWN_SPEECH = Path(__file__).parents[2] / "tests" / "speech" / "manifest.jsonl"


@dataclass(frozen=True)
class Clip:
    """A recording; `text` is what is said in it, None where nobody has written it down.

    `language` is a code, or none where nobody speaks.
    """

    path: Path
    text: str | None
    language: str
    seconds: float
    kind: str = ""

    @property
    def is_speech(self) -> bool:
        """True if there is speech in it."""
        return self.language != "none"

    @property
    def is_variant(self) -> bool:
        """True if it is another clip's speech in another format."""
        return self.kind.startswith("format variant")


def manifest_of(audio: Path) -> Path:
    """The manifest of a folder; what is no folder is itself one."""
    return audio / "manifest.jsonl" if audio.is_dir() else audio


def read_manifest(manifest: Path) -> list[Clip]:
    """Every clip of a manifest, in its order.

    Raises:
        BenchError: a line is no entry of a manifest.
    """
    clips = []
    for number, line in enumerate(manifest.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            clips.append(
                Clip(
                    path=manifest.parent / str(entry["path"]),
                    text=str(entry["text"]) if "text" in entry else None,
                    language=str(entry["language"]),
                    seconds=float(entry["seconds"]),
                    kind=str(entry.get("kind", "")),
                )
            )
        except (ValueError, TypeError, KeyError) as error:
            raise BenchError(f"{manifest}, line {number}: no entry of a manifest") from error
    return clips
