"""Encoder input features: log-mel, or the samples where the engine makes the log-mel itself."""

from __future__ import annotations

from functools import partial

import numpy as np

from models.audio.mel import LogMel, Mel, StreamedLogMel
from models.audio.samples import Samples
from models.audio.vad.whole_file import SpeechMap
from models.audio.windows.waveform import Waveform
from models.engine.engine import Engine
from models.transcription.sample_stream import SampleStream
from models.units import WINDOW_SAMPLES


def features(engine: Engine, samples: Samples) -> Mel:
    """Those of at most 30 s."""
    make = Waveform if engine.takes_samples else LogMel
    return make(samples, engine.vocabulary.dims.n_mels)


async def features_in_thread(engine: Engine, samples: Samples, stream: SampleStream) -> Mel:
    """The same, in one of the stream's threads where there is something to compute."""
    make = partial(features, engine, samples)
    return make() if engine.takes_samples else await stream.run(make)


def recording_features(engine: Engine, stream: SampleStream, speech: SpeechMap) -> Mel:
    """Those of a whole recording of any length; its speech is mapped while it is read."""
    if stream.fits(WINDOW_SAMPLES):
        samples = np.concatenate(list(speech.through(stream.beginning(WINDOW_SAMPLES))))
        return features(engine, samples)
    n_mels = engine.vocabulary.dims.n_mels
    return StreamedLogMel(lambda: speech.through(stream.pieces()), n_mels)
