"""`scripts.quality.soft_speech`: the conditions it makes, its table, and a run on real weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from scripts.quality.conditions import SOUND_LEVELS, at_peak, silent_clips, soft_clips
from scripts.quality.rejection import rejection
from scripts.quality.sounds import sounds
from scripts.quality.whispering import whispered
from tests.scripts.quality.answers import clip, result
from tests.speech_clips import jfk

needs_jiwer = pytest.mark.skipif(find_spec("jiwer") is None, reason="the bench extra is missing")


def voicing(samples: Samples) -> float:
    """How periodic the loudest frames are at the pitch of a voice, from 0 to 1; the median."""
    frames = samples[: len(samples) // 1024 * 1024].reshape(-1, 1024)
    loudest = frames[np.argsort((frames**2).sum(axis=1))[-20:]]
    power = np.abs(np.fft.rfft(loudest, 2048)) ** 2
    correlation = np.fft.irfft(power)[:, :1024]
    return float(np.median(correlation[:, 50:200].max(axis=1) / correlation[:, 0]))


def test_whispered_speech_has_no_voice_and_keeps_its_loudness() -> None:
    samples = load(jfk().path)

    made = whispered(samples)

    assert voicing(made) < 0.5 * voicing(samples)
    assert len(made) == len(samples)
    assert np.abs(made).max() == pytest.approx(np.abs(samples).max(), rel=1e-3)
    envelopes = [
        np.log10((each[: 11 * 16_000].reshape(-1, 1600) ** 2).mean(axis=1) + 1e-6)
        for each in (samples, made)
    ]
    assert np.corrcoef(envelopes)[0, 1] > 0.9
    assert np.array_equal(made, whispered(samples))


def test_whispered_silence_is_silence() -> None:
    assert not whispered(np.zeros(5000, np.float32)).any()


def test_sounds_are_the_same_at_every_call_and_at_their_peak() -> None:
    first, second = sounds(), sounds()

    assert len(first) == 30
    for name, samples in first.items():
        assert np.abs(samples).max() == pytest.approx(1.0)
        assert np.array_equal(samples, second[name])


def test_conditions_are_files_at_their_level(tmp_path: Path) -> None:
    chosen = clip(name=str(jfk().path))

    made = soft_clips([chosen], tmp_path)

    peaks = {each.kind: float(np.abs(load(each.path)).max()) for each in made}
    assert next(iter(peaks)) == "as it is"
    assert list(peaks)[-1] == "whispered"
    for level in (-30, -40, -50, -60):
        assert 20 * np.log10(peaks[f"peak {level} dBFS"]) == pytest.approx(level, abs=0.2)
    assert {each.text for each in made} == {chosen.text}


def test_sounds_without_speech_come_at_each_level(tmp_path: Path) -> None:
    made = silent_clips([], tmp_path)

    assert len(made) == len(SOUND_LEVELS) * len(sounds())
    assert not any(each.is_speech for each in made)


def test_at_peak_of_silence_is_silence() -> None:
    assert not at_peak(np.zeros(9, np.float32), -20).any()


@needs_jiwer
def test_rejection_counts_lost_words_and_empty_answers_by_kind() -> None:
    results = [
        result(clip(kind="whispered"), "", "sun moon sea", "sun moon sea sky"),
        result(clip(kind="whispered"), "sun moon sea sky", "", "sun moon sea sky"),
        result(clip(kind="as it is"), "sun moon sea sky", "sun moon sea sky", "sun moon sea sky"),
    ]

    lines = rejection(results, with_reference=True).split("\n")

    assert lines[-2:] == [
        "| as it is | 1 | 4 | 0.00 | 0.00 | 0.00 | +0.00 | 0 | 0 |",
        "| whispered | 2 | 8 | 50.00 | 0.00 | 62.50 | -12.50 | 1 | 1 |",
    ]
    assert rejection([], with_reference=True) == ""
