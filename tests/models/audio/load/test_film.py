"""A film's default track: every line where it was put, whatever lies around it."""

from __future__ import annotations

import io

import numpy as np
import pytest

from models.audio.load.load_audio import AudioFile, load
from models.audio_options import AudioTrack, ReadOptions
from models.units import SAMPLE_RATE
from tests.models.audio.film import Line, Samples, film, lines

# Of AAC's copy with the line itself.
_SAME = 0.95
_REACH = SAMPLE_RATE // 20


def offset(samples: Samples, line: Line) -> tuple[float, float]:
    """How much later than it should the line is heard, in seconds; how much it is the same."""
    spoken, start = line.samples, round(line.start * SAMPLE_RATE)
    around = samples[start - _REACH : start + len(spoken) + _REACH]
    found = np.correlate(around.astype(np.float64), spoken.astype(np.float64), "valid")
    best = int(found.argmax())
    same = np.corrcoef(around[best : best + len(spoken)], spoken)[0, 1]
    return (best - _REACH) / SAMPLE_RATE, float(same)


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_lines_of_the_default_track_are_in_time(container: str) -> None:
    file = io.BytesIO(film(container))
    samples = load(file)

    assert AudioFile(file).track == AudioTrack(1, 2, "eng")
    for line in lines():
        late, same = offset(samples, line)
        assert abs(late) < 0.002
        assert same > _SAME
    assert not samples[: round(7.4 * SAMPLE_RATE)].any()
    assert not samples[round(19 * SAMPLE_RATE) : round(31.9 * SAMPLE_RATE)].any()


@pytest.mark.parametrize("container", ["matroska", "mp4"])
def test_voice_is_in_the_centre_alone(container: str) -> None:
    file = io.BytesIO(film(container))
    line = lines()[0]
    centre = load(file, ReadOptions(channel=2))
    left = load(file, ReadOptions(channel=0))
    late, same = offset(centre, line)
    assert abs(late) < 0.002
    assert same > _SAME
    assert np.abs(left).max() < 0.01 * np.abs(centre).max()
