"""Test conditions as files: the same speech soft and whispered, and sounds without speech."""

from __future__ import annotations

import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.units import SAMPLE_RATE
from scripts.quality.sounds import sounds
from scripts.quality.whispering import whispered
from scripts.shared.manifest import Clip

# Peaks in dBFS. At -60 there are 33 steps of 16 bits on either side.
SPEECH_LEVELS = (-30, -40, -50, -60)
SOUND_LEVELS = (-20, -40, -60)


def soft_clips(clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Each clip of speech as it is, at each level, and whispered, with the condition as its kind.

    Those that were made are files in the folder.
    """
    made = []
    for number, clip in enumerate(clips):
        samples = load(clip.path)
        conditions = {f"peak {level} dBFS": at_peak(samples, level) for level in SPEECH_LEVELS}
        conditions["whispered"] = whispered(samples)
        made.append(replace(clip, kind="as it is"))
        for kind, changed in conditions.items():
            path = folder / f"{number} {kind}.wav"
            write(path, changed)
            made.append(replace(clip, path=path, kind=kind))
    return made


def silent_clips(clips: Sequence[Clip], folder: Path) -> list[Clip]:
    """Each clip without speech, and each sound that is made here, at each level."""
    recorded = {clip.path.stem: load(clip.path) for clip in clips}
    return list(_at_levels(recorded, "recorded", folder)) + list(
        _at_levels(sounds(), "made", folder)
    )


def _at_levels(sources: dict[str, Samples], kind: str, folder: Path) -> Iterator[Clip]:
    for name, samples in sources.items():
        for level in SOUND_LEVELS:
            path = folder / f"{name} {level}.wav"
            write(path, at_peak(samples, level))
            yield Clip(path, "", "none", len(samples) / SAMPLE_RATE, f"{kind}, peak {level} dBFS")


def at_peak(samples: Samples, level: float) -> Samples:
    """The samples with their peak at a level in dBFS; silence stays silence."""
    peak = float(np.abs(samples).max(initial=0.0))
    return samples * np.float32(10 ** (level / 20) / peak) if peak else samples


def write(path: Path, samples: Samples) -> None:
    """A WAV file of 16 bits, as most recordings are."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
