"""Recordings of a benchmark: which are chosen, what is said in them; several joined to one."""

from __future__ import annotations

import argparse
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.audio.load.load_audio import load
from models.units import SAMPLE_RATE
from scripts.shared.errors import BenchError
from scripts.shared.manifest import OWN_SPEECH, Clip, manifest_of, read_manifest

SILENCE_SECONDS = 0.3


@dataclass(frozen=True)
class Choice:
    """Criteria of a corpus's clips: lengths in seconds, `limit` the number of clips at most."""

    audio: Path = OWN_SPEECH
    language: str = "en"
    kind: str | None = None
    shorter_than: float | None = None
    longer_than: float | None = None
    limit: int | None = None

    def takes(self, clip: Clip) -> bool:
        """True if a clip meets them; the same speech in other formats does not."""
        return (
            clip.language == self.language
            and (self.kind in clip.kind if self.kind else not clip.is_variant)
            and (self.shorter_than is None or clip.seconds < self.shorter_than)
            and (self.longer_than is None or clip.seconds > self.longer_than)
        )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that choose recordings."""
    group = parser.add_argument_group("audio")
    group.add_argument(
        "--audio",
        type=Path,
        default=OWN_SPEECH,
        metavar="DIR_OR_MANIFEST",
        help="recordings, with a manifest.jsonl for WER (default: tests/speech)",
    )
    group.add_argument("--language", default="en", metavar="CODE", help="default: en")
    group.add_argument("--kind", metavar="TEXT", help="only clips whose kind contains this")
    group.add_argument("--shorter-than", type=float, metavar="S")
    group.add_argument("--longer-than", type=float, metavar="S")
    group.add_argument("--limit", type=int, metavar="N", help="the first N of them")


def choice_of(options: argparse.Namespace) -> Choice:
    """The choice that `add_choice`'s options make."""
    return Choice(
        options.audio,
        options.language,
        options.kind,
        options.shorter_than,
        options.longer_than,
        options.limit,
    )


def choose(choice: Choice) -> list[Clip]:
    """The clips of the corpus that were chosen, in its order.

    Raises:
        BenchError: there is no corpus, or nothing in it was chosen.
    """
    clips = [clip for clip in _corpus(choice) if choice.takes(clip)][: choice.limit]
    if not clips:
        raise BenchError(f"{choice.audio}: no recording there is as the options ask for")
    return clips


def joined(clips: Sequence[Clip], path: Path) -> Clip:
    """One long recording of all clips with silence between, written to `path` as WAV."""
    silence = np.zeros(int(SILENCE_SECONDS * SAMPLE_RATE), dtype=np.int16)
    pieces = []
    for clip in clips:
        pieces += [(load(clip.path) * 32768.0).astype(np.int16), silence]
    samples = np.concatenate(pieces[:-1])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.tobytes())
    texts = [clip.text for clip in clips if clip.text is not None]
    text = " ".join(texts) if len(texts) == len(clips) else None
    return Clip(path, text, clips[0].language, len(samples) / SAMPLE_RATE, "joined")


def joined_until(clips: Sequence[Clip], seconds: float, path: Path) -> Clip:
    """One recording of at least `seconds`: the clips joined, again from the first if need be."""
    chosen: list[Clip] = []
    while sum(clip.seconds for clip in chosen) < seconds:
        chosen.append(clips[len(chosen) % len(clips)])
    return joined(chosen, path)


def _corpus(choice: Choice) -> list[Clip]:
    manifest = manifest_of(choice.audio)
    if manifest.is_file():
        return read_manifest(manifest)
    if choice.audio.is_dir():
        paths = sorted(path for path in choice.audio.iterdir() if path.is_file())
        return [
            Clip(path, None, choice.language, len(load(path)) / SAMPLE_RATE, path.suffix)
            for path in paths
        ]
    raise BenchError(f"{choice.audio}: no such folder or manifest")
