"""What an engine is given to hear of a recording."""

from __future__ import annotations

from functools import partial

from models.audio.mel import LogMel, Mel
from models.audio.samples import Samples
from models.audio.windows.waveform import Waveform
from models.engine.engine import Engine
from models.transcription.sample_stream import SampleStream


def features(engine: Engine, samples: Samples) -> Mel:
    """At most 30 s as the engine takes them: their log-mel, or samples where it makes that."""
    make = Waveform if engine.takes_samples else LogMel
    return make(samples, engine.vocabulary.dims.n_mels)


async def features_in_thread(engine: Engine, samples: Samples, source: SampleStream) -> Mel:
    """The same, in one of the source's threads where there is something to compute."""
    make = partial(features, engine, samples)
    return make() if engine.takes_samples else await source.run(make)
