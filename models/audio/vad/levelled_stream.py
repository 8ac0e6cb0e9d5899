"""Voice activity detection of sound that is still coming, at an even level."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from models.audio.samples import Samples
from models.audio.vad.silero import Silero, SileroStream, load_silero
from models.units import SAMPLE_RATE, VAD_FRAME

# The peak that sound is brought to where it is softer: Silero loses speech whose peaks are far
# below (`soft_speech.py`).
_LEVEL = 0.1
# By no more than this, 30 dB, lest the noise of a quiet room becomes loud.
_MAX_GAIN = 32.0
# Seconds in which the level falls to half: pauses of a loud speaker stay quiet.
_HALF_LIFE = 3.0


class LevelledStream:
    """The detector's state in one stream, with a gain that follows the sound's level.

    One pass, where `SoftSpeechStream` has two: what is spoken softly is louder here before it is
    looked at, and nothing is looked at twice.
    """

    def __init__(self, detector: Silero) -> None:
        self._stream = SileroStream(detector)
        self._level = 0.0

    def feed(self, frames: Samples) -> NDArray[np.float32]:
        """The probabilities of the next whole frames."""
        gains = [self._gain(frame) for frame in frames.reshape(-1, VAD_FRAME)]
        return self._stream.feed(frames * np.repeat(np.asarray(gains, np.float32), VAD_FRAME))

    def _gain(self, frame: Samples) -> float:
        decay = 0.5 ** (VAD_FRAME / SAMPLE_RATE / _HALF_LIFE)
        # Half of what it goes up and down: a constant is no sound.
        self._level = max(float(np.ptp(frame)) / 2, self._level * decay)
        return min(_MAX_GAIN, max(1.0, _LEVEL / max(self._level, 1e-9)))


@cache
def shared_detector() -> Silero:
    """The detector of all streams of this process; its weights do not change."""
    return load_silero()
