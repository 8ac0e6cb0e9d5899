"""The two halves of a decode step: tokens are fed, and the next are chosen."""

from __future__ import annotations

from models.engine.cache import KVCache
from models.engine.network import Decoder
from models.engine.static.choice import Choice, PlainChoice
from models.engine.static.forward import Forward, PlainForward
from models.engine.vocabulary import Vocabulary

Step = tuple[Forward, Choice]


def plain_step(decoder: Decoder, cache: KVCache, vocabulary: Vocabulary) -> Step:
    """In PyTorch, on any device."""
    return PlainForward(decoder, cache), PlainChoice(vocabulary, decoder.embedding.device)
