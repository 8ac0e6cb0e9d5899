"""What an engine is given to hear of a recording."""

from __future__ import annotations

from models.audio.mel import LogMel, Mel, Samples
from models.audio.waveform import Waveform
from models.engine.engine import Engine


def heard_by(engine: Engine, samples: Samples) -> Mel:
    """At most 30 s as the engine takes them: their log-mel, or samples where it makes that."""
    make = Waveform if engine.takes_samples else LogMel
    return make(samples, engine.vocabulary.dims.n_mels)
