"""Context of a turn: the end of the one before it, whose sentence it may go on with."""

from __future__ import annotations

from dataclasses import dataclass

from models.engine.decoding.sequence import Prefix
from models.live.pcm import Pcm
from models.live.settled_text import SettledText
from models.live.spoken_spans import SpokenSpans
from models.live.turn_audio import TurnAudio
from models.units import SAMPLE_RATE

# Samples of speech that are heard again at most.
CONTEXT_LENGTH = 3 * SAMPLE_RATE
# The average log-probability from which a text is believed.
_LIKELY = -0.8


@dataclass(frozen=True, eq=False)
class TurnContext:
    """The last words of a turn, and their sound.

    `speech` are the spans in which somebody speaks, in samples before its end.
    """

    samples: Pcm
    speech: tuple[tuple[int, int], ...]
    prefix: Prefix


def context_of(audio: TurnAudio, speech: SpokenSpans, settled: SettledText) -> TurnContext | None:
    """The end of a turn all of which is settled; None if its text is unlikely, or it has none."""
    logprobs = [each.logprob for each in settled.logprobs]
    if sum(logprobs) < _LIKELY * len(logprobs):
        return None
    begin, prefix = settled.words_from(max(audio.first, speech.end - CONTEXT_LENGTH))
    if not prefix.tokens:
        return None
    end = min(audio.end, speech.tail_end)
    spans = tuple((a - end, b - end) for a, b in speech.spans(begin, end))
    return TurnContext(audio.pcm(end, begin), spans, prefix)
